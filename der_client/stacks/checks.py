"""Refuses an argument of a wrong type where it is given, before something deeper stumbles over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.stacks.errors import InvalidValueError
from der_client.stacks.network import Network

if TYPE_CHECKING:
    from der_client.stacks.secret import Secret


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
        InvalidValueError: it is of another type; the text names argument, both types and what to give.
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
    """Refuse what is no network, such as the name of one.

    Args:
        network: The argument of this name.

    Raises:
        InvalidValueError: it is none.
    """
    check_kind(network, Network, "network", "DEVNET, TESTNET or MAINNET of der_client.stacks.network")
