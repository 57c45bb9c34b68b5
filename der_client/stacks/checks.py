"""Checks arguments where they are given, before code further down fails on them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from der_client.stacks.errors import InvalidValueError, shown

if TYPE_CHECKING:
    from der_client.stacks.secret import Secret

Choice = TypeVar("Choice", bound=Enum)

UINT_MAX: Final = (1 << 128) - 1
"""The largest Clarity ``uint``."""


def check_kind(
    value: object,
    kind: type | tuple[type, ...],
    what: str,
    instead: str = "",
    error: type[InvalidValueError] = InvalidValueError,
) -> None:
    """Refuse a value that is not of a type. The error never shows the value, which may be a secret in the wrong place.

    Args:
        value: The argument.
        kind: The type, or several.
        what: The argument's name, for the error.
        instead: What to give, if the type is not enough to know.
        error: Which error to raise.

    Raises:
        InvalidValueError: If it is of another type; the text names argument, both types and what to give.
    """
    if isinstance(value, kind):
        return
    kinds = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
    raise error(f"{what} must be {kinds}, got {type(value).__name__}{f'; {instead}' if instead else ''}")


def check_items(values: object, kind: type | tuple[type, ...], what: str, items: str) -> tuple[Any, ...]:
    """Refuse what is not a list of values of a type, such as one of them by itself.

    Args:
        values: The argument.
        kind: The type of its items, or several.
        what: The argument's name, for the error.
        items: What its items are, for the error: ``keys``.

    Returns:
        The items.

    Raises:
        InvalidValueError: If it is something else, or has an item of another type.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        is_text = kind is str and isinstance(values, str)
        given = f"str {shown(values)}" if is_text else type(values).__name__
        advice = f"; write ({shown(values) if is_text else '…'},)" if isinstance(values, kind) else ""
        raise InvalidValueError(f"{what}: must be a list of {items}, got {given}{advice}")
    found = tuple(values)
    for item in found:
        check_kind(item, kind, what, f"give a list of {items}")
    return found


def check_secret_kind(
    value: Secret[Any],
    kind: type,
    what: str,
    instead: str = "",
    error: type[InvalidValueError] = InvalidValueError,
) -> None:
    """As `check_kind`, for a value that no frame must show.

    Args:
        value: The argument, wrapped.
        kind: The type of what is in it.
        what: The argument's name, for the error.
        instead: What to give, if the type is not enough to know.
        error: Which error to raise.

    Raises:
        InvalidValueError: If it is of another type; the text names argument, both types and what to give.
    """
    if not isinstance(value.reveal(), kind):
        given = type(value.reveal()).__name__
        raise error(f"{what} must be {kind.__name__}, got {given}{f'; {instead}' if instead else ''}")


def is_whole_number(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer; ``True`` and ``False`` are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_number(
    value: int, low: int, high: int | None, what: str, error: type[InvalidValueError] = InvalidValueError
) -> int:
    """Refuse a value that is not a whole number in a range.

    Args:
        value: The number.
        low: The least that is allowed.
        high: The most that is allowed; ``None`` for any.
        what: The argument's name, for the error.
        error: Which error to raise.

    Returns:
        The number itself: a subclass, such as an enumeration's, may compare and convert as it likes.

    Raises:
        InvalidValueError: If it is not one, or out of range.
    """
    if type(value) is not int:
        if not is_whole_number(value):
            raise error(f"{what}: expected a whole number, got {_typed(value)}")
        value = int.__index__(value)
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"{low} to {high}"
        raise error(f"{shown(value)} is out of range for {what}: {limits}")
    return value


def _typed(value: object) -> str:
    """Return a value with its type, unless the value says it."""
    return str(value) if value is None or isinstance(value, bool) else f"{type(value).__name__} {shown(value)}"


def check_seconds(value: float, what: str, *, may_be_zero: bool = True, most: float = inf) -> float:
    """Refuse what is not a number of seconds.

    Args:
        value: The number.
        what: The argument's name, for the error.
        may_be_zero: Whether 0 is allowed.
        most: The most that is allowed.

    Returns:
        The number.

    Raises:
        InvalidValueError: If it is not one, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(f"{what}: expected a number of seconds, got {_typed(value)}")
    is_at_least = value > 0 or (may_be_zero and value == 0)  # which NaN is not
    if not is_at_least or value > most or sys.float_info.max < value < inf:  # such an integer can't be added to a time
        limits = f"{'at least' if may_be_zero else 'more than'} 0 s{'' if most == inf else f', at most {most:g} s'}"
        raise InvalidValueError(f"{shown(value)} is out of range for {what}: {limits}")
    return value


def check_enum(value: Choice, kind: type[Choice], what: str) -> Choice:
    """Refuse a value that is not a member of an enumeration.

    Args:
        value: The member.
        kind: The enumeration.
        what: The argument's name, for the error.

    Returns:
        The member.

    Raises:
        InvalidValueError: If it is not one.
    """
    if not isinstance(value, kind):
        raise InvalidValueError(f"{what} must be a member of {kind.__name__}, got {value!r}")
    return value
