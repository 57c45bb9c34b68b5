"""An event observer: receives a node's events and waits for them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.conformance.node import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

FREE_PORT = 0


class Observer:
    """Listens until it is closed, and answers every request with 200, as a node requires.

    Args:
        port: The port to listen on; by default any free one, for the embedded devnet.
        address: The address to listen on; a node in Docker cannot reach the loopback address.
    """

    def __init__(self, port: int = FREE_PORT, address: str = "127.0.0.1") -> None:
        posts: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posts.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._posts = posts
        self._server = ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def wait_for(self, path: str, fits: Callable[[Any], bool], what: str) -> Any:
        """Return the first body posted to this path that fits, which may have been received already."""
        return eventually(
            lambda: next((body for to, body in list(self._posts) if to == path and fits(body)), None), what
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
