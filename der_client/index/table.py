"""Results with many rows: a tuple that can become a data frame, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel

from der_client.stacks.contract.frames import to_pandas, to_polars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    import pandas as pd
    import polars as pl

T = TypeVar("T")


class Table(tuple[T, ...]):  # noqa: SLOT001 - a tuple of any length cannot have slots
    """Rows of one kind; the kind is known even if there are no rows.

    Attributes:
        kind: The class of the rows.
    """

    kind: type[T]

    def __new__(cls, kind: type[T], rows: Iterable[T] = ()) -> Self:
        """Make a table.

        Args:
            kind: The class of the rows, a dataclass.
            rows: The rows.
        """
        table = super().__new__(cls, rows)
        table.kind = kind
        return table

    def __getnewargs__(self) -> tuple[type[T], tuple[T, ...]]:
        """Return what pickling and copying need."""
        return self.kind, tuple(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the fields."""
        kind: Any = self.kind
        return tuple(each.name for each in fields(kind))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain values, fit for JSON: times and days as ISO text, states by their names."""
        return [{name: plain(getattr(row, name)) for name in self.columns} for row in self]

    def to_polars(self) -> pl.DataFrame:
        """Return a polars data frame.

        Raises:
            MissingExtraError: If polars is not installed.
        """
        frame = to_polars(self)
        if len(self):
            return frame
        import polars as pl  # noqa: PLC0415 - an extra

        return pl.DataFrame({name: [] for name in self.columns})

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        frame = to_pandas(self)
        if len(self):
            return frame
        import pandas as pd  # noqa: PLC0415 - an extra

        return pd.DataFrame(columns=list(self.columns))

    def to_json(self) -> str:
        """Return a JSON list of objects."""
        return json.dumps(self.rows())

    def to_csv(self, path: str | PathLike[str] | None = None) -> str:
        """Return CSV with a header row, and write it if a path is given.

        Text that a spreadsheet would read as a formula is prefixed with ``'``.

        Args:
            path: Where to write it.

        Raises:
            OSError: If it cannot be written.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(value) for value in row.values()] for row in self.rows())
        if path is not None:
            Path(path).write_text(text.getvalue(), encoding="utf-8", newline="")
        return text.getvalue()

    def to_parquet(self, path: str | PathLike[str]) -> None:
        """Write a Parquet file.

        Args:
            path: Where to write it.

        Raises:
            MissingExtraError: If polars is not installed.
            OSError: If it cannot be written.
        """
        self.to_polars().write_parquet(Path(path))


def plain(value: Any) -> Any:
    """Return a value as JSON can represent it.

    Args:
        value: A field of a result.
    """
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).__pydantic_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    if isinstance(value, list | dict):
        return json.dumps(value)
    return "" if value is None else value
