"""What the calls are to cost at most, and what they cost in the prototype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.costs.call_cost import BEFORE_EPOCH_4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.costs.call_cost import CallCost


@dataclass(frozen=True, slots=True)
class Prototype:
    """What the same work cost before the contracts were designed; ``None`` where it was not measured.

    Attributes:
        reads: Entries read, as text: in one case it is a range.
        writes: Entries written.
        units: Readings (or calls) that a tenure of 15,000 and one of 30,000 reads hold.
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
    """A bound and what was measured.

    Attributes:
        name: Of the call.
        bound: In words: ``at most 16 reads``.
        measured: The same figure of the call.
        is_met: Whether it keeps the bound.
    """

    name: str
    bound: str
    measured: int
    is_met: bool


def goals(measured: Iterable[CallCost]) -> Iterator[Goal]:
    """The goals, in the order of the calls.

    Raises:
        KeyError: a call that has a goal was not measured.
    """
    calls = {call.name: call for call in measured}
    for name, most in MOST_READS.items():
        reads = calls[name].cost.read_count
        yield Goal(name, f"at most {most} reads", reads, reads <= most)
    for name, least in LEAST_READINGS.items():
        readings = calls[name].units_per_tenure(BEFORE_EPOCH_4)
        bound = f"at least {least:,} readings in {BEFORE_EPOCH_4.read_count:,} reads"
        yield Goal(name, bound, readings, readings >= least)
