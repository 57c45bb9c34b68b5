"""The peers that run in Node.js: one process, told by lines of JSON what to do, so that it stays warm between turns."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from der_client.nodejs import environment, find_node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_SCRIPT: Final = Path(__file__).with_name("peers.js")


class PeerError(Exception):
    """The process of the peers ended or could not do what it was told."""


class Peers:
    """stacks.js, the Rust codec and a local node, in one Node.js process; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own script, without a shell
            [find_node(), str(_SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )

    def work(self, name: str, inputs: Mapping[str, Any]) -> PeerWork:
        """Prepare a piece of work.

        Args:
            name: Its name in ``peers.js``.
            inputs: What it shall be done with.

        Raises:
            PeerError: There is no such work, or the inputs do not fit.
        """
        return PeerWork(self, self.ask({"prepare": name, "inputs": inputs})["id"])

    def serve(self, answers: Mapping[str, Any]) -> str:
        """Start a server on this machine that keeps connections and answers at once.

        Args:
            answers: JSON by ``METHOD path``.

        Returns:
            Its base address.
        """
        return str(self.ask({"serve": answers})["url"])

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and wait for the answer."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 - Popen was given pipes
        assert back is not None  # noqa: S101
        try:
            to.write(json.dumps(request) + "\n")
            to.flush()
        except BrokenPipeError:
            raise PeerError(f"the peers' process has ended with status {self._process.wait()}") from None
        line = back.readline()
        if not line:
            raise PeerError(f"the peers' process has ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(f"Node.js: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        """Itself; the process runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


class PeerWork:
    """A piece of work that the process is ready to do."""

    def __init__(self, peers: Peers, number: int) -> None:
        self._peers = peers
        self._id = number

    def run(self, times: int) -> float:
        """Do it so many times; gives the seconds which that took, as the process itself measured them."""
        return float(self._peers.ask({"time": self._id, "times": times})["seconds"])

    def result(self, number: int) -> Any:
        """What the run with this number gives, described in JSON."""
        return self._peers.ask({"result": self._id, "number": number})["result"]
