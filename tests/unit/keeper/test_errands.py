"""How the keeper handles outcomes that a devnet does not produce on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from der_client.contracts.settlement import SettlementError
from der_client.keeper.duties import Action, Duties
from der_client.keeper.errands import Errands
from der_client.keeper.report import KeeperReport
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.contract.annotations import Response
from der_client.stacks.errors import (
    ConfirmationTimeoutError,
    ContractError,
    PostConditionAbortedError,
)
from der_client.stacks.outbox import Job, JobState, Progress
from der_client.stacks.transactions import TokenTransfer

NOW = datetime(2026, 7, 2, tzinfo=UTC)
EMPTY = KeeperReport(1, NOW)
TXID = "ab" * 32
SOMEBODY = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


class FakeOutbox:
    """An outbox whose progress is scripted; it never sends anything."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.queued: set[str] = set()
        self.left: list[Any] = []
        self.progress: list[Progress] = []

    def add(self, job: Job) -> int:
        self.jobs[job.key] = job
        return 1

    def find(self, key: str) -> Any:
        return self.jobs.get(key)

    def cancel(self, key: str) -> bool:
        return key in self.queued

    def inherit(self) -> list[Any]:
        return [entry for entry in self.left if not self.cancel(entry.key)]

    def rounds(self, **_options: Any) -> Iterator[list[Progress]]:
        progress, self.progress = self.progress, []
        yield progress


