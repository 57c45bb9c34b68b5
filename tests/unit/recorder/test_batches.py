"""Batches for the oracle: nothing lost, nothing twice, within the contract's limit."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from der_client.readings import MeteredDay, run_mask, slots_mask
from der_client.recorder import MAX_BATCH_ITEMS, ProductionItem, merge_items, split_batches
from der_client.stacks.clarity import encode
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.errors import InvalidValueError

DAY = date(2024, 10, 4)
NEXT_DAY = date(2024, 10, 5)


def production(asset_id: int, day: date, mask: int, wh: int) -> ProductionItem:
    return ProductionItem(asset_id=asset_id, day=day, mask=mask, wh=wh)


@st.composite
def disjoint_items(draw: st.DrawFn) -> list[ProductionItem]:
    slots = draw(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 95)), max_size=60))
    part_of: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for asset_id, day, slot in sorted(slots):
        part_of[asset_id, day, draw(st.integers(0, 2))].append(slot)
    items = [
        production(asset_id, DAY + timedelta(days=day), slots_mask(part, 900), draw(st.integers(0, 10**6)))
        for (asset_id, day, _), part in part_of.items()
    ]
    return draw(st.permutations(items))


@given(disjoint_items(), st.integers(1, 5))
def test_batches_hold_every_slot_and_wh_once(items: list[ProductionItem], max_items: int) -> None:
    batches = split_batches(items, max_items=max_items)
    assert all(1 <= len(batch) <= max_items for batch in batches)
    assert all(len(batch) == max_items for batch in batches[:-1])
    merged = [item for batch in batches for item in batch]
    assert merged == list(merge_items(items))
    keys = [(item.asset_id, item.day) for item in merged]
    assert keys == sorted(set(keys))
    assert sum(item.wh for item in merged) == sum(item.wh for item in items)
    for item in merged:
        parts = [part for part in items if (part.asset_id, part.day) == (item.asset_id, item.day)]
        assert item.mask == sum(part.mask for part in parts)
        assert item.wh == sum(part.wh for part in parts)


def test_the_limit_is_the_contracts() -> None:
    items = [production(asset_id, DAY, 1, 5) for asset_id in range(1, 402)]
    assert [len(batch) for batch in split_batches(items)] == [200, 200, 1]
    assert MAX_BATCH_ITEMS == 200
    assert split_batches([]) == ()
    for max_items in (0, 201):
        with pytest.raises(InvalidValueError, match="max_items"):
            split_batches(items, max_items=max_items)


def test_a_slot_given_twice_is_refused_by_name() -> None:
    items = [
        production(3, DAY, run_mask(0, 10, 900), 5),
        production(3, NEXT_DAY, run_mask(0, 10, 900), 5),
        production(4, DAY, run_mask(0, 10, 900), 5),
    ]
    assert len(merge_items(items)) == 3
    with pytest.raises(InvalidValueError, match=r"asset 3, day 2024-10-04: slots 8-9, 12 are given twice"):
        merge_items([*items, production(3, DAY, 1 << 12, 1), production(3, DAY, 0b1_0011 << 8, 1)])


def test_an_item_of_a_metered_day() -> None:
    metered = MeteredDay(DAY, 3600, (5, None, 7, *(None,) * 21))
    assert ProductionItem.from_day(9, metered) == production(9, DAY, 0b101, 12)
    with pytest.raises(InvalidValueError, match="asset 9: nothing is known of day 2024-10-04"):
        ProductionItem.from_day(9, metered.only(0))


@pytest.mark.parametrize(
    ("asset_id", "day", "mask", "wh"),
    [(-1, DAY, 1, 1), (1, date(1969, 12, 31), 1, 1), (1, DAY, 0, 1), (1, DAY, 1 << 96, 1), (1, DAY, 1, -1)],
)
def test_items_that_no_contract_takes_are_refused(asset_id: int, day: date, mask: int, wh: int) -> None:
    with pytest.raises(InvalidValueError):
        production(asset_id, day, mask, wh)


def test_an_item_is_what_the_contract_is_called_with() -> None:
    given = production(7, date(2026, 6, 30), 0b101, 12)
    codec = codec_for(ProductionItem)
    assert str(codec.encode(given, "item")) == "(tuple (asset-id u7) (day u20634) (mask u5) (wh u12))"
    assert codec.decode(encode(codec.encode(given, "item"))) == given
    assert given.model_dump_json() == '{"asset_id":7,"day":"2026-06-30","mask":5,"wh":12}'
    with pytest.raises(ValidationError, match="frozen"):
        given.wh = 13  # type: ignore[misc]
