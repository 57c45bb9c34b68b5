"""A complete gateway in one process: HTTP, MQTT, and relaying."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any, Final

from der_client.gateway.http import application
from der_client.gateway.mqtt import listen
from der_client.stacks.errors import DerClientError, InvalidValueError
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from der_client.gateway.gateway import Gateway
    from der_client.gateway.mqtt import Broker

_LOG: Final = logging.getLogger(__name__)
_FORGET_EVERY_S: Final = 3600.0


def open_socket(host: str, port: int) -> socket.socket:
    """Open the socket that HTTP is served on.

    Args:
        host: The address.
        port: The port; 0 for any that is free.

    Raises:
        InvalidValueError: If the address cannot be used.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InvalidValueError(f"HTTP cannot be served on {host}, port {port}: {error.strerror or error}") from error


async def serve(
    gateway: Gateway,
    *,
    listening: socket.socket,
    broker: Broker | None = None,
    interval_s: float = 10.0,
    keep_days: float = 90.0,
    stop: asyncio.Event,
    on_listening: Callable[[], None] | None = None,
) -> None:
    """Run a gateway until it is stopped; what is being relayed then is finished first.

    Args:
        gateway: The gateway.
        listening: The socket that HTTP is served on (``open_socket``).
        broker: A broker to listen to, if there is one.
        interval_s: The pause between two rounds of relaying.
        keep_days: How long to keep messages that need nothing more to be done.
        stop: Set to end.
        on_listening: Called when the broker has the subscription.

    Raises:
        MissingExtraError: If a library of the extra is not installed.
    """
    server = _server(gateway)
    relaying = asyncio.create_task(_relay(gateway, interval_s, keep_days, stop))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    hearing = asyncio.create_task(listen(gateway, broker, on_ready=on_listening) if broker is not None else stop.wait())
    await asyncio.wait([relaying, serving, hearing], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    server.should_exit = True
    if broker is not None:
        hearing.cancel()
    for result in await asyncio.gather(relaying, serving, hearing, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


def _server(gateway: Gateway) -> Any:
    with require_extra("gateway"):
        import uvicorn  # noqa: PLC0415 -- an extra

    class Server(uvicorn.Server):
        """Leaves signals to the command."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Change nothing."""
            yield

    return Server(uvicorn.Config(application(gateway), log_level="warning", lifespan="off", ws="none"))


async def _relay(gateway: Gateway, interval_s: float, keep_days: float, stop: asyncio.Event) -> None:
    since_forgetting = _FORGET_EVERY_S
    while not stop.is_set():
        try:
            while await asyncio.to_thread(gateway.relay) and not stop.is_set():
                pass
        except DerClientError:
            _LOG.exception("relaying failed; the messages are kept and tried again")
        if since_forgetting >= _FORGET_EVERY_S:
            await asyncio.to_thread(gateway.store.forget, keep_days * 86_400)
            since_forgetting = 0.0
        since_forgetting += interval_s
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
