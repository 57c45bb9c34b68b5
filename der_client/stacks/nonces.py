"""The nonces of an account's transactions that are on their way from this process."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from der_client.stacks.errors import NodeError, NodeUnreachableError, NonceConflictError, NotFoundError
from der_client.stacks.known_nonces import KnownNonces
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import devnet

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc import Client, Nonces

_LOG: Final = logging.getLogger(__name__)

_TRUSTED_S: Final = 5.0
"""How long the node's response is trusted while own transactions are in flight."""
_TRACKERS: Final[WeakSet[NonceTracker]] = WeakSet()
_TRACKERS_LOCK: Final = threading.Lock()


def chain_went_back(url: str) -> None:
    """Make all trackers of this process forget a node's chain, which was set back.

    Args:
        url: The embedded devnet's URL.
    """
    with _TRACKERS_LOCK:
        trackers = [tracker for tracker in _TRACKERS if tracker.url == url]
    for tracker in trackers:
        tracker.forget()


class NonceTracker:
    """Assigns the nonces of one account: the next one by all that is known, and none that is in flight from here.

    Safe to use from several threads. A nonce is reserved while its transaction is built and sent; it is free again if
    the node refuses the transaction, and used once the transaction is mined. What is in flight is remembered in this
    process only; an outbox with a journal remembers it on disk.

    Args:
        client: The node.
        address: Returns the account's address when it is first needed.
    """

    def __init__(self, client: Client, address: Callable[[], str]) -> None:
        self._client = client
        self._address = address
        self._lock = threading.Lock()
        self._known = KnownNonces(client, address)
        self._in_flight: dict[int, str] = {}  # txids; empty while a transaction is being built
        self._asked_at = float("-inf")
        self._lineage: tuple[int, int] | None = None
        self._may_be_embedded = True
        with _TRACKERS_LOCK:
            _TRACKERS.add(self)

    @property
    def url(self) -> str:
        """The URL of its node."""
        return self._client.url

    def peek(self) -> int:
        """Return the nonce that `reserve` would return now.

        Raises:
            NodeError: If the node had to be asked and gave no valid response.
        """
        with self._lock:
            return self._next()

    def reserve(self) -> int:
        """Take the next nonce.

        Raises:
            NodeError: If the node had to be asked and gave no valid response.
        """
        with self._lock:
            nonce = self._next()
            self._known.given(nonce)
            self._in_flight[nonce] = ""
            return nonce

    def txid(self, nonce: int) -> str:
        """Return the transaction on its way from here that has a nonce; empty if there is none.

        Args:
            nonce: The nonce.
        """
        with self._lock:
            return self._in_flight.get(nonce, "")

    def claim(self, nonce: int, txid: str, *, is_reserved: bool = False, replaces: bool = False) -> str | None:
        """Record which transaction uses a nonce, just before it is sent.

        Args:
            nonce: The nonce, reserved before or chosen by the caller.
            txid: The transaction.
            is_reserved: Whether the caller has reserved it.
            replaces: Whether it may replace another one with the same nonce that is on its way.

        Returns:
            The transaction on its way that it competes with, if any.

        Raises:
            NonceConflictError: If another transaction, on its way, being built or in the mempool, has the nonce.
            NodeError: If the node had to be asked and gave no valid response.
        """
        with self._lock:
            before = self._in_flight.get(nonce)
            if before is None and not replaces:
                self._check_mempool(nonce, txid)
            if before == "" and not is_reserved:
                raise NonceConflictError(
                    f"nonce {nonce} is being used by another transaction, which is on its way; build this one again "
                    "with the next nonce",
                    nonce,
                )
            if before not in (None, "", txid) and not replaces:
                raise _conflict(nonce, before or "")
            self._in_flight[nonce] = txid
            self._known.given(nonce)
            return before or None

    def free(self, nonce: int, before: str | None = None) -> None:
        """Release a nonce whose transaction never entered the mempool.

        Args:
            nonce: The nonce.
            before: The transaction that is still in the mempool with it, from `claim`.
        """
        with self._lock:
            if before is not None:
                self._in_flight[nonce] = before
                return
            self._in_flight.pop(nonce, None)
            if any(other > nonce for other in self._in_flight):
                # The node does not offer it again once it has seen later ones, which wait for it.
                self._known.freed(nonce)
                self._asked_at = float("-inf")
                _LOG.warning("nonce %d of %s is free, and later transactions wait for it", nonce, self._address())

    def used(self, nonce: int) -> None:
        """Note that this nonce and all below are used for good, by a mined transaction or according to the node.

        Args:
            nonce: The nonce.
        """
        with self._lock:
            self._remember_lineage()
            self._known.used(nonce)
            self._drop_used()
            self._asked_at = float("-inf")

    def taken(self, nonce: int) -> None:
        """Note that a transaction from elsewhere, which waits in the node's mempool, has a nonce.

        Args:
            nonce: The nonce, from a refusal for a conflict.
        """
        with self._lock:
            self._asked_at = float("-inf")
            self._in_flight.pop(nonce, None)
            self._known.taken(nonce)

    def dropped(self, nonce: int, txid: str) -> None:
        """Forget a transaction that left the mempool, unless another one has replaced it.

        Args:
            nonce: Its nonce.
            txid: The transaction.
        """
        with self._lock:
            self._asked_at = float("-inf")
            if self._in_flight.get(nonce) == txid:
                del self._in_flight[nonce]

    def forget(self) -> None:
        """Forget everything that is in flight or was seen mined, e.g. after a devnet went back to a snapshot."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._in_flight = {nonce: txid for nonce, txid in self._in_flight.items() if not txid}
        self._known.went_back()
        self._lineage = None
        self._asked_at = float("-inf")

    def _next(self) -> int:
        if not self._in_flight or time.monotonic() - self._asked_at > _TRUSTED_S:
            self._ask()
        return next(self._known.free(self._in_flight))

    def _ask(self) -> None:
        self._remember_lineage()
        told = self._known.read()
        # Below what was seen mined, or without what was sent: either the chain went back, or API and node are behind.
        expected = max(self._known.following, min(self._in_flight, default=-1) + 1)
        if told.possible_next < expected and self._is_rewound():
            self._forget()
        self._known.take(told, self._in_flight)
        self._asked_at = time.monotonic()
        self._drop_used()
        self._drop_forgotten(told)

    def _drop_used(self) -> None:
        self._in_flight = {nonce: txid for nonce, txid in self._in_flight.items() if nonce >= self._known.following}

    def _drop_forgotten(self, told: Nonces) -> None:
        """Free the nonces of transactions that were accepted once but that neither node nor API knows any more.

        The node restarted, or dropped one among others. This does not happen at once, since an API may lag.
        """
        if not self._known.has_api:
            return  # a bare node does not report what waits in its mempool
        for nonce, txid in sorted(self._in_flight.items()):
            if not txid or nonce in told.in_mempool or nonce == told.last_in_mempool:
                self._known.misses.found(nonce)
            elif not self._known.misses.is_lost(nonce):
                continue
            elif self._client.is_known(txid):
                self._known.misses.found(nonce)
            else:
                _LOG.warning("API and node forgot transaction %s; nonce %d is free again", txid, nonce)
                del self._in_flight[nonce]
                self._known.freed(nonce)

    def _check_mempool(self, nonce: int, txid: str) -> None:
        """Refuse a nonce that another transaction in the mempool has: that one would be replaced.

        Raises:
            NonceConflictError: If another transaction has it.
        """
        try:
            told = self._client.nonces(self._address())
        except NotFoundError:
            return
        is_taken = nonce in told.in_mempool or nonce == told.last_in_mempool or nonce in self._known.foreign
        if is_taken and not self._client.is_known(txid):
            raise _conflict(nonce, "")

    def _remember_lineage(self) -> None:
        if self._lineage is None:
            self._lineage = self._read_lineage()

    def _read_lineage(self) -> tuple[int, int] | None:
        """Return how often an embedded devnet went back; ``None`` elsewhere."""
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
        """Return whether the chain went back, rather than that API and node are both behind."""
        lineage = self._read_lineage()
        if lineage is None or lineage == self._lineage:
            return False
        _LOG.warning("the devnet at %s was set back, or restarted; nonces are counted again", self._client.url)
        return True


def _conflict(nonce: int, txid: str) -> NonceConflictError:
    other = f"transaction {txid}, which is on its way" if txid else "another transaction in the mempool"
    return NonceConflictError(
        f"nonce {nonce} is in use by {other}; build this one again with the next nonce, or send it with "
        "replaces=True and a higher fee to replace that one",
        nonce,
        txid,
    )
