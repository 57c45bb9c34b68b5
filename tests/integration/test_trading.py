"""Selling energy through the typed clients: forward, spot, shortfall, refund; post-conditions and events."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from der_client import ContractError
from der_client.contracts.grid_integration import (
    AlertLevel,
    ConnectionRejected,
    ConnectionState,
    ConnectionStatusSet,
    ExportLimitSet,
    FeedRecorded,
    RegionAlertSet,
)
from der_client.contracts.market_participation import (
    EnergyRetired,
    MarketError,
    OfferAccepted,
    OfferCancelled,
    OfferCreated,
    OfferExpired,
    OfferFillClosed,
    OfferRejected,
    OfferState,
)
from der_client.contracts.production_tracking import (
    DayAdjusted,
    DayDisputed,
    DayRecord,
    DayRejected,
    DayState,
    DayVerified,
    ProductionRecorded,
    ReviewedDay,
)
from der_client.contracts.settlement import (
    FeeBpsSet,
    FeesWithdrawn,
    PaymentFunded,
    PaymentRefunded,
    PaymentSettled,
    PaymentState,
    SettlementError,
)
from der_client.contracts.units import AssetDay
from der_client.readings import DayMessage, DayReadings
from der_client.stacks.contract.annotations import Response
from tests.integration.conftest import REGION, Parties, ReadyPlant, register, start_of

if TYPE_CHECKING:
    from datetime import date

    from der_client import Der
    from der_client.devnet import Devnet

PRICE = 83_333
ALL_SLOTS = (1 << 96) - 1


def offer(parties: Parties, plant: ReadyPlant, wh: int, taker: str | None = None) -> int:
    call = parties.seller.market.create_offer(
        plant.asset_id, plant.tomorrow, wh, PRICE, 1000, start_of(plant.tomorrow), taker
    )
    receipt = call.send().wait()
    assert isinstance(receipt.events[0], OfferCreated)
    return receipt.value


def take(buyer: Der, offer_id: int, wh: int, before_wh: int = 0) -> int:
    receipt = buyer.settlement.accept_and_fund(offer_id, wh, wh, PRICE, before_wh).send().wait()
    assert {type(event) for event in receipt.events} >= {OfferAccepted, PaymentFunded}
    return receipt.value


def record(parties: Parties, plant: ReadyPlant, whs: list[int], day: date | None = None) -> None:
    readings = DayReadings(day or plant.tomorrow, 900, 0, tuple(whs))
    message = DayMessage.sign(
        plant.meter_key,
        readings,
        contract=parties.anyone.production.contract_id,
        asset_id=plant.asset_id,
        key_epoch=1,
        chain_id=parties.anyone.client.network.chain_id,
    )
    call = parties.anyone.production.record_day(message.asset_id, message.day, message.start, message.whs, message.rs)
    (event,) = call.send().wait().events
    assert isinstance(event, ProductionRecorded)
    assert (event.signed, event.wh, event.state) == (True, sum(whs), DayState.RECORDED)


def test_forward_sale_with_a_shortfall(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    offer_id = offer(parties, plant, 30_000)
    first = take(parties.buyer, offer_id, 20_000)
    second = take(parties.other_buyer, offer_id, 10_000, before_wh=20_000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    record(parties, plant, [1000] * 24 + [1] * 72)
    (verified,) = (
        parties.verifier.production.verify_day(plant.asset_id, plant.tomorrow, ALL_SLOTS, 24_072).send().wait().events
    )
    assert isinstance(verified, DayVerified)

    preview = parties.anyone.settlement.preview_settlement(second)
    receipt = parties.anyone.settlement.settle(second).send().wait()
    settled = next(event for event in receipt.events if isinstance(event, PaymentSettled))
    gross = 4072 * PRICE // 1000
    fee = gross * 100 // 10_000
    assert (settled.delivered_wh, settled.payout, settled.fee) == (4072, gross - fee, fee)
    assert preview is not None
    assert preview.model_dump() == {
        "delivered_wh": settled.delivered_wh,
        "payout": settled.payout,
        "fee": settled.fee,
        "refund": settled.refund,
    }
    moved = {transfer.recipient: transfer.amount_ustx for transfer in receipt.transfers}
    assert moved == {settled.payee: settled.payout, settled.buyer: settled.refund}
    assert settled.payout + settled.fee + settled.refund == settled.cost == 833_330
    assert any(isinstance(event, OfferFillClosed) for event in receipt.events)

    batch = parties.anyone.settlement.settle_batch([first, second, 99]).send().wait()
    assert batch.value == (
        Response(True, None),
        Response(None, SettlementError.ERR_PAYMENT_CLOSED),
        Response(None, SettlementError.ERR_PAYMENT_NOT_FOUND),
    )
    state = parties.anyone.market.get_offer(offer_id)
    assert state is not None
    assert state.state is OfferState.COMPLETED
    payments = parties.anyone.list_payments()
    assert [payments[number].state for number in (first, second)] == [PaymentState.SETTLED] * 2
    assert [payments[number].delivered_wh for number in (first, second)] == [20_000, 4072]
    assert parties.anyone.settlement.get_escrow_total() == 0
    assert parties.anyone.settlement.is_solvent()

    fees = parties.anyone.settlement.get_fees()
    receiver = parties.anyone.account
    assert receiver is not None
    withdrawal = parties.contract_owner.settlement.withdraw_fees(fees, receiver.address).send().wait()
    assert isinstance(withdrawal.events[0], FeesWithdrawn)
    assert [transfer.amount_ustx for transfer in withdrawal.transfers] == [fees]


def test_spot_sale_is_paid_at_once_and_the_rest_retired(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    record(parties, plant, [500] * 10)
    parties.verifier.production.verify_days(
        [ReviewedDay(asset_id=plant.asset_id, day=plant.tomorrow, mask=0x3FF, wh=5000)]
    ).send().wait()
    assert parties.anyone.market.get_available(plant.asset_id, plant.tomorrow) == 5000
    expires_at = parties.seller.now() + timedelta(hours=1)
    create = parties.seller.market.create_offer(plant.asset_id, plant.tomorrow, 4000, PRICE, 1000, expires_at)
    offer_id = create.send().wait().value
    quote = parties.buyer.market.quote(offer_id, 3001)
    assert quote is not None
    assert quote.cost == -(-3001 * PRICE // 1000)
    receipt = parties.buyer.settlement.accept_and_fund(offer_id, 3001, 3001, PRICE, 0).send().wait()
    settled = next(event for event in receipt.events if isinstance(event, PaymentSettled))
    assert settled.delivered_wh == 3001
    assert settled.refund == 1
    parties.seller.market.cancel_offer(offer_id).send().wait()

    seller = parties.seller.account
    assert seller is not None
    retire = parties.seller.market.retire_energy(plant.asset_id, plant.tomorrow, 1999, seller.address, "own use")
    assert isinstance(retire.send().wait().events[0], EnergyRetired)
    with pytest.raises(ContractError) as caught:
        retire.send().wait()
    assert caught.value.error is MarketError.ERR_OVERSOLD
    book = parties.anyone.market.get_day_book(plant.asset_id, plant.tomorrow)
    assert book is not None
    assert (book.spot_open_wh, book.spot_sold_wh, book.retired_wh) == (0, 3001, 1999)


def test_offers_are_rejected_cancelled_and_expired(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    buyer = parties.buyer.account
    assert buyer is not None
    named, own, late = (offer(parties, plant, 1000, taker) for taker in (buyer.address, None, None))
    (rejected,) = parties.buyer.market.reject_offer(named).send().wait().events
    (cancelled,) = parties.seller.market.cancel_offer(own).send().wait().events
    with pytest.raises(ContractError, match="ERR_OFFER_NOT_EXPIRED"):
        parties.anyone.market.expire_offer(late).send().wait()
    devnet.advance(to=start_of(plant.tomorrow))
    (expired,) = parties.anyone.market.expire_offer(late).send().wait().events
    assert isinstance(rejected, OfferRejected)
    assert isinstance(cancelled, OfferCancelled)
    assert isinstance(expired, OfferExpired)
    assert [found.state for found in parties.anyone.list_offers().values()] == [
        OfferState.REJECTED,
        OfferState.CANCELLED,
        OfferState.EXPIRED,
    ]


def test_a_rejected_day_is_refunded(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    payment_id = take(parties.buyer, offer(parties, plant, 2000), 2000)
    with pytest.raises(ContractError, match="ERR_NOT_REFUNDABLE"):
        parties.buyer.settlement.refund(payment_id).send().wait()
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=31)))
    (rejected,) = (
        parties.verifier.production.reject_day(plant.asset_id, plant.tomorrow, 0, 0, "no data").send().wait().events
    )
    assert isinstance(rejected, DayRejected)
    receipt = parties.anyone.settlement.refund(payment_id).send().wait()
    refunded = next(event for event in receipt.events if isinstance(event, PaymentRefunded))
    assert refunded.refund == refunded.cost == 2000 * PRICE // 1000


def test_a_race_can_only_abort(parties: Parties, plant: ReadyPlant) -> None:
    """Post-conditions are computed when the call is built, so a faster buyer makes it fail, but not cost more."""
    offer_id = offer(parties, plant, 2000)
    slow = parties.buyer.settlement.accept_and_fund(offer_id, 2000, 2000, PRICE, 0)
    assert [condition.amount for condition in slow.post_conditions if hasattr(condition, "amount")] == [166_666]
    take(parties.other_buyer, offer_id, 2000)
    with pytest.raises(ContractError, match="ERR_OFFER_CLOSED"):
        slow.send().wait()


def test_oracle_records_disputes_and_adjustments(parties: Parties, devnet: Devnet) -> None:
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    day = parties.oracle.now().date() + timedelta(days=1)
    devnet.advance(to=start_of(day + timedelta(days=2)))
    items = [DayRecord(asset_id=asset_id, day=day + timedelta(days=number), mask=0b111, wh=300) for number in (0, 1)]
    assert parties.oracle.production.record_batch(items).send().wait().value == (Response(True, None),) * 2
    parties.oracle.production.record_production(asset_id, day, 0b1000, 100).send().wait()
    (disputed,) = parties.verifier.production.dispute_day(asset_id, day, "odd").send().wait().events
    assert isinstance(disputed, DayDisputed)
    adjusting = parties.arbiter.production.adjust_day(asset_id, day, 400, 350).send().wait()
    assert adjusting.value == 350
    assert isinstance(adjusting.events[0], DayAdjusted)
    keys = [AssetDay(asset_id=asset_id, day=day + timedelta(days=number)) for number in (0, 1, 2)]
    days = parties.anyone.production.get_days(keys)
    assert [(found.state, found.wh) if found else None for found in days] == [
        (DayState.DISPUTED, 350),
        (DayState.RECORDED, 300),
        None,
    ]
    assert parties.anyone.production.is_slot_recorded(asset_id, day, 3)
    assert not parties.anyone.production.is_slot_recorded(asset_id, day, 4)
    assert parties.anyone.production.get_total_production(asset_id).recorded_wh == 650


def test_grid_operator_curtails_limits_meters_and_warns(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> None:
    grid = parties.grid_operator.grid
    until = parties.anyone.now() + timedelta(hours=3)
    events: list[object] = [
        grid.set_status(plant.asset_id, ConnectionState.CURTAILED).send().wait().events[0],
        grid.set_export_limit(plant.asset_id, 4000).send().wait().events[0],
        grid.set_region_alert(REGION, AlertLevel.WARNING, until).send().wait().events[0],
    ]
    kinds: list[type] = [ConnectionStatusSet, ExportLimitSet, RegionAlertSet]
    assert [type(event) for event in events] == kinds
    alert = grid.get_region_alert(REGION)
    assert alert is not None
    assert (alert.level, alert.until) == (AlertLevel.WARNING, until)
    assert grid.is_connected(plant.asset_id)
    assert grid.get_export_cap(plant.asset_id) == 4000
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    (fed,) = grid.record_feed(plant.asset_id, plant.tomorrow, 10, 2).send().wait().events
    assert isinstance(fed, FeedRecorded)
    assert grid.get_total_feed(plant.asset_id).model_dump() == {"exported_wh": 10, "imported_wh": 2}

    other = register(parties, None)
    parties.registrar.assets.verify_asset(other, 6000, None).send().wait()
    parties.seller.grid.request_connection(other, 6000).send().wait()
    (rejected,) = grid.reject_connection(other, "no room").send().wait().events
    assert isinstance(rejected, ConnectionRejected)


def test_a_higher_fee_is_announced_and_bounded(parties: Parties, devnet: Devnet) -> None:
    settlement = parties.anyone.settlement
    (event,) = parties.contract_owner.settlement.set_fee_bps(500).send().wait().events
    assert isinstance(event, FeeBpsSet)
    assert (settlement.get_fee_bps(), settlement.get_fee_schedule().next_fee_bps) == (100, 500)
    devnet.advance(to=event.next_from)
    assert settlement.get_fee_bps() == 500
    with pytest.raises(ContractError, match="ERR_FEE_TOO_HIGH"):
        parties.contract_owner.settlement.set_fee_bps(501).send().wait()


def test_errors_have_details_from_the_chain(parties: Parties, plant: ReadyPlant) -> None:
    with pytest.raises(ContractError, match=rf"ERR_WRONG_ASSET_STATE .*; asset {plant.asset_id} is verified") as state:
        parties.registrar.assets.verify_asset(plant.asset_id, 6000, None).simulate()
    assert state.value.detail == f"asset {plant.asset_id} is verified"
    left = parties.seller.market.get_available(plant.asset_id, plant.tomorrow)
    with pytest.raises(ContractError, match=rf"ERR_OVERSOLD .*; {left:,} Wh of {plant.tomorrow} are available"):
        offer(parties, plant, left + 1)
    first, second = offer(parties, plant, 1000), offer(parties, plant, 1000)
    parties.buyer.settlement.accept_and_fund(first, 1000, 1000, PRICE, 0).send().wait()
    with pytest.raises(ContractError, match=r"ERR_BEFORE_ABOVE_MAX .*; 1,000 Wh are ahead of it now"):
        parties.buyer.settlement.accept_and_fund(second, 1000, 1000, PRICE, 0).send().wait()
    with pytest.raises(ContractError, match=f"ERR_OFFER_CLOSED .*; offer {first} is accepted; 0 Wh of it are open"):
        parties.buyer.settlement.accept_and_fund(first, 1, 1, PRICE, 10**9).send().wait()
