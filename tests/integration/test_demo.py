"""The demo, end to end: its figures match the data, the chain, and each other."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from der_client import Der, Devnet
from der_client.cli.demo_story import tell
from der_client.cli.quantities import energy
from der_client.contracts.market_participation import OfferState
from der_client.contracts.settlement import PaymentState
from der_client.demo import MAX_DAYS, DemoResult, run_demo
from der_client.demo.run import MONTH_DAYS
from der_client.project import deployment_plan
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.standards import Sip010
from tests.integration.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "der_client.cli", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program


@pytest.fixture(scope="module")
def empty_devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, start_time=NOON) as devnet:
        yield devnet


@pytest.fixture(scope="module")
def result(empty_devnet: Devnet) -> DemoResult:
    return run_demo(empty_devnet, deployment_plan(), days=2)


def test_energy_matches_the_real_data(result: DemoResult) -> None:
    # The first two days of the file: 16.4 and 20.255 kWh (see the metering tests for how they are summed).
    assert result.plants[0].produced_wh == 16_400 + 20_255
    assert result.produced_wh == sum(plant.produced_wh for plant in result.plants)
    assert all(plant.delivered_wh <= plant.verified_wh == plant.produced_wh for plant in result.plants)


def test_money_adds_up(result: DemoResult) -> None:
    assert result.locked_ustx == result.paid_ustx + result.fees_ustx + result.refunded_ustx
    assert result.refunded_ustx > 0
    assert sum(balance.change_ustx for balance in result.balances) == -result.network_fees_ustx
    assert all(balance.change_ustx == balance.expected_change_ustx for balance in result.balances)


def test_one_fill_has_a_shortfall_and_all_are_settled(result: DemoResult) -> None:
    assert {payment.state for payment in result.payments} == {PaymentState.SETTLED}
    assert any(0 < payment.delivered_wh < payment.wh and payment.refund > 1 for payment in result.payments)
    assert {payment.spot for payment in result.payments} == {True, False}


def test_offers_end_in_every_way(result: DemoResult) -> None:
    assert {offer.state for offer in result.offers} == {
        OfferState.COMPLETED,
        OfferState.REJECTED,
        OfferState.CANCELLED,
        OfferState.PENDING,  # the days of the month that were not bought
    }
    assert sum(offer.state is OfferState.PENDING for offer in result.offers) == MONTH_DAYS - 1


def test_a_sale_in_a_token_is_credited_and_withdrawn(result: DemoResult, empty_devnet: Devnet) -> None:
    sale = result.token_sale
    (payment,) = (payment for payment in result.payments if payment.token == sale.token)
    assert (payment.cost, payment.payout, payment.refund) == (sale.locked, sale.paid, sale.refunded)
    assert sale.locked == sale.paid + sale.fee + sale.refunded
    assert sale.paid > 0
    assert sale.refunded > 0
    assert sale.withdrawn == sale.paid + sale.refunded
    der = Der.connect(empty_devnet.url)
    assert der.settlement.get_ledger(sale.token).credits == 0
    assert Sip010.at(der.client, sale.token).get_balance(der.settlement.contract_id) == sale.fee
    assert payment.cost not in (result.locked_ustx, result.paid_ustx)
    assert result.locked_ustx == sum(payment.cost for payment in result.payments if payment.token is None)


def test_a_month_is_offered_in_one_call_and_one_day_is_sold(result: DemoResult) -> None:
    ahead = result.month_ahead
    assert ahead.calls == 1
    assert ahead.fees_ustx > 0
    offers = [offer for offer in result.offers if offer.offer_id in ahead.offer_ids]
    assert [offer.day for offer in offers] == [ahead.first_day + timedelta(days=n) for n in range(MONTH_DAYS)]
    assert ahead.last_day == offers[-1].day
    assert sum(offer.wh for offer in offers) == ahead.wh
    (taken,) = (payment for payment in result.payments if payment.offer_id in ahead.offer_ids)
    assert (taken.payment_id, taken.wh) == (ahead.payment_id, ahead.taken_wh)


def test_a_buyer_claims_the_delivered_energy(result: DemoResult) -> None:
    claim = result.claim
    (payment,) = (payment for payment in result.payments if payment.payment_id == claim.payment_id)
    assert payment.buyer == claim.beneficiary
    assert (payment.asset_id, payment.day) == (claim.asset_id, claim.day)
    assert payment.claimed_wh == payment.delivered_wh == claim.wh > 0
    assert claim.purpose


def test_every_transaction_is_on_the_chain_and_succeeded(result: DemoResult, empty_devnet: Devnet) -> None:
    client = Der.connect(empty_devnet.url).client
    assert len(set(result.txids)) == len(result.txids)
    for txid in result.txids:
        info = client.transaction(txid)
        assert info is not None
        assert info.status == "success"


def test_the_demo_can_be_repeated_on_the_same_devnet(result: DemoResult, empty_devnet: Devnet) -> None:
    again: dict[str, Any] = json.loads(run("--json", "--url", empty_devnet.url).stdout)
    assert set(again["txids"]).isdisjoint(result.txids)
    assert again["asset_ids"] == [4, 5, 6]
    for name in ("produced_wh", "sold_wh", "delivered_wh", "paid_ustx", "refunded_ustx", "fees_ustx"):
        assert again[name] > 0
    assert [len(again[name]) for name in ("assets", "offers", "payments")] == [
        3,
        len(again["offer_ids"]),
        len(again["payment_ids"]),
    ]
    assert again["token_sale"]["token"] == result.token_sale.token
    assert again["token_sale"]["withdrawn"] > 0
    assert again["claim"]["claim_id"] == result.claim.claim_id + 1
    assert again["assets"][0]["capacity_w"] == 6000


def test_the_output_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run().stdout
    for heading in ("Who is who", "SERF East roof (6 kW) produced on", "Why some buyers got less", "What next"):
        assert heading in shown
    text = " ".join(shown.split())
    assert "Only 16.4 kWh came, so 2 kWh were left. It paid for these; 0.633331 of 0.799997 STX went back" in text
    assert "Every account changed by exactly what the receipts say" in text
    assert shown.count("█") > 100
    assert "der devnet --no-contracts" in shown
    assert "der demo --serve" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_on_a_lasting_chain_the_output_says_how_to_explore_it(
    result: DemoResult, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tell(result, url="http://127.0.0.1:3999")
    shown = capsys.readouterr().out
    assert "export DER_URL=http://127.0.0.1:3999" in shown
    for payment, number in zip(result.payments, result.payment_ids, strict=True):
        if payment.delivered_wh < payment.wh:
            assert f"Payment {number}: {energy(payment.before_wh)} of the " in " ".join(shown.split())
            break
    people = {person.account: person for person in result.people}
    assert people["wallet_6"].role == "community"
    assert sum(wh or 0 for wh in result.plants[0].first_day_wh_by_slot) == 16_400


@pytest.mark.parametrize("before_midnight", [timedelta(seconds=170), timedelta(hours=12, seconds=170)], ids=str)
def test_the_demo_runs_at_any_time_of_the_day(before_midnight: timedelta) -> None:
    """The setup takes a few minutes of chain time, and may end on the next day or after noon."""
    today = NOON.date()
    midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
    with Devnet(deploy_contracts=False, start_time=midnight - before_midnight, track_costs=False) as devnet:
        result = run_demo(devnet, deployment_plan())
    assert result.first_day - today == timedelta(days=2 if before_midnight < timedelta(hours=12) else 1)
    assert {payment.state for payment in result.payments} == {PaymentState.SETTLED}
    assert {payment.spot for payment in result.payments} == {True, False}


@pytest.mark.parametrize("days", [0, MAX_DAYS + 1])
def test_invalid_numbers_of_days_are_rejected(empty_devnet: Devnet, days: int) -> None:
    with pytest.raises(InvalidValueError, match=f"days: expected 1 to 40, .* got {days}"):
        run_demo(empty_devnet, deployment_plan(), days=days)
