"""Converts intervals to days: the energy of each slot in whole Wh, without losing any over a day.

Rounding: the exact energy of a slot is rarely a whole number of Wh. The fraction is carried into the day's next known
    slot. So no slot differs from its exact energy by a whole Wh, the sum of a day is its exact energy rounded down
    once, and no Wh is claimed before it was produced. Each day begins without a carry, so that a day's readings depend
    on that day's data alone. The exact energy is kept as well: data that later fills a gap changes the carry, and what
    was recorded before must still be recognised as the same.

Everything is integer arithmetic; energy is never a float.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.readings.days import MeteredDay
from der_client.readings.errors import MeterDataError
from der_client.readings.slots import EPOCH, LAST_DAY, MICROSECONDS, SECONDS_PER_DAY, day_number, day_of, slots_per_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.readings.intervals import IntervalSeries

_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS


def metered_days(series: IntervalSeries, *, slot_seconds: int, estimates: bool = False) -> Iterator[MeteredDay]:
    """Convert a series of intervals into the energy of each UTC day.

    A slot is known only if intervals of known energy fill all of it; otherwise it is missing, not 0. An interval that
    is longer than a slot, or lies across two, says nothing about either: how its energy was distributed is unknown.

    Args:
        series: The intervals.
        slot_seconds: The asset's slot length: 900, 1800 or 3600.
        estimates: Whether slots of estimated intervals count as known; otherwise they are missing.

    Yields:
        Every day from the first to the last interval, even if it has no complete slot.

    Raises:
        InvalidValueError: If ``slot_seconds`` is not a slot length.
        MeterDataError: If the series begins before 1970, ends after 9999, or a year in it is mistyped.
    """
    slots = slots_per_day(slot_seconds)
    series.check_years()
    if series.starts_us[0] < 0:
        raise MeterDataError(f"the series begins before {EPOCH.date()}: move it with starting_on_day")
    if (series.ends_us[-1] - 1) // _DAY_US > day_number(LAST_DAY):
        raise MeterDataError(f"the series ends after {LAST_DAY}: move it")
    denominator = series.denominator
    by_day = _known_slots(series, slot_seconds, estimates=estimates)
    nothing: tuple[None, ...] = (None,) * slots
    for number in range(series.starts_us[0] // _DAY_US, (series.ends_us[-1] - 1) // _DAY_US + 1):
        known = by_day.get(number)
        if known is None:
            yield MeteredDay(day_of(number), slot_seconds, nothing)
            continue
        wh_by_slot: list[int | None] = [None] * slots
        carry = 0
        for slot, energy in known.energies.items():
            wh_by_slot[slot], carry = divmod(carry + energy, denominator)
        exact = tuple(map(known.energies.get, range(slots))) if denominator > 1 else ()
        yield MeteredDay(day_of(number), slot_seconds, tuple(wh_by_slot), exact, denominator, known.estimated_mask)


@dataclass(slots=True)
class _KnownSlots:
    """The slots of a day that are known, in ascending order.

    Attributes:
        energies: The energy of each, Wh times the denominator of its series.
        estimated_mask: Those whose energy is an estimate, in whole or in part.
    """

    energies: dict[int, int] = field(default_factory=dict)
    estimated_mask: int = 0


def _known_slots(series: IntervalSeries, slot_seconds: int, *, estimates: bool) -> dict[int, _KnownSlots]:
    """Find the slots that known intervals fill, by the number of their day."""
    slot_us = slot_seconds * MICROSECONDS
    slots = slots_per_day(slot_seconds)
    days: dict[int, _KnownSlots] = {}
    filling, filled, total, has_estimate = -1, 0, 0, False  # a slot that several intervals fill
    for index, (start, end, energy) in enumerate(zip(series.starts_us, series.ends_us, series.energies, strict=True)):
        slot = start // slot_us
        if energy is None or end > (slot + 1) * slot_us:
            continue
        if slot != filling:
            filling, filled, total, has_estimate = slot, 0, 0, False
        filled += end - start
        total += energy
        has_estimate = has_estimate or index in series.estimated
        if filled == slot_us and (estimates or not has_estimate):
            day = days.get(slot // slots) or days.setdefault(slot // slots, _KnownSlots())
            day.energies[slot % slots] = total
            if has_estimate:
                day.estimated_mask |= 1 << slot % slots
    return days
