"""Private and public keys on secp256k1, and the two signature layouts that Stacks uses.

A transaction carries signatures as recovery id, r, s (``vrs``); SIP-018, plain messages and Clarity's
``secp256k1-verify`` want r, s, recovery id (``rsv``). Signatures are deterministic (RFC 6979) and low-s; a high-s
signature is never accepted. The mathematics is libsecp256k1's, through coincurve.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final

import coincurve

from der_client.stacks.address import c32_address
from der_client.stacks.errors import InvalidValueError, KeyFormatError, SigningError, whole
from der_client.stacks.network import Network, check_network_kind
from der_client.stacks.ripemd160 import ripemd160
from der_client.stacks.secret import Secret

SIGNATURE_LENGTH: Final = 65
_DIGEST_LENGTH: Final = 32
_SECRET_LENGTH: Final = 32
_COMPRESSED_LENGTH: Final = 33
_UNCOMPRESSED_LENGTH: Final = 65
_COMPRESSED_FLAG: Final = b"\x01"
# Half of the curve's order (SEC 2, secp256k1): the larger of s and -s is above it.
_HIGHEST_S: Final = bytes.fromhex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")
_HIGHEST_RECOVERY_ID: Final = 3
_HEX: Final = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)\Z")


def hash160(data: bytes) -> bytes:
    """Hash a public key or a redeem script for an address: RIPEMD-160 of SHA-256.

    Args:
        data: The key or script.

    Returns:
        20 bytes.
    """
    return ripemd160(sha256(data).digest())


# Only keys, which are short, are cached: long redeem scripts must not fill the memory.
_key_hash160 = lru_cache(maxsize=4096)(hash160)


class PublicKey:
    """A point on secp256k1 in one of its two encodings; the encoding is part of it, since each has its own address.

    Attributes:
        data: 33 bytes (compressed) or 65 (uncompressed, starting with 04).
    """

    __slots__ = ("data",)
    data: bytes

    def __init__(self, data: bytes) -> None:
        """Take bytes that are known to be a valid key; use ``from_bytes`` for all others."""
        object.__setattr__(self, "data", data)

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicKey:
        """Read a key and check that it is a point on the curve.

        Args:
            data: 33 bytes starting with 02 or 03, or 65 starting with 04.

        Returns:
            The key, in the encoding that was given.

        Raises:
            KeyFormatError: If it is not a valid key.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise KeyFormatError(
                f"a public key is bytes, not {type(data).__name__}; for hexadecimal text, use PublicKey.from_hex(…)"
            )
        compressed = len(data) == _COMPRESSED_LENGTH and data[0] in (2, 3)
        if not compressed and not (len(data) == _UNCOMPRESSED_LENGTH and data[0] == 4):
            # A private key that was given by mistake must not be shown.
            given = f"{len(data)} bytes" + (f" starting with {data[0]:02x}" if data else "")
            raise KeyFormatError(
                f"a public key has 33 bytes starting with 02 or 03, or 65 starting with 04, not {given}"
            )
        try:
            coincurve.PublicKey(bytes(data))
        except ValueError:
            raise KeyFormatError(f"these {len(data)} bytes are not a point on the curve secp256k1") from None
        return cls(bytes(data))

    @classmethod
    def from_hex(cls, text: str) -> PublicKey:
        """Read a key from hexadecimal text, with or without 0x.

        Args:
            text: 66 or 130 digits.

        Returns:
            The key.

        Raises:
            KeyFormatError: If it is not a valid key.
        """
        match = _HEX.match(text) if isinstance(text, str) else None
        if not match:
            what = f"text of {len(text)} characters" if isinstance(text, str) else type(text).__name__
            raise KeyFormatError(f"a public key is 66 or 130 hexadecimal digits, not {what}")
        return cls.from_bytes(bytes.fromhex(match[1]))

    @classmethod
    def recover(cls, digest: bytes, signature: bytes, *, compressed: bool = True) -> PublicKey:
        """Find the key that made a signature.

        Args:
            digest: The 32 bytes that were signed.
            signature: 65 bytes, recovery id, r, s.
            compressed: Whether to return the compressed encoding; the signature does not determine it.

        Returns:
            The key.

        Raises:
            SigningError: If no key can have made it, or its s is high.
            InvalidValueError: If one of the two is not bytes, or the digest is not 32 bytes.
        """
        if not isinstance(signature, bytes):
            raise InvalidValueError(
                f"a signature is 65 bytes, not {type(signature).__name__}; for hexadecimal text, use bytes.fromhex(…)"
            )
        if len(signature) != SIGNATURE_LENGTH:
            raise SigningError(f"a signature has 65 bytes, not {len(signature)}")
        if signature[0] > _HIGHEST_RECOVERY_ID >= signature[64]:
            raise SigningError(
                "the signature must be recovery id, r, s, as sign_recoverable returns it; of r, s, recovery id "
                "(sign_rsv), give signature[64:] + signature[:64]"
            )
        if signature[33:] > _HIGHEST_S:
            raise SigningError(f"the signature {signature.hex()} has a high s, which no Stacks node accepts")
        _check_digest(digest)
        try:
            point = coincurve.PublicKey.from_signature_and_message(
                signature[1:] + signature[:1], digest, hasher=None
            ).format(compressed=compressed)
        # coincurve raises a bare Exception if libsecp256k1 refuses.
        except Exception:  # noqa: BLE001
            raise SigningError(f"no key can have made the signature {signature.hex()}") from None
        return cls(point)

    @property
    def is_compressed(self) -> bool:
        """Whether the key is in its 33-byte form."""
        return len(self.data) == _COMPRESSED_LENGTH

    @property
    def compressed_data(self) -> bytes:
        """The 33-byte form, whatever the key's own form."""
        if self.is_compressed:
            return self.data
        return bytes((2 + (self.data[-1] & 1),)) + self.data[1:33]

    @property
    def uncompressed_data(self) -> bytes:
        """The 65-byte form, whatever the key's own form."""
        return coincurve.PublicKey(self.data).format(compressed=False) if self.is_compressed else self.data

    @property
    def hash160(self) -> bytes:
        """The 20 bytes in an address of this key."""
        return _key_hash160(self.data)

    def address(self, network: Network) -> str:
        """Return the ordinary (P2PKH) address.

        Args:
            network: The network it is used on.

        Returns:
            The address, e.g. ``ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM``.

        Raises:
            InvalidValueError: If it is not a network, but for instance the name of one.
        """
        check_network_kind(network)
        return c32_address(network.single_sig_version, self.hash160)

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Return whether this key made a signature.

        Args:
            digest: The 32 bytes that were signed.
            signature: 65 bytes, recovery id, r, s.

        Returns:
            False also for a high s or a wrong recovery id.

        Raises:
            InvalidValueError: If one of the two is not bytes, or the digest is not 32 bytes.
        """
        try:
            recovered = PublicKey.recover(digest, signature, compressed=self.is_compressed)
        except SigningError:
            return False
        return recovered.data == self.data

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse changes."""
        raise AttributeError(f"a PublicKey cannot be changed ({name})")

    def __eq__(self, other: object) -> bool:
        """Compare key and encoding."""
        return isinstance(other, PublicKey) and self.data == other.data

    def __hash__(self) -> int:
        """Hash key and encoding."""
        return hash(self.data)

    def __reduce__(self) -> tuple[type[PublicKey], tuple[bytes]]:
        """Allow copies and pickles, without assigning to immutable attributes."""
        return PublicKey, (self.data,)

    @whole
    def __repr__(self) -> str:
        """Show the key."""
        return f"PublicKey({self.data.hex()})"


