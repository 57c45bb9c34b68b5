"""Batches for the oracle: production of many assets and days, split to what one call of ``record-batch`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.contracts.production_tracking import DayRecord
from der_client.readings.bounds import UINT_MAX, require_integer
from der_client.readings.masks import MAX_SLOTS_PER_DAY, describe_slots
from der_client.readings.slots import require_day
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from der_client.readings.days import MeteredDay

MAX_BATCH_ITEMS = 200
"""How many items the list of ``record-batch`` holds."""


class ProductionItem(DayRecord):
    """What an asset produced in some slots of a day: an item of ``record-batch`` that is known to be in range."""

    def __init__(self, *, asset_id: int, day: date, mask: int, wh: int) -> None:
        """Refuses an item that no contract would take.

        Raises:
            InvalidValueError: If a value is out of range.
        """
        require_integer("asset_id", asset_id, 0, UINT_MAX)
        require_day(day)
        require_integer("mask of slots", mask, 1, (1 << MAX_SLOTS_PER_DAY) - 1)
        require_integer("wh", wh, 0, UINT_MAX)
        super().__init__(asset_id=asset_id, day=day, mask=mask, wh=wh)

    @classmethod
    def from_day(cls, asset_id: int, metered: MeteredDay) -> ProductionItem:
        """Makes an item of all known slots of a day.

        Raises:
            InvalidValueError: If nothing of the day is known.
        """
        if not metered.mask:
            raise InvalidValueError(
                f"asset {asset_id}: nothing is known of day {metered.day}, so nothing can be recorded"
            )
        return cls(asset_id=asset_id, day=metered.day, mask=metered.mask, wh=metered.wh)


def merge_items(items: Iterable[ProductionItem]) -> tuple[ProductionItem, ...]:
    """Puts items of the same asset and day together, since each asset-day costs a batch the same, however many slots.

    Args:
        items: In any order.

    Returns:
        One item for each asset and day, sorted by asset, then day.

    Raises:
        InvalidValueError: If two items of an asset and day have a slot in common; the message names the slots.
    """
    merged: dict[tuple[int, date], ProductionItem] = {}
    for item in items:
        key = item.asset_id, item.day
        earlier = merged.get(key)
        if earlier is None:
            merged[key] = item
            continue
        if twice := earlier.mask & item.mask:
            raise InvalidValueError(
                f"asset {item.asset_id}, day {item.day}: slots {describe_slots(twice)} are given twice; each slot is "
                "recorded at most once, so decide which reading counts"
            )
        merged[key] = ProductionItem(
            asset_id=item.asset_id, day=item.day, mask=earlier.mask | item.mask, wh=earlier.wh + item.wh
        )
    return tuple(merged[key] for key in sorted(merged))


def split_batches(
    items: Iterable[ProductionItem], *, max_items: int = MAX_BATCH_ITEMS
) -> tuple[tuple[ProductionItem, ...], ...]:
    """Merges items and splits them into batches, each for one call of ``record-batch``.

    A batch is recorded as a whole or not at all; the contract's error then names the item by its index in the batch.

    Args:
        items: In any order.
        max_items: The most items a batch may have, 1 to 200. Smaller ones lose less to one bad item.

    Returns:
        The batches, sorted by asset, then day; none if there are no items.

    Raises:
        InvalidValueError: If two items have a slot in common, or ``max_items`` is out of range.
    """
    require_integer("max_items", max_items, 1, MAX_BATCH_ITEMS)
    merged = merge_items(items)
    return tuple(merged[first : first + max_items] for first in range(0, len(merged), max_items))
