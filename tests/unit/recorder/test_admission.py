"""The checks before sending, at their limits to the second and to the Wh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from der_client.contracts.asset_verification import RecordingRight
from der_client.contracts.production_tracking import DayState, ProductionDay, ProductionError
from der_client.readings import DayMessage, DayReadings
from der_client.recorder.admission import check_message, check_oracle, check_slots
from der_client.stacks.keys import PrivateKey

DAY = date(2026, 7, 1)
MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
METER = PrivateKey.from_hex("11" * 32)
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
RIGHT = RecordingRight(
    first_day=date(2026, 6, 1),
    last_day=date(9999, 1, 1),
    slot_seconds=900,
    capacity_w=4000,
    capacity_from_day=date(2026, 6, 15),
    previous_capacity_w=2000,
    device_key=METER.public_key.compressed_data,
    key_epoch=3,
    key_from_day=date(2026, 6, 20),
)
LATER = MIDNIGHT + timedelta(days=2)


def error_of(
    mask: int = 1, wh: int = 0, now: datetime = LATER, row: ProductionDay | None = None, day: date = DAY
) -> ProductionError | None:
    refusal = check_slots(RIGHT, row, day=day, mask=mask, wh=wh, now=now)
    return None if refusal is None else refusal.error


@pytest.mark.parametrize("slot", [0, 1, 95])
def test_a_slot_can_be_recorded_from_the_second_it_ends(slot: int) -> None:
    ends = MIDNIGHT + timedelta(seconds=900 * (slot + 1))
    assert error_of(1 << slot, now=ends - timedelta(seconds=1)) is ProductionError.ERR_SLOT_NOT_OVER
    assert error_of(1 << slot, now=ends) is None


def test_a_day_can_be_recorded_until_30_days_after_it() -> None:
    ends = MIDNIGHT + timedelta(days=31)
    assert error_of(now=ends - timedelta(seconds=1)) is None
    assert error_of(now=ends) is ProductionError.ERR_RECORDING_CLOSED


@pytest.mark.parametrize(("mask", "error"), [(0, ProductionError.ERR_INVALID_SLOTS), (1 << 95, None)])
def test_slots_are_those_of_the_day(mask: int, error: ProductionError | None) -> None:
    assert error_of(mask) is error


def test_an_hourly_day_has_24_slots() -> None:
    hourly = RIGHT.model_copy(update={"slot_seconds": 3600})
    assert check_slots(hourly, None, day=DAY, mask=1 << 23, wh=0, now=LATER) is None
    refusal = check_slots(hourly, None, day=DAY, mask=1 << 24, wh=0, now=LATER)
    assert refusal is not None
    assert refusal.error is ProductionError.ERR_INVALID_SLOTS
    assert "slots 24 are given, but the asset's day has 24 slots of 3600 s" in refusal.reason


@pytest.mark.parametrize(
    ("row", "mask", "wh", "error"),
    [
        (None, 0b1, 1100, None),
        (None, 0b1, 1101, ProductionError.ERR_IMPLAUSIBLE_ENERGY),
        (ProductionDay(state=DayState.RECORDED, mask=0b10, wh=100), 0b1, 2100, None),
        (ProductionDay(state=DayState.RECORDED, mask=0b10, wh=100), 0b1, 2101, ProductionError.ERR_IMPLAUSIBLE_ENERGY),
        (ProductionDay(state=DayState.DISPUTED, mask=0b10, wh=100), 0b1, 1, None),
        (ProductionDay(state=DayState.RECORDED, mask=0b1, wh=0), 0b11, 1, ProductionError.ERR_SLOT_ALREADY_RECORDED),
        (ProductionDay(state=DayState.VERIFIED, mask=0b10, wh=1), 0b1, 1, ProductionError.ERR_DAY_FINAL),
        (ProductionDay(state=DayState.REJECTED, mask=0, wh=0), 0b1, 1, ProductionError.ERR_DAY_FINAL),
    ],
)
def test_what_the_day_can_take(row: ProductionDay | None, mask: int, wh: int, error: ProductionError | None) -> None:
    assert error_of(mask, wh, row=row) is error


def test_days_before_a_change_have_the_old_capacity() -> None:
    old = date(2026, 6, 14)
    now = datetime(2026, 6, 16, tzinfo=UTC)
    assert error_of(wh=550, day=old, now=now) is None
    assert error_of(wh=551, day=old, now=now) is ProductionError.ERR_IMPLAUSIBLE_ENERGY
    assert error_of(wh=1100, day=old + timedelta(days=1), now=now) is None


@pytest.mark.parametrize("capacities", [(2000, 4000), (4000, 2000)])
def test_the_day_of_a_change_has_the_larger_capacity(capacities: tuple[int, int]) -> None:
    before, after = capacities
    right = RIGHT.model_copy(update={"previous_capacity_w": before, "capacity_w": after})
    changed = date(2026, 6, 15)
    now = datetime(2026, 6, 17, tzinfo=UTC)

    def is_taken(day: date, wh: int) -> bool:
        return check_slots(right, None, day=day, mask=1, wh=wh, now=now) is None

    assert is_taken(changed, 1100)
    assert not is_taken(changed, 1101)
    assert is_taken(changed - timedelta(days=1), before * 11 // 40)
    assert not is_taken(changed - timedelta(days=1), before * 11 // 40 + 1)
    assert is_taken(changed + timedelta(days=1), after * 11 // 40)
    assert not is_taken(changed + timedelta(days=1), after * 11 // 40 + 1)


@pytest.mark.parametrize(
    ("day", "error"), [(date(2026, 5, 31), ProductionError.ERR_NOT_RECORDABLE), (date(2026, 6, 1), None)]
)
def test_not_before_the_first_day(day: date, error: ProductionError | None) -> None:
    assert error_of(day=day, now=datetime(2026, 6, 3, tzinfo=UTC)) is error


def test_the_oracle_records_until_the_key_is_bound() -> None:
    assert check_oracle(1, date(2026, 6, 19), RIGHT) is None
    refusal = check_oracle(1, date(2026, 6, 20), RIGHT)
    assert refusal is not None
    assert refusal.error is ProductionError.ERR_DEVICE_MUST_SIGN
    assert check_oracle(1, DAY, RIGHT.model_copy(update={"device_key": None})) is None


def test_a_message_counts_only_as_it_was_signed() -> None:
    message = DayMessage.sign(
        METER, DayReadings(DAY, 900, 0, (1, 2)), contract=CONTRACT, asset_id=1, key_epoch=3, chain_id=1
    )
    other = DayMessage.sign(
        PrivateKey.from_hex("22" * 32),
        DayReadings(DAY, 900, 0, (1, 2)),
        contract=CONTRACT,
        asset_id=1,
        key_epoch=3,
        chain_id=1,
    )
    assert check_message(message, RIGHT, contract=CONTRACT, chain_id=1) is None
    for wrong in (
        other,
        replace(message, whs=(1, 3)),
        replace(message, start=1),
        replace(message, asset_id=2),
        replace(message, key_epoch=2),
        replace(message, day=DAY + timedelta(days=1)),
        replace(message, chain_id=2),
        replace(message, contract=CONTRACT + "s"),
        replace(message, signature=bytes(65)),
    ):
        refusal = check_message(wrong, RIGHT, contract=CONTRACT, chain_id=1)
        assert refusal is not None, wrong
        assert refusal.error is ProductionError.ERR_INVALID_SIGNATURE
    for early in (
        RIGHT.model_copy(update={"key_from_day": DAY + timedelta(days=1)}),
        RIGHT.model_copy(update={"device_key": None}),
    ):
        refusal = check_message(message, early, contract=CONTRACT, chain_id=1)
        assert refusal is not None
        assert refusal.error is ProductionError.ERR_NO_DEVICE_KEY
