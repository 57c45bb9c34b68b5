"""Property and invariant tests that run inside the contracts."""
