"""Draws calls of ``grid-integration``: connections, limits, feeds, alerts."""

from __future__ import annotations

from der_client.contracts.asset_verification import AssetState, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState
from der_client.contracts.production_tracking import DayState
from tests.model.drawing.situation import Maker, Situation
from tests.model.people import REGIONS
from tests.model.step import Step, step


class GridDraws(Situation):
    """Draws calls of ``grid-integration``: connections, limits, feeds, alerts."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw a call, with their weights."""
        return {
            self.request_connection: 6,
            self.withdraw_request: 3,
            self.approve_connection: 8,
            self.reject_connection: 3,
            self.set_status: 5,
            self.set_export_limit: 4,
            self.record_feed: 8,
            self.record_feeds: 6,
            self.verify_feed: 8,
            self.verify_feeds: 6,
            self.set_region_alert: 3,
        }

    def request_connection(self) -> Step | None:
        """Request a connection, usually for a verified plant without one or whose request was rejected."""
        connections = self.system.grid.connections
        new = [number for number in self.assets(AssetState.VERIFIED) if number not in connections]
        new += [number for number, item in connections.items() if item.state is ConnectionState.REJECTED]
        asset_id = self.one(self.all_assets() if self.chance(0.08) else new, self.all_assets())
        if asset_id is None:
            return None
        limit_w = self.mostly(self.pick((1, 3_000, self.asset(asset_id).capacity_w, 10**12)), 0, 10**12 + 1)
        return step(self.owner(asset_id), "grid.request_connection", asset_id=asset_id, export_limit_w=limit_w)

    def withdraw_request(self) -> Step | None:
        """Withdraw a request that is not decided yet."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), self.all_assets())
        return None if asset_id is None else step(self.owner(asset_id), "grid.withdraw_request", asset_id=asset_id)

    def connections(self, *states: ConnectionState) -> list[int]:
        """Return the assets with a connection in one of these states."""
        return [number for number, item in self.system.grid.connections.items() if item.state in states]

    def grid_operator(self, asset_id: int) -> str:
        """Pick a grid operator of the asset's region."""
        return self.holder(Role.GRID_OPERATOR, self.asset(asset_id).region)

    def approve_connection(self) -> Step | None:
        """Approve a request, now and then for a connection that is not requested."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), list(self.system.grid.connections))
        if asset_id is None:
            return None
        return step(
            self.grid_operator(asset_id),
            "grid.approve_connection",
            asset_id=asset_id,
            export_limit_w=self.system.grid.connections[asset_id].export_limit_w,
            feed_metered=self.chance(0.5),
        )

    def reject_connection(self) -> Step | None:
        """Reject a request, now and then for a connection that is not requested."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), list(self.system.grid.connections))
        if asset_id is None:
            return None
        return step(self.grid_operator(asset_id), "grid.reject_connection", asset_id=asset_id, reason="no room")

    def set_status(self) -> Step | None:
        """Set the status of a connection, usually back to connected."""
        asset_id = self.one(list(self.system.grid.connections))
        if asset_id is None:
            return None
        states = list(ConnectionState)
        status = self.mostly(ConnectionState.CONNECTED if self.chance(0.6) else self.pick(states[2:]), *states[:2])
        return step(self.grid_operator(asset_id), "grid.set_status", asset_id=asset_id, status=status)

    def set_export_limit(self) -> Step | None:
        """Set a higher or lower export limit."""
        asset_id = self.one(list(self.system.grid.connections))
        if asset_id is None:
            return None
        limit_w = self.mostly(self.pick((1, 1_000, self.asset(asset_id).capacity_w, 10**12)), 0, 10**12 + 1)
        return step(self.grid_operator(asset_id), "grid.set_export_limit", asset_id=asset_id, export_limit_w=limit_w)

    def record_feed(self) -> Step | None:
        """Record the feed of a metered day that is over."""
        feed = self.feed()
        return None if feed is None else step(self.grid_operator(feed["asset_id"]), "grid.record_feed", **feed)

    def record_feeds(self) -> Step | None:
        """Record the feeds of several metered days."""
        made = [feed for feed in (self.feed() for _ in range(self.random.randint(0, 4))) if feed is not None]
        if not made:
            return None
        return step(self.grid_operator(made[0]["asset_id"]), "grid.record_feeds", items=made)

    def feed(self) -> dict[str, int] | None:
        """Draw a reading of a plant's feed meter, usually for a day whose feed is not recorded yet."""
        metered = [number for number, item in self.system.grid.connections.items() if item.feed_metered]
        asset_id = self.one(metered or list(self.system.grid.connections))
        if asset_id is None:
            return None
        waiting = [key[1] for key in self.days(DayState.RECORDED, DayState.VERIFIED) if key[0] == asset_id]
        waiting = [day for day in waiting if (asset_id, day) not in self.system.grid.feeds]
        waiting = [day for day in waiting if self.is_since_connection(asset_id, day) or self.chance(0.05)]
        day = self.pick(waiting) if waiting and self.chance(0.8) else self.today - self.pick((0, 1, 1, 2, 45, 46))
        recorded = self.known_wh((asset_id, day))
        return {
            "asset_id": asset_id,
            "day": day,
            "exported_wh": self.mostly(self.pick((recorded, recorded // 2, recorded + 1, 0)), 10**15 + 1),
            "imported_wh": self.pick((0, 17, recorded // 2)),
        }

    def verify_feed(self) -> Step | None:
        """Verify a feed, usually one that is waiting for review."""
        key = self.one(self.feeds_to_verify(), list(self.system.grid.feeds))
        return None if key is None else step(self.feed_verifier(key), "grid.verify_feed", **self.reviewed_feed(key))

    def verify_feeds(self) -> Step | None:
        """Verify several feeds that are waiting for review, and perhaps another."""
        keys = self.feeds_to_verify()[: self.random.randint(0, 4)]
        if self.system.grid.feeds and self.chance(0.2):
            keys.append(self.pick(list(self.system.grid.feeds)))
        if not keys:
            return None
        items = [self.reviewed_feed(key) for key in keys]
        return step(self.feed_verifier(keys[0]), "grid.verify_feeds", items=items)

    def feeds_to_verify(self) -> list[tuple[int, int]]:
        """Return the feeds that are not verified."""
        return [key for key, feed in self.system.grid.feeds.items() if not feed.verified]

    def feed_verifier(self, key: tuple[int, int]) -> str:
        """Pick a verifier; now and then, the principal that recorded the feed."""
        recorder = self.system.grid.feeds[key].recorder
        verifies = self.system.assets.has_role(Role.VERIFIER, recorder)
        return self.actor(recorder) if self.chance(0.3 if verifies else 0.03) else self.holder(Role.VERIFIER)

    def reviewed_feed(self, key: tuple[int, int]) -> dict[str, int]:
        """Return a verifier's review of a feed; now and then, with the wrong energy."""
        feed = self.system.grid.feeds[key]
        exported_wh = self.mostly(feed.exported_wh, feed.exported_wh + 1)
        energies = {"exported_wh": exported_wh, "imported_wh": feed.imported_wh}
        return {"asset_id": key[0], "day": key[1], **energies}

    def set_region_alert(self) -> Step:
        """Set an alert for a region."""
        region = self.pick(REGIONS)
        return step(
            self.holder(Role.GRID_OPERATOR, region),
            "grid.set_region_alert",
            region=region,
            level=self.pick(list(AlertLevel)),
            until=self.system.clock.now + 3600,
        )
