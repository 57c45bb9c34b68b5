"""Notices forks, and which mined transactions they removed."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import NotFoundError
from der_client.stacks.outbox.jobs import JobState, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.stacks.outbox.journal import Journal
    from der_client.stacks.outbox.lane import Lane
    from der_client.stacks.rpc import Client
    from der_client.stacks.rpc.responses import Block

_LOG: Final = logging.getLogger(__name__)

_FORK_S: Final = 5.0
_FINAL_DEPTH: Final = 100
"""Depth in blocks: what is mined deeper is not checked again."""


class Forks:
    """Checks the chain's newest block from time to time.

    Args:
        client: The node.
        journal: The journal of mined transactions, from which those are removed that a fork took away.

    Attributes:
        tip: The newest block seen; ``None`` before the first check.
    """

    def __init__(self, client: Client, journal: Journal) -> None:
        self._client = client
        self._journal = journal
        self._looked_at = float("-inf")
        self.tip: Block | None = None

    def begin_again(self) -> None:
        """Check everything that is not deep yet: what was mined before may have been removed in the meantime."""
        self.tip, self._looked_at = None, float("-inf")

    def is_due(self) -> bool:
        """Check the chain every few seconds; return whether it differs from the one seen before.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        if time.monotonic() - self._looked_at < _FORK_S:
            return False
        self._looked_at = time.monotonic()
        tip = self._client.block("latest")
        is_elsewhere = self._is_elsewhere(tip)
        if not is_elsewhere:
            self.tip = tip
        return is_elsewhere

    def look_again(self, lanes: Iterable[Lane]) -> list[Progress]:
        """Check again what is mined but not deep yet; no turn of a lane may be running.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        tip = self._client.block("latest")
        happened = []
        for lane in lanes:
            happened += self._look_at(lane, tip.height - _FINAL_DEPTH)
        self.tip = tip
        return happened

    def _is_elsewhere(self, tip: Block) -> bool:
        known = self.tip
        if known is None:
            return True
        try:
            there = tip if tip.height == known.height else self._client.block(known.height)
        except NotFoundError:
            return True
        return there.hash != known.hash

    def _look_at(self, lane: Lane, above: int) -> list[Progress]:
        mined = self._journal.mined_above(lane.address, above)
        if not mined:
            return []
        on_chain = self._client.account(lane.address).nonce
        # A node that is behind shows neither; only one on whose chain the nonce is free proves that it is gone.
        gone = [sent for sent in mined if sent.nonce >= on_chain and lane.receipt(sent) is None]
        if gone:
            lane.nonces.went_back(min(sent.nonce for sent in gone))
        happened = []
        for sent in gone:
            self._journal.record_forked(sent)
            lane.take_back(sent)
            happened.append(Progress(sent.key, JobState.SENT, sent.txid, reason="a fork took its block away"))
        return happened
