"""A scenario that goes to the limit of each rule, and one step beyond."""

from __future__ import annotations

from typing import Any, Final

from der_client.contracts.asset_verification import AssetKind, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState
from tests.model.chain import BLOCK_S, START_TIME
from tests.model.merkle import Proof, Tree, frozen
from tests.model.people import DEVICE_KEYS, NORTH, TOKEN
from tests.model.reference.clock import start_of
from tests.model.reference.production import Signature
from tests.model.start import claim, metadata
from tests.model.step import Action, Step, Wait, step

TODAY: Final = START_TIME // 86_400
PRICE: Final = 83_333


def until(day: int, blocks: int = 0) -> Wait:
    """Wait so that the next call, or the one ``blocks`` calls later, is made exactly when a day begins."""
    return Wait(start_of(day) - (blocks + 1) * BLOCK_S)


ALL: Final = 96
"""The number of slots of a day of plant 1."""


def mask_of(slots: int, first: int = 0) -> int:
    """Return the mask of consecutive slots."""
    return ((1 << slots) - 1) << first


def offer(
    actor: str,
    asset_id: int,
    day: int,
    wh: int,
    *,
    price: int = PRICE,
    expires_at: int = 0,
    taker: str | None = None,
    token: str | None = None,
) -> Step:
    """Offer energy; a forward offer is open until its day begins."""
    return step(
        actor,
        "market.create_offer",
        asset_id=asset_id,
        day=day,
        wh=wh,
        price_per_kwh=price,
        min_fill_wh=min(wh, 1000),
        expires_at=expires_at or start_of(day),
        taker=taker,
        token=token,
    )


def take(
    actor: str, offer_id: int, wh: int, before_wh: int = 0, *, min_wh: int | None = None, max_price: int = 10**15
) -> Step:
    """Buy energy of an offer in STX."""
    return step(actor, "settlement.accept_and_fund", **_fill(offer_id, wh, before_wh, min_wh, max_price))


def take_with_token(actor: str, offer_id: int, wh: int, before_wh: int = 0, *, min_wh: int | None = None) -> Step:
    """Buy energy of an offer in the token."""
    fill = _fill(offer_id, wh, before_wh, min_wh, 10**15)
    return step(actor, "settlement.accept_and_fund_with", token=TOKEN, **fill)


def _fill(offer_id: int, wh: int, before_wh: int, min_wh: int | None, max_price: int) -> dict[str, int]:
    return {
        "offer_id": offer_id,
        "wh": wh,
        "min_wh": wh if min_wh is None else min_wh,
        "max_price_per_kwh": max_price,
        "max_before_wh": before_wh,
    }


def reading(
    asset_id: int, day: int, start: int, whs: tuple[int, ...], *, key: int = 0, key_epoch: int = 1
) -> dict[str, Any]:
    """Return readings that a meter signed."""
    signature = Signature(DEVICE_KEYS[key], asset_id, day, key_epoch, start, whs)
    return {"asset_id": asset_id, "day": day, "start": start, "whs": whs, "signature": signature}


def signed(asset_id: int, day: int, start: int, whs: tuple[int, ...], *, key: int = 0, key_epoch: int = 1) -> Step:
    """Record readings that a meter signed, in a single call."""
    return step("sam", "production.record_day", **reading(asset_id, day, start, whs, key=key, key_epoch=key_epoch))


def recorded(asset_id: int, day: int, slots: int, wh: int, first: int = 0) -> Step:
    """Record slots of a day as an oracle."""
    return step("olga", "production.record_production", asset_id=asset_id, day=day, mask=mask_of(slots, first), wh=wh)


def verified(asset_id: int, day: int, slots: int, wh: int, actor: str = "vera") -> Step:
    """Verify a day that has its first slots recorded."""
    return step(actor, "production.verify_day", asset_id=asset_id, day=day, mask=mask_of(slots), wh=wh)


def adjusted(asset_id: int, day: int, before: int, after: int, actor: str = "vera") -> Step:
    """Adjust the energy of a day."""
    return step(actor, "production.adjust_day", asset_id=asset_id, day=day, wh_before=before, wh_after=after)


def rejected(asset_id: int, day: int, slots: int = 0, wh: int = 0) -> Step:
    """Reject a day."""
    reviewed = {"asset_id": asset_id, "day": day, "mask": mask_of(slots), "wh": wh}
    return step("vera", "production.reject_day", **reviewed, reason="no data")


def fed(day: int, exported_wh: int, actor: str = "greta") -> Step:
    """Record the feed of the plant with a feed meter."""
    return step(actor, "grid.record_feed", asset_id=2, day=day, exported_wh=exported_wh, imported_wh=5)


