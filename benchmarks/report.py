"""Presents results: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.measure import Result, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(results: Sequence[Result]) -> Table:
    """Return a table with one line for each comparison; missed goals are highlighted."""
    shown = Table(title="der-client beside its peers: medians of one run", box=box.SIMPLE)
    shown.add_column("work")
    shown.add_column("against")
    for heading in ("measured", "goal", "ours", "theirs"):
        shown.add_column(heading, justify="right", no_wrap=True)
    previous = ""
    for result in results:
        shown.add_row(
            "" if result.work == previous else result.work,
            result.peer,
            _measured(result),
            _goal(result),
            _amount(result.scale, result.ours_s),
            _amount(result.scale, result.theirs_s) if result.theirs_s else "-",
        )
        previous = result.work
    return shown


def as_json(results: Sequence[Result]) -> str:
    """Return the results as JSON, with the machine and versions that they were measured on."""
    return json.dumps({"ran_on": _ran_on(), "results": [_fields(result) for result in results]}, indent=2)


def _measured(result: Result) -> Text:
    style = {True: "green", False: "bold red", None: ""}[result.is_met]
    missed = " missed" if result.is_met is False else ""
    return Text(_figure(result.scale, result.figure) + missed, style)


def _goal(result: Result) -> str:
    if result.goal is None:
        return "-"
    return f"{'≥' if result.scale is Scale.SPEED else '≤'} {_figure(result.scale, result.goal)}"


def _figure(scale: Scale, value: float) -> str:
    if scale is Scale.ADDED_S:
        return f"{value * 1000:+.0f} ms"
    return f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"


def _amount(scale: Scale, value: float) -> str:
    return f"{value / (1 << 20):.0f} MiB" if scale is Scale.MEMORY else _duration(value)


def _duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _fields(result: Result) -> dict[str, Any]:
    return {
        "work": result.work,
        "against": result.peer,
        "scale": result.scale.value,
        "figure": result.figure,
        "quartiles": [result.low, result.high],
        "goal": result.goal,
        "goal_met": result.is_met,
        "ours_s": result.ours_s,
        "theirs_s": result.theirs_s,
    }


def _ran_on() -> dict[str, Any]:
    packages = ("der-client", "coincurve", "pydantic", "requests")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": {name: version(name) for name in packages},
    }
