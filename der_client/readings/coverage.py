"""How much of a file can be recorded: slots that are known, unknown or estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from der_client.readings.energy import metered_days
from der_client.readings.slots import MICROSECONDS, SLOT_SECONDS, slots_per_day

if TYPE_CHECKING:
    from der_client.readings.days import MeteredDay
    from der_client.readings.intervals import IntervalSeries


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a series says about the slots from its first interval to its last.

    Attributes:
        slot_seconds: The length of a slot.
        days: All days, also those without a known slot.
        known_slots: How many slots are known.
        unknown_slots: How many are not, between the first interval and the last.
        estimated_slots: How many are estimates, whether they count as known or not.
        empty_days: How many days have no known slot.
        reason: Why no slot is known, and what to do; empty if some are.
    """

    slot_seconds: int
    days: tuple[MeteredDay, ...]
    known_slots: int
    unknown_slots: int
    estimated_slots: int
    empty_days: int
    reason: str = ""

    @classmethod
    def of(cls, series: IntervalSeries, slot_seconds: int, *, estimates: bool = False) -> Coverage:
        """Compute the coverage of a series.

        Args:
            series: The intervals.
            slot_seconds: The asset's slot length: 900, 1800 or 3600.
            estimates: Whether estimates count as known.

        Raises:
            InvalidValueError: If ``slot_seconds`` is not a slot length.
            MeterDataError: If the series cannot be counted in days.
        """
        all_days = tuple(metered_days(series, slot_seconds=slot_seconds, estimates=True))
        days = all_days
        if series.estimated and not estimates:
            days = tuple(metered_days(series, slot_seconds=slot_seconds))
        known = sum(day.mask.bit_count() for day in days)
        slot_us = slot_seconds * MICROSECONDS
        spanned = -(-series.ends_us[-1] // slot_us) - series.starts_us[0] // slot_us
        return cls(
            slot_seconds,
            days,
            known,
            spanned - known,
            sum(day.estimated_mask.bit_count() for day in all_days),
            sum(not day.mask for day in days),
            "" if known else _reason(series, slot_seconds, has_estimates=any(day.mask for day in all_days)),
        )


def _reason(series: IntervalSeries, slot_seconds: int, *, has_estimates: bool) -> str:
    slots_per_day(slot_seconds)
    slot_us = slot_seconds * MICROSECONDS
    begin = f"no slot of {slot_seconds} s is known"
    if has_estimates:
        return f"{begin}: all readings are estimates; give `estimates=True` to record them"
    if series.unknown_count == len(series):
        return f"{begin}: no interval has a reading"
    shortest = min(end - start for start, end in zip(series.starts_us, series.ends_us, strict=True))
    if shortest > slot_us:
        longer = ", or register the asset with longer slots" if shortest <= max(SLOT_SECONDS) * MICROSECONDS else ""
        return (
            f"{begin}: the shortest interval is {shortest // MICROSECONDS:,} s long, and how its energy was spread is "
            f"not known; export finer data{longer}"
        )
    if all(start % slot_us for start in series.starts_us) and all(end % slot_us for end in series.ends_us):
        return (
            f"{begin}: no interval begins or ends with a slot, the first one at {series.start:%H:%M:%S} UTC; readings "
            "must be of full quarter-hours, half-hours or hours"
        )
    return f"{begin}: the intervals do not fill one; check `stamped`, `time_zone` and the intervals' length"
