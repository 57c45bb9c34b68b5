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
from der_client.stacks.errors import DerClientError, InvalidValueError, NodeError, NotFoundError, whole
from der_client.stacks.outbox.jobs import Entry, Job, JobState, Progress, Sent
from der_client.stacks.outbox.journal import Journal
from der_client.stacks.outbox.lane import MAX_IN_MEMPOOL, Lane, by_nonce
from der_client.stacks.outcome import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from der_client.stacks.errors import TransactionRejectedError
    from der_client.stacks.outbox.lane import Turn
    from der_client.stacks.rpc import Client
    from der_client.stacks.rpc.answers import Block
    from der_client.stacks.transactions import Transaction

_LOG: Final = logging.getLogger(__name__)

_CLAIM_S: Final = 60.0
_FORK_S: Final = 5.0
_FINAL_DEPTH: Final = 100
"""Blocks: what is mined deeper is not looked at again."""
_RESOLVE_S: Final = 15.0
"""How long after a nonce was used, while nobody shows ours mined, the blocks are searched for who used it."""
_LOST_S: Final = 60.0
"""How far two looks are apart that both miss a transaction which the node refuses to take again."""
_FIRST_RETRY_S: Final = 15.0
_MAX_RETRY_S: Final = 3600.0
_FEE_S: Final = 30.0
"""How long a fee by policy is used for transactions of the same kind and length."""
_RAISE: Final = 1.25
_BACKLOG: Final = 1000
"""How many jobs of a stream are in the journal ahead of those that are mined."""
_FIRST_PAUSE_S: Final = 0.002
_MAX_THREADS: Final = 16
_PASSING: Final = frozenset(
    {
        "TooMuchChaining",
        "TemporarilyBlacklisted",
        "EstimatorError",
        "ServerFailureNoSuchChainTip",
        "ServerFailureDatabase",
        "ServerFailureOther",
    }
)


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
        InvalidValueError: If there is no account, or a limit is out of range.
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
        self._max_in_flight = max_in_flight
        self._raise_fee_after_s = raise_fee_after_s
        self._max_poll_s = max_poll_s
        self._look_s = look_s
        self._lease_s = lease_s
        self._lanes: dict[str, Lane] = {}
        self._renewed_at = float("-inf")
        self._forks_at = float("-inf")
        self._tip: Block | None = None
        self._fees: dict[tuple[str, int], tuple[float, int]] = {}
        self._missed_at: dict[str, float] = {}
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
            self._raise_fee(lane)
            happened += self._sign(lane)
            if lane.has_work:
                self._turns[address] = self._pool.submit(lane.turn, _RESOLVE_S)
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
            lane.floor = max(lane.floor, sent.nonce + 1)
            self._drop_live(lane, sent.job_id)
            happened.append(Progress(sent.key, JobState.MINED, sent.txid, outcome.kind, outcome.text))
        for sent in turn.lost:
            reason = f"another transaction of {lane.address} used nonce {sent.nonce}"
            happened.append(self._queue_again(lane, sent, reason))
        for sent, error in turn.refused:
            happened += self._refused(lane, sent, error)
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
        except NotFoundError:  # a bare node without the API
            first = ""
        known = {"network": f"{network.chain_id}", "chain": first, "purpose": purpose}
        return {name: value for name, value in known.items() if value or name == "purpose"}

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
                live = by_nonce(self.journal.live(address))
                lane = Lane(account, self.journal.floor(address), live, self._look_s)
                try:
                    lane.begin()
                except NodeError as error:
                    _LOG.warning("%s cannot be used yet: %s", address, error)
                    self._renewed_at = time.monotonic() - self._lease_s / 3 + 1.0
                    continue
                lane.unsent = list(live.values())
                self._lanes[address] = lane
                # What was mined before may have been taken away by a fork meanwhile.
                self._tip, self._forks_at = None, float("-inf")

    # What was mined, and what no more is

    def _drop_live(self, lane: Lane, job_id: int) -> None:
        for txid in [txid for txid, sent in lane.live.items() if sent.job_id == job_id]:
            del lane.live[txid]
            lane.fresh.discard(txid)
            self._missed_at.pop(txid, None)
        lane.unsent = [sent for sent in lane.unsent if sent.job_id != job_id]

    def _check_forks(self) -> list[Progress]:
        """Look again at what is mined and not deep yet, if the chain is not the one that was seen before."""
        if not self._lanes or time.monotonic() - self._forks_at < _FORK_S:
            return []
        self._forks_at = time.monotonic()
        happened: list[Progress] = []
        try:
            tip = self._client.block("latest")
            if self._is_elsewhere(tip):
                happened += self._finish(wait_for_all=True)
                for lane in self._lanes.values():
                    happened += self._look_again(lane, tip.height - _FINAL_DEPTH)
        except NodeError as error:
            _LOG.info("the chain could not be looked at: %s", error)
            return happened
        self._tip = tip
        return happened

    def _is_elsewhere(self, tip: Block) -> bool:
        known = self._tip
        if known is None:
            return True
        try:
            there = tip if tip.height == known.height else self._client.block(known.height)
        except NotFoundError:
            return True
        return there.hash != known.hash

    def _look_again(self, lane: Lane, above: int) -> list[Progress]:
        happened = []
        mined = self.journal.mined_above(lane.address, above)
        if not mined:
            return []
        on_chain = self._client.account(lane.address).nonce
        for sent in mined:
            receipt = lane.receipt(sent)
            # A node that is behind shows neither; only one on whose chain the nonce is free says that it is gone.
            if receipt is None and on_chain <= sent.nonce:
                self.journal.record_forked(sent)
                lane.live[sent.txid] = replace(sent, was_taken=True)
                lane.floor = min(lane.floor, sent.nonce)
                lane.following = on_chain
                lane.unsent.append(sent)
                happened.append(Progress(sent.key, JobState.SENT, sent.txid, reason="a fork took its block away"))
        lane.live = by_nonce(list(lane.live.values()))
        return happened

    def _queue_again(self, lane: Lane, sent: Sent, reason: str, wait_s: float = 0.0) -> Progress:
        self.journal.record_dead(sent, reason, wait_s=wait_s)
        self._drop_live(lane, sent.job_id)
        return Progress(sent.key, JobState.QUEUED, reason=reason, wait_s=wait_s)

    # Signing

    def _sign(self, lane: Lane) -> list[Progress]:
        room = lane.room(self._max_in_flight)
        if room <= 0 or self._tip is None:
            return []
        entries = self.journal.claim(lane.address, self._owner, room, _CLAIM_S)
        if not entries:
            return []
        if not lane.live and not self._refresh(lane):
            self.journal.unclaim(self._owner)
            return []
        happened: list[Progress] = []
        signed: list[Sent] = []
        nonces = lane.free_nonces(self._max_in_flight)
        for entry in entries:
            if len(signed) == len(nonces):
                break  # what others did with the account left less room
            try:
                signed.append(self._signed(lane, entry, nonces[len(signed)], self._tip.height))
            except NodeError as error:
                lane.failed(error)
                break
            except DerClientError as error:
                self.journal.give_up(entry, str(error))
                happened.append(Progress(entry.key, JobState.GIVEN_UP, reason=str(error)))
        kept = self.journal.record_signed(self._owner, lane.address, signed) if signed else []
        if len(kept) < len(signed):
            # Another process has taken over, or a claim ended; what was signed and not kept is nowhere.
            self._renewed_at = float("-inf")
        if len(kept) < len(entries):
            self.journal.unclaim(self._owner)
        lane.fresh |= {sent.txid for sent in kept}
        lane.live = by_nonce([*lane.live.values(), *kept])
        lane.unsent += kept
        return happened

    def _refresh(self, lane: Lane) -> bool:
        """Learn what others did with an account that was idle here."""
        try:
            lane.begin()
        except NodeError as error:
            lane.failed(error)
            return False
        return True

    def _signed(self, lane: Lane, entry: Entry, nonce: int, height: int) -> Sent:
        transaction = self._build(lane.account, entry, nonce)
        return Sent(
            txid=transaction.txid,
            job_id=entry.id,
            key=entry.key,
            account=lane.address,
            nonce=nonce,
            fee_ustx=transaction.fee,
            raw=transaction.encode(),
            was_taken=False,
            signed_at=time.time(),
            height=height,
        )

    def _build(self, account: Account, entry: Entry, nonce: int) -> Transaction:
        job = entry.job
        fee = entry.fee_ustx
        if fee is None:
            fee = self._fee(account, job)
        unsigned = account.build(
            job.payload, post_conditions=job.post_conditions, mode=job.mode, nonce=nonce, fee_ustx=fee
        )
        return account.sign(unsigned)

    def _fee(self, account: Account, job: Job) -> int:
        """By the account's policy, and the same for transactions of one kind and length for a while."""
        payload = job.payload
        kind = f"{type(payload).__name__} {getattr(payload, 'contract', '')} {getattr(payload, 'function', '')}"
        key = kind, len(job.body)
        known = self._fees.get(key)
        if known is None or time.monotonic() - known[0] > _FEE_S:
            draft = account.build(payload, post_conditions=job.post_conditions, mode=job.mode, nonce=0)
            known = self._fees[key] = time.monotonic(), draft.fee
            if len(self._fees) > _BACKLOG:
                self._fees.pop(next(iter(self._fees)))
        return known[1]

    def _raise_fee(self, lane: Lane) -> None:
        """Replace the oldest transaction by one with a higher fee, if it has waited for long."""
        if self._raise_fee_after_s is None or not lane.live or lane.is_silent or lane.unsent:
            return
        first = next(iter(lane.live.values()))
        newest = [sent for sent in lane.live.values() if sent.nonce == first.nonce][-1]
        if first.nonce < lane.following or self.journal.now() - newest.signed_at < self._raise_fee_after_s:
            return
        entry = self.journal.find(newest.key)
        fee = max(newest.fee_ustx + 1, round(newest.fee_ustx * _RAISE))
        if entry is None or entry.fee_ustx is not None or fee > lane.account.fee_policy.max_fee_ustx:
            return  # the fee is the caller's, or as high as it may be
        transaction = self._build(lane.account, replace(entry, fee_ustx=fee), newest.nonce)
        replacement = replace(
            newest,
            txid=transaction.txid,
            fee_ustx=fee,
            raw=transaction.encode(),
            was_taken=False,
            signed_at=self.journal.now(),
        )
        if self.journal.record_replacement(self._owner, replacement):
            _LOG.info("the fee of %s is raised to %d µSTX: %s", newest.key, fee, replacement.txid)
            lane.live = by_nonce([*lane.live.values(), replacement])
            lane.unsent.append(replacement)

    # Refusals

    def _refused(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        """What a refusal in the node's own form means for a job.

        What was signed after it has later nonces. Where none of that was sent yet, it is signed anew, without a gap.
        """
        if sent.txid not in lane.live:
            return []
        happened = self._judge(lane, sent, error)
        if sent.txid not in lane.live:
            later = [each for each in lane.unsent if each.txid in lane.fresh and each.nonce > sent.nonce]
            for each in later:
                self.journal.record_dead(each, "")
                self._drop_live(lane, each.job_id)
        return happened

    def _judge(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        is_own = error.data.get("principal", lane.address) == lane.address
        expected = error.data.get("expected")
        if error.reason == "BadNonce" and isinstance(expected, int) and is_own:
            lane.following = max(lane.following, expected)
            self.journal.raise_floor(lane.address, min(expected, sent.nonce + 1))
        if error.reason in _PASSING:
            lane.failed(error)
            if error.reason != "TooMuchChaining":
                lane.unsent.insert(0, sent)
                return []
        if sent.txid not in lane.fresh:
            return self._refused_again(lane, sent, error)
        entry = self.journal.find(sent.key)
        attempts = 0 if entry is None else entry.attempts
        match error.reason:
            case "BadNonce" | "ConflictingNonceInMempool" | "TooMuchChaining":
                if error.reason == "ConflictingNonceInMempool":
                    lane.is_taken(sent.nonce)
                return [self._queue_again(lane, sent, str(error))]
            case "NotEnoughFunds":
                wait_s = min(_FIRST_RETRY_S * 2.0**attempts, _MAX_RETRY_S)
                lane.held_until = time.monotonic() + wait_s
                return [self._queue_again(lane, sent, str(error), wait_s)]
            case "FeeTooLow" if entry is not None and entry.fee_ustx is None:
                self._fees.clear()
                wait_s = min(_FIRST_RETRY_S * 2.0**attempts, _MAX_RETRY_S)
                return [self._queue_again(lane, sent, str(error), wait_s)]
        return [self._give_up(lane, sent, str(error))]

    def _refused_again(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        """Of bytes that may have been taken before, a refusal says little: they are looked for."""
        if error.reason in ("BadNonce", "ConflictingNonceInMempool"):
            return []  # it, or another one, is there; the blocks will show which
        try:
            is_known = lane.is_known(sent)
        except NodeError as failure:
            lane.failed(failure)
            return []
        if is_known:
            self._missed_at.pop(sent.txid, None)
            return []
        missed = self._missed_at.setdefault(sent.txid, time.monotonic())
        if time.monotonic() - missed < _LOST_S:
            lane.failed(error)
            lane.unsent.append(sent)
            return []
        if error.reason in ("NotEnoughFunds", "FeeTooLow"):
            return [self._queue_again(lane, sent, str(error), _FIRST_RETRY_S)]
        return [self._give_up(lane, sent, str(error))]

    def _give_up(self, lane: Lane, sent: Sent, reason: str) -> Progress:
        self.journal.record_given_up(sent, reason)
        self._drop_live(lane, sent.job_id)
        return Progress(sent.key, JobState.GIVEN_UP, sent.txid, reason=reason)
