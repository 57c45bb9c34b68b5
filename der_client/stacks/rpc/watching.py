"""Follows the chain: reads what is new since the last check, as soon as something announces it.

A WebSocket only signals new blocks (`Listen`); what happened is always read from the API's lists. So nothing depends on
which messages arrive: the next check finds what was missed while the connection was lost, and forks.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from der_client.stacks.checks import check_seconds
from der_client.stacks.errors import NodeError
from der_client.stacks.rpc import api
from der_client.stacks.rpc.logs import LogFollower
from der_client.stacks.rpc.steps import Listen, Pause, Steps, ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.rpc.responses import Block, ContractLogEvent

Update = TypeVar("Update")
_LOG: Final = logging.getLogger(__name__)
DEFAULT_POLL_S: Final = 5.0
SILENCE_S: Final = 30.0
"""How long announcements are trusted: some sockets fall silent without being closed."""
_LONGEST_PAUSE_S: Final = 60.0
_BLOCKS_PER_PAGE: Final = 30
_BLOCKS_REMEMBERED: Final = 2_000
_BLOCKS_ANCHOR: Final = 3


def pause_after_s(error: NodeError, failures: int, poll_s: float) -> float:
    """Return how long to wait before the next look, in seconds: ever longer, up to a minute, or as the node says.

    Args:
        error: Why the last look failed.
        failures: How many failed in a row.
        poll_s: How long to wait where none fails, in seconds.
    """
    return max(min(poll_s * (1 << min(failures, 6)), _LONGEST_PAUSE_S), error.retry_after_s or 0.0)


class LogUpdate(NamedTuple):
    """A change in what a contract printed.

    Attributes:
        event: The printed event.
        is_withdrawn: Whether a fork removed it; it was new in an earlier update. If it is mined again, it is new again.
    """

    event: ContractLogEvent
    is_withdrawn: bool = False


class BlockUpdate(NamedTuple):
    """A new block.

    Attributes:
        block: The block.
        replaced: Earlier blocks, reported before, that a fork replaced by this one, oldest first.
    """

    block: Block
    replaced: tuple[Block, ...] = ()


class Watch(ABC, Generic[Update]):
    """Checks repeatedly, with patience for a failing node, and returns what is new.

    Args:
        poll_s: How often to check if nothing is announced, in seconds.
        idle_s: End after this many seconds without anything new; ``None`` for never.

    Attributes:
        is_over: Whether it ended.
    """

    def __init__(self, poll_s: float, idle_s: float | None) -> None:
        check_seconds(poll_s, "poll_s", may_be_zero=False)
        if idle_s is not None:
            check_seconds(idle_s, "idle_s")
        self.is_over = False
        self._poll_s = poll_s
        self._idle_s = idle_s
        self._quiet_since = time.monotonic()

    @abstractmethod
    def start(self) -> Steps[None]:
        """Take what is there now as known."""

    @abstractmethod
    def look(self) -> Steps[list[Update]]:
        """Find what is new since the last check."""

    def next_updates(self) -> Steps[list[Update]]:
        """Wait until there is something new.

        Returns:
            What is new, in chain order; nothing once the watch `is_over`.
        """
        failures = 0
        while True:
            pause_s = self._poll_s
            try:
                updates = yield from self.look()
            except NodeError as error:
                failures += 1
                pause_s = pause_after_s(error, failures, self._poll_s)
                _LOG.info("following failed, trying again in %.1f s: %s", pause_s, error)
                if not self._is_idle():
                    yield Pause(self._at_most(pause_s))  # a signal must not end this wait
                    continue
            else:
                failures = 0
                if updates:
                    self._quiet_since = time.monotonic()
                    return updates
            if self._is_idle():
                self.is_over = True
                return []
            yield Listen(self._at_most(pause_s), self._at_most(max(SILENCE_S, pause_s)))

    def _is_idle(self) -> bool:
        return self._idle_s is not None and time.monotonic() - self._quiet_since >= self._idle_s

    def _at_most(self, seconds: float) -> float:
        if self._idle_s is None:
            return seconds
        return max(0.0, min(seconds, self._quiet_since + self._idle_s - time.monotonic()))


class LogWatch(Watch[LogUpdate]):
    """Follows what a contract prints: each event once, in order, over lost connections and forks.

    Args:
        contract_id: ``ADDRESS.name``.
        poll_s: How often to check if nothing is announced, in seconds.
        idle_s: End after this many seconds without anything new; ``None`` for never.
        known: Events that were already read, oldest first; newer ones follow.
    """

    def __init__(
        self, contract_id: str, poll_s: float, idle_s: float | None, known: Sequence[ContractLogEvent] = ()
    ) -> None:
        super().__init__(poll_s, idle_s)
        self._follower = LogFollower(contract_id)
        if known:
            self._follower.know(known)

    def start(self) -> Steps[None]:
        """Treat what was printed so far as known."""
        return self._follower.start()

    def look(self) -> Steps[list[LogUpdate]]:
        """Find new events, and withdrawn ones."""
        changes = yield from self._follower.look()
        withdrawn = [LogUpdate(event, is_withdrawn=True) for event in reversed(changes.withdrawn)]
        return [*withdrawn, *map(LogUpdate, changes.fresh)]


class BlockWatch(Watch[BlockUpdate]):
    """Follows the blocks: each once, in order, over lost connections and forks.

    Args:
        poll_s: How often to check if nothing is announced, in seconds.
        idle_s: End after this many seconds without anything new; ``None`` for never.
    """

    def __init__(self, poll_s: float, idle_s: float | None) -> None:
        super().__init__(poll_s, idle_s)
        self._known: dict[int, Block] = {}  # by height, ascending

    def start(self) -> Steps[None]:
        """Treat the blocks so far as known."""
        page = yield from ask(api.blocks(_BLOCKS_PER_PAGE))
        self._known = {block.height: block for block in reversed(page.blocks)}

    def look(self) -> Steps[list[BlockUpdate]]:
        """Find the new blocks.

        A chain that is shorter than before is taken for a replica that is behind, until it has grown past what is
        known.
        """
        highest = max(self._known, default=-1)
        found: dict[int, Block] = {}
        while True:
            # Begin with the newest one again: blocks that arrive meanwhile push the others down.
            page = yield from ask(api.blocks(_BLOCKS_PER_PAGE, max(0, len(found) - 1)))
            if not found and (not page.blocks or page.blocks[0].height < highest):
                return []
            if found and page.blocks and min(found) - page.blocks[0].height > 1:
                return []  # a fork removed blocks between two pages; the next check sees all of it
            found |= {block.height: block for block in page.blocks}
            lowest = min(found, default=0)
            anchored = [block for block in page.blocks if self._has(block)]
            if len(anchored) >= min(_BLOCKS_ANCHOR, len(self._known)) or lowest <= 1 or len(page.blocks) < 2:
                break
        fresh = [found[height] for height in sorted(found) if not self._has(found[height])]
        first = min(self._known, default=0)  # older blocks existed before the start
        return [self._take(block) for block in fresh if block.height >= first]

    def _has(self, block: Block) -> bool:
        known = self._known.get(block.height)
        return known is not None and known.hash == block.hash

    def _take(self, block: Block) -> BlockUpdate:
        replaced = tuple(other for height, other in self._known.items() if height >= block.height)
        self._known = {height: other for height, other in self._known.items() if height < block.height}
        self._known[block.height] = block
        while len(self._known) > _BLOCKS_REMEMBERED:
            del self._known[next(iter(self._known))]
        return BlockUpdate(block, replaced)
