"""Every public function once, or once for each case that costs differently."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.costs.stage import (
    CAPACITY_W,
    METER,
    REGION,
    SMALL_METER,
    SPARE_METER,
    Stage,
    address,
    start_of,
)
from der_client.contracts import (
    AssetVerification,
    GridIntegration,
    MarketParticipation,
    ProductionTracking,
    Settlement,
)
from der_client.contracts.asset_verification import Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState
from der_client.contracts.production_tracking import DayRecord, ReviewedDay

if TYPE_CHECKING:
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
DAY_WH: Final = 5_000
FILL_WH: Final = 1_000

# No transaction calls these: they run inside accept-and-fund, settle and refund, whose costs contain theirs.
ONLY_CALLED_BY_SETTLEMENT: Final = frozenset({"mark-accepted", "mark-completed"})


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
    key, spare_key = (meter.public_key.compressed_data for meter in (METER, SPARE_METER))
    stage.measure(official.reject_asset(stage.register(variant="without a key"), "no such plant"))
    plant = stage.register(METER, variant="with a key")
    stage.measure(official.verify_asset(plant, CAPACITY_W, key))
    stage.measure(official.suspend_asset(plant, "inspection"))
    stage.measure(official.reinstate_asset(plant))
    stage.measure(seller.request_change(plant, CAPACITY_W + 1, spare_key))
    stage.measure(official.refuse_change(plant, "not yet"))
    stage.run(seller.request_change(plant, CAPACITY_W + 1, spare_key))
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
    stage.measure(operator.approve_connection(plant, CAPACITY_W, False))
    stage.measure(operator.set_status(plant, ConnectionState.CURTAILED))
    stage.measure(operator.set_export_limit(plant, CAPACITY_W // 2))
    stage.run(seller.request_connection(other, CAPACITY_W))
    stage.measure(operator.reject_connection(other, "no room"))
    until = stage.anyone.now() + timedelta(hours=3)
    stage.measure(operator.set_region_alert(REGION, AlertLevel.WARNING, until))


def _trade(stage: Stage) -> None:
    """A day from its forward offers to its last refund."""
    signing = stage.add_connected(METER, feed_metered=True)
    small = stage.add_verified(SMALL_METER)
    stage.devnet.track_costs(False)  # four times faster, and none of these are looked at
    recorded = stage.add_many_verified(BATCH)
    stage.devnet.track_costs(True)
    single, rejected, missing = recorded[0], stage.add_connected(), stage.add_connected()
    stage.connect(single)
    day = stage.anyone.now().date() + timedelta(days=1)

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

    stage.devnet.advance(to=start_of(day + timedelta(days=1)))
    stage.measure(stage.anyone.market.expire_offer(late))
    _record(stage, day, signing, small, recorded)
    _decide(stage, day, small, rejected, recorded)

    stage.measure(stage.official.production.verify_day(signing, day, SLOTS * 300))
    # Enough for all that were funded but half of the last.
    exported_wh = (1 + SETTLED_TOGETHER) * FILL_WH + FILL_WH // 2
    stage.measure(stage.grid_operator.grid.record_feed(signing, day, exported_wh, 0))
    settlement = stage.anyone.settlement
    stage.measure(settlement.settle(first), "all delivered")
    stage.measure(settlement.settle(short), "with a shortfall")
    stage.measure(settlement.settle_batch(together), f"{SETTLED_TOGETHER} payments")

    spot = stage.measure(stage.offer(single, day, DAY_WH - FILL_WH), "spot")
    stage.measure(stage.funding(spot, FILL_WH), "spot")
    stage.measure(stage.seller.market.retire_energy(single, day, FILL_WH, address(stage.buyer)))

    stage.measure(settlement.refund(of_rejected), "day rejected")
    stage.devnet.advance(to=start_of(day + timedelta(days=47)))
    stage.measure(settlement.refund(of_missing), "window over")
    owner = stage.contract_owner.settlement
    stage.measure(owner.set_fee_bps(100))
    stage.measure(owner.withdraw_fees(1, address(stage.contract_owner)))


def _record(stage: Stage, day: date, signing: int, small: int, recorded: range) -> None:
    official = stage.official.production
    stage.measure(stage.signed_day(signing, day, [300] * SLOTS, METER), f"{SLOTS} slots", readings=SLOTS)
    stage.measure(stage.signed_day(small, day, [300], SMALL_METER), "1 slot", readings=1)
    items = [DayRecord(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH) for plant in recorded]
    stage.measure(official.record_batch(items), f"{BATCH} asset-days", readings=BATCH * SLOTS)


def _decide(stage: Stage, day: date, small: int, rejected: int, recorded: range) -> None:
    official = stage.official.production
    stage.measure(official.record_production(rejected, day, WHOLE_DAY, DAY_WH), readings=SLOTS)
    stage.measure(official.reject_day(rejected, day, "meter broken"))
    stage.measure(official.dispute_day(small, day, "odd"))
    stage.measure(official.adjust_day(small, day, -1))
    reviewed = [ReviewedDay(asset_id=plant, day=day, wh=DAY_WH) for plant in recorded[:REVIEWED]]
    stage.measure(official.verify_days(reviewed), f"{REVIEWED} asset-days")
