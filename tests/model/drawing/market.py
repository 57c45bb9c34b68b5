"""Draws calls of ``market-participation``: offers and retirements."""

from __future__ import annotations

from typing import Any

from der_client.contracts.asset_verification import AssetState
from der_client.contracts.production_tracking import DayState
from tests.model.drawing.situation import Maker, Situation
from tests.model.people import BUYERS, TOKEN
from tests.model.reference.clock import start_of
from tests.model.step import Step, step


class MarketDraws(Situation):
    """Draws calls of ``market-participation``: offers and retirements."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw a call, with their weights."""
        return {
            self.create_offer: 16,
            self.create_offers: 8,
            self.cancel_offer: 3,
            self.cancel_offers: 3,
            self.reject_offer: 4,
            self.expire_offer: 4,
            self.mark_accepted: 1,
            self.mark_completed: 1,
            self.mark_token: 1,
            self.retire_energy: 8,
        }

    def sellable(self) -> list[int]:
        """Return the assets that can sell now, sometimes only the storages; now and then, all that are verified."""
        if self.chance(0.08):
            return self.assets(AssetState.VERIFIED)
        sellable = [
            number
            for number in self.assets(AssetState.VERIFIED)
            if self.system.grid.is_connected(number) and self.asset(number).proposed_owner is None
        ]
        storages = [number for number in sellable if self.asset(number).kind.is_storage]
        return storages if storages and self.chance(0.1) else sellable

    def create_offer(self) -> Step | None:
        """Offer energy, forward or spot, usually within what is left."""
        asset_id = self.one(self.sellable(), self.all_assets())
        if asset_id is None:
            return None
        spot, day = self.day_to_offer(asset_id)
        wh = self.wh_to_offer(asset_id, day)
        actor, terms = self.terms_of_offer(asset_id, wh)
        return step(
            actor,
            "market.create_offer",
            **terms,
            day=day,
            wh=self.mostly(max(wh, terms["min_fill_wh"]), 10**15 + 1, but=0.03),
            expires_at=self.expiry(day, spot=spot),
        )

    def create_offers(self) -> Step | None:
        """Offer several days at one price."""
        asset_id = self.one(self.sellable(), self.all_assets())
        if asset_id is None:
            return None
        chosen = [self.day_to_offer(asset_id) for _ in range(self.random.randint(0, 4))]
        whs = [self.wh_to_offer(asset_id, day) for _, day in chosen]
        actor, terms = self.terms_of_offer(asset_id, min(whs, default=1))
        days = [
            {"day": day, "wh": wh, "expires_at": self.expiry(day, spot=spot)}
            for (spot, day), wh in zip(chosen, whs, strict=True)
        ]
        return step(actor, "market.create_offers", **terms, days=days)

    def day_to_offer(self, asset_id: int) -> tuple[bool, int]:
        """Pick a day to sell, and whether it is spot: a verified day, if possible with energy left, or a future day."""
        verified = [key[1] for key in self.days(DayState.VERIFIED) if key[0] == asset_id]
        verified = [day for day in verified if self.is_since_connection(asset_id, day) or self.chance(0.25)]
        with_room = [day for day in verified if self.system.market.available_wh(asset_id, day)]
        spot = bool(with_room or verified) and self.chance(0.5)
        if spot:
            return spot, self.pick(with_room or verified)
        return spot, self.today + self.pick((1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 366, 367))

    def wh_to_offer(self, asset_id: int, day: int) -> int:
        """Pick an amount of energy up to what is left of a day."""
        wh = self.amount(max(1, self.system.market.available_wh(asset_id, day)))
        return max(1, wh // 4) if self.chance(0.5) else wh

    def expiry(self, day: int, *, spot: bool) -> int:
        """Pick an expiry: soon, or when the day begins."""
        soon = self.system.clock.now + self.mostly(0, -60) + self.pick((60, 900, 3600, 40_000, 10**7))
        return soon if spot else min(soon, start_of(day)) if self.chance(0.3) else start_of(day)

    def terms_of_offer(self, asset_id: int, wh: int) -> tuple[str, dict[str, Any]]:
        """Pick the seller of this amount, and the terms of the offer."""
        asset = self.asset(asset_id)
        price = 10**15 + 1 if self.chance(0.02) else self.pick((1, 333, 5_000, 83_333, 83_333, 10**6, 10**9))
        token = TOKEN if self.chance(0.35) else None
        seller = asset.operator if asset.operator is not None and self.chance(0.4) else asset.owner
        if seller == asset.operator and self.chance(0.8):
            price = max(price, asset.min_price)
            token = token if asset.min_price == 0 else None
        least = -(-1000 // price)
        min_fill_wh = least if self.chance(0.5) else self.random.randint(least, max(least, wh // 3))
        return self.actor(seller), {
            "asset_id": asset_id,
            "price_per_kwh": price,
            "min_fill_wh": min_fill_wh,
            "taker": self.pick((None, None, None, *BUYERS)),
            "token": token,
        }

    def cancel_offer(self) -> Step | None:
        """Cancel an offer as its owner, operator or seller."""
        offer_id = self.one(self.open_offers(), self.all_offers())
        if offer_id is None:
            return None
        offer = self.system.market.offers[offer_id]
        asset = self.asset(offer.asset_id)
        actor = self.actor(self.pick((asset.owner, asset.operator or asset.owner, offer.seller)))
        return step(actor, "market.cancel_offer", offer_id=offer_id)

    def cancel_offers(self) -> Step | None:
        """Cancel the latest offers as the owner of one of their assets."""
        offer_ids = self.all_offers()[-self.random.randint(1, 3) :]
        if not offer_ids:
            return None
        owner = self.owner(self.system.market.offers[offer_ids[0]].asset_id)
        return step(owner, "market.cancel_offers", offer_ids=offer_ids)

    def reject_offer(self) -> Step | None:
        """Reject an offer, usually as the taker it is reserved for."""
        named = [number for number in self.open_offers() if self.system.market.offers[number].taker is not None]
        offer_id = self.one(named, self.all_offers())
        if offer_id is None:
            return None
        taker = self.system.market.offers[offer_id].taker
        return step(self.anybody() if taker is None else self.actor(taker), "market.reject_offer", offer_id=offer_id)

    def expire_offer(self) -> Step | None:
        """Expire an offer as anyone."""
        over = [number for number in self.open_offers() if self.is_over(number) or self.chance(0.1)]
        offer_id = self.one(over, self.all_offers())
        return None if offer_id is None else step(self.anybody(), "market.expire_offer", offer_id=offer_id)

    def mark_accepted(self) -> Step | None:
        """Call a function that only the settlement contract may call."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_accepted", offer_id=1, wh=1, min_wh=1, buyer=self.anybody())

    def mark_completed(self) -> Step | None:
        """Call a function that only the settlement contract may call."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_completed", offer_id=1, closer=self.anybody())

    def mark_token(self) -> Step | None:
        """Call a function that only the settlement contract may call."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_token", token=TOKEN, listed=True, setter=self.anybody())

    def retire_energy(self) -> Step | None:
        """Retire energy that is left of a verified day."""
        verified = self.days(DayState.VERIFIED)
        feeds = self.system.grid.feeds
        fed = [key for key in verified if key in feeds and feeds[key].verified and feeds[key].imported_wh]
        stored = [key for key in verified if self.asset(key[0]).kind.is_storage]
        key = self.one(self.mostly(verified, fed, stored, but=0.5) or verified, list(self.system.production.days))
        if key is None:
            return None
        return step(
            self.actor(self.asset(key[0]).owner),
            "market.retire_energy",
            asset_id=key[0],
            day=key[1],
            wh=max(1, self.amount(self.system.market.available_wh(*key)) // self.pick((1, 2, 5))),
            beneficiary=self.pick((*BUYERS, "observer", "settlement")),
            purpose="own use",
        )
