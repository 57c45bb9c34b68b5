"""The keeper on the real devnet: what it settles, refunds and expires, what it leaves alone, and what it costs."""

from __future__ import annotations

import logging
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from der_client import Der, PrivateKey
from der_client.contracts.market_participation import OfferState
from der_client.contracts.settlement import PaymentSettled, PaymentState
from der_client.keeper import Keeper, KeeperReport
from der_client.keeper.duties import Action
from der_client.readings.slots import WINDOW_DAYS
from der_client.stacks.account import FeePolicy
from der_client.stacks.errors import InvalidValueError, NodeUnreachableError, SigningError
from tests.integration.conftest import Parties, ReadyPlant, register, start_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.devnet import Devnet

PRICE = 83_333
ALL_SLOTS = (1 << 96) - 1
LONG_S = 300
"""A timeout in seconds, which only ends a test that hangs."""


def offer(parties: Parties, plant: ReadyPlant, wh: int, day: date | None = None) -> int:
    day = day or plant.tomorrow
    call = parties.seller.market.create_offer(plant.asset_id, day, wh, PRICE, 100, start_of(day))
    return call.send().wait().value


def fund(buyer: Der, offer_id: int, wh: int) -> int:
    quote = buyer.market.quote(offer_id, wh)
    assert quote is not None
    return buyer.settlement.accept_and_fund(offer_id, wh, wh, PRICE, quote.before_wh).send().wait().value


def verify(parties: Parties, plant: ReadyPlant, wh: int, day: date | None = None) -> None:
    """Record a day without a meter and verify it."""
    day = day or plant.tomorrow
    parties.oracle.production.record_production(plant.asset_id, day, ALL_SLOTS, wh).send().wait()
    parties.verifier.production.verify_day(plant.asset_id, day, ALL_SLOTS, wh).send().wait()


def reject(parties: Parties, plant: ReadyPlant, day: date | None = None) -> None:
    """Record some energy of a day and reject the day; a day without records would stay open for 30 days."""
    day = day or plant.tomorrow
    parties.oracle.production.record_production(plant.asset_id, day, 1, 1).send().wait()
    parties.verifier.production.reject_day(plant.asset_id, day, 1, 1, "no data").send().wait()


def nonce(der: Der) -> int:
    assert der.account is not None
    return der.client.account(der.account.address).nonce


def state(der: Der, payment_id: int) -> PaymentState:
    payment = der.settlement.get_payment(payment_id)
    assert payment is not None
    return payment.state


@pytest.fixture
def plant(parties: Parties) -> ReadyPlant:
    """A plant whose energy is recorded by an oracle, because these tests are not about meters."""
    return connect(parties, feed_metered=False)


def connect(parties: Parties, *, feed_metered: bool) -> ReadyPlant:
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    parties.seller.grid.request_connection(asset_id, 6000).send().wait()
    parties.grid_operator.grid.approve_connection(asset_id, 6000, feed_metered).send().wait()
    return ReadyPlant(asset_id, 6000, PrivateKey.generate(), parties.seller.now().date() + timedelta(days=1))


@pytest.fixture
def keeper(parties: Parties) -> Keeper:
    return Keeper(parties.anyone)


def ids(events: Iterable[PaymentSettled]) -> list[int]:
    return sorted(event.payment_id for event in events)


def test_a_verified_day_is_settled_with_its_shortfall(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper
) -> None:
    offer_id = offer(parties, plant, 30_000)
    first, second = fund(parties.buyer, offer_id, 20_000), fund(parties.other_buyer, offer_id, 10_000)
    before = nonce(parties.anyone)
    assert keeper.run_once().did_nothing
    assert (keeper.open_payments, keeper.open_offers) == (2, 0)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    assert keeper.run_once().did_nothing
    assert nonce(parties.anyone) == before, "nothing was due, so nothing may be spent"

    verify(parties, plant, 24_000)
    previews = {number: parties.anyone.settlement.preview_settlement(number) for number in (first, second)}
    report = keeper.run_once()
    assert ids(report.settled) == [first, second]
    for event in report.settled:
        preview = previews[event.payment_id]
        assert preview is not None
        assert (event.delivered_wh, event.payout, event.fee, event.refund) == (
            preview.delivered_wh,
            preview.payout,
            preview.fee,
            preview.refund,
        )
    assert [event.delivered_wh for event in report.settled if event.payment_id == second] == [4000]
    assert len(report.txids) == 1, "one batch for both"
    assert report.fees_ustx == parties.anyone.client.transaction(report.txids[0]).fee_ustx  # type: ignore[union-attr]
    assert (report.refunded, report.expired, report.skipped, report.pending_txids) == ((), (), (), ())
    assert nonce(parties.anyone) == before + 1
    assert keeper.run_once().did_nothing
    assert (keeper.open_payments, parties.anyone.settlement.get_escrow_total()) == (0, 0)


