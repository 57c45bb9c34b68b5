"""A soak: traffic, kills, and the audit."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from der_client import PrivateKey
from der_client.stacks.account import Account, FeePolicy
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractPublish
from tests.soak.audit import FEE_SINK, Auditor
from tests.soak.restarting_devnet import RestartingDevnet
from tests.soak.traffic import FEE_USTX, Entry, Walker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FUNDS_USTX: Final = 10_000_000_000
_SAMPLE: Final = 100
_BURST: Final = 3.5
"""The average number of transactions in a burst."""


@dataclass(frozen=True)
class Plan:
    """The duration and intensity of a soak.

    Attributes:
        seconds: How long clients send.
        clients: The number of clients.
        per_second: About how many transactions all clients together send per second.
        life_s: The average time between two kills of the devnet.
        seed: The seed of all randomness.
    """

    seconds: float
    clients: int
    per_second: float
    life_s: float
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """The results of a soak.

    Attributes:
        problems: The problems found.
        books: The transactions of each address, by nonce.
        begin: All balances at the beginning, in µSTX.
        contract: The id of the ``world`` contract.
        kills: How often the devnet was killed.
        outages: How often a client could not reach the devnet and sent again.
        restart_s: The duration of the longest restart.
    """

    problems: tuple[str, ...]
    books: Mapping[str, Sequence[Entry]]
    begin: Mapping[str, int]
    contract: str
    kills: int
    outages: int
    restart_s: float


def soak(plan: Plan, state_file: Path, tell: Callable[[str], object] = lambda _line: None) -> Outcome:
    """Let clients send while the devnet is killed and restarted, then compare everything.

    Args:
        plan: The duration and intensity.
        state_file: The devnet's state file, which is kept.
        tell: Called with lines about the progress.
    """
    random = Random(plan.seed)  # noqa: S311 - must be repeatable
    devnet = RestartingDevnet(state_file, random)
    walkers, auditor, begin = _set_up(plan, devnet, random)
    stop = threading.Event()
    longest = 0.0
    with ThreadPoolExecutor(plan.clients) as pool:
        running = [pool.submit(walker.run, stop) for walker in walkers]
        try:
            deadline = time.monotonic() + plan.seconds
            while (left := deadline - time.monotonic()) > 0 and not any(future.done() for future in running):
                time.sleep(min(left, random.uniform(0.2, 1.8) * plan.life_s))
                devnet.kill()
                time.sleep(random.uniform(0, 1))
                started = time.monotonic()
                devnet.restart()
                longest = max(longest, time.monotonic() - started)
                for walker in walkers:
                    recent = list(enumerate(walker.book))[-_SAMPLE // plan.clients :]
                    auditor.all_there(walker.account.address, recent)
                sent = sum(len(walker.book) for walker in walkers)
                tell(f"{devnet.kills} kills, {sent} transactions, {len(auditor.problems)} problems")
        finally:
            stop.set()
        for future in running:
            if error := future.exception():
                auditor.problems.append(f"a client gave up: {error!r}")
    books = {walker.account.address: walker.book for walker in walkers}
    for address, book in books.items():
        auditor.all_there(address, enumerate(book))
    auditor.all_done_once(books, begin)
    devnet.current.close()
    return Outcome(
        problems=tuple(auditor.problems),
        books=books,
        begin=begin,
        contract=auditor.contract,
        kills=devnet.kills,
        outages=sum(walker.outages for walker in walkers),
        restart_s=longest,
    )


def _set_up(plan: Plan, devnet: RestartingDevnet, random: Random) -> tuple[list[Walker], Auditor, dict[str, int]]:
    """Publish the contract and fund the clients; return them, an auditor, and all balances."""
    client = Client(devnet.url, network=DEVNET)
    deployer = Account(devnet.current.deployer.key, client, fee_policy=FeePolicy(max_fee_ustx=100_000))
    source = Path(__file__).with_name("world.clar").read_text()
    deployer.submit(ContractPublish("world", source, 4), fee_ustx=100_000).wait()
    keys = [PrivateKey.from_bytes(random.randbytes(31) + b"\1") for _ in range(plan.clients)]
    accounts = [Account(key, Client(devnet.url, network=DEVNET)) for key in keys]
    for account in accounts:
        deployer.transfer(account.address, _FUNDS_USTX, fee_ustx=FEE_USTX).wait()
    contract = f"{deployer.address}.world"
    addresses = [account.address for account in accounts]
    auditor = Auditor(devnet.url, contract)
    pause_s = _BURST * plan.clients / plan.per_second
    walkers = [
        Walker(
            account,
            [other for other in addresses if other != account.address],
            contract,
            Random(random.random()),  # noqa: S311
            pause_s,
        )
        for account in accounts
    ]
    return walkers, auditor, {who: auditor.balance(who) for who in (*addresses, contract, FEE_SINK)}
