"""One request to the proxy, and the ways to respond to it on its connection."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

NODE_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Ask:
    """A request as it was received."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @classmethod
    def read(cls, stream: BinaryIO) -> Ask | None:
        """Read the next request of a connection; ``None`` at its end."""
        line = stream.readline(65_536).decode("latin-1").split()
        if len(line) != 3:
            return None
        headers: list[tuple[str, str]] = []
        while (header := stream.readline(65_536).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = header.partition(":")
            headers.append((name.strip(), value.strip()))
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return cls(line[0], line[1], tuple(headers), stream.read(length))


@dataclass(frozen=True)
class Reply:
    """A response, from the node or from a fault."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def head(self) -> bytes:
        """The status line and headers, with the real length of the body."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Odd"
        lines = [f"HTTP/1.1 {self.status} {phrase}", f"Content-Type: {self.content_type}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode("latin-1")


def ask_node(url: str, ask: Ask) -> Reply:
    """Forward a request to the node on a new connection, and return the response."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=NODE_TIMEOUT_S)
    skipped = {"host", "connection", "content-length", "accept-encoding", "transfer-encoding", "expect"}
    headers = {name: value for name, value in ask.headers if name.lower() not in skipped}
    try:
        connection.request(ask.method, ask.target, ask.body or None, headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    return Reply(response.status, body, response.headers.get("Content-Type", ""))


@dataclass
class Exchange:
    """A request that is handled by a fault.

    Attributes:
        ask: The request.
        closing: Set when the proxy closes, to end endless faults.
        withheld: Requests that a fault keeps back.
        is_over: Whether to close the connection afterwards.
    """

    ask: Ask
    connection: socket.socket
    node: Callable[[Ask], Reply]
    closing: threading.Event
    withheld: list[Ask]
    is_over: bool = field(default=False, init=False)

    def deliver(self) -> Reply:
        """Forward the request to the node and return the response."""
        return self.node(self.ask)

    def answer(self, reply: Reply) -> None:
        """Send a complete response."""
        self.send(reply.head + (b"" if self.ask.method == "HEAD" else reply.body))

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.connection.sendall(data)

    def trickle(self, pieces: Sequence[bytes], pause_s: float) -> None:
        """Send pieces with a pause after each, until the client disconnects or the proxy closes."""
        for piece in pieces:
            self.send(piece)
            if self.closing.wait(pause_s):
                break

    def reset(self) -> None:
        """Break the connection with an RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_over = True

    def close(self) -> None:
        """Close the connection in an orderly way."""
        self.is_over = True
