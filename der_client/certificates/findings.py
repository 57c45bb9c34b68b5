"""What came of examining a certificate, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from der_client.stacks.errors import DerClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class Outcome(StrEnum):
    """What came of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was examined.

    Attributes:
        name: What.
        outcome: What came of it.
        text: What was found, a sentence.
    """

    name: str
    outcome: Outcome
    text: str


class WrongError(DerClientError):
    """What the file says is not so."""


class UnknownError(DerClientError):
    """There is nothing that this could be checked by."""


def check(name: str, examine: Callable[[], str]) -> Check:
    """Examine one thing.

    Args:
        name: What it is.
        examine: Returns what was found, or raises one of the two errors.
    """
    try:
        return Check(name, Outcome.RIGHT, examine())
    except UnknownError as error:
        return Check(name, Outcome.NOT_CHECKED, str(error))
    except WrongError as error:
        return Check(name, Outcome.WRONG, str(error))
