"""One round of an outbox: leases accounts, signs and sends jobs, and records the outcomes."""

from __future__ import annotations

import logging
import time
import uuid
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import NodeError
from der_client.stacks.outbox.forks import Forks
from der_client.stacks.outbox.jobs import JobState, Progress
from der_client.stacks.outbox.lane import Lane
from der_client.stacks.outbox.refusals import Refusals
from der_client.stacks.outbox.signing import Signer
from der_client.stacks.outcome import outcome_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from der_client.stacks.account import Account
    from der_client.stacks.outbox.journal import Journal
    from der_client.stacks.outbox.lane import Turn

_LOG: Final = logging.getLogger(__name__)

_MAX_THREADS: Final = 16


class Worker:
    """Holds the leases of accounts, and works for them.

    Args:
        accounts: The accounts, by their addresses.
        journal: The journal.
        max_in_flight: How many transactions of an account may wait to be mined.
        raise_fee_after_s: After how long in the mempool a fee is raised; never if ``None``.
        look_s: After how long without news a transaction is looked for by itself.
        lease_s: How long a lease lasts, in seconds.

    Attributes:
        owner: The name under which the leases are held.
        lanes: The accounts whose leases are held, by their addresses.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        journal: Journal,
        *,
        max_in_flight: int,
        raise_fee_after_s: float | None,
        look_s: float,
        lease_s: float,
    ) -> None:
        self.owner = uuid.uuid4().hex
        self.lanes: dict[str, Lane] = {}
        self._awaited: set[str] = set()
        self._accounts = accounts
        self._journal = journal
        self._look_s = look_s
        self._lease_s = lease_s
        self._renewed_at = float("-inf")
        self._signer = Signer(journal, self.owner, max_in_flight=max_in_flight, raise_fee_after_s=raise_fee_after_s)
        self._refusals = Refusals(journal, self._signer)
        self._forks = Forks(next(iter(accounts.values())).client, journal)
        self._turns: dict[str, Future[Turn]] = {}
        self._pool = ThreadPoolExecutor(min(len(accounts), _MAX_THREADS), thread_name_prefix="outbox")

    def step(self) -> list[Progress]:
        """Check, sign and send once, without waiting; return what happened.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
        """
        self.lease()
        happened = self._check_forks()
        for address, lane in self.lanes.items():
            if address in self._turns:
                continue
            self._signer.raise_fee(lane)
            if self._forks.tip is not None:
                signed, is_leased = self._signer.sign(lane, self._forks.tip.height)
                happened += signed
                if not is_leased:
                    self._renewed_at = float("-inf")
            if lane.has_work:
                self._turns[address] = self._pool.submit(lane.turn)
        return happened + self._finish(wait_for_all=False)

    def close(self) -> None:
        """Release the accounts."""
        self._pool.shutdown()
        self._journal.release(self.owner)

    def lease(self) -> None:
        """Lease all accounts that no other worker holds."""
        if time.monotonic() - self._renewed_at < self._lease_s / 3:
            return
        self._renewed_at = time.monotonic()
        for address, account in self._accounts.items():
            if not self._journal.lease(address, self.owner, self._lease_s):
                if self.lanes.pop(address, None) is not None:
                    self._turns.pop(address, None)
                    _LOG.warning("another process has taken over %s", address)
                elif address not in self._awaited:
                    _LOG.warning("another outbox uses %s; its jobs wait until that one is closed or dead", address)
                self._awaited.add(address)
                continue
            self._awaited.discard(address)
            if address not in self.lanes:
                floor, live = self._journal.floor(address), self._journal.live(address)
                try:
                    self.lanes[address] = Lane.begin(account, floor, live, self._look_s)
                except NodeError as error:
                    _LOG.warning("%s cannot be used yet: %s", address, error)
                    self._renewed_at = time.monotonic() - self._lease_s / 3 + 1.0
                    continue
                self._forks.begin_again()

    def _check_forks(self) -> list[Progress]:
        happened: list[Progress] = []
        if not self.lanes:
            return happened
        try:
            if self._forks.is_due():
                happened += self._finish(wait_for_all=True)
                happened += self._forks.look_again(self.lanes.values())
        except NodeError as error:
            _LOG.info("the chain could not be checked: %s", error)
        return happened

    def _finish(self, *, wait_for_all: bool) -> list[Progress]:
        """Record the results of the lanes' turns that have ended, and of at least one."""
        happened: list[Progress] = []
        wait(self._turns.values(), return_when=ALL_COMPLETED if wait_for_all else FIRST_COMPLETED)
        for address in [address for address, turn in self._turns.items() if turn.done()]:
            turn = self._turns.pop(address).result()
            if address in self.lanes:
                happened += self._take(self.lanes[address], turn)
        return happened

    def _take(self, lane: Lane, turn: Turn) -> list[Progress]:
        happened = []
        outcomes = [outcome_of(receipt) for _, receipt in turn.mined]
        self._journal.record_turn(
            turn.taken,
            [
                (sent, outcome, receipt.block_height, receipt.block_hash, receipt.fee_ustx)
                for (sent, receipt), outcome in zip(turn.mined, outcomes, strict=True)
            ],
        )
        for sent in turn.taken:
            if not lane.live[sent.txid].was_taken:
                happened.append(Progress(sent.key, JobState.SENT, sent.txid))
            lane.live[sent.txid] = replace(sent, was_taken=True)
        for (sent, _), outcome in zip(turn.mined, outcomes, strict=True):
            lane.nonces.used(sent.nonce)
            lane.drop(sent.job_id)
            happened.append(Progress(sent.key, JobState.MINED, sent.txid, outcome.kind, outcome.text))
        for sent in turn.lost:
            reason = f"another transaction of {lane.address} used nonce {sent.nonce}"
            happened.append(self._refusals.queue_again(lane, sent, reason))
        for sent, error in turn.refused:
            happened += self._refusals.judge(lane, sent, error)
        return happened
