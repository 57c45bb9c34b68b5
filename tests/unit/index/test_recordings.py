"""The energy of slots from the arguments of calls: which slots were recorded, and which calls only look like it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pytest

from der_client.contracts.production_tracking import DayState, ProductionRecorded, SignedDay
from der_client.index.chain_data import ChainTransaction
from der_client.index.recordings import SlotEnergies, SlotsOfCall
from der_client.stacks.clarity import ErrValue, ListValue, OkValue, UIntValue, encode
from der_client.stacks.clarity.values import BoolValue
from der_client.stacks.contract.annotations import MaxLength, day_number_of
from der_client.stacks.contract.codecs import codec_for

DAY = date(2026, 7, 1)
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
OK, ERR = OkValue(BoolValue(True)), ErrValue(UIntValue(2014))


def call(function: str, arguments: list[bytes], result: Any = OK, contract_id: str = CONTRACT) -> SlotsOfCall:
    return SlotsOfCall(
        ChainTransaction(
            "00" * 32, 0, "ST", contract_id, function, tuple(arguments), "success", encode(result), 1, None
        )
    )


def uint(number: int) -> bytes:
    return encode(UIntValue(number))


def signed_day(*whs: int, start: int = 0, asset_id: int = 1) -> list[bytes]:
    values = ListValue(tuple(UIntValue(wh) for wh in whs))
    return [uint(asset_id), uint(day_number_of(DAY)), uint(start), encode(values), encode(values)]


def signed_days(*items: tuple[int, ...]) -> list[bytes]:
    days = tuple(SignedDay(asset_id=1, day=DAY, start=0, whs=whs, signature=bytes(64)) for whs in items)
    return [encode(codec_for(Annotated[tuple[SignedDay, ...], MaxLength(20)]).encode(days, "items"))]


def recorded(mask: int, wh: int, asset_id: int = 1, *, signed: bool = True) -> ProductionRecorded:
    return ProductionRecorded(
        asset_id=asset_id,
        day=DAY,
        actor="ST",
        signed=signed,
        mask=mask,
        wh=wh,
        day_mask=mask,
        day_wh=wh,
        root_id=None,
        state=DayState.RECORDED,
    )


def test_a_signed_day_has_its_slots() -> None:
    slots = call("record-day", signed_day(5, 7, start=3))
    assert slots.of(recorded(0b11000, 12)) == SlotEnergies(3, (5, 7))


def test_of_several_signed_days_only_the_recorded_ones_count() -> None:
    answers = OkValue(ListValue((ERR, OK)))
    slots = call("record-days", signed_days((1, 11), (2, 10)), answers)
    assert slots.of(recorded(0b11, 12)) == SlotEnergies(0, (2, 10))
    assert call("record-days", signed_days((1, 11)), ERR).of(recorded(0b11, 12)) is None


@pytest.mark.parametrize(
    ("mask", "wh", "asset_id"), [(0b110, 12, 1), (0b11, 13, 1), (0b11, 12, 2)], ids=["mask", "sum", "plant"]
)
def test_arguments_that_do_not_match_the_event_are_ignored(mask: int, wh: int, asset_id: int) -> None:
    assert call("record-day", signed_day(5, 7)).of(recorded(mask, wh, asset_id)) is None


def test_the_energy_of_a_single_slot_is_the_sum() -> None:
    slots = call("record-production", [uint(1), uint(1), uint(8), uint(30)])
    assert slots.of(recorded(0b1000, 30, signed=False)) == SlotEnergies(3, (30,))
    assert slots.of(recorded(0b1100, 30, signed=False)) is None


@pytest.mark.parametrize("arguments", [[], [b"\x01"], [uint(1)] * 5, [b"\xff" * 9] * 5], ids=len)
def test_malformed_arguments_of_a_contract_of_the_same_name_are_ignored(arguments: list[bytes]) -> None:
    assert call("record-day", arguments).of(recorded(0b11, 12)) is None
    assert call("record-days", arguments, OkValue(ListValue((OK,)))).of(recorded(0b11, 12)) is None


def test_calls_of_other_contracts_are_ignored() -> None:
    assert call("record-day", signed_day(5, 7), contract_id="ST.relay").of(recorded(0b11, 12)) is None
