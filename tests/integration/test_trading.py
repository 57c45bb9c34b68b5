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
    AssetDay,
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
from der_client.readings import DayMessage, DayReadings
from der_client.stacks.contract.annotations import Response
from tests.integration.conftest import REGION, Cast, ReadyPlant, register, start_of

if TYPE_CHECKING:
    from datetime import date

    from der_client import Der
    from der_client.devnet import Devnet

PRICE = 83_333


def offer(cast: Cast, plant: ReadyPlant, wh: int, taker: str | None = None) -> int:
    call = cast.seller.market.create_offer(
        plant.asset_id, plant.tomorrow, wh, PRICE, 1000, start_of(plant.tomorrow), taker
    )
    receipt = call.send().wait()
    assert isinstance(receipt.events[0], OfferCreated)
    return receipt.value


def take(buyer: Der, offer_id: int, wh: int, before_wh: int = 0) -> int:
    receipt = buyer.settlement.accept_and_fund(offer_id, wh, -(-wh * PRICE // 1000), before_wh).send().wait()
    assert {type(event) for event in receipt.events} >= {OfferAccepted, PaymentFunded}
    return receipt.value


def record(cast: Cast, plant: ReadyPlant, whs: list[int], day: date | None = None) -> None:
    readings = DayReadings(day or plant.tomorrow, 900, 0, tuple(whs))
    message = DayMessage.sign(
        plant.meter_key,
        readings,
        contract=cast.anyone.production.contract_id,
        asset_id=plant.asset_id,
        key_epoch=1,
        chain_id=cast.anyone.client.network.chain_id,
    )
    call = cast.anyone.production.record_day(
        message.asset_id, message.day, message.start, message.whs, message.signature
    )
    (event,) = call.send().wait().events
    assert isinstance(event, ProductionRecorded)
    assert (event.signed, event.wh, event.state) == (True, sum(whs), DayState.RECORDED)


def test_forward_sale_with_a_shortfall(cast: Cast, plant: ReadyPlant, devnet: Devnet) -> None:
    offer_id = offer(cast, plant, 30_000)
    first = take(cast.buyer, offer_id, 20_000)
    second = take(cast.other_buyer, offer_id, 10_000, before_wh=20_000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    record(cast, plant, [1000] * 24 + [1] * 72)
    (verified,) = cast.verifier.production.verify_day(plant.asset_id, plant.tomorrow, 24_072).send().wait().events
    assert isinstance(verified, DayVerified)

    preview = cast.anyone.settlement.preview_settlement(second)
    receipt = cast.anyone.settlement.settle(second).send().wait()
    settled = next(event for event in receipt.events if isinstance(event, PaymentSettled))
    gross = 4072 * PRICE // 1000
    fee = gross * 100 // 10_000
    assert (settled.delivered_wh, settled.payout_ustx, settled.fee_ustx) == (4072, gross - fee, fee)
    assert preview is not None
    assert preview.model_dump() == {
        "delivered_wh": settled.delivered_wh,
        "payout_ustx": settled.payout_ustx,
        "fee_ustx": settled.fee_ustx,
        "refund_ustx": settled.refund_ustx,
    }
    moved = {transfer.recipient: transfer.amount_ustx for transfer in receipt.transfers}
    assert moved == {settled.payee: settled.payout_ustx, settled.buyer: settled.refund_ustx}
    assert settled.payout_ustx + settled.fee_ustx + settled.refund_ustx == settled.cost_ustx == 833_330
    assert any(isinstance(event, OfferFillClosed) for event in receipt.events)

    batch = cast.anyone.settlement.settle_batch([first, second, 99]).send().wait()
    assert batch.value == (
        Response(True, None),
        Response(None, SettlementError.ERR_PAYMENT_CLOSED),
        Response(None, SettlementError.ERR_PAYMENT_NOT_FOUND),
    )
    state = cast.anyone.market.get_offer(offer_id)
    assert state is not None
    assert state.state is OfferState.COMPLETED
    payments = cast.anyone.list_payments()
    assert [payments[number].state for number in (first, second)] == [PaymentState.SETTLED] * 2
    assert [payments[number].delivered_wh for number in (first, second)] == [20_000, 4072]
    assert cast.anyone.settlement.get_escrow_total() == 0
    assert cast.anyone.settlement.is_solvent()

    fees = cast.anyone.settlement.get_fees()
    receiver = cast.anyone.account
    assert receiver is not None
    withdrawal = cast.contract_owner.settlement.withdraw_fees(fees, receiver.address).send().wait()
    assert isinstance(withdrawal.events[0], FeesWithdrawn)
    assert [transfer.amount_ustx for transfer in withdrawal.transfers] == [fees]


def test_spot_sale_is_paid_at_once_and_the_rest_retired(cast: Cast, plant: ReadyPlant, devnet: Devnet) -> None:
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    record(cast, plant, [500] * 10)
    cast.verifier.production.verify_days(
        [ReviewedDay(asset_id=plant.asset_id, day=plant.tomorrow, wh=5000)]
    ).send().wait()
    assert cast.anyone.market.get_available(plant.asset_id, plant.tomorrow) == 5000
    expires_at = cast.seller.now() + timedelta(hours=1)
    create = cast.seller.market.create_offer(plant.asset_id, plant.tomorrow, 4000, PRICE, 1000, expires_at)
    offer_id = create.send().wait().value
    quote = cast.buyer.market.quote(offer_id, 3001)
    assert quote is not None
    assert quote.cost_ustx == -(-3001 * PRICE // 1000)
    receipt = cast.buyer.settlement.accept_and_fund(offer_id, 3001, quote.cost_ustx, 0).send().wait()
    settled = next(event for event in receipt.events if isinstance(event, PaymentSettled))
    assert settled.delivered_wh == 3001
    assert settled.refund_ustx == 1
    cast.seller.market.cancel_offer(offer_id).send().wait()

    seller = cast.seller.account
    assert seller is not None
    retire = cast.seller.market.retire_energy(plant.asset_id, plant.tomorrow, 1999, seller.address)
    assert isinstance(retire.send().wait().events[0], EnergyRetired)
    with pytest.raises(ContractError) as caught:
        retire.send().wait()
    assert caught.value.error is MarketError.ERR_OVERSOLD
    book = cast.anyone.market.get_day_book(plant.asset_id, plant.tomorrow)
    assert book is not None
    assert (book.spot_open_wh, book.spot_sold_wh, book.retired_wh) == (0, 3001, 1999)


def test_offers_are_rejected_cancelled_and_expired(cast: Cast, plant: ReadyPlant, devnet: Devnet) -> None:
    buyer = cast.buyer.account
    assert buyer is not None
    named, own, late = (offer(cast, plant, 1000, taker) for taker in (buyer.address, None, None))
    (rejected,) = cast.buyer.market.reject_offer(named).send().wait().events
    (cancelled,) = cast.seller.market.cancel_offer(own).send().wait().events
    with pytest.raises(ContractError, match="ERR_OFFER_NOT_EXPIRED"):
        cast.anyone.market.expire_offer(late).send().wait()
    devnet.advance(to=start_of(plant.tomorrow))
    (expired,) = cast.anyone.market.expire_offer(late).send().wait().events
    assert isinstance(rejected, OfferRejected)
    assert isinstance(cancelled, OfferCancelled)
    assert isinstance(expired, OfferExpired)
    assert [found.state for found in cast.anyone.list_offers().values()] == [
        OfferState.REJECTED,
        OfferState.CANCELLED,
        OfferState.EXPIRED,
    ]


def test_a_rejected_day_is_refunded(cast: Cast, plant: ReadyPlant, devnet: Devnet) -> None:
    payment_id = take(cast.buyer, offer(cast, plant, 2000), 2000)
    with pytest.raises(ContractError, match="ERR_NOT_REFUNDABLE"):
        cast.buyer.settlement.refund(payment_id).send().wait()
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    (rejected,) = cast.verifier.production.reject_day(plant.asset_id, plant.tomorrow, "no data").send().wait().events
    assert isinstance(rejected, DayRejected)
    receipt = cast.anyone.settlement.refund(payment_id).send().wait()
    refunded = next(event for event in receipt.events if isinstance(event, PaymentRefunded))
    assert refunded.refund_ustx == refunded.cost_ustx == 2000 * PRICE // 1000


def test_a_race_can_only_abort(cast: Cast, plant: ReadyPlant) -> None:
    """Post-conditions are worked out when the call is built; whoever is faster makes it fail, not cost more."""
    offer_id = offer(cast, plant, 2000)
    slow = cast.buyer.settlement.accept_and_fund(offer_id, 2000, 10**6, 0)
    assert [condition.amount for condition in slow.post_conditions if hasattr(condition, "amount")] == [166_666]
    take(cast.other_buyer, offer_id, 2000)
    with pytest.raises(ContractError, match="ERR_OFFER_CLOSED"):
        slow.send().wait()


def test_oracle_records_disputes_and_adjustments(cast: Cast, devnet: Devnet) -> None:
    asset_id = register(cast, None)
    cast.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    day = cast.oracle.now().date() + timedelta(days=1)
    devnet.advance(to=start_of(day + timedelta(days=2)))
    items = [DayRecord(asset_id=asset_id, day=day + timedelta(days=number), mask=0b111, wh=300) for number in (0, 1)]
    assert cast.oracle.production.record_batch(items).send().wait().value is True
    cast.oracle.production.record_production(asset_id, day, 0b1000, 100).send().wait()
    (disputed,) = cast.verifier.production.dispute_day(asset_id, day, "odd").send().wait().events
    assert isinstance(disputed, DayDisputed)
    adjusting = cast.arbiter.production.adjust_day(asset_id, day, -50).send().wait()
    assert adjusting.value == 350
    assert isinstance(adjusting.events[0], DayAdjusted)
    keys = [AssetDay(asset_id=asset_id, day=day + timedelta(days=number)) for number in (0, 1, 2)]
    days = cast.anyone.production.get_days(keys)
    assert [(found.state, found.wh) if found else None for found in days] == [
        (DayState.DISPUTED, 350),
        (DayState.RECORDED, 300),
        None,
    ]
    assert cast.anyone.production.is_slot_recorded(asset_id, day, 3)
    assert not cast.anyone.production.is_slot_recorded(asset_id, day, 4)
    assert cast.anyone.production.get_total_production(asset_id).recorded_wh == 650


def test_grid_operator_curtails_limits_meters_and_warns(cast: Cast, plant: ReadyPlant, devnet: Devnet) -> None:
    grid = cast.grid_operator.grid
    until = cast.anyone.now() + timedelta(hours=3)
    events = [
        grid.set_status(plant.asset_id, ConnectionState.CURTAILED).send().wait().events[0],
        grid.set_export_limit(plant.asset_id, 4000).send().wait().events[0],
        grid.set_region_alert(REGION, AlertLevel.WARNING, until).send().wait().events[0],
    ]
    assert [type(event) for event in events] == [ConnectionStatusSet, ExportLimitSet, RegionAlertSet]
    alert = grid.get_region_alert(REGION)
    assert alert is not None
    assert (alert.level, alert.until) == (AlertLevel.WARNING, until)
    assert grid.is_connected(plant.asset_id)
    assert grid.get_export_cap(plant.asset_id) == 4000
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    (fed,) = grid.record_feed(plant.asset_id, plant.tomorrow, 10, 2).send().wait().events
    assert isinstance(fed, FeedRecorded)
    assert grid.get_total_feed(plant.asset_id).model_dump() == {"exported_wh": 10, "imported_wh": 2}

    other = register(cast, None)
    cast.registrar.assets.verify_asset(other, 6000, None).send().wait()
    cast.seller.grid.request_connection(other, 6000).send().wait()
    (rejected,) = grid.reject_connection(other, "no room").send().wait().events
    assert isinstance(rejected, ConnectionRejected)


def test_fee_is_set_and_bounded(cast: Cast) -> None:
    (event,) = cast.contract_owner.settlement.set_fee_bps(500).send().wait().events
    assert isinstance(event, FeeBpsSet)
    assert cast.anyone.settlement.get_fee_bps() == 500
    with pytest.raises(ContractError, match="ERR_FEE_TOO_HIGH"):
        cast.contract_owner.settlement.set_fee_bps(501).send().wait()


def test_errors_say_what_can_be_looked_up(cast: Cast, plant: ReadyPlant) -> None:
    with pytest.raises(ContractError, match=rf"ERR_WRONG_ASSET_STATE .*; asset {plant.asset_id} is verified") as state:
        cast.registrar.assets.verify_asset(plant.asset_id, 6000, None).simulate()
    assert state.value.detail == f"asset {plant.asset_id} is verified"
    left = cast.seller.market.get_available(plant.asset_id, plant.tomorrow)
    with pytest.raises(ContractError, match=rf"ERR_OVERSOLD .*; {left:,} Wh of {plant.tomorrow} are available"):
        offer(cast, plant, left + 1)
    first, second = offer(cast, plant, 1000), offer(cast, plant, 1000)
    cast.buyer.settlement.accept_and_fund(first, 1000, 10**9, 0).send().wait()
    with pytest.raises(ContractError, match=r"ERR_BEFORE_ABOVE_MAX .*; 1,000 Wh are ahead of it now"):
        cast.buyer.settlement.accept_and_fund(second, 1000, 10**9, 0).send().wait()
    with pytest.raises(ContractError, match=f"ERR_OFFER_CLOSED .*; offer {first} is accepted; 0 Wh of it are open"):
        cast.buyer.settlement.accept_and_fund(first, 1, 10**9, 10**9).send().wait()
