"""Broadcasts that fail: only a rejection in the node's own format proves that nothing arrived."""

from __future__ import annotations

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.errors import ConfirmationTimeoutError, TransactionRejectedError

from . import kinds
from .proxy import FaultProxy
from .replica import API_READS, NODE_READS, Lag
from .test_nonces import POST, now, received, sent_nonces

UNREADABLE = {
    "reset, then a gateway's page": (kinds.reset_after, kinds.page(400)),
    "reset, then another gateway's page": (kinds.reset_after, kinds.page(403)),
    "reset, then nonsense": (kinds.reset_after, kinds.says(400, b"?")),
    "reset, then JSON of something else": (kinds.reset_after, kinds.says(400, b'{"error": "quota"}')),
    "reset, then a refusal of something else": (
        kinds.reset_after,
        kinds.says(400, b'{"error": "transaction rejected", "reason": "FeeTooLow", "txid": "' + b"00" * 32 + b'"}'),
    ),
    "reset, then a redirect": (kinds.reset_after, kinds.redirect("http://example.com/")),
    "half an answer": (kinds.half, kinds.half, kinds.half),
    "half a head": (kinds.half_head, kinds.half_head, kinds.half_head),
    "a page with 200": (kinds.page(200, delivered=True),) * 3,
    "created": (kinds.says(201, b"{}", delivered=True),) * 3,
    "no content": (kinds.says(204, delivered=True),) * 3,
    "moved": (kinds.redirect("http://example.com/", 302, delivered=True),) * 3,
    "client closed request": (kinds.page(499, delivered=True),) * 3,
    "time-out of a gateway": (kinds.page(504, delivered=True),) * 3,
    "busy, after it arrived": (kinds.busy(503, delivered=True), kinds.page(400)),
    "too many, after it arrived": (kinds.busy(429, "1", delivered=True), kinds.page(400)),
}


@pytest.mark.parametrize("faults", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unclear_response_leaves_the_broadcast_unknown(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str, faults: tuple[kinds.Fault, ...]
) -> None:
    before = received(chain, payee)
    proxy.lag = Lag(since=now(), reads=API_READS | NODE_READS)  # neither the API nor the node shows whether it arrived
    proxy.on(*POST, *faults)
    with pytest.raises(ConfirmationTimeoutError) as caught:
        account.transfer(payee, 7)
    assert caught.value.txid
    assert account.next_nonce() == 1, "the nonce stays taken"
    proxy.clear()
    assert account.client.send(caught.value.raw) == caught.value.txid
    chain.mine()
    assert received(chain, payee) - before == 7
    assert account.pending(caught.value.txid).wait(5).nonce == 0


@pytest.mark.parametrize(
    "fault", [kinds.early_hints, kinds.slow(0.05), kinds.dripped_head(0.0), kinds.dripped_body(0.0)]
)
def test_an_unusual_but_valid_response_is_accepted(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str, fault: kinds.Fault
) -> None:
    proxy.lag = Lag(since=now(), reads=API_READS | NODE_READS)
    proxy.on(*POST, fault)
    pending = account.transfer(payee, 7)
    assert account.next_nonce() == 1
    proxy.clear()
    chain.mine()
    pending.wait(5)


def test_a_rejection_by_the_node_frees_the_nonce(
    chain: Devnet, proxy: FaultProxy, account: Account, payee: str
) -> None:
    with pytest.raises(TransactionRejectedError, match="NotEnoughFunds"):
        account.transfer(payee, 1 << 62)
    assert account.next_nonce() == 0


def test_a_broadcast_that_never_arrives_can_be_sent_again(
    chain: Devnet, account: Account, proxy: FaultProxy, payee: str
) -> None:
    proxy.on(*POST, *(kinds.reset_before,) * 3)
    with pytest.raises(ConfirmationTimeoutError) as caught:
        account.transfer(payee, 7)
    assert sent_nonces(chain, account.address) == []
    account.client.send(caught.value.raw)
    assert sent_nonces(chain, account.address) == [0]
