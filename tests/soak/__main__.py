"""Soak the devnet: ``python -m tests.soak --minutes 10 --clients 16``. Report what was lost or done twice.

With ``--hostile``, publish and call pathological contracts while another client sends transfers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.soak import hostile
from tests.soak.run import Plan, soak


def main() -> int:
    """Run with the options of the command line; return 1 if there were problems."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long clients send (%(default)s)")
    parser.add_argument("--clients", type=int, default=16, help="how many they are (%(default)s)")
    parser.add_argument("--rate", type=float, default=60, help="transactions a second, of all together (%(default)s)")
    parser.add_argument("--life", type=float, default=30, help="seconds between two kills, on average (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (%(default)s)")
    parser.add_argument("--hostile", action="store_true", help="publish and call pathological contracts instead")
    options = parser.parse_args()
    if options.hostile:
        return _hostile(options.minutes * 60, options.seed)
    plan = Plan(options.minutes * 60, options.clients, options.rate, options.life, options.seed)
    with tempfile.TemporaryDirectory(prefix="der-soak-") as folder:
        outcome = soak(plan, Path(folder) / "state", lambda line: (sys.stdout.write(f"{line}\n"), sys.stdout.flush()))
    kinds = Counter(entry.kind.name.lower() for book in outcome.books.values() for entry in book)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    sys.stdout.write(
        f"{kinds.total()} transactions of {plan.clients} clients ({counts})\n"
        f"{outcome.kills} kills, {outcome.outages} sends into an outage, longest restart {outcome.restart_s:.1f} s\n"
    )
    for problem in outcome.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    sys.stdout.write("all there, all done once\n" if not outcome.problems else f"{len(outcome.problems)} problems\n")
    return 1 if outcome.problems else 0


def _hostile(seconds: float, seed: int) -> int:
    report = hostile.run(seconds, seed=seed, tell=lambda line: (sys.stdout.write(f"{line}\n"), sys.stdout.flush()))
    for problem in report.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    ends = ", ".join(f"{count} {status}" for status, count in report.statuses.items())
    sys.stdout.write(
        f"{ends}; {report.transfers} transfers mined; at most {report.peak_bytes >> 20} MiB of memory; "
        f"{len(report.problems)} problems\n"
    )
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
