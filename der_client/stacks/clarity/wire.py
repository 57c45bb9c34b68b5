"""Type bytes and limits of the wire form of Clarity values (SIP-005; stacks-core ``types/serialization.rs``)."""

from __future__ import annotations

from typing import Final

from der_client.stacks.clarity.values import MAX_VALUE_BYTES

MAX_DEPTH: Final = 31
"""Composites that may be nested around a scalar (``MAX_TYPE_DEPTH`` 32 counts the scalar)."""
MAX_ARGUMENT_DEPTH: Final = 15
"""The same for values that a node decodes without knowing their type: arguments of calls and transactions."""
HOLDER: Final = 2
"""How much of the room from ``room`` one composite uses."""
EMPTY: Final = 1
"""How much of it must be left for ``none`` and for an empty list."""


def room(max_depth: int) -> int:
    """Return how deep values may be nested.

    The type of ``none`` and of an empty list contains the type of nothing, so the node counts these as composites,
    except in arguments, where it counts only what is open.

    Args:
        max_depth: How many composites there may be.
    """
    return HOLDER * max_depth + (EMPTY if max_depth <= MAX_ARGUMENT_DEPTH else 0)


MAX_WIRE_BYTES: Final = 2 * MAX_VALUE_BYTES
SURELY_SMALL: Final = MAX_VALUE_BYTES // 128
"""Up to this many bytes, only lists can be ill-typed or too large, so only they are checked.

The node's measure of a value without lists is at most 70 times its wire form: names and types count at each of the 31
levels, principals in full.
"""

INT, UINT, BUFFER, TRUE, FALSE, STANDARD, CONTRACT = 0, 1, 2, 3, 4, 5, 6
OK, ERR, NONE, SOME, LIST, TUPLE, ASCII, UTF8 = 7, 8, 9, 10, 11, 12, 13, 14

LIST_START: Final = bytes((LIST, 0))
"""The first bytes of every list, since no length has more than three bytes; other values rarely contain them.

Its first byte alone is found much faster, so it is searched for first.
"""
