"""A devnet that dies and comes back: at the same place, with the same state file."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from random import Random

import requests

from der_client.devnet import Devnet


class Lives:
    """A devnet that is killed and started again.

    Args:
        state_file: What it leaves to its next life.

    Attributes:
        devnet: The present life.
        kills: How many there were before.
    """

    def __init__(self, state_file: Path) -> None:
        self.state_file = state_file
        self.kills = 0
        self._port = free_port()
        self.devnet = self._start()

    @property
    def url(self) -> str:
        """The same in each life."""
        return f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """End it at once, as SIGKILL does; nothing answers then."""
        pid = requests.get(f"{self.url}/devnet", timeout=60).json()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.devnet.close()
        self.kills += 1

    def revive(self) -> None:
        """Begin the next life."""
        self.devnet = self._start()

    def _start(self) -> Devnet:
        return Devnet(deploy_contracts=False, state_file=self.state_file, port=self._port, track_costs=False)


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection gets while the devnet is away.

    Those get ports from 32768 on; one that asks for the devnet's own, while nobody listens, would meet itself there.
    """
    for port in Random().sample(range(20_000, 32_000), 100):  # noqa: S311 - any will do
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
