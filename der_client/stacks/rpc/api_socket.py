"""A connection to the API's WebSocket, synchronous and asynchronous (websockets)."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from der_client.stacks.errors import NodeUnreachableError
from der_client.stacks.extras import require_extra
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.rpc.methods import LOOPBACK
from der_client.stacks.rpc.notices import MAX_MESSAGE_BYTES, Conversation, socket_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.notices import Notice

with require_extra("stream"):
    from websockets.asyncio.client import connect as connect_async
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

OPEN_TIMEOUT_S: Final = 10.0
_PING_S: Final = 20.0


class ApiSocket:
    """One subscription over its own connection.

    Args:
        base_url: The client's base address.
        headers: The client's headers.
        event: What to subscribe to.
        parameters: Its parameters.

    Raises:
        NodeUnreachableError: If no connection was made, or the API does not serve the socket.
        NodeResponseError: If the API refused the subscription.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], event: str, parameters: Mapping[str, str]) -> None:
        url = socket_url(base_url)
        self._talk = Conversation(url, event, parameters)
        self._url = url
        self._open = ExitStack()
        try:
            self._socket = self._open.enter_context(connect(url, **_options(base_url, headers)))
        except (OSError, WebSocketException) as error:
            raise _no_connection(error, url) from error
        try:
            self._send(self._talk.request)
            while not self._talk.is_confirmed:
                self._read(OPEN_TIMEOUT_S)
        except BaseException:
            self.close()
            raise

    def next_notice(self, timeout_s: float | None) -> Notice | None:
        """Wait for the next notice.

        Returns:
            ``None`` if there was none in time.

        Raises:
            NodeUnreachableError: If the connection was lost.
        """
        if not self._talk.notices:
            try:
                self._read(timeout_s)
            except TimeoutError:
                return None
        return self._talk.notices.popleft() if self._talk.notices else None

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError, WebSocketException):
            self._open.close()

    def _send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (OSError, WebSocketException) as error:
            raise _cut(error, self._url) from error

    def _read(self, timeout_s: float | None) -> None:
        try:
            message = self._socket.recv(timeout_s)
        except TimeoutError:
            raise
        except (OSError, WebSocketException, EOFError) as error:
            raise _cut(error, self._url) from error
        self._talk.read(message)


class AsyncApiSocket:
    """One subscription over its own connection, for one event loop. Create it with `open`."""

    def __init__(self, socket: Any, talk: Conversation, url: str) -> None:
        self._socket = socket
        self._talk = talk
        self._url = url

    @classmethod
    async def open(cls, base_url: str, headers: Mapping[str, str], event: str, parameters: Mapping[str, str]) -> Self:
        """Connect and subscribe; arguments and errors are those of `ApiSocket`."""
        url = socket_url(base_url)
        talk = Conversation(url, event, parameters)
        try:
            socket = await connect_async(url, **_options(base_url, headers))
        except (OSError, WebSocketException) as error:
            raise _no_connection(error, url) from error
        opened = cls(socket, talk, url)
        try:
            await socket.send(talk.request)
            while not talk.is_confirmed:
                await opened._read()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def next_notice(self) -> Notice:
        """Wait for the next notice.

        Raises:
            NodeUnreachableError: If the connection was lost.
        """
        while not self._talk.notices:
            await self._read()
        return self._talk.notices.popleft()

    async def close(self) -> None:
        """Close the connection."""
        with suppress(OSError, WebSocketException):
            await self._socket.close()

    async def _read(self) -> None:
        try:
            message = await self._socket.recv()
        except (OSError, WebSocketException, EOFError) as error:
            raise _cut(error, self._url) from error
        self._talk.read(message)


def _options(base_url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "additional_headers": dict(headers),
        "open_timeout": OPEN_TIMEOUT_S,
        "close_timeout": 1.0,
        "ping_interval": _PING_S,
        "ping_timeout": _PING_S,
        "max_size": MAX_MESSAGE_BYTES,
        "user_agent_header": "der-client",
    }
    return options | ({"proxy": None} if urlsplit(base_url).hostname in LOOPBACK else {})


def _no_connection(error: Exception, url: str) -> NodeUnreachableError:
    return NodeUnreachableError(f"no WebSocket: {excerpt(str(error) or type(error).__name__)}", url)


def _cut(error: Exception, url: str) -> NodeUnreachableError:
    return NodeUnreachableError(
        f"the WebSocket connection was lost: {excerpt(str(error) or type(error).__name__)}", url
    )
