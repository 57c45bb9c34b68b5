"""The domain of structured messages (SIP-018), which binds a signature to one application on one chain."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final, Self

from der_client.stacks.clarity import AsciiType, encode
from der_client.stacks.contract import Model, UInt
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.messages import message_domain, structured_data_hash

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue, TupleValue
    from der_client.stacks.network import Network

PREFIX: Final = b"SIP018"
"""The bytes that a contract puts before the two hashes."""


class MessageDomain(Model):
    """``{name, version, chain-id}``.

    Attributes:
        name: The application, ASCII.
        version: The version of its messages, ASCII.
        chain_id: 1 on mainnet.
    """

    name: Annotated[str, AsciiType(128)]
    version: Annotated[str, AsciiType(128)]
    chain_id: UInt

    @classmethod
    def on(cls, network: Network, name: str, version: str) -> Self:
        """Return the domain of an application on a network."""
        return cls(name=name, version=version, chain_id=network.chain_id)

    def to_clarity(self) -> TupleValue:
        """Return the tuple, for `sign_structured_data`."""
        value: TupleValue = codec_for(type(self)).encode(self, type(self).__name__)  # type: ignore[assignment]
        return value

    @property
    def hash(self) -> bytes:
        """Return the SHA-256 of the tuple: the constant in a contract."""
        return sha256(encode(self.to_clarity())).digest()

    def message_hash(self, message: ClarityValue) -> bytes:
        """Return the 32 bytes that are signed for a message in this domain."""
        return structured_data_hash(self.to_clarity(), message)


__all__ = ["PREFIX", "MessageDomain", "message_domain"]
