"""Days and slots: how the contracts count time.

A day is the number of whole UTC days since 1970-01-01 (unix seconds // 86400). It is cut into slots of 900, 1800 or
3600 seconds, as the asset was registered; slot 0 begins at midnight UTC. There are no leap seconds in unix time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from der_client.metering.bounds import require_integer
from der_client.stacks.errors import InvalidValueError

SECONDS_PER_DAY = 86_400
SLOT_SECONDS = (900, 1800, 3600)
"""The lengths of a slot that an asset can be registered with."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_DAY = (date.max - EPOCH.date()).days - 1
"""The last day whose end ``datetime`` can still hold: 9999-12-30."""


def unix_seconds(when: datetime) -> int:
    """Returns the unix time of an aware ``datetime``, exactly.

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


def require_day(day: int) -> int:
    """Returns the day number if it is one.

    Raises:
        InvalidValueError: If it is no integer from 0 to ``LAST_DAY``.
    """
    return require_integer("day (whole UTC days since 1970)", day, 0, LAST_DAY)


def day_at(when: datetime) -> int:
    """Returns the number of the UTC day in which a moment lies.

    Args:
        when: An aware ``datetime`` on a whole second, 1970 or later.

    Raises:
        InvalidValueError: If it has no time zone, or lies before 1970.
    """
    return require_day(unix_seconds(when) // SECONDS_PER_DAY)


def day_of_date(day: date) -> int:
    """Returns the day number of a calendar date, read as a UTC date.

    Raises:
        InvalidValueError: If it lies before 1970, or is a ``datetime`` (use ``day_at``, which minds its time zone).
    """
    if isinstance(day, datetime):
        raise InvalidValueError(f"{day} is a datetime, not a date: use day_at, which minds its time zone")
    return require_day((day - EPOCH.date()).days)


def day_start(day: int) -> datetime:
    """Returns the moment, in UTC, at which a day begins.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return EPOCH + timedelta(days=require_day(day))


def day_end(day: int) -> datetime:
    """Returns the moment, in UTC, at which a day is over: the start of the next one.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return day_start(day) + timedelta(days=1)


def slots_per_day(slot_seconds: int) -> int:
    """Returns how many slots a day has: 96, 48 or 24.

    Raises:
        InvalidValueError: If ``slot_seconds`` is not 900, 1800 or 3600.
    """
    if isinstance(slot_seconds, bool) or slot_seconds not in SLOT_SECONDS:
        raise InvalidValueError(f"slot_seconds is {slot_seconds!r}: it must be 900, 1800 or 3600")
    return SECONDS_PER_DAY // slot_seconds


def require_slot(slot: int, slot_seconds: int) -> int:
    """Returns the slot number if the day has it.

    Raises:
        InvalidValueError: If it lies outside the day, or ``slot_seconds`` is no length of a slot.
    """
    return require_integer(f"slot of {slot_seconds} s", slot, 0, slots_per_day(slot_seconds) - 1)


def slot_at(when: datetime, slot_seconds: int) -> tuple[int, int]:
    """Returns the day and the slot in which a moment lies.

    Args:
        when: An aware ``datetime`` on a whole second, 1970 or later.
        slot_seconds: 900, 1800 or 3600.

    Returns:
        Day number and slot number. A moment between two slots belongs to the one that begins.

    Raises:
        InvalidValueError: If the moment has no time zone or lies before 1970, or ``slot_seconds`` is no slot length.
    """
    slots_per_day(slot_seconds)
    return day_at(when), unix_seconds(when) % SECONDS_PER_DAY // slot_seconds


def slot_start(day: int, slot: int, slot_seconds: int) -> datetime:
    """Returns the moment, in UTC, at which a slot begins.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return day_start(day) + timedelta(seconds=require_slot(slot, slot_seconds) * slot_seconds)


def slot_end(day: int, slot: int, slot_seconds: int) -> datetime:
    """Returns the moment, in UTC, at which a slot is over; only then can it be recorded.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return slot_start(day, slot, slot_seconds) + timedelta(seconds=slot_seconds)
