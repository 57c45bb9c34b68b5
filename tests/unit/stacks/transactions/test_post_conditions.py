"""Post-conditions: their bytes and the values that they reject; whole transactions are in ``test_vectors``."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import find

from der_client.stacks import transactions
from der_client.stacks.clarity import PrincipalValue, SomeValue, UIntValue
from der_client.stacks.errors import AddressError, DecodeError, EncodeError, InvalidValueError
from der_client.stacks.transactions import (
    ORIGIN,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    PoxCode,
    PoxPostCondition,
    StakingPostCondition,
    StxPostCondition,
)
from der_client.stacks.transactions.post_conditions import PostCondition, read_post_condition
from tests.generators.transactions import POST_CONDITIONS

from .vectors import ORACLE, SENDER, post_condition

ASSET = f"{SENDER}.token::kwh"


def oracle_conditions() -> list[Any]:
    return [
        pytest.param(vector["inputs"]["postConditions"][0], vector["post_condition_hex"], id=vector["name"])
        for vector in ORACLE
        if "post_condition_hex" in vector
    ]


@pytest.mark.parametrize(("inputs", "wire"), oracle_conditions())
def test_bytes_match_the_oracle(inputs: dict[str, Any], wire: str) -> None:
    condition = post_condition(inputs)
    data = bytes.fromhex(wire)
    assert condition.encode() == data
    assert read_post_condition(data, 0) == (condition, len(data))
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            read_post_condition(data[:length], 0)


@pytest.mark.parametrize("kind", [StxPostCondition, StakingPostCondition])
@pytest.mark.parametrize("amount", [-1, 2**64, 1.5, "1", True])
def test_invalid_amounts_are_rejected(kind: Any, amount: Any) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        kind(ORIGIN, FungibleCode.EQUAL, amount)
    with pytest.raises(InvalidValueError, match="amount"):
        FtPostCondition(ORIGIN, ASSET, FungibleCode.EQUAL, amount)


def test_codes_must_be_members_of_their_enumeration() -> None:
    for code in (1, NonFungibleCode.SENT, "eq", None):
        with pytest.raises(InvalidValueError, match="code must be a member of FungibleCode"):
            StxPostCondition(ORIGIN, code, 1)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="code must be a member of NonFungibleCode"):
        NftPostCondition(ORIGIN, ASSET, UIntValue(1), FungibleCode.EQUAL)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="code must be a member of PoxCode"):
        PoxPostCondition(ORIGIN, 0x30)  # type: ignore[arg-type]


@pytest.mark.parametrize("principal", ["", "origin", f"{SENDER}.", SENDER[:-1], None, [SENDER], PrincipalValue(SENDER)])
def test_invalid_principals_are_rejected(principal: Any) -> None:
    with pytest.raises(AddressError):
        PoxPostCondition(principal, PoxCode.MAY_PERFORM)
    with pytest.raises(EncodeError, match="contract name"):
        PoxPostCondition(f"{SENDER}.{'a' * 41}", PoxCode.MAY_PERFORM)


@pytest.mark.parametrize(
    ("asset", "error", "reason"),
    [
        (f"{SENDER}.token", EncodeError, "expected ADDRESS.contract::token"),
        (f"{SENDER}::kwh", EncodeError, "names an account"),
        (f"{SENDER}.token::", EncodeError, "Clarity name"),
        (f"{SENDER}.token::1", EncodeError, "Clarity name"),
        (f"{SENDER[:-1]}.token::kwh", AddressError, "checksum"),
        (None, EncodeError, "asset must be str, got NoneType; write ADDRESS.contract::token"),
    ],
)
def test_invalid_assets_are_rejected(asset: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        FtPostCondition(ORIGIN, asset, FungibleCode.EQUAL, 1)
    with pytest.raises(error, match=reason):
        NftPostCondition(ORIGIN, asset, UIntValue(1), NonFungibleCode.SENT)


def test_addresses_are_spelt_canonically() -> None:
    assert FtPostCondition(SENDER.lower(), f"{SENDER.lower()}.token::kwh", FungibleCode.EQUAL, 1) == FtPostCondition(
        SENDER, ASSET, FungibleCode.EQUAL, 1
    )


def test_a_tokens_value_must_be_a_clarity_value_that_a_node_accepts() -> None:
    with pytest.raises(EncodeError, match="value must be a Clarity value"):
        NftPostCondition(ORIGIN, ASSET, 1, NonFungibleCode.SENT)  # type: ignore[arg-type]
    value: Any = UIntValue(1)
    for _ in range(16):
        value = SomeValue(value)
    with pytest.raises(EncodeError, match="deeper"):
        NftPostCondition(ORIGIN, ASSET, value, NonFungibleCode.SENT).encode()


@pytest.mark.parametrize(
    ("wire", "offset", "reason"),
    [
        ("05", 0, "not a valid type of post-condition"),
        ("0000", 1, "type of a post-condition's principal"),
        ("0004", 1, "type of a post-condition's principal"),
        ("000100", 2, "condition code of an amount"),
        ("000106", 2, "condition code of an amount"),
        ("000110", 2, "condition code of an amount"),
        ("040133", 2, "condition code of stacking"),
        ("000220" + "00" * 30, 2, "version"),
    ],
)
def test_invalid_bytes_are_rejected_at_their_offset(wire: str, offset: int, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as caught:
        read_post_condition(bytes.fromhex(wire), 0)
    assert caught.value.offset == offset


def test_origin_shows_its_name() -> None:
    assert "ORIGIN" in repr(StxPostCondition(ORIGIN, FungibleCode.EQUAL, 1))


@pytest.mark.parametrize("kind", get_args(PostCondition))
def test_every_kind_is_exported_generated_and_read(kind: type) -> None:
    drawn = find(POST_CONDITIONS, lambda condition: isinstance(condition, kind))
    assert getattr(transactions, kind.__name__) is kind
    assert read_post_condition(drawn.encode(), 0) == (drawn, len(drawn.encode()))
