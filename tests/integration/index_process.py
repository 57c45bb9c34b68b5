"""An indexer in a separate process, which can be killed.

Its arguments are the node's URL, the deployer, the index, and the duration of its lease in seconds.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from der_client import Der
from der_client.index import Follower, Progress
from der_client.index.errors import LeaseHeldError

LEASE_S = 1.0
_READY = "follows"


@contextmanager
def killed_at_the_end(der: Der, place: Path | str) -> Iterator[None]:
    """Follow in a separate process while the ``with`` block runs, then kill it."""
    arguments = [der.client.url, der.deployer, str(place), str(LEASE_S)]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == _READY
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def run_when_free(follower: Follower) -> Progress:
    """Read the chain once, as soon as the lease of a killed process has ended."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return follower.run_once()
        except LeaseHeldError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main(url: str, deployer: str, place: str, lease_s: str) -> None:
    with Follower(Der.connect(url, deployer=deployer), place, lease_s=float(lease_s)) as follower:
        run_when_free(follower)
        sys.stdout.write(f"{_READY}\n")
        sys.stdout.flush()
        follower.follow(threading.Event(), poll_s=0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
