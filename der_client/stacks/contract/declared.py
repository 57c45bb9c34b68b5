"""Functions of a contract, declared as typed Python methods with an empty body.

``@read_only`` makes a method that asks the node and returns the typed result; ``@public`` one that returns a
:class:`~der_client.stacks.contract.call.Call`, which nothing happens to until it is sent. The Python signature *is* the
ABI: parameters and result are compiled into codecs on first use. Names are the Python ones with hyphens; ``name=…``
says the names that Python cannot spell, as does ``ClarityName`` for parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from der_client.stacks.clarity import check_clarity_name
from der_client.stacks.contract.call import Call
from der_client.stacks.contract.codecs import Signature, clarity_name, compile_signature
from der_client.stacks.errors import shown

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.contract import Contract
    from der_client.stacks.transactions import PostCondition

P = ParamSpec("P")
R = TypeVar("R")

Moves = Callable[..., "Sequence[PostCondition]"]
"""What a call moves: called with the contract and the call's arguments, it gives the tightest post-conditions."""


class DeclaredFunction(Generic[P, R]):
    """A Clarity function as Python declares it.

    Args:
        function: The declaring method.
        name: The function's name in Clarity, if it is not the method's with hyphens.

    Attributes:
        name: The function's name in Clarity.
        function: The declaring method, whose body is never run.

    Raises:
        EncodeError: No Clarity function can be called so.
        TypeError: It is no method, or takes ``*args`` or ``**kwargs``.
    """

    access: str

    def __init__(self, function: Callable[Concatenate[Any, P], R], name: str | None = None) -> None:
        _check_declaration(function)
        self.function = function
        self.name = check_clarity_name(clarity_name(function.__name__) if name is None else name)
        self.__doc__ = function.__doc__

    @cached_property
    def signature(self) -> Signature:
        """The codecs of parameters and result."""
        return compile_signature(self.function)

    def encode(self, arguments: tuple[Any, ...]) -> tuple[ClarityValue, ...]:
        """Turn bound arguments into Clarity values.

        Raises:
            EncodeError: one does not fit; the text names function, argument, value and limit.
        """
        return tuple([encode(value, path) for (encode, path), value in zip(self._encoders, arguments, strict=True)])

    @cached_property
    def _bind(self) -> Callable[..., tuple[Any, ...]]:
        return _compile_binder(self.function)

    @cached_property
    def _encoders(self) -> list[tuple[Any, str]]:
        where = self.function.__name__
        return [(codec.encode, f"{where}.{name}") for _, name, codec in self.signature.parameters]


class ReadOnlyFunction(DeclaredFunction[P, R]):
    """A read-only function: calling it asks the node."""

    access = "read_only"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Contract, owner: type) -> Callable[P, R]: ...
    def __get__(self, instance: Contract | None, owner: type) -> Self | Callable[P, R]:
        return self if instance is None else partial(self._ask, instance)

    def _ask(self, contract: Contract, *args: P.args, **kwargs: P.kwargs) -> R:
        return contract.ask(self, self.encode(self._bind(*args, **kwargs)))


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
    def __get__(self, instance: Contract, owner: type) -> Callable[P, Call[R]]: ...
    def __get__(self, instance: Contract | None, owner: type) -> Self | Callable[P, Call[R]]:
        return self if instance is None else partial(self._prepare, instance)

    def _prepare(self, contract: Contract, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        bound = self._bind(*args, **kwargs)
        moves = partial(self.moves, contract, *bound) if self.moves else None
        return Call(contract, self, self.encode(bound), moves)


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
        moves: For a function that moves assets: called with the contract and the arguments, it gives the
            post-conditions; it may read the chain once. Without it nothing may move but the fee.
    """
    if function is None:
        return partial(PublicFunction, name=name, moves=moves)
    return PublicFunction(function)


def _check_declaration(function: Callable[..., Any]) -> None:
    """Refuse now what would be an obscure error in the first call."""
    if not inspect.isfunction(function):
        raise TypeError(
            f"@public and @read_only declare a method, not {shown(function)}: a name is given as name=…, "
            '@read_only(name="is-ok?")'
        )
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise TypeError(
                f"{function.__qualname__} takes {str(parameter).partition(':')[0]}: a Clarity function takes just the "
                "arguments that it names, so declare each with its type"
            )
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise TypeError(f"{function.__qualname__} is a method: its first parameter is self")


def _compile_binder(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """A function with the declared parameters that returns their values in order: faster than binding a Signature."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    first_by_name = next((p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY), None)
    defaults = {f"_{p.name}": p.default for p in parameters if p.default is not inspect.Parameter.empty}
    listed = ", ".join(
        ("*, " if p is first_by_name else "") + (f"{p.name}=_{p.name}" if f"_{p.name}" in defaults else p.name)
        for p in parameters
    )
    returned = "".join(f"{p.name}, " for p in parameters)
    # Only parameter names, which are identifiers, stand in this source.
    binder: Callable[..., tuple[Any, ...]] = eval(f"lambda {listed}: ({returned})", defaults)  # noqa: S307
    binder.__name__ = function.__name__
    binder.__qualname__ = function.__qualname__
    return binder
