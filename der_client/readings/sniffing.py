"""Looking at a file that nobody described: which format it seems to have, for a person to confirm.

Recording never looks: what it proposes is printed as a format to keep, and only what a person chose is recorded.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.sniffed_columns import Look, is_number, is_time, look_at_times, look_at_values
from der_client.readings.sources import refuse_what_is_not_text
from der_client.readings.table import TableFormat, ready_made_formats
from der_client.readings.table_columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

_HEAD_BYTES: Final = 1 << 18
_MOST_ROWS: Final = 2000
_DELIMITERS: Final = ";\t,|"
_OWN_SUFFIXES: Final = {".xlsx": "excel", ".xlsm": "excel", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file seems to be.

    Attributes:
        form: A name of ``FORMATS`` or of a ready-made format, or a format of tables.
        remarks: What a person has to look at or to decide.
    """

    form: str | TableFormat
    remarks: tuple[str, ...] = ()


def propose_format(path: str | PathLike[str]) -> Proposal:
    """Look at the beginning of a file and propose a format.

    Args:
        path: The file.

    Raises:
        MeterDataError: If it is packed, empty, or nothing in it looks like readings.
        OSError: If the file cannot be opened.
    """
    suffix = Path(path).suffix.lower()
    if suffix in _OWN_SUFFIXES:
        return Proposal(
            TableFormat(), ("a table with types: name `time`, `values`, and what else it does not say by itself",)
        )
    with Path(path).open("rb") as file:
        head = file.read(_HEAD_BYTES)
    beginning = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning.startswith(b"<"):
        return Proposal("green-button")
    if beginning.upper().startswith(b"100,NEM12"):
        return Proposal("nem12")
    if beginning.startswith(b"{"):
        return Proposal("solaredge", ("times are those of the site: give `time_zone`",))
    if not beginning:
        raise MeterDataError("the file is empty")
    text, encoding = _decoded(head)
    delimiter, rows = _table(text)
    look = Look({"encoding": encoding} if encoding != "utf-8" else {})
    if delimiter != ",":
        look.fields["delimiter"] = "tab" if delimiter == "\t" else delimiter
    number = _header_row(rows)
    header = [name.strip() for name in rows[number]]
    for name in ready_made_formats():
        ready = TableFormat.named(name)
        if ready.delimiter == delimiter and ready.values + ready.time and set(columns_of(ready)) <= set(header):
            return Proposal(name, tuple(look.remarks))
    width = len(header)
    body = [
        [cell.strip() for cell in (*row, *[""] * (width - len(row)))]
        for row in rows[number + 1 :]
        if width - 1 <= len(row) <= width
    ]
    columns = {name: [row[index] for row in body] for index, name in enumerate(header) if name}
    look_at_times(look, columns)
    look_at_values(look, columns)
    return Proposal(TableFormat(**look.fields), tuple(look.remarks))


def _decoded(head: bytes) -> tuple[str, str]:
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse_what_is_not_text(head[:4096])
    for encoding in ("utf-16",) if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            # What was cut off at the end may be half a character.
            return head.decode(encoding, errors="strict"), encoding.removesuffix("-sig")
        except UnicodeDecodeError as error:
            if error.start >= len(head) - 4:
                return head[: error.start].decode(encoding), encoding.removesuffix("-sig")
    return head.decode("latin-1"), "latin-1"


def _table(text: str) -> tuple[str, list[list[str]]]:
    """The delimiter that makes most rows equally wide, and the rows."""
    lines = text.splitlines()[: _MOST_ROWS + 1]
    if len(text) >= _HEAD_BYTES // 2 and len(lines) > 1:
        lines.pop()  # which may be cut off
    best: tuple[int, str, list[list[str]]] = (-1, ",", [])
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if any(row)]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        score = max(widths.values(), default=0)
        if score > best[0]:
            best = (score, delimiter, rows)
    if best[0] < 2:
        raise MeterDataError("this does not look like a table: no character separates columns throughout")
    return best[1], best[2]


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """The first row without a number or a time, above one with at least two."""
    for number, (row, below) in enumerate(pairwise(rows)):
        is_header = len(list(filter(None, row))) > 1 and not any(is_number(cell) or is_time(cell) for cell in row)
        if is_header and sum(is_number(cell) or is_time(cell) for cell in below) > 1:
            return number
        # Names of columns may be times, where each row is a day.
        if not is_number(row[0]) and sum(map(is_number, below)) > sum(map(is_number, row)) + 1:
            return number
    raise MeterDataError("no header row is seen: if there is none, give `header=False` and columns as 1, 2 and so on")
