"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Shared machines are slow at times; no test depends on speed.
settings.register_profile("der-client", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("der-client")
