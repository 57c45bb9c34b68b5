"""The chain's data on the days to be recorded: rights, rows, and if needed, the single recordings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.production_tracking import ProductionRecorded
from der_client.contracts.units import AssetDay
from der_client.recorder.planning import DayPlan, RecordedPart, plan_day
from der_client.stacks.contract.events import read_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from der_client.contracts.asset_verification import AssetVerification, RecordingRight
    from der_client.contracts.production_tracking import ProductionDay, ProductionTracking
    from der_client.readings.days import MeteredDay
    from der_client.stacks.rpc.responses import ContractLogEvent

_PAGE: Final = 30
"""How many items a read asks for at once; a node stops a read after 100 lookups."""
MAX_EVENTS: Final = 10_000
"""How many events are searched for single recordings, newest first."""

DayKey = tuple["int", "date"]


class ChainDays:
    """Reads the data on some days, in pages, once.

    Args:
        assets: The register.
        production: The recordings.
        keys: The days, each of an asset.

    Attributes:
        now: Chain time.

    Raises:
        NodeError: If the node is down or responds with something else.
    """

    def __init__(self, assets: AssetVerification, production: ProductionTracking, keys: Iterable[DayKey]) -> None:
        self._production = production
        unique = sorted(set(keys))
        self.now: datetime = production.client.block("latest").block_time
        self._rights: dict[DayKey, RecordingRight | None] = {}
        self._rows: dict[DayKey, ProductionDay | None] = {}
        for page in _pages(unique):
            asked = [AssetDay(asset_id=asset_id, day=day) for asset_id, day in page]
            self._rights.update(zip(page, assets.get_recording_rights(asked), strict=True))
            self._rows.update(zip(page, production.get_days(asked), strict=True))
        self._parts: defaultdict[DayKey, list[RecordedPart]] = defaultdict(list)
        self._logs: Iterator[ContractLogEvent] | None = None
        self._logs_left = MAX_EVENTS

    def right(self, key: DayKey) -> RecordingRight | None:
        """Return the right to record a day of an asset; ``None`` if there is no such asset."""
        return self._rights[key]

    def row(self, key: DayKey) -> ProductionDay | None:
        """Return what is recorded for a day; ``None`` if nothing."""
        return self._rows[key]

    def compare(self, asset_id: int, metered: MeteredDay) -> DayPlan:
        """Compare readings with what is recorded.

        The row has the total energy of all slots, including adjustments. So if it does not show at once that everything
        is the same, the single recordings are looked up among the contract's events.

        Raises:
            NodeError: If the events could not be read.
        """
        key = asset_id, metered.day
        row = self._rows[key]
        if row is None:
            return plan_day(metered, ())
        recorded = metered.only(row.mask & metered.mask)
        whole = RecordedPart(row.mask, row.wh)
        if not recorded.mask or (recorded.mask == row.mask and recorded.wh == row.wh):
            return plan_day(metered, (whole,))
        return plan_day(metered, self.parts(key))

    def parts(self, key: DayKey) -> tuple[RecordedPart, ...]:
        """Return the single recordings of a day, as they were before any adjustment, by their first slot.

        What is recorded but not found among the newest events is one part of unknown energy.
        """
        row = self._rows[key]
        missing = 0 if row is None else row.mask & ~_mask_of(self._parts[key])
        while missing and (log := self._next_log()) is not None:
            event = read_event(log.raw_value, _MODELS)
            if isinstance(event, ProductionRecorded):
                self._parts[event.asset_id, event.day].append(RecordedPart(event.mask, event.wh))
                missing &= ~event.mask if (event.asset_id, event.day) == key else ~0
        rest = [RecordedPart(missing)] if missing else []
        return tuple(sorted((*self._parts[key], *rest), key=lambda part: part.mask & -part.mask))

    def _next_log(self) -> ContractLogEvent | None:
        if self._logs is None:
            self._logs = self._production.client.iter_contract_logs(self._production.contract_id)
        self._logs_left -= 1
        return next(self._logs, None) if self._logs_left >= 0 else None


_MODELS: Final = (ProductionRecorded,)


def _mask_of(parts: Iterable[RecordedPart]) -> int:
    mask = 0
    for part in parts:
        mask |= part.mask
    return mask


def _pages(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(things), _PAGE):
        yield things[first : first + _PAGE]
