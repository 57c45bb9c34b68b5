"""Decodes the wire form of Clarity values (SIP-005; stacks-core ``types/serialization.rs``).

The decoder trusts no input: it never reads past the end, never allocates more than the input can contain, bounds its
own depth, and accepts exactly one encoding for each value, so that decoding and encoding again gives the same bytes. It
also refuses values without a type in Clarity, such as a list of an int and a uint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import c32_address
from der_client.stacks.clarity.encoding import encode_all, key_wire
from der_client.stacks.clarity.names import is_clarity_name, is_contract_name
from der_client.stacks.clarity.shapes import MAX_SHAPED_BYTES, LeafFormat, Shapes
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
    set_value,
)
from der_client.stacks.clarity.wire import (
    EMPTY,
    HOLDER,
    LIST,
    LIST_START,
    MAX_DEPTH,
    MAX_WIRE_BYTES,
    SURELY_SMALL,
    TUPLE,
    room,
)
from der_client.stacks.errors import DecodeError, bytes_follow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from der_client.stacks.clarity.supertypes import Step

ACCOUNT_BYTES: Final = 21
"""Version and hash160 of an account."""
ADDRESS_VERSIONS: Final = 32

_from_bytes = int.from_bytes
_Reader = Callable[[bytes, int, int], tuple[ClarityValue, int]]


def decode(data: bytes) -> ClarityValue:
    """Decode one value that fills the whole input.

    Args:
        data: The wire form, e.g. of a read-only result without its 0x.

    Raises:
        DecodeError: If the bytes are not the encoding of a value; it carries the offset.
    """
    if not isinstance(data, bytes):
        if not isinstance(data, (bytearray, memoryview)):
            raise DecodeError(
                f"decode takes bytes, not {type(data).__name__}: of hexadecimal text, bytes.fromhex(…)", 0
            )
        data = bytes(data)
    if len(data) > MAX_WIRE_BYTES:
        raise DecodeError(f"{len(data)} bytes are too many for one value: at most {MAX_WIRE_BYTES}", MAX_WIRE_BYTES)
    kind = None
    if 5 < len(data) <= MAX_SHAPED_BYTES and TUPLE in data[:3]:
        # For a tuple, this includes its first name.
        kind = (data[: 6 + data[5]], len(data))
        if known := _SHAPES.read(kind, data, 0):
            return known
    value, end = read_value(data, 0)
    if end != len(data):
        raise DecodeError(bytes_follow(len(data) - end, "the value"), end)
    if kind:
        _SHAPES.learn(kind, value)
    return value


def read_value(data: bytes, offset: int, max_depth: int = MAX_DEPTH) -> tuple[ClarityValue, int]:
    """Decode the value that starts at an offset; return it and the offset after it.

    Args:
        data: Bytes that contain the value.
        offset: Where it starts.
        max_depth: How many composites may be nested.

    Raises:
        DecodeError: If no valid value starts there.
    """
    try:
        value, end = _READERS[data[offset]](data, offset + 1, room(max_depth))
    except IndexError:
        raise bad_tag(data, offset) from None
    if end - offset > SURELY_SMALL or (data.find(LIST, offset, end) >= 0 and data.find(LIST_START, offset, end) >= 0):
        try:
            check_type(value)
        except TypeConflictError as error:
            raise DecodeError(str(error), offset + _distance(value, error.path)) from None
    return value, end


def _distance(value: ClarityValue, path: Iterable[Step]) -> int:
    """Return the offset of a part in a value's wire form, or of the list that contains the part."""
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
            case ((OkValue() | ErrValue() | SomeValue()), None):
                distance += 1
                value = value.value
            case _:  # Inside a list whose type was compared as a whole, the item is not known.
                break
        distance += sum(map(len, encode_all(before, room(MAX_DEPTH))))
    return distance


def bad_tag(data: bytes, offset: int) -> DecodeError:
    """Return the error for a place where no value starts."""
    if offset >= len(data):
        return DecodeError("the input ends where a value should start", len(data))
    return DecodeError(f"0x{data[offset]:02x} is not a Clarity type: expected 0x00 to 0x0e", offset)


def truncated(data: bytes, offset: int, needed: int, what: str) -> DecodeError:
    """Return the error for an input that ends inside a value."""
    return DecodeError(f"{what} needs {needed} bytes, but the input has only {max(0, len(data) - offset)} more", offset)


def read_length(data: bytes, offset: int, what: str) -> tuple[int, int]:
    """Read a u32 count of bytes or items, each of which takes at least a byte; return it and the offset after it."""
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
def address_text(wire: bytes) -> str:
    """Return the address of an account's version and hash160; raises AddressError for an unknown version."""
    return c32_address(wire[0], wire[1:])


def read_standard_principal(data: bytes, offset: int) -> tuple[str, int]:
    """Read version and hash of an account; return its address and the offset after it."""
    end = offset + ACCOUNT_BYTES
    if end > len(data):
        raise truncated(data, offset, ACCOUNT_BYTES, "a principal")
    if data[offset] >= ADDRESS_VERSIONS:
        raise DecodeError(f"{data[offset]} is not an address version: 0 to {ADDRESS_VERSIONS - 1}", offset)
    return address_text(data[offset:end]), end


