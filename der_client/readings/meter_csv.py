"""Import of meter data from CSV: a column of timestamps and a column of power or energy per interval.

Nothing is guessed and nothing is repaired in silence: a row that cannot be read is an error that names its line, column
and value. Rows that are absent are gaps, and stay gaps.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from math import lcm
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from der_client.readings.bounds import require_integer
from der_client.readings.power import MAX_DECIMALS, MAX_POWER_W, PowerSeries
from der_client.readings.slots import SECONDS_PER_DAY, unix_seconds
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
SHOWN_LENGTH = 60
SECONDS_PER_HOUR = 3600


class MeterDataError(InvalidValueError):
    """Meter data that cannot be what they are given as; nothing was imported.

    Attributes:
        line: The line of the file, from 1, or ``None`` where the whole file is meant.
        column: The column's name, or ``None``.
        value: The cell as it stands in the file, shortened to 60 characters, or ``None``.
    """

    def __init__(
        self, message: str, *, line: int | None = None, column: str | None = None, value: str | None = None
    ) -> None:
        if value is not None and len(value) > SHOWN_LENGTH:
            value = value[:SHOWN_LENGTH] + "…"
        where = [f"line {line}"] if line is not None else []
        where += [f"column {column!r}"] if column is not None else []
        where += [f"value {value!r}"] if value is not None else []
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
        self.line = line
        self.column = column
        self.value = value


class Unit(Enum):
    """What the numbers of a file are: mean power over each interval, or the energy of each interval."""

    W = "W"
    KW = "kW"
    WH = "Wh"
    KWH = "kWh"

    def watts(self, interval_seconds: int) -> tuple[int, int]:
        """Returns the factor that makes watts of a number, as numerator and denominator."""
        factor = 1000 if self in (Unit.KW, Unit.KWH) else 1
        return (factor * SECONDS_PER_HOUR, interval_seconds) if self in (Unit.WH, Unit.KWH) else (factor, 1)


def read_power_csv(
    source: str | PathLike[str] | Iterable[str],
    *,
    time_column: str | None = None,
    value_column: str | None = None,
    unit: Unit = Unit.W,
    interval_seconds: int | None = None,
    time_zone: tzinfo | None = None,
    stamped: Literal["start", "end"] = "start",
    empty_cells: Literal["error", "gap"] = "error",
    delimiter: str = ",",
) -> PowerSeries:
    """Reads a meter's CSV export.

    The first row names the columns. Timestamps are ISO 8601 (``2016-07-01 00:00:00-07:00``); where they carry no
    offset, ``time_zone`` says which clock they were read from. Numbers are plain decimals with a point.

    Args:
        source: Path of a file (UTF-8, with or without byte order mark), or an open text stream, or lines of text.
        time_column: Name of the column of timestamps. May be left out together with ``value_column`` if there are just
            these two columns, in this order.
        value_column: Name of the column of readings.
        unit: What the readings are: mean power, or energy, of each interval.
        interval_seconds: Length of an interval. If not given: the shortest step between two rows.
        time_zone: The zone of timestamps without offset. Give a fixed one, ``timezone(timedelta(hours=-7))``, for
            meters that keep standard time all year.
        stamped: Whether a timestamp says when its interval begins or when it ends.
        empty_cells: What an empty or ``NaN`` reading is: an error, or a gap as if the row were absent.
        delimiter: What separates the columns: one character, no quotation mark and no end of line.

    Returns:
        The series, exact, with its gaps.

    Raises:
        MeterDataError: If the delimiter can be none, a column is not there, a cell cannot be read, a local time is
            ambiguous or does not exist (daylight saving time), timestamps repeat, go back or are out of step, or there
            are no readings.
        OSError: If the file cannot be opened.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise MeterDataError(f"the delimiter is {delimiter!r}: give one character, no quotation mark or end of line")
    if isinstance(source, str | PathLike):
        with Path(source).open(encoding="utf-8-sig", newline="") as stream:
            columns, rows = _table(stream, time_column, value_column, delimiter)
    else:
        columns, rows = _table(source, time_column, value_column, delimiter)
    moments = [_moment(row, columns.time, time_zone) for row in rows]
    times = [unix_seconds(moment) for moment in moments]
    interval_seconds = _interval(times, interval_seconds)
    _check_steps(rows, times, interval_seconds, columns.time)
    numbers = [_number(row, columns.value, is_gap_allowed=empty_cells == "gap") for row in rows]
    scale = unit.watts(interval_seconds)
    readings = [
        (time if stamped == "start" else time - interval_seconds, _watts(number, scale, row, columns.value))
        for row, time, number in zip(rows, times, numbers, strict=True)
        if number is not None
    ]
    if not readings:
        raise MeterDataError("there is no reading in the data: check the file and the columns")
    denominator = lcm(*(below for _, (_, below) in readings))
    return PowerSeries(
        interval_seconds,
        tuple(time for time, _ in readings),
        tuple(above * (denominator // below) for _, (above, below) in readings),
        denominator,
        (moments[0].utcoffset() or timedelta(0)) // timedelta(seconds=1),
    )


class _Columns(NamedTuple):
    time: str
    value: str


class _Row(NamedTuple):
    line: int
    time: str
    value: str


def _table(
    source: Iterable[str], time_column: str | None, value_column: str | None, delimiter: str
) -> tuple[_Columns, list[_Row]]:
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = _columns(header, time_column, value_column)
        time_index, value_index = header.index(columns.time), header.index(columns.value)
        return columns, [
            _Row(reader.line_num, cells[time_index].strip(), cells[value_index].strip())
            for cells in _full_rows(reader, len(header))
        ]
    except csv.Error as error:
        raise MeterDataError(f"this is no valid CSV ({error})", line=reader.line_num) from error
    except UnicodeDecodeError as error:
        raise MeterDataError(
            f"this is not UTF-8 text ({error.reason}): save the file as UTF-8",
            line=reader.line_num,
        ) from error


def _columns(header: Sequence[str], time_column: str | None, value_column: str | None) -> _Columns:
    names = ", ".join(map(repr, header)) or "none"
    if time_column is None and value_column is None and len(header) == len(_Columns._fields):
        columns = _Columns(*header)
    elif time_column is None or value_column is None:
        raise MeterDataError(f"name time_column and value_column, since the file has these columns: {names}", line=1)
    else:
        columns = _Columns(time_column, value_column)
    for column in columns:
        if header.count(column) != 1:
            problem = "is not in the file" if column not in header else "stands in the file more than once"
            raise MeterDataError(f"the column {problem}; there are: {names}", line=1, column=column)
    return columns


def _full_rows(reader: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    for cells in reader:
        if not cells:  # an empty line has no cell to be wrong; exports often end with some
            continue
        if len(cells) != width:
            raise MeterDataError(
                f"the row has {len(cells)} cells, the header {width}: a comma as decimal point must be a point",
                line=getattr(reader, "line_num", None),
                value=",".join(cells),
            )
        yield cells


def _moment(row: _Row, column: str, time_zone: tzinfo | None) -> datetime:
    def refuse(problem: str) -> MeterDataError:
        return MeterDataError(problem, line=row.line, column=column, value=row.time)

    try:
        moment = datetime.fromisoformat(row.time)
    except ValueError as error:
        raise refuse("this is no ISO 8601 timestamp such as 2016-07-01T00:15:00-07:00") from error
    if moment.microsecond:
        raise refuse("the timestamp has a fraction of a second: intervals begin on whole seconds")
    if moment.utcoffset() is not None:
        return moment
    if time_zone is None:
        raise refuse("the timestamp has no offset from UTC: give time_zone, the zone of the meter's clock")
    moment = moment.replace(tzinfo=time_zone)
    first, second = moment.utcoffset(), moment.replace(fold=1).utcoffset()
    if first is None or second is None:
        raise refuse(f"{time_zone!r} gives no offset for it: give another time_zone")
    if first != second:
        problem = "happens twice there" if first > second else "does not exist there"
        raise refuse(
            f"this local time {problem}, as the clocks change ({time_zone}): export with offsets from UTC, or give a "
            "fixed time_zone if the meter keeps standard time all year"
        )
    return moment


def _number(row: _Row, column: str, *, is_gap_allowed: bool) -> Decimal | None:
    def refuse(problem: str) -> MeterDataError:
        return MeterDataError(problem, line=row.line, column=column, value=row.value)

    if row.value.lower() in ("", "nan"):
        if is_gap_allowed:
            return None
        raise refuse('the reading is empty: correct it, or read with empty_cells="gap" to leave a gap there')
    if not NUMBER.fullmatch(row.value):
        raise refuse("this is no plain number such as -2.86 or 5426.4")
    number = Decimal(row.value)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        raise refuse(f"the number has more than {MAX_DECIMALS} decimals: round it first")
    return number


def _watts(number: Decimal, scale: tuple[int, int], row: _Row, column: str) -> tuple[int, int]:
    """Returns the power in watts as numerator and denominator."""
    above, below = number.as_integer_ratio()
    above, below = above * scale[0], below * scale[1]
    if abs(above) > MAX_POWER_W * below:
        raise MeterDataError(
            f"the power is beyond {MAX_POWER_W} W: check the unit", line=row.line, column=column, value=row.value
        )
    return above, below


def _interval(times: Sequence[int], interval_seconds: int | None) -> int:
    if interval_seconds is not None:
        return require_integer("interval_seconds", interval_seconds, 1, SECONDS_PER_DAY)
    steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    if not steps:
        raise MeterDataError("the interval cannot be seen from fewer than two rows: give interval_seconds")
    return min(steps)


def _check_steps(rows: Sequence[_Row], times: Sequence[int], interval_seconds: int, column: str) -> None:
    for (earlier, later), before, row in zip(pairwise(times), rows, rows[1:], strict=False):
        if later == earlier:
            problem = f"the timestamp repeats that of line {before.line}: each interval counts once, remove one"
        elif later < earlier:
            problem = f"the timestamp goes back behind line {before.line}, {before.time!r}: sort the rows by time"
        elif (later - earlier) % interval_seconds:
            problem = (
                f"the timestamp comes {later - earlier} s after line {before.line}, no multiple of the interval of "
                f"{interval_seconds} s: readings must be equally spaced, with whole gaps"
            )
        else:
            continue
        raise MeterDataError(problem, line=row.line, column=column, value=row.time)
