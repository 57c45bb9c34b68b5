"""Every event has a rule, and an impossible history is detected. The model tests check what the rules do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from der_client.contracts import CONTRACTS
from der_client.contracts import market_participation as market
from der_client.contracts.asset_verification import AssetReinstated, AssetState
from der_client.contracts.market_participation import OfferState
from der_client.index.reducer import apply, rows_read_by
from der_client.index.schema import EVENT_TABLES, HISTORY_TABLES
from der_client.index.state import HANDLERS, KEYS, MemoryState

DAY = date(2026, 7, 1)


def created(offer_id: int, epoch: int, *, wh: int = 500) -> market.OfferCreated:
    return market.OfferCreated(
        offer_id=offer_id,
        asset_id=1,
        day=DAY,
        actor="ST1",
        spot=False,
        seller="ST1",
        wh=wh,
        open_wh=wh,
        price_per_kwh=10,
        min_fill_wh=1,
        expires_at=datetime.combine(DAY, time(), UTC),
        taker=None,
        token=None,
        epoch=epoch,
        state=OfferState.PENDING,
    )


def cancelled(offer_id: int, wh: int = 500) -> market.OfferCancelled:
    return market.OfferCancelled(
        offer_id=offer_id, asset_id=1, day=DAY, actor="ST1", closed_wh=wh, open_wh=0, state=OfferState.CANCELLED
    )


def test_each_event_of_the_contracts_has_a_rule_and_a_table() -> None:
    events = {event for contract in CONTRACTS for event in contract.event_classes}
    without = sorted(event.__name__ for event in events - HANDLERS.keys())
    assert not without, f"der_client/index/rules has no rule for {without}"
    assert set(HANDLERS) == set(EVENT_TABLES) == events
    assert set(HISTORY_TABLES) == set(KEYS)
    assert {table for _, reads in HANDLERS.values() for table in reads} <= set(KEYS)


def test_the_rows_that_a_rule_reads_are_known_from_the_event() -> None:
    assert rows_read_by(created(7, 1)) == [("day_book", (1, DAY))]
    assert rows_read_by(cancelled(7)) == [("offer", (7,)), ("day_book", (1, DAY))]


def test_closing_an_offer_of_an_older_epoch_leaves_the_book_unchanged() -> None:
    state = MemoryState()
    for event in (created(1, 1), created(2, 2, wh=70), cancelled(1)):
        apply(state, event)
    book = state.get("day_book", (1, DAY))
    assert book is not None
    assert (book["epoch"], book["forward_open_wh"]) == (2, 70)
    apply(state, cancelled(2, 70))
    assert state.tables["day_book"][1, DAY]["forward_open_wh"] == 0


def test_a_change_to_an_unknown_asset_is_an_error() -> None:
    event = AssetReinstated(asset_id=3, actor="ST1", state=AssetState.VERIFIED)
    with pytest.raises(LookupError, match=r"asset \(3,\), which no earlier event has made"):
        apply(MemoryState(), event)
