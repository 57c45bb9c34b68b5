"""Checks whether production-tracking would accept a recording, before a fee is spent on it.

These are the same checks in the same order as in the contract, on its own data: the asset's recording right and the
day's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from der_client.contracts.production_tracking import ProductionError
from der_client.readings.slots import (
    RECORDING_DAYS,
    day_at,
    day_start,
    describe_slots,
    plausible_limit_wh,
    slots_per_day,
)
from der_client.stacks.errors import SigningError, counted

if TYPE_CHECKING:
    from datetime import date, datetime

    from der_client.contracts.asset_verification import RecordingRight
    from der_client.contracts.production_tracking import ProductionDay
    from der_client.readings.signing import DayMessage


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the contract would not record something.

    Attributes:
        error: The error code that it would return.
        reason: The reason for people, with the values.
    """

    error: ProductionError
    reason: str


def check_message(message: DayMessage, right: RecordingRight, *, contract: str, chain_id: int) -> Refusal | None:
    """Check that the bound meter signed a message, for this contract and chain, with the key of that day.

    Args:
        message: The message to relay.
        right: The asset's recording right on that day.
        contract: Id of the production-tracking contract that will record it.
        chain_id: The chain id of its network.
    """
    if right.device_key is None:
        return Refusal(
            ProductionError.ERR_NO_DEVICE_KEY,
            f"asset {message.asset_id} has no device key on {message.day}: an oracle records that day",
        )
    for name, signed, wanted in (
        ("curve", message.curve.name, right.device_key.curve.name),
        ("contract", message.contract, contract),
        ("chain id", message.chain_id, chain_id),
        ("key epoch", message.key_epoch, right.key_epoch),
    ):
        if signed != wanted:
            return Refusal(
                ProductionError.ERR_INVALID_SIGNATURE,
                f"the meter signed for {name} {signed}, but asset {message.asset_id} is recorded with {wanted}",
            )
    try:
        message.verify(right.device_key.key)
    except SigningError as error:
        return Refusal(ProductionError.ERR_INVALID_SIGNATURE, str(error))
    return None


def check_oracle(asset_id: int, day: date, right: RecordingRight) -> Refusal | None:
    """Check that an oracle records a day, and not the meter."""
    if right.device_key is not None:
        return Refusal(
            ProductionError.ERR_DEVICE_MUST_SIGN,
            f"asset {asset_id} has a device key on {day}: only its meter's signature records that day",
        )
    return None


def check_slots(
    right: RecordingRight, row: ProductionDay | None, *, day: date, mask: int, wh: int, now: datetime
) -> Refusal | None:
    """Check that new slots of a day can be recorded now.

    Args:
        right: The asset's recording right on that day.
        row: What is recorded for the day; without the slots given.
        day: The day.
        mask: The new slots.
        wh: Their total energy, Wh.
        now: Chain time.
    """
    if not right.recordable:
        return Refusal(
            ProductionError.ERR_NOT_RECORDABLE,
            f"{day} cannot be recorded: the asset was not verified yet, or it was suspended or retired before",
        )
    if not 0 < mask < 1 << slots_per_day(right.slot_seconds):
        return Refusal(
            ProductionError.ERR_INVALID_SLOTS,
            f"slots {describe_slots(mask)} are given, but the asset's day has {slots_per_day(right.slot_seconds)} "
            f"slots of {right.slot_seconds} s",
        )
    return _check_time(right, day, mask, now) or _check_day(right, row, day, mask, wh)


def _check_time(right: RecordingRight, day: date, mask: int, now: datetime) -> Refusal | None:
    last_ends = day_start(day) + timedelta(seconds=mask.bit_length() * right.slot_seconds)
    if now < last_ends:
        return Refusal(
            ProductionError.ERR_SLOT_NOT_OVER,
            f"slot {mask.bit_length() - 1} of {day} is over at {last_ends:%Y-%m-%d %H:%M} UTC, and it is "
            f"{now:%Y-%m-%d %H:%M} on the chain",
        )
    last_day = day + timedelta(days=RECORDING_DAYS)
    if day_at(now) > last_day:
        return Refusal(
            ProductionError.ERR_RECORDING_CLOSED,
            f"{day} could be recorded until {last_day}, and it is {day_at(now)} on the chain",
        )
    return None


def _check_day(right: RecordingRight, row: ProductionDay | None, day: date, mask: int, wh: int) -> Refusal | None:
    recorded_mask, recorded_wh = (0, 0) if row is None else (row.mask, row.wh)
    if row is not None and row.state.is_final:
        return Refusal(ProductionError.ERR_DAY_FINAL, f"{day} is {row.state.name.lower()} for good")
    if twice := recorded_mask & mask:
        return Refusal(
            ProductionError.ERR_SLOT_ALREADY_RECORDED, f"slots {describe_slots(twice)} of {day} are recorded already"
        )
    capacity_w = right.capacity_w
    slot_count = (recorded_mask | mask).bit_count()
    limit_wh = plausible_limit_wh(slot_count, capacity_w, right.slot_seconds)
    if recorded_wh + wh > limit_wh:
        return Refusal(
            ProductionError.ERR_IMPLAUSIBLE_ENERGY,
            f"{recorded_wh + wh:,} Wh in {counted(slot_count, 'slot')} of {day} are more than the {limit_wh:,} Wh "
            f"(110 %) that {capacity_w:,} W can produce: check `unit` and the plant's capacity",
        )
    return None
