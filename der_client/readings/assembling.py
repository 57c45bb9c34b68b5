"""Rows of readings, in order, as intervals: how long each lasts, and what is not certain about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import MAX_POWER_W, MAX_YEARS_FROM_MEDIAN, MICROSECONDS, IntervalSeries
from der_client.readings.quantities import SECONDS_PER_HOUR, Unit
from der_client.readings.slots import SECONDS_PER_DAY, day_number

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from der_client.readings.table import TableFormat

CELL_US: Final = 900 * MICROSECONDS
"""A quarter-hour: no slot of an asset is shorter, and each begins with one."""
_INT128_MAX: Final = 2**127 - 1
_FEWEST_RISES: Final = 4
_RISES_PER_FALL: Final = 6
"""Energies of intervals fall about as often as they rise; a counter that begins anew each day falls once a day."""
_NEGATIVE_SHARE: Final = Fraction(1, 50)
"""How much of the energy may be negative for it to be what a plant draws that stands by."""


@dataclass(slots=True)
class Rows:
    """Readings of one channel.

    Attributes:
        frame: ``record`` (number of the row in its file), ``time`` (µs since 1970, UTC), ``end`` (the same, or null
            where nothing says it), ``number`` (Int128, or null where it is not known), ``estimated``, ``breaks``
            (whether rows before it were left out).
        decimals: What ``number`` is to be divided by is 10 to the power of this.
    """

    frame: pl.DataFrame
    decimals: int


@dataclass(slots=True)
class _Joined:
    """Intervals that are done."""

    starts: list[int]
    ends: list[int]
    energies: list[int | None]
    estimated: list[bool]
    denominator: int


@dataclass(slots=True)
class Assembler:
    """Makes intervals of the rows of one channel, piece by piece; what it keeps of a piece is its last row.

    Attributes:
        form: How the table says it.
        unit: Of the numbers.
        line: Gives the line of a row by its number in the file.
        channels: Names what could tell several meters apart, for the error of a repeated time.
    """

    form: TableFormat
    unit: Unit
    line: Callable[[int], int | None]
    channels: Callable[[], str]
    offset_seconds: int = 0
    _done: list[_Joined] = field(default_factory=list)
    _carry: Rows | None = None
    _step_us: int | None = None
    _last_step_us: int | None = None
    _shortest_us: int | None = None
    _rows: int = 0
    _known: int = 0
    _last: Fraction | None = None
    _rises: int = 0
    _falls: int = 0
    _positive: Fraction = Fraction(0)
    _negative: Fraction = Fraction(0)
    _negatives: int = 0
    _resets: int = 0
    _repeats: int = 0

    @property
    def kind(self) -> str:
        """What the numbers are."""
        return self.form.kind or ("energy" if self.unit.is_energy else "power")

    def feed(self, rows: Rows, *, is_last: bool = False) -> None:
        """Take the next rows.

        Raises:
            MeterDataError: If something about them is not certain.
        """
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        frame = self._within_range(rows.frame)
        decimals = rows.decimals
        if self.form.order == "any":
            frame = frame.sort("time", maintain_order=True)
        if self._carry is not None:
            carried = self._carry
            decimals = max(decimals, carried.decimals)
            frame = pl.concat([_rescaled(carried, decimals), _rescaled(Rows(frame, rows.decimals), decimals)])
            self._carry = None
        frame = self._without_repeats(frame)
        if frame.height and self._step_us is None:
            self._find_step(frame)
        if not is_last and frame.height:
            cut = frame.height - 1
            self._carry = Rows(frame.slice(cut), decimals)
        if frame.height:
            self._check_years(frame)
            self._take(frame, decimals, is_last=is_last)

    def _within_range(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415

        low, high = range_us(self.form)
        if low is not None:
            frame = frame.filter(pl.col("time") >= low)
        if high is not None:
            frame = frame.filter(pl.col("time") <= high)
        return frame

    def _check_years(self, frame: pl.DataFrame) -> None:
        times = frame["time"]
        first = times.arg_min()
        if first is not None and int(times[first]) < 0:
            raise self._refuse(frame, first, "this is before 1970: a year must be mistyped; check `time_format`, too")
        median = int(times.sort()[times.len() // 2])
        limit = MAX_YEARS_FROM_MEDIAN * 366 * SECONDS_PER_DAY * MICROSECONDS
        for index in (times.arg_min(), times.arg_max()):
            if index is not None and abs(int(times[index]) - median) > limit:
                raise self._refuse(
                    frame,
                    index,
                    "this is more than 10 years from most readings: a year must be mistyped; correct it, "
                    "or leave it out with `from` and `to`",
                )

    def _refuse(self, frame: pl.DataFrame, index: int, problem: str) -> MeterDataError:
        return MeterDataError(problem, line=self.line(int(frame["record"][index])))

    # Order and repeats

    def _without_repeats(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415

        steps = frame["time"].diff()
        shortest = steps.min()
        if shortest is None or shortest > 0:
            return frame
        if shortest < 0:
            index = (steps < 0).arg_true()[0]
            if _falls_throughout(steps):
                raise self._refuse(frame, index, 'the times go back: give `order="descending"`')
            before = self.line(int(frame["record"][index - 1]))
            raise self._refuse(
                frame,
                index,
                f"the time goes back behind that of line {before}: "
                + (self.channels() or 'sort the rows by time, or give `order="any"`'),
            )
        repeats = frame["time"].diff() == 0
        is_equal = repeats & (frame["number"].diff().fill_null(1) == 0) & (frame["end"].diff().fill_null(0) == 0)
        wrong = repeats & ~(
            is_equal.fill_null(False)
            if self.form.duplicates == "equal-once"
            else pl.repeat(False, len(repeats), eager=True)
        )
        if wrong.any():
            index = wrong.arg_true()[0]
            before = self.line(int(frame["record"][index - 1]))
            is_same = bool(is_equal[index])
            raise self._refuse(
                frame,
                index,
                f"the time repeats that of line {before}, with {'the same' if is_same else 'another'} reading: "
                + (
                    self.channels()
                    or (
                        'if equal rows may repeat, give `duplicates="equal-once"`'
                        if is_same
                        else "correct it; each time counts once"
                    )
                ),
            )
        self._repeats += int(repeats.sum())
        return frame.filter(~repeats.fill_null(False))

    # How long a row lasts

    def _find_step(self, frame: pl.DataFrame) -> None:
        if self.form.interval_seconds is not None and not self._has_own_length(frame):
            self._step_us = self.form.interval_seconds * MICROSECONDS
        elif self._has_own_length(frame):
            self._step_us = 0
        elif frame.height > 1:
            steps = frame["time"].diff().filter(~frame["breaks"]).drop_nulls()
            self._step_us = int(steps[0]) if len(steps) else None

    def _has_own_length(self, frame: pl.DataFrame) -> bool:
        return self.kind == "register" or self.form.until_next or not frame["end"].null_count()

    def _take(self, frame: pl.DataFrame, decimals: int, *, is_last: bool) -> None:
        """Make intervals of rows; the last row waits for the next piece unless there is none."""
        import polars as pl  # noqa: PLC0415

        times = frame["time"]
        if not frame["end"].null_count():
            starts, ends, numbers = times, frame["end"], frame["number"]
            rows = frame
            if not is_last:
                rows, starts, ends, numbers = rows[:-1], starts[:-1], ends[:-1], numbers[:-1]
            self._check_overlap(frame)
        elif self.kind == "register":
            rows, starts, ends, numbers = self._register(frame, decimals)
        elif self.form.until_next:
            starts, ends = times[:-1], times[1:]
            rows = frame[1:] if self.form.stamped == "end" else frame[:-1]
            numbers = rows["number"]
            if frame.height > 1:
                self._last_step_us = int(times[-1]) - int(times[-2])
            if is_last and self._last_step_us and (self.form.stamped, self.form.last_row) == ("start", "as-before"):
                starts, rows, numbers = times, frame, frame["number"]
                ends = pl.concat([ends, pl.Series([int(times[-1]) + self._last_step_us], dtype=pl.Int64)])
        else:
            step = self._constant(frame, is_last=is_last)
            if step is None:
                return
            rows = frame if is_last else frame[:-1]
            starts = rows["time"] - (step if self.form.stamped == "end" else 0)
            ends = starts + step
            numbers = rows["number"]
        if len(starts):
            self._count(rows, numbers, decimals)
            self._join(rows, starts, ends, numbers, decimals)

    def _check_overlap(self, frame: pl.DataFrame) -> None:
        late = frame["end"][:-1] > frame["time"][1:]
        if late.any():
            index = late.arg_true()[0] + 1
            raise self._refuse(
                frame, index, "the interval begins before the one of the row before ends: check `end_time`"
            )
        empty = frame["end"] <= frame["time"]
        if empty.any():
            raise self._refuse(frame, empty.arg_true()[0], "the interval ends before it begins: check `end_time`")

    def _constant(self, frame: pl.DataFrame, *, is_last: bool) -> int | None:
        """The step of rows that are equally spaced. Each deviation is an error unless an interval is given."""
        step = self._step_us
        if step is None:
            if not is_last:
                return None
            raise MeterDataError("how long an interval is cannot be seen from one row: give `interval_seconds`")
        steps = frame["time"].diff()
        checked = steps.filter(~frame["breaks"] & steps.is_not_null())
        if self.form.interval_seconds is None:
            if checked.len() and (checked.min() != step or checked.max() != step):
                wrong = ((steps != step) & ~frame["breaks"]).fill_null(False)
                self._refuse_step(frame, wrong.arg_true()[0], step)
            return step
        shortest = checked.min()
        if shortest is not None:
            self._shortest_us = min(self._shortest_us or int(shortest), int(shortest))
            off = (steps % step != 0).fill_null(False)
            if shortest < step or off.any():
                index = ((steps < step) | off).fill_null(False).arg_true()[0]
                raise self._refuse(
                    frame,
                    index,
                    f"the row comes {_seconds(int(steps[index]))} after the one before, not a multiple of the interval "
                    f"of {_seconds(step)}: check `interval_seconds`",
                )
        return step

    def _refuse_step(self, frame: pl.DataFrame, index: int, step: int) -> None:
        found = int(frame["time"][index]) - int(frame["time"][index - 1])
        before = self.line(int(frame["record"][index - 1]))
        is_null = frame["number"][index] is None or frame["number"][index - 1] is None
        skip = ' If rows without a reading do not count, give `nulls="skip"`.' if is_null else ""
        shorter, longer = sorted((step, found))
        absent = (
            f"; if all intervals are equal and rows are absent, give `interval_seconds={shorter // MICROSECONDS}`"
            if longer % shorter == 0
            else ""
        )
        raise self._refuse(
            frame,
            index,
            f"the step between rows changes: this row comes {_seconds(found)} after line {before}, those before "
            f"{_seconds(step)} apart. If each row lasts until the next, give `until_next=True`{absent}.{skip}",
        )

    def _register(self, frame: pl.DataFrame, decimals: int) -> tuple[pl.DataFrame, pl.Series, pl.Series, pl.Series]:
        import polars as pl  # noqa: PLC0415

        shown = frame["number"]
        gone = shown[1:] - shown[:-1]
        reset = (gone < 0).fill_null(False)
        self._resets += int(reset.sum())
        if reset.any():
            if self.form.register_size is not None:
                size = Fraction(self.form.register_size) * 10**decimals
                if size.denominator != 1:
                    raise MeterDataError(
                        f"`register_size` {self.form.register_size} has more decimals than the register"
                    )
                over = gone + pl.Series([int(size)], dtype=pl.Int128)
                rolled = pl.select(pl.when(reset).then(over).otherwise(gone)).to_series()
                gone = pl.select(pl.when(rolled < 0).then(None).otherwise(rolled)).to_series()
            elif self.form.register_reset == "zero":
                gone = pl.select(pl.when(reset).then(shown[1:]).otherwise(gone)).to_series()
            else:
                gone = pl.select(pl.when(reset).then(None).otherwise(gone)).to_series()
        return frame[1:], frame["time"][:-1], frame["time"][1:], gone

    # What is counted for the checks at the end

    def _count(self, rows: pl.DataFrame, numbers: pl.Series, decimals: int) -> None:
        self._rows += len(numbers)
        self._known += len(numbers) - numbers.null_count()
        if self.kind == "register":
            return
        if self.kind == "energy":
            shown = rows["number"].drop_nulls()
            steps = shown.diff()
            self._rises += int((steps > 0).sum())
            self._falls += int((steps < 0).sum())
            if len(shown):
                first = Fraction(int(shown[0]), 10**decimals)
                if self._last is not None:
                    self._rises += first > self._last
                    self._falls += first < self._last
                self._last = Fraction(int(shown[-1]), 10**decimals)
        least = numbers.min()
        if least is not None and least < 0:
            negative = numbers < 0
            self._negatives += int(negative.sum())
            self._negative += Fraction(-int(numbers.filter(negative).sum()), 10**decimals)
        most = numbers.max()
        if most is not None and most > 0:
            self._positive += Fraction(int(numbers.filter(numbers > 0).sum()), 10**decimals)

    # Joining what a quarter-hour is made of

    def _join(self, rows: pl.DataFrame, starts: pl.Series, ends: pl.Series, numbers: pl.Series, decimals: int) -> None:
        import polars as pl  # noqa: PLC0415

        if self.kind != "register":
            if self.form.sign == "negative":
                numbers = numbers * pl.Series([-1], dtype=pl.Int128)
            least = numbers.min()
            if least is not None and least < 0:
                zero = pl.lit(0, dtype=pl.Int128)
                numbers = pl.select(pl.when(numbers < 0).then(zero).otherwise(numbers)).to_series()
        factor = self.unit.factor / 10**decimals
        lengths = ends - starts
        if self.kind == "power":
            longest = int(lengths.max())
            per = MICROSECONDS if (lengths % MICROSECONDS == 0).all() else 1
            factor = factor * per / MICROSECONDS / SECONDS_PER_HOUR
            if int(numbers.max() or 0) * (longest // per) * max(1, len(numbers)) > _INT128_MAX:
                raise MeterDataError("the readings have too many digits for a meter's: round them first")
            self._check_size(rows, numbers, self.unit.factor / 10**decimals)
            if lengths.min() == longest:
                numbers = numbers * pl.Series([longest // per], dtype=pl.Int128)
            else:
                numbers = numbers * (lengths // per).cast(pl.Int128)
        else:
            self._check_size(rows, numbers, factor)
        known = numbers.is_not_null()
        sums = numbers.fill_null(pl.lit(0, dtype=pl.Int128)).cum_sum() if not known.all() else numbers.cum_sum()
        cells = starts // CELL_US
        is_within = cells == (ends - 1) // CELL_US
        begins = (starts != ends.shift(1)) | (cells != cells.shift(1)) | ~is_within | ~is_within.shift(1)
        if not known.all():
            begins = begins | (known != known.shift(1))
        firsts = begins.fill_null(True).arg_true()
        lasts = pl.concat([firsts[1:] - 1, pl.Series([len(starts) - 1], dtype=firsts.dtype)])
        totals = sums.gather(lasts)
        energies = totals - pl.concat([pl.Series([0], dtype=pl.Int128), totals[:-1]])
        are_known = known.gather(firsts)
        estimates = rows["estimated"]
        if estimates.any():
            running = estimates.cast(pl.Int64).cum_sum().gather(lasts)
            estimated = ((running - running.shift(1).fill_null(0)) > 0).to_list()
        else:
            estimated = []
        values = energies.to_list()
        if not are_known.all():
            values = [value if is_known else None for value, is_known in zip(values, are_known.to_list(), strict=True)]
        if factor.numerator != 1:
            values = [None if value is None else value * factor.numerator for value in values]
        self._done.append(
            _Joined(
                starts.gather(firsts).to_list(), ends.gather(lasts).to_list(), values, estimated, factor.denominator
            )
        )

    def _check_size(self, rows: pl.DataFrame, numbers: pl.Series, factor: Fraction) -> None:
        most = numbers.max()
        if most is not None and int(most) * factor > MAX_POWER_W:
            raise self._refuse(
                rows, numbers.arg_max() or 0, f"the reading is beyond {MAX_POWER_W} W or Wh: check `unit`"
            )

    # The end

    def finish(self) -> IntervalSeries:
        """Return the series.

        Raises:
            MeterDataError: If there is no reading, or they cannot be what they are said to be.
        """
        if self._carry is not None:
            carried, self._carry = self._carry, None
            self.feed(carried, is_last=True)
        if not self._rows:
            if self.kind == "register" or self.form.until_next:
                raise MeterDataError("there are fewer than two readings, so nothing says how long one lasts")
            raise MeterDataError("there is no reading in the data: check the file and the columns")
        self._check_kind()
        self._check_sign()
        if self._shortest_us is not None and self._shortest_us != self._step_us:
            raise MeterDataError(
                f"no two rows are {_seconds(self._step_us or 0)} apart, as `interval_seconds` says; the shortest step "
                f"is {_seconds(self._shortest_us)}: give `interval_seconds={self._shortest_us // MICROSECONDS}`"
            )
        self._join_pieces()
        denominator = lcm(*(done.denominator for done in self._done))
        starts = [start for done in self._done for start in done.starts]
        ends = [end for done in self._done for end in done.ends]
        energies: list[int | None] = []
        estimated: set[int] = set()
        for done in self._done:
            if done.estimated:
                first = len(energies)
                estimated.update(first + index for index, is_estimate in enumerate(done.estimated) if is_estimate)
            scale = denominator // done.denominator
            energies += (
                done.energies if scale == 1 else [None if each is None else each * scale for each in done.energies]
            )
        series = IntervalSeries(
            tuple(starts),
            tuple(ends),
            tuple(energies),
            denominator,
            frozenset(estimated),
            self.offset_seconds,
            self._notes(),
        )
        series.check_years()
        low, high = range_us(self.form)
        return series if low is None and high is None else series.between_us(low, high)

    def _join_pieces(self) -> None:
        """Join the parts of a quarter-hour that came in two pieces of a file."""
        for before, after in pairwise(self._done):
            if not before.starts:
                continue
            energies = before.energies[-1], after.energies[0]
            is_one = (
                before.ends[-1] == after.starts[0] and (after.ends[0] - 1) // CELL_US == before.starts[-1] // CELL_US
            )
            if not is_one or None in energies:
                continue
            common = lcm(before.denominator, after.denominator)
            for part in (before, after):
                scale, part.denominator = common // part.denominator, common
                if scale != 1:
                    part.energies[:] = [None if each is None else each * scale for each in part.energies]
            after.energies[0] = (before.energies.pop() or 0) + (after.energies[0] or 0)
            after.starts[0] = before.starts.pop()
            before.ends.pop()
            if before.estimated or after.estimated:
                before.estimated = before.estimated or [False] * (len(before.starts) + 1)
                after.estimated = after.estimated or [False] * len(after.starts)
                after.estimated[0] = before.estimated.pop() or after.estimated[0]
        self._done = [done for done in self._done if done.starts]

    def _check_kind(self) -> None:
        if self.kind != "energy" or self.form.allow_rising:
            return
        days = 1 + (self._done[-1].ends[-1] - self._done[0].starts[0]) // (SECONDS_PER_DAY * MICROSECONDS)
        is_seldom = self._falls <= days and self._falls * _RISES_PER_FALL <= self._rises
        if self._rises >= _FEWEST_RISES and is_seldom:
            raise MeterDataError(
                f"the readings only grow ({self._rises} times, and fall {self._falls} times): this looks like a "
                'register, a counter of all energy; give `kind="register"`, or `allow_rising=True` if they are '
                "energies of intervals all the same"
            )

    def _check_sign(self) -> None:
        if self.kind == "register" or self.form.sign is not None or not self._negatives:
            return
        if self._negative > self._positive * _NEGATIVE_SHARE and self._negative:
            part = "all" if not self._positive else "part"
            raise MeterDataError(
                f"{part} of the readings ({self._negatives}) are negative: if production is negative here, give "
                '`sign="negative"`; if it is positive, and negative is what was drawn, `sign="positive"`'
            )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self._resets and self.form.register_size is None and self.form.register_reset == "unknown":
            notes.append(
                f"the register showed less than before {self._resets} times: the energy of these intervals is not known"
            )
        if self._negatives and self.form.sign is None:
            notes.append(f"{self._negatives} readings are below 0 and count as 0")
        if self._repeats:
            notes.append(f"{self._repeats} rows repeated the row before and count once")
        if self._known < self._rows and self.kind != "register":
            notes.append(f"{self._rows - self._known} rows have no reading")
        return tuple(notes)


def range_us(form: TableFormat) -> tuple[int | None, int | None]:
    """Return the beginning and the end of what counts, µs since 1970; None for no limit."""
    day_us = SECONDS_PER_DAY * MICROSECONDS
    low = None if form.from_ is None else day_number(form.from_) * day_us
    high = None if form.to is None else (day_number(form.to) + 1) * day_us
    return low, high


def _rescaled(rows: Rows, decimals: int) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415

    if rows.decimals == decimals:
        return rows.frame
    factor = pl.lit(10 ** (decimals - rows.decimals), dtype=pl.Int128)
    return rows.frame.with_columns(number=pl.col("number") * factor)


def _falls_throughout(steps: pl.Series) -> bool:
    return int((steps < 0).sum()) * 2 > len(steps)


def _seconds(microseconds: int) -> str:
    seconds = microseconds / MICROSECONDS
    return f"{seconds:g} s"
