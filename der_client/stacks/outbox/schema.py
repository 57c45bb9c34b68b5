"""The journal's tables, the same on SQLite and Postgres, and their version."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

VERSION: Final = 1
"""Version of these tables. A journal of a newer version is refused; an older one is migrated by the missing steps."""

metadata: Final = MetaData()

# SQLite auto-increments only a column of exactly this type.
_ID: Final = BigInteger().with_variant(Integer, "sqlite")
_AMOUNT: Final = Text
"""µSTX: a fee may have 64 unsigned bits, for which there is no number column in both databases."""

about: Final = Table(
    "der_outbox",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
jobs: Final = Table(
    "der_jobs",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("account", String(64), nullable=False, default=""),
    Column("wanted_account", String(64), nullable=False, default=""),
    Column("fee_ustx", _AMOUNT),
    Column("note", Text, nullable=False, default=""),
    Column("txid", String(64), nullable=False, default=""),
    Column("outcome", String(20), nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("block_height", BigInteger),
    Column("fee_paid_ustx", _AMOUNT),
    Column("result", LargeBinary, nullable=False, default=b""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("waits", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("claimed_by", String(64), nullable=False, default=""),
    Column("claimed_until", Float, nullable=False, default=0.0),
    Index("der_jobs_ready", "state", "waits", "id"),
)
follows: Final = Table(
    "der_follows",
    metadata,
    Column("job_id", BigInteger, primary_key=True),
    Column("on_id", BigInteger, primary_key=True),
    Index("der_follows_on", "on_id"),
)
transactions: Final = Table(
    "der_transactions",
    metadata,
    Column("txid", String(64), primary_key=True),
    Column("job_id", BigInteger, nullable=False),
    Column("account", String(64), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("fee_ustx", _AMOUNT, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("was_taken", SmallInteger, nullable=False, default=0),
    Column("signed_at", Float, nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("block_height", BigInteger),
    Column("block_hash", String(64), nullable=False, default=""),
    Index("der_transactions_of_account", "account", "state", "nonce"),
    Index("der_transactions_of_job", "job_id"),
)
slots: Final = Table(
    "der_slots",
    metadata,
    # At most one job ever uses a nonce of an account: this key ensures it.
    Column("account", String(64), primary_key=True),
    Column("nonce", BigInteger, primary_key=True),
    Column("job_id", BigInteger, nullable=False),
)
lanes: Final = Table(
    "der_lanes",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("owner", String(64), nullable=False, default=""),
    Column("until", Float, nullable=False, default=0.0),
    Column("floor", BigInteger, nullable=False, default=0),
)
