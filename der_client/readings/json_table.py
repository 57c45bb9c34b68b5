"""JSON with a list of records, such as the responses of many portals: each record is a row, its names are the columns.

A record within a record counts with its name before a point: ``{"period": {"start": …}}`` has the column
``period.start``. Where a record is a list, its columns are named "1", "2" and so on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError, like
from der_client.readings.json_documents import read_json
from der_client.readings.row_places import RowPlaces
from der_client.readings.table import TableFormat
from der_client.readings.table_columns import columns_of
from der_client.readings.table_reader import TableReader, require_polars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from der_client.readings.intervals import IntervalSeries
    from der_client.readings.sources import Source

_DEEPEST: Final = 8
_MOST_SHOWN: Final = 8


def read_json_table(source: Source, form: TableFormat | None = None) -> IntervalSeries:
    """Read the records of a JSON document.

    Args:
        source: Path of a file, its content as bytes, or an open stream.
        form: How the records say what they say; ``records`` is where they are.

    Raises:
        MeterDataError: If it is not JSON, has no such records, or something in them cannot be read or is not certain;
            records are counted from 1.
        OSError: If the file cannot be opened.
    """
    form = form or TableFormat()
    require_polars()
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    cells = columns_of_records(records_of(read_json(source), form.records))
    header = list(cells)
    missing = next((name for name in columns_of(form) if name not in cells), None)
    if missing is not None:
        known = ", ".join(map(repr, header[: 3 * _MOST_SHOWN]))
        raise MeterDataError(f"no record has this name{like(missing, header)}; there are: {known}", column=missing)
    reader = TableReader(form, header, RowPlaces("record"))
    columns = {str(number): cells[name] for number, name in enumerate(header)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    frame = frame.with_columns(record=pl.int_range(frame.height, dtype=pl.Int64))
    reader.feed(frame.reverse() if form.order == "descending" else frame)
    return reader.finish()


def records_of(document: Any, path: str | None) -> list[Any]:
    """Return the records of a document.

    Args:
        document: As it was parsed.
        path: Their place, such as ``data.results``; a number picks from a list, ``*`` means all of its entries. By
            default the only list of records.

    Raises:
        MeterDataError: If there are none, or several lists of them.
    """
    places = list_places(document)
    if path is not None:
        records = list(records_at(document, path))
        if not records:
            raise MeterDataError(f"`records` is {path!r}, and there are none there; {_known(places)}")
        return records
    if len(places) != 1:
        raise MeterDataError(
            "the file has no list of records" if not places else f"name one list with `records`; {_known(places)}"
        )
    return next(iter(places.values()))


def records_at(document: Any, path: str) -> Iterator[Any]:
    """Yield the records at a place of a document, if there are any."""
    for found in _at(document, [part for part in path.split(".") if part]):
        if isinstance(found, list):
            yield from found


def list_places(document: Any) -> dict[str, list[Any]]:
    """Return the lists of records in a document, by their place."""
    return dict(_lists_of_records(document))


def columns_of_records(records: Sequence[Any]) -> dict[str, list[str]]:
    """Return the cells of records as text, by the names of their columns; a record that lacks one has an empty cell."""
    rows = [dict(_cells(record)) for record in records]
    return {name: [row.get(name, "") for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}


def _known(places: Mapping[str, Sequence[Any]]) -> str:
    shown = [f"{place!r} ({len(records)})" for place, records in list(places.items())[:_MOST_SHOWN]]
    return f"there are: {', '.join(shown) or 'no lists of records at all'}"


def _lists_of_records(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists whose entries are records, and hold no such list themselves; and their places."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _lists_of_records(part, f"{place}.{name}".lstrip("."), depth + 1)
    elif isinstance(value, list) and value and all(isinstance(record, dict | list) for record in value):
        inner = [
            found
            for number, record in enumerate(value)
            for found in _lists_of_records(record, f"{place}.{number}".lstrip("."), depth + 1)
        ]
        yield from inner or [(place or ".", value)]


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    first, *rest = path
    if isinstance(value, dict) and first in value:
        yield from _at(value[first], rest)
    elif isinstance(value, list) and first == "*":
        for part in value:
            yield from _at(part, rest)
    elif isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        yield from _at(value[int(first)], rest)


def _cells(record: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(record, dict) and depth < _DEEPEST:
        for key, value in record.items():
            yield from _cells(value, f"{name}.{key}".lstrip("."), depth + 1)
    elif isinstance(record, list) and not name:
        for number, value in enumerate(record, 1):
            yield from _cells(value, str(number), depth + 1)
    elif name:
        yield name, _text(record)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}" if -40 < value.adjusted() < 40 else str(value)
    return value if isinstance(value, str) else ""
