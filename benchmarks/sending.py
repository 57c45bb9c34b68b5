"""The outbox, compared with the devnet's own rate: the same calls, signed in advance and sent at full speed."""

from __future__ import annotations

import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.devnet import Load, copied_project, register
from benchmarks.measure import OURS, Peer, Work, require_same
from benchmarks.peers import NodeProcess
from der_client import Der, Devnet, PrivateKey
from der_client.stacks.account import Account
from der_client.stacks.outbox import Job, JobState, Outbox
from der_client.stacks.rpc import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Runner
    from benchmarks.peers import Peers

EIGHT_LANES_GOAL: Final = 0.7
_ROUNDS: Final = 5
_TURN_S: Final = 2.0
_FEE_USTX: Final = 1000


def works(_peers: Peers) -> Iterator[Work]:
    """Yield jobs through an outbox with its journal in a file, with one account and with eight."""
    with (
        copied_project() as manifest,
        Devnet() as devnet,
        NodeProcess("simnet.js", str(manifest)) as sender,
        tempfile.TemporaryDirectory() as folder,
    ):
        der = Der.connect(devnet.url, devnet.accounts["wallet_1"])
        load = Load(devnet, sender, der)
        for lanes, goal in ((1, None), (8, EIGHT_LANES_GOAL)):
            outbox = _outbox(devnet, lanes, Path(folder, f"{lanes}.db"))

            def check(outbox: Outbox = outbox) -> None:
                before = der.assets.get_asset_count()
                _run(outbox, der)(50)
                require_same("jobs", {"given": before + 50, OURS: der.assets.get_asset_count()})

            yield Work(
                f"outbox: jobs to mined, {lanes} lane{'s' if lanes > 1 else ''}",
                _run(outbox, der),
                (Peer("devnet's own rate", load.transactions, goal=goal),),
                check,
                rounds=_ROUNDS,
                turn_s=_TURN_S,
            )
            outbox.close()


def _outbox(devnet: Devnet, lanes: int, journal: Path) -> Outbox:
    accounts = [
        Account(PrivateKey.from_bytes(bytes([100 + lanes * 10 + number]) * 32 + b"\x01"), Client(devnet.url))
        for number in range(lanes)
    ]
    for account in accounts:
        devnet.fund(account.address)
    return Outbox(accounts, journal)


def _run(outbox: Outbox, der: Der) -> Runner:
    numbers = count()

    def run(times: int) -> float:
        first = outbox.journal.counts()[JobState.MINED]
        calls = [register(der) for _ in range(times)]
        jobs = [
            Job(f"register/{first}/{next(numbers)}", call.payload, call.post_conditions, fee_ustx=_FEE_USTX)
            for call in calls
        ]
        started = time.perf_counter()
        for progress in outbox.run(jobs):
            if progress.state is JobState.GIVEN_UP:
                raise AssertionError(progress)
        return time.perf_counter() - started

    return run