class Bench:
    """Errands with five payments to settle, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, address: str = SOMEBODY) -> None:
        self.duties = Duties()
        for number in range(1, 6):
            self.duties.add_payment(number, 1, date(2026, 7, 1), 10, NOW)
        self.duties.decide((1, date(2026, 7, 1)), Action.SETTLE)
        self.address = address
        self.outbox = FakeOutbox()
        self.outcomes: list[Any] = []
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.errands = self.begin()

    def begin(self) -> Errands:
        account = self.account()
        client = SimpleNamespace(transaction=lambda _txid: SimpleNamespace(fee_ustx=7))
        der: Any = SimpleNamespace(client=client, settlement=SimpleNamespace(require_account=lambda: account))
        outbox: Any = self.outbox
        return Errands(der, self.duties, outbox, lambda _action, _ids: self.call())

    def account(self) -> Any:
        return SimpleNamespace(address=self.address, pending=lambda _txid: SimpleNamespace(wait_any=self.wait_any))

    def call(self) -> Any:
        payload = TokenTransfer(PrincipalValue(SOMEBODY), 1)
        contract = SimpleNamespace(
            receipt=lambda _declared, outcome, *_arguments: outcome, require_account=self.account
        )
        return SimpleNamespace(payload=payload, post_conditions=(), contract=contract, declared=None, arguments=())

    def wait_any(self, *_arguments: Any, **_options: Any) -> Any:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def tell(self, state: JobState, reason: str = "", wait_s: float = 0.0) -> None:
        """Let the outbox report a state of the latest job."""
        key = list(self.outbox.jobs)[-1]
        self.outbox.progress.append(Progress(key, state, TXID, reason=reason, wait_s=wait_s))

    def send(self, *outcomes: Any, ids: tuple[int, ...] = (1, 2, 3, 4, 5)) -> None:
        """Send a job, and let it be mined with the given outcomes at the next calls of ``collect``."""
        assert self.errands.send(Action.SETTLE, ids)
        self.tell(JobState.SENT)
        self.errands.collect()
        if outcomes:
            self.outcomes += outcomes
            self.tell(JobState.MINED)

    def ready(self) -> list[tuple[int, ...]]:
        return [tuple(sorted(ids)) for _, ids in self.errands.ready(25)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def receipt(*codes: int | None) -> Any:
    value = tuple(Response(True, None) if code is None else Response(None, code) for code in codes)
    return SimpleNamespace(value=value, events=(), txid=TXID, fee_ustx=5)


def unknown() -> ConfirmationTimeoutError:
    return ConfirmationTimeoutError("who knows", TXID)


def test_in_flight_items_are_not_ready(bench: Bench) -> None:
    assert bench.ready() == [(1, 2, 3, 4, 5)]
    bench.send(unknown(), receipt(None, None), ids=(1, 2))
    assert bench.ready() == [(3, 4, 5)]
    for _ in range(2):  # mined, but not yet shown by the API
        assert (bench.errands.txids, bench.ready()) == ((TXID,), [(3, 4, 5)])
        bench.errands.collect()
    assert (len(bench.errands), bench.ready()) == (0, [(3, 4, 5)])


def test_keepers_start_with_different_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = {
        tuple(number for _, ids in Bench(monkeypatch, f"account {account}").errands.ready(2) for number in ids)
        for account in range(20)
    }
    assert {order[0] for order in orders} == {1, 2, 3, 4, 5}
    assert all(sorted(order) == [1, 2, 3, 4, 5] for order in orders)


def test_a_failed_batch_is_retried_one_by_one(bench: Bench) -> None:
    bench.send(PostConditionAbortedError("too much", TXID))
    bench.errands.collect()
    report = bench.errands.report(EMPTY)
    assert [(skipped.id, skipped.txid, skipped.reason) for skipped in report.failures] == [
        (number, TXID, "too much") for number in range(1, 6)
    ]
    assert (report.txids, report.fees_ustx) == ((TXID,), 7)
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(1,), (2,), (3,), (4,), (5,)]


def test_a_failing_item_is_retried_alone_with_growing_pauses(bench: Bench) -> None:
    transfer_failed = SettlementError.ERR_TRANSFER_FAILED.value
    bench.send(receipt(None, None, transfer_failed, None, None))
    waits = []
    for _ in range(12):
        bench.errands.collect()
        assert bench.ready() == []
        began = bench.now
        while not bench.ready():
            bench.now += 1
        waits.append(bench.now - began)
        assert bench.ready() == [(3,)]
        bench.send(receipt(transfer_failed), ids=(3,))
    assert waits[:5] == [15, 30, 60, 120, 240]
    assert waits[-1] == 3600
    report = bench.errands.report(EMPTY)
    assert {skipped.id for skipped in report.skipped} == {3}
    assert "ERR_TRANSFER_FAILED (u5008)" in report.skipped[0].reason


def test_an_item_settled_by_another_account_is_done(bench: Bench) -> None:
    bench.send(receipt(None, 5005, None, None, None))
    bench.errands.collect()
    assert bench.ready() == []
    assert bench.duties.open_payments == 0
    (skipped,) = bench.errands.report(EMPTY).skipped
    assert (skipped.id, skipped.done_by_other) == (2, True)


def test_an_item_that_is_not_due_is_reconsidered_after_a_pause(bench: Bench) -> None:
    """A lagging node could report for ever that it is due, and each attempt would cost a fee."""
    not_deliverable = SettlementError.ERR_NOT_DELIVERABLE.value
    bench.send(receipt(None, None, None, None, not_deliverable))
    bench.errands.collect()
    key = (1, date(2026, 7, 1))
    assert bench.duties.days_to_look_at(9) == [key]
    bench.duties.decide(key, Action.SETTLE)
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(5,)]


def test_a_single_call_rejected_by_the_contract_is_skipped(bench: Bench) -> None:
    error = ContractError("…", TXID, contract="c", function="refund", name="ERR_PAYMENT_CLOSED", code=5005)
    bench.send(error, ids=(4,))
    bench.errands.collect()
    report = bench.errands.report(EMPTY)
    assert [(skipped.id, skipped.done_by_other, skipped.txid) for skipped in report.skipped] == [(4, True, TXID)]
    assert report.fees_ustx == 7


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.GIVEN_UP])
def test_a_job_that_cannot_be_sent_pauses_all_sending(bench: Bench, state: JobState) -> None:
    """With too few funds, or a fee above the cap, other jobs would fail in the same way."""

    def refuse() -> bool:
        add = bench.outbox.add

        def refused(job: Job) -> int:
            added = add(job)
            bench.outbox.queued.add(job.key)
            bench.tell(state, "NotEnoughFunds", 15.0)
            return added

        bench.outbox.add = refused  # type: ignore[method-assign]
        sent = bench.errands.send(Action.SETTLE, (1, 2))
        bench.outbox.add = add  # type: ignore[method-assign]
        return sent

    assert not refuse()
    assert bench.ready() == []
    bench.now = 14.9
    assert bench.ready() == []
    bench.now = 15
    assert bench.ready() == [(1, 2, 3, 4, 5)], "nothing is wrong with these payments: together again"
    assert not refuse()
    bench.now = 44
    assert bench.ready() == []
    bench.now = 45
    bench.send(receipt(None, None), ids=(1, 2))
    bench.errands.collect()
    assert bench.ready() == [(3, 4, 5)]
    assert len(bench.errands.report(EMPTY).skipped) == 4


def test_a_job_that_is_signed_again_is_still_in_flight(bench: Bench) -> None:
    bench.send()
    bench.tell(JobState.QUEUED, "another transaction used its nonce")
    bench.errands.collect()
    assert (bench.ready(), len(bench.errands)) == ([], 1)


def test_job_keys_name_the_items_and_are_never_reused(bench: Bench) -> None:
    transfer_failed = SettlementError.ERR_TRANSFER_FAILED.value
    bench.send(receipt(transfer_failed), ids=(3,))
    bench.errands.collect()
    bench.now = 15
    bench.send(ids=(3,))
    many = tuple(range(1_000_000, 1_000_025))
    bench.send(ids=many)
    first, second, long = bench.outbox.jobs
    assert (first, second) == ("settle/3#1", "settle/3#2")
    assert long.startswith("settle/1000000, 1000001, ")
    assert len(long) < 200


def test_a_keeper_continues_with_transactions_of_an_earlier_keeper(bench: Bench) -> None:
    note = json.dumps({"action": "settle", "ids": [1, 2]})
    bench.outbox.left = [
        SimpleNamespace(key="settle/1,2#1", note=note, txid=TXID),
        SimpleNamespace(key="settle/3#1", note=note, txid=""),
    ]
    bench.outbox.queued.add("settle/3#1")
    bench.errands = bench.begin()
    assert (bench.errands.txids, bench.ready()) == ((TXID,), [(3, 4, 5)])
    bench.outcomes.append(receipt(None, None))
    bench.outbox.progress.append(Progress("settle/1,2#1", JobState.MINED, TXID))
    bench.errands.collect()
    assert bench.errands.report(EMPTY).txids == (TXID,)
    assert bench.duties.open_payments == 3


def test_each_outcome_is_reported_once(bench: Bench) -> None:
    bench.send(receipt(None, 5005, 5008, None, None))
    bench.errands.collect()
    report = bench.errands.report(EMPTY)
    assert not report.did_nothing
    assert bench.errands.report(EMPTY).did_nothing
    both = report.then(bench.errands.report(KeeperReport(2, NOW, has_more=True)))
    assert (both.block_height, both.has_more, both.fees_ustx, len(both.skipped)) == (2, True, 5, 2)
    assert report.to_json()["skipped"][1] == {
        "action": "settle",
        "id": 3,
        "reason": report.skipped[1].reason,
        "done_by_other": False,
        "txid": TXID,
    }
