"""Joins intervals into quarter-hours, exactly: this is how a file of one-minute readings is kept.

No slot of an asset is shorter than a quarter-hour, and each begins with one, so this changes no slot's energy.
"""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.integers import greatest, least
from der_client.readings.intervals import IntervalSeries
from der_client.readings.slots import MICROSECONDS, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from fractions import Fraction

    import polars as pl

_QUARTER_US: Final = 900 * MICROSECONDS
_INT64_MAX: Final = 2**63 - 1
_INT128_MAX: Final = 2**127 - 1


class QuarterHours:
    """The intervals of one channel so far, joined where they touch within a quarter-hour."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._energies: list[int | None] = []
        self._estimated: set[int] = set()
        self._denominator = 1

    @property
    def days(self) -> int:
        """How many days the intervals span; 0 if there are none."""
        if not self._starts:
            return 0
        return 1 + (self._ends[-1] - self._starts[0]) // (24 * SECONDS_PER_HOUR * MICROSECONDS)

    def add_energies(
        self, starts: pl.Series, ends: pl.Series, numbers: pl.Series, estimated: pl.Series, factor: Fraction
    ) -> None:
        """Take the next intervals with their energy.

        Args:
            starts: When each begins, µs since 1970, ascending.
            ends: When each ends.
            numbers: The energy, as integers; null where it is unknown.
            estimated: Whether it is an estimate.
            factor: The factor that turns the numbers into Wh.
        """
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        known = numbers.is_not_null()
        are_all_known = bool(known.all())
        sums = (numbers if are_all_known else numbers.fill_null(pl.lit(0, dtype=numbers.dtype))).cum_sum()
        firsts = _on_the_clock(starts, ends) if are_all_known else None
        if firsts is None:
            firsts = _first_of_each(starts, ends, known)
        lasts = pl.concat([firsts[1:] - 1, pl.Series([len(starts) - 1], dtype=firsts.dtype)])
        totals = sums.gather(lasts)
        energies = (totals - totals.shift(1, fill_value=0)).to_list()
        if not are_all_known:
            are_known = known.gather(firsts).to_list()
            energies = [energy if is_known else None for energy, is_known in zip(energies, are_known, strict=True)]
        some_estimated: list[int] = []
        if estimated.any():
            running = estimated.cast(pl.Int64).cum_sum().gather(lasts)
            some_estimated = (running > running.shift(1).fill_null(0)).arg_true().to_list()
        self._append(starts.gather(firsts).to_list(), ends.gather(lasts).to_list(), energies, some_estimated, factor)

    def add_powers(
        self, starts: pl.Series, ends: pl.Series, numbers: pl.Series, estimated: pl.Series, factor: Fraction
    ) -> None:
        """Take the next intervals with their mean power.

        Args:
            starts: When each begins, µs since 1970, ascending.
            ends: When each ends.
            numbers: The energy, as integers; null where it is unknown.
            estimated: Whether it is an estimate.
            factor: The factor that turns the numbers into W.

        Raises:
            MeterDataError: If the numbers have too many digits for exact sums.
        """
        import polars as pl  # noqa: PLC0415

        lengths = ends - starts
        per = MICROSECONDS if (lengths % MICROSECONDS == 0).all() else 1
        shortest, longest = (least(lengths) or 0) // per, (greatest(lengths) or 0) // per
        most = (greatest(numbers) or 0) * longest * max(1, len(numbers))
        if most > _INT128_MAX:
            raise MeterDataError("the readings have more digits than a meter's: round them first")
        kind = pl.Int64 if most <= _INT64_MAX else pl.Int128
        factors = pl.Series([longest]) if shortest == longest else lengths // per
        per_hour = factor * per / MICROSECONDS / SECONDS_PER_HOUR
        self.add_energies(starts, ends, numbers.cast(kind) * factors.cast(kind), estimated, per_hour)

    def _append(
        self, starts: list[int], ends: list[int], energies: list[int | None], estimated: list[int], factor: Fraction
    ) -> None:
        denominator = lcm(self._denominator, factor.denominator)
        if denominator != self._denominator:
            more = denominator // self._denominator
            self._energies = [None if energy is None else energy * more for energy in self._energies]
            self._denominator = denominator
        scale = factor.numerator * (denominator // factor.denominator)
        if scale != 1:
            energies = [None if energy is None else energy * scale for energy in energies]
        if self._continues(starts[0], ends[0], energies[0]):
            energies[0] = (energies[0] or 0) + (self._energies.pop() or 0)
            starts[0] = self._starts.pop()
            self._ends.pop()
            if len(self._starts) in self._estimated and estimated[:1] != [0]:
                estimated = [0, *estimated]
        first = len(self._starts)
        self._estimated.update(first + index for index in estimated)
        self._starts += starts
        self._ends += ends
        self._energies += energies

    def _continues(self, start: int, end: int, energy: int | None) -> bool:
        """Return whether an interval is the next part of the quarter-hour of the last one."""
        return (
            bool(self._starts)
            and self._ends[-1] == start
            and self._starts[-1] // _QUARTER_US == (end - 1) // _QUARTER_US
            and None not in {self._energies[-1], energy}
        )

    def series(self, utc_offset_seconds: int, notes: tuple[str, ...]) -> IntervalSeries:
        """Return all intervals.

        Args:
            utc_offset_seconds: Offset of the local time at the beginning.
            notes: What users should know about how they were read.
        """
        return IntervalSeries(
            tuple(self._starts),
            tuple(self._ends),
            tuple(self._energies),
            self._denominator,
            frozenset(self._estimated),
            utc_offset_seconds,
            notes,
        )


def _on_the_clock(starts: pl.Series, ends: pl.Series) -> pl.Series | None:
    """Return the first interval of each quarter-hour if all are equal and without a gap, as from a logger; else None.

    The result is that of ``_first_of_each``, in a fraction of the time.
    """
    import polars as pl  # noqa: PLC0415

    count, start = len(starts), int(starts[0])
    step = int(ends[0]) - start
    are_equal = int(ends[-1]) - start == count * step and least(ends - starts) == step
    if not are_equal or _QUARTER_US % step or start % step:
        return None
    per_quarter = _QUARTER_US // step
    in_first = (_QUARTER_US - start % _QUARTER_US) // step
    later = pl.int_range(in_first, count, per_quarter, eager=True) if in_first < count else pl.Series(dtype=pl.Int64)
    return pl.concat([pl.Series([0], dtype=pl.Int64), later])


def _first_of_each(starts: pl.Series, ends: pl.Series, known: pl.Series) -> pl.Series:
    """Return the intervals that do not continue the quarter-hour of the one before."""
    cells = starts // _QUARTER_US
    is_within = cells == (ends - 1) // _QUARTER_US
    begins = (starts != ends.shift(1)) | (cells != cells.shift(1)) | ~is_within | ~is_within.shift(1)
    begins = begins | (known != known.shift(1))
    return begins.fill_null(True).arg_true()
