"""Which nonce an account uses next, while several of its transactions are on their way and the API may be behind."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from der_client.stacks.errors import NodeError, NodeUnreachableError, NonceConflictError, NotFoundError
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Nonces, api, devnet, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc import Client

_LOG: Final = logging.getLogger(__name__)

_TRUSTED_S: Final = 5.0
"""How long the node's answer is trusted while own transactions are in flight."""
_FORGOTTEN_AFTER_S: Final = 30.0
"""After how long a transaction that neither API nor node know may be given up, and its nonce be used again.

An API may show a transaction only some seconds after its node took it, and another node behind the same address later
still.
"""


_TRACKERS: Final[WeakSet[NonceTracker]] = WeakSet()
_TRACKERS_LOCK: Final = threading.Lock()


@dataclass(slots=True)
class _InFlight:
    """What uses a nonce: a transaction from here, one that is being built (no txid), or one of somebody else."""

    since: float
    txid: str | None = None
    is_foreign: bool = False


def chain_went_back(url: str) -> None:
    """Have all trackers of this process forget what they know of a node's chain, which was set back.

    Args:
        url: Of the embedded devnet.
    """
    with _TRACKERS_LOCK:
        trackers = [tracker for tracker in _TRACKERS if tracker.url == url]
    for tracker in trackers:
        tracker.forget()


