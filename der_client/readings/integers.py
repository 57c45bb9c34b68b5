"""The minimum and maximum of a column of integers, with a type: polars leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def least(column: pl.Series) -> int | None:
    """Return the minimum of a column of integers, or None if there is none."""
    found: Any = column.min()
    return None if found is None else int(found)


def greatest(column: pl.Series) -> int | None:
    """Return the maximum of a column of integers, or None if there is none."""
    found: Any = column.max()
    return None if found is None else int(found)
