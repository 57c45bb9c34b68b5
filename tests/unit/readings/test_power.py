"""Series of power: exactness, order, shifting, scaling."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import PowerSeries
from der_client.stacks.errors import InvalidValueError

DENVER = timezone(timedelta(hours=-7))
DECIMALS = st.decimals(-(10**9), 10**9, allow_nan=False, places=5)


def series_of(watts: list[int | Decimal], begin: datetime = datetime(2016, 7, 1, tzinfo=DENVER)) -> PowerSeries:
    return PowerSeries.from_watts(
        ((begin + timedelta(minutes=15) * index, power) for index, power in enumerate(watts)), interval_seconds=900
    )


def exact(series: PowerSeries) -> list[Fraction]:
    return [Fraction(power, series.denominator) for power in series.power]


@given(st.lists(DECIMALS | st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_watts_are_kept_exactly(watts: list[int | Decimal]) -> None:
    series = series_of(watts)
    assert exact(series) == [Fraction(power) for power in watts]
    assert series.peak_w() == max(Fraction(power) for power in watts)


@given(st.lists(DECIMALS, min_size=1, max_size=20), st.integers(1, 10**12), st.integers(1, 10**12))
def test_scaling_is_exact_and_can_be_undone(watts: list[int | Decimal], measured: int, wanted: int) -> None:
    series = series_of(watts)
    scaled = series.scaled(from_capacity_w=measured, to_capacity_w=wanted)
    assert exact(scaled) == [Fraction(power) * wanted / measured for power in watts]
    assert exact(scaled.scaled(from_capacity_w=wanted, to_capacity_w=measured)) == exact(series)


def test_the_first_local_day_becomes_the_wanted_utc_day() -> None:
    series = series_of([1, 2, 3])
    assert series.utc_offset_seconds == -7 * 3600
    moved = series.starting_on_day(date(2024, 10, 4))
    assert moved.times == (20000 * 86400, 20000 * 86400 + 900, 20000 * 86400 + 1800)
    assert moved.power == series.power
    assert moved.starting_on_day(date(2024, 10, 4)) == moved


@given(st.integers(0, 86399), st.integers(-14 * 3600, 14 * 3600))
def test_a_series_that_begins_within_a_day_keeps_its_local_time(second: int, offset: int) -> None:
    begin = datetime(2016, 7, 1, tzinfo=timezone(timedelta(seconds=offset))) + timedelta(seconds=second)
    moved = series_of([1], begin).starting_on_day(date(1970, 1, 11))
    assert moved.times == (10 * 86400 + second,)
    assert moved.utc_offset_seconds == 0


def test_the_first_days_can_be_left_out() -> None:
    series = series_of([*range(96 * 2 + 1)], datetime(2016, 7, 1, tzinfo=DENVER))
    rest = series.without_first_days(1)
    assert rest.power == tuple(range(96, 193))
    assert rest.times[0] == int(datetime(2016, 7, 2, tzinfo=DENVER).timestamp())
    assert series.without_first_days(0) == series
    assert len(series.without_first_days(2).times) == 1
    with pytest.raises(InvalidValueError, match="nothing is left"):
        series.without_first_days(3)


def test_gaps_are_counted() -> None:
    assert PowerSeries(900, (0, 900, 3600), (1, 1, 1)).gap_count == 2
    assert series_of([1, 2]).gap_count == 0


@pytest.mark.parametrize(
    ("power", "reason"),
    [
        (1.5, "float"),
        (True, "bool"),
        ("1", "str"),
        (Decimal("NaN"), "finite"),
        (Decimal("Infinity"), "finite"),
        (Decimal("1E+999999"), "beyond"),
        (10**13 + 1, "beyond"),
        (Decimal("1E-999999"), "decimals"),
    ],
)
def test_power_that_no_meter_reads_is_refused(power: Decimal, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        series_of([power])


@pytest.mark.parametrize(
    ("times", "power", "reason"),
    [
        ((), (), "empty"),
        ((0, 900), (1,), "2 times"),
        ((0, 0), (1, 1), "does not come after"),
        ((900, 0), (1, 1), "does not come after"),
        ((0, 901), (1, 1), "out of step"),
    ],
)
def test_series_out_of_order_are_refused(times: tuple[int, ...], power: tuple[int, ...], reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        PowerSeries(900, times, power)


def test_other_bad_arguments_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="interval_seconds"):
        PowerSeries(0, (0,), (1,))
    with pytest.raises(InvalidValueError, match="denominator"):
        PowerSeries(900, (0,), (1,), denominator=0)
    with pytest.raises(InvalidValueError, match="no time zone"):
        series_of([1], datetime(2016, 7, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidValueError, match="to_capacity_w"):
        series_of([1]).scaled(from_capacity_w=1, to_capacity_w=0)
    with pytest.raises(InvalidValueError, match="1970"):
        series_of([1]).starting_on_day(date(1969, 12, 31))


def test_a_series_is_shown_shortly() -> None:
    text = repr(series_of([1] * 1000, datetime(2016, 7, 1, tzinfo=UTC)))
    assert text == "<PowerSeries of 1000 readings every 900 s from 2016-07-01T00:00:00+00:00>"
