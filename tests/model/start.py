"""How each run begins: roles are granted and some plants are registered."""

from __future__ import annotations

from der_client.contracts.asset_verification import AssetKind, DeviceKey
from tests.model.people import CONTRACT_OWNER, DEVICE_KEYS, NORTH, ROLES, SOUTH, TOKEN
from tests.model.reference.assets import Claim
from tests.model.step import Step, step


def first_steps() -> list[Step]:
    """Return the steps that grant the roles and register the plants.

    The plants: one with a device key, one with a feed meter, one with an operator, one pending, and a battery.
    """
    return [
        *(
            step(CONTRACT_OWNER, "assets.set_role", role=role, who=who, region=region, granted=True)
            for who, (role, region) in ROLES.items()
        ),
        *_plant(1, "alice", "greta", NORTH, 4_000, 900, DEVICE_KEYS[0], feed_metered=False),
        *_plant(2, "alice", "greta", NORTH, 10_000, 1800, None, feed_metered=True),
        *_plant(3, "bob", "gus", SOUTH, 997, 3600, None, feed_metered=False),
        step(CONTRACT_OWNER, "settlement.set_token", token=TOKEN, listed=True),
        step("bob", "assets.set_operator", asset_id=3, operator="carol", min_price_ustx_per_kwh=50_000),
        _registration(4, "bob", SOUTH, 123_457, 900, DEVICE_KEYS[1]),
        *_plant(5, "alice", "greta", NORTH, 5_000, 3600, None, feed_metered=False, kind=AssetKind.BATTERY),
    ]


def claim(owner: str, device_key: DeviceKey | None) -> Claim | None:
    """Return a key with the proof that its owner needs to claim it."""
    return None if device_key is None else Claim(device_key, device_key, owner)


def metadata(number: int) -> bytes:
    """Return the metadata hash of a plant."""
    return number.to_bytes(32)


def _registration(
    number: int,
    owner: str,
    region: str,
    capacity_w: int,
    slot_seconds: int,
    device_key: DeviceKey | None,
    kind: AssetKind = AssetKind.SOLAR,
) -> Step:
    return step(
        owner,
        "assets.register_asset",
        kind=kind,
        capacity_w=capacity_w,
        location="9xj3ud",
        region=region,
        metadata_hash=metadata(number),
        slot_seconds=slot_seconds,
        device_key=claim(owner, device_key),
    )


def _plant(
    asset_id: int,
    owner: str,
    grid_operator: str,
    region: str,
    capacity_w: int,
    slot_seconds: int,
    device_key: DeviceKey | None,
    *,
    feed_metered: bool,
    kind: AssetKind = AssetKind.SOLAR,
) -> list[Step]:
    """Return the steps until a plant can sell."""
    ids = {"asset_id": asset_id}
    return [
        _registration(asset_id, owner, region, capacity_w, slot_seconds, device_key, kind),
        step("rita", "assets.verify_asset", **ids, capacity_w=capacity_w, device_key=device_key),
        step(owner, "grid.request_connection", **ids, export_limit_w=capacity_w),
        step(grid_operator, "grid.approve_connection", **ids, export_limit_w=capacity_w, feed_metered=feed_metered),
    ]
