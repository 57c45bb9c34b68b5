"""``production-tracking``: what each asset produced, slot by slot, and whether it is verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from der_client.contracts.asset_verification import AssetVerification
from der_client.contracts.units import AssetDay, Hash32, Model, Page, Reason, Signature, VersionedEvent
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import ClarityName, Day, MaxLength, Principal, Response, UInt
from der_client.stacks.contract.errors import Code, ErrorCode


class DayState(Code):
    """State of the production of a day; a day without any record is open."""

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
        wh: The energy in them, Wh.
    """

    state: DayState
    mask: UInt
    wh: UInt


class TotalProduction(Model):
    """Energy of an asset over all days, Wh."""

    recorded_wh: UInt
    verified_wh: UInt


class DayRecord(Model):
    """What an oracle records for one day of one asset.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots, slot 0 the lowest bit.
        wh: Their total energy, Wh.
    """

    asset_id: UInt
    day: Day
    mask: UInt
    wh: UInt


class SignedDay(Model):
    """Readings of one day that a meter signed.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        start: The first slot.
        whs: Energy of the slots from there on, Wh.
        signature: 64 bytes, r ‖ s.
    """

    asset_id: UInt
    day: Day
    start: UInt
    whs: Annotated[tuple[UInt, ...], MaxLength(96)]
    signature: Signature


class ReviewedDay(Model):
    """A day to verify, with the slots (``mask``) and the energy (Wh) that were reviewed."""

    asset_id: UInt
    day: Day
    mask: UInt
    wh: UInt


class Root(Model):
    """A Merkle root over many days of many meters.

    Attributes:
        oracle: Who anchored it, and may claim its leaves.
        root: The root.
        leaves: How many leaves it has, at most 2²⁴.
        total_wh: Their total energy, Wh, as the oracle said.
        from_day: The first day, UTC.
        to_day: The last day, UTC.
    """

    oracle: Principal
    root: Hash32
    leaves: UInt
    total_wh: UInt
    from_day: Day
    to_day: Day


class Leaf(Model):
    """One day of one meter under a root.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots, slot 0 the lowest bit.
        wh: Their total energy, Wh.
        whs_hash: SHA-256 of the energy of the slots, which is kept elsewhere.
    """

    asset_id: UInt
    day: Day
    mask: UInt
    wh: UInt
    whs_hash: Hash32


class Sibling(Model):
    """One step of a proof: a neighbour's hash, and whether it is on the left."""

    left: bool
    hash: Hash32


Path = Annotated[Sequence[Sibling], MaxLength(24)]


class ProductionError(ErrorCode):
    """Errors of ``production-tracking``."""

    ERR_NOT_ORACLE = 2001, "only an oracle may do this"
    ERR_NOT_VERIFIER = 2002, "the day is not disputed: only a verifier decides it"
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
    ERR_INVALID_ADJUSTMENT = 2021, "the adjustment changes nothing, or the energy is above 10^15 Wh"
    ERR_DAY_STILL_OPEN = 2022, "nothing is recorded of the day yet, and it still can be"
    ERR_ROOT_NOT_FOUND = 2023, "no root has this id"
    ERR_INVALID_ROOT = 2024, "a root has 32 bytes, 1 to 2^24 leaves, and days in order that are not in the future"
    ERR_NOT_ANCHORING_ORACLE = 2025, "only the oracle who anchored the root may claim its leaves"
    ERR_LEAF_NOT_IN_ROOT = 2026, "the path does not lead from this leaf to the root"


class ContractDeployed(VersionedEvent, topic="production-tracking-deployed"):
    """The contract was deployed, with these settings."""

    recording_days: UInt
    window_days: UInt
    tolerance_percent: UInt
    max_leaves: UInt


class ProductionRecorded(VersionedEvent, topic="production-recorded"):
    """Slots of a day were recorded, by the meter's signature (``signed``) or by an oracle, perhaps from a root."""

    asset_id: UInt
    day: Day
    actor: Principal
    signed: bool
    mask: UInt
    wh: UInt
    day_mask: UInt
    day_wh: UInt
    root_id: UInt | None
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
    mask: UInt
    wh: UInt
    reason: Reason
    state: DayState


class DayDisputed(VersionedEvent, topic="day-disputed"):
    """The decision on a day is left to an arbiter."""

    asset_id: UInt
    day: Day
    actor: Principal
    mask: UInt
    wh: UInt
    reason: Reason
    state: DayState


class DayAdjusted(VersionedEvent, topic="day-adjusted"):
    """The energy of a day was corrected."""

    asset_id: UInt
    day: Day
    actor: Principal
    before_wh: UInt
    day_wh: UInt
    state: DayState


