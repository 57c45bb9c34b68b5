"""The journal: what to do, and what was signed, sent and mined; in SQLite or Postgres, written ahead of each action.

Every method is one transaction of the database. None asks a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select, update

from der_client.stacks.outbox.job_table import JobTable
from der_client.stacks.outbox.jobs import Entry, JobState, Sent
from der_client.stacks.outbox.rows import (
    DEAD,
    END,
    LIVE,
    MINE,
    MINED,
    OUTDO,
    RAISE_FLOOR,
    SEND,
    SIGN,
    TAKE,
    UNDONE,
    read_entry,
    read_sent,
)
from der_client.stacks.outbox.schema import follows, jobs, lanes, slots, transactions
from der_client.stacks.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

Mined = tuple[Sent, Outcome, int, str, int]
"""A mined transaction with its outcome, block height, block hash and fee in µSTX."""


class Journal(JobTable):
    """The journal of an outbox: its jobs, its lanes, and the outcome of each transaction.

    Args:
        place: A path (SQLite), a URL (``postgresql://user:password@host/database``), or ``None`` for one in memory that
            ends with this object.

    Attributes:
        name: The place, without a password.

    Raises:
        JournalError: If it cannot be opened, is broken, or was written by a newer version.
        MissingExtraError: If a Postgres database is named without the extra ``postgres``.
    """

    # Lanes

    def lease(self, account: str, owner: str, seconds: float) -> bool:
        """Take or renew the lease of an account.

        Args:
            account: The address.
            owner: The process that takes it.
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
        """Release everything that an owner holds."""
        with self._transaction("be written") as connection:
            connection.execute(update(lanes).where(lanes.c.owner == owner).values(owner="", until=0.0))
            connection.execute(update(jobs).where(jobs.c.claimed_by == owner).values(claimed_by="", claimed_until=0.0))

    def unclaim(self, owner: str) -> None:
        """Release jobs that an owner claimed and did not sign."""
        with self._transaction("be written") as connection:
            connection.execute(update(jobs).where(jobs.c.claimed_by == owner).values(claimed_by="", claimed_until=0.0))

    def floor(self, account: str) -> int:
        """Return the nonce below which the journal knows all of an account's nonces to be used."""
        with self._transaction("be read") as connection:
            return connection.execute(select(lanes.c.floor).where(lanes.c.account == account)).scalar() or 0

    def raise_floor(self, account: str, nonce: int) -> None:
        """Note that all nonces below this one are used."""
        with self._transaction("be written") as connection:
            connection.execute(RAISE_FLOOR, [{"b_account": account, "b_floor": nonce}])

    def unused(self, account: str, nonces: Sequence[int]) -> list[int]:
        """Return those of some nonces that no job has, whatever a node that is behind reports.

        Args:
            account: The address.
            nonces: The nonces, in order.
        """
        query = select(slots.c.nonce).where(slots.c.account == account, slots.c.nonce.in_(nonces))
        with self._transaction("be read") as connection:
            used = {*connection.execute(query).scalars()}
        return [nonce for nonce in nonces if nonce not in used]

    def live(self, account: str) -> list[Sent]:
        """Return an account's transactions that are not known to be mined, by nonce."""
        query = (
            select(transactions, jobs.c.key)
            .join(jobs, jobs.c.id == transactions.c.job_id)
            .where(transactions.c.account == account, transactions.c.state == LIVE)
            .order_by(transactions.c.nonce, transactions.c.signed_at)
        )
        with self._transaction("be read") as connection:
            return [read_sent(row) for row in connection.execute(query)]

    def mined_above(self, account: str, height: int) -> list[Sent]:
        """Return an account's transactions in blocks above a height, which a fork may remove."""
        query = (
            select(transactions, jobs.c.key)
            .join(jobs, jobs.c.id == transactions.c.job_id)
            .where(
                transactions.c.account == account,
                transactions.c.state == MINED,
                transactions.c.block_height > height,
            )
            .order_by(transactions.c.nonce)
        )
        with self._transaction("be read") as connection:
            return [read_sent(row) for row in connection.execute(query)]

    # From queued to mined

    def claim(self, account: str, owner: str, limit: int, seconds: float) -> list[Entry]:
        """Claim queued jobs that an account may sign now; no other worker gets them meanwhile.

        Args:
            account: The address that will sign them.
            owner: The owner of its lease.
            limit: At most so many.
            seconds: How long the claim lasts if they are not signed.
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
            claimed = [read_entry(row, self.name) for row in connection.execute(query)]
            if claimed:
                numbers = [entry.id for entry in claimed]
                query_claim = update(jobs).where(jobs.c.id.in_(numbers))
                connection.execute(query_claim.values(claimed_by=owner, claimed_until=now + seconds))
            return claimed

    def record_signed(self, owner: str, account: str, signed: Sequence[Sent]) -> list[Sent]:
        """Record signed transactions of claimed jobs, before any of them is sent.

        Args:
            owner: The owner of the account's lease, who claimed the jobs.
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
        """Record another transaction of a job with the same nonce and a higher fee, before it is sent.

        Returns:
            Whether it may be sent; not if the lease has ended.
        """
        with self._transaction("be written") as connection:
            if not self._holds(connection, replacement.account, owner):
                return False
            self._insert_transactions(connection, [replacement], self._now(connection))
            return True

    def record_turn(self, taken: Sequence[Sent], mined: Sequence[Mined]) -> None:
        """Record which transactions a node accepted, or may have accepted, and the outcome of the mined ones."""
        ended = {sent.txid for sent, *_ in mined}
        on_their_way = [sent for sent in taken if sent.txid not in ended and not sent.was_taken]
        if not on_their_way and not mined:
            return
        with self._transaction("be written") as connection:
            if on_their_way:
                connection.execute(TAKE, [{"b_txid": sent.txid} for sent in on_their_way])
                connection.execute(SEND, [{"b_id": sent.job_id} for sent in on_their_way])
            if mined:
                self._record_mined(connection, mined)

    def _record_mined(self, connection: Connection, mined: Sequence[Mined]) -> None:
        connection.execute(
            MINE,
            [
                {"b_txid": sent.txid, "block_height": height, "block_hash": block_hash}
                for sent, _, height, block_hash, _ in mined
            ],
        )
        connection.execute(OUTDO, [{"b_id": sent.job_id, "b_txid": sent.txid} for sent, *_ in mined])
        connection.execute(
            END,
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
        connection.execute(RAISE_FLOOR, [{"b_account": key, "b_floor": floor} for key, floor in next_nonces.items()])
        numbers = [sent.job_id for sent, *_ in mined]
        followed = set(connection.execute(select(follows.c.on_id).where(follows.c.on_id.in_(numbers))).scalars())
        for sent, outcome, *_ in mined:
            if sent.job_id not in followed:
                continue
            self._count_waits(connection, sent.job_id)
            if outcome.kind is not OutcomeKind.SUCCESS:
                self._give_up_followers(connection, [sent.job_id])

    def record_forked(self, sent: Sent) -> None:
        """Record that a fork removed a mined transaction: the same bytes must be sent again."""
        with self._transaction("be written") as connection:
            connection.execute(
                update(transactions)
                .where(transactions.c.txid == sent.txid)
                .values(state=LIVE, block_height=None, block_hash="")
            )
            query = update(jobs).where(jobs.c.id == sent.job_id)
            connection.execute(query.values(**{**UNDONE, "txid": sent.txid, "state": JobState.SENT}))
            self._count_waits(connection, sent.job_id)
            lane = (lanes.c.account == sent.account) & (lanes.c.floor > sent.nonce)
            connection.execute(update(lanes).where(lane).values(floor=sent.nonce))

    def record_dead(self, sent: Sent, reason: str, *, wait_s: float = 0.0) -> None:
        """Record that no transaction of a job can ever be mined: the job is queued again, and its nonce is free.

        Args:
            sent: The transaction.
            reason: Why.
            wait_s: How long the job waits for its next attempt, in seconds.
        """
        with self._transaction("be written") as connection:
            self._free_slots(connection, [sent.job_id], DEAD)
            query = update(jobs).where(jobs.c.id == sent.job_id)
            connection.execute(
                query.values(
                    **{
                        **UNDONE,
                        "state": JobState.QUEUED,
                        "reason": reason[:1000],
                        "attempts": jobs.c.attempts + 1,
                        "not_before": self._now(connection) + wait_s,
                    }
                )
            )

    def record_given_up(self, sent: Sent, reason: str) -> None:
        """Record that a job cannot be done, and that none of its transactions can be mined."""
        with self._transaction("be written") as connection:
            self._free_slots(connection, [sent.job_id], DEAD)
            self._give_up(connection, [sent.job_id], reason)

    def _insert_transactions(self, connection: Connection, signed: Sequence[Sent], now: float) -> None:
        # The same bytes may be signed again after they were refused: it is the same transaction.
        new = self._insert(transactions)
        again = new.on_conflict_do_update(
            index_elements=["txid"],
            set_={"state": LIVE, "signed_at": new.excluded.signed_at, "height": new.excluded.height},
        )
        connection.execute(
            again,
            [
                {
                    "txid": each.txid,
                    "job_id": each.job_id,
                    "account": each.account,
                    "nonce": each.nonce,
                    "fee_ustx": str(each.fee_ustx),
                    "raw": each.raw,
                    "state": LIVE,
                    "signed_at": now,
                    "height": each.height,
                }
                for each in signed
            ],
        )
        connection.execute(SIGN, [{"b_id": each.job_id, "account": each.account, "txid": each.txid} for each in signed])

    def _holds(self, connection: Connection, account: str, owner: str) -> bool:
        query = select(lanes.c.owner, lanes.c.until).where(lanes.c.account == account).with_for_update()
        row = connection.execute(query).one_or_none()
        return row is not None and row.owner == owner and row.until > self._now(connection)
