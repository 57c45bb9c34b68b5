"""What runs have reached: how often each function succeeded, how often each error was seen, and which never."""

from __future__ import annotations

from collections import Counter
from typing import Final

from der_client.contracts import CONTRACTS
from der_client.contracts.asset_verification import AssetError
from der_client.contracts.grid_integration import GridError
from der_client.contracts.settlement import SettlementError
from der_client.stacks.contract.errors import ErrorCode

OUT_OF_REACH: Final[dict[ErrorCode, str]] = {
    AssetError.ERR_UNKNOWN_ROLE: "the client takes members of Role only",
    AssetError.ERR_INVALID_KIND: "the client takes members of AssetKind only",
    GridError.ERR_UNKNOWN_ALERT_LEVEL: "the client takes members of AlertLevel only",
    SettlementError.ERR_NOT_DIRECT_CALLER: "an account calls directly; the tests of attacks go through a contract",
}
"""Errors that no call through the typed clients can meet, and why."""


def never_met(seen: Counter[tuple[str, str]]) -> list[ErrorCode]:
    """Errors of the five contracts that no call met, though one could."""
    met = {ending for _, ending in seen}
    errors = [error for contract in CONTRACTS for error in contract.errors or ()]
    return [error for error in errors if error.name not in met and error not in OUT_OF_REACH]


def report(seen: Counter[tuple[str, str]]) -> str:
    """A table: function, how often it succeeded, and the errors it met."""
    lines = []
    for function in sorted({name for name, _ in seen}):
        endings = {ending: count for (name, ending), count in sorted(seen.items()) if name == function}
        succeeded = endings.pop("ok", 0)
        errors = ", ".join(f"{ending} {count}" for ending, count in endings.items())
        lines.append(f"{function:32} ok {succeeded:6}   {errors}")
    missing = ", ".join(error.name for error in never_met(seen)) or "none"
    return "\n".join([*lines, f"errors never met, though they could be: {missing}", ""])
