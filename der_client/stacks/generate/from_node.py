"""Reads the input of a module from a node."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from der_client.stacks.address import split_principal
from der_client.stacks.clarity.source import Source
from der_client.stacks.errors import AddressError, NotFoundError, SourceError
from der_client.stacks.generate.definitions import Definitions
from der_client.stacks.generate.module import ContractInput
from der_client.stacks.generate.type_syntax import result_in_trait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.generate.type_syntax import Type
    from der_client.stacks.rpc import Client
    from der_client.stacks.rpc.responses import ContractInterface


def read_contract(
    client: Client,
    contract_id: str,
    *,
    source: str | None = None,
    callees: Mapping[str, str] | None = None,
    origin: str | None = None,
) -> ContractInput:
    """Read the source and the interface of a contract from a node, and those of contracts that its source names.

    Args:
        client: The node.
        contract_id: ``ADDRESS.name``.
        source: Its original source, if known; its names of other contracts are read from there.
        callees: The modules and classes of contracts of the same project that it calls.
        origin: The origin that the module names; the contract's id if not given.

    Raises:
        AddressError: If the id is not one of a contract.
        NotFoundError: If the node has no such contract.
        SourceError: If the source cannot be read.
    """
    address, name = split_principal(contract_id)
    if name is None:
        raise AddressError(f"{contract_id} is an address; a contract is given as ADDRESS.name")
    interface = client.contract_interface(contract_id)
    text = client.contract_source(contract_id).source if source is None else source

    def full(named: str) -> str:
        return f"{address}{named}" if named.startswith(".") else named

    @cache
    def interface_of(named: str) -> ContractInterface | None:
        try:
            return client.contract_interface(full(named))
        except (NotFoundError, AddressError):
            return None

    @cache
    def trait_result(named: str, trait: str, function: str) -> Type:
        try:
            defining = Definitions.of(Source.read(client.contract_source(full(named)).source))
        except (NotFoundError, AddressError, SourceError):
            return None
        return result_in_trait(defining.trait_functions.get(trait, {}).get(function))

    return ContractInput(
        name=name,
        source=Source.read(text),
        interface=interface,
        interface_of=interface_of,
        trait_result=trait_result,
        callees=callees or {},
        origin=contract_id if origin is None else origin,
    )
