"""What becomes of transactions between their submission and a block, in steps that follow each other."""

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
from tests.conformance.rejections import signed
from tests.conformance.shapes import AtLeast, mismatches
from tests.conformance.stage import CLARITY_VERSION, FEE_USTX, FUNDS_USTX

if TYPE_CHECKING:
    import requests

    from tests.conformance.stage import Stage

CONFLICT = Answer(400, JSON, AtLeast({"error": "transaction rejected", "reason": "ConflictingNonceInMempool"}))


def check(response: requests.Response, answer: Answer) -> None:
    problems = list(answer.mismatches(response))
    assert not problems, "\n".join(problems)


def accepted(txid: str) -> Answer:
    return ok(txid)


def test_same_bytes_again(stage: Stage) -> None:
    """While they wait, and when they are in a block."""
    transaction = stage["repeating"].build(stage.transfer())
    for _ in range(3):
        check(stage.node.submit(transaction.encode()), accepted(transaction.txid))
    stage.node.wait_for_nonce(stage["repeating"].address, 1)
    check(stage.node.submit(transaction.encode()), accepted(transaction.txid))
    account = stage.node.account(stage["repeating"].address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX - FEE_USTX - 1, 1)


def test_json_with_an_attachment(stage: Stage) -> None:
    """The attachment is for name services; it is no part of the transaction."""
    actor = stage["attaching"]
    forms: list[dict[str, Any]] = [{}, {"attachment": None}, {"attachment": "68656c6c6f"}]
    for nonce, form in enumerate(forms):
        transaction = actor.build(stage.call("peek"), nonce=nonce)
        request = post("/v2/transactions", {"tx": transaction.encode().hex(), **form})
        check(stage.node.send(request), accepted(transaction.txid))
    stage.node.wait_for_nonce(actor.address, len(forms))


def test_chain_of_transactions(stage: Stage) -> None:
    """Sent in the wrong order, they are mined in that of their nonces."""
    actor = stage["chaining"]
    for nonce in (2, 1, 3, 0):
        stage.submit("chained", actor.build(stage.transfer(), nonce=nonce))
    stage.node.wait_for_nonce(actor.address, 4)
    assert int(stage.node.account(actor.address)["balance"], 16) == FUNDS_USTX - 4 * (FEE_USTX + 1)


def test_replacement_by_fee(stage: Stage) -> None:
    actor = stage["replacing"]
    first = actor.build(stage.transfer(1), nonce=1)
    check(stage.node.submit(first.encode()), accepted(first.txid))
    for fee in (FEE_USTX, FEE_USTX - 1):
        other = actor.build(stage.transfer(2), nonce=1, fee=fee)
        check(stage.node.submit(other.encode()), CONFLICT)
    better = actor.build(stage.transfer(3), nonce=1, fee=FEE_USTX + 1)
    check(stage.node.submit(better.encode()), accepted(better.txid))
    waiting = {"tx": better.encode().hex(), "status": "Mempool"}
    check(stage.node.get(f"/v2/transactions/unconfirmed/{better.txid}"), ok(waiting))
    check(stage.node.get(f"/v2/transactions/unconfirmed/{first.txid}"), text(404))
    stage.submit("unblocking", actor.build(stage.transfer()))
    stage.node.wait_for_nonce(actor.address, 2)
    spent = (FEE_USTX + 1) + 3 + FEE_USTX + 1
    assert int(stage.node.account(actor.address)["balance"], 16) == FUNDS_USTX - spent


def test_replaced_transaction_in_the_api(stage: Stage) -> None:
    actor = stage["outbidding"]
    first = actor.build(stage.transfer(1), nonce=1)
    better = actor.build(stage.transfer(1), nonce=1, fee=2 * FEE_USTX)
    stage.submit("outbid", first)
    stage.node.wait_for_api(first.txid, pending=True)
    stage.submit("outbidding", better)
    stage.submit("unblocking", actor.build(stage.transfer()))
    mined = stage.node.wait_for_api(better.txid)
    assert (mined["tx_status"], mined["fee_rate"]) == ("success", str(2 * FEE_USTX))
    dropped = stage.node.wait_for_api(first.txid)
    assert dropped["tx_status"] == "dropped_replace_by_fee"


