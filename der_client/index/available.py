"""What of a day can still be offered or retired: the rule of ``market-participation`` over rows of state."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.grid_integration import ConnectionState
from der_client.index.delivery import HOURS_PER_DAY, Deliveries
from der_client.index.reading import same, table

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Row

    from der_client.index.reading import Reader

MOST_FORWARD_DAYS: Final = 366
"""How far ahead energy can be offered (market-participation.clar)."""
_APPROVED: Final = frozenset(ConnectionState) - {ConnectionState.REQUESTED, ConnectionState.REJECTED}


def available_wh(reader: Reader, asset_id: int, day: date) -> int:
    """Return the energy of a day that can still be offered or retired; see ``Index.available``."""
    asset = reader.by_asset("asset", asset_id).get(asset_id)
    if asset is None or reader.now is None:
        return 0
    book = _book(reader, asset, day)
    today = reader.now.date()
    if day > today:
        connection = reader.by_asset("connection", asset_id).get(asset_id)
        is_early_enough = day <= today + timedelta(days=MOST_FORWARD_DAYS)
        if connection is None or connection.state not in _APPROVED or not is_early_enough:
            return 0
        cap_w = int(min(asset.capacity_w, connection.export_limit_w))
        return max(0, cap_w * HOURS_PER_DAY - book["forward_open_wh"] - book["forward_funded_wh"])
    deliverable_wh = Deliveries(reader, [(asset_id, day)]).deliverable_wh(asset_id, day) or 0
    left_wh = max(0, deliverable_wh - book["forward_funded_wh"])
    return max(0, left_wh - book["spot_open_wh"] - book["spot_sold_wh"] - book["retired_wh"])


def _book(reader: Reader, asset: Row[Any], day: date) -> dict[str, int]:
    """Return what is offered, sold and retired of a day; what an earlier owner or operator offered is not open."""
    books = table("day_book")
    rows = reader.rows("day_book", same(books.c.asset_id, asset.asset_id), same(books.c.day, day))
    names = ("forward_open_wh", "forward_funded_wh", "spot_open_wh", "spot_sold_wh", "retired_wh")
    book = {name: int(getattr(rows[0], name)) if rows else 0 for name in names}
    if rows and rows[0].epoch < asset.epoch:
        book |= {"forward_open_wh": 0, "spot_open_wh": 0}
    return book
