"""Reads data frames (polars, pandas) and Parquet files: tables whose cells already have types."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError, like
from der_client.readings.row_places import RowPlaces
from der_client.readings.table import TableFormat
from der_client.readings.table_columns import columns_of
from der_client.readings.table_reader import TableReader, require_polars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import polars as pl

    from der_client.readings.intervals import IntervalSeries


_PIECE_ROWS: Final = 500_000


def read_frame(frame: Any, form: TableFormat | None = None, **options: Any) -> IntervalSeries:
    """Read a data frame of meter data.

    Args:
        frame: A data frame of polars or pandas. Times may be times or text; readings may be integers, decimals, text,
            or floats, if ``decimals`` says to how many places they are rounded.
        form: The format: which columns to read, and how.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Returns:
        The intervals, exactly.

    Raises:
        MeterDataError: If something cannot be read or is ambiguous; rows are counted from 1.
    """
    form = (form or TableFormat()).with_options(**options)
    require_polars()
    return _read(_as_polars(frame, form), form)


def read_parquet(path: str | PathLike[str], form: TableFormat | None = None) -> IntervalSeries:
    """Read a Parquet file of meter data.

    Args:
        path: The file.
        form: The format: which columns to read, and how.

    Raises:
        MeterDataError: If it is not a Parquet file, or something cannot be read or is ambiguous.
        OSError: If the file cannot be opened.
    """
    form = form or TableFormat()
    require_polars()
    with parquet_errors():
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        table = pl.scan_parquet(Path(path))
        if form.time and form.values:
            wanted = columns_of(form)
            table = table.select(name for name in table.collect_schema().names() if name in wanted)
        return _read(table, form)


@contextmanager
def parquet_errors() -> Iterator[None]:
    """Turn polars' errors within the block into one that says that it is not a Parquet file.

    Raises:
        MeterDataError: If polars cannot read it.
    """
    import polars as pl  # noqa: PLC0415

    try:
        yield
    except (pl.exceptions.PolarsError, OverflowError) as error:
        raise MeterDataError(f"this is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error


def _as_polars(frame: Any, form: TableFormat) -> pl.LazyFrame:
    import polars as pl  # noqa: PLC0415

    if isinstance(frame, pl.LazyFrame):
        return frame
    if isinstance(frame, pl.DataFrame):
        return frame.lazy()
    if not hasattr(frame, "columns") or not hasattr(frame, "__getitem__"):
        raise MeterDataError(f"expected a data frame of polars or pandas, got {type(frame).__name__}")
    wanted = set(columns_of(form))
    if getattr(getattr(frame, "index", None), "name", None) in wanted and not wanted <= set(frame.columns):
        frame = frame.reset_index()
    names = [name for name in frame.columns if not wanted or name in wanted or not (form.time and form.values)]
    return pl.DataFrame([pl.Series(str(name), _plain(frame[name]), strict=False) for name in names]).lazy()


def _plain(column: Any) -> list[Any]:
    """Return the cells of a pandas column as Python's own values; what pandas calls missing is None."""
    missing = column.isna().tolist()
    return [None if is_missing else value for value, is_missing in zip(column.tolist(), missing, strict=True)]


def _read(table: pl.LazyFrame, form: TableFormat) -> IntervalSeries:
    """Read a table some rows at a time, from its end if they are in descending order."""
    import polars as pl  # noqa: PLC0415

    schema = table.collect_schema()
    for name in columns_of(form):
        if name not in schema:
            known = ", ".join(map(repr, schema))
            raise MeterDataError(f"the column is not found{like(name, schema)}; there are: {known}", column=name)
    if form.time_format != "iso" and any(schema[name].is_temporal() for name in form.time):
        form = form.with_options(time_format="iso")
    reader = TableReader(form, schema.names(), RowPlaces("row"))
    is_reversed = form.order == "descending"
    firsts = range(0, int(table.select(pl.len()).collect().item()), _PIECE_ROWS)
    for first in reversed(firsts) if is_reversed else firsts:
        piece = table.slice(first, _PIECE_ROWS).collect()
        frame = pl.DataFrame([_texts(column, form).alias(str(at)) for at, column in enumerate(piece.get_columns())])
        frame = frame.with_columns(record=pl.int_range(first, first + piece.height, dtype=pl.Int64))
        reader.feed(frame.reverse() if is_reversed else frame)
    return reader.finish()


def _texts(column: pl.Series, form: TableFormat) -> pl.Series:
    import polars as pl  # noqa: PLC0415

    kind = column.dtype
    if kind.is_float():
        if form.decimals is None:
            if column.name in form.values or not form.values:
                raise MeterDataError(
                    "the readings are floats, which are not exact: give `decimals`, the number of places to round to",
                    column=column.name,
                )
            return column.cast(pl.String).fill_null("")
        texts = [
            "" if value is None or value != value else f"{value:.{form.decimals}f}"  # noqa: PLR0124 -- NaN
            for value in column.to_list()
        ]
        return pl.Series(texts, dtype=pl.String)
    if isinstance(kind, pl.Datetime):
        zone = getattr(kind, "time_zone", None)
        moments = column.dt.convert_time_zone("UTC") if zone else column
        shown = moments.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
        return (shown + "+00:00" if zone else shown).fill_null("")
    if isinstance(kind, pl.Object):
        return pl.Series(["" if value is None else str(value) for value in column.to_list()], dtype=pl.String)
    if isinstance(kind, pl.Struct | pl.List | pl.Array | pl.Binary):
        return pl.repeat("", len(column), dtype=pl.String, eager=True)
    return column.cast(pl.String).fill_null("")