class RootAnchored(VersionedEvent, topic="root-anchored"):
    """An oracle anchored a root; nothing is counted until its leaves are claimed."""

    root_id: UInt
    actor: Principal
    oracle: Principal
    root: Hash32
    leaves: UInt
    total_wh: UInt
    from_day: Day
    to_day: Day


class ProductionTracking(
    Contract,
    name="production-tracking",
    errors=ProductionError,
    events=(
        ContractDeployed,
        ProductionRecorded,
        DayVerified,
        DayRejected,
        DayDisputed,
        DayAdjusted,
        RootAnchored,
    ),
    callees=(AssetVerification,),
):
    """Production, counted once, and its verification."""

    @read_only
    def get_day(self, asset_id: UInt, day: Day) -> ProductionDay | None:
        """Return the production of a day, or ``None`` while it is open."""

    @read_only
    def get_days(self, keys: Annotated[Sequence[AssetDay], MaxLength(30)]) -> Page[ProductionDay]:
        """Return up to 30 days at once."""

    @read_only
    def is_slot_recorded(self, asset_id: UInt, day: Day, slot: UInt) -> bool:
        """Return whether a slot is recorded."""

    @read_only
    def get_total_production(self, asset_id: UInt) -> TotalProduction:
        """Return the energy of an asset over all days."""

    @read_only
    def get_reading_hash(
        self,
        asset_id: UInt,
        day: Day,
        key_epoch: UInt,
        start: UInt,
        whs: Annotated[Sequence[UInt], MaxLength(96)],
    ) -> Hash32:
        """Return what a meter signs (SIP-018)."""

    @read_only
    def get_root(self, root_id: UInt) -> Root | None:
        """Return a root, or ``None``."""

    @read_only
    def get_root_count(self) -> UInt:
        """Return how many roots have been anchored; their ids begin at 1."""

    @read_only
    def get_leaf_hash(self, leaf: Leaf) -> Hash32:
        """Return the hash of a leaf in the tree."""

    @read_only
    def verify_leaf(self, root_id: UInt, leaf: Leaf, path: Path) -> bool:
        """Return whether a leaf is under a root."""

    @public
    def record_production(self, asset_id: UInt, day: Day, mask: UInt, wh: UInt) -> bool:
        """Oracle: record the energy (Wh) of the slots in a mask, where no device key is bound."""

    @public
    def record_batch(
        self, items: Annotated[Sequence[DayRecord], MaxLength(200)]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(200)]:
        """Oracle: record up to 200 asset-days; one result for each; one that fails changes nothing."""

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
            signature: 64 bytes, r ‖ s, of the key that is bound for that day.
        """

    @public
    def record_days(
        self, items: Annotated[Sequence[SignedDay], MaxLength(20), ClarityName("readings")]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(20)]:
        """Anyone: relay up to 20 signed days of any meters; one result for each; one that fails changes nothing."""

    @public
    def verify_day(self, asset_id: UInt, day: Day, mask: UInt, wh: UInt) -> bool:
        """Verifier (arbiter where disputed): verify a day for good; slots and energy (Wh) repeat what was reviewed."""

    @public
    def verify_days(
        self, items: Annotated[Sequence[ReviewedDay], MaxLength(100)]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(100)]:
        """Verifier or arbiter: verify up to 100 days; one result for each; one that fails changes nothing."""

    @public
    def reject_day(self, asset_id: UInt, day: Day, mask: UInt, wh: UInt, reason: Reason) -> bool:
        """Verifier (arbiter where disputed): reject a day for good; slots and energy (Wh) repeat what was reviewed.

        For a day without any record, pass 0 and 0, once nothing can be recorded for it any more.
        """

    @public
    def dispute_day(self, asset_id: UInt, day: Day, reason: Reason) -> bool:
        """Verifier or arbiter: leave the decision on a recorded day to the arbiter."""

    @public
    def adjust_day(self, asset_id: UInt, day: Day, wh_before: UInt, wh_after: UInt) -> UInt:
        """Verifier (arbiter where disputed): correct a day's energy (Wh), repeating the old; return the new."""

    @public
    def anchor_root(self, root: Hash32, leaves: UInt, total_wh: UInt, from_day: Day, to_day: Day) -> UInt:
        """Oracle: anchor a Merkle root over many days of many meters; return its id.

        Args:
            root: The root, 32 bytes.
            leaves: How many leaves it has, 1 to 2²⁴.
            total_wh: Their total energy, Wh.
            from_day: The first day, UTC.
            to_day: The last day, UTC.
        """

    @public
    def claim_leaf(self, root_id: UInt, leaf: Leaf, path: Path) -> bool:
        """The oracle who anchored the root: record the day of a leaf, under the rules of ``record_production``."""
