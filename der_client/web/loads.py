"""The energy of all plants on a day, slot by slot; if only a sum is known, it is spread evenly over its slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from der_client.index.schema import recordings
from der_client.readings.slots import mask_slots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from der_client.index import Index
    from der_client.index.answers import Plant

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Loads:
    """The energy of a day.

    Attributes:
        slots: For each recorded slot of each plant: seconds since midnight, length in s, Wh.
        wh: The total energy, Wh.
        spread_wh: How much of it is known only as sums of several slots, Wh.
    """

    slots: list[tuple[int, int, int]]
    wh: int
    spread_wh: int


def loads_of(index: Index, plants: Sequence[Plant], day: date) -> Loads:
    """Return the recorded energy of plants on a day.

    Args:
        index: The index.
        plants: The plants.
        day: The day, UTC.
    """
    lengths = {plant.asset_id: plant.slot_seconds for plant in plants}
    wanted = sorted(lengths)
    columns = [recordings.c[name] for name in ("asset_id", "mask", "wh", "first_slot", "slot_wh")]
    slots: list[tuple[int, int, int]] = []
    total_wh = spread_wh = 0
    with index.connection() as connection:
        for first in range(0, len(wanted), _CHUNK):
            part = recordings.c.asset_id.in_(wanted[first : first + _CHUNK])
            for asset_id, mask, wh, first_slot, slot_wh in connection.execute(
                select(*columns).where(part, recordings.c.day == day)
            ):
                length_s = lengths[asset_id]
                if slot_wh is None:
                    numbers = list(mask_slots(mask))
                    each = zip(numbers, spread(wh, len(numbers)), strict=True)
                    spread_wh += wh
                else:
                    each = zip(range(first_slot, first_slot + len(slot_wh)), slot_wh, strict=True)
                slots += [(slot * length_s, length_s, slot_energy) for slot, slot_energy in each]
                total_wh += wh
    return Loads(slots, total_wh, spread_wh)


def spread(wh: int, parts: int) -> list[int]:
    """Return a number of Wh as whole parts that are as equal as possible and add up to it."""
    return [wh * (number + 1) // parts - wh * number // parts for number in range(parts)]
