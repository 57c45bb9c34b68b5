"""Checks that rows come in order, each time once, and in plausible years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.readings.integers import least
from der_client.readings.intervals import MAX_YEARS_FROM_MEDIAN
from der_client.readings.slots import MICROSECONDS, SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from der_client.readings.errors import MeterDataError
    from der_client.readings.row_places import RowPlaces
    from der_client.readings.table import TableFormat


class RowOrder:
    """Checks the order of the rows of one channel.

    Args:
        places: Name the rows in errors.
        channels: Names what could distinguish several meters, for the error of a repeated time.
        form: How the table says it.

    Attributes:
        repeats: How many rows repeated the previous one and were left out.
    """

    def __init__(self, places: RowPlaces, channels: Callable[[], str], form: TableFormat) -> None:
        self._places = places
        self._channels = channels
        self._may_repeat = form.duplicates == "equal-once"
        self._is_descending = form.order == "descending"
        self.repeats = 0

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows without those that repeat the previous one.

        Args:
            frame: The rows, with the last one of the piece before.

        Raises:
            MeterDataError: If times go back or repeat, or a year is mistyped.
        """
        frame = self._without_repeats(frame)
        if frame.height:
            self._check_years(frame)
        return frame

    def _without_repeats(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        steps = frame["time"].diff()
        shortest = least(steps)
        if shortest is None or shortest > 0:
            return frame
        if shortest < 0:
            raise self._refuse_backwards(frame, steps)
        repeats = (steps == 0).fill_null(False)
        is_equal = repeats & (frame["number"].diff().fill_null(1) == 0) & (frame["end"].diff().fill_null(0) == 0)
        wrong = repeats & ~is_equal if self._may_repeat else repeats
        if wrong.any():
            index = wrong.arg_true()[0]
            raise self._refuse_repeat(frame, index, is_same=bool(is_equal[index]))
        self.repeats += int(repeats.sum())
        return frame.filter(~pl.Series(repeats))

    def _refuse_backwards(self, frame: pl.DataFrame, steps: pl.Series) -> MeterDataError:
        index = (steps < 0).arg_true()[0]
        if int((steps < 0).sum()) * 5 > (len(steps) - 1) * 4:
            if self._is_descending:
                return self._error(frame, index, 'the times ascend from row to row: leave `order="descending"` out')
            return self._error(frame, index, 'the times go back from row to row: give `order="descending"`')
        hint = self._channels() or 'sort the rows by time, or give `order="any"`'
        return self._error(frame, index, f"the time is before that of {self._before(frame, index)}: {hint}")

    def _refuse_repeat(self, frame: pl.DataFrame, index: int, *, is_same: bool) -> MeterDataError:
        hint = self._channels() or (
            'if equal rows may repeat, give `duplicates="equal-once"`'
            if is_same
            else "correct it; each time may appear only once"
        )
        reading = "the same" if is_same else "another"
        before = self._before(frame, index)
        return self._error(frame, index, f"the time repeats that of {before}, with {reading} reading: {hint}")

    def _before(self, frame: pl.DataFrame, index: int) -> str:
        return self._places.before(int(frame["record"][index - 1]))

    def _check_years(self, frame: pl.DataFrame) -> None:
        times = frame["time"]
        first = times.arg_min()
        if first is not None and int(times[first]) < 0:
            raise self._error(frame, first, "this is before 1970: a year must be mistyped; check `time_format`, too")
        median = int(times.sort()[times.len() // 2])
        limit = MAX_YEARS_FROM_MEDIAN * 366 * SECONDS_PER_DAY * MICROSECONDS
        for index in (times.arg_min(), times.arg_max()):
            if index is not None and abs(int(times[index]) - median) > limit:
                raise self._error(
                    frame,
                    index,
                    "this is more than 10 years from most readings: a year must be mistyped; correct it, "
                    "or leave it out with `from` and `to`",
                )

    def _error(self, frame: pl.DataFrame, index: int, problem: str) -> MeterDataError:
        return self._places.error(int(frame["record"][index]), problem)
