"""How a contract's prints become events, and why some of them match no declared class."""

from __future__ import annotations

from typing import Annotated

import pytest

from der_client.stacks.clarity import AsciiType, ClarityValue, Utf8Value, decode, encode, parse
from der_client.stacks.contract import Event, UInt, UnknownEvent
from der_client.stacks.contract.events import read_event, require_known
from der_client.stacks.errors import DecodeError, EncodeError, UnknownEventError

Word = Annotated[str, AsciiType(20)]


class Paid(Event, topic="paid"):
    amount: UInt


class PaidNow(Event, where={"event": "paid"}):
    amount: UInt


class PaidLater(Event, where={"notification": "paid", "payload-version": 2, "urgent": False}):
    amount: UInt


class Bare(Event):
    left: UInt
    right: UInt


class Counted(Event, whole=True):
    count: UInt


class Anything(Event, whole=True):
    value: ClarityValue


class Versioned(Event, version=1):
    """Base class of events with a version."""


class Moved(Versioned, topic="moved"):
    to: Word


ALL = (Paid, PaidNow, PaidLater, Bare, Counted, Moved)

FITS = [
    ('{topic: "paid", amount: u1}', Paid(amount=1)),
    ('{event: "paid", amount: u2}', PaidNow(amount=2)),
    ('{notification: "paid", payload-version: u2, urgent: false, amount: u3}', PaidLater(amount=3)),
    ("{left: u4, right: u5}", Bare(left=4, right=5)),
    ("u6", Counted(count=6)),
    ('{topic: "moved", version: u1, to: "there"}', Moved(to="there")),
]


@pytest.mark.parametrize(("printed", "event"), FITS)
def test_a_print_becomes_an_event_of_the_matching_class(printed: str, event: Event) -> None:
    assert read_event(encode(parse(printed)), ALL) == event


MISFITS = [
    ('{topic: "paid", amount: "much"}', r'Paid\.amount: expected uint, got "much"'),
    ('{topic: "paid", amount: u1, fee: u2}', "Paid does not declare fee"),
    ('{topic: "paid"}', "Paid has amount, which is not printed"),
    ('{topic: "moved", version: u2, to: "there"}', r'no declared event has topic "moved" and version u2'),
    ('{topic: "sold", amount: u1}', 'no declared event has topic "sold"'),
    ("{left: u4, up: u5}", "no declared event has the keys left, up"),
    ("{left: u4, right: -5}", r"Bare\.right: expected uint, got -5"),
    ("true", "no declared event is printed as a value of this type"),
]


@pytest.mark.parametrize(("printed", "reason"), MISFITS)
def test_an_unknown_event_has_a_reason(printed: str, reason: str) -> None:
    event = read_event(encode(parse(printed)), ALL)
    assert isinstance(event, UnknownEvent)
    assert event.value == parse(printed)
    with pytest.raises(UnknownEventError, match=reason) as caught:
        require_known(event, "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.shop", "ab" * 32)
    assert caught.value.value == event.value
    assert caught.value.reason == event.reason
    assert caught.value.txid in str(caught.value)


def test_without_declarations_every_event_is_unknown() -> None:
    assert read_event(encode(parse("u1")), ()) == UnknownEvent(parse("u1"), "no event of this contract is declared")


def test_a_class_for_whole_values_accepts_any_print() -> None:
    event = read_event(encode(parse("(ok {a: u1})")), (Anything,))
    assert event == Anything(value=parse("(ok {a: u1})"))


def test_classes_with_one_topic_are_distinguished_by_fields_in_any_order() -> None:
    class Refunded(Event, topic="paid"):
        amount: UInt
        reason: Word

    class Rest(Event):
        topic_: Word

    order = (Bare, Counted, Paid, Refunded)
    printed = encode(parse('{topic: "paid", amount: u1, reason: "late"}'))
    assert read_event(printed, order) == Refunded(amount=1, reason="late")
    assert read_event(printed, order[::-1]) == Refunded(amount=1, reason="late")


def test_a_topic_inside_a_nested_tuple_does_not_count() -> None:
    hidden = encode(parse('{other: {topic: "paid"}, amount: u1}'))
    assert isinstance(read_event(hidden, ALL), UnknownEvent)


def test_a_fixed_value_may_be_any_clarity_value() -> None:
    class Written(Event, where={"kind": Utf8Value("é")}):
        amount: UInt

    assert read_event(encode(parse('{kind: u"\\u{e9}", amount: u1}')), (Written,)) == Written(amount=1)


def test_bytes_that_are_not_a_clarity_value_are_rejected() -> None:
    with pytest.raises(DecodeError):
        read_event(b"\xff", ALL)


def test_invalid_event_declarations_are_rejected() -> None:
    with pytest.raises(TypeError, match="amount is a field and has a fixed value"):

        class Twice(Event, where={"amount": 1}):
            amount: UInt

    with pytest.raises(TypeError, match="has one field and no fixed values"):

        class Two(Event, whole=True):
            left: UInt
            right: UInt

    with pytest.raises(TypeError, match=r"Wrong: kind: expected text, a number, a bool or a Clarity value, got 1\.5"):

        class Wrong(Event, where={"kind": 1.5}):
            pass

    with pytest.raises(EncodeError, match="not a Clarity name"):

        class Odd(Event, where={"not a name": 1}):
            pass


def test_an_encoded_event_equals_the_contracts_print() -> None:
    from der_client.stacks.contract.codecs import codec_for  # noqa: PLC0415

    event = Moved(to="there")
    assert decode(encode(codec_for(Moved).encode(event, "event"))) == parse(
        '{topic: "moved", version: u1, to: "there"}'
    )
