"""Clarity values: small, frozen, comparable, hashable; ``str(value)`` is the text form that a node writes.

A value that exists is valid: constructors check type and range, so nothing wrong can be encoded later.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from der_client.stacks.address import split_principal
from der_client.stacks.checks import UINT_MAX, check_number
from der_client.stacks.clarity.names import check_clarity_name, plain_text
from der_client.stacks.errors import EncodeError, shown, whole

if TYPE_CHECKING:
    from collections.abc import Collection, ItemsView, Iterable, Iterator, KeysView, Sequence

MAX_VALUE_BYTES: Final = 1 << 20
"""Largest buffer, string or list count in Clarity (``MAX_VALUE_SIZE``)."""
MAX_UTF8_CHARACTERS: Final = MAX_VALUE_BYTES // 4
INT_MIN: Final = -(1 << 127)
INT_MAX: Final = (1 << 127) - 1

# Printable characters and the ASCII white space that Clarity's string-ascii accepts.
ASCII_ALLOWED: Final = bytes(range(0x20, 0x7F)) + b"\t\n\x0c\r"
# What the node's text form escapes, the apostrophe included (Rust's ``ascii::escape_default``).
_ESCAPES: Final = str.maketrans(
    {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
    | {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
)


class ClarityValue:
    """Base of all Clarity values."""

    __slots__ = ("value",)
    value: Any

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Clarity values do not change: make a new {type(self).__name__} instead")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Clarity values do not change")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    @whole
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    # __setattr__ above allows no assignment to slots, so copies and pickles use the constructor.
    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self.value,)


set_value: Final = ClarityValue.__dict__["value"].__set__
"""Sets the one slot of a new value; only for constructors and the decoder, which have checked it."""


class IntValue(ClarityValue):
    """``int``: a signed 128-bit integer."""

    __slots__ = ()
    value: int

    def __init__(self, value: int) -> None:
        set_value(self, check_number(value, INT_MIN, INT_MAX, "int", EncodeError))

    def __str__(self) -> str:
        return str(self.value)


class UIntValue(ClarityValue):
    """``uint``: an unsigned 128-bit integer."""

    __slots__ = ()
    value: int

    def __init__(self, value: int) -> None:
        set_value(self, check_number(value, 0, UINT_MAX, "uint", EncodeError))

    def __str__(self) -> str:
        return f"u{self.value}"


class BoolValue(ClarityValue):
    """``bool``."""

    __slots__ = ()
    value: bool

    def __init__(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise EncodeError(f"bool takes True or False, not {type(value).__name__} {shown(value)}")
        set_value(self, value)

    def __str__(self) -> str:
        return "true" if self.value else "false"


class BufferValue(ClarityValue):
    """``(buff n)``: bytes."""

    __slots__ = ()
    value: bytes

    def __init__(self, value: bytes) -> None:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise EncodeError(f"buff takes bytes, not {type(value).__name__} {shown(value)}")
        data = bytes(value)
        if len(data) > MAX_VALUE_BYTES:
            raise EncodeError(f"a buffer of {len(data)} bytes is too long: at most {MAX_VALUE_BYTES}")
        set_value(self, data)

    def __str__(self) -> str:
        return f"0x{self.value.hex()}"


class AsciiValue(ClarityValue):
    """``(string-ascii n)``: printable ASCII and white space."""

    __slots__ = ()
    value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise EncodeError(f"string-ascii takes a str, not {type(value).__name__} {shown(value)}")
        value = plain_text(value)
        if len(value) > MAX_VALUE_BYTES:
            raise EncodeError(f"a string-ascii of {len(value)} characters is too long: at most {MAX_VALUE_BYTES}")
        if not value.isascii() or value.encode("ascii").translate(None, ASCII_ALLOWED):
            raise EncodeError(f"{shown(value)} is not a string-ascii: only printable ASCII characters and white space")
        set_value(self, value)

    def __str__(self) -> str:
        return f'"{self.value.translate(_ESCAPES)}"'


class Utf8Value(ClarityValue):
    """``(string-utf8 n)``: any Unicode text."""

    __slots__ = ()
    value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise EncodeError(f"string-utf8 takes a str, not {type(value).__name__} {shown(value)}")
        value = plain_text(value)
        if len(value) > MAX_UTF8_CHARACTERS:
            raise EncodeError(f"a string-utf8 of {len(value)} characters is too long: at most {MAX_UTF8_CHARACTERS}")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise EncodeError(f"{shown(value)} is not Unicode text: it contains a lone surrogate") from None
        set_value(self, value)

    def __str__(self) -> str:
        return 'u"' + "".join(map(_utf8_repr, self.value)) + '"'


def _utf8_repr(character: str) -> str:
    # Beyond ASCII the node writes the bytes of the UTF-8 form, not the code point.
    return character.translate(_ESCAPES) if character.isascii() else f"\\u{{{character.encode().hex()}}}"


class PrincipalValue(ClarityValue):
    """``principal``: an account (``ST…``) or a contract (``ST….name``), by its text."""

    __slots__ = ()
    value: str

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise EncodeError(f"principal takes the text of an address, not {type(text).__name__} {shown(text)}")
        address, name = split_principal(text)
        set_value(self, address if name is None else f"{address}.{name}")

    @property
    def text(self) -> str:
        """The whole principal, e.g. ``ST1PQ….settlement``."""
        return self.value

    @property
    def address(self) -> str:
        """The address part."""
        return self.value.partition(".")[0]

    @property
    def contract_name(self) -> str | None:
        """The contract's name, or ``None`` for an account."""
        return self.value.partition(".")[2] or None

    def __str__(self) -> str:
        return self.value


