"""The gateway: meters that report by themselves send signed days over HTTP or MQTT, and it relays them to the chain.

What it has acknowledged is on disk, and is relayed until it is on the chain or is refused for good. Needs the extra
``gateway``.
"""

from der_client.gateway.gateway import Gateway, Receipt, RefusedError, UnavailableError
from der_client.gateway.store import MessageState, MessageStore, StoredMessage

__all__ = [
    "Gateway",
    "MessageState",
    "MessageStore",
    "Receipt",
    "RefusedError",
    "StoredMessage",
    "UnavailableError",
]
