"""Writes Python modules for contracts: what one would declare by hand."""
