"""Which readings of a file are recorded for which asset: one plant, or a map of many."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from der_client.cli.table_options import format_of
from der_client.stacks.checks import is_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from der_client.readings import IntervalSeries

_FIELDS = (
    ("channel", str | list, "the name of a channel, or a list of names"),
    ("format", str, "the name of a format, or a file ending in .toml"),
    ("meter_key_file", str, "the name of a file"),
    ("power_of_ten", int, "an integer"),
)
"""Fields of an entry that are not fields of a ``TableFormat``: what they are, and what an error expects."""
_OF_FLEET = {"asset", "where", "meter_key_file"}


@dataclass(frozen=True)
class Plant:
    """A plant's readings.

    Attributes:
        asset: Its asset.
        series: The readings.
        meter_key_file: The meter's own key, if the readings are to be signed.
    """

    asset: int
    series: "IntervalSeries"
    meter_key_file: Path | None


def read_map(path: Path) -> "list[dict[str, Any]]":
    """Read the plants of a file in TOML.

    Raises:
        MeterDataError: If it is not valid, or an asset is missing or named twice.
    """
    import tomllib  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.readings import MeterDataError  # noqa: PLC0415

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MeterDataError(f"{path} is not TOML: {error}") from error
    entries = content.pop("plant", None)
    if content or not isinstance(entries, list) or not entries:
        other = f", not {next(iter(content))!r}" if content else ""
        raise MeterDataError(f"{path}: expected one [[plant]] for each plant{other}")
    seen: set[int] = set()
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise MeterDataError(f"{path}, plant {number}: expected a [[plant]] with its fields, got {entry!r}")
        for field, kind, expected in _FIELDS:
            if field in entry and (not isinstance(entry[field], kind) or isinstance(entry[field], bool)):
                raise MeterDataError(f"{path}, plant {number}: {field} is {entry[field]!r}: expected {expected}")
        asset = entry.get("asset")
        if not is_whole_number(asset) or asset < 1:
            raise MeterDataError(f"{path}, plant {number}: asset is {asset!r}: expected the number of an asset")
        if asset in seen:
            raise MeterDataError(
                f"{path}, plant {number}: asset {asset} is named twice: name all its channels or columns in "
                "one [[plant]], and they are added up"
            )
        seen.add(asset)
    return entries


def key_files(entries: "Sequence[dict[str, Any]]", default: Path | None) -> set[Path]:
    """Return the files of all meters' keys.

    Args:
        entries: The map's entries.
        default: The key of plants that name none.
    """
    files = {_key_file(entry, default) for entry in entries}
    return {file for file in files if file is not None}


def read_plants(
    file: Path, shared: dict[str, Any], entries: "Sequence[dict[str, Any]]", meter_key_file: Path | None
) -> "Iterator[Plant]":
    """Read the plants of a file one by one.

    A Parquet file with one column that names the plant of each row is read once for all plants, other files once for
    each.

    Args:
        file: The file.
        shared: The format and options of all plants.
        entries: The map's entries.
        meter_key_file: The key of plants that name none.

    Raises:
        MeterDataError: If the file cannot be read, or can be read in more than one way.
    """
    column = _column_of_fleet(file, shared, entries)
    if column is None:
        for entry in entries:
            yield _read_one(file, shared, entry, meter_key_file)
        return
    from der_client.readings.groups import read_groups  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.readings.table import TableFormat  # noqa: PLC0415

    options = dict(shared)
    form, _ = options.pop("form"), options.pop("power_of_ten")
    by_text = {_only(entry["where"][column]): entry for entry in entries}
    for text, series in read_groups(
        file, column, list(by_text), form if isinstance(form, TableFormat) else None, **options
    ):
        entry = by_text[text]
        yield Plant(entry["asset"], series, _key_file(entry, meter_key_file))


def _column_of_fleet(file: Path, shared: dict[str, Any], entries: "Sequence[dict[str, Any]]") -> str | None:
    """Return the column that distinguishes the plants of a Parquet file, if one column distinguishes all of them."""
    from der_client.readings.file_formats import format_by_suffix  # noqa: PLC0415 -- `der --help` stays fast

    form = shared["form"]
    is_parquet = (form if isinstance(form, str) else format_by_suffix(file.suffix)) == "parquet"
    wheres = [entry.get("where") for entry in entries]
    if not is_parquet or shared["power_of_ten"] is not None or "where" in shared:
        return None
    if not all(isinstance(where, dict) and len(where) == 1 for where in wheres):
        return None
    if any(set(entry) - _OF_FLEET for entry in entries):
        return None
    columns = {column for where in wheres if where for column in where}
    texts = [_only(text) for where in wheres if where for text in where.values()]
    is_clear = len(columns) == 1 and "" not in texts and len(set(texts)) == len(texts)
    return columns.pop() if is_clear else None


def _only(text: object) -> str:
    """Return the one text that ``where`` gives; empty if there are several."""
    if isinstance(text, list) and len(text) == 1:
        (text,) = text
    return text if isinstance(text, str) else ""


def _key_file(entry: dict[str, Any], default: Path | None) -> Path | None:
    key_file = entry.get("meter_key_file")
    return default if key_file is None else Path(key_file)


def _read_one(file: Path, shared: dict[str, Any], entry: dict[str, Any], meter_key_file: Path | None) -> Plant:
    from der_client.readings import MeterDataError, read_file  # noqa: PLC0415 -- `der --help` stays fast

    own = dict(entry)
    asset, channels = own.pop("asset"), own.pop("channel", [])
    own.pop("meter_key_file", None)
    options = shared | own
    form, power_of_ten = options.pop("form"), options.pop("power_of_ten")
    if "format" in options:
        form = format_of(str(options.pop("format")))
    try:
        series = read_file(
            file,
            form,
            channels=[channels] if isinstance(channels, str) else channels,
            power_of_ten=power_of_ten,
            **options,
        )
    except MeterDataError as error:
        if "asset" in entry and "channel" in entry and not own and not channels:
            raise
        raise MeterDataError(f"asset {asset}: {error}") from error
    return Plant(asset, series, _key_file(entry, meter_key_file))
