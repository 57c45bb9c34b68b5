"""Compares a declared contract with the interface of the deployed one, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.stacks.clarity import ErrValue, IntValue, UIntValue
from der_client.stacks.clarity.types import (
    AsciiType,
    BufferType,
    ListType,
    NoneType_,
    OptionalType,
    ResponseType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.contract.declared import check_map_entry
from der_client.stacks.contract.errors import same_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from der_client.stacks.clarity import ClarityType, ClarityValue
    from der_client.stacks.contract.declarations import ContractDeclaration
    from der_client.stacks.contract.declared import DataMap, Declared, DeclaredFunction
    from der_client.stacks.contract.errors import ErrorCode
    from der_client.stacks.rpc.responses import ContractInterface, FunctionInterface, MapInterface, VariableInterface


def differences(
    contract: type[ContractDeclaration], interface: ContractInterface, values: Mapping[str, ClarityValue] | None = None
) -> tuple[str, ...]:
    """Return what differs between a declared contract and a deployed one, a sentence each; empty if nothing does.

    Compares the public and read-only functions, their parameters and results, and the declared variables, maps,
    constants and error constants. A deployed function that is not declared is a difference, too. Error constants match
    regardless of case, hyphens and underscores. The error types of responses are not compared.

    If the class is an interface, the contract may have more functions. Where an interface declares something, even if a
    class inherits it, the contract may have other parameter names, wider parameters and narrower results, such as a
    shorter text: the interface still holds.

    Args:
        contract: The declaring class.
        interface: The interface of the deployed contract (GET /v2/contracts/interface).
        values: The values of deployed constants by name, which the interface does not have; those of
            `compared_constants` are compared with the declared error numbers, and with ``@constant(value=…)``.
    """
    return (*_differences(contract, interface), *_value_differences(contract, interface, values or {}))


def compared_constants(contract: type[ContractDeclaration], interface: ContractInterface) -> tuple[str, ...]:
    """Return the names of the deployed constants whose values a class declares.

    Args:
        contract: The declaring class.
        interface: The interface of the deployed contract.
    """
    deployed = {name for name, each in interface.variables.items() if each.access == "constant"}
    errors = _error_constants(contract, interface)
    declared = {name for name, each in contract.constants.items() if each.has_value} & deployed
    return tuple(sorted(declared | {name for name, _ in errors}))


def _error_constants(contract: type[ContractDeclaration], interface: ContractInterface) -> list[tuple[str, ErrorCode]]:
    """Return the deployed constants of the declared errors."""
    deployed = {same_name(name): name for name, each in interface.variables.items() if each.access == "constant"}
    errors = [error for codes in contract.error_codes for error in codes if error.constant is not None]
    named = [(deployed.get(same_name(error.constant or "")), error) for error in errors]
    return [(name, error) for name, error in named if name is not None]


def _value_differences(
    contract: type[ContractDeclaration], interface: ContractInterface, values: Mapping[str, ClarityValue]
) -> Iterator[str]:
    for name, error in _error_constants(contract, interface):
        value = values.get(name)
        number = value.value if isinstance(value, ErrValue) else value
        if isinstance(number, UIntValue | IntValue) and number.value == int(error):
            continue
        if value is not None:
            prefix = "" if isinstance(number, IntValue) else "u"
            yield f"{error.constant} is declared as {prefix}{int(error)}, but deployed as {value}"
    for name, declared in contract.constants.items():
        if declared.has_value and name in values:
            value = declared.signature.result.encode(declared.value, f"{declared.__qualname__}: value")
            if value != values[name]:
                yield f"constant {name} is declared as {value}, but deployed as {values[name]}"


def _differences(contract: type[ContractDeclaration], interface: ContractInterface) -> Iterator[str]:
    deployed = {name: function for name, function in interface.functions.items() if function.access != "private"}
    if contract.name:
        for name in deployed.keys() - contract.functions.keys():
            yield f"{name} is deployed, but not declared in {contract.__name__}"
    for name, function in contract.functions.items():
        if name in deployed:
            yield from _function_differences(function, deployed[name])
        else:
            yield f"{name} is declared in {contract.__name__}, but not deployed"
    yield from _variable_differences(contract, interface)
    yield from _map_differences(contract, interface)
    constants = {same_name(name) for name, each in interface.variables.items() if each.access == "constant"}
    for error in (error for codes in contract.error_codes for error in codes):
        if error.constant is not None and same_name(error.constant) not in constants:
            yield f"{error.constant} is declared, but not deployed"


def _function_differences(declared: DeclaredFunction[..., Any], deployed: FunctionInterface) -> Iterator[str]:
    if declared.access != deployed.access:
        yield f"{declared.name} is declared {declared.access}, but deployed {deployed.access}"
    parameters = [(name, codec.type) for name, _, codec in declared.signature.parameters]
    arguments = [(argument.name, argument.type) for argument in deployed.arguments]
    if declared.is_exact:
        is_same = _text_of(parameters) == _text_of(arguments)
    else:
        is_same = len(parameters) == len(arguments) and all(
            _admits(wide, narrow) for (_, narrow), (_, wide) in zip(parameters, arguments, strict=True)
        )
    if not is_same:
        yield f"{declared.name} takes {_text_of(parameters)}, but is deployed with {_text_of(arguments)}"
    result, output = declared.signature.result.type, deployed.output
    inner = output.ok if isinstance(output, ResponseType) else output
    is_possible = declared.access != "public" or isinstance(output, ResponseType)
    if not is_possible or not (str(inner) == str(result) if declared.is_exact else _admits(result, inner)):
        yield f"{declared.name} returns {result}, but is deployed with {output}"


def _text_of(parameters: list[tuple[str, ClarityType]]) -> str:
    """Return parameters as Clarity writes them."""
    return " ".join(f"({name} {kind})" for name, kind in parameters) or "nothing"


def _admits(wide: ClarityType, narrow: ClarityType) -> bool:
    """Return whether every value of one type is also a value of another."""
    match wide, narrow:
        case _, NoneType_():
            return True
        case (BufferType(), BufferType()) | (AsciiType(), AsciiType()) | (Utf8Type(), Utf8Type()):
            return bool(narrow.length <= wide.length)  # type: ignore[attr-defined]
        case OptionalType(), OptionalType():
            return _admits(wide.item, narrow.item)
        case ListType(), ListType():
            return narrow.length <= wide.length and _admits(wide.item, narrow.item)
        case ResponseType(), ResponseType():
            return _admits(wide.ok, narrow.ok) and _admits(wide.error, narrow.error)
        case TupleType(), TupleType():
            return wide.fields.keys() == narrow.fields.keys() and all(
                _admits(kind, narrow.fields[name]) for name, kind in wide.fields.items()
            )
    return str(wide) == str(narrow)


def _variable_differences(contract: type[ContractDeclaration], interface: ContractInterface) -> Iterator[str]:
    for access, declared in (("variable", contract.data_vars), ("constant", contract.constants)):
        each: Declared[..., Any]
        for name, each in declared.items():
            deployed: VariableInterface | None = interface.variables.get(name)
            if deployed is None:
                yield f"{access} {name} is declared in {contract.__name__}, but not deployed"
            elif deployed.access != access:
                yield f"{name} is declared as a {access}, but deployed as a {deployed.access}"
            elif str(each.signature.result.type) != str(deployed.type):
                yield f"{access} {name} is {each.signature.result.type}, but is deployed as {deployed.type}"


def _map_differences(contract: type[ContractDeclaration], interface: ContractInterface) -> Iterator[str]:
    declared: DataMap[..., Any]
    for name, declared in contract.data_maps.items():
        deployed: MapInterface | None = interface.maps.get(name)
        if deployed is None:
            yield f"map {name} is declared in {contract.__name__}, but not deployed"
            continue
        ((_, _, key),) = declared.signature.parameters
        entry = check_map_entry(declared)
        if (str(key.type), str(entry)) != (str(deployed.key), str(OptionalType(deployed.value))):
            yield (
                f"map {name} is declared from {key.type} to {entry.item}, but deployed from {deployed.key} to "
                f"{deployed.value}"
            )
