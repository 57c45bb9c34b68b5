"""Every public function once, or once for each case that costs differently."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.costs.stage import (
    CAPACITY_W,
    METER,
    NO_LIMIT,
    P256_METER,
    PRICE_PER_KWH,
    REGION,
    SMALL_METER,
    SPARE_METER,
    Stage,
    address,
    device_key,
    start_of,
)
from der_client import PrivateKey
from der_client.contracts import (
    AssetVerification,
    GridIntegration,
    MarketParticipation,
    ProductionTracking,
    Settlement,
)
from der_client.contracts.asset_verification import ReviewedAsset, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState, FeedRecord
from der_client.contracts.market_participation import OfferedDay
from der_client.contracts.production_tracking import DayRecord, Leaf, ReviewedDay, Sibling
from der_client.contracts.settlement import Taking
from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.transactions import ContractCall, ContractPublish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from benchmarks.costs.call_cost import CallCost
    from der_client.devnet import DevnetControl

# In the order of their dependencies.
CONTRACTS: Final = (AssetVerification, ProductionTracking, GridIntegration, MarketParticipation, Settlement)
SLOTS: Final = 96
WHOLE_DAY: Final = 2**SLOTS - 1
BATCH: Final = 200
REVIEWED: Final = 100
SETTLED_TOGETHER: Final = 25
SIGNED_TOGETHER: Final = 20
MONTH: Final = 31
LEAVES: Final = 2**20
TOKEN: Final = Path(__file__).parents[2] / "contracts" / "stand-ins" / "usdcx.clar"
DAY_WH: Final = 5_000
FILL_WH: Final = 1_000

# No transaction calls these: they run inside accept-and-fund, settle and refund, whose costs contain theirs.
ONLY_CALLED_BY_SETTLEMENT: Final = frozenset({"mark-accepted", "mark-completed", "mark-token"})


def measure_calls(devnet: DevnetControl) -> list[CallCost]:
    """Run all functions on a devnet whose contracts are deployed.

    What is there already may be as large as it likes, as long as the deployer owns the contracts. Some 48 days pass.

    Args:
        devnet: Tracks costs. What is done to it stays.

    Returns:
        The costs, in the order of the contracts and their functions.

    Raises:
        RuntimeError: the devnet does not track costs.
        TransactionFailedError: a call failed.
    """
    stage = Stage.open(devnet)
    _rule(stage)
    _keep_register(stage)
    _keep_grid(stage)
    _trade(stage)
    places = {
        (contract.name, function): (number, place)
        for number, contract in enumerate(CONTRACTS)
        for place, function in enumerate(contract.functions)
    }
    return sorted(stage.measured, key=lambda call: places[call.contract, call.function])


def _rule(stage: Stage) -> None:
    owner, official = stage.contract_owner.assets, stage.official.assets
    stage.measure(owner.set_role(Role.VERIFIER, address(stage.official), "", granted=True))
    stage.grant_roles()
    stage.measure(owner.propose_owner(address(stage.contract_owner)))
    stage.measure(owner.accept_owner())
    stage.measure(official.set_paused(True))
    stage.run(official.set_paused(False))


def _keep_register(stage: Stage) -> None:
    seller, buyer, official = stage.seller.assets, stage.buyer.assets, stage.official.assets
    key, spare_key, spare_claim = device_key(METER), device_key(SPARE_METER), stage.claim(SPARE_METER)
    stage.measure(official.reject_asset(stage.register(variant="without a key"), "no such plant"))
    plant = stage.register(METER, variant="with a key")
    stage.measure(official.verify_asset(plant, CAPACITY_W, key))
    together = stage.measure(seller.register_assets([stage.registration() for _ in range(20)]), "20 plants")
    numbers = [answer.value for answer in together if answer.value is not None]
    reviewed = [ReviewedAsset(asset_id=number, capacity_w=CAPACITY_W) for number in numbers]
    stage.measure(official.verify_assets(reviewed), "20 plants")
    stage.measure(official.suspend_asset(plant, "inspection"))
    stage.measure(official.reinstate_asset(plant))
    stage.measure(seller.request_change(plant, CAPACITY_W + 1, spare_claim))
    stage.measure(official.refuse_change(plant, "not yet"))
    stage.run(seller.request_change(plant, CAPACITY_W + 1, spare_claim))
    stage.measure(official.approve_change(plant, CAPACITY_W + 1, spare_key))
    stage.measure(seller.set_operator(plant, address(stage.anyone), 1))
    stage.measure(seller.propose_transfer(plant, address(stage.buyer)))
    stage.measure(seller.cancel_transfer(plant))
    proposal = stage.run(seller.propose_transfer(plant, address(stage.buyer)))
    stage.measure(buyer.accept_transfer(plant, proposal))
    stage.measure(buyer.retire_asset(plant))


def _keep_grid(stage: Stage) -> None:
    seller, operator = stage.seller.grid, stage.grid_operator.grid
    plant, other = stage.add_verified(), stage.add_verified()
    stage.measure(seller.request_connection(plant, CAPACITY_W))
    stage.measure(seller.withdraw_request(plant))
    stage.run(seller.request_connection(plant, CAPACITY_W))
    stage.measure(operator.approve_connection(plant, CAPACITY_W, False))
    stage.measure(operator.set_status(plant, ConnectionState.CURTAILED))
    stage.measure(operator.set_export_limit(plant, CAPACITY_W // 2))
    stage.run(seller.request_connection(other, CAPACITY_W))
    stage.measure(operator.reject_connection(other, "no room"))
    until = stage.anyone.now() + timedelta(hours=3)
    stage.measure(operator.set_region_alert(REGION, AlertLevel.WARNING, until))


def _trade(stage: Stage) -> None:  # noqa: PLR0915 - the story of one day
    """A day from its forward offers to its last refund."""
    signing = stage.add_connected(SMALL_METER, feed_metered=True)
    small = stage.add_verified(P256_METER)
    stage.devnet.track_costs(False)  # four times faster, and none of these are looked at
    recorded = stage.add_many_verified(BATCH)
    meters = [PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01") for number in range(10, 10 + SIGNED_TOGETHER)]
    fed = recorded[1:REVIEWED]
    stage.run_all(stage.seller.grid.request_connection(plant, CAPACITY_W) for plant in fed)
    stage.run_all(stage.grid_operator.grid.approve_connection(plant, CAPACITY_W, False) for plant in fed)
    signers = [(stage.add_verified(meter), meter) for meter in meters]
    stage.devnet.track_costs(True)
    single, rejected, missing = recorded[0], stage.add_connected(), stage.add_connected()
    stage.connect(single)
    day = stage.anyone.now().date() + timedelta(days=1)
    token = _list_token(stage)

    forward = stage.measure(stage.offer(signing, day, 500_000), "forward")
    first = stage.measure(stage.funding(forward, FILL_WH), "forward")
    together = [stage.run(stage.funding(forward, FILL_WH)) for _ in range(SETTLED_TOGETHER)]
    short = stage.run(stage.funding(forward, FILL_WH))
    for_buyer = stage.run(stage.offer(single, day, FILL_WH, address(stage.buyer)))
    stage.measure(stage.buyer.market.reject_offer(for_buyer))
    stage.measure(stage.seller.market.cancel_offer(stage.run(stage.offer(single, day, FILL_WH))))
    late = stage.run(stage.offer(single, day, FILL_WH))
    of_rejected, of_missing = (
        stage.run(stage.funding(stage.run(stage.offer(plant, day, FILL_WH)), FILL_WH)) for plant in (rejected, missing)
    )
    of_many = [stage.run(stage.funding(stage.run(stage.offer(missing, day, FILL_WH)), FILL_WH)) for _ in range(25)]
    _sell_a_month(stage, missing)
    priced = stage.run(stage.offer(rejected, day, 4 * FILL_WH, token=token))
    limits = (FILL_WH, FILL_WH, NO_LIMIT, NO_LIMIT)
    in_token = stage.measure(stage.buyer.settlement.accept_and_fund_with(token, priced, *limits), "forward")
    stage.measure(stage.seller.settlement.release(in_token))
    stage.measure(stage.buyer.settlement.withdraw(token))

    stage.devnet.advance(to=start_of(day + timedelta(days=1)))
    stage.measure(stage.anyone.market.expire_offer(late))
    _record(stage, day, signing, small, recorded, signers)
    _decide(stage, day, small, rejected, recorded)

    stage.measure(stage.official.production.verify_day(signing, day, WHOLE_DAY, SLOTS * 300))
    # Enough for all that were funded but half of the last.
    exported_wh = (1 + SETTLED_TOGETHER) * FILL_WH + FILL_WH // 2
    stage.measure(stage.grid_operator.grid.record_feed(signing, day, exported_wh, 0))
    stage.measure(stage.official.grid.verify_feed(signing, day, exported_wh, 0))
    settlement = stage.anyone.settlement
    stage.measure(settlement.settle(first), "all delivered")
    stage.measure(settlement.settle(short), "with a shortfall")
    stage.measure(settlement.settle_batch(together), f"{SETTLED_TOGETHER} payments")
    stage.measure(stage.buyer.settlement.claim(first, FILL_WH, address(stage.buyer), "scope 2"))
    stage.measure(stage.buyer.settlement.assign_payment(first, address(stage.anyone)))

    spot = stage.measure(stage.offer(single, day, DAY_WH - FILL_WH), "spot")
    stage.measure(stage.funding(spot, FILL_WH), "spot")
    stage.measure(stage.seller.market.retire_energy(single, day, FILL_WH, address(stage.buyer), "own use"))

    stage.measure(settlement.refund(of_rejected), "day rejected")
    stage.devnet.advance(to=start_of(day + timedelta(days=47)))
    stage.measure(settlement.refund(of_missing), "window over")
    stage.measure(settlement.refund_batch(of_many), f"{len(of_many)} payments")
    owner = stage.contract_owner.settlement
    stage.measure(owner.set_fee_bps(100))
    stage.measure(owner.withdraw_fees(1, address(stage.contract_owner)))
    _pay_fees_in_a_token(stage, single, token)
    stage.contract_owner.settlement.require_account().transfer(owner.contract_id, 1).wait()
    stage.measure(owner.withdraw_surplus(1, address(stage.contract_owner)))


def _list_token(stage: Stage) -> str:
    """Publish a token of which the buyer has much, and let offers be priced in it."""
    account = stage.contract_owner.settlement.require_account()
    account.submit(ContractPublish("usdcx", TOKEN.read_text(), 5)).wait()
    token = f"{account.address}.usdcx"
    mint = ContractCall(token, "protocol-mint", (UIntValue(10**15), PrincipalValue(address(stage.buyer))))
    account.submit(mint).wait()
    stage.measure(stage.contract_owner.settlement.set_token(token, True))
    return token


def _sell_a_month(stage: Stage, plant: int) -> None:
    first = stage.anyone.now().date() + timedelta(days=2)
    days = [first + timedelta(days=number) for number in range(MONTH)]
    offered = [OfferedDay(day=day, wh=FILL_WH, expires_at=start_of(day)) for day in days]
    call = stage.seller.market.create_offers(plant, PRICE_PER_KWH, FILL_WH, None, None, offered)
    numbers = [answer.value for answer in stage.measure(call, f"{MONTH} days") if answer.value is not None]
    taken = [Taking(offer_id=number, wh=FILL_WH, min_wh=FILL_WH) for number in numbers]
    stage.measure(stage.buyer.settlement.accept_offers(taken, NO_LIMIT, NO_LIMIT), f"{MONTH} days")
    again = [answer.value for answer in stage.run(call) if answer.value is not None]
    stage.measure(stage.seller.market.cancel_offers(again), f"{MONTH} offers")


def _pay_fees_in_a_token(stage: Stage, plant: int, token: str) -> None:
    """A spot sale in a token, at the end, when another day is verified."""
    day = stage.anyone.now().date()
    stage.devnet.advance(to=start_of(day + timedelta(days=1)))
    stage.run(stage.official.production.record_production(plant, day, WHOLE_DAY, DAY_WH))
    stage.run(stage.official.production.verify_day(plant, day, WHOLE_DAY, DAY_WH))
    spot = stage.run(stage.offer(plant, day, DAY_WH, token=token))
    limits = (DAY_WH, DAY_WH, NO_LIMIT, NO_LIMIT)
    stage.measure(stage.buyer.settlement.accept_and_fund_with(token, spot, *limits), "spot")
    owner = stage.contract_owner.settlement
    stage.measure(owner.withdraw_fees_with(token, 1, address(stage.contract_owner)))


def _record(
    stage: Stage,
    day: date,
    signing: int,
    small: int,
    recorded: range,
    signers: Sequence[tuple[int, PrivateKey]],
) -> None:
    official = stage.official.production
    whole = [300] * SLOTS
    stage.measure(stage.relay(stage.signed_day(signing, day, whole, SMALL_METER)), f"{SLOTS} slots", readings=SLOTS)
    stage.measure(stage.relay(stage.signed_day(small, day, [300], P256_METER)), "1 slot, P-256", readings=1)
    signed = [stage.signed_day(plant, day, whole, meter) for plant, meter in signers]
    variant = f"{SIGNED_TOGETHER} days of {SLOTS} slots"
    stage.measure(stage.anyone.production.record_days(signed), variant, readings=SIGNED_TOGETHER * SLOTS)
    items = [DayRecord(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH) for plant in recorded]
    stage.measure(official.record_batch(items), f"{BATCH} asset-days", readings=BATCH * SLOTS)
    # A leaf of a tree of a million: the path is what costs, not what else is in the tree.
    leaf = Leaf(asset_id=recorded[0], day=day - timedelta(days=1), mask=WHOLE_DAY, wh=DAY_WH, whs_hash=bytes(32))
    root, path = official.get_leaf_hash(leaf), []
    for level in range(20):
        path.append(Sibling(left=False, hash=bytes([level]) * 32))
        root = sha256(b"\x01" + root + path[-1].hash).digest()
    number = stage.measure(official.anchor_root(root, LEAVES, LEAVES * DAY_WH, leaf.day, day), f"{LEAVES:,} leaves")
    stage.measure(official.claim_leaf(number, leaf, path), "depth 20", readings=SLOTS)


def _decide(stage: Stage, day: date, small: int, rejected: int, recorded: range) -> None:
    official = stage.official.production
    stage.measure(official.record_production(rejected, day, WHOLE_DAY, DAY_WH), readings=SLOTS)
    stage.measure(official.reject_day(rejected, day, WHOLE_DAY, DAY_WH, "meter broken"))
    stage.measure(official.dispute_day(small, day, "odd"))
    stage.measure(official.adjust_day(small, day, 300, 299))
    reviewed = [ReviewedDay(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH) for plant in recorded[:REVIEWED]]
    stage.measure(official.verify_days(reviewed), f"{REVIEWED} asset-days")
    fed = [FeedRecord(asset_id=plant, day=day, exported_wh=DAY_WH, imported_wh=0) for plant in recorded[1:REVIEWED]]
    stage.measure(stage.grid_operator.grid.record_feeds(fed), f"{len(fed)} asset-days")
    stage.measure(stage.official.grid.verify_feeds(fed), f"{len(fed)} asset-days")
