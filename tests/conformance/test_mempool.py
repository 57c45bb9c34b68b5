"""Transactions between their submission and a block, in cases with several steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.stacks.clarity import ListValue, UIntValue
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FungibleCode,
    StxPostCondition,
    Transaction,
)
from der_client.stacks.transactions.hashing import sha512_256
from tests.conformance.case import JSON, Answer, ok, post, text
from tests.conformance.node import eventually
from tests.conformance.prepared import CLARITY_VERSION, FEE_USTX, FUNDS_USTX
from tests.conformance.rejections import signed
from tests.conformance.shapes import AtLeast, mismatches

if TYPE_CHECKING:
    import requests

    from tests.conformance.prepared import Prepared

CONFLICT = Answer(400, JSON, AtLeast({"error": "transaction rejected", "reason": "ConflictingNonceInMempool"}))


def check(response: requests.Response, answer: Answer) -> None:
    problems = list(answer.mismatches(response))
    assert not problems, "\n".join(problems)


def accepted(txid: str) -> Answer:
    return ok(txid)


def test_duplicate_submission(prepared: Prepared) -> None:
    """The same bytes are accepted again while they are pending and after they were mined."""
    transaction = prepared["repeating"].build(prepared.transfer())
    for _ in range(3):
        check(prepared.node.submit(transaction.encode()), accepted(transaction.txid))
    prepared.node.wait_for_nonce(prepared["repeating"].address, 1)
    check(prepared.node.submit(transaction.encode()), accepted(transaction.txid))
    account = prepared.node.account(prepared["repeating"].address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX - FEE_USTX - 1, 1)


def test_json_with_an_attachment(prepared: Prepared) -> None:
    """Attachments are for name services; they are not part of the transaction."""
    actor = prepared["attaching"]
    forms: list[dict[str, Any]] = [{}, {"attachment": None}, {"attachment": "68656c6c6f"}]
    for nonce, form in enumerate(forms):
        transaction = actor.build(prepared.call("peek"), nonce=nonce)
        request = post("/v2/transactions", {"tx": transaction.encode().hex(), **form})
        check(prepared.node.send(request), accepted(transaction.txid))
    prepared.node.wait_for_nonce(actor.address, len(forms))


def test_chain_of_transactions(prepared: Prepared) -> None:
    """The transactions are sent in the wrong order, and mined in the order of their nonces."""
    actor = prepared["chaining"]
    for nonce in (2, 1, 3, 0):
        prepared.submit("chained", actor.build(prepared.transfer(), nonce=nonce))
    prepared.node.wait_for_nonce(actor.address, 4)
    assert int(prepared.node.account(actor.address)["balance"], 16) == FUNDS_USTX - 4 * (FEE_USTX + 1)


def test_replacement_by_fee(prepared: Prepared) -> None:
    actor = prepared["replacing"]
    first = actor.build(prepared.transfer(1), nonce=1)
    check(prepared.node.submit(first.encode()), accepted(first.txid))
    for fee in (FEE_USTX, FEE_USTX - 1):
        other = actor.build(prepared.transfer(2), nonce=1, fee=fee)
        check(prepared.node.submit(other.encode()), CONFLICT)
    better = actor.build(prepared.transfer(3), nonce=1, fee=FEE_USTX + 1)
    check(prepared.node.submit(better.encode()), accepted(better.txid))
    waiting = {"tx": better.encode().hex(), "status": "Mempool"}
    check(prepared.node.get(f"/v2/transactions/unconfirmed/{better.txid}"), ok(waiting))
    check(prepared.node.get(f"/v2/transactions/unconfirmed/{first.txid}"), text(404))
    prepared.submit("unblocking", actor.build(prepared.transfer()))
    prepared.node.wait_for_nonce(actor.address, 2)
    spent = (FEE_USTX + 1) + 3 + FEE_USTX + 1
    assert int(prepared.node.account(actor.address)["balance"], 16) == FUNDS_USTX - spent


def test_replaced_transaction_in_the_api(prepared: Prepared) -> None:
    actor = prepared["outbidding"]
    first = actor.build(prepared.transfer(1), nonce=1)
    better = actor.build(prepared.transfer(1), nonce=1, fee=2 * FEE_USTX)
    prepared.submit("outbid", first)
    prepared.node.wait_for_api(first.txid, pending=True)
    prepared.submit("outbidding", better)
    prepared.submit("unblocking", actor.build(prepared.transfer()))
    mined = prepared.node.wait_for_api(better.txid)
    assert (mined["tx_status"], mined["fee_rate"]) == ("success", str(2 * FEE_USTX))
    dropped = prepared.node.wait_for_api(first.txid)
    assert dropped["tx_status"] == "dropped_replace_by_fee"


def test_transaction_too_expensive_for_a_block_in_the_api(prepared: Prepared) -> None:
    """A call with 40,000 reads, where a block may have 30,000, is dropped without a fee, and frees its nonce."""
    actor = prepared["overloading"]
    transaction = actor.build(prepared.call("read-too-often", ListValue(tuple(UIntValue(n) for n in range(200)))))
    prepared.submit("too much", transaction)
    assert prepared.node.wait_for_api(transaction.txid)["tx_status"] == "dropped_too_expensive"
    check(prepared.node.get(f"/v2/transactions/unconfirmed/{transaction.txid}"), text(404))
    account = prepared.node.account(actor.address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX, 0)
    prepared.submit("instead of it", actor.build(prepared.transfer()))
    prepared.node.wait_for_nonce(actor.address, 1)


def test_missing_nonces_in_the_api(prepared: Prepared) -> None:
    actor = prepared["skipping"]
    for nonce in (0, 1, 3, 5):
        prepared.submit("skipping", actor.build(prepared.transfer(), nonce=nonce))
    seen = AtLeast({"last_executed_tx_nonce": 1, "last_mempool_tx_nonce": 5})

    def look() -> Any:
        body = prepared.node.json(f"/extended/v1/address/{actor.address}/nonces")
        return None if any(mismatches(body, seen)) else body

    nonces = eventually(look, f"the API to see the nonces of {actor.address}")
    for nonce in (2, 4):
        prepared.submit("filling", actor.build(prepared.transfer(), nonce=nonce))
    prepared.node.wait_for_nonce(actor.address, 6)
    assert nonces == {
        "last_executed_tx_nonce": 1,
        "last_mempool_tx_nonce": 5,
        "possible_next_nonce": 6,
        "detected_missing_nonces": [4, 2],
        "detected_mempool_nonces": [3],  # without the last one, which has its own field
    }


def test_account_that_sponsors_itself(prepared: Prepared) -> None:
    """Both nonces are those of the account, and its nonce goes up by one per transaction."""
    actor = prepared["own_sponsor"]
    for nonce in range(2):
        half = Transaction.build(
            prepared.transfer(), public_key=actor.key.public_key, network=DEVNET, nonce=nonce, fee=0, sponsored=True
        ).sign(actor.key)
        prepared.submit("own sponsor", half.sponsor(actor.key, nonce=nonce, fee=FEE_USTX))
    prepared.node.wait_for_nonce(actor.address, 2)
    account = prepared.node.account(actor.address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX - 2 * (FEE_USTX + 1), 2)


def test_transfer_with_post_conditions(prepared: Prepared) -> None:
    """A node accepts the transfer but can never mine it; a replacement with a higher fee is mined instead."""
    actor = prepared["bound"]
    condition = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 1)
    raw = signed(actor, prepared.transfer(), post_conditions=(condition,))
    check(prepared.node.submit(raw), accepted(sha512_256(raw).hex()))
    prepared.submit("instead", actor.build(prepared.transfer(), fee=FEE_USTX + 1))
    prepared.node.wait_for_nonce(actor.address, 1)


def test_what_follows_a_transaction_is_ignored(prepared: Prepared) -> None:
    """A node reads one transaction from the body and ignores the remaining bytes."""
    transaction = prepared["trailing"].build(prepared.transfer())
    check(prepared.node.submit(transaction.encode() + bytes(1)), accepted(transaction.txid))


def test_call_of_a_pending_contract(prepared: Prepared) -> None:
    """A contract can be called only after it was mined."""
    source = ContractPublish("unmined", "(define-public (f) (ok u1))", CLARITY_VERSION)
    prepared.submit("unmined", prepared["waiting"].build(source, nonce=2))
    call = prepared["newcomer"].build(ContractCall(f"{prepared['waiting'].address}.unmined", "f"))
    check(prepared.node.submit(call.encode()), Answer(400, JSON, AtLeast({"reason": "NoSuchContract"})))
