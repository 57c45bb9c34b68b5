"""What may need doing, the most urgent first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, or_, select

from der_client.contracts.asset_verification import AssetState
from der_client.contracts.grid_integration import ConnectionState
from der_client.contracts.market_participation import OfferState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from der_client.index.answers import Attention, AttentionKind
from der_client.index.reading import same, table, where
from der_client.index.table import Table
from der_client.index.trade import due_payments
from der_client.readings.slots import RECORDING_DAYS, WINDOW_DAYS, day_end, slots_per_day, window_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.index.reading import Reader


def attention(
    reader: Reader, now: datetime | None, expiring_within: timedelta, asset_id: int | None = None
) -> Table[Attention]:
    """List what may need doing; see ``Index.attention``."""
    moment = now or reader.now
    if moment is None:
        return Table(Attention)
    today = moment.astimezone(UTC).date()
    return Table(
        Attention,
        [
            *_payments_due(reader, today, asset_id),
            *_days(reader, today, asset_id),
            *_feeds(reader, today, asset_id),
            *_offers(reader, moment, expiring_within, asset_id),
            *_waiting(reader, asset_id),
        ],
    )


def _item(kind: AttentionKind, text: str, **fields: Any) -> Attention:
    empty = dict.fromkeys(("asset_id", "day", "offer_id", "payment_id", "amount", "token", "until"))
    return Attention(kind=kind, text=text, **(empty | fields))


def _payments_due(reader: Reader, today: date, asset_id: int | None) -> Iterator[Attention]:
    payment, asset = table("payment"), table("asset")
    names = ("payment_id", "offer_id", "asset_id", "day", "state", "cost", "token")
    # The energy of a day to come can be lost only with its plant.
    query = where(
        reader.with_plant(select(*(payment.c[name] for name in names)), payment.c.asset_id),
        same(payment.c.asset_id, asset_id),
        reader.holds("payment"),
        payment.c.state == PaymentState.LOCKED,
        or_(payment.c.day <= today, asset.c.state == AssetState.RETIRED),
    )
    rows = reader.all(query.order_by(payment.c.payment_id))
    due = due_payments(reader, rows, among=query.with_only_columns(payment.c.asset_id, payment.c.day))
    for row in rows:
        if row.payment_id in due:
            yield _item(
                AttentionKind.PAYMENT_DUE,
                f"Payment {row.payment_id} can be {'settled' if due[row.payment_id] == 'settle' else 'refunded'}.",
                asset_id=row.asset_id,
                day=row.day,
                offer_id=row.offer_id,
                payment_id=row.payment_id,
                amount=row.cost,
                token=row.token,
            )


def _days(reader: Reader, today: date, asset_id: int | None) -> Iterator[Attention]:
    day = table("day")
    undecided = day.c.state.in_((DayState.RECORDED, DayState.DISPUTED))
    first = today - timedelta(days=WINDOW_DAYS + 1)
    rows = reader.rows("day", undecided, day.c.day < today, day.c.day >= first, same(day.c.asset_id, asset_id))
    slots = {of: slots_per_day(row.slot_seconds) for of, row in reader.by_asset("asset", asset_id).items()}
    for row in sorted(rows, key=lambda row: (row.day, row.asset_id)):
        whose = {"asset_id": row.asset_id, "day": row.day}
        missing = slots[row.asset_id] - row.mask.bit_count()
        if row.state is DayState.DISPUTED:
            yield _item(
                AttentionKind.DAY_DISPUTED,
                f"{row.day} of plant {row.asset_id} is disputed: an arbiter decides.",
                **whose,
                amount=row.wh,
                until=window_end(row.day),
            )
        elif missing and today <= row.day + timedelta(days=RECORDING_DAYS):
            yield _item(
                AttentionKind.SLOTS_MISSING,
                f"{missing} of {slots[row.asset_id]} slots are missing on {row.day} of plant {row.asset_id}.",
                **whose,
                amount=missing,
                until=day_end(row.day + timedelta(days=RECORDING_DAYS)),
            )
        else:
            yield _item(
                AttentionKind.DAY_UNVERIFIED,
                f"{row.day} of plant {row.asset_id} waits for verification.",
                **whose,
                amount=row.wh,
                until=window_end(row.day),
            )


def _feeds(reader: Reader, today: date, asset_id: int | None) -> Iterator[Attention]:
    """List feeds that are not verified, and those that exceed what the plant's own meter counted."""
    feed, day = table("feed"), table("day")
    same_day = and_(day.c.asset_id == feed.c.asset_id, day.c.day == feed.c.day, reader.holds("day"))
    query = where(
        select(feed, day.c.wh).outerjoin(day, same_day),
        reader.holds("feed"),
        feed.c.verified.is_(False),
        feed.c.day >= today - timedelta(days=WINDOW_DAYS + 1),
        same(feed.c.asset_id, asset_id),
    )
    for row in reader.all(query.order_by(feed.c.asset_id, feed.c.day)):
        whose = {"asset_id": row.asset_id, "day": row.day, "until": window_end(row.day)}
        if row.wh is not None and row.exported_wh > row.wh:
            yield _item(
                AttentionKind.READINGS_CONFLICT,
                f"On {row.day} the grid meter of plant {row.asset_id} counted {row.exported_wh:,} Wh out, "
                f"its own meter only {row.wh:,} Wh.",
                **whose,
                amount=row.exported_wh - row.wh,
            )
        else:
            yield _item(
                AttentionKind.FEED_UNVERIFIED,
                f"The feed of {row.day} of plant {row.asset_id} waits for verification.",
                **whose,
                amount=row.exported_wh,
            )


