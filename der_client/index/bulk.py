"""Inserts and finds many rows at once: with SQLAlchemy's own way, most of an index's time would go into each row."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Dialect

_Processor = Callable[[Any], Any]


class BulkInsert:
    """Inserts rows into a table, each a dict with all of its columns.

    Args:
        table: The table.
        dialect: The database's dialect.
    """

    def __init__(self, table: Table, dialect: Dialect) -> None:
        names = [column.name for column in table.columns]
        columns = ", ".join(map(dialect.identifier_preparer.quote, names))
        marks = ", ".join([_mark(dialect)] * len(names))
        self._sql = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 - names of our own
        self._values = itemgetter(*names)
        self._processors = _bind_processors(table, names, dialect)

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows.

        Args:
            connection: A transaction of the database.
            rows: Dicts that have each column; other keys are ignored.
        """
        connection.exec_driver_sql(self._sql, _converted(map(self._values, rows), self._processors))


class BulkFind:
    """Finds the rows of a table that are valid now and have one of many keys.

    Args:
        table: The table of a kind of state.
        key: The names of its key's parts.
        dialect: The database's dialect.
    """

    def __init__(self, table: Table, key: Sequence[str], dialect: Dialect) -> None:
        self._table, self._dialect = table, dialect
        self._key_mark = f"({', '.join([_mark(dialect)] * len(key))})"
        self._processors = _bind_processors(table, key, dialect)
        self._names = [column.name for column in table.columns]
        quote = dialect.identifier_preparer.quote
        self._head = f"WITH wanted ({', '.join(f'wanted_{name}' for name in key)}) AS (VALUES "
        self._tail = (
            f") SELECT {', '.join(map(quote, self._names))} FROM wanted JOIN {table.name} ON "  # noqa: S608 - names of our own
            f"{' AND '.join(f'{quote(name)} = wanted_{name}' for name in key)} WHERE to_height IS NULL"
        )

    def run(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """Yield rows as dicts of their columns.

        Args:
            connection: A transaction of the database.
            keys: The keys.
        """
        marks = ", ".join([self._key_mark] * len(keys))
        parameters = tuple(part for key in _converted(keys, self._processors) for part in key)
        result = connection.exec_driver_sql(f"{self._head}{marks}{self._tail}", parameters)
        assert result.cursor is not None  # noqa: S101 - it returns rows
        kinds = [description[1] for description in result.cursor.description]
        rows = result.all()
        processors = (
            column.type.dialect_impl(self._dialect).result_processor(self._dialect, kind)
            for column, kind in zip(self._table.columns, kinds, strict=True)
        )
        placed = [(place, processor) for place, processor in enumerate(processors) if processor is not None]
        for values in _converted(rows, placed):
            yield dict(zip(self._names, values, strict=True))


def _mark(dialect: Dialect) -> str:
    return "?" if dialect.paramstyle == "qmark" else "%s"


def _bind_processors(table: Table, names: Iterable[str], dialect: Dialect) -> list[tuple[int, _Processor]]:
    processors = (table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)
    return [(place, processor) for place, processor in enumerate(processors) if processor is not None]


def _converted(rows: Iterable[Sequence[Any]], processors: Sequence[tuple[int, _Processor]]) -> list[tuple[Any, ...]]:
    """Return rows with some of their values converted: each value once, since days, states and parties come again."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    if columns:
        for place, processor in processors:
            converted = {value: processor(value) for value in set(columns[place])}
            columns[place] = [converted[value] for value in columns[place]]
    return list(zip(*columns, strict=True))


_KNOWN: dict[tuple[Table, str], BulkInsert] = {}
_FINDERS: dict[tuple[Table, str], BulkFind] = {}


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows into a table.

    Args:
        connection: A transaction of the database.
        table: The table.
        rows: Dicts that have each column; other keys are ignored.
    """
    if not rows:
        return
    key = (table, connection.dialect.name)
    if key not in _KNOWN:
        _KNOWN[key] = BulkInsert(table, connection.dialect)
    _KNOWN[key].run(connection, rows)


def find_rows(
    connection: Connection, table: Table, key: Sequence[str], keys: Sequence[tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    """Find the rows that are valid now and have one of these keys.

    Args:
        connection: A transaction of the database.
        table: The table of a kind of state.
        key: The names of its key's parts.
        keys: The keys, at least one.
    """
    place = (table, connection.dialect.name)
    if place not in _FINDERS:
        _FINDERS[place] = BulkFind(table, key, connection.dialect)
    return _FINDERS[place].run(connection, keys)
