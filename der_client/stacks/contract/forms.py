"""Methods in two forms: the plain one, which blocks, and its ``.aio``, which is awaited.

``contract.get_offer(1)`` asks the node and waits; ``await contract.get_offer.aio(1)`` lets the event loop run
meanwhile. Both have the same parameters, and type checkers know the result of each.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)
R = TypeVar("R")
A = TypeVar("A")


class TwoForms(Protocol[P, R_co, A_co]):
    """A bound method with a blocking and an asynchronous form."""

    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the blocking form."""

    @property
    def aio(self) -> Callable[P, A_co]:
        """The asynchronous form. It needs a contract with an AsyncClient: ``contract.with_async_client(node)``."""


class _Function:
    """The function of a bound method in two forms, with the look of the blocking one."""

    __slots__ = ("_aio", "_blocking", "_instance")

    def __init__(self, blocking: Callable[..., Any], aio: Callable[..., Any], instance: object) -> None:
        self._blocking = blocking
        self._aio = aio
        self._instance = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._blocking(*args, **kwargs)

    @property
    def aio(self) -> Callable[..., Any]:
        """The asynchronous form, bound."""
        return MethodType(self._aio, self._instance)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._blocking.__doc__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocking, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Function) and (self._blocking, self._aio) == (other._blocking, other._aio)

    def __hash__(self) -> int:
        return hash(self._blocking)


def bound(blocking: Callable[..., Any], aio: Callable[..., Any], instance: object) -> Any:
    """Bind both forms of a method to an instance.

    Args:
        blocking: The plain form, which takes the instance first.
        aio: The asynchronous one, likewise.
        instance: The object that has the method.

    Returns:
        A bound method, which has ``aio``.
    """
    return MethodType(_Function(blocking, aio, instance), instance)


class two_forms(Generic[P, R, A]):  # noqa: N801 -- as `property`
    """Makes one method from its two forms.

    Args:
        blocking: The plain form; the method has its documentation.
        aio: The asynchronous one, with the same parameters.
    """

    def __init__(self, blocking: Callable[Concatenate[Any, P], R], aio: Callable[Concatenate[Any, P], A]) -> None:
        self._blocking = blocking
        self._aio = aio
        self.__doc__ = aio.__doc__ = blocking.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute."""
        for form in (self._blocking, self._aio):
            form.__name__, form.__qualname__ = name, f"{owner.__qualname__}.{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> TwoForms[P, R, A]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        """Bind to an instance."""
        return self if instance is None else bound(self._blocking, self._aio, instance)
