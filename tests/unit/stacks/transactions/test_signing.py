"""Signatures of transactions, checked by other libraries, and verification."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import ecdsa  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.stacks.clarity import UIntValue
from der_client.stacks.errors import SigningError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.transactions import (
    AnchorMode,
    ContractCall,
    FieldSignature,
    HashMode,
    MultiSigCondition,
    PostConditionMode,
    SingleSigCondition,
    Transaction,
)

from .vectors import KEYS, ORACLE, SENDER

KEY = KEYS[0]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNED = Transaction.build(
    ContractCall(f"{SENDER}.market", "set", (UIntValue(1),)),
    public_key=KEY.public_key,
    network=DEVNET,
    nonce=7,
    fee=300,
).sign(KEY)


def digest(data: bytes) -> bytes:
    return hashlib.new("sha512_256", data).digest()


def condition_of(transaction: Transaction) -> SingleSigCondition:
    assert isinstance(transaction.origin_condition, SingleSigCondition)
    return transaction.origin_condition


def assert_signed_by(key: PrivateKey, message: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[1:33]), int.from_bytes(signature[33:])
    theirs = ecdsa.VerifyingKey.from_string(key.public_key.data, curve=ecdsa.SECP256k1)
    assert theirs.verify_digest(signature[1:], message)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key.public_key.data).verify(
        utils.encode_dss_signature(r, s), message, ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    )
    candidates = ecdsa.VerifyingKey.from_public_key_recovery_with_digest(
        signature[1:], message, ecdsa.SECP256k1, hashfunc=hashlib.sha256
    )
    assert candidates[signature[0] & 1].to_string("compressed") == key.public_key.compressed_data


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from(KEYS), st.booleans())
def test_other_libraries_verify_the_senders_signature(nonce: int, fee: int, key: PrivateKey, compressed: bool) -> None:
    """The test computes the digest itself, from the bytes alone."""
    key = key if compressed else PrivateKey.from_hex(key.to_hex()[:64])
    data = (
        Transaction.build(
            SIGNED.payload,  # type: ignore[arg-type]
            public_key=key.public_key,
            network=DEVNET,
            nonce=nonce,
            fee=fee,
        )
        .sign(key)
        .encode()
    )
    blank = data[:27] + bytes(16) + data[43:44] + bytes(65) + data[109:]
    message = digest(digest(blank) + b"\x04" + fee.to_bytes(8) + nonce.to_bytes(8))
    assert_signed_by(key, message, data[44:109])


def test_other_libraries_verify_the_sponsors_signature() -> None:
    half = Transaction.build(
        SIGNED.payload,  # type: ignore[arg-type]
        public_key=KEY.public_key,
        network=DEVNET,
        nonce=1,
        fee=0,
        sponsored=True,
    ).sign(KEY)
    data = half.sponsor(KEYS[1], nonce=4, fee=800).encode()
    blank = data[:27] + bytes(16) + data[43:44] + bytes(65) + bytes(103) + data[212:]
    presign = digest(digest(blank) + b"\x04" + bytes(8) + (1).to_bytes(8))
    assert_signed_by(KEY, presign, data[44:109])
    last = digest(presign + b"\x00" + data[44:109])
    message = digest(last + b"\x05" + (800).to_bytes(8) + (4).to_bytes(8))
    assert_signed_by(KEYS[1], message, data[147:212])


def test_every_changed_byte_is_detected() -> None:
    data = SIGNED.encode()
    survived = []
    for place in range(len(data)):
        damaged = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        try:
            Transaction.decode(damaged).verify()
        except (SigningError, ValueError):
            continue
        survived.append(place)
    assert survived == []


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": 1},
        {"version": 0},
        {"anchor_mode": AnchorMode.ON_CHAIN},
        {"post_condition_mode": PostConditionMode.ALLOW},
        {"payload": ContractCall(f"{SENDER}.market", "set", (UIntValue(2),))},
        {"origin_condition": replace(condition_of(SIGNED), nonce=8)},
        {"origin_condition": replace(condition_of(SIGNED), fee=301)},
        {"origin_condition": replace(condition_of(SIGNED), signer=KEYS[1].public_key.hash160)},
        {"origin_condition": replace(condition_of(SIGNED), hash_mode=HashMode.P2WPKH)},
    ],
    ids=str,
)
def test_the_signature_covers_every_field(changes: dict[str, object]) -> None:
    with pytest.raises(SigningError, match="something was changed"):
        replace(SIGNED, **changes).verify()  # type: ignore[arg-type]


def test_a_high_s_is_rejected() -> None:
    signature = condition_of(SIGNED).signature
    mirrored = (ORDER - int.from_bytes(signature[33:])).to_bytes(32)
    high = bytes((signature[0] ^ 1,)) + signature[1:33] + mirrored
    changed = replace(SIGNED, origin_condition=replace(condition_of(SIGNED), signature=high))
    with pytest.raises(SigningError, match="high s"):
        Transaction.decode(changed.encode()).verify()


def test_a_high_s_among_several_signatures_is_rejected() -> None:
    vector = next(vector for vector in ORACLE if "hash mode 7" in vector["name"])
    transaction = Transaction.decode(bytes.fromhex(vector["raw_tx"]))
    condition = transaction.origin_condition
    assert isinstance(condition, MultiSigCondition)
    first = condition.fields[0]
    assert isinstance(first, FieldSignature)
    mirrored = (ORDER - int.from_bytes(first.signature[33:])).to_bytes(32)
    high = bytes((first.signature[0] ^ 1,)) + first.signature[1:33] + mirrored
    changed = replace(condition, fields=(FieldSignature(high, first.compressed), *condition.fields[1:]))
    with pytest.raises(SigningError, match="high s"):
        replace(transaction, origin_condition=changed).verify()


def test_an_unsigned_transaction_does_not_verify() -> None:
    with pytest.raises(SigningError, match="not fully signed: 1 signature is missing"):
        SIGNED.with_fee(1).verify()


def test_signing_is_deterministic() -> None:
    again = SIGNED.with_fee(300).sign(KEY)
    assert again.encode() == SIGNED.encode()
    assert again.txid == SIGNED.txid == digest(SIGNED.encode()).hex()


def test_a_signature_is_invalid_on_another_network() -> None:
    moved = replace(SIGNED, version=MAINNET.transaction_version, chain_id=MAINNET.chain_id)
    with pytest.raises(SigningError):
        moved.verify()


def test_repr_and_str_show_no_secret() -> None:
    for shown in (repr(SIGNED), str(SIGNED), repr(SIGNED.origin_condition)):
        assert KEY.to_hex()[:64] not in shown
