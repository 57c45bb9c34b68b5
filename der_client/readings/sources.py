"""Sources of readings: paths, bytes, streams, lines. Recognises files that are not text by their first bytes."""

from __future__ import annotations

import codecs
import io
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

from der_client.readings.errors import MeterDataError
from der_client.readings.file_formats import FORMATS, formats_by_beginning

if TYPE_CHECKING:
    from collections.abc import Iterable

Source: TypeAlias = "str | PathLike[str] | bytes | IO[bytes] | IO[str] | Iterable[str]"
"""A source of readings: a path, bytes, an open stream, or lines of text."""

_SIGNATURES: Final = (
    (b"PK\x03\x04", "a ZIP archive, which an Excel workbook (.xlsx) is, too: name it .xlsx, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save it as .xlsx or as CSV"),
    (b"\x1f\x8b", "compressed with gzip: decompress it"),
    (b"BZh", "compressed with bzip2: decompress it"),
    (b"\xfd7zXZ", "compressed with xz: decompress it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"PAR1", "a Parquet file: name it .parquet"),
    (b"%PDF", "a PDF document: ask for the readings as CSV"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
)


def open_binary(source: Source) -> IO[bytes]:
    """Open a source of readings as bytes.

    Args:
        source: Path of a file, its content, an open binary or text stream, or lines of text.

    Raises:
        OSError: If the file cannot be opened.
    """
    if isinstance(source, str | PathLike):
        return Path(source).open("rb")
    if isinstance(source, bytes):
        return io.BytesIO(source)
    stream: Any = source
    if not hasattr(stream, "read"):
        return io.BytesIO("".join(line if line.endswith("\n") else f"{line}\n" for line in stream).encode())
    opened: IO[bytes] = io.BytesIO(stream.read().encode()) if isinstance(stream, io.TextIOBase) else stream
    return opened


def refuse_other_kinds(head: bytes, own: str = "csv") -> None:
    """Check that a file can be text of a format.

    Args:
        head: Its first bytes.
        own: The name of the format.

    Raises:
        MeterDataError: If it is compressed, not text, or begins like a file of another format.
    """
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise MeterDataError(f"this is not text, but {what}")
    if (others := formats_by_beginning(head)) and own not in others:
        looks = "; or ".join(f'{FORMATS[name].description}: give `format="{name}"`' for name in others)
        raise MeterDataError(f"this looks like {looks}")
    if not head.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)) and b"\0" in head:
        if head[1::2].count(0) > len(head) // 4 or head[::2].count(0) > len(head) // 4:
            raise MeterDataError('this looks like UTF-16 text: give `encoding="utf-16"`')
        raise MeterDataError("this is not text but binary data: export the readings as CSV")


def encoding_of(head: bytes, encoding: str) -> str:
    """Return the encoding of text: from a byte order mark, or else from the caller.

    Args:
        head: Its first bytes.
        encoding: The encoding that the caller gives.
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return "utf-16"
    return encoding
