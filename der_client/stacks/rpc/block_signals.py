"""Signals new blocks: by the API's WebSocket if there is one, else only by time."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from der_client.stacks.errors import MissingExtraError, NodeError
from der_client.stacks.rpc.steps import Listen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.api_socket import ApiSocket

_LOG: Final = logging.getLogger(__name__)
_LONGEST_PAUSE_S: Final = 300.0
_FIRST_PAUSE_S: Final = 1.0
_CLOSING_S: Final = 0.25


class Attempts:
    """When to try to connect again; after each failure, it takes longer."""

    def __init__(self) -> None:
        self._failures = 0
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        """Whether to try now."""
        return time.monotonic() >= self._next

    def failed(self, error: Exception) -> None:
        """Note a failure."""
        pause_s = min(_FIRST_PAUSE_S * (1 << min(self._failures, 9)), _LONGEST_PAUSE_S)
        if isinstance(error, MissingExtraError):
            pause_s = float("inf")
        self._failures += 1
        self._next = time.monotonic() + pause_s
        _LOG.info("no announcements of blocks, so the API is polled: %s", error)

    def succeeded(self) -> None:
        """Note that it worked."""
        self._failures, self._next = 0, 0.0


class BlockSignal:
    """Signals new blocks; use `wait` to wait for one.

    Args:
        url: The client's base address.
        headers: The client's headers.

    Attributes:
        height: Of the newest block that was announced; -1 if none was.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.height = -1
        self._url = url
        self._headers = headers
        self._attempts = Attempts()
        self._socket: ApiSocket | None = None
        self._connect()

    @property
    def is_connected(self) -> bool:
        """Whether there is a WebSocket."""
        return self._socket is not None

    def wait(self, listen: Listen) -> bool:
        """Wait for a signal.

        After a lost connection it returns at once: unannounced blocks have to be looked up.

        Args:
            listen: The longest wait, with a socket and without.

        Returns:
            Whether there was a signal, or unannounced blocks have to be looked up; if not, only time passed.
        """
        if self._socket is None and self._attempts.is_due:
            self._connect()
            if self._socket is not None:
                return True  # something may have happened before
        if self._socket is None:
            time.sleep(listen.seconds)
            return False
        try:
            notice = self._socket.next_notice(listen.longest_s)
        except NodeError as error:
            self.close()
            self._attempts.failed(error)
            return True
        if notice is None:
            return False
        height = notice.data.get("height")
        self.height = height if isinstance(height, int) else -1
        return True

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


class BlockListener:
    """Listens for new blocks in a separate thread, so that a slow connection delays nothing else.

    Args:
        url: The client's base address.
        headers: The client's headers.

    Attributes:
        are_announced: Whether blocks are announced; where not, they have to be looked for.
        height: Of the newest block that was announced; -1 if none was.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.are_announced = False
        self.height = -1
        self._url = url
        self._headers = headers
        self._signalled = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._listen, name="blocks", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until a block is announced, or announcements begin or end.

        Args:
            seconds: How long at most.

        Returns:
            Whether there is something to look for; if not, only time passed.
        """
        signalled = self._signalled.wait(seconds)
        self._signalled.clear()
        return signalled

    def close(self) -> None:
        """Close the connection; a connection that is being made is closed later."""
        self._is_closed = True
        self._thread.join(2 * _CLOSING_S)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _listen(self) -> None:
        signal = BlockSignal(self._url, self._headers)
        try:
            signalled = signal.is_connected  # something may have happened before
            while not self._is_closed:
                self.are_announced, self.height = signal.is_connected, signal.height
                if signalled:
                    self._signalled.set()
                signalled = signal.wait(Listen(_CLOSING_S, _CLOSING_S))
        finally:
            self.are_announced = False
            self._signalled.set()
            signal.close()
