"""``grid-integration``: connections, feeds, and what a day can deliver."""

# ruff: noqa: ARG002  # every function takes its caller and all arguments, as the contract does

from __future__ import annotations

from dataclasses import dataclass

from der_client.contracts.asset_verification import AssetState, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState, GridError
from der_client.contracts.production_tracking import DayState
from tests.model.reference.assets import Asset, Assets
from tests.model.reference.clock import Clock, end_of, end_of_window
from tests.model.reference.production import Production
from tests.model.reference.refusal import Objections

MAX_EXPORT_LIMIT_W = 10**12
MAX_FEED_WH = 10**15
CONNECTED = ConnectionState.CONNECTED
OPERATED = (
    ConnectionState.CONNECTED,
    ConnectionState.CURTAILED,
    ConnectionState.ISLANDED,
    ConnectionState.DISCONNECTED,
)
"""The states that a grid operator moves an approved connection between."""


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
        """Whether it was ever connected."""
        return self.state in OPERATED


@dataclass(slots=True)
class Feed:
    """What passed the meter on a day, Wh."""

    exported_wh: int
    imported_wh: int


class Grid:
    """All connections and feeds."""

    def __init__(self, clock: Clock, assets: Assets, production: Production) -> None:
        self.clock = clock
        self.assets = assets
        self.production = production
        self.connections: dict[int, Connection] = {}
        self.feeds: dict[tuple[int, int], Feed] = {}
        self.alerts: dict[str, tuple[AlertLevel, int]] = {}

    def is_connected(self, asset_id: int) -> bool:
        """Connected or curtailed."""
        connection = self.connections.get(asset_id)
        return connection is not None and connection.state in (ConnectionState.CONNECTED, ConnectionState.CURTAILED)

    def export_cap_w(self, asset_id: int) -> int | None:
        """The lesser of capacity and export limit, once approved."""
        connection = self.connections.get(asset_id)
        if connection is None or not connection.is_approved:
            return None
        return min(self.assets.assets[asset_id].capacity_w, connection.export_limit_w)

    def deliverable_wh(self, asset_id: int, day: int) -> int | None:
        """D: verified, but where metered no more than exported, and unknown before that is known.

        Nothing is metered before the connection is approved, also not later: what was known then stays.
        """
        row = self.production.days.get((asset_id, day))
        if row is None or row.state is not DayState.VERIFIED:
            return None
        connection = self.connections.get(asset_id)
        if connection is None or not connection.feed_metered or day < connection.approved_day:
            return row.wh
        feed = self.feeds.get((asset_id, day))
        return None if feed is None else min(row.wh, feed.exported_wh)

    def total_feed(self, asset_id: int) -> Feed:
        """Over all days."""
        feeds = [feed for (of, _), feed in self.feeds.items() if of == asset_id]
        return Feed(sum(feed.exported_wh for feed in feeds), sum(feed.imported_wh for feed in feeds))

    def request_connection(self, caller: str, asset_id: int, export_limit_w: int) -> bool:
        """Owner of a verified asset, for the first time or after a rejection."""
        objections = Objections()
        asset = self._asset(asset_id, objections)
        connection = self.connections.get(asset_id)
        objections.add(GridError.ERR_NOT_ASSET_OWNER, when=caller != asset.owner)
        objections.add(GridError.ERR_ASSET_NOT_VERIFIED, when=asset.state is not AssetState.VERIFIED)
        objections.add(GridError.ERR_INVALID_EXPORT_LIMIT, when=not 1 <= export_limit_w <= MAX_EXPORT_LIMIT_W)
        again = connection is None or connection.state is ConnectionState.REJECTED
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not again)
        objections.decide()
        self.connections[asset_id] = Connection(export_limit_w, asset.region)
        return True

    def approve_connection(self, caller: str, asset_id: int, export_limit_w: int, feed_metered: bool) -> bool:
        """Grid operator: the limit repeats what was reviewed; whether the feed is metered is fixed for good."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=connection.state is not ConnectionState.REQUESTED)
        objections.add(GridError.ERR_REVIEW_MISMATCH, when=export_limit_w != connection.export_limit_w)
        objections.decide()
        connection.state, connection.feed_metered = ConnectionState.CONNECTED, feed_metered
        connection.approved_day = self.clock.today
        return True

    def reject_connection(self, caller: str, asset_id: int, reason: str) -> bool:
        """Grid operator: a request."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=connection.state is not ConnectionState.REQUESTED)
        objections.decide()
        connection.state = ConnectionState.REJECTED
        return True

    def set_status(self, caller: str, asset_id: int, status: ConnectionState) -> bool:
        """Grid operator: from connected to curtailed, islanded or disconnected, and back."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_UNKNOWN_STATUS, when=status not in OPERATED)
        # From connected to one of the others, or back.
        moves = connection.is_approved and (status is CONNECTED) is not (connection.state is CONNECTED)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not moves)
        objections.decide()
        connection.state = status
        return True

    def set_export_limit(self, caller: str, asset_id: int, export_limit_w: int) -> bool:
        """Grid operator: for offers made from now on."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not connection.is_approved)
        objections.add(GridError.ERR_INVALID_EXPORT_LIMIT, when=not 1 <= export_limit_w <= MAX_EXPORT_LIMIT_W)
        objections.decide()
        connection.export_limit_w = export_limit_w
        return True

    def record_feed(self, caller: str, asset_id: int, day: int, exported_wh: int, imported_wh: int) -> bool:
        """Grid operator: after the day, since the approval, within the window; replaced until the day is verified."""
        objections, connection = self._for_operator(caller, asset_id)
        objections.add(GridError.ERR_WRONG_CONNECTION_STATE, when=not connection.is_approved)
        objections.add(GridError.ERR_IMPLAUSIBLE_FEED, when=max(exported_wh, imported_wh) > MAX_FEED_WH)
        objections.add(GridError.ERR_DAY_BEFORE_CONNECTION, when=day < connection.approved_day)
        objections.add(GridError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        objections.add(GridError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        verified = self.production.state(asset_id, day) is DayState.VERIFIED
        objections.add(GridError.ERR_FEED_FINAL, when=verified and (asset_id, day) in self.feeds)
        objections.decide()
        self.feeds[asset_id, day] = Feed(exported_wh, imported_wh)
        return True

    def set_region_alert(self, caller: str, region: str, level: AlertLevel, until: int) -> bool:
        """Grid operator of the region."""
        objections = Objections()
        may = self.assets.has_role(Role.GRID_OPERATOR, caller, region)
        objections.add(GridError.ERR_NOT_GRID_OPERATOR, when=not may)
        objections.decide()
        self.alerts[region] = (level, until)
        return True

    def _asset(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(GridError.ERR_ASSET_NOT_FOUND)

    def _for_operator(self, caller: str, asset_id: int) -> tuple[Objections, Connection]:
        objections = Objections()
        connection = self.connections.get(asset_id)
        if connection is None:
            objections.refuse(GridError.ERR_CONNECTION_NOT_FOUND)
        may = self.assets.has_role(Role.GRID_OPERATOR, caller, connection.region)
        objections.add(GridError.ERR_NOT_GRID_OPERATOR, when=not may)
        return objections, connection
