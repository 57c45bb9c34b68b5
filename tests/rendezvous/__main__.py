"""Property and invariant tests of the contracts with Rendezvous: ``python -m tests.rendezvous --runs 200 --seed 1``.

Rendezvous appends ``contracts/NAME.tests.clar`` to the contract and calls the result with random arguments: in mode
``test`` its ``test-*`` functions; in mode ``invariant`` its public functions and, now and then, an ``invariant-*``
function. Each contract and mode runs in a separate process, on a chain that begins at a fixed time, so the same seed
always makes the same calls.

There are two things that it cannot draw. Signatures of meters cannot be guessed, and the Clarity version of its SDK
still hashes twice on P-256. And ``release`` always fails: the payee of its payments is the contract ``plant``, which
cannot call a contract that is deployed after it. The model (``tests/model``) draws both, and Vitest
(``tests/contracts``) tests them.

The first run installs the npm packages of this directory. Its package.json has the version of Clarinet's SDK that
Rendezvous can use.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from der_client.nodejs import environment, find_node, run_npm
from der_client.project import project_root

FOLDER: Final = Path(__file__).resolve().parent
RENDEZVOUS: Final = FOLDER / "node_modules" / "@stacks" / "rendezvous" / "dist" / "app.js"
CLOCK: Final = FOLDER / "fixed-clock.mjs"
INSTALLED: Final = FOLDER / "node_modules" / ".package-lock.json"
"""The file that npm writes after it has installed everything."""

CONTRACTS: Final = ("asset-verification", "production-tracking", "grid-integration", "market-participation")
"""The contracts, each after those that it calls. ``settlement`` comes last, after the plant that its tests need."""

CLARITY_VERSION: Final = 4
EPOCH: Final = "3.3"
"""The newest epoch that the SDK of these tests supports."""

MODES: Final = {"test": r"\(define-public \(test-", "invariant": r"\(define-read-only \(invariant-"}
"""What the tests of a contract must contain for each mode to have something to run."""

LISTING: Final = """
;; For the tests alone: lists a token without the contract owner.
(define-public (list-in-test (token principal))
  (ok (map-set tokens token true))
)
"""
MINTING: Final = """
;; For the tests alone: settlement, inside which they run, mints what a buyer needs.
(map-set callers { who: .settlement, role: ROLE_MINT } true)
"""

PASSED: Final = re.compile(r"OK, (?:properties|invariants) passed after \d+ runs")
COUNT: Final = re.compile(r"[├└]─ (?:\x1b\[\d+m)?(\S+): x(\d+)")
COLOUR: Final = re.compile(r"\x1b\[\d+m")
REPORT: Final = "Error: Property failed"


@dataclass(frozen=True, slots=True)
class Task:
    """One contract in one mode."""

    contract: str
    mode: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run; ``calls`` counts the calls that did something, including checks."""

    passed: bool
    calls: int
    seconds: float
    output: str


def main() -> int:
    """Run with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.rendezvous", description=__doc__.partition("\n")[0])
    parser.add_argument("contracts", nargs="*", help="which contracts; all that have tests if none is named")
    parser.add_argument("--runs", type=int, default=100, help="of each contract and mode; one makes several calls")
    parser.add_argument("--seed", type=int, default=1, help="of all chance")
    parser.add_argument("--repeat", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--verbose", action="store_true", help="show how often each function did something")
    arguments = parser.parse_args()

    install()
    tasks = find_tasks(arguments.contracts)
    if not tasks:
        parser.error(f"no tests of {', '.join(arguments.contracts)}: there is no such contracts/NAME.tests.clar")
    seeds = range(arguments.seed, arguments.seed + arguments.repeat)
    failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = [(task, seed) for seed in seeds for task in tasks]
        outcomes = pool.map(lambda job: run(job[0], job[1], arguments.runs), jobs)
        for (task, seed), outcome in zip(jobs, outcomes, strict=True):
            failed += not outcome.passed
            report(task, seed, outcome, verbose=arguments.verbose)
    return 1 if failed else 0


def install() -> None:
    """Install Rendezvous and its SDK if they are missing or outdated."""
    lock = FOLDER / "package-lock.json"
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        run_npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], FOLDER)


def find_tasks(contracts: Sequence[str]) -> list[Task]:
    """Return the tasks to run, the longest first."""
    return [
        Task(contract, mode)
        for contract in reversed((*CONTRACTS, "settlement"))
        if (not contracts or contract in contracts) and tests_of(contract).exists()
        for mode, function in reversed(MODES.items())
        if re.search(function, tests_of(contract).read_text())
    ]


def tests_of(contract: str) -> Path:
    """Return the path of a contract's tests."""
    return project_root() / "contracts" / f"{contract}.tests.clar"