def test_a_rejected_day_is_refunded(parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper) -> None:
    payment_id = fund(parties.buyer, offer(parties, plant, 2000), 2000)
    keeper.run_once()
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    reject(parties, plant)
    (refunded,) = keeper.run_once().refunded
    assert (refunded.payment_id, refunded.refund) == (payment_id, 2000 * PRICE // 1000)
    assert state(parties.anyone, payment_id) is PaymentState.REFUNDED


def test_payments_below_the_minimum_are_left_to_others(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    """Buyers of tiny amounts cannot make the keeper spend its funds."""
    rejected_day = plant.tomorrow + timedelta(days=1)
    sold, doubtful = offer(parties, plant, 5000), offer(parties, plant, 5000, rejected_day)
    dust = [fund(parties.buyer, sold, 100), fund(parties.buyer, doubtful, 100)]
    worth = [fund(parties.buyer, sold, 4900), fund(parties.buyer, doubtful, 4900)]
    keeper = Keeper(parties.anyone, min_value_ustx=4900 * PRICE // 1000)
    keeper.run_once()
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=2)))
    verify(parties, plant, 5000)
    reject(parties, plant, rejected_day)
    report = keeper.run_once()
    assert (ids(report.settled), [event.payment_id for event in report.refunded]) == (worth[:1], worth[1:])
    assert keeper.run_once().did_nothing
    assert keeper.open_payments == 2
    for_all = Keeper(parties.other_buyer).run_once()
    assert [*ids(for_all.settled), *(event.payment_id for event in for_all.refunded)] == dust


@pytest.mark.parametrize("case", ["never recorded", "never verified", "never fed"])
def test_undelivered_energy_is_refunded_after_the_window(
    parties: Parties, devnet: Devnet, keeper: Keeper, case: str
) -> None:
    plant = connect(parties, feed_metered=case == "never fed")
    payment_id = fund(parties.buyer, offer(parties, plant, 2000), 2000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    if case == "never verified":
        parties.oracle.production.record_production(plant.asset_id, plant.tomorrow, 0b1, 100).send().wait()
    if case == "never fed":
        verify(parties, plant, 3000)
    window_ends = start_of(plant.tomorrow + timedelta(days=WINDOW_DAYS + 1))
    devnet.advance(to=window_ends - timedelta(minutes=1))
    assert keeper.run_once().did_nothing
    devnet.advance(to=window_ends)
    (refunded,) = keeper.run_once().refunded
    assert refunded.payment_id == payment_id


def test_a_metered_plant_waits_for_its_feed(parties: Parties, devnet: Devnet, keeper: Keeper) -> None:
    plant = connect(parties, feed_metered=True)
    payment_id = fund(parties.buyer, offer(parties, plant, 2000), 2000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 3000)
    for _ in range(5):
        assert keeper.run_once().did_nothing
    parties.grid_operator.grid.record_feed(plant.asset_id, plant.tomorrow, 1500, 0).send().wait()
    assert keeper.run_once().did_nothing
    parties.verifier.grid.verify_feed(plant.asset_id, plant.tomorrow, 1500, 0).send().wait()
    (settled,) = keeper.run_once().settled
    assert (settled.payment_id, settled.delivered_wh) == (payment_id, 1500)


def test_offers_expire_by_time_and_by_epoch(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper
) -> None:
    later = plant.tomorrow + timedelta(days=5)
    timed, filled, void_later, cancelled = (
        offer(parties, plant, 1000),
        offer(parties, plant, 1000),
        offer(parties, plant, 1000, later),
        offer(parties, plant, 1000, later),
    )
    fund(parties.buyer, filled, 400)
    assert keeper.run_once().did_nothing
    parties.seller.market.cancel_offer(cancelled).send().wait()
    devnet.advance(to=start_of(plant.tomorrow))
    report = keeper.run_once()
    assert {event.offer_id: event.closed_wh for event in report.expired} == {timed: 1000, filled: 600}
    assert keeper.open_offers == 1
    parties.seller.assets.set_operator(plant.asset_id, None, 1).send().wait()
    assert [event.offer_id for event in keeper.run_once().expired] == [void_later]
    assert parties.anyone.market.get_offer(filled).state is OfferState.ACCEPTED  # type: ignore[union-attr]
    assert keeper.open_offers == 0


def test_a_new_keeper_finds_open_payments_and_offers(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    """Everything happened before the keeper started, so it relies on the current state alone."""
    void = offer(parties, plant, 1000)
    parties.seller.assets.set_operator(plant.asset_id, None, 1).send().wait()
    expired = offer(parties, plant, 1000)
    sold = offer(parties, plant, 5000)
    payment_id = fund(parties.buyer, sold, 5000)
    rejected_day = plant.tomorrow + timedelta(days=1)
    rejected = fund(parties.buyer, offer(parties, plant, 700, rejected_day), 700)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=2)))
    verify(parties, plant, 9000)
    reject(parties, plant, rejected_day)
    report = Keeper(parties.anyone).run_once()
    assert ids(report.settled) == [payment_id]
    assert [event.payment_id for event in report.refunded] == [rejected]
    assert sorted(event.offer_id for event in report.expired) == [void, expired]