def feed_verified(day: int, exported_wh: int, actor: str = "vera") -> Step:
    """Verify the feed of the plant with a feed meter."""
    return step(actor, "grid.verify_feed", asset_id=2, day=day, exported_wh=exported_wh, imported_wh=5)


def settle(payment_id: int) -> Step:
    """Settle a payment as a stranger."""
    return step("sam", "settlement.settle", payment_id=payment_id)


def refund(payment_id: int) -> Step:
    """Refund a payment as a stranger."""
    return step("sam", "settlement.refund", payment_id=payment_id)


def claimed(actor: str, payment_id: int, wh: int) -> Step:
    """Claim delivered energy as the buyer."""
    return step(actor, "settlement.claim", payment_id=payment_id, wh=wh, beneficiary=actor, purpose="scope 2")


def retired(actor: str, asset_id: int, day: int, wh: int) -> Step:
    """Retire energy as the owner."""
    return step(actor, "market.retire_energy", asset_id=asset_id, day=day, wh=wh, beneficiary="erin", purpose="own use")


def change(capacity_w: int, device_key: int = 0) -> list[Step]:
    """Change the capacity or key of plant 1."""
    key, values = DEVICE_KEYS[device_key], {"asset_id": 1, "capacity_w": capacity_w}
    return [
        step("alice", "assets.request_change", **values, device_key=claim("alice", key)),
        step("rita", "assets.approve_change", **values, device_key=key),
    ]


def forward_with_a_shortfall() -> list[Action]:
    """Offers 1 to 3, payments 1 to 3: rounding, the limit of the capacity, first funded first delivered, claims."""
    day = TODAY + 1
    return [
        offer("alice", 1, day, 50_000),
        take("dave", 1, 20_001, max_price=PRICE - 1),
        take("dave", 1, 20_001, max_price=PRICE),
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
        take("frank", 1, 30_000, before_wh=30_001, min_wh=20_000),
        until(day, 1),
        take("erin", 1, 30_000, before_wh=30_001, min_wh=1_000),
        step("sam", "market.expire_offer", offer_id=1),
        until(day + 1, 1),
        signed(1, day, 0, (275,) * 96),
        signed(1, day, 0, (275,) * 90),
        signed(1, day, 89, (275,) * 7),
        signed(1, day, 90, (13_476,) * 6),
        signed(1, day, 90, (13_475,) * 6),
        recorded(1, day, 6, 10, first=90),
        adjusted(1, day, 105_599, 24_750),
        adjusted(1, day, 105_600, 105_600),
        adjusted(1, day, 105_600, 105_601),
        adjusted(1, day, 105_600, 24_750),
        verified(1, day, ALL, 24_751),
        verified(1, day, ALL - 1, 24_750),
        claimed("dave", 1, 1),
        verified(1, day, ALL, 24_750),
        adjusted(1, day, 24_750, 24_751),
        step("deployer", "settlement.set_fee_bps", fee_bps=501),
        step("deployer", "settlement.set_fee_bps", fee_bps=500),
        settle(2),
        refund(1),
        step("sam", "settlement.settle_batch", payment_ids=[3, 1, 1, 9]),
        claimed("erin", 1, 1),
        claimed("dave", 1, 20_002),
        claimed("dave", 1, 20_000),
        step("dave", "settlement.assign_payment", payment_id=1, to="settlement"),
        step("dave", "settlement.assign_payment", payment_id=1, to="erin"),
        claimed("dave", 1, 1),
        claimed("erin", 1, 2),
        claimed("erin", 1, 1),
    ]


def spot_and_retired() -> list[Action]:
    """Offers 4 to 6, payments 4 to 6: the operator's price, epochs, a dispute, and what is left of a verified day."""
    day = TODAY + 3
    later = start_of(day + 3)
    record = {"asset_id": 3, "day": day, "mask": mask_of(24), "wh": 26_320}
    return [
        offer("carol", 3, day, 20_000, price=49_999),
        offer("carol", 3, day, 20_000, price=10**6, token=TOKEN),
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
        step("vera", "production.verify_days", items=[record]),
        step("vera", "production.verify_day", **record),
        adjusted(3, day, 26_320, 26_321, actor="arno"),
        adjusted(3, day, 26_320, 26_000, actor="arno"),
        step("arno", "production.verify_days", items=[record, record | {"wh": 26_000}]),
        offer("bob", 3, day, 22_929, price=333, expires_at=later),
        offer("bob", 3, day, 22_000, price=333, expires_at=later),
        retired("bob", 3, day, 929),
        retired("bob", 3, day, 928),
        offer("bob", 3, day, 1, price=333_000, expires_at=later),
        take("erin", 6, 21_000),
        take("erin", 6, 2_000, min_wh=1_001),
        take("erin", 6, 2_000, min_wh=1_000),
    ]


