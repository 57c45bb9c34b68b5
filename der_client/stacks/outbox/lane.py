"""One account of an outbox: its free nonces, what is on its way, and what its node reports.

Methods that ask the node change only what the lane knows about the chain; the outbox writes the journal.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import (
    BroadcastUnknownError,
    NodeError,
    NodeUnreachableError,
    NothingSentError,
    TransactionRejectedError,
)
from der_client.stacks.known_nonces import KnownNonces
from der_client.stacks.outcome import outcome_of
from der_client.stacks.rpc import TransactionReceipt, api

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from der_client.stacks.account import Account
    from der_client.stacks.outbox.jobs import Sent

MAX_IN_MEMPOOL: Final = 25
"""How many transactions of one account a node keeps in its mempool."""
_RESOLVE_S: Final = 15.0
"""How long after a nonce was used, without our transaction seen mined, the blocks are searched for its user."""
_FIRST_BACKOFF_S: Final = 0.25
_MAX_BACKOFF_S: Final = 60.0
_BLOCKS_PER_LOOK: Final = 50
_PAGE: Final = 50


@dataclass
class Turn:
    """The result of a lane's turn.

    Attributes:
        taken: Transactions that a node accepted, or may have accepted.
        refused: Transactions that the node refused, and how.
        mined: Transactions in a block of the current fork, with their receipts.
        lost: Transactions whose nonce was used by another one that is not in the journal.
    """

    taken: list[Sent] = field(default_factory=list)
    refused: list[tuple[Sent, TransactionRejectedError]] = field(default_factory=list)
    mined: list[tuple[Sent, TransactionReceipt]] = field(default_factory=list)
    lost: list[Sent] = field(default_factory=list)


@dataclass
class Lane:
    """An account whose lease this process holds.

    Attributes:
        account: The account that signs.
        live: Its transactions that are not known to be mined, oldest first; several may have one nonce.
        look_s: After how long without news a transaction is looked up by itself.
        nonces: What is known about the account's nonces.
        unsent: Transactions to send now.
        fresh: Transactions that were signed here and that no node can have seen yet.
        held_until: Until when nothing new is signed (monotonic clock).
        failures: How many times in a row the node has failed.
    """

    account: Account
    live: dict[str, Sent]
    look_s: float
    nonces: KnownNonces
    unsent: list[Sent] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    held_until: float = float("-inf")
    failures: int = 0
    _silent_until: float = float("-inf")
    _looked_at: float = field(default_factory=time.monotonic)
    _passed_at: dict[int, float] = field(default_factory=dict)
    _scanned: dict[int, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, account: Account, floor: int, live: Sequence[Sent], look_s: float) -> Self:
        """Start from the journal, and ask the node for the account's state.

        Args:
            account: The account that signs.
            floor: The nonce below which all are used, according to the journal.
            live: The transactions that are not known to be mined; they are sent again.
            look_s: After how long without news a transaction is looked up by itself.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        ordered = by_nonce(live)
        nonces = KnownNonces(account.client, lambda: account.address, floor)
        lane = cls(account, ordered, look_s, nonces, list(ordered.values()))
        lane.refresh()
        return lane

    @property
    def address(self) -> str:
        """The account's address."""
        return self.account.address

    @property
    def is_silent(self) -> bool:
        """Whether the node is not asked for now, because it failed or asked for a pause."""
        return time.monotonic() < self._silent_until

    @property
    def own_nonces(self) -> set[int]:
        """The nonces of the transactions that are not known to be mined."""
        return {sent.nonce for sent in self.live.values()}

    def room(self, most: int) -> int:
        """Return how many transactions may be signed now.

        Args:
            most: How many may be on their way at once.
        """
        has_unsent = any(sent.txid in self.fresh for sent in self.unsent)
        if self.is_silent or time.monotonic() < self.held_until or has_unsent:
            return 0
        return len(self.free_nonces(most))

    def free_nonces(self, most: int) -> list[int]:
        """Return the nonces for the next transactions.

        Args:
            most: How many transactions of the account may be on their way at once, including foreign ones.
        """
        own = self.own_nonces
        waiting = len(own) + sum(1 for nonce in self.nonces.foreign if nonce not in own)
        return list(islice(self.nonces.free(own), max(0, most - waiting)))

    def keep(self, signed: Sequence[Sent]) -> None:
        """Accept transactions that were signed and are in the journal; they are sent next."""
        self.fresh |= {sent.txid for sent in signed}
        self.live = by_nonce([*self.live.values(), *signed])
        self.unsent += signed
        for sent in signed:
            self.nonces.given(sent.nonce)

    def take_back(self, sent: Sent) -> None:
        """Take back a transaction whose block is gone; the same bytes are sent again."""
        self.live = by_nonce([*self.live.values(), replace(sent, was_taken=True)])
        self.unsent.append(sent)

    def drop(self, job_id: int) -> None:
        """Forget the transactions of a job."""
        for txid in [txid for txid, sent in self.live.items() if sent.job_id == job_id]:
            del self.live[txid]
            self.fresh.discard(txid)
            self.nonces.misses.found(txid)
        self.unsent = [sent for sent in self.unsent if sent.job_id != job_id]

    def failed(self, error: NodeError) -> None:
        """Do not ask the node for a while: as long as it wants, or increasingly long."""
        pause = min(_FIRST_BACKOFF_S * 2.0**self.failures, _MAX_BACKOFF_S)
        self.failures += 1
        self._silent_until = time.monotonic() + max(pause, error.retry_after_s or 0.0)

    # Asking the node

    @property
    def has_work(self) -> bool:
        """Whether there is anything to send or to look up."""
        return bool(self.unsent or self.live) and not self.is_silent

    def turn(self) -> Turn:
        """Send what must be sent, then look up what was mined."""
        turn = Turn()
        self._post(turn)
        turn.mined = self._look()
        done = {sent.txid for sent, _ in turn.mined}
        turn.lost = self._lost([sent for sent in self.live.values() if sent.txid not in done])
        return turn

    def refresh(self) -> None:
        """Update the account's state on the chain and in the mempool.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        self.account.client.checked_network()
        self.nonces.take(self.nonces.read(), self.own_nonces)

    def _look(self) -> list[tuple[Sent, TransactionReceipt]]:
        if not self.live or self.is_silent:
            return []
        try:
            self.nonces.follow()
            mined = [
                (sent, receipt)
                for sent in list(self.live.values())
                if sent.nonce < self.nonces.following and (receipt := self.receipt(sent)) is not None
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
        """Return the receipt of a transaction if it is mined on the current fork."""
        info = self.account.client.transaction_summary(sent.txid)
        is_mined = info is not None and outcome_of(info).kind.is_mined
        return info if is_mined and isinstance(info, TransactionReceipt) else None

    def _lost(self, open_ones: Sequence[Sent]) -> list[Sent]:
        """Find transactions whose nonce another one has used, so that they can never be mined.

        This holds only if the other one is seen in a block. An API that is behind shows neither.
        """
        passed = {sent.nonce for sent in open_ones if sent.nonce < self.nonces.following}
        self._passed_at = {nonce: self._passed_at.get(nonce, time.monotonic()) for nonce in passed}
        lost: list[Sent] = []
        for nonce, since in self._passed_at.items():
            if time.monotonic() - since < _RESOLVE_S or self.is_silent:
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
        """Send what must be sent, in nonce order; if the node fails, the rest waits."""
        while self.unsent and not self.is_silent:
            sent = self.unsent[0]
            try:
                self.account.client.broadcast(sent.raw)
            except TransactionRejectedError as error:
                turn.refused.append((sent, error))
                self.unsent.pop(0)
                if sent.txid in self.fresh:
                    break  # the ones after it would leave a gap
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

    def _look_closely(self) -> None:
        """Send the same bytes again if neither API nor node have the oldest: the node has forgotten its mempool."""
        self._looked_at = time.monotonic()
        oldest = next(iter(self.live.values()))
        is_waiting = oldest.nonce >= self.nonces.following and not self.unsent
        if is_waiting and not self.account.client.is_known(oldest.txid):
            self.unsent = list(self.live.values())
        elif self.nonces.foreign:
            self.nonces.drop_gone()

    def _user_of(self, nonce: int, height: int) -> str | None:
        """Find the mined transaction that used a nonce, starting from the block after which ours was signed."""
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
        self._scanned[nonce] = max(height, at - 1)  # the last one again: a fork may have changed it
        return None


def by_nonce(sent: Sequence[Sent]) -> dict[str, Sent]:
    """Return transactions by id, in the order of their nonces."""
    return {each.txid: each for each in sorted(sent, key=lambda each: (each.nonce, each.signed_at))}
