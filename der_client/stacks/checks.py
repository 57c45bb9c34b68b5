"""Checks of arguments where they are given, before something deeper stumbles over them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.stacks.errors import InvalidValueError, shown
from der_client.stacks.network import Network

if TYPE_CHECKING:
    from der_client.stacks.secret import Secret

Choice = TypeVar("Choice", bound=Enum)
_NETWORKS: Final = ("devnet", "testnet", "mainnet")


def check_kind(
    value: object,
    kind: type | tuple[type, ...],
    what: str,
    instead: str = "",
    error: type[InvalidValueError] = InvalidValueError,
) -> None:
    """Refuse what is not of a type. The error never shows the value, which may be a secret in the wrong place.

    Args:
        value: The argument.
        kind: The type, or several.
        what: The argument's name, for the error.
        instead: What to give, if the type does not say it all.
        error: Which error to raise.

    Raises:
        InvalidValueError: If it is of another type; the text names argument, both types and what to give.
    """
    if isinstance(value, kind):
        return
    kinds = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
    raise error(f"{what}: must be {kinds}, not {type(value).__name__}{f': {instead}' if instead else ''}")


def check_secret_kind(
    value: Secret[Any],
    kind: type,
    what: str,
    instead: str = "",
    error: type[InvalidValueError] = InvalidValueError,
) -> None:
    """As `check_kind`, of what no frame shall show.

    Args:
        value: The argument, wrapped.
        kind: The type of what is in it.
        what: The argument's name, for the error.
        instead: What to give, if the type does not say it all.
        error: Which error to raise.

    Raises:
        InvalidValueError: If it is of another type; the text names argument, both types and what to give.
    """
    if not isinstance(value.reveal(), kind):
        given = type(value.reveal()).__name__
        raise error(f"{what}: must be {kind.__name__}, not {given}{f': {instead}' if instead else ''}")


def check_network_kind(network: object) -> None:
    """Refuse what is not a network, such as the name of one.

    Args:
        network: The argument of this name.

    Raises:
        InvalidValueError: If it is not one.
    """
    names = network.upper() if isinstance(network, str) and network in _NETWORKS else "DEVNET, TESTNET or MAINNET"
    check_kind(network, Network, "network", f"{names} of der_client.stacks.network")


def check_number(value: int, low: int, high: int, what: str, error: type[InvalidValueError] = InvalidValueError) -> int:
    """Refuse what is not a whole number in a range.

    Args:
        value: The number.
        low: The least that is allowed.
        high: The most that is allowed.
        what: The argument's name, for the error.
        error: Which error to raise.

    Returns:
        The number.

    Raises:
        InvalidValueError: If it is not one, or out of range.
    """
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, int)):
        raise error(f"{what}: must be a whole number, not {type(value).__name__} {shown(value)}")
    if not low <= value <= high:
        raise error(f"{what}: {shown(value)} is not in {low}..{high}")
    return value


def check_enum(value: Choice, kind: type[Choice], what: str) -> Choice:
    """Refuse what is not a member of an enumeration.

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
        raise InvalidValueError(f"{what}: must be a member of {kind.__name__}, not {value!r}")
    return value