def metered() -> list[Action]:
    """Offer 7, payments 7 and 8: nothing settles before the feed is verified, and less was exported than produced."""
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
        feed_verified(day, 50_000, actor="greta"),
        verified(2, day, 48, 120_000),
        settle(7),
        fed(day, 55_000),
        feed_verified(day, 50_000),
        step("deployer", "assets.set_role", role=Role.GRID_OPERATOR, who="vera", region=NORTH, granted=True),
        fed(day, 60_000, actor="vera"),
        feed_verified(day, 60_000),
        fed(day, 60_000),
        feed_verified(day, 60_000),
        fed(day, 50_000),
        settle(7),
        settle(8),
        offer("alice", 2, day, 1, price=10**6, expires_at=start_of(day + 3)),
        until(day + 2),
        recorded(2, day + 1, 48, 100_000),
        verified(2, day + 1, 48, 100_000),
        fed(day + 1, 1_000),
        feed_verified(day + 1, 1_000),
        retired("alice", 2, day + 1, 996),
        retired("alice", 2, day + 1, 995),
        offer("alice", 2, day + 1, 6, price=10**6, expires_at=start_of(day + 4)),
        offer("alice", 2, day + 1, 5, price=10**6, expires_at=start_of(day + 4)),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10**12, recipient="paul"),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10_000, recipient="settlement"),
        step("deployer", "settlement.withdraw_fees", amount_ustx=10_000, recipient="paul"),
        step("deployer", "settlement.withdraw_surplus", amount_ustx=1, recipient="paul"),
    ]


def too_late() -> list[Action]:
    """Offers 9 to 11, payments 9 to 11: recorded at the last moment, never verified, rejected, or never fed."""
    day = TODAY + 8
    return [
        offer("alice", 1, day, 10_000),
        take("dave", 9, 10_000),
        offer("bob", 3, day, 5_000),
        take("dave", 10, 5_000),
        offer("alice", 2, day, 5_000),
        take("dave", 11, 5_000),
        until(day + 1),
        recorded(2, day, 48, 5_000),
        verified(2, day, 48, 5_000),
        rejected(3, day),
        refund(10),
        offer("bob", 3, day, 1_000, expires_at=start_of(day + 2)),
        until(day + 31, 3),
        signed(1, day, 0, (100,)),
        rejected(3, day),
        signed(1, day, 1, (100,)),
        signed(1, day, 2, (100,)),
        rejected(3, day, wh=1),
        rejected(3, day),
        refund(10),
        until(day + 46, 4),
        refund(9),
        adjusted(1, day, 200, 199),
        refund(11),
        fed(day, 5_000),
        verified(1, day, 2, 199),
        refund(9),
        step("sam", "settlement.refund_batch", payment_ids=[11, 9, 99]),
        fed(day, 5_000),
        feed_verified(day, 5_000),
    ]


def in_a_token() -> list[Action]:
    """Offers 12 to 14, payments 12 to 14: credits and fees in a token, a release, a retired asset, the new fee."""
    day = TODAY + 56
    month = [{"day": day + number, "wh": 10_000, "expires_at": start_of(day + number)} for number in range(2)]
    later = {"day": day + 2, "wh": 10_000, "expires_at": start_of(day + 2)}
    terms = {"asset_id": 3, "price_per_kwh": 10**6 + 1, "min_fill_wh": 1, "taker": None, "token": TOKEN}
    first, second = ({"offer_id": number, "wh": 20_000, "min_wh": 10_000} for number in (12, 13))
    return [
        settle(4),
        step("bob", "market.create_offers", **terms, days=[*month, month[0] | {"wh": 10**6}]),
        step("deployer", "settlement.set_token", token=TOKEN, listed=False),
        step("bob", "market.create_offers", **terms, days=month),
        step("bob", "market.create_offers", **terms | {"token": None}, days=[later]),
        take("dave", 12, 1_000),
        take_with_token("dave", 12, 20_000, min_wh=10_001),
        take_with_token("dave", 12, 20_000, min_wh=10_000),
        step("dave", "settlement.accept_offers", items=[first, second], max_price_per_kwh=10**7, max_before_wh=0),
        take_with_token("erin", 13, 3_333),
        step("dave", "settlement.release", payment_id=13),
        step("bob", "settlement.release", payment_id=13),
        step("bob", "settlement.withdraw", token=TOKEN),
        step("erin", "settlement.withdraw", token=TOKEN),
        take("frank", 14, 1_000),
        step("bob", "market.cancel_offers", offer_ids=[13, 13, 5]),
        until(day + 1),
        recorded(3, day, 24, 5_003),
        verified(3, day, 24, 5_003),
        step("bob", "assets.retire_asset", asset_id=3),
        settle(12),
        refund(14),
        claimed("dave", 12, 5_003),
        step("bob", "settlement.withdraw", token=TOKEN),
        step("dave", "settlement.withdraw", token=TOKEN),
        step("deployer", "settlement.withdraw_fees_with", token=TOKEN, amount=10**9, recipient="paul"),
        step("deployer", "settlement.withdraw_fees_with", token=TOKEN, amount=10, recipient="paul"),
        step("deployer", "settlement.set_token", token=TOKEN, listed=True),
    ]


