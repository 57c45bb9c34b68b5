"""``grid-integration``: which assets feed into the grid, how much they may export, and what the grid meter counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from der_client.contracts.asset_verification import TradingTerms
from der_client.contracts.production_tracking import ProductionTracking
from der_client.contracts.units import AssetDay, DayOrNever, Ids, Model, Page, Reason, Region, VersionedEvent
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import (
    ClarityName,
    Day,
    FromCall,
    MaxLength,
    Principal,
    Response,
    Timestamp,
    UInt,
)
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
        asset_id: The asset; 0 if it was not read by its id.
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


class ExportCap(Model):
    """The most power that could be exported, W, from a day until the next entry."""

    from_day: Day
    cap_w: UInt


ExportSchedule = Annotated[tuple[ExportCap, ...], MaxLength(16)]


class Feed(Model):
    """Energy that passed the grid meter on a day.

    Attributes:
        exported_wh: What left the plant, Wh.
        imported_wh: What the plant took, Wh.
        recorder: Who recorded it.
        verified: Whether another account verified it, for good.
    """

    exported_wh: UInt
    imported_wh: UInt
    recorder: Principal
    verified: bool


class TotalFeed(Model):
    """Energy that passed the grid meter over all days, Wh."""

    exported_wh: UInt
    imported_wh: UInt


class FeedRecord(Model):
    """The feed of a day of an asset, Wh, as recorded or as reviewed."""

    asset_id: UInt
    day: Day
    exported_wh: UInt
    imported_wh: UInt


class Delivery(Model):
    """What can be delivered and retired of a verified day.

    Attributes:
        deliverable_wh: The energy that can be delivered, Wh.
        retirable_wh: The most that can be retired, Wh; if a feed is known, exported less imported.
        mask: The slots that were recorded.
    """

    deliverable_wh: UInt
    retirable_wh: UInt
    mask: UInt


class MarketTerms(TradingTerms):
    """The facts needed to make or take an offer of an asset's energy: its trading terms, and its connection.

    Attributes:
        approved: Whether a connection was ever approved.
        connected: Whether it is connected or curtailed now.
        approved_day: First day whose energy can be sold; ``None`` until approved.
        cap_w: The lesser of capacity and export limit, W.
    """

    approved: bool
    connected: bool
    approved_day: DayOrNever
    cap_w: UInt


class RegionAlert(Model):
    """An announcement to a region, and its end."""

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
    ERR_FEED_FINAL = 3012, "the feed is verified and final"
    ERR_IMPLAUSIBLE_FEED = 3013, "a feed must be at most 10^15 Wh"
    ERR_UNKNOWN_ALERT_LEVEL = 3014, "there is no such alert level"
    ERR_DAY_BEFORE_CONNECTION = 3015, "the asset was not connected yet on that day"
    ERR_NOT_VERIFIER = 3016, "only a verifier may do this"
    ERR_FEED_NOT_FOUND = 3017, "no feed of that day is recorded"
    ERR_OWN_FEED = 3018, "a feed is verified by another principal than recorded it"
    ERR_OWN_ASSET = 3019, "a grid operator cannot approve the connection of an asset that they own or operate"
    ERR_TRANSFER_PROPOSED = 3020, "a transfer of the asset is proposed; accept or cancel it first"


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
    export_schedule: ExportSchedule
    state: ConnectionState


class ConnectionRejected(VersionedEvent, topic="connection-rejected"):
    """A grid operator rejected a request."""

    asset_id: UInt
    actor: Principal
    reason: Reason
    state: ConnectionState


class ConnectionWithdrawn(VersionedEvent, topic="connection-withdrawn"):
    """An owner withdrew a request."""

    asset_id: UInt
    actor: Principal


class ConnectionStatusSet(VersionedEvent, topic="connection-status-set"):
    """A connection was curtailed, islanded, disconnected, or connected again."""

    asset_id: UInt
    actor: Principal
    export_schedule: ExportSchedule
    state: ConnectionState


class ExportLimitSet(VersionedEvent, topic="export-limit-set"):
    """An export limit was set: a higher one from that day on, a lower one from the next day on."""

    asset_id: UInt
    actor: Principal
    export_limit_w: UInt
    export_schedule: ExportSchedule


class FeedRecorded(VersionedEvent, topic="feed-recorded"):
    """The feed of a day was recorded, or replaced."""

    asset_id: UInt
    day: Day
    actor: Principal
    exported_wh: UInt
    imported_wh: UInt
    replaced: bool


class FeedVerified(VersionedEvent, topic="feed-verified"):
    """The feed of a day is verified for good."""

    asset_id: UInt
    day: Day
    actor: Principal
    exported_wh: UInt
    imported_wh: UInt


class RegionAlertSet(VersionedEvent, topic="region-alert-set"):
    """A grid operator announced an alert level."""

    actor: Principal
    region: Region
    level: AlertLevel
    until: Timestamp


class GridIntegration(
    Contract,
    name="grid-integration",
    errors=GridError,
    events=(
        ContractDeployed,
        ConnectionRequested,
        ConnectionApproved,
        ConnectionRejected,
        ConnectionWithdrawn,
        ConnectionStatusSet,
        ExportLimitSet,
        FeedRecorded,
        FeedVerified,
        RegionAlertSet,
    ),
    callees=(ProductionTracking,),
):
    """Grid connections, and the energy that really passed the grid meter."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """Return the connection's state, if that is why a call is not allowed."""
        asset_id = arguments.get("asset_id")
        if error is not GridError.ERR_WRONG_CONNECTION_STATE or asset_id is None:
            return ""
        connection = self.get_connection(asset_id)
        return "" if connection is None else f"the connection of asset {asset_id} is {connection.state.name.lower()}"

    @read_only
    def get_connection(self, asset_id: UInt) -> Connection | None:
        """Return an asset's connection, or ``None``."""

    @read_only
    def get_connections(self, asset_ids: Ids) -> Page[Connection]:
        """Return up to 30 connections at once."""

    @read_only
    def is_connected(self, asset_id: UInt) -> bool:
        """Return whether the asset is verified, and connected or curtailed."""

    @read_only
    def get_feed(self, asset_id: UInt, day: Day) -> Feed | None:
        """Return the feed of a day, or ``None``."""

    @read_only
    def get_feeds(self, keys: Annotated[Sequence[AssetDay], MaxLength(30)]) -> Page[Feed]:
        """Return up to 30 feeds at once."""

    @read_only
    def get_total_feed(self, asset_id: UInt) -> TotalFeed:
        """Return the feed of an asset over all days."""

    @read_only
    def get_deliverable(self, asset_id: UInt, day: Day) -> UInt | None:
        """Return the energy (Wh) that can be delivered from a day: ``None`` until it is known, and then final."""

    @read_only
    def get_delivery(self, asset_id: UInt, day: Day) -> Delivery | None:
        """Return what can be delivered and retired of a day: ``None`` until it is known, and then final."""

    @read_only
    def get_delivered(self, asset_id: UInt, day: Day, wh: UInt, before_wh: UInt) -> UInt | None:
        """Return how much of a forward fill behind others a day delivers (Wh); ``None`` until it is known."""

    @read_only
    def is_undeliverable(self, asset_id: UInt, day: Day) -> bool:
        """Return whether what a day delivers will never be known, so that its payments can be refunded."""

    @read_only
    def get_market_terms(self, asset_id: UInt) -> MarketTerms | None:
        """Return what has to be known to make or take an offer of an asset's energy."""

    @read_only
    def get_export_schedule(self, asset_id: UInt) -> ExportSchedule:
        """Return the newest export caps of an asset, at most 16, oldest first."""

    @read_only
    def get_cap_on(self, asset_id: UInt, day: Day) -> UInt:
        """Return the most power that could be exported on a day, W; 0 if none. Final once the day is over."""

    @read_only
    def get_export_cap(self, asset_id: UInt) -> UInt | None:
        """Return the lesser of capacity and export limit, W; ``None`` without an approved connection."""

    @read_only
    def get_region_alert(self, region: Region) -> RegionAlert | None:
        """Return the last announcement to a region."""

    @public
    def request_connection(self, asset_id: UInt, export_limit_w: UInt) -> bool:
        """Owner of a verified asset: ask for a connection, or replace a request that is not decided yet."""

    @public
    def withdraw_request(self, asset_id: UInt) -> bool:
        """Owner: withdraw a request that is not decided yet."""

    @public
    def approve_connection(self, asset_id: UInt, export_limit_w: UInt, feed_metered: bool) -> bool:
        """Grid operator: connect an asset; the limit (W) repeats what was reviewed, metering is fixed for good.

        Only energy of the days from this one on can be sold or retired.
        """

    @public
    def reject_connection(self, asset_id: UInt, reason: Reason) -> bool:
        """Grid operator: reject a request."""

    @public
    def set_status(self, asset_id: UInt, status: ConnectionState) -> bool:
        """Grid operator: curtail, island, disconnect, or connect again.

        An islanded or disconnected asset delivers nothing from tomorrow on, a reconnected one from today.
        """

    @public
    def set_export_limit(self, asset_id: UInt, export_limit_w: UInt) -> bool:
        """Grid operator: set the export limit (W); a higher one holds from today, a lower one from tomorrow."""

    @public
    def record_feed(self, asset_id: UInt, day: Day, exported_wh: UInt, imported_wh: UInt) -> bool:
        """Grid operator: record the energy (Wh) that passed the meter on a day that is over, since the approval."""

    @public
    def record_feeds(
        self, items: Annotated[Sequence[FeedRecord], MaxLength(100), ClarityName("feeds-read")]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(100)]:
        """Grid operator: record up to 100 feeds; one result for each; one that fails changes nothing."""

    @public
    def verify_feed(self, asset_id: UInt, day: Day, exported_wh: UInt, imported_wh: UInt) -> bool:
        """Verifier other than the recorder: verify a feed for good; the energy (Wh) repeats what was reviewed."""

    @public
    def verify_feeds(
        self, items: Annotated[Sequence[FeedRecord], MaxLength(100), ClarityName("feeds-read")]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(100)]:
        """Verifier: verify up to 100 feeds; one result for each; one that fails changes nothing."""

    @public
    def set_region_alert(self, region: Region, level: AlertLevel, until: Timestamp) -> bool:
        """Grid operator: announce an alert level to its region."""
