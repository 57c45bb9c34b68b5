"""Readings: how much energy each slot of a day produced, in whole Wh, and which slots are unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from der_client.readings.slots import (
    describe_slots,
    mask_runs,
    plausible_limit_wh,
    require_day,
    require_mask,
    run_mask,
    slot_end,
    slot_start,
    slots_per_day,
)
from der_client.stacks.checks import UINT_MAX, check_number
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DayReadings:
    """The energy of consecutive slots of one day: the content of one call of ``record-day``, which a meter signs.

    Attributes:
        day: The UTC day.
        slot_seconds: Length of a slot: 900, 1800 or 3600.
        start: The first slot.
        whs: Energy of each slot from ``start`` on, Wh; at least one.
    """

    day: date
    slot_seconds: int
    start: int
    whs: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse readings that no day can have."""
        require_day(self.day)
        run_mask(self.start, len(self.whs), self.slot_seconds)
        for slot, wh in enumerate(self.whs, self.start):
            check_number(wh, 0, UINT_MAX, f"energy of slot {slot} in Wh")

    @property
    def mask(self) -> int:
        """The slots, as a mask."""
        return run_mask(self.start, len(self.whs), self.slot_seconds)

    @property
    def wh(self) -> int:
        """The total energy, Wh."""
        return sum(self.whs)

    @property
    def begins_at(self) -> datetime:
        """When the first slot begins, UTC."""
        return slot_start(self.day, self.start, self.slot_seconds)

    @property
    def ends_at(self) -> datetime:
        """When the last slot is over, UTC; the readings can be recorded from then on."""
        return slot_end(self.day, self.start + len(self.whs) - 1, self.slot_seconds)


