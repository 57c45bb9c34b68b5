"""The journal: what is to be done, was signed, sent and mined; in SQLite or Postgres, written before it is acted on.

Every method is one transaction of the database. None asks a node.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, create_engine, delete, event, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from der_client.stacks.errors import DerClientError, InvalidValueError, JobConflictError, JournalError
from der_client.stacks.outbox import schema
from der_client.stacks.outbox.jobs import Entry, Job, JobState, Sent
from der_client.stacks.outbox.schema import about, follows, jobs, lanes, slots, transactions
from der_client.stacks.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy.engine import Connection, Engine, Row

Mined = tuple[Sent, Outcome, int, str, int]
"""A mined transaction with its outcome, block height, block hash and fee in µSTX."""

_CHUNK: Final = 400
"""How many keys or rows one statement names; SQLite takes a limited number of parameters."""
_LIVE: Final = "live"
_MINED: Final = "mined"
_DEAD: Final = "dead"
_BUSY_S: Final = 30.0


class Journal:
    """The journal of an outbox.

    Args:
        place: A path (SQLite), a URL (``postgresql://user:password@host/database``), or ``None`` for one in memory that
            ends with this object.

    Attributes:
        name: The place, without a password.

    Raises:
        JournalError: If it cannot be opened, is broken, or was written by a newer version.
    """

    def __init__(self, place: str | Path | None = None) -> None:
        self._engine, self.name = _open(place)
        self._insert: Any = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._transaction("be opened") as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(0x0DE20B0C)))  # several may create it at once
            about.create(connection, checkfirst=True)
            version = self._about(connection).get("version")
            if version is None:
                schema.metadata.create_all(connection)
                connection.execute(insert(about).values(name="version", value=str(schema.VERSION)))
            elif not version.isdigit() or int(version) > schema.VERSION:
                raise JournalError(
                    f"was written by a newer version of this library (its format is {version[:20]}, this one knows "
                    f"{schema.VERSION}); update der-client, or give another journal",
                    self.name,
                )

    def belongs_to(self, **identity: str) -> None:
        """Make sure that the journal is of this network and purpose; a new one becomes so.

        Args:
            identity: Names and values, such as ``network="2147483648"``.

        Raises:
            JournalError: If it is of another; nothing was changed.
        """
        with self._transaction("be read") as connection:
            known = self._about(connection)
            for name, value in identity.items():
                if known.get(name, value) != value:
                    raise JournalError(
                        f"belongs to another {name} ({known[name]}, not {value}): give the journal of this one, or "
                        "a new one",
                        self.name,
                    )
            missing = [{"name": name, "value": value} for name, value in identity.items() if name not in known]
            if missing:
                connection.execute(insert(about), missing)

    # Jobs

    def add(self, new: Sequence[Job]) -> int:
        """Add jobs; what is there already stays as it is.

        Args:
            new: In the order in which they shall be done.

        Returns:
            How many were new.

        Raises:
            JobConflictError: If a key is there with another content; none was added.
            InvalidValueError: If a job follows one that is not there.
            JournalError: If the journal cannot be written.
        """
        added = 0
        with self._transaction("be written") as connection:
            for start in range(0, len(new), _CHUNK):
                added += self._add(connection, new[start : start + _CHUNK])
        return added

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

    def find(self, key: str) -> Entry | None:
        """The job with a key, or ``None``."""
        with self._transaction("be read") as connection:
            row = connection.execute(select(jobs).where(jobs.c.key == key)).one_or_none()
            return None if row is None else _entry(row)

    def entries(self, *states: JobState, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Jobs in the order of their numbers.

        Args:
            states: Only those in one of these states, if any is given.
            after: Only those with a higher number.
            limit: At most so many.
        """
        query = select(jobs).where(jobs.c.id > after).order_by(jobs.c.id).limit(limit)
        if states:
            query = query.where(jobs.c.state.in_(states))
        with self._transaction("be read") as connection:
            return [_entry(row) for row in connection.execute(query)]

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self._transaction("be read") as connection:
            found = {JobState(state): number for state, number in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    def has_open(self) -> bool:
        """Whether any job is neither mined nor given up."""
        query = select(literal(1)).where(jobs.c.state.in_((JobState.QUEUED, JobState.SIGNED, JobState.SENT))).limit(1)
        with self._transaction("be read") as connection:
            return connection.execute(query).first() is not None

    def retry(self, key: str) -> bool:
        """Queue a job again that was given up, or that was mined without success.

        Returns:
            Whether it was so.
        """
        with self._transaction("be written") as connection:
            has_failed = or_(
                jobs.c.state == JobState.GIVEN_UP,
                (jobs.c.state == JobState.MINED) & (jobs.c.outcome != OutcomeKind.SUCCESS),
            )
            again = {**_UNDONE, "state": JobState.QUEUED, "not_before": 0.0, "attempts": 0}
            done = connection.execute(update(jobs).where(jobs.c.key == key, has_failed).values(**again))
            if done.rowcount:
                number = connection.execute(select(jobs.c.id).where(jobs.c.key == key)).scalar_one()
                # Whatever of it was mined or can never be mined has nothing to do with the new try.
                self._free_slots(connection, [number], _DEAD)
            return bool(done.rowcount)

    def cancel(self, key: str) -> bool:
        """Give up a job that is not signed yet.

        Returns:
            Whether it was so; one that is signed may be mined at any time.
        """
        with self._transaction("be written") as connection:
            now = self._now(connection)
            query = select(jobs.c.id).where(
                jobs.c.key == key, jobs.c.state == JobState.QUEUED, jobs.c.claimed_until <= now
            )
            number = connection.execute(query.with_for_update()).scalar_one_or_none()
            if number is None:
                return False
            self._give_up(connection, [number], "cancelled")
            return True

    # Lanes

    def lease(self, account: str, owner: str, seconds: float) -> bool:
        """Take or renew the lease of an account.

        Args:
            account: The address.
            owner: Who takes it.
            seconds: How long it lasts.

        Returns:
            Whether the owner has it now.
        """
        with self._transaction("be written") as connection:
            now = self._now(connection)
            connection.execute(
                self._insert(lanes).values(account=account).on_conflict_do_nothing(index_elements=["account"])
            )
            is_free = or_(lanes.c.owner == owner, lanes.c.until < now)
            query = update(lanes).where(lanes.c.account == account, is_free)
            return bool(connection.execute(query.values(owner=owner, until=now + seconds)).rowcount)

    def release(self, owner: str) -> None:
        """Give back all that somebody holds."""
        with self._transaction("be written") as connection:
            connection.execute(update(lanes).where(lanes.c.owner == owner).values(owner="", until=0.0))
            connection.execute(update(jobs).where(jobs.c.claimed_by == owner).values(claimed_by="", claimed_until=0.0))

    def unclaim(self, owner: str) -> None:
        """Give back jobs that somebody claimed and did not sign."""
        with self._transaction("be written") as connection:
            connection.execute(update(jobs).where(jobs.c.claimed_by == owner).values(claimed_by="", claimed_until=0.0))

    def floor(self, account: str) -> int:
        """The nonce below which all of an account are used, as far as the journal knows."""
        with self._transaction("be read") as connection:
            return connection.execute(select(lanes.c.floor).where(lanes.c.account == account)).scalar() or 0

    def raise_floor(self, account: str, nonce: int) -> None:
        """All nonces below this one are used."""
        with self._transaction("be written") as connection:
            connection.execute(_RAISE_FLOOR, [{"b_account": account, "b_floor": nonce}])

    def live(self, account: str) -> list[Sent]:
        """An account's transactions that are not known to be mined, by nonce."""
        query = (
            select(transactions, jobs.c.key)
            .join(jobs, jobs.c.id == transactions.c.job_id)
            .where(transactions.c.account == account, transactions.c.state == _LIVE)
            .order_by(transactions.c.nonce, transactions.c.signed_at)
        )
        with self._transaction("be read") as connection:
            return [_sent(row) for row in connection.execute(query)]

    def mined_above(self, account: str, height: int) -> list[Sent]:
        """An account's transactions in blocks above a height: those that a fork may take away."""
        query = (
            select(transactions, jobs.c.key)
            .join(jobs, jobs.c.id == transactions.c.job_id)
            .where(
                transactions.c.account == account,
                transactions.c.state == _MINED,
                transactions.c.block_height > height,
            )
            .order_by(transactions.c.nonce)
        )
        with self._transaction("be read") as connection:
            return [_sent(row) for row in connection.execute(query)]

    def now(self) -> float:
        """The journal's clock, the same for all who use it: unix seconds."""
        with self._transaction("be read") as connection:
            return self._now(connection)

    # From queued to mined

    def claim(self, account: str, owner: str, limit: int, seconds: float) -> list[Entry]:
        """Take queued jobs that may be signed now by an account; nobody else gets them meanwhile.

        Args:
            account: The address that shall sign them.
            owner: Who holds its lease.
            limit: At most so many.
            seconds: After how long they are free again if they were not signed.
        """
        with self._transaction("be written") as connection:
            now = self._now(connection)
            query = (
                select(jobs)
                .where(
                    jobs.c.state == JobState.QUEUED,
                    jobs.c.waits == 0,
                    jobs.c.not_before <= now,
                    or_(jobs.c.claimed_until <= now, jobs.c.claimed_by == owner),
                    jobs.c.wanted_account.in_(("", account)),
                )
                .order_by(jobs.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            claimed = [_entry(row) for row in connection.execute(query)]
            if claimed:
                numbers = [entry.id for entry in claimed]
                query_claim = update(jobs).where(jobs.c.id.in_(numbers))
                connection.execute(query_claim.values(claimed_by=owner, claimed_until=now + seconds))
            return claimed

    def record_signed(self, owner: str, account: str, signed: Sequence[Sent]) -> list[Sent]:
        """Write down signed transactions of claimed jobs, before any of them is sent.

        Args:
            owner: Who holds the account's lease and claimed the jobs.
            account: The account.
            signed: The transactions; their nonces are free.

        Returns:
            Those that may be sent: none if the lease has ended; a job whose claim ended is left out.
        """
        with self._transaction("be written") as connection:
            if not self._holds(connection, account, owner):
                return []
            now = self._now(connection)
            query = select(jobs.c.id).where(
                jobs.c.id.in_([each.job_id for each in signed]),
                jobs.c.state == JobState.QUEUED,
                jobs.c.claimed_by == owner,
                jobs.c.claimed_until > now,
            )
            valid = {*connection.execute(query.with_for_update()).scalars()}
            good = [each for each in signed if each.job_id in valid]
            if good:
                rows = [{"account": account, "nonce": each.nonce, "job_id": each.job_id} for each in good]
                connection.execute(insert(slots), rows)
                self._insert_transactions(connection, good, now)
            return good

    def record_replacement(self, owner: str, replacement: Sent) -> bool:
        """Write down another transaction of a job with the same nonce and a higher fee, before it is sent.

        Returns:
            Whether it may be sent; not if the lease has ended.
        """
        with self._transaction("be written") as connection:
            if not self._holds(connection, replacement.account, owner):
                return False
            self._insert_transactions(connection, [replacement], self._now(connection))
            return True

    def record_turn(self, taken: Sequence[Sent], mined: Sequence[Mined]) -> None:
        """Note which transactions a node took, or may have taken, and what came of those that are mined."""
        ended = {sent.txid for sent, *_ in mined}
        on_their_way = [sent for sent in taken if sent.txid not in ended and not sent.was_taken]
        if not on_their_way and not mined:
            return
        with self._transaction("be written") as connection:
            if on_their_way:
                connection.execute(_TAKE, [{"b_txid": sent.txid} for sent in on_their_way])
                connection.execute(_SEND, [{"b_id": sent.job_id} for sent in on_their_way])
            if mined:
                self._record_mined(connection, mined)

    def record_mined(self, mined: Sequence[Mined]) -> None:
        """Note what came of transactions that are mined."""
        self.record_turn((), mined)

    def _record_mined(self, connection: Connection, mined: Sequence[Mined]) -> None:
        connection.execute(
            _MINE,
            [
                {"b_txid": sent.txid, "block_height": height, "block_hash": block_hash}
                for sent, _, height, block_hash, _ in mined
            ],
        )
        connection.execute(_OUTDO, [{"b_id": sent.job_id, "b_txid": sent.txid} for sent, *_ in mined])
        connection.execute(
            _END,
            [
                {
                    "b_id": sent.job_id,
                    "outcome": str(outcome.kind),
                    "reason": "" if outcome.kind is OutcomeKind.SUCCESS else outcome.text[:1000],
                    "txid": sent.txid,
                    "account": sent.account,
                    "block_height": height,
                    "fee_paid_ustx": str(fee_ustx),
                    "result": outcome.raw_result,
                }
                for sent, outcome, height, _, fee_ustx in mined
            ],
        )
        next_nonces: dict[str, int] = {}
        for sent, *_ in mined:
            next_nonces[sent.account] = max(next_nonces.get(sent.account, 0), sent.nonce + 1)
        connection.execute(_RAISE_FLOOR, [{"b_account": key, "b_floor": floor} for key, floor in next_nonces.items()])
        numbers = [sent.job_id for sent, *_ in mined]
        followed = set(connection.execute(select(follows.c.on_id).where(follows.c.on_id.in_(numbers))).scalars())
        for sent, outcome, *_ in mined:
            if sent.job_id not in followed:
                continue
            self._count_waits(connection, sent.job_id)
            if outcome.kind is not OutcomeKind.SUCCESS:
                self._give_up_followers(connection, [sent.job_id])

    def record_forked(self, sent: Sent) -> None:
        """Note that a fork took a mined transaction away: the same bytes are to be sent again."""
        with self._transaction("be written") as connection:
            connection.execute(
                update(transactions)
                .where(transactions.c.txid == sent.txid)
                .values(state=_LIVE, block_height=None, block_hash="")
            )
            query = update(jobs).where(jobs.c.id == sent.job_id)
            connection.execute(query.values(**{**_UNDONE, "txid": sent.txid, "state": JobState.SENT}))
            self._count_waits(connection, sent.job_id)
            lane = (lanes.c.account == sent.account) & (lanes.c.floor > sent.nonce)
            connection.execute(update(lanes).where(lane).values(floor=sent.nonce))

    def record_dead(self, sent: Sent, reason: str, *, wait_s: float = 0.0) -> None:
        """Note that no transaction of a job can ever be mined: the job is queued again, and its nonce is free.

        Args:
            sent: The transaction.
            reason: Why.
            wait_s: How long the job waits for its next try, in seconds.
        """
        with self._transaction("be written") as connection:
            self._free_slots(connection, [sent.job_id], _DEAD)
            query = update(jobs).where(jobs.c.id == sent.job_id)
            connection.execute(
                query.values(
                    **{
                        **_UNDONE,
                        "state": JobState.QUEUED,
                        "reason": reason[:1000],
                        "attempts": jobs.c.attempts + 1,
                        "not_before": self._now(connection) + wait_s,
                    }
                )
            )

    def record_given_up(self, sent: Sent, reason: str) -> None:
        """Note that a job cannot be done, and that none of its transactions can be mined."""
        with self._transaction("be written") as connection:
            self._free_slots(connection, [sent.job_id], _DEAD)
            self._give_up(connection, [sent.job_id], reason)

    def give_up(self, entry: Entry, reason: str) -> None:
        """Give up a job that is not signed."""
        with self._transaction("be written") as connection:
            self._give_up(connection, [entry.id], reason)

    def put_off(self, entry: Entry, reason: str, wait_s: float) -> None:
        """Let a job that is not signed wait for its next try."""
        with self._transaction("be written") as connection:
            query = update(jobs).where(jobs.c.id == entry.id, jobs.c.state == JobState.QUEUED)
            connection.execute(
                query.values(
                    reason=reason[:1000],
                    attempts=jobs.c.attempts + 1,
                    not_before=self._now(connection) + wait_s,
                    claimed_by="",
                    claimed_until=0.0,
                )
            )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __repr__(self) -> str:
        """The place, without a password."""
        return f"Journal({self.name})"

    # Parts of transactions

    def _insert_transactions(self, connection: Connection, signed: Sequence[Sent], now: float) -> None:
        connection.execute(
            insert(transactions),
            [
                {
                    "txid": each.txid,
                    "job_id": each.job_id,
                    "account": each.account,
                    "nonce": each.nonce,
                    "fee_ustx": str(each.fee_ustx),
                    "raw": each.raw,
                    "state": _LIVE,
                    "signed_at": now,
                    "height": each.height,
                }
                for each in signed
            ],
        )
        connection.execute(
            _SIGN, [{"b_id": each.job_id, "account": each.account, "txid": each.txid} for each in signed]
        )

    def _free_slots(self, connection: Connection, numbers: Sequence[int], state: str) -> None:
        live = transactions.c.job_id.in_(numbers) & (transactions.c.state == _LIVE)
        for account, nonce in connection.execute(
            select(transactions.c.account, transactions.c.nonce).where(live)
        ).all():
            connection.execute(delete(slots).where(slots.c.account == account, slots.c.nonce == nonce))
        connection.execute(update(transactions).where(live).values(state=state))

    def _count_waits(self, connection: Connection, number: int) -> None:
        """Count anew for how many others the followers of a job wait."""
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

    def _holds(self, connection: Connection, account: str, owner: str) -> bool:
        query = select(lanes.c.owner, lanes.c.until).where(lanes.c.account == account).with_for_update()
        row = connection.execute(query).one_or_none()
        return row is not None and row.owner == owner and row.until > self._now(connection)

    def _now(self, connection: Connection) -> float:
        if self._engine.dialect.name == "postgresql":
            return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
        return time.time()

    def _about(self, connection: Connection) -> dict[str, str]:
        return {row.name: row.value for row in connection.execute(select(about))}

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DerClientError:
            raise
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(f"cannot {doing}: {_words(error)}", self.name) from error


# Statements for many rows at once: made once, as making one takes longer than running it.
_TAKE: Final = (
    update(transactions)
    .where(transactions.c.txid == bindparam("b_txid"), transactions.c.state == _LIVE)
    .values(was_taken=1)
)
_SEND: Final = (
    update(jobs).where(jobs.c.id == bindparam("b_id"), jobs.c.state == JobState.SIGNED).values(state=JobState.SENT)
)
_SIGN: Final = (
    update(jobs)
    .where(jobs.c.id == bindparam("b_id"))
    .values(
        state=JobState.SIGNED,
        account=bindparam("account"),
        txid=bindparam("txid"),
        claimed_by="",
        claimed_until=0.0,
    )
)
_MINE: Final = (
    update(transactions)
    .where(transactions.c.txid == bindparam("b_txid"))
    .values(state=_MINED, was_taken=1, block_height=bindparam("block_height"), block_hash=bindparam("block_hash"))
)
_OUTDO: Final = (
    update(transactions)
    .where(
        transactions.c.job_id == bindparam("b_id"),
        transactions.c.txid != bindparam("b_txid"),
        transactions.c.state == _LIVE,
    )
    .values(state=_DEAD)
)
_END: Final = (
    update(jobs)
    .where(jobs.c.id == bindparam("b_id"), jobs.c.state != JobState.MINED)
    .values(
        state=JobState.MINED,
        outcome=bindparam("outcome"),
        reason=bindparam("reason"),
        txid=bindparam("txid"),
        account=bindparam("account"),
        block_height=bindparam("block_height"),
        fee_paid_ustx=bindparam("fee_paid_ustx"),
        result=bindparam("result"),
    )
)
_RAISE_FLOOR: Final = (
    update(lanes)
    .where(lanes.c.account == bindparam("b_account"), lanes.c.floor < bindparam("b_floor"))
    .values(floor=bindparam("b_floor"))
)
_UNDONE: Final[dict[str, Any]] = {
    "outcome": "",
    "reason": "",
    "block_height": None,
    "fee_paid_ustx": None,
    "result": b"",
    "txid": "",
    "claimed_by": "",
    "claimed_until": 0.0,
}


def _open(place: str | Path | None) -> tuple[Engine, str]:
    if place is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        name = "memory"
    elif isinstance(place, str) and "://" in place:
        try:
            url = make_url(place)
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            name = url.render_as_string(hide_password=True)
            engine = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, ValueError) as error:
            raise JournalError("is not a URL that can be used; give postgresql://user@host/database", "?") from error
        except ImportError as error:
            raise JournalError(
                f"needs a package that is not installed ({error.name}); run: pip install 'der-client[postgres]'", name
            ) from error
    else:
        path = Path(place)
        if not path.parent.is_dir():
            raise JournalError(f"cannot be opened: there is no folder {path.parent}", str(path))
        engine, name = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_S}), str(path)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine, name


def _prepare_sqlite(engine: Engine) -> None:
    """One writer at a time, who waits for the others; readers beside it; a commit is on the disk."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks they should
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _words(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    text = (str(original) or type(original).__name__).splitlines()[0][:300]
    hint = {
        "database or disk is full": "free some space and start again; nothing is lost",
        "file is not a database": "it is not a journal; give another file",
        "database disk image is malformed": "the file is damaged; restore a copy of it",
    }
    return next((f"{text}; {advice}" for words, advice in hint.items() if words in text), text)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        key=row.key,
        body=bytes(row.body),
        state=JobState(row.state),
        account=row.account or row.wanted_account,
        fee_ustx=None if row.fee_ustx is None else int(row.fee_ustx),
        note=row.note,
        txid=row.txid,
        outcome=OutcomeKind(row.outcome) if row.outcome else None,
        reason=row.reason,
        block_height=row.block_height,
        fee_paid_ustx=None if row.fee_paid_ustx is None else int(row.fee_paid_ustx),
        raw_result=bytes(row.result),
        attempts=row.attempts,
    )


def _sent(row: Row[Any]) -> Sent:
    return Sent(
        txid=row.txid,
        job_id=row.job_id,
        key=row.key,
        account=row.account,
        nonce=row.nonce,
        fee_ustx=int(row.fee_ustx),
        raw=bytes(row.raw),
        was_taken=bool(row.was_taken),
        signed_at=row.signed_at,
        height=row.height,
    )
