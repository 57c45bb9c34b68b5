"""What became of readings that were to be recorded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from der_client.contracts.production_tracking import ProductionError
    from der_client.recorder.planning import Conflict


class RecordingStatus(StrEnum):
    """What became of the readings of a day."""

    RECORDED = "recorded"
    """All that was missing on the chain is recorded now."""
    REPEATED = "repeated"
    """All of it was recorded before, with the same energy, but for rounding: nothing was sent."""
    UNCHECKED = "unchecked"
    """All of it was recorded before, but only together with other slots: nothing was sent, and nothing can be said."""
    CONFLICTING = "conflicting"
    """Something is recorded with other energy: nothing was sent. Only a verifier can still change the day."""
    REFUSED = "refused"
    """The contract refused it, or would have: ``error`` is its code."""
    PENDING = "pending"
    """It was sent, and the outcome is not known yet."""
    NOT_RECORDED = "not recorded"
    """It was not recorded for a reason that is not its own: the node, the fee, another item of its batch."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of the readings of an asset's day.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots given.
        wh: Their energy, Wh.
        status: What became of them.
        recorded_mask: The slots that were recorded now.
        repeated_mask: The slots that were recorded before with the same energy.
        unchecked_mask: The slots that were recorded before, and whose energy cannot be compared.
        conflicts: What is recorded with other energy.
        error: The contract's code, where it refused or would have.
        reason: Why, for people; empty if all is well.
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
    """What became of all readings of a call.

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
