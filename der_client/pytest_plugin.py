"""Fixtures for tests on the embedded devnet; pytest loads them by itself where der-client is installed.

``devnet`` is one devnet for the whole run (one per worker with pytest-xdist), started by the first test that asks for
it. Each test that uses it starts from the state that fixtures of wider scope left, and leaves no trace: what it did is
undone by a snapshot. Fixtures of module or session scope use ``shared_devnet``, whose changes stay::

    @pytest.fixture(scope="module")
    def plant(shared_devnet): ...      # done once, kept for the module's tests

    def test_sale(devnet, plant): ...  # undone afterwards

Within a test, ``with devnet.anchor():`` undoes a part, such as one example of hypothesis.

Its clock begins at noon of the present day (UTC), so that no test comes over midnight in its first blocks. To have each
run like the last, set a moment in pytest's configuration: ``devnet_start_time = 2026-07-01T12:00:00Z``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

# Every run of pytest imports this module where der-client is installed: what takes time, the fixtures import.
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from der_client.devnet import Devnet

_START_TIME: Final = "devnet_start_time"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what can be set in pytest's configuration."""
    parser.addini(
        _START_TIME,
        "Chain time at which the tests' devnet begins, ISO 8601 with an offset. Default: noon (UTC) of the day.",
        default="",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Have a failure end at the line of the test whose call failed, not inside of this library (``--full-trace`` does).

    That is so for the library's own errors, which say what is wrong; others are shown down to where they were raised.
    """
    if call.excinfo is None:
        return
    for entry in call.excinfo.traceback:
        variables = entry.frame.f_globals
        if str(variables.get("__name__", "")).startswith("der_client."):
            # Pytest looks for it among the variables of a frame, and among those of its module.
            variables.setdefault("__tracebackhide__", _is_own_error)


def _is_own_error(raised: pytest.ExceptionInfo[BaseException]) -> bool:
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415 -- it was raised, so it is loaded

    return isinstance(raised.value, DerClientError)


@pytest.fixture(scope="session")
def shared_devnet(pytestconfig: pytest.Config) -> Iterator[Devnet]:
    """One devnet for the whole run, with the contracts published. What is done to it stays."""
    from der_client.devnet import Devnet  # noqa: PLC0415 -- only where a test asks for it

    with Devnet(start_time=_start_time(pytestconfig)) as devnet:
        yield devnet


def _start_time(config: pytest.Config) -> datetime:
    from datetime import UTC, datetime, time  # noqa: PLC0415 -- only where a test asks for it

    text = str(config.getini(_START_TIME)).strip()
    if not text:
        return datetime.combine(datetime.now(UTC).date(), time(12), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise pytest.UsageError(f"{_START_TIME} is {text!r}; give a moment with its offset, as 2026-07-01T12:00:00Z")
    return moment


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """The run's devnet, for one test: what the test does to it is undone afterwards."""
    with shared_devnet.anchor():
        yield shared_devnet
