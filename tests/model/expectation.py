"""What the chain must show according to the model: to the observer, and in the maps of the contracts.

Only the open sums of a day book that was written in an earlier epoch are compared by meaning, not literally.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import BaseModel

from der_client.contracts.asset_verification import AssetState
from der_client.stacks.clarity import ClarityValue, UIntValue
from tests.model.chain import AssetDays, asset_day
from tests.model.people import DEVICE_KEYS, REGIONS
from tests.model.reference import DayBook, Refused, System
from tests.model.reference.assets import Asset

NOBODY = "nobody"
"""A buyer who is restricted only by the offer itself."""
_EMPTY_BOOK = asdict(DayBook(0, 0, 0, 0, 0))


def expected_view(
    system: System,
    people: Sequence[str],
    asset_ids: Sequence[int] = (),
    days: AssetDays = (),
    offer_ids: Sequence[int] = (),
    payment_ids: Sequence[int] = (),
    creditors: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what the observer must show.

    Args:
        system: The model.
        people: The principals whose balances are shown.
        asset_ids: Assets that exist.
        days: Days of assets that exist.
        offer_ids: Offers that exist.
        payment_ids: Payments that exist.
        creditors: The principals whose credits are shown.
    """
    register, market, money = system.assets, system.market, system.settlement
    (token,) = money.tokens
    return {
        "time": system.clock.now,
        "contract_owner": register.contract_owner,
        "proposed_contract_owner": register.proposed_contract_owner,
        "paused": register.paused,
        "assets": len(register.assets),
        "roots": len(system.production.roots),
        "offers": len(market.offers),
        "retirements": len(market.retirements),
        "payments": len(money.payments),
        "claims": len(money.claims),
        "token_listed": token in market.tokens,
        "ledger": money.ledger(None),
        "token_ledger": money.ledger(token),
        "escrow": money.escrow(None),
        "fees": money.fees(token),
        "surplus_ustx": money.surplus_ustx,
        "fee_bps": money.fee_bps,
        "fee_schedule": money.fee_schedule,
        "solvent": True,
        "balances": [money.balances[principal] for principal in people],
        "tokens": [money.balance(principal, token) for principal in people],
        "credits": [money.credit(principal, token) for principal in creditors],
        "alerts": [_alert(system, region) for region in REGIONS],
        "key_holders": [register.key_holders.get(device_key.key) for device_key in DEVICE_KEYS],
        "asset_list": [shown(register.assets[asset_id]) for asset_id in asset_ids],
        "connection_list": [shown(system.grid.connections.get(asset_id)) for asset_id in asset_ids],
        "asset_details": [_asset_details(system, asset_id) for asset_id in asset_ids],
        "right_list": [_right(register.assets[asset_id], day) for asset_id, day in days],
        "production_list": [shown(system.production.days.get(key)) for key in days],
        "feed_list": [shown(system.grid.feeds.get(key)) for key in days],
        "day_details": [_day_details(system, *key) for key in days],
        "offer_list": [shown(market.offers[offer_id]) for offer_id in offer_ids],
        "quote_list": [_quote(system, offer_id) for offer_id in offer_ids],
        "payment_list": [shown(money.payments[payment_id]) for payment_id in payment_ids],
        "preview_list": [shown(money.shares(money.payments[payment_id])) for payment_id in payment_ids],
    }


def normalised(view: dict[str, Any], system: System, days: AssetDays) -> dict[str, Any]:
    """Return what the observer showed, with the day books as the model represents them."""
    for (asset_id, _), details in zip(days, view["day_details"], strict=True):
        details["book"] = present_book(details["book"], system.assets.assets[asset_id].epoch)
    return view


def present_book(book: dict[str, int] | None, epoch: int) -> dict[str, int]:
    """Return a day book as it counts now: open sums count only in the asset's current epoch."""
    if book is None:
        return dict(_EMPTY_BOOK)
    present = {name: wh for name, wh in book.items() if name != "epoch"}
    return present if book["epoch"] == epoch else present | {"forward_open_wh": 0, "spot_open_wh": 0}


