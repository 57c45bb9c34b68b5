"""A story that goes to the edge of each rule, and one step beyond."""

from __future__ import annotations

from typing import Any, Final

from der_client.contracts.asset_verification import AssetKind
from der_client.contracts.grid_integration import AlertLevel, ConnectionState
from tests.model.cast import DEVICE_KEYS, NORTH
from tests.model.chain import BLOCK_S, START_TIME
from tests.model.reference.clock import start_of
from tests.model.reference.production import Signature
from tests.model.step import Action, Step, Wait, step

TODAY: Final = START_TIME // 86_400
PRICE: Final = 83_333


def until(day: int, blocks: int = 0) -> Wait:
    """Wait so that the next call but ``blocks`` is made just when a day begins."""
    return Wait(start_of(day) - (blocks + 1) * BLOCK_S)


def offer(
    actor: str, asset_id: int, day: int, wh: int, *, price: int = PRICE, expires_at: int = 0, taker: str | None = None
) -> Step:
    """An offer of energy; forward ones are open until their day begins."""
    return step(
        actor,
        "market.create_offer",
        asset_id=asset_id,
        day=day,
        wh=wh,
        price_ustx_per_kwh=price,
        min_fill_wh=min(wh, 1000),
        expires_at=expires_at or start_of(day),
        taker=taker,
    )


def take(actor: str, offer_id: int, wh: int, before_wh: int = 0, max_cost_ustx: int = 10**12) -> Step:
    """A fill of an offer."""
    return step(
        actor,
        "settlement.accept_and_fund",
        offer_id=offer_id,
        wh=wh,
        max_cost_ustx=max_cost_ustx,
        max_before_wh=before_wh,
    )


def signed(asset_id: int, day: int, start: int, whs: tuple[int, ...], *, key: int = 0, key_epoch: int = 1) -> Step:
    """Readings that a meter signed."""
    signature = Signature(DEVICE_KEYS[key], asset_id, day, key_epoch, start, whs)
    readings: dict[str, Any] = {"asset_id": asset_id, "day": day, "start": start, "whs": whs}
    return step("sam", "production.record_day", **readings, signature=signature)


def recorded(asset_id: int, day: int, slots: int, wh: int, first: int = 0) -> Step:
    """Slots of a day that an oracle records."""
    mask = ((1 << slots) - 1) << first
    return step("olga", "production.record_production", asset_id=asset_id, day=day, mask=mask, wh=wh)


def verified(asset_id: int, day: int, wh: int, actor: str = "vera") -> Step:
    """A day that is verified."""
    return step(actor, "production.verify_day", asset_id=asset_id, day=day, wh=wh)


def fed(day: int, exported_wh: int) -> Step:
    """What the metered plant exported."""
    return step("greta", "grid.record_feed", asset_id=2, day=day, exported_wh=exported_wh, imported_wh=5)


def settle(payment_id: int) -> Step:
    """Anybody settles."""
    return step("sam", "settlement.settle", payment_id=payment_id)


def refund(payment_id: int) -> Step:
    """Anybody refunds."""
    return step("sam", "settlement.refund", payment_id=payment_id)


def change(capacity_w: int, device_key: int = 0) -> list[Step]:
    """Another capacity or key of the plant with a meter."""
    values = {"asset_id": 1, "capacity_w": capacity_w, "device_key": DEVICE_KEYS[device_key]}
    return [step("alice", "assets.request_change", **values), step("rita", "assets.approve_change", **values)]


def forward_with_a_shortfall() -> list[Action]:
    """Offers 1 to 3, payments 1 to 3: rounding, the capacity's edge, first funded first delivered."""
    day = TODAY + 1
    return [
        offer("alice", 1, day, 50_000),
        take("dave", 1, 20_001, max_cost_ustx=1_666_743),
        take("dave", 1, 20_001, max_cost_ustx=1_666_744),
        take("erin", 1, 999, before_wh=20_001),
        take("erin", 1, 10_000, before_wh=20_000),
        take("erin", 1, 10_000, before_wh=20_001),
        take("alice", 1, 2_000, before_wh=30_001),
        offer("alice", 1, day, 46_001),
        offer("alice", 1, day, 46_000, taker="dave"),
        step("erin", "market.reject_offer", offer_id=2),
        step("dave", "market.reject_offer", offer_id=2),
        offer("alice", 1, TODAY + 366, 1_000),
        offer("alice", 1, TODAY + 367, 1_000),
        until(day, 1),
        take("erin", 1, 1_000, before_wh=30_001),
        step("sam", "market.expire_offer", offer_id=1),
        until(day + 1, 1),
        signed(1, day, 0, (275,) * 96),
        signed(1, day, 0, (275,) * 90),
        signed(1, day, 89, (275,) * 7),
        signed(1, day, 90, (13_476,) * 6),
        signed(1, day, 90, (13_475,) * 6),
        recorded(1, day, 6, 10, first=90),
        step("vera", "production.adjust_day", asset_id=1, day=day, delta_wh=-80_850),
        verified(1, day, 24_751),
        verified(1, day, 24_750),
        step("vera", "production.adjust_day", asset_id=1, day=day, delta_wh=1),
        step("deployer", "settlement.set_fee_bps", fee_bps=501),
        step("deployer", "settlement.set_fee_bps", fee_bps=500),
        settle(2),
        refund(1),
        step("sam", "settlement.settle_batch", payment_ids=[3, 1, 1, 9]),
    ]


