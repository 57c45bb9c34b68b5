"""Turns rows of readings, piece by piece, into a series of intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.integers import greatest, least
from der_client.readings.plausibility import Plausibility
from der_client.readings.quarter_hours import QuarterHours
from der_client.readings.row_lengths import RowLengths
from der_client.readings.row_order import RowOrder
from der_client.readings.slots import EPOCH, MICROSECONDS, SECONDS_PER_DAY, day_number

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from der_client.readings.intervals import IntervalSeries
    from der_client.readings.quantities import Unit
    from der_client.readings.row_lengths import Spans
    from der_client.readings.row_places import RowPlaces
    from der_client.readings.table import TableFormat

MOST_UNSORTED_ROWS: Final = 20_000_000
"""How many unordered rows are kept to be sorted: about 1 GB."""
_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS


@dataclass(slots=True)
class Rows:
    """Readings of one channel.

    Attributes:
        frame: ``record`` (number of the row in its file), ``time`` (µs since 1970, UTC), ``end`` (the same, or null if
            it is not given), ``number`` (Int128, or null where it is not known), ``estimated``, ``breaks`` (whether
            rows before it were left out).
        decimals: ``number`` has to be divided by 10 to the power of this.
    """

    frame: pl.DataFrame
    decimals: int


class IntervalBuilder:
    """Makes intervals from the rows of one channel; of each piece, it keeps only the last row.

    Args:
        form: The table's format.
        unit: The unit of the numbers.
        places: Name the rows in errors.
        channels: What could distinguish several meters, for the error about a repeated time.

    Attributes:
        kind: What the numbers are: ``power``, ``energy`` or ``register``.
    """

    def __init__(self, form: TableFormat, unit: Unit, places: RowPlaces, channels: Callable[[], str]) -> None:
        self.kind = form.kind or ("energy" if unit.is_energy else "power")
        self._form = form
        self._factor = unit.factor
        self._order = RowOrder(places, channels, form)
        self._lengths = RowLengths(form, self.kind, places)
        self._plausibility = Plausibility(form, self.kind, places)
        self._quarters = QuarterHours()
        self._last_row: Rows | None = None
        self._unsorted: list[Rows] = []
        self._extent_us: tuple[int, ...] = ()

    def feed(self, rows: Rows) -> None:
        """Take the next rows.

        Raises:
            MeterDataError: If something about them is ambiguous.
        """
        rows = Rows(self._within_range(rows.frame), rows.decimals)
        if self._form.order != "any":
            self._take(rows, is_last=False)
            return
        self._unsorted.append(rows)
        if sum(each.frame.height for each in self._unsorted) > MOST_UNSORTED_ROWS:
            raise MeterDataError(
                f'the table has more than {MOST_UNSORTED_ROWS:,} rows, and `order="any"` keeps all of them in memory: '
                'sort them by time and give `order="ascending"`, or read part of them with `from` and `to`'
            )

    def _within_range(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        low, high = range_us(self._form)
        if low is None and high is None:
            return frame
        found = (least(frame["time"]), greatest(frame["time"]))
        known = [*self._extent_us, *(each for each in found if each is not None)]
        self._extent_us = (min(known), max(known)) if known else ()
        if low is not None:
            frame = frame.filter(pl.col("time") >= low)
        if high is not None:
            frame = frame.filter(pl.col("time") <= high)
        return frame

    def _take(self, rows: Rows, *, is_last: bool) -> None:
        joined = _concatenated([self._last_row, rows] if self._last_row is not None else [rows])
        frame = self._order.check(joined.frame)
        self._last_row = Rows(frame.slice(frame.height - 1), joined.decimals) if frame.height else None
        spans = self._lengths.spans(frame, joined.decimals, is_last=is_last) if frame.height else None
        if spans is not None and len(spans.starts):
            self._plausibility.count(spans.numbers, joined.decimals)
            self._join(spans, joined.decimals)

    def _join(self, spans: Spans, decimals: int) -> None:
        import polars as pl  # noqa: PLC0415

        numbers, factor = spans.numbers, self._factor / 10**decimals
        if self.kind != "register":
            if self._form.sign == "negative":
                numbers = numbers * pl.Series([-1], dtype=pl.Int128)
            if (least(numbers) or 0) < 0:
                zero = pl.lit(0, dtype=pl.Int128)
                numbers = pl.select(pl.when(numbers < 0).then(zero).otherwise(numbers)).to_series()
        self._plausibility.check_size(spans.rows, numbers, factor)
        add = self._quarters.add_powers if self.kind == "power" else self._quarters.add_energies
        add(spans.starts, spans.ends, numbers, spans.rows["estimated"], factor)

    def finish(self, utc_offset_seconds: int = 0) -> IntervalSeries:
        """Return the series.

        Args:
            utc_offset_seconds: Offset of the local time at the beginning.

        Raises:
            MeterDataError: If there is no reading, or they contradict the format.
        """
        if self._unsorted:
            rows = _concatenated(self._unsorted)
            self._unsorted.clear()
            self._last_row = Rows(rows.frame.sort("time", maintain_order=True), rows.decimals)
        self._check_range()
        if self._last_row is not None:
            rows, self._last_row = self._last_row, None
            self._take(rows, is_last=True)
        if not self._plausibility.rows:
            if self.kind == "register" or self._form.until_next:
                raise MeterDataError("there are fewer than two readings, so nothing says how long one lasts")
            raise MeterDataError("the data have no reading: check the file and the columns")
        self._plausibility.check(self._quarters.days)
        self._lengths.check()
        series = self._quarters.series(utc_offset_seconds, self._notes())
        series.check_years()
        low, high = range_us(self._form)
        return series if low is None and high is None else series.between_us(low, high)

    def _check_range(self) -> None:
        """Refuse a range in which the file has no reading."""
        if not self._extent_us:
            return
        low, high = range_us(self._form)
        first, last = self._extent_us
        if (low is not None and last < low) or (high is not None and first >= high + (self._form.stamped == "end")):
            begin, end = (EPOCH + timedelta(microseconds=each) for each in (first, last))
            raise MeterDataError(
                f"no reading is between `from` and `to`; the file has {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
            )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        resets, repeats = self._lengths.resets, self._order.repeats
        if resets and self._form.register_size is None and self._form.register_reset == "unknown":
            notes.append(
                f"the register showed less than before {_times(resets)}; the energy of these intervals is unknown"
            )
        if repeats:
            notes.append(f"rows that repeat the one before, and count once: {repeats}")
        return (*notes, *self._plausibility.notes())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def range_us(form: TableFormat) -> tuple[int | None, int | None]:
    """Return the beginning and the end of the range to read, µs since 1970; None for no limit."""
    low = None if form.from_ is None else day_number(form.from_) * _DAY_US
    high = None if form.to is None else (day_number(form.to) + 1) * _DAY_US
    return low, high


def _concatenated(parts: list[Rows]) -> Rows:
    """Return rows as one, their numbers of the same decimals."""
    import polars as pl  # noqa: PLC0415

    if len(parts) == 1:
        return parts[0]
    decimals = max(part.decimals for part in parts)
    frames = [
        part.frame.with_columns(number=pl.col("number") * pl.lit(10 ** (decimals - part.decimals), dtype=pl.Int128))
        if part.decimals != decimals
        else part.frame
        for part in parts
    ]
    return Rows(pl.concat(frames), decimals)
