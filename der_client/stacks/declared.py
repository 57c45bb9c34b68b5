"""Functions of a contract, declared as typed Python methods with an empty body.

``@read_only`` makes a method that asks the node and returns the typed result; ``@public`` one that returns a
:class:`~der_client.stacks.call.Call`, which nothing happens to until it is sent. The Python signature *is* the ABI:
parameters and result are compiled into codecs on first use.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from der_client.stacks.call import Call
from der_client.stacks.clarity.conversion import Signature, clarity_name, compile_signature

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract import Contract
    from der_client.stacks.transactions import PostCondition

P = ParamSpec("P")
R = TypeVar("R")

Moves = Callable[..., "Sequence[PostCondition]"]
"""What a call moves: called with the contract and the call's arguments, it gives the tightest post-conditions."""


class DeclaredFunction(Generic[P, R]):
    """A Clarity function as Python declares it.

    Attributes:
        name: The function's name in Clarity.
        function: The declaring method, whose body is never run.
    """

    access: str

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self.function = function
        self.name = clarity_name(function.__name__)
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

    def __init__(self, function: Callable[Concatenate[Any, P], R], moves: Moves | None = None) -> None:
        super().__init__(function)
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


def read_only(function: Callable[Concatenate[Any, P], R]) -> ReadOnlyFunction[P, R]:
    """Declare a read-only function; its annotations are the ABI, its body is empty.

    A result in ``(ok …)`` is unwrapped; an ``(err uN)`` raises ContractError.
    """
    return ReadOnlyFunction(function)


@overload
def public(function: Callable[Concatenate[Any, P], R], /) -> PublicFunction[P, R]: ...
@overload
def public(*, moves: Moves) -> Callable[[Callable[Concatenate[Any, P], R]], PublicFunction[P, R]]: ...
def public(function: Any = None, /, *, moves: Moves | None = None) -> Any:
    """Declare a public function whose ``(ok …)`` holds the annotated result.

    Args:
        function: The declaring method.
        moves: For a function that moves assets: called with the contract and the arguments, it gives the
            post-conditions; it may read the chain once. Without it nothing may move but the fee.
    """
    if function is None:
        return partial(PublicFunction, moves=moves)
    return PublicFunction(function)


def _compile_binder(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """A function with the declared parameters that returns their values in order: faster than binding a Signature."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    defaults = {f"_{p.name}": p.default for p in parameters if p.default is not inspect.Parameter.empty}
    listed = ", ".join(f"{p.name}=_{p.name}" if f"_{p.name}" in defaults else p.name for p in parameters)
    returned = "".join(f"{p.name}, " for p in parameters)
    # Only parameter names, which are identifiers, stand in this source.
    binder: Callable[..., tuple[Any, ...]] = eval(f"lambda {listed}: ({returned})", defaults)  # noqa: S307
    binder.__name__ = function.__name__
    binder.__qualname__ = function.__qualname__
    return binder
