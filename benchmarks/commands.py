"""How long users wait for commands of ``der`` on the demo's chain: the processor time of whole processes.

The devnet's share is not counted. For the command with the most requests, it is a few hundredths of a second.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Peer, Scale, Work, WrongResultError, no_time, require_same
from benchmarks.start import children_s, with_bytecode
from der_client.demo import run_demo
from der_client.devnet import Devnet
from der_client.project import deployment_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers import Peers

COMMAND_GOAL_S: Final = 1.0
_ROUNDS: Final = 7
_COMMANDS: Final = {
    "plants": "wallet_1",
    "plant 1": "wallet_1",
    "production": "kWh",
    "offers": "kWh",
    "payments": "wallet_5",
    "statement wallet_2": "wallet_2",
    "certificates": "electricity of our offices",
    "events": "payment",
    "balance wallet_1": "STX",
}
"""Commands, each with a text that its output must contain."""


def works(_peers: Peers) -> Iterator[Work]:
    """Yield each command, on the chain of a finished demo."""
    with _chain() as environment:
        for command, answer in _COMMANDS.items():
            yield Work(
                f"der {command}",
                partial(_time, environment, command),
                (Peer("the clock", no_time, Scale.ADDED_S, COMMAND_GOAL_S),),
                partial(_check, environment, command, answer),
                rounds=_ROUNDS,
            )


@contextmanager
def _chain() -> Iterator[dict[str, str]]:
    """Run the demo on a devnet; yield an environment in which commands find it, with a temporary home directory."""
    with (
        TemporaryDirectory(prefix="der-client home ") as home,
        with_bytecode() as environment,
        Devnet(deploy_contracts=False) as devnet,
    ):
        run_demo(devnet, deployment_plan(), days=1)
        own = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state"}
        yield {**environment, **own, "DER_URL": devnet.url}


def _run(environment: dict[str, str], command: str) -> str:
    arguments = [sys.executable, "-m", "der_client.cli", *command.split()]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 - our own command
    if done.returncode:
        raise WrongResultError(f"der {command}: {done.stderr.strip()}")
    return done.stdout


def _time(environment: dict[str, str], command: str, times: int) -> float:
    before = children_s()
    for _ in range(times):
        _run(environment, command)
    return children_s() - before


def _check(environment: dict[str, str], command: str, answer: str) -> None:
    require_same(f"der {command}", {"expected": True, "answered": answer in _run(environment, command)})
