"""Payloads: their contents, and the values that they reject."""

from __future__ import annotations

from typing import Any

import pytest

from der_client.stacks.clarity import (
    ClarityValue,
    IntValue,
    ListValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
)
from der_client.stacks.errors import AddressError, DecodeError, EncodeError, InvalidValueError
from der_client.stacks.transactions import (
    Coinbase,
    ContractCall,
    ContractPublish,
    MicroblockHeader,
    PoisonMicroblock,
    TenureChange,
    TenureChangeCause,
    TokenTransfer,
)
from der_client.stacks.transactions.payload_types import read_payload

from .vectors import RECIPIENT, SENDER

TO = PrincipalValue(RECIPIENT)


def test_a_memo_is_padded_with_zeros() -> None:
    payload = TokenTransfer(TO, 1, b"bill 7")
    assert payload.encode().endswith(b"bill 7" + bytes(28))
    assert TokenTransfer(TO, 1, b"bill 7\0\0") == payload
    assert TokenTransfer(TO, 1, b"\0a").memo == b"\0a"
    assert read_payload(payload.encode(), 0) == (payload, len(payload.encode()))


@pytest.mark.parametrize("memo", [b"a" * 35, bytes(35)])
def test_a_memo_has_34_bytes_at_most(memo: bytes) -> None:
    with pytest.raises(EncodeError, match="memo must be at most 34 bytes, got 35"):
        TokenTransfer(TO, 1, memo)


@pytest.mark.parametrize("memo", ["text", None, bytearray(b"x"), "a" * 40])
def test_a_memo_must_be_bytes(memo: Any) -> None:
    with pytest.raises(EncodeError, match=rf"memo must be bytes, got {type(memo).__name__}; .*encode"):
        TokenTransfer(TO, 1, memo)


@pytest.mark.parametrize("amount", [-1, 2**64, 1.0, "1", True, None])
def test_amounts_must_be_whole_numbers_of_64_bits(amount: Any) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        TokenTransfer(TO, amount)


def test_a_recipient_must_be_a_principal() -> None:
    for bad in (RECIPIENT, UIntValue(1), None):
        with pytest.raises(EncodeError, match="recipient must be a PrincipalValue"):
            TokenTransfer(bad, 1)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match="contract name"):
        TokenTransfer(PrincipalValue(f"{RECIPIENT}.{'a' * 41}"), 1)
    assert TokenTransfer(PrincipalValue(f"{RECIPIENT}.{'a' * 40}"), 1).encode()[0] == 0


def test_a_contracts_address_is_spelt_canonically() -> None:
    assert ContractCall(f"{SENDER.lower()}.market", "set") == ContractCall(f"{SENDER}.market", "set")


@pytest.mark.parametrize(
    ("contract", "function", "error", "reason"),
    [
        (SENDER, "set", EncodeError, "names an account"),
        (f"{SENDER}.", "set", AddressError, "contract name"),
        (f"{SENDER}.{'a' * 41}", "set", EncodeError, "contract name"),
        (f"{SENDER[:-1]}.market", "set", AddressError, "checksum"),
        (f"{SENDER}.market", "", EncodeError, "Clarity name"),
        (f"{SENDER}.market", "1st", EncodeError, "Clarity name"),
        (f"{SENDER}.market", "a" * 129, EncodeError, "Clarity name"),
        (f"{SENDER}.market", "set\n", EncodeError, "Clarity name"),
    ],
)
def test_invalid_names_are_rejected(contract: str, function: str, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        ContractCall(contract, function)


@pytest.mark.parametrize("arguments", [[UIntValue(1)], None, UIntValue(1)])
def test_arguments_must_be_a_tuple(arguments: Any) -> None:
    with pytest.raises(EncodeError, match="arguments must be a tuple"):
        ContractCall(f"{SENDER}.market", "set", arguments)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (5, r"int; write UIntValue\(…\) or IntValue"),
        (True, "bool; write BoolValue"),
        ("SECRET", "str; write PrincipalValue"),
        (b"SECRET", "bytes; write BufferValue"),
        (None, r"NoneType; write NoneValue\(\)"),
        ([UIntValue(1)], r"list; write ListValue\(\["),
        ({"a": UIntValue(1)}, r"dict; write TupleValue\(\{"),
        (1.5, "float; write one such as"),
    ],
)
def test_arguments_must_be_clarity_values(value: Any, instead: str) -> None:
    with pytest.raises(EncodeError, match=rf"arguments\[1\] must be a Clarity value, got {instead}") as caught:
        ContractCall(f"{SENDER}.market", "set", (UIntValue(1), value))
    assert "SECRET" not in str(caught.value)


def test_an_argument_that_cannot_be_encoded_is_named_in_the_error() -> None:
    mixed = ListValue([UIntValue(1), IntValue(1)])
    call = ContractCall(f"{SENDER}.market", "set", (UIntValue(1), UIntValue(2), mixed))
    with pytest.raises(EncodeError, match=r"^arguments\[2\]\[1\]: int follows uint"):
        call.encode()
    call = ContractCall(f"{SENDER}.market", "set", (TupleValue({"a": mixed}),))
    with pytest.raises(EncodeError, match=r"^arguments\[0\]\.a\[1\]: int follows uint"):
        call.encode()
    deep: ClarityValue = UIntValue(1)
    for _ in range(40):
        deep = SomeValue(deep)
    call = ContractCall(f"{SENDER}.market", "set", (UIntValue(1), deep))
    with pytest.raises(EncodeError, match=r"^arguments\[1\]: values are nested deeper"):
        call.encode()


