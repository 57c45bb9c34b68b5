"""Series of intervals: exactness, order, registers, sums, shifting, scaling."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import Interval, IntervalSeries, MeterDataError, Quality, sum_channels
from der_client.stacks.errors import InvalidValueError

DENVER = timezone(timedelta(hours=-7))
BEGIN = datetime(2016, 7, 1, tzinfo=DENVER)
QUARTER = timedelta(minutes=15)
DECIMALS = st.decimals(0, 10**9, allow_nan=False, places=5)
READINGS = st.lists(DECIMALS | st.integers(0, 10**12), min_size=1, max_size=20)


def series_of(watts: list[int | Decimal], begin: datetime = BEGIN) -> IntervalSeries:
    return IntervalSeries.from_power(
        ((begin + QUARTER * index, power) for index, power in enumerate(watts)), interval_seconds=900
    )


def energies(series: IntervalSeries) -> list[Fraction | None]:
    return [interval.wh for interval in series]


@given(READINGS)
def test_power_and_energy_are_kept_exactly(values: list[int | Decimal]) -> None:
    assert energies(series_of(values)) == [Fraction(value) / 4 for value in values]
    of_energy = IntervalSeries.from_energy(
        ((BEGIN + QUARTER * index, value) for index, value in enumerate(values)), interval_seconds=900
    )
    assert energies(of_energy) == [Fraction(value) for value in values]
    assert of_energy.wh == sum(Fraction(value) for value in values)


@given(READINGS, st.integers(1, 10**12), st.integers(1, 10**12))
def test_scaling_is_exact_and_can_be_undone(values: list[int | Decimal], measured: int, wanted: int) -> None:
    series = series_of(values)
    scaled = series.scaled(from_capacity_w=measured, to_capacity_w=wanted)
    assert energies(scaled) == [Fraction(value) / 4 * wanted / measured for value in values]
    assert energies(scaled.scaled(from_capacity_w=wanted, to_capacity_w=measured)) == energies(series)


def test_the_first_local_day_becomes_the_wanted_utc_day() -> None:
    series = series_of([1, 2, 3])
    assert series.utc_offset_seconds == -7 * 3600
    moved = series.starting_on_day(date(2024, 10, 4))
    assert [start // 10**6 for start in moved.starts_us] == [20000 * 86400 + 900 * index for index in range(3)]
    assert moved.energies == series.energies
    assert moved.starting_on_day(date(2024, 10, 4)) == moved


@given(st.integers(0, 86399), st.integers(-14 * 3600, 14 * 3600))
def test_a_series_that_begins_within_a_day_keeps_its_local_time(second: int, offset: int) -> None:
    begin = datetime(2016, 7, 1, tzinfo=timezone(timedelta(seconds=offset))) + timedelta(seconds=second)
    moved = series_of([1], begin).starting_on_day(date(1970, 1, 11))
    assert moved.starts_us == ((10 * 86400 + second) * 10**6,)
    assert moved.utc_offset_seconds == 0


def test_the_first_days_can_be_skipped() -> None:
    series = series_of(list(range(96 * 3)))
    assert series.without_first_days(0) == series
    assert energies(series.without_first_days(2))[0] == Fraction(96 * 2, 4)
    with pytest.raises(InvalidValueError, match="nothing is left"):
        series.without_first_days(3)


def test_the_energy_of_a_register_is_the_difference_of_its_readings() -> None:
    shown: list[int | Decimal] = [100, 103, 103, 2, Decimal("2.5")]
    series = IntervalSeries.from_register((BEGIN + QUARTER * index, value) for index, value in enumerate(shown))
    assert energies(series) == [3, 0, None, Fraction(1, 2)]
    assert series.unknown_count == 1


def test_channels_are_summed_where_all_of_them_are_known() -> None:
    first = series_of([4, 8, 12])
    second = IntervalSeries.from_intervals(
        [
            Interval(BEGIN, BEGIN + QUARTER, Fraction(1, 3)),
            Interval(BEGIN + QUARTER, BEGIN + 2 * QUARTER, None),
        ]
    )
    estimated = IntervalSeries.from_intervals([Interval(BEGIN, BEGIN + QUARTER, Fraction(1), Quality.ESTIMATED)])
    total = sum_channels([first, second])
    assert energies(total) == [Fraction(4, 3), None]
    assert "1 intervals are not in all of the channels" in total.notes[0]
    assert [interval.quality for interval in sum_channels([first, estimated])] == [Quality.ESTIMATED]
    half_an_hour_longer = IntervalSeries.from_power([(BEGIN, 4)], interval_seconds=1800)
    with pytest.raises(MeterDataError, match="the channels overlap, but have no interval in common"):
        sum_channels([first, half_an_hour_longer])


def test_channels_that_never_overlap_are_joined() -> None:
    day, night = series_of([4, 8]), series_of([12], BEGIN + timedelta(hours=8))
    total = sum_channels([night, day])
    assert energies(total) == [1, 2, 3]
    assert "never count at the same time" in total.notes[0]


def test_only_intervals_completely_inside_the_range_are_kept() -> None:
    series = series_of([4, 8, 12, 16])
    kept = series.between(BEGIN + timedelta(minutes=1), BEGIN + 3 * QUARTER)
    assert energies(kept) == [2, 3]
    assert series.between(None, None) == series
    with pytest.raises(MeterDataError, match="no reading is in these days"):
        series.between(BEGIN + timedelta(days=1), None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1.5, "floats are not exact"),
        (True, "of type bool"),
        (Decimal("NaN"), "finite"),
        (Decimal("1E+999999"), "check its unit"),
        (Decimal("1E-41"), "41 decimals"),
    ],
)
def test_invalid_readings_are_rejected(value: Decimal, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        series_of([value])


def test_invalid_sequences_of_intervals_are_rejected() -> None:
    with pytest.raises(MeterDataError, match="begins before the one before it ends"):
        IntervalSeries((0, 5), (10, 15), (1, 1))
    with pytest.raises(MeterDataError, match="must end later"):
        IntervalSeries((5,), (5,), (1,))
    with pytest.raises(MeterDataError, match="sort them"):
        IntervalSeries.from_power([(BEGIN, 1), (BEGIN, 1)], interval_seconds=900)
    with pytest.raises(MeterDataError, match="they overlap"):
        IntervalSeries.from_power([(BEGIN, 1), (BEGIN + timedelta(minutes=5), 1)], interval_seconds=900)
    with pytest.raises(MeterDataError, match="empty"):
        IntervalSeries.from_power([], interval_seconds=900)
    with pytest.raises(InvalidValueError, match="no time zone"):
        series_of([1], datetime(2016, 7, 1))  # noqa: DTZ001 - deliberately without a time zone


def test_repr_shows_the_time_range() -> None:
    assert repr(series_of([1, 2])) == (
        "<IntervalSeries of 2 intervals from 2016-07-01 07:00:00 UTC to 2016-07-01 07:30:00 UTC>"
    )
    assert series_of([1]).start == datetime(2016, 7, 1, 7, tzinfo=UTC)
