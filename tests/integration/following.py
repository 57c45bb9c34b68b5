"""A follower that runs in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from der_client import Der
from der_client.index import Follower, Progress

LONG_S = 60.0


class Following:
    """A follower in a thread, and the progress that it reports."""

    def __init__(self, follower: Follower, poll_s: float) -> None:
        self.follower = follower
        self.stop = threading.Event()
        self.told: list[Progress] = []
        self._grew = threading.Condition()
        self.thread = threading.Thread(
            target=follower.follow,
            args=(self.stop,),
            kwargs={"poll_s": poll_s, "on_progress": self._tell},
            daemon=True,
        )
        self.thread.start()

    def _tell(self, progress: Progress) -> None:
        with self._grew:
            self.told.append(progress)
            self._grew.notify_all()

    def wait_for(self, is_it: Callable[[Progress], bool]) -> None:
        with self._grew:
            assert self._grew.wait_for(lambda: any(map(is_it, self.told)), LONG_S), self.told

    def wait_until(self, height: int) -> None:
        self.wait_for(lambda progress: progress.height >= height)


@contextmanager
def following(der: Der, place: Path, poll_s: float, **options: Any) -> Iterator[Following]:
    """Read the chain once until the index is up to date, then follow in a thread until the block ends."""
    with Follower(der, place, **options) as follower:
        follower.run_once()
        begun = Following(follower, poll_s)
        try:
            yield begun
        finally:
            begun.stop.set()
            begun.thread.join(LONG_S)
            assert not begun.thread.is_alive()
