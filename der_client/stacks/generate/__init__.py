"""Writes Python modules for contracts, as one would declare them by hand."""
