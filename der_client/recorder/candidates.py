"""Readings to be recorded, compared with the chain: which are new, and whether they would be accepted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from der_client.contracts.production_tracking import ProductionError
from der_client.readings.days import MeteredDay
from der_client.readings.signing import DayMessage
from der_client.readings.slots import describe_slots, full_mask
from der_client.recorder.admission import Refusal, check_message, check_oracle, check_slots
from der_client.recorder.outcomes import Recording, RecordingStatus
from der_client.recorder.planning import Conflict
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

    from der_client.contracts.asset_verification import RecordingRight
    from der_client.contracts.production_tracking import DayRecord
    from der_client.readings.signers import Signer
    from der_client.recorder.chain_days import ChainDays, DayKey
    from der_client.recorder.planning import DayPlan


@dataclass(frozen=True, slots=True)
class Target:
    """The place where it is recorded.

    Attributes:
        contract: Id of the production-tracking contract, ``ADDRESS.name``.
        chain_id: Of its network.
    """

    contract: str
    chain_id: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """The part of some readings that can be recorded now.

    Attributes:
        new_mask: The slots that are missing on the chain.
        new_wh: Their energy, Wh.
        repeated_mask: Slots that are recorded with the same energy.
        unchecked_mask: Slots that are recorded and cannot be compared.
        messages: The messages to relay, if the meter signs.
    """

    new_mask: int
    new_wh: int
    repeated_mask: int = 0
    unchecked_mask: int = 0
    messages: tuple[DayMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate(ABC):
    """Readings of an asset's day.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots.
        wh: Their energy, Wh.
    """

    asset_id: int
    day: date
    mask: int
    wh: int

    @property
    def key(self) -> DayKey:
        """Asset and day."""
        return self.asset_id, self.day

    @property
    def claimed_mask(self) -> int:
        """The slots that no other readings may record at the same time."""
        return self.mask

    def refusal(self, chain: ChainDays, target: Target) -> Refusal | None:
        """Return why these readings can never be recorded this way, whatever is recorded for their day.

        Args:
            chain: The chain's data on the asset.
            target: Where they will be recorded.
        """
        right = chain.right(self.key)
        if right is None:
            return Refusal(ProductionError.ERR_ASSET_NOT_FOUND, f"asset {self.asset_id} is not found")
        return self._check(right, target)

    def judge(self, chain: ChainDays, target: Target) -> Admitted | Recording:
        """Compare with the chain, and return what can be recorded, or the result instead.

        Args:
            chain: The chain's data on the day.
            target: Where it will be recorded.

        Raises:
            NodeError: If the chain could not be read.
        """
        right = chain.right(self.key)
        if right is None:
            return self._refused(Refusal(ProductionError.ERR_ASSET_NOT_FOUND, f"there is no asset {self.asset_id}"))
        refusal = self._check(right, target)
        return self._compare(chain, right, target) if refusal is None else self._refused(refusal)

    def say(self, status: RecordingStatus, reason: str = "", **details: Any) -> Recording:
        """Return the result for these readings; ``details`` are further fields of it."""
        return Recording(self.asset_id, self.day, self.mask, self.wh, status, reason=reason, **details)

    @abstractmethod
    def _check(self, right: RecordingRight, target: Target) -> Refusal | None:
        """Return why they may not be recorded in this way at all."""

    @abstractmethod
    def _compare(self, chain: ChainDays, right: RecordingRight, target: Target) -> Admitted | Recording:
        """Compare with what is recorded for their day."""

    def _refused(self, refusal: Refusal, **details: Any) -> Recording:
        return self.say(RecordingStatus.REFUSED, refusal.reason, error=refusal.error, **details)

    def _conflicting(self, *conflicts: Conflict, **details: Any) -> Recording:
        differences = "; ".join(
            f"slots {describe_slots(conflict.mask)}: {conflict.recorded_wh:,} Wh recorded, "
            f"{conflict.metered_wh:,} Wh given"
            for conflict in conflicts
        )
        reason = (
            f"different energy is recorded ({differences}): find out which is right; a verifier can adjust the day "
            "until it is verified"
        )
        return self.say(RecordingStatus.CONFLICTING, reason, conflicts=conflicts, **details)

    def _unchecked(self, *, unchecked_mask: int, repeated_mask: int = 0) -> Recording:
        """Return that nothing is missing, and that the energy of some slots cannot be compared."""
        reason = (
            f"slots {describe_slots(unchecked_mask)} of {self.day} are recorded, but their energy is known "
            "only as a sum with slots that are not given here, or not at all: give all slots that were "
            "recorded together"
            if self.mask
            else f"no slot of {self.day} is given"
        )
        return self.say(RecordingStatus.UNCHECKED, reason, unchecked_mask=unchecked_mask, repeated_mask=repeated_mask)

    def _refuse_part(
        self, chain: ChainDays, right: RecordingRight, repeated_mask: int, unchecked_mask: int, advice: str
    ) -> Recording:
        """Return that some slots are already recorded, and that the rest cannot be recorded without them."""
        row = chain.row(self.key)
        refusal = check_slots(right, row, day=self.day, mask=self.mask, wh=self.wh, now=chain.now)
        # If the row does not show it yet, the events do.
        already = ProductionError.ERR_SLOT_ALREADY_RECORDED
        refusal = refusal or Refusal(already, f"some of these slots of {self.day} were recorded just now")
        if refusal.error is already:
            refusal = replace(refusal, reason=f"{refusal.reason}; {advice}")
        return self._refused(refusal, repeated_mask=repeated_mask, unchecked_mask=unchecked_mask)

    def _admit(self, plan: DayPlan, chain: ChainDays, right: RecordingRight) -> Admitted | Recording:
        """Return what can be recorded, after a comparison slot by slot."""
        known: dict[str, Any] = {"repeated_mask": plan.repeated_mask, "unchecked_mask": plan.unchecked_mask}
        if plan.conflicts:
            return self._conflicting(*plan.conflicts, **known)
        if plan.is_done:
            is_same = self.mask == plan.repeated_mask != 0
            return self.say(RecordingStatus.REPEATED, **known) if is_same else self._unchecked(**known)
        new = plan.new
        refusal = check_slots(right, chain.row(self.key), day=self.day, mask=new.mask, wh=new.wh, now=chain.now)
        return Admitted(new.mask, new.wh, **known) if refusal is None else self._refused(refusal, **known)


@dataclass(frozen=True, slots=True)
class SignedReadings(Candidate):
    """A message of a meter, which can be relayed as it is or not at all."""

    message: DayMessage

    @classmethod
    def of(cls, message: DayMessage) -> Self:
        """Make one from a message."""
        mask = ((1 << len(message.whs)) - 1) << message.start
        return cls(message.asset_id, message.day, mask, sum(message.whs), message.with_low_s())

    def _check(self, right: RecordingRight, target: Target) -> Refusal | None:
        return check_message(self.message, right, contract=target.contract, chain_id=target.chain_id)

    def _compare(self, chain: ChainDays, right: RecordingRight, _target: Target) -> Admitted | Recording:
        try:
            metered = MeteredDay.from_readings(self.message.readings(right.slot_seconds))
        except InvalidValueError as error:
            return self._refused(Refusal(ProductionError.ERR_INVALID_SLOTS, str(error)))
        plan = chain.compare(self.asset_id, metered)
        if plan.new.mask not in (0, self.mask) and not plan.conflicts:
            advice = "a signature covers all of its slots: let the meter sign only the missing ones"
            return self._refuse_part(chain, right, plan.repeated_mask, plan.unchecked_mask, advice)
        verdict = self._admit(plan, chain, right)
        return replace(verdict, messages=(self.message,)) if isinstance(verdict, Admitted) else verdict


@dataclass(frozen=True, slots=True)
class MeterReadings(Candidate):
    """Readings that a program with the meter's key signs once it is known which of them are missing."""

    metered: MeteredDay
    meter_key: Signer

    @classmethod
    def of(cls, asset_id: int, metered: MeteredDay, meter_key: Signer) -> Self:
        """Make one from the readings of a day."""
        return cls(asset_id, metered.day, metered.mask, metered.wh, metered, meter_key)

    def _check(self, right: RecordingRight, _target: Target) -> Refusal | None:
        return _check_slot_length(self.asset_id, self.metered, right)

    def _compare(self, chain: ChainDays, right: RecordingRight, target: Target) -> Admitted | Recording:
        verdict = self._admit(chain.compare(self.asset_id, self.metered), chain, right)
        if isinstance(verdict, Recording):
            return verdict
        messages = tuple(
            DayMessage.sign(
                self.meter_key,
                run,
                contract=target.contract,
                asset_id=self.asset_id,
                key_epoch=right.key_epoch,
                chain_id=target.chain_id,
            )
            for run in self.metered.only(verdict.new_mask).runs()
        )
        refusal = check_message(messages[0], right, contract=target.contract, chain_id=target.chain_id)
        return replace(verdict, messages=messages) if refusal is None else self._refused(refusal)


