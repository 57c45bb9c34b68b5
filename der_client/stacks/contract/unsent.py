"""Warns of calls that were prepared and then forgotten."""

from __future__ import annotations

import warnings
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from der_client.stacks.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable


class UnsentCallWarning(UserWarning):
    """A call was prepared, but neither sent nor used in another way."""


class Unsent:
    """Something that does nothing until it is sent: it warns when it disappears unused, and has no truth value."""

    _is_used = True
    """Whether no warning is due. A subclass sets it to False at the end of its constructor, and to True at each use."""

    def __bool__(self) -> NoReturn:
        """Refuse, since ``if call:`` looks as if it were sent.

        Raises:
            TypeError: Always.
        """
        self._is_used = True
        raise TypeError(f"{shown(self)} was not sent and has no truth value; add .send()")

    def __del__(self) -> None:
        """Warn if it was never used; the line shown is the one that dropped it."""
        if not self._is_used:
            warnings.warn(f"{shown(self)} was never sent; add .send()", UnsentCallWarning, stacklevel=2)


class _Use:
    """A method that counts as a use as soon as it is looked up: no warning is due if its arguments are wrong."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __get__(self, unsent: Unsent | None, owner: type) -> Any:
        if unsent is None:
            return self._method
        unsent._is_used = True  # noqa: SLF001 - the other half of `Unsent`
        return MethodType(self._method, unsent)


M = TypeVar("M", bound="Callable[..., Any]")


def use(method: M) -> M:
    """Decorate a method of an `Unsent` that uses it.

    Args:
        method: The method.
    """
    return _Use(method)  # type: ignore[return-value]


U = TypeVar("U", bound=Unsent)


def held(unsent: U) -> U:
    """Return a call that this library keeps, without a later warning: it was sent before, or may be sent later."""
    unsent._is_used = True  # noqa: SLF001 - the other half of `Unsent`
    return unsent
