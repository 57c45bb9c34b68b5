"""Why a call is refused: the rules define the conditions of a call, but not the order in which they are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from der_client.stacks.contract.errors import ErrorCode

Item = TypeVar("Item")
T = TypeVar("T")


class Refused(Exception):  # noqa: N818  # named after what happened to the call
    """A call that must fail with one of these errors and change nothing.

    Attributes:
        errors: The errors whose conditions are met; the contract may return any of them.
    """

    def __init__(self, errors: frozenset[ErrorCode]) -> None:
        super().__init__(" or ".join(sorted(error.name for error in errors)))
        self.errors = errors


def each(items: Sequence[Item], act: Callable[[Item], T]) -> tuple[T | Refused, ...]:
    """Return the result of each item of a batch, in order. A refused item changes nothing and stops no other."""
    return tuple(_attempt(item, act) for item in items)


def _attempt(item: Item, act: Callable[[Item], T]) -> T | Refused:
    try:
        return act(item)
    except Refused as refused:
        return refused


class Objections:
    """The objections to a call."""

    def __init__(self) -> None:
        self.found: set[ErrorCode] = set()

    def add(self, error: ErrorCode, *, when: bool) -> None:
        """Note an error if its condition is met."""
        if when:
            self.found.add(error)

    def absorb(self, refused: Refused) -> None:
        """Note the objections to a part of the call."""
        self.found |= refused.errors

    def refuse(self, error: ErrorCode) -> NoReturn:
        """Note an error that makes all further checks impossible, and refuse the call."""
        self.found.add(error)
        raise Refused(frozenset(self.found))

    def decide(self) -> None:
        """Refuse the call if there are objections."""
        if self.found:
            raise Refused(frozenset(self.found))
