"""The consensus wire form, checked against the node's vectors, the real VM and chain, and by round trips."""

from __future__ import annotations

import json
import pickle
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.clarity import (
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
    decode,
    decoding,
    encode,
    parse,
)
from der_client.stacks.clarity.decoding import read_value
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH, MAX_DEPTH
from der_client.stacks.errors import DecodeError, EncodeError, LiteralError
from tests.generators.clarity import VALUES

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "clarity_values.json").read_text()
)
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


def as_codec_text(value: ClarityValue) -> str:
    """Return a value's text as the Rust codec writes it: unlike a node, with ``(list …)`` and quoted principals."""
    match value:
        case PrincipalValue():
            return f"'{value}"
        case ListValue():
            return f"(list{''.join(f' {as_codec_text(item)}' for item in value)})"
        case TupleValue():
            return "(tuple " + " ".join(f"({name} {as_codec_text(item)})" for name, item in value.fields.items()) + ")"
        case OkValue() | ErrValue() | SomeValue():
            word = str(value).partition(" ")[0]
            return f"{word} {as_codec_text(value.value)})"
    return str(value)


@pytest.mark.parametrize("vector", VECTORS["node_tests"], ids=lambda vector: vector["expect"][:40])
def test_the_nodes_vectors_are_decoded_or_rejected(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"])
    if vector["expect"].startswith("ERR"):
        with pytest.raises(DecodeError):
            decode(data)
        return
    value = decode(data)
    assert encode(value) == data
    if "principal" not in vector["expect"]:
        assert str(value) == vector["expect"]


@pytest.mark.parametrize("vector", VECTORS["vm"], ids=lambda vector: vector["expr"][:40])
def test_values_of_the_real_vm_encode_to_the_same_bytes(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"][2:])
    assert encode(decode(data)) == data


@pytest.mark.parametrize("vector", VECTORS["real"], ids=lambda vector: vector["hex"][:40])
def test_values_from_the_chain_match_the_rust_codec(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"].removeprefix("0x"))
    value = decode(data)
    assert encode(value) == data
    assert as_codec_text(value) == vector["repr"]


@given(VALUES)
def test_decoding_undoes_encoding(value: ClarityValue) -> None:
    assert decode(encode(value)) == value


@given(VALUES)
def test_pickled_values_are_equal_and_have_the_same_hash(value: ClarityValue) -> None:
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes
    assert copy == value
    assert hash(copy) == hash(value)


@given(st.binary(max_size=60))
def test_any_bytes_decode_canonically_or_raise_a_decode_error(data: bytes) -> None:
    try:
        value = decode(data)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data)  # noqa: PT017 - only some inputs raise
    else:
        assert encode(value) == data


@given(VALUES, st.data())
def test_damaged_values_decode_canonically_or_raise_a_decode_error(value: ClarityValue, data: st.DataObject) -> None:
    damaged = bytearray(encode(value))
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] = data.draw(st.integers(0, 255))
    try:
        again = decode(bytes(damaged))
    except DecodeError:
        return
    assert encode(again) == bytes(damaged)


@given(VALUES)
def test_truncated_values_are_rejected(value: ClarityValue) -> None:
    whole = encode(value)
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            decode(whole[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "ends where a value should start"),
        ("0f", "is not a Clarity type"),
        ("0300", "1 byte follows"),
        ("0b000000ff03", "needs 255 bytes"),
        ("0200ffffff00", "too long"),
        ("0c00000000", "at least one field"),
        ("0c00000002016203016103", "must come before 'b'"),
        ("0c00000002016103016103", "is a duplicate"),
        ("0c00000001023161" + "03", "not a Clarity name"),
        ("0d0000000180", "is not allowed in a string-ascii"),
        ("0d000000010b", "is not allowed in a string-ascii"),
        ("0e00000002c328", "no UTF-8"),
        ("0e00000003eda080", "no UTF-8"),
        ("0520" + "00" * 20, "not an address version"),
        ("061a" + "00" * 20 + "022d61", "not a contract name"),
    ],
)
def test_errors_name_the_fault_and_its_offset(data: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode(bytes.fromhex(data))
    assert "at byte" in str(caught.value)


def test_a_cached_name_does_not_hide_truncation() -> None:
    encode_of = encode(TupleValue({"ab": BoolValue(True)}))
    decode(encode_of)
    with pytest.raises(DecodeError, match="a name needs 3 bytes"):
        decode(bytes.fromhex("0c00000001036162"))


def test_the_nesting_depth_is_limited() -> None:
    wrapped: ClarityValue = BoolValue(True)
    for _ in range(MAX_DEPTH):
        wrapped = SomeValue(wrapped)
    assert decode(encode(wrapped)) == wrapped
    with pytest.raises(EncodeError, match="deeper"):
        encode(SomeValue(wrapped))
    for composite in (b"\x0a", b"\x07", b"\x0b\x00\x00\x00\x01", b"\x0c\x00\x00\x00\x01\x01a"):
        with pytest.raises(DecodeError, match="deeper"):
            decode(composite * 100_000 + b"\x03")


@pytest.mark.parametrize("empty", [NoneValue(), ListValue()])
def test_empty_values_count_as_a_level_except_in_arguments(empty: ClarityValue) -> None:
    """On the VM, ``none`` and an empty list fit into 30 nested ``some``, but not into 31."""
    wrapped = empty
    for depth in range(1, MAX_DEPTH + 1):
        wrapped = SomeValue(wrapped)
        data = b"\x0a" * depth + encode(empty)
        if depth < MAX_DEPTH:
            assert decode(data) == wrapped
            assert encode(wrapped) == data
            assert parse(str(wrapped), node_text=True) == wrapped
        if depth <= MAX_ARGUMENT_DEPTH:
            assert read_value(data, 0, MAX_ARGUMENT_DEPTH) == (wrapped, len(data))
            assert encode(wrapped, MAX_ARGUMENT_DEPTH) == data
    with pytest.raises(DecodeError, match="deeper") as refused:
        decode(data)
    assert refused.value.offset == MAX_DEPTH
    with pytest.raises(EncodeError, match="deeper"):
        encode(wrapped)
    with pytest.raises(LiteralError, match="deeper"):
        parse(str(wrapped), node_text=True)


def test_arguments_have_a_lower_nesting_limit_than_results() -> None:
    data = b"\x0a" * MAX_ARGUMENT_DEPTH + b"\x03"
    assert read_value(data, 0, MAX_ARGUMENT_DEPTH)[1] == len(data)
    with pytest.raises(DecodeError, match="deeper"):
        read_value(b"\x0a" + data, 0, MAX_ARGUMENT_DEPTH)


class Foreign(UIntValue):
    """A value class without a wire form."""

    __slots__ = ()


class Liar(int):
    """An integer with wrong comparisons and a wrong conversion to int."""

    def __le__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True

    def __int__(self) -> int:
        return 1 << 200


class Color(str, Enum):  # noqa: UP042 - its str() is not its value, unlike StrEnum's
    RED = "red"


def deep(depth: int) -> ClarityValue:
    value: ClarityValue = UIntValue(1)
    for _ in range(depth):
        value = SomeValue(value)
    return value


def test_subclasses_of_plain_types_are_converted_to_plain_values() -> None:
    for value in (AsciiValue(Color.RED), Utf8Value(Color.RED)):
        assert value.value == "red"
        assert type(value.value) is str
        assert decode(encode(value)) == value
    colors = TupleValue({Color.RED: UIntValue(Liar(7))})
    assert str(colors) == "(tuple (red u7))"
    assert str(TupleValue({"red": UIntValue(7)})) == "(tuple (red u7))"
    assert decode(encode(colors)) == colors


def test_the_cache_of_names_is_limited_and_still_accepts_new_names() -> None:
    for number in range(10_000):
        decode(b"\x0c\x00\x00\x00\x01\x06a" + f"{number:05}".encode() + b"\x03")
    assert len(decoding._known_names) <= decoding._MAX_KNOWN_NAMES
    decode(encode(TupleValue({"newcomer": BoolValue(True)})))
    assert b"newcomer" in decoding._known_names


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UIntValue(-1), "out of range for uint: 0 to"),
        (lambda: UIntValue(2**128), "out of range"),
        (lambda: IntValue(2**127), "out of range"),
        (lambda: UIntValue(True), "uint: expected a whole number, got True"),
        (lambda: UIntValue("1"), "expected a whole number, got str '1'"),  # type: ignore[arg-type]
        (lambda: UIntValue(1.0), "expected a whole number, got float"),  # type: ignore[arg-type]
        (lambda: BoolValue(1), "takes True or False"),  # type: ignore[arg-type]
        (lambda: BufferValue("00"), "takes bytes, not str"),  # type: ignore[arg-type]
        (lambda: AsciiValue("é"), "not a string-ascii"),
        (lambda: AsciiValue("\x00"), "not a string-ascii"),
        (lambda: Utf8Value("\ud800"), "lone surrogate"),
        (lambda: PrincipalValue(ADDRESS[:-1] + "A"), "ST1PQ"),
        (lambda: TupleValue({}), "at least one field"),
        (lambda: TupleValue({"1a": BoolValue(True)}), "not a Clarity name"),
        (lambda: ListValue([1]), "item 0 of a list takes a Clarity value"),  # type: ignore[list-item]
        (lambda: SomeValue(1), "SomeValue takes a Clarity value"),  # type: ignore[arg-type]
        (lambda: encode(1), "encode takes a Clarity value"),  # type: ignore[arg-type]
        (lambda: encode(SomeValue(Foreign(1))), "holds Foreign"),
        (lambda: encode(deep(100_000)), "deeper than a node allows"),
        (lambda: UIntValue(10**5000), "<int> is out of range for uint"),
        (lambda: UIntValue(Liar(-1)), "-1 is out of range for uint"),
        (lambda: BufferValue("a" * 10**6), r"a… \(1000002 characters\)"),  # type: ignore[arg-type]
        (lambda: TupleValue({1: BoolValue(True), "a": BoolValue(True)}), "1 is not a Clarity name"),  # type: ignore[dict-item]
    ],
)
def test_invalid_values_are_rejected_and_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_values_are_immutable() -> None:
    value = TupleValue({"a": UIntValue(1)})
    with pytest.raises(AttributeError, match="do not change"):
        value.value = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        value.fields["a"] = UIntValue(2)  # type: ignore[index]


