"""Reads Green Button: ESPI, the XML that North American utilities and some others export (NAESB REQ.21, an Atom feed).

A feed has usage points (meters), each with readings of a type: the direction of the energy, the unit, and the power of
ten. Interval blocks have the readings. Times are unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import Interval, IntervalSeries, Quality
from der_client.readings.quantities import exact
from der_client.readings.slots import EPOCH, SECONDS_PER_HOUR
from der_client.readings.sources import Source, open_binary
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_WATT_HOURS: Final = 72
_WATTS: Final = 38
_CUMULATIVE: Final = frozenset({1, 3})
"""Accumulation behaviours of registers: bulk quantity and cumulative."""
_ESTIMATED: Final = frozenset({7, 8, 9, 10, 12, 13, 15, 16})
"""Qualities of reading: edited, estimated, questionable, projected, mixed, normalised, other."""
_DIRECTIONS: Final = {1: "import", 4: "net", 19: "export", 0: "other"}
_MOST_SECONDS: Final = 253_402_300_800  # the year 10000


def read_green_button(source: Source, *, power_of_ten: int | None = None) -> dict[str, IntervalSeries]:
    """Read the channels of a Green Button file.

    Args:
        source: Path of a file, its content as bytes, or an open stream.
        power_of_ten: The power of ten to multiply all readings by, if the one in the file is wrong.

    Returns:
        A series for each reading of energy or power, by usage point and direction, such as ``"01 export"``: energy fed
        into the grid; ``import`` is energy drawn from it.

    Raises:
        MeterDataError: If it is not such a file, or something in it cannot be read or is contradictory.
        OSError: If the file cannot be opened.
    """
    feed = _Feed()
    with open_binary(source) as stream:
        for element in _elements(stream):
            feed.take(element)
    return feed.channels(power_of_ten)


def _elements(stream: IO[bytes]) -> Iterator[Element]:
    """Yield the entries of a feed; a document type is refused, since it could define endless entities."""
    with require_extra("readings"):
        from defusedxml import DefusedXmlException  # noqa: PLC0415 -- an extra
        from defusedxml.ElementTree import ParseError, iterparse  # noqa: PLC0415
    try:
        depth = 0
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > 50:
                raise MeterDataError("this is not a Green Button file: its elements are nested too deeply")
            if event == "end" and _name(element) == "entry":
                yield element
                element.clear()
    except DefusedXmlException as error:
        raise MeterDataError(
            "the file has a document type (DTD), which no Green Button file needs: it is refused"
        ) from error
    except (ParseError, ValueError, UnicodeError) as error:
        if isinstance(error, MeterDataError):
            raise
        raise MeterDataError(f"this is not valid XML: {error}") from error


@dataclass(slots=True)
class _Type:
    direction: int = 0
    power: int = 0
    unit: int = _WATT_HOURS
    behaviour: int = 4
    length: int = 0


@dataclass(slots=True)
class _Block:
    up: str
    readings: list[tuple[int, int, Decimal, int]] = field(default_factory=list)


class _Feed:
    def __init__(self) -> None:
        self._types: dict[str, _Type] = {}
        self._type_of: dict[str, str] = {}
        self._blocks: list[_Block] = []
        self._entries = 0

    def take(self, entry: Element) -> None:
        self._entries += 1
        links: dict[str, list[str]] = {}
        for link in entry:
            if _name(link) == "link":
                links.setdefault(link.get("rel", ""), []).append(link.get("href", "").rstrip("/"))
        own = (links.get("self") or [""])[0]
        content = next((child for child in entry if _name(child) == "content"), None)
        for resource in () if content is None else content:
            match _name(resource).lower():
                case "readingtype":
                    self._types[own] = _read_type(resource)
                case "meterreading":
                    related = [href for href in links.get("related", []) if "/ReadingType" in f"/{href}"]
                    self._type_of[own] = related[0] if related else ""
                case "intervalblock":
                    up = (links.get("up") or [own.rpartition("/IntervalBlock")[0]])[0]
                    self._blocks.append(_read_block(resource, up.removesuffix("/IntervalBlock")))
                case _:
                    pass

    def channels(self, power_of_ten: int | None) -> dict[str, IntervalSeries]:
        if not self._blocks:
            raise MeterDataError(
                "the file has no interval block, perhaps because it contains bills: download interval data"
            )
        by_channel: dict[str, tuple[_Type, list[_Block]]] = {}
        for block in self._blocks:
            kind = self._type(block)
            if kind.unit not in {_WATT_HOURS, _WATTS}:
                continue
            point = block.up.partition("/MeterReading")[0].rpartition("/")[2] or "1"
            name = f"{point} {_DIRECTIONS.get(kind.direction, f'direction {kind.direction}')}"
            known, blocks = by_channel.setdefault(name, (kind, []))
            if known != kind:  # such as hourly and daily readings of one meter
                name = f"{name} {block.up.rpartition('/')[2]}"
                _, blocks = by_channel.setdefault(name, (kind, []))
            blocks.append(block)
        if not by_channel:
            raise MeterDataError("the file has no readings of energy or power (Wh, W)")
        return {name: _series(name, kind, blocks, power_of_ten) for name, (kind, blocks) in by_channel.items()}

    def _type(self, block: _Block) -> _Type:
        href = self._type_of.get(block.up, "")
        if href in self._types:
            return self._types[href]
        if len(self._types) == 1:
            return next(iter(self._types.values()))
        raise MeterDataError(
            f"what the interval block of {block.up or 'no meter reading'} measures is unknown: its reading "
            "type is not in the file"
        )


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _read_type(element: Element) -> _Type:
    kind = _Type()
    for child in element:
        match _name(child):
            case "flowDirection":
                kind.direction = _integer(child, 0, 100)
            case "powerOfTenMultiplier":
                kind.power = _integer(child, -12, 12)
            case "uom":
                kind.unit = _integer(child, 0, 1000)
            case "accumulationBehaviour":
                kind.behaviour = _integer(child, 0, 100)
            case "intervalLength":
                kind.length = _integer(child, 0, 10**8)
            case _:
                pass
    return kind


def _read_block(element: Element, up: str) -> _Block:
    block = _Block(up)
    for reading in element:
        if _name(reading) != "IntervalReading":
            continue
        start = duration = None
        value, quality = None, 0
        for part in reading.iter():
            match _name(part):
                case "start":
                    start = _integer(part, 0, _MOST_SECONDS)
                case "duration":
                    duration = _integer(part, 1, 40 * 86_400)
                case "value":
                    value = _decimal(part)
                case "quality":
                    quality = max(quality, _integer(part, 0, 100))
                case _:
                    pass
        if start is None or duration is None:
            raise MeterDataError("an interval reading has no time period")
        if value is not None:
            block.readings.append((start, duration, value, quality))
    return block


def _integer(element: Element, least: int, most: int) -> int:
    text = (element.text or "").strip()
    try:
        number = int(text) if len(text) <= 20 else most + 1
    except ValueError:
        number = most + 1
    if not least <= number <= most:
        raise MeterDataError(f"expected an integer from {least} to {most}", column=_name(element), value=text)
    return number


def _decimal(element: Element) -> Decimal | None:
    text = (element.text or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
        exact(number)
    except (InvalidOperation, InvalidValueError) as error:
        raise MeterDataError("expected a number", column="value", value=text) from error
    return number


def _series(name: str, kind: _Type, blocks: list[_Block], power_of_ten: int | None) -> IntervalSeries:
    readings: dict[int, tuple[int, int, Decimal, int]] = {}
    for block in blocks:
        for reading in block.readings:
            before = readings.setdefault(reading[0], reading)
            if before != reading:
                raise MeterDataError(
                    f"{name}: the interval from {_moment(reading[0]):%Y-%m-%d %H:%M} UTC appears twice, with "
                    f"{before[2]} and {reading[2]}: ask for the file again"
                )
    ordered = [readings[start] for start in sorted(readings)]
    if not ordered:
        raise MeterDataError(f"{name}: its interval blocks have no readings")
    scale = Fraction(10) ** (kind.power if power_of_ten is None else power_of_ten)
    if kind.behaviour in _CUMULATIVE:
        return _of_register(ordered, scale)
    return IntervalSeries.from_intervals(
        Interval(
            _moment(start),
            _moment(start + duration),
            max(exact(value), Fraction(0))
            * scale
            * (Fraction(duration, SECONDS_PER_HOUR) if kind.unit == _WATTS else 1),
            Quality.ESTIMATED if quality in _ESTIMATED else Quality.MEASURED,
        )
        for start, duration, value, quality in ordered
    )


def _of_register(ordered: list[tuple[int, int, Decimal, int]], scale: Fraction) -> IntervalSeries:
    if len(ordered) < 2:
        raise MeterDataError("a register needs two readings, since its energy is their difference")
    return IntervalSeries.from_intervals(
        Interval(
            _moment(start),
            _moment(end),
            (exact(after) - exact(before)) * scale if after >= before else None,
            Quality.ESTIMATED if {quality, later} & _ESTIMATED else Quality.MEASURED,
        )
        for (start, _, before, quality), (end, _, after, later) in pairwise(ordered)
    )


def _moment(second: int) -> datetime:
    return (EPOCH + timedelta(seconds=second)).astimezone(UTC)
