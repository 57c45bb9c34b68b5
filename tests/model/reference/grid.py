"""``grid-integration``: connections, feeds, and what a day can deliver."""

# ruff: noqa: ARG002  # every function has its caller and all arguments as parameters, as in the contract

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der_client.contracts.asset_verification import AssetState, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState, GridError
from der_client.contracts.production_tracking import DayState
from tests.model.reference.assets import Asset, Assets
from tests.model.reference.clock import Clock, end_of, end_of_window
from tests.model.reference.production import Production
from tests.model.reference.refusal import Objections, Refused, each

MAX_EXPORT_LIMIT_W = 10**12
MAX_FEED_WH = 10**15
MAX_SCHEDULE = 16
CONNECTED = ConnectionState.CONNECTED
OPERATED = (
    ConnectionState.CONNECTED,
    ConnectionState.CURTAILED,
    ConnectionState.ISLANDED,
    ConnectionState.DISCONNECTED,
)
"""The states between which a grid operator moves an approved connection."""


@dataclass(slots=True)
class Connection:
    """A connection to the grid."""

    export_limit_w: int
    region: str
    state: ConnectionState = ConnectionState.REQUESTED
    feed_metered: bool = False
    approved_day: int = 0

    @property
    def is_approved(self) -> bool:
        """Whether it was approved."""
        return self.state in OPERATED

    @property
    def feeds_in(self) -> bool:
        """Whether it is connected or curtailed."""
        return self.state in (ConnectionState.CONNECTED, ConnectionState.CURTAILED)


@dataclass(slots=True)
class Feed:
    """The energy that passed the feed meter on a day, Wh."""

    exported_wh: int
    imported_wh: int
    recorder: str
    verified: bool = False


