"""Reads Excel workbooks (.xlsx): a sheet is a table, whatever is above it."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from der_client.readings.csv_table import LONGEST_PREAMBLE
from der_client.readings.errors import MeterDataError
from der_client.readings.row_places import RowPlaces
from der_client.readings.table import TableFormat
from der_client.readings.table_columns import columns_of
from der_client.readings.table_reader import TableReader, require_polars
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from der_client.readings.intervals import IntervalSeries

_MOST_BYTES: Final = 1 << 30
_MOST_RATIO: Final = 500
"""A sheet of numbers is compressed to about a tenth."""
_PIECE_ROWS: Final = 50_000
_MOST_COLUMNS: Final = 2_000


def read_excel(path: str | PathLike[str], form: TableFormat | None = None) -> IntervalSeries:
    """Read a sheet of a workbook.

    Args:
        path: The file.
        form: The table's format; cells that are times in Excel need no ``time_format``.

    Raises:
        MeterDataError: If it is not a workbook, or something cannot be read or is ambiguous.
        OSError: If the file cannot be opened.
    """
    form = form or TableFormat()
    require_polars()
    with _Sheet(path, form.sheet) as sheet:
        rows = sheet.rows()
        header, first = _find_header(rows, form)
        reader = TableReader(form, header, RowPlaces("row"))
        times = {number for number, name in enumerate(header) if name in form.time or name in form.end_time}
        times = times or {0}
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        schema = {str(number): pl.String for number in range(len(header))}
        frames = []
        while piece := list(islice(rows, _PIECE_ROWS)):
            texts = [
                [
                    _text(cell, form, is_time=number in times)
                    for number, cell in enumerate((*row[: len(header)], *[None] * (len(header) - len(row))))
                ]
                for row in piece
            ]
            record = pl.int_range(first, first + len(piece), dtype=pl.Int64)
            frames.append(pl.DataFrame(texts, schema=schema, orient="row").with_columns(record=record))
            first += len(piece)
        is_reversed = form.order == "descending"
        for frame in reversed(frames) if is_reversed else frames:  # a sheet has a million rows at most
            reader.feed(frame.reverse() if is_reversed else frame)
        return reader.finish()


class _Sheet:
    """A sheet that is being read; a context manager."""

    def __init__(self, path: str | PathLike[str], name: str | None) -> None:
        self._path = path
        self._name = name
        self._book: Any = None

    def __enter__(self) -> Self:
        with require_extra("readings"):
            import openpyxl  # noqa: PLC0415 -- heavy, and an extra
        _refuse_bombs(self._path)
        try:
            self._book = openpyxl.load_workbook(self._path, read_only=True, data_only=True)
        except OSError:
            raise
        except Exception as error:
            raise MeterDataError(f"this is not a workbook that can be read: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._book is not None:
            self._book.close()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        names = self._book.sheetnames
        name = self._name
        if name is None and len(names) > 1:
            raise MeterDataError(
                f"the workbook has several sheets: {', '.join(map(repr, names))}; name one with `sheet`"
            )
        if name is not None and name not in names:
            raise MeterDataError(f"the workbook has no sheet {name!r}; there are: {', '.join(map(repr, names))}")
        sheet = self._book[names[0] if name is None else name]
        sheet.reset_dimensions()  # a workbook's own size may be wrong
        rows = iter(sheet.iter_rows(values_only=True))
        while (row := _next_row(rows)) is not None:
            if len(row) > _MOST_COLUMNS:
                raise MeterDataError(f"the sheet has more than {_MOST_COLUMNS} columns: export fewer")
            yield row


def _next_row(rows: Iterator[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    try:
        return next(rows, None)
    except Exception as error:
        raise MeterDataError(f"the sheet cannot be read: {error}") from error


def _refuse_bombs(path: str | PathLike[str]) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if not any(part.filename == "[Content_Types].xml" for part in parts):
                raise MeterDataError("this is a ZIP archive, but not a workbook: unpack it")
            unpacked = sum(part.file_size for part in parts)
            packed = sum(part.compress_size for part in parts)
    except zipfile.BadZipFile as error:
        raise MeterDataError("this is not a workbook (.xlsx): if it is an old one (.xls), save it as .xlsx") from error
    if unpacked > _MOST_BYTES or unpacked > max(packed, 4096) * _MOST_RATIO:
        raise MeterDataError(
            f"the workbook unpacks to {unpacked:,} bytes, more than any meter's data needs: export the sheet as CSV"
        )


def _find_header(rows: Iterator[tuple[Any, ...]], form: TableFormat) -> tuple[list[str], int]:
    wanted = set(columns_of(form))
    best: list[str] = []
    for number, row in enumerate(islice(rows, LONGEST_PREAMBLE)):
        names = ["" if cell is None else str(cell).strip() for cell in row]
        while names and not names[-1]:
            names.pop()
        if names and (wanted <= set(names) if wanted else True):
            return names, number + 1
        if len(wanted & set(names)) >= len(wanted & set(best)) and names:
            best = names
    missing = next((name for name in columns_of(form) if name not in best), "")
    raise MeterDataError(
        f"no row of the sheet has the column {missing!r}; the one that looks most like a header row has: "
        f"{', '.join(map(repr, best))}",
        column=missing or None,
    )


def _text(cell: Any, form: TableFormat, *, is_time: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        moment = _rounded(cell)
        if is_time and len(form.time) > 1 and moment.time() == time():
            return moment.date().isoformat() if form.time_format == "iso" else moment.strftime(_date_part(form))
        return moment.isoformat(" ") if form.time_format == "iso" or not is_time else moment.strftime(form.time_format)
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.replace(microsecond=0).isoformat()
    if isinstance(cell, float):  # the text in the sheet: the shortest that is this number
        text = repr(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
        return text.replace(".", form.decimal)
    return str(cell)


def _rounded(moment: datetime) -> datetime:
    """Round a time: Excel stores times as days in a float, which is off by some microseconds."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _date_part(form: TableFormat) -> str:
    return form.time_format.partition(" ")[0]
