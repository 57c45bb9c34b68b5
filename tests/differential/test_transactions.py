"""Random transactions are read the same by stacks.js, by the Rust codec and here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.clarity import BoolValue, PrincipalValue, TupleValue, UIntValue
from der_client.stacks.errors import DecodeError, SigningError
from der_client.stacks.network import TESTNET
from der_client.stacks.transactions import (
    ORIGIN,
    AnchorMode,
    ContractCall,
    ContractPublish,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    Payload,
    PoisonMicroblock,
    PostCondition,
    PostConditionMode,
    PoxCode,
    PoxPostCondition,
    SingleSig,
    SingleSigCondition,
    StakingPostCondition,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)
from tests.differential import transcript
from tests.differential.test_values import has_byte_order_mark
from tests.generators.seeded import KEYS, Generator

if TYPE_CHECKING:
    from tests.differential.oracle import Oracle

COUNT = 250
NEWEST_CLARITY_OF_THE_CODEC = 4


def codec_knows(transaction: Transaction) -> bool:
    """Return whether the Rust codec 1.2.0 knows all parts: not SIP-040, SIP-044 or the newest Clarity versions."""
    payload = transaction.payload
    return (
        transaction.post_condition_mode is not PostConditionMode.ORIGINATOR
        and not any(map(is_new, transaction.post_conditions))
        and not (
            isinstance(payload, ContractPublish)
            and payload.clarity_version is not None
            and payload.clarity_version > NEWEST_CLARITY_OF_THE_CODEC
        )
    )


def is_new(condition: PostCondition) -> bool:
    return isinstance(condition, StakingPostCondition | PoxPostCondition) or (
        condition.code is NonFungibleCode.MAYBE_SENT
    )


def sjs_reads_all(transaction: Transaction) -> bool:
    """Return whether stacks.js 7.6.0 reads all parts; for its faults, see ``test_values``."""
    payload = transaction.payload
    values = [condition.value for condition in transaction.post_conditions if isinstance(condition, NftPostCondition)]
    values += payload.arguments if isinstance(payload, ContractCall) else ()
    return not isinstance(payload, PoisonMicroblock) and not any(map(has_byte_order_mark, values))


def as_sjs_shows(expected: dict[str, Any]) -> dict[str, Any]:
    """Return the transcript without the memo, which stacks.js converts to text."""
    payload = expected["payload"]
    return expected | {"payload": payload[:3]} if payload[0] == "transfer" else expected


def check(oracle: Oracle, transaction: Transaction, data: bytes) -> None:
    expected = transcript.of_transaction(transaction)
    by_codec = oracle.ask("transaction by codec", data)
    assert ("error" not in by_codec) is codec_knows(transaction), by_codec
    if "error" not in by_codec:
        assert by_codec == {"decoded": expected, "txid": transaction.txid}

    by_sjs = oracle.ask("transaction by stacks.js", data)
    assert "error" not in by_sjs
    if sjs_reads_all(transaction):
        assert by_sjs["decoded"] == as_sjs_shows(expected)
        # It hashes its own encoding. If that has another order of names, the txid differs.
        assert (by_sjs["txid"] == transaction.txid) is (by_sjs["encoded"] == data.hex())


@pytest.mark.parametrize("seed", range(8))
def test_random_transactions_are_read_the_same(oracle: Oracle, seed: int) -> None:
    generator = Generator(seed)
    written_alike = 0
    for _ in range(COUNT):
        transaction = generator.transaction()
        data = transaction.encode()
        assert Transaction.decode(data) == transaction
        check(oracle, transaction, data)
        written_alike += oracle.ask("transaction by stacks.js", data)["encoded"] == data.hex()
    assert written_alike > COUNT * 0.7


@pytest.mark.parametrize("seed", range(8))
def test_damaged_transactions_are_rejected_or_read_the_same(oracle: Oracle, seed: int) -> None:
    """Bytes that are accepted here mean the same to all three; the others accept more."""
    generator = Generator(1000 + seed)
    accepted = 0
    for _ in range(COUNT):
        data = generator.damaged(generator.transaction().encode())
        try:
            transaction = Transaction.decode(data)
        except DecodeError:
            continue
        accepted += 1
        assert transaction.encode() == data
        check(oracle, transaction, data)
    assert accepted > COUNT // 20


DENY = PostConditionMode.DENY
SENDER = SingleSig(KEYS[0].public_key)
TRANSFER = TokenTransfer(PrincipalValue("ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG"), 1)


def signed(payload: Payload, *conditions: PostCondition, mode: PostConditionMode = DENY) -> Transaction:
    unsigned = Transaction(0x80, 0x80000000, SENDER.condition(1, 200), None, AnchorMode.ANY, mode, conditions, payload)
    return unsigned.sign(KEYS[0])


@pytest.mark.parametrize(
    ("transaction", "known"),
    [
        (signed(TRANSFER), True),
        (signed(TRANSFER, mode=PostConditionMode.ORIGINATOR), False),
        (signed(TRANSFER, StxPostCondition(ORIGIN, FungibleCode.LESS, 1)), True),
        (signed(TRANSFER, StakingPostCondition(ORIGIN, FungibleCode.LESS, 1)), False),
        (signed(TRANSFER, PoxPostCondition(ORIGIN, PoxCode.MAY_PERFORM)), False),
        (signed(ContractPublish("a", "(print 1)", 4)), True),
        (signed(ContractPublish("a", "(print 1)", 5)), False),
        (signed(ContractPublish("a", "(print 1)", 6)), False),
    ],
    ids=lambda case: case.payload if isinstance(case, Transaction) else str(case),
)
def test_transactions_that_the_codec_does_not_know_yet(oracle: Oracle, transaction: Transaction, known: bool) -> None:
    answer = oracle.ask("transaction by codec", transaction.encode())
    assert ("error" not in answer) is known
    assert "error" not in oracle.ask("verified by stacks.js", transaction.encode())


def test_fault_of_stacks_js_its_order_of_names_breaks_valid_signatures(oracle: Oracle) -> None:
    """It serializes again before it hashes, with its own order of names."""
    argument = TupleValue({"B": UIntValue(1), "a": BoolValue(True)})
    transaction = signed(ContractCall(f"{SENDER.address(TESTNET)}.a", "f", (argument,)))
    assert transaction.verify()
    answer = oracle.ask("transaction by stacks.js", transaction.encode())
    assert answer["txid"] != transaction.txid
    assert "error" in oracle.ask("verified by stacks.js", transaction.encode())
    assert oracle.ask("transaction by codec", transaction.encode())["txid"] == transaction.txid


def test_fault_of_stacks_js_trailing_bytes_are_accepted(oracle: Oracle) -> None:
    data = signed(TRANSFER).encode() + b"\x00"
    with pytest.raises(DecodeError, match="1 byte follows"):
        Transaction.decode(data)
    assert "error" not in oracle.ask("transaction by stacks.js", data)


def test_fault_of_stacks_js_high_s_is_accepted(oracle: Oracle) -> None:
    """Nodes reject signatures with a high s. Every signature has such a twin."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    transaction = signed(TRANSFER)
    assert isinstance(transaction.origin_condition, SingleSigCondition)
    signature = transaction.origin_condition.signature
    other = bytes((signature[0] ^ 1,)) + signature[1:33] + (order - int.from_bytes(signature[33:])).to_bytes(32)
    data = transaction.encode().replace(signature, other)
    assert "error" not in oracle.ask("verified by stacks.js", data)
    with pytest.raises(SigningError, match="high s"):
        Transaction.decode(data).verify()


def test_fault_of_stacks_js_memos_are_read_as_text(oracle: Oracle) -> None:
    """A memo that is not UTF-8 is lost, so the txid and the signature are wrong."""
    transaction = signed(TokenTransfer(TRANSFER.recipient, 1, b"\xff\xfe"))
    answer = oracle.ask("transaction by stacks.js", transaction.encode())
    assert answer["encoded"] != transaction.encode().hex()
    assert answer["txid"] != transaction.txid


def test_fault_of_stacks_js_poison_microblocks_lose_their_headers(oracle: Oracle) -> None:
    """It reads a poison-microblock transaction without its headers."""
    poison = next(
        transaction
        for transaction in iter(Generator(0).transaction, None)
        if isinstance(transaction.payload, PoisonMicroblock)
    )
    answer = oracle.ask("transaction by stacks.js", poison.encode())
    assert answer["decoded"]["payload"] == ["unknown", 3]
