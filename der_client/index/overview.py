"""Today's figures in one result."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from der_client.contracts.asset_verification import AssetState
from der_client.contracts.production_tracking import DayState
from der_client.index import trade
from der_client.index.answers import Overview, Tip
from der_client.index.attention import attention
from der_client.index.reading import table

if TYPE_CHECKING:
    from der_client.index.reading import Reader


def overview(reader: Reader, tip: Tip, now: datetime, expiring_within: timedelta) -> Overview:
    """Return today's figures; see ``Index.overview``."""
    found = reader.rows("asset")
    verified = [plant for plant in found if plant.state is AssetState.VERIFIED]
    today = now.astimezone(UTC).date()
    day, book = table("day"), table("day_book")
    recent = (
        select(day.c.day, func.sum(day.c.wh).label("wh"))
        .where(reader.holds("day"), day.c.day.in_((today, today - timedelta(days=1))))
        .group_by(day.c.day)
    )
    by_day: dict[date, int] = {row.day: int(row.wh) for row in reader.all(recent)}
    verified_wh = select(func.coalesce(func.sum(day.c.wh), 0)).where(day.c.state == DayState.VERIFIED)
    sold = select(func.coalesce(func.sum(book.c.forward_funded_wh + book.c.spot_sold_wh), 0))
    open_offers, open_wh = trade.open_offer_sums(reader)
    items = attention(reader, now, expiring_within)
    return Overview(
        tip=tip,
        today=today,
        plants=len(found),
        plants_verified=len(verified),
        capacity_w=sum(plant.capacity_w for plant in verified),
        recorded_today_wh=by_day.get(today, 0),
        recorded_yesterday_wh=by_day.get(today - timedelta(days=1), 0),
        verified_wh=int(reader.connection.execute(verified_wh.where(reader.holds("day"))).scalar_one()),
        sold_wh=int(reader.connection.execute(sold.where(reader.holds("day_book"))).scalar_one()),
        open_offers=open_offers,
        open_wh=open_wh,
        due_payments=sum(item.payment_id is not None for item in items),
        money=trade.ledger(reader),
        attention=items,
    )
