"""Clarity types of a contract interface: they check and convert plain Python, with errors that name the path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    AsciiValue,
    BufferType,
    ClarityType,
    ClarityValue,
    ListType,
    NoneType_,
    NoneValue,
    OkValue,
    OptionalType,
    ResponseType,
    SomeValue,
    TraitType,
    TupleType,
    TupleValue,
    UIntValue,
    Utf8Type,
    parse_abi_type,
    type_of,
)
from der_client.stacks.errors import EncodeError, shown

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
OFFER = TupleType({"price": UINT, "name": AsciiType(5), "taker": OptionalType(PRINCIPAL)})
OFFERS = ListType(OFFER, 4)


def nested(depth: int) -> ClarityValue:
    value: ClarityValue = UIntValue(1)
    for _ in range(depth):
        value = SomeValue(value)
    return value


@pytest.mark.parametrize(
    ("abi", "expected", "text"),
    [
        ("uint128", UINT, "uint"),
        ("int128", INT, "int"),
        ("bool", BOOL, "bool"),
        ("principal", PRINCIPAL, "principal"),
        ("none", NoneType_(), "none"),
        ("trait_reference", TraitType(), "trait_reference"),
        ({"buffer": {"length": 33}}, BufferType(33), "(buff 33)"),
        ({"string-ascii": {"length": 12}}, AsciiType(12), "(string-ascii 12)"),
        ({"string-utf8": {"length": 12}}, Utf8Type(12), "(string-utf8 12)"),
        ({"optional": "uint128"}, OptionalType(UINT), "(optional uint)"),
        ({"response": {"ok": "bool", "error": "uint128"}}, ResponseType(BOOL, UINT), "(response bool uint)"),
        ({"list": {"type": "uint128", "length": 30}}, ListType(UINT, 30), "(list 30 uint)"),
        (
            {"tuple": [{"name": "b", "type": "bool"}, {"name": "a", "type": "uint128"}]},
            TupleType({"a": UINT, "b": BOOL}),
            "{a: uint, b: bool}",
        ),
    ],
)
def test_interface_types_are_read(abi: Any, expected: ClarityType, text: str) -> None:
    parsed = parse_abi_type(abi)
    assert parsed == expected
    assert str(parsed) == text


@pytest.mark.parametrize(
    "abi",
    [
        "uint",
        {},
        {"list": {}},
        {"buffer": 3},
        {"tuple": {"a": 1}},
        None,
        {"list": [], "b": 1},
        {"buffer": {"length": -1}},
        {"buffer": {"length": True}},
        {"buffer": {"length": "9" * 5000}},
        {"string-utf8": {"length": 2**20 + 1}},
        {"list": {"type": "bool", "length": 1e300}},
        {"tuple": []},
        {"tuple": [{"name": "a", "type": "bool"}, {"name": "a", "type": "int128"}]},
        {"tuple": [{"name": ["a"], "type": "bool"}]},
    ],
    ids=lambda abi: str(abi)[:40],
)
def test_invalid_interface_types_are_rejected(abi: Any) -> None:
    with pytest.raises(EncodeError, match="not a type of a contract interface"):
        parse_abi_type(abi)


def test_field_names_of_interface_types_are_checked() -> None:
    with pytest.raises(EncodeError, match="'1a' is not a Clarity name"):
        parse_abi_type({"tuple": [{"name": "1a", "type": "bool"}]})


def test_deeply_nested_interface_types_are_rejected() -> None:
    abi: Any = "bool"
    for _ in range(40):
        abi = {"optional": abi}
    with pytest.raises(EncodeError, match="not a type of a contract interface"):
        parse_abi_type(abi)


def test_plain_python_survives_the_round_trip() -> None:
    offers = [{"price": 5, "name": "a", "taker": None}, {"price": 6, "name": "b", "taker": ADDRESS}]
    value = OFFERS.from_python(offers)
    OFFERS.check(value)
    assert OFFERS.to_python(value) == offers
    assert OFFERS.from_python(value) is value


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (OFFERS, [{"price": 1, "name": "a", "taker": None}] * 5, "offers has 5 items.*at most 4"),
        (OFFERS, [{"price": -1, "name": "a", "taker": None}], r"offers\[0\]\.price: -1 is out of range"),
        (
            OFFERS,
            [{"price": 1, "name": "abcdef", "taker": None}],
            r"offers\[0\]\.name: .* has 6 characters.* at most 5",
        ),
        (OFFERS, [{"price": 1, "name": "a"}], r"offers\[0\] lacks taker"),
        (OFFERS, [{"price": 1, "name": "a", "taker": None, "x": 1}], r"offers\[0\] has the unknown x"),
        (OFFERS, [{"price": 1, "name": "a", "taker": "ST1"}], r"offers\[0\]\.taker"),
        (OFFERS, "abc", "a list is given as a list or tuple, not str 'abc'"),
        (OFFER, [1], "a tuple is given as a dict"),
        (UINT, "5", "offers: uint: expected a whole number, got str '5'"),
        (UINT, SomeValue(UIntValue(1)), r"SomeValue \(some u1\) is not of type uint"),
        (BufferType(2), b"abc", "has 3 bytes"),
        (OptionalType(UINT), SomeValue(NoneValue()), "is not of type uint"),
        (ResponseType(BOOL, UINT), True, "given as OkValue"),
        (ResponseType(BOOL, UINT), OkValue(UIntValue(1)), "is not of type bool"),
        (TraitType(), ADDRESS, "is not a contract"),
        (UINT, 10**5000, "<int> is out of range for uint"),
        (UINT, AsciiValue("a" * 10**6), r"AsciiValue \"a{100,250}… \(1000002 characters\) is not of type uint"),
        (AsciiType(5), "a" * 10**6, r"a{100,250}… \(1000002 characters\) has 1000000 characters"),
        (AsciiType(5), "é" * 10**6, r"é{100,250}… \(1000002 characters\) is not a string-ascii"),
        (UINT, nested(10_000), "<SomeValue> is not of type uint"),
    ],
    ids=lambda case: shown(case, str)[:40],
)
def test_errors_name_the_path_of_the_invalid_value(kind: ClarityType, value: Any, message: str) -> None:
    with pytest.raises(EncodeError, match=message) as refused:
        kind.from_python(value, "offers")
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ListType, (3, UINT), "the item of ListType is a Clarity type such as UINT .*, got 3"),
        (ListType, (UINT, None), "the length of ListType: expected a whole number"),
        (AsciiType, ("x",), "the length of AsciiType: expected a whole number, got str 'x'"),
        (Utf8Type, (True,), "the length of Utf8Type: expected a whole number"),
        (BufferType, (-1,), "-1 is out of range for the length of BufferType: 0 to 1048576"),
        (OptionalType, (5,), "the item of OptionalType is a Clarity type"),
        (ResponseType, (UINT, 5), "error of ResponseType is a Clarity type"),
        (TupleType, ({"a": 5},), "field 'a' of TupleType is a Clarity type"),
        (TupleType, ({"1": UINT},), "'1' is not a Clarity name"),
        (TupleType, ({},), "takes at least one type"),
        (TupleType, ([UINT],), "TupleType takes at least one type by name"),
        (type_of, (5,), "type_of takes a Clarity value such as UIntValue\\(1\\), not int 5"),
    ],
)
def test_a_type_is_checked_when_it_is_made(
    kind: Callable[..., object], arguments: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(EncodeError, match=message):
        kind(*arguments)


def test_a_type_is_shown_as_clarity_text() -> None:
    assert repr([UINT, ListType(AsciiType(5), 3)]) == "[uint, (list 3 (string-ascii 5))]"
    assert repr(OFFER) == str(OFFER)


def test_a_tuple_value_is_read_like_a_mapping() -> None:
    offer = TupleValue({"price": UIntValue(83), "id": UIntValue(4)})
    assert "price" in offer
    assert "prise" not in offer
    assert list(offer) == list(offer.keys()) == ["id", "price"]
    assert len(offer) == 2
    assert dict(offer) == dict(offer.items()) == {"id": UIntValue(4), "price": UIntValue(83)}
    with pytest.raises(KeyError, match="no field 'prise': there are id, price"):
        offer["prise"]
