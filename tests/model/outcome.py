"""The outcomes of a call to the contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """A call that succeeded, with its result."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """A call that failed on chain.

    Attributes:
        name: The error's name, or a description of what went wrong.
        code: The error's number; 0 if the contract returned none.
    """

    name: str
    code: int


@dataclass(frozen=True)
class Unsent:
    """A call that the client refused to send."""

    reason: str


Outcome = Done | Failed | Unsent
