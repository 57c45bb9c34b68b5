"""Run the comparison of contracts and model for long: ``python -m tests.model --steps 100000 --seed 1 --jobs 2``.

Print a table of the functions called, how they ended and what was never reached. A run of 20,000 steps or more fails if
anything was never reached. A run that fails is shortened and printed as Python, ready to be added to
``tests/model/regressions.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from der_client.devnet import Devnet
from tests.model.chain import START_TIME, Chain
from tests.model.coverage import Ending, never_reached, report
from tests.model.runs import RunFailedError, play, told_shortly
from tests.model.twin import Twin

STEPS_PER_RUN: Final = 250
RUNS_PER_DEVNET: Final = 10
STEPS_THAT_REACH_ALL: Final = 20_000
"""A run of this many steps fails unless it met every error, and every function both succeeded and failed."""


@dataclass(frozen=True)
class Batch:
    """The result of the runs on one devnet.

    Attributes:
        seen: How often each function ended in each way.
        failure: What failed and how to repeat it; empty if contracts and model always agreed.
    """

    seen: Counter[tuple[str, Ending]]
    failure: str


def play_batch(seed: str, number: int) -> Batch:
    """Play some runs on a new devnet."""
    with Devnet(track_costs=False, start_time=START_TIME) as devnet:
        twin = Twin.deployed(Chain(devnet))
        for run in range(RUNS_PER_DEVNET):
            try:
                play(twin, f"{seed}-{number}-{run}", STEPS_PER_RUN)
            except RunFailedError as error:
                return Batch(twin.seen, told_shortly(twin, error))
        return Batch(twin.seen, "")


def main() -> int:
    """Run with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=10_000, help="how many steps, at least")
    parser.add_argument("--seed", default="1", help="of all chance: any text")
    parser.add_argument("--jobs", type=int, default=1, help="how many devnets at a time")
    arguments = parser.parse_args()
    per_batch = STEPS_PER_RUN * RUNS_PER_DEVNET
    batches = -(-arguments.steps // per_batch)
    seen: Counter[tuple[str, Ending]] = Counter()
    started = time.monotonic()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        played = pool.map(partial(play_batch, arguments.seed), range(batches))
        for done, batch in enumerate(played, 1):
            if batch.failure:
                sys.stdout.write(batch.failure)
                pool.shutdown(cancel_futures=True)
                return 1
            seen += batch.seen
            seconds = time.monotonic() - started
            steps = done * per_batch
            sys.stdout.write(f"{steps} steps agree, {seconds:.0f} s, {steps / seconds:.0f} steps/s\n")
            sys.stdout.flush()
    sys.stdout.write(report(seen))
    return 1 if arguments.steps >= STEPS_THAT_REACH_ALL and never_reached(seen) else 0


if __name__ == "__main__":
    sys.exit(main())
