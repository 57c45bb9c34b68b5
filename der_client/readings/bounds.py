"""Checks of numbers where they enter the package, so that nothing impossible is ever counted or signed."""

from __future__ import annotations

from der_client.stacks.errors import InvalidValueError

UINT_MAX = 2**128 - 1
"""The largest Clarity ``uint``."""


def require_integer(name: str, value: object, minimum: int, maximum: int) -> int:
    """Return the value if it is an integer within its limits.

    Args:
        name: What the number is, with its unit, for the message.
        value: The value to check. A ``bool`` is not an integer here.
        minimum: The smallest value allowed.
        maximum: The largest value allowed.

    Returns:
        The value, unchanged.

    Raises:
        InvalidValueError: If it is not an integer, or is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError(
            f"{name} is {value!r}, of type {type(value).__name__}: give an integer from {minimum} to {maximum}"
        )
    if not minimum <= value <= maximum:
        raise InvalidValueError(f"{name} is {value}: it must lie from {minimum} to {maximum}")
    return value
