"""Declarations of contracts: names, parameters and invalid declarations."""

from __future__ import annotations

import contextlib
import gc
import inspect
import warnings
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, assert_type
from unittest.mock import Mock

import pytest

from der_client.stacks.account import PendingTransaction
from der_client.stacks.clarity import UIntValue, encode
from der_client.stacks.contract import Code, Contract, Event, Model, Pending, UnsentCallWarning, public, read_only
from der_client.stacks.contract.annotations import ClarityName, UInt
from der_client.stacks.contract.async_call import AsyncCall
from der_client.stacks.contract.call import Call
from der_client.stacks.contract.declared import PublicFunction, ReadOnlyFunction
from der_client.stacks.contract.events import EventRecord
from der_client.stacks.errors import EncodeError, InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import PostCondition

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


def nothing(_contract: Contract, _amount: int) -> tuple[PostCondition, ...]:
    return ()


class Odd(Contract, name="odd"):
    @read_only(name="is-ok?")
    def is_ok(self, limit: Annotated[UInt, ClarityName("limit?")]) -> bool:
        raise NotImplementedError

    @read_only()
    def get_count(self) -> UInt:
        """Return the count."""
        raise NotImplementedError

    @public(name="snake_case!")
    def snake_case(self, first: UInt, second: UInt = 5, *, third: UInt) -> bool:
        raise NotImplementedError

    @public()
    def do_it(self) -> bool:
        raise NotImplementedError

    @public(name="pay!", moves=nothing)
    def pay(self, amount: UInt) -> bool:
        raise NotImplementedError


def odd() -> Odd:
    return Odd(Client("http://localhost:1", network=DEVNET), ADDRESS)


def test_names_that_are_not_python_identifiers_can_be_declared() -> None:
    assert set(Odd.functions) == {"is-ok?", "get-count", "snake_case!", "do-it", "pay!"}
    assert [name for name, _, _ in Odd.functions["is-ok?"].signature.parameters] == ["limit?"]
    assert odd().pay(1).payload.function == "pay!"
    assert odd().pay(1).post_conditions == ()


def test_calls_have_the_types_of_the_methods() -> None:
    # mypy checks these types; nothing here sends a request.
    contract = odd()
    if TYPE_CHECKING:
        assert_type(contract.is_ok(1), bool)
        assert_type(contract.get_count(), int)
        contract.is_ok("1")  # type: ignore[arg-type]
        assert_type(contract.snake_case(1, third=3), Call[bool])
        assert_type(contract.do_it(), Call[bool])
        assert_type(contract.pay(1), Call[bool])
    assert isinstance(Odd.is_ok, ReadOnlyFunction)
    assert isinstance(Odd.pay, PublicFunction)


async def awaited(contract: Odd) -> None:
    """Let mypy check the types of awaited results and of arguments."""
    assert_type(await contract.is_ok.aio(1), bool)
    assert_type(await contract.differences.aio(), tuple[str, ...])
    assert_type(contract.do_it.aio(), AsyncCall[bool])
    assert_type(contract.events.aio(follow=True), AsyncGenerator[EventRecord, None])
    await contract.is_ok.aio("1")  # type: ignore[arg-type]
    contract.is_ok.aio(1)  # type: ignore[unused-coroutine]


def test_defaults_and_keyword_arguments_work_as_in_python() -> None:
    assert odd().snake_case(1, third=3).arguments == (UIntValue(1), UIntValue(5), UIntValue(3))
    assert odd().snake_case(third=3, second=2, first=1).arguments == (UIntValue(1), UIntValue(2), UIntValue(3))
    with pytest.raises(TypeError, match=r"snake_case\(\).*positional"):
        odd().snake_case(1, 2, 3)  # type: ignore[call-arg]


@pytest.mark.parametrize("account", [PrivateKey.generate(), ADDRESS])
def test_a_contract_needs_an_account_object(account: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"account must be Account, got .*Account\(key, client\)"):
        Odd(odd().client, ADDRESS, account)


@pytest.mark.parametrize("client", ["http://localhost:3999", None, odd])
def test_a_contract_needs_a_client_object(client: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"client must be Client, got .*Client\(url\)"):
        Odd(client, ADDRESS)
    with pytest.raises(InvalidValueError, match="client must be Client"):
        Odd.at(client, f"{ADDRESS}.odd")


DECLARE: list[Callable[..., Any]] = [read_only, public, read_only(), public(name="fine")]


@pytest.mark.parametrize("name", ["is ok", "", "1st", "a" * 129, 5])
def test_invalid_names_are_rejected_when_declared(name: Any) -> None:
    def function(self: object) -> bool:
        raise NotImplementedError

    for declare in (read_only(name=name), public(name=name)):
        with pytest.raises(EncodeError, match="not a Clarity name"):
            declare(function)


@pytest.mark.parametrize("declare", DECLARE)
def test_variadic_parameters_are_rejected(declare: Callable[..., Any]) -> None:
    def several(self: object, *amounts: UInt) -> bool:
        raise NotImplementedError

    def named(self: object, **amounts: UInt) -> bool:
        raise NotImplementedError

    for function, shown in ((several, r"\*amounts"), (named, r"\*\*amounts")):
        with pytest.raises(TypeError, match=rf"{function.__name__} takes {shown}: a Clarity function takes just"):
            declare(function)


