"""From intervals to days: the energy of each slot in whole Wh, without losing any over a day.

How it is rounded: the exact energy of a slot is hardly ever a whole Wh. What it has beyond whole Wh is carried into the
day's next known slot. So no slot differs from its exact energy by a whole Wh, the sum of a day is its exact energy
rounded down once, and no Wh is claimed before it was produced. Each day begins without a carry, so that a day's
readings depend on that day's data alone. The exact energy is kept beside it: data that fill a gap later change the
carry, and what was recorded before must still be known for the same.

All of it is integer arithmetic; a float never touches energy.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from der_client.readings.days import MeteredDay
from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import MICROSECONDS
from der_client.readings.slots import EPOCH, LAST_DAY, SECONDS_PER_DAY, day_number, day_of, slots_per_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.readings.intervals import IntervalSeries

_DAY_US: Final = SECONDS_PER_DAY * MICROSECONDS


def metered_days(series: IntervalSeries, *, slot_seconds: int, estimates: bool = False) -> Iterator[MeteredDay]:
    """Convert a series of intervals into the energy of each UTC day.

    A slot is known only if intervals whose energy is known fill all of it; otherwise it is missing, not 0. An interval
    that is longer than a slot, or lies across two, says nothing of either: how its energy was spread is not known.

    Args:
        series: The intervals.
        slot_seconds: The asset's slot length: 900, 1800 or 3600.
        estimates: Whether slots of estimated intervals count as known; otherwise they are missing.

    Yields:
        Every day from the first to the last interval, also one that has no complete slot.

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
    slot_us = slot_seconds * MICROSECONDS
    is_whole = series.denominator == 1
    filled, energies, estimated = _slots(series, slot_us)
    known = (slot for slot, length in filled.items() if length == slot_us and (estimates or slot not in estimated))
    by_day: dict[int, list[int]] = {}
    for slot in known:
        by_day.setdefault(slot // slots, []).append(slot)
    for number in range(series.starts_us[0] // _DAY_US, (series.ends_us[-1] - 1) // _DAY_US + 1):
        first = number * slots
        wh_by_slot: list[int | None] = [None] * slots
        exact: list[Fraction | None] = [None] * slots
        carry, mask = 0, 0
        for slot in by_day.get(number, ()):
            energy = energies[slot]
            wh_by_slot[slot - first], carry = divmod(carry + energy, series.denominator)
            if not is_whole:
                exact[slot - first] = Fraction(energy, series.denominator)
            if slot in estimated:
                mask |= 1 << slot - first
        yield MeteredDay(day_of(number), slot_seconds, tuple(wh_by_slot), () if is_whole else tuple(exact), mask)


def _slots(series: IntervalSeries, slot_us: int) -> tuple[dict[int, int], dict[int, int], set[int]]:
    """For each slot since 1970, in ascending order: how much of it is filled (µs), its energy, and the estimated."""
    filled: dict[int, int] = {}
    energies: dict[int, int] = {}
    estimated: set[int] = set()
    for index, (start, end, energy) in enumerate(zip(series.starts_us, series.ends_us, series.energies, strict=True)):
        slot = start // slot_us
        if energy is None or (end - 1) // slot_us != slot:
            continue
        filled[slot] = filled.get(slot, 0) + end - start
        energies[slot] = energies.get(slot, 0) + energy
        if index in series.estimated:
            estimated.add(slot)
    return filled, energies, estimated
