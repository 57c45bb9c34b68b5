"""The consensus wire form of Clarity values (SIP-005; stacks-core ``types/serialization.rs``).

The decoder trusts nobody: it never reads past the input, never allocates more than the input can hold, bounds its own
depth, and accepts exactly one encoding for each value, so that decoding and encoding again gives the same bytes. Both
ways refuse what has no type in Clarity, such as a list of an int and a uint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import c32_address, decode_c32_address
from der_client.stacks.clarity.names import is_clarity_name, is_contract_name
from der_client.stacks.clarity.supertypes import TypeConflictError, check_type
from der_client.stacks.clarity.values import (
    ASCII_ALLOWED,
    MAX_UTF8_CHARACTERS,
    MAX_VALUE_BYTES,
    AsciiValue,
    BoolValue,
    BufferValue,
    ClarityValue,
    ErrValue,
    IntValue,
    ListValue,
    NoneValue,
    OkValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    Utf8Value,
    columns_of,
    set_value,
)
from der_client.stacks.errors import DecodeError, EncodeError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from der_client.stacks.clarity.supertypes import Step

MAX_DEPTH: Final = 31
"""Composites that may stand in one another around a scalar (``MAX_TYPE_DEPTH`` 32 counts the scalar)."""
MAX_ARGUMENT_DEPTH: Final = 15
"""The same for values that a node decodes without knowing their type: arguments of calls and transactions."""
MAX_WIRE_BYTES: Final = 2 * MAX_VALUE_BYTES

INT, UINT, BUFFER, TRUE, FALSE, STANDARD, CONTRACT = 0, 1, 2, 3, 4, 5, 6
OK, ERR, NONE, SOME, LIST, TUPLE, ASCII, UTF8 = 7, 8, 9, 10, 11, 12, 13, 14

# The node's measure of a value without lists is at most 70 times its wire form: names and types count at each of the 31
# levels, a principal in full. So up to here only lists can be ill-typed or too large, and only they cost a check.
_SURELY_SMALL: Final = MAX_VALUE_BYTES // 128
# Every list starts so, since no length has more than three bytes; seldom anything else does. (Its first byte alone is
# found much quicker, so that is looked for first.)
_LIST_START: Final = bytes((LIST, 0))

_from_bytes = int.from_bytes
_Reader = Callable[[bytes, int, int], tuple[ClarityValue, int]]


def decode(data: bytes) -> ClarityValue:
    """Decode one value that fills the whole input.

    Args:
        data: The wire form, e.g. of a read-only result without its 0x.

    Raises:
        DecodeError: the bytes are not the encoding of a value; it carries the offset.
    """
    if not isinstance(data, bytes):
        if not isinstance(data, (bytearray, memoryview)):
            raise DecodeError(f"decode takes bytes, not {type(data).__name__}", 0)
        data = bytes(data)
    if len(data) > MAX_WIRE_BYTES:
        raise DecodeError(f"{len(data)} bytes are too many for one value: at most {MAX_WIRE_BYTES}", MAX_WIRE_BYTES)
    value, end = read_value(data, 0)
    if end != len(data):
        raise DecodeError(f"{len(data) - end} bytes follow the value", end)
    return value


def read_value(data: bytes, offset: int, max_depth: int = MAX_DEPTH) -> tuple[ClarityValue, int]:
    """Decode the value that starts at an offset; return it and the offset behind it.

    Args:
        data: Bytes that hold the value somewhere.
        offset: Where it starts.
        max_depth: How many composites may stand in one another.

    Raises:
        DecodeError: no valid value stands there.
    """
    try:
        value, end = _READERS[data[offset]](data, offset + 1, max_depth)
    except IndexError:
        raise bad_tag(data, offset) from None
    if end - offset > _SURELY_SMALL or (data.find(LIST, offset, end) >= 0 and data.find(_LIST_START, offset, end) >= 0):
        try:
            check_type(value)
        except TypeConflictError as error:
            raise DecodeError(str(error), offset + _distance(value, error.path)) from None
    return value, end


def _distance(value: ClarityValue, path: Iterable[Step]) -> int:
    """How far behind the start of a value's wire form a part of it starts."""
    distance = 0
    for step in path:
        before: Collection[ClarityValue] = ()
        match value, step:
            case ListValue(), int():
                distance += 5
                before, value = value.items[:step], value.items[step]
            case TupleValue(), str():
                names = list(value.fields)
                names = names[: names.index(step) + 1]
                distance += 5 + sum(1 + len(name) for name in names)
                before, value = [value[name] for name in names[:-1]], value[step]
            case _:
                distance += 1
                value = value.value
        distance += sum(map(len, _encode_all(before, MAX_DEPTH)))
    return distance


