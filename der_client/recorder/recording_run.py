"""The bookkeeping of one call of the recorder: what was given, what was sent for it, and the results."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from der_client.recorder.outcomes import RecorderReport, Recording, RecordingStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from der_client.contracts.production_tracking import ProductionError
    from der_client.recorder.candidates import Admitted, Candidate

_MAX_REFUSALS = 2


@dataclass(slots=True)
class Entry:
    """Readings that were given, and what has been done with them so far.

    Attributes:
        candidate: The readings.
        result: The result; ``None`` while they have to be judged, for the first time or again.
        recorded_mask: The slots that were recorded.
        txids: The transactions that were sent for them.
        refusals: How many times the contract refused them although they seemed acceptable: another account was faster.
    """

    candidate: Candidate
    result: Recording | None = None
    recorded_mask: int = 0
    txids: list[str] = field(default_factory=list)
    refusals: int = 0

    def end(self, result: Recording) -> None:
        """Set the result, including what was done before."""
        status = result.status
        if self.recorded_mask and status is RecordingStatus.REPEATED:
            status = RecordingStatus.RECORDED
        self.result = replace(
            result,
            status=status,
            recorded_mask=self.recorded_mask,
            repeated_mask=result.repeated_mask & ~self.recorded_mask,
            txids=tuple(self.txids),
        )

    def refuse(self, error: ProductionError | None, reason: str) -> None:
        """Note a refusal by the contract: judge it again once, since the chain may have changed; then end it."""
        self.refusals += 1
        if self.refusals >= _MAX_REFUSALS:
            self.end(self.candidate.say(RecordingStatus.REFUSED, reason, error=error))


@dataclass(slots=True, eq=False)
class Admission:
    """An entry of which something is to be sent. The first result that is set counts.

    Attributes:
        entry: The entry.
        verdict: The part to send.
    """

    entry: Entry
    verdict: Admitted
    _is_settled: bool = False

    def end(self, status: RecordingStatus, reason: str = "") -> None:
        """Set the result."""
        if not self._is_settled:
            self._is_settled = True
            verdict = self.verdict
            known = {"repeated_mask": verdict.repeated_mask, "unchecked_mask": verdict.unchecked_mask}
            self.entry.end(self.entry.candidate.say(status, reason, **known))

    def refuse(self, error: ProductionError | None, reason: str) -> None:
        """Note that the contract refused it."""
        if not self._is_settled:
            self._is_settled = True
            self.entry.refuse(error, reason)


class Run:
    """One call of the recorder.

    Args:
        candidates: Everything that was given, in order; what is given twice is examined once.

    Attributes:
        entries: The entries, each once.
        txids: All transactions that were sent.
        fees_ustx: What they cost so far, µSTX.
        failure: Why nothing more is sent; ``None`` if nothing has failed.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self.entries = [Entry(candidate) for candidate in dict.fromkeys(candidates)]
        self.txids: list[str] = []
        self.fees_ustx = 0
        self.failure: str | None = None

    @property
    def open_entries(self) -> list[Entry]:
        """The entries that have to be judged, for the first time or again."""
        return [entry for entry in self.entries if entry.result is None]

    def sent(self, txid: str, admissions: Iterable[Admission]) -> None:
        """Note that a transaction was sent for some of them."""
        self.txids.append(txid)
        for admission in admissions:
            admission.entry.txids.append(txid)

    def give_up(self, reason: str) -> None:
        """Note that nothing more can be sent."""
        for entry in self.open_entries:
            entry.end(entry.candidate.say(RecordingStatus.NOT_RECORDED, reason))

    def report(self) -> RecorderReport:
        """Report all results; a repeat of what was just recorded is a repeat like any other."""
        results = {entry.candidate: entry.result for entry in self.entries if entry.result is not None}
        recordings: list[Recording] = []
        seen: set[Candidate] = set()
        for candidate in self._candidates:
            result = results[candidate]
            if result.is_on_chain and candidate in seen:
                result = candidate.say(RecordingStatus.REPEATED, repeated_mask=candidate.mask)
            seen.add(candidate)
            recordings.append(result)
        return RecorderReport(tuple(recordings), tuple(self.txids), self.fees_ustx)
