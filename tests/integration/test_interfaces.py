"""The declared contracts match the deployed ones: functions, types, constants and errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel, ConfigDict

from der_client.contracts import CONTRACTS
from der_client.contracts.asset_verification import AssetError, AssetKind, AssetState, AssetVerification, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState, GridIntegration
from der_client.contracts.market_participation import MarketParticipation, OfferState
from der_client.contracts.production_tracking import DayState, ProductionTracking
from der_client.contracts.settlement import PaymentState, Settlement
from der_client.stacks.clarity import (
    UINT,
    AsciiType,
    AsciiValue,
    ClarityValue,
    ErrValue,
    NoneValue,
    OkValue,
    OptionalType,
    ResponseType,
    SomeValue,
    UIntValue,
)
from der_client.stacks.contract import Contract, ErrorCode, public, read_only
from der_client.stacks.contract.annotations import ClarityName, MaxLength, Trait, UInt
from der_client.stacks.contract.interface import differences
from der_client.stacks.errors import ContractError, EncodeError, TransactionFailedError
from der_client.stacks.transactions import ContractPublish

if TYPE_CHECKING:
    from enum import IntEnum

    from der_client import Der

SOURCES = Path(__file__).parents[2] / "contracts"


def contracts_of(der: Der) -> list[Contract]:
    return [der.assets, der.production, der.grid, der.market, der.settlement]


def test_declared_contracts_match_the_deployed_ones(der: Der) -> None:
    found = {contract.name: contract.differences() for contract in contracts_of(der)}
    assert found == {contract.name: () for contract in CONTRACTS}


def test_the_codes_of_errors_are_compared(der: Der) -> None:
    class NearlyError(ErrorCode):
        ERR_NOT_REGISTRAR = int(AssetError.ERR_NOT_REGISTRAR) + 1

    class Nearly(AssetVerification, name="asset-verification", errors=NearlyError):
        pass

    wrong, right = int(NearlyError.ERR_NOT_REGISTRAR), int(AssetError.ERR_NOT_REGISTRAR)
    assert Nearly(der.client, der.deployer).differences() == (
        f"ERR_NOT_REGISTRAR is declared as u{wrong}, but deployed as (err u{right})",
    )


def test_every_error_of_the_contracts_is_declared_and_a_uint(der: Der) -> None:
    for contract in contracts_of(der):
        interface = der.client.contract_interface(contract.contract_id)
        deployed = {name for name in interface.variables if name.startswith("ERR_")}
        assert {error.name for error in contract.errors or ()} == deployed
        outputs = [function.output for function in interface.functions.values() if function.access == "public"]
        assert {str(output.error) for output in outputs if isinstance(output, ResponseType)} <= {"uint", "none"}


def test_error_codes_are_unique_and_in_the_contracts_range() -> None:
    codes = [(number, error) for number, contract in enumerate(CONTRACTS, 1) for error in contract.errors or ()]
    assert len({int(error) for _, error in codes}) == len(codes)
    assert all(error // 1000 == number for number, error in codes)


STATES: list[tuple[type[Contract], str, type[IntEnum]]] = [
    (AssetVerification, "ROLE_", Role),
    (AssetVerification, "STATE_", AssetState),
    (ProductionTracking, "STATE_", DayState),
    (GridIntegration, "STATE_", ConnectionState),
    (MarketParticipation, "STATE_", OfferState),
    (Settlement, "STATE_", PaymentState),
]


@pytest.mark.parametrize(("contract", "prefix", "enum"), STATES)
def test_enums_match_the_deployed_constants(
    der: Der, contract: type[Contract], prefix: str, enum: type[IntEnum]
) -> None:
    contract_id = f"{der.deployer}.{contract.name}"
    constants = der.client.contract_interface(contract_id).variables
    deployed = {
        name.removeprefix(prefix): der.client.constant_val(contract_id, name).value
        for name in constants
        if name.startswith(prefix)
    }
    assert deployed == {member.name: member.value for member in enum}


def test_enums_without_constants_match_the_contracts_limits(der: Der) -> None:
    def constant(contract: type[Contract], name: str) -> object:
        return der.client.constant_val(f"{der.deployer}.{contract.name}", name).value

    assert constant(AssetVerification, "MIN_KIND") == min(AssetKind)
    assert constant(AssetVerification, "MAX_KIND") == max(AssetKind)
    assert constant(GridIntegration, "MAX_ALERT_LEVEL") == max(AlertLevel)


def test_every_topic_in_the_sources_has_an_event_class() -> None:
    for contract in CONTRACTS:
        topics = topics_of(contract)
        declared = {event.topic for event in contract.event_classes}
        assert not topics - declared, f"events= of {contract.__name__} lacks classes for {sorted(topics - declared)}"
        assert not declared - topics, f"{contract.name} does not print {sorted(declared - topics)}"


def test_every_topic_is_in_a_comment_of_its_contract() -> None:
    """The contract reference is generated from these comments."""
    for contract in CONTRACTS:
        lines = (SOURCES / f"{contract.name}.clar").read_text().splitlines()
        comments = "\n".join(line.partition(";;")[2] for line in lines)
        printed = topics_of(contract) - {f"{contract.name}-deployed"}  # not printed by a function
        missing = sorted(topic for topic in printed if f'"{topic}"' not in comments)
        assert not missing, f"{contract.name}.clar: say in the comment over the function that it prints {missing}"


def topics_of(contract: type[Contract]) -> set[str]:
    source = (SOURCES / f"{contract.name}.clar").read_text()
    return set(re.findall(r'(?:topic: |close-(?:offer|payment) [^"]*)"([a-z-]+)"', source))


ODD = """
(define-trait counting ((count () (response uint uint))))
(define-read-only (is-ok? (amount? uint)) (> amount? u0))
(define-read-only (snake_case (x uint)) x)
(define-read-only (twice (x (optional (optional uint)))) x)
(define-read-only (show (row {a_b: uint, ok?: bool})) row)
(define-read-only (text-error (x uint)) (if (> x u0) (ok x) (err "bad")))
(define-read-only (mixed (items (list 3 (response uint (string-ascii 3))))) items)
(define-public (via! (counter <counting>)) (contract-call? counter count))
(define-public (tuple-error (x uint)) (if (> x u0) (ok x) (err {why: "bad", code: x})))
(define-public (always-fails) (err u9))
"""
SEVEN = "(define-public (count) (ok u7))"
TWICE = OptionalType(OptionalType(UINT))
MIXED = ResponseType(UINT, AsciiType(3))


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)
    a_b: Annotated[UInt, ClarityName("a_b")]
    ok: Annotated[bool, ClarityName("ok?")]


class Odd(Contract, name="odd"):
    @read_only(name="is-ok?")
    def is_ok(self, amount: Annotated[UInt, ClarityName("amount?")]) -> bool: ...

    @read_only(name="snake_case")
    def snake_case(self, x: UInt) -> UInt: ...

    @read_only
    def twice(self, x: Annotated[ClarityValue, TWICE]) -> Annotated[ClarityValue, TWICE]: ...

    @read_only
    def show(self, row: Row) -> Row: ...

    @read_only
    def text_error(self, x: UInt) -> UInt: ...

    @read_only
    def mixed(
        self, items: Annotated[Sequence[Annotated[ClarityValue, MIXED]], MaxLength(3)]
    ) -> Annotated[tuple[Annotated[ClarityValue, MIXED], ...], MaxLength(3)]: ...

    @public(name="via!")
    def via(self, counter: Trait) -> UInt: ...

    @public
    def tuple_error(self, x: UInt) -> UInt: ...

    @public
    def always_fails(self) -> None: ...


@pytest.fixture
def odd(der: Der) -> Odd:
    """A contract with names and types that Python cannot express directly."""
    account = der.account
    assert account is not None
    for name, code in (("odd", ODD), ("seven", SEVEN)):
        account.submit(ContractPublish(name, code, 4)).wait()
    return Odd(der.client, account.address, account)


def test_any_contract_can_be_declared(odd: Odd) -> None:
    assert differences(Odd, odd.client.contract_interface(odd.contract_id)) == ()


def test_any_contract_can_be_read(odd: Odd) -> None:
    assert odd.is_ok(1) is True
    assert odd.snake_case(5) == 5
    for value in (NoneValue(), SomeValue(NoneValue()), SomeValue(SomeValue(UIntValue(1)))):
        assert odd.twice(value) == value
    assert odd.show(Row(a_b=1, ok=True)) == Row(a_b=1, ok=True)
    items = (OkValue(UIntValue(1)), ErrValue(AsciiValue("bad")))
    assert odd.mixed(items) == items
    assert odd.text_error(1) == 1
    with pytest.raises(TransactionFailedError, match=r'odd.text-error returned \(err "bad"\)') as caught:
        odd.text_error(0)
    assert caught.value.result == AsciiValue("bad")


def test_any_contract_can_be_called(odd: Odd) -> None:
    assert odd.via(f"{odd.deployer}.seven").send().wait().value == 7
    assert odd.tuple_error(1).send().wait().value == 1
    with pytest.raises(
        TransactionFailedError, match=r'odd.tuple-error returned \(err \(tuple \(code u0\) \(why "bad"\)'
    ):
        odd.tuple_error(0).send().wait()
    with pytest.raises(ContractError, match=r"odd\.always-fails: u9") as failed:
        odd.always_fails().send().wait()
    assert failed.value.result == UIntValue(9)
    with pytest.raises(EncodeError, match=r"via\.counter: .* is not a contract"):
        odd.via(odd.deployer)


def test_differences_are_found_in_both_directions(der: Der) -> None:
    class Wrong(Contract, name="settlement", errors=AssetError):
        @read_only
        def get_fees(self) -> bool: ...

        @read_only
        def settle(self, payment: UInt) -> bool: ...

        @public
        def invented(self) -> bool: ...

    found = "\n".join(differences(Wrong, der.client.contract_interface(der.settlement.contract_id)))
    assert "get-fees returns bool, but is deployed with uint" in found
    assert "settle is declared read_only, but deployed public" in found
    assert "settle takes (payment uint), but is deployed with (payment-id uint)" in found
    assert "invented is declared in Wrong, but not deployed" in found
    assert "refund is deployed, but not declared in Wrong" in found
    assert "ERR_NOT_REGISTRAR is declared, but not deployed" in found
