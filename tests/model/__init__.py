"""A reference model of the five contracts, and the state machine that compares it with them."""