@dataclass(frozen=True, slots=True)
class OracleReadings(Candidate):
    """Readings of a plant whose meter cannot sign, slot by slot."""

    metered: MeteredDay

    @classmethod
    def of(cls, asset_id: int, metered: MeteredDay) -> Self:
        """Make one from the readings of a day."""
        return cls(asset_id, metered.day, metered.mask, metered.wh, metered)

    @property
    def claimed_mask(self) -> int:
        """All, if they were rounded: a recording can only be compared as a whole, as it was rounded."""
        return full_mask(self.metered.slot_seconds) if self.metered.exact_wh_by_slot else self.mask

    def _check(self, right: RecordingRight, _target: Target) -> Refusal | None:
        return check_oracle(self.asset_id, self.day, right) or _check_slot_length(self.asset_id, self.metered, right)

    def _compare(self, chain: ChainDays, right: RecordingRight, _target: Target) -> Admitted | Recording:
        return self._admit(chain.compare(self.asset_id, self.metered), chain, right)


@dataclass(frozen=True, slots=True)
class OracleSum(Candidate):
    """Readings of a plant whose meter cannot sign, of which only the sum is known."""

    @classmethod
    def of(cls, item: DayRecord) -> Self:
        """Make one from an item of a batch."""
        return cls(item.asset_id, item.day, item.mask, item.wh)

    def _check(self, right: RecordingRight, _target: Target) -> Refusal | None:
        return check_oracle(self.asset_id, self.day, right)

    def _compare(self, chain: ChainDays, right: RecordingRight, _target: Target) -> Admitted | Recording:
        row = chain.row(self.key)
        twice = 0 if row is None else row.mask & self.mask
        if row is not None and twice == self.mask:
            is_same = (row.mask, row.wh) == (self.mask, self.wh)
            return self.say(RecordingStatus.REPEATED, repeated_mask=self.mask) if is_same else self._compare_sum(chain)
        if twice:
            advice = (
                "only the sum of these readings is known: give them slot by slot, so that the missing ones are recorded"
            )
            return self._refuse_part(chain, right, 0, twice, advice)
        refusal = check_slots(right, row, day=self.day, mask=self.mask, wh=self.wh, now=chain.now)
        return Admitted(self.mask, self.wh) if refusal is None else self._refused(refusal)

    def _compare_sum(self, chain: ChainDays) -> Recording:
        """Compare if all slots are recorded: their energy is known if none was recorded together with others."""
        parts = [part for part in chain.parts(self.key) if part.mask & self.mask]
        known = [part.wh for part in parts if part.wh is not None and not part.mask & ~self.mask]
        if len(known) != len(parts):
            return self._unchecked(unchecked_mask=self.mask)
        if sum(known) == self.wh:
            return self.say(RecordingStatus.REPEATED, repeated_mask=self.mask)
        return self._conflicting(Conflict(self.mask, sum(known), self.wh))


def _check_slot_length(asset_id: int, metered: MeteredDay, right: RecordingRight) -> Refusal | None:
    if metered.slot_seconds == right.slot_seconds:
        return None
    return Refusal(
        ProductionError.ERR_INVALID_SLOTS,
        f"the readings are of slots of {metered.slot_seconds} s, but asset {asset_id} has slots of "
        f"{right.slot_seconds} s",
    )
