"""The model keeps its rules by itself, without any contract."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from der_client.contracts.asset_verification import AssetKind, Role
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.invariants import broken_invariants
from tests.model.reference import System
from tests.model.reference.clock import DAY_S, end_of
from tests.model.reference.production import Day

TODAY = 20_000
SETTLEMENT = "the settlement contract"


def system_with_a_plant() -> System:
    """Return a model with a plant of 1 MW that can sell."""
    balances = dict.fromkeys(("owner", "buyer", SETTLEMENT), 0) | {"buyer": 10**30}
    system = System.deployed(
        now=TODAY * DAY_S, contract_owner="boss", settlement=SETTLEMENT, fee_bps=500, balances=balances, tokens={}
    )
    for role in Role:
        system.assets.set_role("boss", role, "official", "R" if role is Role.GRID_OPERATOR else "", True)
    system.assets.register_asset(
        "owner",
        kind=AssetKind.HYDRO,
        capacity_w=10**6,
        location="u",
        region="R",
        metadata_hash=bytes(32),
        slot_seconds=3600,
        device_key=None,
    )
    system.assets.verify_asset("official", 1, 10**6, None)
    system.grid.request_connection("owner", 1, 10**6)
    system.grid.approve_connection("official", 1, 10**6, False)
    return system


@dataclass(frozen=True)
class Sale:
    wh: int
    price: int


SALES = st.lists(st.builds(Sale, st.integers(1, 5 * 10**6), st.integers(1000, 10**15)), min_size=1, max_size=4)


@given(SALES, st.integers(0, 24 * 10**6), st.randoms(use_true_random=False))
@example([Sale(1, 1001)], 1, None)
def test_first_funded_is_first_delivered_and_every_ustx_is_accounted_for(
    sales: list[Sale], delivered_wh: int, random: object
) -> None:
    system = system_with_a_plant()
    day = TODAY + 1
    for sale in sales:
        offer_id = system.market.create_offer(
            "owner", 1, day, sale.wh, sale.price, min_fill_wh=1, expires_at=day * DAY_S, taker=None, token=None
        )
        system.settlement.accept_and_fund("buyer", offer_id, sale.wh, sale.wh, 10**30, 10**30)
    system.clock.now = end_of(day)
    system.production.days[1, day] = Day((1 << 24) - 1, DayState.VERIFIED, delivered_wh)
    order = list(system.settlement.payments)
    if random is not None:
        random.shuffle(order)  # type: ignore[attr-defined]  # Hypothesis' own kind of Random
    for payment_id in order:
        system.settlement.settle("anybody", payment_id)
        assert not broken_invariants(system)
    payments = system.settlement.payments.values()
    funded_wh = sum(sale.wh for sale in sales)
    assert sum(payment.delivered_wh for payment in payments) == min(funded_wh, delivered_wh)
    partial = [payment for payment in payments if 0 < payment.delivered_wh < payment.wh]
    assert len(partial) <= 1
    for payment in payments:
        assert payment.state is PaymentState.SETTLED
        assert payment.payout + payment.fee + payment.refund == payment.cost
        gross = payment.payout + payment.fee
        assert 1000 * gross <= payment.delivered_wh * payment.price < 1000 * (gross + 1)
        assert 10_000 * payment.fee <= 500 * gross
    assert system.settlement.balances[SETTLEMENT] == system.settlement.fees(None)


def test_broken_invariants_are_reported() -> None:
    system = system_with_a_plant()
    day = TODAY + 1
    system.market.create_offer("owner", 1, day, 1000, 1000, 1, day * DAY_S, None, None)
    system.settlement.accept_and_fund("buyer", 1, 600, 600, 10**9, 0)
    assert not broken_invariants(system)
    payment = system.settlement.payments[1]
    payment.cost += 1
    assert "the contract holds 600 of STX, and owes 601" in broken_invariants(system)[0]
    payment.cost -= 1
    payment.before_wh = 1
    assert broken_invariants(system) == ["a fill of (1, 20001) has 1 Wh before it, but 0 were funded"]
    payment.before_wh = 0
    system.market.offers[1].unsettled_fills = 0
    assert broken_invariants(system) == ["offer 1 counts 1 fills, 0 of them unsettled; there are 1 and 1"]
    system.market.offers[1].unsettled_fills = 1
    system.production.days[1, day] = Day(1, DayState.RECORDED, 10**9)
    assert broken_invariants(system) == ["asset 1 made 1000000000 Wh on day 20001, more than it can"]
