"""The energy of all plants on a day, slot by slot; where only a sum is known, spread evenly over its slots."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from der_client.index import Index
    from der_client.index.answers import SlotEnergy


@dataclass(frozen=True, slots=True)
class Loads:
    """The energy of a day.

    Attributes:
        slots: Of each slot of each plant: seconds since midnight, length in s, Wh.
        wh: Energy of the day, Wh.
        spread_wh: How much of it is known only as sums, Wh.
    """

    slots: list[tuple[int, int, int]]
    wh: int
    spread_wh: int


def loads_of(index: Index, day: date) -> Loads:
    """Return the energy of all plants on a day.

    Args:
        index: The index.
        day: The day, UTC.
    """
    day_wh = {each.asset_id: each.wh for each in index.production(None, day, day, by="day")}
    by_plant: defaultdict[int, list[SlotEnergy]] = defaultdict(list)
    for slot in index.production(None, day, day, by="slot"):
        if slot.recorded:
            by_plant[slot.asset_id].append(slot)
    slots: list[tuple[int, int, int]] = []
    spread_wh = 0
    for asset_id, recorded in by_plant.items():
        length_s = int((recorded[0].end - recorded[0].start).total_seconds())
        known, unknown = _apart(recorded)
        slots += [(slot.slot * length_s, length_s, slot.wh or 0) for slot in known]
        if unknown:
            rest = max(0, day_wh.get(asset_id, 0) - sum(slot.wh or 0 for slot in known))
            shares = spread(rest, len(unknown))
            slots += [(slot.slot * length_s, length_s, wh) for slot, wh in zip(unknown, shares, strict=True)]
            spread_wh += rest
    return Loads(slots, sum(day_wh.values()), spread_wh)


def spread(wh: int, parts: int) -> list[int]:
    """Return so many Wh in whole parts that are as equal as can be and sum up to them."""
    return [wh * (number + 1) // parts - wh * number // parts for number in range(parts)]


def _apart(slots: Iterable[SlotEnergy]) -> tuple[list[SlotEnergy], list[SlotEnergy]]:
    known: list[SlotEnergy] = []
    unknown: list[SlotEnergy] = []
    for slot in slots:
        (unknown if slot.wh is None else known).append(slot)
    return known, unknown
