"""``python -m benchmarks.costs``: measure every public function. Fails if a goal is missed or a cost has grown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmarks.costs import report
from benchmarks.costs.calls import measure_calls
from benchmarks.costs.filling import Filling, fill
from benchmarks.costs.goals import goals
from der_client.devnet import Devnet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.costs.call_cost import CallCost

PAGE: Final = Path(__file__).parents[2] / "docs" / "costs.md"
# The start of the chain: a midnight, so that every run makes the same calls.
START_TIME: Final = 1_772_323_200
LARGE_ASSETS: Final = 10_000
_PAGE_WIDTH: Final = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit code: 1 if a goal is missed, or if reads or writes differ on the large state."""
    options = _parser().parse_args(arguments)
    progress = Console(stderr=True)
    with Devnet(start_time=START_TIME) as devnet, progress.status("measuring …"):
        measured = measure_calls(devnet)
    if options.json:
        sys.stdout.write(report.as_json(measured) + "\n")
    else:
        # A file or a pipe has no width; nothing may be cut off there.
        shown = Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH, highlight=False)
        shown.print(report.table(measured))
        shown.print("\n".join(report.goal_lines(measured)))
    if options.write:
        PAGE.write_text(report.with_tables(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
    missed = not all(goal.is_met for goal in goals(measured))
    grown = [] if options.large is None else _grown(measured, options.large, progress)
    return 1 if missed or grown else 0


def _grown(measured: Sequence[CallCost], filling: Filling, progress: Console) -> list[str]:
    with Devnet(start_time=START_TIME) as devnet:
        fill(devnet, filling, lambda step: progress.print(step, highlight=False))
        with progress.status("measuring again …"):
            again = measure_calls(devnet)
    lines = report.growth_lines(measured, again)
    progress.print(
        f"with {filling}: " + ("\n".join(lines) or "the same reads and writes"), highlight=False, soft_wrap=True
    )
    return lines


def _filling(text: str) -> Filling:
    try:
        return Filling(int(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description="what each public function costs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", action="store_true", help="make the tables of docs/costs.md anew")
    parser.add_argument(
        "--large",
        nargs="?",
        type=_filling,
        const=Filling(LARGE_ASSETS),
        metavar="ASSETS",
        help="measure again on a chain with so many assets (10,000), ten times as many asset-days and as many offers",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
