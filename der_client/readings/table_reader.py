"""Reads a table of meter data, piece by piece, as a series of intervals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final

from der_client.readings.cell_errors import CellErrors
from der_client.readings.channel_sums import sum_channels
from der_client.readings.errors import MeterDataError
from der_client.readings.interval_builder import IntervalBuilder, Rows
from der_client.readings.row_times import RowTimes
from der_client.readings.row_values import read_estimated, read_values
from der_client.readings.table_columns import TableColumns
from der_client.stacks.errors import counted
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from der_client.readings.intervals import IntervalSeries
    from der_client.readings.row_places import RowPlaces
    from der_client.readings.table import TableFormat

_MOST_SHOWN: Final = 8


def require_polars() -> None:
    """Check that polars is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    with require_extra("readings"):
        import polars  # noqa: F401, ICN001, PLC0415


@dataclass(frozen=True, slots=True)
class _Channel:
    """Rows that belong together: all, or those of one combination of values in ``where``."""

    where: dict[str, str]
    times: RowTimes
    builder: IntervalBuilder


class TableReader:
    """Reads the rows of a table, piece by piece.

    Args:
        form: How the table says it.
        header: The names of its columns.
        places: Name the rows in errors.

    Attributes:
        columns: Where the columns are.

    Raises:
        MeterDataError: If a column is not there, or nothing says the unit.
    """

    def __init__(self, form: TableFormat, header: Sequence[str], places: RowPlaces) -> None:
        self._form = form
        self._places = places
        self.columns = TableColumns(form, header)
        self._seen: dict[str, set[str]] = {name: set() for name in (*self.columns.meters, *form.where)}
        self._last: pl.DataFrame | None = None
        self._channels = [
            self._channel(dict(zip(form.where, words, strict=True))) for words in product(*form.where.values())
        ]
        self._skipped = 0
        self._has_rows = False

    def _channel(self, where: dict[str, str]) -> _Channel:
        builder = IntervalBuilder(self._form, self.columns.unit, self._places, self._channel_hint)
        are_ends = self._form.stamped == "end" or builder.kind == "register"
        return _Channel(where, RowTimes(self._form, self.columns, are_ends=are_ends), builder)

    def _channel_hint(self) -> str:
        return "" if self._last is None else self.columns.advice_to_pick(self._last)

    def feed(self, frame: pl.DataFrame) -> None:
        """Take the next rows.

        Args:
            frame: All cells as text, in columns that are named by their number from 0; and ``record``, the number of
                the row in the file. Rows of a table in descending order come from its end.

        Raises:
            MeterDataError: If a cell cannot be read, or something is ambiguous.
        """
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        self._last = frame
        frame = self.columns.without_empty(frame)
        readings = self.columns.without_skipped(frame)
        self._skipped += frame.height - readings.height
        frame = readings
        self._check_meters(frame)
        for channel in self._channels:
            rows = frame
            for name, word in channel.where.items():
                rows = rows.filter(pl.col(self.columns.number(name)).str.strip_chars() == word)
            if rows.height:
                self._has_rows = True
                self._feed_channel(channel, rows)

    def _check_meters(self, frame: pl.DataFrame) -> None:
        """Refuse rows of several meters, unless the format names them."""
        import polars as pl  # noqa: PLC0415

        chosen = frame
        for name, words in self._form.where.items():
            chosen = chosen.filter(pl.col(self.columns.number(name)).str.strip_chars().is_in(words))
        for name, seen in self._seen.items():
            if len(seen) <= _MOST_SHOWN:
                rows = frame if name in self._form.where else chosen
                seen.update(rows[self.columns.number(name)].unique().str.strip_chars().to_list())
        for name in self.columns.meters:
            values = sorted(value for value in self._seen[name] if value)
            if len(values) > 1:
                shown = ", ".join(map(repr, values[:_MOST_SHOWN])) + (", …" if len(values) > _MOST_SHOWN else "")
                raise MeterDataError(
                    f"the file has several: {shown}; pick one with `where={name}={values[0]}`; if you name "
                    "several, they are added up",
                    column=name,
                )

    def _feed_channel(self, channel: _Channel, rows: pl.DataFrame) -> None:
        import polars as pl  # noqa: PLC0415

        records = rows["record"]
        errors = CellErrors(records, self._places, "", records)
        with ThreadPoolExecutor(1) as other:  # polars works without Python's lock
            later = other.submit(read_values, rows, self._form, self.columns, errors)
            times = channel.times.read(rows, errors)
            values = later.result()
        estimated = read_estimated(rows, self._form, self.columns, errors)
        if self.columns.wide:
            index = pl.int_range(len(times.starts), dtype=pl.Int64, eager=True) // len(self.columns.wide)
            records, estimated = records.gather(index), estimated.gather(index)
        frame = pl.DataFrame(
            {
                "record": records,
                "time": times.starts,
                "end": times.ends,
                "number": values.numbers,
                "estimated": estimated,
            }
        )
        skips = self._form.nulls == "skip" or channel.builder.kind == "register"
        frame = _without_gone(frame, skips_nulls=skips)
        if frame.height:
            channel.builder.feed(Rows(frame, values.decimals))

    def finish(self) -> IntervalSeries:
        """Return the series of all rows.

        Raises:
            MeterDataError: If there is no reading, or they cannot be what they are said to be.
        """
        if not self._has_rows:
            self._refuse_nothing()
        series = []
        for channel in self._channels:
            channel.times.finish()
            series.append(channel.builder.finish(channel.times.offset_seconds))
        total = sum_channels(series)
        if not self._skipped:
            return total
        words = ", ".join(map(repr, self._form.skip_rows))
        return replace(total, notes=(*total.notes, f"left out: {counted(self._skipped, 'row')} beginning with {words}"))

    def _refuse_nothing(self) -> None:
        for name, words in self._form.where.items():
            shown = sorted(self._seen[name])[:_MOST_SHOWN]
            if shown and not set(words) & self._seen[name]:
                raise MeterDataError(
                    f"no row has {' or '.join(map(repr, words))} there; there are: {', '.join(map(repr, shown))}; "
                    "check `where`",
                    column=name,
                )
        raise MeterDataError("there is no row of readings below the header row")


def _without_gone(frame: pl.DataFrame, *, skips_nulls: bool) -> pl.DataFrame:
    """Return the rows that are readings, and in ``breaks`` whether a gap before them is expected.

    What a change of clocks leaves unknown is an expected gap; rows that are not readings are ignored.
    """
    import polars as pl  # noqa: PLC0415

    is_unknown = frame["time"].is_null()
    frame = frame.with_columns(breaks=is_unknown.shift(1).fill_null(False))
    is_gone = is_unknown | frame["number"].is_null() if skips_nulls else is_unknown
    if not is_gone.any():
        return frame
    frame = frame.with_columns(breaks=pl.col("breaks").cast(pl.Int64).cum_sum()).filter(~is_gone)
    return frame.with_columns(breaks=pl.col("breaks").diff().fill_null(0) > 0)