def _require_clarity(value: object, where: str) -> ClarityValue:
    if not isinstance(value, ClarityValue):
        raise EncodeError(
            f"{where} takes a Clarity value such as UIntValue(1), not {type(value).__name__} {shown(value)}"
        )
    return value


class _Wrapper(ClarityValue):
    """Base of the values that contain one other value."""

    __slots__ = ()
    value: ClarityValue

    def __init__(self, value: ClarityValue) -> None:
        set_value(self, _require_clarity(value, type(self).__name__))


class OkValue(_Wrapper):
    """``(ok x)``."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"(ok {self.value})"


class ErrValue(_Wrapper):
    """``(err x)``."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"(err {self.value})"


class SomeValue(_Wrapper):
    """``(some x)``."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"(some {self.value})"


class NoneValue(ClarityValue):
    """``none``."""

    __slots__ = ()
    value: None

    def __init__(self) -> None:
        set_value(self, None)

    @whole
    def __repr__(self) -> str:
        return "NoneValue()"

    def __str__(self) -> str:
        return "none"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), ()


class ListValue(ClarityValue):
    """``(list n t)``: values of one type. Whether they have one in common is checked when the list is encoded."""

    __slots__ = ()
    value: tuple[ClarityValue, ...]

    def __init__(self, items: Iterable[ClarityValue] = ()) -> None:
        try:
            given = iter(items)
        except TypeError:
            raise EncodeError(
                f"a list takes several values, such as ListValue([UIntValue(1)]), not {type(items).__name__}"
            ) from None
        values = tuple(_require_clarity(item, f"item {index} of a list") for index, item in enumerate(given))
        set_value(self, values)

    @property
    def items(self) -> tuple[ClarityValue, ...]:
        """The list's values."""
        return self.value

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[ClarityValue]:
        return iter(self.value)

    def __getitem__(self, index: int) -> ClarityValue:
        return self.value[index]

    def __str__(self) -> str:
        return f"({' '.join(map(str, self.value))})"


class TupleValue(ClarityValue):
    """``{k: v, …}``: named values, kept in the order of the wire (by the bytes of the names)."""

    __slots__ = ()
    # The base's slot under another name: the encoder reads the dictionary itself, which is fast, and under the slot's
    # own name everybody else gets a read-only view.
    _fields: dict[str, ClarityValue] = ClarityValue.__dict__["value"]

    def __init__(self, fields: Mapping[str, ClarityValue]) -> None:
        if type(fields) is not dict and not isinstance(fields, Mapping):
            raise EncodeError(
                f'a tuple takes fields by name, such as TupleValue({{"id": UIntValue(1)}}), not {type(fields).__name__}'
            )
        if not fields:
            raise EncodeError("a Clarity tuple has at least one field")
        value = {
            name: _require_clarity(fields[name], f"field {name!r} of a tuple")
            for name in sorted(map(check_clarity_name, fields))
        }
        set_value(self, value)

    @property
    def value(self) -> Mapping[str, ClarityValue]:
        """The fields by name, read-only."""
        return MappingProxyType(self._fields)

    fields = value

    def __getitem__(self, name: str) -> ClarityValue:
        try:
            return self._fields[name]
        except KeyError:
            raise KeyError(f"no field {name!r}: there are {', '.join(self._fields)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self.value.keys()

    def items(self) -> ItemsView[str, ClarityValue]:
        """Return the names with their values."""
        return self.value.items()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash((TupleValue, tuple(self._fields.items())))

    @whole
    def __repr__(self) -> str:
        return f"TupleValue({self._fields!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self._fields,)

    def __str__(self) -> str:
        return "(tuple " + " ".join(f"({name} {value})" for name, value in self._fields.items()) + ")"


fields_of: Final = attrgetter("_fields")
"""The dictionary in a TupleValue, for the codec, which does not change it."""


def columns_of(tuples: Collection[ClarityValue]) -> dict[str, list[ClarityValue]] | None:
    """Return the fields of many tuples by name, for work on all of them at once; None if their names differ.

    Args:
        tuples: TupleValues, at least one.
    """
    rows: list[dict[str, ClarityValue]] = list(map(fields_of, tuples))
    names = rows[0]
    if set(map(len, rows)) != {len(names)}:
        return None
    try:
        return {name: list(map(itemgetter(name), rows)) for name in names}
    except KeyError:
        return None


def principals(values: Sequence[ClarityValue]) -> Iterator[PrincipalValue]:
    """Yield all principals in the values, however deep."""
    for value in values:
        if type(value) is UIntValue:  # most are, and contain nothing
            continue
        if isinstance(value, PrincipalValue):
            yield value
        elif isinstance(value, ListValue):
            yield from principals(value.items)
        elif isinstance(value, TupleValue):
            yield from principals(tuple(value.value.values()))
        elif isinstance(value.value, ClarityValue):
            yield from principals((value.value,))
