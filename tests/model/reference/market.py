"""``market-participation``: offers of energy, and the day book that prevents selling energy twice."""

# ruff: noqa: ARG002  # every function has its caller and all arguments as parameters, as in the contract

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from der_client.contracts.asset_verification import AssetState
from der_client.contracts.market_participation import MarketError, OfferState
from tests.model.reference.assets import Asset, Assets
from tests.model.reference.clock import Clock, start_of
from tests.model.reference.grid import Grid
from tests.model.reference.refusal import Objections, Refused, each

MAX_WH = 10**15
MAX_PRICE = 10**15
MAX_FORWARD_DAYS = 366


@dataclass(slots=True)
class Offer:
    """An offer of energy, with the fields that the contract returns."""

    asset_id: int
    day: int
    spot: bool
    seller: str
    maker: str
    wh: int
    open_wh: int
    price: int
    min_fill_wh: int
    expires_at: int
    taker: str | None
    token: str | None
    epoch: int
    state: OfferState = OfferState.PENDING
    fills: int = 0
    unsettled_fills: int = 0

    def cost(self, wh: int) -> int:
        """Return the cost of an amount of it, rounded up."""
        return -(-wh * self.price // 1000)


@dataclass(slots=True)
class Sale:
    """One fill of an offer."""

    asset_id: int
    day: int
    spot: bool
    wh: int


@dataclass(slots=True)
class Retirement:
    """Energy claimed for a beneficiary, which can no longer be sold.

    Attributes:
        asset_id: The asset that produced it.
        day: The day on which it was produced.
        wh: The energy, Wh.
        beneficiary: The principal it is claimed for.
        purpose: What it is claimed for.
    """

    asset_id: int
    day: int
    wh: int
    beneficiary: str
    purpose: str


@dataclass(frozen=True, slots=True)
class DayBook:
    """The energy of a day that is currently open, funded, sold and retired, Wh."""

    forward_open_wh: int
    forward_funded_wh: int
    spot_open_wh: int
    spot_sold_wh: int
    retired_wh: int


@dataclass(frozen=True, slots=True)
class FillTerms:
    """What the settlement needs to know about a fill."""

    asset_id: int
    day: int
    spot: bool
    payee: str
    token: str | None
    claimable: bool
    price: int
    wh: int
    before_wh: int


class Market:
    """All offers, sales and retirements."""

    def __init__(self, clock: Clock, assets: Assets, grid: Grid) -> None:
        self.clock = clock
        self.assets = assets
        self.grid = grid
        self.offers: dict[int, Offer] = {}
        self.sales: list[Sale] = []
        self.retirements: list[Retirement] = []
        self.tokens: set[str] = set()

    def book(self, asset_id: int, day: int) -> DayBook:
        """Return the day book, computed from offers, sales and retirements; open sums count only the current epoch."""
        asset = self.assets.assets.get(asset_id)
        offers = [
            offer
            for offer in self.offers.values()
            if asset is not None and (offer.asset_id, offer.day, offer.epoch) == (asset_id, day, asset.epoch)
        ]
        sales = [sale for sale in self.sales if (sale.asset_id, sale.day) == (asset_id, day)]
        retired = [item.wh for item in self.retirements if (item.asset_id, item.day) == (asset_id, day)]
        return DayBook(
            forward_open_wh=sum(offer.open_wh for offer in offers if not offer.spot),
            forward_funded_wh=sum(sale.wh for sale in sales if not sale.spot),
            spot_open_wh=sum(offer.open_wh for offer in offers if offer.spot),
            spot_sold_wh=sum(sale.wh for sale in sales if sale.spot),
            retired_wh=sum(retired),
        )

    def has_begun(self, day: int) -> bool:
        """Return whether a day has begun."""
        return self.clock.now >= start_of(day)

    def available_wh(self, asset_id: int, day: int) -> int:
        """Return what is left to sell of a day.

        Before the day begins, that is what is left of its capacity (0 if it is too far ahead); later, of its
        deliverable energy.
        """
        room = self.room_wh(asset_id, day)
        return 0 if room is None or day > self.clock.today + MAX_FORWARD_DAYS else max(0, room)

    def room_wh(self, asset_id: int, day: int) -> int | None:
        """Return what is left to sell of a day, which may be negative; ``None`` if the day cannot be sold now."""
        book = self.book(asset_id, day)
        if not self.has_begun(day):
            cap_w = self.grid.export_cap_w(asset_id)
            return None if cap_w is None else cap_w * 24 - book.forward_open_wh - book.forward_funded_wh
        deliverable = self.grid.deliverable_wh(asset_id, day)
        if deliverable is None:
            return None
        promised = min(book.forward_funded_wh, deliverable)
        return deliverable - promised - book.spot_open_wh - book.spot_sold_wh - book.retired_wh

    def create_offer(
        self,
        caller: str,
        asset_id: int,
        day: int,
        wh: int,
        price_per_kwh: int,
        min_fill_wh: int,
        expires_at: int,
        taker: str | None,
        token: str | None,
    ) -> int:
        """As the owner or operator of a verified, connected asset, create an offer."""
        objections, asset = self._terms(caller, asset_id, price_per_kwh, min_fill_wh, taker, token)
        return self._offer(
            objections, caller, asset, asset_id, day, wh, price_per_kwh, min_fill_wh, expires_at, taker, token
        )

    def create_offers(
        self,
        caller: str,
        asset_id: int,
        price_per_kwh: int,
        min_fill_wh: int,
        taker: str | None,
        token: str | None,
        days: Sequence[Mapping[str, int]],
    ) -> tuple[int | Refused, ...]:
        """As the owner or operator, offer many days on the same terms, with one result each if the terms are valid."""
        common, asset = self._terms(caller, asset_id, price_per_kwh, min_fill_wh, taker, token)
        common.decide()
        return each(
            days,
            lambda item: self._offer(
                Objections(),
                caller,
                asset,
                asset_id,
                item["day"],
                item["wh"],
                price_per_kwh,
                min_fill_wh,
                item["expires_at"],
                taker,
                token,
            ),
        )

    def _terms(
        self, caller: str, asset_id: int, price: int, min_fill_wh: int, taker: str | None, token: str | None
    ) -> tuple[Objections, Asset]:
        """Check the terms that all offers of one call share."""
        objections = Objections()
        asset = self._asset(asset_id, objections)
        objections.add(MarketError.ERR_NOT_SELLER, when=not asset.may_trade(caller))
        self._exposure(objections, asset_id, asset)
        objections.add(MarketError.ERR_INVALID_PRICE, when=not 1 <= price <= MAX_PRICE)
        # The operator's lowest price is in µSTX. With a lowest price above zero, they cannot sell in a token.
        enough = asset.min_price == 0 or (token is None and price >= asset.min_price)
        objections.add(MarketError.ERR_BELOW_MIN_PRICE, when=caller != asset.owner and not enough)
        objections.add(MarketError.ERR_TOKEN_NOT_LISTED, when=token is not None and token not in self.tokens)
        fills = 1 <= min_fill_wh <= MAX_WH and min_fill_wh * price >= 1000
        objections.add(MarketError.ERR_INVALID_MIN_FILL, when=not fills)
        objections.add(MarketError.ERR_SELF_TRADE, when=taker in (asset.owner, caller))
        return objections, asset

    def _offer(
        self,
        objections: Objections,
        caller: str,
        asset: Asset,
        asset_id: int,
        day: int,
        wh: int,
        price: int,
        min_fill_wh: int,
        expires_at: int,
        taker: str | None,
        token: str | None,
    ) -> int:
        objections.add(MarketError.ERR_INVALID_ENERGY, when=not 1 <= wh <= MAX_WH)
        objections.add(MarketError.ERR_INVALID_MIN_FILL, when=min_fill_wh > wh)
        forward = not self.has_begun(day)
        in_time = self.clock.now < expires_at and (not forward or expires_at <= start_of(day))
        objections.add(MarketError.ERR_INVALID_EXPIRY, when=not in_time)
        too_far = day > self.clock.today + MAX_FORWARD_DAYS
        objections.add(MarketError.ERR_DAY_TOO_FAR, when=too_far)
        connection = self.grid.connections.get(asset_id)
        before = connection is not None and day < connection.approved_day
        objections.add(MarketError.ERR_DAY_BEFORE_CONNECTION, when=before)
        deliverable = forward or self.grid.deliverable_wh(asset_id, day) is not None
        objections.add(MarketError.ERR_DAY_NOT_DELIVERABLE, when=not deliverable)
        room = self.room_wh(asset_id, day)
        objections.add(MarketError.ERR_OVERSOLD, when=room is not None and wh > room)
        objections.decide()
        offer_id = len(self.offers) + 1
        self.offers[offer_id] = Offer(
            asset_id,
            day,
            spot=not forward,
            seller=asset.owner,
            maker=caller,
            wh=wh,
            open_wh=wh,
            price=price,
            min_fill_wh=min_fill_wh,
            expires_at=expires_at,
            taker=taker,
            token=token,
            epoch=asset.epoch,
        )
        return offer_id

    # The end of offers

    def cancel_offer(self, caller: str, offer_id: int) -> bool:
        """As the owner or operator, cancel what is open of an offer."""
        objections, offer = self._open(offer_id)
        may = self.assets.assets[offer.asset_id].may_trade(caller)
        objections.add(MarketError.ERR_NOT_SELLER, when=not may)
        return self._close(objections, offer, OfferState.CANCELLED)

    def cancel_offers(self, caller: str, offer_ids: Sequence[int]) -> tuple[bool | Refused, ...]:
        """As the owner or operator, cancel several offers, with one result each."""
        return each(offer_ids, lambda offer_id: self.cancel_offer(caller, offer_id))

    def reject_offer(self, caller: str, offer_id: int) -> bool:
        """As the named taker, reject an offer."""
        objections, offer = self._open(offer_id)
        objections.add(MarketError.ERR_NOT_TAKER, when=offer.taker != caller)
        return self._close(objections, offer, OfferState.REJECTED)

    def expire_offer(self, caller: str, offer_id: int) -> bool:
        """Expire an offer that has expired or whose epoch is over. Anyone may."""
        objections, offer = self._open(offer_id)
        over = self.clock.now >= offer.expires_at or self._epoch_is_over(offer)
        objections.add(MarketError.ERR_OFFER_NOT_EXPIRED, when=not over)
        return self._close(objections, offer, OfferState.EXPIRED)

    def _close(self, objections: Objections, offer: Offer, state: OfferState) -> bool:
        objections.decide()
        offer.open_wh = 0
        if offer.fills == 0:
            offer.state = state
        complete(offer)
        return True

    # Sales

    def judge_fill(self, buyer: str, offer_id: int, wh: int, min_wh: int) -> tuple[Offer, int]:
        """Return the offer and how much of it a buyer gets: ``wh``, or what is open if that is less but enough."""
        objections, offer = self._open(offer_id)
        asset = self.assets.assets[offer.asset_id]
        self._exposure(objections, offer.asset_id, asset)
        objections.add(MarketError.ERR_EPOCH_OVER, when=self._epoch_is_over(offer))
        objections.add(MarketError.ERR_OFFER_EXPIRED, when=self.clock.now >= offer.expires_at)
        objections.add(MarketError.ERR_NOT_TAKER, when=offer.taker not in (None, buyer))
        objections.add(MarketError.ERR_SELF_TRADE, when=buyer in (offer.seller, offer.maker))
        taken = min(wh, offer.open_wh)
        enough = taken >= offer.min_fill_wh or taken == offer.open_wh
        objections.add(MarketError.ERR_INVALID_FILL, when=not (enough and taken >= max(1, min_wh)))
        over = not offer.spot and self._exceeds_cap(offer, taken)
        objections.add(MarketError.ERR_OVERSOLD, when=over)
        objections.decide()
        return offer, taken

    def _exceeds_cap(self, offer: Offer, wh: int) -> bool:
        """Return whether a fill would fund more of a future day than the current cap allows to export."""
        cap_w = self.grid.export_cap_w(offer.asset_id) or 0
        return self.book(offer.asset_id, offer.day).forward_funded_wh + wh > cap_w * 24

    def take(self, buyer: str, offer_id: int, wh: int, min_wh: int) -> FillTerms:
        """Sell energy of an offer to a buyer; the settlement funds it."""
        offer, taken = self.judge_fill(buyer, offer_id, wh, min_wh)
        terms = self.terms(offer, taken)
        self.sales.append(Sale(offer.asset_id, offer.day, offer.spot, taken))
        offer.open_wh -= taken
        offer.fills += 1
        offer.state = OfferState.ACCEPTED
        if offer.spot:
            complete(offer)
        else:
            offer.unsettled_fills += 1
        return terms

    def terms(self, offer: Offer, wh: int) -> FillTerms:
        """Return the terms of an offer's next fill."""
        before_wh = 0 if offer.spot else self.book(offer.asset_id, offer.day).forward_funded_wh
        claimable = not self.assets.assets[offer.asset_id].kind.is_storage
        return FillTerms(
            offer.asset_id,
            offer.day,
            offer.spot,
            offer.seller,
            offer.token,
            claimable,
            offer.price,
            wh,
            before_wh,
        )

    def funded_until(self, asset_id: int) -> int | None:
        """Return the last day of which energy of an asset was sold forward."""
        days = [sale.day for sale in self.sales if sale.asset_id == asset_id and not sale.spot]
        return max(days, default=None)

    def fill_is_closed(self, offer_id: int) -> None:
        """Note that a fill was settled or refunded."""
        offer = self.offers[offer_id]
        offer.unsettled_fills -= 1
        complete(offer)

    def mark_accepted(self, caller: str, offer_id: int, wh: int, min_wh: int, buyer: str) -> NoReturn:
        """Refuse the call: only the settlement contract may make it, and no account is that contract."""
        raise Refused(frozenset({MarketError.ERR_NOT_SETTLEMENT}))

    def mark_completed(self, caller: str, offer_id: int, closer: str) -> NoReturn:
        """Refuse the call: only the settlement contract may make it, and no account is that contract."""
        raise Refused(frozenset({MarketError.ERR_NOT_SETTLEMENT}))

    def mark_token(self, caller: str, token: str, listed: bool, setter: str) -> NoReturn:
        """Refuse the call: only the settlement contract may make it, and no account is that contract."""
        raise Refused(frozenset({MarketError.ERR_NOT_SETTLEMENT}))

    def retire_energy(self, caller: str, asset_id: int, day: int, wh: int, beneficiary: str, purpose: str) -> int:
        """As the owner, retire energy of a verified day. Storages may not: their energy was already counted."""
        objections = Objections()
        asset = self._asset(asset_id, objections)
        objections.add(MarketError.ERR_NOT_ASSET_OWNER, when=caller != asset.owner)
        objections.add(MarketError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(MarketError.ERR_STORAGE_NOT_RETIRABLE, when=asset.kind.is_storage)
        objections.add(MarketError.ERR_INVALID_ENERGY, when=not 1 <= wh <= MAX_WH)
        retirable = self.grid.retirable_wh(asset_id, day)
        objections.add(MarketError.ERR_DAY_NOT_DELIVERABLE, when=retirable is None)
        if retirable is not None:
            room, retired = self.room_wh(asset_id, day), self.book(asset_id, day).retired_wh
            objections.add(MarketError.ERR_OVERSOLD, when=room is not None and wh > room)
            objections.add(MarketError.ERR_ABOVE_NET_EXPORT, when=retired + wh > retirable)
        objections.decide()
        self.retirements.append(Retirement(asset_id, day, wh, beneficiary, purpose))
        return len(self.retirements)

    # Helpers

    def _asset(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(MarketError.ERR_ASSET_NOT_FOUND)

    def _open(self, offer_id: int) -> tuple[Objections, Offer]:
        objections = Objections()
        offer = self.offers.get(offer_id) or objections.refuse(MarketError.ERR_OFFER_NOT_FOUND)
        objections.add(MarketError.ERR_OFFER_CLOSED, when=offer.open_wh == 0)
        return objections, offer

    def _exposure(self, objections: Objections, asset_id: int, asset: Asset) -> None:
        """Note what prevents new exposure to an asset."""
        objections.add(MarketError.ERR_PAUSED, when=self.assets.paused)
        objections.add(MarketError.ERR_ASSET_NOT_VERIFIED, when=asset.state is not AssetState.VERIFIED)
        objections.add(MarketError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(MarketError.ERR_NOT_CONNECTED, when=not self.grid.is_connected(asset_id))

    def _epoch_is_over(self, offer: Offer) -> bool:
        return offer.epoch < self.assets.assets[offer.asset_id].epoch


def complete(offer: Offer) -> None:
    """Complete an accepted offer once nothing is open and every fill is settled or refunded."""
    if offer.state is OfferState.ACCEPTED and offer.open_wh == 0 and offer.unsettled_fills == 0:
        offer.state = OfferState.COMPLETED
