"""Sponsored transactions: the sender signs, the sponsor pays the fee."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from der_client.stacks.clarity import UIntValue
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    NO_SPONSOR,
    ContractCall,
    HashMode,
    Multisig,
    MultiSigCondition,
    SingleSig,
    SpendingCondition,
    Transaction,
)

from .vectors import KEYS, ORACLE, SENDER

KEY, SPONSOR = KEYS[0], KEYS[1]
CALL = ContractCall(f"{SENDER}.market", "set", (UIntValue(1),))


def build(**changes: Any) -> Transaction:
    arguments: dict[str, Any] = {
        "public_key": KEY.public_key,
        "network": DEVNET,
        "nonce": 7,
        "fee": 0,
        "sponsored": True,
    } | changes
    return Transaction.build(CALL, **arguments)


def test_the_sender_signs_then_the_sponsor() -> None:
    unsigned = build()
    assert unsigned.is_sponsored
    assert unsigned.sponsor_address is None
    half = Transaction.decode(unsigned.sign(KEY).encode())
    assert not half.is_signed
    with pytest.raises(SigningError, match="1 signature is missing"):
        half.verify()
    whole = half.sponsor(SPONSOR, nonce=3, fee=555)
    assert whole.is_signed
    assert whole.verify()
    assert Transaction.decode(whole.encode()) == whole
    assert (whole.fee, whole.nonce) == (555, 7)
    assert whole.origin == SENDER
    assert whole.sponsor_address == SPONSOR.address(DEVNET)
    assert whole.origin_condition == half.origin_condition


def test_the_sponsor_may_be_set_first_and_sign_later() -> None:
    half = build().sign(KEY)
    waiting = Transaction.decode(half.with_sponsor(SingleSig(SPONSOR.public_key), nonce=3, fee=555).encode())
    assert not waiting.is_signed
    with pytest.raises(SigningError, match="cannot sign"):
        waiting.sign(KEY)
    assert waiting.sign(SPONSOR).encode() == half.sponsor(SPONSOR, nonce=3, fee=555).encode()


MODE_ARGUMENT = pytest.mark.parametrize(
    "mode", [mode for mode in HashMode if not mode.is_single_sig], ids=lambda mode: mode.name
)


def account_of(mode: HashMode, keys: list[PrivateKey]) -> Multisig:
    return Multisig(tuple(key.public_key for key in keys), 2, segwit=mode.is_segwit, sequential=mode.is_sequential)


def first_fields(condition: SpendingCondition | None, count: int) -> SpendingCondition:
    assert isinstance(condition, MultiSigCondition)
    return replace(condition, fields=condition.fields[:count])


@MODE_ARGUMENT
def test_sender_and_sponsor_may_be_multisig_accounts(mode: HashMode) -> None:
    senders, sponsors = (account_of(mode, keys) for keys in (KEYS[:3], KEYS[3:6]))
    transaction = build(public_key=None, account=senders).sign(KEYS[0]).sign(KEYS[2])
    transaction = transaction.with_sponsor(sponsors, nonce=1, fee=900)
    foretold = transaction.estimated_length
    transaction = Transaction.decode(transaction.sign(KEYS[3]).encode()).sign(KEYS[4])
    assert transaction.verify()
    assert transaction.sponsor_address == sponsors.address(DEVNET)
    assert len(transaction.encode()) == foretold
    assert transaction.with_fee(901).sign(KEYS[4]).sign(KEYS[5]).verify()


@MODE_ARGUMENT
def test_a_sponsor_half_signed_by_another_program_is_completed(mode: HashMode) -> None:
    """stacks.js leaves out the keys that have not signed."""
    senders, sponsors = (account_of(mode, keys) for keys in (KEYS[:3], KEYS[3:6]))
    sent = build(public_key=None, account=senders).sign(KEYS[0]).sign(KEYS[1])
    ours = sent.with_sponsor(sponsors, nonce=1, fee=900).sign(KEYS[3])
    theirs = Transaction.decode(
        replace(
            ours,
            origin_condition=first_fields(ours.origin_condition, 2),
            sponsor_condition=first_fields(ours.sponsor_condition, 1),
        ).encode()
    )
    with pytest.raises(SigningError, match="call with_public_keys"):
        theirs.with_public_keys(senders.public_keys).sign(KEYS[5])
    # The sponsor's signatures cover the sender's condition, in which keys are missing.
    with pytest.raises(SigningError, match="to the account with hash"):
        theirs.with_public_keys(sponsors.public_keys)
    completed = theirs.with_public_keys(senders.public_keys).with_public_keys(sponsors.public_keys)
    assert completed == ours
    assert completed.sign(KEYS[5]).verify()
    with pytest.raises(SigningError, match=f"{senders.signer.hex()} or {sponsors.signer.hex()}"):
        theirs.with_public_keys(sponsors.public_keys[::-1])


@MODE_ARGUMENT
def test_a_sponsor_is_completed_for_a_sender_with_one_key_or_the_same_keys(mode: HashMode) -> None:
    sponsors = account_of(mode, KEYS[3:6])
    of_one = build().sign(KEY)
    of_the_same = build(public_key=None, account=sponsors).sign(KEYS[3]).sign(KEYS[4])
    for sent in (of_one, of_the_same):
        ours = sent.with_sponsor(sponsors, nonce=1, fee=900).sign(KEYS[3])
        origin = ours.origin_condition if sent is of_one else first_fields(ours.origin_condition, 2)
        theirs = replace(ours, origin_condition=origin, sponsor_condition=first_fields(ours.sponsor_condition, 1))
        completed = Transaction.decode(theirs.encode()).with_public_keys(sponsors.public_keys)
        assert completed == ours
        assert completed.sign(KEYS[4]).verify()


def test_a_sponsor_is_completed_only_after_the_sender_has_signed() -> None:
    sponsors = account_of(HashMode.P2SH, KEYS[3:6])
    half = build().sign(KEY).with_sponsor(sponsors, nonce=1, fee=900)
    unsigned = replace(half, origin_condition=build().origin_condition)
    with pytest.raises(SigningError, match="1 signature is missing"):
        unsigned.with_public_keys(sponsors.public_keys)
    with pytest.raises(SigningError, match="only one key"):
        build().sign(KEY).with_public_keys(sponsors.public_keys)


def test_a_segwit_account_can_sponsor() -> None:
    account = SingleSig(SPONSOR.public_key, segwit=True)
    transaction = build().sign(KEY).with_sponsor(account, nonce=0, fee=1).sign(SPONSOR)
    assert transaction.verify()
    assert transaction.sponsor_address == account.address(DEVNET)


def test_the_sponsors_signature_covers_the_senders() -> None:
    whole = build().sign(KEY).sponsor(SPONSOR, nonce=3, fee=555)
    other = build(nonce=8).sign(KEY)
    with pytest.raises(SigningError):
        replace(whole, origin_condition=other.origin_condition).verify()
    for sponsor in (
        replace(whole.sponsor_condition, fee=556),  # type: ignore[type-var]
        replace(whole.sponsor_condition, nonce=4),  # type: ignore[type-var]
        NO_SPONSOR,
    ):
        with pytest.raises(SigningError):
            replace(whole, sponsor_condition=sponsor).verify()
    with pytest.raises(SigningError):
        replace(whole, sponsor_condition=None).verify()


def test_steps_out_of_order_are_rejected() -> None:
    unsigned = build()
    with pytest.raises(SigningError, match="the sender signs before the sponsor"):
        unsigned.sponsor(SPONSOR, nonce=0, fee=1)
    half = unsigned.sign(KEY)
    with pytest.raises(SigningError, match="now a sponsor is needed"):
        half.sign(SPONSOR)
    with pytest.raises(SigningError, match="the sponsor sets the fee"):
        half.with_fee(5)
    whole = half.sponsor(SPONSOR, nonce=0, fee=1)
    with pytest.raises(SigningError, match="already fully signed"):
        whole.sign(SPONSOR)
    with pytest.raises(SigningError, match="not sponsored"):
        build(sponsored=False).sign(KEY).sponsor(SPONSOR, nonce=0, fee=1)


def test_a_transaction_with_an_invalid_signature_is_not_sponsored() -> None:
    half = build().sign(KEY)
    tampered = replace(half, payload=ContractCall(CALL.contract, "set", (UIntValue(2),)))
    with pytest.raises(SigningError, match="something was changed"):
        tampered.sponsor(SPONSOR, nonce=0, fee=1)


@pytest.mark.parametrize(("nonce", "fee", "name"), [(-1, 1, "nonce"), (0, 2**64, "fee"), (0, None, "fee")])
def test_invalid_nonces_and_fees_are_rejected(nonce: Any, fee: Any, name: str) -> None:
    with pytest.raises(InvalidValueError, match=name):
        build().sign(KEY).sponsor(SPONSOR, nonce=nonce, fee=fee)


def test_changing_the_sponsor_or_the_fee_keeps_the_senders_signature() -> None:
    whole = build().sign(KEY).sponsor(SPONSOR, nonce=3, fee=555)
    dearer = whole.with_fee(600)
    assert not dearer.is_signed
    assert dearer.sign(SPONSOR).verify()
    replaced = whole.sponsor(KEYS[2], nonce=0, fee=9)
    assert replaced.verify()
    assert replaced.sponsor_address == KEYS[2].address(DEVNET)


def test_changing_the_nonce_removes_both_signatures() -> None:
    whole = build().sign(KEY).sponsor(SPONSOR, nonce=3, fee=555)
    assert whole.with_nonce(8) == build(nonce=8)


def test_the_sponsor_placeholder_of_stacks_js_can_be_replaced() -> None:
    vector = next(vector for vector in ORACLE if "before sponsor" in vector["name"])
    half = Transaction.decode(bytes.fromhex(vector["raw_tx"]))
    assert half.sponsor_condition != NO_SPONSOR
    assert half.sponsor_address is None
    with pytest.raises(SigningError, match="now a sponsor is needed"):
        half.sign(KEY)
    assert half.sponsor(SPONSOR, nonce=3, fee=555).verify()
