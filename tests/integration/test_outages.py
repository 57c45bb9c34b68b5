"""Keeper and recorder during outages: unreachable nodes, missing blocks, and their own restarts."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from der_client import Der
from der_client.cli.app import app
from der_client.contracts.production_tracking import ProductionRecorded
from der_client.contracts.settlement import PaymentState
from der_client.devnet import Devnet
from der_client.keeper import Keeper, KeeperReport
from der_client.readings import MeteredDay
from der_client.recorder.outcomes import RecordingStatus
from der_client.recorder.recorder import Recorder
from der_client.stacks.errors import NodeUnreachableError
from der_client.stacks.rpc import Client, RetryPolicy
from tests.integration.conftest import NOON, grant_roles, start_of
from tests.integration.tcp_forwarder import TcpForwarder
from tests.integration.test_keeper import LONG_S, connect, fund, ids, nonce, offer, state, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEEPER_ACCOUNTS = ("wallet_7", "wallet_8")


@pytest.fixture
def forwarder() -> Iterator[TcpForwarder]:
    with TcpForwarder() as forwarder:
        yield forwarder


def quick(devnet: Devnet, name: str, url: str | None = None) -> Der:
    """Return a connection that does not wait long for a node that is down."""
    client = Client(url or devnet.url, retries=RetryPolicy(attempts=1))
    return Der.connect(client, devnet.accounts[name], deployer=devnet.deployer.address)


def wait_for(is_reached: Callable[[], bool], what: str) -> None:
    for _ in range(50 * LONG_S):
        if is_reached():
            return
        time.sleep(0.02)
    pytest.fail(f"waited in vain for: {what}")


@contextmanager
def running(keeper: Keeper, reports: list[KeeperReport]) -> Iterator[None]:
    thread = threading.Thread(target=keeper.run, kwargs={"interval_s": 0.02, "on_report": reports.append})
    thread.start()
    try:
        yield
    finally:
        keeper.stop()
        thread.join(LONG_S)
        assert not thread.is_alive()


def test_the_keeper_waits_for_a_node_that_is_down(
    tmp_path: Path, forwarder: TcpForwarder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.keeper.keeper._MAX_OUTAGE_PAUSE_S", 2.0)
    state_file = tmp_path / "chain"
    with Devnet(state_file=state_file, start_time=NOON) as devnet:
        forwarder.forward_to(devnet.url)
        parties = grant_roles(devnet, Der.connect(devnet.url, devnet.deployer))
        plant = connect(parties, feed_metered=False)
        payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
        keeper = Keeper(quick(devnet, "wallet_7", forwarder.url))
        by_hand = Keeper(quick(devnet, "wallet_8", forwarder.url))
        by_hand.run_once()
        reports: list[KeeperReport] = []
        with running(keeper, reports):
            wait_for(lambda: keeper.open_payments == 1, "the keeper to catch up")
            forwarder.is_down = True
            devnet.close()
            with pytest.raises(NodeUnreachableError):
                by_hand.run_once()
            wait_for(lambda: "the node failed (2 in a row), trying again in 2 s" in caplog.text, "a second failure")
            with Devnet(state_file=state_file) as again:
                owner = Der.connect(again.url, again.deployer)
                again.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
                verify(grant_roles(again, owner), plant, 2000)
                forwarder.forward_to(again.url)
                wait_for(lambda: bool(reports), "the payment to be settled")
                assert state(owner, payment_id) is PaymentState.SETTLED
                assert by_hand.run_once().did_nothing
    assert ids(event for report in reports for event in report.settled) == [payment_id]


@pytest.fixture(scope="module")
def slow_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Devnet, list[int]]]:
    """A devnet that mines only on request, and three payments whose day is verified."""
    state_file = tmp_path_factory.mktemp("slow") / "chain"
    with Devnet(state_file=state_file, start_time=NOON) as devnet:
        parties = grant_roles(devnet, Der.connect(devnet.url, devnet.deployer))
        plant = connect(parties, feed_metered=False)
        offer_id = offer(parties, plant, 3000)
        payments = [fund(parties.buyer, offer_id, 1000) for _ in range(3)]
        devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
        verify(parties, plant, 3000)
    with Devnet(state_file=state_file, block_interval_s=0) as slow:
        yield slow, payments


@pytest.fixture
def slow_chain(slow_devnet: tuple[Devnet, list[int]]) -> Iterator[tuple[Devnet, list[int]]]:
    with slow_devnet[0].anchor():
        yield slow_devnet


def test_pending_transactions_are_not_sent_twice(slow_chain: tuple[Devnet, list[int]]) -> None:
    devnet, payments = slow_chain
    keeper = Keeper(quick(devnet, "wallet_7"), confirm_timeout_s=0.1)
    first = keeper.run_once()
    assert (first.txids, len(first.pending_txids), first.has_more) == ((), 1, False)
    assert keeper.run_once().pending_txids == first.pending_txids
    devnet.mine()
    report = keeper.run_once()
    assert (ids(report.settled), report.txids, report.pending_txids) == (payments, first.pending_txids, ())


def test_once_ends_while_nothing_is_mined(
    slow_chain: tuple[Devnet, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More payments are due than may be in flight at once, and no block is mined."""
    devnet, payments = slow_chain
    monkeypatch.setattr("der_client.keeper.keeper._BATCH", 1)
    with devnet.anchor():
        keeper = Keeper(quick(devnet, "wallet_7"), max_in_flight=1, confirm_timeout_s=0.1)
        for _ in range(2):
            report = keeper.run_once()
            assert (len(report.pending_txids), report.is_waiting, report.has_more) == (1, True, False)
    monkeypatch.setattr("der_client.cli.keeper._stop_on_signals", lambda _keeper: None)  # keep pytest's handlers
    monkeypatch.setattr("der_client.keeper.Keeper", partial(Keeper, max_in_flight=1))
    options = ["keeper", "--url", devnet.url, "--once", "--timeout", "1"]
    environment = {"DER_KEY": devnet.accounts["wallet_7"].key.to_hex()}
    first = CliRunner().invoke(app, options, env=environment)
    pending, told = first.output.splitlines()
    assert (first.exit_code, pending[:9]) == (1, "pending  ")
    # Another run knows the transaction from its journal.
    again = CliRunner().invoke(app, options, env=environment)
    assert (again.exit_code, again.output.splitlines()) == (1, [pending, told])
    assert "not mined yet; run this again" in told
    devnet.mine()
    assert [state(quick(devnet, "wallet_7"), number) for number in payments].count(PaymentState.SETTLED) == 1


