"""Calls every public function once, or once for each case with a different cost."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.costs.measured_chain import (
    CAPACITY_W,
    METER,
    NO_LIMIT,
    P256_METER,
    PRICE_PER_KWH,
    REGION,
    SMALL_METER,
    SPARE_METER,
    MeasuredChain,
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

# No transaction calls these functions: they run inside accept-and-fund, settle and refund, whose costs include them.
ONLY_CALLED_BY_SETTLEMENT: Final = frozenset({"mark-accepted", "mark-completed", "mark-token"})


def measure_calls(devnet: DevnetControl) -> list[CallCost]:
    """Run all functions on a devnet whose contracts are deployed.

    The chain may already have a state of any size, if the deployer owns the contracts. Its time advances about 48 days.

    Args:
        devnet: A devnet that tracks costs. The changes made to it remain.

    Returns:
        The costs, in the order of the contracts and their functions.

    Raises:
        RuntimeError: If the devnet does not track costs.
        TransactionFailedError: If a call fails.
    """
    chain = MeasuredChain.open(devnet)
    _rule(chain)
    _keep_register(chain)
    _keep_grid(chain)
    _trade(chain)
    places = {
        (contract.name, function): (number, place)
        for number, contract in enumerate(CONTRACTS)
        for place, function in enumerate(contract.functions)
    }
    return sorted(chain.measured, key=lambda call: places[call.contract, call.function])


def _rule(chain: MeasuredChain) -> None:
    owner, official = chain.contract_owner.assets, chain.official.assets
    chain.measure(owner.set_role(Role.VERIFIER, address(chain.official), "", granted=True))
    chain.grant_roles()
    chain.measure(owner.propose_owner(address(chain.contract_owner)))
    chain.measure(owner.accept_owner())
    chain.measure(official.set_paused(True))
    chain.run(official.set_paused(False))


def _keep_register(chain: MeasuredChain) -> None:
    seller, buyer, official = chain.seller.assets, chain.buyer.assets, chain.official.assets
    key, spare_key, spare_claim = device_key(METER), device_key(SPARE_METER), chain.claim(SPARE_METER)
    chain.measure(official.reject_asset(chain.register(variant="without a key"), "no such plant"))
    plant = chain.register(METER, variant="with a key")
    chain.measure(official.verify_asset(plant, CAPACITY_W, key))
    together = chain.measure(seller.register_assets([chain.registration() for _ in range(20)]), "20 plants")
    numbers = [answer.value for answer in together if answer.value is not None]
    reviewed = [ReviewedAsset(asset_id=number, capacity_w=CAPACITY_W) for number in numbers]
    chain.measure(official.verify_assets(reviewed), "20 plants")
    chain.measure(official.suspend_asset(plant, "inspection"))
    chain.measure(official.reinstate_asset(plant))
    chain.measure(seller.request_change(plant, CAPACITY_W + 1, spare_claim))
    chain.measure(official.refuse_change(plant, "not yet"))
    chain.run(seller.request_change(plant, CAPACITY_W + 1, spare_claim))
    chain.measure(official.approve_change(plant, CAPACITY_W + 1, spare_key))
    chain.measure(seller.set_operator(plant, address(chain.anyone), 1))
    chain.measure(seller.propose_transfer(plant, address(chain.buyer)))
    chain.measure(seller.cancel_transfer(plant))
    proposal = chain.run(seller.propose_transfer(plant, address(chain.buyer)))
    chain.measure(buyer.accept_transfer(plant, proposal))
    chain.measure(buyer.retire_asset(plant))


def _keep_grid(chain: MeasuredChain) -> None:
    seller, operator = chain.seller.grid, chain.grid_operator.grid
    plant, other = chain.add_verified(), chain.add_verified()
    chain.measure(seller.request_connection(plant, CAPACITY_W))
    chain.measure(seller.withdraw_request(plant))
    chain.run(seller.request_connection(plant, CAPACITY_W))
    chain.measure(operator.approve_connection(plant, CAPACITY_W, False))
    chain.measure(operator.set_status(plant, ConnectionState.CURTAILED))
    chain.measure(operator.set_export_limit(plant, CAPACITY_W // 2))
    chain.run(seller.request_connection(other, CAPACITY_W))
    chain.measure(operator.reject_connection(other, "no room"))
    until = chain.anyone.now() + timedelta(hours=3)
    chain.measure(operator.set_region_alert(REGION, AlertLevel.WARNING, until))


def _trade(chain: MeasuredChain) -> None:  # noqa: PLR0915 - the whole course of one day
    """Trade a day, from its forward offers to its last refund."""
    signing = chain.add_connected(SMALL_METER, feed_metered=True)
    small = chain.add_verified(P256_METER)
    chain.devnet.track_costs(False)  # four times faster, and these costs are not used
    recorded = chain.add_many_verified(BATCH)
    meters = [PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01") for number in range(10, 10 + SIGNED_TOGETHER)]
    fed = recorded[1:REVIEWED]
    chain.run_all(chain.seller.grid.request_connection(plant, CAPACITY_W) for plant in fed)
    chain.run_all(chain.grid_operator.grid.approve_connection(plant, CAPACITY_W, False) for plant in fed)
    signers = [(chain.add_verified(meter), meter) for meter in meters]
    chain.devnet.track_costs(True)
    single, rejected, missing = recorded[0], chain.add_connected(), chain.add_connected()
    chain.connect(single)
    day = chain.anyone.now().date() + timedelta(days=1)
    token = _list_token(chain)

    forward = chain.measure(chain.offer(signing, day, 500_000), "forward")
    first = chain.measure(chain.funding(forward, FILL_WH), "forward")
    together = [chain.run(chain.funding(forward, FILL_WH)) for _ in range(SETTLED_TOGETHER)]
    short = chain.run(chain.funding(forward, FILL_WH))
    for_buyer = chain.run(chain.offer(single, day, FILL_WH, address(chain.buyer)))
    chain.measure(chain.buyer.market.reject_offer(for_buyer))
    chain.measure(chain.seller.market.cancel_offer(chain.run(chain.offer(single, day, FILL_WH))))
    late = chain.run(chain.offer(single, day, FILL_WH))
    of_rejected, of_missing = (
        chain.run(chain.funding(chain.run(chain.offer(plant, day, FILL_WH)), FILL_WH)) for plant in (rejected, missing)
    )
    of_many = [chain.run(chain.funding(chain.run(chain.offer(missing, day, FILL_WH)), FILL_WH)) for _ in range(25)]
    _sell_a_month(chain, missing)
    priced = chain.run(chain.offer(rejected, day, 4 * FILL_WH, token=token))
    limits = (FILL_WH, FILL_WH, NO_LIMIT, NO_LIMIT)
    in_token = chain.measure(chain.buyer.settlement.accept_and_fund_with(token, priced, *limits), "forward")
    chain.measure(chain.seller.settlement.release(in_token))
    chain.measure(chain.buyer.settlement.withdraw(token))

    chain.devnet.advance(to=start_of(day + timedelta(days=1)))
    chain.measure(chain.anyone.market.expire_offer(late))
    _record(chain, day, signing, small, recorded, signers)
    _decide(chain, day, small, rejected, recorded)

    chain.measure(chain.official.production.verify_day(signing, day, WHOLE_DAY, SLOTS * 300))
    # Enough for all funded payments except half of the last one.
    exported_wh = (1 + SETTLED_TOGETHER) * FILL_WH + FILL_WH // 2
    chain.measure(chain.grid_operator.grid.record_feed(signing, day, exported_wh, 0))
    chain.measure(chain.official.grid.verify_feed(signing, day, exported_wh, 0))
    settlement = chain.anyone.settlement
    chain.measure(settlement.settle(first), "all delivered")
    chain.measure(settlement.settle(short), "with a shortfall")
    chain.measure(settlement.settle_batch(together), f"{SETTLED_TOGETHER} payments")
    chain.measure(chain.buyer.settlement.claim(first, FILL_WH, address(chain.buyer), "scope 2"))
    chain.measure(chain.buyer.settlement.assign_payment(first, address(chain.anyone)))

    spot = chain.measure(chain.offer(single, day, DAY_WH - FILL_WH), "spot")
    chain.measure(chain.funding(spot, FILL_WH), "spot")
    chain.measure(chain.seller.market.retire_energy(single, day, FILL_WH, address(chain.buyer), "own use"))

    chain.measure(settlement.refund(of_rejected), "day rejected")
    chain.devnet.advance(to=start_of(day + timedelta(days=47)))
    chain.measure(settlement.refund(of_missing), "window over")
    chain.measure(settlement.refund_batch(of_many), f"{len(of_many)} payments")
    owner = chain.contract_owner.settlement
    chain.measure(owner.set_fee_bps(100))
    chain.measure(owner.withdraw_fees(1, address(chain.contract_owner)))
    _pay_fees_in_a_token(chain, single, token)
    chain.contract_owner.settlement.require_account().transfer(owner.contract_id, 1).wait()
    chain.measure(owner.withdraw_surplus(1, address(chain.contract_owner)))


def _list_token(chain: MeasuredChain) -> str:
    """Publish a token, mint plenty for the buyer, and list it for offers."""
    account = chain.contract_owner.settlement.require_account()
    account.submit(ContractPublish("usdcx", TOKEN.read_text(), 5)).wait()
    token = f"{account.address}.usdcx"
    mint = ContractCall(token, "protocol-mint", (UIntValue(10**15), PrincipalValue(address(chain.buyer))))
    account.submit(mint).wait()
    chain.measure(chain.contract_owner.settlement.set_token(token, True))
    return token


def _sell_a_month(chain: MeasuredChain, plant: int) -> None:
    first = chain.anyone.now().date() + timedelta(days=2)
    days = [first + timedelta(days=number) for number in range(MONTH)]
    offered = [OfferedDay(day=day, wh=FILL_WH, expires_at=start_of(day)) for day in days]
    call = chain.seller.market.create_offers(plant, PRICE_PER_KWH, FILL_WH, None, None, offered)
    numbers = [answer.value for answer in chain.measure(call, f"{MONTH} days") if answer.value is not None]
    taken = [Taking(offer_id=number, wh=FILL_WH, min_wh=FILL_WH) for number in numbers]
    chain.measure(chain.buyer.settlement.accept_offers(taken, NO_LIMIT, NO_LIMIT), f"{MONTH} days")
    again = [answer.value for answer in chain.run(call) if answer.value is not None]
    chain.measure(chain.seller.market.cancel_offers(again), f"{MONTH} offers")


def _pay_fees_in_a_token(chain: MeasuredChain, plant: int, token: str) -> None:
    """Make a spot sale in a token at the end, after another day is verified, and withdraw its fees."""
    day = chain.anyone.now().date()
    chain.devnet.advance(to=start_of(day + timedelta(days=1)))
    chain.run(chain.official.production.record_production(plant, day, WHOLE_DAY, DAY_WH))
    chain.run(chain.official.production.verify_day(plant, day, WHOLE_DAY, DAY_WH))
    spot = chain.run(chain.offer(plant, day, DAY_WH, token=token))
    limits = (DAY_WH, DAY_WH, NO_LIMIT, NO_LIMIT)
    chain.measure(chain.buyer.settlement.accept_and_fund_with(token, spot, *limits), "spot")
    owner = chain.contract_owner.settlement
    chain.measure(owner.withdraw_fees_with(token, 1, address(chain.contract_owner)))


def _record(
    chain: MeasuredChain,
    day: date,
    signing: int,
    small: int,
    recorded: range,
    signers: Sequence[tuple[int, PrivateKey]],
) -> None:
    official = chain.official.production
    whole = [300] * SLOTS
    chain.measure(chain.relay(chain.signed_day(signing, day, whole, SMALL_METER)), f"{SLOTS} slots", readings=SLOTS)
    chain.measure(chain.relay(chain.signed_day(small, day, [300], P256_METER)), "1 slot, P-256", readings=1)
    signed = [chain.signed_day(plant, day, whole, meter) for plant, meter in signers]
    variant = f"{SIGNED_TOGETHER} days of {SLOTS} slots"
    chain.measure(chain.anyone.production.record_days(signed), variant, readings=SIGNED_TOGETHER * SLOTS)
    items = [DayRecord(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH) for plant in recorded]
    chain.measure(official.record_batch(items), f"{BATCH} asset-days", readings=BATCH * SLOTS)
    # A leaf of a tree with a million leaves: only the path matters for the cost, not the rest of the tree.
    leaf = Leaf(asset_id=recorded[0], day=day - timedelta(days=1), mask=WHOLE_DAY, wh=DAY_WH, whs_hash=bytes(32))
    root, path = official.get_leaf_hash(leaf), []
    for level in range(20):
        path.append(Sibling(left=False, hash=bytes([level]) * 32))
        root = sha256(b"\x01" + root + path[-1].hash).digest()
    number = chain.measure(official.anchor_root(root, LEAVES, LEAVES * DAY_WH, leaf.day, day), f"{LEAVES:,} leaves")
    chain.measure(official.claim_leaf(number, leaf, path), "depth 20", readings=SLOTS)


def _decide(chain: MeasuredChain, day: date, small: int, rejected: int, recorded: range) -> None:
    official = chain.official.production
    chain.measure(official.record_production(rejected, day, WHOLE_DAY, DAY_WH), readings=SLOTS)
    chain.measure(official.reject_day(rejected, day, WHOLE_DAY, DAY_WH, "meter broken"))
    chain.measure(official.dispute_day(small, day, "odd"))
    chain.measure(official.adjust_day(small, day, 300, 299))
    reviewed = [ReviewedDay(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH) for plant in recorded[:REVIEWED]]
    chain.measure(official.verify_days(reviewed), f"{REVIEWED} asset-days")
    fed = [FeedRecord(asset_id=plant, day=day, exported_wh=DAY_WH, imported_wh=0) for plant in recorded[1:REVIEWED]]
    chain.measure(chain.grid_operator.grid.record_feeds(fed), f"{len(fed)} asset-days")
    chain.measure(chain.official.grid.verify_feeds(fed), f"{len(fed)} asset-days")
