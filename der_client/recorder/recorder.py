"""The recorder: records readings on the chain, and pays no fee for what is already there or would be refused.

It relays what meters have signed, signs itself if it holds the meter's key, and records as an oracle. It always reads
the plant's day on the chain first: what is missing is recorded, repeats are dropped, conflicts are reported. So it is
always safe to give it the same readings again.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from der_client.contracts.asset_verification import Role
from der_client.contracts.production_tracking import DayRecord, ProductionError, SignedDay
from der_client.readings.slots import describe_slots
from der_client.recorder.candidates import MeterReadings, OracleReadings, OracleSum, SignedReadings, Target
from der_client.recorder.chain_days import ChainDays
from der_client.recorder.outcomes import RecorderReport, Recording, RecordingStatus
from der_client.recorder.recording_run import Admission, Run
from der_client.stacks.checks import check_number, check_seconds
from der_client.stacks.contract.jobs import job_of, pending_of, unused_key
from der_client.stacks.errors import (
    CallReadError,
    ConfirmationTimeoutError,
    ContractError,
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
    from der_client.readings.signers import Signer
    from der_client.readings.signing import DayMessage
    from der_client.recorder.candidates import Candidate
    from der_client.recorder.chain_days import DayKey
    from der_client.recorder.recording_run import Entry
    from der_client.stacks.contract.annotations import Response
    from der_client.stacks.contract.call import Call
    from der_client.stacks.outbox import Journal

__all__ = ["Recorder", "RecorderReport", "Recording", "RecordingStatus"]

_LOG: Final = logging.getLogger(__name__)

_MESSAGES_PER_CALL: Final = 20
"""How many signed days one call of ``record-days`` accepts."""
MAX_BATCH_ITEMS: Final = 200
"""How many items one call of ``record-batch`` accepts."""


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
    """A job of the outbox, and which slots of which readings are in each of its items."""

    key: str
    call: Call[tuple[Response[bool], ...]]
    items: tuple[dict[Admission, int], ...]

    @property
    def admissions(self) -> list[Admission]:
        """Everything that is in it, each once."""
        return list(dict.fromkeys(admission for masks in self.items for admission in masks))


class Recorder:
    """Records readings through one account, which is the relayer or the oracle.

    Give it its own account. What it sends is in the journal of its outbox first: with a journal in a file, a recorder
    that was killed knows which readings are on their way, and sends none of them twice.

    Args:
        contracts: The contracts with the account that pays, e.g. ``Der.connect(url, account)``.
        confirm_timeout_s: How long a call waits for a transaction, in seconds.
        journal: The outbox's journal: a path (SQLite), a URL (Postgres), or ``None`` for one that ends with the
            recorder.

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
        check_seconds(confirm_timeout_s, "confirm_timeout_s")
        self._assets = contracts.assets
        self._production = contracts.production
        self._account = contracts.production.require_account()
        self._confirm_timeout_s = confirm_timeout_s
        self._journal = journal
        self._opened: Outbox | None = None

    def relay(self, messages: Iterable[DayMessage]) -> RecorderReport:
        """Relay what meters have signed, up to 20 messages in a transaction.

        Args:
            messages: The messages, in any order; repeats and overlaps are resolved.

        Raises:
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        return self._run([SignedReadings.of(message) for message in messages], self._relay)

    def sign_and_relay(self, asset_id: int, days: Iterable[MeteredDay], meter_key: Signer) -> RecorderReport:
        """Sign as the meter what is missing on the chain, and relay it; each run of slots is signed by itself.

        Only for a program that is the meter, or acts for it: nobody else should hold its key.

        Args:
            asset_id: The asset.
            days: The readings.
            meter_key: The meter's device key, as ``sign_day`` takes it.

        Raises:
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        return self._run([MeterReadings.of(asset_id, day, meter_key) for day in days], self._relay)

    def record(
        self,
        readings: Iterable[DayRecord | tuple[int, MeteredDay]],
        *,
        batch_size: int = MAX_BATCH_ITEMS,
    ) -> RecorderReport:
        """Record as an oracle, in batches; the account needs that role.

        Args:
            readings: Each is an asset with the readings of a day, or an item of which only the sum is known; for any
                number of assets and days, in any order.
            batch_size: The most asset-days in a batch, 1 to 200. The contract returns a result for each of them.

        Raises:
            InvalidValueError: If the batch size is out of range.
            NodeError, CallReadError: If the chain could not be read; nothing was sent.
        """
        check_number(batch_size, 1, MAX_BATCH_ITEMS, "batch_size")
        candidates: list[Candidate] = [
            OracleSum.of(item) if isinstance(item, DayRecord) else OracleReadings.of(*item) for item in readings
        ]
        if candidates and not self._assets.has_role(Role.ORACLE, self._account.address, ""):
            error = ProductionError.ERR_NOT_ORACLE
            reason = f"{self._account.address} is not an oracle: {error.reason}"
            refused = [candidate.say(RecordingStatus.REFUSED, reason, error=error) for candidate in candidates]
            return RecorderReport(tuple(refused), (), 0)

        def send(run: Run, admitted: Sequence[Admission]) -> None:
            self._record(run, admitted, batch_size)

        return self._run(candidates, send)

    # Judging, in as many passes as there are readings of the same slots, or if somebody else was faster

    def _run(self, candidates: Sequence[Candidate], send: Callable[[Run, Sequence[Admission]], None]) -> RecorderReport:
        run = Run(candidates)
        while entries := run.open_entries:
            try:
                self._outbox.step()
                admitted = self._judge(entries)
            except (NodeError, CallReadError) as error:
                if not run.txids and len(entries) == len(run.entries):
                    raise
                run.give_up(f"the chain could no longer be read: {error}")
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
            # What an earlier recorder had only planned to sign is judged again.
            self._opened.inherit()
        return self._opened

    def _on_their_way(self) -> defaultdict[DayKey, list[tuple[int, str]]]:
        """Return the slots of each asset-day that are on their way, with their transactions."""
        found: defaultdict[DayKey, list[tuple[int, str]]] = defaultdict(list)
        for entry in self._outbox.journal.entries(JobState.SIGNED, JobState.SENT):
            for asset_id, day, mask in json.loads(entry.note):
                found[asset_id, date.fromisoformat(day)].append((int(mask, 16), entry.txid))
        return found

    def close(self) -> None:
        """Release the account; what is on its way stays in the journal, for the next recorder."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # Sending

    def _relay(self, run: Run, admitted: Sequence[Admission]) -> None:
        """Send messages, several per transaction and several transactions at once."""
        waiting = []
        messages = [(admission, message) for admission in admitted for message in admission.verdict.messages]
        for first in range(0, len(messages), _MESSAGES_PER_CALL):
            page = messages[first : first + _MESSAGES_PER_CALL]
            call = self._production.record_days([_signed_day(message) for _, message in page])
            items = [{admission: SignedReadings.of(message).mask} for admission, message in page]
            sent = self._send(run, call, items)
            if sent is not None:
                waiting.append(sent)
        for sent in waiting:
            self._finish(run, sent)
        for admission in admitted:
            admission.end(RecordingStatus.RECORDED)

    def _record(self, run: Run, admitted: Sequence[Admission], batch_size: int) -> None:
        """Send a transaction per batch, several at once; readings of different slots of a day are one item."""
        by_day: defaultdict[DayKey, list[Admission]] = defaultdict(list)
        for admission in admitted:
            by_day[admission.entry.candidate.key].append(admission)
        keys = sorted(by_day)
        waiting = []
        for first in range(0, len(keys), batch_size):
            batch = [(key, by_day[key]) for key in keys[first : first + batch_size]]
            call = self._production.record_batch([_item(key, parts) for key, parts in batch])
            sent = self._send(run, call, [{part: part.verdict.new_mask for part in parts} for _, parts in batch])
            if sent is not None:
                waiting.append(sent)
        for sent in waiting:
            self._finish(run, sent)
        for admission in admitted:
            admission.end(RecordingStatus.RECORDED)

    def _send(
        self, run: Run, call: Call[tuple[Response[bool], ...]], items: Sequence[dict[Admission, int]]
    ) -> _Sent | None:
        """Pass a call to the outbox; return ``None`` if something has failed: this run then sends nothing more."""
        slots = [
            (asset_id, day.isoformat(), f"{mask:x}")
            for masks in items
            for (asset_id, day), mask in ((admission.entry.candidate.key, mask) for admission, mask in masks.items())
        ]
        name = f"{call.declared.name}/" + ",".join("/".join(map(str, slot)) for slot in slots)
        sent = _Sent(unused_key(self._outbox, name), call, tuple(items))
        if run.failure is not None:
            _end_all(sent.admissions, RecordingStatus.NOT_RECORDED, run.failure)
            return None
        self._outbox.add(job_of(sent.key, call, note=json.dumps(slots)))
        self._outbox.step()
        if self._outbox.has_failed(sent.key):
            self._fail(run, sent, self._outbox.wait(sent.key, is_patient=False).reason)
            return None
        return sent

    def _finish(self, run: Run, sent: _Sent) -> None:
        """Wait for a transaction, and note the contract's result for each of its items."""
        entry = self._outbox.wait(sent.key, timeout_s=self._confirm_timeout_s, is_patient=False)
        if entry.txid:
            run.sent(entry.txid, sent.admissions)
        if entry.state is JobState.GIVEN_UP:
            self._fail(run, sent, entry.reason)
            return
        if entry.state is not JobState.MINED:
            reason = f"transaction {entry.txid} was not mined within {self._confirm_timeout_s:g} s"
            _end_all(sent.admissions, RecordingStatus.PENDING, reason)
            return
        run.fees_ustx += entry.fee_paid_ustx or 0
        try:
            receipt = pending_of(sent.call, entry.txid).wait(self._confirm_timeout_s)
        except ConfirmationTimeoutError as error:
            _end_all(sent.admissions, RecordingStatus.PENDING, str(error))
        except ContractError as error:  # the caller may not record at all
            for admission in sent.admissions:
                admission.refuse(_code(error.code), str(error))
        except TransactionFailedError as error:
            _end_all(sent.admissions, RecordingStatus.NOT_RECORDED, str(error))
        else:
            for response, masks in zip(receipt.value, sent.items, strict=True):
                for admission, mask in masks.items():
                    if response.error_code is None:
                        admission.entry.recorded_mask |= mask
                    else:
                        admission.refuse(_code(response.error_code), _described(response.error_code, receipt.txid))

    def _fail(self, run: Run, sent: _Sent, reason: str) -> None:
        run.failure = f"nothing more was sent: {reason}"
        _LOG.warning("%s", run.failure)
        _end_all(sent.admissions, RecordingStatus.NOT_RECORDED, run.failure)

    @whole
    def __repr__(self) -> str:
        """For whom and where."""
        return f"Recorder({self._production!r})"


def _item(key: DayKey, parts: Sequence[Admission]) -> DayRecord:
    asset_id, day = key
    mask = sum(part.verdict.new_mask for part in parts)  # no two of them have a slot in common
    return DayRecord(asset_id=asset_id, day=day, mask=mask, wh=sum(part.verdict.new_wh for part in parts))


def _signed_day(message: DayMessage) -> SignedDay:
    return SignedDay(
        asset_id=message.asset_id,
        day=message.day,
        start=message.start,
        whs=message.whs,
        signature=message.rs,
    )


def _end_all(admissions: Iterable[Admission], status: RecordingStatus, reason: str) -> None:
    for admission in admissions:
        admission.end(status, reason)


def _code(number: int) -> ProductionError | None:
    return next((error for error in ProductionError if error == number), None)


def _described(number: int, txid: str) -> str:
    error = _code(number)
    return f"u{number} (txid {txid})" if error is None else f"{error.name} (u{number}): {error.reason} (txid {txid})"
