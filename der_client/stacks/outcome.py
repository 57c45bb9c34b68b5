"""The outcome of a transaction: the only place where its status, result and the node's words are interpreted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import ErrValue, decode
from der_client.stacks.errors import (
    AnalysisFailedError,
    DerClientError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    TransactionDroppedError,
    TransactionFailedError,
    shown,
)
from der_client.stacks.rpc import TransactionStatus
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.unmet import UnmetPostCondition, plain_sentence, read_unmet

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.rpc import TransactionInfo

_ERR: Final = b"\x08"
_PUBLISH: Final = "smart_contract"
# A node writes a runtime error as the name of its kind, such as DivisionByZero, and an error of the analysis as a
# sentence, sometimes after its place in the source (:3:14:).
_RUNTIME_NAME: Final = re.compile(r"[A-Z]\w*(?:\(|\n|$)")
_REPLACED: Final = frozenset({TransactionStatus.DROPPED_REPLACE_BY_FEE, TransactionStatus.DROPPED_REPLACE_ACROSS_FORK})


class OutcomeKind(StrEnum):
    """The possible outcomes of a transaction, and its two states before that."""

    UNKNOWN = "unknown"
    """It is unknown: it has not arrived yet, it was forgotten, or the API lags."""
    WAITING = "waiting"
    SUCCESS = "success"
    CONTRACT_ERROR = "contract error"
    RUNTIME_ERROR = "runtime error"
    ANALYSIS_ERROR = "analysis error"
    POST_CONDITION = "post-condition"
    PROBLEMATIC = "problematic"
    DROPPED = "dropped"
    REPLACED = "replaced"

    @property
    def is_mined(self) -> bool:
        """Whether it is in a block: fee and nonce are spent."""
        return self not in _NOT_MINED


_NOT_MINED: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.WAITING, OutcomeKind.DROPPED, OutcomeKind.REPLACED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a transaction, or of its simulation.

    Attributes:
        kind: How it ended.
        status: The API's word for it; empty if the API does not know it.
        txid: The transaction; empty for a simulation.
        raw_result: Its result, in the consensus encoding; empty unless it was mined.
        text: The node's own words on what went wrong; empty if it gave none.
        unmet: The post-condition that was not met, if the node's words could be read.
    """

    kind: OutcomeKind
    status: str = ""
    txid: str = ""
    raw_result: bytes = b""
    text: str = ""
    unmet: UnmetPostCondition | None = None

    @property
    def result(self) -> ClarityValue | None:
        """What it returned, decoded; ``None`` unless it was mined."""
        return decode(self.raw_result) if self.raw_result else None

    def error(self, subject: str) -> DerClientError | None:
        """Return the error if it failed; ``None`` if it succeeded or is not over yet.

        Args:
            subject: Its name in the message, such as ``transaction 12ab… (SP….market.buy)``.
        """
        spent = "and was rolled back; the fee is spent" if self.txid else "and was rolled back"
        said = excerpt(self.text) if self.text else "the node gives no details"
        match self.kind:
            case OutcomeKind.SUCCESS | OutcomeKind.UNKNOWN | OutcomeKind.WAITING:
                return None
            case OutcomeKind.CONTRACT_ERROR:
                result = self.result
                return TransactionFailedError(
                    f"{subject} returned {shown(result, str)} {spent}",
                    self.txid,
                    result.value if isinstance(result, ErrValue) else None,
                )
            case OutcomeKind.RUNTIME_ERROR:
                return RuntimeAbortedError(f"{subject} hit a runtime error {spent}: {said}", self.txid)
            case OutcomeKind.ANALYSIS_ERROR:
                return AnalysisFailedError(
                    f"{subject} did not pass the analysis, so no contract was published; the fee is spent: {said}",
                    self.txid,
                    finding=self.text,
                )
            case OutcomeKind.POST_CONDITION:
                words = excerpt(plain_sentence(self.text))
                said = (
                    f"{words} (condition, what moved)"
                    if self.unmet is not None and self.unmet.code
                    else words or "more or less would have moved than its post-conditions allow"
                )
                advice = (
                    "if it is meant to move, allow it with post_conditions=… (a typed call has .tighten() to make them)"
                    if self.unmet is not None and self.unmet.is_uncovered
                    else "compare the post-conditions with what the contract moves"
                )
                return PostConditionAbortedError(
                    f"{subject} did not meet a post-condition {spent}: {said}; {advice}",
                    self.txid,
                    sentence=self.text,
                    unmet=self.unmet,
                )
            case OutcomeKind.PROBLEMATIC:
                return TransactionFailedError(
                    f"{subject} was skipped as problematic: it did nothing, and its fee is spent", self.txid
                )
            case OutcomeKind.DROPPED | OutcomeKind.REPLACED:
                advice = (
                    "another transaction has its nonce: check what that one did before you build this one again"
                    if self.kind is OutcomeKind.REPLACED
                    else "its nonce is free: find out why before you build it again"
                )
                return TransactionDroppedError(
                    f"{subject} left the mempool without being mined ({self.status}); {advice}",
                    self.txid,
                    self.status,
                )


