"""Days, slots and masks: how the contracts count time, and their rules for it, in one place.

A day is a UTC date; the contracts count it in whole days since 1970-01-01 (unix seconds // 86400). It is divided into
slots of 900, 1800 or 3600 seconds, as set when the asset was registered; slot 0 begins at midnight UTC. Unix time has
no leap seconds.

A mask selects slots of a day, as one integer: bit n is slot n, and 96 bits fit a Clarity ``uint``.
``mask.bit_count()`` is the number of slots, ``a & b`` the slots in both, ``a | b`` those in either.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from der_client.stacks.checks import check_number
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MICROSECONDS = 1_000_000
"""In a second."""
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
MAX_SLOTS_PER_DAY = 96
RECORDING_DAYS = 30
"""For how many days after it a day can be recorded (production-tracking.clar)."""
WINDOW_DAYS = 45
"""For how many days after it a day can be verified and its feed recorded; then refunds are due."""
MAX_CAPACITY_W = 10**12
"""The largest capacity that the contracts accept for an asset (asset-verification.clar)."""
TOLERANCE_PERCENT = 110
"""The most energy that a day may have, as a share of full power all the time (production-tracking.clar)."""
SLOT_SECONDS = (900, 1800, 3600)
"""The lengths of a slot that an asset can be registered with."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_DAY = date.max - timedelta(days=1)
"""The last day whose end fits a ``datetime``: 9999-12-30."""
_EPOCH_ORDINAL = EPOCH.toordinal()


def unix_seconds(when: datetime) -> int:
    """Return the unix time of an aware ``datetime``, exactly.

    Args:
        when: A moment on a whole second, in any time zone.

    Returns:
        Seconds since 1970-01-01T00:00:00Z; negative before.

    Raises:
        InvalidValueError: If it has no time zone, or a fraction of a second.
    """
    if when.utcoffset() is None:
        raise InvalidValueError(f"{when} has no time zone: give an aware datetime, e.g. with tzinfo=datetime.UTC")
    seconds, fraction = divmod(when - EPOCH, timedelta(seconds=1))
    if fraction:
        raise InvalidValueError(f"{when} is not on a whole second: slots begin on whole seconds, round it first")
    return seconds


def day_number(day: date) -> int:
    """Return the number of a day in the contracts: whole days since 1970-01-01.

    Raises:
        InvalidValueError: If it is not a plain ``date`` (for a ``datetime`` use ``day_at``),
            or lies before 1970 or after 9999-12-30.
    """
    if isinstance(day, datetime) or not isinstance(day, date):
        raise InvalidValueError(f"a day is given as a datetime.date, not {type(day).__name__}")
    number = day.toordinal() - _EPOCH_ORDINAL
    if number < 0:
        raise InvalidValueError(f"day {day} is before 1970, when the contracts begin to count")
    if day > LAST_DAY:
        raise InvalidValueError(f"day {day} is too late: the last day is {LAST_DAY}")
    return number


def day_of(number: int) -> date:
    """Return the day of a number from ``day_number``.

    Raises:
        InvalidValueError: If the number is out of range.
    """
    return date.fromordinal(_EPOCH_ORDINAL + check_number(number, 0, day_number(LAST_DAY), "day number"))


def require_day(day: date) -> date:
    """Return the day if the contracts can count it.

    Raises:
        InvalidValueError: If it is not a plain ``date`` (for a ``datetime`` use ``day_at``), or
            lies before 1970 or after 9999-12-30.
    """
    day_number(day)
    return day


def day_at(when: datetime) -> date:
    """Return the UTC day in which a moment lies.

    Args:
        when: An aware ``datetime``, 1970 or later.

    Raises:
        InvalidValueError: If it has no time zone, or lies before 1970.
    """
    if when.utcoffset() is None:
        raise InvalidValueError(f"{when} has no time zone: give an aware datetime, e.g. with tzinfo=datetime.UTC")
    return require_day(when.astimezone(UTC).date())


def day_start(day: date) -> datetime:
    """Return the moment, in UTC, at which a day begins.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return datetime.combine(require_day(day), time(), UTC)


def day_end(day: date) -> datetime:
    """Return the moment, in UTC, at which a day is over: the start of the next one.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return day_start(day) + timedelta(days=1)


