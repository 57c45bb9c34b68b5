"""Settings of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Shared machines are slow at times; no test depends on speed.
settings.register_profile("der-client", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("der-client")


@pytest.fixture(autouse=True, scope="session")
def plain_terminal() -> Iterator[None]:
    """What tests print has the same form on each machine, whatever its variables say of terminals and colours."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE"):
            patch.delenv(name, raising=False)
        yield
