"""What a node posts to event observers (stacks-core, docs/event-dispatcher.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.cases.chain import COST
from tests.conformance.shapes import HEX, PREFIXED_HASH, AtLeast, NumberFrom, mismatches
from tests.conformance.stage import FEE_USTX

if TYPE_CHECKING:
    from tests.conformance.observer import Observer
    from tests.conformance.stage import Stage

BLOCK = AtLeast(
    {
        "block_hash": PREFIXED_HASH,
        "block_height": NumberFrom(1),
        "block_time": NumberFrom(1),
        "index_block_hash": PREFIXED_HASH,
        "parent_block_hash": PREFIXED_HASH,
        "parent_index_block_hash": PREFIXED_HASH,
        "burn_block_hash": PREFIXED_HASH,
        "burn_block_height": NumberFrom(1),
        "burn_block_time": NumberFrom(1),
        "miner_txid": PREFIXED_HASH,
        "matured_miner_rewards": list,
        "anchored_cost": COST,
        "events": list,
        "transactions": list,
    }
)


@pytest.fixture
def observer(request: pytest.FixtureRequest) -> Observer:
    found: Observer | None = request.getfixturevalue("configured_observer")
    if found is None:
        pytest.skip("the node posts to no observer here: give --observer-port, for which it must be configured")
    return found


def block_with(observer: Observer, txid: str) -> Any:
    def has_it(body: Any) -> bool:
        return any(one["txid"] == f"0x{txid}" for one in body["transactions"])

    return observer.wait_for("/new_block", has_it, f"a block with {txid}")


def events_of(block: Any, txid: str) -> list[Any]:
    return [event for event in block["events"] if event["txid"] == f"0x{txid}"]


def test_observer_hears_of_a_transaction_in_the_mempool(stage: Stage, observer: Observer) -> None:
    raw = f"0x{stage.sent['transfer'].encode().hex()}"
    heard = observer.wait_for("/new_mempool_tx", lambda body: raw in body, "the transfer in the mempool")
    assert all(isinstance(one, str) for one in heard)


def test_observer_hears_of_a_block(stage: Stage, observer: Observer) -> None:
    transfer = stage.sent["transfer"]
    block = block_with(observer, transfer.txid)
    assert list(mismatches(block, BLOCK)) == []
    (mined,) = (one for one in block["transactions"] if one["txid"] == f"0x{transfer.txid}")
    shape = AtLeast(
        {
            "raw_tx": f"0x{transfer.encode().hex()}",
            "raw_result": "0x0703",
            "status": "success",
            "tx_index": NumberFrom(0),
            "burnchain_op": None,
            "execution_cost": COST,
        }
    )
    assert list(mismatches(mined, shape)) == []
    (event,) = events_of(block, transfer.txid)
    parties = {"sender": stage["transferrer"].address, "recipient": stage["payee"].address, "amount": "5"}
    moved = AtLeast({"type": "stx_transfer_event", "committed": True, "stx_transfer_event": AtLeast(parties)})
    assert list(mismatches(event, moved)) == []


def test_observer_hears_of_what_a_contract_prints(stage: Stage, observer: Observer) -> None:
    block = block_with(observer, stage.sent["call"].txid)
    (event,) = events_of(block, stage.sent["call"].txid)
    printed = {"contract_identifier": stage.contract, "topic": "print", "raw_value": HEX, "value": dict}
    shape = AtLeast({"type": "contract_event", "committed": True, "contract_event": AtLeast(printed)})
    assert list(mismatches(event, shape)) == []


def test_observer_hears_of_events_that_are_not_committed(stage: Stage, observer: Observer) -> None:
    """Those of a call whose post-conditions do not hold; there are none of one that was refused, or failed."""
    uncovered = stage.sent["uncovered"]
    block = block_with(observer, uncovered.txid)
    (mined,) = (one for one in block["transactions"] if one["txid"] == f"0x{uncovered.txid}")
    assert mined["status"] == "abort_by_post_condition"
    (event,) = events_of(block, uncovered.txid)
    parties = {"sender": stage["uncovered"].address, "recipient": stage["payee"].address, "amount": "9"}
    moved = AtLeast({"type": "stx_transfer_event", "committed": False, "stx_transfer_event": AtLeast(parties)})
    assert list(mismatches(event, moved)) == []
    for name in ("refuse", "fail"):
        assert events_of(block_with(observer, stage.sent[name].txid), stage.sent[name].txid) == []


def test_observer_hears_of_a_replaced_transaction(stage: Stage, observer: Observer) -> None:
    actor = stage["overbidding"]
    # A nonce is missing before these, so that they wait.
    first, better = (actor.build(stage.transfer(), nonce=1, fee=FEE_USTX + more) for more in (0, 1))
    stage.submit("overbid", first)
    stage.submit("overbidding", better)
    stage.submit("before both", actor.build(stage.transfer()))

    def is_it(body: Any) -> bool:
        return any(txid.removeprefix("0x") == first.txid for txid in body["dropped_txids"])

    assert observer.wait_for("/drop_mempool_tx", is_it, "the replaced transaction")["reason"] == "ReplaceByFee"
    stage.node.wait_for_nonce(actor.address, 2)
