"""The results of recording readings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from der_client.contracts.production_tracking import ProductionError
    from der_client.recorder.planning import Conflict


class RecordingStatus(StrEnum):
    """The result for the readings of a day."""

    RECORDED = "recorded"
    """Everything that was missing on the chain is recorded now."""
    REPEATED = "repeated"
    """All of it was already recorded with the same energy, except for rounding: nothing was sent."""
    UNCHECKED = "unchecked"
    """All of it was already recorded, but as a sum with other slots: nothing was sent, and it cannot be compared."""
    CONFLICTING = "conflicting"
    """Something is recorded with different energy: nothing was sent. Only a verifier can still change the day."""
    REFUSED = "refused"
    """The contract refused it, or would have: ``error`` is its code."""
    PENDING = "pending"
    """It was sent, and the outcome is not known yet."""
    NOT_RECORDED = "not recorded"
    """It was not recorded for an external reason: the node, the fee, another item of its batch."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The result for the readings of an asset's day.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots given.
        wh: Their energy, Wh.
        status: The status.
        recorded_mask: The slots that were recorded now.
        repeated_mask: The slots that were recorded before with the same energy.
        unchecked_mask: The slots that were recorded before, and whose energy cannot be compared.
        conflicts: What is recorded with different energy.
        error: The contract's error code, if it refused or would have.
        reason: The reason, for people; empty if all is well.
        txids: The transactions that were sent for it.
    """

    asset_id: int
    day: date
    mask: int
    wh: int
    status: RecordingStatus
    recorded_mask: int = 0
    repeated_mask: int = 0
    unchecked_mask: int = 0
    conflicts: tuple[Conflict, ...] = ()
    error: ProductionError | None = None
    reason: str = ""
    txids: tuple[str, ...] = ()

    @property
    def is_on_chain(self) -> bool:
        """Whether all of it is recorded with this energy, now or before."""
        return self.status in (RecordingStatus.RECORDED, RecordingStatus.REPEATED)


@dataclass(frozen=True, slots=True)
class RecorderReport:
    """The results for all readings of a call.

    Attributes:
        recordings: One for each that was given, in the same order.
        txids: All transactions that were sent.
        fees_ustx: The fees of those that were mined, µSTX.
    """

    recordings: tuple[Recording, ...]
    txids: tuple[str, ...]
    fees_ustx: int

    @property
    def problems(self) -> tuple[Recording, ...]:
        """Those that are not on the chain as given."""
        return tuple(recording for recording in self.recordings if not recording.is_on_chain)