class PrivateKey:
    """A secret key. Only ``to_hex`` ever shows it.

    Attributes:
        public_key: Its public key, in the encoding given by ``compressed``.
        compressed: Whether the public key is used in its 33-byte form (nearly always) or the 65-byte one. The same
            secret has a different address in each.
    """

    __slots__ = ("_key", "compressed", "public_key")
    _key: coincurve.PrivateKey
    compressed: bool
    public_key: PublicKey

    def __init__(self, key: coincurve.PrivateKey, *, compressed: bool) -> None:
        """Take coincurve's key; use ``from_hex``, ``from_bytes`` or ``generate``.

        Raises:
            KeyFormatError: If it is anything else.
        """
        if not isinstance(key, coincurve.PrivateKey):
            given = type(key).__name__
            del key  # perhaps a secret, which no frame must hold when an error is raised
            raise KeyFormatError(
                f"PrivateKey(…) takes a key of coincurve, not {given}; for hexadecimal text, use "
                "PrivateKey.from_hex(…); for bytes, PrivateKey.from_bytes(…)"
            )
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "compressed", compressed)
        object.__setattr__(self, "public_key", PublicKey(key.public_key.format(compressed=compressed)))

    @classmethod
    def from_bytes(cls, data: bytes | Secret[bytes]) -> PrivateKey:
        """Read a key in the form of Stacks wallets.

        Args:
            data: 32 bytes for a key with an uncompressed public key, 33 ending in 01 for a compressed one. A `Secret`
                keeps it out of the caller's local variables.

        Returns:
            The key.

        Raises:
            KeyFormatError: If it is not a valid key; the text does not show it.
        """
        data = Secret.of(data)
        if not isinstance(data.reveal(), bytes | bytearray | memoryview):
            raise KeyFormatError(
                f"a private key is bytes, not {type(data.reveal()).__name__}; for hexadecimal text, use "
                "PrivateKey.from_hex(…)"
            )
        length = len(data.reveal())
        compressed = length == _SECRET_LENGTH + 1
        if compressed and data.reveal()[-1:] != _COMPRESSED_FLAG:
            raise KeyFormatError("a private key of 33 bytes must end in 01 (which says: compressed public key)")
        if not compressed and length != _SECRET_LENGTH:
            raise KeyFormatError(f"a private key has 32 bytes, or 33 ending in 01, not {length}")
        try:
            key = coincurve.PrivateKey(bytes(data.reveal()[:_SECRET_LENGTH]))
        except ValueError:
            raise KeyFormatError("a private key must be above 0 and below the order of secp256k1") from None
        return cls(key, compressed=compressed)

    @classmethod
    def from_hex(cls, text: str | Secret[str]) -> PrivateKey:
        """Read a key from hexadecimal text, with or without 0x.

        Args:
            text: 64 digits (uncompressed public key), or 66 ending in 01 (compressed). A `Secret` keeps it out of the
                caller's local variables.

        Returns:
            The key.

        Raises:
            KeyFormatError: If it is not a valid key; the text does not show it.
        """
        text = Secret.of(text)
        data = _unhex(text)
        if data is None:
            raise KeyFormatError("a private key is text of 64 or 66 hexadecimal digits")
        return cls.from_bytes(data)

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a new key from the operating system's randomness, for a compressed public key."""
        return cls(coincurve.PrivateKey(), compressed=True)

    def to_hex(self) -> str:
        """Return the secret: 64 digits, or 66 ending in 01 if the public key is compressed. Keep it to yourself."""
        return self._key.secret.hex() + ("01" if self.compressed else "")

    def address(self, network: Network) -> str:
        """Return the key's ordinary (P2PKH) address.

        Args:
            network: The network it is used on.

        Returns:
            The address.

        Raises:
            InvalidValueError: If it is not a network, but for instance the name of one.
        """
        return self.public_key.address(network)

    def sign_recoverable(self, digest: bytes) -> bytes:
        """Sign for a transaction.

        Args:
            digest: The 32 bytes to sign, as they are.

        Returns:
            65 bytes: recovery id, r, s.

        Raises:
            InvalidValueError: If the digest is not 32 bytes.
        """
        signature = self.sign_rsv(digest)
        return signature[64:] + signature[:64]

    def sign_rsv(self, digest: bytes) -> bytes:
        """Sign for a message or for Clarity's ``secp256k1-verify``.

        Args:
            digest: The 32 bytes to sign, as they are.

        Returns:
            65 bytes: r, s, recovery id.

        Raises:
            InvalidValueError: If the digest is not 32 bytes.
        """
        _check_digest(digest)
        return self._key.sign_recoverable(digest, None)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse changes."""
        raise AttributeError(f"a PrivateKey cannot be changed ({name})")

    def __eq__(self, other: object) -> bool:
        """Compare by public key, which is equivalent and does not touch the secret."""
        return isinstance(other, PrivateKey) and self.public_key == other.public_key

    def __hash__(self) -> int:
        """Hash the public key."""
        return hash(self.public_key)

    @whole
    def __repr__(self) -> str:
        """Show the public key only."""
        return f"PrivateKey(<secret>, public_key={self.public_key.data.hex()})"

    def __reduce__(self) -> str:
        """Refuse pickling, which would write the secret in plain text."""
        raise TypeError("a PrivateKey cannot be pickled; use the keystore")


def _check_digest(digest: bytes) -> None:
    if not isinstance(digest, bytes):
        raise InvalidValueError(
            f"a digest to sign is 32 bytes, not {type(digest).__name__}; for a text, sign its hash: "
            "sha256(text.encode()).digest()"
        )
    if len(digest) != _DIGEST_LENGTH:
        raise InvalidValueError(f"a digest to sign has 32 bytes, not {len(digest)}")


def _unhex(text: Secret[str]) -> Secret[bytes] | None:
    match = _HEX.match(text.reveal().strip()) if isinstance(text.reveal(), str) else None
    return Secret(bytes.fromhex(match[1])) if match else None
