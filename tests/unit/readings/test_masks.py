"""Masks, compared with sets of slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import describe_slots, full_mask, mask_runs, mask_slots, run_mask, slots_mask
from der_client.readings.slots import require_mask
from der_client.stacks.errors import InvalidValueError

SLOTS = st.sets(st.integers(0, 95))


@given(SLOTS)
def test_a_mask_is_a_set_of_slots(slots: set[int]) -> None:
    mask = slots_mask(slots, 900)
    assert list(mask_slots(mask)) == sorted(slots)
    assert mask.bit_count() == len(slots)
    assert all(bool(mask >> slot & 1) == (slot in slots) for slot in range(128))


@given(SLOTS)
def test_runs_are_maximal_and_complete(slots: set[int]) -> None:
    runs = list(mask_runs(slots_mask(slots, 900)))
    assert {slot for start, count in runs for slot in range(start, start + count)} == slots
    assert all(start - 1 not in slots and start + count not in slots for start, count in runs)
    assert runs == sorted(runs)


@given(st.sampled_from((900, 1800, 3600)), st.data())
def test_run_mask_is_the_mask_of_its_slots(slot_seconds: int, data: st.DataObject) -> None:
    slots = 86400 // slot_seconds
    start = data.draw(st.integers(0, slots - 1))
    count = data.draw(st.integers(1, slots - start))
    mask = run_mask(start, count, slot_seconds)
    assert mask == slots_mask(range(start, start + count), slot_seconds)
    assert mask | full_mask(slot_seconds) == full_mask(slot_seconds)


def test_masks_in_known_cases() -> None:
    assert run_mask(0, 96, 900) == 2**96 - 1 == full_mask(900)
    assert run_mask(95, 1, 900) == 2**95
    assert full_mask(3600) == 0xFFFFFF
    assert describe_slots(0b1011_0001) == "0, 4-5, 7"
    assert describe_slots(0) == "none"


@pytest.mark.parametrize(("start", "count"), [(0, 0), (0, 97), (95, 2), (96, 1), (-1, 1), (0, -1)])
def test_runs_outside_the_day_are_rejected(start: int, count: int) -> None:
    with pytest.raises(InvalidValueError, match="slot"):
        run_mask(start, count, 900)


def test_invalid_or_duplicate_slots_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="24"):
        slots_mask([24], 3600)
    with pytest.raises(InvalidValueError, match="slot 5 is given twice"):
        slots_mask([5, 6, 5], 900)
    with pytest.raises(InvalidValueError, match="mask"):
        require_mask(1 << 24, 3600)
    with pytest.raises(InvalidValueError, match="mask"):
        list(mask_runs(1 << 96))
    with pytest.raises(InvalidValueError, match="mask"):
        list(mask_runs(-1))
