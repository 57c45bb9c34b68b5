"""How long ``from der_client import Der`` takes in a new process.

The result is processor time, including the system's. On an idle machine, that is how long the import takes; on a busy
one, it is still what the import costs. Python's bytecode is cached wherever this runs, as after an installation.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import OURS, Peer, Scale, Work, require_same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Runner
    from benchmarks.peers import Peers

IMPORT_GOAL_S = 0.3
_ROUNDS = 15


def works(_peers: Peers) -> Iterator[Work]:
    """Yield the import, compared with a Python that does nothing."""
    with with_bytecode() as environment:
        yield Work(
            "from der_client import Der",
            _python("from der_client import Der", environment),
            (Peer("bare Python start", _python("pass", environment), Scale.ADDED_S, IMPORT_GOAL_S),),
            partial(_check, environment),
            rounds=_ROUNDS,
        )


@contextmanager
def with_bytecode() -> Iterator[dict[str, str]]:
    """Yield an environment in which programs cache the bytecode of their modules, as after an installation."""
    with TemporaryDirectory(prefix="der-client bytecode ") as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def _python(code: str, environment: dict[str, str]) -> Runner:
    def run(times: int) -> float:
        before = children_s()
        for _ in range(times):
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)  # noqa: S603 - our own command
        return children_s() - before

    return run


def children_s() -> float:
    """Return the processor time of all ended child processes, including the system's, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _check(environment: dict[str, str]) -> None:
    """Check the import; this also caches the bytecode for the measurement."""
    code = "import der_client; print(der_client.Der.__name__, der_client.Devnet.__name__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)  # noqa: S603
    require_same("from der_client import Der", {"expected": "Der Devnet", OURS: done.stdout.strip()})
