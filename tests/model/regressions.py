"""Short runs on which contracts and model once disagreed. They must agree on them now."""

from __future__ import annotations

from typing import Final

from der_client.contracts.asset_verification import AssetKind
from der_client.contracts.grid_integration import ConnectionState
from tests.model.people import SOUTH
from tests.model.reference.clock import start_of
from tests.model.scenarios import TODAY, offer, recorded, retired, signed, until, verified
from tests.model.start import metadata
from tests.model.step import Action, step

REGRESSIONS: Final[dict[str, list[Action]]] = {
    "an offer that is reserved for its own seller": [
        step(
            "bob",
            "market.create_offers",
            asset_id=3,
            price_per_kwh=1_000_000,
            min_fill_wh=1,
            taker="bob",
            token=None,
            days=[{"day": TODAY + 1, "wh": 14, "expires_at": start_of(TODAY + 1)}],
        ),
    ],
    "the cap of a day that is over stays, whatever limits come later": [
        step("bob", "assets.set_operator", asset_id=3, operator=None, min_price_ustx_per_kwh=0),
        until(TODAY + 1),
        recorded(3, TODAY, 24, 23_928),
        verified(3, TODAY, 24, 23_928),
        *(
            action
            for number in range(40)
            for action in (
                until(TODAY + 1 + number + (70 if number > 25 else 0)),
                step("gus", "grid.set_export_limit", asset_id=3, export_limit_w=1_000 + (-1) ** number * number),
                offer("bob", 3, TODAY, 1_000, expires_at=start_of(TODAY + 200)),
            )
        ),
        # On a full schedule: an entry for tomorrow that is dropped again.
        step("gus", "grid.set_status", asset_id=3, status=ConnectionState.DISCONNECTED),
        step("gus", "grid.set_status", asset_id=3, status=ConnectionState.CONNECTED),
        step("gus", "grid.set_export_limit", asset_id=3, export_limit_w=2_000),
    ],
    "a connection moves between connected and the other states only": [
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.CONNECTED),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.ISLANDED),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.DISCONNECTED),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.CONNECTED),
    ],
    "a key that is claimed and not bound yet": [
        recorded(4, TODAY - 3, 1, 1),
        signed(4, TODAY - 3, 0, (1,), key=1),
    ],
    "a proposed transfer falls away when a pending asset is rejected": [
        step("bob", "assets.propose_transfer", asset_id=4, new_owner="alice"),
        step("rita", "assets.reject_asset", asset_id=4, reason="unclear"),
        step("alice", "assets.accept_transfer", asset_id=4, proposal=1),
    ],
    "a capacity changes twice on one day": [
        step("bob", "assets.request_change", asset_id=3, capacity_w=5_000, device_key=None),
        step("rita", "assets.approve_change", asset_id=3, capacity_w=5_000, device_key=None),
        step("bob", "assets.request_change", asset_id=3, capacity_w=600, device_key=None),
        step("rita", "assets.approve_change", asset_id=3, capacity_w=600, device_key=None),
        until(TODAY + 1),
        step("bob", "assets.request_change", asset_id=3, capacity_w=700, device_key=None),
        step("rita", "assets.approve_change", asset_id=3, capacity_w=700, device_key=None),
    ],
    "a capacity shrinks after a part of the day is recorded": [
        until(TODAY, -361),
        recorded(3, TODAY, 1, 1_096),
        step("bob", "assets.request_change", asset_id=3, capacity_w=10, device_key=None),
        step("rita", "assets.approve_change", asset_id=3, capacity_w=10, device_key=None),
        until(TODAY + 1),
        recorded(3, TODAY, 23, 25_225, first=1),
        recorded(3, TODAY, 23, 25_224, first=1),
    ],
    "energy is retired before a connection, which is metered and shows less": [
        step(
            "bob",
            "assets.register_asset",
            kind=AssetKind.WIND,
            capacity_w=1_000,
            location="9xj3ud",
            region=SOUTH,
            metadata_hash=metadata(9),
            slot_seconds=3600,
            device_key=None,
        ),
        step("rita", "assets.verify_asset", asset_id=6, capacity_w=1_000, device_key=None),
        until(TODAY + 1),
        recorded(6, TODAY, 24, 24_000),
        verified(6, TODAY, 24, 24_000),
        retired("bob", 6, TODAY, 24_000),
        step("bob", "grid.request_connection", asset_id=6, export_limit_w=1_000),
        step("gus", "grid.approve_connection", asset_id=6, export_limit_w=1_000, feed_metered=True),
        step("gus", "grid.record_feed", asset_id=6, day=TODAY, exported_wh=10, imported_wh=0),
        offer("bob", 6, TODAY, 1_000, expires_at=start_of(TODAY + 2)),
        until(TODAY + 2),
        recorded(6, TODAY + 1, 24, 24_000),
        verified(6, TODAY + 1, 24, 24_000),
        step("gus", "grid.record_feed", asset_id=6, day=TODAY + 1, exported_wh=10, imported_wh=0),
        retired("bob", 6, TODAY + 1, 11),
        retired("bob", 6, TODAY + 1, 10),
    ],
}
