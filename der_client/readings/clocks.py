"""Clocks of time zones: converts local times to instants, also in the hours in which clocks change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from der_client.readings.errors import MeterDataError
from der_client.readings.integers import greatest, least
from der_client.readings.slots import EPOCH, MICROSECONDS, SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


def zone_of(text: str) -> tzinfo:
    """Return a time zone.

    Args:
        text: An offset such as ``+01:00``, ``UTC``, or a name of the IANA database such as ``Europe/Berlin``.

    Raises:
        MeterDataError: If it is neither.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 -- only if it is needed

    try:
        if text.startswith(("+", "-")):
            return datetime.strptime(text, "%z").tzinfo or UTC
        return UTC if text.upper() in {"UTC", "Z"} else ZoneInfo(text)
    except (ValueError, OSError, KeyError) as error:
        raise MeterDataError(
            f"`time_zone` is {text!r}: expected an offset such as +01:00, or a zone such as Europe/Berlin"
        ) from error


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a zone's clocks.

    Attributes:
        at: When it happens, unix seconds.
        before: The offset from UTC before it, s.
        after: The offset from UTC after it, s.
    """

    at: int
    before: int
    after: int


@dataclass(slots=True)
class _Order:
    """Tells the two passes through a repeated hour apart by the order of rows, over any number of pieces."""

    change: Change | None = None
    last_us: int = 0
    passes: int = 0
    error: MeterDataError | None = None

    def is_second(
        self, index: int, local_us: int, change: Change, refuse: Callable[[int, str], MeterDataError]
    ) -> bool:
        if change != self.change:
            self.check()
            self.change, self.passes = change, 1
            self.error = refuse(
                index,
                "from here on the local times of an hour that comes twice are there only once, so their order does "
                'not say which it is: give `ambiguous="unknown"` to leave it out',
            )
        elif local_us <= self.last_us:
            self.passes += 1
            if self.passes > 2:
                raise refuse(index, "this local time appears more than twice: check the order of rows")
        self.last_us = local_us
        return self.passes == 2

    def check(self) -> None:
        if self.change is not None and self.passes == 1 and self.error is not None:
            raise self.error


@dataclass(slots=True)
class Clock:
    """The clock of a time zone, and how the hours in which it changes are read.

    Attributes:
        zone: The time zone.
        policy: ``error``, ``order``, ``flag`` or ``unknown``, for local times that are repeated.
    """

    zone: tzinfo
    policy: str
    _changes: dict[tuple[int, int], list[Change]] = field(default_factory=dict)
    _order: _Order = field(default_factory=_Order)

    def to_utc(
        self,
        local_us: pl.Series,
        *,
        second: pl.Series | None,
        are_ends: bool,
        refuse: Callable[[int, str], MeterDataError],
    ) -> pl.Series:
        """Convert local times.

        Args:
            local_us: Microseconds since 1970 on this clock.
            second: For the policy ``flag``: whether it is the second pass of this local time.
            are_ends: Whether they are ends of intervals: the moment at which a clock is put forward has two names then.
            refuse: A function that makes the error for a row, from its index and what is wrong.

        Returns:
            Microseconds since 1970, UTC; null where the policy leaves it unknown.

        Raises:
            MeterDataError: If a local time does not exist, or is repeated and nothing says which pass is meant.
        """
        import polars as pl  # noqa: PLC0415

        if isinstance(self.zone, timezone):
            return local_us - (self.zone.utcoffset(None) // timedelta(seconds=1)) * MICROSECONDS
        low, high = (least(local_us) or 0) // MICROSECONDS, (greatest(local_us) or 0) // MICROSECONDS
        changes = self._between(low // SECONDS_PER_DAY - 2, high // SECONDS_PER_DAY + 2)
        first_offset = _offset_at(self.zone, (low // SECONDS_PER_DAY - 2) * SECONDS_PER_DAY)
        if not changes:
            return local_us - first_offset * MICROSECONDS
        # Segments of local time: an ordinary one between changes, a special one for what a change skips or repeats.
        bounds, offsets, special = [], [first_offset], [-1]
        for number, change in enumerate(changes):
            early, late = sorted((change.at + change.before, change.at + change.after))
            bounds += [early * MICROSECONDS, late * MICROSECONDS]
            offsets += [change.before, change.after]
            special += [number, -1]
        segment = pl.Series(bounds, dtype=pl.Int64).search_sorted(local_us, side="right")
        result = local_us - pl.Series(offsets, dtype=pl.Int64).gather(segment) * MICROSECONDS
        specials = pl.Series(special, dtype=pl.Int64).gather(segment)
        odd = (specials >= 0).arg_true().to_list()
        if not odd:
            return result
        fixed = result.to_list()
        for index in odd:
            change = changes[specials[index]]
            local = int(local_us[index])
            fixed[index] = self._resolve(index, local, change, second, are_ends=are_ends, refuse=refuse)
        return pl.Series(fixed, dtype=pl.Int64)

    def _resolve(
        self,
        index: int,
        local_us: int,
        change: Change,
        second: pl.Series | None,
        *,
        are_ends: bool,
        refuse: Callable[[int, str], MeterDataError],
    ) -> int | None:
        if change.after > change.before:
            if are_ends and local_us == (change.at + change.before) * MICROSECONDS:
                return change.at * MICROSECONDS
            if self.policy == "unknown":
                return None
            raise refuse(
                index,
                f"this local time does not exist, as the clocks of {self.zone} skip it: if it is the end of an "
                'interval, give `stamped="end"`; if the meter keeps standard '
                "time all year, give a fixed `time_zone` such as +01:00; to leave such hours out, give "
                '`ambiguous="unknown"`',
            )
        match self.policy:
            case "unknown":
                return None
            case "flag" if second is not None:
                is_second = bool(second[index])
            case "order":
                is_second = self._order.is_second(index, local_us, change, refuse)
            case _:
                raise refuse(
                    index,
                    f"this local time is repeated, as the clocks of {self.zone} change: if the rows are in order, give "
                    '`ambiguous="order"`; if a column says which it is, `ambiguous="flag"`; to leave the hour out, '
                    '`ambiguous="unknown"`; or a fixed `time_zone` if the meter keeps standard time all year',
                )
        return local_us - (change.after if is_second else change.before) * MICROSECONDS

    def finish(self) -> None:
        """End the rows.

        Raises:
            MeterDataError: If the order of rows did not determine which of two hours was meant.
        """
        self._order.check()

    def changes_within(self, instants: pl.Series) -> list[Change]:
        """Return the changes of the clock from a day before the first to a day after the last of some instants."""
        if isinstance(self.zone, timezone) or instants.null_count() == len(instants):
            return []
        low, high = (
            (limit or 0) // (SECONDS_PER_DAY * MICROSECONDS) for limit in (least(instants), greatest(instants))
        )
        return self._between(low - 1, high + 2)

    def moments(self, local_us: int) -> list[int]:
        """Return all moments (µs since 1970) at which this clock shows a local time, or showed it until then."""
        local = local_us // MICROSECONDS
        found = set()
        for near in (local - SECONDS_PER_DAY, local, local + SECONDS_PER_DAY):
            offset = _offset_at(self.zone, near)
            moment = local - offset
            if offset in {_offset_at(self.zone, moment), _offset_at(self.zone, moment - 1)}:
                found.add(local_us - offset * MICROSECONDS)
        return sorted(found)

    def _between(self, first_day: int, last_day: int) -> list[Change]:
        key = first_day, last_day
        if key not in self._changes:
            self._changes[key] = list(_changes(self.zone, first_day, last_day))
        return self._changes[key]


def _offset_at(zone: tzinfo, second: int) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


def _changes(zone: tzinfo, first_day: int, last_day: int) -> list[Change]:
    """Return all changes of a clock between two days, to the second."""
    changes = []
    step = SECONDS_PER_DAY // 2
    at, before = first_day * SECONDS_PER_DAY, _offset_at(zone, first_day * SECONDS_PER_DAY)
    while at < last_day * SECONDS_PER_DAY:
        after = _offset_at(zone, at + step)
        if after != before:
            low, high = at, at + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_at(zone, middle) == before else (low, middle)
            changes.append(Change(high, before, after))
        at, before = at + step, after
    return changes
