"""The kinds of files that can be read. A new one is a module that reads it, and an entry in ``FORMATS``."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file.

    Attributes:
        description: What it is; for people.
        reader: The function that reads it, as ``module:function``.
        is_table: Whether it is a table, which a ``TableFormat`` describes; others need no description.
        is_text: Whether it is text.
        suffixes: Endings of the names of such files.
        begins: Beginnings of such files, in capitals.
        fields: Fields of a ``TableFormat`` that apply, if it is not a table.
    """

    description: str
    reader: str
    is_table: bool = False
    is_text: bool = True
    suffixes: tuple[str, ...] = ()
    begins: tuple[bytes, ...] = ()
    fields: frozenset[str] = frozenset()


FORMATS: Final[Mapping[str, FileFormat]] = {
    "csv": FileFormat("text in columns", "csv_reader:read_table", is_table=True),
    "excel": FileFormat(
        "Excel workbooks", "excel:read_excel", is_table=True, is_text=False, suffixes=(".xlsx", ".xlsm")
    ),
    "parquet": FileFormat(
        "Parquet files", "frame:read_parquet", is_table=True, is_text=False, suffixes=(".parquet", ".pq")
    ),
    "json": FileFormat(
        "JSON with a list of records",
        "json_table:read_json_table",
        is_table=True,
        suffixes=(".json",),
        begins=(b"{", b"["),
    ),
    "green-button": FileFormat("Green Button, ESPI XML", "green_button:read_green_button", begins=(b"<",)),
    "nem12": FileFormat("NEM12, meters in Australia", "nem12:read_nem12", begins=(b"100,NEM12",)),
    "mscons": FileFormat("MSCONS, load profiles in Germany", "mscons:read_mscons", begins=(b"UNA:+", b"UNB+")),
    "solaredge": FileFormat(
        "JSON of SolarEdge's monitoring API",
        "solaredge:read_solaredge",
        begins=(b"{",),
        fields=frozenset({"time_zone", "ambiguous"}),
    ),
}


def formats_by_beginning(head: bytes) -> tuple[str, ...]:
    """Return the names of the formats that a file may have.

    Args:
        head: Its first bytes.
    """
    beginning = head.removeprefix(codecs.BOM_UTF8).lstrip()[:16].upper()
    return tuple(name for name, kind in FORMATS.items() if kind.begins and beginning.startswith(kind.begins))


def format_by_suffix(suffix: str) -> str | None:
    """Return the name of the format of files whose names end like this, or None.

    Args:
        suffix: The ending, with its dot, in upper or lower case.
    """
    return next((name for name, kind in FORMATS.items() if suffix.lower() in kind.suffixes), None)
