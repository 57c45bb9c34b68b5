"""How long each row of a table lasts, and so the interval of its reading."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from der_client.readings.errors import MeterDataError
from der_client.readings.integers import greatest, least
from der_client.readings.slots import MICROSECONDS

if TYPE_CHECKING:
    import polars as pl

    from der_client.readings.row_places import RowPlaces
    from der_client.readings.table import TableFormat


@dataclass(frozen=True, slots=True)
class Spans:
    """Rows as intervals; every column has one entry per row.

    Attributes:
        rows: The rows.
        starts: When each begins, µs since 1970.
        ends: When each ends.
        numbers: Its reading, or null.
    """

    rows: pl.DataFrame
    starts: pl.Series
    ends: pl.Series
    numbers: pl.Series


class RowLengths:
    """Finds how long the rows of one channel last, piece by piece.

    Args:
        form: How the table says it.
        kind: What the numbers are: ``power``, ``energy`` or ``register``.
        places: Name the rows in errors.

    Attributes:
        resets: In how many intervals a register showed less than before.
    """

    def __init__(self, form: TableFormat, kind: str, places: RowPlaces) -> None:
        self._form = form
        self._is_register = kind == "register"
        self._places = places
        self._step_us: int | None = None
        self._last_step_us: int | None = None
        self._shortest_us: int | None = None
        self.resets = 0

    def spans(self, frame: pl.DataFrame, decimals: int, *, is_last: bool) -> Spans | None:
        """Return the rows as intervals; the last row waits for the next piece unless there is none.

        Args:
            frame: The rows, with the last one of the previous piece.
            decimals: The decimals of their numbers.
            is_last: Whether there is no piece after this one.

        Returns:
            The intervals, or None if there are none yet.

        Raises:
            MeterDataError: If the length of a row is ambiguous.
        """
        if not frame["end"].null_count():
            return self._said(frame, is_last=is_last)
        if self._is_register:
            return self._register(frame, decimals)
        if self._form.until_next:
            return self._until_next(frame, is_last=is_last)
        return self._constant(frame, is_last=is_last)

    def check(self) -> None:
        """Check that the rows were as far apart as the format says.

        Raises:
            MeterDataError: If they never were.
        """
        step, shortest = self._form.interval_seconds, self._shortest_us
        if step is not None and shortest is not None and shortest != step * MICROSECONDS:
            raise MeterDataError(
                f"no two rows are {step} s apart, as `interval_seconds` says; the shortest step is "
                f"{_seconds(shortest)}: give `interval_seconds={shortest // MICROSECONDS}`"
            )

    def _said(self, frame: pl.DataFrame, *, is_last: bool) -> Spans:
        """Use the ends in the table."""
        late = frame["end"][:-1] > frame["time"][1:]
        if late.any():
            raise self._error(
                frame,
                late.arg_true()[0] + 1,
                "the interval begins before the one of the row before ends: check `end_time`",
            )
        empty = frame["end"] <= frame["time"]
        if empty.any():
            raise self._error(frame, empty.arg_true()[0], "the interval ends before it begins: check `end_time`")
        rows = frame if is_last else frame[:-1]
        return Spans(rows, rows["time"], rows["end"], rows["number"])

    def _until_next(self, frame: pl.DataFrame, *, is_last: bool) -> Spans:
        """Let each row last until the next one."""
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        times = frame["time"]
        form = self._form
        if frame.height > 1:
            self._last_step_us = int(times[-1]) - int(times[-2])
        if is_last and self._last_step_us and (form.stamped, form.last_row) == ("start", "as-before"):
            end = int(times[-1]) + self._last_step_us
            return Spans(frame, times, pl.concat([times[1:], pl.Series([end], dtype=pl.Int64)]), frame["number"])
        rows = frame[1:] if form.stamped == "end" else frame[:-1]
        return Spans(rows, times[:-1], times[1:], rows["number"])

    def _constant(self, frame: pl.DataFrame, *, is_last: bool) -> Spans | None:
        """Let all rows last equally long. Each deviation is an error unless an interval is given."""
        step = self._step(frame)
        if step is None:
            if not is_last:
                return None
            raise MeterDataError("the length of an interval cannot be seen from one row: give `interval_seconds`")
        steps = frame["time"].diff()
        checked = steps.filter(~frame["breaks"] & steps.is_not_null())
        shortest = least(checked)
        if shortest is not None:
            if self._form.interval_seconds is None:
                if shortest != step or greatest(checked) != step:
                    wrong = ((steps != step) & ~frame["breaks"]).fill_null(False)
                    raise self._refuse_step(frame, wrong.arg_true()[0], step)
            else:
                self._check_multiples(frame, steps, step)
                self._shortest_us = min(self._shortest_us or shortest, shortest)
        rows = frame if is_last else frame[:-1]
        starts = rows["time"] - (step if self._form.stamped == "end" else 0)
        return Spans(rows, starts, starts + step, rows["number"])

    def _step(self, frame: pl.DataFrame) -> int | None:
        if self._step_us is None:
            if self._form.interval_seconds is not None:
                self._step_us = self._form.interval_seconds * MICROSECONDS
            else:
                steps = frame["time"].diff().filter(~frame["breaks"]).drop_nulls()
                self._step_us = int(steps[0]) if len(steps) else None
        return self._step_us

    def _check_multiples(self, frame: pl.DataFrame, steps: pl.Series, step: int) -> None:
        off = ((steps < step) | (steps % step != 0)).fill_null(False)
        if off.any():
            index = off.arg_true()[0]
            raise self._error(
                frame,
                index,
                f"the row comes {_seconds(int(steps[index]))} after the one before, not a multiple of the interval "
                f"of {_seconds(step)}: check `interval_seconds`",
            )

    def _refuse_step(self, frame: pl.DataFrame, index: int, step: int) -> MeterDataError:
        found = int(frame["time"][index]) - int(frame["time"][index - 1])
        before = self._places.before(int(frame["record"][index - 1]))
        is_null = frame["number"][index] is None or frame["number"][index - 1] is None
        skip = ' If rows without a reading do not count, give `nulls="skip"`.' if is_null else ""
        shorter, longer = sorted((step, found))
        absent = (
            f"; if all intervals are equal and rows are absent, give `interval_seconds={shorter // MICROSECONDS}`"
            if longer % shorter == 0
            else ""
        )
        return self._error(
            frame,
            index,
            f"the step between rows changes: this row comes {_seconds(found)} after {before}, those before "
            f"{_seconds(step)} apart. If each row lasts until the next, give `until_next=True`{absent}.{skip}",
        )

    def _register(self, frame: pl.DataFrame, decimals: int) -> Spans:
        """Compute the energy between two readings of a register."""
        import polars as pl  # noqa: PLC0415

        shown, times = frame["number"], frame["time"]
        gone = shown[1:] - shown[:-1]
        reset = (gone < 0).fill_null(False)
        if reset.any():
            self.resets += int(reset.sum())
            instead = pl.repeat(None, len(gone), dtype=pl.Int128, eager=True)
            if self._form.register_size is not None:
                rolled = gone + pl.Series([self._size(self._form.register_size, decimals)], dtype=pl.Int128)
                instead = pl.select(pl.when(rolled >= 0).then(rolled)).to_series()
            elif self._form.register_reset == "zero":
                instead = shown[1:]
            gone = pl.select(pl.when(reset).then(instead).otherwise(gone)).to_series()
        return Spans(frame[1:], times[:-1], times[1:], gone)

    def _size(self, size: object, decimals: int) -> int:
        exact = Fraction(str(size)) * 10**decimals
        if exact.denominator != 1:
            raise MeterDataError(f"`register_size` {size} has more decimals than the register")
        return int(exact)

    def _error(self, frame: pl.DataFrame, index: int, problem: str) -> MeterDataError:
        return self._places.error(int(frame["record"][index]), problem)


def _seconds(microseconds: int) -> str:
    return f"{microseconds / MICROSECONDS:g} s"
