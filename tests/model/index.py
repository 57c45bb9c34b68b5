"""The state that events add up to: what an indexer knows that sees nothing else, through the typed clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from der_client.contracts.settlement import PaymentState
from der_client.stacks.contract.events import Event, EventRecord
from tests.model.plain import bare
from tests.model.reference import System

Fields = dict[str, Any]
AssetDay = tuple[int, int]


class Index:
    """Takes events, and keeps what they say.

    Args:
        records: All events, in order.
    """

    def __init__(self, records: Iterable[EventRecord]) -> None:
        self.system: Fields = {"proposed_contract_owner": None}
        self.roles: set[tuple[int, str, str]] = set()
        self.assets: dict[int, Fields] = {}
        self.changes: dict[int, Fields] = {}
        self.days: dict[AssetDay, Fields] = {}
        self.connections: dict[int, Fields] = {}
        self.feeds: dict[AssetDay, Fields] = {}
        self.alerts: dict[str, tuple[int, int]] = {}
        self.offers: dict[int, Fields] = {}
        self.payments: dict[int, Fields] = {}
        self.retired_wh: Counter[AssetDay] = Counter()
        self.fees_ustx = 0
        for record in records:
            assert isinstance(record.event, Event), record
            self._take(record.event)

    def shown(self) -> Fields:
        """All of it."""
        return vars(self)

    def _take(self, event: Event) -> None:
        handle: Callable[[Fields], None] = getattr(self, f"_{event.topic.replace('-', '_')}")
        handle(bare(event))

    # asset-verification

    def _asset_verification_deployed(self, event: Fields) -> None:
        self.system |= {"contract_owner": event["contract_owner"], "paused": event["paused"]}

    def _role_set(self, event: Fields) -> None:
        change = self.roles.add if event["granted"] else self.roles.discard
        change((event["role"], event["who"], event["region"]))

    def _contract_owner_proposed(self, event: Fields) -> None:
        self.system["proposed_contract_owner"] = event["new_owner"]

    def _contract_owner_accepted(self, event: Fields) -> None:
        self.system |= {"contract_owner": event["new_owner"], "proposed_contract_owner": None}

    def _paused_set(self, event: Fields) -> None:
        self.system["paused"] = event["paused"]

    def _asset_registered(self, event: Fields) -> None:
        number, owner = event.pop("asset_id"), event.pop("actor")
        none_yet = ("capacity_from_day", "key_from_day", "verified_day", "retired_day", "min_price", "proposal")
        never = dict.fromkeys(none_yet, 0)
        nobody = {"operator": None, "proposed_owner": None}
        self.assets[number] = event | never | nobody | {"owner": owner, "previous_capacity_w": event["capacity_w"]}

    def _changes_asset(self, event: Fields) -> None:
        kept = self.assets[event["asset_id"]]
        kept |= {name: value for name, value in event.items() if name in kept}

    _asset_verified = _asset_suspended = _asset_reinstated = _operator_set = _changes_asset

    def _asset_rejected(self, event: Fields) -> None:
        self._changes_asset(event | {"proposed_owner": None})

    def _asset_retired(self, event: Fields) -> None:
        self._changes_asset(event | {"proposed_owner": None})
        self._change_refused(event)

    def _change_requested(self, event: Fields) -> None:
        self.changes[event["asset_id"]] = {name: event[name] for name in ("capacity_w", "device_key")}

    def _change_approved(self, event: Fields) -> None:
        self._changes_asset(event)
        self._change_refused(event)

    def _change_refused(self, event: Fields) -> None:
        self.changes.pop(event["asset_id"], None)

    def _transfer_proposed(self, event: Fields) -> None:
        self._changes_asset(event | {"proposed_owner": event["new_owner"]})

    def _transfer_cancelled(self, event: Fields) -> None:
        self._changes_asset({"asset_id": event["asset_id"], "proposed_owner": None})

    def _transfer_accepted(self, event: Fields) -> None:
        nobody = {"operator": None, "min_price": 0, "proposed_owner": None}
        self._changes_asset(event | nobody | {"owner": event["new_owner"]})
        self._change_refused(event)

    # production-tracking

    def _production_tracking_deployed(self, event: Fields) -> None:
        """Settings only."""

    def _production_recorded(self, event: Fields) -> None:
        self._day(event, mask=event["day_mask"], wh=event["day_wh"])

    def _day_verified(self, event: Fields) -> None:
        self._day(event, mask=event["mask"], wh=event["wh"])

    def _day_rejected(self, event: Fields) -> None:
        self._day(event, wh=event["wh"])

    _day_disputed = _day_rejected

    def _day_adjusted(self, event: Fields) -> None:
        self._day(event, wh=event["day_wh"])

    def _day(self, event: Fields, **changes: int) -> None:
        key = (event["asset_id"], event["day"])
        self.days[key] = {"mask": 0, **self.days.get(key, {}), **changes, "state": event["state"]}

    # grid-integration

    def _grid_integration_deployed(self, event: Fields) -> None:
        """Settings only."""

    def _connection_requested(self, event: Fields) -> None:
        kept = {name: event[name] for name in ("export_limit_w", "region", "state")}
        self.connections[event["asset_id"]] = kept | {"feed_metered": False, "approved_day": 0}

    def _changes_connection(self, event: Fields) -> None:
        kept = self.connections[event["asset_id"]]
        kept |= {name: value for name, value in event.items() if name in kept}

    _connection_approved = _connection_rejected = _connection_status_set = _export_limit_set = _changes_connection

    def _feed_recorded(self, event: Fields) -> None:
        feed = {name: event[name] for name in ("exported_wh", "imported_wh")}
        self.feeds[event["asset_id"], event["day"]] = feed

    def _region_alert_set(self, event: Fields) -> None:
        self.alerts[event["region"]] = (event["level"], event["until"])

    # market-participation

    def _market_participation_deployed(self, event: Fields) -> None:
        """Settings only."""

    def _offer_created(self, event: Fields) -> None:
        number, maker = event.pop("offer_id"), event.pop("actor")
        self.offers[number] = event | {"maker": maker, "fills": 0, "unsettled_fills": 0}

    def _changes_offer(self, event: Fields) -> None:
        kept = self.offers[event["offer_id"]]
        changes = ("open_wh", "fills", "unsettled_fills", "state")
        kept |= {name: event[name] for name in changes if name in event}

    _offer_accepted = _offer_fill_closed = _offer_cancelled = _offer_rejected = _offer_expired = _changes_offer

    def _energy_retired(self, event: Fields) -> None:
        key = (event["asset_id"], event["day"])
        self.retired_wh[key] += event["wh"]
        assert self.retired_wh[key] == event["day_retired_wh"]

    # settlement

    def _settlement_deployed(self, event: Fields) -> None:
        self.system["fee_bps"] = event["fee_bps"]

    def _fee_bps_set(self, event: Fields) -> None:
        self.system["fee_bps"] = event["fee_bps"]

    def _payment_funded(self, event: Fields) -> None:
        number, buyer = event.pop("payment_id"), event.pop("actor")
        open_shares = dict.fromkeys(("delivered_wh", "payout_ustx", "fee_ustx", "refund_ustx"), 0)
        self.payments[number] = event | open_shares | {"buyer": buyer}

    def _payment_closed(self, event: Fields) -> None:
        kept = self.payments[event["payment_id"]]
        assert kept["state"] == PaymentState.LOCKED
        kept |= {name: value for name, value in event.items() if name in kept}
        self.fees_ustx += event["fee_ustx"]

    _payment_settled = _payment_refunded = _payment_closed

    def _fees_withdrawn(self, event: Fields) -> None:
        self.fees_ustx -= event["amount_ustx"]
        assert self.fees_ustx == event["fees_ustx"]


def expected_index(system: System) -> Fields:
    """What the events must add up to, by the model."""
    register, money = system.assets, system.settlement
    retired: Counter[AssetDay] = Counter()
    for item in system.market.retirements:
        retired[item.asset_id, item.day] += item.wh
    return {
        "system": {
            "proposed_contract_owner": register.proposed_contract_owner,
            "contract_owner": register.contract_owner,
            "paused": register.paused,
            "fee_bps": money.fee_bps,
        },
        "roles": register.roles,
        "assets": _rows(register.assets),
        "changes": _rows(register.changes),
        "days": _rows(system.production.days),
        "connections": _rows(system.grid.connections),
        "feeds": _rows(system.grid.feeds),
        "alerts": system.grid.alerts,
        "offers": _rows(system.market.offers),
        "payments": _rows(money.payments),
        "retired_wh": retired,
        "fees_ustx": money.fees_ustx,
    }


def _rows(things: dict[Any, Any]) -> dict[Any, Fields]:
    return {key: asdict(thing) for key, thing in things.items()}
