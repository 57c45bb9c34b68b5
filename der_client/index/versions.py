"""State in the database: rows with the heights between which they are valid, read and written many at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, update

from der_client.index.bulk import find_rows, insert_rows
from der_client.index.schema import HISTORY_TABLES, fields_of_state
from der_client.index.state import KEYS, Row, RowKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

_CHUNK: Final = 500
"""How many keys one statement names."""
_MOST_KEPT: Final = 200_000
"""How many rows stay in memory between two batches."""


@dataclass(slots=True)
class _Version:
    """A row after the last event.

    Attributes:
        row: Its fields; ``None`` if there is no such row.
        since: The height from which it is valid.
        is_stored: Whether the database has it.
    """

    row: Row | None
    since: int
    is_stored: bool


class Versions:
    """The state as of the last event, kept in a database when `flush` is called.

    Attributes:
        height: The height of the block whose events come next.
    """

    def __init__(self) -> None:
        self.height = 0
        self._connection: Connection | None = None
        self._known: dict[tuple[str, RowKey], _Version] = {}
        self._changed: set[tuple[str, RowKey]] = set()
        self._ended: defaultdict[str, list[Row]] = defaultdict(list)  # rows of the database that will get a to_height
        self._passed: defaultdict[str, list[Row]] = defaultdict(list)  # began and ended since the last flush

    def begin(self, connection: Connection) -> None:
        """Use a transaction of the database from here on."""
        self._connection = connection

    def forget(self) -> None:
        """Forget everything, whether in the database or not: a transaction was rolled back."""
        self._known.clear()
        self._drop_changes()

    def load(self, wanted: Iterable[tuple[str, RowKey]]) -> None:
        """Read rows that will be needed, many at once.

        Args:
            wanted: Tables and keys.
        """
        missing: defaultdict[str, set[RowKey]] = defaultdict(set)
        for table, key in wanted:
            if (table, key) not in self._known:
                missing[table].add(key)
        for table, keys in missing.items():
            ordered = list(keys)
            for first in range(0, len(ordered), _CHUNK):
                self._load(table, ordered[first : first + _CHUNK])

    def get(self, table: str, key: RowKey) -> Row | None:
        """Return a row, or ``None``."""
        version = self._known.get((table, key))
        if version is None:
            self._load(table, [key])
            version = self._known[table, key]
        return version.row

    def put(self, table: str, key: RowKey, row: Row) -> None:
        """Keep a row from the current height on."""
        self._set(table, key, row)

    def drop(self, table: str, key: RowKey) -> None:
        """Remove a row from the current height on."""
        if self.get(table, key) is not None:
            self._set(table, key, None)

    def flush(self) -> None:
        """Write what has changed."""
        connection = self._open()
        for name, ended in self._ended.items():
            history = HISTORY_TABLES[name]
            matches = [history.c[part] == bindparam(f"key_{part}", type_=history.c[part].type) for part in KEYS[name]]
            closing = update(history).where(*matches, history.c.to_height.is_(None))
            connection.execute(closing.values(to_height=bindparam("new_to_height")), ended)
        added = self._passed
        for table, key in self._changed:
            version = self._known[table, key]
            if not version.is_stored and version.row is not None:
                added[table].append(_record(table, key, version, None))
            version.is_stored = True
        for name, rows in added.items():
            insert_rows(connection, HISTORY_TABLES[name], rows)
        self._drop_changes()
        if len(self._known) > _MOST_KEPT:
            self._known.clear()

    def _drop_changes(self) -> None:
        self._changed.clear()
        self._ended.clear()
        self._passed.clear()

    def _open(self) -> Connection:
        assert self._connection is not None, "begin() comes first"  # noqa: S101 - used in this package only
        return self._connection

    def _set(self, table: str, key: RowKey, row: Row | None) -> None:
        place = (table, key)
        version = self._known.get(place)
        if version is None:
            self._load(table, [key])
            version = self._known[place]
        if version.row is not None and version.since != self.height:
            if version.is_stored:
                ending = {f"key_{name}": part for name, part in zip(KEYS[table], key, strict=True)}
                self._ended[table].append(ending | {"new_to_height": self.height})
            else:
                self._passed[table].append(_record(table, key, version, self.height))
        elif version.is_stored and version.row is not None:
            # The block's row is already in the database: the block was applied in part, which a transaction prevents.
            raise AssertionError(f"{table} {key} of block {self.height} is written twice")
        self._known[place] = _Version(row, self.height, is_stored=False)
        self._changed.add(place)

    def _load(self, table: str, keys: list[RowKey]) -> None:
        for found in find_rows(self._open(), HISTORY_TABLES[table], KEYS[table], keys):
            fields = {name: found[name] for name in fields_of_state(table)}
            key = tuple(found[name] for name in KEYS[table])
            self._known.setdefault((table, key), _Version(fields, found["from_height"], is_stored=True))
        for key in keys:
            self._known.setdefault((table, key), _Version(None, -1, is_stored=True))


def _record(table: str, key: RowKey, version: _Version, until: int | None) -> dict[str, Any]:
    assert version.row is not None  # noqa: S101 - used in this module only
    identity = dict(zip(KEYS[table], key, strict=True))
    return identity | version.row | {"from_height": version.since, "to_height": until}


def undo_above(connection: Connection, height: int) -> None:
    """Restore the state after a block.

    Args:
        connection: A transaction of the database.
        height: Of the block.
    """
    for history in HISTORY_TABLES.values():
        connection.execute(delete(history).where(history.c.from_height > height))
        connection.execute(update(history).where(history.c.to_height > height).values(to_height=None))


def holds_at(history: Table, height: int | None = None) -> Any:
    """Return the condition that a row is valid at a height, or now if none is given."""
    if height is None:
        return history.c.to_height.is_(None)
    return (history.c.from_height <= height) & (history.c.to_height.is_(None) | (history.c.to_height > height))
