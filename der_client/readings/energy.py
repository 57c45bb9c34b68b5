"""From power to energy: watts at intervals become whole Wh a slot, without losing any over a day.

How it is rounded: the exact energy of a slot is its mean power times its length, and hardly ever a whole Wh. What it
has beyond whole Wh is carried into the day's next known slot. So no slot differs from its exact energy by a whole Wh,
the sum of a day is its exact energy rounded down once, and no Wh is claimed before it was produced. Each day begins
without a carry, so that a day's readings depend on that day's data alone. The exact energy is kept beside it: data that
fill a gap later change the carry, and what was recorded before must still be known for the same.

All of it is integer arithmetic; a float never touches energy.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from der_client.readings.days import MeteredDay
from der_client.readings.slots import EPOCH, LAST_DAY, SECONDS_PER_DAY, day_number, day_of, slots_per_day
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.readings.power import PowerSeries

SECONDS_PER_HOUR = 3600


def metered_days(series: PowerSeries, *, slot_seconds: int) -> Iterator[MeteredDay]:
    """Converts a series of power into the energy of each UTC day.

    Negative power (a plant that is standing by draws a few watts) counts as 0, interval by interval: production is
    never negative, and what was drawn is the grid meter's matter. Intervals shorter than a slot are added up. A slot is
    known only if all of its intervals are there; otherwise it is missing, not 0.

    Args:
        series: Power at intervals that divide a slot and are in step with it.
        slot_seconds: The asset's slot length: 900, 1800 or 3600.

    Yields:
        Every day from the first to the last reading, also one that has no complete slot.

    Raises:
        InvalidValueError: If the intervals do not fit into slots, or the series begins before 1970 or ends after 9999.
    """
    _check_fit(series, slot_seconds)
    intervals_per_slot = slot_seconds // series.interval_seconds
    wh_denominator = series.denominator * SECONDS_PER_HOUR
    for number, slot_energies in _energy_by_day(series, slot_seconds):
        wh_by_slot: list[int | None] = [None] * slots_per_day(slot_seconds)
        exact_wh_by_slot: list[Fraction | None] = [None] * slots_per_day(slot_seconds)
        carry = 0
        for slot, (energy, intervals) in sorted(slot_energies.items()):
            if intervals == intervals_per_slot:
                wh_by_slot[slot], carry = divmod(carry + energy, wh_denominator)
                exact_wh_by_slot[slot] = Fraction(energy, wh_denominator)
        yield MeteredDay(day_of(number), slot_seconds, tuple(wh_by_slot), tuple(exact_wh_by_slot))


def _check_fit(series: PowerSeries, slot_seconds: int) -> None:
    slots_per_day(slot_seconds)
    if slot_seconds % series.interval_seconds:
        raise InvalidValueError(
            f"intervals of {series.interval_seconds} s do not fit into slots of {slot_seconds} s: the energy within an "
            "interval is not known, so it cannot be divided; register the asset with longer slots or export finer data"
        )
    late = series.times[0] % series.interval_seconds
    if late:
        raise InvalidValueError(
            f"the series begins at unix second {series.times[0]}, {late} s after a full {series.interval_seconds} s: "
            "its intervals would straddle slots; export readings on the full interval"
        )
    if series.times[0] < 0:
        raise InvalidValueError(
            f"the series begins at unix second {series.times[0]}, before {EPOCH.date()}: move it with starting_on_day"
        )
    if series.times[-1] // SECONDS_PER_DAY > day_number(LAST_DAY):
        raise InvalidValueError(f"the series ends at unix second {series.times[-1]}, after {LAST_DAY}: move it")


def _energy_by_day(series: PowerSeries, slot_seconds: int) -> Iterator[tuple[int, dict[int, tuple[int, int]]]]:
    """Yields each day's number with, per slot, its energy (Wh · 3600 · denominator) and the number of its intervals."""
    day = series.times[0] // SECONDS_PER_DAY
    slots: dict[int, tuple[int, int]] = {}
    for time, power in zip(series.times, series.power, strict=True):
        time_day, second = divmod(time, SECONDS_PER_DAY)
        while day < time_day:
            yield day, slots
            day, slots = day + 1, {}
        slot = second // slot_seconds
        energy, intervals = slots.get(slot, (0, 0))
        slots[slot] = energy + max(power, 0) * series.interval_seconds, intervals + 1
    yield day, slots
