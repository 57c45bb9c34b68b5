"""The checks before sending, at their limits: to the second and to the Wh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from der_client.contracts.asset_verification import DeviceKey, KeyCurve, RecordingRight
from der_client.contracts.production_tracking import DayState, ProductionDay, ProductionError
from der_client.readings import DayMessage, DayReadings
from der_client.recorder.admission import check_message, check_oracle, check_slots
from der_client.stacks.keys import PrivateKey

DAY = date(2026, 7, 1)
MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
METER = PrivateKey.from_hex("11" * 32)
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
RIGHT = RecordingRight(
    recordable=True,
    lost=False,
    slot_seconds=900,
    capacity_w=4000,
    device_key=DeviceKey(curve=KeyCurve.SECP256K1, key=METER.public_key.compressed_data),
    key_epoch=3,
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
def test_slots_must_be_within_the_day(mask: int, error: ProductionError | None) -> None:
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
def test_the_state_of_the_day_limits_what_can_be_recorded(
    row: ProductionDay | None, mask: int, wh: int, error: ProductionError | None
) -> None:
    assert error_of(mask, wh, row=row) is error


def test_days_outside_the_assets_lifetime_are_rejected() -> None:
    outside = RIGHT.model_copy(update={"recordable": False})
    refusal = check_slots(outside, None, day=DAY, mask=1, wh=0, now=LATER)
    assert refusal is not None
    assert refusal.error is ProductionError.ERR_NOT_RECORDABLE


def test_the_oracle_records_only_for_assets_without_a_device_key() -> None:
    refusal = check_oracle(1, DAY, RIGHT)
    assert refusal is not None
    assert refusal.error is ProductionError.ERR_DEVICE_MUST_SIGN
    assert check_oracle(1, DAY, RIGHT.model_copy(update={"device_key": None})) is None


def test_a_changed_message_has_an_invalid_signature() -> None:
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
        replace(message, signature=bytes(64)),
    ):
        refusal = check_message(wrong, RIGHT, contract=CONTRACT, chain_id=1)
        assert refusal is not None, wrong
        assert refusal.error is ProductionError.ERR_INVALID_SIGNATURE
    refusal = check_message(message, RIGHT.model_copy(update={"device_key": None}), contract=CONTRACT, chain_id=1)
    assert refusal is not None
    assert refusal.error is ProductionError.ERR_NO_DEVICE_KEY
