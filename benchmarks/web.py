"""The pages as a browser requests them right after a new block, over an index with a million slots."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.testclient import TestClient

from benchmarks.many_plants import SLOTS, ManyPlants, address, fill
from benchmarks.measure import Peer, Scale, Work, no_time, require_same
from der_client.index import Index
from der_client.web import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers import Peers

MANY_SLOTS: Final = (40, 262)
"""Plants and days with a million slots."""
PAGE_GOAL_S: Final = 0.05
_PAGES: Final = {
    "the overview": "/",
    "plants": "/plants",
    "a plant's year": "/plants/2",
    "a day, slot by slot": "/plants/2/days/2026-06-25",
    "the market": "/market",
    "money": "/money",
    "what is due": "/money?state=due",
    "a buyer's month": f"/parties/{address('buyer 2')}",
    "certificates": "/certificates",
    "a hundred payments as JSON": "/api/payments",
}


def works(_peers: Peers) -> Iterator[Work]:
    """Yield each page as the first request after a block."""
    served = _Served()
    for name, path in _PAGES.items():
        yield _asking(_Page(served, path), name)


class _Served:
    """An index that is created when it is needed and deleted with the last work that needs it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()

    @cached_property
    def index(self) -> Index:
        """The index."""
        place = Path(self._folder.name) / "index.sqlite"
        fill(place, ManyPlants(*MANY_SLOTS).blocks())
        return Index(place)


@dataclass(frozen=True, slots=True)
class _Page:
    served: _Served
    path: str

    def ask(self, times: int) -> float:
        """Request the page with empty caches, as after a new block; return the seconds of processor time."""
        spent_s = 0.0
        for _ in range(times):
            pages = TestClient(create_app(self.served.index), base_url="http://localhost")
            pages.get("/api/tip")  # starts the threads that handle requests
            started = time.process_time()  # processor time: other programs also run on the machine
            pages.get(self.path)
            spent_s += time.process_time() - started
        return spent_s

    def check(self) -> None:
        """Fail unless the page is found."""
        answer = TestClient(create_app(self.served.index), base_url="http://localhost").get(self.path)
        require_same(self.path, {"expected": 200, "answered": answer.status_code})


def _asking(page: _Page, name: str) -> Work:
    plants, days = MANY_SLOTS
    return Work(
        f"pages over {plants * days * SLOTS:,} slots: {name}",
        page.ask,
        (Peer("the clock", no_time, Scale.ADDED_S, PAGE_GOAL_S),),
        page.check,
    )
