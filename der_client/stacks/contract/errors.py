"""The base of a contract's error codes: an ``IntEnum`` whose members carry what the code means."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ErrorCode(IntEnum):
    """Error codes of a contract: ``ERR_NOT_OWNER = 1009, "only the owner of the asset may do this"``.

    Members are named as the contract's constants, so that one can be found from the other.
    """

    reason: str

    def __new__(cls, code: int, reason: str) -> Self:
        """Make a member from its number and its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        return member
