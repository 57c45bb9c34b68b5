"""Compares a declared contract with the interface of the deployed one, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.clarity import UINT, NoneType_, ResponseType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from der_client.stacks.clarity import ClarityType
    from der_client.stacks.contract.contract import Contract
    from der_client.stacks.contract.declared import DeclaredFunction
    from der_client.stacks.rpc.answers import ContractInterface, FunctionInterface


def differences(contract: type[Contract], interface: ContractInterface) -> tuple[str, ...]:
    """What differs between a declared contract and a deployed one, a sentence each; empty if nothing does.

    Compares the public and read-only functions, their parameters and results, and the error constants' names. What a
    function gives in ``(err …)`` is a uint where the class declares error codes, else it may be anything.

    Args:
        contract: The declaring class.
        interface: The interface of the deployed contract (GET /v2/contracts/interface).
    """
    return tuple(_differences(contract, interface))


def _differences(contract: type[Contract], interface: ContractInterface) -> Iterator[str]:
    deployed = {name: function for name, function in interface.functions.items() if function.access != "private"}
    for name in deployed.keys() - contract.functions.keys():
        yield f"{name} is deployed, but not declared in {contract.__name__}"
    for name in contract.functions.keys() - deployed.keys():
        yield f"{name} is declared in {contract.__name__}, but not deployed"
    for name in contract.functions.keys() & deployed.keys():
        yield from _function_differences(contract.functions[name], deployed[name], has_codes=bool(contract.errors))
    constants = {name for name, variable in interface.variables.items() if variable.access == "constant"}
    deployed_errors = {name for name in constants if name.startswith("ERR_")}
    declared_errors = set(contract.errors.__members__) if contract.errors else set()
    for name in deployed_errors ^ declared_errors:
        where = "deployed, but not declared" if name in deployed_errors else "declared, but not deployed"
        yield f"{name} is {where}"


def _function_differences(
    declared: DeclaredFunction[..., Any], deployed: FunctionInterface, *, has_codes: bool
) -> Iterator[str]:
    if declared.access != deployed.access:
        yield f"{declared.name} is declared {declared.access}, but deployed {deployed.access}"
    declared_parameters = [(name, str(codec.type)) for name, _, codec in declared.signature.parameters]
    deployed_parameters = [(argument.name, str(argument.type)) for argument in deployed.arguments]
    if declared_parameters != deployed_parameters:
        yield f"{declared.name} takes {declared_parameters}, but is deployed with {deployed_parameters}"
    result = declared.signature.result.type
    if not _fits(result, deployed.output, must_be_response=declared.access == "public"):
        yield f"{declared.name} gives {result}, but is deployed with {deployed.output}"
    if has_codes and isinstance(deployed.output, ResponseType) and deployed.output.error not in (UINT, NoneType_()):
        yield f"{declared.name} has error codes, but is deployed with errors of type {deployed.output.error}"


def _fits(result: ClarityType, output: ClarityType, *, must_be_response: bool) -> bool:
    if isinstance(output, ResponseType):
        return str(output.ok) == str(result)
    return not must_be_response and str(output) == str(result)