def test_names_must_be_text() -> None:
    contract = f"{SENDER}.market"
    cases: list[tuple[Any, str]] = [
        (([contract], "set"), "contract must be str, got list"),
        ((contract, ["set"]), "function must be str, got list"),
    ]
    for target, reason in cases:
        with pytest.raises(EncodeError, match=reason):
            ContractCall(*target)


@pytest.mark.parametrize("character", ["\r", "\x00", "\x7f", "é", "😀", "\x0b", "\ud800"])
def test_code_allows_only_printable_ascii_tabs_and_line_feeds(character: str) -> None:
    with pytest.raises(EncodeError, match="line 2 of plant"):
        ContractPublish("plant", f";; solar\n;; {character}\n")
    wire = b"\x01\x05plant\x00\x00\x00\x03ab" + character.encode(errors="surrogatepass")[:1]
    with pytest.raises(DecodeError, match="not allowed in code") as caught:
        read_payload(wire, 0)
    assert caught.value.offset == len(wire) - 1


def test_code_with_every_allowed_character_is_decoded() -> None:
    code = "".join(map(chr, range(0x20, 0x7F))) + "\t\n"
    payload = ContractPublish("plant", code)
    assert read_payload(payload.encode(), 0)[0] == payload


@pytest.mark.parametrize("name", ["", "1a", "a" * 41, "a.b", "é"])
def test_contract_names_are_checked(name: str) -> None:
    with pytest.raises(EncodeError, match="contract name"):
        ContractPublish(name, "")
    raw = name.encode()
    with pytest.raises(DecodeError, match="contract name"):
        read_payload(b"\x01" + bytes((len(raw),)) + raw + bytes(4), 0)


@pytest.mark.parametrize("version", [0, 7, -1, "1", True])
def test_clarity_versions_must_be_1_to_6(version: Any) -> None:
    with pytest.raises(InvalidValueError, match="clarity_version"):
        ContractPublish("a", "", version)


@pytest.mark.parametrize("version", [0, 7, 255])
def test_unknown_clarity_versions_are_not_decoded(version: int) -> None:
    with pytest.raises(DecodeError, match=f"{version} is not a Clarity version") as caught:
        read_payload(bytes((6, version)) + b"\x01a" + bytes(4), 0)
    assert caught.value.offset == 1


@pytest.mark.parametrize("tag", [b"\x07", b"\x09", b"\x00", b""])
def test_a_recipient_is_decoded_from_a_principal_only(tag: bytes) -> None:
    with pytest.raises(DecodeError, match="principal"):
        read_payload(b"\x00" + tag + bytes(70), 0) if tag else read_payload(b"\x00", 0)


def header(sequence: int, parent: bytes, root: bytes = bytes(32)) -> MicroblockHeader:
    return MicroblockHeader(0, sequence, parent, root, bytes(65))


def test_a_poison_microblock_must_prove_a_fork() -> None:
    one = header(1, bytes(32))
    for other in (header(1, b"\1" * 32), header(2, bytes(32)), header(1, bytes(32), b"\1" * 32)):
        payload = PoisonMicroblock(one, other)
        assert read_payload(payload.encode(), 0)[0] == payload
    for other, reason in ((one, "are the same"), (header(2, b"\1" * 32), "share neither")):
        with pytest.raises(EncodeError, match=reason):
            PoisonMicroblock(one, other)
        with pytest.raises(DecodeError, match=reason):
            read_payload(b"\x03" + one.encode() + other.encode(), 0)


def test_fields_of_miners_payloads_are_checked() -> None:
    with pytest.raises(EncodeError, match="content must be 32 bytes"):
        Coinbase(bytes(31))
    with pytest.raises(EncodeError, match="vrf_proof must be 80 bytes"):
        Coinbase(bytes(32), None, bytes(81))
    with pytest.raises(EncodeError, match="signature must be 65 bytes"):
        MicroblockHeader(0, 0, bytes(32), bytes(32), bytes(64))
    hashes = (bytes(20), bytes(20), bytes(20))
    with pytest.raises(InvalidValueError, match="cause"):
        TenureChange(*hashes, bytes(32), 0, 1, bytes(20))  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match="public_key_hash"):
        TenureChange(*hashes, bytes(32), 0, TenureChangeCause.EXTENDED, bytes(19))
    with pytest.raises(DecodeError, match="07 is not a valid cause of a tenure change"):
        read_payload(b"\x07" + bytes(60 + 32 + 4) + b"\x07" + bytes(20), 0)


def test_a_nakamoto_coinbases_recipient_must_be_an_optional() -> None:
    with pytest.raises(DecodeError, match="optional recipient"):
        read_payload(b"\x08" + bytes(32) + b"\x05" + bytes(120), 0)
