"""Pages of long lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def page_of(rows: Sequence[T], size: int, cursor: Callable[[T], int]) -> tuple[Sequence[T], int | None]:
    """Return the rows of a page, and the cursor of the next one.

    Args:
        rows: One row more than a page has, if there are that many.
        size: How many rows a page has.
        cursor: What the next page begins after.

    Returns:
        At most ``size`` rows; the cursor is ``None`` at the end of the list.
    """
    shown = rows[:size]
    return shown, cursor(shown[-1]) if len(rows) > size else None
