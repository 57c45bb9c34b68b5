"""``python -m benchmarks``: run all benchmarks and print a table or JSON. Fails only if a result is wrong."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmarks import report, suite
from benchmarks.measure import WrongResultError, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Result


_PAGE_WIDTH: Final = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return the exit code: 0 whatever the speed, 1 if a result was wrong."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    results: list[Result] = []
    try:
        with suite.works(options.only) as works, console.status("") as status:
            for work in works:
                status.update(f"{work.name} …")
                results += measure(work, rounds=options.rounds, turn_s=options.turn_ms / 1000)
    except WrongResultError as error:
        console.print("wrong result:", str(error), style="bold red", markup=False, highlight=False)
        return 1
    if options.json:
        sys.stdout.write(report.as_json(results) + "\n")
    else:
        table = report.table(results)
        # A file or a pipe has no width; nothing may be cut off there.
        Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="der-client beside its peers")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--only", nargs="+", choices=list(suite.GROUPS), help="measure only these groups of work")
    parser.add_argument("--rounds", type=int, default=31, metavar="N", help="turns that each contender gets (31)")
    parser.add_argument("--turn-ms", type=float, default=50, metavar="MS", help="length of a turn (50)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
