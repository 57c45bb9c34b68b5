"""Queries of the index on a real chain, forks, exclusive write access, and untrusted texts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from der_client import Der
from der_client.contracts.asset_verification import Role
from der_client.contracts.market_participation import OfferState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from der_client.devnet import Devnet
from der_client.index import (
    Follower,
    Index,
    IndexDatabaseError,
    LeaseHeldError,
    NotIndexedError,
)
from der_client.index.answers import AttentionKind
from der_client.stacks.errors import InvalidValueError
from tests.integration.conftest import Parties, ReadyPlant, start_of
from tests.integration.test_trading import ALL_SLOTS, PRICE, offer, record, take

WHS = [1000] * 24 + [1] * 72
HOSTILE = "'); DROP TABLE events;--<img src=x onerror=alert(1)>\"&{{7*7}}"


@dataclass(frozen=True)
class Sold:
    """A day that was sold in advance to two buyers and only partly delivered."""

    plant: ReadyPlant
    offer_id: int
    payments: tuple[int, int]
    buyer: str
    seller: str


@pytest.fixture
def sold(parties: Parties, plant: ReadyPlant, devnet: Devnet) -> Sold:
    offer_id = offer(parties, plant, 30_000)
    payments = take(parties.buyer, offer_id, 20_000), take(parties.other_buyer, offer_id, 10_000, before_wh=20_000)
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    record(parties, plant, WHS)
    return Sold(plant, offer_id, payments, address(parties.buyer), address(parties.seller))


def address(der: Der) -> str:
    assert der.account is not None
    return der.account.address


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def follower(der: Der, place: Path) -> Iterator[Follower]:
    with Follower(der, place) as follower:
        yield follower


@pytest.fixture
def index(follower: Follower, place: Path) -> Iterator[Index]:
    follower.run_once()
    with Index(place) as index:
        yield index


def verify(parties: Parties, plant: ReadyPlant, wh: int) -> None:
    parties.verifier.production.verify_day(plant.asset_id, plant.tomorrow, ALL_SLOTS, wh).send().wait()


def test_production_by_slot_day_and_month(sold: Sold, parties: Parties, follower: Follower, index: Index) -> None:
    plant, day = sold.plant, sold.plant.tomorrow
    slots = index.production(plant.asset_id, day, day, "slot")
    assert [slot.wh for slot in slots] == WHS
    assert {slot.source for slot in slots} == {"meter"}
    assert (slots[1].start - start_of(day), slots[1].end - slots[1].start) == (timedelta(minutes=15),) * 2
    (of_day,) = index.production(plant.asset_id, day, day)
    assert (of_day.state, of_day.wh, of_day.complete, of_day.deliverable_wh) == (DayState.RECORDED, 24_072, True, None)
    assert of_day.sold_wh == 30_000
    verify(parties, plant, 24_072)
    follower.run_once()
    (of_month,) = index.production(None, day.replace(day=1), day, "month")
    assert (of_month.wh, of_month.verified_wh, of_month.days_verified) == (24_072, 24_072, 1)
    assert index.production(plant.asset_id, day, day)[0].deliverable_wh == 24_072
    assert index.plant(plant.asset_id).plant.verified_wh == 24_072
    with pytest.raises(InvalidValueError, match="by must be slot, day or month, got 'hour'"):
        index.production(plant.asset_id, day, day, "hour")  # type: ignore[call-overload]


def test_energy_recorded_by_an_oracle_is_known_as_a_sum(
    parties: Parties, follower: Follower, place: Path, devnet: Devnet
) -> None:
    from tests.integration.conftest import register  # noqa: PLC0415 - for this test only

    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    day = parties.anyone.now().date() + timedelta(days=1)
    devnet.advance(to=start_of(day + timedelta(days=1)))
    parties.oracle.production.record_production(asset_id, day, 0b0110, 700).send().wait()
    parties.oracle.production.record_production(asset_id, day, 0b1000, 30).send().wait()
    follower.run_once()
    with Index(place) as index:
        slots = index.production(asset_id, day, day, "slot")
        assert [(slot.wh, slot.recorded, slot.source) for slot in slots[:5]] == [
            (None, False, None),
            (None, True, "oracle"),
            (None, True, "oracle"),
            (30, True, "oracle"),
            (None, False, None),
        ]
        (missing,) = [item for item in index.attention() if item.asset_id == asset_id and item.day == day]
        assert (missing.kind, missing.amount) == (AttentionKind.SLOTS_MISSING, 93)


def test_payments_statements_and_fees(sold: Sold, parties: Parties, follower: Follower, index: Index) -> None:
    first, second = sold.payments
    assert index.payments(due=True) == ()
    verify(parties, sold.plant, 24_072)
    follower.run_once()
    assert [(row.payment_id, row.due) for row in index.payments(due=True)] == [(first, "settle"), (second, "settle")]
    assert index.offer(sold.offer_id).state is OfferState.ACCEPTED
    due = [item for item in index.attention() if item.kind is AttentionKind.PAYMENT_DUE]
    assert [item.text for item in due] == [f"Payment {number} can be settled." for number in (first, second)]
    before = follower.run_once().height
    receipt = parties.anyone.settlement.settle_batch([first, second]).send().wait()
    follower.run_once()
    settled = index.payment(second)
    assert (settled.state, settled.delivered_wh, settled.closed_txid) == (PaymentState.SETTLED, 4072, receipt.txid)
    assert index.payment(second, as_of=before).state is PaymentState.LOCKED
    assert index.payments(due=True) == ()
    statement = index.statement(sold.seller, sold.plant.tomorrow)
    assert [line.payment_id for line in statement.lines] == [first, second]
    (total, *by_buyer) = statement.totals
    assert (total.side, total.counterparty, total.delivered_wh) == ("sold", None, 24_072)
    assert total.payout + total.fee + total.refund == total.cost == 30_000 * PRICE // 1000
    assert sum(of_one.payout for of_one in by_buyer) == total.payout == total.amount
    bought = index.statement(sold.buyer, sold.plant.tomorrow)
    assert [line.amount for line in bought.lines] == [row.refund - row.cost for row in [index.payment(first)]]
    assert {row.token: row.fees for row in index.ledger()} == {None: parties.anyone.settlement.get_fees()}
    with pytest.raises(NotIndexedError, match="payment 99 is not found"):
        index.payment(99)


def test_expiring_and_expired_offers(
    parties: Parties, plant: ReadyPlant, follower: Follower, place: Path, devnet: Devnet
) -> None:
    offer_id = offer(parties, plant, 3_000)
    follower.run_once()
    with Index(place) as index:

        def told(hours: int) -> list[tuple[AttentionKind, int | None]]:
            items = index.attention(expiring_within=timedelta(hours=hours))
            return [(item.kind, item.amount) for item in items if item.offer_id == offer_id]

        assert [row.offer_id for row in index.offers(open=True)] == [offer_id]
        assert told(1) == []
        assert told(24) == [(AttentionKind.OFFER_EXPIRING, 3_000)]
        devnet.advance(to=start_of(plant.tomorrow))
        follower.run_once()
        assert told(24) == [(AttentionKind.OFFER_EXPIRED, 3_000)]
        assert index.offers(open=True) == ()
        parties.anyone.market.expire_offer(offer_id).send().wait()
        follower.run_once()
        assert told(24) == []


def test_certificates_with_untrusted_texts(sold: Sold, parties: Parties, follower: Follower, index: Index) -> None:
    verify(parties, sold.plant, 24_072)
    parties.anyone.settlement.settle(sold.payments[0]).send().wait()
    claim = parties.buyer.settlement.claim(sold.payments[0], 5_000, sold.buyer, HOSTILE).send().wait()
    parties.buyer.settlement.claim(sold.payments[0], 1, sold.buyer, "=HYPERLINK(1)").send().wait()
    follower.run_once()
    found = index.certificates(beneficiary=sold.buyer)
    assert [(each.purpose, each.wh) for each in found] == [(HOSTILE, 5_000), ("=HYPERLINK(1)", 1)]
    assert (found[0].txid, found[0].slots) == (claim.txid, tuple(range(96)))
    assert index.certificates(beneficiary=HOSTILE) == ()
    assert index.plants(owner=HOSTILE) == ()
    assert index.events(topic=HOSTILE, actor=HOSTILE) == ()
    (printed, _) = index.events(topic="energy-claimed")
    assert printed.fields["purpose"] == HOSTILE
    cells = [row["purpose"] for row in csv.DictReader(io.StringIO(found.to_csv()))]
    assert cells == [HOSTILE, "'=HYPERLINK(1)"]
    assert found.to_polars()["wh"].to_list() == found.to_pandas()["wh"].tolist() == [5_000, 1]


@pytest.mark.parametrize("handling", ["again", "reordered", "dropped"])
def test_the_index_follows_a_fork_of_the_chain(
    handling: str, sold: Sold, parties: Parties, follower: Follower, index: Index, devnet: Devnet, der: Der
) -> None:
    verify(parties, sold.plant, 24_072)
    parties.anyone.settlement.settle(sold.payments[0]).send().wait()
    parties.buyer.settlement.claim(sold.payments[0], 5_000, sold.buyer, "").send().wait()
    height = follower.run_once().height
    devnet.reorg(3, handling)  # type: ignore[arg-type]
    progress = follower.run_once()
    assert (progress.undone_from, progress.height) == (height - 2, height + 1)
    payment = der.settlement.get_payment(sold.payments[0])
    assert payment is not None
    assert index.payment(sold.payments[0]).state is payment.state
    assert (payment.state is PaymentState.SETTLED) == (handling == "again")
    assert len(index.certificates()) == der.settlement.get_claim_count()
    printed = [record for contract in (der.production, der.settlement) for record in contract.events()]
    told = [row for row in index.events(limit=1000) if row.contract in ("production-tracking", "settlement")]
    assert sorted((row.txid, row.event_index, row.height) for row in told) == sorted(
        (record.txid, record.event_index, record.block_height or 0) for record in printed
    )


def test_only_one_indexer_writes(der: Der, place: Path, follower: Follower) -> None:
    follower.run_once()
    with Follower(der, place) as other:
        with pytest.raises(LeaseHeldError, match="being written by another indexer"):
            other.run_once()
        follower.close()
        assert other.run_once().events == 0
    with Follower(der, place, lease_s=0) as first, Follower(der, place, lease_s=0) as second:
        first.run_once()
        der.assets.set_role(Role.PAUSER, der.deployer, "", True).send().wait()
        assert second.run_once().events == 1
        first.run_once()  # its lease was taken over, so it reads its state again


def test_readers_cannot_write_to_the_index(index: Index) -> None:
    with pytest.raises(IndexDatabaseError, match="readonly"), index.connection() as connection:
        connection.exec_driver_sql("DELETE FROM events")
    assert index.tip() is not None
