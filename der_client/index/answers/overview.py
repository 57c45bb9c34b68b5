"""What needs doing, and today's figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from der_client.index.answers.chain import Tip
from der_client.index.answers.system import LedgerRow
from der_client.index.table import Table


class AttentionKind(StrEnum):
    """What may need doing."""

    PAYMENT_DUE = "payment-due"
    DAY_DISPUTED = "day-disputed"
    READINGS_CONFLICT = "readings-conflict"
    SLOTS_MISSING = "slots-missing"
    DAY_UNVERIFIED = "day-unverified"
    FEED_UNVERIFIED = "feed-unverified"
    OFFER_EXPIRED = "offer-expired"
    OFFER_EXPIRING = "offer-expiring"
    ASSET_PENDING = "asset-pending"
    CONNECTION_REQUESTED = "connection-requested"


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that may need doing.

    Attributes:
        kind: Which kind it is.
        asset_id: The plant.
        day: The day.
        offer_id: The offer.
        payment_id: The payment.
        amount: Wh, missing slots, or money locked, by kind.
        token: The token of the money.
        until: When it will be too late.
        text: A sentence that says it.
    """

    kind: AttentionKind
    asset_id: int | None
    day: date | None
    offer_id: int | None
    payment_id: int | None
    amount: int | None
    token: str | None
    until: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Today's figures.

    Attributes:
        tip: How far the index has got.
        today: The chain's day, UTC.
        plants: How many plants there are.
        plants_verified: How many of them are verified.
        capacity_w: Rated power of the verified ones, W.
        recorded_today_wh: Today's energy, Wh.
        recorded_yesterday_wh: Yesterday's energy, Wh.
        verified_wh: Energy of all verified days, Wh.
        sold_wh: Energy sold over all days, Wh.
        open_offers: How many offers can be taken.
        open_wh: Their open energy, Wh.
        due_payments: How many payments can be settled or refunded now.
        money: What is locked, earned and owed, by token.
        attention: What may need doing.
    """

    tip: Tip
    today: date
    plants: int
    plants_verified: int
    capacity_w: int
    recorded_today_wh: int
    recorded_yesterday_wh: int
    verified_wh: int
    sold_wh: int
    open_offers: int
    open_wh: int
    due_payments: int
    money: Table[LedgerRow]
    attention: Table[Attention]