def spot_and_retired() -> list[Action]:
    """Offers 4 to 6, payments 4 to 6: the operator's price, epochs, a dispute, and what is left of a verified day."""
    day = TODAY + 3
    later = start_of(day + 3)
    return [
        offer("carol", 3, day, 20_000, price=49_999),
        offer("carol", 3, day, 20_000, price=50_000),
        take("carol", 4, 1_000),
        step("bob", "assets.set_operator", asset_id=3, operator=None, min_price_ustx_per_kwh=0),
        take("dave", 4, 1_000),
        offer("bob", 3, day, 997 * 24 + 1),
        offer("bob", 3, day, 997 * 24),
        step("sam", "market.expire_offer", offer_id=4),
        offer("bob", 3, day, 1),
        take("dave", 5, 1_000),
        until(day + 1),
        recorded(3, day, 24, 26_321),
        recorded(3, day, 24, 26_320),
        step("arno", "production.dispute_day", asset_id=3, day=day, reason="odd"),
        step("vera", "production.verify_days", items=[{"asset_id": 3, "day": day, "wh": 26_320}]),
        verified(3, day, 26_320),
        step("arno", "production.adjust_day", asset_id=3, day=day, delta_wh=1),
        step("arno", "production.adjust_day", asset_id=3, day=day, delta_wh=-320),
        verified(3, day, 26_000, actor="arno"),
        offer("bob", 3, day, 25_001, price=333, expires_at=later),
        offer("bob", 3, day, 24_000, price=333, expires_at=later),
        step("bob", "market.retire_energy", asset_id=3, day=day, wh=1_001, beneficiary="erin"),
        step("bob", "market.retire_energy", asset_id=3, day=day, wh=1_000, beneficiary="erin"),
        offer("bob", 3, day, 1, price=333_000, expires_at=later),
        take("erin", 6, 23_000),
        take("erin", 6, 1_000),
        settle(4),
    ]


def metered() -> list[Action]:
    """Offer 7, payments 7 and 8: nothing settles before the feed is known, and less was exported than made."""
    day = TODAY + 5
    return [
        offer("alice", 2, day, 100_000),
        take("dave", 7, 60_000),
        take("erin", 7, 40_000, before_wh=60_000),
        until(day + 1, 1),
        fed(day, 120_000),
        fed(day, 120_000),
        recorded(2, day, 48, 120_000),
        fed(day, 50_000),
        verified(2, day, 120_000),
        fed(day, 60_000),
        settle(7),
        settle(8),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10**12, recipient="paul"),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10_000, recipient="settlement"),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10_000, recipient="paul"),
    ]


def too_late() -> list[Action]:
    """Offers 8 to 10, payments 9 to 11: recorded at the last moment, never verified, rejected, or never fed."""
    day = TODAY + 7
    return [
        offer("alice", 1, day, 10_000),
        take("dave", 8, 10_000),
        offer("bob", 3, day, 5_000),
        take("dave", 9, 5_000),
        offer("alice", 2, day, 5_000),
        take("dave", 10, 5_000),
        until(day + 1),
        recorded(2, day, 48, 5_000),
        verified(2, day, 5_000),
        step("vera", "production.reject_day", asset_id=3, day=day, reason="no data"),
        refund(10),
        offer("bob", 3, day, 1_000, expires_at=start_of(day + 2)),
        until(day + 31, 1),
        signed(1, day, 0, (100,)),
        signed(1, day, 1, (100,)),
        until(day + 46, 3),
        refund(9),
        step("vera", "production.adjust_day", asset_id=1, day=day, delta_wh=-1),
        refund(11),
        verified(1, day, 99),
        refund(9),
        refund(11),
        fed(day, 5_000),
    ]


