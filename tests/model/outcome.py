"""What comes of a call to the contracts."""

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
        name: The error's name, or what else went wrong.
        code: Its number; 0 if the contract gave none.
    """

    name: str
    code: int


@dataclass(frozen=True)
class Unsent:
    """A call that the client refused to send."""

    reason: str


Outcome = Done | Failed | Unsent
