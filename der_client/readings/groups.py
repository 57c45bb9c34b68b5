"""Reads Parquet files with many plants, such as a fleet: in one pass, with only a part of it in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError, like
from der_client.readings.frame import parquet_errors, read_frame
from der_client.readings.table import TableFormat
from der_client.readings.table_reader import require_polars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from der_client.readings.intervals import IntervalSeries

_ROWS_PER_PART: Final = 50_000
_MOST_PARTS: Final = 512


def read_groups(
    path: str | PathLike[str], column: str, wanted: Sequence[str], form: TableFormat | None = None, **options: Any
) -> Iterator[tuple[str, IntervalSeries]]:
    """Read the series of each plant in a Parquet file with a column that names the plant of each row.

    The file is read once and split by the column into parts on disk, in a temporary folder, each with some of the
    plants; one part at a time is in memory. The rows of a plant may be anywhere, but in their order.

    Args:
        path: The file.
        column: The column that names the plant.
        wanted: The texts of that column to read, each once.
        form: The format of the other columns.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Yields:
        Each text of the column, and its series; in the order of ``wanted`` if the file is small.

    Raises:
        MeterDataError: If it is not a Parquet file, has no such column, lacks a plant, or something cannot be read.
        OSError: If a file cannot be opened or written.
    """
    require_polars()
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    form = (form or TableFormat()).with_options(**options)
    order = {text: number for number, text in enumerate(wanted)}
    with tempfile.TemporaryDirectory(prefix="der-plants-") as folder:
        with parquet_errors():
            parts = _split(Path(path), column, order, Path(folder))
        for part in parts:
            frames = pl.read_parquet(part).partition_by(column, as_dict=True, maintain_order=True)
            for file in part:
                file.unlink()
            groups = {str(key[0]): frame for key, frame in frames.items()}
            for text in sorted(groups, key=order.__getitem__):
                try:
                    yield text, read_frame(groups.pop(text), form)
                except MeterDataError as error:
                    raise MeterDataError(f"{column} {text}: {error}") from error


def _split(path: Path, column: str, order: dict[str, int], folder: Path) -> list[list[Path]]:
    """Write the rows of each plant to one of several files, as many as keep each of them small."""
    import polars as pl  # noqa: PLC0415

    table = pl.scan_parquet(path)
    names = table.collect_schema().names()
    if column not in names:
        known = ", ".join(map(repr, names))
        raise MeterDataError(f"the column is not found{like(column, names)}; there are: {known}", column=column)
    whose = pl.col(column).cast(pl.String)
    table = table.with_columns(whose).filter(whose.is_in(list(order)))
    found = table.group_by(column).agg(pl.len()).collect(engine="streaming")
    missing = order.keys() - set(found.get_column(column))
    if missing:
        first = min(missing, key=order.__getitem__)
        raise MeterDataError(
            f"no row has this text; {len(missing)} of {len(order)} are missing", column=column, value=first
        )
    parts = min(_MOST_PARTS, 1 + int(found.get_column("len").sum()) // _ROWS_PER_PART)
    part = (pl.col(column).hash(seed=0) % parts).alias("part of the plants")
    table.sink_parquet(pl.PartitionBy(folder, key=part, include_key=False), mkdir=True, engine="streaming")
    return _files(folder)


def _files(folder: Path) -> list[list[Path]]:
    """Return the files of each part, in the order in which they were written."""
    found: dict[Path, list[Path]] = {}
    for file in sorted(folder.rglob("*.parquet")):
        found.setdefault(file.parent, []).append(file)
    return list(found.values())
