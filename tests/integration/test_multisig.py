"""A multisig account owns the contracts, publishes others, and calls typed functions step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client import PrivateKey
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.multisig import MultisigAccount
from der_client.stacks.network import DEVNET
from der_client.stacks.standards import Sip010
from der_client.stacks.transactions import ContractPublish, Multisig, Transaction
from tests.integration.test_standards import COIN

if TYPE_CHECKING:
    from der_client import Der

KEYS = [PrivateKey.from_hex(f"{number:064x}01") for number in (11, 12, 13)]
STRANGER = PrivateKey.from_hex(f"{14:064x}01")


def account_of(der: Der, *keys: PrivateKey, sequential: bool = False) -> MultisigAccount:
    multisig = Multisig(tuple(key.public_key for key in KEYS), 2, sequential=sequential)
    return MultisigAccount(multisig, der.client, keys=keys)


@pytest.fixture
def funded(der: Der) -> Der:
    assert der.account is not None
    der.account.transfer(account_of(der).address, 10**9).wait()
    return der


@pytest.mark.parametrize("sequential", [False, True])
def test_a_multisig_owner_signs_step_by_step(funded: Der, sequential: bool) -> None:
    account = account_of(funded, sequential=sequential)
    funded.assets.propose_owner(account.address).send().wait()
    call = funded.with_account(account).assets.accept_owner()
    assert call.simulate().value is True

    unsigned = call.transaction()
    handed_on = unsigned.sign(KEYS[0]).encode()
    with pytest.raises(SigningError):
        call.send(Transaction.decode(handed_on, DEVNET))
    signed = Transaction.decode(handed_on, DEVNET).sign(KEYS[2])
    receipt = call.send(signed).wait()
    assert receipt.txid == signed.txid
    assert funded.assets.get_contract_owner() == account.address


def test_with_enough_keys_it_works_like_any_account(funded: Der) -> None:
    account = account_of(funded, KEYS[2], KEYS[0])
    account.submit(ContractPublish("coin", COIN, 4)).wait()
    coin = Sip010.at(funded.client, f"{account.address}.coin", account)
    assert funded.account is not None
    assert coin.transfer(5, account.address, funded.account.address).send().wait().value is True
    assert coin.get_balance(account.address) == 995
    transaction = coin.transfer(5, account.address, funded.account.address).transaction()
    assert account.sign_and_send(transaction).wait().txid


def test_with_too_few_keys_the_error_says_how_to_sign(funded: Der) -> None:
    assert funded.account is not None
    for keys, held in (((), "0 are"), (KEYS[:1], "1 is")):
        account = account_of(funded, *keys)
        call = funded.with_account(account).assets.set_paused(True)
        with pytest.raises(SigningError, match=rf"2 of 3 keys must sign, and {held} held here: build .* account\.b"):
            call.send()
        with pytest.raises(SigningError, match="2 of 3 keys must sign"):
            account.sign_and_send(call.transaction())
    partly = account_of(funded, KEYS[0]).sign(call.transaction())
    assert not partly.is_signed
    assert account_of(funded, KEYS[1]).sign(partly).is_signed
    with pytest.raises(SigningError, match="does not sponsor"):
        account.sponsor(partly)


def test_invalid_keys_are_rejected_and_no_key_is_shown(der: Der) -> None:
    with pytest.raises(SigningError, match=f"the key of {STRANGER.public_key.data.hex()} is not one of the account"):
        account_of(der, STRANGER)
    with pytest.raises(InvalidValueError, match="multisig must be Multisig, got PrivateKey"):
        MultisigAccount(KEYS[0], der.client)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"keys: must be a list of .*, got PrivateKey; write \(…,\)"):
        MultisigAccount(account_of(der).multisig, der.client, keys=KEYS[0])  # type: ignore[arg-type]
    shown = repr(account_of(der, *KEYS))
    assert shown.startswith("MultisigAccount(2 of 3, http")
    assert all(key.to_hex()[:64] not in shown for key in KEYS)