def test_the_keeper_can_be_stopped_while_it_waits(slow_chain: tuple[Devnet, list[int]]) -> None:
    devnet, _ = slow_chain
    der = quick(devnet, "wallet_7")
    keeper = Keeper(der, confirm_timeout_s=600)
    with running(keeper, []):
        wait_for(lambda: keeper._errands is not None and bool(keeper._errands.txids), "a transaction to be sent")


def test_after_a_restart_the_keeper_continues_its_transactions(
    slow_chain: tuple[Devnet, list[int]], tmp_path: Path
) -> None:
    devnet, payments = slow_chain
    first = Keeper(quick(devnet, "wallet_7"), confirm_timeout_s=0, journal=tmp_path / "journal.db")
    (txid,) = first.run_once().pending_txids
    first.close()
    der = quick(devnet, "wallet_7")
    again = Keeper(der, confirm_timeout_s=0.1, journal=tmp_path / "journal.db")
    report = again.run_once()
    assert (report.pending_txids, report.did_nothing) == ((txid,), True)
    assert again.open_payments == 3
    devnet.mine()
    report = again.run_once()
    assert (report.txids, ids(report.settled)) == ((txid,), payments)
    assert (again.open_payments, nonce(der)) == (0, 1)
    again.close()


def test_the_slower_keeper_finds_the_payments_settled(slow_chain: tuple[Devnet, list[int]]) -> None:
    """Both keepers send the same batch in the same block: one settles it, the other reports it as already done."""
    devnet, payments = slow_chain
    keepers = [Keeper(quick(devnet, name), confirm_timeout_s=0.05) for name in KEEPER_ACCOUNTS]
    for keeper in keepers:
        assert len(keeper.run_once().pending_txids) == 1
    devnet.mine()
    reports = [keeper.run_once() for keeper in keepers]
    assert ids(event for report in reports for event in report.settled) == payments
    skipped = [skipped for report in reports for skipped in report.skipped]
    assert sorted(entry.id for entry in skipped) == payments
    assert all(entry.done_by_other and "ERR_PAYMENT_CLOSED" in entry.reason for entry in skipped)
    assert [report.failures for report in reports] == [(), ()]
    assert all(len(report.txids) == 1 and report.fees_ustx > 0 for report in reports)


