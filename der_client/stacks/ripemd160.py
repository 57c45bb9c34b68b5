"""RIPEMD-160, even if OpenSSL does not have it (it is "legacy" in OpenSSL 3.0.0-3.0.6, as on Ubuntu 22.04).

Source: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996).
"""

from __future__ import annotations

import hashlib
import struct

# For each of the two lines, five rounds: the constant, the 16 message words in their order, and their rotations,
# one hexadecimal digit each.
_LEFT = (
    (0x00000000, "0123456789abcdef", "befc5879bdef6798"),
    (0x5A827999, "74d1a6f3c0952eb8", "768db97f7cf9b7dc"),
    (0x6ED9EBA1, "3ae49f812706db5c", "bd67e9dfe8d65c75"),
    (0x8F1BBCDC, "19ba08c4d37fe562", "bcefef989e56865c"),
    (0xA953FD4E, "40597c2ae138b6fd", "9f5b68dc5cdeb856"),
)
_RIGHT = (
    (0x50A28BE6, "5e7092b4d6f81a3c", "899bdff5778beec6"),
    (0x5C4DD124, "6b370d5aef8c4912", "9df7c89b77c76fdb"),
    (0x6D703EF3, "f5137e69b8c2a04d", "97fb866ecd5edd75"),
    (0x7A6D76E9, "86413bf05c2d97ae", "f58bee6e69c9c5f8"),
    (0x00000000, "cfa4158762de039b", "85c9c5e68d65fdbb"),
)
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_MASK = 0xFFFFFFFF
_BLOCK_LENGTH = 64


def ripemd160(data: bytes) -> bytes:
    """Hash with OpenSSL if it can, else with ``ripemd160_in_python``.

    Args:
        data: Any bytes.

    Returns:
        20 bytes.
    """
    try:
        return hashlib.new("ripemd160", data, usedforsecurity=False).digest()
    except ValueError:
        return ripemd160_in_python(data)


def ripemd160_in_python(data: bytes) -> bytes:
    """Hash without OpenSSL; some hundred times slower, which does not matter for a key's 32 bytes.

    Args:
        data: Any bytes.

    Returns:
        20 bytes.
    """
    padded = data + b"\x80" + bytes((55 - len(data)) % _BLOCK_LENGTH) + struct.pack("<Q", 8 * len(data))
    state: tuple[int, ...] = _START
    for start in range(0, len(padded), _BLOCK_LENGTH):
        words = struct.unpack_from("<16I", padded, start)
        left = _line(state, words, _LEFT, (0, 1, 2, 3, 4))
        right = _line(state, words, _RIGHT, (4, 3, 2, 1, 0))
        turned = state[1:] + state[:1]
        state = tuple((turned[i] + left[(i + 2) % 5] + right[(i + 3) % 5]) & _MASK for i in range(5))
    return struct.pack("<5I", *state)


def _line(
    state: tuple[int, ...], words: tuple[int, ...], rounds: tuple[tuple[int, str, str], ...], functions: tuple[int, ...]
) -> tuple[int, ...]:
    a, b, c, d, e = state
    for function, (constant, order, rotations) in zip(functions, rounds, strict=True):
        for word, rotation in zip(order, rotations, strict=True):
            mixed = a + _mix(function, b, c, d) + words[int(word, 16)] + constant
            a, b, c, d, e = e, (_rotate(mixed & _MASK, int(rotation, 16)) + e) & _MASK, b, _rotate(c, 10), d
    return a, b, c, d, e


def _mix(function: int, x: int, y: int, z: int) -> int:
    match function:
        case 0:
            return x ^ y ^ z
        case 1:
            return (x & y) | (~x & z)
        case 2:
            return (x | (~y & _MASK)) ^ z
        case 3:
            return (x & z) | (y & ~z)
        case _:
            return x ^ (y | (~z & _MASK))


def _rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (32 - by))) & _MASK
