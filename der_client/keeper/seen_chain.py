"""The blocks that the keeper has seen, and whether a new response continues them."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import NotFoundError

if TYPE_CHECKING:
    from der_client.stacks.rpc import Client
    from der_client.stacks.rpc.responses import Block

_REMEMBERED: Final = 100
_ROUNDS_BEHIND: Final = 5
"""How many responses in a row may be older than what was seen: behind one address there can be several nodes."""


class Place(Enum):
    """The position of a block relative to those seen before."""

    SAME = "the newest one seen"
    NEW = "after it, on the same chain"
    BEHIND = "probably before it: the response of a node that lags behind"
    ELSEWHERE = "on another chain: it forked, or a devnet was set back; or nothing was seen before"


class SeenChain:
    """The newest blocks that were seen, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[Block] = deque(maxlen=_REMEMBERED)
        self._behind = 0

    def place(self, tip: Block, client: Client) -> Place:
        """Return the position of a block that was reported as the latest.

        Args:
            tip: The block.
            client: The node to ask whether the chain still has a block.

        Raises:
            NodeError: If the node could not be reached.
        """
        if self._seen and tip.hash == self._seen[-1].hash:
            return Place.SAME
        known = next((block for block in reversed(self._seen) if block.height <= tip.height), None)
        if known is None or self._behind >= _ROUNDS_BEHIND:
            return Place.ELSEWHERE
        try:
            there = tip if known.height == tip.height else client.block(known.height)
        except NotFoundError:
            return Place.BEHIND
        if there.hash != known.hash:
            return Place.ELSEWHERE
        return Place.NEW if known is self._seen[-1] else Place.BEHIND

    def move_on(self, tip: Block, place: Place) -> Block:
        """Make a block the newest, unless it is behind; return the newest.

        Args:
            tip: The block.
            place: Its position.
        """
        self._behind = self._behind + 1 if place is Place.BEHIND else 0
        if place is Place.ELSEWHERE:
            self._seen.clear()
        if place in (Place.NEW, Place.ELSEWHERE):
            self._seen.append(tip)
        return self._seen[-1]
