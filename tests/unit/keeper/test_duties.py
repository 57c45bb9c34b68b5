"""The keeper's memory: when something is due, and that closed items are forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.contracts.asset_verification import AssetRetired, AssetState, OperatorSet
from der_client.contracts.grid_integration import FeedVerified
from der_client.contracts.market_participation import OfferAccepted, OfferCancelled, OfferCreated, OfferState
from der_client.contracts.production_tracking import DayState, DayVerified
from der_client.contracts.settlement import PaymentFunded, PaymentSettled, PaymentState
from der_client.keeper.duties import LOOKS_AT_A_DAY, Action, Duties
from der_client.readings.slots import WINDOW_DAYS, window_end

SOMEBODY = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
TODAY, TOMORROW, YESTERDAY = date(2026, 7, 1), date(2026, 7, 2), date(2026, 6, 30)


def funded(payment_id: int, day: date, *, spot: bool = False, token: str | None = None) -> PaymentFunded:
    return PaymentFunded(
        payment_id=payment_id,
        offer_id=1,
        asset_id=1,
        day=day,
        actor=SOMEBODY,
        spot=spot,
        payee=SOMEBODY,
        wh=1000,
        before_wh=0,
        token=token,
        claimable=True,
        price_per_kwh=50,
        fee_bps=100,
        cost=50,
        state=PaymentState.LOCKED,
    )


def settled(payment_id: int, day: date) -> PaymentSettled:
    amounts: dict[str, Any] = dict.fromkeys(("delivered_wh", "payout", "fee", "refund"), 0)
    return PaymentSettled(
        payment_id=payment_id,
        offer_id=1,
        asset_id=1,
        day=day,
        actor=SOMEBODY,
        buyer=SOMEBODY,
        payee=SOMEBODY,
        token=None,
        cost=50,
        state=PaymentState.SETTLED,
        **amounts,
    )


def created(offer_id: int, *, epoch: int = 0, expires_at: datetime = NOW + timedelta(hours=1)) -> OfferCreated:
    return OfferCreated(
        offer_id=offer_id,
        asset_id=1,
        day=TOMORROW,
        actor=SOMEBODY,
        spot=False,
        seller=SOMEBODY,
        wh=1000,
        open_wh=1000,
        price_per_kwh=50,
        min_fill_wh=1,
        expires_at=expires_at,
        taker=None,
        token=None,
        epoch=epoch,
        state=OfferState.PENDING,
    )


def accepted(offer_id: int, open_wh: int) -> OfferAccepted:
    return OfferAccepted(
        offer_id=offer_id,
        asset_id=1,
        day=TOMORROW,
        actor=SOMEBODY,
        wh=1,
        before_wh=0,
        open_wh=open_wh,
        fills=1,
        unsettled_fills=1,
        state=OfferState.ACCEPTED,
    )


def verified(day: date, asset_id: int = 1) -> DayVerified:
    return DayVerified(asset_id=asset_id, day=day, actor=SOMEBODY, mask=1, wh=1, state=DayState.VERIFIED)


def told(*events: Any) -> Duties:
    duties = Duties()
    for event in events:
        duties.apply(event, NOW)
    return duties


def test_a_payment_waits_for_its_day() -> None:
    duties = told(funded(1, TOMORROW), funded(2, TOMORROW))
    assert duties.days_to_look_at(10) == []
    duties.apply(verified(TOMORROW, asset_id=2), NOW)
    duties.apply(verified(TODAY), NOW)
    assert duties.days_to_look_at(10) == [], "no payment is locked for these"
    duties.apply(verified(TOMORROW), NOW)
    assert duties.days_to_look_at(10) == [(1, TOMORROW)]
    duties.decide((1, TOMORROW), Action.SETTLE)
    assert (duties.days_to_look_at(10), duties.due(Action.SETTLE)) == ([], (1, 2))
    duties.drop_payment(1)
    assert (duties.due(Action.SETTLE), duties.open_payments, duties.locked_ustx) == ((2,), 1, 50)


def test_a_past_day_is_looked_at_without_an_event() -> None:
    assert told(funded(1, YESTERDAY)).days_to_look_at(10) == [(1, YESTERDAY)]
    assert told(funded(1, TODAY)).days_to_look_at(10) == []


def test_a_spot_fill_is_never_an_open_payment() -> None:
    assert told(funded(1, YESTERDAY, spot=True)).open_payments == 0


def test_a_day_with_nothing_due_is_looked_at_only_a_few_times() -> None:
    duties = told(funded(1, YESTERDAY))
    for _ in range(LOOKS_AT_A_DAY):
        assert duties.days_to_look_at(10) == [(1, YESTERDAY)]
        duties.decide((1, YESTERDAY), None)
    assert duties.days_to_look_at(10) == []
    duties.apply(FeedVerified(asset_id=1, day=YESTERDAY, actor=SOMEBODY, exported_wh=1, imported_wh=0), NOW)
    assert duties.days_to_look_at(10) == [(1, YESTERDAY)]


def test_a_day_is_looked_at_when_its_window_ends() -> None:
    duties = told(funded(1, TODAY))
    end = window_end(TODAY)
    assert end == datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=WINDOW_DAYS + 1)
    duties.tick(end - timedelta(seconds=1))
    assert duties.days_to_look_at(10) == []
    duties.tick(end)
    assert duties.days_to_look_at(10) == [(1, TODAY)]


def test_reconsidered_payments_are_looked_at_again() -> None:
    duties = told(funded(1, YESTERDAY))
    duties.decide((1, YESTERDAY), Action.REFUND)
    duties.reconsider(1)
    assert (duties.due(Action.REFUND), duties.days_to_look_at(10)) == ((), [(1, YESTERDAY)])
    duties.reconsider(99)


def test_at_most_the_requested_number_of_days_is_returned() -> None:
    duties = told(*(funded(number, YESTERDAY - timedelta(days=number)) for number in range(1, 6)))
    assert len(duties.days_to_look_at(3)) == 3


@pytest.mark.parametrize(
    "closing",
    [
        accepted(1, 0),
        OfferCancelled(
            offer_id=1, asset_id=1, day=TOMORROW, actor=SOMEBODY, closed_wh=1, open_wh=0, state=OfferState.CANCELLED
        ),
    ],
)
def test_an_offer_expires_unless_it_is_closed(closing: Any) -> None:
    duties = told(created(1), accepted(1, 500))
    duties.tick(NOW)
    assert duties.due(Action.EXPIRE) == ()
    duties.tick(NOW + timedelta(hours=1))
    assert duties.due(Action.EXPIRE) == (1,)
    duties.apply(closing, NOW)
    assert (duties.due(Action.EXPIRE), duties.open_offers, duties.assets_with_offers()) == ((), 0, [])


def test_a_new_epoch_voids_older_offers() -> None:
    duties = told(created(1, epoch=0), created(2, epoch=1), created(3, epoch=2))
    event = OperatorSet(asset_id=1, actor=SOMEBODY, operator=None, min_price_ustx_per_kwh=1, epoch=2)
    duties.apply(event, NOW)
    assert duties.due(Action.EXPIRE) == (1, 2)


def test_expiry_times_of_closed_offers_do_not_pile_up() -> None:
    duties = Duties()
    for number in range(1, 5000):
        duties.add_offer(number, 1, 0, NOW + timedelta(days=3000))
        duties.drop_offer(number)
    assert len(duties._expiries) <= 1001


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 8), st.integers(-3, 3))))
def test_payments_opened_and_closed_in_any_order_match_a_model(steps: list[tuple[bool, int, int]]) -> None:
    """The model is a dictionary of the open payments."""
    duties = Duties()
    model: dict[int, date] = {}
    for opens, payment_id, offset in steps:
        day = TODAY + timedelta(days=offset)
        if opens:
            duties.apply(funded(payment_id, day), NOW)
            model.setdefault(payment_id, day)
        else:
            duties.apply(settled(payment_id, day), NOW)
            model.pop(payment_id, None)
    assert duties.open_payments == len(model)
    assert duties.locked_ustx == 50 * len(model)
    for key in duties.days_to_look_at(100):
        duties.decide(key, Action.SETTLE)
    assert set(duties.due(Action.SETTLE)) == {number for number, day in model.items() if day < TODAY}


@pytest.mark.parametrize("action", [Action.SETTLE, Action.REFUND])
def test_payments_below_the_minimum_value_are_never_due(action: Action) -> None:
    duties = Duties(min_value_ustx=50)
    for payment_id, cost_ustx in ((1, 49), (2, 50), (3, 1)):
        duties.add_payment(payment_id, 1, YESTERDAY, cost_ustx, NOW)
    duties.decide((1, YESTERDAY), action)
    assert duties.due(action) == (2,)
    assert (duties.open_payments, duties.locked_ustx) == (3, 100), "they are open all the same"


def test_payments_in_a_token_have_no_minimum_value() -> None:
    duties = Duties(min_value_ustx=51)
    for event in (funded(1, YESTERDAY), funded(2, YESTERDAY, token=f"{SOMEBODY}.usdcx")):
        duties.apply(event, NOW)
    assert duties.locked_ustx == 50
    duties.decide((1, YESTERDAY), Action.SETTLE)
    assert list(duties.due(Action.SETTLE)) == [2]
    duties.drop_payment(2)
    duties.drop_payment(1)
    assert duties.locked_ustx == 0


def test_the_days_of_a_retired_plant_are_looked_at() -> None:
    duties = told(funded(1, TOMORROW), funded(2, TODAY))
    assert duties.days_to_look_at(10) == []
    retired = AssetRetired(asset_id=1, actor=SOMEBODY, last_day=TODAY, state=AssetState.RETIRED)
    duties.apply(retired, NOW)
    assert set(duties.days_to_look_at(10)) == {(1, TODAY), (1, TOMORROW)}
