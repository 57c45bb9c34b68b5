"""Texts that say when, as instants: formats of timestamps, time zones, and the hours in which clocks change.

Polars parses whole columns; what it cannot read is looked at one by one, so that an error names the cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.slots import EPOCH, SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

MICROSECONDS: Final = 1_000_000
_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:([T ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)? ?(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.ASCII,
)
_REST: Final = re.compile(r"(?:[.,](\d{1,12}))? ?(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?", re.ASCII)
_MIDNIGHT_24: Final = re.compile(r"\b24(:00){1,2}(?![\d:])", re.ASCII)
_EXCEL_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
DIRECTIVES: Final = frozenset("YmdHMSIpybBfjzAa%")
"""What may follow a percent sign in a time format."""


def zone_of(text: str) -> tzinfo:
    """Return a time zone.

    Args:
        text: An offset such as ``+01:00``, ``UTC``, or a name of the IANA database such as ``Europe/Berlin``.

    Raises:
        MeterDataError: If it is neither.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 -- only where it is needed

    try:
        if text.startswith(("+", "-")):
            return datetime.strptime(text, "%z").tzinfo or UTC
        return UTC if text.upper() in {"UTC", "Z"} else ZoneInfo(text)
    except (ValueError, OSError, KeyError) as error:
        raise MeterDataError(
            f"`time_zone` is {text!r}: expected an offset such as +01:00, or a zone such as Europe/Berlin"
        ) from error


def check_time_format(text: str) -> str:
    """Return a format of timestamps if it can be one.

    Raises:
        MeterDataError: If it is neither a known word nor made of known directives.
    """
    if text in {"iso", "epoch-s", "epoch-ms", "excel"}:
        return text
    found = re.findall(r"%(.?)", text)
    unknown = [f"%{letter}" for letter in found if letter not in DIRECTIVES or not letter]
    if not found or unknown:
        raise MeterDataError(
            f"`time_format` is {text!r}{f', with the unknown {unknown[0]}' if unknown else ''}: expected iso, epoch-s, "
            "epoch-ms, excel, or directives such as %d.%m.%Y %H:%M:%S (with %I and %p for AM and PM)"
        )
    return text


# From text to a local time


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """A column of timestamps.

    Attributes:
        microseconds: Since 1970, by the clock that they were read from.
        offsets: Its offset from UTC, s, where the text says it; else null.
    """

    microseconds: pl.Series
    offsets: pl.Series


def parse_times(texts: pl.Series, time_format: str, refuse: Callable[[int, str], MeterDataError]) -> LocalTimes:
    """Read a column of timestamps.

    Args:
        texts: The cells, without blanks around them.
        time_format: ``iso``, ``epoch-s``, ``epoch-ms``, ``excel``, or a format with directives.
        refuse: Makes the error for a row by its index and what is wrong.

    Raises:
        MeterDataError: If a cell cannot be read.
    """
    if time_format == "iso":
        return _parse_iso(texts, refuse)
    if time_format in {"epoch-s", "epoch-ms", "excel"}:
        return _parse_numbers(texts, time_format, refuse)
    return _parse_pattern(texts, time_format, refuse)


def _parse_iso(texts: pl.Series, refuse: Callable[[int, str], MeterDataError]) -> LocalTimes:
    import polars as pl  # noqa: PLC0415

    first = _ISO.fullmatch(texts[0]) if len(texts) else None
    if first is None or first[4] is None:
        return _one_by_one(texts, _iso, None, refuse, _ISO_HELP)
    has_seconds = first[7] is not None
    width = 19 if has_seconds else 16
    pattern = f"%Y-%m-%d{first[4]}%H:%M{':%S' if has_seconds else ''}"
    lengths = texts.str.len_bytes()
    is_plain = lengths.min() == width == lengths.max()
    heads = texts if is_plain else texts.str.slice(0, width)
    local = heads.str.to_datetime(pattern, time_unit="us", strict=False).cast(pl.Int64)
    offsets = pl.repeat(None, len(texts), dtype=pl.Int64, eager=True)
    if not is_plain:
        rests = texts.str.slice(width)
        known = {rest: _rest(rest) for rest in rests.unique().to_list()}
        if len(known) == 1:
            fraction, offset, is_read = next(iter(known.values()))
            if not is_read:
                local = pl.repeat(None, len(texts), dtype=pl.Int64, eager=True)
            elif fraction:
                local = local + fraction
            offsets = pl.repeat(offset, len(texts), dtype=pl.Int64, eager=True)
        else:
            parts = [known[rest] for rest in rests.to_list()]
            read = pl.Series([fraction if is_read else None for fraction, _, is_read in parts], dtype=pl.Int64)
            local = local + read
            offsets = pl.Series([offset for _, offset, _ in parts], dtype=pl.Int64)
    if not local.null_count():
        return LocalTimes(local, offsets)
    return _one_by_one(texts, _iso, LocalTimes(local, offsets), refuse, _ISO_HELP)


