"""Parses timestamps of all formats into local times.

Polars parses whole columns; what it cannot read is parsed one by one, so that an error names the cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.slots import EPOCH, MICROSECONDS, SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:([T ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)? ?(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.ASCII,
)
_REST: Final = re.compile(r"(?:[.,](\d{1,12}))? ?(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?", re.ASCII)
_MIDNIGHT_24: Final = re.compile(r"\b24(:00){1,2}(?![\d:])", re.ASCII)
_END_US: Final = 253_402_300_800 * MICROSECONDS
"""The year 10000."""
_EXCEL_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
DIRECTIVES: Final = frozenset("YmdHMSIpybBfjzAa%")
"""What may follow a percent sign in a time format."""


def check_time_format(text: str) -> str:
    """Return a format of timestamps after checking it.

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


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """A column of timestamps.

    Attributes:
        microseconds: Microseconds since 1970 on the clock that they were read from.
        offsets: The clock's offset from UTC, s, if the text has one; else null.
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
        return _one_by_one(texts, _iso, None, refuse, _ISO_HELP, "iso")
    has_seconds = first[7] is not None
    width = 19 if has_seconds else 16
    pattern = f"%Y-%m-%d{first[4]}%H:%M{':%S' if has_seconds else ''}"
    lengths = texts.str.len_bytes()
    is_plain = lengths.min() == width == lengths.max()
    heads = texts if is_plain else texts.str.slice(0, width)
    local = heads.str.to_datetime(pattern, time_unit="us", strict=False, cache=False).cast(pl.Int64)
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
    return _one_by_one(texts, _iso, LocalTimes(local, offsets), refuse, _ISO_HELP, "iso")


_ISO_HELP: Final = (
    "expected an ISO 8601 timestamp such as 2016-07-01T00:15:00-07:00; for another form give `time_format`, such as "
    '`time_format="%d.%m.%Y %H:%M"`'
)


def _rest(text: str) -> tuple[int, int | None, bool]:
    """Return fraction (µs) and offset (s) after the seconds, and whether they can be read."""
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
        parsed = texts.str.to_datetime(pattern, time_unit="us", strict=False, cache=False).cast(pl.Int64)
    else:
        parsed = texts.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).cast(pl.Int64)
    found = LocalTimes(parsed, pl.repeat(None, len(texts), dtype=pl.Int64, eager=True))
    if not parsed.null_count():
        return found
    example = datetime(2026, 7, 31, 13, 45, 30, tzinfo=UTC).strftime(pattern)

    def read(text: str) -> tuple[int, int | None] | None:
        is_24 = _MIDNIGHT_24.search(text) is not None
        try:
            moment = datetime.strptime(_MIDNIGHT_24.sub(_to_0, text), pattern)  # noqa: DTZ007 -- as in the text
        except ValueError:
            return None
        offset = moment.utcoffset()
        local = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + (_DAY_US if is_24 else 0)
        return local, None if offset is None else offset // timedelta(seconds=1)

    expected = f"expected a timestamp like {example!r}; check `time_format`"
    return _one_by_one(texts, read, found, refuse, expected, pattern)


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
        if time_format == "excel":  # days; a spreadsheet's float is exact to some microseconds
            local = round(number * SECONDS_PER_DAY) * MICROSECONDS
            return local + (_EXCEL_EPOCH - EPOCH) // timedelta(microseconds=1), None
        moment = int(number * (MICROSECONDS if time_format == "epoch-s" else 1000))
        return (moment, 0) if moment < _END_US else None

    what = {"excel": "days since 1900, as Excel counts", "epoch-s": "seconds since 1970", "epoch-ms": "ms since 1970"}
    return _one_by_one(texts, read, None, refuse, f"expected {what[time_format]}; check `time_format`", time_format)


def _advice(text: str, time_format: str) -> str:
    """Return advice on how to read a text that does not match the format."""
    if not any(letter.isdigit() for letter in text):
        return f'; if this row is not a reading, such as a sum, give `skip_rows="{text}"`'
    if (between := re.search(r"\d( - | to |/)\d+[-./:]\d", text)) and len(re.findall(r"\d:\d\d", text)) > 1:
        return f'; if the cell has both start and end, give `range_separator="{between[1]}"`'
    if re.fullmatch(r"1\d{9}", text) and time_format != "epoch-s":
        return '; this looks like seconds since 1970: give `time_format="epoch-s"`'
    if re.fullmatch(r"1\d{12}", text) and time_format != "epoch-ms":
        return '; this looks like ms since 1970: give `time_format="epoch-ms"`'
    if _ISO.fullmatch(text) and time_format != "iso":
        return "; this looks like ISO 8601: leave `time_format` out"
    return ""


def _one_by_one(
    texts: pl.Series,
    read: Callable[[str], tuple[int, int | None] | None],
    found: LocalTimes | None,
    refuse: Callable[[int, str], MeterDataError],
    expected: str,
    time_format: str,
) -> LocalTimes:
    """Read the remaining texts, each different one once."""
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
            raise refuse(index, expected + _advice(text, time_format))
        times[index], offsets[index] = result
    return LocalTimes(pl.Series(times, dtype=pl.Int64), pl.Series(offsets, dtype=pl.Int64))
