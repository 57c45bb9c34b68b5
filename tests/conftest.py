"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# Shared machines are slow at times; no test depends on speed.
settings.register_profile("der-client", deadline=None)
settings.load_profile("der-client")
