"""What an index answers: frozen rows. Energy in Wh, power in W, times in UTC, money in the smallest unit of its token.

A token is the id of its contract, and ``None`` for STX, whose smallest unit is the µSTX.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from der_client.contracts.asset_verification import Asset, AssetChange, AssetKind, AssetState, Role
from der_client.contracts.grid_integration import Connection, ConnectionState, ExportCap
from der_client.contracts.market_participation import OfferState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from der_client.index.table import Table


@dataclass(frozen=True, slots=True)
class Tip:
    """How far an index is.

    Attributes:
        height: The newest block that it knows.
        block_hash: That block's hash.
        block_time: That block's time.
        events: How many events it has.
        deployer: The address that deployed the contracts.
        network_id: The network's chain id.
    """

    height: int
    block_hash: str
    block_time: datetime
    events: int
    deployer: str
    network_id: int


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant, with its connection and what it produced.

    Attributes:
        asset_id: Its id.
        kind: Its kind.
        state: Its state.
        owner: Who owns it.
        operator: Who else may trade for it.
        region: The grid operator's region.
        location: Its geohash.
        capacity_w: Rated power, W.
        slot_seconds: Length of a metering interval, s.
        has_device_key: Whether a meter signs its readings.
        connection: The state of its grid connection; ``None`` if none was requested.
        export_limit_w: The most power that may be exported, W.
        feed_metered: Whether the exported energy is metered.
        recorded_wh: Energy recorded over all days, Wh.
        verified_wh: Of it, energy of verified days, Wh.
        first_day: The first day of which something is recorded.
        last_day: The last day of which something is recorded.
        registered_at: When it was registered.
        asset_epoch: Goes up when owner or operator change.
    """

    asset_id: int
    kind: AssetKind
    state: AssetState
    owner: str
    operator: str | None
    region: str
    location: str
    capacity_w: int
    slot_seconds: int
    has_device_key: bool
    connection: ConnectionState | None
    export_limit_w: int | None
    feed_metered: bool
    recorded_wh: int
    verified_wh: int
    first_day: date | None
    last_day: date | None
    registered_at: datetime
    asset_epoch: int


@dataclass(frozen=True, slots=True)
class Held:
    """A value of a plant, and from when to when it held.

    Attributes:
        value: The value as text; ``None`` where there was none.
        from_height: The block from which on it held.
        from_time: That block's time.
        to_height: The block from which on it held no more; ``None`` while it holds.
        to_time: That block's time.
        txid: The transaction that changed it to this.
    """

    value: str | None
    from_height: int
    from_time: datetime
    to_height: int | None
    to_time: datetime | None
    txid: str


