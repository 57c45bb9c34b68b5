"""The Node.js process that runs stacks.js and the Rust codec; all tests share one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from der_client.nodejs import find_node

if TYPE_CHECKING:
    from types import TracebackType

_SCRIPT = Path(__file__).with_name("oracle.mjs")


class Oracle:
    """Shows how other libraries process bytes; see ``oracle.mjs`` for the possible requests."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [find_node(), str(_SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.communicate(timeout=30)

    def ask(self, what: str, data: bytes, **details: Any) -> dict[str, Any]:
        """Send a request and wait for the response.

        Args:
            what: The name of the request.
            data: The bytes to process.
            details: Other parameters of the request.

        Returns:
            The response; ``{"error": text}`` if the other library rejected the bytes.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, "hex": data.hex(), **details}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer
