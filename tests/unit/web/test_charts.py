"""Charts: their geometry matches the numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.contracts.production_tracking import DayState
from der_client.index.answers import DayEnergy, SlotEnergy
from der_client.web.charts.heat_map import LEVELS, year_grid
from der_client.web.charts.power_curves import power_by_step, power_chart
from der_client.web.charts.scale import HEIGHT, Scale
from der_client.web.charts.slot_bars import day_chart
from der_client.web.loads import spread

DAY = date(2026, 6, 30)
MIDNIGHT = datetime(2026, 6, 30, tzinfo=UTC)


def slot(number: int, wh: int | None, *, recorded: bool = True, seconds: int = 900) -> SlotEnergy:
    start = MIDNIGHT + timedelta(seconds=number * seconds)
    source = "meter" if recorded else None
    return SlotEnergy(1, DAY, number, start, start + timedelta(seconds=seconds), wh, recorded, source, "ab" * 32)


@given(st.integers(0, 10**16))
def test_an_axis_ends_just_above_the_largest_value(largest: int) -> None:
    scale = Scale.over(largest)
    assert largest <= scale.top
    assert scale.top <= max(4, largest * 3 // 2)
    assert scale.y(0) == HEIGHT
    assert scale.y(scale.top) == 0
    assert len(set(scale.labels(str))) == 5


def test_a_day_has_a_bar_or_a_gap_for_each_slot() -> None:
    slots = [slot(40, 250), slot(41, 500), slot(42, None, recorded=False)]
    chart = day_chart(slots, day_wh=750, slot_seconds=900, cap_w=1_500)
    assert len(chart.bars) == 96
    assert [bar.kind for bar in chart.bars[40:43]] == ["metered", "metered", "gap"]
    assert chart.gaps == 94
    assert chart.labels[0] == "2\u202fkW"
    assert (chart.bars[41].height, chart.bars[40].height, chart.cap_y) == (1000, 500, 250)
    assert chart.bars[41].title == "10:15 to 10:30: 500 Wh, 2\u202fkW"


def test_energy_known_only_as_a_sum_is_spread_over_its_slots() -> None:
    slots = [slot(0, 100), *(slot(number, None) for number in range(1, 8))]
    chart = day_chart(slots, day_wh=1_100, slot_seconds=3600, cap_w=None)
    assert chart.estimates == 7
    assert sum(bar.wh or 0 for bar in chart.bars) == 1_100
    assert {bar.kind for bar in chart.bars[1:8]} == {"estimated"}


@given(st.integers(0, 10**15), st.integers(1, 96))
def test_spreading_keeps_the_sum(wh: int, parts: int) -> None:
    shares = spread(wh, parts)
    assert sum(shares) == wh
    assert max(shares) - min(shares) <= 1


def test_the_power_of_longer_slots_fills_their_quarter_hours() -> None:
    assert power_by_step([(0, 3600, 1_000), (0, 900, 100)]) == {0: 1_400, 1: 1_000, 2: 1_000, 3: 1_000}


def test_curves_have_gaps_where_the_power_is_unknown() -> None:
    chart = power_chart({0: 100, 1: 200, 4: 400}, {95: 400})
    assert chart.line == "M0,750V750H1V500H2 M4,0V0H5"
    assert chart.before_line == "M95,0V0H96"
    assert chart.area.count("Z") == 2
    assert len(chart.steps) == 96
    assert chart.steps[2].title == "00:30: nothing recorded; the day before: nothing recorded"


def energy_of(day: date, wh: int, state: DayState = DayState.VERIFIED, slots: int = 96) -> DayEnergy:
    return DayEnergy(1, day, state, wh, slots, 96, None, None, None, None, 0, 0)


def test_a_year_has_each_day_once_at_its_weekday() -> None:
    grid = year_grid(2028, [], since=date(2028, 1, 1), until=date(2028, 3, 1))  # a leap year
    cells = [cell for month in grid for cell in month.cells]
    assert len(cells) == 366
    assert all(cell.x == cell.day.weekday() * 10 for cell in cells)
    assert {cell.state for cell in cells if cell.day <= date(2028, 3, 1)} == {"open"}
    assert {cell.state for cell in cells if cell.day > date(2028, 3, 1)} == {"future"}


def test_days_before_the_registration_are_not_missing() -> None:
    grid = year_grid(2026, [energy_of(date(2026, 2, 27), 5)], since=date(2026, 3, 1), until=DAY)
    cells = {cell.day: cell for month in grid for cell in month.cells}
    assert cells[date(2026, 2, 28)].state == "before-it"
    assert cells[date(2026, 2, 28)].title == "2026-02-28: before its registration"
    assert cells[date(2026, 3, 1)].state == "open"
    assert cells[date(2026, 2, 27)].state == "verified"


@pytest.mark.parametrize(("wh", "level"), [(0, 0), (1, 1), (200, 1), (201, 2), (999, 5), (1_000, 5)])
def test_days_with_more_energy_have_a_higher_level(wh: int, level: int) -> None:
    grid = year_grid(2026, [energy_of(DAY, wh), energy_of(date(2026, 7, 1), 1_000)], since=date(2026, 1, 1), until=DAY)
    cell = next(cell for cell in grid[5].cells if cell.day == DAY)
    assert cell.level == level < LEVELS


def test_a_day_shows_its_missing_slots() -> None:
    grid = year_grid(2026, [energy_of(DAY, 1_000, DayState.RECORDED, 90)], since=date(2026, 1, 1), until=DAY)
    cell = grid[5].cells[-1]
    assert cell.incomplete
    assert cell.title == "2026-06-30: 1\u202fkWh, recorded, 6 of 96 slots missing"
    assert cell.state == "recorded"
