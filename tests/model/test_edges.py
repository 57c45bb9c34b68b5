"""Functions return a result for any arguments, even ones that the typed clients do not send: they never abort."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from der_client.contracts import CONTRACTS
from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    BufferValue,
    ClarityValue,
    ListValue,
    NoneValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
)
from der_client.stacks.clarity.types import (
    BOOL,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    OptionalType,
    TraitType,
    TupleType,
)
from der_client.stacks.contract import Contract
from der_client.stacks.contract.declared import DeclaredFunction
from der_client.stacks.transactions import ContractCall, PostConditionMode
from tests.model.chain import FEE_USTX, Chain
from tests.model.drawing.wrong_arguments import UINT_MAX
from tests.model.people import TOKEN
from tests.model.scenarios import TODAY, forward_with_a_shortfall
from tests.model.twin import Twin

UINTS = (0, 1, 2, 3, 96, 10**9, 10**12, 10**15, 10**15 + 1, 2**96 - 1, 2**127, UINT_MAX, TODAY, TODAY + 1, TODAY + 366)
BYTES = (0, 2, 255)
CALLS_PER_FUNCTION = 6

FUNCTIONS = [(contract, function) for contract in CONTRACTS for function in contract.functions.values()]


@pytest.fixture(scope="module")
def chain(twin: Twin) -> Iterator[Chain]:
    """Contracts that contain offers, payments and days."""
    assert isinstance(twin.chain, Chain)
    with twin.anchor():
        for action in forward_with_a_shortfall():
            twin.do(action)
        yield twin.chain


def value(kind: ClarityType, random: Random, people: list[str], token: str) -> ClarityValue:
    """Return a random value of a type, usually at the edges of its range."""
    match kind:
        case AsciiType():
            return AsciiValue(random.choice(("", "a" * kind.length)))
        case BufferType():
            return BufferValue(bytes([random.choice(BYTES)]) * random.choice((0, kind.length)))
        case OptionalType():
            return SomeValue(value(kind.item, random, people, token)) if random.random() < 0.7 else NoneValue()
        case ListType():
            length = random.choice((0, 1, 2, kind.length))
            return ListValue(tuple(value(kind.item, random, people, token) for _ in range(length)))
        case TraitType():
            return PrincipalValue(token)
        case TupleType():
            return TupleValue({name: value(field, random, people, token) for name, field in kind.fields.items()})
    scalars: dict[ClarityType, Any] = {
        UINT: lambda: UIntValue(random.choice(UINTS)),
        BOOL: lambda: BoolValue(random.random() < 0.5),
        PRINCIPAL: lambda: PrincipalValue(random.choice(people)),
    }
    made: ClarityValue = scalars[kind]()
    return made


@pytest.mark.parametrize(
    ("contract", "function"), FUNCTIONS, ids=[f"{contract.name}.{function.name}" for contract, function in FUNCTIONS]
)
def test_no_call_aborts(chain: Chain, contract: type[Contract], function: DeclaredFunction[..., Any]) -> None:
    random = Random(function.name)  # noqa: S311  # must be repeatable
    people = list(chain.addresses.values())
    token = chain.addresses[TOKEN]
    for _ in range(CALLS_PER_FUNCTION):
        arguments = tuple(value(codec.type, random, people, token) for _, _, codec in function.signature.parameters)
        account = chain.views[random.choice(sorted(chain.views))].account
        assert account is not None
        contract_id = f"{chain.views['alice'].deployer}.{contract.name}"
        if function.access == "read_only":
            account.client.call_read(contract_id, function.name, arguments)  # raises if the call aborts
            continue
        call = ContractCall(contract_id, function.name, arguments)
        draft = account.build(call, mode=PostConditionMode.ALLOW, nonce=0, fee_ustx=FEE_USTX)
        outcome = account.client.simulate(draft.encode())
        assert outcome.vm_error is None, f"{call}: {outcome.vm_error}"
        assert outcome.raw_result[:1] in (b"\x07", b"\x08")
