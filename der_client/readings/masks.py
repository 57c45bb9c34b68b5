"""Slot masks: which slots of a day are meant, as one integer. Bit n stands for slot n; 96 bits fit a Clarity ``uint``.

``mask.bit_count()`` is the number of slots, ``a & b`` the slots in both, ``a | b`` those in either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.readings.bounds import require_integer
from der_client.readings.slots import require_slot, slots_per_day
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_SLOTS_PER_DAY = 96


def full_mask(slot_seconds: int) -> int:
    """Returns the mask of all slots of a day.

    Raises:
        InvalidValueError: If ``slot_seconds`` is not 900, 1800 or 3600.
    """
    return (1 << slots_per_day(slot_seconds)) - 1


def require_mask(mask: int, slot_seconds: int) -> int:
    """Returns the mask if it names only slots that the day has; 0 is a mask of no slots.

    Raises:
        InvalidValueError: If a bit lies beyond the day's last slot.
    """
    return require_integer(f"mask of slots of {slot_seconds} s", mask, 0, full_mask(slot_seconds))


def run_mask(start: int, count: int, slot_seconds: int) -> int:
    """Returns the mask of consecutive slots.

    Args:
        start: The first slot.
        count: How many slots; at least 1.
        slot_seconds: 900, 1800 or 3600.

    Raises:
        InvalidValueError: If the run is empty or leaves the day.
    """
    require_slot(start, slot_seconds)
    require_integer(
        f"number of slots of {slot_seconds} s from slot {start} on", count, 1, slots_per_day(slot_seconds) - start
    )
    return ((1 << count) - 1) << start


def slots_mask(slots: Iterable[int], slot_seconds: int) -> int:
    """Returns the mask of any slots, in any order.

    Raises:
        InvalidValueError: If a slot lies outside the day, or is given twice.
    """
    mask = 0
    for slot in slots:
        bit = 1 << require_slot(slot, slot_seconds)
        if mask & bit:
            raise InvalidValueError(f"slot {slot} is given twice: each slot counts once")
        mask |= bit
    return mask


def mask_slots(mask: int) -> Iterator[int]:
    """Yields the slots of a mask in ascending order."""
    for start, count in mask_runs(mask):
        yield from range(start, start + count)


def mask_runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yields the contiguous runs of a mask as (first slot, number of slots), in ascending order.

    Raises:
        InvalidValueError: If the mask is negative or longer than 96 bits.
    """
    require_integer("mask of slots", mask, 0, (1 << MAX_SLOTS_PER_DAY) - 1)
    start = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & (mask + 1)).bit_length() - 1
        yield start + zeros, ones
        start += zeros + ones
        mask >>= ones


def describe_slots(mask: int) -> str:
    """Returns the slots of a mask for people: ``"0-3, 7"``, or ``"none"``."""
    runs = (str(start) if count == 1 else f"{start}-{start + count - 1}" for start, count in mask_runs(mask))
    return ", ".join(runs) or "none"
