"""Keys of meters, on either curve, in software or hardware: signing 32 bytes, and checking such a signature.

Most secure elements in meters, inverters and chargers support only P-256; the contracts accept both curves. The digest
itself is signed; it is not hashed again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey, PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

RAW_LENGTH: Final = 64
RECOVERABLE_LENGTH: Final = 65
DIGEST_LENGTH: Final = 32
KEY_LENGTH: Final = 33


class Curve(IntEnum):
    """The curve of a device key, by the number that the contracts give it."""

    SECP256K1 = 1
    P256 = 2

    @property
    def order(self) -> int:
        """The order of its group (SEC 2)."""
        return _ORDERS[self]


_ORDERS: Final = {
    Curve.SECP256K1: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    Curve.P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}

HardwareSigner: TypeAlias = Callable[[bytes], bytes]
"""A function that signs 32 bytes, as a secure element does, in DER, 64 bytes (r, s), or 65 (with recovery id)."""
Signer: TypeAlias = "PrivateKey | EllipticCurvePrivateKey | HardwareSigner"
DevicePublicKey: TypeAlias = "PublicKey | EllipticCurvePublicKey | bytes"


def sign_digest(signer: Signer, digest: bytes, curve: Curve | None = None) -> tuple[Curve, bytes]:
    """Sign 32 bytes as a meter.

    Args:
        signer: A key of this library (secp256k1), a key of ``cryptography`` (P-256 or secp256k1), or a function that
            signs 32 bytes.
        digest: The bytes to sign, as they are.
        curve: The curve of a function's key; key objects know theirs.

    Returns:
        The curve, and the signature: 65 bytes (r, s, recovery id) if the recovery id is known, else 64 (r, s).

    Raises:
        InvalidValueError: If the digest is not 32 bytes, or the curve is unknown or not the key's.
        SigningError: If the function does not return a signature.
    """
    if len(digest) != DIGEST_LENGTH:
        raise InvalidValueError(f"a digest has {DIGEST_LENGTH} bytes, not {len(digest)}")
    if isinstance(signer, PrivateKey):
        _check_curve(curve, Curve.SECP256K1)
        return Curve.SECP256K1, signer.sign_rsv(digest)
    own = _curve_of(signer)
    if own is not None:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 -- heavy
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        _check_curve(curve, own)
        key: Any = signer
        return own, raw_signature(key.sign(digest, ECDSA(Prehashed(SHA256()))), own)
    if not callable(signer):
        raise InvalidValueError(
            "the signer must be a PrivateKey, a key of cryptography on P-256 or secp256k1, or a function that signs 32 "
            "bytes"
        )
    if curve is None:
        raise InvalidValueError("name the curve of the signer's key: Curve.P256 or Curve.SECP256K1")
    return curve, raw_signature(signer(digest), curve)


def raw_signature(signature: bytes, curve: Curve) -> bytes:
    """Return a signature as r and s, and the recovery id if there is one.

    Args:
        signature: DER, 64 bytes or 65 bytes.
        curve: Its curve.

    Raises:
        SigningError: If it is none of these, or r or s cannot be of that curve.
    """
    if not isinstance(signature, bytes | bytearray):
        raise SigningError(f"a signature must be bytes, not {type(signature).__name__}")
    raw = bytes(signature)
    if len(raw) not in {RAW_LENGTH, RECOVERABLE_LENGTH} or (raw[:1] == b"\x30" and raw[1] == len(raw) - 2):
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 -- heavy

        try:
            r, s = decode_dss_signature(raw)
            raw = r.to_bytes(32) + s.to_bytes(32)
        except (ValueError, OverflowError) as error:
            if len(raw) not in {RAW_LENGTH, RECOVERABLE_LENGTH}:
                raise SigningError(
                    f"the signature of {len(raw)} bytes is neither DER, nor r and s (64 bytes), nor r, s "
                    "and recovery id (65)"
                ) from error
    if curve is Curve.P256:
        raw = raw[:RAW_LENGTH]
    for name, number in (("r", int.from_bytes(raw[:32])), ("s", int.from_bytes(raw[32:64]))):
        if not 0 < number < curve.order:
            raise SigningError(f"{name} of the signature is not between 1 and the order of {curve.name} minus 1")
    return raw


def verify_digest(public_key: DevicePublicKey, digest: bytes, signature: bytes, curve: Curve) -> bool:
    """Return whether a key signed 32 bytes; as in the contracts, s may be high.

    Args:
        public_key: A key of this library, of ``cryptography``, or its 33 bytes.
        digest: What was signed.
        signature: 64 or 65 bytes.
        curve: Its curve.

    Raises:
        InvalidValueError: If the key cannot be one of this curve.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- heavy
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    key: Any = _loaded(compressed(public_key), curve)
    try:
        key.verify(encode_dss_signature(r, s), digest, ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def compressed(public_key: DevicePublicKey) -> bytes:
    """Return the 33 bytes of a public key, as stored in assets.

    Raises:
        InvalidValueError: If it is not a key.
    """
    if isinstance(public_key, PublicKey):
        return public_key.compressed_data
    if isinstance(public_key, bytes | bytearray):
        if len(public_key) != KEY_LENGTH:
            raise InvalidValueError(f"a device key has {KEY_LENGTH} bytes, not {len(public_key)}")
        return bytes(public_key)
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415 -- heavy
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    if not isinstance(public_key, EllipticCurvePublicKey):
        kind = type(public_key).__name__
        raise InvalidValueError(f"a device key is a PublicKey, a public key of cryptography, or 33 bytes, not {kind}")
    return public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _loaded(data: bytes, curve: Curve) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import (  # noqa: PLC0415 -- heavy
        SECP256K1,
        SECP256R1,
        EllipticCurvePublicKey,
    )

    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1() if curve is Curve.P256 else SECP256K1(), data)
    except ValueError as error:
        raise InvalidValueError(f"{data.hex()} is not a public key of {curve.name}") from error


def _curve_of(signer: object) -> Curve | None:
    """Return the curve of a private key of ``cryptography``; None if it is something else."""
    name = getattr(getattr(signer, "curve", None), "name", None)
    if name is None or not hasattr(signer, "private_numbers"):
        return None
    known = {"secp256r1": Curve.P256, "secp256k1": Curve.SECP256K1}
    if name not in known:
        raise InvalidValueError(f"a device key must be on P-256 or secp256k1, not {name}")
    return known[name]


def _check_curve(named: Curve | None, own: Curve) -> None:
    if named is not None and named is not own:
        raise InvalidValueError(f"the key is on {own.name}, not {named.name}")