def _offers(reader: Reader, now: datetime, within: timedelta, asset_id: int | None) -> Iterator[Attention]:
    offer, asset = table("offer"), table("asset")
    over = or_(offer.c.expires_at <= now, offer.c.epoch < asset.c.epoch)
    query = where(
        reader.with_plant(select(offer, case((over, 1), else_=0).label("is_over")), offer.c.asset_id),
        same(offer.c.asset_id, asset_id),
        reader.holds("offer"),
        offer.c.state.in_((OfferState.PENDING, OfferState.ACCEPTED)),
        offer.c.open_wh > 0,
        or_(over, offer.c.expires_at <= now + within),
    )
    rows = reader.all(query.order_by(offer.c.offer_id))
    for row in (row for row in rows if row.is_over):
        yield _item(
            AttentionKind.OFFER_EXPIRED,
            f"Offer {row.offer_id} is over; anybody may expire it.",
            asset_id=row.asset_id,
            day=row.day,
            offer_id=row.offer_id,
            amount=row.open_wh,
            token=row.token,
        )
    for row in sorted((row for row in rows if not row.is_over), key=lambda row: row.expires_at):
        yield _item(
            AttentionKind.OFFER_EXPIRING,
            f"Offer {row.offer_id} expires at {row.expires_at:%Y-%m-%d %H:%M} UTC with {row.open_wh:,} Wh open.",
            asset_id=row.asset_id,
            day=row.day,
            offer_id=row.offer_id,
            amount=row.open_wh,
            token=row.token,
            until=row.expires_at,
        )


def _waiting(reader: Reader, asset_id: int | None) -> Iterator[Attention]:
    asset, connection = table("asset"), table("connection")
    for row in reader.rows("asset", asset.c.state == AssetState.PENDING, same(asset.c.asset_id, asset_id)):
        yield _item(AttentionKind.ASSET_PENDING, f"Plant {row.asset_id} waits for a registrar.", asset_id=row.asset_id)
    requested = connection.c.state == ConnectionState.REQUESTED
    for row in reader.rows("connection", requested, same(connection.c.asset_id, asset_id)):
        yield _item(
            AttentionKind.CONNECTION_REQUESTED,
            f"The grid connection of plant {row.asset_id} waits for the operator of region {row.region}.",
            asset_id=row.asset_id,
        )
