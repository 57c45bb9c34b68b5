"""Every declared contract is the deployed one: functions, types, constants, errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.contracts import CONTRACTS
from der_client.contracts.asset_verification import AssetError, AssetKind, AssetState, AssetVerification, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState, GridIntegration
from der_client.contracts.market_participation import MarketParticipation, OfferState
from der_client.contracts.production_tracking import DayState, ProductionTracking
from der_client.contracts.settlement import PaymentState, Settlement
from der_client.stacks.clarity import ErrValue, UIntValue
from der_client.stacks.clarity.annotations import UInt
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.interface import differences

if TYPE_CHECKING:
    from enum import IntEnum

    from der_client import Der

SOURCES = Path(__file__).parents[2] / "contracts"


def contracts_of(der: Der) -> list[Contract]:
    return [der.assets, der.production, der.grid, der.market, der.settlement]


def test_declared_contracts_are_the_deployed_ones(der: Der) -> None:
    found = {
        contract.name: differences(type(contract), der.client.contract_interface(contract.contract_id))
        for contract in contracts_of(der)
    }
    assert found == {contract.name: () for contract in CONTRACTS}


def test_error_codes_are_the_deployed_ones(der: Der) -> None:
    for contract in contracts_of(der):
        assert contract.errors is not None
        for error in contract.errors:
            assert der.client.constant_val(contract.contract_id, error.name) == ErrValue(UIntValue(error))


def test_error_codes_are_unique_over_all_contracts_and_lie_in_their_thousand() -> None:
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
def test_enums_are_the_deployed_constants(der: Der, contract: type[Contract], prefix: str, enum: type[IntEnum]) -> None:
    contract_id = f"{der.deployer}.{contract.name}"
    constants = der.client.contract_interface(contract_id).variables
    deployed = {
        name.removeprefix(prefix): der.client.constant_val(contract_id, name).value
        for name in constants
        if name.startswith(prefix)
    }
    assert deployed == {member.name: member.value for member in enum}


def test_enums_without_constants_fill_the_bounds_of_the_contract(der: Der) -> None:
    def constant(contract: type[Contract], name: str) -> object:
        return der.client.constant_val(f"{der.deployer}.{contract.name}", name).value

    assert constant(AssetVerification, "MIN_KIND") == min(AssetKind)
    assert constant(AssetVerification, "MAX_KIND") == max(AssetKind)
    assert constant(GridIntegration, "MAX_ALERT_LEVEL") == max(AlertLevel)


def test_every_topic_in_the_sources_has_an_event_class_of_its_contract() -> None:
    for contract in CONTRACTS:
        source = (SOURCES / f"{contract.name}.clar").read_text()
        topics = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) - {"der-production"}
        assert set(contract.event_models) == topics


def test_differences_are_found_both_ways(der: Der) -> None:
    class Wrong(Contract, name="settlement", errors=AssetError):
        @read_only
        def get_fees(self) -> bool: ...

        @read_only
        def settle(self, payment: UInt) -> bool: ...

        @public
        def invented(self) -> bool: ...

    found = "\n".join(differences(Wrong, der.client.contract_interface(der.settlement.contract_id)))
    assert "get-fees gives bool, but is deployed with uint" in found
    assert "settle is declared read_only, but deployed public" in found
    assert "settle takes [('payment', 'uint')], but is deployed with [('payment-id', 'uint')]" in found
    assert "invented is declared in Wrong, but not deployed" in found
    assert "refund is deployed, but not declared in Wrong" in found
    assert "ERR_PAYMENT_CLOSED is deployed, but not declared" in found
    assert "ERR_NOT_REGISTRAR is declared, but not deployed" in found
