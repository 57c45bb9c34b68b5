"""A devnet that is killed and restarted with the same port and state file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import requests

from der_client.devnet import Devnet, DevnetError
from der_client.nodejs import environment, find_node
from der_client.project import installed_project

_KILLED_WHILE_STARTING: Final = 0.3
_LONGEST_START_S: Final = 4.0
_BLOCK_INTERVAL_S: Final = 0.06
_STARTS: Final = 20


class RestartingDevnet:
    """A devnet that is killed and restarted, sometimes before it is ready.

    Args:
        state_file: The state file that each start continues.
        random: Decides whether blocks are mined at once or on a timer, and whether a start is killed while booting.

    Attributes:
        current: The devnet that is currently running.
        kills: How often it was killed.
    """

    def __init__(self, state_file: Path, random: Random | None = None) -> None:
        self.state_file = state_file
        self.kills = 0
        self._random = random or Random()  # noqa: S311 - any will do
        self._port = free_port()
        self.current = self._start()

    @property
    def url(self) -> str:
        """Its URL, which is the same after each restart."""
        return f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """Kill the devnet with SIGKILL; then nothing responds at its URL."""
        pid = requests.get(f"{self.url}/devnet", timeout=60).json()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.current.close()
        self.kills += 1

    def close(self) -> None:
        """Close the devnet."""
        self.current.close()

    def restart(self) -> None:
        """Restart the devnet. If blocks are mined on a timer, some transactions are still pending when it is killed."""
        if self._random.random() < _KILLED_WHILE_STARTING:
            self._start_and_kill()
        self.current = self._start(self._random.choice((None, _BLOCK_INTERVAL_S)))

    def _start(self, block_interval_s: float | None = None) -> Devnet:
        """Start the devnet, with retries: on a busy machine, replaying the state file may exceed the timeout."""
        for attempt in range(_STARTS):
            try:
                return Devnet(
                    deploy_contracts=False,
                    state_file=self.state_file,
                    port=self._port,
                    track_costs=False,
                    block_interval_s=block_interval_s,
                )
            except DevnetError:
                if attempt == _STARTS - 1:
                    raise
        raise AssertionError

    def _start_and_kill(self) -> None:
        """Start the devnet, and kill it while it boots or replays its state file."""
        script = str(installed_project() / "devnet" / "main.js")
        arguments = ["--no-contracts", "--no-costs", "--state-file", str(self.state_file), "--port", str(self._port)]
        process = subprocess.Popen(  # noqa: S603 - our own server, without a shell
            [find_node(), script, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(self._random.uniform(0, _LONGEST_START_S))
        process.kill()
        process.wait()
        self.kills += 1


def free_port() -> int:
    """Return a port that is free and will not be assigned to an outgoing connection while the devnet is down.

    Outgoing connections get ports from 32768 on. One with the devnet's own port could connect to itself.
    """
    for port in Random().sample(range(20_000, 32_000), 100):  # noqa: S311 - any will do
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
