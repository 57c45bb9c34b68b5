"""``market-participation``: energy of a day offered for sale, taken, or retired, and sold only once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from der_client.contracts.grid_integration import GridIntegration
from der_client.contracts.units import EnergyContract, Ids, Model, Page, PriceUstxPerKwh, VersionedEvent
from der_client.stacks.contract import public, read_only
from der_client.stacks.contract.annotations import Day, FromCall, Principal, Timestamp, UInt
from der_client.stacks.contract.errors import Code, ErrorCode


class OfferState(Code):
    """State of an offer."""

    PENDING = 1
    ACCEPTED = 2
    COMPLETED = 3
    REJECTED = 4
    CANCELLED = 5
    EXPIRED = 6


class Offer(Model):
    """Energy offered for sale.

    Attributes:
        offer_id: Its id; 0 if it was not read by it.
        asset_id: Of which asset.
        day: Of which day, UTC.
        spot: Whether the day is verified (spot) or had not begun (forward).
        seller: The owner when the offer was made, who is paid.
        maker: Who made it: owner or operator.
        wh: The energy offered, Wh.
        open_wh: What is still open of it, Wh.
        price_ustx_per_kwh: The price, µSTX per kWh.
        min_fill_wh: The least energy that may be taken, unless it is all that is open, Wh.
        expires_at: When it expires, chain time.
        taker: Who alone may take it, if anybody is named.
        epoch: The asset's epoch when it was made.
        state: Its state.
        fills: How many times some of it was taken.
        unsettled_fills: How many of those payments are still locked.
    """

    offer_id: Annotated[int, FromCall("offer_id")] = 0
    asset_id: UInt
    day: Day
    spot: bool
    seller: Principal
    maker: Principal
    wh: UInt
    open_wh: UInt
    price_ustx_per_kwh: PriceUstxPerKwh
    min_fill_wh: UInt
    expires_at: Timestamp
    taker: Principal | None
    epoch: UInt
    state: OfferState
    fills: UInt
    unsettled_fills: UInt

    def cost_ustx(self, wh: int) -> int:
        """What so many Wh of the offer cost, µSTX, rounded up as the contract does."""
        return -(-wh * self.price_ustx_per_kwh // 1000)


class DayBook(Model):
    """What is open, funded, sold and retired of a day, Wh; the open sums count only in their epoch."""

    epoch: UInt
    forward_open_wh: UInt
    forward_funded_wh: UInt
    spot_open_wh: UInt
    spot_sold_wh: UInt
    retired_wh: UInt


class Quote(Model):
    """What taking some of an offer would cost now.

    Attributes:
        cost_ustx: µSTX to lock.
        before_wh: Energy funded ahead of it, which is delivered first, Wh.
        open_wh: What is open of the offer, Wh.
    """

    cost_ustx: UInt
    before_wh: UInt
    open_wh: UInt


class FillTerms(Model):
    """What ``settlement`` has to know of a fill."""

    asset_id: UInt
    day: Day
    spot: bool
    payee: Principal
    price_ustx_per_kwh: PriceUstxPerKwh
    before_wh: UInt


class MarketError(ErrorCode):
    """Errors of ``market-participation``."""

    ERR_NOT_SETTLEMENT = 4001, "only the settlement contract may do this: use accept_and_fund"
    ERR_NOT_SELLER = 4002, "only the owner or the operator of the asset may do this"
    ERR_NOT_ASSET_OWNER = 4003, "only the owner of the asset may do this"
    ERR_NOT_TAKER = 4004, "the offer names another taker"
    ERR_PAUSED = 4005, "nothing is offered or accepted while the contracts are paused"
    ERR_ASSET_NOT_FOUND = 4006, "no asset has this id"
    ERR_ASSET_NOT_VERIFIED = 4007, "the asset is not verified"
    ERR_TRANSFER_PROPOSED = 4008, "a transfer of the asset is proposed; accept or cancel it first"
    ERR_NOT_CONNECTED = 4009, "the asset is not connected to the grid"
    ERR_INVALID_ENERGY = 4010, "the energy must be 1 to 10^15 Wh"
    ERR_INVALID_PRICE = 4011, "the price must be 1 to 10^15 microSTX per kWh"
    ERR_BELOW_MIN_PRICE = 4012, "the owner set a higher price for his operator"
    ERR_INVALID_MIN_FILL = 4013, "the smallest fill must be within the offer and worth at least 1 microSTX"
    ERR_INVALID_EXPIRY = 4014, "an offer expires in the future, a forward one before its day begins"
    ERR_DAY_TOO_FAR = 4015, "a forward day is at most 366 days ahead"
    ERR_DAY_NOT_DELIVERABLE = 4016, "the day has begun and is not verified (and fed, where metered) yet"
    ERR_OVERSOLD = 4017, "more than is left of that day"
    ERR_OFFER_NOT_FOUND = 4018, "no offer has this id"
    ERR_OFFER_CLOSED = 4019, "nothing of the offer is open any more"
    ERR_OFFER_EXPIRED = 4020, "the offer has expired"
    ERR_OFFER_NOT_EXPIRED = 4021, "the offer has not expired yet"
    ERR_EPOCH_OVER = 4022, "owner or operator changed since: the offer is void"
    ERR_INVALID_FILL = 4023, "more than is open, or less than the smallest fill"
    ERR_SELF_TRADE = 4024, "seller and maker cannot take their own offer"
    ERR_DAY_BEFORE_CONNECTION = 4025, "the asset was not connected yet on that day: its energy can only be retired"


class ContractDeployed(VersionedEvent, topic="market-participation-deployed"):
    """The contract was deployed, with these settings."""

    max_forward_days: UInt
    max_price: UInt
    max_wh: UInt


class OfferCreated(VersionedEvent, topic="offer-created"):
    """Energy was offered."""

    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    spot: bool
    seller: Principal
    wh: UInt
    open_wh: UInt
    price_ustx_per_kwh: PriceUstxPerKwh
    min_fill_wh: UInt
    expires_at: Timestamp
    taker: Principal | None
    epoch: UInt
    state: OfferState


class OfferClosed(VersionedEvent, topic=""):
    """Base of the events that close what is open of an offer."""

    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    closed_wh: UInt
    open_wh: UInt
    state: OfferState


class OfferCancelled(OfferClosed, topic="offer-cancelled"):
    """Owner or operator took back what was open."""


class OfferRejected(OfferClosed, topic="offer-rejected"):
    """The named taker declined what was open."""


class OfferExpired(OfferClosed, topic="offer-expired"):
    """What was open has expired."""


class OfferAccepted(VersionedEvent, topic="offer-accepted"):
    """Some of an offer was taken and funded."""

    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    wh: UInt
    before_wh: UInt
    open_wh: UInt
    fills: UInt
    unsettled_fills: UInt
    state: OfferState


class OfferFillClosed(VersionedEvent, topic="offer-fill-closed"):
    """A fill of an offer was settled or refunded."""

    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    open_wh: UInt
    unsettled_fills: UInt
    state: OfferState


class EnergyRetired(VersionedEvent, topic="energy-retired"):
    """Energy was claimed for a beneficiary and can never be sold."""

    asset_id: UInt
    day: Day
    actor: Principal
    wh: UInt
    beneficiary: Principal
    day_retired_wh: UInt


class MarketParticipation(
    EnergyContract,
    name="market-participation",
    errors=MarketError,
    events=(
        ContractDeployed,
        OfferCreated,
        OfferCancelled,
        OfferRejected,
        OfferExpired,
        OfferAccepted,
        OfferFillClosed,
        EnergyRetired,
    ),
    callees=(GridIntegration,),
):
    """Energy offers: who sells what, of which day, at which price."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """What is left of a day that is oversold, what is open of an offer, or its state."""
        asset_id, day, offer_id = (arguments.get(name) for name in ("asset_id", "day", "offer_id"))
        if error is MarketError.ERR_OVERSOLD and asset_id is not None and day is not None:
            return f"{self.get_available(asset_id, day):,} Wh of {day} are available"
        if error not in (MarketError.ERR_OFFER_CLOSED, MarketError.ERR_INVALID_FILL) or offer_id is None:
            return ""
        offer = self.get_offer(offer_id)
        if offer is None:
            return ""
        return (
            f"offer {offer_id} is {offer.state.name.lower()}; {offer.open_wh:,} Wh of it are open, and the smallest "
            f"fill is {offer.min_fill_wh:,} Wh"
        )

    @read_only
    def get_offer(self, offer_id: UInt) -> Offer | None:
        """An offer, or ``None``."""

    @read_only
    def get_offers(self, offer_ids: Ids) -> Page[Offer]:
        """Up to 30 offers at once."""

    @read_only
    def get_offer_count(self) -> UInt:
        """How many offers were ever made; their ids begin at 1."""

    @read_only
    def get_day_book(self, asset_id: UInt, day: Day) -> DayBook | None:
        """The book of a day as its last change left it, or ``None``."""

    @read_only
    def get_available(self, asset_id: UInt, day: Day) -> UInt:
        """The energy (Wh) that is left of a day, for an offer or to be retired; 0 of a day that cannot be sold now.

        Whether an offer would be refused for another reason is not looked at: a pause, the states of asset and
        connection, a transfer under way. What is left of a day before the connection can be retired only.
        """

    @read_only
    def quote(self, offer_id: UInt, wh: UInt) -> Quote | None:
        """What taking so many Wh would cost now; ``None`` if the offer has not that much open."""

    @public
    def create_offer(
        self,
        asset_id: UInt,
        day: Day,
        wh: UInt,
        price_ustx_per_kwh: PriceUstxPerKwh,
        min_fill_wh: UInt,
        expires_at: Timestamp,
        taker: Principal | None = None,
    ) -> UInt:
        """Owner or operator: offer energy of a day that has not begun, or is verified; gives the offer's id.

        Args:
            asset_id: Of which asset.
            day: Of which day, UTC; a verified one no earlier than the asset was connected.
            wh: The energy, 1 to 10¹⁵ Wh.
            price_ustx_per_kwh: 1 to 10¹⁵ µSTX per kWh.
            min_fill_wh: The least energy that may be taken, Wh; worth at least 1 µSTX.
            expires_at: Chain time; for a forward offer no later than the day begins.
            taker: Who alone may take it; anybody if not given.
        """

    @public
    def cancel_offer(self, offer_id: UInt) -> bool:
        """Owner or operator: take back what is open."""

    @public
    def reject_offer(self, offer_id: UInt) -> bool:
        """Named taker: decline what is open."""

    @public
    def expire_offer(self, offer_id: UInt) -> bool:
        """Anyone: close what is open of an offer that has expired or is void."""

    @public
    def mark_accepted(self, offer_id: UInt, wh: UInt, buyer: Principal) -> FillTerms:
        """Settlement contract only; take offers with ``Settlement.accept_and_fund``."""

    @public
    def mark_completed(self, offer_id: UInt, closer: Principal) -> OfferState:
        """Settlement contract only."""

    @public
    def retire_energy(self, asset_id: UInt, day: Day, wh: UInt, beneficiary: Principal) -> bool:
        """Owner: claim energy (Wh) of a verified day for a beneficiary; it can never be sold.

        Also of an asset that was retired while it was verified, but not of one that was suspended then.
        """
