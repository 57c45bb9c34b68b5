"""Reads what a contract printed, page by page, while the chain grows and may be reorganised between two pages.

The API counts pages from the newest event, so new events push the rest down, and a fork that removes some pulls it up.
Each page is therefore requested so that it begins with the last event of the previous page. If that event is not in its
place, something above it has changed, and reading starts again from the newest, leaving out what was already seen. A
fork that adds as many events as it removes leaves it in its place. But a fork always changes the newest events: these
are read again at the end, and if they have changed, too, reading starts again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from der_client.stacks.checks import check_number
from der_client.stacks.errors import NodeResponseError
from der_client.stacks.rpc import api
from der_client.stacks.rpc.steps import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.rpc.responses import ContractLogEvent
    from der_client.stacks.rpc.steps import Steps

_LOG: Final = logging.getLogger(__name__)
MAX_PER_PAGE: Final = 100
_MAX_RESTARTS: Final = 50
_REMEMBERED: Final = 2_000
_ANCHOR: Final = 25
"""This many known events in a row, each in its old block, show that nothing below them has changed."""

_MAX_PUSHES: Final = 5

Key = tuple[str, int]
Row = tuple[Key, int | None]
"""An event and the height of its block."""


def key_of(event: ContractLogEvent) -> Key:
    """Return the identity of an event, independent of its block."""
    return event.txid, event.event_index


def _rows(events: Sequence[ContractLogEvent]) -> list[Row]:
    return [(key_of(event), event.block_height) for event in events]


class LogReader:
    """Reads everything that a contract printed, newest first, each event once.

    Args:
        contract_id: ``ADDRESS.name``.
        per_page: Events per request, 2 to 100.

    Attributes:
        is_done: Whether the oldest was read.
    """

    def __init__(self, contract_id: str, per_page: int = MAX_PER_PAGE) -> None:
        check_number(per_page, 2, MAX_PER_PAGE, "per_page")
        self.is_done = False
        self._contract_id = contract_id
        self._per_page = per_page
        self._seen: set[Key] = set()
        self._offset = 0
        self._last: Key | None = None
        self._newest: list[Row] = []
        self._total = 0
        self._restarts = 0

    def next_page(self) -> Steps[list[ContractLogEvent]]:
        """Read the next page.

        Returns:
            Its events that were not seen yet; possibly none, although `is_done` is false.

        Raises:
            NodeError: If the API could not be read, or the chain kept changing.
        """
        endpoint = api.contract_logs(self._contract_id, limit=self._per_page, offset=self._offset)
        page = yield from ask(endpoint)
        if self._last is not None:
            pushed = page.total - self._total
            if pushed >= self._per_page:  # so many were printed meanwhile that the last one is further down
                self._offset, self._total = self._offset + pushed, page.total
                return []
            if not 0 <= pushed < len(page.events) or key_of(page.events[pushed]) != self._last:
                return self._restart()
        fresh = [event for event in page.events if key_of(event) not in self._seen]
        self._seen.update(map(key_of, fresh))
        self._total = page.total
        is_first = self._last is None
        if is_first:
            self._newest = _rows(page.events)
        if page.events:
            self._last = key_of(page.events[-1])
            self._offset += len(page.events) - 1  # the last one again, in front of the next page
        self.is_done = len(page.events) < 2 or self._offset + 1 >= page.total
        if self.is_done and not is_first and not (yield from self._newest_are_still_there()):
            self.is_done = False
            self._restart()
        return fresh

    def _newest_are_still_there(self) -> Steps[bool]:
        offset = 0
        for _ in range(_MAX_PUSHES):
            page = yield from ask(api.contract_logs(self._contract_id, limit=self._per_page, offset=offset))
            place = page.total - self._total - offset  # where the event that was the newest is now
            if place < 0:
                return False
            if place < len(page.events):
                rows = _rows(page.events[place:])
                return rows == self._newest[: len(rows)]
            offset += place
        return True  # so much is printed all the time that this cannot be determined

    def _restart(self) -> list[ContractLogEvent]:
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            raise NodeResponseError(
                f"the events of {self._contract_id} kept changing while they were read; try again later", ""
            )
        _LOG.info("the events of %s moved while they were read; reading them from the newest again", self._contract_id)
        self._offset, self._last = 0, None
        return []


class LogChanges(NamedTuple):
    """What has changed since the last check.

    Attributes:
        fresh: Events that are new, oldest first.
        withdrawn: Earlier events that a fork has removed, oldest first; if they are mined again, they are new again.
    """

    fresh: list[ContractLogEvent]
    withdrawn: list[ContractLogEvent]


class LogFollower:
    """Finds what a contract printed since the last check: each event once, in chain order, over forks.

    Args:
        contract_id: ``ADDRESS.name``.
        per_page: Events per request, 2 to 100.
    """

    def __init__(self, contract_id: str, per_page: int = MAX_PER_PAGE) -> None:
        self._contract_id = contract_id
        self._per_page = per_page
        self._known: dict[Key, ContractLogEvent] = {}  # the newest ones, in chain order
        self._missing: dict[Key, ContractLogEvent] = {}  # known ones that the last check did not find
        self._is_whole = True  # whether nothing is older than what is known, or everything older was delivered before
        LogReader(contract_id, per_page)  # checks both

    def start(self) -> Steps[None]:
        """Treat existing events as known."""
        reader = LogReader(self._contract_id, self._per_page)
        newest: list[ContractLogEvent] = []
        while not reader.is_done and len(newest) < 2 * _ANCHOR:
            newest += yield from reader.next_page()
        self._known = {key_of(event): event for event in reversed(newest)}
        self._is_whole = reader.is_done

    def know(self, events: Sequence[ContractLogEvent]) -> None:
        """Treat events that were already read, and all older ones, as known.

        Args:
            events: The events, oldest first, without gaps.
        """
        self._known = {key_of(event): event for event in events[-_REMEMBERED:]}
        self._is_whole = False

    def look(self) -> Steps[LogChanges]:
        """Find what has changed.

        An event that is missing once may be missing because a replica is behind; only the second time in a row does it
        count as withdrawn.

        Raises:
            NodeError: If the API could not be read; nothing is lost, since the next check finds it.
        """
        reader = LogReader(self._contract_id, self._per_page)
        seen: list[ContractLogEvent] = []
        anchored = 0
        enough = min(_ANCHOR, len(self._known)) or _ANCHOR
        while not reader.is_done and anchored < enough:
            for event in (yield from reader.next_page()):
                seen.append(event)
                known = self._known.get(key_of(event))
                anchored = anchored + 1 if known is not None and known.block_height == event.block_height else 0
                if anchored == enough:
                    break
        seen.reverse()
        return self._changes(seen)

    def _changes(self, seen: list[ContractLogEvent]) -> LogChanges:
        if not self._is_whole:  # what is older than everything known existed before the start
            oldest = next((place for place, event in enumerate(seen) if key_of(event) in self._known), 0)
            seen = seen[oldest:]
        order = {key_of(event): event for event in seen}
        fresh = [event for key, event in order.items() if key not in self._known and key not in self._missing]
        withdrawn = [event for key, event in self._missing.items() if key not in order]
        known = list(self._known.items())
        # What is older than everything seen was not checked.
        first = next((place for place, (key, _) in enumerate(known) if key in order), 0)
        self._missing = {key: event for key, event in known[first:] if key not in order}
        self._known = dict([*known[:first], *order.items()][-_REMEMBERED:])
        return LogChanges(fresh, withdrawn)
