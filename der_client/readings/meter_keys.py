"""The keys of meters: secp256k1 and P-256, and signatures over 32 bytes in the form that the contracts take.

The contracts verify ``r ‖ s``, 64 bytes, with the bound public key; a high s counts as well as a low one. Libraries and
secure elements give the same signature in other forms, DER (X9.62) above all, and Stacks' own adds a recovery id:
:func:`raw_signature` reads them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey, PublicKey

RAW_LENGTH: Final = 64
_DER_SEQUENCE: Final = 0x30
_PREHASHED: Final = ec.ECDSA(Prehashed(hashes.SHA256()))


class Curve(IntEnum):
    """The curve of a meter's key, as asset-verification numbers it."""

    SECP256K1 = 1
    P256 = 2


_CURVES: Final[dict[Curve, type[ec.EllipticCurve]]] = {Curve.SECP256K1: ec.SECP256K1, Curve.P256: ec.SECP256R1}


@dataclass(frozen=True, slots=True)
class MeterKey:
    """A meter's public key.

    Attributes:
        curve: Its curve.
        key: The compressed public key, 33 bytes.
    """

    curve: Curve
    key: bytes

    def __post_init__(self) -> None:
        """Check that it is a point of the curve.

        Raises:
            KeyFormatError: If it is not.
        """
        self._public_key()

    @classmethod
    def of(cls, key: PrivateKey | PublicKey | ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> MeterKey:
        """Return the public key of a key of this library or of ``cryptography``.

        Raises:
            KeyFormatError: If it is of another curve.
        """
        if isinstance(key, PrivateKey):
            key = key.public_key
        if isinstance(key, PublicKey):
            return cls(Curve.SECP256K1, key.compressed_data)
        public_key = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
        for curve, kind in _CURVES.items():
            if isinstance(public_key.curve, kind):
                return cls(curve, public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
        raise KeyFormatError(f"a meter's key is of secp256k1 or P-256 (secp256r1), not of {public_key.curve.name}")

    def signed(self, digest: bytes, signature: bytes) -> bool:
        """Return whether this key made a signature.

        Args:
            digest: The 32 bytes that were signed, as they are.
            signature: ``r ‖ s``, 64 bytes; s may be high.
        """
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:RAW_LENGTH])
        try:
            self._public_key().verify(encode_dss_signature(r, s), digest, _PREHASHED)
        except InvalidSignature:
            return False
        return len(signature) == RAW_LENGTH

    def _public_key(self) -> ec.EllipticCurvePublicKey:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[self.curve](), self.key)
        except ValueError:
            raise KeyFormatError(
                f"{self.key.hex()} is not a compressed public key of {self.curve.name}: it has 33 bytes, and the first "
                "is 02 or 03"
            ) from None


MeterSigner: TypeAlias = PrivateKey | ec.EllipticCurvePrivateKey | Callable[[bytes], bytes]
"""What signs for a meter: a key, or a function that takes the 32 bytes to sign and returns the signature.

It may return any form that :func:`raw_signature` reads: a secure element's, or PKCS#11's (``CKM_ECDSA``).
"""


def sign_digest(signer: MeterSigner, digest: bytes) -> bytes:
    """Sign 32 bytes as they are; return ``r ‖ s``, 64 bytes.

    Raises:
        InvalidValueError: If a function gives something that is not a signature.
        KeyFormatError: If the key is of another curve than secp256k1 and P-256.
    """
    if isinstance(signer, PrivateKey):
        return signer.sign_rsv(digest)[:RAW_LENGTH]
    if isinstance(signer, ec.EllipticCurvePrivateKey):
        MeterKey.of(signer)  # of a curve that meters may have
        return raw_signature(signer.sign(digest, _PREHASHED))
    return raw_signature(signer(digest))


def raw_signature(signature: bytes) -> bytes:
    """Return a signature as ``r ‖ s``, 64 bytes.

    Args:
        signature: The same, or with a recovery id behind (65 bytes), or in DER.

    Raises:
        InvalidValueError: If it is none of these.
    """
    if isinstance(signature, bytes) and len(signature) in (RAW_LENGTH, RAW_LENGTH + 1):
        return signature[:RAW_LENGTH]
    if isinstance(signature, bytes) and signature[:1] == bytes([_DER_SEQUENCE]):
        try:
            r, s = decode_dss_signature(signature)
            return r.to_bytes(32) + s.to_bytes(32)
        except (ValueError, OverflowError):
            pass
    found = f"{len(signature)} bytes" if isinstance(signature, bytes) else type(signature).__name__
    raise InvalidValueError(f"a signature is r and s (64 bytes), with a recovery id (65 bytes) or in DER, not {found}")
