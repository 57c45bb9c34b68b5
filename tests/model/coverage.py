"""What runs have reached: how often each function succeeded, how often each error occurred, and what never did."""

from __future__ import annotations

from collections import Counter
from typing import Final

from der_client.contracts import (
    CONTRACTS,
    AssetVerification,
    GridIntegration,
    MarketParticipation,
    ProductionTracking,
    Settlement,
)
from der_client.contracts.asset_verification import AssetError
from der_client.contracts.grid_integration import GridError
from der_client.contracts.settlement import SettlementError
from der_client.stacks.contract.annotations import Response
from der_client.stacks.contract.errors import ErrorCode
from tests.model.outcome import Done, Failed, Outcome

Ending = ErrorCode | str
"""How a call, or an item of a batch, ended: the error of a contract, ``ok``, or a description."""
OK: Final = "ok"

OUT_OF_REACH: Final[dict[ErrorCode, str]] = {
    AssetError.ERR_UNKNOWN_ROLE: "the client takes members of Role only",
    AssetError.ERR_INVALID_KIND: "the client takes members of AssetKind only",
    GridError.ERR_UNKNOWN_ALERT_LEVEL: "the client takes members of AlertLevel only",
    SettlementError.ERR_NOT_DIRECT_CALLER: "an account calls directly; the tests of attacks go through a contract",
    SettlementError.ERR_TOKEN_NOT_MOVED: "the token of the model does what it says; the tests of attacks have others",
}
"""Errors that no call through the typed clients can cause, and why."""
FOR_SETTLEMENT: Final = ("market.mark_accepted", "market.mark_completed", "market.mark_token")
"""Functions that never succeed, because no account is the settlement contract."""

_ERRORS: Final = {error.value: error for contract in CONTRACTS for error in contract.errors or ()}
_NAMES: Final = {
    "assets": AssetVerification,
    "production": ProductionTracking,
    "grid": GridIntegration,
    "market": MarketParticipation,
    "settlement": Settlement,
}
FUNCTIONS: Final = [
    f"{name}.{function.__name__}"
    for name, contract in _NAMES.items()
    for function in contract.functions.values()
    if function.access == "public"
]
"""All public functions of the five contracts."""


def endings(outcome: Outcome) -> list[Ending]:
    """Return how a call ended; for a batch, how each item ended."""
    match outcome:
        case Done(value=tuple() as answers):
            return [_ending(answer) for answer in answers]
        case Done():
            return [OK]
        case Failed(name=name, code=code):
            return [_ERRORS.get(code, name)]
    return ["not sent"]


def _ending(answer: Response[int]) -> Ending:
    return OK if answer.error_code is None else _ERRORS.get(answer.error_code, str(answer.error_code))


def never_reached(seen: Counter[tuple[str, Ending]]) -> list[str]:
    """Return what calls can reach but never did: errors, and functions that never succeeded or never failed."""
    met = {ending for _, ending in seen}
    succeeded = {name for name, ending in seen if ending == OK}
    failed = {name for name, ending in seen if isinstance(ending, ErrorCode)}
    return [
        *(f"{error.name} (u{error.value})" for error in _ERRORS.values() if error not in met | set(OUT_OF_REACH)),
        *(f"no succeeding {name}" for name in FUNCTIONS if name not in succeeded | set(FOR_SETTLEMENT)),
        *(f"no failing {name}" for name in FUNCTIONS if name not in failed),
    ]


def report(seen: Counter[tuple[str, Ending]]) -> str:
    """Return a table of each function's successes and errors, and then what was never reached."""
    lines = []
    for function in sorted({name for name, _ in seen}):
        found = {str(ending): count for (name, ending), count in seen.items() if name == function}
        succeeded = found.pop(OK, 0)
        errors = ", ".join(f"{ending} {found[ending]}" for ending in sorted(found))
        lines.append(f"{function:32} ok {succeeded:6}   {errors}")
    missing = ", ".join(never_reached(seen)) or "nothing"
    return "\n".join([*lines, f"never reached, though it could be: {missing}", ""])
