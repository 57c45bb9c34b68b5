"""Multisig accounts: signers pass on the encoded transaction and sign in every order that the mode allows."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.errors import InvalidValueError, KeyFormatError, SigningError
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.ripemd160 import ripemd160
from der_client.stacks.transactions import (
    ContractCall,
    FieldSignature,
    HashMode,
    Multisig,
    MultiSigCondition,
    SingleSig,
    TokenTransfer,
    Transaction,
)

from .vectors import BUILDER, KEYS, RECIPIENT, SENDER

CALL = ContractCall(f"{SENDER}.market", "set", (UIntValue(1),))
LONG_KEYS = [PrivateKey.from_hex(key.to_hex()[:64]) for key in KEYS]
MODES = [mode for mode in HashMode if not mode.is_single_sig]
MODE_ARGUMENT = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)


def account_of(mode: HashMode, keys: list[PrivateKey], required: int) -> Multisig:
    return Multisig(
        tuple(key.public_key for key in keys), required, segwit=mode.is_segwit, sequential=mode.is_sequential
    )


def build(account: Multisig | SingleSig, **changes: Any) -> Transaction:
    arguments: dict[str, Any] = {"network": DEVNET, "nonce": 7, "fee": 300} | changes
    return Transaction.build(CALL, account=account, **arguments)


def handed_on(transaction: Transaction) -> Transaction:
    """Return the transaction as another program decodes it."""
    return Transaction.decode(transaction.encode())


def condition_of(transaction: Transaction) -> MultiSigCondition:
    assert isinstance(transaction.origin_condition, MultiSigCondition)
    return transaction.origin_condition


@MODE_ARGUMENT
def test_signers_sign_one_at_a_time(mode: HashMode) -> None:
    account = account_of(mode, KEYS[:3], 2)
    transaction = build(account)
    assert transaction.origin == account.address(DEVNET)
    for missing, signer in ((2, KEYS[0]), (1, KEYS[2])):
        assert condition_of(transaction).missing_signatures == missing
        with pytest.raises(SigningError, match=f"not fully signed: {missing} signature"):
            transaction.verify()
        transaction = handed_on(transaction.sign(signer))
    assert transaction.is_signed
    assert transaction.verify()
    kinds = [type(field) for field in condition_of(transaction).fields]
    assert kinds == [FieldSignature, PublicKey, FieldSignature]
    with pytest.raises(SigningError, match="already fully signed"):
        transaction.sign(KEYS[1])


@MODE_ARGUMENT
def test_every_allowed_order_of_signers_results_in_the_same_bytes(mode: HashMode) -> None:
    keys = KEYS[:4]
    account = account_of(mode, keys, 2)
    results: dict[frozenset[PrivateKey], set[bytes]] = {}
    for order in permutations(keys, 2):
        in_order = keys.index(order[0]) < keys.index(order[1])
        transaction = build(account).sign(order[0])
        if mode.is_sequential and not in_order:
            with pytest.raises(SigningError, match="the order of their keys"):
                transaction.sign(order[1])
            continue
        transaction = transaction.sign(order[1])
        assert transaction.verify()
        results.setdefault(frozenset(order), set()).add(transaction.encode())
    assert len(results) == 6
    assert all(len(found) == 1 for found in results.values())


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MODES), st.data())
def test_accounts_of_all_sizes_sign_and_detect_changes(mode: HashMode, choices: st.DataObject) -> None:
    count = choices.draw(st.integers(1, 10))
    forms = [
        KEYS[i] if mode.is_segwit or choices.draw(st.booleans()) else LONG_KEYS[i] for i in range(min(count, len(KEYS)))
    ]
    account = account_of(mode, forms, choices.draw(st.integers(1, len(forms))))
    signers = choices.draw(st.permutations(forms))[: account.required]
    if mode.is_sequential:
        signers.sort(key=forms.index)
    transaction = build(account)
    for signer in signers:
        transaction = handed_on(transaction.sign(signer))
    assert transaction.verify()
    # After any change, a signature or the address no longer matches.
    condition = condition_of(transaction)
    for damaged in (
        replace(condition, nonce=8),
        replace(condition, fee=301),
        replace(condition, signer=bytes(20)),
        replace(condition, fields=condition.fields[1:]),
        replace(condition, required=condition.required + 1),
    ):
        with pytest.raises(SigningError):
            replace(transaction, origin_condition=damaged).verify()


@MODE_ARGUMENT
def test_an_uncompressed_key_signs_for_its_compressed_form(mode: HashMode) -> None:
    account = account_of(mode, KEYS[:2], 2)
    assert build(account).sign(LONG_KEYS[0]).sign(LONG_KEYS[1]).verify()


@MODE_ARGUMENT
def test_foreign_and_repeated_signers_are_rejected(mode: HashMode) -> None:
    transaction = build(account_of(mode, KEYS[:3], 2)).sign(KEYS[0])
    with pytest.raises(SigningError, match="not one of this account's 3 keys"):
        transaction.sign(KEYS[5])
    with pytest.raises(SigningError, match="has already signed"):
        transaction.sign(KEYS[0])


@MODE_ARGUMENT
def test_a_transaction_with_the_keys_of_another_account_is_not_signed(mode: HashMode) -> None:
    transaction = build(account_of(mode, KEYS[:3], 2))
    swapped = replace(condition_of(transaction), fields=tuple(key.public_key for key in (KEYS[0], KEYS[1], KEYS[5])))
    with pytest.raises(SigningError, match="keys in this transaction belong to the account with hash"):
        replace(transaction, origin_condition=swapped).sign(KEYS[0])


def test_a_key_may_occur_twice() -> None:
    account = account_of(HashMode.P2SH_NON_SEQUENTIAL, [KEYS[0], KEYS[0], KEYS[1]], 2)
    assert build(account).sign(KEYS[0]).sign(KEYS[0]).verify()


def test_the_address_depends_on_the_order_of_keys() -> None:
    forward, backward = (Multisig(tuple(key.public_key for key in keys), 1) for keys in (KEYS[:2], KEYS[1::-1]))
    assert forward.address(DEVNET) != backward.address(DEVNET)


def test_the_address_does_not_depend_on_the_order_of_signing() -> None:
    addresses = {
        (account.address(DEVNET), account.address(MAINNET), segwit)
        for segwit in (False, True)
        for sequential in (False, True)
        for account in [Multisig(tuple(k.public_key for k in KEYS[:3]), 2, segwit=segwit, sequential=sequential)]
    }
    assert len(addresses) == 2
    assert all(testnet.startswith("SN") and mainnet.startswith("SM") for testnet, mainnet, _ in addresses)


@pytest.mark.parametrize(("count", "required"), [(0, 1), (16, 1), (3, 0), (3, 4), (3, "2")])
def test_invalid_accounts_are_rejected(count: int, required: Any) -> None:
    keys = tuple(PrivateKey.generate().public_key for _ in range(count))
    with pytest.raises((KeyFormatError, InvalidValueError)):
        Multisig(keys, required)


@pytest.mark.parametrize("segwit", [False, True])
@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ((KEYS[0].public_key, KEYS[1]), r"public_keys\[1\] must be a PublicKey, got PrivateKey; give its public_key"),
        ((KEYS[0].to_hex(),), r"public_keys\[0\] must be a PublicKey, got str; .*from_hex"),
        (KEYS[0].public_key, "public_keys must be a tuple of PublicKey, got PublicKey"),
        (KEYS[0].to_hex(), r"public_keys\[0\] must be a PublicKey, got str"),
    ],
)
def test_accounts_need_public_keys(keys: Any, reason: str, segwit: bool) -> None:
    with pytest.raises(KeyFormatError, match=reason) as caught:
        Multisig(keys, 1, segwit=segwit)
    assert KEYS[0].to_hex() not in str(caught.value)
    with pytest.raises(KeyFormatError, match=reason):
        build(account_of(HashMode.P2SH, KEYS[:3], 2)).with_public_keys(keys)


def test_segwit_accepts_only_compressed_keys() -> None:
    with pytest.raises(KeyFormatError, match="compressed"):
        Multisig((LONG_KEYS[0].public_key, KEYS[1].public_key), 1, segwit=True)


@MODE_ARGUMENT
def test_a_transaction_half_signed_by_another_program_is_completed(mode: HashMode) -> None:
    """stacks.js leaves out the keys that have not signed."""
    account = account_of(mode, KEYS[:3], 2)
    ours = build(account).sign(KEYS[0])
    theirs = replace(ours, origin_condition=replace(condition_of(ours), fields=condition_of(ours).fields[:1]))
    with pytest.raises(SigningError, match="call with_public_keys"):
        handed_on(theirs).sign(KEYS[2])
    completed = handed_on(theirs).with_public_keys([key.public_key for key in KEYS[:3]])
    assert completed == ours
    assert completed.sign(KEYS[2]).verify()


def test_an_unsigned_transaction_of_stacks_js_is_completed() -> None:
    vector = next(vector for vector in BUILDER if vector["test"] == "Make Multi-Sig STX token transfer")
    call = vector["calls"][0]
    keys = [PublicKey.from_hex(key) for key in call["args"][0]["publicKeys"]]
    transaction = Transaction.decode(bytes.fromhex(call["result_hex"]))
    assert condition_of(transaction).fields == ()
    final = Transaction.decode(bytes.fromhex(call["final_hex"]))
    assert transaction.with_public_keys(keys).initial_sighash == final.initial_sighash


@MODE_ARGUMENT
def test_signatures_of_foreign_keys_are_not_completed(mode: HashMode) -> None:
    ours = build(account_of(mode, KEYS[:3], 2))
    signature = condition_of(build(account_of(mode, KEYS[3:6], 2)).sign(KEYS[3])).fields[0]
    foreign = replace(ours, origin_condition=replace(condition_of(ours), fields=(signature,)))
    with pytest.raises(SigningError, match="1 of the keys and signatures in this transaction belong to other keys"):
        foreign.with_public_keys([key.public_key for key in KEYS[:3]])


def test_completing_with_other_keys_is_rejected() -> None:
    ours = build(account_of(HashMode.P2SH, KEYS[:3], 2)).sign(KEYS[0])
    for keys in (KEYS[:2], KEYS[1:4], [KEYS[1], KEYS[0], KEYS[2]], [*KEYS[:3], KEYS[3]]):
        with pytest.raises(SigningError):
            ours.with_public_keys([key.public_key for key in keys])
    for keys in (KEYS[:2], [KEYS[1], KEYS[0], KEYS[2]]):
        with pytest.raises(SigningError, match=f"these {len(keys)} keys, in this order, do not belong to the account"):
            ours.with_public_keys([key.public_key for key in keys])
    with pytest.raises(SigningError, match="only one key"):
        build(SingleSig(KEYS[0].public_key)).with_public_keys([KEYS[0].public_key])


def test_extra_signatures_are_valid_where_order_does_not_matter() -> None:
    vector = next(vector for vector in BUILDER if vector["test"].endswith("works in multi-sig make method #2"))
    transaction = Transaction.decode(bytes.fromhex(vector["calls"][0]["result_hex"]))
    signed = sum(isinstance(field, FieldSignature) for field in condition_of(transaction).fields)
    assert (signed, condition_of(transaction).required) == (3, 2)
    assert transaction.verify()


@pytest.mark.parametrize(
    ("count", "pushed"), [(16, "60"), (17, "0111"), (127, "017f"), (128, "028000"), (300, "022c01")]
)
def test_foreign_transactions_may_have_more_than_15_keys(count: int, pushed: str) -> None:
    keys = [PrivateKey.from_bytes(number.to_bytes(32) + b"\x01") for number in range(1, count + 1)]
    # The redeem script: 1 of count.
    script = b"\x51" + b"".join(b"\x21" + key.public_key.data for key in keys) + bytes.fromhex(pushed) + b"\xae"
    signer = ripemd160(sha256(script).digest())
    fields = tuple(key.public_key for key in keys)
    transaction = replace(
        build(SingleSig(KEYS[0].public_key)),
        origin_condition=MultiSigCondition(HashMode.P2SH, signer, 0, 0, fields, 1),
    )
    assert handed_on(transaction).sign(keys[-1]).verify()


def test_copied_and_pickled_transactions_are_equal() -> None:
    transaction = build(account_of(HashMode.P2SH, KEYS[:3], 2)).sign(KEYS[0])
    for other in (copy.deepcopy(transaction), pickle.loads(pickle.dumps(transaction))):  # noqa: S301 -- our own
        assert other == transaction
        assert other.sign(KEYS[1]).verify()


def test_a_transaction_that_requires_no_signature_does_not_verify() -> None:
    transaction = build(account_of(HashMode.P2SH, KEYS[:1], 1))
    nobody = replace(condition_of(transaction), required=0)
    with pytest.raises(SigningError, match="at least 1"):
        replace(transaction, origin_condition=nobody).verify()


def test_a_multisig_account_signs_a_transfer() -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:2]), 2)
    payload = TokenTransfer(PrincipalValue(RECIPIENT), 1)
    transaction = Transaction.build(payload, account=account, network=DEVNET, nonce=0, fee=180)
    assert transaction.sign(KEYS[1]).sign(KEYS[0]).verify()