_ISO_HELP: Final = (
    "expected an ISO 8601 timestamp such as 2016-07-01T00:15:00-07:00; for another form give `time_format`, such as "
    '`time_format="%d.%m.%Y %H:%M"`'
)


def _rest(text: str) -> tuple[int, int | None, bool]:
    """Fraction (µs) and offset (s) behind the seconds, and whether they can be read."""
    match = _REST.fullmatch(text)
    if match is None:
        return 0, None, False
    return _fraction(match[1]), _offset(match[2]), True


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0")[:6])


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text in {"Z", "z"}:
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _iso(text: str) -> tuple[int, int | None] | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    hour, minute, second = int(match[5] or 0), int(match[6] or 0), int(match[7] or 0)
    is_24 = hour == 24 and minute == second == 0
    try:
        moment = datetime(year, month, day, 0 if is_24 else hour, minute, second, _fraction(match[8]), tzinfo=UTC)
    except ValueError:
        return None
    return (moment - EPOCH) // timedelta(microseconds=1) + (_DAY_US if is_24 else 0), _offset(match[9])


def _parse_pattern(texts: pl.Series, pattern: str, refuse: Callable[[int, str], MeterDataError]) -> LocalTimes:
    import polars as pl  # noqa: PLC0415

    if "%z" in pattern or "%f" in pattern or not {"%Y", "%y"} & set(re.findall("%.", pattern)):
        parsed = pl.repeat(None, len(texts), dtype=pl.Int64, eager=True)
    elif re.search("%[HI]", pattern):
        parsed = texts.str.to_datetime(pattern, time_unit="us", strict=False).cast(pl.Int64)
    else:
        parsed = texts.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).cast(pl.Int64)
    found = LocalTimes(parsed, pl.repeat(None, len(texts), dtype=pl.Int64, eager=True))
    if not parsed.null_count():
        return found
    example = datetime(2026, 7, 31, 13, 45, 30, tzinfo=UTC).strftime(pattern)

    def read(text: str) -> tuple[int, int | None] | None:
        is_24 = _MIDNIGHT_24.search(text) is not None
        try:
            moment = datetime.strptime(_MIDNIGHT_24.sub(_to_0, text), pattern)  # noqa: DTZ007 -- as the text says
        except ValueError:
            return None
        offset = moment.utcoffset()
        local = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + (_DAY_US if is_24 else 0)
        return local, None if offset is None else offset // timedelta(seconds=1)

    return _one_by_one(texts, read, found, refuse, f"expected a timestamp like {example!r}; check `time_format`")


def _to_0(match: re.Match[str]) -> str:
    return match[0].replace("24", "00", 1)


def _parse_numbers(texts: pl.Series, time_format: str, refuse: Callable[[int, str], MeterDataError]) -> LocalTimes:
    def read(text: str) -> tuple[int, int | None] | None:
        try:
            number = Decimal(text)
            if not number.is_finite() or abs(number) > 10**14:
                return None
        except InvalidOperation:
            return None
        if time_format == "excel":  # days; a float of a spreadsheet is exact to some microseconds
            local = round(number * SECONDS_PER_DAY) * MICROSECONDS
            return local + (_EXCEL_EPOCH - EPOCH) // timedelta(microseconds=1), None
        return int(number * (MICROSECONDS if time_format == "epoch-s" else 1000)), 0

    what = {"excel": "days since 1900, as Excel counts", "epoch-s": "seconds since 1970", "epoch-ms": "ms since 1970"}
    return _one_by_one(texts, read, None, refuse, f"expected {what[time_format]}; check `time_format`")


