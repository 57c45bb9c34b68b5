"""What the events of ``grid-integration`` change: connections, their schedules, feeds and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.contracts import grid_integration as grid
from der_client.index.state import State, change, fields_of, on

if TYPE_CHECKING:
    from der_client.stacks.contract.events import Event


@on(grid.ContractDeployed)
def _deployed(_state: State, _event: Event) -> None:
    """Change nothing: its constants are in the event's own table, not in the state."""


@on(grid.ConnectionRequested, reads=("connection",))
def _connection_requested(state: State, event: grid.ConnectionRequested) -> None:
    undecided = {"feed_metered": False, "approved_day": None}
    state.put("connection", (event.asset_id,), fields_of(event, "asset_id", "actor") | undecided)


@on(grid.ConnectionRejected, reads=("connection",))
def _connection_rejected(state: State, event: grid.ConnectionRejected) -> None:
    change(state, "connection", (event.asset_id,), {"state": event.state})


@on(
    grid.ConnectionApproved,
    grid.ConnectionStatusSet,
    grid.ExportLimitSet,
    reads=("connection", "export_schedule"),
)
def _connection_changed(state: State, event: grid.ConnectionApproved) -> None:
    change(state, "connection", (event.asset_id,), vars(event))
    state.put("export_schedule", (event.asset_id,), {"export_schedule": event.export_schedule})


@on(grid.ConnectionWithdrawn, reads=("connection",))
def _connection_withdrawn(state: State, event: grid.ConnectionWithdrawn) -> None:
    state.drop("connection", (event.asset_id,))


@on(grid.FeedRecorded, reads=("feed",))
def _feed_recorded(state: State, event: grid.FeedRecorded) -> None:
    feed = {"exported_wh": event.exported_wh, "imported_wh": event.imported_wh}
    state.put("feed", (event.asset_id, event.day), feed | {"recorder": event.actor, "verified": False})


@on(grid.FeedVerified, reads=("feed",))
def _feed_verified(state: State, event: grid.FeedVerified) -> None:
    change(state, "feed", (event.asset_id, event.day), {"verified": True})


@on(grid.RegionAlertSet)
def _region_alert_set(state: State, event: grid.RegionAlertSet) -> None:
    state.put("alert", (event.region,), {"level": event.level, "until": event.until})
