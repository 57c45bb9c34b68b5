"""The index's tables, the same on SQLite and Postgres, made from the contracts' own models and events.

Facts (blocks, transactions, events, recordings) are added once. State rows are valid for a range of heights: from
``from_height`` until before ``to_height``, which is NULL while they are still valid. So a fork is undone by deleting
above the common ancestor, and any past state can be queried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy import text as sql

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
    from pydantic import BaseModel

    from der_client.stacks.contract.events import Event

VERSION: Final = 1
"""Version of these tables. An index is derived data, so one of another version is rebuilt, never migrated."""

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
    Index("events_of_offer", "offer_id", sqlite_where=sql("offer_id IS NOT NULL")),
    Index("events_of_payment", "payment_id", sqlite_where=sql("payment_id IS NOT NULL")),
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
EVENT_TABLES: Final[dict[type[Event], Table]] = {event: _event_table(event) for event in CONTRACT_OF_EVENT}
"""The table of each class of event, by its class."""


def _fields_of(model: type[BaseModel], *left_out: str) -> dict[str, Any]:
    return {name: kind for name, kind in field_annotations(model).items() if name not in left_out}


_CERTIFICATE: Final = {
    "asset_id": UInt,
    "day": Day,
    "mask": UInt,
    "wh": UInt,
    "beneficiary": Principal,
    "purpose": Purpose,
    "claimant": Principal,
}
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "system": {
        "contract_owner": Principal,
        "proposed_contract_owner": Principal | None,
        "paused": bool,
        "fee_bps": UInt | None,
        "next_fee_bps": UInt | None,
        "next_from": Timestamp | None,
    },
    "role": {},
    "asset": _fields_of(Asset),
    "asset_change": _fields_of(AssetChange),
    "day": _fields_of(ProductionDay),
    "root": _fields_of(Root),
    "connection": _fields_of(Connection),
    "export_schedule": {"export_schedule": ExportSchedule},
    "feed": _fields_of(Feed),
    "alert": _fields_of(RegionAlert),
    "offer": _fields_of(Offer),
    "day_book": _fields_of(DayBook),
    "retirement": _CERTIFICATE,
    "token": {},
    "payment": _fields_of(Payment),
    "claim": {"payment_id": UInt} | _CERTIFICATE,
    "credit": {"amount": UInt},
    "ledger": _fields_of(Ledger),
}
_KEY_KINDS: Final[dict[str, Any]] = {
    "role": Role,
    "principal": Principal,
    "region": Region,
    "party": Principal,
    "token": Principal,
    "day": Day,
}
"""The types of key parts; all others are numbers."""
_ALSO_FOUND_BY: Final[dict[str, list[tuple[str, ...]]]] = {
    "asset": [("owner",)],
    "day": [("day",)],
    "offer": [("asset_id", "day"), ("seller",), ("state",)],
    "payment": [("asset_id", "day"), ("buyer",), ("payee",), ("state",), ("offer_id",)],
    "claim": [("asset_id", "day"), ("beneficiary",)],
    "retirement": [("asset_id", "day"), ("beneficiary",)],
}


def _history_table(name: str) -> Table:
    keys = [column_for(key, _KEY_KINDS.get(key, UInt), is_key=True) for key in KEYS[name]]
    fields = [column_for(field, kind) for field, kind in _FIELDS[name].items()]
    table_name = f"{name}_history"
    now, over = sql("to_height IS NULL"), sql("to_height IS NOT NULL")
    current = Index(f"{name}_now", *KEYS[name], unique=True, sqlite_where=now, postgresql_where=now)
    others = [
        Index(f"{name}_by_{'_'.join(names)}", *names, sqlite_where=now, postgresql_where=now)
        for names in _ALSO_FOUND_BY.get(name, [])
    ]
    return Table(
        table_name,
        metadata,
        *keys,
        Column("from_height", BigInteger, primary_key=True, autoincrement=False),
        Column("to_height", BigInteger),
        *fields,
        Index(f"{table_name}_from", "from_height"),
        # Only for rows that are no longer valid: otherwise SQLite uses it to find the valid ones, which are nearly all.
        Index(f"{table_name}_to", "to_height", sqlite_where=over, postgresql_where=over),
        current,
        *others,
    )


HISTORY_TABLES: Final[dict[str, Table]] = {name: _history_table(name) for name in KEYS}
"""The table of each kind of state, by the names in `KEYS`."""


def fields_of_state(name: str) -> tuple[str, ...]:
    """Return the fields of a kind of state, without its key."""
    return tuple(_FIELDS[name])


__all__ = [
    "CONTRACT_OF_EVENT",
    "EVENT_TABLES",
    "HISTORY_TABLES",
    "VERSION",
    "EnergyClaimed",
    "EnergyRetired",
    "about",
    "blocks",
    "event_table_name",
    "events",
    "fields_of_state",
    "lease",
    "metadata",
    "recordings",
    "transactions",
]
