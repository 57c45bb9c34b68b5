"""What is known about an account's nonces on the chain and in the mempool, while API and node may be behind.

Both use it: `Account` adds its memory of what is in flight, and a lane of an outbox its journal.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import NotFoundError
from der_client.stacks.rpc import Nonces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator

    from der_client.stacks.rpc import Client

_LOG: Final = logging.getLogger(__name__)

_API_S: Final = 2.0
"""How often the API is asked in addition to the node if only the next nonce is needed."""
_CONFLICT_S: Final = 60.0
"""How long a nonce that the node reports as taken is not used, while the API does not show by whom."""
LOST_S: Final = 60.0
"""The time between two lookups that must both miss a transaction before it counts as lost.

An API may show a transaction only some seconds after its node accepted it, and another node behind the same address
even later.
"""


class Misses:
    """What was looked up and not found, and since when."""

    def __init__(self) -> None:
        self._since: dict[Hashable, float] = {}

    def is_lost(self, key: Hashable) -> bool:
        """Note that something was not found.

        Returns:
            Whether it was not found a minute ago, either.
        """
        now = time.monotonic()
        return now - self._since.setdefault(key, now) >= LOST_S

    def found(self, key: Hashable) -> None:
        """Note that something was found, or is no longer looked up."""
        self._since.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._since

    def keep(self, keys: Collection[Hashable]) -> None:
        """Forget all but these."""
        self._since = {key: since for key, since in self._since.items() if key in keys}


class KnownNonces:
    """What node and API report about one account's nonces, and what follows from it.

    The next nonce is the highest that the API's view of the chain, the node's own account, a refusal of the node
    (``BadNonce`` names the nonce that it expects) and the transactions seen mined allow: each of them may be behind,
    and none is ever ahead. Not safe to use from several threads.

    Args:
        client: The node.
        address: Returns the account's address when it is first needed.
        following: The nonce below which all are known to be used.

    Attributes:
        following: The nonce below which all are used.
        foreign: Nonces of transactions in the mempool that the account's holder did not send.
        has_api: Whether the node has an API, which shows the mempool.
        misses: Nonces, and ids of transactions, that were not found.
    """

    def __init__(self, client: Client, address: Callable[[], str], following: int = 0) -> None:
        self._client = client
        self._address = address
        self.following = following
        self.foreign: set[int] = set()
        self.has_api = True
        self._conflicts: dict[int, float] = {}
        self.misses = Misses()
        self._gaps: set[int] = set()
        self._api_at = float("-inf")

    def read(self) -> Nonces:
        """Ask API and node; the higher nonces count.

        Raises:
            NodeError: If one of them gave no valid response.
        """
        told = self._read_api()
        self.has_api = told is not None
        following = self._client.account(self._address()).nonce
        if told is None:
            return Nonces(following - 1, None, following, missing=(), in_mempool=())
        executed = max(-1 if told.last_executed is None else told.last_executed, following - 1)
        return replace(
            told,
            last_executed=None if executed < 0 else executed,
            possible_next=max(told.possible_next, following),
        )

    def take(self, told: Nonces, own: Collection[int]) -> None:
        """Use the result of `read`.

        Args:
            told: The responses of API and node.
            own: The nonces that the holder's own transactions use.
        """
        self.used(-1 if told.last_executed is None else told.last_executed)
        named = {*told.in_mempool, *([] if told.last_in_mempool is None else [told.last_in_mempool])}
        # For an account without mined transactions, the API names only the last one.
        unnamed = set(range(self.following, max(named, default=0))) - {*told.missing}
        now = time.monotonic()
        self._conflicts = {nonce: at for nonce, at in self._conflicts.items() if now - at < _CONFLICT_S}
        self._gaps -= named
        waiting = {nonce for nonce in named | unnamed | {*self._conflicts} if nonce >= self.following}
        self.foreign = waiting - self._gaps - {*own}
        self.misses.keep({*told.missing, *own})
        self._look_for_gaps({nonce for nonce in told.missing if nonce >= self.following and nonce not in own})

    def follow(self) -> None:
        """Update the state of the chain, with as few requests as possible.

        Raises:
            NodeError: If the node gave no valid response.
        """
        following = self._client.account(self._address()).nonce
        if time.monotonic() - self._api_at > _API_S:
            self._api_at = time.monotonic()
            told = self._read_api()
            if told is not None and told.last_executed is not None:
                following = max(following, told.last_executed + 1)
        self.used(following - 1)

    def drop_gone(self) -> None:
        """Forget nonces of others whose transactions have left the mempool without being mined.

        Raises:
            NodeError: If the API gave no valid response.
        """
        told = self._read_api()
        if told is not None:
            self.foreign &= {*told.in_mempool, *([] if told.last_in_mempool is None else [told.last_in_mempool])}

    def free(self, own: Collection[int]) -> Iterator[int]:
        """Yield the nonces that the next transactions can have, gaps first, without end.

        Args:
            own: The nonces that the holder's own transactions use.
        """
        last_foreign = max(self.foreign, default=-1)
        nonce = self.following
        while True:
            is_in_use = nonce in own or nonce in self.foreign
            if not is_in_use and (nonce > last_foreign or nonce in self._gaps):
                yield nonce
            nonce += 1

    def used(self, nonce: int) -> None:
        """Note that this nonce and all below are used: by a mined transaction, or according to the node."""
        if nonce < self.following:
            return
        self.following = nonce + 1
        self.foreign = {other for other in self.foreign if other > nonce}
        self._gaps = {gap for gap in self._gaps if gap > nonce}

    def taken(self, nonce: int) -> None:
        """Note that another program's transaction in the node's mempool has a nonce, according to a refusal."""
        self.foreign.add(nonce)
        self._gaps.discard(nonce)
        self._conflicts[nonce] = time.monotonic()

    def given(self, nonce: int) -> None:
        """Note that the holder uses a nonce."""
        self.foreign.discard(nonce)
        self._gaps.discard(nonce)

    def freed(self, nonce: int) -> None:
        """Note that a nonce is certainly free, although later ones may be in use."""
        self._gaps.add(nonce)

    def went_back(self, following: int = 0) -> None:
        """Forget everything except this: the chain was set back, or a fork has replaced blocks."""
        self.following = following
        self.foreign.clear()
        self._gaps.clear()
        self._conflicts.clear()
        self.misses.keep(())

    def _read_api(self) -> Nonces | None:
        try:
            return self._client.nonces(self._address())
        except NotFoundError:  # a bare node without the API
            return None

    def _look_for_gaps(self, missing: set[int]) -> None:
        """Find nonces that are missing below others, which wait for them: nothing is mined until they are used."""
        for nonce in missing - self._gaps:
            if nonce not in self.misses:
                _LOG.warning("nonce %d of %s is missing, and later transactions wait for it", nonce, self._address())
            if self.misses.is_lost(nonce):
                self._gaps.add(nonce)