def changed_and_handed_over() -> list[Action]:
    """Capacity and key of plant 1 change; then it gets another owner, is suspended, and retires."""
    day = TODAY + 60
    return [
        until(day),
        *change(2_000, device_key=2),
        signed(1, day - 1, 0, (10,) * 4),
        recorded(1, day - 1, 1, 1_100),
        recorded(1, day - 1, 1, 1_101, first=1),
        until(day + 1),
        signed(1, day, 0, (10,), key=0),
        signed(1, day, 0, (10,), key=2, key_epoch=1),
        signed(1, day, 0, (1_101,), key=2, key_epoch=2),
        signed(1, day, 0, (1_100,), key=2, key_epoch=2),
        until(day + 2),
        signed(1, day + 1, 0, (551,), key=2, key_epoch=2),
        signed(1, day + 1, 0, (550,), key=2, key_epoch=2),
        until(day + 46, 2),
        *change(2_500, device_key=2),
        step("rita", "assets.approve_change", asset_id=1, capacity_w=2_500, device_key=DEVICE_KEYS[2]),
        step("alice", "assets.set_operator", asset_id=1, operator="carol", min_price_ustx_per_kwh=7),
        step("alice", "assets.propose_transfer", asset_id=1, new_owner="bob"),
        offer("alice", 1, day + 50, 1_000),
        step("alice", "assets.cancel_transfer", asset_id=1),
        step("alice", "assets.propose_transfer", asset_id=1, new_owner="bob"),
        step("bob", "assets.accept_transfer", asset_id=1, proposal=1),
        step("bob", "assets.accept_transfer", asset_id=1, proposal=2),
        offer("carol", 1, day + 50, 1_000),
        offer("bob", 1, day + 50, 1_000),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=10),
        offer("bob", 1, day + 50, 1),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.ISLANDED),
        take("dave", 11, 1_000),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.CONNECTED),
        step("rita", "assets.suspend_asset", asset_id=1, reason="odd"),
        take("dave", 11, 1_000),
        step("rita", "assets.reinstate_asset", asset_id=1),
        step("paul", "assets.set_paused", on=True),
        take("dave", 11, 1_000),
        step("paul", "assets.set_paused", on=False),
        take("dave", 11, 1_000),
        step("bob", "assets.retire_asset", asset_id=1),
        signed(1, day + 46, 0, (5,), key=2, key_epoch=2),
        until(day + 48),
        signed(1, day + 46, 0, (5,), key=2, key_epoch=2),
        signed(1, day + 47, 0, (5,), key=2, key_epoch=2),
        step(
            "alice",
            "assets.register_asset",
            kind=AssetKind.WIND,
            capacity_w=10,
            location="9xj3ud",
            region=NORTH,
            metadata_hash=bytes(32),
            slot_seconds=900,
            device_key=DEVICE_KEYS[2],
        ),
        step("rita", "assets.verify_asset", asset_id=5, capacity_w=10, device_key=DEVICE_KEYS[2]),
        until(day + 46 + 31, 1),
        step("rita", "assets.verify_asset", asset_id=5, capacity_w=10, device_key=DEVICE_KEYS[2]),
        step("rita", "assets.verify_asset", asset_id=5, capacity_w=10, device_key=DEVICE_KEYS[2]),
        *what_stays(day + 46),
    ]


def what_stays(day: int) -> list[Action]:
    """States that nothing later covers."""
    return [
        step("vera", "production.dispute_day", asset_id=1, day=day, reason="odd"),
        step("greta", "grid.set_status", asset_id=2, status=ConnectionState.CURTAILED),
        step("rita", "assets.suspend_asset", asset_id=2, reason="odd"),
        step("rita", "assets.reinstate_asset", asset_id=2),
        step("alice", "assets.propose_transfer", asset_id=2, new_owner="bob"),
        step("alice", "assets.cancel_transfer", asset_id=2),
        step("bob", "assets.propose_transfer", asset_id=3, new_owner="carol"),
        step("rita", "assets.suspend_asset", asset_id=3, reason="odd"),
        step("alice", "assets.request_change", asset_id=2, capacity_w=11, device_key=DEVICE_KEYS[4]),
        step("greta", "grid.set_region_alert", region=NORTH, level=AlertLevel.WATCH, until=START_TIME),
        step("deployer", "assets.propose_owner", new_owner="sam"),
        step("paul", "assets.set_paused", on=True),
    ]


def story() -> list[Action]:
    """All of it."""
    return [
        *forward_with_a_shortfall(),
        *spot_and_retired(),
        *metered(),
        *too_late(),
        *changed_and_handed_over(),
    ]
