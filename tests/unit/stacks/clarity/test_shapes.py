"""Values of a frequent shape are decoded in one step, with the same result as step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    ClarityValue,
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
    shapes,
)
from der_client.stacks.clarity.decoding import LEAF_FORMATS
from der_client.stacks.clarity.shapes import Shapes
from der_client.stacks.errors import DecodeError
from tests.generators.clarity import VALUES

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


def outcome(data: bytes) -> ClarityValue | tuple[str, int]:
    try:
        return decode(data)
    except DecodeError as error:
        return str(error), error.offset


def fresh() -> Shapes[ClarityValue]:
    return Shapes(LEAF_FORMATS)


def step_by_step(data: bytes) -> ClarityValue | tuple[str, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_SHAPES", fresh())
        return outcome(data)


def event(number: int, maker: str, **more: ClarityValue) -> TupleValue:
    fields = {"maker": PrincipalValue(maker), "offer-id": UIntValue(number), "open": BoolValue(number % 2 == 0)}
    return TupleValue(fields | more)


@given(VALUES)
def test_repeated_decoding_returns_the_same_value(value: ClarityValue) -> None:
    data = encode(value)
    for _ in range(shapes._OFTEN + 2):
        again = decode(data)
        assert again == value
        assert encode(again) == data


@given(VALUES.filter(lambda value: isinstance(value, TupleValue)), st.data())
def test_damaged_values_have_the_same_outcome_as_step_by_step(value: ClarityValue, data: st.DataObject) -> None:
    whole = encode(value)
    for _ in range(shapes._OFTEN):
        decode(whole)
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    assert outcome(bytes(damaged)) == step_by_step(bytes(damaged))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        SomeValue,
        lambda value: OkValue(SomeValue(value)),
        lambda value: TupleValue({"a": UIntValue(5), "inner": value, "taker": SomeValue(UIntValue(6))}),
    ],
)
def test_frequent_shapes_are_decoded_in_one_step(wrap: type[SomeValue], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_SHAPES", fresh())
    values = [wrap(event(number, ADDRESS, taker=NoneValue(), text=Utf8Value("ü"))) for number in range(8)]
    for _ in range(shapes._OFTEN):
        decode(encode(values[0]))
    monkeypatch.setattr(decoding, "read_value", None)
    assert [decode(encode(value)) for value in values] == values


@pytest.mark.parametrize(
    ("found", "put", "message"),
    [
        ("05" + "1a", "05" + "20", "32 is not an address version"),
        ("0d" + "00000002" + "4f4b", "0d" + "00000002" + "4fff", "0xff is not allowed in a string-ascii"),
        ("0e" + "00000002" + "c3bc", "0e" + "00000002" + "c3ff", "no UTF-8"),
        ("03", "0f", "is not a Clarity type"),
    ],
)
def test_invalid_leaves_in_a_known_shape_are_rejected(found: str, put: str, message: str) -> None:
    value = event(2, ADDRESS, region=AsciiValue("OK"), text=Utf8Value("ü"))
    data = encode(value)
    for _ in range(shapes._OFTEN + 1):
        assert decode(data) == value
    broken = data.replace(bytes.fromhex(found), bytes.fromhex(put))
    assert broken != data
    with pytest.raises(DecodeError, match=message):
        decode(broken)


def test_lists_are_decoded_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_SHAPES", known := fresh())
    value = TupleValue({"ids": ListValue([UIntValue(1), UIntValue(2)])})
    for _ in range(3 * shapes._OFTEN):
        assert decode(encode(value)) == value
    assert not any(known._readers.values())


@pytest.mark.parametrize(
    "data",
    [
        "050c00000001" + "24" * 16,  # an account whose version and hash look like the start of a tuple
        "060c00000001" + "24" * 16 + "0161",
        "0200000024" + "0c" * 36,
        "0a050c00000001" + "24" * 16,
        "0b00000001" + "0c00000001" + "0161" + "03",
    ],
)
def test_bytes_that_only_look_like_a_tuple_decode_as_step_by_step(data: str) -> None:
    raw = bytes.fromhex(data)
    assert {outcome(raw) for _ in range(3 * shapes._OFTEN)} == {step_by_step(raw)}


def test_the_number_of_known_shapes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_SHAPES", known := fresh())
    for number in range(shapes._MAX_KINDS + 100):
        decode(encode(TupleValue({f"name-{number}": UIntValue(number)})))
    assert len(known._seen) <= shapes._MAX_KINDS
    assert not known._readers  # no shape was seen often enough
    for size in range(1, 10):  # one kind: same length, same first bytes
        value = TupleValue({"a": Utf8Value("x" * size), "b": Utf8Value("x" * (10 - size))})
        for _ in range(3 * shapes._OFTEN):
            assert decode(encode(value)) == value
    assert max(map(len, known._readers.values())) == shapes._MAX_SHAPES_OF_A_KIND
    held = len(known._seen)
    for number in range(shapes._MAX_KINDS - held):
        decode(encode(TupleValue({f"another-{number}": UIntValue(number)})))
    decode(encode(TupleValue({"another-0": UIntValue(0)})))  # a known kind: nothing is evicted, though full
    assert known._readers
    decode(encode(TupleValue({"one-more": UIntValue(0)})))
    assert not known._readers
