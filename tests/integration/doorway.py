"""An address that stays while what is behind it is restarted."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from der_client.devnet import Devnet


class Doorway(socketserver.ThreadingTCPServer):
    """An address that stays while the devnet behind it is restarted, whose own port may be taken by others meanwhile.

    Attributes:
        target: Where those who come are led; ``None`` turns them away.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.target: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def open_to(self, devnet: Devnet) -> None:
        parts = urlsplit(devnet.url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.target = parts.hostname, parts.port


class Passage(socketserver.BaseRequestHandler):
    """One connection through the doorway."""

    def handle(self) -> None:
        assert isinstance(self.server, Doorway)
        if self.server.target is None:
            return
        with suppress(OSError), socket.create_connection(self.server.target) as inside:
            threading.Thread(target=pass_on, args=(inside, self.request), daemon=True).start()
            pass_on(self.request, inside)


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_doorway() -> Iterator[Doorway]:
    """A doorway for as long as the block lasts."""
    with Doorway() as doorway:
        thread = threading.Thread(target=doorway.serve_forever)
        thread.start()
        yield doorway
        doorway.shutdown()
        thread.join()
