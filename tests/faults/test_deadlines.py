"""Through the proxy: whatever the way to a node does to time, a call ends, and a payment is made once."""

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
    return Client(proxy.url, retries=RetryPolicy(attempts=1), answer_deadline_s=0.3)


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_a_read_ends(proxy: FaultProxy, hasty: Client, fault: kinds.Fault) -> None:
    proxy.on("GET", "/v2/info", fault)
    with pytest.raises(NodeError):
        hasty.info()
    assert hasty.info().network_id == 0x80000000


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_a_payment_whose_answer_never_ends_is_found(
    proxy: FaultProxy, hasty: Client, chain: Devnet, payee: str, fault: kinds.Fault
) -> None:
    """The node has it, which the next look shows; nothing is sent again."""
    account = Account(chain.accounts["wallet_1"].key, hasty)
    proxy.on(*SEND, fault)
    pending = account.transfer(payee, 1)
    chain.mine()
    assert pending.wait().txid == pending.txid
    assert len(proxy.asked(*SEND)) == 1


def test_early_hints_before_the_answer(proxy: FaultProxy, account: Account, chain: Devnet, payee: str) -> None:
    proxy.on(*SEND, kinds.early_hints)
    pending = account.transfer(payee, 1)
    chain.mine()
    pending.wait()
    assert len(proxy.asked()) == len([entry for entry in proxy.asked() if entry.was_delivered])


@pytest.mark.parametrize("status", [201, 302, 400, 403, 413, 499])
def test_a_page_instead_of_the_answer_to_a_payment_that_arrived(
    proxy: FaultProxy, client: Client, account: Account, chain: Devnet, payee: str, status: int
) -> None:
    """It is looked for, and where nobody shows it yet, nothing is claimed of it."""
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
