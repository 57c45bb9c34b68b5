"""Long runs: ``python -m tests.model --steps 100000 --seed 1``.

Ends with a table of what was called and how it ended. A run that fails is shortened and printed as Python, to be kept
in ``tests/model/regressions.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from der_client.devnet import Devnet
from tests.model.chain import START_TIME, Chain
from tests.model.coverage import report
from tests.model.play import RunFailedError, play, shortened
from tests.model.twin import Twin

STEPS_PER_RUN = 250
RUNS_PER_DEVNET = 20


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=10_000, help="how many steps in all")
    parser.add_argument("--seed", default="1", help="of all chance: any text")
    arguments = parser.parse_args()
    seen: Counter[tuple[str, str]] = Counter()
    started, run, steps = time.monotonic(), 0, 0
    while steps < arguments.steps:
        with Devnet(track_costs=False, start_time=START_TIME) as devnet:
            twin = Twin.deployed(Chain(devnet))
            for _ in range(RUNS_PER_DEVNET):
                try:
                    play(twin, f"{arguments.seed}-{run}", min(STEPS_PER_RUN, arguments.steps - steps))
                except RunFailedError as error:
                    sys.stdout.write(f"{error}\nshortened:\n")
                    sys.stdout.writelines(f"    {action!r},\n" for action in shortened(twin, error.actions))
                    return 1
                run += 1
                steps += STEPS_PER_RUN
                if steps >= arguments.steps:
                    break
            seen += twin.seen
        seconds = time.monotonic() - started
        sys.stdout.write(f"{steps} steps in {run} runs agree, {seconds:.0f} s, {steps / seconds:.0f} steps/s\n")
        sys.stdout.flush()
    sys.stdout.write(report(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
