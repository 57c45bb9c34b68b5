"""Days and slots, compared with the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import day_at, day_end, day_start, slot_at, slot_end, slot_start, slots_per_day, unix_seconds
from der_client.readings.slots import LAST_DAY
from der_client.stacks.errors import InvalidValueError

DAY = date(2025, 1, 1)
SLOT_SECONDS = st.sampled_from((900, 1800, 3600))


def test_days_in_known_cases() -> None:
    assert day_start(date(1970, 1, 1)) == datetime(1970, 1, 1, tzinfo=UTC)
    assert day_at(datetime(2016, 7, 1, 23, 59, 59, 999999, tzinfo=UTC)) == date(2016, 7, 1)
    assert day_end(date(2016, 7, 1)) == datetime(2016, 7, 2, tzinfo=UTC)
    assert day_end(LAST_DAY) == datetime(9999, 12, 31, tzinfo=UTC)


def test_a_day_is_a_utc_day_in_any_time_zone() -> None:
    evening_in_denver = datetime(2016, 7, 1, 20, tzinfo=timezone(timedelta(hours=-6)))
    assert day_at(evening_in_denver) == date(2016, 7, 2)
    assert slot_at(evening_in_denver, 3600) == (date(2016, 7, 2), 2)


@given(st.dates(date(1970, 1, 1), LAST_DAY), SLOT_SECONDS, st.data())
def test_slot_and_time_are_inverse(day: date, slot_seconds: int, data: st.DataObject) -> None:
    slot = data.draw(st.integers(0, slots_per_day(slot_seconds) - 1))
    begin, end = slot_start(day, slot, slot_seconds), slot_end(day, slot, slot_seconds)
    assert slot_at(begin, slot_seconds) == (day, slot)
    assert slot_at(end - timedelta(seconds=1), slot_seconds) == (day, slot)
    assert end - begin == timedelta(seconds=slot_seconds)
    assert unix_seconds(begin) // 86400 == (day - date(1970, 1, 1)).days


def test_the_slots_fill_the_day() -> None:
    for slot_seconds, count in ((900, 96), (1800, 48), (3600, 24)):
        assert slots_per_day(slot_seconds) == count
        assert slot_end(DAY, count - 1, slot_seconds) == day_end(DAY)


@pytest.mark.parametrize("slot_seconds", [0, 300, 901, 7200, True, "900", None])
def test_invalid_slot_lengths_are_rejected(slot_seconds: object) -> None:
    with pytest.raises(InvalidValueError, match="900, 1800 or 3600"):
        slots_per_day(slot_seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [date(1969, 12, 31), date.max, datetime(2016, 7, 1, tzinfo=UTC), 20000, "2016-07-01"])
def test_invalid_days_are_rejected(day: object) -> None:
    with pytest.raises(InvalidValueError, match=r"day|1970"):
        day_start(day)  # type: ignore[arg-type]


def test_times_and_numbers_without_a_slot_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="no time zone"):
        day_at(datetime(2016, 7, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidValueError, match="whole second"):
        unix_seconds(datetime(2016, 7, 1, 0, 0, 0, 1, tzinfo=UTC))
    with pytest.raises(InvalidValueError, match="no time zone"):
        unix_seconds(datetime(2016, 7, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidValueError, match="1970"):
        day_at(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(InvalidValueError, match="24 is out of range for slot of 3600 s: 0 to 23"):
        slot_start(DAY, 24, 3600)
