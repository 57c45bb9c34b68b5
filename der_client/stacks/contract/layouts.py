"""Reads a tuple with known fields: those at a known distance are read at once, the rest one by one.

Names, type bytes and counts are the same in every value of a type, and most fields have a fixed size. So a tuple
consists of a few stretches of known layout, each ended by a field of unknown length (an optional, a list …). For each
tuple type, a function is generated that reads exactly this; anything else is read field by field, which finds the
error. Before it, another one tries what nearly all tuples look like: numbers below 2^64, principals that are accounts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from der_client.stacks.clarity import wire
from der_client.stacks.clarity.generated import GeneratedReader
from der_client.stacks.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from der_client.stacks.clarity.types import TupleType

Reader = Callable[[bytes, int], tuple[Any, int]]
"""From wire bytes and an offset to Python and the offset after it; raises DecodeError."""
ResultWriter = Callable[[GeneratedReader, str], str]


class Layout(NamedTuple):
    """How a value is read as a part of a tuple.

    Attributes:
        tag: The bytes that it begins with.
        content: The ``struct`` code of what follows.
        steps: From what ``struct`` reads to Python, one function after the other; each raises ValueError or LookupError
            if the content is not valid.
    """

    tag: bytes
    content: str
    steps: tuple[Callable[[Any], Any], ...] = ()

    def expression(self, source: GeneratedReader, read: str) -> str:
        """Return the expression for the value.

        Args:
            source: The function that it is for.
            read: The expression for what ``struct`` has read.
        """
        for step in self.steps:
            read = f"{source.constant(step)}({read})"
        return read


@dataclass(frozen=True, slots=True)
class FixedSize:
    """The wire form of a type whose values all have the same length.

    Attributes:
        tag: The bytes that each of them begins with.
        size: How many bytes follow.
        convert: From those to Python; raises ValueError if they are not valid.
        finish: From the converted value to another Python type, if there is one.
    """

    tag: bytes
    size: int
    convert: Callable[[bytes], Any]
    finish: Callable[[Any], Any] | None = None

    def layout(self) -> Layout:
        """Return how it is read as a part of a tuple."""
        steps = (self.convert,) if self.finish is None else (self.convert, self.finish)
        return Layout(self.tag, f"{self.size}s", steps)

    def reader(self, kind: object) -> Reader:
        """Return a reader of such a value.

        Args:
            kind: The type's name in errors.
        """
        tag, size, convert, finish = self.tag, self.size, self.convert, self.finish
        tag_size = len(tag)

        def read(data: bytes, offset: int) -> tuple[Any, int]:
            start = offset + tag_size
            end = start + size
            if data[offset:start] != tag or end > len(data):
                raise expected(kind, data, offset)
            try:
                value = convert(data[start:end])
                return (finish(value) if finish else value), end
            except ValueError as error:
                raise DecodeError(str(error), offset) from None

        return read

    def reader_of_many(self) -> Callable[[bytes, int, int], tuple[tuple[Any, ...], int] | None]:
        """Return a function that reads a given number of these values from an offset on.

        It gives the values and the offset after them, or ``None`` if something is wrong: reading them one by one finds
        what.
        """
        tag, convert, finish = self.tag, self.convert, self.finish
        skipped, width = len(tag), len(tag) + self.size

        def read(data: bytes, offset: int, count: int) -> tuple[tuple[Any, ...], int] | None:
            end = offset + count * width
            if end > len(data):
                return None
            if any(data[offset + place : end : width] != bytes((byte,)) * count for place, byte in enumerate(tag)):
                return None
            try:
                values = [convert(data[start + skipped : start + width]) for start in range(offset, end, width)]
                return tuple(map(finish, values) if finish else values), end
            except ValueError:
                return None

        return read


class Known(dict[bytes, Any]):
    """All values of a type by their bytes."""

    def __init__(self, values: Mapping[bytes, Any], describe: Callable[[bytes], str]) -> None:
        """Take the values, and the error for other bytes."""
        super().__init__(values)
        self._describe = describe

    def __missing__(self, raw: bytes) -> Any:
        raise ValueError(self._describe(raw))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a tuple.

    Attributes:
        name: Its name in Clarity.
        attribute: Its name in Python.
        read: A function that reads its value.
        fixed: The layout of its value, if all its values have the same length.
        usual: The layout of nearly all of its values, if it is quicker to read.
        read_some: If it is an optional, a function that reads what it holds.
    """

    name: str
    attribute: str
    read: Reader
    fixed: Layout | None
    usual: Layout | None = None
    read_some: Reader | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A field that has the same value in every tuple of its kind, and is not shown.

    Attributes:
        name: Its name in Clarity.
        encoded: Its value.
    """

    name: str
    encoded: bytes


def tuple_reader(kind: TupleType, name: str, fields: Sequence[Field | Constant], write_result: ResultWriter) -> Reader:
    """Return a reader of tuples with exactly these fields.

    Args:
        kind: The tuple's type.
        name: Its name in Python.
        fields: All fields, in any order.
        write_result: A function that adds lines that build the result from a dictionary (an expression) of the values
            by Python name, in the order of ``fields``; it returns the expression for the result.
    """
    header: Final = b"\x0c" + len(fields).to_bytes(4, "big")
    on_the_wire: Final = sorted(fields, key=lambda entry: entry.name)

    def refuse(data: bytes, offset: int) -> NoReturn:
        """Find the place where the type is not the expected one."""
        position = offset + len(header)
        if data[offset:position] != header:
            raise expected(kind, data, offset)
        for entry in on_the_wire:
            prefix = _prefix(entry)
            start = position + len(prefix)
            if data[position:start] != prefix:
                raise DecodeError(f"expected the field {entry.name!r} of {name}", position)
            position = entry.read(data, start)[1] if isinstance(entry, Field) else start
        raise DecodeError(f"no {name}", offset)

    def generated(otherwise: Reader, *, usual: bool) -> Reader:
        return _all_at_once(header, on_the_wire, fields, write_result, otherwise, usual=usual, name=name)

    @cache
    def reader_of_any() -> Reader:
        return generated(refuse, usual=False)

    def read_any(data: bytes, offset: int) -> tuple[Any, int]:
        # Most programs never need it, so it is generated on first use.
        return reader_of_any()(data, offset)

    if any(isinstance(entry, Field) and entry.usual for entry in fields):
        return generated(read_any, usual=True)
    return read_any


def _prefix(entry: Field | Constant) -> bytes:
    prefix = bytes((len(entry.name),)) + entry.name.encode("ascii")
    return prefix + entry.encoded if isinstance(entry, Constant) else prefix


def _all_at_once(
    header: bytes,
    on_the_wire: Sequence[Field | Constant],
    fields: Sequence[Field | Constant],
    write_result: ResultWriter,
    otherwise: Reader,
    *,
    usual: bool,
    name: str,
) -> Reader:
    """Return a reader of such tuples.

    Args:
        header: How the tuple starts.
        on_the_wire: Its fields in wire order.
        fields: Its fields in the order of the result.
        write_result: As for `tuple_reader`.
        otherwise: A function that reads other tuples, or reports what is wrong with them.
        usual: Whether fields are expected to have their usual layout.
        name: Their name in Python.
    """
    source = GeneratedReader()
    expressions: dict[str, str] = {}
    fixed: list[bytes] = []
    contents: list[str] = []
    place, parts, pending = "offset", "parts_0", header

    def end_stretch() -> None:
        """Read the fields of known layout up to here, and note the place after them."""
        nonlocal place
        source.lines += source.taking_apart(parts, place, (*fixed, pending), contents)
        size = struct.calcsize(f">{''.join(contents)}")
        source.lines.append(f"position = {place} + {sum(map(len, fixed)) + size + len(pending)}")
        place = "position"
        fixed.clear()
        contents.clear()

    for entry in on_the_wire:
        pending += _prefix(entry)
        if isinstance(entry, Constant):
            continue
        layout = (entry.usual if usual else None) or entry.fixed
        if layout is None:
            end_stretch()
            value = expressions[entry.attribute] = f"value_{len(source.lines)}"
            source.lines += _reading(source, entry, value)
            parts = f"parts_{len(source.lines)}"
        else:
            fixed.append(pending + layout.tag)
            contents.append(layout.content)
            expressions[entry.attribute] = layout.expression(source, f"{parts}[{2 * len(contents) - 1}]")
        pending = b""
    end_stretch()
    shown = [entry.attribute for entry in fields if isinstance(entry, Field)]
    values = ", ".join(f"{source.constant(attribute)}: {expressions[attribute]}" for attribute in shown)
    return source.function(f"({write_result(source, f'{{{values}}}')}, position)", otherwise, name=name)


def _reading(source: GeneratedReader, field: Field, value: str) -> list[str]:
    """Return the lines that read a field of unknown length into a variable, and note the place after it."""
    if field.read_some is None:
        return [f"{value}, position = {source.constant(field.read)}(data, position)"]
    read_some = source.constant(field.read_some)
    return [
        f"if data[position] == {wire.NONE}: {value}, position = None, position + 1",
        f"elif data[position] == {wire.SOME}: {value}, position = {read_some}(data, position + 1)",
        "else: break",
    ]


def expected(kind: object, data: bytes, offset: int) -> DecodeError:
    """Return the error for a place with another type."""
    found = f"0x{data[offset]:02x}" if offset < len(data) else "the end of the input"
    return DecodeError(f"expected {kind}, found {found}", offset)
