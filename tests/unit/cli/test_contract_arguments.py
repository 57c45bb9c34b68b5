"""Arguments and post-conditions on the command line: text is parsed as a value of the declared type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.cli.contract_arguments import read_argument
from der_client.cli.post_conditions import condition_text, read_post_condition
from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    OptionalType,
    ResponseType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.transactions import (
    ORIGIN,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    StxPostCondition,
)

ALICE = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
NAMES = {"alice": ALICE, "market": f"{ALICE}.market-participation"}
NOTE = TupleType({"to": OptionalType(PRINCIPAL), "amount": UINT, "text": Utf8Type(20)})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (UINT, "5", "u5"),
        (UINT, "u5", "u5"),
        (INT, "-5", "-5"),
        (INT, " -5", "-5"),
        (BOOL, "true", "true"),
        (BufferType(4), "0x00fF", "0x00ff"),
        (AsciiType(20), "two words", '"two words"'),
        (AsciiType(20), '"quoted"', '"quoted"'),
        (AsciiType(20), "true", '"true"'),
        (AsciiType(20), "", '""'),
        (Utf8Type(20), "grün", 'u"gr\\u{c3bc}n"'),
        (Utf8Type(20), 'u"grün"', 'u"gr\\u{c3bc}n"'),
        (PRINCIPAL, ALICE, ALICE),
        (PRINCIPAL, f"'{ALICE}.x", f"{ALICE}.x"),
        (PRINCIPAL, "alice", ALICE),
        (PRINCIPAL, "market", f"{ALICE}.market-participation"),
        (OptionalType(UINT), "none", "none"),
        (OptionalType(UINT), "5", "(some u5)"),
        (OptionalType(UINT), "(some 5)", "(some u5)"),
        (OptionalType(AsciiType(9)), "none", "none"),
        (OptionalType(AsciiType(9)), "text", '(some "text")'),
        (OptionalType(PRINCIPAL), "alice", f"(some {ALICE})"),
        (ListType(UINT, 3), "(list 1 2)", "(u1 u2)"),
        (ListType(UINT, 3), "(list)", "()"),
        (ListType(OptionalType(UINT), 3), "(list (some 1) none)", "((some u1) none)"),
        (NOTE, '{to: none, amount: 5, text: "x"}', '(tuple (amount u5) (text u"x") (to none))'),
        (ResponseType(UINT, UINT), "(ok 5)", "(ok u5)"),
    ],
)
def test_text_is_parsed_as_the_declared_type(kind: ClarityType, text: str, value: str) -> None:
    read = read_argument(text, kind, "x", NAMES.get)
    kind.check(read)
    assert str(read) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (UINT, "-5", "x: expected uint, got '-5'"),
        (UINT, "five", "x: expected uint, got 'five'"),
        (UINT, "5.0", "x: expected uint, got '5.0'"),
        (UINT, str(2**128), "x: expected uint"),
        (BOOL, "1", "x: expected bool, got '1'"),
        (BufferType(1), "0xffff", r"x: expected \(buff 1\), got '0xffff'"),
        (PRINCIPAL, "bob", "x: expected principal, got 'bob'"),
        (PRINCIPAL, ALICE[:-1] + "0", "x: expected principal"),
        (ListType(UINT, 1), "(list 1 2)", "has 2 items"),
        (NOTE, "{to: none, amount: 5}", "lacks text"),
        (AsciiType(3), "four", "x"),
    ],
)
def test_invalid_arguments_are_rejected(kind: ClarityType, text: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        read_argument(text, kind, "x", NAMES.get)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    for kind in (
        UINT,
        INT,
        BOOL,
        PRINCIPAL,
        BufferType(4),
        AsciiType(5),
        Utf8Type(5),
        OptionalType(NOTE),
        ListType(INT, 2),
    ):
        try:
            kind.check(read_argument(text, kind, "x", NAMES.get))
        except InvalidValueError:
            continue


class TestPostConditions:
    def address(self, text: str) -> str:
        return NAMES.get(text, text)

    def test_stx_conditions_are_parsed(self) -> None:
        read = read_post_condition("me <= 1.5STX", self.address)
        assert read == StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, 1_500_000)
        assert read_post_condition("alice>200uSTX", self.address) == StxPostCondition(ALICE, FungibleCode.GREATER, 200)
        assert read_post_condition("me == 0STX", self.address) == StxPostCondition(ORIGIN, FungibleCode.EQUAL, 0)

    def test_token_conditions_are_parsed(self) -> None:
        read = read_post_condition(f"alice >= 1_000 {ALICE}.gold::gold", self.address)
        assert read == FtPostCondition(ALICE, f"{ALICE}.gold::gold", FungibleCode.GREATER_EQUAL, 1000)
        item = read_post_condition(f"me keeps {ALICE}.art::art u7", self.address)
        assert isinstance(item, NftPostCondition)
        assert (str(item.value), item.code) == ("u7", NonFungibleCode.NOT_SENT)
        sent = read_post_condition(f"me sends {ALICE}.art::art u7", self.address)
        assert isinstance(sent, NftPostCondition)
        assert sent.code is NonFungibleCode.SENT

    @pytest.mark.parametrize(
        "text",
        [
            "me <= 1.5STX",
            "me < 1STX",
            f"{ALICE} == 100 {ALICE}.gold::gold",
            f"me sends {ALICE}.art::art u7",
            f"me keeps {ALICE}.art::art u7",
        ],
    )
    def test_formatted_conditions_are_parsed_back(self, text: str) -> None:
        read = read_post_condition(text, self.address)
        written = condition_text(read, str)
        assert read_post_condition(written, self.address) == read

    @pytest.mark.parametrize("text", ["", "me", "me <= 5", "me <= 5kWh", "me => 5STX", "me <= -5STX", "me sends x u7"])
    def test_invalid_conditions_are_rejected(self, text: str) -> None:
        with pytest.raises(InvalidValueError):
            read_post_condition(text, self.address)


def test_a_day_where_a_number_is_expected() -> None:
    with pytest.raises(InvalidValueError, match="counted from 1970-01-01: 2026-06-07 is 20611"):
        read_argument("2026-06-07", UINT, "day", lambda _: None)
