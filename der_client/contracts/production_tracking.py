"""``production-tracking``: what each asset produced, slot by slot, and whether it is verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from der_client.contracts.asset_verification import AssetVerification
from der_client.contracts.units import EnergyContract, Hash32, Model, Page, Reason, Signature, VersionedEvent
from der_client.stacks.contract import public, read_only
from der_client.stacks.contract.annotations import ClarityName, Day, Int, MaxLength, Principal, UInt
from der_client.stacks.contract.errors import Code, ErrorCode


class DayState(Code):
    """State of the production of a day; a day of which nothing is kept is open."""

    OPEN = 0
    RECORDED = 1
    DISPUTED = 2
    VERIFIED = 3
    REJECTED = 4

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more."""
        return self >= DayState.VERIFIED


class ProductionDay(Model):
    """The production of an asset on a day.

    Attributes:
        state: Its state.
        mask: The slots recorded; slot 0 is the lowest bit.
        wh: Their energy, Wh.
    """

    state: DayState
    mask: UInt
    wh: UInt


class TotalProduction(Model):
    """Energy of an asset over all days, Wh."""

    recorded_wh: UInt
    verified_wh: UInt


class AssetDay(Model):
    """Names a day of an asset."""

    asset_id: UInt
    day: Day


class DayRecord(Model):
    """What an oracle records of one day of one asset.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots, slot 0 the lowest bit.
        wh: Their energy together, Wh.
    """

    asset_id: UInt
    day: Day
    mask: UInt
    wh: UInt


class ReviewedDay(Model):
    """A day to verify, with the energy (Wh) that was reviewed."""

    asset_id: UInt
    day: Day
    wh: UInt


class ProductionError(ErrorCode):
    """Errors of ``production-tracking``."""

    ERR_NOT_ORACLE = 2001, "only an oracle may do this"
    ERR_NOT_VERIFIER = 2002, "only a verifier may do this"
    ERR_NOT_ARBITER = 2003, "the day is disputed: only an arbiter decides it"
    ERR_NOT_VERIFIER_OR_ARBITER = 2004, "only a verifier or an arbiter may do this"
    ERR_ASSET_NOT_FOUND = 2005, "no asset has this id"
    ERR_NOT_RECORDABLE = 2006, "the asset was not verified on that day"
    ERR_INVALID_SLOTS = 2007, "no slots are given, or slots that the day does not have"
    ERR_SLOT_NOT_OVER = 2008, "a slot can be recorded only after its end"
    ERR_RECORDING_CLOSED = 2009, "a day can be recorded until 30 days after it"
    ERR_SLOT_ALREADY_RECORDED = 2010, "one of the slots is recorded already"
    ERR_IMPLAUSIBLE_ENERGY = 2011, "more energy than 110 % of the capacity yields in these slots"
    ERR_DEVICE_MUST_SIGN = 2012, "a device key is bound: only its signature records this day"
    ERR_NO_DEVICE_KEY = 2013, "no device key is bound for that day: an oracle records it"
    ERR_INVALID_SIGNATURE = 2014, "the bound device key did not sign these readings"
    ERR_DAY_NOT_RECORDED = 2015, "nothing is recorded of that day"
    ERR_DAY_FINAL = 2016, "the day is verified or rejected for good"
    ERR_DAY_DISPUTED = 2017, "the day is disputed"
    ERR_DAY_NOT_OVER = 2018, "the day is not over yet"
    ERR_WINDOW_CLOSED = 2019, "a day can be verified and adjusted until 45 days after it"
    ERR_REVIEW_MISMATCH = 2020, "what is recorded differs from what was reviewed; read it again"
    ERR_INVALID_ADJUSTMENT = 2021, "the adjustment is zero, too large, or makes the day negative"


class ContractDeployed(VersionedEvent, topic="production-tracking-deployed"):
    """The contract was deployed, with these settings."""

    recording_days: UInt
    window_days: UInt
    tolerance_percent: UInt


class ProductionRecorded(VersionedEvent, topic="production-recorded"):
    """Slots of a day were recorded, by the meter's signature (``signed``) or by an oracle."""

    asset_id: UInt
    day: Day
    actor: Principal
    signed: bool
    mask: UInt
    wh: UInt
    day_mask: UInt
    day_wh: UInt
    state: DayState