@dataclass(frozen=True, slots=True)
class PlantDetail:
    """All about one plant.

    Attributes:
        plant: The plant.
        asset: As the contract has it.
        connection: As the contract has it.
        change: The change of capacity or key that waits for a registrar.
        export_schedule: The export caps, oldest first.
        owners: Who owned it, oldest first; so all that follow.
        operators: Who traded for its owner.
        keys: Its meter's keys, as ``p256:02ab…``.
        states: Its states.
        capacities: Its rated power, W.
    """

    plant: Plant
    asset: Asset
    connection: Connection | None
    change: AssetChange | None
    export_schedule: tuple[ExportCap, ...]
    owners: tuple[Held, ...]
    operators: tuple[Held, ...]
    keys: tuple[Held, ...]
    states: tuple[Held, ...]
    capacities: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class SlotEnergy:
    """A metering interval of a day on which something is recorded.

    Attributes:
        asset_id: Of which plant.
        day: Its day, UTC.
        slot: Its place in the day, from 0.
        start: When it begins.
        end: When it ends.
        wh: Its energy, Wh; ``None`` where it is not recorded, or only the sum of several slots is.
        recorded: Whether it is recorded.
        source: Who recorded it: ``meter``, ``oracle`` or ``root``; ``None`` where it is not recorded.
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
        exported_wh: What passed the grid meter outwards, Wh; ``None`` where no feed is recorded.
        imported_wh: What passed the grid meter inwards, Wh.
        feed_verified: Whether the feed is verified.
        deliverable_wh: What the day can deliver, Wh; ``None`` until it is known.
        sold_wh: What is funded ahead and sold on the spot, Wh.
        retired_wh: What the owner claimed, Wh.
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
        verified_wh: Of it, energy of verified days, Wh.
        days_recorded: How many days have something recorded.
        days_verified: How many days are verified.
        sold_wh: What is funded ahead and sold on the spot, Wh.
        retired_wh: What the owner claimed, Wh.
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
class OfferRow:
    """Energy offered for sale; the fields of ``Offer``, and these.

    Attributes:
        asset_epoch: The plant's epoch when it was made.
        created_at: When it was made.
        created_txid: In which transaction.
        is_open: Whether some of it can be taken: something is open, it has not expired, and its epoch is not over.
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
        funded_txid: In which transaction.
        closed_at: When it was settled, refunded or released.
        closed_txid: In which transaction.
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
        asset_id: Whose energy.
        day: Of which day.
        token: Of all amounts.
        state: Whether it is locked, settled or refunded.
        wh: The energy taken, Wh.
        delivered_wh: The energy delivered, Wh.
        price_per_kwh: The price of a kWh.
        cost: What the buyer locked.
        payout: What the seller got.
        fee: What the fee was.
        refund: What the buyer got back.
        amount: What came in (or, negative, went out) for the party so far.
        funded_at: When the cost was locked.
        funded_txid: In which transaction.
        closed_at: When it was settled or refunded.
        closed_txid: In which transaction.
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
        counterparty: With whom; ``None`` with all.
        token: Of all amounts.
        payments: How many lines.
        wh: The energy taken, Wh.
        delivered_wh: The energy delivered, Wh.
        cost: What the buyers locked.
        locked: Of it, what is still locked.
        payout: What the sellers got.
        fee: What the fees were.
        refund: What the buyers got back.
        amount: What came in (or, negative, went out) for the party so far.
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
    """What a party bought and sold of the days of a month.

    Attributes:
        party: Whose statement.
        month: The month's first day.
        lines: Each payment, by day.
        totals: Sums per side, token and counterparty, and with all of them.
        height: The block as of which it is.
    """

    party: str
    month: date
    lines: Table[StatementLine]
    totals: Table[StatementTotal]
    height: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """Energy claimed for a beneficiary: by who bought it (a claim), or by the plant's owner (a retirement).

    Attributes:
        kind: ``claim`` or ``retirement``.
        id: Its number, among its kind.
        asset_id: The plant.
        asset_kind: The plant's kind.
        day: The day, UTC.
        mask: The slots of the day that are recorded; slot 0 is the lowest bit.
        slots: The same as numbers.
        slot_seconds: Length of a slot, s.
        wh: The energy, Wh.
        beneficiary: For whom.
        purpose: What for.
        claimant: Who claimed it.
        payment_id: The payment it was bought by; ``None`` for a retirement.
        height: The block.
        time: The block's time.
        txid: The transaction.
        event_id: The place of its event among all events, from 1; lists go on after one.
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


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that a contract printed.

    Attributes:
        id: Its place among all events, from 1; lists go on after one.
        height: The block.
        time: The block's time.
        txid: The transaction.
        event_index: Its place among the transaction's events.
        contract: The contract's name.
        topic: Its topic.
        asset_id: The plant, if it names one.
        day: The day, if it names one.
        offer_id: The offer, if it names one.
        payment_id: The payment, if it names one.
        actor: Who caused it, if it says so.
        fields: All that was printed, by name, as JSON can have it.
    """

    id: int
    height: int
    time: datetime
    txid: str
    event_index: int
    contract: str
    topic: str
    asset_id: int | None
    day: date | None
    offer_id: int | None
    payment_id: int | None
    actor: str | None
    fields: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A transaction in which the contracts printed something.

    Attributes:
        txid: Its id.
        height: The block.
        time: The block's time.
        sender: Who sent it.
        contract_id: The contract that it called or published.
        function: The function that it called.
        status: What became of it.
        result: Its result as Clarity writes it.
        fee_ustx: Its fee, µSTX.
        read_count: How often it read; ``None`` where the API does not say, as all that follow.
        write_count: How often it wrote.
        runtime: Its runtime cost.
        events: How many events of the contracts it has.
    """

    txid: str
    height: int
    time: datetime
    sender: str
    contract_id: str | None
    function: str | None
    status: str
    result: str
    fee_ustx: int
    read_count: int | None
    write_count: int | None
    runtime: int | None
    events: int


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
        kind: What it is.
        asset_id: Of which plant.
        day: Of which day.
        offer_id: Of which offer.
        payment_id: Of which payment.
        amount: Wh, missing slots, or money locked, by kind.
        token: Of the money.
        until: When it is too late.
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
class DayBookRow:
    """What of a day is open, funded, sold and retired, Wh.

    Attributes:
        asset_id: The plant.
        day: The day, UTC.
        asset_epoch: In which the open sums count.
        forward_open_wh: Offered ahead.
        forward_funded_wh: Sold ahead.
        spot_open_wh: Offered of what is verified.
        spot_sold_wh: Sold of what is verified.
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


@dataclass(frozen=True, slots=True)
class Credit:
    """What a party can withdraw of a token, in its smallest unit."""

    party: str
    token: str
    amount: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the settlement contract owes in a token, or in µSTX.

    Attributes:
        token: The token; ``None`` for STX.
        escrow: Locked in payments.
        fees: Earned and not withdrawn.
        credits: What parties can withdraw.
    """

    token: str | None
    escrow: int
    fees: int
    credits: int


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role that somebody has.

    Attributes:
        role: The role.
        principal: Who has it.
        region: Where; empty for roles without a region.
        since_height: The block that granted it.
    """

    role: Role
    principal: str
    region: str
    since_height: int


@dataclass(frozen=True, slots=True)
class System:
    """The settings of the contracts.

    Attributes:
        contract_owner: Who owns them.
        proposed_contract_owner: Who is proposed as the next owner.
        paused: Whether new exposure is stopped.
        fee_bps: The fee of payments funded now, basis points; ``None`` before settlement is deployed.
        next_fee_bps: The announced fee.
        next_from: From when on the announced fee holds; ``None`` if none was announced.
        tokens: The tokens that offers may be priced in, beside STX.
    """

    contract_owner: str
    proposed_contract_owner: str | None
    paused: bool
    fee_bps: int | None
    next_fee_bps: int | None
    next_from: datetime | None
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of today.

    Attributes:
        tip: How far the index is.
        today: The chain's day, UTC.
        plants: How many plants there are.
        plants_verified: Of them, how many are verified.
        capacity_w: Rated power of the verified ones, W.
        recorded_today_wh: Energy of today, Wh.
        recorded_yesterday_wh: Energy of yesterday, Wh.
        verified_wh: Energy of all verified days, Wh.
        sold_wh: Energy sold of all days, Wh.
        open_offers: How many offers can be taken.
        open_wh: What is open of them, Wh.
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
