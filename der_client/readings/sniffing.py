"""Examines a file without a format, and proposes one for the user to confirm.

Recording never guesses: the proposal is printed as a format to save, and only a format that the user chose is used.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.csv_table import LONGEST_PREAMBLE
from der_client.readings.errors import MeterDataError
from der_client.readings.file_formats import FORMATS, format_by_suffix, formats_by_beginning
from der_client.readings.json_documents import read_json
from der_client.readings.json_table import columns_of_records, list_places, records_at
from der_client.readings.sniffed_columns import Look, is_number, is_time, look_at_times, look_at_values
from der_client.readings.solaredge import is_of_solaredge
from der_client.readings.sources import refuse_other_kinds
from der_client.readings.table import TableFormat, ready_made_formats
from der_client.readings.table_columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

_HEAD_BYTES: Final = 1 << 18
_MOST_ROWS: Final = 2000
_MOST_SUMS: Final = 3
_FORMULA: Final = re.compile(r'^="(.*)"$')
_DELIMITERS: Final = ";\t,|"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The proposed format of a file.

    Attributes:
        form: A name of ``FORMATS`` or of a ready-made format, or a format of tables.
        remarks: What the user has to check or decide.
    """

    form: str | TableFormat
    remarks: tuple[str, ...] = ()


def propose_format(path: str | PathLike[str]) -> Proposal:
    """Examine the beginning of a file and propose a format.

    Args:
        path: The file.

    Raises:
        MeterDataError: If it is compressed, empty, or nothing in it looks like readings.
        OSError: If the file cannot be opened.
    """
    by_suffix = format_by_suffix(Path(path).suffix)
    if by_suffix is not None and not FORMATS[by_suffix].is_text:
        return Proposal(
            TableFormat(),
            ("a table with types: name `time`, `values`, and whatever else it does not determine by itself",),
        )
    with Path(path).open("rb") as file:
        head = file.read(_HEAD_BYTES)
    kinds = formats_by_beginning(head)
    if kinds:
        return _of_json(read_json(path)) if "json" in kinds else Proposal(kinds[0])
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise MeterDataError("the file is empty")
    text, encoding = _decoded(head)
    delimiter, rows = _table(text)
    look = Look({"encoding": encoding} if encoding != "utf-8" else {})
    if delimiter != ",":
        look.fields["delimiter"] = "tab" if delimiter == "\t" else delimiter
    for name in ready_made_formats():
        ready = TableFormat.named(name)
        if ready.records is None and ready.delimiter == delimiter:
            wanted = set(columns_of(ready))
            for number, row in enumerate(rows[:LONGEST_PREAMBLE]):
                if wanted <= {cell.strip() for cell in row}:
                    return _of_ready_made(name, ready, _columns_below(look, rows, number))
    return _of_columns(look, _columns_below(look, rows, _header_row(rows)))


def _columns_below(look: Look, rows: list[list[str]], number: int) -> dict[str, list[str]]:
    """Return the cells of each column below a header row, by its name."""
    header = [name.strip() for name in rows[number]]
    width = len(header)
    body = _without_sums(look, [[cell.strip() for cell in row] for row in rows[number + 1 :]])
    if len(body) > 1 and len(body[-1]) < len(body[-2]):
        body.pop()  # cut off, which reading the file will say
    if body and all(len(row) > width for row in body):
        hint = "" if "delimiter" in look.fields else " (a decimal comma between commas must be quoted)"
        raise MeterDataError(f"the rows have {len(body[0])} cells, the header row {width}{hint}: check `delimiter`")
    body = [[*row, *[""] * (width - len(row))] for row in body if width - 1 <= len(row) <= width]
    return {name: [row[index] for row in body] for index, name in enumerate(header) if name}


def _of_columns(look: Look, columns: dict[str, list[str]]) -> Proposal:
    look_at_times(look, columns)
    look_at_values(look, columns)
    return Proposal(TableFormat(**look.fields), tuple(look.remarks))


