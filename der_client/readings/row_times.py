"""When each row of a table begins, and if the table says so, ends, as instants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.readings.clocks import Clock
from der_client.readings.errors import MeterDataError
from der_client.readings.slots import MICROSECONDS, SECONDS_PER_DAY, SECONDS_PER_HOUR
from der_client.readings.timestamps import LocalTimes, parse_times

if TYPE_CHECKING:
    import polars as pl

    from der_client.readings.cell_errors import CellErrors
    from der_client.readings.table import TableFormat
    from der_client.readings.table_columns import TableColumns

_HOUR: Final = re.compile(r"\D{0,4}(\d{1,2})(?::00)?", re.ASCII)
_PERIOD: Final = re.compile(r"(\d{1,4})(?::00)?", re.ASCII)
_QUARTER: Final = re.compile(r"\D{0,2}(\d)", re.ASCII)
_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS
_HOUR_US: Final = SECONDS_PER_HOUR * MICROSECONDS
_QUARTER_US: Final = 900 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Times:
    """The times of rows; where each row is a day, those of its intervals.

    Attributes:
        starts: When each begins, or its timestamp, µs since 1970; null where a change of clocks leaves it unknown.
        ends: When each ends; null if unknown.
    """

    starts: pl.Series
    ends: pl.Series


@dataclass(frozen=True, slots=True)
class _Starts:
    """Starts of intervals, as instants and as the clock showed them."""

    instants: pl.Series
    local: pl.Series


class RowTimes:
    """Reads the times of the rows of one channel, piece by piece.

    Args:
        form: How the table says it.
        columns: Where its columns are.
        are_ends: Whether timestamps are ends: of intervals, or moments at which a register was read.

    Attributes:
        offset_seconds: The offset from UTC of the first time.
    """

    def __init__(self, form: TableFormat, columns: TableColumns, *, are_ends: bool) -> None:
        self._form = form
        self._columns = columns
        self._are_ends = are_ends
        self._clock = None if form.zone is None else Clock(form.zone, form.ambiguous)
        self._has_offset = False
        self.offset_seconds = 0

    def read(self, rows: pl.DataFrame, errors: CellErrors) -> Times:
        """Read the times of the next rows.

        Args:
            rows: All cells as text.
            errors: The errors of these rows.

        Raises:
            MeterDataError: If a time cannot be read, does not exist, or is repeated and nothing says which pass is
                meant.
        """
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        form = self._form
        texts = self._columns.texts(rows, *self._columns.time)
        errors = errors.of(" ".join(self._columns.time), texts)
        if form.range_separator is not None:
            return self._of_ranges(texts, form.range_separator, rows, errors)
        times = parse_times(texts, form.time_format, errors)
        if form.wide is not None:
            return self._of_wide(times.microseconds, errors)
        if form.period is not None:
            return self._of_periods(form.period, times.microseconds, rows, errors)
        if form.hour is not None:
            return self._of_hours(form.hour, times.microseconds, rows, errors)
        starts = self._to_utc(times, rows, errors, are_ends=self._are_ends)
        if not form.end_time:
            return Times(starts.instants, pl.repeat(None, len(texts), dtype=pl.Int64, eager=True))
        late = self._columns.texts(rows, *form.end_time)
        if re.match(r"\d{1,2}:\d\d", str(late[0])) and len(form.time) > 1:
            late = self._columns.texts(rows, *form.time[:-1]) + " " + late
        return Times(starts.instants, self._ends(late, starts, errors.of(" ".join(form.end_time), late)))

    def finish(self) -> None:
        """Say that there are no more rows.

        Raises:
            MeterDataError: If the order of rows did not say which of two hours was meant.
        """
        if self._clock is not None:
            self._clock.finish()

    # Local times as instants

    def _to_utc(self, times: LocalTimes, rows: pl.DataFrame, errors: CellErrors, *, are_ends: bool) -> _Starts:
        import polars as pl  # noqa: PLC0415

        local, offsets = times.microseconds, times.offsets
        if not offsets.null_count():
            if len(offsets):
                self._note_offset(int(offsets[0]))
            return _Starts(local - offsets * MICROSECONDS, local)
        if self._clock is None:
            raise errors(
                offsets.is_null().arg_true()[0],
                "the time has no offset from UTC: give `time_zone`, the zone of the meter's clock, such as +01:00 "
                "or Europe/Berlin",
            )
        second = None
        if self._form.ambiguous == "flag" and self._form.ambiguous_column:
            words = [word.lower() for word in self._form.ambiguous_second]
            second = self._columns.texts(rows, self._form.ambiguous_column).str.to_lowercase().is_in(words)
        instants = self._clock.to_utc(local, second=second, are_ends=are_ends, refuse=errors)
        if offsets.null_count() < len(offsets):
            said = local - offsets * MICROSECONDS
            instants = pl.select(pl.when(offsets.is_null()).then(instants).otherwise(said)).to_series()
        known = instants.is_not_null().arg_true()
        if len(known):
            self._note_offset((int(local[known[0]]) - int(instants[known[0]])) // MICROSECONDS)
        return _Starts(instants, local)

    def _note_offset(self, offset: int) -> None:
        if not self._has_offset:
            self.offset_seconds, self._has_offset = offset, True

    def _instants(self, local: pl.Series, errors: CellErrors, rows: pl.DataFrame | None = None) -> pl.Series:
        """Convert computed local times, such as those of hours and periods."""
        import polars as pl  # noqa: PLC0415

        if rows is None and self._form.ambiguous == "flag":
            raise MeterDataError('`ambiguous="flag"` needs a row for each interval')
        times = LocalTimes(local, pl.repeat(None, len(local), dtype=pl.Int64, eager=True))
        return self._to_utc(times, pl.DataFrame() if rows is None else rows, errors, are_ends=False).instants

    # Ends in the table

    def _of_ranges(self, texts: pl.Series, separator: str, rows: pl.DataFrame, errors: CellErrors) -> Times:
        parts = texts.str.splitn(separator, 2).struct.unnest()
        late = parts["field_1"].fill_null("")
        if (late == "").any():
            raise errors(
                (late == "").arg_true()[0], f"expected two times with {separator!r} between: check `range_separator`"
            )
        early = parse_times(parts["field_0"].str.strip_chars(), self._form.time_format, errors)
        starts = self._to_utc(early, rows, errors, are_ends=False)
        return Times(starts.instants, self._ends(late.str.strip_chars(), starts, errors))

    def _ends(self, texts: pl.Series, starts: _Starts, errors: CellErrors) -> pl.Series:
        """Return the ends of intervals: the first moment after each start that has this local time."""
        import polars as pl  # noqa: PLC0415

        times = parse_times(texts, self._form.time_format, errors)
        if not times.offsets.null_count():
            return times.microseconds - times.offsets * MICROSECONDS
        clock = self._clock
        if clock is None:
            raise errors(0, "the end has no offset from UTC, unlike the start: give `time_zone`")
        ends = times.microseconds - (starts.local - starts.instants)
        is_odd = (ends <= starts.instants) | (ends - starts.instants > _DAY_US // 8)
        for change in clock.changes_within(starts.instants):
            at = change.at * MICROSECONDS
            is_odd = is_odd | ((starts.instants <= at) & (ends >= at - _DAY_US // 4))
        if not is_odd.any():
            return ends
        fixed: list[int | None] = ends.to_list()
        for index in is_odd.arg_true().to_list():
            begin = starts.instants[index]
            if begin is None:
                continue
            local = int(times.microseconds[index])
            found = clock.moments(local)
            if local <= int(starts.local[index]) and not any(moment > begin for moment in found):
                found = clock.moments(local + _DAY_US)  # a time of day after midnight, with the previous day
            later = [moment for moment in found if moment > begin]
            if not later:
                raise errors(index, "the interval ends before it begins: check `end_time`")
            fixed[index] = min(later)
        return pl.Series(fixed, dtype=pl.Int64)

    # Days with hours or periods

    def _of_wide(self, midnights: pl.Series, errors: CellErrors) -> Times:
        import polars as pl  # noqa: PLC0415

        count = len(self._columns.wide)
        step = SECONDS_PER_DAY // count * MICROSECONDS
        index = pl.int_range(len(midnights) * count, dtype=pl.Int64, eager=True)
        local = midnights.gather(index // count) + (index % count) * step
        starts = self._instants(local, errors.at(index // count))
        return Times(starts, starts + step)

    def _of_periods(self, name: str, midnights: pl.Series, rows: pl.DataFrame, errors: CellErrors) -> Times:
        minutes = self._form.period_minutes
        texts = self._columns.texts(rows, name)
        numbers = _small_numbers(texts, _PERIOD, errors.of(name, texts))
        length = minutes * 60 * MICROSECONDS
        starts = self._instants(midnights, errors) + (numbers - 1) * length
        wrong = (numbers < 1) | (starts + length > self._instants(midnights + _DAY_US, errors))
        if wrong.any():
            raise errors.of(name, texts)(
                wrong.arg_true()[0],
                f"the day does not have this period of {minutes} minutes: check `period_minutes`",
            )
        return Times(starts, starts + length)

    def _of_hours(self, name: str, midnights: pl.Series, rows: pl.DataFrame, errors: CellErrors) -> Times:
        first = 1 if self._form.hour_counts == "end" else 0
        texts = self._columns.texts(rows, name)
        hours = _small_numbers(texts, _HOUR, errors.of(name, texts)) - first
        wrong = (hours < 0) | (hours > 23)
        if wrong.any():
            raise errors.of(name, texts)(
                wrong.arg_true()[0],
                f"expected an hour from {first} to {first + 23}: check `hour_counts`; hours that are counted "
                "through changes of clocks are `period` with `period_minutes=60`",
            )
        local, length = midnights + hours * _HOUR_US, _HOUR_US
        if self._form.quarter is not None:
            local, length = local + self._quarters(self._form.quarter, rows, errors) * _QUARTER_US, _QUARTER_US
        starts = self._instants(local, errors, rows)
        return Times(starts, starts + length)

    def _quarters(self, name: str, rows: pl.DataFrame, errors: CellErrors) -> pl.Series:
        texts = self._columns.texts(rows, name)
        quarters = _small_numbers(texts, _QUARTER, errors.of(name, texts))
        wrong = (quarters < 1) | (quarters > 4)
        if wrong.any():
            raise errors.of(name, texts)(wrong.arg_true()[0], "expected a quarter from 1 to 4")
        return quarters - 1


def _small_numbers(texts: pl.Series, pattern: re.Pattern[str], errors: CellErrors) -> pl.Series:
    import polars as pl  # noqa: PLC0415

    found = {text: pattern.fullmatch(text) for text in texts.unique().to_list()}
    for text, match in found.items():
        if match is None:
            raise errors((texts == text).arg_true()[0], "expected a number")
    known = {text: int(match[1]) for text, match in found.items() if match is not None}
    return texts.replace_strict(known, return_dtype=pl.Int64)
