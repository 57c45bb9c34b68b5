"""Why a call is refused: the rules fix which conditions a call has, not which of them is looked at first."""

from __future__ import annotations

from typing import NoReturn

from der_client.stacks.contract.errors import ErrorCode


class Refused(Exception):  # noqa: N818  # reads as what happened to the call
    """A call that must fail, with one of these errors, and change nothing.

    Attributes:
        errors: The errors whose condition holds; the contract may answer any of them.
        index: The item of an all-or-nothing batch that fails.
    """

    def __init__(self, errors: frozenset[ErrorCode], index: int | None = None) -> None:
        super().__init__(f"{' or '.join(sorted(error.name for error in errors))}, index {index}")
        self.errors = errors
        self.index = index


class Objections:
    """Collects what speaks against a call."""

    def __init__(self) -> None:
        self.found: set[ErrorCode] = set()

    def add(self, error: ErrorCode, *, when: bool) -> None:
        """Note an error if its condition holds."""
        if when:
            self.found.add(error)

    def absorb(self, refused: Refused) -> None:
        """Note what speaks against a part of the call."""
        self.found |= refused.errors

    def refuse(self, error: ErrorCode) -> NoReturn:
        """Note an error without which nothing else can be judged, and refuse."""
        self.found.add(error)
        raise Refused(frozenset(self.found))

    def decide(self) -> None:
        """Refuse the call if anything speaks against it."""
        if self.found:
            raise Refused(frozenset(self.found))
