"""What rings when there is a new block: the API's WebSocket where there is one, else nothing but the time."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import MissingExtraError, NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.api_socket import ApiSocket, AsyncApiSocket
    from der_client.stacks.rpc.steps import Listen

_LOG: Final = logging.getLogger(__name__)
_LONGEST_PAUSE_S: Final = 300.0
_FIRST_PAUSE_S: Final = 1.0


class _Attempts:
    """When to try to connect again."""

    def __init__(self) -> None:
        self._failures = 0
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def failed(self, error: Exception) -> None:
        pause_s = min(_FIRST_PAUSE_S * (1 << min(self._failures, 9)), _LONGEST_PAUSE_S)
        if isinstance(error, MissingExtraError):
            pause_s = float("inf")
        self._failures += 1
        self._next = time.monotonic() + pause_s
        _LOG.info("no announcements of blocks, so that they are polled for: %s", error)

    def succeeded(self) -> None:
        self._failures, self._next = 0, 0.0


class Bell:
    """Rings for new blocks; hear it with `wait`.

    Args:
        url: The client's base address.
        headers: The client's headers.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = headers
        self._attempts = _Attempts()
        self._socket: ApiSocket | None = None
        self._connect()

    def wait(self, listen: Listen) -> None:
        """Wait until it rings.

        After a cut it returns at once: what was not announced has to be looked for.

        Args:
            listen: How long at most, with a socket and without.
        """
        if self._socket is None and self._attempts.is_due:
            self._connect()
            if self._socket is not None:
                return  # something may have happened before
        if self._socket is None:
            time.sleep(listen.seconds)
            return
        try:
            self._socket.next_notice(listen.longest_s)
        except NodeError as error:
            self.close()
            self._attempts.failed(error)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        try:
            from der_client.stacks.rpc.api_socket import ApiSocket  # noqa: PLC0415 -- an extra

            self._socket = ApiSocket(self._url, self._headers, "block", {})
        except (NodeError, MissingExtraError) as error:
            self._attempts.failed(error)
        else:
            self._attempts.succeeded()


class AsyncBell:
    """As `Bell`, for one event loop; connects when it is first waited for, or by `connect`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = headers
        self._attempts = _Attempts()
        self._socket: AsyncApiSocket | None = None

    async def connect(self) -> None:
        """Connect, if there is something to connect to."""
        try:
            from der_client.stacks.rpc.api_socket import AsyncApiSocket  # noqa: PLC0415 -- an extra

            self._socket = await AsyncApiSocket.open(self._url, self._headers, "block", {})
        except (NodeError, MissingExtraError) as error:
            self._attempts.failed(error)
        else:
            self._attempts.succeeded()

    async def wait(self, listen: Listen) -> None:
        """Wait until it rings; see `Bell.wait`."""
        if self._socket is None and self._attempts.is_due:
            await self.connect()
            if self._socket is not None:
                return
        if self._socket is None:
            await asyncio.sleep(listen.seconds)
            return
        try:
            async with asyncio.timeout(listen.longest_s):
                await self._socket.next_notice()
        except TimeoutError:
            return
        except NodeError as error:
            await self.close()
            self._attempts.failed(error)

    async def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
