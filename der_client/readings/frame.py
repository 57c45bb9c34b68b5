"""Data frames (polars, pandas) and Parquet files: tables whose cells have types already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.readings.errors import MeterDataError
from der_client.readings.table import TableFormat
from der_client.readings.table_reader import TableReader, columns_of, require_polars

if TYPE_CHECKING:
    from os import PathLike

    import polars as pl

    from der_client.readings.intervals import IntervalSeries


def read_frame(frame: Any, form: TableFormat | None = None, **options: Any) -> IntervalSeries:
    """Read a data frame of meter data.

    Args:
        frame: Of polars or pandas. Times may be of a type for times or text; readings may be integers, decimals, text,
            or floats if ``decimals`` says to how many they are rounded.
        form: Which columns they are and what they say.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Returns:
        The intervals, exactly.

    Raises:
        MeterDataError: If something cannot be read or is not certain; rows are counted from 1.
    """
    form = (form or TableFormat()).with_options(**options) if options else form or TableFormat()
    require_polars()
    return _read(_as_polars(frame, form), form)


def read_parquet(path: str | PathLike[str], form: TableFormat | None = None) -> IntervalSeries:
    """Read a Parquet file of meter data.

    Args:
        path: The file.
        form: Which columns they are and what they say.

    Raises:
        MeterDataError: If it is not a Parquet file, or something cannot be read or is not certain.
        OSError: If the file cannot be opened.
    """
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    form = form or TableFormat()
    try:
        names = pl.read_parquet_schema(path).keys()
        columns = [name for name in names if name in columns_of(form)] if form.time and form.values else None
        frame = pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OverflowError, ValueError) as error:
        raise MeterDataError(f"this is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error
    return _read(frame, form)


def _as_polars(frame: Any, form: TableFormat) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415

    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if not hasattr(frame, "columns") or not hasattr(frame, "__getitem__"):
        raise MeterDataError(f"expected a data frame of polars or pandas, got {type(frame).__name__}")
    wanted = set(columns_of(form))
    if getattr(getattr(frame, "index", None), "name", None) in wanted and not wanted <= set(frame.columns):
        frame = frame.reset_index()
    names = [name for name in frame.columns if not wanted or name in wanted or not (form.time and form.values)]
    return pl.DataFrame([pl.Series(str(name), _plain(frame[name]), strict=False) for name in names])


def _plain(column: Any) -> list[Any]:
    """The cells of a pandas column as Python's own values; what pandas calls missing is None."""
    missing = column.isna().tolist()
    return [None if is_missing else value for value, is_missing in zip(column.tolist(), missing, strict=True)]


def _read(frame: pl.DataFrame, form: TableFormat) -> IntervalSeries:
    import polars as pl  # noqa: PLC0415

    for name in columns_of(form):
        if name not in frame.columns:
            raise MeterDataError(
                f"the column is not found; there are: {', '.join(map(repr, frame.columns))}", column=name
            )
    if form.time_format != "iso" and any(frame[name].dtype.is_temporal() for name in form.time):
        form = form.with_options(time_format="iso")
    reader = TableReader(form, frame.columns, lambda record: record + 1)
    texts = [_texts(column, form).alias(str(number)) for number, column in enumerate(frame.get_columns())]
    reader.feed(pl.DataFrame(texts), 0)
    return reader.finish()


def _texts(column: pl.Series, form: TableFormat) -> pl.Series:
    import polars as pl  # noqa: PLC0415

    kind = column.dtype
    if kind.is_float():
        if form.decimals is None:
            if column.name in form.values or not form.values:
                raise MeterDataError(
                    "the readings are floats, which are not exact: give `decimals`, to how many they are rounded",
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
