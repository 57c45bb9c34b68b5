"""What is left of each day: what can be delivered, less what is sold, offered and retired."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from der_client.index.answers import DayBookRow


@dataclass(frozen=True, slots=True)
class DayLine:
    """The books of a day, of one plant or of several together, Wh.

    Attributes:
        day: The day.
        deliverable_wh: What can be delivered; ``None`` until a plant's is known.
        unknown: For how many plants this is not known yet.
        forward_funded_wh: Sold before the day began.
        spot_sold_wh: Sold once it was verified.
        retired_wh: Retired by the owner.
        open_wh: Offered but not taken.
        left_wh: What is neither sold, nor retired, nor offered; ``None`` until a plant's is known.
    """

    day: date
    deliverable_wh: int | None
    unknown: int
    forward_funded_wh: int
    spot_sold_wh: int
    retired_wh: int
    open_wh: int
    left_wh: int | None

    @property
    def sold_wh(self) -> int:
        """What is sold or retired."""
        return self.forward_funded_wh + self.spot_sold_wh + self.retired_wh

    @property
    def all_wh(self) -> int:
        """The total of a bar's shares."""
        return self.sold_wh + self.open_wh + (self.left_wh or 0)


def day_lines(books: Iterable[DayBookRow]) -> list[DayLine]:
    """Return a line for each day, with the books of all its plants.

    Args:
        books: The books of plants.
    """
    by_day: defaultdict[date, list[DayBookRow]] = defaultdict(list)
    for book in books:
        by_day[book.day].append(book)
    return [_line(day, by_day[day]) for day in sorted(by_day)]


def _line(day: date, books: list[DayBookRow]) -> DayLine:
    known = [book for book in books if book.deliverable_wh is not None]
    return DayLine(
        day=day,
        deliverable_wh=sum(book.deliverable_wh or 0 for book in known) if known else None,
        unknown=len(books) - len(known),
        forward_funded_wh=sum(book.forward_funded_wh for book in books),
        spot_sold_wh=sum(book.spot_sold_wh for book in books),
        retired_wh=sum(book.retired_wh for book in books),
        open_wh=sum(_open(book) for book in books),
        left_wh=sum(max(0, (book.deliverable_wh or 0) - _taken(book)) for book in known) if known else None,
    )


def _open(book: DayBookRow) -> int:
    return book.forward_open_wh + book.spot_open_wh


def _taken(book: DayBookRow) -> int:
    return _open(book) + book.forward_funded_wh + book.spot_sold_wh + book.retired_wh
