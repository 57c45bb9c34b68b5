"""The parts of a contract, declared as typed Python methods with an empty body.

``@read_only`` makes a method that asks the node and returns the typed result; ``@public`` makes one that returns a
``Call``, with which nothing happens until it is sent. ``@data_var``, ``@constant`` and ``@data_map`` read what the
contract stores. The Python signature *is* the ABI: parameters and result are compiled into codecs on first use. Names
are the Python ones with hyphens; ``name=…`` gives names that are not valid in Python, as does ``ClarityName`` for
parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, ParamSpec, Self, TypeVar, overload

from der_client.stacks.clarity import check_clarity_name
from der_client.stacks.clarity.generated import compile_generated
from der_client.stacks.clarity.types import OptionalType
from der_client.stacks.contract.bodies import check_is_empty
from der_client.stacks.contract.call import BoundContract, Call, Pending, Receipt
from der_client.stacks.contract.codecs import Signature, clarity_name, compile_signature
from der_client.stacks.contract.forms import TwoForms, bound
from der_client.stacks.errors import EncodeError, shown, whole

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.async_call import AsyncCall
    from der_client.stacks.transactions import PostCondition

P = ParamSpec("P")
R = TypeVar("R")

_UNSAID: Final = object()
Moves = Callable[..., "Sequence[PostCondition]"]
"""What a call moves: called with the contract and the call's arguments, it returns the tightest post-conditions."""


