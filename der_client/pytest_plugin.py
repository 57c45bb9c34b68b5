"""Fixtures for tests on the embedded devnet."""