@pytest.mark.parametrize("declare", DECLARE)
def test_only_methods_can_be_declared(declare: Callable[..., Any]) -> None:
    def without_self() -> bool:
        raise NotImplementedError

    def with_an_argument(amount: UInt) -> bool:
        raise NotImplementedError

    with pytest.raises(TypeError, match="without_self is a method: its first parameter is self"):
        declare(without_self)
    with pytest.raises(TypeError, match="with_an_argument is a method: its first parameter is self"):
        declare(with_an_argument)
    with pytest.raises(TypeError, match=r"their like declare a method, not 'is-ok\?': a name is given as name=…"):
        declare("is-ok?")


def test_a_method_without_its_decorator_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Bare\.sum has an empty body, but no @public, @read_only"):

        class Bare(Contract, name="bare"):
            def sum(self, a: UInt) -> UInt: ...  # type: ignore[empty-body]

    with pytest.raises(TypeError, match=r"Described\.sum has an empty body"):

        class Described(Contract, name="described"):
            def sum(self, a: UInt) -> UInt:  # type: ignore[empty-body]
                """Return the sum."""

    class Helped(Contract, name="helped"):
        def twice(self, a: int) -> int:
            return 2 * a

        def hook(self) -> None: ...

    assert Helped(odd().client, ADDRESS).twice(2) == 4


def test_a_call_can_replace_another_transaction() -> None:
    contract = odd()
    contract.account = Mock()
    contract.do_it().send(nonce=3, fee_ustx=900, replaces=True)
    options = contract.account.submit.call_args.kwargs
    assert (options["nonce"], options["fee_ustx"], options["replaces"]) == (3, 900, True)


def test_a_call_that_is_sent_with_wrong_arguments_causes_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in ("send", "simulate", "transaction"):
            with pytest.raises(TypeError, match="unexpected keyword argument 'fee'"):
                getattr(odd().do_it(), method)(fee=300)
            gc.collect()
    assert inspect.isfunction(Call.send)


@pytest.mark.parametrize("declare", DECLARE)
def test_a_body_that_would_never_run_is_refused(declare: Callable[..., Any]) -> None:
    def doubled(self: object, amount: UInt) -> UInt:
        return 2 * amount

    def described(self: object) -> UInt:
        """Return nothing."""
        raise NotImplementedError("never")

    with pytest.raises(TypeError, match="doubled has a body, which never runs: write"):
        declare(doubled)
    assert declare(described).name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"errors": 5}, "errors= must be a class derived from ErrorCode, not 5"),
        ({"errors": Code}, "errors= must be a class derived from ErrorCode, not <enum 'Code'>"),
        ({"events": Event}, r"events= must be a tuple of classes; write \(Event,\)"),
        ({"events": (5,)}, "events= must be classes derived from Event, not 5"),
        ({"callees": 5}, "callees= must be a tuple of classes derived from Contract, not 5"),
    ],
)
def test_arguments_of_a_class_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^Wrong: {message}"):

        class Wrong(Contract, name="wrong", **options):
            pass


def test_declared_methods_look_like_python_methods() -> None:
    contract = odd()
    assert str(inspect.signature(contract.is_ok)).startswith("(limit: ")
    assert str(inspect.signature(Odd.is_ok)).startswith("(self, limit: ")
    assert inspect.signature(contract.snake_case).return_annotation == "Call[bool]"
    assert contract.is_ok.__name__ == "is_ok"
    assert inspect.getdoc(contract.get_count) == inspect.getdoc(Odd.get_count) == "Return the count."
    assert inspect.ismethod(contract.pay)
    assert contract.pay.__self__ is contract
    assert contract.pay == contract.pay != contract.do_it
    assert str(inspect.signature(contract.pay.aio)).startswith("(amount: ")
    assert str(inspect.signature(contract.events)).startswith("(since: ")
    assert contract.events.__name__ == "events"
    assert Odd.pay(contract, 1).arguments == contract.pay(1).arguments
    assert repr(Odd.is_ok).startswith("<ReadOnlyFunction is-ok?: Odd.is_ok(self, limit: ")


def test_an_undefined_annotation_is_an_error_of_the_class_definition() -> None:
    with pytest.raises(TypeError, match=r"Missing\.get: the annotation of amount is Amuont, but Amuont is"):

        class Missing(Contract, name="missing"):
            @read_only
            def get(self, amount: Amuont) -> bool:  # type: ignore[name-defined]  # noqa: F821
                raise NotImplementedError

    class Row(Model):
        owner: Onwer  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError, match="Row: the annotation of owner is Onwer, but Onwer is not defined here"):

        class Deep(Contract, name="deep"):
            @read_only
            def get(self, amount: UInt) -> Row | None:
                raise NotImplementedError

    class Said(Event, topic="said"):
        words: Wrods  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError, match="Said: the annotation of words is Wrods"):

        class Speaker(Contract, name="speaker", events=(Said,)):
            pass