class Grid:
    """All connections and feeds."""

    def __init__(self, clock: Clock, assets: Assets, production: Production) -> None:
        self.clock = clock
        self.assets = assets
        self.production = production
        self.connections: dict[int, Connection] = {}
        self.feeds: dict[tuple[int, int], Feed] = {}
        self.caps: dict[int, dict[int, int]] = {}  # by asset: the cap in W, by the day from which it applies
        self.former_caps: Counter[int] = Counter()  # by asset: how many caps are no longer in the schedule
        self.alerts: dict[str, tuple[AlertLevel, int]] = {}

    def is_connected(self, asset_id: int) -> bool:
        """Return whether a verified asset is connected or curtailed."""
        connection = self.connections.get(asset_id)
        verified = self.assets.assets[asset_id].state is AssetState.VERIFIED
        return connection is not None and connection.feeds_in and verified

    def export_cap_w(self, asset_id: int) -> int | None:
        """Return the lower of capacity and export limit in W; ``None`` before the approval."""
        connection = self.connections.get(asset_id)
        if connection is None or not connection.is_approved:
            return None
        return min(self.assets.assets[asset_id].capacity_w, connection.export_limit_w)

    def cap_on(self, asset_id: int, day: int) -> int:
        """Return the most that could be exported on a day, W."""
        caps = self.caps.get(asset_id, {})
        return caps[max(since)] if (since := [from_day for from_day in caps if from_day <= day]) else 0

    @property
    def schedules(self) -> dict[int, list[tuple[int, int]]]:
        """The newest caps of each asset: the days from which they apply, and the caps."""
        return {asset_id: list(caps.items())[self.former_caps[asset_id] :] for asset_id, caps in self.caps.items()}

    def _schedule(self, asset_id: int, cap_w: int) -> None:
        """Set the export cap from now on; today keeps the largest cap that applied on it."""
        today = self.clock.today
        from_day = today if cap_w >= self.cap_on(asset_id, today) else today + 1
        kept = {since: cap for since, cap in self.caps[asset_id].items() if since < from_day}
        changes = not kept or cap_w != kept[max(kept)]
        self.caps[asset_id] = caps = kept | ({from_day: cap_w} if changes else {})
        # A cap that has left the schedule does not return when a later entry is dropped.
        self.former_caps[asset_id] = max(self.former_caps[asset_id], len(caps) - MAX_SCHEDULE)

    def is_metered(self, asset_id: int, day: int) -> bool:
        """Return whether the feed of a day counts."""
        connection = self.connections.get(asset_id)
        return connection is not None and connection.feed_metered and day >= connection.approved_day

    def verified_feed(self, asset_id: int, day: int) -> Feed | None:
        """Return the feed of a day if it is verified."""
        feed = self.feeds.get((asset_id, day))
        return feed if feed is not None and feed.verified else None

    def deliverable_wh(self, asset_id: int, day: int) -> int | None:
        """Return D, the verified energy within the verified feed or, if not metered, the day's cap; else ``None``."""
        row = self.production.days.get((asset_id, day))
        if row is None or row.state is not DayState.VERIFIED:
            return None
        if not self.is_metered(asset_id, day):
            return min(row.wh, self.cap_on(asset_id, day) * 24)
        feed = self.verified_feed(asset_id, day)
        return None if feed is None else min(row.wh, feed.exported_wh)

    def retirable_wh(self, asset_id: int, day: int) -> int | None:
        """Return the retirable part of D: with a verified feed, at most exported less imported energy."""
        deliverable, feed = self.deliverable_wh(asset_id, day), self.verified_feed(asset_id, day)
        if deliverable is None or feed is None:
            return deliverable
        return min(deliverable, max(0, feed.exported_wh - feed.imported_wh))

    def is_undeliverable(self, asset_id: int, day: int) -> bool:
        """Return whether a day was rejected, can never be recorded, or has no D although its window is over."""
        row = self.production.days.get((asset_id, day))
        if row is not None and row.state is DayState.REJECTED:
            return True
        if row is None and self.assets.assets[asset_id].is_lost(day):
            return True
        return self.clock.now >= end_of_window(day) and self.deliverable_wh(asset_id, day) is None

    def total_feed(self, asset_id: int) -> dict[str, int]:
        """Return the feed of an asset over all days."""
        feeds = [feed for (of, _), feed in self.feeds.items() if of == asset_id]
        return {
            "exported_wh": sum(feed.exported_wh for feed in feeds),
            "imported_wh": sum(feed.imported_wh for feed in feeds),
        }

    def request_connection(self, caller: str, asset_id: int, export_limit_w: int) -> bool:
        """As the owner of a verified asset, request a connection. Possible until a request is approved."""
        objections = Objections()
        asset = self._asset(asset_id, objections)
        connection = self.connections.get(asset_id)
        objections.add(GridError.ERR_NOT_ASSET_OWNER, when=caller != asset.owner)
        objections.add(GridError.ERR_ASSET_NOT_VERIFIED, when=asset.state is not AssetState.VERIFIED)
        objections.add(GridError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(GridError.ERR_INVALID_EXPORT_LIMIT, when=not 1 <= export_limit_w <= MAX_EXPORT_LIMIT_W)
        approved = connection is not None and connection.is_approved
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=approved)
        objections.decide()
        self.connections[asset_id] = Connection(export_limit_w, asset.region)
        return True

    def withdraw_request(self, caller: str, asset_id: int) -> bool:
        """As the owner, withdraw a request that is not decided."""
        objections = Objections()
        asset = self._asset(asset_id, objections)
        objections.add(GridError.ERR_NOT_ASSET_OWNER, when=caller != asset.owner)
        connection = self.connections.get(asset_id) or objections.refuse(GridError.ERR_CONNECTION_NOT_FOUND)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=connection.state is not ConnectionState.REQUESTED)
        objections.decide()
        del self.connections[asset_id]
        return True

    def approve_connection(self, caller: str, asset_id: int, export_limit_w: int, feed_metered: bool) -> bool:
        """As the grid operator, approve another's request, repeating its limit; metering is fixed for good."""
        objections, connection = self._for_operator(caller, asset_id)
        asset = self.assets.assets[asset_id]
        objections.add(GridError.ERR_OWN_ASSET, when=asset.may_trade(caller))
        objections.add(GridError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=connection.state is not ConnectionState.REQUESTED)
        objections.add(GridError.ERR_REVIEW_MISMATCH, when=export_limit_w != connection.export_limit_w)
        objections.decide()
        connection.state, connection.feed_metered = ConnectionState.CONNECTED, feed_metered
        connection.approved_day = self.clock.today
        self.caps[asset_id] = {self.clock.today: export_limit_w}
        return True

    def reject_connection(self, caller: str, asset_id: int, reason: str) -> bool:
        """As the grid operator, reject a request."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=connection.state is not ConnectionState.REQUESTED)
        objections.decide()
        connection.state = ConnectionState.REJECTED
        return True

    def set_status(self, caller: str, asset_id: int, status: ConnectionState) -> bool:
        """As the grid operator, change the status from connected to curtailed, islanded or disconnected, and back."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_UNKNOWN_STATUS, when=status not in OPERATED)
        # Only from connected to another state, or back.
        moves = connection.is_approved and (status is CONNECTED) is not (connection.state is CONNECTED)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not moves)
        objections.decide()
        connection.state = status
        self._schedule(asset_id, connection.export_limit_w if connection.feeds_in else 0)
        return True

    def set_export_limit(self, caller: str, asset_id: int, export_limit_w: int) -> bool:
        """As the grid operator, set the export limit: a higher one from today, a lower one from tomorrow."""
        objections, connection = self._for_operator(caller, asset_id)
        transfer = self.assets.assets[asset_id].proposed_owner is not None
        objections.add(GridError.ERR_TRANSFER_PROPOSED, when=transfer)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not connection.is_approved)
        objections.add(GridError.ERR_INVALID_EXPORT_LIMIT, when=not 1 <= export_limit_w <= MAX_EXPORT_LIMIT_W)
        objections.decide()
        connection.export_limit_w = export_limit_w
        self._schedule(asset_id, export_limit_w if connection.feeds_in else 0)
        return True

    def record_feed(self, caller: str, asset_id: int, day: int, exported_wh: int, imported_wh: int) -> bool:
        """As the grid operator, record a feed of a past day since the approval, until verified or its window closes."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not connection.is_approved)
        objections.add(GridError.ERR_IMPLAUSIBLE_FEED, when=max(exported_wh, imported_wh) > MAX_FEED_WH)
        objections.add(GridError.ERR_DAY_BEFORE_CONNECTION, when=day < connection.approved_day)
        objections.add(GridError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        objections.add(GridError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        objections.add(GridError.ERR_FEED_FINAL, when=self.verified_feed(asset_id, day) is not None)
        objections.decide()
        self.feeds[asset_id, day] = Feed(exported_wh, imported_wh, caller)
        return True

    def record_feeds(self, caller: str, items: Sequence[Mapping[str, int]]) -> tuple[bool | Refused, ...]:
        """As the grid operator, record several feeds, with one result each."""
        return each(items, lambda item: self.record_feed(caller, **item))

    def verify_feed(self, caller: str, asset_id: int, day: int, exported_wh: int, imported_wh: int) -> bool:
        """As a verifier who did not record it, verify a feed within the window, repeating both energies."""
        objections = self._for_verifier(caller)
        feed = self.feeds.get((asset_id, day)) or objections.refuse(GridError.ERR_FEED_NOT_FOUND)
        objections.add(GridError.ERR_OWN_FEED, when=caller == feed.recorder)
        objections.add(GridError.ERR_FEED_FINAL, when=feed.verified)
        objections.add(GridError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        reviewed = (exported_wh, imported_wh) == (feed.exported_wh, feed.imported_wh)
        objections.add(GridError.ERR_REVIEW_MISMATCH, when=not reviewed)
        objections.decide()
        feed.verified = True
        return True

    def verify_feeds(self, caller: str, items: Sequence[Mapping[str, int]]) -> tuple[bool | Refused, ...]:
        """As a verifier, verify several feeds, with one result each."""
        self._for_verifier(caller).decide()
        return each(items, lambda item: self.verify_feed(caller, **item))

    def set_region_alert(self, caller: str, region: str, level: AlertLevel, until: int) -> bool:
        """As the grid operator of the region, set an alert."""
        objections = Objections()
        may = self.assets.has_role(Role.GRID_OPERATOR, caller, region)
        objections.add(GridError.ERR_NOT_GRID_OPERATOR, when=not may)
        objections.decide()
        self.alerts[region] = (level, until)
        return True

    def _asset(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(GridError.ERR_ASSET_NOT_FOUND)

    def _for_verifier(self, caller: str) -> Objections:
        objections = Objections()
        objections.add(GridError.ERR_NOT_VERIFIER, when=not self.assets.has_role(Role.VERIFIER, caller))
        return objections

    def _for_operator(self, caller: str, asset_id: int) -> tuple[Objections, Connection]:
        objections = Objections()
        connection = self.connections.get(asset_id)
        if connection is None:
            objections.refuse(GridError.ERR_CONNECTION_NOT_FOUND)
        may = self.assets.has_role(Role.GRID_OPERATOR, caller, connection.region)
        objections.add(GridError.ERR_NOT_GRID_OPERATOR, when=not may)
        return objections, connection
