"""The readings that a signed transaction carries, with the meter's signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from der_client.contracts.production_tracking import SignedDay
from der_client.stacks.clarity import encode
from der_client.stacks.contract.annotations import MaxLength
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.errors import DecodeError
from der_client.stacks.transactions import ContractCall

if TYPE_CHECKING:
    from datetime import date

    from der_client.stacks.transactions import Transaction

_DAYS: Final = Annotated[tuple[SignedDay, ...], MaxLength(20)]


@dataclass(frozen=True, slots=True)
class SignedReadings:
    """What a meter signed of a day.

    Attributes:
        asset_id: The plant.
        day: The day, UTC.
        start: The first slot.
        whs: Energy of the slots from there on, Wh.
        signature: 64 bytes, r and s.
    """

    asset_id: int
    day: date
    start: int
    whs: tuple[int, ...]
    signature: bytes

    @property
    def mask(self) -> int:
        """The slots; slot 0 is the lowest bit."""
        return ((1 << len(self.whs)) - 1) << self.start


def signed_recordings(transaction: Transaction, contract_id: str) -> list[SignedReadings] | None:
    """Return the readings in a direct call of ``record-day`` or ``record-days``; ``None`` if it is another transaction.

    Args:
        transaction: A decoded transaction.
        contract_id: The production-tracking contract.
    """
    payload = transaction.payload
    if not isinstance(payload, ContractCall) or payload.contract != contract_id:
        return None
    raw = [encode(argument) for argument in payload.arguments]
    try:
        if payload.function == "record-days":
            return [SignedReadings(**item.model_dump()) for item in codec_for(_DAYS).decode(raw[0])]
        if payload.function == "record-day":
            fields: dict[str, Any] = {
                name: codec_for(SignedDay.model_fields[name].rebuild_annotation()).decode(part)
                for name, part in zip(("asset_id", "day", "start", "whs", "signature"), raw, strict=True)
            }
            return [SignedReadings(**fields)]
    except (DecodeError, ValueError):
        return None
    return None
