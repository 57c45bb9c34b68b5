"""From intervals to days: exactness, rounding, gaps, negative power, estimates."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import Interval, IntervalSeries, MeterDataError, MeteredDay, Quality, metered_days
from der_client.stacks.errors import InvalidValueError

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAY = date(2025, 1, 1)
DAY_NUMBER = 20089


def series_of(watts: dict[int, int | Decimal], interval_seconds: int) -> IntervalSeries:
    """Return a series from the power of intervals, which are numbered from the beginning of ``DAY``."""
    return IntervalSeries.from_power(
        ((BEGIN + timedelta(seconds=index * interval_seconds), power) for index, power in watts.items()),
        interval_seconds=interval_seconds,
    )


def one_day(watts: dict[int, int | Decimal], interval_seconds: int, slot_seconds: int) -> MeteredDay:
    (day,) = metered_days(series_of(watts, interval_seconds), slot_seconds=slot_seconds)
    return day


@st.composite
def days_with_gaps(draw: st.DrawFn) -> tuple[dict[int, int | Decimal], int, int]:
    slot_seconds = draw(st.sampled_from((900, 1800, 3600)))
    interval_seconds = draw(st.sampled_from([step for step in (300, 450, 900, 1800, 3600) if slot_seconds % step == 0]))
    intervals = draw(st.sets(st.integers(0, 86400 // interval_seconds - 1), min_size=1))
    power = st.integers(-10, 10**7) | st.decimals(-10, 10**7, allow_nan=False, places=4)
    return {index: draw(power) for index in sorted(intervals)}, interval_seconds, slot_seconds


@given(days_with_gaps())
def test_a_slot_with_all_its_intervals_is_known_and_no_energy_is_lost(
    case: tuple[dict[int, int | Decimal], int, int],
) -> None:
    watts, interval_seconds, slot_seconds = case
    day = one_day(watts, interval_seconds, slot_seconds)
    per_slot = slot_seconds // interval_seconds
    exact_so_far, counted_so_far = Fraction(0), 0
    for slot, wh in enumerate(day.wh_by_slot):
        needed = range(slot * per_slot, (slot + 1) * per_slot)
        assert (wh is not None) == all(index in watts for index in needed)
        if wh is None:
            continue
        exact = (
            sum((max(Fraction(watts[index]), Fraction(0)) for index in needed), Fraction(0)) * interval_seconds / 3600
        )
        assert abs(wh - exact) < 1
        exact_so_far, counted_so_far = exact_so_far + exact, counted_so_far + wh
        assert counted_so_far == floor(exact_so_far)
    assert day.wh == floor(exact_so_far)
    assert day.day == DAY


def test_rounding_in_known_cases() -> None:
    # In a quarter of an hour, 10 W are 2.5 Wh, and 1 W is 0.25 Wh.
    assert one_day(dict.fromkeys(range(96), 10), 900, 900).wh_by_slot == (2, 3) * 48
    assert one_day(dict.fromkeys(range(96), 1), 900, 900).wh_by_slot == (0, 0, 0, 1) * 24


def test_the_carry_is_kept_over_a_gap_but_not_over_midnight() -> None:
    watts: dict[int, int | Decimal] = {0: 2, 5: 2, 94: 2, 95: 2, 96: 2, 97: 2}
    first, second = metered_days(series_of(watts, 900), slot_seconds=900)
    assert [wh for wh in first.wh_by_slot if wh is not None] == [0, 1, 0, 1]
    assert [wh for wh in second.wh_by_slot if wh is not None] == [0, 1]
    alone = one_day({0: 2}, 900, 900)
    assert alone.wh == 0
    (lone_start, next_day) = metered_days(series_of({95: 2, 96: 2}, 900), slot_seconds=900)
    assert (lone_start.wh, next_day.wh) == (0, 0)


def test_standby_counts_as_zero_interval_by_interval() -> None:
    # In one of three 5-minute intervals the plant consumes; this must not reduce the production of the others.
    assert one_day({0: -600, 1: 600, 2: 600}, 300, 900).wh_by_slot[0] == 100
    assert one_day({0: Decimal("-2.8601")}, 900, 900).wh_by_slot[0] == 0


def test_a_gap_is_missing_and_not_zero() -> None:
    day = one_day({0: 400, 1: 400, 3: 400}, 900, 900)
    assert day.wh_by_slot[:5] == (100, 100, None, 100, None)
    half = one_day({0: 400, 1: 400, 3: 400}, 900, 1800)
    assert half.wh_by_slot[:3] == (200, None, None)


def test_days_without_readings_between_others_are_yielded_as_unknown() -> None:
    days = list(metered_days(series_of({0: 4, 3 * 96: 4}, 900), slot_seconds=900))
    assert [(day.day, day.mask) for day in days] == [
        (date(2025, 1, 1), 1),
        (date(2025, 1, 2), 0),
        (date(2025, 1, 3), 0),
        (date(2025, 1, 4), 1),
    ]
    assert days[1].runs() == ()


def test_intervals_longer_than_a_slot_or_across_two_leave_slots_unknown() -> None:
    assert one_day({0: 1000, 1: 1000}, 3600, 900).mask == 0
    assert one_day({0: 1000, 1: 1000}, 3600, 3600).wh_by_slot[:3] == (1000, 1000, None)
    shifted = IntervalSeries.from_power(
        ((BEGIN + timedelta(minutes=7, seconds=minutes * 60), 400) for minutes in range(0, 60, 15)),
        interval_seconds=900,
    )
    (day,) = metered_days(shifted, slot_seconds=900)
    assert day.mask == 0
    ten = one_day(dict.fromkeys(range(9), 600), 600, 900)
    assert ten.mask == 0, "every second ten-minute interval lies across two slots"
    assert one_day(dict.fromkeys(range(9), 600), 600, 1800).wh_by_slot[:4] == (300, 300, 300, None)


def test_invalid_days_and_slot_lengths_are_rejected() -> None:
    with pytest.raises(MeterDataError, match="before 1970"):
        list(metered_days(IntervalSeries((-900_000_000,), (0,), (1,)), slot_seconds=900))
    with pytest.raises(InvalidValueError, match="900, 1800 or 3600"):
        list(metered_days(IntervalSeries((0,), (900_000_000,), (1,)), slot_seconds=600))


def test_a_mistyped_year_is_an_error_and_not_300_000_days() -> None:
    series = IntervalSeries.from_intervals(
        [Interval(day, day + timedelta(minutes=15), Fraction(1)) for day in (BEGIN, BEGIN.replace(year=2925))]
    )
    with pytest.raises(MeterDataError, match="a year must be mistyped"):
        list(metered_days(series, slot_seconds=900))


def test_estimates_count_only_on_request_and_are_marked() -> None:
    length = timedelta(minutes=5)
    qualities = [Quality.MEASURED] * 3 + [Quality.MEASURED, Quality.ESTIMATED, Quality.MEASURED]
    series = IntervalSeries.from_intervals(
        Interval(BEGIN + number * length, BEGIN + (number + 1) * length, Fraction(10), quality)
        for number, quality in enumerate(qualities)
    )
    (without,) = metered_days(series, slot_seconds=900)
    assert (without.mask, without.estimated_mask) == (0b1, 0)
    (with_them,) = metered_days(series, slot_seconds=900, estimates=True)
    assert (with_them.mask, with_them.estimated_mask, with_them.only(0b1).estimated_mask) == (0b11, 0b10, 0)


@given(st.lists(st.integers(0, 10**6), min_size=96, max_size=96), st.sampled_from((1800, 3600)))
def test_longer_slots_sum_up_to_the_same_day(watts: list[int], slot_seconds: int) -> None:
    by_index: dict[int, int | Decimal] = dict(enumerate(watts))
    quarters = one_day(by_index, 900, 900)
    longer = one_day(by_index, 900, slot_seconds)
    per_slot = slot_seconds // 900
    assert longer.wh == quarters.wh
    assert list(longer.wh_by_slot) == [
        sum(wh or 0 for wh in quarters.wh_by_slot[first : first + per_slot]) for first in range(0, 96, per_slot)
    ]
