"""The decoder trusts no input: any bytes decode and encode to the same bytes, or raise DecodeError."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.stacks.clarity import AsciiValue, BoolValue, PrincipalValue, SomeValue, UIntValue
from der_client.stacks.errors import DecodeError
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    MAX_TRANSACTION_LENGTH,
    Coinbase,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    HashMode,
    Multisig,
    MultiSigCondition,
    Transaction,
    payloads,
)
from tests.generators.transactions import transactions

from .vectors import BUILDER, KEYS, ORACLE, REAL, SENDER

VALID = [bytes.fromhex(vector["raw_tx"]) for vector in ORACLE] + [
    bytes.fromhex(vector["raw_tx"][2:]) for vector in REAL[::3]
]
CALL = ContractCall(f"{SENDER}.market", "set", (UIntValue(1),))
PLAIN = Transaction.build(CALL, public_key=KEYS[0].public_key, network=DEVNET, nonce=7, fee=300).encode()
BODY_AT = 109  # of a transaction with one key and no sponsor
PAYLOAD_AT = BODY_AT + 6


def decodes_to_itself_or_is_refused(data: bytes) -> None:
    offset = None
    try:
        transaction = Transaction.decode(data)
    except DecodeError as error:
        offset = error.offset
    if offset is None:
        assert replace(transaction).encode() == data
    else:
        assert 0 <= offset <= len(data)


@settings(max_examples=300)
@given(transactions())
def test_transactions_survive_the_round_trip(transaction: Transaction) -> None:
    data = transaction.encode()
    decoded = Transaction.decode(data)
    assert decoded == transaction
    assert hash(decoded) == hash(transaction)
    assert replace(decoded).encode() == data
    assert decoded.txid == transaction.txid
    assert decoded.initial_sighash == transaction.initial_sighash


@given(st.binary(max_size=400))
def test_any_bytes_encode_to_themselves_or_are_rejected(data: bytes) -> None:
    decodes_to_itself_or_is_refused(data)


@settings(max_examples=500)
@given(st.sampled_from(VALID), st.data())
def test_damaged_transactions_encode_to_themselves_or_are_rejected(data: bytes, choices: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(choices.draw(st.integers(1, 3))):
        place = choices.draw(st.integers(0, len(damaged) - 1))
        match choices.draw(st.sampled_from(["change", "remove", "insert", "count"])):
            case "change":
                damaged[place] = choices.draw(st.integers(0, 255))
            case "remove":
                del damaged[place : place + choices.draw(st.integers(1, 8))]
            case "insert":
                damaged[place:place] = choices.draw(st.binary(min_size=1, max_size=8))
            case _:
                damaged[place : place + 4] = choices.draw(st.integers(0, 2**32 - 1)).to_bytes(4)
        if not damaged:
            break
    decodes_to_itself_or_is_refused(bytes(damaged))


@pytest.mark.parametrize("data", VALID[::4], ids=len)
def test_every_truncation_is_rejected(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(DecodeError) as caught:
            Transaction.decode(data[:length])
        assert caught.value.offset <= length


@pytest.mark.parametrize("data", VALID[::4], ids=len)
def test_trailing_bytes_are_rejected(data: bytes) -> None:
    with pytest.raises(DecodeError, match="1 byte follows") as caught:
        Transaction.decode(data + b"\x00")
    assert caught.value.offset == len(data)


def changed(place: int, to: str) -> bytes:
    new = bytes.fromhex(to)
    return PLAIN[:place] + new + PLAIN[place + len(new) :]


@pytest.mark.parametrize(
    ("place", "to", "reason"),
    [
        (0, "01", "not a transaction version"),
        (0, "7f", "not a transaction version"),
        (0, "81", "not a transaction version"),
        (5, "03", "not an authorization"),
        (5, "06", "not an authorization"),
        (6, "04", "not a valid hash mode"),
        (6, "06", "not a valid hash mode"),
        (6, "08", "not a valid hash mode"),
        (43, "02", "not a key encoding"),
        (BODY_AT, "00", "not a valid anchor mode"),
        (BODY_AT, "04", "not a valid anchor mode"),
        (BODY_AT + 1, "00", "not a valid post-condition mode"),
        (BODY_AT + 1, "04", "not a valid post-condition mode"),
        (BODY_AT + 2, "ffffffff", "4294967295 post-conditions need"),
        (PAYLOAD_AT, "09", "not a valid type of payload"),
        (PAYLOAD_AT, "ff", "not a valid type of payload"),
        (PAYLOAD_AT + 1, "20", "version"),
        (PAYLOAD_AT + 22, "00", "contract name"),
        (PAYLOAD_AT + 22, "29" + "61" * 41, "at most 40 characters, not 41"),
        (PAYLOAD_AT + 23, "31", "contract name"),
        (PAYLOAD_AT + 29, "00", "name"),
        (PAYLOAD_AT + 30, "20", "Clarity name"),
        (PAYLOAD_AT + 33, "ffffffff", "4294967295 arguments need"),
        (PAYLOAD_AT + 37, "0f", "not a Clarity type"),
    ],
)
def test_invalid_bytes_are_rejected_at_their_offset(place: int, to: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as caught:
        Transaction.decode(changed(place, to))
    assert abs(caught.value.offset - place) <= 1


def test_segwit_accepts_only_compressed_keys() -> None:
    with pytest.raises(DecodeError, match="P2WPKH"):
        Transaction.decode(changed(6, "02")[:43] + b"\x01" + PLAIN[44:])
    account = Multisig(tuple(key.public_key for key in KEYS[:2]), 1, segwit=True)
    data = bytearray(Transaction.build(CALL, account=account, network=DEVNET, nonce=0, fee=0).encode())
    data[6 + 1 + 20 + 16 + 4] = 1
    with pytest.raises(DecodeError, match="compressed keys") as caught:
        Transaction.decode(bytes(data))
    assert caught.value.offset == 47


def test_multi_signature_fields_are_checked() -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:2]), 1, sequential=True)
    transaction = Transaction.build(CALL, account=account, network=DEVNET, nonce=0, fee=0)
    data = transaction.encode()
    for place, to, reason in (
        (43, b"\xff\xff\xff\xff", "keys and signatures need"),
        (47, b"\x04", "not a valid type of key or signature"),
        (48, b"\x05", "public key"),
        (48, b"\x02" + bytes(32), "not a point on the curve"),
    ):
        with pytest.raises(DecodeError, match=reason) as caught:
            Transaction.decode(data[:place] + to + data[place + len(to) :])
        assert caught.value.offset == place


def test_too_many_signatures_in_a_sequential_mode_are_rejected() -> None:
    oversigned = next(vector for vector in BUILDER if "oversigned" in vector["test"])
    with pytest.raises(DecodeError, match="3 signatures, but P2SH needs exactly 2"):
        Transaction.decode(bytes.fromhex(oversigned["calls"][0]["final_hex"]))


def test_unordered_tuples_are_rejected() -> None:
    value = bytes.fromhex("0c00000002") + b"\x01a\x03\x01b\x04"
    ordered = PLAIN[: PAYLOAD_AT + 37] + value
    assert Transaction.decode(ordered).encode() == ordered
    for wrong in (b"\x01b\x04\x01a\x03", b"\x01a\x04\x01a\x03"):
        with pytest.raises(DecodeError, match="tuple key"):
            Transaction.decode(ordered[:-6] + wrong)


def nested(depth: int) -> bytes:
    return PLAIN[: PAYLOAD_AT + 37] + b"\x0a" * depth + b"\x09"


def test_the_nesting_limit_is_that_of_a_node() -> None:
    transaction = Transaction.decode(nested(15))
    assert replace(transaction).encode() == nested(15)
    for depth in (16, 100, 100_000, MAX_TRANSACTION_LENGTH - len(nested(0))):
        with pytest.raises(DecodeError, match="deeper"):
            Transaction.decode(nested(depth))
    value: Any = UIntValue(1)
    for _ in range(16):
        value = SomeValue(value)
    with pytest.raises(ValueError, match="deeper"):
        Transaction.build(
            ContractCall(f"{SENDER}.market", "set", (value,)),
            public_key=KEYS[0].public_key,
            network=DEVNET,
            nonce=0,
            fee=0,
        )


def test_transactions_longer_than_2_mib_are_rejected() -> None:
    room = MAX_TRANSACTION_LENGTH - len(publish("").encode())
    longest = publish("a" * room).encode()
    assert len(longest) == MAX_TRANSACTION_LENGTH
    assert replace(Transaction.decode(longest)).encode() == longest
    with pytest.raises(ValueError, match="at most 2097152"):
        publish("a" * (room + 1))
    with pytest.raises(DecodeError, match="at most 2097152"):
        Transaction.decode(longest + b"a")


def publish(code: str) -> Transaction:
    return Transaction.build(
        ContractPublish("a", code, 6), public_key=KEYS[0].public_key, network=DEVNET, nonce=0, fee=0
    )


def test_miners_payloads_accept_only_one_anchor_mode() -> None:
    coinbase = next(raw for raw in VALID if isinstance(Transaction.decode(raw).payload, Coinbase))
    with pytest.raises(DecodeError, match="must have anchor mode 01") as caught:
        Transaction.decode(coinbase[:BODY_AT] + b"\x03" + coinbase[BODY_AT + 1 :])
    assert caught.value.offset == BODY_AT


@pytest.mark.parametrize("other", ["00", None, 7, ["x"]])
def test_only_bytes_are_decoded(other: Any) -> None:
    with pytest.raises(DecodeError, match="takes bytes"):
        Transaction.decode(other)


def test_every_bytes_like_type_is_decoded() -> None:
    assert all(Transaction.decode(kind(PLAIN)).encode() == PLAIN for kind in (bytes, bytearray, memoryview))


def test_cached_contracts_do_not_hide_truncation() -> None:
    condition = FtPostCondition(SENDER, f"{SENDER}.token::kwh", FungibleCode.EQUAL, 1)
    whole = replace(Transaction.decode(PLAIN), post_conditions=(condition,)).encode()
    Transaction.decode(whole)
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            Transaction.decode(whole[:length])


def test_fields_that_cannot_be_built_survive_the_round_trip() -> None:
    """``Transaction.build`` rejects such fields, but bytes from other sources may contain them."""
    many = MultiSigCondition(
        HashMode.P2SH, bytes(20), 2**64 - 1, 2**64 - 1, tuple(key.public_key for key in KEYS), 2**16 - 1
    )
    odd = replace(Transaction.decode(PLAIN), chain_id=0, origin_condition=many)
    assert Transaction.decode(odd.encode()) == odd


def test_calls_of_a_known_shape_decode_as_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(data: bytes) -> Transaction | tuple[str, int]:
        try:
            return Transaction.decode(data)
        except DecodeError as error:
            return str(error), error.offset

    arguments = (UIntValue(1), PrincipalValue(SENDER), SomeValue(BoolValue(value=True)), AsciiValue("CO"))
    calls = [
        replace(Transaction.decode(PLAIN), payload=ContractCall(f"{SENDER}.market", "set", (UIntValue(n), *arguments)))
        for n in range(4)
    ]
    for _ in range(4):
        assert [Transaction.decode(call.encode()) for call in calls] == calls
    whole = calls[0].encode()
    damaged = [
        whole[:place] + bytes((whole[place] ^ bit,)) + whole[place + 1 :]
        for place in range(PAYLOAD_AT, len(whole))
        for bit in (1, 2, 8, 128)
    ]
    with_shapes = [outcome(data) for data in damaged]
    with monkeypatch.context() as patch:
        patch.setattr(payloads, "MAX_SHAPED_BYTES", -1)
        assert [outcome(data) for data in damaged] == with_shapes
    monkeypatch.setattr(payloads, "read_value", None)  # so the calls must be decoded in one step
    assert [Transaction.decode(call.encode()) for call in calls] == calls
