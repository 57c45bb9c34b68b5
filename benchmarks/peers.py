"""Node.js processes that are controlled by lines of JSON, so that they stay warm between turns."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from der_client.nodejs import environment, find_node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

SCRIPTS: Final = Path(__file__).with_name("node")


class PeerError(Exception):
    """A Node.js process has ended or could not handle a request."""


class NodeProcess:
    """A script that ``driver.js`` runs; a context manager.

    Args:
        script: The name of the script in the folder ``node``.
        arguments: The arguments of the script.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own script, without a shell
            [find_node(), str(SCRIPTS / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def work(self, name: str, inputs: Mapping[str, Any]) -> PeerWork:
        """Prepare a piece of work.

        Args:
            name: The name of the work in the script.
            inputs: The inputs of the work.

        Raises:
            PeerError: If the work does not exist or the inputs are invalid.
        """
        return PeerWork(self, self.ask({"prepare": name, "inputs": inputs})["id"])

    def do(self, action: str, given: Any) -> Any:
        """Do something that is not timed.

        Args:
            action: The name of the action in the script.
            given: The input of the action.

        Raises:
            PeerError: If it fails.
        """
        return self.ask({"do": action, "with": given})["done"]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request in the format of ``driver.js``, and wait for the response."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 - Popen was given pipes
        assert back is not None  # noqa: S101
        try:
            to.write(json.dumps(request) + "\n")
            to.flush()
        except BrokenPipeError:
            raise PeerError(f"the process has ended with status {self._process.wait()}") from None
        line = back.readline()
        if not line:
            raise PeerError(f"the process has ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(f"Node.js: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        """Return the process, which is already running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


class Peers(NodeProcess):
    """stacks.js, the Rust codec and a local node."""

    def __init__(self) -> None:
        super().__init__("peers.js")

    def serve(self, answers: Mapping[str, Any]) -> str:
        """Start a local server that keeps connections open and responds at once.

        Args:
            answers: JSON responses by ``METHOD path``.

        Returns:
            The base URL of the server.
        """
        return str(self.do("serve", answers))


class PeerWork:
    """A piece of work that the process is ready to do."""

    def __init__(self, process: NodeProcess, number: int) -> None:
        self._process = process
        self._id = number

    def run(self, times: int) -> float:
        """Do the work a number of times; return the seconds, as measured by the process itself."""
        return float(self._process.ask({"time": self._id, "times": times})["seconds"])

    def result(self, number: int) -> Any:
        """Return the result of the run with this number, described in JSON."""
        return self._process.ask({"result": self._id, "number": number})["result"]
