"""What the chain must show, by the model: to the observer, and in the maps of the contracts.

Two things are left to the contract and compared by their meaning: how "nothing may be recorded" is told in a recording
right, and open sums in a day book that an older epoch wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from der_client.contracts.asset_verification import AssetState
from der_client.stacks.clarity import ClarityValue, UIntValue
from tests.model.cast import DEVICE_KEYS, REGIONS
from tests.model.chain import AssetDays, asset_day
from tests.model.reference import DayBook, System
from tests.model.reference.assets import Asset

_RIGHT = (
    "capacity_w",
    "capacity_from_day",
    "previous_capacity_w",
    "device_key",
    "key_epoch",
    "key_from_day",
    "slot_seconds",
)
_EMPTY_BOOK = asdict(DayBook(0, 0, 0, 0, 0))


def expected_view(
    system: System,
    people: Sequence[str],
    asset_ids: Sequence[int] = (),
    days: AssetDays = (),
    offer_ids: Sequence[int] = (),
    payment_ids: Sequence[int] = (),
) -> dict[str, Any]:
    """What the observer must show.

    Args:
        system: The model.
        people: The principals whose balances are shown.
        asset_ids: Assets that exist.
        days: Days of assets that exist.
        offer_ids: Offers that exist.
        payment_ids: Payments that exist.
    """
    register, market, money = system.assets, system.market, system.settlement
    return {
        "time": system.clock.now,
        "contract_owner": register.contract_owner,
        "proposed_contract_owner": register.proposed_contract_owner,
        "paused": register.paused,
        "assets": len(register.assets),
        "offers": len(market.offers),
        "payments": len(money.payments),
        "escrow_ustx": money.escrow_ustx,
        "fees_ustx": money.fees_ustx,
        "fee_bps": money.fee_bps,
        "solvent": True,
        "balances": [money.balances[principal] for principal in people],
        "alerts": [_alert(system, region) for region in REGIONS],
        "key_holders": [register.key_holders.get(key) for key in DEVICE_KEYS],
        "asset_list": [asdict(register.assets[asset_id]) for asset_id in asset_ids],
        "right_list": [_right(register.assets[asset_id]) for asset_id in asset_ids],
        "connection_list": [_dict_or_none(system.grid.connections.get(asset_id)) for asset_id in asset_ids],
        "asset_details": [_asset_details(system, asset_id) for asset_id in asset_ids],
        "production_list": [_dict_or_none(system.production.days.get(key)) for key in days],
        "day_details": [_day_details(system, *key) for key in days],
        "offer_list": [asdict(market.offers[offer_id]) for offer_id in offer_ids],
        "payment_list": [asdict(money.payments[payment_id]) for payment_id in payment_ids],
        "preview_list": [_dict_or_none(money.shares(money.payments[payment_id])) for payment_id in payment_ids],
    }


def normalised(view: dict[str, Any], system: System, days: AssetDays) -> dict[str, Any]:
    """What the observer showed, with the two things in the model's words."""
    for right in view["right_list"]:
        first, last = right.pop("first_day"), right.pop("last_day")
        right["days"] = (first, last) if 0 < first <= last else None
    for (asset_id, _), details in zip(days, view["day_details"], strict=True):
        details["book"] = present_book(details["book"], system.assets.assets[asset_id].epoch)
    return view


def present_book(book: dict[str, int] | None, epoch: int) -> dict[str, int]:
    """A day book as it counts now: what is open counts only in the asset's epoch."""
    if book is None:
        return dict(_EMPTY_BOOK)
    present = {name: wh for name, wh in book.items() if name != "epoch"}
    return present if book["epoch"] == epoch else present | {"forward_open_wh": 0, "spot_open_wh": 0}


