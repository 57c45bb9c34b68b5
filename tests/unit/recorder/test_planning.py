"""Planning compares slots with those already recorded: new, repeated, not comparable, or in conflict."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil, floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from der_client.readings import IntervalSeries, MeteredDay, full_mask, metered_days
from der_client.recorder import Conflict, ConflictingReadingsError, RecordedPart, plan_day
from der_client.stacks.errors import InvalidValueError

DAY = date(2024, 10, 4)
HOURS = st.lists(st.none() | st.integers(0, 9), min_size=24, max_size=24).map(tuple)
METERED = MeteredDay(DAY, 3600, (10, 20, 30, *(None,) * 21))


def test_a_day_without_recorded_parts_is_all_new() -> None:
    plan = plan_day(METERED, [])
    assert plan.new == METERED
    assert not plan.is_done
    plan.check_conflicts()


def test_an_identical_repeat_is_dropped() -> None:
    plan = plan_day(METERED, [RecordedPart(0b111, 60)])
    assert plan.is_done
    assert plan.repeated_mask == 0b111
    assert plan.conflicts == ()
    plan.check_conflicts()


def test_a_conflicting_repeat_is_reported() -> None:
    plan = plan_day(METERED, [RecordedPart(0b111, 61)])
    assert plan.is_done
    assert plan.conflicts == (Conflict(0b111, 61, 60),)
    with pytest.raises(
        ConflictingReadingsError, match=r"day 2024-10-04 .*slots 0-2: 61 Wh recorded, 60 Wh metered"
    ) as caught:
        plan.check_conflicts()
    assert caught.value.conflicts == plan.conflicts


def test_new_slots_next_to_repeated_ones_remain() -> None:
    plan = plan_day(METERED, [RecordedPart(0b011, 30)])
    assert plan.new == METERED.only(0b100)
    assert plan.repeated_mask == 0b011


def test_only_some_slots_of_a_recorded_part_cannot_be_compared() -> None:
    plan = plan_day(METERED, [RecordedPart(0b1110, 999)])
    assert plan.unchecked_mask == 0b110
    assert plan.new == METERED.only(0b001)
    assert plan.conflicts == ()


def test_unknown_energy_cannot_be_compared() -> None:
    plan = plan_day(METERED, [RecordedPart(0b11)])
    assert (plan.unchecked_mask, plan.repeated_mask) == (0b11, 0)


def test_parts_are_compared_one_by_one() -> None:
    plan = plan_day(METERED, [RecordedPart(0b001, 10), RecordedPart(0b010, 21), RecordedPart(1 << 23, 5)])
    assert plan.repeated_mask == 0b001
    assert plan.conflicts == (Conflict(0b010, 21, 20),)
    assert plan.new.mask == 0b100
    assert plan.unchecked_mask == 0


def test_impossible_parts_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="slots 1 in common"):
        plan_day(METERED, [RecordedPart(0b11, 1), RecordedPart(0b10, 1)])
    with pytest.raises(InvalidValueError, match="mask"):
        plan_day(METERED, [RecordedPart(1 << 24, 1)])
    with pytest.raises(InvalidValueError, match="recorded wh"):
        RecordedPart(1, -1)


@given(HOURS, HOURS)
def test_each_metered_slot_is_in_exactly_one_category(
    metered_whs: tuple[int | None, ...], recorded_whs: tuple[int | None, ...]
) -> None:
    metered, recorded = MeteredDay(DAY, 3600, metered_whs), MeteredDay(DAY, 3600, recorded_whs)
    plan = plan_day(metered, [RecordedPart(recorded.mask, recorded.wh)])
    places = [plan.new.mask, plan.repeated_mask, plan.unchecked_mask, *(part.mask for part in plan.conflicts)]
    assert sum(places) == metered.mask
    assert plan.new.mask & recorded.mask == 0
    assert plan.new == metered.only(full_mask(3600) & ~recorded.mask)


@given(HOURS, st.integers(0, 2**24 - 1))
def test_recording_in_two_steps_leaves_nothing_to_do(wh_by_slot: tuple[int | None, ...], mask: int) -> None:
    metered = MeteredDay(DAY, 3600, wh_by_slot)
    first = metered.only(mask)
    rest = plan_day(metered, [RecordedPart(first.mask, first.wh)]).new
    plan = plan_day(metered, [RecordedPart(first.mask | rest.mask, first.wh + rest.wh)])
    assert plan.is_done
    assert plan.repeated_mask == metered.mask
    plan.check_conflicts()


def metered(watts: dict[int, Decimal]) -> MeteredDay:
    """Return the day of a meter that reports the mean power of some hours; the energy in Wh is the same number."""
    begin = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    powers = ((begin + timedelta(hours=hour), power) for hour, power in sorted(watts.items()))
    (day,) = metered_days(IntervalSeries.from_power(powers, interval_seconds=3600), slot_seconds=3600)
    return day


def test_a_difference_from_rounding_around_a_gap_is_a_repeat() -> None:
    power = Decimal("600.6")
    before, after = metered({10: power, 12: power}), metered({10: power, 11: power, 12: power})
    assert (before.wh_by_slot[10:13], after.wh_by_slot[10:13]) == ((600, None, 601), (600, 601, 600))
    parts = [RecordedPart(run.mask, run.wh) for run in before.runs()]
    for recorded in (parts, [RecordedPart(before.mask, before.wh)]):
        plan = plan_day(after, recorded)
        assert (plan.repeated_mask, plan.conflicts) == (before.mask, ())
        assert plan.new == after.only(1 << 11)


def test_a_difference_larger_than_rounding_is_a_conflict() -> None:
    day = metered({10: Decimal("600.6"), 12: Decimal("600.6"), 13: Decimal(7)})
    for slot, wh in ((10, 599), (10, 601), (12, 599), (12, 602), (13, 6), (13, 8)):
        (conflict,) = plan_day(day, [RecordedPart(1 << slot, wh)]).conflicts
        assert (conflict.mask, conflict.recorded_wh) == (1 << slot, wh)
    for wh, is_conflict in ((1200, True), (1201, False), (1202, True)):
        assert bool(plan_day(day, [RecordedPart(0b101 << 10, wh)]).conflicts) == is_conflict
    # Without the meter's exact power, rounding cannot explain a difference.
    assert plan_day(MeteredDay(DAY, 3600, day.wh_by_slot), [RecordedPart(1 << 10, 601)]).conflicts != ()


@given(
    st.dictionaries(st.integers(0, 23), st.decimals(0, 99, places=1) | st.integers(0, 99).map(Decimal), min_size=1),
    st.integers(1, 2**24 - 1),
    st.booleans(),
)
def test_a_growing_file_repeats_its_earlier_readings(watts: dict[int, Decimal], known: int, at_once: bool) -> None:
    earlier = {hour: power for hour, power in watts.items() if known >> hour & 1}
    assume(earlier)
    before, after = metered(earlier), metered(watts)
    runs = before.runs()
    parts = [RecordedPart(before.mask, before.wh)] if at_once else [RecordedPart(run.mask, run.wh) for run in runs]
    plan = plan_day(after, parts)
    assert (plan.repeated_mask, plan.conflicts) == (before.mask, ())
    assert plan.new == after.only(after.mask & ~before.mask)
    # Without a fraction carried over from earlier hours, a run must match exactly; otherwise it may be rounded up.
    for run in runs:
        exact = sum(earlier[hour] for hour in range(run.start, run.start + len(run.whs)))
        may_differ = any(watts[hour] % 1 for hour in watts if hour < run.start)
        for wh in range(max(0, floor(exact) - 2), ceil(exact) + 3):
            is_repeat = not plan_day(after, [RecordedPart(run.mask, wh)]).conflicts
            assert is_repeat == (floor(exact) <= wh <= (ceil(exact) if may_differ else floor(exact)))


@given(
    st.dictionaries(st.integers(0, 23), st.decimals(0, 9, places=2), min_size=1),
    st.lists(st.tuples(st.integers(1, 2**24 - 1), st.integers(0, 2**24 - 1), st.booleans()), min_size=1, max_size=5),
    st.integers(0, 24),
)
def test_readings_recorded_in_steps_are_not_a_conflict(
    watts: dict[int, Decimal], steps: list[tuple[int, int, bool]], first_hour: int
) -> None:
    """A file grows, its missing slots are recorded in steps, and later its oldest recorded readings are removed."""
    known = recorded = 0
    parts: list[RecordedPart] = []
    for grown, chosen, at_once in steps:
        known |= grown
        have = {hour: power for hour, power in watts.items() if known >> hour & 1}
        if not have:
            continue
        new = plan_day(metered(have), parts).new.only(chosen)
        if new.mask:
            parts += [RecordedPart(new.mask, new.wh)] if at_once else [RecordedPart(r.mask, r.wh) for r in new.runs()]
            recorded |= new.mask
    left = {hour: power for hour, power in watts.items() if hour >= first_hour or not recorded >> hour & 1}
    for day in (watts, left):
        if not day:
            continue
        plan = plan_day(metered(day), parts)
        assert plan.conflicts == ()
        # The recorder compares the recorded slots alone, too.
        assert plan_day(metered(day).only(recorded), parts).conflicts == ()


@given(st.lists(st.none() | st.decimals(0, 9, places=2), min_size=8, max_size=8))
def test_a_part_recorded_at_once_is_compared_to_the_wh(powers: list[Decimal | None]) -> None:
    watts = {hour: power for hour, power in enumerate(powers) if power is not None}
    assume(watts)
    day = metered(watts)
    for wh in range(floor(sum(watts.values())) + 9):
        assert bool(plan_day(day, [RecordedPart(day.mask, wh)]).conflicts) == (wh != day.wh)
