"""A reference model of the five contracts, and the machine that compares it with them."""
