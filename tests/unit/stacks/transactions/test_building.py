"""Building transactions: the result, and what is rejected before anything is signed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.errors import AddressError, InvalidValueError, KeyFormatError, SigningError
from der_client.stacks.keys import PublicKey
from der_client.stacks.network import DEVNET, MAINNET, TESTNET
from der_client.stacks.transactions import (
    ORIGIN,
    AnchorMode,
    Coinbase,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    Multisig,
    PostConditionMode,
    SingleSig,
    SingleSigCondition,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

from .vectors import KEYS, RECIPIENT, SENDER

KEY = KEYS[0]
CALL = ContractCall(f"{SENDER}.market", "set", (UIntValue(1),))
TRANSFER = TokenTransfer(PrincipalValue(RECIPIENT), 5)
ELSEWHERE = KEYS[1].address(MAINNET)


def build(payload: Any = CALL, **changes: Any) -> Transaction:
    arguments: dict[str, Any] = {"public_key": KEY.public_key, "network": DEVNET, "nonce": 7, "fee": 300} | changes
    return Transaction.build(payload, **arguments)


def test_a_built_transaction_has_the_given_properties() -> None:
    transaction = build()
    assert transaction.origin == SENDER
    assert (transaction.nonce, transaction.fee) == (7, 300)
    assert transaction.payload == CALL
    assert transaction.post_condition_mode is PostConditionMode.DENY
    assert transaction.anchor_mode is AnchorMode.ANY
    assert (transaction.version, transaction.chain_id) == (0x80, 0x80000000)
    assert transaction.network is DEVNET
    assert Transaction.decode(transaction.encode()).network is TESTNET
    assert (transaction.is_sponsored, transaction.sponsor_address) == (False, None)
    assert not transaction.is_signed
    signed = transaction.sign(KEY)
    assert signed.is_signed
    assert signed.verify()
    assert len(signed.encode()) == len(transaction.encode()) == transaction.estimated_length
    assert len(signed.txid) == 64
    assert signed.txid != transaction.txid


def test_a_mainnet_transaction_has_its_version_and_chain_id() -> None:
    payload = TokenTransfer(PrincipalValue(ELSEWHERE), 5)
    transaction = build(payload, network=MAINNET)
    assert (transaction.version, transaction.chain_id) == (0, 1)
    assert transaction.origin == KEY.address(MAINNET)
    assert transaction.network is MAINNET


def test_transactions_are_immutable() -> None:
    transaction = build()
    before = transaction.encode()
    with pytest.raises(FrozenInstanceError):
        transaction.version = 0  # type: ignore[misc]
    signed = transaction.sign(KEY)
    assert transaction.encode() == before
    assert not transaction.is_signed
    assert signed.with_fee(301).encode() != signed.encode()
    assert signed.verify()


@pytest.mark.parametrize("name", ["nonce", "fee"])
@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "1", None, True])
def test_numbers_out_of_range_are_rejected_by_name(name: str, bad: Any) -> None:
    with pytest.raises(InvalidValueError, match=name):
        build(**{name: bad})
    with pytest.raises(InvalidValueError, match=f"<int> is out of range for {name}"):
        build(**{name: 10**5000})
    assert getattr(build(**{name: 2**64 - 1}), name) == 2**64 - 1


def test_exactly_one_sender_is_needed() -> None:
    for public_key, account in ((None, None), (KEY.public_key, SingleSig(KEY.public_key))):
        with pytest.raises(InvalidValueError, match="either public_key"):
            build(public_key=public_key, account=account)
    assert build(public_key=None, account=SingleSig(KEY.public_key)) == build()


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (ContractCall(f"{ELSEWHERE}.market", "set"), "contract: "),
        (TokenTransfer(PrincipalValue(ELSEWHERE), 1), "recipient: "),
        (TokenTransfer(PrincipalValue(f"{ELSEWHERE}.vault"), 1), "recipient: "),
    ],
)
def test_addresses_of_another_network_are_rejected(payload: Any, what: str) -> None:
    with pytest.raises(AddressError, match=f"{what}.*mainnet.*devnet"):
        build(payload)


@pytest.mark.parametrize(
    "condition",
    [
        StxPostCondition(ELSEWHERE, FungibleCode.EQUAL, 1),
        StxPostCondition(f"{ELSEWHERE}.vault", FungibleCode.EQUAL, 1),
        FtPostCondition(ORIGIN, f"{ELSEWHERE}.token::kwh", FungibleCode.EQUAL, 1),
    ],
)
def test_post_conditions_of_another_network_are_rejected(condition: Any) -> None:
    with pytest.raises(AddressError, match=r"post-condition's .*mainnet.*devnet"):
        build(post_conditions=[condition])


@pytest.mark.parametrize(
    ("payload", "changes", "reason"),
    [
        (TokenTransfer(PrincipalValue(RECIPIENT), 0), {}, "amount: .* not 0"),
        (TokenTransfer(PrincipalValue(SENDER), 1), {}, "recipient: .* is the sender"),
        (TRANSFER, {"post_conditions": [StxPostCondition(ORIGIN, FungibleCode.EQUAL, 5)]}, "post_conditions: "),
        (Coinbase(bytes(32)), {}, "payload: .* not Coinbase"),
        ("transfer", {}, "payload: .* not str"),
        (CALL, {"post_conditions": ["x"]}, "post_conditions: "),
        (CALL, {"mode": 2}, "mode must be"),
        (CALL, {"anchor_mode": 3}, "anchor_mode must be"),
    ],
)
def test_transactions_that_no_node_accepts_are_rejected(payload: Any, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        build(payload, **changes)


SECRET = KEY.to_hex()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"public_key": KEY}, "public_key must be a PublicKey, got PrivateKey; give its public_key"),
        ({"public_key": SECRET}, "public_key must be a PublicKey, got str; .*from_hex"),
        ({"public_key": None, "account": KEY.public_key}, "account must be SingleSig or Multisig, got PublicKey"),
        ({"public_key": None, "account": SECRET}, "account must be SingleSig or Multisig, got str"),
        ({"network": "devnet"}, "network must be Network, got str; use DEVNET of der_client"),
        ({"network": None}, "network must be Network, got NoneType"),
        (
            {"post_conditions": StxPostCondition(ORIGIN, FungibleCode.EQUAL, 1)},
            "post_conditions must be a list or tuple, got StxPostCondition",
        ),
        ({"post_conditions": None}, "post_conditions must be a list or tuple, got NoneType"),
    ],
)
def test_arguments_of_the_wrong_type_are_rejected_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason) as caught:
        build(**changes)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", [SECRET, None, KEY.public_key, bytes.fromhex(SECRET)])
def test_signing_needs_a_private_key(key: Any) -> None:
    reason = f"key must be a PrivateKey, got {type(key).__name__}; .*from_hex"
    sponsored = build(sponsored=True, fee=0).sign(KEY)
    with pytest.raises(KeyFormatError, match=reason) as caught:
        build().sign(key)
    assert SECRET not in str(caught.value)
    with pytest.raises(KeyFormatError, match=reason):
        sponsored.sponsor(key, nonce=0, fee=1)
    with pytest.raises(InvalidValueError, match=r"account must be SingleSig or Multisig, got .*SingleSig\("):
        sponsored.with_sponsor(key, nonce=0, fee=1)


@pytest.mark.parametrize("account", [SingleSig(KEY.public_key), Multisig((KEY.public_key,), 1)])
def test_an_address_needs_a_network_object(account: Any) -> None:
    with pytest.raises(InvalidValueError, match="network must be Network, got str"):
        account.address("devnet")


def test_changing_the_fee_removes_the_signature() -> None:
    signed = build().sign(KEY)
    cheaper = signed.with_fee(200)
    assert (cheaper.fee, cheaper.nonce, cheaper.is_signed) == (200, 7, False)
    assert cheaper == build(fee=200)
    assert cheaper.sign(KEY).encode() == build(fee=200).sign(KEY).encode()
    with pytest.raises(InvalidValueError, match="fee"):
        signed.with_fee(-1)


def test_changing_the_nonce_removes_the_signature() -> None:
    later = build().sign(KEY).with_nonce(8)
    assert later == build(nonce=8)
    assert later.sign(KEY).verify()
    with pytest.raises(InvalidValueError, match="nonce"):
        later.with_nonce(2**64)


def test_changing_the_fee_removes_all_signatures_of_a_multisig_account() -> None:
    account = Multisig(tuple(key.public_key for key in KEYS[:3]), 2)
    unsigned = build(public_key=None, account=account)
    signed = unsigned.sign(KEYS[2]).sign(KEYS[0])
    assert signed.verify()
    assert signed.with_fee(300) == unsigned
    assert signed.with_fee(9).sign(KEYS[1]).sign(KEYS[0]).verify()


def test_only_the_senders_key_can_sign() -> None:
    for stranger in (KEYS[1], type(KEY).from_hex(KEY.to_hex()[:64])):
        with pytest.raises(SigningError, match="cannot sign for this account") as caught:
            build().sign(stranger)
        assert stranger.to_hex()[:64] not in str(caught.value)


def test_signing_twice_is_rejected() -> None:
    signed = build().sign(KEY)
    with pytest.raises(SigningError, match="already fully signed"):
        signed.sign(KEY)


def test_an_uncompressed_key_signs_for_its_own_address() -> None:
    long = type(KEY).from_hex(KEY.to_hex()[:64])
    signed = build(public_key=long.public_key).sign(long)
    assert signed.verify()
    assert signed.origin == long.address(DEVNET) != SENDER
    # The signature also covers the key's encoding.
    assert isinstance(signed.origin_condition, SingleSigCondition)
    with pytest.raises(SigningError):
        replace(signed, origin_condition=replace(signed.origin_condition, compressed=True)).verify()


def test_a_key_encoding_that_does_not_match_the_address_cannot_sign() -> None:
    transaction = build()
    assert isinstance(transaction.origin_condition, SingleSigCondition)
    odd = replace(transaction, origin_condition=replace(transaction.origin_condition, compressed=False))
    with pytest.raises(SigningError, match="cannot sign for this account"):
        odd.sign(KEY)


def test_a_segwit_account_signs_with_a_compressed_key() -> None:
    account = SingleSig(KEY.public_key, segwit=True)
    signed = build(public_key=None, account=account).sign(KEY)
    assert signed.verify()
    assert signed.origin == account.address(DEVNET)
    assert signed.origin.startswith("SN")
    with pytest.raises(ValueError, match="compressed"):
        SingleSig(PublicKey(KEY.public_key.uncompressed_data), segwit=True)


def test_the_length_is_known_before_signing() -> None:
    for account in (
        Multisig(tuple(key.public_key for key in KEYS[:5]), 3),
        Multisig(tuple(key.public_key for key in KEYS[:5]), 3, segwit=True, sequential=True),
    ):
        transaction = build(public_key=None, account=account)
        foretold = transaction.estimated_length
        for key in KEYS[:3]:
            transaction = transaction.sign(key)
            assert transaction.estimated_length == foretold
        assert len(transaction.encode()) == foretold
    sponsored = build(sponsored=True)
    assert len(sponsored.sign(KEY).sponsor(KEYS[1], nonce=0, fee=1).encode()) == sponsored.estimated_length


def test_publishing_keeps_the_code_unchanged() -> None:
    code = '(define-constant name "plant")\n\t;; 1 < 2\n'
    payload = build(ContractPublish("plant", code, 4)).payload
    assert Transaction.decode(build(ContractPublish("plant", code, 4)).encode()).payload == payload
    assert payload == ContractPublish("plant", code, 4)
