"""Does the jobs of a journal, through one account or many, until all are mined or given up."""

from __future__ import annotations

import logging
import time
import uuid
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from der_client.stacks.account import Account
from der_client.stacks.errors import InvalidValueError, NodeError, NotFoundError, whole
from der_client.stacks.outbox.forks import Forks
from der_client.stacks.outbox.jobs import OPEN, Entry, Job, JobState, Progress
from der_client.stacks.outbox.journal import Journal
from der_client.stacks.outbox.lane import MAX_IN_MEMPOOL, Lane
from der_client.stacks.outbox.refusals import Refusals
from der_client.stacks.outbox.signing import Signer
from der_client.stacks.outcome import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from der_client.stacks.outbox.lane import Turn
    from der_client.stacks.rpc import Client

_LOG: Final = logging.getLogger(__name__)

_BACKLOG: Final = 1000
"""How many jobs of a stream are in the journal ahead of those that are mined."""
_FIRST_PAUSE_S: Final = 0.002
_MAX_THREADS: Final = 16


class Outbox:
    """Sends what its journal holds, each job at most once.

    Any number of processes can share a journal, on Postgres also of several hosts: an account is used by one of them at
    a time. Use one outbox from one thread.

    Args:
        accounts: Who signs and pays: one account or several, on one network. More of them send faster, as a node takes
            25 waiting transactions of each.
        journal: A path (SQLite), a URL (Postgres), a `Journal`, or ``None`` for one in memory.
        purpose: What the journal is for, such as the contracts that its jobs call; a journal of another one is refused.
        max_in_flight: How many transactions of an account may wait to be mined, 1 to 25.
        raise_fee_after_s: After how long in the mempool a fee is raised, as far as the account's fee policy allows;
            never if not given.
        max_poll_s: The longest pause between two looks, in seconds.
        look_s: After how long without news a transaction is looked for by itself, and sent again if nobody has it.
        lease_s: How long an account stays with a process that has died, in seconds: longer than a living one may pause.

    Raises:
        JournalError: If the journal cannot be used, or is of another network or purpose.
        InvalidValueError: If there is no account, a limit is out of range, or the node has no API.
        NodeError: If the node is down or answers something else.
    """

    def __init__(
        self,
        accounts: Account | Sequence[Account],
        journal: Journal | str | Path | None = None,
        *,
        purpose: str = "",
        max_in_flight: int = MAX_IN_MEMPOOL,
        raise_fee_after_s: float | None = None,
        max_poll_s: float = 2.0,
        look_s: float = 30.0,
        lease_s: float = 30.0,
    ) -> None:
        given = [accounts] if isinstance(accounts, Account) else list(accounts)
        if not given or not all(isinstance(account, Account) for account in given):
            raise InvalidValueError("an outbox needs an Account, or several")
        if not 1 <= max_in_flight <= MAX_IN_MEMPOOL:
            raise InvalidValueError(f"max_in_flight must be 1 to {MAX_IN_MEMPOOL}, got {max_in_flight}")
        self._accounts = {account.address: account for account in given}
        self._client: Client = given[0].client
        self._owns_journal = not isinstance(journal, Journal)
        identity = self._identity(purpose)
        self.journal = journal if isinstance(journal, Journal) else Journal(journal)
        self.journal.belongs_to(**identity)
        self._owner = uuid.uuid4().hex
        self._max_poll_s = max_poll_s
        self._look_s = look_s
        self._lease_s = lease_s
        self._lanes: dict[str, Lane] = {}
        self._renewed_at = float("-inf")
        self._signer = Signer(
            self.journal,
            self._owner,
            max_in_flight=max_in_flight,
            raise_fee_after_s=raise_fee_after_s,
        )
        self._refusals = Refusals(self.journal, self._signer)
        self._forks = Forks(self._client, self.journal)
        self._turns: dict[str, Future[Turn]] = {}
        self._pool = ThreadPoolExecutor(min(len(given), _MAX_THREADS), thread_name_prefix="outbox")

    def add(self, *jobs: Job) -> int:
        """Put jobs into the journal; those whose keys are there already stay as they are.

        Args:
            jobs: In the order in which they shall be done.

        Returns:
            How many were new.

        Raises:
            JobConflictError: If a key is there with another content; none was added.
            InvalidValueError: If a job wants an account that this outbox does not have, or follows an unknown job.
            JournalError: If the journal cannot be written; nothing was sent.
        """
        for job in jobs:
            if job.account and job.account not in self._accounts:
                raise InvalidValueError(
                    f"job {job.key} wants account {job.account}; this outbox has {', '.join(self._accounts)}"
                )
        return self.journal.add(jobs)

    def inherit(self) -> list[Entry]:
        """Take over from a process that ended: cancel what it only meant to sign.

        Returns:
            The jobs of these accounts that are signed or sent, and not over.
        """
        own = [entry for entry in self.journal.entries(*OPEN) if entry.account in ("", *self._accounts)]
        return [entry for entry in own if not self.cancel(entry.key)]

    def finish_earlier(self, *, timeout_s: float) -> dict[str, tuple[int, ...]]:
        """Wait until nothing of the accounts is in the mempool, as an earlier run may have left something there.

        What the journal does not know is waited for as well.

        Args:
            timeout_s: The longest time, in seconds.

        Returns:
            For each account that is still busy then, the nonces that wait; none if another process uses it.

        Raises:
            NodeError: If the node is down or answers something else.
            JournalError: If the journal cannot be written.
        """
        self.inherit()
        deadline = time.monotonic() + timeout_s
        pause = _FIRST_PAUSE_S
        while True:
            self.step()
            busy: dict[str, tuple[int, ...]] = {}
            for address in self._accounts:
                lane = self._lanes.get(address)
                if lane is None:
                    busy[address] = ()
                    continue
                lane.refresh()
                if waiting := lane.own_nonces | lane.nonces.foreign:
                    busy[address] = tuple(sorted(waiting))
            if not busy or time.monotonic() >= deadline:
                return busy
            pause = self._rest(pause, deadline)

    def finish(self, keys: Sequence[str], *, timeout_s: float) -> Iterator[Entry]:
        """Work until jobs are over, in their order; after one that fails, those that are not signed are cancelled.

        Args:
            keys: Of the jobs.
            timeout_s: The longest time for all of them, in seconds.

        Yields:
            What the journal knows of each, in order: of those that were signed, and of the one that failed.

        Raises:
            JournalError: If the journal cannot be written.
        """
        deadline = time.monotonic() + timeout_s
        has_failed = False
        for key in keys:
            if has_failed and self.cancel(key):
                continue
            entry = self.wait(key, timeout_s=max(0.0, deadline - time.monotonic()), is_patient=False)
            has_failed = has_failed or not entry.is_success
            yield entry

    def cancel(self, key: str) -> bool:
        """Give up a job that is not signed yet.

        Returns:
            Whether it was so; one that is signed may be mined at any time.
        """
        return self.journal.cancel(key)

    def has_failed(self, key: str) -> bool:
        """Whether a job is given up, or put off after a try that failed."""
        entry = self.journal.find(key)
        if entry is None or entry.state is JobState.QUEUED:
            return entry is not None and self._is_put_off(entry)
        return entry.state is JobState.GIVEN_UP

    def find(self, key: str) -> Entry | None:
        """What the journal knows of a job; ``None`` if it has no such key."""
        return self.journal.find(key)

    def run(self, jobs: Iterable[Job] = (), *, timeout_s: float | None = None) -> Iterator[Progress]:
        """Do jobs until none is left, and say what happens.

        Args:
            jobs: More jobs, which may be a stream of any length: they are taken as room for them comes.
            timeout_s: The longest time, in seconds; what is on its way then stays in the journal.

        Yields:
            What happened, in order.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
            InvalidValueError, JobConflictError: If a job of the stream cannot be added.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        stream = iter(jobs)
        has_more = True
        pause = _FIRST_PAUSE_S
        open_jobs = 0
        while True:
            if has_more and open_jobs < _BACKLOG:
                new = list(islice(stream, _BACKLOG // 2))
                has_more = bool(new)
                open_jobs += self.add(*new)
            happened = self.step()
            yield from happened
            if happened:
                pause = _FIRST_PAUSE_S
                open_jobs -= sum(progress.state.is_over for progress in happened)
                continue
            if not self.journal.has_open():
                if not has_more:
                    return
                open_jobs = 0
                continue
            if deadline is not None and time.monotonic() >= deadline:
                return
            pause = self._rest(pause, deadline)

    def _rest(self, pause_s: float, deadline: float | None) -> float:
        """Sleep; give the next pause, which is longer."""
        time.sleep(pause_s if deadline is None else max(0.0, min(pause_s, deadline - time.monotonic())))
        return min(pause_s * 1.5, self._max_poll_s)

    def do(self, job: Job, *, timeout_s: float | None = None) -> Entry:
        """Do one job and wait for it; if it is done already, say what came of it.

        Args:
            job: The job.
            timeout_s: The longest time, in seconds.

        Returns:
            What the journal knows of it then; its state says whether it is over.

        Raises:
            JobConflictError, InvalidValueError: If it cannot be added.
            JournalError: If the journal cannot be written.
        """
        self.add(job)
        return self.wait(job.key, timeout_s=timeout_s)

    def wait(self, key: str, *, timeout_s: float | None = None, is_patient: bool = True) -> Entry:
        """Work until a job is over.

        Args:
            key: Its key.
            timeout_s: The longest time, in seconds.
            is_patient: Whether to wait for a later try if one fails, e.g. for want of funds. If not, the job is given
                up then, and also if it could not be signed in time.

        Raises:
            InvalidValueError: If there is no such job.
            JournalError: If the journal cannot be written.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        pause = _FIRST_PAUSE_S
        while True:
            entry = self.journal.find(key)
            if entry is None:
                raise InvalidValueError(f"there is no job {key} in {self.journal.name}; add it first")
            if entry.state.is_over:
                return entry
            is_late = deadline is not None and time.monotonic() >= deadline
            if not is_patient and entry.state is JobState.QUEUED and (is_late or self._is_put_off(entry)):
                self.journal.cancel(key, entry.reason or "it was not signed in time")
                continue
            if is_late:
                return entry
            pause = _FIRST_PAUSE_S if self.step() else self._rest(pause, deadline)

    def _is_put_off(self, entry: Entry) -> bool:
        return entry.not_before > self.journal.now()

    def step(self) -> list[Progress]:
        """Look, sign and send once, without waiting.

        Returns:
            What happened.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
        """
        self._lease()
        happened = self._check_forks()
        for address, lane in self._lanes.items():
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

    def _finish(self, *, wait_for_all: bool) -> list[Progress]:
        """Write down what came of the lanes' turns: of those that have ended, and at least of one."""
        happened: list[Progress] = []
        wait(self._turns.values(), return_when=ALL_COMPLETED if wait_for_all else FIRST_COMPLETED)
        for address in [address for address, turn in self._turns.items() if turn.done()]:
            turn = self._turns.pop(address).result()
            if address in self._lanes:
                happened += self._take(self._lanes[address], turn)
        return happened

    def _take(self, lane: Lane, turn: Turn) -> list[Progress]:
        happened = []
        outcomes = [outcome_of(receipt) for _, receipt in turn.mined]
        self.journal.record_turn(
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

    def close(self) -> None:
        """Give back the accounts. What is on its way stays in the journal, for the next outbox."""
        self._pool.shutdown()
        self.journal.release(self._owner)
        if self._owns_journal:
            self.journal.close()

    def __enter__(self) -> Self:
        """The outbox itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @whole
    def __repr__(self) -> str:
        """Its journal and its accounts."""
        return f"Outbox({self.journal.name}, {', '.join(self._accounts)})"

    # Leases

    def _identity(self, purpose: str) -> dict[str, str]:
        network = self._client.checked_network()
        try:
            first = self._client.block(1).hash
        except NotFoundError as error:
            raise InvalidValueError(
                f"{self._client.url} has no API (/extended), which shows what is mined; give the URL of an API"
            ) from error
        return {"network": f"{network.chain_id}", "chain": first, "purpose": purpose}

    def _lease(self) -> None:
        """Hold as many of the accounts as nobody else does."""
        if time.monotonic() - self._renewed_at < self._lease_s / 3:
            return
        self._renewed_at = time.monotonic()
        for address, account in self._accounts.items():
            if not self.journal.lease(address, self._owner, self._lease_s):
                if self._lanes.pop(address, None) is not None:
                    self._turns.pop(address, None)
                    _LOG.warning("another process has taken over %s", address)
            elif address not in self._lanes:
                floor, live = self.journal.floor(address), self.journal.live(address)
                try:
                    self._lanes[address] = Lane.begin(account, floor, live, self._look_s)
                except NodeError as error:
                    _LOG.warning("%s cannot be used yet: %s", address, error)
                    self._renewed_at = time.monotonic() - self._lease_s / 3 + 1.0
                    continue
                self._forks.begin_again()

    def _check_forks(self) -> list[Progress]:
        happened: list[Progress] = []
        if not self._lanes:
            return happened
        try:
            if self._forks.is_due():
                happened += self._finish(wait_for_all=True)
                happened += self._forks.look_again(self._lanes.values())
        except NodeError as error:
            _LOG.info("the chain could not be looked at: %s", error)
        return happened
