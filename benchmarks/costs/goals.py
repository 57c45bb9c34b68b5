"""The goals for the costs of calls, and the costs measured in the prototype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.costs.call_cost import BEFORE_EPOCH_4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.costs.call_cost import CallCost


@dataclass(frozen=True, slots=True)
class Prototype:
    """The cost of the same work before the contracts were designed; ``None`` where it was not measured.

    Attributes:
        reads: The number of entries read, as text, because in one case it is a range.
        writes: The number of entries written.
        units: How many readings (or calls) fit into a tenure of 15,000 reads and into one of 30,000.
    """

    reads: str
    writes: int | None = None
    units: tuple[int, int] | None = None


PROTOTYPE: Final[Mapping[str, Prototype]] = {
    "record-day, 1 slot, P-256": Prototype("12", 2, (1_250, 2_500)),
    "record-day, 96 slots": Prototype("12", 2, (120_000, 240_000)),
    "record-batch, 200 asset-days": Prototype("1,011", 400, (268_800, 556_800)),
    "anchor-root, 1,048,576 leaves": Prototype("7", 2),
    "claim-leaf, depth 20": Prototype("13", 2, (1_153, 2_307)),
    "create-offer, forward": Prototype("23"),
    "accept-and-fund, forward": Prototype("27"),
    "settle, all delivered": Prototype("31 to 33"),
}

MOST_READS: Final[Mapping[str, int]] = {
    "record-day, 96 slots": 16,
    "record-days, 20 days of 96 slots": 20 * 7,
    "record-batch, 200 asset-days": 1_100,
    "verify-days, 100 asset-days": 100 * 5,
    "create-offer, forward": 30,
    "create-offer, spot": 30,
    "create-offers, 31 days": 31 * 12,
    "accept-and-fund, forward": 36,
    "accept-and-fund, spot": 36,
    "accept-and-fund-with, forward": 48,
    "accept-and-fund-with, spot": 48,
    "settle, all delivered": 30,
    "settle, with a shortfall": 30,
    "claim-leaf, depth 20": 18,
}
LEAST_READINGS: Final[Mapping[str, int]] = {"record-batch, 200 asset-days": 200_000}


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal and the measured figure.

    Attributes:
        name: The name of the call.
        bound: The goal in words: ``at most 16 reads``.
        measured: The measured figure.
        is_met: Whether the goal is met.
    """

    name: str
    bound: str
    measured: int
    is_met: bool


def goals(measured: Iterable[CallCost]) -> Iterator[Goal]:
    """Yield the goals, first those for reads, then those for readings.

    Raises:
        KeyError: If a call that has a goal was not measured.
    """
    calls = {call.name: call for call in measured}
    for name, most in MOST_READS.items():
        reads = calls[name].cost.read_count
        yield Goal(name, f"at most {most} reads", reads, reads <= most)
    for name, least in LEAST_READINGS.items():
        readings = calls[name].units_per_tenure(BEFORE_EPOCH_4)
        bound = f"at least {least:,} readings in {BEFORE_EPOCH_4.read_count:,} reads"
        yield Goal(name, bound, readings, readings >= least)
