"""A proxy between a client and the devnet that injects the faults of public APIs, and tests that go through it."""