@dataclass(frozen=True)
class Entry:
    """What a map of a contract must contain under a key.

    Attributes:
        contract: The name of the contract.
        map_name: The name of the map.
        key: The key.
        value: The expected value; ``None`` if the map must not have the key.
        epoch: For a day book, the asset's epoch.
    """

    contract: str
    map_name: str
    key: ClarityValue
    value: dict[str, Any] | None
    epoch: int | None = None

    def meaning(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return the value found in the map as the model represents it."""
        return found if self.epoch is None else present_book(found, self.epoch)


@dataclass(frozen=True)
class Touched:
    """What a call may have changed: what its arguments name, what it created, and what those belong to."""

    assets: list[int]
    days: list[tuple[int, int]]
    offers: list[int]
    payments: list[int]

    @classmethod
    def by(cls, system: System, arguments: Mapping[str, Any]) -> Self:
        """Return what a call with these arguments may have changed."""
        market, money = system.market, system.settlement
        made = len(money.payments)
        payments = _existing([*arguments.get("payment_ids", ()), arguments.get("payment_id"), made], money.payments)
        taken = [money.payments[payment_id].offer_id for payment_id in payments]
        taken += [item["offer_id"] for item in arguments.get("items", ()) if "offer_id" in item]
        named = [*arguments.get("offer_ids", ()), arguments.get("offer_id"), len(market.offers), *taken]
        offers = _existing(named, market.offers)
        items = [*arguments.get("items", ()), *([arguments["leaf"]] if "leaf" in arguments else [])]
        days = [(item["asset_id"], item["day"]) for item in items if "day" in item]
        days += [(arguments["asset_id"], item["day"]) for item in arguments.get("days", ())]
        if "day" in arguments:
            days.append((arguments["asset_id"], arguments["day"]))
        days += [(offer.asset_id, offer.day) for offer in map(market.offers.__getitem__, offers)]
        named = [arguments.get("asset_id"), len(system.assets.assets), *(asset_id for asset_id, _ in days)]
        named += [item["asset_id"] for item in arguments.get("items", ()) if "asset_id" in item]
        assets = _existing(named, system.assets.assets)
        return cls(assets, [key for key in dict.fromkeys(days) if key[0] in assets], offers, payments)

    def entries(self, system: System, contract: str) -> Iterator[Entry]:
        """Yield what the maps must contain that a call of this contract may write."""
        match contract:
            case "assets":
                for asset_id in self.assets:
                    uint = UIntValue(asset_id)
                    yield Entry("assets", "assets", uint, shown(system.assets.assets[asset_id]))
                    yield Entry("assets", "changes", uint, shown(system.assets.changes.get(asset_id)))
            case "production":
                for key in self.days:
                    row = system.production.days.get(key)
                    yield Entry("production", "days", asset_day(*key), shown(row))
            case "grid":
                for asset_id in self.assets:
                    connection = system.grid.connections.get(asset_id)
                    yield Entry("grid", "connections", UIntValue(asset_id), shown(connection))
                for key in self.days:
                    yield Entry("grid", "feeds", asset_day(*key), shown(system.grid.feeds.get(key)))
            case _:
                for offer_id in self.offers:
                    yield Entry("market", "offers", UIntValue(offer_id), shown(system.market.offers[offer_id]))
                for key in self.days:
                    book = asdict(system.market.book(*key))
                    yield Entry("market", "day-books", asset_day(*key), book, system.assets.assets[key[0]].epoch)
                for payment_id in self.payments:
                    payment = system.settlement.payments[payment_id]
                    yield Entry("settlement", "payments", UIntValue(payment_id), shown(payment))


def _existing(ids: Sequence[int | None], things: Mapping[int, Any]) -> list[int]:
    return [number for number in dict.fromkeys(ids) if number is not None and number in things]


def _right(asset: Asset, day: int) -> dict[str, Any]:
    key = asset.key_on(day)
    by_present_key = day >= asset.key_from_day
    return {
        "recordable": asset.is_recordable(day),
        "lost": asset.is_lost(day),
        "slot_seconds": asset.slot_seconds,
        "capacity_w": asset.capacity_on(day),
        "device_key": None if key is None else shown(key[0]),
        "key_epoch": asset.key_epoch if by_present_key else asset.key_epoch - 1,
    }


def _asset_details(system: System, asset_id: int) -> dict[str, Any]:
    return {
        "change": shown(system.assets.changes.get(asset_id)),
        "verified": system.assets.assets[asset_id].state is AssetState.VERIFIED,
        "production": {
            "recorded_wh": system.production.recorded_wh(asset_id),
            "verified_wh": system.production.verified_wh(asset_id),
        },
        "connected": system.grid.is_connected(asset_id),
        "export_cap_w": system.grid.export_cap_w(asset_id),
        "export_schedule": [
            {"from_day": from_day, "cap_w": cap_w} for from_day, cap_w in system.grid.schedules.get(asset_id, [])
        ],
        "feed": system.grid.total_feed(asset_id),
        "funded_until": system.market.funded_until(asset_id),
    }


def _day_details(system: System, asset_id: int, day: int) -> dict[str, Any]:
    deliverable = system.grid.deliverable_wh(asset_id, day)
    return {
        "lost": system.assets.assets[asset_id].is_lost(day),
        "cap_w": system.grid.cap_on(asset_id, day),
        "deliverable": deliverable,
        "delivery": None
        if deliverable is None
        else {
            "deliverable_wh": deliverable,
            "retirable_wh": system.grid.retirable_wh(asset_id, day),
            "mask": system.production.days[asset_id, day].mask,
        },
        "book": asdict(system.market.book(asset_id, day)),
        "available_wh": system.market.available_wh(asset_id, day),
    }


def _quote(system: System, offer_id: int) -> dict[str, int] | None:
    """Return the quote for all that is open of an offer, or ``None`` if no buyer could take it."""
    offer = system.market.offers[offer_id]
    open_wh = offer.open_wh
    try:
        system.market.judge_fill(offer.taker or NOBODY, offer_id, open_wh, open_wh)
    except Refused:
        return None
    before_wh = system.market.terms(offer, open_wh).before_wh
    return {"cost": offer.cost(open_wh), "before_wh": before_wh, "open_wh": open_wh}


def _alert(system: System, region: str) -> dict[str, int] | None:
    alert = system.grid.alerts.get(region)
    return None if alert is None else {"level": alert[0], "until": alert[1]}


def shown(thing: Any) -> dict[str, Any] | None:
    """Return an object of the model as the contract shows it."""
    if thing is None:
        return None
    fields = thing.model_dump() if isinstance(thing, BaseModel) else asdict(thing)
    return {name: shown(value) if isinstance(value, BaseModel) else value for name, value in fields.items()}
