"""Takes values apart at once that look like ones that were read before, but for their numbers, addresses and texts.

What a program decodes is of few kinds: the events of a contract, the answers and the arguments of a function. In all
values of a kind and length only the leaves differ, so after some were read step by step, the others need not be. A
shape never refuses a value: what fits none is read step by step as ever, which also tells what is wrong with it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from der_client.stacks.clarity.encoding import encode, tuple_keys
from der_client.stacks.clarity.values import ClarityValue, ErrValue, OkValue, SomeValue, TupleValue, set_value

Item = TypeVar("Item", ClarityValue, tuple[ClarityValue, ...])

MAX_SHAPED_BYTES: Final = 1024
"""Longer input is read step by step. So short a value without lists needs no check of its type."""
_MAX_KINDS: Final = 1024
_MAX_SHAPES_OF_A_KIND: Final = 4
_WRAPPERS: Final[dict[type, bytes]] = {OkValue: b"\x07", ErrValue: b"\x08", SomeValue: b"\x0a"}

Kind = tuple[bytes, int]
"""What can be seen at once of an item: how it begins, and how many bytes it has."""
_Convert = Callable[[bytes], Any]
"""From the content of a leaf, the bytes behind its type and length, to what it holds or to the value itself."""
_Build = Callable[[Iterator[bytes]], Any]
"""From the contents of leaves, of which it takes its own, to a value that holds them."""
_COMPOSITE: Final = ClarityValue
"""Stands where the class of a leaf would, for what is made by ``_Build``."""
_new = object.__new__


class LeafFormat(NamedTuple):
    """How a value that holds no other one stands on the wire.

    Attributes:
        head_length: How many bytes are the same in all such values of one length: type and length.
        convert: From the bytes behind these to what the value holds, or to the value itself; raises ValueError or
            LookupError if they stand for none.
        kind: The class of what holds that; None if ``convert`` gives the value itself.
    """

    head_length: int
    convert: _Convert
    kind: type[ClarityValue] | None = None


class Shapes(Generic[Item]):
    """The shapes of the items, values or arguments, that were read before.

    Args:
        formats: How leaves stand on the wire, by class.
    """

    def __init__(self, formats: Mapping[type, LeafFormat]) -> None:
        self._formats = formats
        self._known: dict[Kind, list[Callable[[bytes, int], Item | None]] | None] = {}

    def read(self, kind: Kind, data: bytes, offset: int) -> Item | None:
        """Read the item that fills the rest of the input, if its shape is known.

        Args:
            kind: Its kind.
            data: The input.
            offset: Where it starts.
        """
        for read in self._known.get(kind) or ():
            item = read(data, offset)
            if item is not None:
                return item
        return None

    def learn(self, kind: Kind, item: Item) -> None:
        """Remember the shape of an item that was read step by step, unless it is the first one of its kind.

        Args:
            kind: Its kind.
            item: What was read.
        """
        try:
            shapes = self._known[kind]
        except KeyError:
            # Nobody can fill the memory, nor for good take the place of the kinds in use.
            if len(self._known) >= _MAX_KINDS:
                self._known.clear()
            self._known[kind] = []
            return
        if shapes is not None and len(shapes) < _MAX_SHAPES_OF_A_KIND:
            try:
                shapes.append(_Shape(item, self._formats).read)
            except KeyError:
                self._known[kind] = None  # A list in it: no two need be alike. A leaf alone: nothing to gain.


class _Shape:
    """Bytes that are always the same and contents of leaves, in turn."""

    def __init__(self, item: ClarityValue | tuple[ClarityValue, ...], formats: Mapping[type, LeafFormat]) -> None:
        """Finds an item's shape; raises KeyError if it holds a list, or is a leaf alone."""
        self._formats = formats
        self._fixed: tuple[bytes, ...] = ()
        self._layout = ""
        if isinstance(item, tuple):
            self._build = self._add_arguments(item)
        else:
            self._build, kind = self._add_value(item, b"")
            if kind is not _COMPOSITE:
                raise KeyError(type(item))
        self._take_apart = struct.Struct(self._layout).unpack_from

    def read(self, data: bytes, offset: int) -> Any:
        """Read an item that is as long as the first one was; None if it has another shape."""
        parts = self._take_apart(data, offset)
        if parts[::2] != self._fixed:
            return None
        try:
            return self._build(iter(parts[3::2]))
        except (ValueError, LookupError):
            return None

    def _add_arguments(self, values: tuple[ClarityValue, ...]) -> _Build:
        self._add_bytes(b"", 0)
        build = self._add_fields([None] * len(values), [(number, value, b"") for number, value in enumerate(values)])
        return lambda contents: tuple(build(contents))

    def _add_value(self, value: ClarityValue, before: bytes) -> tuple[Callable[[Any], Any], type[ClarityValue] | None]:
        """Adds a value that stands behind some bytes; gives what makes it, and the ``kind`` for that.

        What holds other values takes an empty content for itself.
        """
        kind = type(value)
        if isinstance(value, TupleValue):
            names = tuple(value.value)
            self._add_bytes(before, 0)
            fields = zip(names, value.value.values(), tuple_keys(names), strict=True)
            build = self._add_fields(dict.fromkeys(names), fields)
            return (lambda contents: _holding(TupleValue, build(contents))), _COMPOSITE
        if kind in _WRAPPERS:
            self._add_bytes(before + _WRAPPERS[kind], 0)
            build = self._add_fields([None], [(0, value.value, b"")])
            return (lambda contents: _holding(kind, build(contents)[0])), _COMPOSITE
        leaf = self._formats[kind]
        wire = encode(value)
        self._add_bytes(before + wire[: leaf.head_length], len(wire) - leaf.head_length)
        return leaf.convert, leaf.kind

    def _add_fields(self, blank: Any, fields: Iterable[tuple[Any, ClarityValue, bytes]]) -> _Build:
        """Adds values that stand behind some bytes; what is made of them is put into a copy of ``blank``."""
        entries = [(key, *self._add_value(value, before)) for key, value, before in fields]

        def build(contents: Iterator[bytes]) -> Any:
            made = blank.copy()
            for (key, make, kind), content in zip(entries, contents):  # noqa: B905 - those behind are for others
                if kind is None:
                    made[key] = make(content)
                elif kind is _COMPOSITE:
                    made[key] = make(contents)
                else:
                    made[key] = leaf = _new(kind)
                    set_value(leaf, make(content))
            return made

        return build

    def _add_bytes(self, fixed: bytes, content_length: int) -> None:
        self._fixed += (fixed,)
        self._layout += f"{len(fixed)}s{content_length}s"


def _holding(kind: type[ClarityValue], held: object) -> ClarityValue:
    value = _new(kind)
    set_value(value, held)
    return value
