"""Series of measured power: what a meter or an inverter logged, at equal intervals, perhaps with gaps.

Power is kept as integers over one denominator, so that whatever is done to it later is exact.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import TYPE_CHECKING

from der_client.readings.bounds import require_integer
from der_client.readings.days import MAX_CAPACITY_W
from der_client.readings.slots import EPOCH, SECONDS_PER_DAY, day_start, unix_seconds
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

MAX_POWER_W = 10 * MAX_CAPACITY_W
"""Beyond ten times the largest capacity it is a unit that is wrong, not a plant that is large."""

MAX_DAYS = 1_000_000
"""More days than a series of this century can have."""

MAX_DECIMALS = 40
"""More decimals than any meter measures; a bound, so that no input makes the arithmetic slow."""


def require_power(watts: int | Decimal) -> int | Decimal:
    """Returns a power reading if a meter can have made it.

    Args:
        watts: Power, W; negative where the plant draws power. Never a float.

    Raises:
        InvalidValueError: If it is no ``int`` or finite ``Decimal``, exceeds ±10¹³ W, or has more than 40 decimals.
    """
    if isinstance(watts, Decimal):
        exponent = watts.as_tuple().exponent
        if not isinstance(exponent, int):
            raise InvalidValueError(
                f"power is {watts}: it must be a finite number of watts; leave a gap where it is unknown"
            )
        if exponent < -MAX_DECIMALS:
            raise InvalidValueError(f"power has {-exponent} decimals: at most {MAX_DECIMALS} are kept, round it first")
    elif isinstance(watts, bool) or not isinstance(watts, int):
        raise InvalidValueError(
            f"power is {watts!r}, of type {type(watts).__name__}: give an int or a Decimal, since floats are not exact"
        )
    # Compared before anything is computed with it: a Decimal may be 1E+999999.
    if not -MAX_POWER_W <= watts <= MAX_POWER_W:
        raise InvalidValueError(f"power is beyond {MAX_POWER_W} W: check its unit")
    return watts


@dataclass(frozen=True, slots=True)
class PowerSeries:
    """Mean power over equal intervals, in ascending order; an interval that is not there is a gap.

    Attributes:
        interval_seconds: Length of each interval.
        times: When each interval begins, unix seconds.
        power: Mean power in each interval, W times ``denominator``; negative where the plant drew power.
        denominator: What to divide ``power`` by to have watts.
        utc_offset_seconds: Offset of the local time at the beginning of the series, which says when a local day begins.
    """

    interval_seconds: int
    times: tuple[int, ...]
    power: tuple[int, ...]
    denominator: int = 1
    utc_offset_seconds: int = 0

    def __post_init__(self) -> None:
        """Refuses a series whose intervals overlap or are out of step."""
        require_integer("interval_seconds", self.interval_seconds, 1, SECONDS_PER_DAY)
        require_integer("utc_offset_seconds", self.utc_offset_seconds, -SECONDS_PER_DAY, SECONDS_PER_DAY)
        if self.denominator < 1:
            raise InvalidValueError(f"denominator is {self.denominator}: it must be at least 1")
        if not self.times:
            raise InvalidValueError("the series is empty: give at least one reading")
        if len(self.times) != len(self.power):
            raise InvalidValueError(f"{len(self.times)} times do not go with {len(self.power)} readings of power")
        for earlier, later in pairwise(self.times):
            if later <= earlier:
                raise InvalidValueError(
                    f"the reading at {later} (unix seconds) does not come after the one at {earlier}: "
                    "give each interval once, in ascending order"
                )
            if (later - earlier) % self.interval_seconds:
                raise InvalidValueError(
                    f"the reading at {later} (unix seconds) is out of step: it comes {later - earlier} s after the one "
                    f"before it, no multiple of the interval of {self.interval_seconds} s"
                )

    @classmethod
    def from_watts(
        cls,
        readings: Iterable[tuple[datetime, int | Decimal]],
        *,
        interval_seconds: int,
        utc_offset_seconds: int | None = None,
    ) -> PowerSeries:
        """Makes a series from readings in watts.

        Args:
            readings: When each interval begins (aware) and its mean power, W; ascending.
            interval_seconds: Length of each interval.
            utc_offset_seconds: Offset of the local time at the beginning; the first reading's own if not given.

        Raises:
            InvalidValueError: If there are none, a time has no zone, a power cannot be, or order or step is wrong.
        """
        items = [(when, require_power(watts)) for when, watts in readings]
        if utc_offset_seconds is None and items:
            offset = items[0][0].utcoffset()
            utc_offset_seconds = 0 if offset is None else offset.days * SECONDS_PER_DAY + offset.seconds
        ratios = [watts.as_integer_ratio() for _, watts in items]
        denominator = lcm(*(below for _, below in ratios))
        return cls(
            interval_seconds,
            tuple(unix_seconds(when) for when, _ in items),
            tuple(above * (denominator // below) for above, below in ratios),
            denominator,
            utc_offset_seconds or 0,
        )

    @property
    def gap_count(self) -> int:
        """How many intervals between the first and the last reading are missing."""
        return (self.times[-1] - self.times[0]) // self.interval_seconds + 1 - len(self.times)

    @property
    def first_local_midnight(self) -> int:
        """When the local day of the first reading begins, unix seconds."""
        local = self.times[0] + self.utc_offset_seconds
        return local - local % SECONDS_PER_DAY - self.utc_offset_seconds

    def peak_w(self) -> Fraction:
        """Returns the largest mean power of the series, W, exactly."""
        return Fraction(max(self.power), self.denominator)

    def starting_on_day(self, day: date) -> PowerSeries:
        """Moves the series in time so that its first local day becomes a UTC day; all of it by the same seconds.

        Args:
            day: The UTC day that the first local day shall be.

        Returns:
            The same readings, with an offset of 0.

        Raises:
            InvalidValueError: If the day is out of range.
        """
        shift = unix_seconds(day_start(day)) - self.first_local_midnight
        return replace(self, times=tuple(time + shift for time in self.times), utc_offset_seconds=0)

    def without_first_days(self, count: int) -> PowerSeries:
        """Leaves out the first local days.

        Args:
            count: How many days of 24 h, from the midnight before the first reading.

        Raises:
            InvalidValueError: If nothing would be left.
        """
        require_integer("number of days to leave out", count, 0, MAX_DAYS)
        cut = bisect_left(self.times, self.first_local_midnight + count * SECONDS_PER_DAY)
        if cut == len(self.times):
            raise InvalidValueError(f"nothing is left of the series without its first {count} days: leave out fewer")
        return replace(self, times=self.times[cut:], power=self.power[cut:])

    def scaled(self, *, from_capacity_w: int, to_capacity_w: int) -> PowerSeries:
        """Scales the power to what a plant of another capacity would have made; exact.

        Args:
            from_capacity_w: Capacity of the plant that was measured, W.
            to_capacity_w: Capacity of the other plant, W.

        Raises:
            InvalidValueError: If a capacity is out of range.
        """
        require_integer("from_capacity_w", from_capacity_w, 1, MAX_CAPACITY_W)
        require_integer("to_capacity_w", to_capacity_w, 1, MAX_CAPACITY_W)
        common = gcd(to_capacity_w, from_capacity_w * self.denominator)
        factor, divisor = to_capacity_w // common, from_capacity_w * self.denominator // common
        return replace(self, power=tuple(power * factor for power in self.power), denominator=divisor)

    def __repr__(self) -> str:
        """Says what the series spans, not all that is in it."""
        first = (EPOCH + timedelta(seconds=self.times[0])).isoformat()
        return f"<PowerSeries of {len(self.times)} readings every {self.interval_seconds} s from {first}>"
