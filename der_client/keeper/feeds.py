"""What contracts printed since the last read, once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.stacks.contract.events import read_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.contract import Contract
    from der_client.stacks.contract.events import Event, UnknownEvent
    from der_client.stacks.rpc.responses import ContractLogEvent

_EVENTS_PER_PAGE: Final = 20
MAX_EVENTS: Final = 10_000
"""With more new events than this, reading the current state is cheaper than following them."""


class LostThreadError(Exception):
    """The last event seen was not found among the newest ones: the state has to be read again."""


class EventFeed:
    """The events of one contract, from a place on that is identified by transaction and index.

    It is not identified by block height, which public APIs do not report with their logs. Reading and moving on are two
    steps, so that nothing is lost if a node fails in between.

    Args:
        contract: The contract that prints them.
        models: The classes of events that matter; of others, only the topic is decoded.
    """

    def __init__(self, contract: Contract, models: Sequence[type[Event]]) -> None:
        self._contract = contract
        self._models = tuple(models)
        self._last: tuple[str, int] | None = None

    def skip_to_end(self) -> None:
        """Begin after the newest event.

        Raises:
            NodeError: If the API could not be read.
        """
        page = self._contract.client.contract_logs(self._contract.contract_id, limit=1)
        self._last = _place(page.events[0]) if page.events else None

    def read_new(self) -> list[ContractLogEvent]:
        """Read what was printed since, oldest first; the place stays where it is.

        Raises:
            LostThreadError: If the last event seen is not among the newest 10,000.
            NodeError: If the API could not be read.
        """
        newest_first: list[ContractLogEvent] = []
        logs = self._contract.client.iter_contract_logs(self._contract.contract_id, per_page=_EVENTS_PER_PAGE)
        for log in logs:
            if _place(log) == self._last:
                return newest_first[::-1]
            newest_first.append(log)
            if len(newest_first) > MAX_EVENTS:
                raise LostThreadError
        if self._last is not None:
            raise LostThreadError
        return newest_first[::-1]

    def move_on(self, logs: Sequence[ContractLogEvent]) -> list[Event | UnknownEvent]:
        """Move the place after what was read, and decode it."""
        if logs:
            self._last = _place(logs[-1])
        return [read_event(log.raw_value, self._models) for log in logs]


def _place(log: ContractLogEvent) -> tuple[str, int]:
    return log.txid, log.event_index
