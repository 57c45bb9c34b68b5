"""Series of metered intervals: when each begins and ends, how much energy it had, and how well that is known.

Energy is kept as integers over one denominator, so that whatever is done to it later is exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import TYPE_CHECKING, Final, NamedTuple

from der_client.readings.errors import MeterDataError
from der_client.readings.quantities import exact
from der_client.readings.slots import (
    EPOCH,
    MAX_CAPACITY_W,
    MICROSECONDS,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    day_start,
    unix_seconds,
)
from der_client.stacks.checks import check_number
from der_client.stacks.errors import InvalidValueError, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from decimal import Decimal

MAX_YEARS_FROM_MEDIAN: Final = 10
"""An interval farther from the middle of its series than this has a mistyped year."""
MAX_DAYS: Final = 1_000_000
"""More days than a series of this century can have."""


class Quality(StrEnum):
    """How the energy of an interval came to be known."""

    MEASURED = "measured"
    """The meter measured it."""
    ESTIMATED = "estimated"
    """Somebody estimated, substituted or edited it."""


class Interval(NamedTuple):
    """One interval of a series.

    Attributes:
        start: When it begins, UTC.
        end: When it ends, UTC.
        wh: Its energy, Wh, exactly; None if it is not known.
        quality: How it is known.
    """

    start: datetime
    end: datetime
    wh: Fraction | None
    quality: Quality = Quality.MEASURED


@dataclass(frozen=True, slots=True)
class IntervalSeries:
    """Intervals in ascending order that do not overlap. Where there is none between two others, nothing is known.

    Readers of files join what a quarter-hour is made of: its one-minute readings become one interval if all of them are
    there. No slot of an asset is finer, so no energy of a slot changes by it.

    Attributes:
        starts_us: When each interval begins, microseconds since 1970.
        ends_us: When each ends.
        energies: Energy of each, Wh times ``denominator``; None where it is not known.
        denominator: What to divide ``energies`` by to have Wh.
        estimated: The intervals, by index, whose energy is an estimate.
        utc_offset_seconds: Offset of the local time at the beginning, which says when a local day begins.
        notes: What a person should know about how the series was read.
    """

    starts_us: tuple[int, ...]
    ends_us: tuple[int, ...]
    energies: tuple[int | None, ...]
    denominator: int = 1
    estimated: frozenset[int] = frozenset()
    utc_offset_seconds: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a series whose intervals overlap or are empty."""
        check_number(self.utc_offset_seconds, -SECONDS_PER_DAY, SECONDS_PER_DAY, "utc_offset_seconds")
        if self.denominator < 1:
            raise InvalidValueError(f"denominator is {self.denominator}: it must be at least 1")
        if not self.starts_us:
            raise MeterDataError("the series is empty: give at least one reading")
        if not len(self.starts_us) == len(self.ends_us) == len(self.energies):
            raise InvalidValueError(
                f"{len(self.starts_us)} starts, {len(self.ends_us)} ends and {len(self.energies)} energies do not "
                "belong together"
            )
        previous_end = self.starts_us[0]
        for start, end in zip(self.starts_us, self.ends_us, strict=True):
            if start < previous_end:
                raise MeterDataError(
                    f"the interval from {_text(start)} begins before the one before it ends, at {_text(previous_end)}: "
                    "give each interval once, in ascending order"
                )
            if end <= start:
                raise MeterDataError(f"the interval from {_text(start)} ends at {_text(end)}: it must end later")
            previous_end = end

    @classmethod
    def from_intervals(cls, intervals: Iterable[Interval], *, notes: tuple[str, ...] = ()) -> IntervalSeries:
        """Make a series from intervals in any order.

        Args:
            intervals: Each once.
            notes: What a person should know about them.

        Raises:
            MeterDataError: If there are none, two overlap, or a time has a fraction of a microsecond.
            InvalidValueError: If a time has no zone.
        """
        ordered = sorted(intervals, key=lambda interval: interval.start)
        denominator = lcm(*{interval.wh.denominator for interval in ordered if interval.wh is not None})
        first = ordered[0].start.utcoffset() if ordered else None
        return cls(
            tuple(_microseconds(interval.start) for interval in ordered),
            tuple(_microseconds(interval.end) for interval in ordered),
            tuple(
                None if wh is None else wh.numerator * (denominator // wh.denominator)
                for wh in (interval.wh for interval in ordered)
            ),
            denominator,
            frozenset(index for index, interval in enumerate(ordered) if interval.quality is Quality.ESTIMATED),
            0 if first is None else first // timedelta(seconds=1),
            notes,
        )

    @classmethod
    def from_power(
        cls, readings: Iterable[tuple[datetime, int | Decimal | None]], *, interval_seconds: int
    ) -> IntervalSeries:
        """Make a series from mean power over equal intervals. Power below 0 (a plant on standby) counts as 0.

        Args:
            readings: When each interval begins (aware) and its mean power, W, or None; ascending. Never a float.
            interval_seconds: Length of each interval.

        Raises:
            InvalidValueError: If a time has no zone or a power is out of range.
            MeterDataError: If there are none, or two overlap.
        """
        return cls._from_equal(readings, interval_seconds, Fraction(interval_seconds, SECONDS_PER_HOUR))

    @classmethod
    def from_energy(
        cls, readings: Iterable[tuple[datetime, int | Decimal | None]], *, interval_seconds: int
    ) -> IntervalSeries:
        """Make a series from the energy of equal intervals, Wh. Energy below 0 counts as 0.

        Args:
            readings: When each interval begins (aware) and its energy, Wh, or None; ascending. Never a float.
            interval_seconds: Length of each interval.

        Raises:
            InvalidValueError: If a time has no zone or an energy is out of range.
            MeterDataError: If there are none, or two overlap.
        """
        return cls._from_equal(readings, interval_seconds, Fraction(1))

    @classmethod
    def _from_equal(
        cls, readings: Iterable[tuple[datetime, int | Decimal | None]], interval_seconds: int, wh: Fraction
    ) -> IntervalSeries:
        check_number(interval_seconds, 1, SECONDS_PER_DAY, "interval_seconds")
        items = list(readings)
        for (earlier, _), (later, _) in pairwise(items):
            if later <= earlier:
                raise MeterDataError(f"the reading at {later} does not come after the one at {earlier}: sort them")
            if unix_seconds(later) - unix_seconds(earlier) < interval_seconds:
                raise MeterDataError(
                    f"the reading at {later} comes less than {interval_seconds} s after the one at {earlier}: they "
                    "overlap; check interval_seconds"
                )
        length = timedelta(seconds=interval_seconds)
        return cls.from_intervals(
            Interval(when, when + length, None if value is None else max(exact(value), Fraction(0)) * wh)
            for when, value in items
        )

    @classmethod
    def from_register(cls, readings: Iterable[tuple[datetime, int | Decimal]]) -> IntervalSeries:
        """Make a series from the readings of a register, a counter of energy that grows.

        Args:
            readings: When the register was read (aware) and what it showed, Wh; ascending. Never a float.

        Returns:
            One interval between each two readings; where the register shows less than before (a reset), its energy is
            not known.

        Raises:
            InvalidValueError: If a time has no zone or a reading is out of range.
            MeterDataError: If there are fewer than two, or two at the same time.
        """
        items = [(when, exact(value)) for when, value in readings]
        return cls.from_intervals(
            Interval(start, end, after - before if after >= before else None)
            for (start, before), (end, after) in pairwise(items)
        )

    def __len__(self) -> int:
        """Return how many intervals there are, known or not."""
        return len(self.starts_us)

    def __iter__(self) -> Iterator[Interval]:
        """Yield each interval, in ascending order."""
        for index, (start, end, energy) in enumerate(zip(self.starts_us, self.ends_us, self.energies, strict=True)):
            yield Interval(
                EPOCH + timedelta(microseconds=start),
                EPOCH + timedelta(microseconds=end),
                None if energy is None else Fraction(energy, self.denominator),
                Quality.ESTIMATED if index in self.estimated else Quality.MEASURED,
            )

    @property
    def start(self) -> datetime:
        """When the first interval begins, UTC."""
        return EPOCH + timedelta(microseconds=self.starts_us[0])

    @property
    def end(self) -> datetime:
        """When the last interval ends, UTC."""
        return EPOCH + timedelta(microseconds=self.ends_us[-1])

    @property
    def wh(self) -> Fraction:
        """The energy of all intervals whose energy is known, Wh."""
        return Fraction(sum(energy for energy in self.energies if energy is not None), self.denominator)

    @property
    def unknown_count(self) -> int:
        """How many intervals are there, but without their energy."""
        return self.energies.count(None)

    @property
    def first_local_midnight(self) -> int:
        """When the local day of the first interval begins, unix seconds."""
        local = self.starts_us[0] // MICROSECONDS + self.utc_offset_seconds
        return local - local % SECONDS_PER_DAY - self.utc_offset_seconds

    def check_years(self) -> None:
        """Pass if no interval is more than 10 years from the middle of the series.

        Raises:
            MeterDataError: If one is: a year is mistyped.
        """
        median = self.starts_us[len(self.starts_us) // 2]
        farthest = MAX_YEARS_FROM_MEDIAN * 366 * SECONDS_PER_DAY * MICROSECONDS
        for first_or_last in (self.starts_us[0], self.ends_us[-1]):
            if abs(first_or_last - median) > farthest:
                raise MeterDataError(
                    f"a reading is of {_text(first_or_last)[:10]}, but most are about {_text(median)[:10]}: a year "
                    "must be mistyped; correct it, or leave it out with `from` and `to`"
                )

    def starting_on_day(self, day: date) -> IntervalSeries:
        """Move the series in time so that its first local day becomes a UTC day; all of it by the same seconds.

        Args:
            day: The UTC day that replaces the first local day.

        Returns:
            The same readings, with an offset of 0.

        Raises:
            InvalidValueError: If the day is out of range.
        """
        shift = (unix_seconds(day_start(day)) - self.first_local_midnight) * MICROSECONDS
        return replace(
            self,
            starts_us=tuple(start + shift for start in self.starts_us),
            ends_us=tuple(end + shift for end in self.ends_us),
            utc_offset_seconds=0,
        )

    def without_first_days(self, count: int) -> IntervalSeries:
        """Leave out the first local days.

        Args:
            count: How many days of 24 h, from the midnight before the first interval.

        Raises:
            InvalidValueError: If nothing would be left.
        """
        check_number(count, 0, MAX_DAYS, "number of days to leave out")
        cut = bisect_left(self.starts_us, (self.first_local_midnight + count * SECONDS_PER_DAY) * MICROSECONDS)
        if cut == len(self.starts_us):
            raise InvalidValueError(f"nothing is left of the series without its first {count} days: leave out fewer")
        return self._slice(cut, len(self.starts_us))

    def between(self, start: datetime | None, end: datetime | None) -> IntervalSeries:
        """Return the intervals that lie wholly between two moments.

        Args:
            start: Aware; None for no limit.
            end: Aware; None for no limit.

        Raises:
            MeterDataError: If there is none.
        """
        return self.between_us(
            None if start is None else _microseconds(start), None if end is None else _microseconds(end)
        )

    def between_us(self, start_us: int | None, end_us: int | None) -> IntervalSeries:
        """Do as ``between``, with microseconds since 1970."""
        first = 0 if start_us is None else bisect_left(self.starts_us, start_us)
        last = len(self.starts_us) if end_us is None else bisect_right(self.ends_us, end_us)
        if first >= last:
            raise MeterDataError(
                f"no reading is in these days; the readings are from {_text(self.starts_us[0])} to "
                f"{_text(self.ends_us[-1])}: check `from` and `to`"
            )
        return self._slice(first, last)

    def _slice(self, first: int, last: int) -> IntervalSeries:
        return replace(
            self,
            starts_us=self.starts_us[first:last],
            ends_us=self.ends_us[first:last],
            energies=self.energies[first:last],
            estimated=frozenset(index - first for index in self.estimated if first <= index < last),
        )

    def scaled(self, *, from_capacity_w: int, to_capacity_w: int) -> IntervalSeries:
        """Scale the energy to what a plant of another capacity would have made; exact.

        Args:
            from_capacity_w: Capacity of the plant that was measured, W.
            to_capacity_w: Capacity of the other plant, W.

        Raises:
            InvalidValueError: If a capacity is out of range.
        """
        check_number(from_capacity_w, 1, MAX_CAPACITY_W, "from_capacity_w")
        check_number(to_capacity_w, 1, MAX_CAPACITY_W, "to_capacity_w")
        common = gcd(to_capacity_w, from_capacity_w * self.denominator)
        factor, divisor = to_capacity_w // common, from_capacity_w * self.denominator // common
        energies = tuple(None if energy is None else energy * factor for energy in self.energies)
        return replace(self, energies=energies, denominator=divisor)

    @whole
    def __repr__(self) -> str:
        """Say what the series spans, not all that is in it."""
        return f"<IntervalSeries of {len(self)} intervals from {_text(self.starts_us[0])} to {_text(self.ends_us[-1])}>"


def _microseconds(when: datetime) -> int:
    if when.utcoffset() is None:
        raise InvalidValueError(f"{when} has no time zone: give an aware datetime, e.g. with tzinfo=datetime.UTC")
    return (when - EPOCH) // timedelta(microseconds=1)


def _text(microseconds: int) -> str:
    try:
        return f"{EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{microseconds // MICROSECONDS} s after 1970"
