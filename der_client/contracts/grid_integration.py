"""``grid-integration``: which assets feed into the grid, how much they may export, and what passed the meter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from der_client.contracts.production_tracking import ProductionTracking
from der_client.contracts.units import DayOrNever, EnergyContract, Ids, Model, Page, Reason, Region, VersionedEvent
from der_client.stacks.contract import public, read_only
from der_client.stacks.contract.annotations import Day, FromCall, Principal, Timestamp, UInt
from der_client.stacks.contract.errors import Code, ErrorCode


class ConnectionState(Code):
    """State of a grid connection."""

    REQUESTED = 1
    REJECTED = 2
    CONNECTED = 3
    CURTAILED = 4
    ISLANDED = 5
    DISCONNECTED = 6


class AlertLevel(Code):
    """What a grid operator announces to its region."""

    NONE = 0
    WATCH = 1
    WARNING = 2
    EMERGENCY = 3


class Connection(Model):
    """A grid connection.

    Attributes:
        asset_id: Of which asset; 0 if it was not read by its id.
        state: Its state.
        region: The grid operator's region.
        export_limit_w: The most power that may be exported, W.
        feed_metered: Whether the exported energy is metered; fixed at approval.
        approved_day: First day whose feed counts and whose energy can be sold; ``None`` until approved.
    """

    asset_id: Annotated[int, FromCall("asset_id")] = 0
    state: ConnectionState
    region: Region
    export_limit_w: UInt
    feed_metered: bool
    approved_day: DayOrNever


class Feed(Model):
    """Energy that passed the grid meter, Wh."""

    exported_wh: UInt
    imported_wh: UInt


class RegionAlert(Model):
    """An announcement to a region, and until when it holds."""

    level: AlertLevel
    until: Timestamp


class GridError(ErrorCode):
    """Errors of ``grid-integration``."""

    ERR_NOT_ASSET_OWNER = 3001, "only the owner of the asset may do this"
    ERR_NOT_GRID_OPERATOR = 3002, "only a grid operator of the region may do this"
    ERR_ASSET_NOT_FOUND = 3003, "no asset has this id"
    ERR_ASSET_NOT_VERIFIED = 3004, "the asset is not verified"
    ERR_INVALID_EXPORT_LIMIT = 3005, "the export limit must be 1 to 10^12 W"
    ERR_CONNECTION_NOT_FOUND = 3006, "no connection of this asset was requested"
    ERR_WRONG_CONNECTION_STATE = 3007, "the connection's state does not allow this"
    ERR_UNKNOWN_STATUS = 3008, "a status is connected, curtailed, islanded or disconnected"
    ERR_REVIEW_MISMATCH = 3009, "what was requested differs from what was reviewed; read it again"
    ERR_DAY_NOT_OVER = 3010, "the day is not over yet"
    ERR_WINDOW_CLOSED = 3011, "a feed can be recorded until 45 days after its day"
    ERR_FEED_FINAL = 3012, "the feed of a verified day is final"
    ERR_IMPLAUSIBLE_FEED = 3013, "a feed must be at most 10^15 Wh"
    ERR_UNKNOWN_ALERT_LEVEL = 3014, "there is no such alert level"
    ERR_DAY_BEFORE_CONNECTION = 3015, "the asset was not connected yet on that day"


class ContractDeployed(VersionedEvent, topic="grid-integration-deployed"):
    """The contract was deployed, with these settings."""

    window_days: UInt


class ConnectionRequested(VersionedEvent, topic="connection-requested"):
    """An owner asked for a connection."""

    asset_id: UInt
    actor: Principal
    region: Region
    export_limit_w: UInt
    state: ConnectionState


class ConnectionApproved(VersionedEvent, topic="connection-approved"):
    """A grid operator connected an asset."""

    asset_id: UInt
    actor: Principal
    export_limit_w: UInt
    feed_metered: bool
    approved_day: Day
    state: ConnectionState


class ConnectionRejected(VersionedEvent, topic="connection-rejected"):
    """A grid operator rejected a request."""

    asset_id: UInt
    actor: Principal
    reason: Reason
    state: ConnectionState


class ConnectionStatusSet(VersionedEvent, topic="connection-status-set"):
    """A connection was curtailed, islanded, disconnected, or connected again."""

    asset_id: UInt
    actor: Principal
    state: ConnectionState


class ExportLimitSet(VersionedEvent, topic="export-limit-set"):
    """An export limit was set, for offers made from then on."""

    asset_id: UInt
    actor: Principal
    export_limit_w: UInt


class FeedRecorded(VersionedEvent, topic="feed-recorded"):
    """The feed of a day was recorded, or replaced."""

    asset_id: UInt
    day: Day
    actor: Principal
    exported_wh: UInt
    imported_wh: UInt
    replaced: bool


class RegionAlertSet(VersionedEvent, topic="region-alert-set"):
    """A grid operator announced an alert level."""

    actor: Principal
    region: Region
    level: AlertLevel
    until: Timestamp


class GridIntegration(
    EnergyContract,
    name="grid-integration",
    errors=GridError,
    events=(
        ContractDeployed,
        ConnectionRequested,
        ConnectionApproved,
        ConnectionRejected,
        ConnectionStatusSet,
        ExportLimitSet,
        FeedRecorded,
        RegionAlertSet,
    ),
    callees=(ProductionTracking,),
):
    """Grid connections and the energy that really passed the meter."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """The connection's state, where it is what does not allow a call."""
        asset_id = arguments.get("asset_id")
        if error is not GridError.ERR_WRONG_CONNECTION_STATE or asset_id is None:
            return ""
        connection = self.get_connection(asset_id)
        return "" if connection is None else f"the connection of asset {asset_id} is {connection.state.name.lower()}"

    @read_only
    def get_connection(self, asset_id: UInt) -> Connection | None:
        """An asset's connection, or ``None``."""

    @read_only
    def get_connections(self, asset_ids: Ids) -> Page[Connection]:
        """Up to 30 connections at once."""

    @read_only
    def is_connected(self, asset_id: UInt) -> bool:
        """Whether the asset is connected or curtailed."""

    @read_only
    def get_feed(self, asset_id: UInt, day: Day) -> Feed | None:
        """The feed of a day, or ``None``."""

    @read_only
    def get_total_feed(self, asset_id: UInt) -> Feed:
        """The feed of an asset over all days."""

    @read_only
    def get_deliverable(self, asset_id: UInt, day: Day) -> UInt | None:
        """The energy (Wh) that can be delivered from a day; ``None`` until it is known, final then."""

    @read_only
    def get_export_cap(self, asset_id: UInt) -> UInt | None:
        """The lesser of capacity and export limit, W; ``None`` without an approved connection."""

    @read_only
    def get_region_alert(self, region: Region) -> RegionAlert | None:
        """What was announced to a region last."""

    @public
    def request_connection(self, asset_id: UInt, export_limit_w: UInt) -> bool:
        """Owner of a verified asset: ask for a connection."""

    @public
    def approve_connection(self, asset_id: UInt, export_limit_w: UInt, feed_metered: bool) -> bool:
        """Grid operator: connect an asset; the limit (W) repeats what was reviewed, metering is fixed for good.

        The feed meter counts for the days from this one on; energy of days before can be retired, but not sold.
        """

    @public
    def reject_connection(self, asset_id: UInt, reason: Reason) -> bool:
        """Grid operator: reject a request."""

    @public
    def set_status(self, asset_id: UInt, status: ConnectionState) -> bool:
        """Grid operator: curtail, island, disconnect, or connect again."""

    @public
    def set_export_limit(self, asset_id: UInt, export_limit_w: UInt) -> bool:
        """Grid operator: set the export limit (W) for offers made from now on."""

    @public
    def record_feed(self, asset_id: UInt, day: Day, exported_wh: UInt, imported_wh: UInt) -> bool:
        """Grid operator: record the energy (Wh) that passed the meter on a day that is over, since the approval."""

    @public
    def set_region_alert(self, region: Region, level: AlertLevel, until: Timestamp) -> bool:
        """Grid operator: announce an alert level to its region."""
