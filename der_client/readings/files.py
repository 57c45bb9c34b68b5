"""Reads files of meter data of any kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from der_client.readings.channel_sums import sum_channels
from der_client.readings.errors import MeterDataError
from der_client.readings.file_formats import FORMATS, format_by_suffix
from der_client.readings.interval_builder import range_us
from der_client.readings.table import TableFormat, ready_made_formats

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from der_client.readings.intervals import IntervalSeries


def read_channels(
    path: str | PathLike[str], form: str | TableFormat | None = None, *, power_of_ten: int | None = None, **options: Any
) -> dict[str, IntervalSeries]:
    """Read all channels of a file: its meters, and which way the energy went.

    Args:
        path: The file.
        form: The format: a name of ``FORMATS``, the name of a ready-made format of tables, or a format of tables.
        power_of_ten: For Green Button: the power of ten to multiply all readings by, if the one in the file is wrong.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Returns:
        The series, by the name of their channel; a table has one channel, whose name is empty.

    Raises:
        MeterDataError: If the format is not known, or the file cannot be read or is ambiguous.
        OSError: If the file cannot be opened.
    """
    name, table = _chosen(path, form, options)
    kind = FORMATS[name]
    read = getattr(import_module(f"der_client.readings.{kind.reader.partition(':')[0]}"), kind.reader.partition(":")[2])
    if power_of_ten is not None and name != "green-button":
        raise MeterDataError(f"`power_of_ten` is for the format green-button, not for {name}")
    if kind.is_table:
        return {"": read(path, table)}
    unused = sorted(set(table.model_fields_set) - kind.fields - {"from_", "to", "description"})
    if unused:
        raise MeterDataError(f"`{unused[0]}` is for tables; the format {name} determines it: leave it out")
    channels: dict[str, IntervalSeries]
    if name == "green-button":
        channels = read(path, power_of_ten=power_of_ten)
    else:
        channels = read(path, table) if kind.fields else read(path)
    if table.from_ is None and table.to is None:
        return channels
    return {name: series.between_us(*range_us(table)) for name, series in channels.items()}


def read_file(
    path: str | PathLike[str],
    form: str | TableFormat | None = None,
    *,
    channels: Sequence[str] = (),
    power_of_ten: int | None = None,
    **options: Any,
) -> IntervalSeries:
    """Read one plant's readings from a file.

    Args:
        path: The file.
        form: The format: a name of ``FORMATS``, the name of a ready-made format of tables, or a format of tables.
        channels: The plant's channels, as ``read_channels`` names them; several are added up. Needed if a file has more
            than one.
        power_of_ten: For Green Button: the power of ten to multiply all readings by, if the one in the file is wrong.
        **options: Fields of a ``TableFormat``, which count more than those of ``form``.

    Raises:
        MeterDataError: If the format or a channel is not known, or the file cannot be read or is ambiguous.
        OSError: If the file cannot be opened.
    """
    found = read_channels(path, form, power_of_ten=power_of_ten, **options)
    names = ", ".join(map(repr, found))
    if not channels:
        if len(found) > 1:
            raise MeterDataError(f"the file has several channels: {names}; name the plant's with `channel`")
        return next(iter(found.values()))
    for name in channels:
        if name not in found:
            has = f"there are: {names}" if list(found) != [""] else "a table has none: name its columns, or use `where`"
            raise MeterDataError(f"the file has no channel {name!r}; {has}; check `channel`")
    if len(set(channels)) < len(channels):
        raise MeterDataError("`channel` names a channel twice: name each once")
    return sum_channels([found[name] for name in channels])


def format_named(text: str) -> str | TableFormat:
    """Return the format of a name: a TOML file, a name in ``FORMATS``, or a ready-made format of tables.

    Raises:
        MeterDataError: If there is no such format, or the file cannot be read; the message lists the names.
    """
    if text.endswith(".toml"):
        try:
            return TableFormat.from_toml(text)
        except MeterDataError as error:
            raise MeterDataError(f"`format`: {error}") from error
    if text in FORMATS:
        return text
    if text in ready_made_formats():
        return TableFormat.named(text)
    known = ", ".join([*FORMATS, *ready_made_formats()])
    raise MeterDataError(f"`format` is {text!r}: expected a file ending in .toml, or one of: {known}")


def _chosen(
    path: str | PathLike[str], form: str | TableFormat | None, options: dict[str, Any]
) -> tuple[str, TableFormat]:
    by_suffix = format_by_suffix(Path(path).suffix) or "csv"
    if isinstance(form, str):
        form = format_named(form)
    if isinstance(form, str):
        return form, TableFormat(**options)
    table = (form or TableFormat()).with_options(**options)
    return by_suffix if table.records is None else "json", table