def leaves_and_days_in_batches() -> list[Action]:
    """Leaves that an oracle anchored and claims, days of several meters in one call, a schedule of export caps."""
    day = TODAY + 59
    record = {"asset_id": 2, "day": day, "mask": mask_of(40), "wh": 40_000}
    pending = {"asset_id": 4, "capacity_w": 123_457, "device_key": DEVICE_KEYS[1]}
    leaves = [record | {"mask": 1 << slot, "wh": slot, "whs_hash": bytes(32)} for slot in range(40, 45)]
    tree, leaf = Tree(tuple(map(frozen, leaves))), leaves[4]
    return [
        until(day + 1),
        step("olga", "production.anchor_root", root=tree, leaves=0, total_wh=210, from_day=day, to_day=day),
        step("olga", "production.anchor_root", root=tree, leaves=5, total_wh=210, from_day=day, to_day=day),
        step("olga", "production.claim_leaf", root_id=1, leaf=leaf | {"wh": 45}, path=Proof(tree, 4)),
        step("olga", "production.claim_leaf", root_id=1, leaf=leaf, path=Proof(tree, 3)),
        step("rita", "production.claim_leaf", root_id=1, leaf=leaf, path=Proof(tree, 4)),
        step("olga", "production.claim_leaf", root_id=1, leaf=leaf, path=Proof(tree, 4)),
        step("olga", "production.claim_leaf", root_id=1, leaf=leaf, path=Proof(tree, 4)),
        step("olga", "production.record_batch", items=[record, record, record | {"day": day + 1}]),
        step(
            "sam",
            "production.record_days",
            items=[reading(1, day, 0, (7,)), reading(1, day, 1, (7,), key=2), reading(1, day, 1, (8,))],
        ),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=3_000),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.ISLANDED),
        until(day + 2),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.CONNECTED),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=5_000),
        step(
            "greta",
            "grid.record_feeds",
            items=[{"asset_id": number, "day": day, "exported_wh": 9, "imported_wh": 0} for number in (2, 3, 2)],
        ),
        step(
            "vera",
            "grid.verify_feeds",
            items=[{"asset_id": 2, "day": day, "exported_wh": wh, "imported_wh": 0} for wh in (8, 9, 9)],
        ),
        step("bob", "grid.request_connection", asset_id=4, export_limit_w=1),
        step("rita", "assets.verify_assets", items=[pending, pending]),
        step("bob", "grid.request_connection", asset_id=4, export_limit_w=1),
        step("bob", "grid.withdraw_request", asset_id=4),
        step("bob", "grid.withdraw_request", asset_id=4),
    ]


