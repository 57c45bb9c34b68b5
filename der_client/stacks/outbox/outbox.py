"""Does the jobs of a journal, through one account or many, until all are mined or given up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Final

from der_client.stacks.account import Account
from der_client.stacks.checks import check_kind, check_number, check_seconds
from der_client.stacks.errors import InvalidValueError, NotFoundError, whole
from der_client.stacks.outbox.jobs import OPEN, Entry, Job, JobState, Progress
from der_client.stacks.outbox.journal import Journal
from der_client.stacks.outbox.lane import MAX_IN_MEMPOOL
from der_client.stacks.outbox.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from der_client.stacks.rpc import Client

_BACKLOG: Final = 1000
"""How many jobs of a stream are in the journal ahead of the mined ones."""
_FIRST_PAUSE_S: Final = 0.002


class Outbox:
    """Sends the jobs of its journal, each at most once.

    Any number of processes can share a journal, with Postgres even on several hosts: each account is used by one of
    them at a time. Use an outbox from one thread.

    Args:
        accounts: The account or accounts that sign and pay, on one network. Several send faster, since a node accepts
            25 waiting transactions of each.
        journal: A path (SQLite), a URL (Postgres), a `Journal`, or ``None`` for one in memory.
        purpose: The journal's purpose, such as the contracts that its jobs call; a journal with another one is refused.
        max_in_flight: How many transactions of an account may wait to be mined, 1 to 25.
        raise_fee_after_s: After how long in the mempool a fee is raised, if the account's fee policy allows it; never
            if not given.
        max_poll_s: The longest pause between two rounds, in seconds.
        look_s: After how long without news a transaction is looked up by itself, and sent again if it is unknown.
        lease_s: How long an account stays reserved for a process that has died, in seconds; longer than a live process
            may pause.

    Raises:
        JournalError: If the journal cannot be used, or is for another network or purpose.
        InvalidValueError: If there is no account, a limit is out of range, or the node has no API.
        NodeError: If the node is down or responds with something else.
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
        given = list(accounts) if isinstance(accounts, Iterable) else [accounts]
        for account in given:
            check_kind(account, Account, "accounts", "give one or several; Account(key, client) makes one")
        if not given:
            raise InvalidValueError("accounts: give at least one Account")
        check_number(max_in_flight, 1, MAX_IN_MEMPOOL, "max_in_flight")
        check_seconds(max_poll_s, "max_poll_s", may_be_zero=False)
        check_seconds(look_s, "look_s")
        check_seconds(lease_s, "lease_s", may_be_zero=False)
        if raise_fee_after_s is not None:
            check_seconds(raise_fee_after_s, "raise_fee_after_s")
        self._accounts = {account.address: account for account in given}
        self._client: Client = given[0].client
        self._is_closed = False
        self._owns_journal = not isinstance(journal, Journal)
        identity = self._identity(purpose)
        self.journal = journal if isinstance(journal, Journal) else Journal(journal)
        self.journal.belongs_to(**identity)
        self._max_poll_s = max_poll_s
        self._worker = Worker(
            self._accounts,
            self.journal,
            max_in_flight=max_in_flight,
            raise_fee_after_s=raise_fee_after_s,
            look_s=look_s,
            lease_s=lease_s,
        )

    def add(self, *jobs: Job) -> int:
        """Put jobs into the journal; jobs whose keys already exist stay as they are.

        Args:
            jobs: The jobs, in the order in which to do them.

        Returns:
            How many were new.

        Raises:
            JobConflictError: If a key is there with another content; none was added.
            InvalidValueError: If a job needs an account that this outbox does not have, follows an unknown job, or this
                outbox is closed.
            JournalError: If the journal cannot be written; nothing was sent.
        """
        self._require_open()
        for job in jobs:
            check_kind(job, Job, "job", 'write Job("rent/2026-07", payload)')
            if job.account and job.account not in self._accounts:
                raise InvalidValueError(
                    f"job {job.key} needs account {job.account}; this outbox has {', '.join(self._accounts)}"
                )
        return self.journal.add(jobs)

    def inherit(self) -> list[Entry]:
        """Take over from a process that ended: cancel what it had only planned to sign.

        Returns:
            The jobs of these accounts that are signed or sent, and not over.
        """
        left: list[Entry] = []
        last = 0
        while entries := self.journal.entries(*OPEN, after=last):
            last = entries[-1].id
            own = (entry for entry in entries if entry.account in ("", *self._accounts))
            left += [entry for entry in own if not self.cancel(entry.key)]
        return left

    def finish_earlier(self, *, timeout_s: float) -> dict[str, tuple[int, ...]]:
        """Wait until the mempool has no transactions of the accounts, such as those of an earlier run.

        Transactions that are not in the journal are waited for, too.

        Args:
            timeout_s: The longest time, in seconds.

        Returns:
            The waiting nonces of each account that still has some; an empty list if another process uses the account.

        Raises:
            NodeError: If the node is down or responds with something else.
            JournalError: If the journal cannot be written.
        """
        self.inherit()
        busy: dict[str, tuple[int, ...]] = {}
        for _ in self.rounds(timeout_s=timeout_s):
            busy = {}
            for address in self._accounts:
                lane = self._worker.lanes.get(address)
                if lane is None:
                    busy[address] = ()
                    continue
                lane.refresh()
                if waiting := lane.own_nonces | lane.nonces.foreign:
                    busy[address] = tuple(sorted(waiting))
            if not busy:
                break
        return busy

    def finish(self, keys: Sequence[str], *, timeout_s: float) -> Iterator[Entry]:
        """Work until jobs are over, in their order; if one fails, those that are not signed yet are cancelled.

        Args:
            keys: The jobs' keys.
            timeout_s: The longest time for all of them, in seconds.

        Yields:
            The entries of those that were signed, and of the one that failed, in order.

        Raises:
            JournalError: If the journal cannot be written.
        """
        deadline = time.monotonic() + check_seconds(timeout_s, "timeout_s")
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
        self._require_open()
        return self.journal.cancel(key)

    def has_failed(self, key: str) -> bool:
        """Return whether a job was given up, or postponed after a failed attempt."""
        entry = self.journal.find(key)
        if entry is None or entry.state is JobState.QUEUED:
            return entry is not None and self._is_put_off(entry)
        return entry.state is JobState.GIVEN_UP

    def find(self, key: str) -> Entry | None:
        """Return the journal's entry of a job; ``None`` if it has no such key."""
        return self.journal.find(key)

    def run(self, jobs: Iterable[Job] = (), *, timeout_s: float | None = None) -> Iterator[Progress]:
        """Do jobs until none is left, and yield what happens.

        Args:
            jobs: More jobs, possibly a stream of any length: they are taken when there is room.
            timeout_s: The longest time, in seconds; what is on its way then stays in the journal.

        Yields:
            What happened, in order.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
            InvalidValueError, JobConflictError: If a job of the stream cannot be added.
        """
        if not isinstance(jobs, Iterable):
            raise InvalidValueError(f"jobs: must be a list or a stream of Job, not {type(jobs).__name__}; write [job]")
        stream = iter(jobs)
        has_more = True
        open_jobs = 0
        rounds = self.rounds(timeout_s=timeout_s)
        while True:
            if has_more and open_jobs < _BACKLOG:
                new = list(islice(stream, _BACKLOG // 2))
                has_more = bool(new)
                open_jobs += self.add(*new)
            happened = next(rounds, None)
            if happened is None:
                return
            yield from happened
            open_jobs -= sum(progress.state.is_over for progress in happened)
            if not happened and not self.journal.has_open():
                if not has_more:
                    return
                open_jobs = 0

    def rounds(self, *, timeout_s: float | None = None, stop: Event | None = None) -> Iterator[list[Progress]]:
        """Work round by round, as `step` does, with pauses that grow while nothing happens.

        Args:
            timeout_s: The longest time, in seconds; unlimited if not given.
            stop: Set this to end.

        Yields:
            What happened in each round; there is a last round after the time is over.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
        """
        stop = stop or Event()
        deadline = None if timeout_s is None else time.monotonic() + check_seconds(timeout_s, "timeout_s")
        pause = _FIRST_PAUSE_S
        while True:
            is_last = stop.is_set() or (deadline is not None and time.monotonic() >= deadline)
            happened = self.step()
            yield happened
            if is_last:
                return
            if happened:
                pause = _FIRST_PAUSE_S
                continue
            stop.wait(pause if deadline is None else max(0.0, min(pause, deadline - time.monotonic())))
            pause = min(pause * 1.5, self._max_poll_s)

    def do(self, job: Job, *, timeout_s: float | None = None) -> Entry:
        """Do one job and wait for it; if it is already done, return its result.

        Without ``timeout_s``, it waits as long as the job is postponed, e.g. until the account has enough STX, or as
        long as another outbox uses the account; a warning in the log says so.

        Args:
            job: The job.
            timeout_s: The longest time, in seconds; unlimited if not given.

        Returns:
            Its entry in the journal; the state shows whether it is over.

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
            is_patient: Whether to wait for a later attempt if one fails, e.g. for lack of funds. If not, the job is
                given up then, and also if it could not be signed in time.

        Raises:
            InvalidValueError: If there is no such job.
            JournalError: If the journal cannot be written.
        """
        entry = self._found(key)
        if entry.state.is_over:
            return entry
        for _ in self.rounds(timeout_s=timeout_s):
            entry = self._found(key)
            if entry.state.is_over:
                return entry
            if not is_patient and entry.state is JobState.QUEUED and self._is_put_off(entry):
                break
        if not is_patient and self.journal.cancel(key, entry.reason or "it was not signed in time"):
            entry = self._found(key)
        return entry

    def _found(self, key: str) -> Entry:
        entry = self.journal.find(key)
        if entry is None:
            raise InvalidValueError(f"job {key} not found in {self.journal.name}; add it first")
        return entry

    def _is_put_off(self, entry: Entry) -> bool:
        return entry.not_before > self.journal.now()

    def step(self) -> list[Progress]:
        """Check, sign and send once, without waiting.

        Returns:
            What happened.

        Raises:
            JournalError: If the journal cannot be written; nothing was sent that is not in it.
        """
        self._require_open()
        return self._worker.step()

    def close(self) -> None:
        """Release the accounts. What is on its way stays in the journal, for the next outbox."""
        if self._is_closed:
            return
        self._is_closed = True
        self._worker.close()
        if self._owns_journal:
            self.journal.close()

    def _require_open(self) -> None:
        if self._is_closed:
            raise InvalidValueError("this outbox is closed; open a new one")

    def __enter__(self) -> Self:
        """Return the outbox itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @whole
    def __repr__(self) -> str:
        """Return its journal and its accounts."""
        return f"Outbox({self.journal.name}, {', '.join(self._accounts)})"

    def _identity(self, purpose: str) -> dict[str, str]:
        network = self._client.checked_network()
        try:
            first = self._client.block(1).hash
        except NotFoundError as error:
            raise InvalidValueError(
                f"{self._client.url} has no API (/extended), which shows what is mined; give the URL of an API"
            ) from error
        return {"network": f"{network.chain_id}", "chain": first, "purpose": purpose}