def test_a_payment_settled_meanwhile_does_not_fail_its_batch(slow_chain: tuple[Devnet, list[int]]) -> None:
    devnet, payments = slow_chain
    other = quick(devnet, "wallet_8")
    keeper = Keeper(quick(devnet, "wallet_7"), confirm_timeout_s=0.05)
    other.settlement.settle(payments[1]).send()
    keeper.run_once()
    devnet.mine()
    report = keeper.run_once()
    assert ids(report.settled) == [payments[0], payments[2]]
    assert [(skipped.id, skipped.done_by_other) for skipped in report.skipped] == [(payments[1], True)]


def test_a_transaction_that_the_node_lost_is_sent_again_unchanged(
    slow_chain: tuple[Devnet, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    devnet, payments = slow_chain
    keeper = Keeper(quick(devnet, "wallet_7"), confirm_timeout_s=0)
    snapshot = devnet.snapshot()
    (txid,) = keeper.run_once().pending_txids
    devnet.revert(snapshot)  # the mempool is empty again
    devnet.mine()
    assert keeper.run_once().pending_txids == (txid,)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 61)
    for _ in range(2):
        keeper.run_once()
    devnet.mine()
    report = keeper.run_once()
    assert (report.txids, ids(report.settled)) == ((txid,), payments)


def test_readings_in_flight_are_not_sent_again(slow_chain: tuple[Devnet, list[int]]) -> None:
    devnet, _ = slow_chain
    der = quick(devnet, "wallet_3")
    before = nonce(der)
    first_day = der.now().date() - timedelta(days=2)  # nothing is recorded for this day yet
    readings = [(1, MeteredDay(first_day, 900, (7,) * 96))]
    recorder = Recorder(der, confirm_timeout_s=0.05)
    first = recorder.record(readings)
    assert [entry.status for entry in first.recordings] == [RecordingStatus.PENDING]
    assert (len(first.txids), first.fees_ustx) == (1, 0)
    again = recorder.record(readings)
    assert [(entry.status, entry.txids) for entry in again.recordings] == [(RecordingStatus.PENDING, first.txids)]
    assert again.txids == ()
    devnet.mine()
    assert [entry.status for entry in recorder.record(readings).recordings] == [RecordingStatus.REPEATED]
    assert nonce(der) == before + 1


def test_after_a_restart_readings_in_flight_are_not_sent_again(
    slow_chain: tuple[Devnet, list[int]], tmp_path: Path
) -> None:
    devnet, _ = slow_chain
    journal = tmp_path / "journal.db"
    der = quick(devnet, "wallet_3")
    before = nonce(der)
    day = der.now().date() - timedelta(days=2)
    readings = [(1, MeteredDay(day, 900, (*(7,) * 48, *(None,) * 48)))]
    killed = Recorder(der, confirm_timeout_s=0, journal=journal)
    (first,) = killed.record(readings).recordings
    assert first.status is RecordingStatus.PENDING
    killed.close()
    again = Recorder(quick(devnet, "wallet_3"), confirm_timeout_s=0, journal=journal)
    for _ in range(2):
        report = again.record(readings)
        (waiting,) = report.recordings
        assert (waiting.status, waiting.txids, report.txids) == (RecordingStatus.PENDING, first.txids, ())
    # New readings are recorded meanwhile.
    (rest,) = again.record([(1, MeteredDay(day, 900, (*(None,) * 48, *(7,) * 48)))]).recordings
    assert (rest.status, len(rest.txids)) == (RecordingStatus.PENDING, 1)
    devnet.mine()
    (repeated,) = again.record([(1, MeteredDay(day, 900, (7,) * 96))]).recordings
    assert (repeated.status, nonce(der)) == (RecordingStatus.REPEATED, before + 2)
    recorded = {record.txid for record in der.production.events() if isinstance(record.event, ProductionRecorded)}
    assert {*first.txids, *rest.txids} <= recorded
    again.close()


def test_foreign_transactions_are_left_alone(slow_chain: tuple[Devnet, list[int]]) -> None:
    """Another program with the same key has a transaction in the mempool; the recorder uses the nonce after it."""
    devnet, _ = slow_chain
    account = quick(devnet, "wallet_3").production.require_account()
    before = account.next_nonce()
    foreign = account.transfer(devnet.accounts["wallet_4"].address, 1)
    der = quick(devnet, "wallet_3")
    readings = [(1, MeteredDay(der.now().date() - timedelta(days=2), 900, (7,) * 96))]
    (pending,) = Recorder(der, confirm_timeout_s=0).record(readings).recordings
    assert (pending.status, len(pending.txids)) == (RecordingStatus.PENDING, 1)
    devnet.mine()
    assert foreign.wait(5).nonce == before
    assert nonce(der) == before + 2
