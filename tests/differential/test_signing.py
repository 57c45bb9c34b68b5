"""stacks.js and this library sign the same bytes, and each completes what the other has half-signed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.errors import SigningError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.transactions import (
    NO_SPONSOR,
    AnchorMode,
    FieldSignature,
    Multisig,
    MultiSigCondition,
    PostConditionMode,
    SingleSig,
    Transaction,
)
from tests.generators.seeded import KEYS, Generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.differential.oracle import Oracle

COUNT = 60
UNCOMPRESSED = PrivateKey.from_hex(KEYS[0].to_hex()[:64])
NETWORKS = [(0x00, 1), (0x80, 0x80000000)]


def unsigned_transactions(
    oracle: Oracle, seed: int, account: SingleSig | Multisig, *, sponsored: bool = False
) -> Iterator[Transaction]:
    """Yield random transactions that stacks.js encodes like this library (for its faults, see the other tests)."""
    generator = Generator(seed)
    made = 0
    while made < COUNT:
        version, chain_id = generator.random.choice(NETWORKS)
        transaction = Transaction(
            version,
            chain_id,
            account.condition(generator.number(64), generator.number(64)),
            NO_SPONSOR if sponsored else None,
            AnchorMode.ANY,
            generator.random.choice(list(PostConditionMode)),
            tuple(generator.post_condition() for _ in range(generator.random.choice([0, 0, 2]))),
            generator.user_payload(),
        )
        if oracle.ask("transaction by stacks.js", transaction.encode())["encoded"] == transaction.encode().hex():
            made += 1
            yield transaction


def by_sjs(oracle: Oracle, transaction: Transaction, steps: list[tuple[str, str]], keep: int = 0) -> Transaction:
    """Let stacks.js keep the first fields, then sign with private keys and append public ones."""
    answer = oracle.ask("signed by stacks.js", transaction.encode(), keep=keep, steps=steps)
    assert "error" not in answer, answer
    return Transaction.decode(bytes.fromhex(answer["encoded"]))


def assert_all_verify(oracle: Oracle, transaction: Transaction) -> None:
    assert transaction.verify()
    assert oracle.ask("verified by stacks.js", transaction.encode()) == {"verified": True}


@pytest.mark.parametrize(
    ("key", "segwit"),
    [(KEYS[0], False), (UNCOMPRESSED, False), (KEYS[0], True)],
    ids=["p2pkh", "long key", "p2wpkh"],
)
def test_single_signatures_are_equal(oracle: Oracle, key: PrivateKey, segwit: bool) -> None:
    for unsigned in unsigned_transactions(oracle, 1, SingleSig(key.public_key, segwit=segwit)):
        signed = unsigned.sign(key)
        assert by_sjs(oracle, unsigned, [("sign", key.to_hex())]) == signed
        assert_all_verify(oracle, signed)


def steps_of(keys: list[PrivateKey], signers: set[int]) -> list[tuple[str, str]]:
    return [
        ("sign", key.to_hex()) if place in signers else ("append", key.public_key.data.hex())
        for place, key in enumerate(keys)
    ]


@pytest.mark.parametrize("segwit", [False, True], ids=["p2sh", "p2wsh"])
@pytest.mark.parametrize("sequential", [True, False], ids=["sequential", "any order"])
def test_multisig_signatures_are_equal(oracle: Oracle, segwit: bool, sequential: bool) -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:4]), 2, segwit=segwit, sequential=sequential)
    for number, unsigned in enumerate(unsigned_transactions(oracle, 2, account)):
        signers = [(0, 1), (0, 3), (1, 2), (2, 3)][number % 4]
        first, second = signers if sequential or number % 8 < 4 else signers[::-1]
        signed = unsigned.sign(KEYS[first]).sign(KEYS[second])
        assert by_sjs(oracle, unsigned, steps_of(KEYS[:4], set(signers))) == signed
        assert_all_verify(oracle, signed)


@pytest.mark.parametrize("segwit", [False, True], ids=["p2sh", "p2wsh"])
@pytest.mark.parametrize("sequential", [True, False], ids=["sequential", "any order"])
def test_half_signed_here_and_completed_by_stacks_js(oracle: Oracle, segwit: bool, sequential: bool) -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:3]), 2, segwit=segwit, sequential=sequential)
    for unsigned in unsigned_transactions(oracle, 3, account):
        half = unsigned.sign(KEYS[1])
        assert not half.is_signed
        there = by_sjs(oracle, half, steps_of(KEYS[:3], {2})[2:], keep=2)
        assert there == half.sign(KEYS[2])
        assert_all_verify(oracle, there)


@pytest.mark.parametrize("segwit", [False, True], ids=["p2sh", "p2wsh"])
@pytest.mark.parametrize("sequential", [True, False], ids=["sequential", "any order"])
def test_half_signed_by_stacks_js_and_completed_here(oracle: Oracle, segwit: bool, sequential: bool) -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:3]), 2, segwit=segwit, sequential=sequential)
    for unsigned in unsigned_transactions(oracle, 4, account):
        half = by_sjs(oracle, unsigned, steps_of(KEYS[:3], {1})[:2])
        assert isinstance(half.origin_condition, MultiSigCondition)
        assert [isinstance(field, FieldSignature) for field in half.origin_condition.fields] == [False, True]
        signed = half.with_public_keys(account.public_keys).sign(KEYS[2])
        assert signed == unsigned.sign(KEYS[1]).sign(KEYS[2])
        assert_all_verify(oracle, signed)


def test_sponsored_transactions_are_equal(oracle: Oracle) -> None:
    for number, unsigned in enumerate(unsigned_transactions(oracle, 5, SingleSig(KEYS[0].public_key), sponsored=True)):
        signed = unsigned.sign(KEYS[0])
        assert by_sjs(oracle, unsigned, [("sign", KEYS[0].to_hex())]) == signed
        here = signed.sponsor(KEYS[4], nonce=number, fee=1000 + number)
        assert by_sponsor_there(oracle, signed, number)["encoded"] == here.encode().hex()
        assert_all_verify(oracle, here)


def test_fault_of_stacks_js_multisig_cannot_be_sponsored(oracle: Oracle) -> None:
    """As sponsor, stacks.js rejects the signatures that the origin needs as too many; it verifies what we sponsor."""
    account = Multisig(tuple(key.public_key for key in KEYS[:2]), 2)
    for unsigned in unsigned_transactions(oracle, 7, account, sponsored=True):
        signed = unsigned.sign(KEYS[0]).sign(KEYS[1])
        assert by_sjs(oracle, unsigned, steps_of(KEYS[:2], {0, 1})) == signed
        assert "more signatures than are expected" in by_sponsor_there(oracle, signed, 1)["error"]
        assert_all_verify(oracle, signed.sponsor(KEYS[4], nonce=1, fee=1000))


def by_sponsor_there(oracle: Oracle, signed: Transaction, nonce: int) -> dict[str, Any]:
    key = KEYS[4].to_hex()
    return oracle.ask("sponsored by stacks.js", signed.encode(), key=key, nonce=nonce, fee=1000 + nonce)


def test_a_wrong_signer_is_rejected_by_both(oracle: Oracle) -> None:
    for unsigned in unsigned_transactions(oracle, 6, SingleSig(KEYS[0].public_key)):
        signer = SingleSig(KEYS[1].public_key).signer
        forged = replace(unsigned, origin_condition=replace(unsigned.origin_condition, signer=signer))
        forged = by_sjs(oracle, forged, [("sign", KEYS[0].to_hex())])
        with pytest.raises(SigningError, match="key"):
            forged.verify()
        assert "error" in oracle.ask("verified by stacks.js", forged.encode())
