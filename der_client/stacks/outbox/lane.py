"""One account of an outbox: which nonces are free, what is on its way, and what its node says of it.

Methods that ask the node change nothing but what the lane knows of the chain; the journal is the outbox's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import (
    BroadcastUnknownError,
    NodeError,
    NodeUnreachableError,
    NotFoundError,
    NothingSentError,
    TransactionRejectedError,
)
from der_client.stacks.outcome import outcome_of
from der_client.stacks.rpc import TransactionReceipt, api, node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.account import Account
    from der_client.stacks.outbox.jobs import Sent

MAX_IN_MEMPOOL: Final = 25
"""How many transactions of one account a node keeps in its mempool."""
_API_S: Final = 2.0
"""How often the API is asked for the account's nonces beside the node."""
_CONFLICT_S: Final = 60.0
"""How long a nonce that the node called taken is left alone, while the API does not show by whom."""
_FIRST_BACKOFF_S: Final = 0.25
_MAX_BACKOFF_S: Final = 60.0
_BLOCKS_PER_LOOK: Final = 50
_PAGE: Final = 50


@dataclass
class Turn:
    """What came of a lane's turn.

    Attributes:
        taken: Transactions that a node took, or may have taken.
        refused: Those that the node refused, and how.
        mined: Those that are in a block of the present fork, with their receipts.
        lost: Those whose nonce another transaction has used that is not in the journal.
    """

    taken: list[Sent] = field(default_factory=list)
    refused: list[tuple[Sent, TransactionRejectedError]] = field(default_factory=list)
    mined: list[tuple[Sent, TransactionReceipt]] = field(default_factory=list)
    lost: list[Sent] = field(default_factory=list)


