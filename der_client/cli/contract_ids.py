"""Contracts by the names that people type: one of the five, another one of their deployer, or any id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.cli.completion import CONTRACTS
from der_client.stacks.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from der_client.cli.options import OnContracts
    from der_client.stacks.contract import Contract
    from der_client.stacks.rpc.responses import ContractInterface, FunctionInterface


def contract_id(on: OnContracts, text: str) -> str:
    """Return the id of a contract.

    Args:
        on: The options, which say whose contract a bare name means.
        text: ``market`` and the like, a contract's name, or ``ADDRESS.name``, where the address can be a key's name.

    Raises:
        InvalidValueError: If it is not a valid id.
    """
    from der_client.stacks.address import canonical_principal  # noqa: PLC0415 -- `der --help` stays fast

    owner, dot, name = text.partition(".")
    if not dot:
        return canonical_principal(f"{on.contracts_of}.{CONTRACTS.get(text, text)}")
    address = on.book.address(owner, "CONTRACT") if owner else on.contracts_of
    return canonical_principal(f"{address}.{name}")


def principal(on: OnContracts, text: str, option: str) -> str:
    """Return the principal of a key's name, of one of the five contracts, or of any address.

    Raises:
        InvalidValueError: If it is none of these.
    """
    if text not in on.book.by_name and (text in CONTRACTS or text in CONTRACTS.values()):
        return contract_id(on, text)
    return on.book.address(text, option)


def interface_of(on: OnContracts, contract: str) -> ContractInterface:
    """Return the interface of a contract.

    Raises:
        InvalidValueError: If it is not deployed.
    """
    try:
        return on.client.contract_interface(contract)
    except NotFoundError:
        raise InvalidValueError(
            f"contract {contract} not found at {on.client.url}; check its address and name, and the network"
        ) from None


def function_of(
    interface: ContractInterface, contract: str, name: str, access: str, other_command: str
) -> FunctionInterface:
    """Return a public or a read-only function of a contract.

    Raises:
        InvalidValueError: If the contract has no such function; the message lists those it has.
    """
    found = interface.functions.get(name)
    if found is not None and found.access == access:
        return found
    word = "read-only" if access == "read_only" else access
    if found is not None and found.access != "private":
        raise InvalidValueError(f"{name} of {contract} is not {word}: use 'der {other_command}'")
    names = ", ".join(sorted(each.name for each in interface.functions.values() if each.access == access)) or "none"
    raise InvalidValueError(f"{contract} has no {word} function {name!r}; it has: {names}")


def typed_contract(on: OnContracts, contract: str) -> Contract | None:
    """Return the typed client of a contract if it is one of the five."""
    if contract.partition(".")[0] != _deployer_or_none(on):
        return None
    der = on.der
    members: tuple[Contract, ...] = (der.assets, der.production, der.grid, der.market, der.settlement)
    return next((member for member in members if member.contract_id == contract), None)


def _deployer_or_none(on: OnContracts) -> str | None:
    """Return who deployed the five contracts; None if unknown: commands for any contract do not need it."""
    from der_client.stacks.errors import DeploymentError  # noqa: PLC0415 -- `der --help` stays fast

    try:
        return on.contracts_of
    except DeploymentError:
        return None
