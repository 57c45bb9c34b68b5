"""The findings about a certificate, check by check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from der_client.stacks.errors import DerClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class Outcome(StrEnum):
    """The outcome of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: What was checked.
        outcome: Whether it passed.
        text: What was found, in one sentence.
    """

    name: str
    outcome: Outcome
    text: str


class WrongError(DerClientError):
    """A statement in the file is wrong."""


class UnknownError(DerClientError):
    """There is nothing to check this with."""


def check(name: str, examine: Callable[[], str]) -> Check:
    """Carry out one check.

    Args:
        name: What is checked.
        examine: A function that returns what was found, or raises one of the two errors.
    """
    try:
        return Check(name, Outcome.RIGHT, examine())
    except UnknownError as error:
        return Check(name, Outcome.NOT_CHECKED, str(error))
    except WrongError as error:
        return Check(name, Outcome.WRONG, str(error))
