"""All benchmarks, in groups."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks import codec, commands, devnet, index, reading, readings, sending, start, transactions, web
from benchmarks.peers import Peers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.measure import Work

GROUPS: Final[Mapping[str, Callable[[Peers], Iterator[Work]]]] = {
    "transactions": transactions.works,
    "codec": codec.works,
    "reading": reading.works,
    "readings": readings.works,
    "index": index.works,
    "web": web.works,
    "start": start.works,
    "commands": commands.works,
    "devnet": devnet.works,
    "sending": sending.works,
}


@contextmanager
def works(groups: Sequence[str] | None = None) -> Iterator[Iterator[Work]]:
    """Yield the work of some or all groups; the peers' process runs until the block ends."""
    with Peers() as peers:
        yield (work for name, group in GROUPS.items() if groups is None or name in groups for work in group(peers))
