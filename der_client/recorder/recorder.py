"""The recorder: brings readings to the chain, and pays no fee for what is there already or would be refused.

It relays what meters have signed, signs itself where it holds the meter's key, and records as an oracle. Whatever it is
given, it reads the plant's day on the chain first: what is missing is recorded, a repeat dropped, a conflict reported.
So giving it the same readings again is always safe.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from der_client.contracts.asset_verification import Role
from der_client.contracts.production_tracking import DayRecord, ProductionError
from der_client.readings.bounds import require_integer
from der_client.readings.slots import describe_slots
from der_client.recorder.candidates import MeterReadings, OracleReadings, OracleSum, SignedReadings, Target
from der_client.recorder.chain_days import ChainDays
from der_client.recorder.outcomes import RecorderReport, Recording, RecordingStatus
from der_client.recorder.recording_run import Admission, Run
from der_client.stacks.contract.jobs import job_of, pending_of, unused_key
from der_client.stacks.errors import (
    CallReadError,
    ConfirmationTimeoutError,
    ContractError,
    InvalidValueError,
    NodeError,
    TransactionFailedError,
    whole,
)
from der_client.stacks.outbox import JobState, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from der_client.contracts.asset_verification import AssetVerification
    from der_client.contracts.production_tracking import ProductionTracking
    from der_client.readings.days import MeteredDay
    from der_client.readings.signing import DayMessage
    from der_client.recorder.candidates import Candidate
    from der_client.recorder.chain_days import DayKey
    from der_client.recorder.recording_run import Entry
    from der_client.stacks.contract.call import Call
    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.outbox import Journal

__all__ = ["Recorder", "RecorderReport", "Recording", "RecordingStatus"]

_LOG: Final = logging.getLogger(__name__)

MAX_BATCH_ITEMS: Final = 200
"""How many items one call of ``record-batch`` takes."""


class Contracts(Protocol):
    """The contracts as one account sees them, such as a ``Der``."""

    @property
    def assets(self) -> AssetVerification:
        """The register."""

    @property
    def production(self) -> ProductionTracking:
        """The recordings."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A job of the outbox, and which slots of whom are in it."""

    key: str
    call: Call[bool]
    masks: dict[Admission, int]