def read_outcome(
    status: str, raw_result: bytes | None, vm_error: str | None, *, txid: str = "", is_publication: bool = False
) -> Outcome:
    """Interpret the answer of the API, or of a simulation.

    A contract that returns ``(err …)`` moves nothing. If a post-condition required something to move, the status names
    the post-condition, but the contract is the cause, so the outcome is a contract error.

    Args:
        status: The API's word, such as ``abort_by_response``.
        raw_result: The result in the consensus encoding; ``None`` unless mined.
        vm_error: The node's own words; ``None`` if it gave none.
        txid: The transaction; empty for a simulation.
        is_publication: Whether it publishes a contract, which is analysed before it runs.
    """
    raw, text = raw_result or b"", vm_error or ""
    kind = _kind(status, raw, text, is_publication=is_publication)
    unmet = read_unmet(text) if kind is OutcomeKind.POST_CONDITION else None
    return Outcome(kind, status, txid, raw if kind.is_mined else b"", text, unmet)


def outcome_of(info: TransactionInfo | None, txid: str = "") -> Outcome:
    """Return the outcome of a transaction, from the API's data on it.

    Args:
        info: The API's data; ``None`` if it does not know the transaction. One that is not on the current fork is
            waiting again.
        txid: The transaction, if the API does not know it.
    """
    if info is None:
        return Outcome(OutcomeKind.UNKNOWN, txid=txid)
    if info.status.is_mined and not info.is_canonical:
        return Outcome(OutcomeKind.WAITING, TransactionStatus.PENDING, info.txid)
    return read_outcome(
        info.status, info.raw_result, info.vm_error, txid=info.txid, is_publication=info.type == _PUBLISH
    )


def subject_of(info: TransactionInfo) -> str:
    """Return the name of a transaction in messages: its id, with what it calls or publishes."""
    if info.contract_id is None:
        return f"transaction {info.txid}"
    return f"transaction {info.txid} ({info.contract_id}{f'.{info.function}' if info.function else ''})"


def _kind(status: str, raw: bytes, text: str, *, is_publication: bool) -> OutcomeKind:
    is_error = raw[:1] == _ERR
    match status:
        case TransactionStatus.SUCCESS:
            return OutcomeKind.SUCCESS
        case TransactionStatus.PENDING:
            return OutcomeKind.WAITING
        case TransactionStatus.PROBLEMATIC_SKIPPED:
            return OutcomeKind.PROBLEMATIC
        case TransactionStatus.ABORT_BY_POST_CONDITION if not is_error:
            return OutcomeKind.POST_CONDITION
        case TransactionStatus.ABORT_BY_RESPONSE if text and is_publication and not _RUNTIME_NAME.match(text):
            return OutcomeKind.ANALYSIS_ERROR
        case TransactionStatus.ABORT_BY_RESPONSE if text or not is_error:
            return OutcomeKind.RUNTIME_ERROR
        case TransactionStatus.ABORT_BY_RESPONSE | TransactionStatus.ABORT_BY_POST_CONDITION:
            return OutcomeKind.CONTRACT_ERROR
    return OutcomeKind.REPLACED if status in _REPLACED else OutcomeKind.DROPPED