def bad_tag(data: bytes, offset: int) -> DecodeError:
    """The error for a place where no value starts."""
    if offset >= len(data):
        return DecodeError("the input ends where a value should start", len(data))
    return DecodeError(f"0x{data[offset]:02x} starts no Clarity value: types are 0x00 to 0x0e", offset)


def truncated(data: bytes, offset: int, needed: int, what: str) -> DecodeError:
    """The error for an input that ends inside a value."""
    return DecodeError(f"{what} needs {needed} bytes, but the input has only {max(0, len(data) - offset)} more", offset)


def read_length(data: bytes, offset: int, what: str) -> tuple[int, int]:
    """Read a u32 count of bytes or items, each of which takes at least a byte; return it and the offset behind it."""
    start = offset + 4
    if start > len(data):
        raise truncated(data, offset, 4, f"the length of a {what}")
    length = _from_bytes(data[offset:start], "big")
    if length > MAX_VALUE_BYTES:
        raise DecodeError(f"a {what} of length {length} is too long: at most {MAX_VALUE_BYTES}", offset)
    if start + length > len(data):
        raise truncated(data, start, length, f"a {what} of length {length}")
    return length, start


def _read_int(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    end = offset + 16
    if end > len(data):
        raise truncated(data, offset, 16, "an int")
    value = _new(IntValue)
    set_value(value, _from_bytes(data[offset:end], "big", signed=True))
    return value, end


def _read_uint(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    end = offset + 16
    if end > len(data):
        raise truncated(data, offset, 16, "a uint")
    value = _new(UIntValue)
    set_value(value, _from_bytes(data[offset:end], "big"))
    return value, end


def read_buffer(data: bytes, offset: int) -> tuple[bytes, int]:
    """Read the body of a buffer."""
    length, start = read_length(data, offset, "buffer")
    end = start + length
    return data[start:end], end


def _read_buffer(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    content, end = read_buffer(data, offset)
    value = _new(BufferValue)
    set_value(value, content)
    return value, end


def _read_true(_data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    return _TRUE, offset


def _read_false(_data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    return _FALSE, offset


@lru_cache(maxsize=65536)
def _address_text(wire: bytes) -> str:
    return c32_address(wire[0], wire[1:])


def read_standard_principal(data: bytes, offset: int) -> tuple[str, int]:
    """Read version and hash of an account; return its address and the offset behind it."""
    end = offset + 21
    if end > len(data):
        raise truncated(data, offset, 21, "a principal")
    if data[offset] >= 32:
        raise DecodeError(f"{data[offset]} is no version of an address: 0 to 31", offset)
    return _address_text(data[offset:end]), end


def read_contract_principal(data: bytes, offset: int) -> tuple[str, int]:
    """Read version, hash and name of a contract; return its identifier and the offset behind it."""
    address, start = read_standard_principal(data, offset)
    if start >= len(data):
        raise truncated(data, start, 1, "the length of a contract name")
    begin = start + 1
    end = begin + data[start]
    if end > len(data):
        raise truncated(data, begin, data[start], "a contract name")
    name = data[begin:end].decode("latin-1")
    if not is_contract_name(name):
        raise DecodeError(f"{name!r} is no contract name", begin)
    return f"{address}.{name}", end


def _read_standard(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    text, end = read_standard_principal(data, offset)
    value = _new(PrincipalValue)
    set_value(value, text)
    return value, end


def _read_contract(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    text, end = read_contract_principal(data, offset)
    value = _new(PrincipalValue)
    set_value(value, text)
    return value, end


def _read_wrapper(kind: type[OkValue | ErrValue | SomeValue]) -> _Reader:
    def read(data: bytes, offset: int, depth: int) -> tuple[ClarityValue, int]:
        if not depth:
            raise too_deep(offset)
        try:
            inner, end = _READERS[data[offset]](data, offset + 1, depth - 1)
        except IndexError:
            raise bad_tag(data, offset) from None
        value = _new(kind)
        set_value(value, inner)
        return value, end

    return read


def too_deep(offset: int) -> DecodeError:
    """The error for composites nested beyond the limit."""
    return DecodeError("values stand in one another deeper than a node allows", offset - 1)


def _read_none(_data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    return _NONE, offset


def _read_tuples(data: bytes, offset: int, depth: int, count: int) -> tuple[list[ClarityValue], int]:
    """Read the first of some tuples, and as many others as have its names, which is quicker than one by one."""
    first, offset = _read_tuple(data, offset + 1, depth)
    tuples = [first]
    header = b"\x0c" + len(first.value).to_bytes(4, "big")
    keys = [(_key_wire(name), 1 + len(name), name) for name in first.value]
    readers = _READERS
    inner = depth - 1
    while len(tuples) < count and data[offset : offset + 5] == header:
        fields: dict[str, ClarityValue] = {}
        position = offset + 5
        for key, size, name in keys:
            start = position + size
            if data[position:start] != key:
                return tuples, offset
            try:
                reader = readers[data[start]]
            except IndexError:
                raise bad_tag(data, start) from None
            fields[name], position = reader(data, start + 1, inner)
        value = _new(TupleValue)
        set_value(value, fields)
        tuples.append(value)
        offset = position
    return tuples, offset


def _read_list(data: bytes, offset: int, depth: int) -> tuple[ClarityValue, int]:
    count, offset = read_length(data, offset, "list")
    if count and not depth:
        raise too_deep(offset - 4)
    inner = depth - 1
    items: list[ClarityValue] = []
    if count and data[offset] == TUPLE:
        items, offset = _read_tuples(data, offset, inner, count)
    append = items.append
    for _ in range(count - len(items)):
        try:
            reader = _READERS[data[offset]]
        except IndexError:
            raise bad_tag(data, offset) from None
        item, offset = reader(data, offset + 1, inner)
        append(item)
    value = _new(ListValue)
    set_value(value, tuple(items))
    return value, offset


_known_names: dict[bytes, str] = {}
_MAX_KNOWN_NAMES: Final = 4096


def read_name(data: bytes, offset: int) -> tuple[str, int]:
    """Read a Clarity name with its one-byte length; return it and the offset behind it."""
    if offset >= len(data):
        raise truncated(data, offset, 1, "the length of a name")
    start = offset + 1
    end = start + data[offset]
    raw = data[start:end]
    name = _known_names.get(raw)
    if name is None:
        if end > len(data):
            raise truncated(data, start, data[offset], "a name")
        name = raw.decode("latin-1")
        if not is_clarity_name(name):
            raise DecodeError(f"{name!r} is no Clarity name", start)
        # Hostile input can fill neither the memory with names nor, for good, the place of the names in use.
        if len(_known_names) >= _MAX_KNOWN_NAMES:
            _known_names.clear()
        _known_names[raw] = name
    elif len(raw) != data[offset]:
        raise truncated(data, start, data[offset], "a name")
    return name, end


def _read_tuple(data: bytes, offset: int, depth: int) -> tuple[ClarityValue, int]:
    count, offset = read_length(data, offset, "tuple")
    if not count:
        raise DecodeError("a tuple has at least one field", offset - 4)
    if not depth:
        raise too_deep(offset - 4)
    inner = depth - 1
    fields: dict[str, ClarityValue] = {}
    previous = ""
    known = _known_names.get
    size = len(data)
    for _ in range(count):
        # The names seen before are found without a call; read_name explains whatever is not.
        start = offset + 1
        end = start + data[offset] if offset < size else 0
        name = known(data[start:end])
        if name is None or end > size:
            name, end = read_name(data, offset)
        if name <= previous:
            problem = "stands twice" if name == previous else f"must stand before {previous!r}"
            raise DecodeError(f"tuple key {name!r} {problem}: keys go by their bytes", start)
        try:
            reader = _READERS[data[end]]
        except IndexError:
            raise bad_tag(data, end) from None
        fields[name], offset = reader(data, end + 1, inner)
        previous = name
    value = _new(TupleValue)
    set_value(value, fields)
    return value, offset


def read_ascii(data: bytes, offset: int) -> tuple[str, int]:
    """Read the body of a string-ascii."""
    length, start = read_length(data, offset, "string-ascii")
    end = start + length
    raw = data[start:end]
    if raw.translate(None, ASCII_ALLOWED):
        bad = next(index for index, byte in enumerate(raw) if byte not in ASCII_ALLOWED)
        raise DecodeError(f"0x{raw[bad]:02x} stands in no string-ascii", start + bad)
    return raw.decode("ascii"), end


def _read_ascii(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    text, end = read_ascii(data, offset)
    value = _new(AsciiValue)
    set_value(value, text)
    return value, end


def read_utf8(data: bytes, offset: int) -> tuple[str, int]:
    """Read the body of a string-utf8."""
    length, start = read_length(data, offset, "string-utf8")
    end = start + length
    try:
        text = data[start:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError(f"no UTF-8: {error.reason}", start + error.start) from None
    if len(text) > MAX_UTF8_CHARACTERS:
        raise DecodeError(f"a string-utf8 of {len(text)} characters: at most {MAX_UTF8_CHARACTERS}", offset)
    return text, end


def _read_utf8(data: bytes, offset: int, _depth: int) -> tuple[ClarityValue, int]:
    text, end = read_utf8(data, offset)
    value = _new(Utf8Value)
    set_value(value, text)
    return value, end


_new = object.__new__
_TRUE: Final = BoolValue(True)
_FALSE: Final = BoolValue(False)
_NONE: Final = NoneValue()

# Indexed by the type byte.
_READERS: Final[list[_Reader]] = [
    _read_int,
    _read_uint,
    _read_buffer,
    _read_true,
    _read_false,
    _read_standard,
    _read_contract,
    _read_wrapper(OkValue),
    _read_wrapper(ErrValue),
    _read_none,
    _read_wrapper(SomeValue),
    _read_list,
    _read_tuple,
    _read_ascii,
    _read_utf8,
]


def encode(value: ClarityValue, max_depth: int = MAX_DEPTH) -> bytes:
    """Encode a value as the node does.

    Args:
        value: The value.
        max_depth: How many composites may stand in one another.

    Raises:
        EncodeError: it is no Clarity value, stands deeper or is larger than a node allows, or a list in it holds values
            without a common type; the text names the path.
    """
    try:
        data = _ENCODERS[type(value)](value, max_depth)
    except KeyError as error:
        (kind,) = error.args
        raise EncodeError(
            f"encode takes a Clarity value such as UIntValue(1), but in {shown(value)} is a {kind.__name__}"
        ) from None
    if len(data) > MAX_WIRE_BYTES:
        raise EncodeError(f"{len(data)} bytes are too many for one value: at most {MAX_WIRE_BYTES}")
    if len(data) > _SURELY_SMALL or (LIST in data and _LIST_START in data):
        check_type(value)
    return data


def encode_principal(text: str) -> bytes:
    """Encode the text of a principal, type byte included."""
    return _principal_wire(text)


@lru_cache(maxsize=65536)
def _principal_wire(text: str) -> bytes:
    address, _, name = text.partition(".")
    version, hash160 = decode_c32_address(address)
    if not name:
        return bytes((STANDARD, version)) + hash160
    return bytes((CONTRACT, version)) + hash160 + bytes((len(name),)) + name.encode("ascii")


@lru_cache(maxsize=4096)
def _key_wire(name: str) -> bytes:
    return bytes((len(name),)) + name.encode("ascii")


def _encode_int(value: IntValue, _depth: int) -> bytes:
    return b"\x00" + value.value.to_bytes(16, "big", signed=True)


def _encode_uint(value: UIntValue, _depth: int) -> bytes:
    return b"\x01" + value.value.to_bytes(16, "big")


def _encode_bool(value: BoolValue, _depth: int) -> bytes:
    return b"\x03" if value.value else b"\x04"


def _encode_buffer(value: BufferValue, _depth: int) -> bytes:
    return b"\x02" + len(value.value).to_bytes(4, "big") + value.value


def _encode_ascii(value: AsciiValue, _depth: int) -> bytes:
    return b"\x0d" + len(value.value).to_bytes(4, "big") + value.value.encode("ascii")


def _encode_utf8(value: Utf8Value, _depth: int) -> bytes:
    content = value.value.encode("utf-8")
    return b"\x0e" + len(content).to_bytes(4, "big") + content


def _encode_principal(value: PrincipalValue, _depth: int) -> bytes:
    return _principal_wire(value.value)


def _encode_none(_value: NoneValue, _depth: int) -> bytes:
    return b"\x09"


def _encode_wrapper(tag: bytes) -> Callable[[OkValue | ErrValue | SomeValue, int], bytes]:
    def write(value: OkValue | ErrValue | SomeValue, depth: int) -> bytes:
        if not depth:
            raise _too_deep_to_encode()
        inner = value.value
        return tag + _ENCODERS[type(inner)](inner, depth - 1)

    return write


def _too_deep_to_encode() -> EncodeError:
    return EncodeError("values stand in one another deeper than a node allows")


def _encode_list(value: ListValue, depth: int) -> bytes:
    items = value.value
    if items and not depth:
        raise _too_deep_to_encode()
    return b"".join([b"\x0b" + len(items).to_bytes(4, "big"), *_encode_all(items, depth - 1)])


def _encode_all(values: Collection[ClarityValue], depth: int) -> Iterable[bytes]:
    """Encode many values; tuples with the same names column by column, which takes little more than half the time."""
    encoders = _ENCODERS
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return [encoders[type(value)](value, depth) for value in values]
    if kinds == {TupleValue} and depth and (columns := columns_of(values)):
        header = b"\x0c" + len(columns).to_bytes(4, "big")
        parts: list[Iterable[bytes]] = [repeat(header)]
        for name, column in columns.items():
            parts += [repeat(_key_wire(name)), _encode_all(column, depth - 1)]
        return map(b"".join, zip(*parts, strict=False))
    encode_one = encoders[kinds.pop()]
    return [encode_one(value, depth) for value in values]


def _encode_tuple(value: TupleValue, depth: int) -> bytes:
    if not depth:
        raise _too_deep_to_encode()
    inner = depth - 1
    fields = value.value
    encoders = _ENCODERS
    parts = [b"\x0c" + len(fields).to_bytes(4, "big")]
    append = parts.append
    for name, item in fields.items():
        append(_key_wire(name))
        append(encoders[type(item)](item, inner))
    return b"".join(parts)


_ENCODERS: Final[dict[type, Callable[..., bytes]]] = {
    IntValue: _encode_int,
    UIntValue: _encode_uint,
    BoolValue: _encode_bool,
    BufferValue: _encode_buffer,
    AsciiValue: _encode_ascii,
    Utf8Value: _encode_utf8,
    PrincipalValue: _encode_principal,
    NoneValue: _encode_none,
    OkValue: _encode_wrapper(b"\x07"),
    ErrValue: _encode_wrapper(b"\x08"),
    SomeValue: _encode_wrapper(b"\x0a"),
    ListValue: _encode_list,
    TupleValue: _encode_tuple,
}
