"""CSV text in pieces: finds the header row, checks that all rows are complete, and yields frames of text.

Polars splits the cells; nothing is converted here. A file is read a piece at a time, so a large one needs no more
memory than a small one.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice
from os import PathLike
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, Self

from der_client.readings.errors import MeterDataError, like
from der_client.readings.sources import Source, encoding_of, open_binary, refuse_other_kinds
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

PIECE_BYTES: Final = 1 << 24
LONGEST_PREAMBLE: Final = 500
"""How many rows at the beginning are searched for the header row."""
_LONGEST_ROW: Final = 1 << 20
_QUOTED_FORMULA: Final = re.compile(rb'"=""([^"\n]*)"""')
_QUOTED: Final = re.compile(rb'"[^"]*"')


class CsvTable:
    """A table of text that is being read.

    Args:
        source: The source of the text.
        encoding: The text's encoding; a byte order mark takes precedence.
        delimiter: What separates the cells.
        skip_rows: First words of rows that are not readings, and so may have any number of cells.
        columns: Columns whose names must be in the header row, so that it is found below a preamble.
        has_header: Whether there is a header row; if not, columns are named "1", "2" and so on.

    Attributes:
        header: The names of the columns.

    Raises:
        MeterDataError: If it is not text of this encoding, or there is no header row.
        OSError: If the file cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        *,
        encoding: str,
        delimiter: str,
        columns: Sequence[str],
        has_header: bool = True,
        skip_rows: Sequence[str] = (),
    ) -> None:
        self._delimiter = delimiter
        self._skip_rows = tuple(word.lower() for word in skip_rows if word)
        self._formula = re.compile(rb'(^|[\n%b])="' % re.escape(delimiter.encode()))
        self._stream = open_binary(source)
        self._is_own = self._stream is not source
        head = self._stream.read(4096)
        refuse_other_kinds(head)
        self._encoding = encoding_of(head, encoding)
        self._is_utf8 = codecs.lookup(self._encoding).name in {"utf-8", "ascii"}
        if head.startswith(codecs.BOM_UTF8):
            head, self._is_utf8 = head.removeprefix(codecs.BOM_UTF8), True
        self._decoder = codecs.getincrementaldecoder(self._encoding)(errors="strict")
        self._held = b""
        self._buffer = self._decode(head, final=len(head) < 4096)
        self._is_at_end = len(head) < 4096
        self._lines_before = 0
        self.header: tuple[str, ...] = ()
        self._record = 0
        self._find_header(columns, has_header=has_header)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, unless the caller opened it."""
        if self._is_own:
            self._stream.close()

    # Bytes

    def _decode(self, data: bytes, *, final: bool) -> bytes:
        """Return the same text in UTF-8, with line ends of one kind."""
        if self._is_utf8:  # polars checks whether it is
            return self._one_line_end(data, final=final)
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise self._wrong_encoding(error) from error
        return self._one_line_end(text.encode(), final=final)

    def _one_line_end(self, data: bytes, *, final: bool) -> bytes:
        encoded = self._held + data if self._held else data
        self._held = b""
        if encoded.endswith(b"\r") and not final:  # perhaps half of a line end
            encoded, self._held = encoded[:-1], b"\r"
        if b"\r" in encoded:
            encoded = encoded.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return encoded

    def _text(self, piece: bytes, first_line: int) -> str:
        """Return the text of a piece in UTF-8."""
        try:
            return piece.decode()
        except UnicodeDecodeError as error:
            raise self._wrong_encoding(error, first_line + piece.count(b"\n", 0, error.start)) from error

    def _wrong_encoding(self, error: UnicodeDecodeError, line: int | None = None) -> MeterDataError:
        known = "cp1252" if self._encoding != "cp1252" else "utf-8"
        return MeterDataError(
            f"this is not text in {self._encoding} ({error.reason}): give its `encoding`, such as "
            f'`encoding="{known}"` or `encoding="utf-16"`',
            line=line,
        )

    def _fill(self, size: int) -> None:
        """Read on until the buffer has this many bytes, or the file ends."""
        parts = [self._buffer]
        length = len(self._buffer)
        while length < size and not self._is_at_end:
            data = self._stream.read(size - length)
            if isinstance(data, str):
                data = data.encode()
            self._is_at_end = not data
            parts.append(self._decode(data, final=self._is_at_end))
            length += len(parts[-1])
        self._buffer = parts[0] if len(parts) == 1 else b"".join(parts)

    # Header

    def _find_header(self, columns: Sequence[str], *, has_header: bool) -> None:
        self._fill(_LONGEST_ROW)
        if not self._buffer.strip():
            raise MeterDataError("the file is empty")
        lines = self._buffer.split(b"\n", LONGEST_PREAMBLE)[:LONGEST_PREAMBLE]
        text = io.StringIO(self._text(self._without_formulas(b"\n".join(lines) + b"\n"), 1), newline="")
        reader = csv.reader(text, delimiter=self._delimiter)
        best: list[str] = []
        try:
            for number, cells in enumerate(islice(reader, LONGEST_PREAMBLE)):
                names = [name.strip() for name in cells]
                if not has_header and any(names):
                    self.header = tuple(str(index) for index in range(1, len(names) + 1))
                    return
                if (columns and set(columns) <= set(names)) or (not columns and len(list(filter(None, names))) > 1):
                    self.header = tuple(names)
                    self._record = number + 1
                    self._lines_before = reader.line_num
                    self._buffer = _after_lines(self._buffer, reader.line_num)
                    return
                if len(set(names) & set(columns)) > len(set(best) & set(columns)) or (
                    not set(best) & set(columns) and len(names) > len(best)
                ):
                    best = names
        except csv.Error as error:
            raise MeterDataError(f"this is not valid CSV ({error})", line=reader.line_num) from error
        if not columns:
            raise MeterDataError(
                f"no header row was found with the delimiter {self._delimiter!r}; {self._delimiter_hint(best)}"
            )
        missing = [name for name in columns if name not in best]
        known = ", ".join(map(repr, best))
        hint = "" if len(best) > 1 else f"; {self._delimiter_hint(best)}"
        guess = like(missing[0], best)
        raise MeterDataError(
            f"no header row has the column {missing[0]!r}{guess}; the row that looks most like one has: {known}{hint}",
            column=missing[0],
        )

    def _delimiter_hint(self, row: Sequence[str]) -> str:
        text = self._delimiter.join(row)
        others = {other: text.count(other) for other in ";,\t|" if other != self._delimiter}
        most = max(others, key=lambda other: others[other])
        shown = "tab" if most == "\t" else most
        if not others[most]:
            return "check `delimiter`"
        return f'the file seems to use {shown!r}: give `delimiter="{shown}"`'

    # Rows

    def frames(self, last_used: int | None = None, *, from_end: bool = False) -> Iterator[pl.DataFrame]:
        """Yield all rows below the header, piece by piece.

        Args:
            last_used: The number of the last column that is read. A row may lack cells beyond the one after it; a row
                that ends with it may have been cut off in the middle of it. By default, no row may lack a cell.
            from_end: Whether to begin with the last row; the text is copied to a temporary file then.

        Yields:
            The cells as text, a column for each of the table, named by its number from 0; and ``record``, the number of
            the row in the file, from 0, with those before the header.

        Raises:
            MeterDataError: If a row has too few or too many cells, or the text is not valid CSV.
        """
        fewest = len(self.header) if last_used is None else last_used + 2
        if from_end:
            yield from self._frames_from_end(fewest)
            return
        for piece in self._pieces():
            frame = self._frame(piece, fewest)
            yield _numbered(frame, self._record)
            self._record += frame.height
            self._lines_before += frame.height if b'"' not in piece else piece.count(b"\n")

    def _frames_from_end(self, fewest: int) -> Iterator[pl.DataFrame]:
        places = []
        record, lines_before = self._record, self._lines_before
        with SpooledTemporaryFile(max_size=2 * PIECE_BYTES) as spool:
            for piece in self._pieces():
                places.append((spool.tell(), len(piece), record, lines_before))
                spool.write(piece)
                lines = piece.count(b"\n")
                record += lines if b'"' not in piece else self._count_rows(piece, lines_before)
                lines_before += lines
            for offset, length, first_record, self._lines_before in reversed(places):
                spool.seek(offset)
                yield _numbered(self._frame(spool.read(length), fewest), first_record).reverse()

    def _pieces(self) -> Iterator[bytes]:
        """Yield the text below the header in pieces of whole rows."""
        while True:
            self._fill(PIECE_BYTES)
            if not self._buffer:
                return
            cut = len(self._buffer) if self._is_at_end else _last_whole_row(self._buffer)
            piece, self._buffer = self._buffer[:cut], self._buffer[cut:]
            yield self._without_formulas(piece if piece.endswith(b"\n") else piece + b"\n")

    def _without_formulas(self, text: bytes) -> bytes:
        """Unquote cells that an export quotes as formulas, ``="0815"``, so that a spreadsheet leaves them unchanged."""
        if b'"' not in text or b'="' not in text:  # the first is found faster
            return text
        return self._formula.sub(rb'\1"', _QUOTED_FORMULA.sub(rb'"\1"', text))

    def _count_rows(self, piece: bytes, lines_before: int) -> int:
        text = io.StringIO(self._text(piece, lines_before + 1), newline="")
        try:
            return sum(1 for _ in csv.reader(text, delimiter=self._delimiter))
        except csv.Error as error:
            raise MeterDataError(f"this is not valid CSV ({error})") from error

    def _frame(self, piece: bytes, fewest: int) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        width = len(self.header)
        schema = {str(number): pl.String for number in range(width)}
        outside = _QUOTED.sub(b"", piece) if b'"' in piece else piece
        rows = outside.count(b"\n")
        is_whole = outside.count(self._delimiter.encode()) == (width - 1) * rows
        if is_whole and b"\0" not in outside and b'"' not in outside:
            try:
                frame = pl.read_csv(
                    io.BytesIO(piece),
                    has_header=False,
                    schema=schema,
                    separator=self._delimiter,
                    empty_string_is_null=False,
                    quote_char='"' if len(outside) != len(piece) else None,
                )
            except pl.exceptions.PolarsError:
                frame = None
            if frame is not None and frame.height == rows:
                return frame
        return self._slow_frame(piece, schema, fewest)

    def _slow_frame(self, piece: bytes, schema: dict[str, type[pl.String]], fewest: int) -> pl.DataFrame:
        """Split cell by cell, for a piece with empty lines, or if a row is wrong and must be named."""
        import polars as pl  # noqa: PLC0415

        width = len(self.header)
        reader = csv.reader(
            io.StringIO(self._text(piece, self._lines_before + 1), newline=""), delimiter=self._delimiter, strict=True
        )
        records: list[Sequence[str]] = []
        empty = ("",) * width
        try:
            for cells in reader:
                if len(cells) == width:
                    records.append(cells)
                elif not any(cell.strip() for cell in cells):
                    records.append(empty)
                elif fewest <= len(cells) < width:
                    records.append([*cells, *empty[len(cells) :]])
                elif self._is_skipped(cells):
                    records.append([*cells[:width], *empty[len(cells) :]])
                elif len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                    records.append(cells[:width])
                else:
                    self._refuse_width(cells, self._lines_before + reader.line_num)
        except csv.Error as error:
            raise MeterDataError(
                f"this is not valid CSV ({error}): a quotation mark is missing or misplaced",
                line=self._lines_before + reader.line_num,
            ) from error
        return pl.DataFrame(records, schema=schema, orient="row")

    def _is_skipped(self, cells: Sequence[str]) -> bool:
        first = next((cell.strip() for cell in cells if cell.strip()), "").lower()
        return first.startswith(self._skip_rows) if self._skip_rows else False

    def _refuse_width(self, cells: Sequence[str], line: int) -> None:
        width, value = len(self.header), self._delimiter.join(cells)
        first = next((cell.strip() for cell in cells if cell.strip()), "")
        sums = "" if any(map(str.isdigit, first)) else f'; if it is a sum or a remark, give `skip_rows="{first}"`'
        if len(cells) < width:
            raise MeterDataError(
                f"the row is short: it has {counted(len(cells), 'cell')}, the header row {width}; a file that was cut "
                f"off ends like this{sums}",
                line=line,
                value=value,
            )
        hint = " (a decimal comma between commas must be quoted)" if self._delimiter == "," else ""
        raise MeterDataError(
            f"the row has {counted(len(cells), 'cell')}, the header row {width}{hint}: check `delimiter`{sums}",
            line=line,
            value=value,
        )


