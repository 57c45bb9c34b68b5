"""The recorder: brings readings to the chain, and pays no fee for what is there already or would be refused.

It relays what meters have signed, signs itself where it holds the meter's key, and records as an oracle. Whatever it is
given, it reads the plant's day on the chain first: what is missing is recorded, a repeat dropped, a conflict reported.
So giving it the same readings again is always safe.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from der_client.contracts.asset_verification import Role
from der_client.contracts.production_tracking import DayRecord, ProductionError
from der_client.readings.bounds import require_integer
from der_client.readings.slots import describe_slots
from der_client.recorder.candidates import MeterReadings, OracleReadings, OracleSum, SignedReadings, Target
from der_client.recorder.chain_days import ChainDays
from der_client.recorder.outcomes import RecorderReport, Recording, RecordingStatus
from der_client.recorder.recording_run import Admission, Run
from der_client.stacks.contract.call import Pending
from der_client.stacks.errors import (
    CallReadError,
    ConfirmationTimeoutError,
    ContractError,
    InvalidValueError,
    NodeError,
    TransactionDroppedError,
    TransactionFailedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from der_client.contracts.asset_verification import AssetVerification
    from der_client.contracts.production_tracking import ProductionTracking
    from der_client.readings.days import MeteredDay
    from der_client.readings.signing import DayMessage
    from der_client.recorder.candidates import Candidate
    from der_client.recorder.chain_days import DayKey
    from der_client.recorder.recording_run import Entry
    from der_client.stacks.contract.call import Call
    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.rpc import Nonces

__all__ = ["Recorder", "RecorderReport", "Recording", "RecordingStatus"]

_LOG: Final = logging.getLogger(__name__)

MAX_BATCH_ITEMS: Final = 200
"""How many items one call of ``record-batch`` takes."""
_MAX_IN_FLIGHT: Final = 20
"""How many transactions may wait to be mined at once; a node takes 25 of one account."""
_LOST_AFTER_S: Final = 60.0
"""When a transaction that the node does not know any more is given up."""
_INHERITANCE_S: Final = 600.0
"""How long transactions of an earlier run are waited for."""
_GAP_S: Final = 35.0
"""How long a nonce below them may be missing; after 30 s the account's next transaction takes it."""


class Contracts(Protocol):
    """The contracts as one account sees them, such as a ``Der``."""

    @property
    def assets(self) -> AssetVerification:
        """The register."""

    @property
    def production(self) -> ProductionTracking:
        """The recordings."""


@dataclass(frozen=True, slots=True)
class _InFlight:
    """Slots in a transaction whose outcome was not known in time."""

    key: DayKey
    mask: int
    txid: str
    since: float


@dataclass(frozen=True, slots=True)
class _Sent:
    """A transaction on its way, and which slots of whom are in it."""

    pending: Pending[bool]
    masks: dict[Admission, int]


