"""Slow and endless responses through the proxy: every call ends, and a payment is made once."""

from __future__ import annotations

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import BroadcastUnknownError, NodeError
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.transactions import TokenTransfer

from . import kinds
from .proxy import FaultProxy

SEND = ("POST", "/v2/transactions")
ENDLESS = {
    "dripped head": kinds.dripped_head(0.05),
    "dripped body": kinds.dripped_body(0.05),
    "headers": kinds.endless_headers,
    "continue": kinds.endless_continue,
    "chunk extension": kinds.endless_chunk_extension,
    "trailers": kinds.endless_trailers,
}


@pytest.fixture
def hasty(proxy: FaultProxy) -> Client:
    return Client(proxy.url, retries=RetryPolicy(attempts=1), response_deadline_s=0.3)


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_read_fails_at_the_deadline(proxy: FaultProxy, hasty: Client, fault: kinds.Fault) -> None:
    proxy.on("GET", "/v2/info", fault)
    with pytest.raises(NodeError):
        hasty.info()
    assert hasty.info().network_id == 0x80000000


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_a_payment_with_an_endless_response_is_found(
    proxy: FaultProxy, hasty: Client, chain: Devnet, payee: str, fault: kinds.Fault
) -> None:
    """The node has the payment, as the next status request shows; nothing is sent again."""
    account = Account(chain.accounts["wallet_1"].key, hasty)
    proxy.on(*SEND, fault)
    pending = account.transfer(payee, 1)
    chain.mine()
    assert pending.wait().txid == pending.txid
    assert len(proxy.asked(*SEND)) == 1


def test_early_hints_before_a_response_are_skipped(
    proxy: FaultProxy, account: Account, chain: Devnet, payee: str
) -> None:
    proxy.on(*SEND, kinds.early_hints)
    pending = account.transfer(payee, 1)
    chain.mine()
    pending.wait()
    assert len(proxy.asked()) == len([entry for entry in proxy.asked() if entry.was_delivered])


@pytest.mark.parametrize("status", [201, 302, 400, 403, 413, 499])
def test_a_payment_answered_with_a_web_page_is_looked_up(
    proxy: FaultProxy, client: Client, account: Account, chain: Devnet, payee: str, status: int
) -> None:
    """The payment is looked up; if it cannot be found yet, its broadcast is reported as unknown."""
    proxy.on(*SEND, kinds.page(status, delivered=True))
    assert account.transfer(payee, 1).txid
    proxy.on(*SEND, kinds.page(status, delivered=True))
    signed = account.sign(account.build(TokenTransfer(PrincipalValue(payee), 2), nonce=1, fee_ustx=1_000))
    raw = signed.encode()
    proxy.hide(signed.txid)
    with pytest.raises(BroadcastUnknownError) as caught:
        client.send(raw)
    assert caught.value.raw == raw
    proxy.clear()
    assert client.send(raw) == caught.value.txid
