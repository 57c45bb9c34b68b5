"""Deliverable energy is the same, whether days are found by name, as a range, or by a query."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from benchmarks.many_plants import ManyPlants, fill
from der_client.contracts.settlement import PaymentState
from der_client.index import Index
from der_client.index.delivery import Deliveries
from der_client.index.reading import Reader, table

if TYPE_CHECKING:
    from pathlib import Path

LAST = date(2026, 6, 30)
PLANTS, DAYS = 5, 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of an index with feeds, rejected days and unverified days."""
    place = tmp_path_factory.mktemp("index") / "index.sqlite"
    fill(place, ManyPlants(PLANTS, DAYS, last_day=LAST, mishaps=0.2).blocks())
    return place


def test_days_are_the_same_by_name_range_and_query(place: Path) -> None:
    every = [(plant, LAST - timedelta(days=ago)) for plant in range(1, PLANTS + 1) for ago in range(DAYS)]
    sparse = every[::11]
    day = table("day")
    with Index(place) as index, index.connection() as connection:
        reader = Reader(connection)
        by_query = Deliveries(reader, every, select(day.c.asset_id, day.c.day).where(reader.holds("day")))
        by_range, by_name = Deliveries(reader, every), Deliveries(reader, sparse)
        known = {key: by_query.deliverable_wh(*key) for key in every}
        assert len({wh for wh in known.values() if wh}) > len(sparse)
        assert None in known.values()
        assert {key: by_range.deliverable_wh(*key) for key in every} == known
        assert {key: by_name.deliverable_wh(*key) for key in sparse} == {key: known[key] for key in sparse}
        locked = index.payments(state=PaymentState.LOCKED)
        assert locked
        assert [row for row in locked if row.due] == list(index.payments(due=True))


def test_due_payments_are_the_same_in_all_queries(place: Path) -> None:
    with Index(place) as index:
        due = {row.payment_id: row.due for row in index.payments(due=True)}
        assert due
        assert {number: index.payment(number).due for number in due} == due
        assert {item.payment_id for item in index.attention() if item.payment_id} == due.keys()
        overview = index.overview()
        assert overview is not None
        assert overview.due_payments == len(due)
        assert overview.verified_wh == sum(plant.verified_wh for plant in index.plants())