class Recorder:
    """Records readings through one account; it is the relayer, or the oracle.

    Use an account of its own: what an earlier run left in the mempool is waited for, since the same readings may be in
    it, and nothing tells whose transactions these are. Not for ever: what waits for a missing nonce is never mined
    before somebody uses that nonce, and other programs may use the account. Readings that are sent then and are in an
    inherited transaction, too, are paid for twice, but recorded once.

    Args:
        contracts: The contracts with the account that pays, e.g. ``Der.connect(url, account)``.
        confirm_timeout_s: How long a call waits for a transaction, in seconds. Where a nonce is missing below what an
            earlier run left, it waits half a minute at least.

    Raises:
        SigningError: If the connection has no account.
        InvalidValueError: If the time is negative.
    """

    def __init__(self, contracts: Contracts, *, confirm_timeout_s: float = 180.0) -> None:
        if confirm_timeout_s < 0:
            raise InvalidValueError(f"confirm_timeout_s is {confirm_timeout_s}; give at least 0 seconds")
        self._assets = contracts.assets
        self._production = contracts.production
        self._account = contracts.production.require_account()
        self._confirm_timeout_s = confirm_timeout_s
        self._in_flight: list[_InFlight] = []
        self._is_alone = False
        self._inherited_nonce: int | None = None
        self._inherited_until: float | None = None
        self._gap_since: float | None = None

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
                self._look_at_in_flight()
                admitted = self._judge(entries)
                if admitted and not self._nothing_inherited():
                    self._wait_for_inherited(run)
                    continue  # what was waited for may have recorded it
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
        admitted: list[Admission] = []
        for entry in entries:
            candidate = entry.candidate
            if taken[candidate.key] & candidate.claimed_mask:
                continue
            taken[candidate.key] |= candidate.claimed_mask
            verdict = candidate.judge(chain, target)
            if isinstance(verdict, Recording):
                entry.end(verdict)
            elif (sent := self._sent_before(candidate.key, verdict.new_mask)) is not None:
                entry.txids.append(sent.txid)
                reason = f"slots {describe_slots(sent.mask)} were sent before, and the outcome is not known yet"
                entry.end(candidate.say(RecordingStatus.PENDING, reason))
            else:
                admitted.append(Admission(entry, verdict))
        return admitted

    def _sent_before(self, key: DayKey, mask: int) -> _InFlight | None:
        return next((sent for sent in self._in_flight if sent.key == key and sent.mask & mask), None)

    def _look_at_in_flight(self) -> None:
        """Forget what was mined, dropped or lost since: the chain tells the rest."""
        still = []
        for sent in self._in_flight:
            info = self._account.pending(sent.txid).info()
            is_lost = info is None and time.monotonic() - sent.since > _LOST_AFTER_S
            if not is_lost and (info is None or not (info.status.is_mined or info.status.is_dropped)):
                still.append(sent)
        self._in_flight = still

    def _nothing_inherited(self) -> bool:
        """Whether nothing of an earlier run of this account is waited for any more: the same readings may be in it."""
        if self._is_alone:
            return True
        nonces = self._production.client.nonces(self._account.address)
        if self._inherited_until is None:
            self._inherited_until = time.monotonic() + _INHERITANCE_S
        if self._inherited_nonce is None:
            self._inherited_nonce = nonces.last_in_mempool
        executed = -1 if nonces.last_executed is None else nonces.last_executed
        has_left = nonces.last_in_mempool is None  # mined, or given up by the node
        if has_left or self._inherited_nonce is None or executed >= self._inherited_nonce:
            self._is_alone = True
        elif self._has_lasting_gap(nonces, self._inherited_nonce):
            self._go_on("a nonce below is missing, which the next transaction takes")
        elif time.monotonic() >= self._inherited_until:
            self._go_on(f"they were not mined in {_INHERITANCE_S:.0f} s")
        return self._is_alone

    def _has_lasting_gap(self, nonces: Nonces, inherited_nonce: int) -> bool:
        """Whether a nonce below has been missing for so long that the next transaction takes it.

        Nothing above is mined before. The account counts the time from when it is asked first.
        """
        if not any(nonce < inherited_nonce for nonce in nonces.missing):
            self._gap_since = None
            return False
        if self._gap_since is None:
            self._gap_since = time.monotonic()
        elif self._waits_for_gap():
            return False
        return self._account.next_nonce() < inherited_nonce

    def _waits_for_gap(self) -> bool:
        return self._gap_since is not None and time.monotonic() - self._gap_since < _GAP_S

    def _go_on(self, reason: str) -> None:
        self._is_alone = True
        _LOG.warning(
            "transactions of %s up to nonce %s still wait in the mempool from before, and are not waited for any more: "
            "%s; readings that are in them, too, are paid for twice, and recorded once",
            self._account.address,
            self._inherited_nonce,
            reason,
        )

    def _wait_for_inherited(self, run: Run) -> None:
        """Wait for it as long as for a transaction; sending more would only queue behind it, unless it fills a gap."""
        deadline = time.monotonic() + self._confirm_timeout_s
        pause = 0.05
        while not self._nothing_inherited():
            # A program that is started anew each time would never see for how long a nonce is missing.
            if time.monotonic() >= deadline and not self._waits_for_gap():
                run.give_up(
                    f"transactions of {self._account.address} up to nonce {self._inherited_nonce} still wait in the "
                    "mempool from before, and these readings may be in them: give them again when those are mined or "
                    "dropped"
                )
                return
            time.sleep(pause)
            pause = min(pause * 1.5, 3.0)

    # Sending

    def _relay(self, run: Run, admitted: Sequence[Admission]) -> None:
        """One transaction per message, several on their way at once."""
        waiting: deque[_Sent] = deque()
        for admission in admitted:
            for message in admission.verdict.messages:
                if len(waiting) >= _MAX_IN_FLIGHT:
                    self._finish_message(run, waiting.popleft())
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
        """Send a call; ``None`` if that failed, and then nothing more is sent in this run."""
        if run.failure is None:
            try:
                pending = call.send()
            except ConfirmationTimeoutError as error:
                # It may have arrived: it is looked for, and not sent again meanwhile.
                pending = Pending(call, self._account.pending(error.txid))
            except (NodeError, CallReadError, InvalidValueError) as error:
                run.failure = f"nothing more was sent: {error}"
                _LOG.warning("%s", run.failure)
        if run.failure is not None:
            for admission in masks:
                admission.end(RecordingStatus.NOT_RECORDED, run.failure)
            return None
        run.sent(pending.txid, masks)
        return _Sent(pending, masks)

    def _finish(self, run: Run, sent: _Sent) -> ContractError | None:
        """Wait for a transaction; the error if the contract refused it."""
        try:
            receipt = sent.pending.wait(self._confirm_timeout_s)
        except (ConfirmationTimeoutError, NodeError) as error:
            for admission, mask in sent.masks.items():
                key = admission.entry.candidate.key
                self._in_flight.append(_InFlight(key, mask, sent.pending.txid, time.monotonic()))
                admission.end(RecordingStatus.PENDING, str(error))
        except TransactionFailedError as error:
            run.fees_ustx += self._fee_ustx(error.txid)
            if isinstance(error, ContractError):
                return error
            _end_all(sent.masks, RecordingStatus.NOT_RECORDED, str(error))
        except TransactionDroppedError as error:
            _end_all(sent.masks, RecordingStatus.NOT_RECORDED, str(error))
        else:
            run.fees_ustx += receipt.fee_ustx
            for admission, mask in sent.masks.items():
                admission.entry.recorded_mask |= mask
        return None

    def _fee_ustx(self, txid: str) -> int:
        """What a failed transaction cost; 0 if the node does not tell."""
        try:
            info = self._account.pending(txid).info()
        except NodeError:
            return 0
        return 0 if info is None else info.fee_ustx

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
