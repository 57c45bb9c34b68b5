"""Serves the pages until they are stopped."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING

import uvicorn

from der_client.stacks.errors import InvalidValueError
from der_client.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Event

    from der_client.index import Index

_GRACE_S = 3


def open_socket(host: str, port: int) -> socket.socket:
    """Open the socket on which the pages are served.

    Args:
        host: The address.
        port: The port; 0 for any that is free.

    Raises:
        InvalidValueError: If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # the rest repeats host and port
        is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        instead = "choose another port with --port" if is_port else "choose an address of this machine with --host"
        raise InvalidValueError(f"the pages cannot be served on {host}, port {port}: {reason}; {instead}") from error


def address_of(listening: socket.socket) -> str:
    """Return the URL of the pages on a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(
    index: Index,
    listening: socket.socket,
    *,
    stop: Event,
    allow_hosts: Iterable[str] = (),
    root_path: str = "",
) -> None:
    """Serve the pages until ``stop`` is set; open streams are ended then.

    Args:
        index: The index to show.
        listening: The socket (`open_socket`).
        stop: Set this to end, from another thread or a signal handler.
        allow_hosts: More host names to answer.
        root_path: The path below which a proxy shows the pages.
    """
    host = str(listening.getsockname()[0])
    app = create_app(index, host=host, allow_hosts=allow_hosts, root_path=root_path, stop=stop)
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    _Server(config, stop).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends when ``stop`` is set, and leaves signals to the command."""

    def __init__(self, config: uvicorn.Config, stop: Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Change nothing."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Check ten times a second whether to end."""
        return self._stop.is_set() or await super().on_tick(counter)
