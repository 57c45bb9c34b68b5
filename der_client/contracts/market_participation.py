"""``market-participation``: energy of a day offered for sale, taken, or retired, and sold only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from der_client.contracts.grid_integration import GridIntegration
from der_client.contracts.series import CallSeries, require_items
from der_client.contracts.units import AssetDay, Ids, Model, Page, PricePerKwh, Purpose, VersionedEvent
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import Day, FromCall, MaxLength, Principal, Response, Timestamp, UInt
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
        asset_id: The asset.
        day: The day of production, UTC.
        spot: Whether the day is verified (spot) or had not begun (forward).
        seller: The owner when the offer was made, who is paid.
        maker: Who made it: owner or operator.
        wh: The energy offered, Wh.
        open_wh: How much of it is still open, Wh.
        price_per_kwh: The price of a kWh, in µSTX or the smallest unit of the token.
        min_fill_wh: The least energy that may be taken, unless it is all that is open, Wh.
        expires_at: When it expires, chain time.
        taker: The only one who may take it, if anybody is named.
        token: The SIP-010 token it is priced in; ``None`` for STX.
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
    price_per_kwh: PricePerKwh
    min_fill_wh: UInt
    expires_at: Timestamp
    taker: Principal | None
    token: Principal | None
    epoch: UInt
    state: OfferState
    fills: UInt
    unsettled_fills: UInt

    def cost(self, wh: int) -> int:
        """Return the cost of an energy in Wh, in µSTX or the token's smallest unit, rounded up as in the contract."""
        return -(-wh * self.price_per_kwh // 1000)


class OfferedDay(Model):
    """One day of a long contract: the energy offered, Wh, and when the offer expires (chain time)."""

    day: Day
    wh: UInt
    expires_at: Timestamp


class DayBook(Model):
    """The energy of a day that is open, funded, sold and retired, Wh; the open sums are valid only in their epoch."""

    epoch: UInt
    forward_open_wh: UInt
    forward_funded_wh: UInt
    spot_open_wh: UInt
    spot_sold_wh: UInt
    retired_wh: UInt


class Quote(Model):
    """The cost of taking some of an offer now.

    Attributes:
        cost: What is locked, in µSTX or the smallest unit of the token.
        before_wh: Energy funded ahead of it, which is delivered first, Wh.
        open_wh: How much of the offer is open, Wh.
    """

    cost: UInt
    before_wh: UInt
    open_wh: UInt


class FillTerms(Model):
    """The facts about a fill that ``settlement`` needs."""

    asset_id: UInt
    day: Day
    spot: bool
    payee: Principal
    token: Principal | None
    claimable: bool
    price_per_kwh: PricePerKwh
    wh: UInt
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
    ERR_BELOW_MIN_PRICE = 4012, "the owner set a higher price for the operator, or sells in STX only through them"
    ERR_INVALID_MIN_FILL = 4013, "the smallest fill must be within the offer and worth at least 1 of the smallest unit"
    ERR_INVALID_EXPIRY = 4014, "an offer expires in the future, a forward one before its day begins"
    ERR_DAY_TOO_FAR = 4015, "a forward day is at most 366 days ahead"
    ERR_DAY_NOT_DELIVERABLE = 4016, "the day has begun and is not verified (and fed, where metered) yet"
    ERR_OVERSOLD = 4017, "more than is left of that day"
    ERR_OFFER_NOT_FOUND = 4018, "no offer has this id"
    ERR_OFFER_CLOSED = 4019, "nothing of the offer is open any more"
    ERR_OFFER_EXPIRED = 4020, "the offer has expired"
    ERR_OFFER_NOT_EXPIRED = 4021, "the offer has not expired yet"
    ERR_EPOCH_OVER = 4022, "owner or operator changed since: the offer is void"
    ERR_INVALID_FILL = 4023, "zero, or less than the smallest fill or the buyer's least is open"
    ERR_SELF_TRADE = 4024, "seller and maker cannot take their own offer"
    ERR_DAY_BEFORE_CONNECTION = 4025, "the asset was not connected yet on that day"
    ERR_TOKEN_NOT_LISTED = 4026, "the token is not on the list: offers are priced in STX or a listed token"
    ERR_STORAGE_NOT_RETIRABLE = 4027, "what a battery or vehicle gives back was counted when it was made"
    ERR_ABOVE_NET_EXPORT = 4028, "no more than exported less imported can be retired of that day"


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
    price_per_kwh: PricePerKwh
    min_fill_wh: UInt
    expires_at: Timestamp
    taker: Principal | None
    token: Principal | None
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
    """Owner or operator cancelled what was open."""


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

    retirement_id: UInt
    asset_id: UInt
    day: Day
    mask: UInt
    actor: Principal
    wh: UInt
    beneficiary: Principal
    purpose: Purpose
    day_retired_wh: UInt


class TokenSet(VersionedEvent, topic="token-set"):
    """A token was added to the list of those that offers may be priced in, or removed from it."""

    token: Principal
    listed: bool
    actor: Principal


MOST_OFFERS = 31
"""How many offers are made, cancelled or taken in one call."""


def _until_it_begins(day: date, wh: int) -> OfferedDay:
    return OfferedDay(day=day, wh=wh, expires_at=datetime.combine(day, time(), UTC))


class MarketParticipation(
    Contract,
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
        TokenSet,
    ),
    callees=(GridIntegration,),
):
    """Energy offers: who sells how much, of which day, at which price."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """Return what explains a refusal: what is left of a day, what is open of an offer, or its state."""
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
        """Return an offer, or ``None``."""

    @read_only
    def get_offers(self, offer_ids: Ids) -> Page[Offer]:
        """Return up to 30 offers at once."""

    @read_only
    def get_offer_count(self) -> UInt:
        """Return how many offers have been made; their ids begin at 1."""

    @read_only
    def get_day_book(self, asset_id: UInt, day: Day) -> DayBook | None:
        """Return the book of a day as its last change left it, or ``None``."""

    @read_only
    def get_day_books(self, keys: Annotated[Sequence[AssetDay], MaxLength(30)]) -> Page[DayBook]:
        """Return up to 30 day books at once."""

    @read_only
    def get_retirement_count(self) -> UInt:
        """Return how many retirements there have been; their ids begin at 1."""

    @read_only
    def get_funded_until(self, asset_id: UInt) -> Day | None:
        """Return the last day whose energy is funded ahead, which a new owner must deliver; ``None`` if none."""

    @read_only
    def is_token_listed(self, token: Principal) -> bool:
        """Return whether offers may be priced in a token."""

    @read_only
    def get_available(self, asset_id: UInt, day: Day) -> UInt:
        """Return the energy (Wh) of a day that can still be offered or retired; 0 if the day cannot be sold now.

        Other reasons to refuse an offer are not considered: a pause, the states of asset and connection, a pending
        transfer. What is left of a day before the connection can only be retired.
        """

    @read_only
    def quote(self, offer_id: UInt, wh: UInt) -> Quote | None:
        """Return the cost of taking this many Wh now; ``None`` if they cannot be taken."""

    @public
    def create_offer(
        self,
        asset_id: UInt,
        day: Day,
        wh: UInt,
        price_per_kwh: PricePerKwh,
        min_fill_wh: UInt,
        expires_at: Timestamp,
        taker: Principal | None = None,
        token: Principal | None = None,
    ) -> UInt:
        """Owner or operator: offer energy of a day that has not begun, or is verified; return the offer's id.

        Args:
            asset_id: The asset.
            day: The day, UTC; a verified one no earlier than the asset was connected.
            wh: The energy, 1 to 10¹⁵ Wh.
            price_per_kwh: 1 to 10¹⁵ µSTX, or smallest units of the token, per kWh.
            min_fill_wh: The least energy that may be taken, Wh; worth at least 1 of that unit.
            expires_at: Chain time; for a forward offer no later than the day begins.
            taker: The only one who may take it; anybody if not given.
            token: The SIP-010 token it is priced in, ``ADDRESS.name``, which must be listed; STX if not given.
        """

    @public
    def create_offers(
        self,
        asset_id: UInt,
        price_per_kwh: PricePerKwh,
        min_fill_wh: UInt,
        taker: Principal | None,
        token: Principal | None,
        days: Annotated[Sequence[OfferedDay], MaxLength(MOST_OFFERS)],
    ) -> Annotated[tuple[Response[UInt], ...], MaxLength(MOST_OFFERS)]:
        """Owner or operator: offer energy of up to 31 days on the same terms; one id or error for each."""

    def offer_days(
        self,
        asset_id: int,
        days: Mapping[date, int] | Sequence[OfferedDay],
        price_per_kwh: int,
        *,
        min_fill_wh: int,
        taker: str | None = None,
        token: str | None = None,
    ) -> CallSeries[OfferedDay]:
        """Offer energy of many days on the same terms, up to a year ahead: `create_offers`, 31 days in each call.

        Nothing is sent before ``send()``; ``cost()`` says what that costs. Each offer is made or refused by itself.

        Args:
            asset_id: The asset.
            days: The energy of each day to come, Wh, offered until the day begins; or days with an end of their own.
            price_per_kwh: 1 to 10¹⁵ µSTX, or smallest units of the token, per kWh.
            min_fill_wh: The least energy that may be taken of a day, Wh; worth at least 1 of that unit.
            taker: The only one who may take it; anybody if not given.
            token: The SIP-010 token it is priced in, ``ADDRESS.name``, which must be listed; STX if not given.

        Raises:
            InvalidValueError: If there is no day.
            EncodeError: If a day or an energy is not possible.
        """
        offered = [_until_it_begins(day, wh) for day, wh in days.items()] if isinstance(days, Mapping) else days
        return CallSeries(
            self,
            require_items(offered, "days"),
            MOST_OFFERS,
            lambda part: self.create_offers(asset_id, price_per_kwh, min_fill_wh, taker, token, part),
        )

    @public
    def cancel_offer(self, offer_id: UInt) -> bool:
        """Owner or operator: cancel what is open."""

    @public
    def cancel_offers(
        self, offer_ids: Annotated[Sequence[UInt], MaxLength(MOST_OFFERS)]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(MOST_OFFERS)]:
        """Owner or operator: cancel what is open of up to 31 offers; one result for each."""

    @public
    def reject_offer(self, offer_id: UInt) -> bool:
        """Named taker: decline what is open."""

    @public
    def expire_offer(self, offer_id: UInt) -> bool:
        """Anyone: close what is open of an offer that has expired or is void."""

    @public
    def mark_accepted(self, offer_id: UInt, wh: UInt, min_wh: UInt, buyer: Principal) -> FillTerms:
        """Settlement contract only; take offers with ``Settlement.accept_and_fund``."""

    @public
    def mark_completed(self, offer_id: UInt, closer: Principal) -> OfferState:
        """Settlement contract only."""

    @public
    def mark_token(self, token: Principal, listed: bool, setter: Principal) -> bool:
        """Settlement contract only; list tokens with ``Settlement.set_token``."""

    @public
    def retire_energy(self, asset_id: UInt, day: Day, wh: UInt, beneficiary: Principal, purpose: Purpose) -> UInt:
        """Owner: claim energy of a verified day, so that it can never be sold; return the retirement's id.

        Args:
            asset_id: The asset; not a battery or a vehicle.
            day: The day of production, UTC.
            wh: The energy, Wh; if a feed is known, at most exported less imported of that day.
            beneficiary: For whom.
            purpose: What it is claimed for, up to 64 characters.
        """
