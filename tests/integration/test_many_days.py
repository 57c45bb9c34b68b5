"""Long contracts: a year is offered and bought in calls of 31 days, with a separate result for each day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from der_client import ContractError
from der_client.contracts.market_participation import MarketError, OfferedDay
from der_client.contracts.settlement import Taking
from der_client.stacks.errors import (
    BroadcastUnknownError,
    ConfirmationTimeoutError,
    InvalidValueError,
    NodeError,
    SigningError,
    SimulationUnavailableError,
)
from tests.integration.conftest import Parties, ReadyPlant, start_of

if TYPE_CHECKING:
    from datetime import date

    from der_client.contracts.series import CallSeries

PRICE = 83_333
WH = 20_000
NO_LIMIT = 10**15


def days_from(first: date, count: int) -> dict[date, int]:
    return {first + timedelta(days=number): WH + number for number in range(count)}


def offered(parties: Parties, plant: ReadyPlant, days: dict[date, int]) -> CallSeries[OfferedDay]:
    return parties.seller.market.offer_days(plant.asset_id, days, PRICE, min_fill_wh=1_000)


@pytest.fixture
def estimates(parties: Parties, plant: ReadyPlant) -> None:
    """Mine both calls once, because a node has no estimates for calls that were never mined."""
    (outcome,) = offered(parties, plant, days_from(plant.tomorrow, 1)).send().wait()
    takings = [Taking(offer_id=outcome.number or 0, wh=WH, min_wh=WH)]
    assert parties.other_buyer.settlement.take_offers(takings, PRICE, 0).send().wait()[0].is_ok


@pytest.mark.usefixtures("estimates")
def test_a_year_is_offered_and_bought(parties: Parties, plant: ReadyPlant) -> None:
    series = offered(parties, plant, days_from(plant.tomorrow, 366))
    seller, buyer = parties.seller.account, parties.buyer.account
    assert seller is not None
    assert buyer is not None
    before_ustx = seller.balance_ustx()
    cost = series.cost()
    assert seller.balance_ustx() == before_ustx
    assert (cost.calls, cost.sends_ustx) == (12, 0)
    assert [len(part) for part in series.parts] == [31] * 11 + [25]

    outcomes = series.send().wait()
    assert before_ustx - seller.balance_ustx() == cost.fees_ustx
    assert [outcome.item.day for outcome in outcomes] == list(days_from(plant.tomorrow, 366))
    numbers = [outcome.number for outcome in outcomes if outcome.number is not None]
    assert len(numbers) == len(outcomes)
    last = parties.anyone.market.get_offer(numbers[-1])
    assert last is not None
    assert (last.day, last.wh) == (plant.tomorrow + timedelta(days=365), WH + 365)
    assert last.expires_at == start_of(last.day)

    takings = [Taking(offer_id=number, wh=2_000, min_wh=1_000) for number in numbers[:40]]
    taking = parties.buyer.settlement.take_offers(takings, PRICE, WH)
    before_ustx = buyer.balance_ustx()
    cost = taking.cost()
    locked_ustx = 40 * (2 * PRICE)
    assert (cost.calls, cost.sends_ustx) == (2, locked_ustx)
    taken = taking.send().wait()
    assert before_ustx - buyer.balance_ustx() == locked_ustx + cost.fees_ustx
    payment = parties.anyone.settlement.get_payment(taken[-1].number or 0)
    assert payment is not None
    assert (payment.offer_id, payment.wh) == (numbers[39], 2_000)


def test_the_predicted_reads_match_the_receipts(parties: Parties, plant: ReadyPlant) -> None:
    series = offered(parties, plant, days_from(plant.tomorrow, 40))
    reads = series.cost().reads
    receipts = [pending.wait() for pending in series.send().pending]
    assert reads == sum(receipt.cost.read_count for receipt in receipts if receipt.cost is not None)
    assert reads is not None
    assert reads > 100


def test_without_simulation_the_node_estimates_the_reads(
    parties: Parties, plant: ReadyPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_simulation(*_: object, **__: object) -> None:
        raise SimulationUnavailableError("not here")

    offered(parties, plant, days_from(plant.tomorrow, 31)).send().wait()
    series = offered(parties, plant, days_from(plant.tomorrow, 62))
    monkeypatch.setattr("der_client.stacks.contract.call.Call.simulate", no_simulation)
    cost = series.cost()
    assert cost.reads is not None
    assert cost.reads > 100
    assert cost.fees_ustx > 0


def test_a_refused_day_does_not_affect_the_others(parties: Parties, plant: ReadyPlant) -> None:
    days = [
        OfferedDay(day=plant.tomorrow, wh=WH, expires_at=start_of(plant.tomorrow)),
        OfferedDay(day=plant.tomorrow, wh=24 * 6000, expires_at=start_of(plant.tomorrow)),
        OfferedDay(
            day=plant.tomorrow + timedelta(days=1), wh=WH, expires_at=start_of(plant.tomorrow + timedelta(days=1))
        ),
    ]
    first, second, third = (
        parties.seller.market.offer_days(plant.asset_id, days, PRICE, min_fill_wh=1_000).send().wait()
    )
    assert first.is_ok
    assert third.is_ok
    assert second.number is None
    assert isinstance(second.error, ContractError)
    assert second.error.error is MarketError.ERR_OVERSOLD
    assert "144000" in str(second.error)
    assert second.txid in str(second.error)

    takings = [Taking(offer_id=number, wh=2_000, min_wh=2_000) for number in (first.number or 0, 10**6)]
    good, missing = parties.buyer.settlement.take_offers(takings, NO_LIMIT, 0).send().wait()
    assert good.is_ok
    assert isinstance(missing.error, ContractError)
    assert missing.error.error is MarketError.ERR_OFFER_NOT_FOUND


def test_a_call_that_is_refused_as_a_whole_is_predicted(parties: Parties, plant: ReadyPlant) -> None:
    series = parties.other_buyer.market.offer_days(
        plant.asset_id, days_from(plant.tomorrow, 32), PRICE, min_fill_wh=1_000
    )
    with pytest.raises(ContractError, match="ERR_NOT_SELLER"):
        series.cost()
    outcomes = series.send().wait()
    assert len(outcomes) == 32
    assert all(isinstance(each.error, ContractError) and each.number is None for each in outcomes)


def test_calls_sent_before_a_failure_have_outcomes(
    parties: Parties, plant: ReadyPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = offered(parties, plant, days_from(plant.tomorrow, 90))
    fails = series.calls[1]

    def refuse(**_: object) -> None:
        raise NodeError("the node is gone", parties.seller.client.url)

    monkeypatch.setattr(fails, "send", refuse)
    pending = series.send()
    assert repr(pending) == "PendingSeries(market-participation, 1 of 3 calls sent)"
    outcomes = pending.wait()
    assert [each.is_ok for each in outcomes] == [True] * 31 + [False] * 59
    assert {each.txid for each in outcomes[31:]} == {""}
    assert "the node is gone" in str(outcomes[-1].error)

    monkeypatch.undo()
    send = series.calls[0].send

    def lose(**_: object) -> None:
        raise BroadcastUnknownError("nobody answered", send().txid)

    monkeypatch.setattr(series.calls[0], "send", lose)
    assert [each.is_ok for each in series.send().wait()] == [True] * 31 + [False] * 59

    monkeypatch.setattr(series.calls[0], "send", refuse)
    with pytest.raises(NodeError, match="the node is gone"):
        series.send()


def test_calls_not_mined_in_time_can_be_waited_for_again(
    parties: Parties, plant: ReadyPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = offered(parties, plant, days_from(plant.tomorrow, 2)).send()
    (sent,) = pending.pending

    def is_late(_timeout_s: float) -> None:
        raise ConfirmationTimeoutError("not mined in time", sent.txid)

    with monkeypatch.context() as patch:
        patch.setattr(sent, "wait", is_late)
        late = pending.wait()
    assert [(type(each.error), each.txid) for each in late] == [(ConfirmationTimeoutError, sent.txid)] * 2
    assert all(each.is_ok for each in pending.wait())


def test_empty_series_and_missing_accounts_are_rejected(parties: Parties, plant: ReadyPlant) -> None:
    with pytest.raises(InvalidValueError, match="days is empty"):
        offered(parties, plant, {})
    with pytest.raises(InvalidValueError, match="items is empty"):
        parties.buyer.settlement.take_offers([], PRICE, 0)
    market = type(parties.seller.market)(parties.seller.client, parties.seller.deployer)
    series = market.offer_days(plant.asset_id, days_from(plant.tomorrow, 1), PRICE, min_fill_wh=1_000)
    assert repr(series) == "CallSeries(market-participation, 1 items in 1 calls)"
    with pytest.raises(SigningError):
        series.cost()