class Declared(Generic[P, R]):
    """A part of a contract as declared in Python.

    Args:
        function: The declaring method.
        name: Its name in Clarity, if it is not the method's with hyphens.

    Attributes:
        name: Its name in Clarity.
        function: The declaring method, whose body is never run.
        local_names: Names in its annotations that are not in its module; set when the class is created.
        is_exact: Whether its types are exactly those of the deployed contract, and not those of an interface, which a
            contract may narrow; set when the class is created.

    Raises:
        EncodeError: If nothing in Clarity can have this name.
        TypeError: If it is not a method, takes ``*args`` or ``**kwargs``, or has a body.
    """

    def __init__(self, function: Callable[Concatenate[Any, P], R], name: str | None = None) -> None:
        _check_declaration(function)
        self.function = function
        self.name = check_clarity_name(clarity_name(function.__name__) if name is None else name)
        self.local_names: dict[str, Any] = {}
        self.is_exact = True
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self.__module__ = function.__module__

    @cached_property
    def signature(self) -> Signature:
        """The codecs of parameters and result."""
        return compile_signature(self.function, self.local_names)

    @cached_property
    def __signature__(self) -> inspect.Signature:
        """The signature for ``inspect.signature`` and editors: the method's, with the type that a call returns."""
        signature = inspect.signature(self.function)
        return signature.replace(return_annotation=self._returned(signature.return_annotation))

    def encode(self, arguments: tuple[Any, ...]) -> tuple[ClarityValue, ...]:
        """Turn bound arguments into Clarity values.

        Raises:
            EncodeError: If one does not fit; the text names function, argument, value and limit.
        """
        try:
            return tuple([encode(value, path) for (encode, path), value in zip(self._encoders, arguments, strict=True)])
        except EncodeError as error:
            for (_, path), value in zip(self._encoders, arguments, strict=True):
                if isinstance(value, Call | Pending | Receipt):
                    step = {Call: ".send().wait().value", Pending: ".wait().value", Receipt: ".value"}[type(value)]
                    raise EncodeError(f"{path}: expected a value, got {value!r}: its result is {step}") from None
            raise error from None

    @cached_property
    def _bind(self) -> Callable[..., tuple[Any, ...]]:
        return _compile_binder(self.function)

    @cached_property
    def _encoders(self) -> list[tuple[Any, str]]:
        where = self.function.__name__
        return [(codec.encode, f"{where}.{name}") for _, name, codec in self.signature.parameters]

    def _returned(self, annotation: Any) -> Any:
        """Return what a call of the method returns, for a declared result."""
        return annotation

    def _returned_async(self, annotation: Any) -> Any:
        """As `_returned`, for its asynchronous form."""
        return f"Awaitable[{_text(annotation)}]"

    def _run(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        raise NotImplementedError

    def _run_async(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        raise NotImplementedError

    @cached_property
    def _method(self) -> Callable[..., Any]:
        """The function that is bound to a contract, with the look of the declaring one."""
        run = self._run

        def method(contract: BoundContract, /, *args: Any, **kwargs: Any) -> Any:
            return run(contract, *args, **kwargs)

        return self._dressed(method, self.__signature__)

    @cached_property
    def _async_method(self) -> Callable[..., Any]:
        """As `_method`, its asynchronous form."""
        run = self._run_async

        def method(contract: BoundContract, /, *args: Any, **kwargs: Any) -> Any:
            return run(contract, *args, **kwargs)

        annotation = self._returned_async(inspect.signature(self.function).return_annotation)
        return self._dressed(method, self.__signature__.replace(return_annotation=annotation))

    def _dressed(self, method: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
        method.__name__, method.__qualname__ = self.__name__, self.__qualname__
        method.__module__, method.__doc__ = self.__module__, self.__doc__
        method.__signature__ = signature  # type: ignore[attr-defined]
        return method

    def __call__(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call it: as for any method, ``Class.method(contract, …)`` is ``contract.method(…)``."""
        return self._run(contract, *args, **kwargs)

    @whole
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.__qualname__}{self.__signature__}>"


class _Reading(Declared[P, R]):
    """A part that is read from the node directly."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: BoundContract, owner: type) -> TwoForms[P, R, Coroutine[Any, Any, R]]: ...
    def __get__(self, instance: BoundContract | None, owner: type) -> Any:
        return self if instance is None else bound(self._method, self._async_method, instance)

    def _run(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = self._bind(*args, **kwargs)
        return self._identified(contract.ask(self, self.encode(arguments)), arguments)

    async def _run_async(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = self._bind(*args, **kwargs)
        return self._identified(await contract.ask_async(self, self.encode(arguments)), arguments)

    def _identified(self, result: R, arguments: tuple[Any, ...]) -> R:
        if self.signature.identities:
            self.signature.identify(result, arguments)
        return result


class DeclaredFunction(Declared[P, R]):
    """A Clarity function as Python declares it; ``access`` is ``read_only`` or ``public``."""

    access: str


class ReadOnlyFunction(DeclaredFunction[P, R], _Reading[P, R]):
    """A read-only function: calling it asks the node."""

    access = "read_only"


class PublicFunction(DeclaredFunction[P, R]):
    """A public function: calling it prepares a transaction."""

    access = "public"

    def __init__(
        self, function: Callable[Concatenate[Any, P], R], name: str | None = None, moves: Moves | None = None
    ) -> None:
        super().__init__(function, name)
        self.moves = moves

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: BoundContract, owner: type) -> TwoForms[P, Call[R], AsyncCall[R]]: ...
    def __get__(self, instance: BoundContract | None, owner: type) -> Any:
        return self if instance is None else bound(self._method, self._async_method, instance)

    def _returned(self, annotation: Any) -> Any:
        return f"Call[{_text(annotation)}]"

    def _returned_async(self, annotation: Any) -> Any:
        return f"AsyncCall[{_text(annotation)}]"

    def _run(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        arguments = self._bind(*args, **kwargs)
        moves = partial(self.moves, contract, *arguments) if self.moves else None
        return Call(contract, self, self.encode(arguments), moves)

    def _run_async(self, contract: BoundContract, /, *args: P.args, **kwargs: P.kwargs) -> AsyncCall[R]:
        from der_client.stacks.contract.async_call import AsyncCall  # noqa: PLC0415 -- asyncio is slow to import

        node = contract.require_async_client()
        return AsyncCall(self._run(contract, *args, **kwargs), node)


class DataVar(_Reading[P, R]):
    """A data variable: calling it reads its value."""


class Constant(_Reading[P, R]):
    """A constant: calling it reads its value.

    Args:
        function: The declaring method.
        name: The constant's name in Clarity, if it is not the method's with hyphens.
        value: Its expected value, if the class declares one.

    Attributes:
        value: Its expected value.
        has_value: Whether the class declares one.
    """

    def __init__(
        self, function: Callable[Concatenate[Any, P], R], name: str | None = None, value: Any = _UNSAID
    ) -> None:
        super().__init__(function, name)
        self.value = value
        self.has_value = value is not _UNSAID


class DataMap(_Reading[P, R]):
    """A map: calling it with a key reads the entry."""


@overload
def read_only(function: Callable[Concatenate[Any, P], R], /) -> ReadOnlyFunction[P, R]: ...
@overload
def read_only(*, name: str | None = None) -> Callable[[Callable[Concatenate[Any, P], R]], ReadOnlyFunction[P, R]]: ...
def read_only(function: Any = None, /, *, name: str | None = None) -> Any:
    """Declare a read-only function; its annotations are the ABI, its body is empty.

    A result in ``(ok …)`` is unwrapped; an ``(err uN)`` raises ContractError, another ``(err …)``
    TransactionFailedError, whose ``result`` holds it.

    Args:
        function: The declaring method.
        name: The function's name in Clarity, if it is not the method's with hyphens: ``is-ok?``.
    """
    if function is None:
        return partial(ReadOnlyFunction, name=name)
    return ReadOnlyFunction(function)


@overload
def public(function: Callable[Concatenate[Any, P], R], /) -> PublicFunction[P, R]: ...
@overload
def public(
    *, name: str | None = None, moves: Moves | None = None
) -> Callable[[Callable[Concatenate[Any, P], R]], PublicFunction[P, R]]: ...
def public(function: Any = None, /, *, name: str | None = None, moves: Moves | None = None) -> Any:
    """Declare a public function whose ``(ok …)`` holds the annotated result.

    Its ``(err uN)`` raises ContractError, another ``(err …)`` TransactionFailedError, whose ``result`` holds it.

    Args:
        function: The declaring method.
        name: The function's name in Clarity, if it is not the method's with hyphens: ``transfer!``.
        moves: For a function that moves assets: called with the contract and the arguments, it returns the
            post-conditions; it may read the chain once. Without it, nothing may move except the fee.
    """
    if function is None:
        return partial(PublicFunction, name=name, moves=moves)
    return PublicFunction(function)


@overload
def data_var(function: Callable[[Any], R], /) -> DataVar[[], R]: ...
@overload
def data_var(*, name: str | None = None) -> Callable[[Callable[[Any], R]], DataVar[[], R]]: ...
def data_var(function: Any = None, /, *, name: str | None = None) -> Any:
    """Declare a data variable, as a method without parameters that returns its value.

    Args:
        function: The declaring method.
        name: The variable's name in Clarity, if it is not the method's with hyphens.
    """
    if function is None:
        return partial(_without_parameters, DataVar, name)
    return _without_parameters(DataVar, None, function)


@overload
def constant(function: Callable[[Any], R], /) -> Constant[[], R]: ...
@overload
def constant(*, name: str | None = None, value: Any = ...) -> Callable[[Callable[[Any], R]], Constant[[], R]]: ...
def constant(function: Any = None, /, *, name: str | None = None, value: Any = _UNSAID) -> Any:
    """Declare a constant, as a method without parameters that returns its value.

    Args:
        function: The declaring method.
        name: The constant's name in Clarity, if it is not the method's with hyphens: ``MAX-FEE``.
        value: The value that it must have; ``differences()`` compares it with the deployed one.
    """
    if function is None:
        return partial(_without_parameters, partial(Constant, value=value), name)
    return _without_parameters(Constant, None, function)


@overload
def data_map(function: Callable[Concatenate[Any, P], R], /) -> DataMap[P, R]: ...
@overload
def data_map(*, name: str | None = None) -> Callable[[Callable[Concatenate[Any, P], R]], DataMap[P, R]]: ...
def data_map(function: Any = None, /, *, name: str | None = None) -> Any:
    """Declare a map, as a method that takes the key and returns the entry, or ``None`` if there is none.

    A key that is a tuple is a model.

    Args:
        function: The declaring method: one parameter, and a result that may be ``None``.
        name: The map's name in Clarity, if it is not the method's with hyphens.
    """
    if function is None:
        return partial(_map, name)
    return _map(None, function)


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _without_parameters(kind: Callable[..., Declared[..., Any]], name: str | None, function: Callable[..., Any]) -> Any:
    declared = kind(function, name)
    if len(inspect.signature(function).parameters) != 1:
        raise TypeError(f"{function.__qualname__}: a {type(declared).__name__} has no parameters but self")
    return declared


def _map(name: str | None, function: Callable[..., Any]) -> Any:
    declared: DataMap[..., Any] = DataMap(function, name)
    if len(inspect.signature(function).parameters) != 2:
        raise TypeError(f"{function.__qualname__}: a map has one parameter, its key; a key of several parts is a model")
    return declared


def check_map_entry(declared: DataMap[..., Any]) -> OptionalType:
    """Return the type that a map's method returns.

    Raises:
        TypeError: If it cannot be None, although an entry may be missing.
    """
    entry = declared.signature.result.type
    if not isinstance(entry, OptionalType):
        raise TypeError(f"{declared.__qualname__} returns {entry}, but an entry may be missing: write … | None")
    return entry


def _check_declaration(function: Callable[..., Any]) -> None:
    """Refuse now what would cause an obscure error in the first call."""
    if not inspect.isfunction(function):
        raise TypeError(
            f"@public, @read_only and their like declare a method, not {shown(function)}: a name is given as name=…, "
            '@read_only(name="is-ok?")'
        )
    check_is_empty(function)
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise TypeError(
                f"{function.__qualname__} takes {str(parameter).partition(':')[0]}: a Clarity function takes just the "
                "arguments that it names, so declare each with its type"
            )
    first = parameters[0] if parameters else None
    if first is None or first.kind is inspect.Parameter.KEYWORD_ONLY or _is_argument(first):
        raise TypeError(f"{function.__qualname__} is a method: its first parameter is self")


def _is_argument(first: inspect.Parameter) -> bool:
    """Return whether a first parameter looks like one of the Clarity function, because self was forgotten."""
    return first.name != "self" and first.annotation is not first.empty


def _compile_binder(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """Return a function of the declared parameters that returns their values in order; faster than a Signature."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    first_by_name = next((p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY), None)
    defaults = {f"_{p.name}": p.default for p in parameters if p.default is not inspect.Parameter.empty}
    listed = ", ".join(
        ("*, " if p is first_by_name else "") + (f"{p.name}=_{p.name}" if f"_{p.name}" in defaults else p.name)
        for p in parameters
    )
    returned = "".join(f"{p.name}, " for p in parameters)
    # Only parameter names, which are identifiers, are in this source.
    code = compile_generated(f"lambda {listed}: ({returned})", f"arguments of {function.__qualname__}", "eval")
    binder: Callable[..., tuple[Any, ...]] = eval(code, defaults)  # noqa: S307
    binder.__name__ = function.__name__
    binder.__qualname__ = function.__qualname__
    return binder
