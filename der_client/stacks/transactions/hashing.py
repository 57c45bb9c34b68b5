"""SHA-512/256, the hash for transaction ids and for everything that is signed in a transaction."""

from __future__ import annotations

import hashlib

# Copying a fresh hash object is a quarter faster than requesting one from OpenSSL by name each time.
_FRESH = hashlib.new("sha512_256")


def sha512_256(data: bytes) -> bytes:
    """Hash with SHA-512/256.

    Args:
        data: Any bytes.

    Returns:
        32 bytes.
    """
    state = _FRESH.copy()
    state.update(data)
    return state.digest()


def sha512_256_hex(data: bytes) -> str:
    """Hash with SHA-512/256.

    Args:
        data: Any bytes.

    Returns:
        64 hexadecimal digits.
    """
    state = _FRESH.copy()
    state.update(data)
    return state.hexdigest()