def _one_by_one(
    texts: pl.Series,
    read: Callable[[str], tuple[int, int | None] | None],
    found: LocalTimes | None,
    refuse: Callable[[int, str], MeterDataError],
    expected: str,
) -> LocalTimes:
    """Read what is left, each different text once."""
    import polars as pl  # noqa: PLC0415

    times = [None] * len(texts) if found is None else found.microseconds.to_list()
    offsets = [None] * len(texts) if found is None else found.offsets.to_list()
    known: dict[str, tuple[int, int | None] | None] = {}
    for index, cell in enumerate(texts.to_list()):
        if times[index] is not None:
            continue
        text = cell.strip()
        if text not in known:
            known[text] = read(text)
        result = known[text]
        if result is None:
            raise refuse(index, expected)
        times[index], offsets[index] = result
    return LocalTimes(pl.Series(times, dtype=pl.Int64), pl.Series(offsets, dtype=pl.Int64))


# From a local time to an instant


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a zone's clocks.

    Attributes:
        at: When, unix seconds.
        before: The offset from UTC until then, s.
        after: From then on.
    """

    at: int
    before: int
    after: int


@dataclass(slots=True)
class _Order:
    """Tells the two passes through an hour that comes twice by the order of rows, over any number of pieces."""

    change: Change | None = None
    last_us: int = 0
    passes: int = 0
    error: MeterDataError | None = None

    def is_second(
        self, index: int, local_us: int, change: Change, refuse: Callable[[int, str], MeterDataError]
    ) -> bool:
        if change != self.change:
            self.check()
            self.change, self.passes = change, 1
            self.error = refuse(
                index,
                "from here on the local times of an hour that comes twice are there only once, so their order does "
                'not say which it is: give `ambiguous="unknown"` to leave it out',
            )
        elif local_us <= self.last_us:
            self.passes += 1
            if self.passes > 2:
                raise refuse(index, "this local time comes more than twice: check the order of rows")
        self.last_us = local_us
        return self.passes == 2

    def check(self) -> None:
        if self.change is not None and self.passes == 1 and self.error is not None:
            raise self.error


@dataclass(slots=True)
class Clock:
    """The clock of a time zone, and what is made of the hours in which it changes.

    Attributes:
        zone: The time zone.
        policy: ``error``, ``order``, ``flag`` or ``unknown``, for local times that come twice.
    """

    zone: tzinfo
    policy: str
    _changes: dict[tuple[int, int], list[Change]] = field(default_factory=dict)
    _order: _Order = field(default_factory=_Order)

    def to_utc(
        self,
        local_us: pl.Series,
        *,
        second: pl.Series | None,
        are_ends: bool,
        refuse: Callable[[int, str], MeterDataError],
    ) -> pl.Series:
        """Convert local times.

        Args:
            local_us: Microseconds since 1970 by this clock.
            second: For the policy ``flag``: whether it is the second time that this local time comes.
            are_ends: Whether they are ends of intervals: the moment at which a clock is put forward has two names then.
            refuse: Makes the error for a row by its index and what is wrong.

        Returns:
            Microseconds since 1970, UTC; null where the policy leaves it unknown.

        Raises:
            MeterDataError: If a local time does not exist, or comes twice and nothing says which is meant.
        """
        import polars as pl  # noqa: PLC0415

        if isinstance(self.zone, timezone):
            return local_us - (self.zone.utcoffset(None) // timedelta(seconds=1)) * MICROSECONDS
        low, high = int(local_us.min()) // MICROSECONDS, int(local_us.max()) // MICROSECONDS
        changes = self._between(low // SECONDS_PER_DAY - 2, high // SECONDS_PER_DAY + 2)
        first_offset = _offset_at(self.zone, (low // SECONDS_PER_DAY - 2) * SECONDS_PER_DAY)
        if not changes:
            return local_us - first_offset * MICROSECONDS
        # Segments of local time: an ordinary one between changes, a special one for what a change skips or repeats.
        bounds, offsets, special = [], [first_offset], [-1]
        for number, change in enumerate(changes):
            early, late = sorted((change.at + change.before, change.at + change.after))
            bounds += [early * MICROSECONDS, late * MICROSECONDS]
            offsets += [change.before, change.after]
            special += [number, -1]
        segment = pl.Series(bounds, dtype=pl.Int64).search_sorted(local_us, side="right")
        result = local_us - pl.Series(offsets, dtype=pl.Int64).gather(segment) * MICROSECONDS
        specials = pl.Series(special, dtype=pl.Int64).gather(segment)
        odd = (specials >= 0).arg_true().to_list()
        if not odd:
            return result
        fixed = result.to_list()
        for index in odd:
            change = changes[specials[index]]
            local = int(local_us[index])
            fixed[index] = self._resolve(index, local, change, second, are_ends=are_ends, refuse=refuse)
        return pl.Series(fixed, dtype=pl.Int64)

    def _resolve(
        self,
        index: int,
        local_us: int,
        change: Change,
        second: pl.Series | None,
        *,
        are_ends: bool,
        refuse: Callable[[int, str], MeterDataError],
    ) -> int | None:
        if change.after > change.before:
            if are_ends and local_us == (change.at + change.before) * MICROSECONDS:
                return change.at * MICROSECONDS
            if self.policy == "unknown":
                return None
            raise refuse(
                index,
                f"this local time does not exist, as the clocks of {self.zone} skip it: if it is the end of an "
                'interval, give `stamped="end"`; if the meter keeps standard '
                "time all year, give a fixed `time_zone` such as +01:00; to leave such hours out, give "
                '`ambiguous="unknown"`',
            )
        match self.policy:
            case "unknown":
                return None
            case "flag" if second is not None:
                is_second = bool(second[index])
            case "order":
                is_second = self._order.is_second(index, local_us, change, refuse)
            case _:
                raise refuse(
                    index,
                    f"this local time comes twice, as the clocks of {self.zone} change: if the rows are in order, give "
                    '`ambiguous="order"`; if a column says which it is, `ambiguous="flag"`; to leave the hour out, '
                    '`ambiguous="unknown"`; or a fixed `time_zone` if the meter keeps standard time all year',
                )
        return local_us - (change.after if is_second else change.before) * MICROSECONDS

    def finish(self) -> None:
        """Say that there are no more rows.

        Raises:
            MeterDataError: If the order of rows did not say which of two hours was meant.
        """
        self._order.check()

    def changes_within(self, instants: pl.Series) -> list[Change]:
        """Return the changes of the clock between the first and the last of some instants, and a day around them."""
        if isinstance(self.zone, timezone) or instants.null_count() == len(instants):
            return []
        low, high = (int(limit) // (SECONDS_PER_DAY * MICROSECONDS) for limit in (instants.min(), instants.max()))
        return self._between(low - 1, high + 2)

    def moments(self, local_us: int) -> list[int]:
        """Return all moments (µs since 1970) at which this clock shows a local time, or showed it until then."""
        local = local_us // MICROSECONDS
        found = set()
        for near in (local - SECONDS_PER_DAY, local, local + SECONDS_PER_DAY):
            offset = _offset_at(self.zone, near)
            moment = local - offset
            if offset in {_offset_at(self.zone, moment), _offset_at(self.zone, moment - 1)}:
                found.add(local_us - offset * MICROSECONDS)
        return sorted(found)

    def _between(self, first_day: int, last_day: int) -> list[Change]:
        key = first_day, last_day
        if key not in self._changes:
            self._changes[key] = list(_changes(self.zone, first_day, last_day))
        return self._changes[key]


def _offset_at(zone: tzinfo, second: int) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


def _changes(zone: tzinfo, first_day: int, last_day: int) -> list[Change]:
    """All changes of a clock between two days, found to the second."""
    changes = []
    step = SECONDS_PER_DAY // 2
    at, before = first_day * SECONDS_PER_DAY, _offset_at(zone, first_day * SECONDS_PER_DAY)
    while at < last_day * SECONDS_PER_DAY:
        after = _offset_at(zone, at + step)
        if after != before:
            low, high = at, at + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_at(zone, middle) == before else (low, middle)
            changes.append(Change(high, before, after))
        at, before = at + step, after
    return changes
