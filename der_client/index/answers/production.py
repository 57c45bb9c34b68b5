"""Production: energy of slots, days and months, and how much of a day is sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from der_client.contracts.production_tracking import DayState


@dataclass(frozen=True, slots=True)
class SlotEnergy:
    """A metering interval of a day with something recorded.

    Attributes:
        asset_id: The plant.
        day: Its day, UTC.
        slot: Its place in the day, from 0.
        start: When it begins.
        end: When it ends.
        wh: Its energy, Wh; ``None`` where it is not recorded, or only the sum of several slots is.
        recorded: Whether it is recorded.
        source: How it was recorded: by ``meter``, ``oracle`` or ``root``; ``None`` where it is not recorded.
        txid: The transaction that recorded it.
    """

    asset_id: int
    day: date
    slot: int
    start: datetime
    end: datetime
    wh: int | None
    recorded: bool
    source: str | None
    txid: str | None


@dataclass(frozen=True, slots=True)
class DayEnergy:
    """The production of a plant on a day.

    Attributes:
        asset_id: The plant.
        day: The day, UTC.
        state: Its state.
        wh: The energy recorded, Wh.
        slots_recorded: How many slots are recorded.
        slots_total: How many slots a day has.
        exported_wh: The energy that left through the grid meter, Wh; ``None`` where no feed is recorded.
        imported_wh: The energy that came in through the grid meter, Wh.
        feed_verified: Whether the feed is verified.
        deliverable_wh: What the day can deliver, Wh; ``None`` until it is known.
        sold_wh: The energy that is funded ahead or sold on the spot, Wh.
        retired_wh: The energy that the owner claimed, Wh.
    """

    asset_id: int
    day: date
    state: DayState
    wh: int
    slots_recorded: int
    slots_total: int
    exported_wh: int | None
    imported_wh: int | None
    feed_verified: bool | None
    deliverable_wh: int | None
    sold_wh: int
    retired_wh: int

    @property
    def complete(self) -> bool:
        """Whether all slots are recorded."""
        return self.slots_recorded == self.slots_total


@dataclass(frozen=True, slots=True)
class MonthEnergy:
    """The production of a plant in a month.

    Attributes:
        asset_id: The plant.
        month: The month's first day.
        wh: The energy recorded, Wh.
        verified_wh: The part of it on verified days, Wh.
        days_recorded: How many days have something recorded.
        days_verified: How many days are verified.
        sold_wh: The energy that is funded ahead or sold on the spot, Wh.
        retired_wh: The energy that the owner claimed, Wh.
    """

    asset_id: int
    month: date
    wh: int
    verified_wh: int
    days_recorded: int
    days_verified: int
    sold_wh: int
    retired_wh: int


@dataclass(frozen=True, slots=True)
class DayBookRow:
    """The energy of a day that is open, funded, sold and retired, Wh.

    Attributes:
        asset_id: The plant.
        day: The day, UTC.
        asset_epoch: The epoch in which the open sums are valid.
        forward_open_wh: Offered ahead.
        forward_funded_wh: Sold ahead.
        spot_open_wh: Offered after verification.
        spot_sold_wh: Sold after verification.
        retired_wh: Claimed by the owner.
        deliverable_wh: What the day can deliver; ``None`` until it is known.
    """

    asset_id: int
    day: date
    asset_epoch: int
    forward_open_wh: int
    forward_funded_wh: int
    spot_open_wh: int
    spot_sold_wh: int
    retired_wh: int
    deliverable_wh: int | None
