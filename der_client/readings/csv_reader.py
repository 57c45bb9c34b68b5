"""Reads CSV exports, piece by piece, with ascending or descending rows."""

from __future__ import annotations

from io import TextIOBase
from os import PathLike
from typing import TYPE_CHECKING, Any

from der_client.readings.csv_table import CsvTable, line_of
from der_client.readings.row_places import RowPlaces
from der_client.readings.sources import open_binary
from der_client.readings.table import TableFormat
from der_client.readings.table_columns import columns_of
from der_client.readings.table_reader import TableReader, require_polars

if TYPE_CHECKING:
    from der_client.readings.intervals import IntervalSeries
    from der_client.readings.sources import Source


def read_table(source: Source, form: TableFormat | None = None, **options: Any) -> IntervalSeries:
    """Read a table of meter data, such as a CSV export.

    Args:
        source: Path of a file, its content as bytes, an open stream, or lines of text.
        form: The table's format.
        **options: Fields of a ``TableFormat``, which override those of ``form``.

    Returns:
        The exact intervals; readings shorter than a quarter-hour are joined if all of them are there.

    Raises:
        MeterDataError: If something cannot be read or is ambiguous; it names line, column and value, and what to do.
        OSError: If the file cannot be opened.
    """
    form = (form or TableFormat()).with_options(**options)
    require_polars()
    if not isinstance(source, str | PathLike | bytes) and not (
        hasattr(source, "read") and not isinstance(source, TextIOBase)
    ):
        source = open_binary(source).read()  # text: it can be read again if a row is wrong
    with CsvTable(
        source,
        encoding=form.encoding,
        delimiter=form.delimiter,
        columns=columns_of(form),
        has_header=form.header,
        skip_rows=form.skip_rows,
    ) as table:
        places = RowPlaces("line", lambda row: line_of(source, form.encoding, form.delimiter, row))
        reader = TableReader(form, table.header, places)
        for frame in table.frames(reader.columns.last_used, from_end=form.order == "descending"):
            reader.feed(frame)
        return reader.finish()
