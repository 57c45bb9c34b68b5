"""Inserts many rows at once. With SQLAlchemy's own inserts, most of an index's time would go into handling each row."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Dialect


class BulkInsert:
    """Inserts rows into a table, each a dict with all of its columns.

    Args:
        table: The table.
        dialect: The database's dialect.
    """

    def __init__(self, table: Table, dialect: Dialect) -> None:
        quote = dialect.identifier_preparer
        names = [column.name for column in table.columns]
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        columns = ", ".join(quote.quote(name) for name in names)
        self._sql = f"INSERT INTO {quote.format_table(table)} ({columns}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 - names of our own
        self._values = itemgetter(*names)
        self._processors: list[tuple[int, Callable[[Any], Any]]] = []
        for place, column in enumerate(table.columns):
            processor = column.type.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None:
                self._processors.append((place, processor))

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows.

        Args:
            connection: A transaction of the database.
            rows: Dicts that have each column; other keys are ignored.
        """
        converted = []
        for row in rows:
            values = list(self._values(row))
            for place, processor in self._processors:
                values[place] = processor(values[place])
            converted.append(tuple(values))
        connection.exec_driver_sql(self._sql, converted)


_KNOWN: dict[tuple[Table, str], BulkInsert] = {}


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