def test_values_of_different_types_are_not_equal() -> None:
    assert UIntValue(1) != IntValue(1)
    assert AsciiValue("a") != Utf8Value("a")
    assert len({UIntValue(1), IntValue(1), BoolValue(True), UIntValue(1)}) == 3


def test_text_is_escaped_as_by_a_node() -> None:
    assert str(AsciiValue('it\'s "q" \\ \n')) == '"it\\\'s \\"q\\" \\\\ \\n"'
    assert str(Utf8Value("é'\t")) == 'u"\\u{c3a9}\\\'\\t"'


def test_a_tuple_cannot_be_changed_after_its_check() -> None:
    value = TupleValue({"a": UIntValue(1), "b": SomeValue(BoolValue(True))})
    for fields in (value.value, value.fields, decode(encode(value)).value):
        with pytest.raises(TypeError, match="does not support item assignment"):
            fields["x y"] = UIntValue(2)  # type: ignore[index]
        assert dict(fields) == {"a": UIntValue(1), "b": SomeValue(BoolValue(True))}
    given = {"a": UIntValue(1)}
    held = TupleValue(given)
    given["x y"] = UIntValue(2)
    assert held == TupleValue({"a": UIntValue(1)}) != TupleValue({"a": UIntValue(2)})
    assert repr(held) == "TupleValue({'a': UIntValue(1)})"
    assert hash(held) == hash(TupleValue({"a": UIntValue(1)}))


def test_only_clarity_values_can_be_encoded() -> None:
    for value in (5, "x", [1]):
        with pytest.raises(EncodeError, match=rf"takes a Clarity value.*, not {type(value).__name__} "):
            encode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("items", [UIntValue(1), 5, None])
def test_a_list_needs_a_sequence_of_values(items: Any) -> None:
    with pytest.raises(EncodeError, match=rf"ListValue\(\[UIntValue\(1\)\]\), not {type(items).__name__}"):
        ListValue(items)


@pytest.mark.parametrize("fields", [UIntValue(1), [("a", UIntValue(1))], None])
def test_a_tuple_needs_a_mapping_of_values(fields: Any) -> None:
    with pytest.raises(EncodeError, match=rf"fields by name.*not {type(fields).__name__}"):
        TupleValue(fields)
