"""The base of a contract's error codes: an ``IntEnum`` whose members have the meaning of the code."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Self


class Code(IntEnum):
    """Base of a contract's named numbers: states, roles, kinds. They print as their names."""

    def __repr__(self) -> str:
        """Return its name as in source: ``AssetState.VERIFIED``."""
        return f"{type(self).__name__}.{self.name}"

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def __format__(self, specification: str) -> str:
        """Return the name in an f-string, or the number if the format is for numbers: ``f"{state:d}"``."""
        if specification.endswith(("d", "x", "X", "b", "o", "n")):
            return int.__format__(self, specification)
        return str.__format__(self.name, specification)


class ErrorCode(Code):
    """Error codes of a contract: ``ERR_NOT_OWNER = 1009, "only the owner of the asset may do this"``.

    A code is the number that the contract returns in ``(err …)``: a ``uint``, or an ``int`` as that of ``pox-4``.

    A member stands for the contract's constant of the same name; hyphens and case do not matter, so ``ERR_NOT_OWNER``
    is ``ERR-NOT-OWNER`` and ``err-not-owner``, too. A third value names a constant with another name, or is ``None`` if
    the contract uses the number without a constant.

    Attributes:
        reason: What the code means.
        constant: The name of the contract's constant, ``None`` if it has none.
    """

    reason: str
    constant: str | None

    def __new__(cls, code: int, reason: str = "", constant: str | None = "") -> Self:
        """Make a member from its number and its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        member.constant = constant
        return member

    def __init__(self, *_: object) -> None:
        """Name the constant: the member's name is known only now."""
        if self.constant == "":
            self.constant = self._name_


def same_name(name: str) -> str:
    """Return a name without hyphens, underscores and differences in case, for comparison."""
    return re.sub(r"[-_]", "", name).lower()
