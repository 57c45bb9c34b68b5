"""Codecs convert typed Python to Clarity and back, by annotation."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from der_client.stacks.clarity import (
    UINT,
    AsciiType,
    AsciiValue,
    BoolValue,
    BufferType,
    ClarityValue,
    ErrValue,
    ListValue,
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
    decode,
    encode,
)
from der_client.stacks.contract.annotations import (
    ClarityName,
    Day,
    Int,
    MaxLength,
    Principal,
    Response,
    Timestamp,
    Trait,
    UInt,
)
from der_client.stacks.contract.codecs import codec_for, compile_signature
from der_client.stacks.contract.models import Model
from der_client.stacks.errors import DecodeError, EncodeError

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


class State(IntEnum):
    OPEN = 1
    DONE = 2


class Offer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    offer_id: UInt
    price_ustx_per_kwh: Annotated[UInt, ClarityName("price")]
    owner: Principal
    taker: Principal | None
    day: Day
    expires_at: Timestamp
    state: State
    note: Annotated[str, Utf8Type(20)]
    key: Annotated[bytes, BufferType(4)] | None
    fills: Annotated[tuple[UInt, ...], MaxLength(3)]


OFFERS = st.builds(
    Offer,
    offer_id=st.integers(0, 2**128 - 1),
    price_ustx_per_kwh=st.integers(0, 2**128 - 1),
    owner=st.just(ADDRESS),
    taker=st.none() | st.just(f"{ADDRESS}.market"),
    day=st.dates(min_value=date(1970, 1, 1)),
    expires_at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis
        lambda moment: moment.replace(microsecond=0)
    ),
    state=st.sampled_from(State),
    note=st.text(max_size=20),
    key=st.none() | st.binary(max_size=4),
    fills=st.lists(st.integers(0, 9), max_size=3).map(tuple),
)


@given(OFFERS)
def test_models_survive_the_round_trip(offer: Offer) -> None:
    codec = codec_for(Offer)
    value = codec.encode(offer, "offer")
    codec.type.check(value)
    assert codec.decode(encode(value)) == offer


@given(OFFERS, st.data())
def test_damaged_models_raise_a_decode_error_or_encode_to_the_same_bytes(offer: Offer, data: st.DataObject) -> None:
    codec = codec_for(Offer)
    damaged = bytearray(encode(codec.encode(offer, "offer")))
    cut = data.draw(st.integers(0, len(damaged)))
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] ^= data.draw(st.integers(1, 255))
    for candidate in (bytes(damaged), bytes(damaged[:cut])):
        try:
            decoded = codec.decode(candidate)
        except DecodeError:
            continue
        # Times beyond Python's range are clamped, so only these do not encode to the same bytes.
        if decoded.day != date.max and decoded.expires_at.year < 9999:
            assert encode(codec.encode(decoded, "offer")) == candidate


def test_decoded_models_behave_like_validated_ones() -> None:
    class Point(BaseModel):
        model_config = ConfigDict(frozen=True, defer_build=True)
        x: UInt
        y: bool

    decoded = codec_for(Point).decode(encode(TupleValue({"x": UIntValue(1), "y": BoolValue(True)})))
    assert decoded == Point(x=1, y=True)
    assert decoded.model_dump() == {"x": 1, "y": True}
    assert decoded.model_copy(update={"x": 2}).x == 2
    assert hash(decoded) == hash(Point(x=1, y=True))


@pytest.mark.parametrize(
    ("annotation", "python", "value"),
    [
        (bool, True, BoolValue(True)),
        (UInt | None, 5, SomeValue(UIntValue(5))),
        (Annotated[tuple[bool, ...], MaxLength(2)], (True,), ListValue([BoolValue(True)])),
        (Response[bool], Response(True, None), OkValue(BoolValue(True))),
        (Response[bool], Response(None, 5), ErrValue(UIntValue(5))),
    ],
)
def test_annotations_map_to_clarity_types(annotation: Any, python: Any, value: ClarityValue) -> None:
    codec = codec_for(annotation)
    assert codec.encode(python, "x") == value
    assert codec.decode(encode(value)) == python


DOUBLE = OptionalType(OptionalType(UINT))
RESULT = ResponseType(UINT, AsciiType(3))


@pytest.mark.parametrize(
    ("annotation", "text", "values"),
    [
        (
            Annotated[ClarityValue, DOUBLE],
            "(optional (optional uint))",
            [NoneValue(), SomeValue(NoneValue()), SomeValue(SomeValue(UIntValue(1)))],
        ),
        (
            Annotated[OkValue | ErrValue, RESULT],
            "(response uint (string-ascii 3))",
            [OkValue(UIntValue(1)), ErrValue(AsciiValue("bad"))],
        ),
        (
            Annotated[tuple[Annotated[ClarityValue, RESULT], ...], MaxLength(2)],
            "(list 2 (response uint (string-ascii 3)))",
            [(OkValue(UIntValue(1)), ErrValue(AsciiValue("bad"))), ()],
        ),
        (Annotated[UIntValue, UINT], "uint", [UIntValue(1)]),
        (Annotated[ClarityValue, OptionalType(UINT)] | None, str(DOUBLE), [None, NoneValue(), SomeValue(UIntValue(1))]),
    ],
)
def test_any_clarity_type_can_be_annotated_as_clarity_values(annotation: Any, text: str, values: list[Any]) -> None:
    codec = codec_for(annotation)
    assert str(codec.type) == text
    for value in values:
        encoded = codec.encode(value, "x")
        codec.type.check(encoded)
        assert codec.decode(encode(encoded)) == value


@pytest.mark.parametrize("value", [UIntValue(1), SomeValue(UIntValue(1)), SomeValue(SomeValue(BoolValue(True)))])
def test_clarity_values_of_another_type_are_rejected(value: ClarityValue) -> None:
    codec = codec_for(Annotated[ClarityValue, DOUBLE])
    with pytest.raises(EncodeError, match=r"x: .* is not of type"):
        codec.encode(value, "x")
    with pytest.raises(DecodeError, match=r"is not of type .* byte 0"):
        codec.decode(encode(value))
    with pytest.raises(EncodeError, match=r"x takes a Clarity value of type \(optional \(optional uint\)\), not int 5"):
        codec.encode(5, "x")


def test_models_may_contain_clarity_values() -> None:
    class Row(BaseModel):
        model_config = ConfigDict(frozen=True, defer_build=True, arbitrary_types_allowed=True)
        limit: Annotated[Annotated[ClarityValue, DOUBLE], ClarityName("limit?")]

    row = Row(limit=SomeValue(NoneValue()))
    codec = codec_for(Row)
    assert str(codec.type) == "{limit?: (optional (optional uint))}"
    assert codec.decode(encode(codec.encode(row, "row"))) == row


def test_a_trait_is_the_principal_of_a_contract() -> None:
    codec = codec_for(Trait)
    contract = f"{ADDRESS}.token"
    assert str(codec.type) == "trait_reference"
    assert codec.encode(contract, "x") == PrincipalValue(contract)
    assert codec.decode(encode(PrincipalValue(contract))) == contract
    assert str(codec_for(Trait | None).type) == "(optional trait_reference)"
    with pytest.raises(EncodeError, match=r"x: .* is not a contract; a trait takes the principal of one, ADDRESS"):
        codec.encode(ADDRESS, "x")
    with pytest.raises(DecodeError, match="expected a contract that implements a trait, found 0x05"):
        codec.decode(encode(PrincipalValue(ADDRESS)))


@pytest.mark.parametrize("name", ["two words", "", "1st", "a" * 129])
def test_invalid_clarity_names_are_rejected(name: str) -> None:
    with pytest.raises(EncodeError, match="not a Clarity name"):
        ClarityName(name)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Timestamp, datetime(2026, 1, 1), "has no time zone"),  # noqa: DTZ001 - the point of the test
        (Timestamp, datetime(2026, 1, 1, microsecond=5, tzinfo=UTC), "not on a whole second"),
        (Timestamp, 5, "given as a datetime"),
        (Timestamp, datetime(1969, 1, 1, tzinfo=UTC), "before 1970"),
        (Day, datetime(2026, 1, 1, tzinfo=UTC), "given as a datetime.date"),
        (Day, 20000, "given as a datetime.date"),
        (State, 1, "takes one of State.OPEN, State.DONE, not 1"),
        (Annotated[tuple[UInt, ...], MaxLength(2)], [1, 2, 3], "has 3 items.*at most 2: split it"),
        (Annotated[tuple[UInt, ...], MaxLength(2)], "ab", "takes a list or tuple"),
        (Annotated[tuple[UInt, ...], MaxLength(2)], [1, -2], r"x\[1\]: -2 is out of range"),
        (Annotated[str, AsciiType(3)], "long", "4 characters"),
        (Offer, {"offer_id": 1}, "takes a Offer, not dict"),
        (Int, None, "expected a whole number"),
    ],
)
def test_python_values_that_do_not_fit_are_rejected(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        codec_for(annotation).encode(value, "x")


def test_one_moment_encodes_alike_in_every_time_zone() -> None:
    codec = codec_for(Timestamp)
    denver = timezone(timedelta(hours=-7))
    assert codec.encode(datetime(2026, 1, 1, 0, tzinfo=denver), "x") == codec.encode(
        datetime(2026, 1, 1, 7, tzinfo=UTC), "x"
    )


def test_times_beyond_pythons_range_are_clamped() -> None:
    """A single hostile value must not make a whole list unreadable."""
    assert codec_for(Timestamp).decode(encode(UIntValue(2**128 - 1))).year == 9999
    assert codec_for(Day).decode(encode(UIntValue(2**128 - 1))) == date.max


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (UInt, BoolValue(True), "expected uint, found 0x03"),
        (bool, UIntValue(1), "expected bool, found 0x01"),
        (State, UIntValue(9), "u9 is not a member of State"),
        (Annotated[bytes, BufferType(1)], UIntValue(1), r"expected \(buff 1\)"),
        (Annotated[tuple[UInt, ...], MaxLength(1)], ListValue([UIntValue(1)] * 2), "too long"),
        (Offer, TupleValue({"a": UIntValue(1)}), "expected {"),
        (None, UIntValue(1), "expected none"),
    ],
)
def test_results_of_another_type_are_rejected(annotation: Any, value: ClarityValue, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        codec_for(annotation).decode(encode(value))


def test_annotations_without_a_clarity_type_are_rejected() -> None:
    for annotation, instead in (
        (int, "int is not a Clarity type: write UInt or Int"),
        (str, r"write Principal, Annotated\[str, AsciiType"),
        (bytes, r"write Annotated\[bytes, BufferType"),
        (dict[str, int], "dict is not a Clarity type: a tuple is a class that derives from Model"),
        (float, "whole numbers only"),
        (list[UInt], r"list is not a Clarity type: .*Annotated\[tuple\[X, ...\], MaxLength"),
        (Sequence[UInt], r"Sequence is not a Clarity type: .*MaxLength"),
        (tuple[UInt, bool], "a tuple of Clarity is a class that derives from Model"),
        (UInt | bool, r"Union is not a Clarity type: .*Annotated\[ClarityValue, its type\]"),
        (ClarityValue, r"ClarityValue is not a Clarity type: .*Annotated\[ClarityValue, its type\]"),
    ):
        with pytest.raises(TypeError, match=instead):
            codec_for(annotation)
    for kind in (DOUBLE, RESULT, TupleType({"a": UINT})):
        with pytest.raises(TypeError, match=r"made of those for its parts.*or it is Annotated\[ClarityValue"):
            codec_for(Annotated[int, kind])


def test_a_maximum_length_on_text_is_rejected_with_a_hint() -> None:
    with pytest.raises(TypeError, match=r"MaxLength\(20\) is for lists, got <class 'str'>: .*AsciiType"):
        codec_for(Annotated[str, MaxLength(20)])


def test_signatures_are_compiled_from_annotations() -> None:
    def create(
        self: object,
        asset_id: UInt,
        price_ustx: Annotated[UInt, ClarityName("price")],
        whs: Annotated[Sequence[UInt], MaxLength(96)],
        taker: Principal | None = None,
    ) -> bool:
        raise NotImplementedError

    signature = compile_signature(create)
    assert [(name, str(codec.type)) for name, _, codec in signature.parameters] == [
        ("asset-id", "uint"),
        ("price", "uint"),
        ("whs", "(list 96 uint)"),
        ("taker", "(optional principal)"),
    ]
    assert str(signature.result.type) == "bool"


def test_parameters_without_annotations_are_rejected() -> None:
    def create(self: object, asset_id) -> bool:  # type: ignore[no-untyped-def]
        raise NotImplementedError

    with pytest.raises(TypeError, match="lacks annotations for asset_id"):
        compile_signature(create)


def test_an_invalid_annotation_is_reported_with_its_declaration() -> None:
    class Pair(Model):
        left: UInt
        right: int

    def give(self: object, amount: int) -> bool:
        raise NotImplementedError

    def total(self: object) -> Annotated[tuple[Pair, ...], MaxLength(3)]:
        raise NotImplementedError

    with pytest.raises(TypeError, match="give, amount: int is not a Clarity type: write UInt or Int"):
        compile_signature(give)
    with pytest.raises(TypeError, match=r"total, its result: Pair\.right: int is not a Clarity type"):
        compile_signature(total, {"Pair": Pair})


OFFER = Offer(
    offer_id=1,
    price_ustx_per_kwh=83_333,
    owner=ADDRESS,
    taker=None,
    day=date(2026, 1, 2),
    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    state=State.OPEN,
    note="ü",
    key=b"key!",
    fills=(1, 2),
)


def test_changing_a_copy_of_a_model_does_not_change_others() -> None:
    codec = codec_for(Offer)
    first, second = (codec.decode(encode(codec.encode(OFFER, "offer"))) for _ in range(2))
    changed = first.model_copy(update={"owner": "somebody", "more": 1})
    assert "more" in changed.model_fields_set
    assert first.model_fields_set == second.model_fields_set == set(Offer.model_fields)
    assert pickle.loads(pickle.dumps(first)) == copy.deepcopy(first) == first == second == OFFER  # noqa: S301 - our own


@pytest.mark.parametrize("owner", [ADDRESS, f"{ADDRESS}.vault"])
def test_typed_and_untyped_decoding_agree_on_principals(owner: str) -> None:
    codec = codec_for(Offer)
    offer = OFFER.model_copy(update={"owner": owner})
    data = encode(codec.encode(offer, "offer"))
    assert codec.decode(data) == offer
    for place, byte in enumerate(data):
        damaged = data[:place] + bytes((byte ^ 0x80,)) + data[place + 1 :]
        try:
            decoded = codec.decode(damaged)
        except DecodeError:
            continue
        untyped = decode(damaged)
        assert isinstance(untyped, TupleValue)
        assert decoded.owner == untyped["owner"].value
        assert decoded.offer_id == untyped["offer-id"].value
