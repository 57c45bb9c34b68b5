"""``der payments`` and ``der settle``: due payments, their payouts and refunds, and payments that are not due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from der_client.contracts.settlement import PaymentState
from der_client.readings import DayMessage, DayReadings
from tests.integration.commands import WIDTH, answer, failure, run, table
from tests.integration.conftest import Parties, ReadyPlant, start_of

if TYPE_CHECKING:
    from der_client import Der
    from der_client.devnet import Devnet

ALL_SLOTS = 2**96 - 1
PRICE = 80_000


@pytest.fixture(autouse=True)
def _environment(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_URL", devnet.url)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.delenv("DER_KEY", raising=False)


def sell(parties: Parties, plant: ReadyPlant, *whs: int) -> list[int]:
    """Offer energy of tomorrow, sell it in parts one after the other, and return the payment ids."""
    market = parties.seller.market
    expires_at = start_of(plant.tomorrow)
    create = market.create_offer(plant.asset_id, plant.tomorrow, sum(whs), PRICE, 1000, expires_at)
    offer_id = create.send().wait().value
    ahead = [sum(whs[:number]) for number in range(len(whs))]
    return [
        parties.buyer.settlement.accept_and_fund(offer_id, wh, wh, PRICE, before).send().wait().value
        for wh, before in zip(whs, ahead, strict=True)
    ]


def deliver(parties: Parties, plant: ReadyPlant, devnet: Devnet, wh: int) -> None:
    """Record and verify the day that was sold."""
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    message = DayMessage.sign(
        plant.meter_key,
        DayReadings(plant.tomorrow, 900, 0, (*[wh // 96] * 95, wh - wh // 96 * 95)),
        contract=parties.seller.production.contract_id,
        asset_id=plant.asset_id,
        key_epoch=1,
        chain_id=parties.anyone.client.network.chain_id,
    )
    record = parties.anyone.production.record_day(message.asset_id, message.day, message.start, message.whs, message.rs)
    record.send().wait()
    parties.verifier.production.verify_day(plant.asset_id, plant.tomorrow, ALL_SLOTS, wh).send().wait()


def test_delivered_energy_is_paid_and_the_rest_refunded(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, der: Der
) -> None:
    first, second = sell(parties, plant, 20_000, 10_000)
    assert answer("payments", "--due")["payments"] == []
    assert "nothing is due" in table("payments", "--due")
    assert f"payment {second} is not due: {plant.tomorrow} of plant {plant.asset_id} is not verified" in failure(
        "settle", second, "--key", "wallet_7"
    )
    deliver(parties, plant, devnet, 24_072)
    due = answer("payments", "--due")["payments"]
    assert {each["payment_id"]: each["due"] for each in due} == {first: "settle", second: "settle"}
    assert "due" in table("payments", "--due")

    unasked = run("settle", "--key", "wallet_7")
    assert unasked.exit_code == 1
    preview = der.settlement.preview_settlement(second)
    assert preview is not None
    said = " ".join(unasked.stderr.split())
    assert f"{second}: 4.072 kWh of 10 kWh delivered; {preview.payout / 10**6:.6f} STX to wallet_1" in said
    assert f"{preview.refund / 10**6:.6f} STX back to wallet_5" in said

    done = {each["payment_id"]: each for each in answer("settle", "--key", "wallet_7", "--yes")["payments"]}
    for number in (first, second):
        payment = der.settlement.get_payment(number)
        assert payment is not None
        assert payment.state is PaymentState.SETTLED
        assert (payment.payout, payment.fee, payment.refund) == tuple(
            done[number][name] for name in ("payout", "fee", "refund")
        )
    assert done[second]["payout"] == preview.payout
    assert "nothing is due" in table("settle", "--key", "wallet_7")
    assert failure("settle", first, "--key", "wallet_7") == f"payment {first} is already settled"


def test_energy_that_cannot_be_delivered_is_refunded(
    parties: Parties, plant: ReadyPlant, devnet: Devnet, der: Der
) -> None:
    (number,) = sell(parties, plant, 20_000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=46)))
    assert [each["due"] for each in answer("payments", "--due")["payments"]] == ["refund"]
    result = run("settle", number, "--key", "wallet_7", "--yes")
    assert result.exit_code == 0
    assert "This refunds what cannot be delivered" in result.stderr
    payment = der.settlement.get_payment(number)
    assert payment is not None
    assert (payment.state, payment.refund) == (PaymentState.REFUNDED, payment.cost)


def test_unknown_payments_are_reported(parties: Parties) -> None:
    assert failure("settle", 99, "--key", "wallet_7") == "payment 99 not found; 'der payments' lists them"
    assert failure("settle", -1, "--key", "wallet_7") == "PAYMENTS: expected numbers from 1 on, got -1"
