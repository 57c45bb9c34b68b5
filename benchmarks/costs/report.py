"""Presents costs: as tables for people, as JSON for programs, and in the tables of ``docs/costs.md``."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.table import Table

from benchmarks.costs.call_cost import BEFORE_EPOCH_4, EPOCH_4
from benchmarks.costs.goals import PROTOTYPE, Prototype, goals
from benchmarks.costs.utility import TENURES_PER_DAY, USTX_PER_STX, ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.costs.call_cost import CallCost

_HEADINGS: Final = (
    "call",
    "runtime",
    "reads",
    "writes",
    "bytes read",
    "bytes written",
    "bytes of arguments",
    "bytes in all = floor fee, µSTX",
    "per tenure, 15k / 30k reads",
    "prototype: reads, writes, per tenure",
)
_WAY_HEADINGS: Final = (
    "way",
    "transactions a day",
    "tenures a day, 15k / 30k reads",
    f"of the chain ({TENURES_PER_DAY} tenures a day)",
    "floor fees, STX a day",
    "meters that a tenth of the chain serves",
)
_GOAL_HEADINGS: Final = ("call", "goal", "measured")
_BILLION: Final = 10**9
_BLOCK: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(measured: Sequence[CallCost]) -> Table:
    """Return a table with one line for each call, grouped by contract."""
    shown = Table(title="What a call costs", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for number, heading in enumerate(_HEADINGS):
        shown.add_column(heading, justify="right" if number else "left", no_wrap=number == 0)
    contract = ""
    for call in measured:
        if call.contract != contract:
            contract = call.contract
            shown.add_section()
            shown.add_row(contract, style="bold")
        shown.add_row(*_cells(call))
    return shown


def goal_lines(measured: Sequence[CallCost]) -> list[str]:
    """Return each goal and whether it is met."""
    return [
        f"{'met   ' if goal.is_met else 'MISSED'} {goal.name}: {goal.bound}; {goal.measured:,}"
        for goal in goals(measured)
    ]


def growth_lines(small: Sequence[CallCost], large: Sequence[CallCost]) -> list[str]:
    """Return the calls whose reads or writes differ between two states."""
    return [
        f"{before.name}: {before.counts[0]:,} reads and {before.counts[1]:,} writes became "
        f"{after.counts[0]:,} and {after.counts[1]:,}"
        for before, after in zip(small, large, strict=True)
        if (before.name, before.counts) != (after.name, after.counts)
    ]


def as_json(measured: Sequence[CallCost]) -> str:
    """Return the figures as JSON."""
    return json.dumps(
        {
            "calls": [_fields(call) for call in measured],
            "goals": [asdict(goal) for goal in goals(measured)],
            "million_meters": [asdict(way) for way in ways(measured)],
        },
        indent=2,
        ensure_ascii=False,
    )


def with_tables(page: str, measured: Sequence[CallCost]) -> str:
    """Return a page of the docs with its generated tables updated.

    A table is between ``<!-- table: NAME -->`` and ``<!-- end -->``; the names are ``calls``, ``goals`` and ``ways``.

    Raises:
        KeyError: If the page has a table with an unknown name.
    """
    tables = {"calls": _calls_markdown(measured), "goals": _goals_markdown(measured), "ways": _ways_markdown(measured)}
    return _BLOCK.sub(lambda found: found[1] + f"{tables[found[2]]}\n" + found[3], page)


def _calls_markdown(measured: Sequence[CallCost]) -> str:
    parts = []
    for contract in dict.fromkeys(call.contract for call in measured):
        rows = [_cells(call) for call in measured if call.contract == contract]
        parts.append(f"### {contract}\n\n" + _markdown(_HEADINGS, rows))
    return "\n" + "\n\n".join(parts) + "\n"


def _goals_markdown(measured: Sequence[CallCost]) -> str:
    return _markdown(_GOAL_HEADINGS, ((goal.name, goal.bound, f"{goal.measured:,}") for goal in goals(measured)))


def _ways_markdown(measured: Sequence[CallCost]) -> str:
    rows = (
        (
            way.name,
            f"{way.transactions:,}",
            " / ".join(_rounded(tenures) for tenures in way.tenures),
            " / ".join(f"{_rounded(tenures / TENURES_PER_DAY * 100)} %" for tenures in way.tenures),
            _rounded(way.fees_ustx / USTX_PER_STX),
            " / ".join(_many(meters) for meters in way.meters_in_a_tenth),
        )
        for way in ways(measured)
    )
    return _markdown(_WAY_HEADINGS, rows)


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ("---", *("--:" for _ in headings[1:])), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cells(call: CallCost) -> tuple[str, ...]:
    cost = call.cost
    figures = (
        cost.runtime,
        cost.read_count,
        cost.write_count,
        cost.read_length_bytes,
        cost.write_length_bytes,
        call.argument_bytes,
        call.floor_fee_ustx,
    )
    unit = " readings" if call.readings else ""
    per_tenure = " / ".join(f"{call.units_per_tenure(limit):,}" for limit in (BEFORE_EPOCH_4, EPOCH_4))
    return (
        call.name,
        *(f"{figure:,}" for figure in figures),
        per_tenure + unit,
        _prototype(PROTOTYPE.get(call.name)),
    )


def _prototype(known: Prototype | None) -> str:
    if known is None:
        return ""
    writes = "" if known.writes is None else f", {known.writes:,}"
    units = "" if known.units is None else f", {known.units[0]:,} / {known.units[1]:,}"
    return known.reads + writes + units


def _rounded(value: float) -> str:
    """Round to about three digits, which is enough: minimum fees and room in a tenure are bounds, not forecasts."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _many(count: int) -> str:
    return f"{count:,}" if count < _BILLION else "billions"


def _fields(call: CallCost) -> dict[str, Any]:
    return {
        "contract": call.contract,
        "function": call.function,
        "variant": call.variant,
        **asdict(call.cost),
        "argument_bytes": call.argument_bytes,
        "transaction_bytes": call.transaction_bytes,
        "floor_fee_ustx": call.floor_fee_ustx,
        "readings": call.readings,
        "per_tenure": {
            f"{limit.read_count}_reads": call.units_per_tenure(limit) for limit in (BEFORE_EPOCH_4, EPOCH_4)
        },
    }