def run(task: Task, seed: int, runs: int) -> Outcome:
    """Run one contract in one mode, in a temporary project."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="der-rendezvous-") as name:
        project = Path(name)
        write_project(project, task.contract)
        command = [find_node(), "--import", CLOCK.as_uri(), str(RENDEZVOUS), str(project), task.contract, task.mode]
        # The chain keeps the effects of all calls, so a failure cannot be shortened: stop at the first.
        command += [f"--runs={runs}", f"--seed={seed}", "--bail"]
        done = subprocess.run(  # noqa: S603 - our own arguments, without a shell
            command, env=environment(), capture_output=True, text=True, check=False
        )
    # Rendezvous also exits with 0 if it found nothing to run.
    passed = done.returncode == 0 and PASSED.search(done.stdout) is not None
    output = COLOUR.sub("", done.stdout + done.stderr)
    return Outcome(passed, sum(count for _, count in successes(output)), time.monotonic() - started, output)


def write_project(project: Path, contract: str) -> None:
    """Write a Clarinet project with the contract, those that it calls, and its tests."""
    source, folder = project_root(), project / "contracts"
    folder.mkdir()
    shutil.copytree(source / "settings", project / "settings")
    names = [*CONTRACTS, "settlement"]
    for name in names:
        shutil.copy(source / "contracts" / f"{name}.clar", folder)
    shutil.copy(tests_of(contract), folder)
    names = names[: names.index(contract) + 1]
    if contract == "settlement":
        shutil.copy(FOLDER / "plant.clar", folder)
        shutil.copy(source / "contracts" / "stand-ins" / "usdcx.clar", folder)
        names[-1:-1] = ["plant", "usdcx"]
        with (folder / "market-participation.clar").open("a") as code:
            code.write(LISTING)
        with (folder / "usdcx.clar").open("a") as code:
            code.write(MINTING)
    if contract != "asset-verification":
        with (folder / "asset-verification.clar").open("a") as code:
            code.write((FOLDER / "grants.clar").read_text())
    manifest = ['[project]\nname = "rendezvous"\ntelemetry = false\ncache_dir = "./.cache"\n']
    manifest += [
        f'[contracts.{name}]\npath = "contracts/{name}.clar"\nclarity_version = {CLARITY_VERSION}\nepoch = "{EPOCH}"\n'
        for name in names
    ]
    manifest.append('[repl]\nlog_print_events = "none"\n')
    (project / "Clarinet.toml").write_text("\n".join(manifest))


def successes(output: str) -> list[tuple[str, int]]:
    """Return how often each function did something, including each check of an invariant."""
    statistics = output.partition("EXECUTION STATISTICS")[2]
    sections = re.split(r"[├└]─ [+!-] ", statistics)
    return [
        (name, int(count))
        for section in sections
        if section.startswith(("SUCCESSFUL", "PASSED"))
        for name, count in COUNT.findall(section)
    ]


def report(task: Task, seed: int, outcome: Outcome, *, verbose: bool) -> None:
    """Print one line for a run that passed, and the end of the output for one that failed."""
    verdict = "ok" if outcome.passed else "FAILED"
    head = f"{task.contract} {task.mode}, seed {seed}:"
    sys.stdout.write(f"{head:<45} {verdict}, {outcome.calls} calls and checks, {outcome.seconds:.0f} s\n")
    if verbose:
        sys.stdout.writelines(f"    {count:6} {name}\n" for name, count in successes(outcome.output))
    if not outcome.passed:
        failed = "".join(line for line in outcome.output.splitlines(keepends=True) if "[FAIL]" in line)
        failure = outcome.output.partition(REPORT)
        sys.stdout.write(failed + "".join(failure[1:]) if failure[1] else outcome.output[-3000:])
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