@dataclass(frozen=True, slots=True)
class MeteredDay:
    """What is known about the energy of one day, slot by slot. What is unknown is ``None``, never 0.

    Attributes:
        day: The UTC day.
        slot_seconds: Length of a slot: 900, 1800 or 3600.
        wh_by_slot: Energy of each of the day's 96, 48 or 24 slots, Wh, or ``None`` where the data has a gap.
        energies: The same before rounding, Wh times ``denominator``, including slots that were left out later (`only`),
            as they affected the rounding; empty if nothing was rounded. Two days that are rounded to the same Wh are
            equal.
        denominator: The divisor that turns ``energies`` into Wh.
        estimated_mask: The known slots whose energy is an estimate, in whole or in part.
    """

    day: date
    slot_seconds: int
    wh_by_slot: tuple[int | None, ...]
    energies: tuple[int | None, ...] = field(default=(), compare=False, repr=False)
    denominator: int = field(default=1, compare=False, repr=False)
    estimated_mask: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse a day of the wrong length or with impossible energy."""
        require_day(self.day)
        slots = slots_per_day(self.slot_seconds)
        if len(self.wh_by_slot) != slots:
            raise InvalidValueError(
                f"wh_by_slot has {len(self.wh_by_slot)} entries: a day has {slots} slots of {self.slot_seconds} s; "
                "give None for unknown slots"
            )
        for slot, wh in enumerate(self.wh_by_slot):
            if wh is not None and (type(wh) is not int or not 0 <= wh <= UINT_MAX):
                check_number(wh, 0, UINT_MAX, f"energy of slot {slot} in Wh")
        if self.energies:
            self._check_rounding()

    def _check_rounding(self) -> None:
        """Refuse Wh that are 1 Wh or more from the exact energy."""
        check_number(self.denominator, 1, UINT_MAX, "denominator")
        if len(self.energies) != len(self.wh_by_slot):
            raise InvalidValueError(
                f"energies has {len(self.energies)} entries, wh_by_slot {len(self.wh_by_slot)}: give both for each slot"
            )
        denominator = self.denominator
        for slot, (wh, energy) in enumerate(zip(self.wh_by_slot, self.energies, strict=True)):
            if wh is not None and (energy is None or not -denominator < wh * denominator - energy < denominator):
                exact = None if energy is None else Fraction(energy, denominator)
                raise InvalidValueError(
                    f"slot {slot} of day {self.day} has {wh} Wh for exactly {exact} Wh: "
                    "they must be less than 1 Wh apart"
                )

    @classmethod
    def from_readings(cls, *readings: DayReadings) -> MeteredDay:
        """Combine runs of slots of the same day.

        Args:
            *readings: At least one run; in any order.

        Raises:
            InvalidValueError: If they are of different days or slot lengths, or two of them have the same slot.
        """
        if not readings:
            raise InvalidValueError("no readings: give at least one run of slots")
        day, slot_seconds = readings[0].day, readings[0].slot_seconds
        wh_by_slot: list[int | None] = [None] * slots_per_day(slot_seconds)
        for run in readings:
            if (run.day, run.slot_seconds) != (day, slot_seconds):
                raise InvalidValueError(
                    f"readings of day {run.day} in slots of {run.slot_seconds} s do not belong to day {day} "
                    f"in slots of {slot_seconds} s: combine each day by itself"
                )
            for slot, wh in enumerate(run.whs, run.start):
                if wh_by_slot[slot] is not None:
                    raise InvalidValueError(f"slot {slot} of day {day} is given twice: each slot counts once")
                wh_by_slot[slot] = wh
        return cls(day, slot_seconds, tuple(wh_by_slot))

    @property
    def exact_wh_by_slot(self) -> tuple[Fraction | None, ...]:
        """The energy of each slot before rounding, Wh; empty if nothing was rounded."""
        return tuple(None if energy is None else Fraction(energy, self.denominator) for energy in self.energies)

    @property
    def mask(self) -> int:
        """The slots whose energy is known."""
        return sum(1 << slot for slot, wh in enumerate(self.wh_by_slot) if wh is not None)

    @property
    def missing_mask(self) -> int:
        """The slots that are unknown."""
        return sum(1 << slot for slot, wh in enumerate(self.wh_by_slot) if wh is None)

    @property
    def is_complete(self) -> bool:
        """Whether the energy of every slot is known."""
        return None not in self.wh_by_slot

    @property
    def wh(self) -> int:
        """The total energy of the known slots, Wh."""
        return sum(wh for wh in self.wh_by_slot if wh is not None)

    def only(self, mask: int) -> MeteredDay:
        """Return the same day with the slots outside the mask unknown.

        Raises:
            InvalidValueError: If the mask names a slot that the day does not have.
        """
        require_mask(mask, self.slot_seconds)
        kept = tuple(wh if mask >> slot & 1 else None for slot, wh in enumerate(self.wh_by_slot))
        estimated = self.estimated_mask & mask
        return MeteredDay(self.day, self.slot_seconds, kept, self.energies, self.denominator, estimated)

    def agrees_with(self, wh: int, *, others_mask: int = 0) -> bool:
        """Return whether a number of Wh can be the energy of the known slots, rounded now or when less was known.

        Only the carry into these slots can have been different, since it depends on which other slots were known. So
        the exact energy between two such slots is rounded down or up, and that before the first of them is rounded
        down, as each day begins without a carry. A slot of whole Wh does not change the carry, nor does an empty one.

        Args:
            wh: What was recorded at once for exactly these slots, Wh.
            others_mask: Other slots that are recorded. They may have been known then, even if they are not now.

        Raises:
            InvalidValueError: If the mask names a slot that the day does not have.
        """
        require_mask(others_mask, self.slot_seconds)
        if wh == self.wh or not self.energies:
            return wh == self.wh
        first, *later = self._energies_carried_together(others_mask)
        denominator = self.denominator
        least = first // denominator + sum(energy // denominator for energy in later)
        most = first // denominator + sum(-(-energy // denominator) for energy in later)
        return least <= wh <= most

    def _energies_carried_together(self, others_mask: int) -> list[int]:
        """Sum up the exact energy of the known slots, up to each other slot that may have changed the carry."""
        energies = [0]
        for slot, (wh, energy) in enumerate(zip(self.wh_by_slot, self.energies, strict=True)):
            if wh is not None and energy is not None:
                energies[-1] += energy
            elif (others_mask >> slot & 1) if energy is None else energy % self.denominator:
                energies.append(0)
        return energies

    def runs(self) -> tuple[DayReadings, ...]:
        """Return the known slots as contiguous runs, in order, each fit for one call of ``record-day``."""
        known = tuple(wh or 0 for wh in self.wh_by_slot)
        return tuple(
            DayReadings(self.day, self.slot_seconds, start, known[start : start + count])
            for start, count in mask_runs(self.mask)
        )

    def check_plausible(self, capacity_w: int) -> None:
        """Check the day's energy against what the contracts accept, before a fee is spent on it.

        Args:
            capacity_w: The asset's capacity, W.

        Raises:
            InvalidValueError: If there is more energy than 110 % of full power in all known slots.
        """
        limit = plausible_limit_wh(self.mask.bit_count(), capacity_w, self.slot_seconds)
        if self.wh > limit:
            raise InvalidValueError(
                f"day {self.day}: {self.wh:,} Wh in slots {describe_slots(self.mask)} of {self.slot_seconds} s is more "
                f"than the {limit:,} Wh (110 %) that {capacity_w:,} W can plausibly produce: check unit and capacity"
            )