def _of_ready_made(name: str, ready: TableFormat, columns: dict[str, list[str]]) -> Proposal:
    """Propose a ready-made format, with the column of readings if the format leaves it open."""
    if ready.values or ready.wide:
        return Proposal(name)
    look = Look({"time": ready.time})
    look_at_values(look, columns)
    return Proposal(ready.with_options(values=look.fields["values"]), tuple(look.remarks))


def _without_sums(look: Look, rows: list[list[str]]) -> list[list[str]]:
    """Leave out rows that begin with a word if the others begin with a number or a time."""
    firsts = [next(filter(None, row), "") for row in rows]
    words = {first for first in firsts if not any(map(str.isdigit, first))} - {""}
    if not firsts or firsts[0] in words or len(words) > _MOST_SUMS:
        return rows
    if words:
        look.fields["skip_rows"] = sorted(words)
        shown = ", ".join(map(repr, sorted(words)))
        look.remarks.append(f"rows that begin with {shown} are left out: check `skip_rows`")
    return [row for row, first in zip(rows, firsts, strict=True) if first not in words]


def _of_json(document: Any) -> Proposal:
    """Propose how to read a JSON document."""
    if is_of_solaredge(document):
        return Proposal("solaredge")
    for name in ready_made_formats():
        ready = TableFormat.named(name)
        if ready.records is not None:
            found = list(records_at(document, ready.records))
            if found and set(columns_of(ready)) <= set(columns_of_records(found)):
                return Proposal(name)
    places = list_places(document)
    place, records = max(places.items(), key=lambda item: len(item[1]), default=("", []))
    if not records:
        raise MeterDataError("the file has no list of records")
    look = Look({"records": place})
    if len(places) > 1:
        look.remarks.append(f"other lists of records: {', '.join(sorted(places.keys() - {place}))}; check `records`")
    return _of_columns(look, columns_of_records(records[:_MOST_ROWS]))


def _decoded(head: bytes) -> tuple[str, str]:
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse_other_kinds(head[:4096])
    for encoding in ("utf-16",) if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            # The end may have been cut off within a character.
            return head.decode(encoding, errors="strict"), encoding.removesuffix("-sig")
        except UnicodeDecodeError as error:
            if error.start >= len(head) - 4:
                return head[: error.start].decode(encoding), encoding.removesuffix("-sig")
    return head.decode("latin-1"), "latin-1"


def _table(text: str) -> tuple[str, list[list[str]]]:
    """Return the delimiter that gives the most rows of equal width, and the rows."""
    lines = text.splitlines()[: _MOST_ROWS + 1]
    if len(text) >= _HEAD_BYTES // 2 and len(lines) > 1:
        lines.pop()  # the last one may be cut off
    best: tuple[int, str, list[list[str]]] = (-1, ",", [])
    for delimiter in _DELIMITERS:
        try:
            read = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
            rows = [[_FORMULA.sub(r"\1", cell) for cell in row] for row in read if any(row)]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        score = max(widths.values(), default=0)
        if score > best[0]:
            best = (score, delimiter, rows)
    if best[0] == 1 and len(best[2]) == 1:
        raise MeterDataError("the file has a header row and no readings")
    if best[0] < 2:
        raise MeterDataError("this does not look like a table: no character separates columns throughout")
    return best[1], best[2]


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of the first row without a number or a time, above one with at least two."""
    for number, (row, below) in enumerate(pairwise(rows)):
        is_header = len(list(filter(None, row))) > 1 and not any(is_number(cell) or is_time(cell) for cell in row)
        if is_header and sum(is_number(cell) or is_time(cell) for cell in below) > 1:
            return number
        # Column names may be times, if each row is a day.
        if not is_number(row[0]) and sum(map(is_number, below)) > sum(map(is_number, row)) + 1:
            return number
    raise MeterDataError("no header row was found: if there is none, give `header=False` and columns as 1, 2 and so on")
