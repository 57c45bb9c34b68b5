"""MSCONS: the EDIFACT message in which German grid and metering operators send load profiles.

A message has metering or market locations (LOC+172), each with the measured quantities (PIA+5, an OBIS number: 2.29.0
is the profile of energy fed in, 1.29.0 of energy drawn). Each has values (QTY) from one moment (DTM+163) to another
(DTM+164), with their offset from UTC.

Source: BDEW, "MSCONS Message Implementation Guide" (edi-energy.de), after UN/EDIFACT D.04B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import Interval, IntervalSeries, Quality
from der_client.readings.quantities import Unit, exact
from der_client.readings.slots import SECONDS_PER_HOUR
from der_client.readings.sources import open_binary
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.readings.sources import Source

_USUAL: Final = ":+.? '"
"""Separators of components and elements, the decimal character, release, a blank, and the end of a segment."""
_UNITS: Final = {"": Unit.KWH, "KWH": Unit.KWH, "KWT": Unit.KW, "MWH": Unit.MWH, "WHR": Unit.WH}
_MEASURED: Final = frozenset({"220"})
_ESTIMATED: Final = frozenset({"67", "187", "201", "Z18"})
"""Substituted, forecast, proposed, preliminary."""
_UNUSABLE: Final = "20"
_MOMENT: Final = re.compile(r"(\d{12})([+-]\d\d)(\d\d)?", re.ASCII)
_MOST_BYTES: Final = 1 << 28


def read_mscons(source: Source) -> dict[str, IntervalSeries]:
    """Read the load profiles of a file.

    Args:
        source: Path of a file, its content as bytes, an open stream, or lines of text.

    Returns:
        A series for each quantity of a location, such as ``"DE000562668020O6G56M11SN51G21M24S 1-1:2.29.0"``.

    Raises:
        MeterDataError: If it is not MSCONS, was cut off, or something in it cannot be read.
        OSError: If the file cannot be opened.
    """
    with open_binary(source) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise MeterDataError(f"the file has more than {_MOST_BYTES:,} bytes, which no MSCONS file has")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # UNOC: the numbers and names that matter are ASCII
    return _Messages(text).channels()


@dataclass(slots=True)
class _Value:
    """A quantity whose times have not been read yet."""

    segment: int
    kind: str
    text: str
    unit: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(slots=True)
class _Messages:
    """The messages of a file, and the values found in them."""

    text: str
    _location: str = ""
    _quantity: str = ""
    _value: _Value | None = None
    _found: dict[str, list[_Value]] = field(default_factory=dict)
    _is_mscons: bool = False
    _has_ended: bool = False

    def channels(self) -> dict[str, IntervalSeries]:
        separators, text = (self.text[3:9], self.text[9:]) if self.text.startswith("UNA") else (_USUAL, self.text)
        if len(separators) < 6 or not text.lstrip().startswith("UNB"):
            raise MeterDataError("this is not EDIFACT: it must begin with UNA or UNB")
        for number, segment in enumerate(_segments(text, separators), 1):
            self._take(segment, number)
        self._keep()
        if not self._is_mscons:
            raise MeterDataError("the file has no MSCONS message: ask for the load profile as MSCONS")
        if not self._has_ended:
            raise MeterDataError("the file was cut off: it has no segment UNZ at its end")
        if not self._found:
            raise MeterDataError(
                "the file has no load profile, perhaps only register readings: ask for values of quarter-hours"
            )
        decimal = separators[2]
        return {
            name: IntervalSeries.from_intervals(_interval(value, decimal) for value in values)
            for name, values in self._found.items()
        }

    def _take(self, segment: list[list[str]], number: int) -> None:
        match segment:
            case [["UNH"], _, [kind, *_], *_]:
                self._is_mscons = self._is_mscons or kind == "MSCONS"
            case [["LOC"], ["172"], [location, *_], *_]:
                self._keep()
                self._location, self._quantity = location, ""
            case [["PIA"], ["5"], [quantity, *_], *_]:
                self._keep()
                self._quantity = quantity
            case [["QTY"], [kind, text, *unit], *_]:
                self._keep()
                self._value = _Value(number, kind, text, unit[0] if unit else "")
            case [["DTM"], ["163", text, *_], *_] if self._value is not None:
                self._value.start = _moment(text, number)
            case [["DTM"], ["164", text, *_], *_] if self._value is not None:
                self._value.end = _moment(text, number)
            case [["UNZ"], *_]:
                self._has_ended = True
            case _:
                pass

    def _keep(self) -> None:
        """Keep the previous value if it is for an interval; register readings have only one moment."""
        value, self._value = self._value, None
        if value is not None and value.start is not None and value.end is not None and value.start < value.end:
            self._found.setdefault(f"{self._location} {self._quantity}".strip(), []).append(value)


def _segments(text: str, separators: str) -> Iterator[list[list[str]]]:
    """Yield each segment as its elements, and those as their components."""
    component, element, _, release, _, end = list(separators)
    position = 0
    for match in re.finditer(_until(end, release), text, re.DOTALL):
        position = match.end()
        yield [
            [_released(part, release) for part in _split(each, component, release)]
            for each in _split(match[1].strip(), element, release)
        ]
    if text[position:].strip():
        raise MeterDataError("the file was cut off: its last segment does not end")


def _until(separator: str, release: str) -> str:
    mark, end = re.escape(release), re.escape(separator)
    return rf"((?:{mark}.|[^{mark}{end}])*){end}"


def _split(text: str, separator: str, release: str) -> list[str]:
    if release not in text:
        return text.split(separator)
    return re.findall(_until(separator, release), text + separator, re.DOTALL)


def _released(text: str, release: str) -> str:
    return re.sub(rf"{re.escape(release)}(.)", r"\1", text, flags=re.DOTALL) if release in text else text


def _moment(text: str, segment: int) -> datetime:
    match = _MOMENT.fullmatch(text)
    try:
        if match is not None:
            offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0) * (-1 if match[2][0] == "-" else 1))
            local = match[1]
            day, hours, minutes = local[:8], int(local[8:10]), int(local[10:])  # 24:00 is the next day's 00:00
            if hours <= 24 and minutes < 60:
                begin = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
                return begin + timedelta(hours=hours, minutes=minutes) - offset
    except (ValueError, OverflowError):
        pass
    raise MeterDataError(
        f"segment {segment}: expected a time with its offset such as 202607010015+00", column="DTM", value=text
    )


def _interval(value: _Value, decimal: str) -> Interval:
    unit = _UNITS.get(value.unit)
    if unit is None:
        known = ", ".join(filter(None, _UNITS))
        raise MeterDataError(f"segment {value.segment}: expected a unit of {known}", column="QTY", value=value.unit)
    if value.kind not in _MEASURED | _ESTIMATED | {_UNUSABLE}:
        raise MeterDataError(
            f"segment {value.segment}: it is not known whether this kind of value is an estimate",
            column="QTY",
            value=value.kind,
        )
    try:
        number = exact(Decimal(value.text.replace(decimal, ".")))
    except (InvalidOperation, InvalidValueError) as error:
        raise MeterDataError(f"segment {value.segment}: expected a number", column="QTY", value=value.text) from error
    if value.start is None or value.end is None:
        raise MeterDataError(f"segment {value.segment}: the value has no times", column="QTY", value=value.text)
    hours = Fraction((value.end - value.start) // timedelta(seconds=1), SECONDS_PER_HOUR)
    energy = max(number, Fraction(0)) * unit.factor * (1 if unit.is_energy else hours)
    return Interval(
        value.start,
        value.end,
        None if value.kind == _UNUSABLE else energy,
        Quality.ESTIMATED if value.kind in _ESTIMATED else Quality.MEASURED,
    )
