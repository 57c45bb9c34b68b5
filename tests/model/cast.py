"""Who acts: people with fixed keys, the meters, and what they may do at the start."""

from __future__ import annotations

import hashlib
from typing import Final

from der_client import PrivateKey
from der_client.contracts.asset_verification import Role

NORTH, SOUTH = REGIONS = ("NORTH", "SOUTH")
CONTRACT_OWNER: Final = "deployer"
OWNERS: Final = ("alice", "bob")
OPERATOR: Final = "carol"
BUYERS: Final = ("dave", "erin", "frank")
STRANGER: Final = "sam"
FUNDS_USTX: Final = {"frank": 3_000_000_000}
"""Who starts with less than the others."""

ROLES: Final = {
    "rita": (Role.REGISTRAR, ""),
    "vera": (Role.VERIFIER, ""),
    "arno": (Role.ARBITER, ""),
    "olga": (Role.ORACLE, ""),
    "greta": (Role.GRID_OPERATOR, NORTH),
    "gus": (Role.GRID_OPERATOR, SOUTH),
    "paul": (Role.PAUSER, ""),
}
PEOPLE: Final = (*OWNERS, OPERATOR, *BUYERS, *ROLES, STRANGER)
"""All but the contract owner."""


def key_of(name: str) -> PrivateKey:
    """The key of a person or meter: the same in each run."""
    return PrivateKey.from_bytes(hashlib.sha256(f"der-client model: {name}".encode()).digest())


METERS: Final = {key.public_key.compressed_data: key for key in (key_of(f"meter {number}") for number in range(6))}
"""Meters by their device key."""
DEVICE_KEYS: Final = tuple(METERS)
