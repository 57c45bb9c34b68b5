"""A short soak; the audit detects lost and repeated transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.audit import Auditor
from tests.soak.restarting_devnet import RestartingDevnet
from tests.soak.run import Outcome, Plan, soak


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    state_file = tmp_path_factory.mktemp("soak") / "state"
    return soak(Plan(seconds=6, clients=4, per_second=40, life_s=2), state_file), state_file


@pytest.fixture
def auditor(soaked: tuple[Outcome, Path], tmp_path: Path) -> Iterator[Auditor]:
    """The auditor of a devnet whose state file lacks the last transaction."""
    outcome, state_file = soaked
    lines = state_file.read_text().splitlines(keepends=True)
    del lines[max(number for number, line in enumerate(lines) if '"submit"' in line)]
    shortened = tmp_path / "state"
    shortened.write_text("".join(lines))
    devnet = RestartingDevnet(shortened)
    yield Auditor(devnet.url, outcome.contract)
    devnet.current.close()


def test_nothing_is_lost_or_done_twice(soaked: tuple[Outcome, Path]) -> None:
    outcome, _ = soaked
    assert outcome.problems == ()
    assert outcome.kills > 0
    assert all(outcome.books.values())


def test_a_lost_transaction_is_reported(soaked: tuple[Outcome, Path], auditor: Auditor) -> None:
    for address, book in soaked[0].books.items():
        auditor.all_there(address, enumerate(book))
    # On a timer, blocks that it shared with other transactions are different ones now; but nothing else is lost.
    assert len([problem for problem in auditor.problems if "was answered and is lost" in problem]) == 1


def test_a_lost_transaction_shows_in_nonces_and_balances(soaked: tuple[Outcome, Path], auditor: Auditor) -> None:
    auditor.all_done_once(soaked[0].books, soaked[0].begin)
    assert sum("nonce of" in problem for problem in auditor.problems) == 1
    assert sum("balance of" in problem for problem in auditor.problems) >= 2  # the sender and the fee sink
