"""The events that a node posts to event observers (stacks-core, docs/event-dispatcher.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.cases.chain import COST
from tests.conformance.prepared import FEE_USTX
from tests.conformance.shapes import HEX, PREFIXED_HASH, AtLeast, NumberFrom, mismatches

if TYPE_CHECKING:
    from tests.conformance.observer import Observer
    from tests.conformance.prepared import Prepared

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


def test_observer_receives_a_transaction_in_the_mempool(prepared: Prepared, observer: Observer) -> None:
    raw = f"0x{prepared.sent['transfer'].encode().hex()}"
    heard = observer.wait_for("/new_mempool_tx", lambda body: raw in body, "the transfer in the mempool")
    assert all(isinstance(one, str) for one in heard)


def test_observer_receives_a_block(prepared: Prepared, observer: Observer) -> None:
    transfer = prepared.sent["transfer"]
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
    parties = {"sender": prepared["transferrer"].address, "recipient": prepared["payee"].address, "amount": "5"}
    moved = AtLeast({"type": "stx_transfer_event", "committed": True, "stx_transfer_event": AtLeast(parties)})
    assert list(mismatches(event, moved)) == []


def test_observer_receives_print_events(prepared: Prepared, observer: Observer) -> None:
    block = block_with(observer, prepared.sent["call"].txid)
    (event,) = events_of(block, prepared.sent["call"].txid)
    printed = {"contract_identifier": prepared.contract, "topic": "print", "raw_value": HEX, "value": dict}
    shape = AtLeast({"type": "contract_event", "committed": True, "contract_event": AtLeast(printed)})
    assert list(mismatches(event, shape)) == []


def test_observer_receives_events_that_are_not_committed(prepared: Prepared, observer: Observer) -> None:
    """A call with unmet post-conditions has uncommitted events; a call that was refused or failed has no events."""
    uncovered = prepared.sent["uncovered"]
    block = block_with(observer, uncovered.txid)
    (mined,) = (one for one in block["transactions"] if one["txid"] == f"0x{uncovered.txid}")
    assert mined["status"] == "abort_by_post_condition"
    (event,) = events_of(block, uncovered.txid)
    parties = {"sender": prepared["uncovered"].address, "recipient": prepared["payee"].address, "amount": "9"}
    moved = AtLeast({"type": "stx_transfer_event", "committed": False, "stx_transfer_event": AtLeast(parties)})
    assert list(mismatches(event, moved)) == []
    for name in ("refuse", "fail"):
        assert events_of(block_with(observer, prepared.sent[name].txid), prepared.sent[name].txid) == []


def test_observer_receives_a_replaced_transaction(prepared: Prepared, observer: Observer) -> None:
    actor = prepared["overbidding"]
    # Nonce 0 is missing, so these stay pending.
    first, better = (actor.build(prepared.transfer(), nonce=1, fee=FEE_USTX + more) for more in (0, 1))
    prepared.submit("overbid", first)
    prepared.submit("overbidding", better)
    prepared.submit("before both", actor.build(prepared.transfer()))

    def is_it(body: Any) -> bool:
        return any(txid.removeprefix("0x") == first.txid for txid in body["dropped_txids"])

    assert observer.wait_for("/drop_mempool_tx", is_it, "the replaced transaction")["reason"] == "ReplaceByFee"
    prepared.node.wait_for_nonce(actor.address, 2)
