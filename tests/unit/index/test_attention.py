"""Items that need attention, in cases that are hard to cause on a devnet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from benchmarks.many_plants import ManyPlants, fill
from der_client.contracts.grid_integration import FeedRecorded
from der_client.index import Index
from der_client.index.answers import AttentionKind
from der_client.index.chain_data import FilledBlock, Printed

if TYPE_CHECKING:
    from pathlib import Path


FEEDS = {AttentionKind.FEED_UNVERIFIED, AttentionKind.READINGS_CONFLICT}
SPAN = (date(2026, 6, 1), date(2026, 7, 1))


def with_feed(block: FilledBlock, add_wh: int) -> FilledBlock:
    """Return the block with every feed increased by ``add_wh``."""

    def changed(printed: Printed) -> Printed:
        event = printed.event
        if not isinstance(event, FeedRecorded):
            return printed
        return replace(printed, event=event.model_copy(update={"exported_wh": event.exported_wh + add_wh}))

    return replace(
        block,
        transactions=tuple(
            replace(transaction, printed=tuple(map(changed, transaction.printed))) for transaction in block.transactions
        ),
    )


def test_a_feed_above_the_plants_production_is_a_conflict(tmp_path: Path) -> None:
    found = {}
    for add_wh in (0, 10**9):
        place = tmp_path / f"{add_wh}.sqlite"
        fill(place, (with_feed(block, add_wh) for block in ManyPlants(4, 8).blocks()))
        with Index(place) as index:
            found[add_wh] = [row for row in index.attention() if row.kind in FEEDS]
            days = {(day.asset_id, day.day): day.wh for day in index.production(None, *SPAN)}
    assert {row.kind for row in found[0]} == {AttentionKind.FEED_UNVERIFIED}
    assert {row.kind for row in found[10**9]} == {AttentionKind.READINGS_CONFLICT}
    assert [(row.asset_id, row.day) for row in found[0]] == [(row.asset_id, row.day) for row in found[10**9]]
    for honest, row in zip(found[0], found[10**9], strict=True):
        assert row.asset_id is not None
        assert row.day is not None
        assert honest.amount is not None
        assert row.amount == honest.amount + 10**9 - days[row.asset_id, row.day]
        assert f"{honest.amount + 10**9:,} Wh" in row.text


def test_the_list_of_one_plant_is_its_part_of_the_whole_list(tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    fill(place, ManyPlants(7, 20).blocks())
    with Index(place) as index:
        everything = index.attention()
        assert len({row.kind for row in everything}) > 3
        for plant in index.plants():
            own = [row for row in everything if row.asset_id == plant.asset_id]
            assert list(index.attention(asset_id=plant.asset_id)) == own
        assert not index.attention(asset_id=10**6)
