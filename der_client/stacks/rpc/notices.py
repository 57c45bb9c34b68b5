"""The protocol of the API's WebSocket, without any socket: JSON-RPC 2.0 at ``/extended/v1/ws``."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from der_client.stacks.errors import InvalidValueError, NodeResponseError
from der_client.stacks.rpc.fields import excerpt, parse_json, read_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH: Final = "/extended/v1/ws"
MAX_MESSAGE_BYTES: Final = 32 << 20
CUT: Final = "cut"
_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "block": (),
    "mempool": (),
    "tx_update": ("tx_id",),
    "address_tx_update": ("address",),
    "address_balance_update": ("address",),
    "nft_event": (),
    "nft_asset_event": ("asset_identifier", "value"),
    "nft_collection_event": ("asset_identifier",),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """An announcement of the API.

    Attributes:
        event: Its kind, such as ``mempool``. ``cut`` means that the connection was lost and is there again; events in
            between were not announced, so read again what matters.
        data: The API's data.
    """

    event: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Message:
    method: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    error: Any = None


def socket_url(base_url: str) -> str:
    """Return the address of the API's WebSocket."""
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + PATH, "", ""))


def check_subscription(event: str, parameters: Mapping[str, str]) -> None:
    """Refuse a subscription that the API does not offer.

    Raises:
        InvalidValueError: If there is no such event, or it takes other parameters.
    """
    if event not in _PARAMETERS:
        raise InvalidValueError(f"event must be one of {', '.join(_PARAMETERS)}, got {event!r}")
    if set(parameters) != set(_PARAMETERS[event]) or not all(isinstance(value, str) for value in parameters.values()):
        wanted = ", ".join(f"{name}=…" for name in _PARAMETERS[event]) or "no parameters"
        raise InvalidValueError(f"a stream of {event} takes {wanted}, got {', '.join(parameters) or 'none'}")


def reconnection_pauses_s() -> Iterator[float]:
    """Yield how long to wait before each attempt to reconnect, in seconds: longer each time, up to a minute."""
    for attempt in count():
        yield min(0.5 * (1 << min(attempt, 7)), 60.0)


class Conversation:
    """Both sides of one subscription.

    Args:
        url: The socket's address, for errors.
        event: What to subscribe to.
        parameters: Its parameters.
    """

    def __init__(self, url: str, event: str, parameters: Mapping[str, str]) -> None:
        check_subscription(event, parameters)
        self._url = url
        self.request = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"event": event, **parameters}}
        )
        self._event = event
        self.is_confirmed = False
        self.notices: deque[Notice] = deque()

    def read(self, message: str | bytes) -> None:
        """Take a message.

        Raises:
            NodeResponseError: If the subscription is refused, or the message is not of the protocol.
        """
        raw = message.encode() if isinstance(message, str) else message
        said = read_as(_Message, parse_json(raw, self._url), self._url)
        if said.error is not None:
            raise NodeResponseError(
                f"the API refused the subscription to {self._event}: {excerpt(str(said.error))}", self._url
            )
        if said.method is None:
            self.is_confirmed = True
            return
        self.notices.append(Notice(said.method, said.params))