def test_more_payments_than_a_page_are_settled_in_batches(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    offer_id = offer(parties, plant, 65_000)
    payments = [fund(parties.buyer, offer_id, 1000) for _ in range(65)]
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 65_000)
    keeper = Keeper(parties.anyone, max_sent_per_round=2)
    first = keeper.run_once()
    assert (len(first.txids), len(first.settled), first.has_more) == (2, 50, True)
    second = keeper.run_once()
    assert (len(second.txids), len(second.settled), second.has_more) == (1, 15, False)
    assert ids([*first.settled, *second.settled]) == payments
    assert parties.anyone.settlement.get_escrow_total() == 0


def test_more_days_than_a_round_checks(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.keeper.keeper._DAYS_PER_ROUND", 1)
    days = [plant.tomorrow + timedelta(days=number) for number in range(3)]
    payments = [fund(parties.buyer, offer(parties, plant, 1000, day), 1000) for day in days]
    devnet.advance(to=start_of(days[-1] + timedelta(days=1)))
    for day in days:
        reject(parties, plant, day)
    keeper = Keeper(parties.anyone)
    reports = [keeper.run_once()]
    while reports[-1].has_more:
        reports.append(keeper.run_once())
    assert sorted(event.payment_id for report in reports for event in report.refunded) == payments
    assert len(reports) == 3


def requests_of(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> int:
    """Run a round and return how many requests it makes."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "der_client.stacks.rpc.transport"):
        keeper.run_once()
    return sum(record.message.startswith(("GET", "POST")) for record in caplog.records)


def test_a_round_makes_requests_only_for_changes(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, caplog: pytest.LogCaptureFixture
) -> None:
    offer_id = offer(parties, plant, 100_000)
    fund(parties.buyer, offer_id, 500)
    keeper = Keeper(parties.anyone)
    keeper.run_once()
    assert requests_of(keeper, caplog) == 1, "the chain stands still"
    devnet.mine()
    few = requests_of(keeper, caplog)
    for _ in range(35):
        fund(parties.buyer, offer_id, 500)
    keeper.run_once()
    assert keeper.open_payments == 36
    devnet.mine()
    assert requests_of(keeper, caplog) == few, "what is open costs nothing while nothing happens to it"


def test_a_plant_that_is_retired_is_refunded_at_once(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper
) -> None:
    """No energy can be recorded for days after the plant's last one."""
    day = plant.tomorrow + timedelta(days=200)
    payment_id = fund(parties.buyer, offer(parties, plant, 2000, day), 2000)
    assert keeper.run_once().did_nothing
    parties.seller.assets.retire_asset(plant.asset_id).send().wait()
    assert [event.payment_id for event in keeper.run_once().refunded] == [payment_id]


def test_several_keepers_side_by_side(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    """Four keepers run at once: every payment is settled once, every offer expires once, and no failure is reported."""
    sold = offer(parties, plant, 60_000)
    left = [offer(parties, plant, 100) for _ in range(8)]
    payments = [fund(parties.buyer, sold, 1000) for _ in range(60)]
    keepers = [
        Keeper(parties.contract_owner.with_account(devnet.accounts[name]))
        for name in ("wallet_2", "wallet_6", "wallet_7", "wallet_8")
    ]
    for keeper in keepers:
        keeper.run_once()  # all keepers know all payments and offers before anything is due
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 60_000)
    start = threading.Barrier(len(keepers))
    reports: list[KeeperReport] = []

    def keep(keeper: Keeper) -> None:
        start.wait()
        reports.extend(keeper.run_once() for _ in range(2))

    threads = [threading.Thread(target=keep, args=(keeper,)) for keeper in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2 * len(keepers)
    assert ids(event for report in reports for event in report.settled) == payments
    assert sorted(event.offer_id for report in reports for event in report.expired) == left
    assert [skipped for report in reports for skipped in report.failures] == []
    on_chain = [record.event for record in parties.anyone.settlement.events()]
    assert ids(event for event in on_chain if isinstance(event, PaymentSettled)) == payments
    assert parties.anyone.settlement.get_escrow_total() == 0
    assert all(keeper.open_payments == 0 for keeper in keepers)


def test_a_reverted_chain_is_read_again(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    keeper = Keeper(parties.anyone)
    before = fund(parties.buyer, offer(parties, plant, 1000), 1000)
    keeper.run_once()
    with devnet.anchor():
        fund(parties.buyer, offer(parties, plant, 3000), 3000)
        keeper.run_once()
        assert keeper.open_payments == 2
    for _ in range(6):  # the first responses could come from a lagging node
        keeper.run_once()
    assert keeper.open_payments == 1
    # The next payment has the id of the reverted one, but another day.
    day = plant.tomorrow + timedelta(days=3)
    again = fund(parties.buyer, offer(parties, plant, 2000, day), 2000)
    devnet.advance(to=start_of(day + timedelta(days=1)))
    verify(parties, plant, 5000, day)
    assert ids(keeper.run_once().settled) == [again]
    verify(parties, plant, 5000)
    assert ids(keeper.run_once().settled) == [before]


def test_a_fork_that_lost_only_some_transactions_is_detected(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper
) -> None:
    """The newest event is on the new fork as well, but an older one is missing."""
    offers = [offer(parties, plant, 1000), offer(parties, plant, 1000)]
    funding = []
    for buyer, offer_id in zip((parties.buyer, parties.other_buyer), offers, strict=True):
        call = buyer.settlement.accept_and_fund(offer_id, 1000, 1000, PRICE, 10**6)
        assert buyer.account is not None
        funding.append((call, buyer.account.sign(call.transaction())))
    with devnet.anchor():
        for call, signed in funding:
            call.send(signed).wait()
        keeper.run_once()
        assert keeper.open_payments == 2
    call, signed = funding[1]
    call.send(signed).wait()
    keeper.run_once()
    assert keeper.open_payments == 1


def test_actions_already_done_by_another_keeper_cost_nothing(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold, left = offer(parties, plant, 1000), offer(parties, plant, 1000)
    payment_id = fund(parties.buyer, sold, 1000)
    day = plant.tomorrow + timedelta(days=1)
    refunded = fund(parties.buyer, offer(parties, plant, 1000, day), 1000)
    devnet.advance(to=start_of(day + timedelta(days=1)))
    verify(parties, plant, 2000)
    reject(parties, plant, day)
    act = keeper._act

    def act_late() -> None:
        Keeper(parties.buyer).run_once()
        act()

    monkeypatch.setattr(keeper, "_act", act_late)
    before = nonce(parties.anyone)
    report = keeper.run_once()
    assert (report.did_nothing, nonce(parties.anyone)) == (True, before)
    assert [state(parties.anyone, number) for number in (payment_id, refunded)] == [
        PaymentState.SETTLED,
        PaymentState.REFUNDED,
    ]
    assert parties.anyone.market.get_offer(left).state is OfferState.EXPIRED  # type: ignore[union-attr]
    assert (keeper.open_payments, keeper.open_offers) == (0, 0)


def test_an_event_that_the_api_omitted_is_detected(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few rounds, the contract's own total of locked funds shows that the keeper's state is wrong."""
    keeper.run_once()
    offer_id = offer(parties, plant, 5000)
    with monkeypatch.context() as patch:
        patch.setattr("der_client.keeper.feeds.read_event", lambda *_: None)
        fund(parties.buyer, offer_id, 1000)
        keeper.run_once()
    assert keeper.open_payments == 0
    for _ in range(2):
        devnet.mine()
        keeper.run_once()
    assert keeper.open_payments == 0, "API and node may be out of step for a while"
    devnet.mine()
    keeper.run_once()
    assert (keeper.open_payments, keeper.open_offers) == (1, 1)


def test_fees_above_the_cap_are_not_paid(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    payments = [fund(parties.buyer, offer(parties, plant, 1000), 1000) for _ in range(2)]
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 2000)
    thrifty = Der.connect(devnet.url, devnet.accounts["wallet_7"], fee_policy=FeePolicy(max_fee_ustx=10))
    keeper = Keeper(thrifty)
    report = keeper.run_once()
    assert [(skipped.action, skipped.id) for skipped in report.failures] == [
        (Action.SETTLE, number) for number in payments
    ]
    assert all("above the cap of 10 µSTX" in skipped.reason for skipped in report.skipped)
    assert (report.txids, report.fees_ustx, report.has_more) == ((), 0, False)
    assert nonce(thrifty) == 0
    assert keeper.run_once().did_nothing, "tried again later, not at once"
    assert ids(Keeper(parties.anyone).run_once().settled) == payments


def test_an_empty_account_is_reported_and_does_not_end_the_keeper(
    parties: Parties, plant: ReadyPlant, devnet: Devnet
) -> None:
    payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 2000)
    key = PrivateKey.generate()
    keeper = Keeper(parties.anyone.with_account(key))
    (skipped,) = keeper.run_once().failures
    assert skipped.id == payment_id
    assert skipped.txid is None
    assert "NotEnoughFunds" in skipped.reason


def test_a_keeper_runs_until_it_is_stopped(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    keeper = Keeper(parties.anyone)
    reports: list[KeeperReport] = []
    thread = threading.Thread(target=keeper.run, kwargs={"interval_s": 0.02, "on_report": reports.append})
    thread.start()
    try:
        payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
        devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
        verify(parties, plant, 2000)
        for _ in range(50 * LONG_S):
            if state(parties.buyer, payment_id) is PaymentState.SETTLED:
                break
            threading.Event().wait(0.02)
    finally:
        keeper.stop()
        thread.join(LONG_S)
    assert not thread.is_alive()
    assert ids(event for report in reports for event in report.settled) == [payment_id]


def test_a_keeper_stopped_after_sending_reports_the_outcome(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 2000)
    errands = keeper._open()
    send = errands.send

    def send_and_stop(*what: Any) -> bool:
        sent = send(*what)
        keeper.stop()
        return sent

    monkeypatch.setattr(errands, "send", send_and_stop)
    reports: list[KeeperReport] = []
    keeper.run(on_report=reports.append)
    assert [ids(report.settled) for report in reports] == [[payment_id]]


def test_actions_before_a_node_failure_are_reported_at_the_end(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keeper.unreported() is None
    payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 2000)
    errands = keeper._open()
    collect = errands.collect

    def collect_and_fail(*_arguments: Any, **_options: Any) -> bool:
        collect()
        if not errands:
            keeper.stop()
            raise NodeUnreachableError("gone", "url")
        return False

    act = keeper._act

    def act_and_fail() -> None:
        act()
        monkeypatch.setattr(errands, "collect", collect_and_fail)

    monkeypatch.setattr(keeper, "_act", act_and_fail)
    reports: list[KeeperReport] = []
    keeper.run(interval_s=0.05, on_report=reports.append)
    assert [ids(report.settled) for report in reports] == [[payment_id]]
    assert reports[0].fees_ustx > 0


def test_a_stopped_keeper_sends_nothing(parties: Parties, plant: ReadyPlant, devnet: Devnet, keeper: Keeper) -> None:
    payment_id = fund(parties.buyer, offer(parties, plant, 1000), 1000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 2000)
    keeper.stop()
    keeper.run()
    assert keeper.run_once().txids == ()
    assert state(parties.buyer, payment_id) is PaymentState.LOCKED


def test_missing_accounts_and_invalid_limits_are_rejected(devnet: Devnet, parties: Parties) -> None:
    with pytest.raises(SigningError, match="pass account="):
        Keeper(Der.connect(devnet.url))
    with pytest.raises(InvalidValueError, match="26 is out of range for max_in_flight: 1 to 25"):
        Keeper(parties.anyone, max_in_flight=26)
    with pytest.raises(InvalidValueError, match="-1 is out of range for min_value_ustx"):
        Keeper(parties.anyone, min_value_ustx=-1)
    with pytest.raises(InvalidValueError, match="-1 is out of range for confirm_timeout_s: at least 0 s"):
        Keeper(parties.anyone, confirm_timeout_s=-1)
    with pytest.raises(InvalidValueError, match="-1 is out of range for interval_s: at least 0 s"):
        Keeper(parties.anyone).run(interval_s=-1)


def test_the_window_matches_the_contracts(der: Der) -> None:
    for contract in (der.production, der.grid):
        assert der.client.constant_val(contract.contract_id, "WINDOW_DAYS").value == WINDOW_DAYS
