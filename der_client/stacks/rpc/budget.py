"""One deadline and one size limit for a whole exchange, whatever the server does.

A socket's timeout limits each read, but not the exchange: a server may send a byte from time to time forever, in its
headers, interim responses (1xx), chunk extensions or trailers. Here the connections themselves enforce how long, and
how much, their exchange may read. They are urllib3's own, with sockets that use the `Budget` of their thread.
"""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context, resolve_cert_reqs

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import PoolManager, ProxyManager

_OVERHEAD_BYTES: Final = 1 << 20
_POOL_SIZE: Final = 32
_SWITCHING_PROTOCOLS: Final = 101


class OverBudgetError(OSError):
    """The exchange took too long, or the response is too long."""


class Budget:
    """The time and size that one exchange may take, including redirects.

    Args:
        within_s: How long it may take, from now.
        silence_s: How long the server may be silent.
        response_bytes: The longest body, before it is decompressed; headers and the like may have 1 MiB more.
    """

    __slots__ = ("_bytes", "_deadline", "_silence_s", "bytes_left", "within_s")

    def __init__(self, within_s: float, silence_s: float, response_bytes: int) -> None:
        self.within_s = within_s
        self._bytes = self.bytes_left = response_bytes + _OVERHEAD_BYTES
        self._silence_s = silence_s
        self._deadline = time.monotonic() + within_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative once it is over."""
        return self._deadline - time.monotonic()

    @property
    def has_received(self) -> bool:
        """Whether anything was received."""
        return self.bytes_left < self._bytes

    def next_wait_s(self) -> float:
        """Return how long the next read or write may take.

        Raises:
            OverBudgetError: If there is no time left.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise OverBudgetError
        return min(left, self._silence_s)

    def count(self, received: int) -> None:
        """Count received bytes.

        Raises:
            OverBudgetError: If there are too many.
        """
        self.bytes_left -= received
        if self.bytes_left < 0:
            raise OverBudgetError


class _OfThread(threading.local):
    budget: Budget | None = None


_running: Final = _OfThread()


class spending:  # noqa: N801 -- reads well in use: with spending(budget)
    """A ``with`` block in which everything that this thread reads and writes counts against a budget."""

    __slots__ = ("_before", "_budget")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __enter__(self) -> None:
        """Begin."""
        self._before = _running.budget
        _running.budget = self._budget

    def __exit__(self, *_: object) -> None:
        """End."""
        _running.budget = self._before


def _receive(of: socket.socket, receive: Callable[[], int]) -> int:
    """Read from a socket, against the budget of the running thread if it has one."""
    budget = _running.budget
    if budget is None:
        return receive()
    of.settimeout(budget.next_wait_s())
    received = receive()
    budget.count(received)
    return received


class _PlainSocket(socket.socket):
    def recv_into(self, *arguments: Any, **options: Any) -> int:
        return _receive(self, lambda: super(_PlainSocket, self).recv_into(*arguments, **options))

    def sendall(self, data: Any, flags: int = 0) -> None:
        if (budget := _running.budget) is not None:
            self.settimeout(budget.next_wait_s())
        super().sendall(data, flags)  # all of it within the timeout


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *arguments: Any, **options: Any) -> int:
        return _receive(self, lambda: super(_TlsSocket, self).recv_into(*arguments, **options))

    def send(self, data: Any, flags: int = 0) -> int:
        if (budget := _running.budget) is not None:
            self.settimeout(budget.next_wait_s())
        return super().send(data, flags)


class _FinalResponse(http.client.HTTPResponse):
    """The final response; of the interim ones, Python skips only 100 Continue, and mistakes a 103 for the final one."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != _SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # so that it starts over
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _TlsConnection(HTTPSConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def connect(self) -> None:
        if self.ssl_context is None:
            self.ssl_context = create_urllib3_context(cert_reqs=resolve_cert_reqs(self.cert_reqs))
        self.ssl_context.sslsocket_class = _TlsSocket
        super().connect()


def _connected(connection: HTTPConnection) -> socket.socket:
    """Connect to one of a host's addresses, within one timeout for all (urllib3 applies it to each of them)."""
    budget = _running.budget
    timeout = connection.timeout if isinstance(connection.timeout, int | float) else None
    limits = [each for each in (timeout, budget.left_s if budget else None) if each is not None]
    limit_s = min(limits, default=None)
    end = None if limit_s is None else time.monotonic() + limit_s
    failure: OSError | None = None
    for family, kind, protocol, _, address in _addresses(connection, limit_s):
        left_s = None if end is None else end - time.monotonic()
        if left_s is not None and left_s <= 0:
            break
        opened = _PlainSocket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                opened.setsockopt(*option)
            opened.settimeout(left_s)
            opened.connect(address)
        except OSError as error:
            failure = error
            opened.close()
        else:
            return opened
    if failure is None or isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"no connection to {connection.host} within {limit_s} s") from failure
    raise NewConnectionError(connection, f"Failed to establish a new connection: {failure}") from failure


def _addresses(connection: HTTPConnection, within_s: float | None) -> list[tuple[Any, ...]]:
    host = connection._dns_host.strip("[]")  # noqa: SLF001 -- as urllib3's own connection does
    try:
        return _resolved(host, connection.port, within_s)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"the address of {host} was not found within {within_s} s") from error
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except UnicodeError as error:
        raise NewConnectionError(connection, f"{host!r} cannot be resolved: {error}") from error


def _resolved(host: str, port: int, within_s: float | None) -> list[tuple[Any, ...]]:
    """Ask the system for a host's addresses, in a thread, since the system has no time limit.

    Raises:
        TimeoutError: If it did not find them in time; the thread ends when the system gives up.
    """
    is_name = ":" not in host and not host.replace(".", "").isdigit() and host != "localhost"
    if within_s is None or not is_name:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found: queue.SimpleQueue[list[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    try:
        result = found.get(timeout=max(within_s, 0))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class BudgetAdapter(HTTPAdapter):
    """Requests' adapter, with connections that respect the `Budget` of their thread."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=_POOL_SIZE)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*arguments, **options)
        _set_pools(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> ProxyManager:
        """Make the pools for a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*arguments, **options)
        if manager.proxy is not None and manager.proxy.scheme in ("http", "https"):
            _set_pools(manager)
        return manager


def _set_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
