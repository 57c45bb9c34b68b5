"""Models decoded from the wire: every mixture of fixed and variable lengths, and errors with their offset."""

from __future__ import annotations

import inspect
import linecache
from enum import IntEnum
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    ClarityValue,
    IntValue,
    NoneValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    encode,
)
from der_client.stacks.clarity.generated import compile_generated
from der_client.stacks.contract.annotations import Day, Int, Principal, Timestamp, UInt
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.errors import DecodeError

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class State(IntEnum):
    OPEN = 1
    DONE = 2


class FixedOnly(Frozen):
    on: bool
    number: Int
    count: UInt


class UnknownFirst(Frozen):
    a_name: Principal
    b_count: UInt
    c_taker: Principal | None


class UnknownOnly(Frozen):
    taker: Principal | None
    owner: Principal


class Printed(Frozen):
    """A model like an event: two of its fields are constants."""

    clarity_constants: ClassVar[dict[str, ClarityValue]] = {"topic": AsciiValue("sold"), "version": UIntValue(1)}

    amount: UInt
    state: State
    who: Principal


class Nested(Frozen):
    inner: FixedOnly
    after: UInt


MODELS: list[tuple[Frozen, dict[str, ClarityValue]]] = [
    (
        FixedOnly(on=True, number=-5, count=7),
        {"on": BoolValue(True), "number": IntValue(-5), "count": UIntValue(7)},
    ),
    (
        UnknownFirst(a_name=ADDRESS, b_count=3, c_taker=None),
        {"a-name": PrincipalValue(ADDRESS), "b-count": UIntValue(3), "c-taker": NoneValue()},
    ),
    (
        UnknownOnly(taker=f"{ADDRESS}.market", owner=ADDRESS),
        {"taker": SomeValue(PrincipalValue(f"{ADDRESS}.market")), "owner": PrincipalValue(ADDRESS)},
    ),
    (
        Printed(amount=2**128 - 1, state=State.DONE, who=ADDRESS),
        {
            "amount": UIntValue(2**128 - 1),
            "state": UIntValue(2),
            "topic": AsciiValue("sold"),
            "version": UIntValue(1),
            "who": PrincipalValue(ADDRESS),
        },
    ),
    (
        Nested(inner=FixedOnly(on=False, number=0, count=0), after=1),
        {
            "inner": TupleValue({"on": BoolValue(False), "number": IntValue(0), "count": UIntValue(0)}),
            "after": UIntValue(1),
        },
    ),
]


@pytest.mark.parametrize(("model", "fields"), MODELS, ids=lambda item: type(item).__name__)
def test_every_mixture_of_lengths_is_decoded(model: Frozen, fields: dict[str, ClarityValue]) -> None:
    codec = codec_for(type(model))
    raw = encode(TupleValue(fields))
    assert codec.decode(raw) == model
    assert codec.read(b"before" + raw + b"after", 6) == (model, 6 + len(raw))


@pytest.mark.parametrize(("model", "fields"), MODELS, ids=lambda item: type(item).__name__)
def test_fields_keep_the_order_of_their_declaration(model: Frozen, fields: dict[str, ClarityValue]) -> None:
    decoded = codec_for(type(model)).decode(encode(TupleValue(fields)))
    assert list(decoded.model_dump()) == list(type(model).model_fields)
    assert repr(decoded) == repr(model)


@pytest.mark.parametrize(("model", "fields"), MODELS, ids=lambda item: type(item).__name__)
def test_truncated_and_longer_bytes_are_rejected(model: Frozen, fields: dict[str, ClarityValue]) -> None:
    codec = codec_for(type(model))
    raw = encode(TupleValue(fields))
    for length in range(len(raw)):
        with pytest.raises(DecodeError):
            codec.decode(raw[:length])
    with pytest.raises(DecodeError, match="1 byte follows"):
        codec.decode(raw + b"\0")


@given(st.sampled_from(MODELS), st.data())
def test_a_changed_byte_is_rejected_or_decoded_faithfully(
    entry: tuple[Frozen, dict[str, ClarityValue]], data: st.DataObject
) -> None:
    model, fields = entry
    codec = codec_for(type(model))
    raw = bytearray(encode(TupleValue(fields)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decoded = codec.decode(bytes(raw))
    except DecodeError:
        return
    assert encode(codec.encode(decoded, "it")) == raw


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"state": UIntValue(9)}, r"u9 is not a member of State \(at byte 35\)"),
        ({"amount": IntValue(1)}, r"expected uint, found 0x00 \(at byte 12\)"),
        ({"topic": AsciiValue("told")}, r"expected the field 'topic' of Printed \(at byte 52\)"),
        ({"who": UIntValue(1)}, "expected principal, found 0x01"),
        ({"whom": UIntValue(1)}, r"expected {.*who: principal.*}, found 0x0c \(at byte 0\)"),
    ],
)
def test_errors_name_the_fault_and_its_offset(fields: dict[str, ClarityValue], message: str) -> None:
    (right,) = [fields for model, fields in MODELS if isinstance(model, Printed)]
    with pytest.raises(DecodeError, match=message):
        codec_for(Printed).decode(encode(TupleValue(right | fields)))


@pytest.mark.parametrize(
    ("annotation", "number", "shown"),
    [
        (Day, 0, "1970-01-01"),
        (Day, 20_454, "2026-01-01"),
        (Day, 2**128 - 1, "9999-12-31"),
        (Timestamp, 0, "1970-01-01T00:00:00+00:00"),
        (Timestamp, 1_767_225_599, "2025-12-31T23:59:59+00:00"),
        (Timestamp, 2**128 - 1, "9999-12-31T23:59:59+00:00"),
    ],
)
def test_dates_and_times_are_decoded_and_clamped(annotation: Any, number: int, shown: str) -> None:
    assert codec_for(annotation).decode(encode(UIntValue(number))).isoformat() == shown


def test_generated_code_has_a_name_and_a_source() -> None:
    class Pair(BaseModel):
        model_config = ConfigDict(frozen=True, defer_build=True)
        left: UInt
        right: UInt

    read = codec_for(Pair).read
    assert read.__code__.co_filename.endswith("reader of Pair>")
    assert "unpack_from" not in (source := inspect.getsource(read))
    assert source.startswith("def read(data, offset):")


def test_the_number_of_kept_sources_of_generated_code_is_limited() -> None:
    before = len(linecache.cache)
    for number in range(5000):
        compile_generated("1", f"number {number}", "eval")
    assert len(linecache.cache) <= before + 4096
    linecache.checkcache()
    assert any(name.endswith("number 4999>") for name in linecache.cache)


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**127 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_on_both_sides_of_64_bits_are_decoded(number: int, sign: int) -> None:
    model = FixedOnly(on=True, number=sign * number, count=number)
    fields = {"on": BoolValue(True), "number": IntValue(sign * number), "count": UIntValue(number)}
    assert codec_for(FixedOnly).decode(encode(TupleValue(fields))) == model


def test_an_invalid_contract_name_is_rejected_every_time() -> None:
    fields = {"owner": PrincipalValue(ADDRESS), "taker": SomeValue(PrincipalValue(f"{ADDRESS}.a"))}
    raw = encode(TupleValue(fields))
    for wrong in (raw[:-1] + b"?", raw[:-2] + b"\x00", raw[:-1]):
        errors = []
        for _ in range(2):
            with pytest.raises(DecodeError) as caught:
                codec_for(UnknownOnly).decode(wrong)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]
