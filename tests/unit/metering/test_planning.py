"""Planning against what is recorded: new, repeated, not comparable, in conflict."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.metering import Conflict, ConflictingReadingsError, MeteredDay, RecordedPart, full_mask, plan_day
from der_client.stacks.errors import InvalidValueError

DAY = date(2024, 10, 4)
HOURS = st.lists(st.none() | st.integers(0, 9), min_size=24, max_size=24).map(tuple)
METERED = MeteredDay(DAY, 3600, (10, 20, 30, *(None,) * 21))


def test_a_day_without_a_row_is_all_new() -> None:
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


def test_what_is_new_beside_a_repeat_remains() -> None:
    plan = plan_day(METERED, [RecordedPart(0b011, 30)])
    assert plan.new == METERED.only(0b100)
    assert plan.repeated_mask == 0b011


def test_part_of_what_was_recorded_together_cannot_be_compared() -> None:
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


def test_impossible_parts_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="slots 1 in common"):
        plan_day(METERED, [RecordedPart(0b11, 1), RecordedPart(0b10, 1)])
    with pytest.raises(InvalidValueError, match="mask"):
        plan_day(METERED, [RecordedPart(1 << 24, 1)])
    with pytest.raises(InvalidValueError, match="recorded wh"):
        RecordedPart(1, -1)


@given(HOURS, HOURS)
def test_each_metered_slot_is_in_one_place(
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
