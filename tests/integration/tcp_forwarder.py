"""A TCP port that forwards to a devnet, so that its connections can be cut, or it can be restarted on another port."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit


class TcpForwarder:
    """A port that forwards connections; use it in a ``with`` block.

    Args:
        url: The target; without it, the port is down until `forward_to`.

    Attributes:
        url: The address to connect to. It stays the same when the target changes.
        is_down: Whether new connections are closed at once.
    """

    def __init__(self, url: str | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_down = True
        self._port = 0
        self._sockets: list[socket.socket] = []
        if url is not None:
            self.forward_to(url)
        threading.Thread(target=self._accept, daemon=True).start()

    def forward_to(self, url: str) -> None:
        """Forward new connections to the port of this URL on this machine."""
        self._port = urlsplit(url).port or 0
        self.is_down = False

    def cut(self) -> None:
        """Cut all connections; new ones are accepted unless the port is down."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = None if self.is_down else socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