class Recorder:
    """Records readings through one account; it is the relayer, or the oracle.

    Use an account of its own. What it sends is in the journal of its outbox first: with one in a file, a recorder that
    was killed knows which readings are on their way, and sends none of them twice.

    Args:
        contracts: The contracts with the account that pays, e.g. ``Der.connect(url, account)``.
        confirm_timeout_s: How long a call waits for a transaction, in seconds.
        journal: Of the outbox: a path (SQLite), a URL (Postgres), or ``None`` for one that ends with the recorder.

    Raises:
        SigningError: If the connection has no account.
        InvalidValueError: If the time is negative.
    """

    def __init__(
        self,
        contracts: Contracts,
        *,
        confirm_timeout_s: float = 180.0,
        journal: Journal | Path | str | None = None,
    ) -> None:
        if confirm_timeout_s < 0:
            raise InvalidValueError(f"confirm_timeout_s is {confirm_timeout_s}; give at least 0 seconds")
        self._assets = contracts.assets
        self._production = contracts.production
        self._account = contracts.production.require_account()
        self._confirm_timeout_s = confirm_timeout_s
        self._journal = journal
        self._opened: Outbox | None = None

    def relay(self, messages: Iterable[DayMessage]) -> RecorderReport:
        """Relay what meters have signed, each message in a transaction of its own.

        Args:
            messages: In any order; repeats and overlaps are sorted out.

        Raises:
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        return self._run([SignedReadings.of(message) for message in messages], self._relay)

    def sign_and_relay(self, asset_id: int, days: Iterable[MeteredDay], meter_key: PrivateKey) -> RecorderReport:
        """Sign as the meter what is missing on the chain of some days, and relay it: one transaction per run of slots.

        Only for a program that is the meter, or stands in for it: nobody else should hold its key.

        Args:
            asset_id: The asset.
            days: The readings.
            meter_key: The meter's device key.

        Raises:
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        return self._run([MeterReadings.of(asset_id, day, meter_key) for day in days], self._relay)

    def record(
        self,
        readings: Iterable[DayRecord | tuple[int, MeteredDay]],
        *,
        batch_size: int = MAX_BATCH_ITEMS,
        keep_going: bool = True,
    ) -> RecorderReport:
        """Record as an oracle, in batches; the account needs that role.

        Args:
            readings: Each an asset with the readings of its day, or an item of which only the sum is known; of any
                number of assets and days, in any order.
            batch_size: The most asset-days in a batch, 1 to 200. A batch is recorded as a whole or not at all.
            keep_going: Whether the rest of a batch is recorded without the item that made it fail.

        Raises:
            InvalidValueError: If the batch size is out of range.
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        require_integer("batch_size", batch_size, 1, MAX_BATCH_ITEMS)
        candidates: list[Candidate] = [
            OracleSum.of(item) if isinstance(item, DayRecord) else OracleReadings.of(*item) for item in readings
        ]
        if candidates and not self._assets.has_role(Role.ORACLE, self._account.address, ""):
            error = ProductionError.ERR_NOT_ORACLE
            reason = f"{self._account.address} is no oracle: {error.reason}"
            refused = [candidate.say(RecordingStatus.REFUSED, reason, error=error) for candidate in candidates]
            return RecorderReport(tuple(refused), (), 0)

        def send(run: Run, admitted: Sequence[Admission]) -> None:
            self._record(run, admitted, batch_size, keep_going=keep_going)

        return self._run(candidates, send)

    # Judging, in as many passes as readings of the same slots were given, or somebody else was faster

    def _run(self, candidates: Sequence[Candidate], send: Callable[[Run, Sequence[Admission]], None]) -> RecorderReport:
        run = Run(candidates)
        while entries := run.open_entries:
            try:
                self._outbox.step()
                admitted = self._judge(entries)
            except (NodeError, CallReadError) as error:
                if not run.txids and len(entries) == len(run.entries):
                    raise
                run.give_up(f"the chain could not be read any more: {error}")
            else:
                send(run, admitted)
        return run.report()

    def _judge(self, entries: Sequence[Entry]) -> list[Admission]:
        """Judge what has no slot in common with an earlier one; the others wait until that one is on the chain."""
        chain = ChainDays(self._assets, self._production, [entry.candidate.key for entry in entries])
        target = Target(self._production.contract_id, self._production.client.network.chain_id)
        taken: defaultdict[DayKey, int] = defaultdict(int)
        on_their_way = self._on_their_way()
        admitted: list[Admission] = []
        for entry in entries:
            candidate = entry.candidate
            if taken[candidate.key] & candidate.claimed_mask:
                continue
            taken[candidate.key] |= candidate.claimed_mask
            verdict = candidate.judge(chain, target)
            if isinstance(verdict, Recording):
                entry.end(verdict)
            elif found := [sent for sent in on_their_way[candidate.key] if sent[0] & verdict.new_mask]:
                mask, txid = found[0]
                entry.txids.append(txid)
                reason = f"slots {describe_slots(mask)} were sent before, and the outcome is not known yet"
                entry.end(candidate.say(RecordingStatus.PENDING, reason))
            else:
                admitted.append(Admission(entry, verdict))
        return admitted

    @property
    def _outbox(self) -> Outbox:
        if self._opened is None:
            purpose = f"recorder of {self._production.contract_id}"
            self._opened = Outbox(self._account, self._journal, purpose=purpose)
            # What an earlier recorder only meant to sign is judged anew.
            for entry in self._opened.journal.entries(JobState.QUEUED):
                self._opened.cancel(entry.key)
        return self._opened

    def _on_their_way(self) -> defaultdict[DayKey, list[tuple[int, str]]]:
        """The slots of each asset-day that are in transactions whose outcome is not known, and those transactions."""
        found: defaultdict[DayKey, list[tuple[int, str]]] = defaultdict(list)
        for entry in self._outbox.journal.entries(JobState.SIGNED, JobState.SENT):
            for asset_id, day, mask in json.loads(entry.note):
                found[asset_id, date.fromisoformat(day)].append((int(mask, 16), entry.txid))
        return found

    def close(self) -> None:
        """Give back the account; what is on its way stays in the journal, for the next recorder."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # Sending

    def _relay(self, run: Run, admitted: Sequence[Admission]) -> None:
        """One transaction per message, several on their way at once."""
        waiting = []
        for admission in admitted:
            for message in admission.verdict.messages:
                call = self._production.record_day(
                    message.asset_id, message.day, message.start, message.whs, message.signature
                )
                sent = self._send(run, call, {admission: SignedReadings.of(message).mask})
                if sent is not None:
                    waiting.append(sent)
        for sent in waiting:
            self._finish_message(run, sent)
        for admission in admitted:
            admission.end(RecordingStatus.RECORDED)

    def _finish_message(self, run: Run, sent: _Sent) -> None:
        error = self._finish(run, sent)
        if error is not None:
            for admission in sent.masks:
                admission.refuse(_code(error), str(error))

    def _record(self, run: Run, admitted: Sequence[Admission], batch_size: int, *, keep_going: bool) -> None:
        """One transaction per batch; readings of the same day, and of other slots, are one item."""
        by_day: defaultdict[DayKey, list[Admission]] = defaultdict(list)
        for admission in admitted:
            by_day[admission.entry.candidate.key].append(admission)
        keys = sorted(by_day)
        for first in range(0, len(keys), batch_size):
            batch = {key: by_day[key] for key in keys[first : first + batch_size]}
            call = self._production.record_batch([_item(key, parts) for key, parts in batch.items()])
            masks = {admission: admission.verdict.new_mask for parts in batch.values() for admission in parts}
            sent = self._send(run, call, masks)
            error = None if sent is None else self._finish(run, sent)
            if error is not None:
                _after_failure(batch, error, keep_going=keep_going)
        for admission in admitted:
            admission.end(RecordingStatus.RECORDED)

    def _send(self, run: Run, call: Call[bool], masks: dict[Admission, int]) -> _Sent | None:
        """Hand a call to the outbox; ``None`` if something failed before, and then nothing more is sent in this run."""
        if run.failure is not None:
            _end_all(masks, RecordingStatus.NOT_RECORDED, run.failure)
            return None
        slots = [
            (asset_id, day.isoformat(), f"{mask:x}")
            for (asset_id, day), mask in ((admission.entry.candidate.key, mask) for admission, mask in masks.items())
        ]
        name = f"{call.declared.name}/" + ",".join("/".join(map(str, slot)) for slot in slots)
        key = unused_key(self._outbox, name)
        self._outbox.add(job_of(key, call, note=json.dumps(slots)))
        self._outbox.step()
        if self._outbox.has_failed(key):
            self._fail(run, masks, self._outbox.wait(key, is_patient=False).reason)
            return None
        return _Sent(key, call, masks)

    def _finish(self, run: Run, sent: _Sent) -> ContractError | None:
        """Wait for a transaction; the error if the contract refused it."""
        entry = self._outbox.wait(sent.key, timeout_s=self._confirm_timeout_s, is_patient=False)
        if entry.txid:
            run.sent(entry.txid, sent.masks)
        if entry.state is JobState.GIVEN_UP:
            self._fail(run, sent.masks, entry.reason)
            return None
        if entry.state is not JobState.MINED:
            reason = f"transaction {entry.txid} was not mined within {self._confirm_timeout_s:g} s"
            _end_all(sent.masks, RecordingStatus.PENDING, reason)
            return None
        run.fees_ustx += entry.fee_paid_ustx or 0
        try:
            pending_of(sent.call, entry.txid).wait(self._confirm_timeout_s)
        except ConfirmationTimeoutError as error:
            _end_all(sent.masks, RecordingStatus.PENDING, str(error))
        except ContractError as error:
            return error
        except TransactionFailedError as error:
            _end_all(sent.masks, RecordingStatus.NOT_RECORDED, str(error))
        else:
            for admission, mask in sent.masks.items():
                admission.entry.recorded_mask |= mask
        return None

    def _fail(self, run: Run, masks: Iterable[Admission], reason: str) -> None:
        run.failure = f"nothing more was sent: {reason}"
        _LOG.warning("%s", run.failure)
        _end_all(masks, RecordingStatus.NOT_RECORDED, run.failure)

    @whole
    def __repr__(self) -> str:
        """For whom and where."""
        return f"Recorder({self._production!r})"


def _item(key: DayKey, parts: Sequence[Admission]) -> DayRecord:
    asset_id, day = key
    mask = sum(part.verdict.new_mask for part in parts)  # no two have a slot in common
    return DayRecord(asset_id=asset_id, day=day, mask=mask, wh=sum(part.verdict.new_wh for part in parts))


def _after_failure(batch: dict[DayKey, list[Admission]], error: ContractError, *, keep_going: bool) -> None:
    """Nothing of a batch was recorded: the item at fault is refused, the others are judged anew, or not."""
    culprits = list(batch) if error.index is None else [list(batch)[error.index]]
    for key, parts in batch.items():
        for part in parts:
            if key in culprits:
                part.refuse(_code(error), str(error), for_good=not keep_going)
            elif keep_going:
                part.judge_anew()
            else:
                asset_id, day = culprits[0]
                reason = f"its batch failed at item {error.index} (asset {asset_id}, {day}): {error}"
                part.end(RecordingStatus.NOT_RECORDED, reason)


def _end_all(admissions: Iterable[Admission], status: RecordingStatus, reason: str) -> None:
    for admission in admissions:
        admission.end(status, reason)


def _code(error: ContractError) -> ProductionError | None:
    return error.error if isinstance(error.error, ProductionError) else None