class NonceTracker:
    """Gives out the nonces of one account: the next one by all that is known, and none that is in flight from here.

    The next one is the highest that the API's view of the chain and the mempool, the node's own account, a refusal of
    the node (``BadNonce`` names the nonce that it expects) and the transactions seen mined allow: each of them may be
    behind, and none is ever ahead. Safe to use from several threads. A nonce is reserved while its transaction is built
    and sent; it is free again if the node refuses the transaction, and used once the transaction is mined.

    Args:
        client: The node.
        address: Gives the account's address when it is first needed.
    """

    def __init__(self, client: Client, address: Callable[[], str]) -> None:
        self._client = client
        self._address = address
        self._lock = threading.Lock()
        self._in_flight: dict[int, _InFlight] = {}
        self._freed: set[int] = set()
        self._missing_since: dict[int, float] = {}
        self._has_api = True
        self._floor = 0
        self._next_known = 0
        self._asked_at = float("-inf")
        self._lineage: tuple[int, int] | None = None
        self._may_be_embedded = True
        with _TRACKERS_LOCK:
            _TRACKERS.add(self)

    @property
    def url(self) -> str:
        """Where its node is."""
        return self._client.url

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
            replaces: Whether it may replace another one with the same nonce that is on its way.

        Returns:
            The transaction on its way that it competes with, if any.

        Raises:
            NonceConflictError: If another transaction, on its way, being built or in the mempool, has the nonce.
            NodeError: If the node had to be asked and did not answer properly.
        """
        with self._lock:
            entry = self._in_flight.get(nonce)
            if entry is None:
                if not replaces:
                    self._check_mempool(nonce, txid)
                entry = self._in_flight[nonce] = _InFlight(time.monotonic())
            elif entry.txid is None and not entry.is_foreign and not is_reserved:
                raise NonceConflictError(
                    f"nonce {nonce} is being used by another transaction, which is on its way; build this one again "
                    "with the next nonce",
                    nonce,
                )
            if (entry.is_foreign or entry.txid not in (None, txid)) and not replaces:
                raise _conflict(nonce, entry.txid or "")
            before = entry.txid
            entry.txid, entry.is_foreign = txid, False
            self._freed.discard(nonce)
            return before

    def free(self, nonce: int, before: str | None = None) -> None:
        """Give a nonce back whose transaction never entered the mempool.

        Args:
            nonce: The nonce.
            before: The transaction that is still in the mempool with it, from `claim`.
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

    def used(self, nonce: int) -> None:
        """Note that a mined transaction has used a nonce: it is never given out again, whatever the API says later.

        Args:
            nonce: The nonce.
        """
        with self._lock:
            self._remember_lineage()
            self._raise_floor(nonce + 1)

    def expected(self, nonce: int) -> None:
        """Note which nonce the node expects next: all below are used.

        Args:
            nonce: From a refusal for a nonce that is too low.
        """
        with self._lock:
            self._remember_lineage()
            self._raise_floor(nonce)

    def taken(self, nonce: int) -> None:
        """Note that a transaction from elsewhere, which waits in the node's mempool, has a nonce.

        Args:
            nonce: From a refusal for a conflict.
        """
        with self._lock:
            self._asked_at = float("-inf")
            self._in_flight[nonce] = _InFlight(time.monotonic(), is_foreign=True)
            self._freed.discard(nonce)

    def dropped(self, nonce: int, txid: str) -> None:
        """Forget a transaction that left the mempool, unless another one has replaced it.

        Args:
            nonce: Its nonce.
            txid: The transaction.
        """
        with self._lock:
            self._asked_at = float("-inf")
            entry = self._in_flight.get(nonce)
            if entry is not None and entry.txid == txid:
                self._in_flight.pop(nonce)

    def forget(self) -> None:
        """Forget all that is in flight and was seen mined, e.g. after a devnet went back to a snapshot."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._in_flight = {nonce: entry for nonce, entry in self._in_flight.items() if _is_being_built(entry)}
        self._freed.clear()
        self._missing_since.clear()
        self._floor = 0
        self._lineage = None
        self._asked_at = float("-inf")

    def _raise_floor(self, nonce: int) -> None:
        """All nonces below this one are used."""
        self._floor = max(self._floor, nonce)
        self._next_known = max(self._next_known, nonce)
        self._in_flight = {used: entry for used, entry in self._in_flight.items() if used >= nonce}
        self._freed = {freed for freed in self._freed if freed >= nonce}
        self._asked_at = float("-inf")

    def _next(self) -> int:
        if self._freed or not self._in_flight or time.monotonic() - self._asked_at > _TRUSTED_S:
            self._ask()
        if self._freed:
            return min(self._freed)
        nonce = self._next_known
        while nonce in self._in_flight:
            nonce += 1
        return nonce

    def _ask(self) -> None:
        self._remember_lineage()
        nonces = self._read()
        # Below what was seen mined, or without what was sent: the chain went back, or API and node are behind.
        known = max(self._floor, min(self._in_flight, default=-1) + 1)
        if nonces.possible_next < known and self._is_rewound():
            self._forget()
        executed = max(-1 if nonces.last_executed is None else nonces.last_executed, self._floor - 1)
        waiting = {*nonces.in_mempool, nonces.last_in_mempool}
        self._next_known = max(nonces.possible_next, self._floor)
        self._asked_at = time.monotonic()
        self._in_flight = {nonce: entry for nonce, entry in self._in_flight.items() if nonce > executed}
        self._freed = {nonce for nonce in self._freed if nonce > executed and nonce not in waiting}
        self._fill_gaps(tuple(nonce for nonce in self._gaps(nonces) if nonce > executed))
        self._drop_forgotten()

    def _read(self) -> Nonces:
        """What API and node say together; the higher nonces count."""
        address = self._address()
        try:
            told = self._client.nonces(address)
        except NotFoundError:  # a bare node without the API
            told = None
        self._has_api = told is not None
        following = self._client.account(address).nonce
        if told is None:
            return Nonces(following - 1, None, following, missing=(), in_mempool=())
        executed = max(-1 if told.last_executed is None else told.last_executed, following - 1)
        return Nonces(
            None if executed < 0 else executed,
            told.last_in_mempool,
            max(told.possible_next, following),
            told.missing,
            told.in_mempool,
        )

    def _check_mempool(self, nonce: int, txid: str) -> None:
        """Refuse a nonce that another transaction in the mempool has: that one would be replaced.

        Raises:
            NonceConflictError: If it is so.
        """
        try:
            nonces = self._client.nonces(self._address())
        except NotFoundError:
            return
        if nonce in nonces.in_mempool or nonce == nonces.last_in_mempool:
            info = self._client.transaction(txid)
            if (info is None or info.status.is_dropped) and not self._is_in_node(txid):
                raise _conflict(nonce, "")

    def _gaps(self, nonces: Nonces) -> tuple[int, ...]:
        """Nonces that may be missing in the mempool, below others that wait there."""
        if nonces.last_executed is not None or nonces.last_in_mempool is None:
            return nonces.missing
        # Of an account of which nothing is mined yet, the API names none; of our own transactions we can ask.
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
        """Drop what was taken once and nobody knows any more: the node restarted, or its chain was set back."""
        oldest = min(self._in_flight, default=None)
        # A bare node says nothing of what waits in its mempool.
        if oldest is None or oldest < self._next_known or not self._has_api:
            return
        for nonce, entry in sorted(self._in_flight.items()):
            if time.monotonic() - entry.since < _FORGOTTEN_AFTER_S or not self._is_gone(entry):
                return
            _LOG.warning("API and node forgot transaction %s; nonce %d is free again", entry.txid, nonce)
            del self._in_flight[nonce]

    def _is_gone(self, entry: _InFlight) -> bool:
        """Whether a transaction that was sent is not on its way any more: neither API nor node know it."""
        if entry.is_foreign:
            return True  # the API has not seen it for long
        if entry.txid is None:
            return False
        try:
            info = self._client.run(api.transaction(entry.txid))
        except NotFoundError:
            info = None
        return (info is None or info.status.is_dropped) and not self._is_in_node(entry.txid)

    def _is_in_node(self, txid: str) -> bool:
        """Whether the node has a transaction, waiting or mined; it has the last word where the API may be behind."""
        for endpoint in (node.unconfirmed_transaction(txid), node.transaction(txid)):
            try:
                self._client.run(endpoint)
            except NodeUnreachableError:
                raise
            except NodeError:
                continue
            return True
        return False

    def _remember_lineage(self) -> None:
        if self._lineage is None:
            self._lineage = self._read_lineage()

    def _read_lineage(self) -> tuple[int, int] | None:
        """Of an embedded devnet, which says how often it went back; ``None`` elsewhere."""
        if not self._may_be_embedded or self._client.network != DEVNET:
            return None
        try:
            return self._client.run(devnet.lineage())
        except NodeUnreachableError:
            return None
        except NodeError:
            self._may_be_embedded = False
            return None

    def _is_rewound(self) -> bool:
        """Whether the chain went back, rather than that API and node are both behind."""
        lineage = self._read_lineage()
        if lineage is None or lineage == self._lineage:
            return False
        _LOG.warning("the devnet at %s was set back, or began anew; nonces are counted anew", self._client.url)
        return True


def _is_being_built(entry: _InFlight) -> bool:
    return entry.txid is None and not entry.is_foreign


def _conflict(nonce: int, txid: str) -> NonceConflictError:
    other = f"transaction {txid}, which is on its way" if txid else "another transaction in the mempool"
    return NonceConflictError(
        f"nonce {nonce} is in use by {other}; build this one again with the next nonce, or send it with replaces=True "
        "and a higher fee if it shall replace that one",
        nonce,
        txid,
    )
