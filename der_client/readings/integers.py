"""The least and the greatest of a column of integers; polars says of both only that they are some value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def least(column: pl.Series) -> int | None:
    """Return the least of a column of integers, or None if there is none."""
    found: Any = column.min()
    return None if found is None else int(found)


def greatest(column: pl.Series) -> int | None:
    """Return the greatest of a column of integers, or None if there is none."""
    found: Any = column.max()
    return None if found is None else int(found)
