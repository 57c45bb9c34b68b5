"""Attributes that are computed when they are first accessed.

``functools.cached_property`` does the same, but before Python 3.12 with a lock, which costs as much as hashing a
transaction. Here two threads may compute the same value twice, which is harmless for immutable objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801 -- used as a decorator, like property
    """Decorates a method without arguments: its result becomes an attribute of the instance."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        """Take the method."""
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """Compute the value; afterwards the instance's own attribute takes precedence over this one."""
        if instance is None:
            return self
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value
