"""What must hold for any bytes: they are decoded and encoded to the same bytes, or rejected with one kind of error.

Each target is called with the fuzzer's bytes; any exception is a finding. Nothing here needs the fuzzer, so a finding
becomes a test without changes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict

from der_client.stacks.blocks import BlockHeader, NakamotoBlock
from der_client.stacks.clarity import AsciiType, BufferType, Utf8Type, decode, encode, parse, type_of
from der_client.stacks.clarity.decoding import read_value
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.contract.annotations import Day, Int, MaxLength, Principal, Response, Timestamp, UInt
from der_client.stacks.contract.codecs import Codec, codec_for
from der_client.stacks.errors import DecodeError, LiteralError, SigningError
from der_client.stacks.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable


def _assert_inside(error: DecodeError | LiteralError, length: int) -> None:
    assert 0 <= error.offset <= length, error


def value(data: bytes) -> None:
    """Check the bytes of a value, e.g. the result of a read-only call."""
    try:
        decoded = decode(data)
    except DecodeError as error:
        _assert_inside(error, len(data))
        return
    assert read_value(data, 0) == (decoded, len(data))  # step by step, even if a similar value was read before
    assert encode(decoded) == data
    assert parse(str(decoded), node_text=True) == decoded
    assert hash(decoded) == hash(decode(data))
    type_of(decoded)
    repr(decoded)


def argument(data: bytes) -> None:
    """Check bytes that contain an argument somewhere inside a transaction."""
    start = data[0] % 8 if data else 0
    try:
        decoded, end = read_value(data, start, MAX_ARGUMENT_DEPTH)
    except DecodeError as error:
        _assert_inside(error, max(start, len(data)))
        return
    assert encode(decoded, MAX_ARGUMENT_DEPTH) == data[start:end]


def literal(data: bytes) -> None:
    """Check the text of a value, from source code or from a node."""
    node_text = bool(data[:1] and data[0] % 2)
    text = data[1:].decode("utf-8", errors="surrogateescape")
    try:
        read = parse(text, node_text=node_text)
    except LiteralError as error:
        _assert_inside(error, len(text))
        return
    assert decode(encode(read)) == read
    assert parse(str(read), node_text=True) == read


def transaction(data: bytes) -> None:
    """Check the bytes of a transaction, e.g. one that another program has half-signed."""
    try:
        decoded = Transaction.decode(data)
    except DecodeError as error:
        _assert_inside(error, len(data))
        return
    # A decoded transaction keeps its bytes, so encode another one made of the same parts.
    again = Transaction(
        decoded.version,
        decoded.chain_id,
        decoded.origin_condition,
        decoded.sponsor_condition,
        decoded.anchor_mode,
        decoded.post_condition_mode,
        decoded.post_conditions,
        decoded.payload,
    )
    assert again == decoded
    assert again.encode() == data
    assert again.txid == decoded.txid
    assert decoded.estimated_length >= len(data) or decoded.is_signed
    repr((decoded, decoded.origin, decoded.sponsor_address, decoded.fee, decoded.nonce, decoded.initial_sighash))
    try:
        decoded.verify()
    except SigningError:
        return
    assert decoded.is_signed


def block(data: bytes) -> None:
    """Check the bytes of a block, e.g. a saved file; the header is readable even if the transactions do not fit it."""
    try:
        header, end = BlockHeader.read(data, 0)
    except DecodeError as error:
        _assert_inside(error, len(data))
    else:
        assert header.encode() == data[:end]
        repr((header, header.block_id, header.time))
    try:
        decoded = NakamotoBlock.decode(data)
    except DecodeError as error:
        _assert_inside(error, len(data))
        return
    assert decoded.encode() == data
    for known in decoded.transactions:
        assert decoded.path(known.txid).root(known.txid) == decoded.header.transactions_root


class Color(IntEnum):
    """An enumeration."""

    RED = 1
    GREEN = 2


class Inner(BaseModel):
    """A tuple inside another, with fields of fixed size only."""

    model_config = ConfigDict(frozen=True)

    a: UInt
    b: bool
    c: Int
    color: Color


class Outer(BaseModel):
    """A tuple with every type that an annotation can name."""

    model_config = ConfigDict(frozen=True)

    who: Principal
    inner: Inner
    maybe: Inner | None
    at: Timestamp
    on: Day
    note: Annotated[str, Utf8Type(20)]
    code: Annotated[str, AsciiType(4)]
    key: Annotated[bytes, BufferType(4)] | None
    many: Annotated[tuple[Inner, ...], MaxLength(3)]
    results: Annotated[tuple[Response[UInt], ...], MaxLength(3)]
    done: bool


TYPED: Final[list[Codec]] = [
    codec_for(annotation)
    for annotation in (
        Outer,
        Inner,
        Inner | None,
        Response[Inner],
        Response[bool],
        UInt,
        Int,
        bool,
        Principal,
        Timestamp,
        Day,
        Color,
        Annotated[tuple[Principal, ...], MaxLength(5)],
        Annotated[tuple[Outer, ...], MaxLength(2)],
    )
]
_LAST_TIMES: Final = (datetime.max.replace(tzinfo=UTC, microsecond=0), date.max)


def typed(data: bytes) -> None:
    """Check the bytes of a value of a known type, after a byte that selects the type."""
    if not data:
        return
    codec, data = TYPED[data[0] % len(TYPED)], data[1:]
    try:
        read = codec.decode(data)
    except DecodeError as error:
        _assert_inside(error, len(data))
        return
    untyped = decode(data)
    codec.type.check(untyped)
    written = codec.encode(read, "value")
    # Times beyond the year 9999, which Python cannot represent, become the last ones that it can.
    assert written == untyped or _has_last_time(read)


def _has_last_time(read: Any) -> bool:
    if isinstance(read, BaseModel):
        return any(_has_last_time(field) for _, field in read)
    if isinstance(read, tuple):
        return any(map(_has_last_time, read))
    return read in _LAST_TIMES


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "value": value,
    "argument": argument,
    "literal": literal,
    "transaction": transaction,
    "block": block,
    "typed": typed,
}
