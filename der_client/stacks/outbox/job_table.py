"""The jobs of a journal: added, found, given up and retried. Every method is one transaction of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, literal, or_, select, update

from der_client.stacks.errors import InvalidValueError, JobConflictError
from der_client.stacks.outbox.database import Database
from der_client.stacks.outbox.jobs import OPEN, Entry, Job, JobState
from der_client.stacks.outbox.rows import DEAD, LIVE, UNDONE, read_entry
from der_client.stacks.outbox.schema import follows, jobs, slots, transactions
from der_client.stacks.outcome import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.engine import Connection

_CHUNK: Final = 400
"""How many keys or rows one statement names; SQLite allows a limited number of parameters."""


class JobTable(Database):
    """The jobs, and their progress."""

    def add(self, new: Sequence[Job]) -> int:
        """Add jobs; existing ones stay as they are.

        Args:
            new: The jobs, in the order in which to do them.

        Returns:
            How many were new.

        Raises:
            JobConflictError: If a key exists with other content; none was added.
            InvalidValueError: If a job follows one that does not exist.
            JournalError: If the journal cannot be written.
        """
        added = 0
        with self._transaction("be written") as connection:
            for start in range(0, len(new), _CHUNK):
                added += self._add(connection, new[start : start + _CHUNK])
        return added

    def find(self, key: str) -> Entry | None:
        """Return the job with a key, or ``None``."""
        with self._transaction("be read") as connection:
            row = connection.execute(select(jobs).where(jobs.c.key == key)).one_or_none()
            return None if row is None else read_entry(row, self.name)

    def entries(self, *states: JobState, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return jobs in the order of their numbers.

        Args:
            states: Only jobs in one of these states, if any is given.
            after: Only those with a higher number.
            limit: At most this many.
        """
        query = select(jobs).where(jobs.c.id > after).order_by(jobs.c.id).limit(limit)
        if states:
            query = query.where(jobs.c.state.in_(states))
        with self._transaction("be read") as connection:
            return [read_entry(row, self.name) for row in connection.execute(query)]

    def counts(self) -> dict[JobState, int]:
        """Count the jobs in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self._transaction("be read") as connection:
            found = {JobState(state): number for state, number in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    def has_open(self) -> bool:
        """Return whether any job is neither mined nor given up."""
        query = select(literal(1)).where(jobs.c.state.in_(OPEN)).limit(1)
        with self._transaction("be read") as connection:
            return connection.execute(query).first() is not None

    def retry(self, key: str) -> bool:
        """Queue a job again that was given up, or that was mined without success.

        Returns:
            Whether it was in that state.
        """
        with self._transaction("be written") as connection:
            has_failed = or_(
                jobs.c.state == JobState.GIVEN_UP,
                (jobs.c.state == JobState.MINED) & (jobs.c.outcome != OutcomeKind.SUCCESS),
            )
            again = {**UNDONE, "state": JobState.QUEUED, "not_before": 0.0, "attempts": 0}
            done = connection.execute(update(jobs).where(jobs.c.key == key, has_failed).values(**again))
            if done.rowcount:
                number = connection.execute(select(jobs.c.id).where(jobs.c.key == key)).scalar_one()
                # Whatever was mined for it or can never be mined does not concern the new attempt.
                self._free_slots(connection, [number], DEAD)
            return bool(done.rowcount)

    def cancel(self, key: str, reason: str = "cancelled") -> bool:
        """Give up a job that is not signed yet.

        Args:
            key: Its key.
            reason: Why.

        Returns:
            Whether it could be cancelled; a signed one may be mined at any time.
        """
        with self._transaction("be written") as connection:
            now = self._now(connection)
            query = select(jobs.c.id).where(
                jobs.c.key == key, jobs.c.state == JobState.QUEUED, jobs.c.claimed_until <= now
            )
            number = connection.execute(query.with_for_update()).scalar_one_or_none()
            if number is None:
                return False
            self._give_up(connection, [number], reason)
            return True

    def give_up(self, entry: Entry, reason: str) -> None:
        """Give up a job that is not signed."""
        with self._transaction("be written") as connection:
            self._give_up(connection, [entry.id], reason)

    def _add(self, connection: Connection, new: Sequence[Job]) -> int:
        wanted: dict[str, Job] = {}
        for job in new:
            if wanted.setdefault(job.key, job).body != job.body:
                raise JobConflictError(job.key)
        fresh = [
            {
                "key": job.key,
                "body": job.body,
                "state": JobState.QUEUED,
                "wanted_account": job.account,
                "fee_ustx": None if job.fee_ustx is None else str(job.fee_ustx),
                "note": job.note,
            }
            for job in wanted.values()
        ]
        before = self._rows(connection, wanted)
        for key, (_, body, _, _) in before.items():
            if body != wanted[key].body:
                raise JobConflictError(key)
        fresh = [row for row in fresh if row["key"] not in before]
        if not fresh:
            return 0
        connection.execute(self._insert(jobs).on_conflict_do_nothing(index_elements=["key"]), fresh)
        named = {key for job in wanted.values() if job.key not in before for key in job.follows}
        if named:
            self._add_follows(connection, [job for job in wanted.values() if job.key not in before], named)
        return len(fresh)

    def _add_follows(self, connection: Connection, new: Sequence[Job], named: Collection[str]) -> None:
        rows = self._rows(connection, {*named, *(job.key for job in new)})
        for job in new:
            missing = [key for key in job.follows if key not in rows]
            if missing:
                raise InvalidValueError(
                    f"job {job.key} follows {missing[0]}, which is not in the journal; add it first"
                )
            number = rows[job.key][0]
            open_ones = [key for key in job.follows if rows[key][3] != OutcomeKind.SUCCESS]
            if not job.follows:
                continue
            connection.execute(insert(follows), [{"job_id": number, "on_id": rows[key][0]} for key in {*job.follows}])
            connection.execute(update(jobs).where(jobs.c.id == number).values(waits=len({*open_ones})))
            failed = [key for key in open_ones if JobState(rows[key][2]).is_over]
            if failed:
                self._give_up(connection, [number], f"it follows {failed[0]}, which failed")

    def _rows(self, connection: Connection, keys: Collection[str]) -> dict[str, tuple[int, bytes, str, str]]:
        found: dict[str, tuple[int, bytes, str, str]] = {}
        names = list(keys)
        for start in range(0, len(names), _CHUNK):
            query = select(jobs.c.key, jobs.c.id, jobs.c.body, jobs.c.state, jobs.c.outcome)
            for row in connection.execute(query.where(jobs.c.key.in_(names[start : start + _CHUNK]))):
                found[row.key] = (row.id, bytes(row.body), row.state, row.outcome)
        return found

    def _free_slots(self, connection: Connection, numbers: Sequence[int], state: str) -> None:
        live = transactions.c.job_id.in_(numbers) & (transactions.c.state == LIVE)
        for account, nonce in connection.execute(
            select(transactions.c.account, transactions.c.nonce).where(live)
        ).all():
            connection.execute(delete(slots).where(slots.c.account == account, slots.c.nonce == nonce))
        connection.execute(update(transactions).where(live).values(state=state))

    def _count_waits(self, connection: Connection, number: int) -> None:
        """Count again for how many others the followers of a job wait."""
        following = list(connection.execute(select(follows.c.job_id).where(follows.c.on_id == number)).scalars())
        if not following:
            return
        other, edge = jobs.alias("other"), follows.alias("edge")
        open_ones = (
            select(func.count())
            .select_from(edge.join(other, other.c.id == edge.c.on_id))
            .where(edge.c.job_id == jobs.c.id, other.c.outcome != OutcomeKind.SUCCESS)
            .scalar_subquery()
        )
        connection.execute(update(jobs).where(jobs.c.id.in_(following)).values(waits=open_ones))

    def _give_up(self, connection: Connection, numbers: Sequence[int], reason: str) -> None:
        query = update(jobs).where(jobs.c.id.in_(numbers))
        connection.execute(
            query.values(state=JobState.GIVEN_UP, reason=reason[:1000], claimed_by="", claimed_until=0.0)
        )
        self._give_up_followers(connection, numbers)

    def _give_up_followers(self, connection: Connection, numbers: Sequence[int]) -> None:
        for number in numbers:
            query = (
                select(follows.c.job_id)
                .join(jobs, jobs.c.id == follows.c.job_id)
                .where(follows.c.on_id == number, jobs.c.state == JobState.QUEUED)
            )
            following = list(connection.execute(query).scalars())
            if following:
                key = connection.execute(select(jobs.c.key).where(jobs.c.id == number)).scalar_one()
                self._give_up(connection, following, f"it follows {key}, which failed")
