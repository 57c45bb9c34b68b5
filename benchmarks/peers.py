"""What runs in Node.js: processes that are told by lines of JSON what to do, so that they stay warm between turns."""

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
    """A process in Node.js ended or could not do what it was told."""


class NodeProcess:
    """A script that ``driver.js`` drives; a context manager.

    Args:
        script: Its name in the folder ``node``.
        arguments: What it is given.
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
            name: Its name in the script.
            inputs: What it shall be done with.

        Raises:
            PeerError: There is no such work, or the inputs do not fit.
        """
        return PeerWork(self, self.ask({"prepare": name, "inputs": inputs})["id"])

    def do(self, action: str, given: Any) -> Any:
        """Have something done that is no timed work.

        Args:
            action: Its name in the script.
            given: What with.

        Raises:
            PeerError: It failed.
        """
        return self.ask({"do": action, "with": given})["done"]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request, as ``driver.js`` takes it, and wait for the answer."""
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


class Peers(NodeProcess):
    """stacks.js, the Rust codec and a local node."""

    def __init__(self) -> None:
        super().__init__("peers.js")

    def serve(self, answers: Mapping[str, Any]) -> str:
        """Start a server on this machine that keeps connections and answers at once.

        Args:
            answers: JSON by ``METHOD path``.

        Returns:
            Its base address.
        """
        return str(self.do("serve", answers))


class PeerWork:
    """A piece of work that the process is ready to do."""

    def __init__(self, process: NodeProcess, number: int) -> None:
        self._process = process
        self._id = number

    def run(self, times: int) -> float:
        """Do it so many times; gives the seconds which that took, as the process itself measured them."""
        return float(self._process.ask({"time": self._id, "times": times})["seconds"])

    def result(self, number: int) -> Any:
        """What the run with this number gives, described in JSON."""
        return self._process.ask({"result": self._id, "number": number})["result"]
