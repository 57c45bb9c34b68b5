"""As `block_signals`, for an event loop; in a separate module, since asyncio is slow to import."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from der_client.stacks.errors import MissingExtraError, NodeError
from der_client.stacks.rpc.block_signals import Attempts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.api_socket import AsyncApiSocket
    from der_client.stacks.rpc.steps import Listen


class AsyncBlockSignal:
    """As `BlockSignal`, for one event loop; it connects at the first `wait`, or by `connect`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = headers
        self._attempts = Attempts()
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
        """Wait for a signal; see `BlockSignal.wait`."""
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