def test_what_is_too_much_for_a_block_in_the_api(stage: Stage) -> None:
    """40,000 reads, where a block may have 30,000: it leaves the mempool without a fee, and its nonce is free again."""
    actor = stage["overloading"]
    transaction = actor.build(stage.call("read-too-often", ListValue(tuple(UIntValue(n) for n in range(200)))))
    stage.submit("too much", transaction)
    assert stage.node.wait_for_api(transaction.txid)["tx_status"] == "dropped_too_expensive"
    check(stage.node.get(f"/v2/transactions/unconfirmed/{transaction.txid}"), text(404))
    account = stage.node.account(actor.address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX, 0)
    stage.submit("instead of it", actor.build(stage.transfer()))
    stage.node.wait_for_nonce(actor.address, 1)


def test_missing_nonces_in_the_api(stage: Stage) -> None:
    actor = stage["skipping"]
    for nonce in (0, 1, 3, 5):
        stage.submit("skipping", actor.build(stage.transfer(), nonce=nonce))
    seen = AtLeast({"last_executed_tx_nonce": 1, "last_mempool_tx_nonce": 5})

    def look() -> Any:
        body = stage.node.json(f"/extended/v1/address/{actor.address}/nonces")
        return None if any(mismatches(body, seen)) else body

    nonces = eventually(look, f"the API to see the nonces of {actor.address}")
    for nonce in (2, 4):
        stage.submit("filling", actor.build(stage.transfer(), nonce=nonce))
    stage.node.wait_for_nonce(actor.address, 6)
    assert nonces == {
        "last_executed_tx_nonce": 1,
        "last_mempool_tx_nonce": 5,
        "possible_next_nonce": 6,
        "detected_missing_nonces": [4, 2],
        "detected_mempool_nonces": [3],  # without the last one, which is told above
    }


def test_account_that_sponsors_itself(stage: Stage) -> None:
    """Both nonces are the account's, which goes up once."""
    actor = stage["own_sponsor"]
    for nonce in range(2):
        half = Transaction.build(
            stage.transfer(), public_key=actor.key.public_key, network=DEVNET, nonce=nonce, fee=0, sponsored=True
        ).sign(actor.key)
        stage.submit("own sponsor", half.sponsor(actor.key, nonce=nonce, fee=FEE_USTX))
    stage.node.wait_for_nonce(actor.address, 2)
    account = stage.node.account(actor.address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX - 2 * (FEE_USTX + 1), 2)


def test_transfer_with_post_conditions(stage: Stage) -> None:
    """A node takes it, and can never mine it; so the other one is mined, which has a higher fee."""
    actor = stage["bound"]
    condition = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 1)
    raw = signed(actor, stage.transfer(), post_conditions=(condition,))
    check(stage.node.submit(raw), accepted(sha512_256(raw).hex()))
    stage.submit("instead", actor.build(stage.transfer(), fee=FEE_USTX + 1))
    stage.node.wait_for_nonce(actor.address, 1)


def test_what_follows_a_transaction_is_ignored(stage: Stage) -> None:
    """A node reads one transaction from the body and leaves the rest."""
    transaction = stage["trailing"].build(stage.transfer())
    check(stage.node.submit(transaction.encode() + bytes(1)), accepted(transaction.txid))


def test_contract_that_still_waits(stage: Stage) -> None:
    """What is not in a block cannot be called."""
    source = ContractPublish("unmined", "(define-public (f) (ok u1))", CLARITY_VERSION)
    stage.submit("unmined", stage["waiting"].build(source, nonce=2))
    call = stage["newcomer"].build(ContractCall(f"{stage['waiting'].address}.unmined", "f"))
    check(stage.node.submit(call.encode()), Answer(400, JSON, AtLeast({"reason": "NoSuchContract"})))
