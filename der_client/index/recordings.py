"""The energy of each slot that a call recorded: the events have only the sum, but a signed call has each slot.

``record-day`` and ``record-days`` carry the slots of each day. An oracle's recording of one slot has its energy as the
sum. For all others (an oracle's recording of several slots, a leaf of a root, a relay by another contract), only the
sum is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from der_client.contracts.production_tracking import ProductionRecorded, ProductionTracking, SignedDay
from der_client.stacks.contract.annotations import Day, MaxLength, Response, UInt
from der_client.stacks.contract.codecs import codec_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from der_client.index.chain_data import ChainTransaction
    from der_client.stacks.contract.codecs import Codec

_OK: Final = 0x07
_WHS: Final = Annotated[tuple[UInt, ...], MaxLength(96)]
_SIGNED_DAYS: Final = Annotated[tuple[SignedDay, ...], MaxLength(20)]
_ANSWERS: Final = Annotated[tuple[Response[bool], ...], MaxLength(20)]


@dataclass(frozen=True, slots=True)
class SlotEnergies:
    """The energy of slots that follow each other.

    Attributes:
        first_slot: The first of them.
        whs: Their energies, Wh.
    """

    first_slot: int
    whs: tuple[int, ...]

    @property
    def mask(self) -> int:
        """The slots as a mask."""
        return ((1 << len(self.whs)) - 1) << self.first_slot


class SlotsOfCall:
    """The slots that a call to ``production-tracking`` carried.

    Args:
        transaction: The call.
    """

    def __init__(self, transaction: ChainTransaction) -> None:
        self._carried: dict[tuple[int, date, int], SlotEnergies] = {}
        contract_id = transaction.contract_id or ""
        if contract_id.partition(".")[2] != ProductionTracking.name:
            return
        try:
            if transaction.function == "record-day":
                self._add(*_read_day(transaction.arguments))
            elif transaction.function == "record-days":
                for item in _read_days(transaction.arguments, transaction.result):
                    self._add(item.asset_id, item.day, SlotEnergies(item.start, item.whs))
        except (ValueError, IndexError):
            self._carried.clear()  # a contract with the same name, but another one; its events do not say so either

    def _add(self, asset_id: int, day: date, energies: SlotEnergies) -> None:
        self._carried[asset_id, day, energies.mask] = energies

    def of(self, event: ProductionRecorded) -> SlotEnergies | None:
        """Return the energies of the slots that an event counts, or ``None`` if only their sum is known."""
        carried = self._carried.get((event.asset_id, event.day, event.mask))
        if carried is not None and sum(carried.whs) == event.wh:
            return carried
        if event.mask.bit_count() == 1:
            return SlotEnergies(event.mask.bit_length() - 1, (event.wh,))
        return None


def _read_day(arguments: Sequence[bytes]) -> tuple[int, date, SlotEnergies]:
    asset_id, day, start, whs = (
        _codec(kind).decode(raw) for kind, raw in zip(("uint", "day", "uint", "whs"), arguments[:4], strict=True)
    )
    return asset_id, day, SlotEnergies(start, tuple(whs))


def _read_days(arguments: Sequence[bytes], result: bytes) -> list[SignedDay]:
    """Return the days that were recorded; one that fails in a batch changes nothing."""
    if result[:1] != bytes((_OK,)):
        return []
    items = _codec("days").decode(arguments[0])
    answers = _codec("answers").decode(result[1:])
    return [item for item, answer in zip(items, answers, strict=False) if answer.is_ok]


@cache
def _codec(kind: str) -> Codec:
    kinds: dict[str, Any] = {"uint": UInt, "day": Day, "whs": _WHS, "days": _SIGNED_DAYS, "answers": _ANSWERS}
    return codec_for(kinds[kind])
