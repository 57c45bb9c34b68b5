"""Comparison of declared classes with the interfaces of deployed contracts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import pytest

from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BoolValue,
    BufferType,
    ErrValue,
    IntValue,
    NoneType_,
    ResponseType,
    TupleType,
    UIntValue,
)
from der_client.stacks.contract import (
    ClarityName,
    Contract,
    ErrorCode,
    Model,
    Principal,
    UInt,
    constant,
    data_map,
    data_var,
    differences,
    public,
    read_only,
)
from der_client.stacks.contract.interface import compared_constants
from der_client.stacks.rpc.responses import (
    ArgumentInterface,
    ContractInterface,
    FunctionInterface,
    MapInterface,
    VariableInterface,
)


class Sip(Contract):
    @read_only
    def get_supply(self) -> UInt:
        raise NotImplementedError

    @public
    def transfer(self, amount: UInt, to: Principal) -> bool:
        raise NotImplementedError


class ShopError(ErrorCode):
    ERR_UNAUTHORISED = 101
    ERR_AMOUNT = 3000, "the amount is zero"
    ERR_ODD = 4, "", "err-what?"
    ERR_LITERAL = 5, "written as a number in the source", None


class Row(Model):
    owner: Principal


class Key(Model):
    of: Principal
    number: UInt


class Usd(Sip, name="usd", errors=ShopError):
    @data_var
    def fee_bps(self) -> UInt:
        raise NotImplementedError

    @constant(name="MAX-FEE")
    def max_fee(self) -> UInt:
        raise NotImplementedError

    @data_map
    def rows(self, row_id: UInt) -> Row | None:
        raise NotImplementedError

    @data_map(name="rows_of")
    def rows_of(self, key: Key) -> UInt | None:
        raise NotImplementedError


def function(name: str, access: str, output: Any, **arguments: Any) -> FunctionInterface:
    return FunctionInterface(name, access, tuple(ArgumentInterface(*each) for each in arguments.items()), output)


def interface(*extra: FunctionInterface, **variables: VariableInterface) -> ContractInterface:
    functions = [
        function("get-supply", "read_only", ResponseType(UINT, AsciiType(9))),
        function("transfer", "public", ResponseType(BOOL, INT), amount=UINT, to=PRINCIPAL),
        function("hidden", "private", UINT),
        *extra,
    ]
    shown = [
        VariableInterface("fee-bps", "variable", UINT),
        VariableInterface("MAX-FEE", "constant", UINT),
        VariableInterface("err-unauthorised", "constant", ResponseType(UINT, UINT)),
        VariableInterface("ERR-AMOUNT", "constant", UINT),
        VariableInterface("err-what?", "constant", UINT),
        VariableInterface("ERR_TRANSFER_INDEX_PREFIX", "constant", UINT),
        *variables.values(),
    ]
    row = TupleType({"owner": PRINCIPAL})
    maps = [
        MapInterface("rows", UINT, row),
        MapInterface("rows_of", TupleType({"of": PRINCIPAL, "number": UINT}), UINT),
        MapInterface("not-declared", BufferType(4), UINT),
    ]
    return ContractInterface(
        functions={each.name: each for each in functions},
        variables={each.name: each for each in shown},
        maps={each.name: each for each in maps},
        fungible_tokens=(),
        non_fungible_tokens={},
        epoch=None,
        clarity_version=None,
    )


def test_inherited_declarations_and_names_in_any_spelling_match() -> None:
    assert set(Usd.functions) == {"get-supply", "transfer"}
    assert differences(Usd, interface()) == ()


def test_interface_classes_ignore_undeclared_functions() -> None:
    more = function("mint", "public", ResponseType(BOOL, UINT), amount=UINT)
    assert differences(Sip, interface(more)) == ()
    assert differences(Usd, interface(more)) == ("mint is deployed, but not declared in Usd",)


def test_interface_classes_allow_narrower_results_and_other_argument_names() -> None:
    class Named(Contract):
        @read_only
        def get_name(self, of: UInt) -> Annotated[str, AsciiType(32)]:
            raise NotImplementedError

    class Exact(Contract, name="exact"):
        @read_only
        def get_name(self, of: UInt) -> Annotated[str, AsciiType(32)]:
            raise NotImplementedError

    class Inherited(Named, name="inherited"):
        pass

    def deployed(length: int) -> ContractInterface:
        shown = function("get-name", "read_only", ResponseType(AsciiType(length), NoneType_()), id=UINT)
        return replace(interface(), functions={"get-name": shown})

    assert differences(Named, deployed(4)) == differences(Inherited, deployed(4)) == ()
    assert len(differences(Exact, deployed(4))) == 2
    (difference,) = differences(Inherited, deployed(33))
    assert difference == "get-name returns (string-ascii 32), but is deployed with (response (string-ascii 33) none)"


def test_every_declaration_is_compared() -> None:
    class Wrong(Usd, name="wrong"):
        @data_var
        def fee_bps(self) -> bool:
            raise NotImplementedError

        @data_var(name="MAX-FEE")
        def max_fee(self) -> UInt:
            raise NotImplementedError

        @constant
        def nowhere(self) -> UInt:
            raise NotImplementedError

        @data_map
        def rows(self, row_id: Principal) -> Row | None:  # type: ignore[override]
            raise NotImplementedError

        @data_map
        def missing(self, key: UInt) -> UInt | None:
            raise NotImplementedError

        @public
        def transfer(  # type: ignore[override]
            self, amount: UInt, recipient: Annotated[Principal, ClarityName("to")]
        ) -> UInt:
            raise NotImplementedError

    assert set(differences(Wrong, interface())) == {
        "variable fee-bps is bool, but is deployed as uint",
        "MAX-FEE is declared as a variable, but deployed as a constant",
        "constant nowhere is declared in Wrong, but not deployed",
        "map rows is declared from principal to {owner: principal}, but deployed from uint to {owner: principal}",
        "map missing is declared in Wrong, but not deployed",
        "transfer returns uint, but is deployed with (response bool int)",
    }


def test_values_of_constants_are_compared_if_declared() -> None:
    class Valued(Usd, name="valued"):
        @constant(name="MAX-FEE", value=50)
        def max_fee(self) -> UInt:
            raise NotImplementedError

    assert compared_constants(Valued, interface()) == ("ERR-AMOUNT", "MAX-FEE", "err-unauthorised", "err-what?")
    assert "MAX-FEE" not in compared_constants(Usd, interface())
    right = {
        "ERR-AMOUNT": UIntValue(3000),
        "MAX-FEE": UIntValue(50),
        "err-unauthorised": ErrValue(UIntValue(101)),
        "err-what?": UIntValue(4),
    }
    assert differences(Valued, interface(), right) == ()
    assert differences(Valued, interface(), right | {"err-unauthorised": ErrValue(IntValue(101))}) == ()
    assert differences(Valued, interface(), right | {"ERR-AMOUNT": IntValue(-3)}) == (
        "ERR_AMOUNT is declared as 3000, but deployed as -3",
    )
    wrong = {"MAX-FEE": UIntValue(51), "err-unauthorised": ErrValue(UIntValue(102)), "err-what?": BoolValue(True)}
    assert set(differences(Valued, interface(), right | wrong)) == {
        "constant MAX-FEE is declared as u50, but deployed as u51",
        "ERR_UNAUTHORISED is declared as u101, but deployed as (err u102)",
        "err-what? is declared as u4, but deployed as true",
    }
    assert differences(Usd, interface(), {"MAX-FEE": UIntValue(51)}) == ()


def test_an_error_code_that_is_not_deployed_is_reported() -> None:
    class MoreError(ErrorCode):
        ERR_GONE = 9

    class More(Usd, name="more", errors=MoreError):
        pass

    assert More.error_codes == (MoreError, ShopError)
    assert differences(More, interface()) == ("ERR_GONE is declared, but not deployed",)


def test_a_map_whose_entries_cannot_be_missing_is_rejected() -> None:
    class Careless(Contract, name="careless"):
        @data_map
        def rows(self, row_id: UInt) -> Row:
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"rows returns .*, but an entry may be missing: write … \| None"):
        differences(Careless, interface())


def test_parameters_of_variables_and_maps_are_checked_when_declared() -> None:
    with pytest.raises(TypeError, match="a DataVar has no parameters but self"):

        class Var(Contract, name="var"):
            @data_var  # type: ignore[arg-type]
            def fee(self, of: UInt) -> UInt:
                raise NotImplementedError

    with pytest.raises(TypeError, match="a map has one parameter, its key"):

        class Map(Contract, name="map"):
            @data_map
            def rows(self, first: UInt, second: UInt) -> UInt | None:
                raise NotImplementedError
