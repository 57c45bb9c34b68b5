"""A server that sends exactly the bytes that a test wants, and only when the test wants it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

Handle = Callable[[socket.socket, bytes], None]


class Server:
    """A server that accepts connections until it is closed.

    Args:
        handle: Called with the connection and the bytes of each request.
        tls: The settings of TLS; None for plain HTTP.
    """

    def __init__(self, handle: Handle, tls: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            with suppress(OSError):
                connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            try:
                while request := self._read_request(connection):
                    self.requests.append(request)
                    self._handle(connection, request)
            except OSError:
                return

    def _read_request(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(4096)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(4096)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._socket.close()


_TAKEN: list[socket.socket] = []


def url_of_nobody() -> str:
    """Return the URL of a port that is bound, so that no other process can use it, but not listened on."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


def answer(connection: socket.socket, body: bytes, status: str = "200 OK", headers: str = "") -> None:
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
