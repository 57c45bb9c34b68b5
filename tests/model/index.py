"""The state that events add up to: what an indexer knows that sees nothing else, through the typed clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from der_client.contracts.settlement import PaymentState
from der_client.stacks.contract.events import Event, EventRecord
from tests.model.expectation import shown
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
        self.roots: dict[int, Fields] = {}
        self.schedules: dict[int, list[tuple[int, int]]] = {}
        self.tokens: set[str] = set()
        self.claims: dict[int, Fields] = {}
        self.credits: Counter[tuple[str, str]] = Counter()
        self.retired_wh: Counter[AssetDay] = Counter()
        self.fees: Counter[str | None] = Counter()
        for record in records:
            assert isinstance(record.event, Event), record
            self._take(record.event)

    def shown(self) -> Fields:
        """All of it; sums of nothing are left out."""
        sums = {
            name: {key: amount for key, amount in vars(self)[name].items() if amount} for name in ("fees", "credits")
        }
        return vars(self) | sums

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
        none_yet = (
            "capacity_from_day",
            "key_from_day",
            "verified_day",
            "previous_key_from_day",
            "min_price",
            "proposal",
        )
        never = dict.fromkeys(none_yet, 0)
        nobody = dict.fromkeys(("operator", "proposed_owner", "previous_device_key", "last_day"))
        self.assets[number] = event | never | nobody | {"owner": owner, "previous_capacity_w": event["capacity_w"]}

    def _changes_asset(self, event: Fields) -> None:
        kept = self.assets[event["asset_id"]]
        kept |= {name: value for name, value in event.items() if name in kept}

    _asset_verified = _asset_suspended = _operator_set = _changes_asset

    def _asset_reinstated(self, event: Fields) -> None:
        self._changes_asset(event | {"last_day": None})

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

    _day_rejected = _day_disputed = _day_verified

    def _day_adjusted(self, event: Fields) -> None:
        self._day(event, wh=event["day_wh"])

    def _day(self, event: Fields, **changes: int) -> None:
        key = (event["asset_id"], event["day"])
        self.days[key] = {"mask": 0, **self.days.get(key, {}), **changes, "state": event["state"]}

    def _root_anchored(self, event: Fields) -> None:
        assert event.pop("actor") == event["oracle"]
        self.roots[event.pop("root_id")] = event

    # grid-integration

    def _grid_integration_deployed(self, event: Fields) -> None:
        """Settings only."""

    def _connection_requested(self, event: Fields) -> None:
        kept = {name: event[name] for name in ("export_limit_w", "region", "state")}
        self.connections[event["asset_id"]] = kept | {"feed_metered": False, "approved_day": 0}

    def _changes_connection(self, event: Fields) -> None:
        kept = self.connections[event["asset_id"]]
        kept |= {name: value for name, value in event.items() if name in kept}
        if "export_schedule" in event:
            entries = [(entry["from_day"], entry["cap_w"]) for entry in event["export_schedule"]]
            self.schedules[event["asset_id"]] = entries

    _connection_approved = _connection_rejected = _connection_status_set = _export_limit_set = _changes_connection

    def _connection_withdrawn(self, event: Fields) -> None:
        del self.connections[event["asset_id"]]

    def _feed_recorded(self, event: Fields) -> None:
        feed = {name: event[name] for name in ("exported_wh", "imported_wh")}
        self.feeds[event["asset_id"], event["day"]] = feed | {"recorder": event["actor"], "verified": False}

    def _feed_verified(self, event: Fields) -> None:
        self.feeds[event["asset_id"], event["day"]]["verified"] = True

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

    def _token_set(self, event: Fields) -> None:
        (self.tokens.add if event["listed"] else self.tokens.discard)(event["token"])

    # settlement

    def _settlement_deployed(self, event: Fields) -> None:
        bps = event["fee_bps"]
        self.system["fee_schedule"] = {"fee_bps": bps, "next_fee_bps": bps, "next_from": 0}

    def _fee_bps_set(self, event: Fields) -> None:
        self.system["fee_schedule"] = {name: event[name] for name in ("fee_bps", "next_fee_bps", "next_from")}

    def _payment_funded(self, event: Fields) -> None:
        number, buyer = event.pop("payment_id"), event.pop("actor")
        open_shares = dict.fromkeys(("delivered_wh", "payout", "fee", "refund", "claimed_wh"), 0)
        self.payments[number] = event | open_shares | {"buyer": buyer}

    def _payment_closed(self, event: Fields) -> None:
        kept = self.payments[event["payment_id"]]
        assert kept["state"] == PaymentState.LOCKED
        kept |= {name: value for name, value in event.items() if name in kept}
        self.fees[event["token"]] += event["fee"]
        if event["token"] is not None:
            self.credits[event["payee"], event["token"]] += event["payout"]
            self.credits[event["buyer"], event["token"]] += event["refund"]

    _payment_settled = _payment_refunded = _payment_released = _payment_closed

    def _payment_assigned(self, event: Fields) -> None:
        self.payments[event["payment_id"]]["buyer"] = event["to"]

    def _energy_claimed(self, event: Fields) -> None:
        kept = self.payments[event["payment_id"]]
        kept["claimed_wh"] += event["wh"]
        assert kept["claimed_wh"] == event["claimed_wh"]
        assert (kept["asset_id"], kept["day"]) == (event["asset_id"], event["day"])
        assert event["mask"] == self.days[event["asset_id"], event["day"]]["mask"]
        names = ("payment_id", "wh", "beneficiary", "purpose")
        self.claims[event["claim_id"]] = {name: event[name] for name in names}

    def _credit_withdrawn(self, event: Fields) -> None:
        self.credits[event["actor"], event["token"]] -= event["amount"]

    def _fees_withdrawn(self, event: Fields) -> None:
        self.fees[event["token"]] -= event["amount"]
        assert self.fees[event["token"]] == event["fees"]

    def _surplus_withdrawn(self, event: Fields) -> None:
        """Moves nothing that is kept here."""


def expected_index(system: System) -> Fields:
    """What the events must add up to, by the model."""
    register, money = system.assets, system.settlement
    retired: Counter[AssetDay] = Counter()
    for item in system.market.retirements:
        retired[item.asset_id, item.day] += item.wh
    owed = money.credits_given.copy()
    owed.subtract(money.credits_withdrawn)
    return {
        "system": {
            "proposed_contract_owner": register.proposed_contract_owner,
            "contract_owner": register.contract_owner,
            "paused": register.paused,
            "fee_schedule": money.fee_schedule,
        },
        "roles": register.roles,
        "assets": _rows(register.assets),
        "changes": _rows(register.changes),
        "days": _rows(system.production.days),
        "roots": _rows(system.production.roots),
        "connections": _rows(system.grid.connections),
        "schedules": system.grid.schedules,
        "feeds": _rows(system.grid.feeds),
        "alerts": system.grid.alerts,
        "offers": _rows(system.market.offers),
        "tokens": system.market.tokens,
        "payments": _rows(money.payments),
        "claims": _rows(dict(enumerate(money.claims, 1))),
        "credits": {key: owed[key] for key in owed if owed[key]},
        "retired_wh": retired,
        "fees": {token: money.fees(token) for token in (None, *money.tokens) if money.fees(token)},
    }


def _rows(things: dict[Any, Any]) -> dict[Any, Fields | None]:
    return {key: shown(thing) for key, thing in things.items()}
