"""Which nonce an account uses next, while several of its transactions are on their way."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import InvalidValueError, NotFoundError
from der_client.stacks.rpc import Nonces

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc import Client

_LOG: Final = logging.getLogger(__name__)

_TRUSTED_S: Final = 5.0
"""How long the node's answer is trusted while own transactions are in flight."""
_FORGOTTEN_AFTER_S: Final = 30.0
"""After how long a transaction that the node does not know may be looked for, and its nonce be used again.

An API may show a transaction only some seconds after its node took it.
"""


@dataclass(slots=True)
class _InFlight:
    since: float
    txid: str | None = None


class NonceTracker:
    """Gives out the nonces of one account: the node's next one, and none that is in flight from here.

    Safe to use from several threads. A nonce is reserved while its transaction is built and sent; it is free again if
    the node refuses the transaction, and settled once the transaction is mined.

    Args:
        client: The node.
        address: Tells the account's address when it is first needed.
    """

    def __init__(self, client: Client, address: Callable[[], str]) -> None:
        self._client = client
        self._address = address
        self._lock = threading.Lock()
        self._in_flight: dict[int, _InFlight] = {}
        self._freed: set[int] = set()
        self._missing_since: dict[int, float] = {}
        self._has_api = True
        self._node_next = 0
        self._asked_at = float("-inf")

    def peek(self) -> int:
        """The nonce that `reserve` would give now.

        Raises:
            NodeError: If the node had to be asked and did not answer properly.
        """
        with self._lock:
            return self._next()

    def reserve(self) -> int:
        """Take the next nonce.

        Raises:
            NodeError: If the node had to be asked and did not answer properly.
        """
        with self._lock:
            nonce = self._next()
            self._freed.discard(nonce)
            self._in_flight[nonce] = _InFlight(time.monotonic())
            return nonce

    def claim(self, nonce: int, txid: str, *, is_reserved: bool = False, replaces: bool = False) -> str | None:
        """Record which transaction uses a nonce, just before it is sent.

        Args:
            nonce: Reserved before, or chosen by the caller.
            txid: The transaction.
            is_reserved: Whether it is the caller who reserved it.
            replaces: Whether it may stand against another one with the same nonce that is in flight.

        Returns:
            The transaction in flight that it stands against, if any.

        Raises:
            InvalidValueError: If another transaction, in flight or just being built, uses the nonce.
        """
        with self._lock:
            entry = self._in_flight.get(nonce)
            if entry is None:
                entry = self._in_flight[nonce] = _InFlight(time.monotonic())
            elif entry.txid is None and not is_reserved:
                raise InvalidValueError(
                    f"nonce {nonce} is being used by another transaction, which is on its way; build this one again "
                    "with the next nonce"
                )
            if entry.txid not in (None, txid) and not replaces:
                raise InvalidValueError(
                    f"nonce {nonce} is in use by transaction {entry.txid}, which is on its way; build this one again "
                    "with the next nonce, or send it with replaces=True and a higher fee if it shall replace that one"
                )
            before = entry.txid
            entry.txid = txid
            self._freed.discard(nonce)
            return before

    def free(self, nonce: int, before: str | None = None) -> None:
        """Give a nonce back whose transaction never entered the mempool.

        Args:
            nonce: The nonce.
            before: The transaction that still stands in the mempool with it, from `claim`.
        """
        with self._lock:
            if before is not None:
                self._in_flight[nonce] = _InFlight(time.monotonic(), before)
                return
            self._in_flight.pop(nonce, None)
            if any(other > nonce for other in self._in_flight):
                # The node will not offer it again once it has seen the later ones, which wait for it.
                self._freed.add(nonce)
                _LOG.warning("nonce %d of %s is free, and later transactions wait for it", nonce, self._address())

    def settle(self, nonce: int, txid: str | None = None) -> None:
        """Forget a nonce that a mined transaction used, or that the chain used otherwise; ask the node next time.

        Args:
            nonce: The nonce.
            txid: Forget it only if it is this transaction that uses it, and not one that has replaced it.
        """
        with self._lock:
            self._asked_at = float("-inf")
            entry = self._in_flight.get(nonce)
            if txid is not None and entry is not None and entry.txid != txid:
                return
            self._in_flight.pop(nonce, None)
            self._freed.discard(nonce)

    def forget(self) -> None:
        """Forget all that is in flight, e.g. after a devnet went back to a snapshot."""
        with self._lock:
            self._in_flight.clear()
            self._freed.clear()
            self._missing_since.clear()
            self._asked_at = float("-inf")

    def _next(self) -> int:
        if self._freed or not self._in_flight or time.monotonic() - self._asked_at > _TRUSTED_S:
            self._ask_node()
        if self._freed:
            return min(self._freed)
        nonce = self._node_next
        while nonce in self._in_flight:
            nonce += 1
        return nonce

    def _ask_node(self) -> None:
        nonces = self._read_node()
        executed = -1 if nonces.last_executed is None else nonces.last_executed
        waiting = {*nonces.in_mempool, nonces.last_in_mempool}
        self._node_next = nonces.possible_next
        self._asked_at = time.monotonic()
        self._in_flight = {nonce: entry for nonce, entry in self._in_flight.items() if nonce > executed}
        self._freed = {nonce for nonce in self._freed if nonce > executed and nonce not in waiting}
        self._fill_gaps(self._gaps(nonces))
        self._drop_forgotten()

    def _read_node(self) -> Nonces:
        try:
            nonces = self._client.nonces(self._address())
        except NotFoundError:  # a bare node without the API
            self._has_api = False
        else:
            self._has_api = True
            return nonces
        nonce = self._client.account(self._address()).nonce
        return Nonces(nonce - 1, None, nonce, missing=(), in_mempool=())

    def _gaps(self, nonces: Nonces) -> tuple[int, ...]:
        """Nonces that may be missing in the mempool, below others that wait there."""
        if nonces.last_executed is not None or nonces.last_in_mempool is None:
            return nonces.missing
        # Of an account of which nothing is mined yet, the API does not tell; of our own transactions we can ask.
        return tuple(nonce for nonce in self._in_flight if nonce < nonces.last_in_mempool)

    def _fill_gaps(self, missing: tuple[int, ...]) -> None:
        """Free a nonce that the mempool has lacked for long, while later ones wait for it: nothing is mined before.

        Not at once, as an API may lag: its transaction may be on its way, from here or from another program.
        """
        now = self._asked_at
        known = self._missing_since
        self._missing_since = {nonce: known.get(nonce, now) for nonce in missing}
        for nonce in missing:
            entry = self._in_flight.get(nonce)
            if entry is None and nonce not in known:
                _LOG.warning("nonce %d of %s is missing, and later transactions wait for it", nonce, self._address())
            since = self._missing_since[nonce] if entry is None else max(entry.since, self._missing_since[nonce])
            if now - since < _FORGOTTEN_AFTER_S:
                continue
            if entry is None or self._is_gone(entry):
                self._in_flight.pop(nonce, None)
                self._freed.add(nonce)

    def _drop_forgotten(self) -> None:
        """Drop what the node took once and does not know any more: it restarted, or its chain was set back."""
        oldest = min(self._in_flight, default=None)
        # A bare node tells nothing of what waits in its mempool.
        if oldest is None or oldest < self._node_next or not self._has_api:
            return
        entry = self._in_flight[oldest]
        if time.monotonic() - entry.since >= _FORGOTTEN_AFTER_S and self._is_gone(entry):
            _LOG.warning("the node forgot transaction %s; nonce %d is free again", entry.txid, oldest)
            self._in_flight = {nonce: other for nonce, other in self._in_flight.items() if other.txid is None}

    def _is_gone(self, entry: _InFlight) -> bool:
        """Whether a transaction that was sent is not on its way any more."""
        if entry.txid is None:
            return False
        info = self._client.transaction(entry.txid)
        return info is None or info.status.is_dropped
