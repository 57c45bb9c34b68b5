"""Fixtures for tests on the embedded devnet; pytest loads them by itself where der-client is installed.

``devnet`` is one devnet for the whole run (one per worker with pytest-xdist), started by the first test that uses it.
Each test starts from the state that fixtures of wider scope left; what it does is undone afterwards by a snapshot.
Fixtures of module or session scope use ``shared_devnet``, whose changes stay::

    @pytest.fixture(scope="module")
    def plant(shared_devnet): ...      # done once, kept for the module's tests

    def test_sale(devnet, plant): ...  # undone afterwards

Within a test, ``with devnet.anchor():`` undoes a part, such as one example of hypothesis.

``--clarity-coverage`` writes which lines of the contracts the tests reached to a file in LCOV's format;
``--clarity-costs`` shows at the end what each function cost. Both make the devnet about eight times slower.

Its clock begins at noon of the current day (UTC), so that no test passes midnight in its first blocks. To make each run
the same, set a time in pytest's configuration: ``devnet_start_time = 2026-07-01T12:00:00Z``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

# Every run of pytest imports this module where der-client is installed, so slow imports are in the fixtures.
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from der_client.devnet import Devnet

_START_TIME: Final = "devnet_start_time"
_REPORT: Final = "der_client_clarity"
_REPORTS: Final = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what can be set in pytest's configuration."""
    parser.addini(
        _START_TIME,
        "Chain time at which the tests' devnet begins, ISO 8601 with an offset. Default: noon (UTC) of the day.",
        default="",
    )
    group = parser.getgroup("clarity", "Clarity contracts on the devnet")
    group.addoption(
        "--clarity-coverage",
        nargs="?",
        const="clarity.lcov",
        metavar="FILE",
        help="Write which lines of the contracts the tests reached, in LCOV's format. Default: clarity.lcov.",
    )
    group.addoption(
        "--clarity-costs",
        action="store_true",
        help="Show what each function of the contracts cost, the most expensive first.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Make a failure's traceback end at the test's own line, not inside this library (unless with ``--full-trace``).

    This applies to the library's own errors, which say what is wrong; others are shown down to where they were raised.
    """
    if call.excinfo is None:
        return
    for entry in call.excinfo.traceback:
        variables = entry.frame.f_globals
        if str(variables.get("__name__", "")).startswith("der_client."):
            # Pytest looks for it among the variables of a frame, and among those of its module.
            variables.setdefault("__tracebackhide__", _is_own_error)


def _is_own_error(raised: pytest.ExceptionInfo[BaseException]) -> bool:
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415 -- it was raised, so the module is loaded

    return isinstance(raised.value, DerClientError)


@pytest.fixture(scope="session")
def shared_devnet(pytestconfig: pytest.Config) -> Iterator[Devnet]:
    """Yield one devnet for the whole run, with the contracts published. Changes to it stay."""
    from der_client.devnet import Devnet  # noqa: PLC0415 -- only where a test uses it

    reports = _wants_reports(pytestconfig)
    with Devnet(start_time=_start_time(pytestconfig), coverage=reports) as devnet:
        yield devnet
        if reports:
            _keep_report(pytestconfig, {"lcov": devnet.coverage(), "profile": devnet.profile()})


def _wants_reports(config: pytest.Config) -> bool:
    return bool(config.getoption("--clarity-coverage") or config.getoption("--clarity-costs"))


def _keep_report(config: pytest.Config, report: dict[str, Any]) -> None:
    """Keep a devnet's report for the end of the run; with pytest-xdist, each worker sends its own."""
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[_REPORT] = report
    else:
        config.stash.setdefault(_REPORTS, []).append(report)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the reports of a worker of pytest-xdist."""
    report = getattr(node, "workeroutput", {}).get(_REPORT)
    if report is not None:
        node.config.stash.setdefault(_REPORTS, []).append(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the coverage report, and show the cost report."""
    if not _wants_reports(config) or hasattr(config, "workeroutput"):
        return
    from der_client.clarity_reports import cost_table, merged_lcov, summary_table  # noqa: PLC0415 -- only when asked for

    reports = config.stash.get(_REPORTS, [])
    if not reports:
        terminalreporter.write_line("clarity: no test used the devnet, so there is nothing to report")
        return
    file = config.getoption("--clarity-coverage")
    if file:
        lcov = merged_lcov([report["lcov"] for report in reports])
        config.rootpath.joinpath(file).write_text(lcov, encoding="utf-8")
        terminalreporter.section(f"Clarity coverage, written to {file}")
        terminalreporter.write(summary_table(lcov))
    if config.getoption("--clarity-costs"):
        terminalreporter.section("Clarity costs (runtime)")
        terminalreporter.write(cost_table([report["profile"] for report in reports]))


def _start_time(config: pytest.Config) -> datetime:
    from datetime import UTC, datetime, time  # noqa: PLC0415 -- only where a test uses it

    text = str(config.getini(_START_TIME)).strip()
    if not text:
        return datetime.combine(datetime.now(UTC).date(), time(12), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise pytest.UsageError(f"{_START_TIME} is {text!r}; give a time with its offset, such as 2026-07-01T12:00:00Z")
    return moment


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """Yield the run's devnet, for one test: what the test does to it is undone afterwards."""
    with shared_devnet.anchor():
        yield shared_devnet
