"""Reads a tuple whose fields are known: what stands at a known distance is taken apart at once, the rest one by one.

Names, type bytes and counts are the same in every value of a type, and most fields have a fixed size. So a tuple is a
few stretches of known layout, each ended by a field of unknown length (a principal, an optional, a list …).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from der_client.stacks.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from der_client.stacks.clarity.types import TupleType

Reader = Callable[[bytes, int], tuple[Any, int]]
"""From wire bytes and an offset to Python and the offset behind; raises DecodeError."""


@dataclass(frozen=True, slots=True)
class FixedSize:
    """The wire form of a type whose values all have the same length.

    Attributes:
        tag: What each of them begins with.
        size: How many bytes follow.
        convert: From those to Python; raises ValueError for those that stand for nothing.
    """

    tag: bytes
    size: int
    convert: Callable[[bytes], Any]

    def reader(self, kind: object) -> Reader:
        """A reader of such a value.

        Args:
            kind: What to call the type in errors.
        """
        tag, size, convert = self.tag, self.size, self.convert
        tag_size = len(tag)

        def read(data: bytes, offset: int) -> tuple[Any, int]:
            start = offset + tag_size
            end = start + size
            if data[offset:start] != tag or end > len(data):
                raise expected(kind, data, offset)
            try:
                return convert(data[start:end]), end
            except ValueError as error:
                raise DecodeError(str(error), offset) from None

        return read


class Known(dict[bytes, Any]):
    """All values of a type by their bytes."""

    def __init__(self, values: Mapping[bytes, Any], describe: Callable[[bytes], str]) -> None:
        """Takes the values, and what to say of bytes that are none."""
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
        read: Reads its value.
        fixed: How its value looks, if all its values have the same length.
        usual: If they do not, how nearly all of them look.
    """

    name: str
    attribute: str
    read: Reader
    fixed: FixedSize | None
    usual: FixedSize | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A field that has the same value in each tuple of its kind, and is not shown.

    Attributes:
        name: Its name in Clarity.
        encoded: Its value.
    """

    name: str
    encoded: bytes


class _Stretch(NamedTuple):
    """Fixed bytes and values of fixed size in turn, and the field of unknown length that ends it, if any."""

    take_apart: Callable[[bytes, int], tuple[bytes, ...]]
    size: int
    fixed_bytes: tuple[bytes, ...]
    values: list[tuple[str, Callable[[bytes], Any], int]]
    last: tuple[str, Reader] | None


def tuple_reader(
    kind: TupleType, name: str, fields: Sequence[Field | Constant], construct: Callable[[dict[str, Any]], Any]
) -> Reader:
    """A reader of tuples with exactly these fields.

    Args:
        kind: The tuple's type.
        name: What Python calls it.
        fields: All of them, in any order.
        construct: Makes the result of the values by Python name, which are in the order of ``fields``.
    """
    header: Final = b"\x0c" + len(fields).to_bytes(4, "big")
    on_the_wire: Final = sorted(fields, key=lambda entry: entry.name)
    layouts: Final = [_stretches(header, on_the_wire, usual=False)]
    if any(isinstance(entry, Field) and entry.usual for entry in fields):
        layouts.insert(0, _stretches(header, on_the_wire, usual=True))
    blank: Final[dict[str, Any]] = {entry.attribute: None for entry in fields if isinstance(entry, Field)}

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        for stretches in layouts:
            values = blank.copy()
            position = offset
            try:
                for take_apart, size, fixed_bytes, converters, last in stretches:
                    parts = take_apart(data, position)
                    if parts[::2] != fixed_bytes:
                        break
                    for attribute, convert, place in converters:
                        values[attribute] = convert(parts[place])
                    position += size
                    if last:
                        attribute, read_last = last
                        values[attribute], position = read_last(data, position)
                else:
                    return construct(values), position
            except (struct.error, ValueError):
                continue
        return read_one_by_one(data, offset)

    def read_one_by_one(data: bytes, offset: int) -> tuple[Any, int]:
        """Finds the place where something else stands than should."""
        position = offset + len(header)
        if data[offset:position] != header:
            raise expected(kind, data, offset)
        values = blank.copy()
        for entry in on_the_wire:
            prefix = _prefix(entry)
            start = position + len(prefix)
            if data[position:start] != prefix:
                raise DecodeError(f"expected the field {entry.name!r} of {name}", position)
            if isinstance(entry, Field):
                values[entry.attribute], start = entry.read(data, start)
            position = start
        return construct(values), position

    return read


def _prefix(entry: Field | Constant) -> bytes:
    prefix = bytes((len(entry.name),)) + entry.name.encode("ascii")
    return prefix + entry.encoded if isinstance(entry, Constant) else prefix


def _stretches(header: bytes, fields: Sequence[Field | Constant], *, usual: bool) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    sizes: list[int] = []
    fixed_bytes: list[bytes] = []
    values: list[tuple[str, Callable[[bytes], Any], int]] = []
    pending = header

    def end_stretch(last: tuple[str, Reader] | None) -> None:
        layout = struct.Struct("".join(f"{size}s" for size in (*sizes, len(pending))))
        stretches.append(_Stretch(layout.unpack_from, layout.size, (*fixed_bytes, pending), values.copy(), last))
        for collected in (sizes, fixed_bytes, values):
            collected.clear()

    for entry in fields:
        pending += _prefix(entry)
        if isinstance(entry, Constant):
            continue
        fixed = entry.fixed or (entry.usual if usual else None)
        if fixed is None:
            end_stretch((entry.attribute, entry.read))
        else:
            fixed_bytes.append(pending + fixed.tag)
            values.append((entry.attribute, fixed.convert, len(sizes) + 1))
            sizes += (len(fixed_bytes[-1]), fixed.size)
        pending = b""
    end_stretch(None)
    return stretches


def expected(kind: object, data: bytes, offset: int) -> DecodeError:
    """The error for a place where another type stands."""
    found = f"0x{data[offset]:02x}" if offset < len(data) else "the end of the input"
    return DecodeError(f"expected {kind}, found {found}", offset)
