"""Nonces while the API, or also the node, lags: nothing is paid twice, and nothing is replaced by mistake."""

from __future__ import annotations

import time
from typing import Any

import pytest

from der_client.devnet import Devnet
from der_client.stacks import known_nonces, nonces
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import (
    NonceConflictError,
    TransactionDroppedError,
    TransactionRejectedError,
)
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import TokenTransfer, Transaction

from .proxy import FaultProxy
from .replica import API_READS, NODE_READS, Lag

POST = ("POST", "/v2/transactions")
BEHIND = {"only the API": API_READS, "API and node": API_READS | NODE_READS}


def now() -> float:
    """Return the current time of the monotonic clock, strictly after everything that was done before."""
    time.sleep(0.01)
    return time.monotonic()


def received(chain: Devnet, payee: str) -> int:
    """Return the payee's balance, read from the chain directly."""
    with Client(chain.url) as client:
        return client.account(payee).balance_ustx


def sent_nonces(chain: Devnet, address: str) -> list[int]:
    """Return the nonces of the account's transactions in the chain and the mempool."""
    with Client(chain.url) as client:
        told = client.nonces(address)
    mined = [] if told.last_executed is None else list(range(told.last_executed + 1))
    waiting = {*told.in_mempool, *([] if told.last_in_mempool is None else [told.last_in_mempool])}
    return [*mined, *sorted(waiting)]


@pytest.fixture(params=BEHIND)
def lagging(request: pytest.FixtureRequest) -> frozenset[str]:
    return BEHIND[request.param]


def test_nonces_of_mined_transactions_are_not_used_again(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str, lagging: frozenset[str]
) -> None:
    moment = now()
    pending = account.transfer(payee, 1)
    chain.mine()
    pending.wait(5)
    proxy.lag = Lag(since=moment, reads=lagging)
    assert account.client.nonces(account.address).possible_next == 0
    for nonce in range(1, 5):
        assert account.next_nonce() == nonce
        account.transfer(payee, 1)
    assert sent_nonces(chain, account.address) == [0, 1, 2, 3, 4]


def test_the_nodes_nonce_is_used_if_it_is_ahead_of_the_api(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str
) -> None:
    """Another program's transaction with the first nonce is mined, and only the node shows it."""
    Account(chain.accounts["wallet_1"].key, Client(chain.url)).transfer(payee, 1)
    moment = now()
    chain.mine()
    proxy.lag = Lag(since=moment - 3600)
    assert account.client.nonces(account.address).possible_next == 0
    assert account.next_nonce() == 1


def test_an_api_alone_does_not_prove_that_a_transaction_was_lost(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
    monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
    proxy.lag = Lag(since=now())
    before = received(chain, payee)
    for amount in range(1, 9):
        account.transfer(payee, amount, fee_ustx=1_000 * amount)
    chain.mine()
    assert sent_nonces(chain, account.address) == list(range(8))
    assert received(chain, payee) - before == sum(range(1, 9))


def test_the_nonce_that_the_node_expects_is_used_next(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str
) -> None:
    other = Account(account._key, Client(chain.url))
    other.transfer(payee, 1)
    chain.mine()
    proxy.lag = Lag(seconds=3600, reads=API_READS | NODE_READS)
    moment = proxy._replica._tips[0]
    proxy._replica._tips[0] = (moment[0], 0)  # the replica hung before the first transfer
    with pytest.raises(TransactionRejectedError, match="BadNonce"):
        account.transfer(payee, 2)
    account.transfer(payee, 3)
    assert sent_nonces(chain, account.address) == [0, 1]


def test_a_nonce_that_conflicted_is_not_used_again(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str
) -> None:
    """Another program's pending transaction is not shown by the API yet, and the new one has the same fee."""
    other = Account(account._key, Client(chain.url)).transfer(payee, 1, fee_ustx=1_000)
    proxy.lag = Lag(since=now() - 3600)
    with pytest.raises(TransactionRejectedError, match="ConflictingNonceInMempool"):
        account.transfer(payee, 2, fee_ustx=1_000)
    account.transfer(payee, 3, fee_ustx=1_000)
    chain.mine()
    assert other.wait(5).nonce == 0
    assert sent_nonces(chain, account.address) == [0, 1]


class TestReplacing:
    """A transaction replaces another one only on request."""

    @pytest.fixture
    def first(self, account: Account, payee: str) -> Any:
        return account.transfer(payee, 1, fee_ustx=1_000)

    @pytest.fixture
    def after_restart(self, account: Account) -> Account:
        return Account(account._key, account.client)

    def test_an_unintended_replacement_after_a_restart_is_rejected(
        self, first: Any, chain: Devnet, after_restart: Account, payee: str
    ) -> None:
        with pytest.raises(NonceConflictError, match=r"nonce 0 is in use by another .* replaces=True") as caught:
            after_restart.transfer(payee, 2, nonce=0, fee_ustx=2_000)
        assert caught.value.nonce == 0
        transaction = after_restart.build(first_payload(payee), nonce=0, fee_ustx=3_000)
        with pytest.raises(NonceConflictError):
            after_restart.sign_and_send(transaction)
        with pytest.raises(NonceConflictError):
            after_restart.send(after_restart.sign(transaction))
        chain.mine()
        assert first.wait(5).txid == first.txid

    def test_an_unintended_replacement_in_one_program_is_rejected(
        self, first: Any, account: Account, payee: str
    ) -> None:
        with pytest.raises(NonceConflictError, match=f"in use by transaction {first.txid}") as caught:
            account.transfer(payee, 2, nonce=0, fee_ustx=2_000)
        assert caught.value.txid == first.txid

    def test_an_intended_replacement_is_mined(
        self, first: Any, chain: Devnet, after_restart: Account, payee: str
    ) -> None:
        second = after_restart.transfer(payee, 2, nonce=0, fee_ustx=2_000, replaces=True)
        chain.mine()
        assert second.wait(5).fee_ustx == 2_000
        with pytest.raises(TransactionDroppedError):
            first.wait(5)

    def test_the_fee_policy_raises_the_fee_of_a_replacement(
        self, first: Any, chain: Devnet, account: Account, payee: str
    ) -> None:
        second = account.transfer(payee, 2, nonce=0, replaces=True)
        chain.mine()
        assert second.wait(5).fee_ustx == 1_250
        with pytest.raises(TransactionDroppedError):
            first.wait(5)

    def test_a_replacement_needs_a_nonce(self, account: Account, payee: str) -> None:
        with pytest.raises(ValueError, match="needs nonce="):
            account.transfer(payee, 2, replaces=True)

    def test_the_same_bytes_are_not_a_replacement(self, first: Any, after_restart: Account) -> None:
        assert after_restart.send(Transaction.decode(first.raw)).txid == first.txid


def first_payload(payee: str) -> Any:
    return TokenTransfer(PrincipalValue(payee), 5)
