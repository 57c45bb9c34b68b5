"""Annotations that the five contracts share: their bounds, and values that Clarity writes as bare numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeVar

from der_client.stacks.clarity import UINT, AsciiType, BufferType
from der_client.stacks.contract.annotations import (
    ClarityName,
    Conversion,
    Day,
    MaxLength,
    UInt,
    day_number_of,
    day_of,
)
from der_client.stacks.contract.events import Event
from der_client.stacks.contract.models import Model

T = TypeVar("T")

Region = Annotated[str, AsciiType(8)]
Geohash = Annotated[str, AsciiType(12)]
Reason = Annotated[str, AsciiType(64)]
Hash32 = Annotated[bytes, BufferType(32)]
Key33 = Annotated[bytes, BufferType(33)]
Signature = Annotated[bytes, BufferType(64)]
PricePerKwh = Annotated[UInt, ClarityName("price")]
Purpose = Annotated[str, AsciiType(64)]
PAGE = 30
"""How many items of a kind the contracts return at once."""
Ids = Annotated[Sequence[UInt], MaxLength(PAGE)]
Page = Annotated[tuple[T | None, ...], MaxLength(PAGE)]


def _number_or_zero(day: date | None) -> int:
    return 0 if day is None else day_number_of(day)


def _day_or_none(number: int) -> date | None:
    return day_of(number) if number else None


DayOrNever = Annotated[date | None, Conversion(UINT, _number_or_zero, _day_or_none)]
"""A day that is u0 in Clarity until it is set: ``None`` in Python."""


class VersionedEvent(Event, version=1):
    """Base of the events of the five contracts, which carry a version."""


class AssetDay(Model):
    """A day of an asset."""

    asset_id: UInt
    day: Day


__all__ = [
    "PAGE",
    "AssetDay",
    "DayOrNever",
    "Geohash",
    "Hash32",
    "Ids",
    "Key33",
    "Model",
    "Page",
    "PricePerKwh",
    "Purpose",
    "Reason",
    "Region",
    "Signature",
    "VersionedEvent",
]
