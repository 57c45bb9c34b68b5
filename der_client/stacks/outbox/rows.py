"""Rows of the journal as values, and the statements that write many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, update

from der_client.stacks.errors import JournalError
from der_client.stacks.outbox.jobs import Entry, JobState, Sent
from der_client.stacks.outbox.schema import jobs, lanes, transactions
from der_client.stacks.outcome import OutcomeKind

if TYPE_CHECKING:
    from sqlalchemy.engine import Row

LIVE: Final = "live"
MINED: Final = "mined"
DEAD: Final = "dead"

# Statements for many rows at once: built once, since building one takes longer than running it.
TAKE: Final = (
    update(transactions)
    .where(transactions.c.txid == bindparam("b_txid"), transactions.c.state == LIVE)
    .values(was_taken=1)
)
SEND: Final = (
    update(jobs).where(jobs.c.id == bindparam("b_id"), jobs.c.state == JobState.SIGNED).values(state=JobState.SENT)
)
SIGN: Final = (
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
MINE: Final = (
    update(transactions)
    .where(transactions.c.txid == bindparam("b_txid"))
    .values(state=MINED, was_taken=1, block_height=bindparam("block_height"), block_hash=bindparam("block_hash"))
)
OUTDO: Final = (
    update(transactions)
    .where(
        transactions.c.job_id == bindparam("b_id"),
        transactions.c.txid != bindparam("b_txid"),
        transactions.c.state == LIVE,
    )
    .values(state=DEAD)
)
END: Final = (
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
RAISE_FLOOR: Final = (
    update(lanes)
    .where(lanes.c.account == bindparam("b_account"), lanes.c.floor < bindparam("b_floor"))
    .values(floor=bindparam("b_floor"))
)
UNDONE: Final[dict[str, Any]] = {
    "outcome": "",
    "reason": "",
    "block_height": None,
    "fee_paid_ustx": None,
    "result": b"",
    "txid": "",
    "claimed_by": "",
    "claimed_until": 0.0,
}


def read_entry(row: Row[Any], journal: str) -> Entry:
    """Read a row of jobs.

    Args:
        row: The row.
        journal: The journal's place, for the error.

    Raises:
        JournalError: If a value in it is not of its kind.
    """
    try:
        return _entry(row)
    except (TypeError, ValueError) as error:
        raise JournalError(
            f"has a damaged job, {row.key}, which cannot be read ({error}); restore a copy, or use a new journal",
            journal,
        ) from error


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
        not_before=row.not_before,
    )


def read_sent(row: Row[Any]) -> Sent:
    """Read a row of transactions with the key of its job."""
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
