"""Readings of a day: runs, gaps, plausibility."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import DayReadings, MeteredDay, full_mask, plausible_limit_wh, run_mask
from der_client.stacks.errors import InvalidValueError

DAY = date(2024, 10, 4)
NEXT_DAY = date(2024, 10, 5)
HOURS = st.lists(st.none() | st.integers(0, 10**6), min_size=24, max_size=24).map(tuple)


@given(st.integers(0, 96), st.integers(1, 10**12), st.sampled_from((900, 1800, 3600)), st.integers(-2, 2))
def test_the_limit_matches_the_contracts_inequality(
    slots: int, capacity_w: int, slot_seconds: int, offset: int
) -> None:
    slots = min(slots, 86400 // slot_seconds)
    limit = plausible_limit_wh(slots, capacity_w, slot_seconds)
    wh = limit + offset
    assert (wh <= Fraction(slots * capacity_w * slot_seconds, 3600) * Fraction(11, 10)) == (offset <= 0)


def test_limits_for_known_cases() -> None:
    assert plausible_limit_wh(96, 6000, 900) == 158_400  # 6 kW * 24 h * 1.1
    assert plausible_limit_wh(1, 1, 900) == 0


@pytest.mark.parametrize(
    ("slots", "capacity_w", "slot_seconds"), [(97, 1, 900), (-1, 1, 900), (1, 0, 900), (1, 10**12 + 1, 900), (1, 1, 60)]
)
def test_invalid_arguments_of_a_limit_are_rejected(slots: int, capacity_w: int, slot_seconds: int) -> None:
    with pytest.raises(InvalidValueError):
        plausible_limit_wh(slots, capacity_w, slot_seconds)


def test_a_run_has_its_slots_energy_and_times() -> None:
    readings = DayReadings(date(2016, 7, 1), 1800, 46, (3, 4))
    assert readings.mask == run_mask(46, 2, 1800)
    assert readings.wh == 7
    assert readings.begins_at == datetime(2016, 7, 1, 23, tzinfo=UTC)
    assert readings.ends_at == datetime(2016, 7, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "slot_seconds", "start", "whs"),
    [
        (date(1969, 12, 31), 900, 0, (1,)),
        (DAY, 901, 0, (1,)),
        (DAY, 900, 96, (1,)),
        (DAY, 900, 95, (1, 1)),
        (DAY, 900, 0, ()),
        (DAY, 900, 0, (-1,)),
        (DAY, 900, 0, (1.0,)),
        (DAY, 900, 0, (2**128,)),
    ],
)
def test_invalid_runs_are_rejected(day: date, slot_seconds: int, start: int, whs: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValueError):
        DayReadings(day, slot_seconds, start, whs)


@given(HOURS)
def test_a_day_and_its_runs_agree(wh_by_slot: tuple[int | None, ...]) -> None:
    metered = MeteredDay(DAY, 3600, wh_by_slot)
    runs = metered.runs()
    assert sum(run.mask for run in runs) == metered.mask
    assert sum(run.wh for run in runs) == metered.wh == sum(wh or 0 for wh in wh_by_slot)
    assert metered.mask | metered.missing_mask == full_mask(3600)
    assert metered.mask & metered.missing_mask == 0
    assert metered.is_complete == (metered.missing_mask == 0)
    if runs:
        assert MeteredDay.from_readings(*reversed(runs)) == metered
    else:
        assert metered.mask == 0


@given(HOURS, st.integers(0, 2**24 - 1))
def test_only_keeps_the_slots_of_the_mask(wh_by_slot: tuple[int | None, ...], mask: int) -> None:
    metered = MeteredDay(DAY, 3600, wh_by_slot)
    kept = metered.only(mask)
    assert kept.mask == metered.mask & mask
    assert kept.wh + metered.only(full_mask(3600) & ~mask).wh == metered.wh


def test_zero_is_a_known_value_and_none_is_not() -> None:
    metered = MeteredDay(DAY, 3600, (0, None, *(5,) * 22))
    assert metered.mask == full_mask(3600) - 2
    assert [(run.start, len(run.whs)) for run in metered.runs()] == [(0, 1), (2, 22)]


def test_invalid_days_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="24 slots of 3600 s"):
        MeteredDay(DAY, 3600, (1,) * 96)
    with pytest.raises(InvalidValueError, match="slot 3"):
        MeteredDay(DAY, 3600, (1, 1, 1, -1, *(1,) * 20))
    with pytest.raises(InvalidValueError, match="slot 5 of day 2024-10-04 is given twice"):
        MeteredDay.from_readings(DayReadings(DAY, 900, 4, (1, 1)), DayReadings(DAY, 900, 5, (1,)))
    with pytest.raises(InvalidValueError, match="day 2024-10-05"):
        MeteredDay.from_readings(DayReadings(DAY, 900, 4, (1,)), DayReadings(NEXT_DAY, 900, 5, (1,)))
    with pytest.raises(InvalidValueError, match="at least one"):
        MeteredDay.from_readings()


def test_a_day_keeps_its_energy_before_rounding() -> None:
    tenths = (6006, None, 15, *(None,) * 21)
    exact = (Fraction(6006, 10), None, Fraction(3, 2), *(None,) * 21)
    day = MeteredDay(DAY, 3600, (600, None, 2, *(None,) * 21), tenths, 10)
    assert day == MeteredDay(DAY, 3600, day.wh_by_slot)
    assert day.exact_wh_by_slot == day.only(0b101).exact_wh_by_slot == exact
    assert day.only(0b1).exact_wh_by_slot == exact
    assert MeteredDay(DAY, 3600, day.wh_by_slot).exact_wh_by_slot == ()
    for wrong in (tenths[:3], (6010, *tenths[1:]), (5990, *tenths[1:]), (None, *tenths[1:])):
        with pytest.raises(InvalidValueError, match=r"3 entries|less than 1 Wh apart"):
            MeteredDay(DAY, 3600, day.wh_by_slot, wrong, 10)
    with pytest.raises(InvalidValueError, match="denominator"):
        MeteredDay(DAY, 3600, day.wh_by_slot, tenths, 0)


def agreed(day: MeteredDay, mask: int, others_mask: int = 0) -> list[int]:
    return [wh for wh in range(day.wh + 9) if day.only(mask).agrees_with(wh, others_mask=others_mask)]


def test_only_a_carry_from_earlier_slots_can_change_the_rounding() -> None:
    tenths = (12, 13, 40, 25, *(None,) * 20)
    day = MeteredDay(DAY, 3600, (1, 1, 4, 3, *(None,) * 20), tenths, 10)
    assert agreed(day, 0b1111) == [9], "all rounded together"
    assert agreed(day, 0b0001) == [1], "each day begins without a carry"
    assert agreed(day, 0b0010) == [1, 2]
    assert agreed(day, 0b1001) == [3, 4]
    assert agreed(day, 0b1011) == [5], "4 Wh change no carry"
    assert agreed(day, 0b0100) == [4]
    later = MeteredDay(DAY, 3600, (None, *(1, 4, 2), *(None,) * 20), (None, *tenths[1:]), 10)
    assert agreed(later, 0b0010) == [1]
    assert agreed(later, 0b0010, others_mask=0b0001) == [1, 2], "slot 0 was known once"
    assert agreed(later, 0b0010, others_mask=0b0100) == [1]
    assert agreed(MeteredDay(DAY, 3600, day.wh_by_slot), 0b1001) == [4], "nothing is known of any rounding"
    with pytest.raises(InvalidValueError, match="mask"):
        day.agrees_with(1, others_mask=1 << 24)


def test_readings_agree_with_either_rounding_of_themselves() -> None:
    day = MeteredDay(DAY, 3600, (2, *(None,) * 23), (3, *(None,) * 23), 2)
    assert agreed(day, 1) == [1, 2]


def test_many_runs_carry_from_one_to_the_next() -> None:
    """48 isolated slots of 1.5 Wh are 72 Wh; if each were rounded alone, they could be 48 or 96 Wh."""
    day = MeteredDay(DAY, 900, (1, None, 2, None) * 24, (3, None) * 48, 2)
    assert agreed(day, day.mask) == [72]


def test_plausibility_counts_known_slots_only() -> None:
    metered = MeteredDay(DAY, 3600, (1100, 1100, *(None,) * 22))
    metered.check_plausible(1000)
    with pytest.raises(InvalidValueError, match=r"2,200 Wh in slots 0-1 .* 2,197 Wh .* 999 W"):
        metered.check_plausible(999)
