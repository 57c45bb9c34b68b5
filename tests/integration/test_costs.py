"""Costs of calls: every public function is measured, the goals are met, and docs/costs.md is up to date."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.costs import report
from benchmarks.costs.__main__ import PAGE, main
from benchmarks.costs.call_cost import BEFORE_EPOCH_4, EPOCH_4, CallCost
from benchmarks.costs.calls import CONTRACTS, DAY_WH, ONLY_CALLED_BY_SETTLEMENT, measure_calls
from benchmarks.costs.filling import Filling, fill
from benchmarks.costs.goals import PROTOTYPE, goals
from benchmarks.costs.utility import ways
from der_client import Der
from der_client.contracts.market_participation import OfferState
from der_client.devnet import Devnet
from der_client.stacks.contract.declared import PublicFunction

COSTS = ("read_count", "read_length_bytes", "write_count", "write_length_bytes", "runtime")


@pytest.fixture(scope="module")
def measured(shared_devnet: Devnet) -> list[CallCost]:
    with shared_devnet.anchor():
        return measure_calls(shared_devnet)


def test_every_public_function_is_measured(measured: list[CallCost]) -> None:
    declared = {
        (contract.name, name)
        for contract in CONTRACTS
        for name, function in contract.functions.items()
        if isinstance(function, PublicFunction) and name not in ONLY_CALLED_BY_SETTLEMENT
    }
    assert {(call.contract, call.function) for call in measured} == declared
    assert len({call.name for call in measured}) == len(measured)


def test_the_goals_are_met(measured: list[CallCost]) -> None:
    assert [goal for goal in goals(measured) if not goal.is_met] == []


def test_missed_goals_are_reported(measured: list[CallCost]) -> None:
    dear = CallCost("", "", "", EPOCH_4, 0, 0)
    spoilt = [
        CallCost(call.contract, call.function, call.variant, dear.cost, 0, 0) if call.function == "settle" else call
        for call in measured
    ]
    assert {goal.name for goal in goals(spoilt) if not goal.is_met} == {
        "settle, all delivered",
        "settle, with a shortfall",
    }
    assert sum(line.startswith("MISSED") for line in report.goal_lines(spoilt)) == 2
    assert len(report.growth_lines(measured, spoilt)) == 2
    assert report.growth_lines(measured, measured) == []


def test_the_tightest_limit_bounds_the_calls_per_tenure(measured: list[CallCost]) -> None:
    for call in measured:
        for limit in (BEFORE_EPOCH_4, EPOCH_4):
            fits = [getattr(limit, name) // used for name in COSTS if (used := getattr(call.cost, name))]
            assert call.calls_per_tenure(limit) == min(fits), call.name


def test_the_page_has_the_measured_counts(measured: list[CallCost]) -> None:
    rows = re.findall(r"^\| ([^|]+) \| [\d,]+ \| ([\d,]+) \| ([\d,]+) \|", PAGE.read_text(), re.MULTILINE)
    shown = {name: (int(reads.replace(",", "")), int(writes.replace(",", ""))) for name, reads, writes in rows}
    assert shown == {call.name: call.counts for call in measured}, "run: python -m benchmarks.costs --write"


def test_tables_are_regenerated(measured: list[CallCost]) -> None:
    page = "a\n<!-- table: goals -->\n<!-- end -->\nb\n<!-- table: calls -->\nold\n<!-- end -->\n"
    made = report.with_tables(page, measured)
    assert "old" not in made
    assert "\nb\n" in made
    assert made.startswith("a\n<!-- table: goals -->\n| call | goal |")
    assert "| record-day, 96 slots | at most 16 reads |" in made
    assert report.with_tables(made, measured) == made


def test_the_prototype_is_compared_with_existing_calls(measured: list[CallCost]) -> None:
    assert set(PROTOTYPE) <= {call.name for call in measured}


def test_json_has_every_figure(measured: list[CallCost]) -> None:
    document = json.loads(report.as_json(measured))
    batch = next(call for call in document["calls"] if call["function"] == "record-batch")
    assert batch["readings"] == 19_200
    assert batch["floor_fee_ustx"] == batch["transaction_bytes"] > batch["argument_bytes"] > 0
    assert batch["per_tenure"]["15000_reads"] == 15_000 // batch["read_count"] * 19_200
    assert all(goal["is_met"] for goal in document["goals"])


def test_the_costs_of_a_million_meters(measured: list[CallCost]) -> None:
    calls = {call.name: call for call in measured}
    signed, batches, *_, root = ways(measured)
    assert signed.transactions == 1_000_000 + 10_000
    assert batches.transactions == 5_000 + 10_000
    day, review = calls["record-day, 96 slots"], calls["verify-days, 100 asset-days"]
    assert signed.fees_ustx == 1_000_000 * day.transaction_bytes + 10_000 * review.transaction_bytes
    tenures = 1_000_000 / (15_000 // day.cost.read_count) + 10_000 / (15_000 // review.cost.read_count)
    assert signed.tenures[0] == pytest.approx(tenures)
    anchor = calls["anchor-root, 1,048,576 leaves"]
    assert (root.transactions, root.fees_ustx) == (1, anchor.transaction_bytes)
    assert root.tenures[0] == 1 / anchor.calls_per_tenure(BEFORE_EPOCH_4)
    for way in ways(measured):
        for tenures, meters in zip(way.tenures, way.meters_in_a_tenth, strict=True):
            assert meters * tenures / 1_000_000 == pytest.approx(14.4, rel=1e-3)


def test_a_chain_is_filled_with_assets_days_and_offers(devnet: Devnet) -> None:
    filling = Filling(200)
    steps: list[str] = []
    fill(devnet, filling, steps.append)
    der = Der.connect(devnet.url)
    assert steps[0] == "200 of 200 assets"
    assert steps[-1] == "200 of 200 offers"
    assert "2,000 of 2,000 asset-days" in steps
    assert der.assets.get_asset_count() == der.market.get_offer_count() == 200
    assert {der.production.get_total_production(plant).recorded_wh for plant in (1, 200)} == {10 * DAY_WH}
    assert {offer.state for offer in der.list_offers().values()} == {OfferState.PENDING}


def test_a_filling_needs_whole_batches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="300 assets"):
        Filling(300)
    with pytest.raises(SystemExit):
        main(["--large", "0"])
    assert "take a multiple of 200" in capsys.readouterr().err
