"""Bitcoin addresses as tuples of contracts, as in PoX and sBTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from der_client.stacks.bitcoin import read_bitcoin_address, write_bitcoin_address
from der_client.stacks.clarity import BufferType
from der_client.stacks.contract import Model
from der_client.stacks.errors import AddressError

if TYPE_CHECKING:
    from der_client.stacks.network import Network


class BitcoinAddress(Model):
    """``{version: (buff 1), hashbytes: (buff 32)}``; use it as the annotation of a parameter or field.

    Attributes:
        version: One byte, 0 to 6; see `der_client.stacks.bitcoin`.
        hashbytes: 20 bytes, or 32 for versions 5 and 6.
    """

    version: Annotated[bytes, BufferType(1)]
    hashbytes: Annotated[bytes, BufferType(32)]

    @classmethod
    def parse(cls, text: str, network: Network | None = None) -> Self:
        """Read an address in any form.

        Args:
            text: The address: 1…, 3…, bc1q…, bc1p…, or their counterparts on other networks.
            network: If given, the Stacks network to which it must belong.

        Raises:
            AddressError: If it is not an address, or one of another network.
        """
        script = read_bitcoin_address(text)
        if network is not None and script.is_mainnet != network.is_on_main_bitcoin:
            where = "mainnet" if script.is_mainnet else "a test network"
            raise AddressError(f"{text} is a Bitcoin address on {where}, but the network is {network.name}")
        return cls(version=bytes((script.version,)), hashbytes=script.hash)

    def text(self, network: Network) -> str:
        """Write the address.

        Args:
            network: The Stacks network, whose Bitcoin network the address is of.

        Raises:
            AddressError: If version and length do not match.
        """
        if len(self.version) != 1:
            raise AddressError(f"version: expected one byte, got {len(self.version)}")
        return write_bitcoin_address(self.version[0], self.hashbytes, network)
