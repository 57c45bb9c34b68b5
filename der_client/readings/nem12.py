"""NEM12: interval data of Australian meters (AEMO's meter data file format, MDFF).

A file has 200 records (a channel of a meter: NMI and suffix), each with a 300 record per day: all intervals, and their
quality; 400 records give the quality interval by interval. Times are market time, UTC+10 all year. E channels are
energy drawn from the grid, B channels energy fed into it.

Source: AEMO, "Meter Data File Format Specification NEM12 & NEM13". Existing readers turn readings into floats, and
    empty ones into 0, so this module reads them itself.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import Interval, IntervalSeries, Quality
from der_client.readings.quantities import Unit, exact
from der_client.readings.slots import SECONDS_PER_HOUR
from der_client.readings.sources import Source, open_binary, refuse_other_kinds
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARKET_TIME: Final = timedelta(hours=10)
_MINUTES_PER_DAY: Final = 1440
_ESTIMATED: Final = frozenset("EFS")
"""Estimated; substituted, for now or for good."""
_QUALITIES: Final = frozenset("AEFNSV")


def read_nem12(source: Source) -> dict[str, IntervalSeries]:
    """Read the channels of a NEM12 file.

    Args:
        source: Path of a file, its content as bytes, an open stream, or lines of text.

    Returns:
        A series for each channel of energy or power, by NMI and suffix, such as ``"6123456789 B1"``.

    Raises:
        MeterDataError: If it is not NEM12, was cut off, or a record cannot be read.
        OSError: If the file cannot be opened.
    """
    with open_binary(source) as stream:
        data = stream.read()
    refuse_other_kinds(data[:4096], "nem12")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MeterDataError(f"this is not text in UTF-8 ({error.reason}), as NEM12 is") from error
    reader = _Reader()
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in rows:
            if any(cells):
                reader.take([cell.strip() for cell in cells], rows.line_num)
    except csv.Error as error:
        raise MeterDataError(f"this is not valid CSV ({error})", line=rows.line_num) from error
    return reader.channels()


@dataclass(slots=True)
class _Channel:
    name: str
    unit: Unit | None
    minutes: int
    days: dict[str, _Day] = field(default_factory=dict)


@dataclass(slots=True)
class _Day:
    line: int
    begin: datetime
    values: list[Decimal | None]
    qualities: list[str]


class _Reader:
    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._channel: _Channel | None = None
        self._day: _Day | None = None
        self._has_begun = self._has_ended = False

    def take(self, cells: Sequence[str], line: int) -> None:
        kind = cells[0]
        if not self._has_begun:
            if kind != "100" or len(cells) < 2 or cells[1].upper() != "NEM12":
                what = (
                    "NEM13, which has monthly readings"
                    if len(cells) > 1 and cells[1].upper() == "NEM13"
                    else "not NEM12"
                )
                raise MeterDataError(f"this is {what}: its first record must begin with 100,NEM12", line=line)
            self._has_begun = True
            return
        match kind:
            case "200":
                self._begin_channel(cells, line)
            case "300":
                self._take_day(cells, line)
            case "400":
                self._take_qualities(cells, line)
            case "500" | "550":
                return
            case "900":
                self._has_ended = True
            case _:
                raise MeterDataError("expected a record 200, 300, 400, 500 or 900", line=line, value=kind)

    def _begin_channel(self, cells: Sequence[str], line: int) -> None:
        if len(cells) < 9:
            raise MeterDataError(f"the record 200 is short: it has {len(cells)} of 9 fields", line=line)
        nmi, suffix, unit, minutes = cells[1], cells[4], cells[7], cells[8]
        if minutes not in {"1", "5", "15", "30"}:
            raise MeterDataError("expected intervals of 1, 5, 15 or 30 minutes", line=line, value=minutes)
        name = f"{nmi} {suffix}"
        known = {each.value.lower(): each for each in Unit}.get(unit.lower())
        channel = self._channels.setdefault(name, _Channel(name, known, int(minutes)))
        if channel.minutes != int(minutes):
            raise MeterDataError(
                f"the channel {name} changes from {channel.minutes} to {minutes} minutes: split the file there",
                line=line,
            )
        self._channel, self._day = channel, None

    def _take_day(self, cells: Sequence[str], line: int) -> None:
        channel = self._channel
        if channel is None:
            raise MeterDataError("a record 300 comes before the record 200 of its channel", line=line)
        count = _MINUTES_PER_DAY // channel.minutes
        if len(cells) < count + 3:
            raise MeterDataError(
                f"the record 300 is short: it has {len(cells)} fields, {count} intervals of {channel.minutes} minutes "
                "and their quality need more",
                line=line,
            )
        try:
            begin = datetime.strptime(cells[1], "%Y%m%d").replace(tzinfo=UTC) - MARKET_TIME
        except ValueError as error:
            raise MeterDataError("expected a date such as 20260701", line=line, value=cells[1]) from error
        quality = cells[count + 2][:1].upper()
        if quality not in _QUALITIES:
            raise MeterDataError(
                "expected a quality (A, E, F, N, S or V) after the last interval", line=line, value=cells[count + 2]
            )
        values = [_number(cell, line) if channel.unit else None for cell in cells[2 : count + 2]]
        day = _Day(line, begin, values, [quality] * count)
        before = channel.days.get(cells[1])
        if before is not None and (before.values, before.qualities) != (day.values, day.qualities):
            raise MeterDataError(
                f"the day {cells[1]} of channel {channel.name} is also in line {before.line}, with other readings: "
                "keep the valid record",
                line=line,
            )
        channel.days[cells[1]] = self._day = day

    def _take_qualities(self, cells: Sequence[str], line: int) -> None:
        day = self._day
        if day is None or len(cells) < 4:
            raise MeterDataError(
                "a record 400 needs a record 300 before it, and a first, a last interval and a quality", line=line
            )
        try:
            first, last = int(cells[1]), int(cells[2])
        except ValueError as error:
            raise MeterDataError("expected the numbers of the first and the last interval", line=line) from error
        quality = cells[3][:1].upper()
        if not 1 <= first <= last <= len(day.values) or quality not in _QUALITIES - {"V"}:
            raise MeterDataError(
                f"expected intervals from 1 to {len(day.values)} and a quality", line=line, value=",".join(cells[1:4])
            )
        day.qualities[first - 1 : last] = [quality] * (last - first + 1)

    def channels(self) -> dict[str, IntervalSeries]:
        if not self._has_begun:
            raise MeterDataError("the file is empty")
        if not self._has_ended:
            raise MeterDataError("the file was cut off: it has no record 900 at its end")
        found = {name: channel for name, channel in self._channels.items() if channel.unit is not None and channel.days}
        if not found:
            raise MeterDataError("the file has no channel of energy or power with readings")
        return {name: IntervalSeries.from_intervals(_intervals(channel)) for name, channel in found.items()}


def _number(cell: str, line: int) -> Decimal | None:
    if not cell:
        return None
    try:
        number = Decimal(cell)
        exact(number)
    except (InvalidOperation, InvalidValueError) as error:
        raise MeterDataError("expected a number", line=line, value=cell) from error
    return number


def _intervals(channel: _Channel) -> Iterator[Interval]:
    length = timedelta(minutes=channel.minutes)
    unit = channel.unit
    assert unit is not None  # noqa: S101 -- only such channels are asked for
    factor = unit.factor if unit.is_energy else unit.factor * channel.minutes * 60 / SECONDS_PER_HOUR
    for day in channel.days.values():
        for number, (value, quality) in enumerate(zip(day.values, day.qualities, strict=True)):
            is_known = value is not None and quality not in {"N", "V"}
            yield Interval(
                day.begin + number * length,
                day.begin + (number + 1) * length,
                max(exact(value), Fraction(0)) * factor if is_known and value is not None else None,
                Quality.ESTIMATED if quality in _ESTIMATED else Quality.MEASURED,
            )
