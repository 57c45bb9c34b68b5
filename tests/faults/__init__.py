"""A proxy between a client and the devnet that does what public APIs do on a bad day, and tests that go through it."""
