"""The gateway: meters that report by themselves hand in signed days over HTTP or MQTT, and it brings them to the chain.

What it has acknowledged is on disk, and is relayed until the chain has it or has refused it for good. Needs the extra
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