@dataclass
class Lane:
    """An account whose lease this process holds.

    Attributes:
        account: Signs.
        floor: All nonces below it are used, as the journal knows.
        live: Its transactions that are not known to be mined, oldest first; several may have one nonce.
        look_s: After how long without news a transaction is looked for by itself.
        following: The account's next nonce on the chain.
        foreign: Nonces in the mempool that are not the journal's.
        unsent: Transactions that are to be sent now.
        fresh: Transactions that were signed here and that no node can have seen.
        held_until: Until when nothing new is signed (monotonic clock).
    """

    account: Account
    floor: int
    live: dict[str, Sent]
    look_s: float
    following: int = 0
    foreign: set[int] = field(default_factory=set)
    unsent: list[Sent] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    held_until: float = float("-inf")
    failures: int = 0
    _silent_until: float = float("-inf")
    _api_at: float = float("-inf")
    _looked_at: float = field(default_factory=time.monotonic)
    _conflicts: dict[int, float] = field(default_factory=dict)
    _passed_at: dict[int, float] = field(default_factory=dict)
    _scanned: dict[int, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The account's address."""
        return self.account.address

    @property
    def is_silent(self) -> bool:
        """Whether the node is left alone for now: it failed, or asked for it."""
        return time.monotonic() < self._silent_until

    def room(self, most: int) -> int:
        """How many transactions may be signed now.

        Args:
            most: How many may be on their way.
        """
        has_unsent = any(sent.txid in self.fresh for sent in self.unsent)
        if self.is_silent or time.monotonic() < self.held_until or has_unsent:
            return 0
        return max(0, min(most - len({sent.nonce for sent in self.live.values()}), len(self.free_nonces(most))))

    def free_nonces(self, most: int) -> list[int]:
        """The nonces that the next transactions take, gaps first."""
        start = max(self.floor, self.following)
        used = {sent.nonce for sent in self.live.values()} | self.foreign
        return [nonce for nonce in range(start, start + most) if nonce not in used]

    def is_taken(self, nonce: int) -> None:
        """Note that a transaction of somebody else has a nonce, by a refusal of the node."""
        self.foreign.add(nonce)
        self._conflicts[nonce] = time.monotonic()

    def failed(self, error: NodeError) -> None:
        """Leave the node alone for a while: as long as it asks for, or ever longer."""
        pause = min(_FIRST_BACKOFF_S * 2.0**self.failures, _MAX_BACKOFF_S)
        self.failures += 1
        self._silent_until = time.monotonic() + max(pause, error.retry_after_s or 0.0)

    # Asking the node

    @property
    def has_work(self) -> bool:
        """Whether there is anything to send or to look for."""
        return bool(self.unsent or self.live) and not self.is_silent

    def turn(self, resolve_s: float) -> Turn:
        """Send what is to be sent, then look for what was mined.

        Args:
            resolve_s: How long after a nonce was used, while nobody shows ours mined, the blocks are searched for who
                used it, in seconds.
        """
        turn = Turn()
        self._post(turn)
        turn.mined = self._look()
        done = {sent.txid for sent, _ in turn.mined}
        open_ones = [sent for sent in self.live.values() if sent.txid not in done]
        turn.lost = self._lost(open_ones, resolve_s)
        return turn

    def begin(self) -> None:
        """Learn where the account is on the chain and in the mempool.

        Raises:
            NodeError: If the node is down or answers something else.
        """
        self.account.client.checked_network()
        self._ask_nonces()
        own = {sent.nonce for sent in self.live.values()}
        try:
            told = self.account.client.nonces(self.address)
        except NotFoundError:  # a bare node without the API
            return
        waiting = {*told.in_mempool, *([] if told.last_in_mempool is None else [told.last_in_mempool])}
        # What the node called taken stays so for a while, though the API may not show it yet.
        now = time.monotonic()
        recent = {nonce for nonce, at in self._conflicts.items() if now - at < _CONFLICT_S}
        self.foreign = {nonce for nonce in waiting | recent if nonce >= self.following} - own

    def _look(self) -> list[tuple[Sent, TransactionReceipt]]:
        if not self.live or self.is_silent:
            return []
        try:
            self._ask_nonces()
            mined = [
                (sent, receipt)
                for sent in list(self.live.values())
                if sent.nonce < self.following and (receipt := self.receipt(sent)) is not None
            ]
            if mined:
                self._looked_at = time.monotonic()
            elif time.monotonic() - self._looked_at > self.look_s:
                self._look_closely()
        except NodeError as error:
            self.failed(error)
            return []
        self.failures = 0
        return mined

    def receipt(self, sent: Sent) -> TransactionReceipt | None:
        """The receipt of a transaction if it is mined on the present fork."""
        info = self.account.client.transaction_summary(sent.txid)
        is_mined = info is not None and outcome_of(info).kind.is_mined
        return info if is_mined and isinstance(info, TransactionReceipt) else None

    def _lost(self, open_ones: Sequence[Sent], resolve_s: float) -> list[Sent]:
        """Transactions whose nonce another one has used that is not in the journal: they can never be mined.

        That is so only where the other one is seen in a block. An API that is behind shows neither.
        """
        passed = {sent.nonce for sent in open_ones if sent.nonce < self.following}
        self._passed_at = {nonce: self._passed_at.get(nonce, time.monotonic()) for nonce in passed}
        lost: list[Sent] = []
        for nonce, since in self._passed_at.items():
            if time.monotonic() - since < resolve_s or self.is_silent:
                continue
            own = [sent for sent in open_ones if sent.nonce == nonce]
            try:
                user = self._user_of(nonce, min(sent.height for sent in own))
            except NodeError as error:
                self.failed(error)
                break
            if user is not None and user not in {sent.txid for sent in own}:
                lost += own[:1]
        return lost

    def _post(self, turn: Turn) -> None:
        """Send what is to be sent, in the order of the nonces; the rest waits if the node fails."""
        while self.unsent and not self.is_silent:
            sent = self.unsent[0]
            try:
                self.account.client.broadcast(sent.raw)
            except TransactionRejectedError as error:
                turn.refused.append((sent, error))
                self.unsent.pop(0)
                if sent.txid in self.fresh:
                    break  # what comes after it would leave a gap
                continue
            except NothingSentError as error:
                self.failed(error)
                break
            except BroadcastUnknownError as error:
                self.fresh.discard(sent.txid)
                turn.taken.append(sent)
                cause = error.__cause__
                self.failed(cause if isinstance(cause, NodeError) else NodeUnreachableError("unknown", ""))
                break
            self.unsent.pop(0)
            self.fresh.discard(sent.txid)
            self.failures = 0
            turn.taken.append(sent)

    def is_known(self, sent: Sent) -> bool:
        """Whether API or node have a transaction."""
        info = self.account.client.transaction_summary(sent.txid)
        if info is not None and not info.status.is_dropped:
            return True
        for endpoint in (node.unconfirmed_transaction(sent.txid), node.transaction(sent.txid)):
            try:
                self.account.client.run(endpoint)
            except NodeUnreachableError:
                raise
            except NodeError:
                continue
            return True
        return False

    def _ask_nonces(self) -> None:
        client = self.account.client
        following = client.account(self.address).nonce
        if time.monotonic() - self._api_at > _API_S:
            self._api_at = time.monotonic()
            try:
                told = client.nonces(self.address)
            except NotFoundError:
                told = None
            if told is not None and told.last_executed is not None:
                following = max(following, told.last_executed + 1)
        self.following = max(self.following, following)
        self.foreign = {nonce for nonce in self.foreign if nonce >= self.following}

    def _look_closely(self) -> None:
        """Send the same bytes again where neither API nor node have the oldest: the node forgot its mempool."""
        self._looked_at = time.monotonic()
        oldest = next(iter(self.live.values()))
        if oldest.nonce >= self.following and not self.unsent and not self.is_known(oldest):
            self.unsent = list(self.live.values())
        elif self.foreign:
            # Somebody else's transaction that was dropped leaves a gap.
            told = self.account.client.nonces(self.address)
            self.foreign &= {*told.in_mempool, *([] if told.last_in_mempool is None else [told.last_in_mempool])}

    def _user_of(self, nonce: int, height: int) -> str | None:
        """The mined transaction that used a nonce, searched from the block after which ours was signed."""
        client = self.account.client
        tip = client.block("latest").height
        at = self._scanned.get(nonce, height)
        last = min(tip, at + _BLOCKS_PER_LOOK)
        while at <= last:
            offset = 0
            while page := client.run(api.block_transactions(at, limit=_PAGE, offset=offset)):
                for used in page:
                    if (used.sender, used.nonce) == (self.address, nonce):
                        return used.txid
                offset += len(page)
            at += 1
        self._scanned[nonce] = max(height, at - 1)  # the last one once more: a fork may have changed it
        return None


def by_nonce(sent: Sequence[Sent]) -> dict[str, Sent]:
    """Transactions by id, in the order of their nonces."""
    return {each.txid: each for each in sorted(sent, key=lambda each: (each.nonce, each.signed_at))}
