"""Uses version 3 of the API, or version 1 if a node does not have it.

The versions of a node are found out by asking, and remembered, since a 404 may also mean that what was asked for is
unknown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.errors import NodeResponseError, NotFoundError
from der_client.stacks.rpc import api, api_v3
from der_client.stacks.rpc.responses import Balances, ContractLogEvent
from der_client.stacks.rpc.retries import UnreadResponseError
from der_client.stacks.rpc.steps import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc.endpoint import Endpoint
    from der_client.stacks.rpc.responses import Event, Nonces, TransactionInfo
    from der_client.stacks.rpc.steps import Steps

_MAX_PAGES: Final = 1_000
_SMALLER: Final = {100: 10, 10: 1}
_LOOKS: Final = 3


class ApiVersions:
    """The versions of one node's API; created once per client.

    Attributes:
        has_v3: Whether it serves version 3; ``None`` as long as that is not known.
    """

    def __init__(self) -> None:
        self.has_v3: bool | None = None

    def transaction(self, txid: str, until: float, *, once: bool) -> Steps[TransactionInfo | None]:
        """Look up a transaction, with its events.

        Args:
            txid: Its id.
            until: When to give up, by the monotonic clock.
            once: Whether to ask for nothing twice.

        Returns:
            ``None`` if the API has never seen it. At most 100,000 of its events are read, and none that is too large
            for one response; then ``event_count`` is higher than the number of ``events``.
        """
        info = yield from self.summary(txid, until, once=once)
        if info is None or info.status.is_dropped or len(info.events) >= info.event_count:
            return info
        if not self.has_v3:
            return (yield from self._with_events_v1(info, until, once=once))
        return (yield from self._with_events_v3(info, until, once=once))

    def summary(self, txid: str, until: float | None = None, *, once: bool = False) -> Steps[TransactionInfo | None]:
        """Look up a transaction, with one request.

        Args:
            txid: Its id.
            until: When to give up, by the monotonic clock.
            once: Whether to ask for nothing twice.

        Returns:
            ``None`` if the API has never seen it.
        """
        if self.has_v3 is not False:
            try:
                info = yield from ask(api_v3.transaction(txid), until, once=once)
            except NotFoundError:
                pass  # unknown, dropped, or not a node with version 3
            else:
                self.has_v3 = True
                return info
        try:
            info = yield from ask(api.transaction(txid), until, once=once)
        except NotFoundError:
            return None
        if self.has_v3 is None and not info.status.is_dropped:
            self.has_v3 = False
        return info

    def nonces(self, principal: str) -> Steps[Nonces]:
        """Read the nonces of an account."""
        if self.has_v3 is not False:
            try:
                nonces = yield from ask(api_v3.nonces(principal))
            except NotFoundError:
                if self.has_v3:
                    raise
            else:
                self.has_v3 = True
                return nonces
        nonces = yield from ask(api.nonces(principal))
        self.has_v3 = False
        return nonces

    def balances(self, principal: str, until: float) -> Steps[Balances]:
        """Read everything that a principal owns."""
        if self.has_v3 is not False:
            try:
                stx = yield from ask(api_v3.stx_balance(principal), until)
            except NotFoundError:
                if self.has_v3:
                    raise
            else:
                self.has_v3 = True
                return Balances(
                    stx_ustx=stx.balance_ustx,
                    locked_ustx=stx.locked_ustx,
                    fungible_tokens=(yield from _sums(principal, api_v3.fungible_balances, until)),
                    non_fungible_tokens=(yield from _sums(principal, api_v3.non_fungible_balances, until)),
                )
        balances = yield from ask(api.balances(principal), until)
        self.has_v3 = False
        return balances

    def _with_events_v3(self, info: TransactionInfo, until: float, *, once: bool) -> Steps[TransactionInfo | None]:
        for _ in range(_LOOKS):
            try:
                events = yield from _events(info.txid, info.event_count, until, once=once)
            except NotFoundError:  # a fork removed its block meanwhile
                again = yield from self.summary(info.txid, until, once=once)
                if again is None or not again.event_count:
                    return again
                info = again
                continue
            height, moment = info.block_height, info.block_time
            placed = (
                replace(event, block_height=height, block_time=moment) if isinstance(event, ContractLogEvent) else event
                for event in events
            )
            return replace(info, events=tuple(placed))
        return info

    def _with_events_v1(self, info: TransactionInfo, until: float, *, once: bool) -> Steps[TransactionInfo]:
        pages = 1
        while len(info.events) < info.event_count and pages < _MAX_PAGES:
            pages += 1
            endpoint = api.transaction(info.txid, event_offset=len(info.events))
            more = (yield from ask(endpoint, until, once=once)).events
            if not more:
                break  # the block was replaced meanwhile; the next attempt finds its new events
            _check_order(info.events, more, endpoint)
            info = replace(info, events=info.events + more)
        return info


def _events(txid: str, count: int, until: float, *, once: bool) -> Steps[list[Event]]:
    """Read the events of a mined transaction, in smaller pages if they are too large for one response."""
    events: list[Event] = []
    cursor: str | None = None
    limit = api_v3.MAX_LIMIT
    for _ in range(_MAX_PAGES):
        endpoint = api_v3.events(txid, limit=limit, cursor=cursor)
        try:
            page = yield from ask(endpoint, until, once=once)
        except UnreadResponseError:
            if limit not in _SMALLER:
                return events
            limit = _SMALLER[limit]
            continue
        except NodeResponseError as error:
            if error.status != 400:
                raise
            # For transactions no longer in a block, and for the cursor of a replaced block.
            raise NotFoundError("the transaction is no longer in its block", error.url) from error
        _check_order(events, page.items, endpoint)
        events += page.items
        if page.next_cursor is None or len(events) >= count:
            break
        cursor = page.next_cursor
    return events


def _check_order(before: tuple[Event, ...] | list[Event], page: tuple[Event, ...], endpoint: Endpoint[object]) -> None:
    """Refuse pages that do not advance: otherwise a server could keep sending them forever."""
    last = before[-1].event_index if before else -1
    for event in page:
        if event.event_index <= last:
            raise NodeResponseError(
                f"event {event.event_index} comes after event {last}; use another node", endpoint.request.path
            )
        last = event.event_index


def _sums(
    principal: str, endpoint_of: Callable[..., Endpoint[api_v3.Page[Any]]], until: float
) -> Steps[dict[str, int]]:
    sums: dict[str, int] = {}
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = yield from ask(endpoint_of(principal, cursor=cursor), until)
        for token in page.items:
            sums[token.asset_id] = sums.get(token.asset_id, 0) + token.amount
        if page.next_cursor is None or page.next_cursor == cursor:
            return sums
        cursor = page.next_cursor
    raise NodeResponseError(
        f"{principal} owns more than {_MAX_PAGES * api_v3.MAX_LIMIT} different tokens; read them page by page", ""
    )
