"""Soak the outbox: ``python -m tests.soak.outbox --minutes 10``.

Four processes share a journal on Postgres and four accounts; two more have an SQLite journal each. Processes and devnet
are killed at random, and the connection between them fails now and then. At the end, every payment must be mined
exactly once, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import requests

from der_client import PrivateKey
from der_client.stacks.account import Account
from der_client.stacks.network import DEVNET
from der_client.stacks.outbox import JobState, Journal
from der_client.stacks.rpc import Client
from tests.faults import kinds
from tests.faults.exchange import Ask
from tests.faults.proxy import FaultProxy
from tests.faults.replica import API_READS, NODE_READS, Lag
from tests.postgres import MISSING, find_programs, running
from tests.soak.restarting_devnet import RestartingDevnet

_FUNDS_USTX = 1_000_000_000
_PATIENCE_S = 300.0
_POSTS = (
    kinds.reset_before,
    kinds.reset_after,
    kinds.half,
    kinds.page(400),
    kinds.page(400, delivered=True),
    kinds.page(502, delivered=True),
    kinds.busy(503, delivered=True),
    kinds.busy(429, "1"),
    kinds.early_hints,
    kinds.slow(0.3),
)
_GETS = (kinds.reset_before, kinds.half, kinds.page(502), kinds.busy(503), kinds.busy(429, "1"), kinds.unknown)


@dataclass(frozen=True)
class Plan:
    """The duration and intensity of a soak.

    Attributes:
        seconds: How long there are faults and kills.
        jobs: The number of payments in each journal.
        life_s: The average lifetime of a process; the devnet's is three times as long.
        seed: The seed of all randomness.
        uses_postgres: Whether there is a shared journal on Postgres in addition to those in files.
    """

    seconds: float
    jobs: int
    life_s: float
    seed: int = 1
    uses_postgres: bool = True


@dataclass
class Crew:
    """The processes of one journal.

    Attributes:
        journal: The location of the journal.
        keys: The keys of the accounts.
        payee: The address that is paid.
        size: The number of processes.
    """

    journal: str
    keys: list[PrivateKey]
    payee: str
    size: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def fill(self, url: str, jobs: int) -> None:
        """Start as many processes as are missing. One that ended by itself had finished all jobs."""
        self.processes = [process for process in self.processes if process.poll() is None]
        plan = {"url": url, "journal": self.journal, "payee": self.payee, "jobs": jobs}
        secret = json.dumps({**plan, "keys": [key.to_hex() for key in self.keys]})
        while len(self.processes) < self.size:
            command = [sys.executable, "-m", "tests.soak.outbox_worker"]
            self.processes.append(subprocess.Popen(command, env={**os.environ, "DER_SOAK": secret}))  # noqa: S603 - ours

    def kill(self, random: Random) -> None:
        """Kill one of the processes with SIGKILL."""
        process = random.choice(self.processes)
        process.kill()
        process.wait()


@dataclass
class Outcome:
    """The results of a soak."""

    problems: list[str] = field(default_factory=list)
    payments: int = 0
    kills: int = 0
    devnet_kills: int = 0
    faults: int = 0


def soak(plan: Plan, folder: Path, tell: Callable[[str], object] = lambda _line: None) -> Outcome:
    """Let processes pay while they, the devnet and the connection fail, then count the payments.

    Args:
        plan: The duration and intensity.
        folder: The folder for the files.
        tell: Called with lines about the progress.
    """
    random = Random(plan.seed)  # noqa: S311 - must be repeatable
    outcome = Outcome()
    with ExitStack() as stack:
        devnet = RestartingDevnet(folder / "state", random)
        stack.callback(devnet.close)
        crews = _crews(plan, folder, devnet, random, stack)
        proxy = stack.enter_context(FaultProxy(devnet.url))
        with _at_work(crews):
            _trouble(plan, devnet, crews, proxy, random, outcome, tell)
            proxy.clear()
            _finish(plan, crews, proxy.url)
        outcome.faults = sum(asked.fault != "pass_on" for asked in proxy.asked())
        outcome.devnet_kills = devnet.kills
        _count(plan, devnet.url, crews, outcome)
    return outcome


def _crews(plan: Plan, folder: Path, devnet: RestartingDevnet, random: Random, stack: ExitStack) -> list[Crew]:
    def key() -> PrivateKey:
        return PrivateKey.from_bytes(random.randbytes(31) + b"\1")

    def payee() -> str:
        return key().address(DEVNET)

    crews = [Crew(str(folder / f"journal-{number}.db"), [key()], payee(), 1) for number in range(2)]
    if plan.uses_postgres:
        crews.append(Crew(stack.enter_context(running()), [key() for _ in range(4)], payee(), 4))
    bank = Account(devnet.current.deployer.key, Client(devnet.url, network=DEVNET))
    for crew in crews:
        for each in crew.keys:
            bank.transfer(each.address(DEVNET), _FUNDS_USTX, fee_ustx=1_000).wait()
    return crews


@contextmanager
def _at_work(crews: list[Crew]) -> Iterator[None]:
    try:
        yield
    finally:
        for crew in crews:
            for process in crew.processes:
                process.kill()
                process.wait()


def _trouble(
    plan: Plan,
    devnet: RestartingDevnet,
    crews: list[Crew],
    proxy: FaultProxy,
    random: Random,
    outcome: Outcome,
    tell: Callable[[str], object],
) -> None:
    proxy.mood = lambda ask: _mood(ask, random)
    deadline = time.monotonic() + plan.seconds
    rounds = 0
    while time.monotonic() < deadline:
        rounds += 1
        for crew in crews:
            crew.fill(proxy.url, plan.jobs)
        proxy.lag = random.choice(
            [
                None,
                Lag(blocks=random.randint(1, 5)),
                Lag(since=time.monotonic()),
                Lag(blocks=2, reads=API_READS | NODE_READS),
            ]
        )
        time.sleep(random.uniform(0.5, 1.5) * plan.life_s / len(crews))
        random.choice(crews).kill(random)
        outcome.kills += 1
        if rounds % 3 == 0:
            devnet.kill()
            time.sleep(random.uniform(0, 1))
            devnet.restart()
        tell(f"{outcome.kills} processes and {devnet.kills} devnets killed")


def _mood(ask: Ask, random: Random) -> kinds.Fault | None:
    if ask.path == "/v2/transactions":
        return random.choice(_POSTS) if random.random() < 0.2 else None
    return random.choice(_GETS) if random.random() < 0.05 else None


def _finish(plan: Plan, crews: list[Crew], url: str) -> None:
    """Let the processes finish without faults and kills, while payments continue to be mined."""
    for crew in crews:
        crew.fill(url, plan.jobs)
    journals = [Journal(crew.journal) for crew in crews]
    mined, since = -1, time.monotonic()
    while any(process.poll() is None for crew in crews for process in crew.processes):
        now_mined = sum(journal.counts()[JobState.MINED] for journal in journals)
        if now_mined > mined:
            mined, since = now_mined, time.monotonic()
        elif time.monotonic() - since > _PATIENCE_S:
            raise TimeoutError(f"{mined} payments are mined, and none was in the last {_PATIENCE_S:g} s")
        time.sleep(1)
    for journal in journals:
        journal.close()


def _count(plan: Plan, url: str, crews: list[Crew], outcome: Outcome) -> None:
    """Compare the payments on the chain, read without the client library, with the planned ones."""
    paid: dict[str, Counter[int]] = {crew.payee: Counter() for crew in crews}
    senders = {key.address(DEVNET) for crew in crews for key in crew.keys}
    others = 0
    tip = requests.get(f"{url}/extended/v2/blocks/latest", timeout=60).json()["height"]
    for height in range(1, tip + 1):
        answer = requests.get(f"{url}/extended/v2/blocks/{height}/transactions?limit=200", timeout=60).json()
        for entry in answer["results"]:
            if entry["sender_address"] not in senders:
                continue
            to = entry["token_transfer"]["recipient_address"]
            if to not in paid or entry["tx_status"] != "success":
                others += 1
                continue
            paid[to][int(entry["token_transfer"]["amount"])] += 1
    for crew in crews:
        counts = paid[crew.payee]
        outcome.payments += counts.total()
        missing = [amount for amount in range(1, plan.jobs + 1) if not counts[amount]]
        twice = [amount for amount, number in counts.items() if number > 1]
        if missing:
            outcome.problems.append(f"{crew.journal}: {len(missing)} payments are missing: {missing[:10]}")
        if twice:
            outcome.problems.append(f"{crew.journal}: {len(twice)} payments were made more than once: {twice[:10]}")
    if others:
        outcome.problems.append(f"{others} transactions are not payments that were asked for")


def main() -> int:
    """Run with the options of the command line; return 1 if there were problems."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.outbox", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long things go wrong (%(default)s)")
    parser.add_argument("--jobs", type=int, default=5_000, help="payments of each journal (%(default)s)")
    parser.add_argument("--life", type=float, default=5, help="seconds that a process lives, on average (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (%(default)s)")
    options = parser.parse_args()
    has_postgres = find_programs() is not None
    if not has_postgres:
        sys.stdout.write(f"{MISSING}\n")
    plan = Plan(options.minutes * 60, options.jobs, options.life, options.seed, has_postgres)
    with tempfile.TemporaryDirectory(prefix="der-soak-") as folder:
        outcome = soak(plan, Path(folder), lambda line: (sys.stdout.write(f"{line}\n"), sys.stdout.flush()))
    sys.stdout.write(
        f"{outcome.payments} payments mined; {outcome.kills} processes and {outcome.devnet_kills} devnets killed, "
        f"{outcome.faults} faults on the way\n"
    )
    for problem in outcome.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    sys.stdout.write("each exactly once\n" if not outcome.problems else f"{len(outcome.problems)} problems\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