@lru_cache(maxsize=16384)
def _contract_text(wire: bytes) -> str | None:
    """Return the identifier of a contract's version, hash and name, or None if they are not valid."""
    try:
        return _read_contract_text(wire, 0)[0]
    except DecodeError:
        return None


def read_contract_principal(data: bytes, offset: int) -> tuple[str, int]:
    """Read version, hash and name of a contract; return its identifier and the offset after it."""
    start = offset + ACCOUNT_BYTES
    if start < len(data):
        end = start + 1 + data[start]
        if text := _contract_text(data[offset:end]):
            return text, end
    return _read_contract_text(data, offset)


def _read_contract_text(data: bytes, offset: int) -> tuple[str, int]:
    address, start = read_standard_principal(data, offset)
    if start >= len(data):
        raise truncated(data, start, 1, "the length of a contract name")
    begin = start + 1
    end = begin + data[start]
    if end > len(data):
        raise truncated(data, begin, data[start], "a contract name")
    name = data[begin:end].decode("latin-1")
    if not is_contract_name(name):
        raise DecodeError(f"{name!r} is not a contract name", begin)
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


@lru_cache(maxsize=16384)
def _principal(content: bytes) -> ClarityValue:
    """Return the principal in the rest of the input after its type: an account, or a contract, which is longer."""
    read = _read_standard if len(content) == ACCOUNT_BYTES else _read_contract
    value, end = read(content, 0, 0)
    if end != len(content):
        raise DecodeError(bytes_follow(len(content) - end, "the principal"), end)
    return value


def _read_wrapper(kind: type[OkValue | ErrValue | SomeValue]) -> _Reader:
    def read(data: bytes, offset: int, depth: int) -> tuple[ClarityValue, int]:
        if depth < HOLDER:
            raise too_deep(offset)
        try:
            inner, end = _READERS[data[offset]](data, offset + 1, depth - HOLDER)
        except IndexError:
            raise bad_tag(data, offset) from None
        value = _new(kind)
        set_value(value, inner)
        return value, end

    return read


def too_deep(offset: int) -> DecodeError:
    """Return the error for composites nested beyond the limit."""
    return DecodeError("values are nested deeper than a node allows", offset - 1)


def _read_none(_data: bytes, offset: int, depth: int) -> tuple[ClarityValue, int]:
    if depth < EMPTY:
        raise too_deep(offset)
    return _NONE, offset


def _read_tuples(data: bytes, offset: int, depth: int, count: int) -> tuple[list[ClarityValue], int]:
    """Read several tuples with the same names as the first, which is quicker than one by one."""
    first, offset = _read_tuple(data, offset + 1, depth)
    tuples = [first]
    header = b"\x0c" + len(first.value).to_bytes(4, "big")
    keys = [(key_wire(name), 1 + len(name), name) for name in first.value]
    readers = _READERS
    inner = depth - HOLDER
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
    if depth < (HOLDER if count else EMPTY):
        raise too_deep(offset - 4)
    inner = depth - HOLDER
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
    """Read a Clarity name with its one-byte length; return it and the offset after it."""
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
            raise DecodeError(f"{name!r} is not a Clarity name", start)
        # Hostile input must not fill the memory with names, nor displace names in use for good.
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
    if depth < HOLDER:
        raise too_deep(offset - 4)
    inner = depth - HOLDER
    fields: dict[str, ClarityValue] = {}
    previous = ""
    known = _known_names.get
    size = len(data)
    for _ in range(count):
        # Known names are found without a call; read_name handles all others.
        start = offset + 1
        end = start + data[offset] if offset < size else 0
        name = known(data[start:end])
        if name is None or end > size:
            name, end = read_name(data, offset)
        if name <= previous:
            problem = "is a duplicate" if name == previous else f"must come before {previous!r}"
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
    try:
        return _ascii_text(raw), end
    except ValueError:
        bad = next(index for index, byte in enumerate(raw) if byte not in ASCII_ALLOWED)
        raise DecodeError(f"0x{raw[bad]:02x} is not allowed in a string-ascii", start + bad) from None


def _ascii_text(content: bytes) -> str:
    if content.translate(None, ASCII_ALLOWED):
        raise ValueError("no string-ascii")
    return content.decode("ascii")


@lru_cache(maxsize=4096)
def _ascii(content: bytes) -> ClarityValue:
    value = _new(AsciiValue)
    set_value(value, _ascii_text(content))
    return value


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

# Values never change, so repeated ones are created only once.
LEAF_FORMATS: Final[dict[type, LeafFormat]] = {
    IntValue: LeafFormat(1, partial(_from_bytes, signed=True), IntValue),
    UIntValue: LeafFormat(1, _from_bytes, UIntValue),
    BoolValue: LeafFormat(0, {b"\x03": _TRUE, b"\x04": _FALSE}.__getitem__),
    BufferValue: LeafFormat(5, bytes, BufferValue),
    PrincipalValue: LeafFormat(1, _principal),
    NoneValue: LeafFormat(1, {b"": _NONE}.__getitem__),
    AsciiValue: LeafFormat(5, _ascii),
    Utf8Value: LeafFormat(5, bytes.decode, Utf8Value),
}

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

_SHAPES: Final = Shapes[ClarityValue](LEAF_FORMATS)
