"""What a day can deliver, and whether it ever will: the rules of ``grid-integration`` over rows of state."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, or_, tuple_

from der_client.contracts.asset_verification import AssetState
from der_client.contracts.production_tracking import DayState
from der_client.index.reading import Reader, table, within
from der_client.readings.slots import window_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

HOURS_PER_DAY: Final = 24
_CHUNK: Final = 300
_MOST_SINGLE: Final = 3_000
"""Above this number, days are read as a range, from the first to the last."""
_WIDEST: Final = 2
"""So they are where the range has at most so many times as many days as are wanted."""

DayKey = tuple[int, date]


class Deliveries:
    """What some plants can deliver on some days.

    Args:
        reader: The state.
        keys: The plants and days to read.
        among: A query of plants and days that has all of these: a large number of them is found faster by it than by
            name.
    """

    def __init__(self, reader: Reader, keys: Iterable[DayKey], among: Select[Any] | None = None) -> None:
        self._keys = set(keys)
        self._among = among
        assets = {asset_id for asset_id, _ in self._keys}
        self._assets = reader.by_asset("asset", assets)
        self._connections = reader.by_asset("connection", assets)
        self._caps = reader.by_asset("export_schedule", assets)
        self._days = self._of_days(reader, "day")
        self._feeds = self._of_days(reader, "feed")

    def _of_days(self, reader: Reader, name: str) -> dict[DayKey, Any]:
        if not self._keys:
            return {}
        history = table(name)
        if self._among is not None:
            rows = reader.rows(name, tuple_(history.c.asset_id, history.c.day).in_(self._among))
            return {(row.asset_id, row.day): row for row in rows}
        keys = sorted(self._keys)
        assets, days = {asset_id for asset_id, _ in keys}, [day for _, day in keys]
        in_range = len(assets) * ((max(days) - min(days)).days + 1)
        if len(keys) > _MOST_SINGLE or in_range <= _WIDEST * len(keys):
            these = history.c.asset_id.in_(sorted(assets)) if len(assets) <= _CHUNK else None
            rows = reader.rows(name, within(history.c.day, min(days), max(days)), these)
            return {(row.asset_id, row.day): row for row in rows if (row.asset_id, row.day) in self._keys}
        found: dict[DayKey, Any] = {}
        for first in range(0, len(keys), _CHUNK):
            by_asset = groupby(keys[first : first + _CHUNK], key=itemgetter(0))
            single = [
                and_(history.c.asset_id == asset_id, history.c.day.in_([day for _, day in own]))
                for asset_id, own in by_asset
            ]
            found |= {(row.asset_id, row.day): row for row in reader.rows(name, or_(*single))}
        return found

    def deliverable_wh(self, asset_id: int, day: date) -> int | None:
        """Return what a day can deliver, Wh; ``None`` until it is known."""
        row = self._days.get((asset_id, day))
        if row is None or row.state is not DayState.VERIFIED:
            return None
        if not self._is_metered(asset_id, day):
            return min(int(row.wh), self.cap_w(asset_id, day) * HOURS_PER_DAY)
        feed = self._feeds.get((asset_id, day))
        return min(int(row.wh), int(feed.exported_wh)) if feed is not None and feed.verified else None

    def is_undeliverable(self, asset_id: int, day: date, now: datetime) -> bool:
        """Return whether it will never be known what a day delivers.

        Args:
            asset_id: The plant.
            day: The day.
            now: Chain time.
        """
        row = self._days.get((asset_id, day))
        if row is not None and row.state is DayState.REJECTED:
            return True
        if row is None and self._is_lost(asset_id, day):
            return True
        return now >= window_end(day) and self.deliverable_wh(asset_id, day) is None

    def due(self, asset_id: int, day: date, now: datetime) -> str | None:
        """Return what anybody can do with a locked payment for a day: ``settle``, ``refund``, or nothing (``None``).

        Args:
            asset_id: The plant.
            day: The day.
            now: Chain time.
        """
        if self.deliverable_wh(asset_id, day) is not None:
            return "settle"
        return "refund" if self.is_undeliverable(asset_id, day, now) else None

    def cap_w(self, asset_id: int, day: date) -> int:
        """Return the most power that could be exported on a day, W."""
        row = self._caps.get(asset_id)
        caps = () if row is None else row.export_schedule
        return next((int(cap.cap_w) for cap in reversed(caps) if cap.from_day <= day), 0)

    def _is_metered(self, asset_id: int, day: date) -> bool:
        row = self._connections.get(asset_id)
        return row is not None and row.feed_metered and row.approved_day is not None and day >= row.approved_day

    def _is_lost(self, asset_id: int, day: date) -> bool:
        row = self._assets.get(asset_id)
        if row is None or row.state is not AssetState.RETIRED:
            return False
        return row.verified_day is None or (row.last_day is not None and day > row.last_day)
