"""Decodes values in one step that have the same shape as earlier ones and differ only in numbers, addresses and texts.

A program decodes few kinds of values: the events of a contract, the results and arguments of a function. Values of one
kind and length differ only in their leaves. So for a shape that has been read step by step often enough, a function is
compiled that reads only this shape. It never refuses a value: other shapes are read step by step as before, which also
reports what is wrong with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from der_client.stacks.clarity.encoding import encode, tuple_keys
from der_client.stacks.clarity.generated import GeneratedReader
from der_client.stacks.clarity.values import ClarityValue, ErrValue, OkValue, SomeValue, TupleValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Item = TypeVar("Item", ClarityValue, tuple[ClarityValue, ...])

MAX_SHAPED_BYTES: Final = 1024
"""Longer input is read step by step. A value this short and without lists needs no type check."""
_MAX_KINDS: Final = 512
_MAX_SHAPES_OF_A_KIND: Final = 4
_OFTEN: Final = 16
"""Compiling takes as long as reading about twenty values step by step, so input cannot trigger it too often."""
_WRAPPERS: Final[dict[type, bytes]] = {OkValue: b"\x07", ErrValue: b"\x08", SomeValue: b"\x0a"}

Kind = tuple[bytes, int]
"""What is known of an item at once: its first bytes, and its length."""


class LeafFormat(NamedTuple):
    """The wire form of a value that contains no other one.

    Attributes:
        head_length: How many bytes are the same in all such values of one length: type and length.
        convert: From the bytes after these to the value's content, or to the value itself; raises ValueError or
            LookupError if they are not valid.
        kind: The class of the value with that content; None if ``convert`` returns the value itself.
    """

    head_length: int
    convert: Callable[[bytes], Any]
    kind: type[ClarityValue] | None = None


class Shapes(Generic[Item]):
    """The shapes of the items, values or arguments, that are read often.

    Args:
        formats: The wire form of leaves, by class.
    """

    def __init__(self, formats: Mapping[type, LeafFormat]) -> None:
        self._formats = formats
        self._readers: dict[Kind, list[Callable[[bytes, int], Item | None]]] = {}
        self._seen: dict[Kind, int] = {}

    def read(self, kind: Kind, data: bytes, offset: int) -> Item | None:
        """Read the item that fills the rest of the input, if its shape is known.

        Args:
            kind: Its kind.
            data: The input.
            offset: Where it starts.
        """
        for read in self._readers.get(kind, ()):
            item = read(data, offset)
            if item is not None:
                return item
        return None

    def learn(self, kind: Kind, item: Item) -> None:
        """Note an item that was read step by step; the shape of every 16th one of a kind is compiled.

        Args:
            kind: Its kind.
            item: The item.
        """
        seen = self._seen.get(kind, 0) + 1
        if seen == 1 and len(self._seen) >= _MAX_KINDS:
            # Input must not fill the memory, nor displace kinds in use for good.
            self._seen.clear()
            self._readers.clear()
        self._seen[kind] = seen
        if seen % _OFTEN:
            return
        readers = self._readers.setdefault(kind, [])
        if len(readers) < _MAX_SHAPES_OF_A_KIND and (read := _ShapeReader(self._formats).function(item)):
            readers.append(read)


class _ShapeReader:
    """Writes a function that reads items of one shape."""

    def __init__(self, formats: Mapping[type, LeafFormat]) -> None:
        self._formats = formats
        self._source = GeneratedReader()
        self._fixed: list[bytes] = []
        self._contents: list[str] = []

    def function(self, item: ClarityValue | tuple[ClarityValue, ...]) -> Callable[[bytes, int], Any] | None:
        """Return a reader of such an item, or None if it contains lists.

        The item must fill the input from the offset on; the reader returns None if it does not, or has another shape.
        """
        try:
            if isinstance(item, tuple):
                values = [self._value(value, b"") for value in item]
                result = f"({''.join(f'{value}, ' for value in values)})"
            else:
                result = self._value(item, b"")
        except KeyError:
            return None
        self._source.lines[:0] = self._source.taking_apart("parts", "offset", self._fixed, self._contents)
        return self._source.function(result)

    def _value(self, value: ClarityValue, before: bytes) -> str:
        """Return the expression for a value after some fixed bytes; raises KeyError if it contains a list."""
        kind = type(value)
        if isinstance(value, TupleValue):
            keys = tuple_keys(tuple(value.value))
            fields = zip(value.value.items(), (before + keys[0], *keys[1:]), strict=True)
            items = [f"{self._source.constant(name)}: {self._value(item, key)}" for (name, item), key in fields]
            return self._holding(kind, f"{{{', '.join(items)}}}")
        if kind in _WRAPPERS:
            return self._holding(kind, self._value(value.value, before + _WRAPPERS[kind]))
        leaf = self._formats[kind]
        wire = encode(value)
        self._fixed.append(before + wire[: leaf.head_length])
        self._contents.append(f"{len(wire) - leaf.head_length}s")
        content = f"{self._source.constant(leaf.convert)}(parts[{2 * len(self._fixed) - 1}])"
        return content if leaf.kind is None else self._holding(leaf.kind, content)

    def _holding(self, kind: type[ClarityValue], held: str) -> str:
        """Return the name of a new value with this content."""
        name = f"value_{len(self._source.lines)}"
        self._source.lines += [f"{name} = new({self._source.constant(kind)})", f"put({name}, {held})"]
        return name