def changed_and_handed_over() -> list[Action]:
    """Change capacity and key of plant 1, then transfer, suspend and retire it."""
    day = TODAY + 62
    plant = {
        "kind": AssetKind.WIND,
        "capacity_w": 10,
        "location": "9xj3ud",
        "region": NORTH,
        "metadata_hash": metadata(9),
        "slot_seconds": 900,
        "device_key": claim("alice", DEVICE_KEYS[2]),
    }
    bound = {"asset_id": 6, "capacity_w": 10, "device_key": DEVICE_KEYS[2]}
    return [
        until(day),
        *change(2_000, device_key=2),
        signed(1, day - 1, 0, (10,) * 4),
        recorded(1, day - 1, 1, 1_100),
        until(day + 1),
        signed(1, day, 0, (10,), key=2, key_epoch=2),
        signed(1, day, 0, (1_101,), key=0),
        signed(1, day, 0, (1_100,), key=0),
        until(day + 2),
        signed(1, day + 1, 0, (10,), key=0),
        signed(1, day + 1, 0, (10,), key=2, key_epoch=1),
        signed(1, day + 1, 0, (551,), key=2, key_epoch=2),
        signed(1, day + 1, 0, (550,), key=2, key_epoch=2),
        until(day + 46, 2),
        *change(2_500, device_key=2),
        *change(2_000, device_key=3),
        until(day + 46),
        step("rita", "assets.approve_change", asset_id=1, capacity_w=2_000, device_key=DEVICE_KEYS[3]),
        step("alice", "assets.request_change", asset_id=1, capacity_w=2_500, device_key=claim("bob", DEVICE_KEYS[5])),
        step("alice", "assets.request_change", asset_id=1, capacity_w=2_500, device_key=claim("alice", DEVICE_KEYS[3])),
        step("alice", "assets.set_operator", asset_id=1, operator="carol", min_price_ustx_per_kwh=7),
        step("alice", "assets.propose_transfer", asset_id=1, new_owner="bob"),
        step("rita", "assets.approve_change", asset_id=1, capacity_w=2_500, device_key=DEVICE_KEYS[3]),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=10),
        offer("alice", 1, day + 50, 1_000),
        step("alice", "assets.cancel_transfer", asset_id=1),
        step("alice", "assets.propose_transfer", asset_id=1, new_owner="bob"),
        step("bob", "assets.accept_transfer", asset_id=1, proposal=1),
        step("bob", "assets.accept_transfer", asset_id=1, proposal=2),
        offer("carol", 1, day + 50, 1_000),
        offer("bob", 1, day + 50, 1_000),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=10),
        take("dave", 15, 1_000),
        offer("bob", 1, day + 50, 1),
        step("greta", "grid.set_export_limit", asset_id=1, export_limit_w=100),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.ISLANDED),
        take("dave", 15, 1_000),
        step("greta", "grid.set_status", asset_id=1, status=ConnectionState.CONNECTED),
        step("rita", "assets.suspend_asset", asset_id=1, reason="odd"),
        take("dave", 15, 1_000),
        step("rita", "assets.reinstate_asset", asset_id=1),
        step("paul", "assets.set_paused", on=True),
        take("dave", 15, 1_000),
        step("paul", "assets.set_paused", on=False),
        take("dave", 15, 1_000),
        step("rita", "assets.suspend_asset", asset_id=1, reason="odd"),
        until(day + 47),
        step("bob", "assets.retire_asset", asset_id=1),
        refund(15),
        signed(1, day + 46, 0, (5,), key=2, key_epoch=2),
        signed(1, day + 47, 0, (5,), key=3, key_epoch=3),
        step("alice", "assets.register_assets", items=[plant, plant, plant | {"metadata_hash": metadata(4)}]),
        step("rita", "assets.verify_asset", **bound),
        until(day + 46 + 31, 1),
        step("rita", "assets.verify_asset", **bound),
        step("rita", "assets.verify_asset", **bound),
        *what_stays(day + 46),
    ]


def what_stays(day: int) -> list[Action]:
    """Reach states that no later action changes."""
    other = claim("alice", DEVICE_KEYS[4])
    return [
        step("vera", "production.dispute_day", asset_id=1, day=day, reason="odd"),
        step("greta", "grid.set_status", asset_id=2, status=ConnectionState.CURTAILED),
        step("rita", "assets.suspend_asset", asset_id=2, reason="odd"),
        step("rita", "assets.reinstate_asset", asset_id=2),
        step("alice", "assets.propose_transfer", asset_id=2, new_owner="bob"),
        step("alice", "assets.cancel_transfer", asset_id=2),
        step("bob", "assets.propose_transfer", asset_id=4, new_owner="carol"),
        step("rita", "assets.suspend_asset", asset_id=4, reason="odd"),
        step("alice", "assets.request_change", asset_id=2, capacity_w=11, device_key=other),
        step("greta", "grid.set_region_alert", region=NORTH, level=AlertLevel.WATCH, until=START_TIME),
        step("deployer", "assets.propose_owner", new_owner="sam"),
        step("deployer", "settlement.set_fee_bps", fee_bps=7),
        step("paul", "assets.set_paused", on=True),
    ]


def story() -> list[Action]:
    """Return the whole scenario."""
    return [
        *forward_with_a_shortfall(),
        *spot_and_retired(),
        *metered(),
        *too_late(),
        *in_a_token(),
        *leaves_and_days_in_batches(),
        *changed_and_handed_over(),
    ]
