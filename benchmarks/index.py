"""The index: reading events into SQLite, and the queries of pages on an index with a million slots."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Peer, Scale, Work, no_time, numbered, require_same
from benchmarks.synthetic_chain import FIRST_DAY, OWNER, SLOTS, SyntheticChain
from der_client.index import Follower, Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.peers import Peers

CATCH_UP: Final = (40, 30)
"""Plants and days whose events are read; each day of a plant is offered, sold, recorded, verified and settled."""
MANY_SLOTS: Final = (40, 261)
"""Plants and days with a million slots."""
EVENTS_PER_S_GOAL: Final = 5_000
PAGE_GOAL_S: Final = 0.05
_FEW_ROUNDS: Final = 3


def works(_peers: Peers) -> Iterator[Work]:
    """Yield catching up, and the queries of the pages."""
    indexed = _Indexed()
    yield _catching_up(indexed)
    for page in _pages():
        yield _asking(page, indexed)


class _Indexed:
    """Chains and an index, created when they are needed and deleted with the last work that needs them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = count()

    @cached_property
    def chain(self) -> SyntheticChain:
        """The chain to catch up with."""
        return SyntheticChain(*CATCH_UP)

    @cached_property
    def index(self) -> Index:
        """An index with a million slots."""
        place = self.new_place()
        with closing(Follower(SyntheticChain(*MANY_SLOTS).der, place)) as follower:
            follower.run_once()
        return Index(place)

    def new_place(self) -> Path:
        """Return a path for a new index."""
        return Path(self._folder.name) / f"{next(self._numbers)}.sqlite"

    def catch_up(self) -> int:
        """Read the chain into a new index; return the number of events."""
        place = self.new_place()
        with closing(Follower(self.chain.der, place)) as follower:
            events = follower.run_once().events
        place.unlink()
        return events


def _catching_up(indexed: _Indexed) -> Work:
    def check() -> None:
        require_same("events", {"printed": indexed.chain.event_count, "indexed": indexed.catch_up()})

    def run(times: int) -> float:
        started = time.process_time()  # processor time: other programs also run in these seconds
        for _ in range(times):
            indexed.catch_up()
        return (time.process_time() - started) / indexed.chain.event_count * EVENTS_PER_S_GOAL

    return Work(
        f"index: {EVENTS_PER_S_GOAL:,} events from an API's responses into SQLite",
        run,
        (Peer("the clock", no_time, Scale.ADDED_S, 1.0),),
        check,
        rounds=_FEW_ROUNDS,
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """The query of a page.

    Attributes:
        name: Its name in the table.
        ask: Runs the query; returns a number from the result.
        expected: The expected number.
    """

    name: str
    ask: Callable[[Index], int]
    expected: int


def _pages() -> Iterator[_Page]:
    plants, days = MANY_SLOTS
    last = FIRST_DAY + timedelta(days=days - 1)
    week = last - timedelta(days=min(7, days) - 1)
    in_week = min(7, days)
    month = date(last.year, last.month, 1)
    in_month = min((last - month).days + 1, days)
    yield _Page("the overview", _overview, plants)
    yield _Page("a plant", lambda index: index.plant(1).plant.recorded_wh, days * 9_600)
    yield _Page(
        "a week of a plant, slot by slot", lambda index: len(index.production(1, week, last, "slot")), in_week * SLOTS
    )
    yield _Page("a year of a plant, day by day", lambda index: len(index.production(1, FIRST_DAY, last)), days)
    yield _Page("open offers", lambda index: len(index.offers(open=True)), 0)
    yield _Page("what is due", lambda index: len(index.payments(due=True)), 0)
    yield _Page("the last 100 events", lambda index: len(index.events(newest_first=True)), 100)
    yield _Page(
        "a month's sales of a plant",
        lambda index: len(index.payments(asset_id=1, party=OWNER, day_from=month, day_to=last)),
        in_month,
    )


def _overview(index: Index) -> int:
    overview = index.overview()
    return 0 if overview is None else overview.plants


def _asking(page: _Page, indexed: _Indexed) -> Work:
    def check() -> None:
        require_same(page.name, {"expected": page.expected, "index": page.ask(indexed.index)})

    return Work(
        f"index with {MANY_SLOTS[0] * MANY_SLOTS[1] * SLOTS:,} slots: {page.name}",
        numbered(lambda _: page.ask(indexed.index)),
        (Peer("the clock", no_time, Scale.ADDED_S, PAGE_GOAL_S),),
        check,
    )
