"""Annotations that the five contracts share: their bounds, and values that Clarity writes as bare numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeVar

from der_client.stacks.clarity import UINT, AsciiType, BufferType
from der_client.stacks.contract.annotations import (
    ClarityName,
    Conversion,
    MaxLength,
    UInt,
    day_number_of,
    day_of,
)
from der_client.stacks.contract.contract import Contract
from der_client.stacks.contract.events import Event
from der_client.stacks.contract.models import Model

T = TypeVar("T")

Region = Annotated[str, AsciiType(8)]
Geohash = Annotated[str, AsciiType(12)]
Reason = Annotated[str, AsciiType(64)]
Hash32 = Annotated[bytes, BufferType(32)]
DeviceKey = Annotated[bytes, BufferType(33)]
Signature = Annotated[bytes, BufferType(65)]
PriceUstxPerKwh = Annotated[UInt, ClarityName("price")]
Ids = Annotated[Sequence[UInt], MaxLength(30)]
Page = Annotated[tuple[T | None, ...], MaxLength(30)]


def _number_or_zero(day: date | None) -> int:
    return 0 if day is None else day_number_of(day)


def _day_or_none(number: int) -> date | None:
    return day_of(number) if number else None


DayOrNever = Annotated[date | None, Conversion(UINT, _number_or_zero, _day_or_none)]
"""A day that Clarity writes as u0 while it has not come: ``None`` in Python."""


class VersionedEvent(Event, version=1):
    """Base of the events of the five contracts, which carry a version."""


class EnergyContract(Contract):
    """Base of the five contracts. Their batches put the item that failed into the number of the error."""

    @classmethod
    def split_error_code(cls, code: int) -> tuple[int, int | None]:
        """Codes have four digits; behind one that a batch gives stand three more, the number of the item."""
        return divmod(code, 1000) if code >= 1_000_000 else (code, None)


__all__ = [
    "DayOrNever",
    "DeviceKey",
    "EnergyContract",
    "Geohash",
    "Hash32",
    "Ids",
    "Model",
    "Page",
    "PriceUstxPerKwh",
    "Reason",
    "Region",
    "Signature",
    "VersionedEvent",
]
