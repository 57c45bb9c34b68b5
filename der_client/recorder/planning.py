"""Compares readings with what is already recorded: what is new, what is a repeat, and what contradicts.

A slot is recorded once and for all, so a second recording of it fails and costs a fee. The chain keeps only which slots
of a day are recorded, and their total Wh; so a recorded part can be compared if all of its slots are metered again.
Give a part for each recording event; the day's row can serve as one part if it was recorded at once, or if nothing was
rounded.

Data that fills a gap may change the rounding of what was recorded after it by 1 Wh; that is a repeat, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from der_client.readings.slots import describe_slots, require_mask
from der_client.stacks.checks import UINT_MAX, check_number
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.readings.days import MeteredDay


class ConflictingReadingsError(InvalidValueError):
    """Readings that contradict what is recorded.

    Attributes:
        conflicts: Each recorded part that differs.
    """

    def __init__(self, message: str, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__(message)
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """Slots of a day that are on the chain, and were recorded at once.

    Attributes:
        mask: The slots.
        wh: The total energy recorded for them, Wh, before any adjustment; ``None`` if it is unknown.
    """

    mask: int
    wh: int | None = None

    def __post_init__(self) -> None:
        """Refuse impossible energy."""
        if self.wh is not None:
            check_number(self.wh, 0, UINT_MAX, "recorded wh")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A recorded part whose energy differs from the readings.

    Attributes:
        mask: The slots.
        recorded_wh: The energy on the chain, Wh.
        metered_wh: The energy of the readings, Wh.
    """

    mask: int
    recorded_wh: int
    metered_wh: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What remains to be recorded for a day, and how the rest compares with the chain.

    Attributes:
        new: The day with only the slots that are not recorded yet; record ``new.runs()``.
        repeated_mask: Slots that are recorded with the same energy, except for rounding: nothing to do.
        unchecked_mask: Slots that are recorded, but cannot be compared: their energy is known only as a sum with slots
            that were not metered again, or not at all. They cannot be recorded again, either.
        conflicts: Recorded parts that differ by more than rounding. Only a verifier can still change the day
            (``adjust-day``).
    """

    new: MeteredDay
    repeated_mask: int
    unchecked_mask: int
    conflicts: tuple[Conflict, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing remains to be recorded."""
        return not self.new.mask

    def check_conflicts(self) -> None:
        """Check that nothing that could be compared differs.

        Raises:
            ConflictingReadingsError: If a recorded part differs.
        """
        if self.conflicts:
            differences = "; ".join(
                f"slots {describe_slots(conflict.mask)}: {conflict.recorded_wh} Wh recorded, "
                f"{conflict.metered_wh} Wh metered"
                for conflict in self.conflicts
            )
            raise ConflictingReadingsError(
                f"day {self.new.day} is recorded differently ({differences}): find out which is right; a verifier can "
                "adjust the day until it is verified",
                self.conflicts,
            )


def plan_day(metered: MeteredDay, recorded: Iterable[RecordedPart]) -> DayPlan:
    """Compare readings with what is recorded for their day.

    Args:
        metered: The readings.
        recorded: What is on the chain for the same asset and day; none for a day that has no row.

    Returns:
        What is new, repeated, not comparable, and in conflict.

    Raises:
        InvalidValueError: If a part names slots that the day does not have, or two parts have a slot in common.
    """
    parts = tuple(recorded)
    recorded_mask = _mask_of(parts, metered)
    repeated_mask = unchecked_mask = 0
    conflicts: list[Conflict] = []
    for part in parts:
        again = metered.only(part.mask)
        if again.mask != part.mask or part.wh is None:
            unchecked_mask |= again.mask
        elif again.agrees_with(part.wh, others_mask=recorded_mask & ~part.mask):
            repeated_mask |= part.mask
        else:
            conflicts.append(Conflict(part.mask, part.wh, again.wh))
    return DayPlan(metered.only(metered.mask & ~recorded_mask), repeated_mask, unchecked_mask, tuple(conflicts))


def _mask_of(parts: Iterable[RecordedPart], metered: MeteredDay) -> int:
    mask = 0
    for part in parts:
        require_mask(part.mask, metered.slot_seconds)
        if twice := mask & part.mask:
            raise InvalidValueError(
                f"two recorded parts of day {metered.day} have slots {describe_slots(twice)} in common: give each once"
            )
        mask |= part.mask
    return mask
