"""The people with their fixed keys, the meters, and the roles that are granted at the start."""

from __future__ import annotations

import hashlib
from typing import Final

import coincurve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from der_client import PrivateKey
from der_client.contracts.asset_verification import DeviceKey, KeyCurve, Role

NORTH, SOUTH = REGIONS = ("NORTH", "SOUTH")
CONTRACT_OWNER: Final = "deployer"
OWNERS: Final = ("alice", "bob")
OPERATOR: Final = "carol"
BUYERS: Final = ("dave", "erin", "frank")
STRANGER: Final = "sam"
TOKEN: Final = "usdcx"
"""The contract name of a stand-in for USDCx, in which some offers are priced."""
FUNDS_USTX: Final = {"frank": 3_000_000_000}
"""People who start with less than the others."""

ROLES: Final = {
    "rita": (Role.REGISTRAR, ""),
    "vera": (Role.VERIFIER, ""),
    "arno": (Role.ARBITER, ""),
    "olga": (Role.ORACLE, ""),
    "otto": (Role.ORACLE, ""),
    "greta": (Role.GRID_OPERATOR, NORTH),
    "gus": (Role.GRID_OPERATOR, SOUTH),
    "paul": (Role.PAUSER, ""),
}
PEOPLE: Final = (*OWNERS, OPERATOR, *BUYERS, *ROLES, STRANGER)
"""Everyone except the contract owner."""


def key_of(name: str) -> PrivateKey:
    """Return the key of a person or meter, which is the same in each run."""
    return PrivateKey.from_bytes(hashlib.sha256(f"der-client model: {name}".encode()).digest())


class Meter:
    """A meter with a fixed key on its curve.

    Args:
        name: The name from which the key is derived.
        curve: The curve of the key.

    Attributes:
        device_key: The meter's public key.
    """

    def __init__(self, name: str, curve: KeyCurve) -> None:
        self._secret = hashlib.sha256(f"der-client model: {name}".encode()).digest()
        self.device_key = DeviceKey(curve=curve, key=self._public_key(curve))

    def sign(self, digest: bytes) -> bytes:
        """Sign a digest of 32 bytes; return r ‖ s."""
        if self.device_key.curve is KeyCurve.SECP256K1:
            return coincurve.PrivateKey(self._secret).sign_recoverable(digest, hasher=None)[:64]
        signature = self._p256().sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(32) + s.to_bytes(32)

    def _public_key(self, curve: KeyCurve) -> bytes:
        if curve is KeyCurve.SECP256K1:
            return coincurve.PrivateKey(self._secret).public_key.format()
        return self._p256().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def _p256(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self._secret), ec.SECP256R1())


METERS: Final = {
    meter.device_key: meter
    for meter in (Meter(f"meter {number}", KeyCurve.P256 if number % 2 else KeyCurve.SECP256K1) for number in range(6))
}
"""Meters by their device key; every other one is P-256."""
DEVICE_KEYS: Final = tuple(METERS)
ORDERS: Final = {
    KeyCurve.SECP256K1: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    KeyCurve.P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
"""The order of each curve (SEC 2)."""
