"""What the keeper does about the outcomes that a devnet does not bring about on demand."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from der_client.contracts.settlement import SettlementError
from der_client.keeper.duties import Action, Duties
from der_client.keeper.outbox import Outbox
from der_client.keeper.report import KeeperReport
from der_client.stacks.contract.annotations import Response
from der_client.stacks.errors import (
    ConfirmationTimeoutError,
    ContractError,
    NodeUnreachableError,
    PostConditionAbortedError,
    TransactionDroppedError,
    TransactionRejectedError,
)

NOW = datetime(2026, 7, 2, tzinfo=UTC)
EMPTY = KeeperReport(1, NOW)
TXID = "ab" * 32
SOMEBODY = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


class FakeCall:
    """A call that is sent, or not, and ends as told."""

    def __init__(self, *outcomes: Any, refusal: Exception | None = None) -> None:
        self.outcomes = list(outcomes)
        self.refusal = refusal
        self.txid = TXID

    def send(self) -> FakeCall:
        if self.refusal is not None:
            raise self.refusal
        return self

    def wait(self, _timeout_s: float) -> Any:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Bench:
    """An outbox with five payments to settle, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, address: str = SOMEBODY) -> None:
        self.duties = Duties()
        for number in range(1, 6):
            self.duties.add_payment(number, 1, date(2026, 7, 1), 10, NOW)
        self.duties.decide((1, date(2026, 7, 1)), Action.SETTLE)
        self.known: dict[str, Any] = {TXID: SimpleNamespace(fee_ustx=7)}
        self.nonces = SimpleNamespace(last_in_mempool=None, last_executed=None)
        account = SimpleNamespace(address=address, pending=self.pending)
        client = SimpleNamespace(transaction=self.known.get, nonces=lambda _address: self.nonces)
        der: Any = SimpleNamespace(client=client, settlement=SimpleNamespace(require_account=lambda: account))
        self.outbox = Outbox(der, self.duties)
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def pending(self, txid: str) -> Any:
        return SimpleNamespace(txid=txid)

    def send(self, *outcomes: Any, ids: tuple[int, ...] = (1, 2, 3, 4, 5), refusal: Exception | None = None) -> bool:
        call: Any = FakeCall(*outcomes, refusal=refusal)
        return self.outbox.send(Action.SETTLE, ids, call)

    def ready(self) -> list[tuple[int, ...]]:
        return [tuple(sorted(ids)) for _, ids in self.outbox.ready(25)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def receipt(*codes: int | None) -> Any:
    value = tuple(Response(True, None) if code is None else Response(None, code) for code in codes)
    return SimpleNamespace(value=value, events=(), txid=TXID, fee_ustx=5)


def unknown() -> ConfirmationTimeoutError:
    return ConfirmationTimeoutError("who knows", TXID)


def test_what_is_on_its_way_is_not_ready(bench: Bench) -> None:
    assert bench.ready() == [(1, 2, 3, 4, 5)]
    bench.send(unknown(), ids=(1, 2))
    assert bench.ready() == [(3, 4, 5)]
    bench.outbox.collect()
    assert (bench.outbox.txids, bench.ready()) == ((TXID,), [(3, 4, 5)])


def test_keepers_begin_in_different_places(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = {
        tuple(number for _, ids in Bench(monkeypatch, f"account {account}").outbox.ready(2) for number in ids)
        for account in range(20)
    }
    assert {order[0] for order in orders} == {1, 2, 3, 4, 5}
    assert all(sorted(order) == [1, 2, 3, 4, 5] for order in orders)


def test_a_batch_that_fails_as_a_whole_is_repeated_one_by_one(bench: Bench) -> None:
    bench.send(PostConditionAbortedError("too much", TXID))
    bench.outbox.collect()
    report = bench.outbox.report(EMPTY)
    assert [(skipped.id, skipped.txid, skipped.reason) for skipped in report.failures] == [
        (number, TXID, "too much") for number in range(1, 6)
    ]
    assert (report.txids, report.fees_ustx) == ((TXID,), 7)
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(1,), (2,), (3,), (4,), (5,)]


def test_a_failing_item_is_tried_ever_less_often_and_alone(bench: Bench) -> None:
    transfer_failed = SettlementError.ERR_TRANSFER_FAILED.value
    bench.send(receipt(None, None, transfer_failed, None, None))
    waits = []
    for _ in range(12):
        bench.outbox.collect()
        assert bench.ready() == []
        began = bench.now
        while not bench.ready():
            bench.now += 1
        waits.append(bench.now - began)
        assert bench.ready() == [(3,)]
        bench.send(receipt(transfer_failed), ids=(3,))
    assert waits[:5] == [15, 30, 60, 120, 240]
    assert waits[-1] == 3600
    report = bench.outbox.report(EMPTY)
    assert {skipped.id for skipped in report.skipped} == {3}
    assert "ERR_TRANSFER_FAILED (u5008)" in report.skipped[0].reason


def test_an_item_that_others_did_is_done(bench: Bench) -> None:
    bench.send(receipt(None, 5005, None, None, None))
    bench.outbox.collect()
    assert bench.ready() == []
    assert bench.duties.open_payments == 0
    (skipped,) = bench.outbox.report(EMPTY).skipped
    assert (skipped.id, skipped.done_by_other) == (2, True)


def test_an_item_that_is_not_due_is_looked_at_again_and_not_sent_at_once(bench: Bench) -> None:
    """A node that lags behind could say for ever that it is due: each time would cost a fee."""
    not_deliverable = SettlementError.ERR_NOT_DELIVERABLE.value
    bench.send(receipt(None, None, None, None, not_deliverable))
    bench.outbox.collect()
    key = (1, date(2026, 7, 1))
    assert bench.duties.days_to_look_at(9) == [key]
    bench.duties.decide(key, Action.SETTLE)
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(5,)]