def test_annotations_may_use_names_of_the_enclosing_function() -> None:
    Amount = UInt  # noqa: N806 - a type

    class Inner(Model):
        amount: Amount  # type: ignore[valid-type]

    class Local(Contract, name="local"):
        @read_only
        def get(self, inner: Inner) -> Inner | None:
            raise NotImplementedError

    assert str(Local.functions["get"].signature.result.type) == "(optional {amount: uint})"


def test_annotations_may_use_names_of_the_class_itself() -> None:
    class Outer(Contract, name="outer"):
        class Place(Code):
            HERE = 1

        @read_only
        def get(self) -> Place:
            raise NotImplementedError

    assert Outer.functions["get"].signature.result.decode(encode(UIntValue(1))) is Outer.Place.HERE


def test_a_class_inherits_and_may_override_declarations() -> None:
    class Base(Contract):
        @read_only
        def get(self) -> UInt:
            raise NotImplementedError

        @public
        def put(self, value: UInt) -> bool:
            raise NotImplementedError

    class Other(Contract):
        @read_only
        def look(self) -> UInt:
            raise NotImplementedError

    class Both(Base, Other, name="both"):
        @public
        def put(self, value: UInt) -> UInt:  # type: ignore[override]
            raise NotImplementedError

    assert set(Both.functions) == {"get", "put", "look"}
    assert str(Both.functions["put"].signature.result.type) == "uint"
    assert str(Base.functions["put"].signature.result.type) == "bool"
    assert (Base.name, Both.name) == ("", "both")


def test_errors_name_the_missing_step() -> None:
    call = odd().pay(1)
    with pytest.raises(AttributeError, match=r"a call has no attribute 'wait'; it was not sent: \.send\(\)\.wait\(\)"):
        call.wait()  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"it is an attribute of the receipt: \.send\(\)\.wait\(\)\.value"):
        call.value  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"a call has no attribute 'valeu'$"):
        call.valeu  # type: ignore[attr-defined]  # noqa: B018
    pending = Pending(call, PendingTransaction(odd().client, "ab" * 32))
    with pytest.raises(AttributeError, match=r"a pending call has no attribute 'events'; .*: \.wait\(\)\.events"):
        pending.events  # type: ignore[attr-defined]  # noqa: B018


def test_a_call_that_is_never_sent_causes_a_warning() -> None:
    contract = odd()
    with pytest.warns(
        UnsentCallWarning, match=r"^Call\(odd\.pay!\(amount=u1\)\) was never sent; add \.send\(\)$"
    ) as caught:
        contract.pay(1)
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]
    with pytest.raises(TypeError, match=r"was not sent and has no truth value; add \.send\(\)$"):
        assert contract.pay(1)


@pytest.mark.parametrize(
    "use", [lambda call: call.payload, lambda call: call.post_conditions, lambda call: call.send()]
)
def test_a_call_that_was_used_causes_no_warning(use: Callable[[Call[Any]], object]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(SigningError):  # sending fails, as there is no account
            use(odd().pay(1))
        gc.collect()
    assert [warning for warning in caught if warning.category is UnsentCallWarning] == []


@pytest.mark.filterwarnings("ignore::der_client.stacks.contract.UnsentCallWarning")
def test_a_call_instead_of_its_result_is_rejected_with_a_hint() -> None:
    call: Any = odd().pay(1)
    pending: Any = Pending(call, PendingTransaction(odd().client, "ab" * 32))
    for given, step in ((call, r"\.send\(\)\.wait\(\)\.value"), (pending, r"\.wait\(\)\.value")):
        with pytest.raises(EncodeError, match=rf"pay\.amount: expected a value, got .*: its result is {step}$"):
            odd().pay(given)


def test_calls_are_shown_by_rich_and_in_notebooks() -> None:
    call = odd().pay(7)
    assert list(call.__rich_repr__()) == [("function", f"{ADDRESS}.odd.pay!"), ("amount", "u7")]
    shown = call._repr_html_()
    assert "<th>amount</th><td>u7</td>" in shown
    assert "<td>.simulate() or .send()</td>" in shown


def test_declaring_a_function_twice_is_rejected() -> None:
    with pytest.raises(TypeError, match="Twice declares do-it twice"):

        class Twice(Contract, name="twice"):
            @public
            def do_it(self) -> bool:
                raise NotImplementedError

            @read_only(name="do-it")
            def see_it(self) -> bool:
                raise NotImplementedError


@pytest.mark.parametrize("name", ["name", "account", "contract_id", "receipt", "events", "client"])
def test_names_of_the_base_class_are_rejected_with_an_alternative(name: str) -> None:
    def function(self: object) -> bool:
        raise NotImplementedError

    function.__name__ = name
    shown = name.replace("_", "-")
    with pytest.raises(TypeError, match=f'Clash.{name}: .* call the method {name}_ and declare it with name="{shown}"'):
        type("Clash", (Contract,), {name: public(function)}, name="clash")
    declared: type[Contract] = type("Fine", (Contract,), {f"{name}_": public(name=shown)(function)}, name="fine")
    assert set(declared.functions) == {shown}
