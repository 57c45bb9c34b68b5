"""Guesses the columns of a table: the times, the readings, and what the user has to decide."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import mode
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.quantities import unit_in
from der_client.readings.table import DEFAULT_NULL_WORDS
from der_client.readings.table_columns import METER_COLUMN

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIME_FORMATS: Final = (
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%Y%m%d %H%M",
    "%Y%m%d%H%M",
)
_EPOCHS: Final = {"epoch-s": re.compile(r"1\d{9}", re.ASCII), "epoch-ms": re.compile(r"1\d{12}", re.ASCII)}
_RANGE: Final = re.compile(r".*\d:\d\d(?::\d\d)?( - | to |/).*\d:\d\d.*")
_UTC: Final = re.compile(r"\b(UTC|GMT)\b(?! ?[+-])")
_OFFSET: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.ASCII)
_PRODUCTION: Final = re.compile(
    r"export|feed.?in|generat|solar|\bpv|produc|surplus|return|inject|erzeug|einspeis|deliver|yield|output",
    re.IGNORECASE,
)
_NOT_PRODUCTION: Final = re.compile(
    r"import|consum|load|batter|grid|usage|price|cost|amount|temp|irradi|revision|verbrauch|bezug|lat|lon",
    re.IGNORECASE,
)
_QUALITY: Final = re.compile(r"quality|estimat|status|ersatz|actual", re.IGNORECASE)
ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
DATE: Final = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{2,4}", re.ASCII)
_MOST_WRONG: Final = 0.1
"""The share of cells that may be wrong in a column of times or readings; reading the file names them."""
CLOCK: Final = re.compile(r"\d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?", re.ASCII)


@dataclass(slots=True)
class Look:
    """What was found out about a table."""

    fields: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def is_number(cell: str) -> bool:
    """Return whether a cell looks like a number."""
    return re.fullmatch(r"\s*[-+]?[\d.,]*\d\s*", cell) is not None


def is_time(cell: str) -> bool:
    """Return whether a cell begins like a date or a time."""
    text = cell.strip()
    return any(pattern.match(text) for pattern in (ISO, DATE, CLOCK))


def look_at_times(look: Look, columns: dict[str, list[str]]) -> None:
    """Find the columns of times, their format and the order of rows.

    Args:
        look: What was found out so far; the results are added.
        columns: The cells of each column, by its name.

    Raises:
        MeterDataError: If no column has times.
    """
    for name, cells in columns.items():
        if not any(cells):
            continue
        texts, names = cells, [name]
        if _are(cells, DATE):
            clocks = [other for other, values in columns.items() if other != name and _are(values, CLOCK)]
            if not clocks:
                continue
            names.append(clocks[0])
            texts = [f"{day} {clock}" for day, clock in zip(cells, columns[clocks[0]], strict=True)]
        if _are(texts, _RANGE):
            separator = next(filter(None, map(_RANGE.match, texts)))[1]
            look.fields["range_separator"] = separator
            texts = [text.partition(separator)[0] for text in texts]
        form = _time_format(texts, look)
        if form is None:
            continue
        look.fields["time"] = names
        if form != "iso":
            look.fields["time_format"] = form
        texts = [text for text in texts if _fits(text, form)]
        if form.startswith("epoch") or all(_OFFSET.search(text) for text in texts):
            pass
        elif any(_UTC.search(each) for each in names):
            look.fields["time_zone"] = "UTC"
            look.remarks.append("the column's name says UTC: check `time_zone`")
        else:
            look.remarks.append("times have no offset from UTC: give `time_zone`, the zone of the meter's clock")
        _look_at_order(look, texts, form)
        return
    raise MeterDataError(
        f"no column of times was found; there are: {', '.join(map(repr, columns))}; give `time` yourself"
    )


def _are(cells: Sequence[str], pattern: re.Pattern[str]) -> bool:
    present = [cell for cell in cells if cell]
    return bool(present) and _nearly_all([pattern.fullmatch(cell) for cell in present])


def _nearly_all(found: Sequence[object]) -> bool:
    return sum(not each for each in found) <= len(found) * _MOST_WRONG


def _time_format(texts: Sequence[str], look: Look) -> str | None:
    """Return the format that fits all texts, or else nearly all."""
    present = [text for text in texts if text]
    fits = {form: [_fits(text, form) for text in present] for form in ("iso", *_EPOCHS, *_TIME_FORMATS)}
    fitting = [form for form in fits if all(fits[form])]
    if not fitting:
        fitting = sorted(
            (form for form in fits if _nearly_all(fits[form])), key=lambda form: sum(fits[form]), reverse=True
        )
    if len(fitting) > 1 and {form[:5] for form in fitting} >= {"%d/%m", "%m/%d"}:
        look.remarks.append("it is unclear whether the day or the month comes first: check `time_format`")
    return fitting[0] if fitting else None


def _fits(text: str, form: str) -> bool:
    if form == "iso":
        return ISO.fullmatch(text) is not None
    if form in _EPOCHS:
        return _EPOCHS[form].fullmatch(text) is not None
    try:
        datetime.strptime(re.sub(r"\b24(?=:00)", "00", text), form)  # noqa: DTZ007 -- only to see whether it can be read
    except ValueError:
        return False
    return True


def _look_at_order(look: Look, texts: Sequence[str], form: str) -> None:
    if form in _EPOCHS:
        moments = [float(text) for text in texts]
    else:
        read = datetime.fromisoformat if form == "iso" else (lambda text: datetime.strptime(text, form))  # noqa: DTZ007
        try:
            moments = [read(text).timestamp() for text in texts]
        except ValueError:
            return
    steps = [later - earlier for earlier, later in pairwise(moments)]
    if steps and sum(step < 0 for step in steps) > len(steps) / 2:
        look.fields["order"] = "descending"
        steps = [-step for step in steps]
    rising = [step for step in steps if step > 0]
    if rising and len(set(rising)) > 1:
        usual = int(mode(rising))
        share = rising.count(usual) / len(rising)
        if share > 0.8 and all(step % usual == 0 for step in rising):
            look.fields["interval_seconds"] = usual
            look.remarks.append(f"rows are missing: nearly all are {usual} s apart; check `interval_seconds`")
        else:
            look.remarks.append("the step between rows changes: if each lasts until the next, give `until_next=True`")


def look_at_values(look: Look, columns: dict[str, list[str]]) -> None:
    """Find the column of production, and what the user has to decide about it.

    Args:
        look: What was found out so far; the results are added.
        columns: The cells of each column, by its name.

    Raises:
        MeterDataError: If no column has numbers.
    """
    taken = set(look.fields.get("time", ()))
    words = {word.lower() for word in DEFAULT_NULL_WORDS} | {"unavailable", "unknown"}
    numeric: dict[str, list[str]] = {}
    nulls: set[str] = set()
    for name, cells in columns.items():
        is_other = METER_COLUMN.search(name) is not None and not _PRODUCTION.search(name)
        if name in taken or is_other or _are(cells, CLOCK) or _are(cells, DATE):
            continue
        present = [cell for cell in cells if cell.lower() not in words]
        if present and _nearly_all([is_number(cell) for cell in present]):
            numeric[name] = [cell for cell in present if is_number(cell)]
            nulls |= {cell for cell in cells if cell.lower() in words} if len(present) < len(cells) else set()
    wanted = [name for name in numeric if _PRODUCTION.search(name) and not _NOT_PRODUCTION.search(name)]
    wanted = wanted or [name for name in numeric if unit_in(name) and not _NOT_PRODUCTION.search(name)]
    wanted = wanted or [name for name in numeric if not _NOT_PRODUCTION.search(name)] or list(numeric)
    if not wanted:
        raise MeterDataError(f"no column of readings was found; there are: {', '.join(map(repr, columns))}")
    chosen = wanted[0]
    look.fields["values"] = [chosen]
    if len(wanted) > 1:
        look.remarks.append(f"other columns that may be meant: {', '.join(map(repr, wanted[1:]))}; check `values`")
    cells = numeric[chosen]
    if look.fields.get("delimiter") and any("," in cell for cell in cells) and not any("." in cell for cell in cells):
        look.fields["decimal"] = ","
    numbers = [float(cell.replace(",", ".") if look.fields.get("decimal") else cell.replace(",", "")) for cell in cells]
    if any(cell.lower() in words for cell in columns[chosen]):
        look.fields["nulls"] = "unknown"
        look.remarks.append("some rows have no reading: `nulls` says what they are")
        others = sorted(nulls - set(DEFAULT_NULL_WORDS) - {word.lower() for word in DEFAULT_NULL_WORDS})
        if others:
            look.fields["null_words"] = ["", *others]
    unit = unit_in(chosen)
    if unit is None:
        look.remarks.append("the unit is unknown: give `unit`")
    rises = sum(later > earlier for earlier, later in pairwise(numbers))
    if (
        rises >= 3
        and not any(later < earlier for earlier, later in pairwise(numbers))
        and (unit is None or unit.is_energy)
    ):
        look.fields["kind"] = "register"
        look.remarks.append("the readings only grow, as those of a register do: check `kind`")
    if any(number < 0 for number in numbers):
        negative = -sum(number for number in numbers if number < 0)
        if negative > 0.02 * sum(number for number in numbers if number > 0):
            look.fields["sign"] = "negative"
            look.remarks.append("many readings are negative: check `sign`, which says which of them are production")
    for name, others_cells in columns.items():
        distinct = sorted(set(others_cells))
        if name not in taken | set(numeric) and 1 < len(distinct) <= 6 and len(others_cells) > len(distinct):
            if _QUALITY.search(name):
                look.remarks.append(
                    f"the column {name!r} has {', '.join(map(repr, distinct))}: if it marks estimates, give "
                    "`quality_column`"
                )
            else:
                look.remarks.append(
                    f"the column {name!r} has {', '.join(map(repr, distinct))}: if they are channels, pick with `where`"
                )