def test_a_single_call_that_the_contract_refuses(bench: Bench) -> None:
    error = ContractError("…", TXID, contract="c", function="refund", name="ERR_PAYMENT_CLOSED", code=5005)
    bench.send(error, ids=(4,))
    bench.outbox.collect()
    report = bench.outbox.report(EMPTY)
    assert [(skipped.id, skipped.done_by_other, skipped.txid) for skipped in report.skipped] == [(4, True, TXID)]
    assert report.fees_ustx == 7


@pytest.mark.parametrize(
    ("status", "again"),
    [("dropped_stale_garbage_collect", [(1, 2, 3, 4, 5)]), ("dropped_too_expensive", [(1,), (2,), (3,), (4,), (5,)])],
)
def test_what_was_dropped_is_sent_again(bench: Bench, status: str, again: list[tuple[int, ...]]) -> None:
    bench.send(TransactionDroppedError("dropped", TXID, status))
    bench.outbox.collect()
    assert (bench.outbox.txids, bench.ready()) == ((), [])
    bench.now = 15
    assert bench.ready() == again


def test_what_the_node_refuses_stops_everything_for_a_while(bench: Bench) -> None:
    refusal = TransactionRejectedError("NotEnoughFunds", "url", reason="NotEnoughFunds", data={}, txid=TXID)
    assert not bench.send(ids=(1, 2), refusal=refusal)
    assert bench.ready() == []
    bench.now = 14.9
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(1, 2, 3, 4, 5)], "nothing is wrong with these payments: together again"
    assert not bench.send(ids=(1, 2), refusal=refusal)
    bench.now = 44
    assert bench.ready() == []
    bench.now = 45
    assert bench.send(receipt(None, None), ids=(1, 2))
    bench.outbox.collect()
    assert bench.ready() == [(3, 4, 5)]


def test_a_dead_node_is_no_outcome(bench: Bench) -> None:
    with pytest.raises(NodeUnreachableError):
        bench.send(refusal=NodeUnreachableError("down", "url"))
    assert (bench.ready(), bench.outbox.txids) == ([(1, 2, 3, 4, 5)], ())


def test_an_unknown_outcome_of_sending_is_looked_for(bench: Bench) -> None:
    assert bench.send(refusal=unknown())
    assert bench.outbox.txids == (TXID,)
    assert bench.ready() == []


def test_what_nobody_knows_any_more_is_given_up(bench: Bench) -> None:
    bench.send(*[unknown() for _ in range(4)])
    del bench.known[TXID]
    bench.now = 59
    bench.outbox.collect()
    assert bench.outbox.txids == (TXID,)
    bench.now = 61
    bench.known[TXID] = SimpleNamespace(fee_ustx=7)
    bench.outbox.collect()
    assert bench.outbox.txids == (TXID,), "it waits in the mempool"
    del bench.known[TXID]
    bench.outbox.collect()
    assert not bench.outbox.txids
    bench.now += 15
    assert bench.ready() == [(1, 2, 3, 4, 5)]


def test_transactions_of_an_earlier_run_are_waited_for_but_not_for_ever(bench: Bench) -> None:
    bench.nonces = SimpleNamespace(last_in_mempool=4, last_executed=None)
    assert not bench.outbox.nothing_inherited()
    bench.nonces.last_executed = 3
    assert not bench.outbox.nothing_inherited()
    bench.nonces.last_in_mempool = 9  # sent by another program meanwhile
    bench.nonces.last_executed = 4
    assert bench.outbox.nothing_inherited()
    assert bench.outbox.nothing_inherited()


def test_a_stuck_transaction_of_an_earlier_run_does_not_stop_it(bench: Bench) -> None:
    bench.nonces = SimpleNamespace(last_in_mempool=4, last_executed=3)
    assert not bench.outbox.nothing_inherited()
    bench.now = 601
    assert bench.outbox.nothing_inherited()


def test_a_report_is_given_once(bench: Bench) -> None:
    bench.send(receipt(None, 5005, 5008, None, None))
    bench.outbox.collect()
    report = bench.outbox.report(EMPTY)
    assert not report.did_nothing
    assert bench.outbox.report(EMPTY).did_nothing
    both = report.then(bench.outbox.report(KeeperReport(2, NOW, has_more=True)))
    assert (both.block_height, both.has_more, both.fees_ustx, len(both.skipped)) == (2, True, 5, 2)
    assert report.to_json()["skipped"][1] == {
        "action": "settle",
        "id": 3,
        "reason": report.skipped[1].reason,
        "done_by_other": False,
        "txid": TXID,
    }
