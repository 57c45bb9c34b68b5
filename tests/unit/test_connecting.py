"""What ``Der.connect`` accepts as account and URL, and its errors for anything else."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from der_client import Account, Der, FeePolicy, PrivateKey, Wallet
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.keys import PublicKey
from der_client.stacks.multisig import MultisigAccount
from der_client.stacks.network import DEVNET, TESTNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import Multisig
from tests.unit.stacks.test_account import Flat

URL = "http://127.0.0.1:3999"
DEPLOYER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
WORDS = "abandon " * 11 + "about"
KEY = PrivateKey.from_hex("11" * 32 + "01")


def connect(account: Any, url: Any = URL, **more: Any) -> Der:
    return Der.connect(url, account, deployer=DEPLOYER, network=DEVNET, **more)


def test_any_object_with_a_key_can_sign() -> None:
    wallet = Wallet.from_mnemonic(WORDS.strip())

    class Owner:
        key = KEY

    account = Account(KEY, Client(URL, network=DEVNET))
    for given, address in (
        (KEY, KEY.address(DEVNET)),
        (Owner(), KEY.address(DEVNET)),
        (account, KEY.address(DEVNET)),
        (wallet, wallet.account(0).address(DEVNET)),
    ):
        der = connect(given)
        assert der.account is not None
        assert der.account.address == address
        assert der.assets.require_account() is der.account
    assert connect(account).account is account
    assert connect(None).with_account(wallet).account is not None


SECRET = "22" * 32
WRONG: list[tuple[Any, str]] = [
    (DEPLOYER, f"got the address {DEPLOYER}, which cannot sign: give its PrivateKey, or leave it out"),
    (SECRET, r"got text: write PrivateKey\.from_hex\(…\) for a key, Wallet\.from_mnemonic"),
    (WORDS, "got text"),
    (5, "got int"),
    (KEY.public_key, "got PublicKey"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_other_accounts_are_rejected_without_showing_secrets(given: Any, words: str) -> None:
    for act in (connect, connect(None).with_account):
        with pytest.raises(
            InvalidValueError, match=rf"account: expected a PrivateKey, an Account, .* {words}"
        ) as caught:
            act(given)
        assert SECRET not in str(caught.value)
        assert "abandon" not in str(caught.value)
        for frame, _ in traceback.walk_tb(caught.tb):
            if frame.f_globals["__name__"].startswith("der_client."):
                assert SECRET not in repr(frame.f_locals)
                assert "abandon" not in repr(frame.f_locals)


def test_an_account_must_have_the_same_node_and_keeps_its_fee_policy() -> None:
    account = Account(KEY, Client("http://127.0.0.1:1", network=DEVNET))
    with pytest.raises(InvalidValueError, match=r"it is for http://127\.0\.0\.1:1, but the connection is to "):
        connect(account)
    with pytest.raises(InvalidValueError, match="fee_policy: an Account has its own"):
        connect(Account(KEY, Client(URL, network=DEVNET)), fee_policy=FeePolicy())


def test_a_custom_fee_policy_applies_to_all_accounts() -> None:
    """Casts are not needed: mypy accepts any object with the methods of the protocol."""
    policy, client = Flat(), Client(URL, network=DEVNET)
    der = Der.connect(client, KEY, deployer=DEPLOYER, fee_policy=policy)
    two = Multisig((KEY.public_key, PrivateKey.generate().public_key), 2)
    for account in (
        der.account,
        der.with_account(PrivateKey.generate()).account,
        Account(KEY, client, fee_policy=policy),
        MultisigAccount(two, client, fee_policy=policy),
    ):
        assert account is not None
        assert account.fee_policy is policy


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/extended", "/extended/v1/", "/v3"])
def test_a_url_with_a_path_of_the_api_is_rejected(path: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"ends in {path.rstrip('/')}: give the base address, {URL}$"):
        connect(None, URL + path)
    assert connect(None, f"{URL}/node").client.url == f"{URL}/node"


def test_a_url_must_be_text() -> None:
    with pytest.raises(InvalidValueError, match="url must be str, got int; give the base address"):
        connect(None, 5)


def test_a_network_name_is_not_accepted_as_a_network() -> None:
    two = Multisig((KEY.public_key, PrivateKey.generate().public_key), 2)
    name: Any = "testnet"
    for owner in (KEY, KEY.public_key, two):
        assert isinstance(owner, PrivateKey | PublicKey | Multisig)
        with pytest.raises(InvalidValueError, match="network must be Network, got str; use TESTNET of der_client"):
            owner.address(name)
        assert owner.address(TESTNET)
