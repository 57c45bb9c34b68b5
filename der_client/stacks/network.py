"""Networks as data: what differs between mainnet, testnet and a devnet on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from der_client.stacks.checks import check_kind, check_number
from der_client.stacks.errors import InvalidValueError

_TRANSACTION_VERSIONS: Final = (0x00, 0x80)
_MAX_ADDRESS_VERSION: Final = 31
_MAX_CHAIN_ID: Final = (1 << 32) - 1
_NAME: Final = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,63}")


@dataclass(frozen=True, slots=True)
class Network:
    """The network's values in transactions and addresses.

    Attributes:
        name: Its name, for people and messages.
        transaction_version: First byte of a transaction: 0x00 on mainnet, 0x80 elsewhere.
        chain_id: 1 on mainnet; 0x80000000 on testnet and devnets.
        single_sig_version: c32check version of single-signature addresses (SP or ST).
        multi_sig_version: c32check version of multi-signature addresses (SM or SN).
        url: The default address of a node with an API, or empty.
        bitcoin_prefix: The prefix of SegWit addresses on its Bitcoin network: ``bc``, ``tb`` or ``bcrt``.

    Raises:
        InvalidValueError: If no such network is possible: a node knows only the transaction versions 0x00 and 0x80,
            chain ids have 32 bits, and address versions are 0 to 31, a different one for each kind.
    """

    name: str
    transaction_version: int
    chain_id: int
    single_sig_version: int
    multi_sig_version: int
    url: str = ""
    bitcoin_prefix: str = "tb"

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InvalidValueError("name: a network has a name of 1 to 64 printable characters")
        check_number(self.transaction_version, 0, 0x80, "transaction_version")
        if self.transaction_version not in _TRANSACTION_VERSIONS:
            raise InvalidValueError(
                f"transaction_version must be 0x00 (mainnet) or 0x80 (any other network), got "
                f"{self.transaction_version:#04x}"
            )
        check_number(self.chain_id, 0, _MAX_CHAIN_ID, "chain_id")
        check_number(self.single_sig_version, 0, _MAX_ADDRESS_VERSION, "single_sig_version")
        check_number(self.multi_sig_version, 0, _MAX_ADDRESS_VERSION, "multi_sig_version")
        if self.single_sig_version == self.multi_sig_version:
            raise InvalidValueError(
                f"multi_sig_version: must differ from single_sig_version, both are {self.multi_sig_version}"
            )

    @property
    def is_on_main_bitcoin(self) -> bool:
        """Whether its Bitcoin network is the main one."""
        return self.bitcoin_prefix == "bc"

    def has_address_version(self, version: int) -> bool:
        """Return whether addresses of this network have this c32check version."""
        return version in (self.single_sig_version, self.multi_sig_version)


MAINNET = Network("mainnet", 0x00, 1, 22, 20, "https://api.hiro.so", "bc")
TESTNET = Network("testnet", 0x80, 0x80000000, 26, 21, "https://api.testnet.hiro.so")
DEVNET = Network("devnet", 0x80, 0x80000000, 26, 21, "http://localhost:3999", "bcrt")
NETWORKS: Final = {network.name: network for network in (MAINNET, TESTNET, DEVNET)}
"""The known networks. The network of a chain id or an address is looked up here, in this order."""


def networks_of_address(version: int) -> tuple[Network, ...]:
    """Return the known networks whose addresses have a c32check version.

    Args:
        version: 0 to 31.
    """
    return tuple(network for network in NETWORKS.values() if network.has_address_version(version))


def networks_of_chain(chain_id: int) -> tuple[Network, ...]:
    """Return the known networks with a chain id.

    Args:
        chain_id: The chain id, as a node gives it (``network_id``).
    """
    return tuple(network for network in NETWORKS.values() if network.chain_id == chain_id)


def check_network_kind(network: object) -> None:
    """Refuse a value that is not a network, such as the name of one.

    Args:
        network: The argument to check.

    Raises:
        InvalidValueError: If it is not one.
    """
    names = network.upper() if isinstance(network, str) and network in NETWORKS else "DEVNET, TESTNET or MAINNET"
    check_kind(network, Network, "network", f"use {names} of der_client.stacks.network")
