"""A year as a calendar: each day coloured by its energy, marked by its state."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from der_client.contracts.production_tracking import DayState
from der_client.web.amounts import energy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.index.answers import DayEnergy

LEVELS: Final = 6
CELL: Final = 10


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day.

    Attributes:
        day: The day.
        x: Its column, in units of ``CELL``.
        y: Its row.
        level: 0 for no energy, up to ``LEVELS`` - 1; ``None`` where nothing is recorded.
        state: The state's name, in lower case; ``future`` and ``before-it`` (its registration) for days without one.
        incomplete: Whether slots are missing.
        title: What it shows, in words.
    """

    day: date
    x: int
    y: int
    level: int | None
    state: str
    incomplete: bool
    title: str


@dataclass(frozen=True, slots=True)
class MonthGrid:
    """One month: seven columns, Monday first, and as many rows as it has weeks.

    Attributes:
        first: Its first day.
        rows: How many rows.
        cells: Its days.
        wh: Energy of all days, Wh.
    """

    first: date
    rows: int
    cells: tuple[DayCell, ...]
    wh: int


def year_grid(year: int, days: Iterable[DayEnergy], *, since: date, until: date) -> list[MonthGrid]:
    """Return the months of a year.

    Args:
        year: The year.
        days: Its days with something recorded.
        since: The day of the plant's registration; earlier ones are not shown as missing.
        until: The last day that has begun; later ones are not shown as missing.
    """
    known = {each.day: each for each in days}
    span = _Span(since, until, max((each.wh for each in known.values()), default=0))
    return [_month(date(year, month, 1), known, span) for month in range(1, 13)]


@dataclass(frozen=True, slots=True)
class _Span:
    since: date
    until: date
    largest_wh: int


def _month(first: date, known: dict[date, DayEnergy], span: _Span) -> MonthGrid:
    offset, length = first.weekday(), monthrange(first.year, first.month)[1]
    days = [first.replace(day=number) for number in range(1, length + 1)]
    cells = tuple(_cell(day, offset + number, known.get(day), span) for number, day in enumerate(days))
    wh = sum(known[day].wh for day in days if day in known)
    return MonthGrid(first, -(-(offset + length) // 7), cells, wh)


def _cell(day: date, place: int, known: DayEnergy | None, span: _Span) -> DayCell:
    row, column = divmod(place, 7)
    x, y = column * CELL, row * CELL
    if known is None or known.state is DayState.OPEN:
        if day > span.until:
            state, text = "future", "not yet"
        elif day < span.since:
            state, text = "before-it", "before its registration"
        else:
            state, text = "open", "nothing recorded"
        return DayCell(day, x, y, None, state, incomplete=False, title=f"{day}: {text}")
    level = 0 if known.wh == 0 else 1 + (known.wh - 1) * (LEVELS - 1) // max(1, span.largest_wh)
    missing = known.slots_total - known.slots_recorded
    words = [f"{day}: {energy(known.wh)}", known.state.name.lower()]
    if missing:
        words.append(f"{missing} of {known.slots_total} slots missing")
    state = known.state.name.lower()
    return DayCell(day, x, y, min(level, LEVELS - 1), state, incomplete=bool(missing), title=", ".join(words))
