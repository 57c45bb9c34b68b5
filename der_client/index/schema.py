"""The index's tables, the same on SQLite and Postgres, made from the contracts' own models and events.

Facts (blocks, transactions, events, recordings) are added once. State rows are valid for a range of heights: from
``from_height`` until before ``to_height``, which is NULL while they are still valid. So a fork is undone by deleting
above the common ancestor, and any past state can be queried.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, MetaData, SmallInteger, Table, Text

from der_client.contracts import CONTRACTS
from der_client.contracts.asset_verification import Asset, AssetChange, Role
from der_client.contracts.grid_integration import Connection, ExportSchedule, Feed, RegionAlert
from der_client.contracts.market_participation import DayBook, EnergyRetired, Offer
from der_client.contracts.production_tracking import ProductionDay, Root
from der_client.contracts.settlement import EnergyClaimed, Ledger, Payment
from der_client.contracts.units import Purpose, Region
from der_client.index.columns import Amount, Mask, Moment, Numbers, column_for
from der_client.index.state import KEYS
from der_client.stacks.contract.annotations import Day, Principal, Timestamp, UInt
from der_client.stacks.contract.codecs import field_annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import BaseModel
    from sqlalchemy import engine

    from der_client.stacks.contract.events import Event

K = TypeVar("K")

VERSION: Final = 1
"""Version of these tables and of what they say. An index is derived data: one of another version is rebuilt."""
DIGEST: Final = "b0844909c6a407f3"
"""Digest of this version's tables. A test computes it, so that nobody changes a table without a new version."""

metadata: Final = MetaData()

