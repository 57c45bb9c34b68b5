"""The proxy: an address that leads to the devnet, with scripted faults.

::

    with FaultProxy(devnet.url) as proxy:
        client = Client(proxy.url)
        proxy.on("POST", "/v2/transactions", reset_after, page(400))   # the next two broadcasts, in this order
        proxy.always("GET", "/extended/v1/tx/.*", unknown)             # until `clear`
        proxy.lag = Lag(blocks=2)                                      # reads of the API are two blocks behind

Requests that match no rule pass unchanged. `asked` lists the requests and what happened to them.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import BinaryIO, Self

from . import kinds
from .exchange import Ask, Exchange, Reply, ask_node
from .replica import Lag, Replica


@dataclass
class _Rule:
    method: str
    path: re.Pattern[str]
    faults: deque[kinds.Fault] | kinds.Fault

    def take(self, ask: Ask) -> kinds.Fault | None:
        if ask.method != self.method or self.path.fullmatch(ask.path) is None:
            return None
        if not isinstance(self.faults, deque):
            return self.faults
        return self.faults.popleft() if self.faults else None


@dataclass
class Asked:
    """A request that was received, the name of its fault, and whether the node received it."""

    method: str
    path: str
    fault: str
    was_delivered: bool


@dataclass
class _State:
    node_url: str
    lag: Lag | None = None
    mood: Callable[[Ask], kinds.Fault | None] | None = None
    rules: list[_Rule] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    withheld: list[Ask] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)


class FaultProxy:
    """An HTTP server on this machine that leads to a node; use it in a ``with`` block.

    Args:
        node_url: The node.

    Attributes:
        url: Its base address.
    """

    def __init__(self, node_url: str) -> None:
        self._state = _State(node_url)
        self._replica = Replica(self._ask_node)
        self._replica.note(Ask("GET", "/"))
        self._server = _Server(self._handle)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    # The script

    def on(self, method: str, path: str, *faults: kinds.Fault) -> None:
        """Assign one fault to each of the next matching requests; earlier rules take precedence.

        Args:
            method: ``GET`` or ``POST``.
            path: A regular expression for the whole path, without the query.
            faults: The first one is for the first matching request, and so on.
        """
        with self._state.lock:
            self._state.rules.append(_Rule(method, re.compile(path), deque(faults)))

    def always(self, method: str, path: str, fault: kinds.Fault) -> None:
        """Apply a fault to all matching requests, until `clear`."""
        with self._state.lock:
            self._state.rules.append(_Rule(method, re.compile(path), fault))

    def clear(self) -> None:
        """Remove all rules and the lag; requests that were withheld stay withheld."""
        with self._state.lock:
            self._state.rules.clear()
        self._state.lag = self._state.mood = None

    def hide(self, txid: str) -> None:
        """Hide a transaction from all reads, until `clear`."""
        self.always("GET", rf"/.*{re.escape(txid)}(/.*)?", kinds.unknown)

    def release(self) -> None:
        """Deliver the withheld requests, oldest first."""
        with self._state.lock:
            asks, self._state.withheld = self._state.withheld, []
        for ask in asks:
            self._ask_node(ask)

    @property
    def lag(self) -> Lag | None:
        """How far reads lag behind the node."""
        return self._state.lag

    @lag.setter
    def lag(self, lag: Lag | None) -> None:
        self._state.lag = lag

    @property
    def mood(self) -> Callable[[Ask], kinds.Fault | None] | None:
        """A function that chooses a fault, such as a random one, for each request that matches no rule."""
        return self._state.mood

    @mood.setter
    def mood(self, mood: Callable[[Ask], kinds.Fault | None] | None) -> None:
        self._state.mood = mood

    @property
    def node_url(self) -> str:
        """The node's address; may be changed, e.g. after a devnet was restarted."""
        return self._state.node_url

    @node_url.setter
    def node_url(self, url: str) -> None:
        self._state.node_url = url

    # Received requests

    def asked(self, method: str = "", path: str = "") -> list[Asked]:
        """Return the received requests, oldest first, filtered by method and path if given."""
        with self._state.lock:
            entries = list(self._state.asked)
        return [
            entry
            for entry in entries
            if method in ("", entry.method) and (path == "" or re.fullmatch(path, entry.path) is not None)
        ]

    def close(self) -> None:
        """Stop the proxy and all endless responses."""
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask_node(self, ask: Ask) -> Reply:
        return ask_node(self._state.node_url, ask)

    def _answer(self, ask: Ask) -> Reply:
        """Return the response of the node, or of a lagging replica."""
        lag = self._state.lag
        if lag is not None and (reply := self._replica.answer(ask, lag)) is not None:
            return reply
        reply = self._ask_node(ask)
        if ask.method == "POST":
            self._replica.note(ask)
        return reply

    def _fault(self, ask: Ask) -> kinds.Fault:
        with self._state.lock:
            for rule in self._state.rules:
                if (fault := rule.take(ask)) is not None:
                    return fault
        if self._state.mood is not None and (fault := self._state.mood(ask)) is not None:
            return fault
        return kinds.pass_on

    def _handle(self, connection: socket.socket) -> None:
        """Serve one connection until it ends."""
        with connection.makefile("rb") as stream:
            self._serve(connection, stream)

    def _serve(self, connection: socket.socket, stream: BinaryIO) -> None:
        while (ask := Ask.read(stream)) is not None:
            fault = self._fault(ask)
            name = getattr(fault, "__qualname__", "").partition(".")[0]
            entry = Asked(ask.method, ask.path, name, was_delivered=False)
            with self._state.lock:
                self._state.asked.append(entry)

            def deliver(ask: Ask, entry: Asked = entry) -> Reply:
                reply = self._answer(ask)
                entry.was_delivered = True
                return reply

            exchange = Exchange(ask, connection, deliver, self._state.closing, self._state.withheld)
            try:
                fault(exchange)
            except (OSError, HTTPException):  # the client has disconnected, or the node is down
                exchange.reset()
            if exchange.is_over:
                return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handle_connection = handle

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close without the polite half-close, which would hide a reset."""
        assert isinstance(request, socket.socket)
        request.close()


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            self.server.handle_connection(self.request)
