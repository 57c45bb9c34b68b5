"""Trade: offers, payments, statements and certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from der_client.contracts.asset_verification import AssetKind
from der_client.contracts.market_participation import OfferState
from der_client.contracts.settlement import PaymentState
from der_client.index.table import Table


@dataclass(frozen=True, slots=True)
class OfferRow:
    """Energy offered for sale; the fields of ``Offer``, and these.

    Attributes:
        asset_epoch: The plant's epoch when it was made.
        created_at: When it was made.
        created_txid: The transaction that made it.
        is_open: Whether some of it can be taken: something is open, it has not expired, and its epoch is the current
            one.
    """

    offer_id: int
    asset_id: int
    day: date
    spot: bool
    seller: str
    maker: str
    wh: int
    open_wh: int
    price_per_kwh: int
    min_fill_wh: int
    expires_at: datetime
    taker: str | None
    token: str | None
    asset_epoch: int
    state: OfferState
    fills: int
    unsettled_fills: int
    created_at: datetime
    created_txid: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """The money of one fill; the fields of ``Payment``, and these.

    Attributes:
        due: What anybody can do with it now: ``settle`` or ``refund``; ``None`` if nothing.
        funded_at: When its cost was locked.
        funded_txid: The transaction that locked it.
        closed_at: When it was settled, refunded or released.
        closed_txid: The transaction that closed it.
    """

    payment_id: int
    offer_id: int
    asset_id: int
    day: date
    spot: bool
    buyer: str
    payee: str
    token: str | None
    claimable: bool
    wh: int
    before_wh: int
    price_per_kwh: int
    fee_bps: int
    cost: int
    state: PaymentState
    delivered_wh: int
    payout: int
    fee: int
    refund: int
    claimed_wh: int
    due: str | None
    funded_at: datetime
    funded_txid: str
    closed_at: datetime | None
    closed_txid: str | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A payment in a statement.

    Attributes:
        payment_id: The payment.
        side: What the party did: ``bought`` or ``sold``.
        counterparty: The other side.
        asset_id: The plant that produced the energy.
        day: The day of production.
        token: The token of all amounts.
        state: Whether it is locked, settled or refunded.
        wh: The energy taken, Wh.
        delivered_wh: The energy delivered, Wh.
        price_per_kwh: The price of a kWh.
        cost: What the buyer locked.
        payout: What the seller got.
        fee: What the fee was.
        refund: What the buyer got back.
        amount: What the party has received so far, or, if negative, paid.
        funded_at: When the cost was locked.
        funded_txid: The transaction that locked it.
        closed_at: When it was settled or refunded.
        closed_txid: The transaction that closed it.
    """

    payment_id: int
    side: str
    counterparty: str
    asset_id: int
    day: date
    token: str | None
    state: PaymentState
    wh: int
    delivered_wh: int
    price_per_kwh: int
    cost: int
    payout: int
    fee: int
    refund: int
    amount: int
    funded_at: datetime
    funded_txid: str
    closed_at: datetime | None
    closed_txid: str | None


@dataclass(frozen=True, slots=True)
class StatementTotal:
    """Sums of a statement's lines.

    Attributes:
        side: ``bought`` or ``sold``.
        counterparty: The other party; ``None`` for all of them.
        token: The token of all amounts.
        payments: The number of lines.
        wh: The energy taken, Wh.
        delivered_wh: The energy delivered, Wh.
        cost: What the buyers locked.
        locked: The part of it that is still locked.
        payout: What the sellers got.
        fee: What the fees were.
        refund: What the buyers got back.
        amount: What the party has received so far, or, if negative, paid.
    """

    side: str
    counterparty: str | None
    token: str | None
    payments: int
    wh: int
    delivered_wh: int
    cost: int
    locked: int
    payout: int
    fee: int
    refund: int
    amount: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What a party bought and sold in a month, by day of production.

    Attributes:
        party: The party whose statement it is.
        month: The month's first day.
        lines: Each payment, by day.
        totals: Sums by side, token and counterparty, and over all counterparties.
        height: The block whose state it shows.
    """

    party: str
    month: date
    lines: Table[StatementLine]
    totals: Table[StatementTotal]
    height: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """Energy claimed for a beneficiary: by its buyer (a claim), or by the plant's owner (a retirement).

    Attributes:
        kind: ``claim`` or ``retirement``.
        id: Its number among those of its kind.
        asset_id: The plant.
        asset_kind: The plant's kind.
        day: The day, UTC.
        mask: The slots of the day that are recorded; slot 0 is the lowest bit.
        slots: The same as numbers.
        slot_seconds: Length of a slot, s.
        wh: The energy, Wh.
        beneficiary: For whom.
        purpose: What it was claimed for.
        claimant: Who claimed it.
        payment_id: The payment that bought the energy; ``None`` for a retirement.
        height: The block.
        time: The block's time.
        txid: The transaction.
        event_id: The place of its event among all events, from 1, by which lists are continued.
        event_index: The place of its event in the transaction.
        location: The plant's geohash.
        region: The grid operator's region.
        capacity_w: The plant's rated power now, W.
    """

    kind: str
    id: int
    asset_id: int
    asset_kind: AssetKind
    day: date
    mask: int
    slots: tuple[int, ...]
    slot_seconds: int
    wh: int
    beneficiary: str
    purpose: str
    claimant: str
    payment_id: int | None
    height: int
    time: datetime
    txid: str
    event_id: int
    event_index: int
    location: str
    region: str
    capacity_w: int