def _numbered(frame: pl.DataFrame, first_record: int) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415

    return frame.with_columns(record=pl.int_range(first_record, first_record + frame.height, dtype=pl.Int64))


def line_of(source: Source, encoding: str, delimiter: str, record: int) -> int | None:
    """Return the line of a row, by searching the file again; None if it cannot be read twice.

    Args:
        source: The file.
        encoding: Its encoding.
        delimiter: What separates its cells.
        record: The row's number from 0, including rows before the header.
    """
    if not isinstance(source, str | PathLike | bytes):
        return None
    with open_binary(source) as stream:
        head = stream.read(4)
        stream.seek(0)
        text = io.TextIOWrapper(stream, encoding=encoding_of(head, encoding), newline="")
        reader = csv.reader(text, delimiter=delimiter)
        for _ in islice(reader, record):
            pass
        before = reader.line_num
        next(reader, None)
        return min(before + 1, reader.line_num) or None


def _after_lines(data: bytes, count: int) -> bytes:
    position = 0
    for _ in range(count):
        end = data.find(b"\n", position)
        if end < 0:
            return b""
        position = end + 1
    return data[position:]


def _last_whole_row(data: bytes) -> int:
    """Return where the last row that is certainly whole ends: at a line end outside quotation marks."""
    end = data.rfind(b"\n") + 1
    if b'"' not in data:
        return end or len(data)
    quotes = data.count(b'"', 0, end)
    while end:
        if quotes % 2 == 0:
            return end
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return len(data)
