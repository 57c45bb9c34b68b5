"""The gateway over MQTT: meters publish messages with QoS 1, and get a receipt when they are on disk.

The broker keeps messages while the gateway is away, since its session persists, and a message is acknowledged to the
broker only when it is on disk. Refused messages are acknowledged, too, since otherwise they would be sent again and
again; their receipts say why.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from der_client.gateway.gateway import RefusedError, UnavailableError
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.extras import require_extra
from der_client.stacks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.gateway.gateway import Gateway

_LOG: Final = logging.getLogger(__name__)
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_AT_LEAST_ONCE: Final = 1
_PAUSE_S: Final = 5.0


@dataclass(frozen=True)
class Broker:
    """An MQTT broker, and what is read from it.

    Attributes:
        host: Its host.
        port: Its port.
        tls: Whether the connection is encrypted.
        username: The user name, if the broker needs one.
        password: The password; it is wrapped, so that it is neither shown nor pickled.
        topic: The topic that meters publish to; ``+`` and ``#`` stand for any part.
        receipts: Receipts go to this topic, followed by the asset's number.
        identifier: The name of the session, which the broker keeps.
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | Secret[str] | None = field(default=None, repr=False)
    topic: str = "der/days/#"
    receipts: str = "der/receipts"
    identifier: str = "der-gateway"

    def __post_init__(self) -> None:
        """Wrap the password."""
        if self.password is not None:
            object.__setattr__(self, "password", Secret.of(self.password))

    @classmethod
    def of(cls, url: str, **rest: Any) -> Broker:
        """Make one from a URL such as ``mqtts://broker.example:8883``; the password is not part of it.

        Raises:
            InvalidValueError: If it is not such a URL, or has a password in it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InvalidValueError(f"the broker is not a URL such as mqtt://host:1883: {error}") from error
        if parts.password is not None:
            raise InvalidValueError(
                "the broker's URL contains a password: put it into the environment as DER_MQTT_PASSWORD"
            )
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise InvalidValueError(
                f"the broker is {url!r}: expected a URL such as mqtt://host:1883 or mqtts://host:8883"
            )
        own = {"username": parts.username} | rest
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "mqtts", **own)


async def listen(gateway: Gateway, broker: Broker, *, on_ready: Callable[[], None] | None = None) -> None:
    """Take what meters publish, until cancelled; reconnect when the connection is lost.

    Args:
        gateway: The gateway that takes the messages.
        broker: The broker to listen to.
        on_ready: Called when the broker has the subscription.

    Raises:
        MissingExtraError: If aiomqtt is not installed.
    """
    with require_extra("gateway"):
        import aiomqtt  # noqa: PLC0415 -- an extra

    while True:
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=None if broker.password is None else Secret.of(broker.password).reveal(),
            identifier=broker.identifier,
            clean_session=False,
            tls_context=ssl.create_default_context() if broker.tls else None,
        )
        # A message counts as received when it is on disk, not when it is here.
        client._client.manual_ack_set(True)  # noqa: SLF001 -- aiomqtt has no name for it
        try:
            async with client:
                await client.subscribe(broker.topic, qos=_AT_LEAST_ONCE)
                _LOG.info("listening to %s on %s:%s", broker.topic, broker.host, broker.port)
                if on_ready is not None:
                    on_ready()
                async for message in client.messages:
                    await _take(gateway, broker, client, message)
        except aiomqtt.MqttError as error:
            _LOG.warning("the connection to the broker %s:%s is lost: %s", broker.host, broker.port, error)
            await asyncio.sleep(_PAUSE_S)


async def _take(gateway: Gateway, broker: Broker, client: Any, message: Any) -> None:
    topic = str(message.topic)
    while True:
        try:
            receipts = await asyncio.to_thread(gateway.take, bytes(message.payload), source=topic)
            response: dict[str, Any] = {"receipts": [receipt.to_json() for receipt in receipts]}
        except RefusedError as error:
            _LOG.warning("a message on %s is refused: %s", topic, error)
            response = {"error": str(error)}
        except UnavailableError as error:
            _LOG.warning("a message on %s waits: %s", topic, error)
            await asyncio.sleep(_PAUSE_S)
            continue
        break
    client._client.ack(message.mid, message.qos)  # noqa: SLF001 -- see above
    suffix = topic.rpartition("/")[2]
    await client.publish(f"{broker.receipts}/{suffix}", json.dumps(response), qos=_AT_LEAST_ONCE)
