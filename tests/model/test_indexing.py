"""An index follows any history, with forks, kills and restarts, and always equals the contracts."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from der_client.index import Follower, Index
from tests.model.index import expected_index, shown_state
from tests.model.people import CONTRACT_OWNER
from tests.model.stored import require_same, require_what_contracts_say, stored_state
from tests.model.twin import Twin
from tests.postgres import MISSING, find_programs, running

HISTORIES = 3
PARTS = 5
STEPS_PER_PART = 9
_KILLS = 0.4
_MOST_STATEMENTS = 60


class KilledError(Exception):
    """Kills the indexer at this point."""


class Indexed:
    """Contracts, model and an index of the contracts.

    Args:
        twin: Contracts and model.
        place: The location of the index.
        random: The source of all randomness.
    """

    def __init__(self, twin: Twin, place: Path | str, random: Random) -> None:
        self.twin = twin
        self.place = place
        self.random = random
        self.der = twin.chain.views[CONTRACT_OWNER]  # type: ignore[attr-defined]  # the chain is a real one
        self.remembered: dict[int, Any] = {}
        self.kills = self.forks = 0
        self.follower = self._started()

    def _started(self) -> Follower:
        return Follower(self.der, self.place, lease_s=0)  # a killed follower does not release its lease

    def steps(self, count: int) -> None:
        """Do random actions."""
        for _ in range(count):
            self.twin.do(self.twin.draws(self.random).next())

    def catch_up(self) -> None:
        """Bring the index up to date, with the indexer killed on the way now and then."""
        while self.random.random() < _KILLS and self._is_killed():
            self.follower = self._started()
        progress = self.follower.run_once()
        self.forks += progress.undone_from is not None
        assert progress.height == progress.tip_height
        self.compare()
        assert self.follower.run_once().events == 0
        self.remembered[progress.height] = copy.deepcopy(expected_index(self.twin.system))

    def _is_killed(self) -> bool:
        statements = self.random.randrange(_MOST_STATEMENTS)
        engine = self.follower._database._engine
        done = 0

        def count(*_: Any) -> None:
            nonlocal done
            done += 1
            if done > statements:
                raise KilledError

        event.listen(engine, "before_cursor_execute", count)
        try:
            self.follower.run_once()
        except KilledError:
            self.kills += 1
            return True
        finally:
            event.remove(engine, "before_cursor_execute", count)
        return False

    @contextmanager
    def fork(self) -> Iterator[None]:
        """Restore the chain's state when the block ends; from there it continues differently."""
        before = dict(self.remembered)
        with self.twin.anchor():
            yield
        self.remembered = before

    def compare(self) -> None:
        """Compare the index with the model."""
        with Index(self.place) as index:
            shown = shown_state(stored_state(index))
        require_same(expected_index(self.twin.system), shown)

    def compare_with_contracts(self) -> None:
        """Compare the index with what the contracts return."""
        require_what_contracts_say(self.der, self.place)

    def compare_past(self) -> None:
        """Compare the index as of earlier blocks with what the model contained then."""
        with Index(self.place) as index:
            for height, expected in self.remembered.items():
                require_same(expected, shown_state(stored_state(index, height)), f"as of {height}")


@pytest.mark.parametrize("number", range(HISTORIES))
def test_the_index_equals_the_contracts_over_forks_kills_and_restarts(twin: Twin, tmp_path: Path, number: int) -> None:
    follow_a_history(twin, tmp_path / "index.sqlite", f"indexed {number}")


def test_an_index_in_postgres_equals_the_contracts(twin: Twin) -> None:
    if find_programs() is None:
        pytest.skip(MISSING)
    with running() as url:
        follow_a_history(twin, url, "indexed 1")


def follow_a_history(twin: Twin, place: Path | str, seed: str) -> None:
    random = Random(seed)  # noqa: S311  # must be repeatable
    with twin.anchor():
        indexed = Indexed(twin, place, random)
        indexed.catch_up()
        for _ in range(PARTS):
            indexed.steps(random.randrange(STEPS_PER_PART))
            if random.random() < 0.7:
                with indexed.fork():
                    for _ in range(random.randrange(1, 3)):
                        indexed.steps(random.randrange(1, STEPS_PER_PART))
                        indexed.catch_up()
            indexed.steps(random.randrange(1, 4))
            indexed.catch_up()
        indexed.compare_with_contracts()
        indexed.compare_past()
        assert indexed.forks
        assert indexed.kills
        indexed.follower.close()


def test_a_wrong_index_is_detected(twin: Twin, tmp_path: Path) -> None:
    with twin.anchor():
        indexed = Indexed(twin, tmp_path / "index.sqlite", Random(1))  # noqa: S311  # must be repeatable
        indexed.catch_up()
        with indexed.follower._database.transaction("be written") as connection:
            connection.exec_driver_sql("UPDATE asset_history SET capacity_w = capacity_w + 1 WHERE asset_id = 2")
        with pytest.raises(AssertionError, match="capacity_w"):
            indexed.compare()
        with pytest.raises(AssertionError, match="capacity_w"):
            indexed.compare_with_contracts()
        indexed.follower.close()
