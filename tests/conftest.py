"""Settings for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

LONGEST: Final = (
    "tests/integration/test_benchmarks.py",
    "tests/integration/test_index_restarts.py",
    "tests/integration/devnet/",
    "tests/soak/",
    "tests/model/",
    "tests/browser/",
)
"""These tests take longest and start first, so that no worker is left with one of them at the end."""

# Shared machines are slow at times, so no test has a deadline.
settings.register_profile("der-client", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("der-client")


@pytest.fixture(autouse=True, scope="session")
def plain_terminal() -> Iterator[None]:
    """Remove the variables about terminals and colours, so that output looks the same on every machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE"):
            patch.delenv(name, raising=False)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that take longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
