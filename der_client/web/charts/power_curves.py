"""The power of a day compared with the previous day, over all plants."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.web.amounts import clock, power
from der_client.web.charts.scale import HEIGHT, Scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS_PER_DAY: Final = 86_400
STEP_S: Final = 900
"""The shortest slots; longer ones are spread over several steps."""
STEPS: Final = SECONDS_PER_DAY // STEP_S


@dataclass(frozen=True, slots=True)
class Step:
    """A quarter of an hour, to point at.

    Attributes:
        x: Where it begins.
        title: Both days' power, in words.
    """

    x: int
    title: str


@dataclass(frozen=True, slots=True)
class PowerChart:
    """Two days as steps.

    Attributes:
        area: SVG path of the day, closed at the bottom; empty where nothing is known.
        line: SVG path of the day's upper edge.
        before_line: SVG path of the previous day.
        labels: The labels of the vertical axis, from the top.
        steps: The steps that can be pointed at.
    """

    area: str
    line: str
    before_line: str
    labels: list[str]
    steps: list[Step]


def power_by_step(loads: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Return the mean power of each quarter of an hour, W.

    Args:
        loads: Energy of slots: seconds since midnight, length in s, Wh.
    """
    sums: defaultdict[int, int] = defaultdict(int)
    for start_s, length_s, wh in loads:
        for step in range(start_s // STEP_S, (start_s + length_s) // STEP_S):
            sums[step] += wh * 3600 // length_s
    return dict(sums)


def power_chart(day: Mapping[int, int], before: Mapping[int, int]) -> PowerChart:
    """Return the chart.

    Args:
        day: Power by step, W; steps that are not known are left out.
        before: The previous day's.
    """
    scale = Scale.over(max([*day.values(), *before.values()], default=0))
    runs, runs_before = _runs(day, scale), _runs(before, scale)
    area = " ".join(f"M{x0},{HEIGHT}V{y0}{tail}V{HEIGHT}Z" for x0, y0, tail in runs)
    return PowerChart(area, _line(runs), _line(runs_before), scale.labels(power), _steps(day, before))


def _runs(powers: Mapping[int, int], scale: Scale) -> list[tuple[int, int, str]]:
    """Return the runs of known steps without a gap, each with its start and its path from there."""
    runs: list[tuple[int, int, list[str]]] = []
    last = -2
    for step in sorted(powers):
        y = scale.y(powers[step])
        if step != last + 1:
            runs.append((step, y, []))
        runs[-1][2].append(f"V{y}H{step + 1}")
        last = step
    return [(x, y, "".join(tail)) for x, y, tail in runs]


def _line(runs: list[tuple[int, int, str]]) -> str:
    return " ".join(f"M{x},{y}{tail}" for x, y, tail in runs)


def _steps(day: Mapping[int, int], before: Mapping[int, int]) -> list[Step]:
    def shown(powers: Mapping[int, int], step: int) -> str:
        return power(powers[step]) if step in powers else "nothing recorded"

    return [
        Step(step, f"{clock(step * STEP_S)}: {shown(day, step)}; the day before: {shown(before, step)}")
        for step in range(STEPS)
    ]