about: Final = Table(
    "about",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
lease: Final = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Float, nullable=False),
)
blocks: Final = Table(
    "blocks",
    metadata,
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("parent_hash", Text),
    Column("time", Moment, nullable=False),
    Column("burn_height", BigInteger),
)
transactions: Final = Table(
    "transactions",
    metadata,
    Column("txid", Text, primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("tx_index", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("contract_id", Text),
    Column("function", Text),
    Column("status", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("fee_ustx", Amount, nullable=False),
    Column("read_count", BigInteger),
    Column("read_length", BigInteger),
    Column("runtime", BigInteger),
    Column("write_count", BigInteger),
    Column("write_length", BigInteger),
    Column("events", Integer, nullable=False),
    Index("transactions_of_height", "height", "tx_index"),
    Index("transactions_of_sender", "sender", "height"),
)
events: Final = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("height", BigInteger, nullable=False),
    Column("tx_index", BigInteger, nullable=False),
    Column("event_index", BigInteger, nullable=False),
    Column("txid", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("asset_id", BigInteger),
    Column("day", Date),
    Column("offer_id", BigInteger),
    Column("payment_id", BigInteger),
    Column("actor", Text),
    Index("events_of_height", "height"),
    Index("events_of_contract", "contract", "id"),
    Index("events_of_topic", "topic", "id"),
    Index("events_of_asset", "asset_id", "id"),
    Index("events_of_actor", "actor", "id"),
)
recordings: Final = Table(
    "recordings",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("asset_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("root_id", BigInteger),
    Column("mask", Mask, nullable=False),
    Column("wh", BigInteger, nullable=False),
    Column("first_slot", SmallInteger),
    Column("slot_wh", Numbers),
    Index("recordings_of_day", "asset_id", "day"),
)
"""What a call recorded for a day; ``slot_wh`` has the energy of each slot from ``first_slot`` on, if known."""


class _Tables(Mapping[K, Table]):
    """Tables by what is in them; each is made when it is first used, since a question needs few of them."""

    def __init__(self, keys: Iterable[K], make: Callable[[K], Table]) -> None:
        self._tables: dict[K, Table | None] = dict.fromkeys(keys)
        self._make = make
        self._lock = Lock()  # the pages ask from several threads, and a table can be made once only

    def __getitem__(self, key: K) -> Table:
        table = self._tables[key]
        if table is None:
            with self._lock:
                table = self._tables[key]
                if table is None:
                    table = self._tables[key] = self._make(key)
        return table

    def __iter__(self) -> Iterator[K]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def event_table_name(event: type[Event]) -> str:
    """Return the name of the table of a topic, such as ``event_offer_created``."""
    return f"event_{event.topic.replace('-', '_')}"


def _event_table(event: type[Event]) -> Table:
    identity: Column[Any] = Column(
        "event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    fields = [column_for(name, annotation) for name, annotation in field_annotations(event).items()]
    return Table(event_table_name(event), metadata, identity, *fields)


CONTRACT_OF_EVENT: Final[dict[type[Event], str]] = {
    event: contract.name for contract in CONTRACTS for event in contract.event_classes
}
"""The name of the contract that prints each class of event."""
EVENT_TABLES: Final[Mapping[type[Event], Table]] = _Tables(CONTRACT_OF_EVENT, _event_table)
"""The table of each class of event, by its class."""


_CERTIFICATE: Final = {
    "asset_id": UInt,
    "day": Day,
    "mask": UInt,
    "wh": UInt,
    "beneficiary": Principal,
    "purpose": Purpose,
    "claimant": Principal,
}
_FIELDS: Final[dict[str, type[BaseModel] | dict[str, Any]]] = {
    "system": {
        "contract_owner": Principal,
        "proposed_contract_owner": Principal | None,
        "paused": bool,
        "fee_bps": UInt | None,
        "next_fee_bps": UInt | None,
        "next_from": Timestamp | None,
    },
    "role": {},
    "asset": Asset,
    "asset_change": AssetChange,
    "day": ProductionDay,
    "root": Root,
    "connection": Connection,
    "export_schedule": {"export_schedule": ExportSchedule},
    "feed": Feed,
    "alert": RegionAlert,
    "offer": Offer,
    "day_book": DayBook,
    "retirement": _CERTIFICATE,
    "token": {},
    "payment": Payment,
    "claim": {"payment_id": UInt} | _CERTIFICATE,
    "credit": {"amount": UInt},
    "ledger": Ledger,
}
"""What each kind of state has beside its key: the fields of a model, or some of their own."""
_KEY_KINDS: Final[dict[str, Any]] = {
    "role": Role,
    "principal": Principal,
    "region": Region,
    "party": Principal,
    "token": Principal,
    "day": Day,
}
"""The types of key parts; all others are numbers."""
_SUMMED: Final = ("state", "token", "cost", "payout", "fee", "refund")
"""With all that is summed up by state and token in the index, no row is read for the sums."""
_ALSO_FOUND_BY: Final[dict[str, list[tuple[str, ...]]]] = {
    "asset": [("owner",)],
    "day": [("day",)],
    "offer": [("asset_id", "day"), ("seller",), ("state",)],
    "payment": [("asset_id", "day"), ("buyer",), ("payee",), ("offer_id",), _SUMMED],
    "claim": [("asset_id", "day"), ("beneficiary",)],
    "retirement": [("asset_id", "day"), ("beneficiary",)],
}


@cache
def _fields_of(name: str) -> dict[str, Any]:
    fields = _FIELDS[name]
    return fields if isinstance(fields, dict) else field_annotations(fields)


def _history_table(name: str) -> Table:
    keys = [column_for(key, _KEY_KINDS.get(key, UInt), is_key=True) for key in KEYS[name]]
    fields = [column_for(field, kind) for field, kind in _fields_of(name).items()]
    return Table(
        f"{name}_history",
        metadata,
        *keys,
        Column("from_height", BigInteger, primary_key=True, autoincrement=False),
        Column("to_height", BigInteger),
        *fields,
        Index(f"{name}_history_from", "from_height"),
    )


HISTORY_TABLES: Final[Mapping[str, Table]] = _Tables(KEYS, _history_table)
"""The table of each kind of state, by the names in `KEYS`."""


def fields_of_state(name: str) -> tuple[str, ...]:
    """Return the fields of a kind of state, without its key."""
    return tuple(_fields_of(name))


def create(connection: engine.Connection) -> None:
    """Make all tables and their indexes.

    Args:
        connection: A transaction of an empty database.
    """
    for tables in (EVENT_TABLES, HISTORY_TABLES):
        list(tables.values())  # makes each of them a part of the metadata
    metadata.create_all(connection)
    for statement in _partial_indexes():
        connection.exec_driver_sql(statement)


def _partial_indexes() -> Iterator[str]:
    """Yield indexes of some rows only, in words that SQLite and Postgres share: SQLAlchemy's differ, and load both."""
    for name in ("offer_id", "payment_id"):
        yield f"CREATE INDEX events_of_{name.removesuffix('_id')} ON events ({name}) WHERE {name} IS NOT NULL"
    for name, key in KEYS.items():
        table, now = f"{name}_history", "WHERE to_height IS NULL"
        yield f"CREATE UNIQUE INDEX {name}_now ON {table} ({', '.join(key)}) {now}"
        for columns in _ALSO_FOUND_BY.get(name, []):
            yield f"CREATE INDEX {name}_by_{'_'.join(columns)} ON {table} ({', '.join(columns)}) {now}"
        # Only for rows that are no longer valid: otherwise SQLite uses it to find the valid ones, which are nearly all.
        yield f"CREATE INDEX {table}_to ON {table} (to_height) WHERE to_height IS NOT NULL"


__all__ = [
    "CONTRACT_OF_EVENT",
    "EVENT_TABLES",
    "HISTORY_TABLES",
    "VERSION",
    "EnergyClaimed",
    "EnergyRetired",
    "about",
    "blocks",
    "create",
    "event_table_name",
    "events",
    "fields_of_state",
    "lease",
    "recordings",
    "transactions",
]