class DayVerified(VersionedEvent, topic="day-verified"):
    """A day is verified for good."""

    asset_id: UInt
    day: Day
    actor: Principal
    mask: UInt
    wh: UInt
    state: DayState


class DayRejected(VersionedEvent, topic="day-rejected"):
    """A day is rejected for good."""

    asset_id: UInt
    day: Day
    actor: Principal
    wh: UInt
    reason: Reason
    state: DayState


class DayDisputed(VersionedEvent, topic="day-disputed"):
    """The decision on a day is left to an arbiter."""

    asset_id: UInt
    day: Day
    actor: Principal
    wh: UInt
    reason: Reason
    state: DayState


class DayAdjusted(VersionedEvent, topic="day-adjusted"):
    """The energy of a day was corrected."""

    asset_id: UInt
    day: Day
    actor: Principal
    delta_wh: Int
    day_wh: UInt
    state: DayState


class ProductionTracking(
    EnergyContract,
    name="production-tracking",
    errors=ProductionError,
    events=(ContractDeployed, ProductionRecorded, DayVerified, DayRejected, DayDisputed, DayAdjusted),
    callees=(AssetVerification,),
):
    """Production, counted once, and its verification."""

    @read_only
    def get_day(self, asset_id: UInt, day: Day) -> ProductionDay | None:
        """The production of a day, or ``None`` while it is open."""

    @read_only
    def get_days(self, keys: Annotated[Sequence[AssetDay], MaxLength(30)]) -> Page[ProductionDay]:
        """Up to 30 days at once."""

    @read_only
    def is_slot_recorded(self, asset_id: UInt, day: Day, slot: UInt) -> bool:
        """Whether a slot is recorded."""

    @read_only
    def get_total_production(self, asset_id: UInt) -> TotalProduction:
        """Energy of an asset over all days."""

    @read_only
    def get_reading_hash(
        self,
        asset_id: UInt,
        day: Day,
        key_epoch: UInt,
        start: UInt,
        whs: Annotated[Sequence[UInt], MaxLength(96)],
    ) -> Hash32:
        """What a meter signs (SIP-018)."""

    @public
    def record_production(self, asset_id: UInt, day: Day, mask: UInt, wh: UInt) -> bool:
        """Oracle: record the energy (Wh) of the slots in a mask, where no device key is bound."""

    @public
    def record_batch(self, items: Annotated[Sequence[DayRecord], MaxLength(200)]) -> bool:
        """Oracle: record up to 200 asset-days, all or nothing."""

    @public
    def record_day(
        self,
        asset_id: UInt,
        day: Day,
        start: UInt,
        whs: Annotated[Sequence[UInt], MaxLength(96)],
        signature: Signature,
    ) -> bool:
        """Anyone: relay readings that the asset's meter has signed.

        Args:
            asset_id: The asset.
            day: The day, UTC.
            start: The first slot.
            whs: Energy of the slots from there on, Wh.
            signature: 65 bytes, r ‖ s ‖ recovery id.
        """

    @public
    def verify_day(self, asset_id: UInt, day: Day, wh: UInt) -> bool:
        """Verifier (arbiter where disputed): verify a day for good; the energy (Wh) repeats what was reviewed."""

    @public
    def verify_days(self, items: Annotated[Sequence[ReviewedDay], MaxLength(100)]) -> bool:
        """Verifier: verify up to 100 recorded days, all or nothing."""

    @public
    def reject_day(self, asset_id: UInt, day: Day, reason: Reason) -> bool:
        """Verifier (arbiter where disputed): reject a day for good."""

    @public
    def dispute_day(self, asset_id: UInt, day: Day, reason: Reason) -> bool:
        """Verifier or arbiter: leave the decision on a recorded day to the arbiter."""

    @public
    def adjust_day(self, asset_id: UInt, day: Day, delta_wh: Annotated[Int, ClarityName("delta")]) -> UInt:
        """Verifier (arbiter where disputed): correct a day's energy by so many Wh; gives the new energy."""
