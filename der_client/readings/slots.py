"""Days and slots: how the contracts count time.

A day is a UTC date; the contracts count it in whole days since 1970-01-01 (unix seconds // 86400). It is cut into slots
of 900, 1800 or 3600 seconds, as the asset was registered; slot 0 begins at midnight UTC. Unix time has no leap seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from der_client.readings.bounds import require_integer
from der_client.stacks.errors import InvalidValueError

SECONDS_PER_DAY = 86_400
SLOT_SECONDS = (900, 1800, 3600)
"""The lengths of a slot that an asset can be registered with."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_DAY = date.max - timedelta(days=1)
"""The last day whose end a ``datetime`` can still hold: 9999-12-30."""
_EPOCH_ORDINAL = EPOCH.toordinal()


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


def day_number(day: date) -> int:
    """Return how the contracts count a day: in whole days since 1970-01-01.

    Raises:
        InvalidValueError: If it is not a plain ``date`` (for a ``datetime`` use ``day_at``, which minds its time zone),
            or lies before 1970 or after 9999-12-30.
    """
    if isinstance(day, datetime) or not isinstance(day, date):
        raise InvalidValueError(f"a day is given as a datetime.date, not {type(day).__name__}")
    number = day.toordinal() - _EPOCH_ORDINAL
    if number < 0:
        raise InvalidValueError(f"day {day} is before 1970, where the contracts begin to count")
    if day > LAST_DAY:
        raise InvalidValueError(f"day {day} is too late: the last day is {LAST_DAY}")
    return number


def day_of(number: int) -> date:
    """Return the day of a number that ``day_number`` gives.

    Raises:
        InvalidValueError: If the number is out of range.
    """
    return date.fromordinal(_EPOCH_ORDINAL + require_integer("day number", number, 0, day_number(LAST_DAY)))


def require_day(day: date) -> date:
    """Returns the day if the contracts can count it.

    Raises:
        InvalidValueError: If it is no plain ``date`` (for a ``datetime`` use ``day_at``, which minds its time zone), or
            lies before 1970 or after 9999-12-30.
    """
    day_number(day)
    return day


def day_at(when: datetime) -> date:
    """Returns the UTC day in which a moment lies.

    Args:
        when: An aware ``datetime``, 1970 or later.

    Raises:
        InvalidValueError: If it has no time zone, or lies before 1970.
    """
    if when.utcoffset() is None:
        raise InvalidValueError(f"{when} has no time zone: give an aware datetime, e.g. with tzinfo=datetime.UTC")
    return require_day(when.astimezone(UTC).date())


def day_start(day: date) -> datetime:
    """Returns the moment, in UTC, at which a day begins.

    Raises:
        InvalidValueError: If the day is out of range.
    """
    return datetime.combine(require_day(day), time(), UTC)


def day_end(day: date) -> datetime:
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


def slot_at(when: datetime, slot_seconds: int) -> tuple[date, int]:
    """Returns the day and the slot in which a moment lies.

    Args:
        when: An aware ``datetime``, 1970 or later.
        slot_seconds: 900, 1800 or 3600.

    Returns:
        UTC day and slot number. A moment between two slots belongs to the one that begins.

    Raises:
        InvalidValueError: If the moment has no time zone or lies before 1970, or ``slot_seconds`` is no slot length.
    """
    slots_per_day(slot_seconds)
    day = day_at(when)
    return day, (when - day_start(day)) // timedelta(seconds=slot_seconds)


def slot_start(day: date, slot: int, slot_seconds: int) -> datetime:
    """Returns the moment, in UTC, at which a slot begins.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return day_start(day) + timedelta(seconds=require_slot(slot, slot_seconds) * slot_seconds)


def slot_end(day: date, slot: int, slot_seconds: int) -> datetime:
    """Returns the moment, in UTC, at which a slot is over; only then can it be recorded.

    Raises:
        InvalidValueError: If the day or the slot is out of range.
    """
    return slot_start(day, slot, slot_seconds) + timedelta(seconds=slot_seconds)
