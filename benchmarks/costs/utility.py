"""The effort of recording the days of many meters, computed from the costs of the calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.costs.call_cost import BEFORE_EPOCH_4, EPOCH_4
from benchmarks.costs.calls import BATCH, LEAVES, REVIEWED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.costs.call_cost import CallCost
    from der_client.stacks.rpc.responses import ExecutionCost

METERS: Final = 1_000_000
METERS_OF_A_FEEDER: Final = 1_000
USTX_PER_STX: Final = 1_000_000
# A tenure begins with each Bitcoin block.
TENURES_PER_DAY: Final = 144


@dataclass(frozen=True, slots=True)
class Way:
    """A way to record and verify the days of all meters.

    Attributes:
        name: A description.
        transactions: The number of transactions per day.
        tenures: How many tenures of 15,000 and of 30,000 reads they fill per day.
        fees_ustx: The minimum fees per day, µSTX.
        meters_in_a_tenth: How many meters this way serves with a tenth of all tenures, for both kinds of tenure.
    """

    name: str
    transactions: int
    tenures: tuple[float, float]
    fees_ustx: int
    meters_in_a_tenth: tuple[int, int]


def ways(measured: Sequence[CallCost], meters: int = METERS) -> list[Way]:
    """Return all ways, the most expensive first.

    Each records and verifies a day of every meter, except the last, which only anchors a root over all days.

    Args:
        measured: The costs of the calls.
        meters: The number of meters.

    Raises:
        KeyError: If a call that they need was not measured.
    """
    calls = {call.name: call for call in measured}
    signed = calls["record-day, 96 slots"]
    batch = calls[f"record-batch, {BATCH} asset-days"]
    review = calls[f"verify-days, {REVIEWED} asset-days"]
    feeders = -(-meters // METERS_OF_A_FEEDER)

    def recorded(name: str, recording: CallCost, days_of_one: int, days: int) -> Way:
        calls_of_each = ((recording, -(-days // days_of_one)), (review, -(-days // REVIEWED)))

        def tenures(limit: ExecutionCost) -> float:
            return sum(times / call.calls_per_tenure(limit) for call, times in calls_of_each)

        return _way(
            name,
            meters,
            sum(times for _, times in calls_of_each),
            (tenures(BEFORE_EPOCH_4), tenures(EPOCH_4)),
            sum(times * call.floor_fee_ustx for call, times in calls_of_each),
        )

    anchor = calls[f"anchor-root, {LEAVES:,} leaves"]
    roots = -(-meters // LEAVES)
    return [
        recorded("a signed day for each meter", signed, 1, meters),
        recorded("oracle batches, a row for each meter", batch, BATCH, meters),
        recorded(f"a signed day for each feeder of {METERS_OF_A_FEEDER:,} meters", signed, 1, feeders),
        recorded(f"oracle batches, a row for each feeder of {METERS_OF_A_FEEDER:,} meters", batch, BATCH, feeders),
        _way(
            "a daily root over all meters, of which no day counts before it is claimed",
            meters,
            roots,
            (roots / anchor.calls_per_tenure(BEFORE_EPOCH_4), roots / anchor.calls_per_tenure(EPOCH_4)),
            roots * anchor.floor_fee_ustx,
        ),
    ]


def _way(name: str, meters: int, transactions: int, tenures: tuple[float, float], fees_ustx: int) -> Way:
    before, now = (int(meters * TENURES_PER_DAY / 10 / needed) for needed in tenures)
    return Way(name, transactions, tenures, fees_ustx, (before, now))
