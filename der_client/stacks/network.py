"""Networks as data: what differs between mainnet, testnet and a devnet on the wire."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """What a transaction and an address carry of their network.

    Attributes:
        name: For people and messages.
        transaction_version: First byte of a transaction: 0x00 on mainnet, 0x80 elsewhere.
        chain_id: 1 on mainnet; 0x80000000 on testnet and devnets.
        single_sig_version: c32check version of single-signature addresses (SP or ST).
        multi_sig_version: c32check version of multi-signature addresses (SM or SN).
        url: The default address of a node with an API, or empty.
    """

    name: str
    transaction_version: int
    chain_id: int
    single_sig_version: int
    multi_sig_version: int
    url: str


MAINNET = Network("mainnet", 0x00, 1, 22, 20, "https://api.hiro.so")
TESTNET = Network("testnet", 0x80, 0x80000000, 26, 21, "https://api.testnet.hiro.so")
DEVNET = Network("devnet", 0x80, 0x80000000, 26, 21, "http://localhost:3999")