def window_end(day: date) -> datetime:
    """Return the moment, in UTC, from which a day can no longer be verified, nor its feed recorded.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return day_end(day) + timedelta(days=WINDOW_DAYS)


def slots_per_day(slot_seconds: int) -> int:
    """Return how many slots a day has: 96, 48 or 24.

    Raises:
        InvalidValueError: If ``slot_seconds`` is not 900, 1800 or 3600.
    """
    if slot_seconds not in SLOT_SECONDS:
        raise InvalidValueError(f"slot_seconds is {slot_seconds!r}: it must be 900, 1800 or 3600")
    return SECONDS_PER_DAY // slot_seconds


def require_slot(slot: int, slot_seconds: int) -> int:
    """Return the slot number if the day has it.

    Raises:
        InvalidValueError: If it lies outside the day, or ``slot_seconds`` is not a length of a slot.
    """
    return check_number(slot, 0, slots_per_day(slot_seconds) - 1, f"slot of {slot_seconds} s")


def slot_at(when: datetime, slot_seconds: int) -> tuple[date, int]:
    """Return the day and the slot in which a moment lies.

    Args:
        when: An aware ``datetime``, 1970 or later.
        slot_seconds: 900, 1800 or 3600.

    Returns:
        UTC day and slot number. A moment between two slots belongs to the one that begins.

    Raises:
        InvalidValueError: If the moment has no time zone or lies before 1970, or ``slot_seconds`` is not a slot length.
    """
    slots_per_day(slot_seconds)
    day = day_at(when)
    return day, (when - day_start(day)) // timedelta(seconds=slot_seconds)


def slot_start(day: date, slot: int, slot_seconds: int) -> datetime:
    """Return the moment, in UTC, at which a slot begins.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return day_start(day) + timedelta(seconds=require_slot(slot, slot_seconds) * slot_seconds)


def slot_end(day: date, slot: int, slot_seconds: int) -> datetime:
    """Return the moment, in UTC, at which a slot is over; only then can it be recorded.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return slot_start(day, slot, slot_seconds) + timedelta(seconds=slot_seconds)


def full_mask(slot_seconds: int) -> int:
    """Return the mask of all slots of a day.

    Raises:
        InvalidValueError: If ``slot_seconds`` is not 900, 1800 or 3600.
    """
    return (1 << slots_per_day(slot_seconds)) - 1


def require_mask(mask: int, slot_seconds: int) -> int:
    """Return the mask if it names only slots that the day has; 0 is a mask of no slots.

    Raises:
        InvalidValueError: If a bit lies beyond the day's last slot.
    """
    return check_number(mask, 0, full_mask(slot_seconds), f"mask of slots of {slot_seconds} s")


def run_mask(start: int, count: int, slot_seconds: int) -> int:
    """Return the mask of consecutive slots.

    Args:
        start: The first slot.
        count: How many slots; at least 1.
        slot_seconds: 900, 1800 or 3600.

    Raises:
        InvalidValueError: If the run is empty or leaves the day.
    """
    require_slot(start, slot_seconds)
    check_number(
        count, 1, slots_per_day(slot_seconds) - start, f"number of slots of {slot_seconds} s from slot {start} on"
    )
    return ((1 << count) - 1) << start


def slots_mask(slots: Iterable[int], slot_seconds: int) -> int:
    """Return the mask of any slots, in any order.

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
    """Yield the slots of a mask in ascending order."""
    for start, count in mask_runs(mask):
        yield from range(start, start + count)


def mask_runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yield the contiguous runs of a mask as (first slot, number of slots), in ascending order.

    Raises:
        InvalidValueError: If the mask is negative or longer than 96 bits.
    """
    check_number(mask, 0, (1 << MAX_SLOTS_PER_DAY) - 1, "mask of slots")
    start = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & (mask + 1)).bit_length() - 1
        yield start + zeros, ones
        start += zeros + ones
        mask >>= ones


def describe_slots(mask: int) -> str:
    """Return the slots of a mask for people: ``"0-3, 7"``, or ``"none"``."""
    runs = (str(start) if count == 1 else f"{start}-{start + count - 1}" for start, count in mask_runs(mask))
    return ", ".join(runs) or "none"


def plausible_limit_wh(slot_count: int, capacity_w: int, slot_seconds: int) -> int:
    """Return the most energy that the contracts accept for a number of slots: 110 % of full power all the time.

    The contract asserts ``wh <= slots · capacity-w · slot-seconds / 3600 · 1.1``; for whole Wh that is the same as
    comparing with this floor, which is computed in integers.

    Args:
        slot_count: How many slots of the day are recorded, 0 to 96.
        capacity_w: The asset's capacity, W, 1 to 10¹².
        slot_seconds: 900, 1800 or 3600.

    Returns:
        The limit, Wh, rounded down.

    Raises:
        InvalidValueError: If an argument is out of range.
    """
    check_number(slot_count, 0, slots_per_day(slot_seconds), f"number of slots of {slot_seconds} s")
    check_number(capacity_w, 1, MAX_CAPACITY_W, "capacity_w")
    return slot_count * capacity_w * slot_seconds * TOLERANCE_PERCENT // (3600 * 100)
