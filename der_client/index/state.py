"""Rows of state: their tables and keys, how they are stored, and how a rule changes them.

A row is a dict of the fields of the contracts' own models, without its key; rows are never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from der_client.stacks.contract.events import Event

Row = dict[str, Any]
RowKey = tuple[Any, ...]

STX: Final = "STX"
"""The name of the STX ledger, where others have a token's id."""
SYSTEM: Final[RowKey] = (1,)
"""The key of the one row of settings."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("id",),
    "role": ("role", "principal", "region"),
    "asset": ("asset_id",),
    "asset_change": ("asset_id",),
    "day": ("asset_id", "day"),
    "root": ("root_id",),
    "connection": ("asset_id",),
    "export_schedule": ("asset_id",),
    "feed": ("asset_id", "day"),
    "alert": ("region",),
    "offer": ("offer_id",),
    "day_book": ("asset_id", "day"),
    "retirement": ("retirement_id",),
    "token": ("token",),
    "payment": ("payment_id",),
    "claim": ("claim_id",),
    "credit": ("party", "token"),
    "ledger": ("token",),
}
"""The tables of state, and their keys."""


class State(Protocol):
    """A store of rows."""

    def get(self, table: str, key: RowKey) -> Row | None:
        """Return a row, or ``None``."""

    def put(self, table: str, key: RowKey, row: Row) -> None:
        """Store a row, replacing an older one."""

    def drop(self, table: str, key: RowKey) -> None:
        """Remove a row, if it is there."""


class MemoryState:
    """State in memory.

    Attributes:
        tables: The rows of each table by their keys.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[RowKey, Row]] = {name: {} for name in KEYS}

    def get(self, table: str, key: RowKey) -> Row | None:
        """Return a row, or ``None``."""
        return self.tables[table].get(key)

    def put(self, table: str, key: RowKey, row: Row) -> None:
        """Store a row, replacing an older one."""
        self.tables[table][key] = row

    def drop(self, table: str, key: RowKey) -> None:
        """Remove a row, if it is there."""
        self.tables[table].pop(key, None)


Handler = Callable[[State, Any], None]
HANDLERS: Final[dict[type[Event], tuple[Handler, tuple[str, ...]]]] = {}
"""The handler of each class of event, and the tables from which it reads the row that the event names."""


def on(*classes: type[Event], reads: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Register a handler for classes of events.

    Args:
        *classes: The classes.
        reads: The tables from which it reads the row that the event names.
    """

    def register(handler: Handler) -> Handler:
        for each in classes:
            HANDLERS[each] = handler, reads
        return handler

    return register


def fields_of(event: Event, *left_out: str) -> Row:
    """Return the fields of an event as a row, without some."""
    return {name: value for name, value in vars(event).items() if name not in left_out}


def change(state: State, table: str, key: RowKey, changes: Mapping[str, Any]) -> Row:
    """Set those fields of a row that it has."""
    row = require(state, table, key)
    changed = row | {name: value for name, value in changes.items() if name in row}
    state.put(table, key, changed)
    return changed


def require(state: State, table: str, key: RowKey) -> Row:
    """Return a row that earlier events have made.

    Raises:
        LookupError: If they have not.
    """
    row = state.get(table, key)
    if row is None:
        raise LookupError(f"an event changes {table} {key}, which no earlier event has made")
    return row
