"""Reading a table of meter data: cells to instants and exact numbers, and those to intervals."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import TextIOBase
from itertools import product
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.assembling import Assembler, Rows
from der_client.readings.clocks import Clock
from der_client.readings.csv_table import CsvTable, line_of
from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import MICROSECONDS, IntervalSeries
from der_client.readings.quantities import Unit, parse_quantities, unit_in
from der_client.readings.slots import SECONDS_PER_DAY
from der_client.readings.sources import open_binary
from der_client.readings.table import TableFormat
from der_client.readings.timestamps import LocalTimes, parse_times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from der_client.readings.sources import Source

METER_COLUMN: Final = re.compile(
    r"meter|nmi|mpan|mprn|\bean\b|gsrn|serial|esiid|channel|entity|device|customer|account|lclid|z(ä|ae)hl|"
    r"metering|service.?point|\bsite\b|\bplant\b|\bcups\b|\bpod\b|register|tariff|direction",
    re.IGNORECASE,
)
"""Names of columns that may tell several meters or channels apart."""
_HOUR: Final = re.compile(r"\D{0,4}(\d{1,2})(?::00)?", re.ASCII)
_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS
_HOUR_US: Final = 3600 * MICROSECONDS
_QUARTER_US: Final = 900 * MICROSECONDS
_MOST_SHOWN: Final = 8


def require_polars() -> None:
    """Pass if polars is installed.

    Raises:
        MeterDataError: If not; the message names the extra.
    """
    try:
        import polars  # noqa: F401, ICN001, PLC0415
    except ImportError as error:
        raise MeterDataError("reading files needs polars: pip install 'der-client[readings]'") from error


def read_table(source: Source, form: TableFormat | None = None, **options: Any) -> IntervalSeries:
    """Read a table of meter data, such as a CSV export.

    Args:
        source: Path of a file, its content as bytes, an open stream, or lines of text.
        form: How the table says what it says.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Returns:
        The intervals, exactly; readings shorter than a quarter-hour are joined where all of them are there.

    Raises:
        MeterDataError: If something cannot be read or is not certain; it names line, column and value, and what to do.
        OSError: If the file cannot be opened.
    """
    form = (form or TableFormat()).with_options(**options) if options else form or TableFormat()
    require_polars()
    if not isinstance(source, str | PathLike | bytes) and not (
        hasattr(source, "read") and not isinstance(source, TextIOBase)
    ):
        source = open_binary(source).read()  # text: it can be looked at again where a row is wrong
    with CsvTable(
        source,
        encoding=form.encoding,
        delimiter=form.delimiter,
        columns=columns_of(form),
        has_header=form.header,
    ) as table:
        reader = TableReader(
            form,
            table.header,
            lambda record: line_of(source, form.encoding, form.delimiter, record),
        )
        for piece in table.pieces(reader.last_used):
            reader.feed(piece.frame, piece.first_record)
        return reader.finish()


def columns_of(form: TableFormat) -> tuple[str, ...]:
    """Return the columns that a format names, which must all be in the header row."""
    single = (form.hour, form.quarter, form.period, form.ambiguous_column, form.quality_column)
    names = (*form.time, *form.end_time, *form.values, *(form.wide or ()), *form.where, *single)
    return tuple(dict.fromkeys(name for name in names if name))


@dataclass(slots=True)
class _Channel:
    """Rows that belong together: all, or those of one combination of what ``where`` lists."""

    where: dict[str, str]
    assembler: Assembler
    clock: Clock | None


class TableReader:
    """Reads the rows of a table, piece by piece.

    Args:
        form: How the table says it.
        header: The names of its columns.
        line: Gives the line of a row by its number in the file.

    Raises:
        MeterDataError: If a column is not there, or nothing says the unit.
    """

    def __init__(self, form: TableFormat, header: Sequence[str], line: Callable[[int], int | None]) -> None:
        self._form = form
        self._header = list(header)
        self._line = line
        self._time, self._values = self._default_columns()
        self._index = {name: self._position(name) for name in (*columns_of(form), *self._time, *self._values)}
        self._wide = self._wide_columns()
        unit = self._find_unit()
        self._meters = {
            name: str(number)
            for number, name in enumerate(self._header)
            if METER_COLUMN.search(name) and name not in self._index and name not in self._wide
        }
        self._seen: dict[str, set[str]] = {name: set() for name in (*self._meters, *form.where)}
        self._kept: list[pl.DataFrame] = []
        self._last: pl.DataFrame | None = None
        combinations = [dict(zip(form.where, words, strict=True)) for words in product(*form.where.values())]
        self._channels = [
            _Channel(
                where,
                Assembler(form, unit, line, self._channel_hint),
                None if form.zone is None else Clock(form.zone, form.ambiguous),
            )
            for where in combinations
        ]
        self._has_rows = False
        self._has_noted = False

    # Columns

    def _default_columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        form, header = self._form, self._header
        if form.time and (form.values or form.wide):
            return form.time, form.values
        if not form.time and not form.values and not form.wide and len(header) == 2:
            return (header[0],), (header[1],)
        names = ", ".join(repr(name) for name in header if name)
        which = "`time` and `values`" if not form.time and not form.values else "`values`" if form.time else "`time`"
        raise MeterDataError(f"name {which}: the file has the columns {names}")

    def _position(self, name: str) -> str:
        if self._header.count(name) != 1:
            problem = "not found" if name not in self._header else "there more than once"
            raise MeterDataError(
                f"the column is {problem}; there are: {', '.join(map(repr, self._header))}", column=name
            )
        return str(self._header.index(name))

    def _wide_columns(self) -> list[str]:
        if self._form.wide is None:
            return []
        first, last = (self._header.index(name) for name in self._form.wide)
        names = self._header[first : last + 1]
        if not names or SECONDS_PER_DAY % len(names):
            raise MeterDataError(
                f"`wide` names {len(names)} columns, from {first + 1} to {last + 1}: they do not divide a day"
            )
        return names

    def _find_unit(self) -> Unit:
        said = {name: unit for name in self._values if (unit := unit_in(name)) is not None}
        unit = self._form.unit
        if unit is None:
            if len(set(said.values())) != 1:
                raise MeterDataError(
                    "give `unit`: nothing says whether the readings are W, kW, MW (mean power), or Wh, kWh, MWh, Ws "
                    "(energy)"
                )
            unit = next(iter(said.values()))
        elif self._form.unit_check:
            for name, other in said.items():
                if other is not unit:
                    raise MeterDataError(
                        f"`unit` is {unit.value}, but the column's name says {other.value}: give "
                        f'`unit="{other.value}"`, or '
                        "`unit_check=False` if the name is wrong",
                        column=name,
                    )
        if self._form.kind is not None and (self._form.kind == "power") == unit.is_energy:
            raise MeterDataError(f"`kind` {self._form.kind!r} does not go with the unit {unit.value}")
        return unit

    @property
    def last_used(self) -> int:
        """The number of the last column that is read."""
        used = [int(number) for number in self._index.values()]
        return max(used + [self._header.index(name) for name in self._wide])

    def _channel_hint(self) -> str:
        """What could tell rows of the same time apart."""
        if self._last is None:
            return ""
        used = set(self._index) | set(self._wide)
        times = self._joined(self._last, self._time)
        for number, name in enumerate(self._header):
            if name in used:
                continue
            cells = self._last[str(number)].str.strip_chars()
            values = cells.unique(maintain_order=True).to_list()
            tells_apart = not (times + "\0" + cells).is_duplicated().any()
            if 1 < len(values) <= _MOST_SHOWN and tells_apart and len(cells) > len(values):
                return (
                    f"the rows may be of several meters or channels, since the column {name!r} has "
                    f"{', '.join(map(repr, values))}; pick with `where={name}=…`"
                )
        return ""

    # Rows

    def feed(self, frame: pl.DataFrame, first_record: int) -> None:
        """Take the next rows.

        Args:
            frame: All cells as text; columns are named by their number from 0.
            first_record: The number of the first row in the file.

        Raises:
            MeterDataError: If a cell cannot be read, or something is not certain.
        """
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        frame = frame.with_columns(record=pl.int_range(first_record, first_record + frame.height, dtype=pl.Int64))
        if self._form.order == "ascending":
            self._feed(frame)
        else:
            self._kept.append(frame)

    def _feed(self, frame: pl.DataFrame) -> None:
        import polars as pl  # noqa: PLC0415

        self._last = frame
        first_time = self._index[self._time[0]]
        if not frame[first_time].str.len_bytes().min() or _is_padded(frame[first_time]):
            rest = pl.all_horizontal(pl.exclude("record").str.strip_chars() == "")
            frame = frame.filter(~rest)
        for name in self._seen:
            if len(self._seen[name]) <= _MOST_SHOWN:
                column = self._meters.get(name) or self._index[name]
                chosen = frame if name in self._form.where else self._chosen(frame)
                self._seen[name].update(chosen[column].unique().str.strip_chars().to_list())
        self._check_meters()
        for channel in self._channels:
            rows = frame
            for name, word in channel.where.items():
                rows = rows.filter(pl.col(self._index[name]).str.strip_chars() == word)
            if rows.height:
                self._has_rows = True
                self._feed_channel(channel, rows)

    def _chosen(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415

        for name, words in self._form.where.items():
            frame = frame.filter(pl.col(self._index[name]).str.strip_chars().is_in(words))
        return frame

    def _check_meters(self) -> None:
        for name in self._meters:
            values = sorted(value for value in self._seen[name] if value)
            if len(values) > 1:
                shown = ", ".join(map(repr, values[:_MOST_SHOWN])) + (", …" if len(values) > _MOST_SHOWN else "")
                raise MeterDataError(
                    f"the file has several: {shown}; pick one with `where={name}={values[0]}`; several that are named "
                    "are added up",
                    column=name,
                )

    def _feed_channel(self, channel: _Channel, rows: pl.DataFrame) -> None:
        import polars as pl  # noqa: PLC0415

        def refuse(column: str, texts: pl.Series | None = None) -> Callable[[int, str], MeterDataError]:
            def make(index: int, problem: str) -> MeterDataError:
                at = index // max(1, len(self._wide))
                value = None if texts is None else str(texts[index])
                return MeterDataError(problem, line=self._line(int(rows["record"][at])), column=column, value=value)

            return make

        texts = self._joined(rows, self._time)
        with ThreadPoolExecutor(1) as other:  # polars works without Python's lock
            later = other.submit(self._numbers, rows, refuse)
            instants, ends = self._instants(channel, rows, texts, refuse(" ".join(self._time), None))
            numbers, decimals = later.result()
        records = rows["record"]
        estimated = self._estimated(rows)
        if self._wide:
            count = len(self._wide)
            index = pl.int_range(rows.height * count, dtype=pl.Int64, eager=True) // count
            records, estimated = records.gather(index), estimated.gather(index)
        frame = pl.DataFrame(
            {
                "record": records,
                "time": instants,
                "end": ends,
                "number": numbers,
                "estimated": estimated,
            }
        )
        is_gone = frame["time"].is_null()
        if self._form.nulls == "skip" or channel.assembler.kind == "register":
            is_gone = is_gone | frame["number"].is_null()
        frame = frame.with_columns(breaks=frame["time"].is_null().shift(1).fill_null(False))
        if is_gone.any():
            # What a clock's change leaves unknown is a gap that is expected; a row that is not a reading is not there.
            frame = frame.with_columns(breaks=pl.col("breaks").cast(pl.Int64).cum_sum())
            frame = frame.filter(~is_gone)
            frame = frame.with_columns(breaks=pl.col("breaks").diff().fill_null(0) > 0)
        if frame.height:
            channel.assembler.feed(Rows(frame, decimals))

    def _joined(self, rows: pl.DataFrame, names: Sequence[str]) -> pl.Series:
        import polars as pl  # noqa: PLC0415

        columns = [pl.col(self._index[name]) for name in names]
        if any(_is_padded(rows[self._index[name]]) for name in names):
            columns = [column.str.strip_chars() for column in columns]
        return rows.select(columns[0] if len(columns) == 1 else pl.concat_str(columns, separator=" ")).to_series()

    # When

    def _instants(
        self,
        channel: _Channel,
        rows: pl.DataFrame,
        texts: pl.Series,
        refuse_row: Callable[[int, str], MeterDataError],
    ) -> tuple[pl.Series, pl.Series]:
        """When each row begins, or what its stamp says; and its end where the table says it."""
        import polars as pl  # noqa: PLC0415

        form = self._form

        def refuse(index: int, problem: str) -> MeterDataError:
            error = refuse_row(index, problem)
            return MeterDataError(
                problem, line=error.line, column=error.column, value=str(texts[index // max(1, len(self._wide))])
            )

        no_end = pl.repeat(None, len(texts) * max(1, len(self._wide)), dtype=pl.Int64, eager=True)
        if form.range_separator is not None:
            parts = texts.str.splitn(form.range_separator, 2).struct.unnest()
            late = parts["field_1"].fill_null("")
            if (late == "").any():
                raise refuse(
                    (late == "").arg_true()[0],
                    f"expected two times with {form.range_separator!r} between: check `range_separator`",
                )
            early = parts["field_0"].str.strip_chars()
            start = self._to_utc(channel, parse_times(early, form.time_format, refuse), rows, refuse, are_ends=False)
            return start.instants, self._ends(channel, late.str.strip_chars(), start, refuse)
        times = parse_times(texts, form.time_format, refuse)
        if form.wide is not None:
            return self._of_wide(channel, times.microseconds, rows, refuse)
        if form.period is not None:
            return self._of_periods(channel, times.microseconds, rows, refuse)
        if form.hour is not None:
            return self._of_hours(channel, times.microseconds, rows, refuse)
        start = self._to_utc(
            channel, times, rows, refuse, are_ends=form.stamped == "end" or channel.assembler.kind == "register"
        )
        if form.end_time:
            late = self._joined(rows, form.end_time)
            if re.match(r"\d{1,2}:\d\d", str(late[0])) and len(form.time) > 1:
                dates = self._joined(rows, form.time[:-1])
                late = dates + " " + late
            return start.instants, self._ends(channel, late, start, refuse)
        return start.instants, no_end

    def _to_utc(
        self,
        channel: _Channel,
        times: LocalTimes,
        rows: pl.DataFrame,
        refuse: Callable[[int, str], MeterDataError],
        *,
        are_ends: bool,
    ) -> _Start:
        local, offsets = times.microseconds, times.offsets
        if not offsets.null_count():
            self._note_offset(channel, int(offsets[0]))
            return _Start(local - offsets * MICROSECONDS, local, has_offsets=True)
        if channel.clock is None:
            index = offsets.is_null().arg_true()[0]
            raise refuse(
                index,
                "the time has no offset from UTC: give `time_zone`, the zone of the meter's clock, such as +01:00 "
                "or Europe/Berlin",
            )
        second = None
        if self._form.ambiguous == "flag" and self._form.ambiguous_column:
            words = [word.lower() for word in self._form.ambiguous_second]
            second = self._joined(rows, (self._form.ambiguous_column,)).str.to_lowercase().is_in(words)
        instants = channel.clock.to_utc(local, second=second, are_ends=are_ends, refuse=refuse)
        if offsets.null_count() < len(offsets):
            import polars as pl  # noqa: PLC0415

            told = local - offsets * MICROSECONDS
            instants = pl.select(pl.when(offsets.is_null()).then(instants).otherwise(told)).to_series()
        first = instants.drop_nulls()
        if len(first):
            known = instants.is_not_null().arg_true()[0]
            self._note_offset(channel, (int(local[known]) - int(instants[known])) // MICROSECONDS)
        return _Start(instants, local, has_offsets=False)

    def _note_offset(self, channel: _Channel, offset: int) -> None:
        if not self._has_noted:
            channel.assembler.offset_seconds = offset
            self._has_noted = True

    def _ends(
        self, channel: _Channel, texts: pl.Series, start: _Start, refuse: Callable[[int, str], MeterDataError]
    ) -> pl.Series:
        """The ends of intervals whose starts are known: the first moment after each that has this local time."""
        import polars as pl  # noqa: PLC0415

        def refuse_end(index: int, problem: str) -> MeterDataError:
            error = refuse(index, problem)
            return MeterDataError(
                problem, line=error.line, column=" ".join(self._form.end_time or self._time), value=str(texts[index])
            )

        times = parse_times(texts, self._form.time_format, refuse_end)
        if not times.offsets.null_count():
            return times.microseconds - times.offsets * MICROSECONDS
        if channel.clock is None:
            raise refuse_end(0, "the end has no offset from UTC, as the start has: give `time_zone`")
        ends = times.microseconds - (start.local - start.instants)
        is_odd = (ends <= start.instants) | (ends - start.instants > _DAY_US // 8)
        changes = channel.clock.changes_within(start.instants)
        for change in changes:
            at = change.at * MICROSECONDS
            is_odd = is_odd | ((start.instants <= at) & (ends >= at - _DAY_US // 4))
        if not is_odd.any():
            return ends
        fixed: list[int | None] = ends.to_list()
        for index in is_odd.arg_true().to_list():
            begin = start.instants[index]
            if begin is None:
                continue
            local = int(times.microseconds[index])
            found = channel.clock.moments(local)
            if local <= int(start.local[index]) and not any(moment > begin for moment in found):
                found = channel.clock.moments(local + _DAY_US)  # a time of day after midnight, with the day before
            later = [moment for moment in found if moment > begin]
            if not later:
                raise refuse_end(index, "the interval ends before it begins: check `end_time`")
            fixed[index] = min(later)
        return pl.Series(fixed, dtype=pl.Int64)

    def _of_periods(
        self, channel: _Channel, midnight: pl.Series, rows: pl.DataFrame, refuse: Callable[[int, str], MeterDataError]
    ) -> tuple[pl.Series, pl.Series]:
        name = self._form.period or ""
        numbers = self._small_numbers(rows, name, re.compile(r"(\d{1,4})"))
        length = self._form.period_minutes * 60 * MICROSECONDS
        start = self._local(channel, midnight, refuse)
        next_day = self._local(channel, midnight + _DAY_US, refuse)
        instants = start + (numbers - 1) * length
        wrong = (numbers < 1) | (instants + length > next_day)
        if wrong.any():
            index = wrong.arg_true()[0]
            raise self._refuse_cell(
                rows,
                index,
                name,
                f"the day does not have this period of {self._form.period_minutes} minutes: check `period_minutes`",
            )
        return instants, instants + length

    def _of_hours(
        self, channel: _Channel, midnight: pl.Series, rows: pl.DataFrame, refuse: Callable[[int, str], MeterDataError]
    ) -> tuple[pl.Series, pl.Series]:
        name, first = self._form.hour or "", 1 if self._form.hour_counts == "end" else 0
        hours = self._small_numbers(rows, name, _HOUR) - first
        wrong = (hours < 0) | (hours > 23)
        if wrong.any():
            raise self._refuse_cell(
                rows,
                wrong.arg_true()[0],
                name,
                f"expected an hour from {first} to {first + 23}: check `hour_counts`; hours that are counted on when "
                "clocks change are `period` with `period_minutes=60`",
            )
        local, length = midnight + hours * _HOUR_US, _HOUR_US
        if self._form.quarter is not None:
            quarters = self._small_numbers(rows, self._form.quarter, re.compile(r"\D{0,2}(\d)"))
            wrong = (quarters < 1) | (quarters > 4)
            if wrong.any():
                raise self._refuse_cell(rows, wrong.arg_true()[0], self._form.quarter, "expected a quarter from 1 to 4")
            local, length = local + (quarters - 1) * _QUARTER_US, _QUARTER_US
        instants = self._local(channel, local, refuse, rows)
        return instants, instants + length

    def _of_wide(
        self, channel: _Channel, midnight: pl.Series, rows: pl.DataFrame, refuse: Callable[[int, str], MeterDataError]
    ) -> tuple[pl.Series, pl.Series]:
        import polars as pl  # noqa: PLC0415

        count = len(self._wide)
        step = SECONDS_PER_DAY // count * MICROSECONDS
        index = pl.int_range(rows.height * count, dtype=pl.Int64, eager=True)
        local = midnight.gather(index // count) + (index % count) * step
        instants = self._local(channel, local, refuse)
        return instants, instants + step

    def _local(
        self,
        channel: _Channel,
        local: pl.Series,
        refuse: Callable[[int, str], MeterDataError],
        rows: pl.DataFrame | None = None,
    ) -> pl.Series:
        import polars as pl  # noqa: PLC0415

        times = LocalTimes(local, pl.repeat(None, len(local), dtype=pl.Int64, eager=True))
        empty = pl.DataFrame() if rows is None else rows
        if rows is None and self._form.ambiguous == "flag":
            raise MeterDataError('`ambiguous="flag"` needs a row for each interval')
        return self._to_utc(channel, times, empty, refuse, are_ends=False).instants

    def _small_numbers(self, rows: pl.DataFrame, name: str, pattern: re.Pattern[str]) -> pl.Series:
        import polars as pl  # noqa: PLC0415

        texts = self._joined(rows, (name,))
        found = {text: pattern.fullmatch(text) for text in texts.unique().to_list()}
        for text, match in found.items():
            if match is None:
                raise self._refuse_cell(rows, (texts == text).arg_true()[0], name, "expected a number")
        known = {text: int(match[1]) for text, match in found.items() if match is not None}
        return texts.replace_strict(known, return_dtype=pl.Int64)

    def _refuse_cell(self, rows: pl.DataFrame, index: int, name: str, problem: str) -> MeterDataError:
        return MeterDataError(
            problem,
            line=self._line(int(rows["record"][index])),
            column=name,
            value=str(rows[self._index[name]][index]).strip(),
        )

    # How much

    def _numbers(
        self, rows: pl.DataFrame, refuse: Callable[..., Callable[[int, str], MeterDataError]]
    ) -> tuple[pl.Series, int]:
        import polars as pl  # noqa: PLC0415

        form = self._form
        if self._wide:
            columns = [str(self._header.index(name)) for name in self._wide]
            cells = rows.select(pl.concat_list(pl.col(columns).str.strip_chars())).to_series().explode()
            texts = [("", cells)]
        else:
            texts = [(name, self._joined(rows, (name,))) for name in self._values]
        parts = []
        for name, column in texts:
            make = refuse(name or "values", column)
            parsed = parse_quantities(
                column, decimal=form.decimal, thousands=form.thousands, null_words=form.null_words, refuse=make
            )
            if form.nulls == "error" and parsed.numbers.null_count():
                index = parsed.numbers.is_null().arg_true()[0]
                raise make(
                    index,
                    'there is no reading: give `nulls="unknown"` (its interval is there, its energy not known) or '
                    '`nulls="skip"` (the row is not a reading), or correct it',
                )
            parts.append(parsed)
        decimals = max(part.decimals for part in parts)
        total = None
        for part in parts:
            scaled = part.numbers
            if part.decimals != decimals:
                scaled = scaled * pl.Series([10 ** (decimals - part.decimals)], dtype=pl.Int128)
            total = scaled if total is None else total + scaled
        if total is None:
            raise MeterDataError("name `values`")
        return total, decimals

    def _estimated(self, rows: pl.DataFrame) -> pl.Series:
        import polars as pl  # noqa: PLC0415

        form = self._form
        if form.quality_column is None:
            return pl.repeat(False, rows.height, eager=True)
        texts = self._joined(rows, (form.quality_column,))
        estimated = {word.lower() for word in form.estimated_words}
        measured = {word.lower() for word in form.measured_words}
        meaning: dict[str, bool] = {}
        for text in texts.unique().to_list():
            word = text.lower()
            if word in measured or word in estimated:
                meaning[text] = word in estimated
            elif "*" in estimated and word:
                meaning[text] = True
            else:
                raise self._refuse_cell(
                    rows,
                    (texts == text).arg_true()[0],
                    form.quality_column,
                    "whether this word means an estimate is not known: add it to `estimated_words` or `measured_words`",
                )
        return texts.replace_strict(meaning, return_dtype=pl.Boolean)

    # The end

    def finish(self) -> IntervalSeries:
        """Return the series of all rows.

        Raises:
            MeterDataError: If there is no reading, or they cannot be what they are said to be.
        """
        import polars as pl  # noqa: PLC0415

        if self._kept:
            frame = pl.concat(self._kept)
            self._feed(frame.reverse() if self._form.order == "descending" else frame)
        if not self._has_rows:
            for name, words in self._form.where.items():
                shown = sorted(self._seen[name])[:_MOST_SHOWN]
                if shown and not set(words) & self._seen[name]:
                    raise MeterDataError(
                        f"no row has {' or '.join(map(repr, words))} there; there are: {', '.join(map(repr, shown))}; "
                        "check `where`",
                        column=name,
                    )
            raise MeterDataError("there is no row of readings below the header row")
        series = []
        for channel in self._channels:
            if channel.clock is not None:
                channel.clock.finish()
            series.append(channel.assembler.finish())
        return IntervalSeries.total(series)


@dataclass(frozen=True, slots=True)
class _Start:
    """Starts of intervals, as instants and as the clock showed them."""

    instants: pl.Series
    local: pl.Series
    has_offsets: bool


def _is_padded(cells: pl.Series) -> bool:
    """Whether there are blanks around cells; what the first rows do not show is found where a cell cannot be read."""
    return any(cell != cell.strip() for cell in cells.head(64).to_list())