@dataclass(frozen=True)
class Entry:
    """What must stand in a map of a contract; ``None`` if nothing.

    Attributes:
        contract: Which of the five.
        map_name: Which of its maps.
        key: The key.
        value: What must stand there.
        epoch: For a day book, the asset's.
    """

    contract: str
    map_name: str
    key: ClarityValue
    value: dict[str, Any] | None
    epoch: int | None = None

    def meaning(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """What was found there, in the model's words."""
        return found if self.epoch is None else present_book(found, self.epoch)


@dataclass(frozen=True)
class Touched:
    """What a call may have changed: what it names, what it made, and what that belongs to."""

    assets: list[int]
    days: list[tuple[int, int]]
    offers: list[int]
    payments: list[int]

    @classmethod
    def by(cls, system: System, arguments: Mapping[str, Any]) -> Self:
        """What a call with these arguments may have changed."""
        market, money = system.market, system.settlement
        made = len(money.payments)
        payments = _existing([*arguments.get("payment_ids", ()), arguments.get("payment_id"), made], money.payments)
        taken = [money.payments[payment_id].offer_id for payment_id in payments]
        offers = _existing([arguments.get("offer_id"), len(market.offers), *taken], market.offers)
        days = [(item["asset_id"], item["day"]) for item in arguments.get("items", ())]
        if "day" in arguments:
            days.append((arguments["asset_id"], arguments["day"]))
        days += [(offer.asset_id, offer.day) for offer in map(market.offers.__getitem__, offers)]
        named = [arguments.get("asset_id"), len(system.assets.assets), *(asset_id for asset_id, _ in days)]
        assets = _existing(named, system.assets.assets)
        return cls(assets, [key for key in dict.fromkeys(days) if key[0] in assets], offers, payments)

    def entries(self, system: System, contract: str) -> Iterator[Entry]:
        """What must stand in the maps that a call of a contract may write."""
        match contract:
            case "assets":
                for asset_id in self.assets:
                    uint = UIntValue(asset_id)
                    yield Entry("assets", "assets", uint, asdict(system.assets.assets[asset_id]))
                    yield Entry("assets", "changes", uint, _dict_or_none(system.assets.changes.get(asset_id)))
            case "production":
                for key in self.days:
                    row = system.production.days.get(key)
                    yield Entry("production", "days", asset_day(*key), _dict_or_none(row))
            case "grid":
                for asset_id in self.assets:
                    connection = system.grid.connections.get(asset_id)
                    yield Entry("grid", "connections", UIntValue(asset_id), _dict_or_none(connection))
                for key in self.days:
                    yield Entry("grid", "feeds", asset_day(*key), _dict_or_none(system.grid.feeds.get(key)))
            case _:
                for offer_id in self.offers:
                    yield Entry("market", "offers", UIntValue(offer_id), asdict(system.market.offers[offer_id]))
                for key in self.days:
                    book = asdict(system.market.book(*key))
                    yield Entry("market", "day-books", asset_day(*key), book, system.assets.assets[key[0]].epoch)
                for payment_id in self.payments:
                    payment = system.settlement.payments[payment_id]
                    yield Entry("settlement", "payments", UIntValue(payment_id), asdict(payment))


def _existing(ids: Sequence[int | None], things: Mapping[int, Any]) -> list[int]:
    return [number for number in dict.fromkeys(ids) if number is not None and number in things]


def _right(asset: Asset) -> dict[str, Any]:
    return {name: getattr(asset, name) for name in _RIGHT} | {"days": asset.recordable_days()}


def _asset_details(system: System, asset_id: int) -> dict[str, Any]:
    return {
        "change": _dict_or_none(system.assets.changes.get(asset_id)),
        "verified": system.assets.assets[asset_id].state is AssetState.VERIFIED,
        "production": {
            "recorded_wh": system.production.recorded_wh(asset_id),
            "verified_wh": system.production.verified_wh(asset_id),
        },
        "connected": system.grid.is_connected(asset_id),
        "export_cap_w": system.grid.export_cap_w(asset_id),
        "feed": asdict(system.grid.total_feed(asset_id)),
    }


def _day_details(system: System, asset_id: int, day: int) -> dict[str, Any]:
    return {
        "feed": _dict_or_none(system.grid.feeds.get((asset_id, day))),
        "deliverable": system.grid.deliverable_wh(asset_id, day),
        "book": asdict(system.market.book(asset_id, day)),
        "available_wh": system.market.available_wh(asset_id, day),
    }


def _alert(system: System, region: str) -> dict[str, int] | None:
    alert = system.grid.alerts.get(region)
    return None if alert is None else {"level": alert[0], "until": alert[1]}


def _dict_or_none(thing: Any) -> dict[str, Any] | None:
    return None if thing is None else asdict(thing)
