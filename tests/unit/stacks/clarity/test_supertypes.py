"""Types derived from values alone: which arguments a node rejects, and how it measures sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from der_client.stacks.clarity import (
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    AsciiValue,
    BoolValue,
    BufferType,
    BufferValue,
    ClarityType,
    ClarityValue,
    ErrValue,
    IntValue,
    ListType,
    ListValue,
    NoneType_,
    NoneValue,
    OkValue,
    OptionalType,
    PrincipalValue,
    ResponseType,
    SomeValue,
    TupleType,
    TupleValue,
    UIntValue,
    Utf8Type,
    Utf8Value,
    decode,
    encode,
    type_of,
)
from der_client.stacks.clarity.decoding import read_value
from der_client.stacks.clarity.supertypes import check_type, sizes_of
from der_client.stacks.clarity.values import MAX_VALUE_BYTES
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.errors import DecodeError, EncodeError
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import ContractCall, Transaction
from tests.generators.clarity import VALUES
from tests.unit.stacks.transactions.vectors import KEYS

ARGUMENTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "clarity_arguments.json").read_text()
)["arguments"]
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
NO_TYPE = NoneType_()
U1, I1, TRUE, NONE = UIntValue(1), IntValue(1), BoolValue(True), NoneValue()


@pytest.mark.parametrize("vector", ARGUMENTS, ids=lambda vector: vector["name"])
def test_arguments_are_accepted_or_rejected_as_by_a_node(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    if vector["accepted"]:
        value, end = read_value(data, 0, MAX_ARGUMENT_DEPTH)
        assert end == len(data)
        assert encode(value, MAX_ARGUMENT_DEPTH) == data
        return
    with pytest.raises(DecodeError):
        read_value(data, 0, MAX_ARGUMENT_DEPTH)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (NONE, OptionalType(NO_TYPE)),
        (ErrValue(U1), ResponseType(NO_TYPE, UINT)),
        (ListValue(), ListType(NO_TYPE, 0)),
        (ListValue([NONE, SomeValue(U1)]), ListType(OptionalType(UINT), 2)),
        (ListValue([OkValue(TRUE), ErrValue(U1)]).items[0], type_of(OkValue(TRUE))),
        (ListValue([BufferValue(b""), BufferValue(b"abc"), BufferValue(b"a")]), ListType(BufferType(3), 3)),
        (ListValue([AsciiValue("ab"), AsciiValue("")]), ListType(AsciiType(2), 2)),
        (ListValue([Utf8Value("é")]), ListType(Utf8Type(1), 1)),
        (ListValue([ListValue(), ListValue([I1, I1])]), ListType(ListType(INT, 2), 2)),
        (
            TupleValue({"a": PrincipalValue(ADDRESS), "b": ListValue([PrincipalValue(f"{ADDRESS}.a")])}),
            TupleType({"a": PRINCIPAL, "b": ListType(PRINCIPAL, 1)}),
        ),
        (
            ListValue([TupleValue({"a": U1}), TupleValue({"a": U1, "b": I1})]),
            ListType(TupleType({"a": UINT}), 2),
        ),
    ],
    ids=str,
)
def test_the_type_is_derived_from_the_value(value: ClarityValue, kind: ClarityType) -> None:
    assert type_of(value) == kind


@given(VALUES)
def test_every_value_matches_its_derived_type(value: ClarityValue) -> None:
    def admitting(kind: ClarityType) -> ClarityType:
        """Return the type with ``uint`` wherever the value leaves it open."""
        match kind:
            case NoneType_():
                return UINT
            case OptionalType():
                return OptionalType(admitting(kind.item))
            case ResponseType():
                return ResponseType(admitting(kind.ok), admitting(kind.error))
            case ListType():
                return ListType(admitting(kind.item), kind.length)
            case TupleType():
                return TupleType({name: admitting(field) for name, field in kind.fields.items()})
        return kind

    admitting(type_of(value)).check(value)


@pytest.mark.parametrize(
    ("value", "path", "offset"),
    [
        (ListValue([U1, I1]), r"value\[1\]: int follows uint", 22),
        (ListValue([TRUE, NONE]), r"value\[1\]: \(optional none\) follows bool", 6),
        (TupleValue({"a": TRUE, "bc": SomeValue(ListValue([U1, U1, I1]))}), r"value\.bc\[2\]: int", 5 + 3 + 3 + 1 + 39),
        (
            ListValue([TupleValue({"n": TRUE, "p": U1}), TupleValue({"n": TRUE, "p": SomeValue(U1)})]),
            r"value\[1\]\.p: \(optional uint\) follows uint",
            5 + (5 + 3 + 19) + 5 + 3 + 2,
        ),
        (
            OkValue(ListValue([SomeValue(U1), NONE, SomeValue(I1)])),
            r"value\[2\]: int follows uint",
            1 + 5 + 18 + 1 + 1,
        ),
        (
            ListValue([TupleValue({"a": U1, "b": U1}), TupleValue({"a": U1})]),
            r"value\[1\]: {a: uint} follows {a: uint, b: uint}",
            5 + 5 + 19 + 19,
        ),
        # Inner lists are compared as a whole, so the path has no index for their items.
        (
            ListValue([ListValue([SomeValue(U1)]), ListValue([SomeValue(I1)])]),
            r"value\[1\]: int follows uint",
            5 + 5 + 18,
        ),
        (
            ListValue([ListValue([TupleValue({"a": U1})]), ListValue([TupleValue({"a": I1})])]),
            r"value\[1\]\.a: int follows uint",
            5 + 5 + 5 + 2 + 17,
        ),
        (ListValue([AsciiValue("a" * 1024)] + [AsciiValue("")] * 1030), "value: its type takes .* at most 1048576", 0),
        (ListValue([U1, SomeValue(BufferValue(bytes(1 << 20)))]), r"value\[1\]: its type takes 1048581", 22),
    ],
)
def test_encoding_and_decoding_reject_values_without_a_type(value: ClarityValue, path: str, offset: int) -> None:
    with pytest.raises(EncodeError, match=path):
        encode(value)
    with pytest.raises(EncodeError, match=path):
        type_of(value)
    data = wire_of(value)
    with pytest.raises(DecodeError, match=path) as refused:
        decode(data)
    assert refused.value.offset == offset
    with pytest.raises(DecodeError, match=path) as refused:
        read_value(b"???" + data, 3)
    assert refused.value.offset == 3 + offset


def wire_of(value: ClarityValue) -> bytes:
    """Return the wire form of a value that ``encode`` rejects, written without the code under test."""
    match value:
        case ListValue():
            return b"\x0b" + len(value).to_bytes(4) + b"".join(map(wire_of, value))
        case TupleValue():
            entries = [bytes([len(name)]) + name.encode() + wire_of(item) for name, item in value.fields.items()]
            return b"\x0c" + len(entries).to_bytes(4) + b"".join(entries)
        case SomeValue():
            return b"\x0a" + wire_of(value.value)
        case OkValue():
            return b"\x07" + wire_of(value.value)
    return encode(value) if not isinstance(value, BufferValue) else b"\x02" + len(value.value).to_bytes(4) + value.value


def test_building_a_call_rejects_arguments_without_a_type() -> None:
    call = ContractCall(f"{ADDRESS}.market", "offer", (U1, ListValue([U1, I1])))
    with pytest.raises(EncodeError, match=r"\[1\]: int follows uint"):
        Transaction.build(call, public_key=KEYS[0].public_key, network=DEVNET, nonce=0, fee=400)


@given(VALUES)
def test_the_quick_check_measures_sizes_like_the_type(value: ClarityValue) -> None:
    check_type(value)
    many = ListValue([value] * 3)
    assert sizes_of(type_of(many))[0] <= MAX_VALUE_BYTES
    check_type(many)


@pytest.mark.parametrize(
    "item",
    [
        AsciiValue("a" * 50),
        Utf8Value("é" * 20),
        PrincipalValue(ADDRESS),
        NONE,
        SomeValue(ListValue([U1, U1])),
        TupleValue({"abc": TRUE, "d": OkValue(BufferValue(b"12345"))}),
        ListValue([ErrValue(I1), OkValue(NONE)]),
    ],
    ids=str,
)
def test_the_largest_list_is_accepted_and_one_more_item_rejected(item: ClarityValue) -> None:
    # A list's type needs 5 bytes and its item's type; every item counts at its full size.
    size, type_size = sizes_of(type_of(item))
    fits = (MAX_VALUE_BYTES - type_size - 5) // size
    check_type(ListValue([item] * fits))
    with pytest.raises(EncodeError, match="its type takes"):
        check_type(ListValue([item] * (fits + 1)))


def test_the_largest_scalars_are_accepted_but_not_inside_some() -> None:
    for value in (BufferValue(bytes(1 << 20)), AsciiValue("a" * (1 << 20)), Utf8Value("a" * (1 << 18))):
        assert decode(encode(value)) == value
        with pytest.raises(EncodeError, match="value: its type takes"):
            encode(SomeValue(value))
