"""``production-tracking``: what was produced, slot by slot, and whether it is verified."""

# ruff: noqa: ARG002  # every function has its caller and all arguments as parameters, as in the contract

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from der_client.contracts.asset_verification import DeviceKey, Role
from der_client.contracts.production_tracking import DayState, ProductionError
from tests.model.merkle import Proof, Tree, frozen
from tests.model.reference.assets import Asset, Assets
from tests.model.reference.clock import RECORDING_DAYS, Clock, end_of, end_of_window, start_of
from tests.model.reference.refusal import Objections, Refused, each

MAX_LEAVES = 2**24
MAX_DAY_WH = 10**15


@dataclass(frozen=True)
class Signature:
    """A meter's signature as the rules see it: who signed what. Its encoding matters only when it is sent.

    Attributes:
        key: The public key of the meter that signed.
        asset_id: The signed asset.
        day: The signed day.
        key_epoch: The signed epoch of the asset's key.
        start: The signed first slot.
        whs: The signed readings, Wh.
        is_whole: Whether all its 64 bytes are sent.
        has_high_s: Whether it is the other one of the two signatures that verify; the contract accepts both.
    """

    key: DeviceKey
    asset_id: int
    day: int
    key_epoch: int
    start: int
    whs: tuple[int, ...]
    is_whole: bool = True
    has_high_s: bool = False

    def vouches(self, key: DeviceKey, asset_id: int, day: int, key_epoch: int, start: int, whs: Sequence[int]) -> bool:
        """Return whether this key signed exactly these values."""
        signed = (self.key, self.asset_id, self.day, self.key_epoch, self.start, self.whs)
        return self.is_whole and signed == (key, asset_id, day, key_epoch, start, tuple(whs))


@dataclass(slots=True)
class Day:
    """What is recorded of an asset's day."""

    mask: int = 0
    state: DayState = DayState.OPEN
    wh: int = 0


@dataclass(frozen=True)
class Root:
    """A Merkle root that an oracle anchored, with the fields that the contract returns."""

    oracle: str
    root: bytes
    leaves: int
    total_wh: int
    from_day: int
    to_day: int


class Production:
    """The production of all assets.

    Args:
        clock: Chain time.
        assets: The register.
    """

    def __init__(self, clock: Clock, assets: Assets) -> None:
        self.clock = clock
        self.assets = assets
        self.days: dict[tuple[int, int], Day] = {}
        self.roots: dict[int, Root] = {}
        self.trees: dict[int, Tree] = {}  # the trees of the roots, where known

    def recorded_wh(self, asset_id: int) -> int:
        """Return the recorded energy of an asset over all days."""
        return sum(day.wh for (of, _), day in self.days.items() if of == asset_id)

    def verified_wh(self, asset_id: int) -> int:
        """Return the energy of an asset over all verified days."""
        return sum(day.wh for (of, _), day in self.days.items() if of == asset_id and day.state is DayState.VERIFIED)

    def state(self, asset_id: int, day: int) -> DayState:
        """Return the state of a day: open if nothing is recorded."""
        row = self.days.get((asset_id, day))
        return DayState.OPEN if row is None else row.state

    # Recording

    def record_production(self, caller: str, asset_id: int, day: int, mask: int, wh: int) -> bool:
        """As an oracle, record slots of a day to which no key is bound."""
        objections = Objections()
        objections.add(ProductionError.ERR_NOT_ORACLE, when=not self.assets.has_role(Role.ORACLE, caller))
        asset = self._existing(asset_id, objections)
        objections.add(ProductionError.ERR_DEVICE_MUST_SIGN, when=asset.key_on(day) is not None)
        self._record(objections, asset_id, asset, day, mask, wh)
        return True

    def record_batch(self, caller: str, items: Sequence[Mapping[str, int]]) -> tuple[bool | Refused, ...]:
        """As an oracle, record several days, with one result each."""
        objections = Objections()
        objections.add(ProductionError.ERR_NOT_ORACLE, when=not self.assets.has_role(Role.ORACLE, caller))
        objections.decide()
        return each(items, lambda item: self.record_production(caller, **item))

    def record_day(
        self, caller: str, asset_id: int, day: int, start: int, whs: Sequence[int], signature: Signature
    ) -> bool:
        """Record readings signed by the key that is valid on the day. Anyone may."""
        objections = Objections()
        asset = self._existing(asset_id, objections)
        fits = len(whs) > 0 and start + len(whs) <= asset.slots
        objections.add(ProductionError.ERR_INVALID_SLOTS, when=not fits)
        key = asset.key_on(day)
        if key is None:
            objections.add(ProductionError.ERR_NO_DEVICE_KEY, when=True)
        else:
            signed = signature.vouches(key[0], asset_id, day, key[1], start, whs)
            objections.add(ProductionError.ERR_INVALID_SIGNATURE, when=not signed)
        mask = ((1 << len(whs)) - 1) << start if fits else 0
        self._record(objections, asset_id, asset, day, mask, sum(whs))
        return True

    def record_days(self, caller: str, items: Sequence[Mapping[str, Any]]) -> tuple[bool | Refused, ...]:
        """Record several days, with one result each. Anyone may."""
        return each(items, lambda item: self.record_day(caller, **item))

    def anchor_root(
        self, caller: str, root: Tree | bytes, leaves: int, total_wh: int, from_day: int, to_day: int
    ) -> int:
        """As an oracle, anchor a root, which records no energy by itself."""
        objections = Objections()
        objections.add(ProductionError.ERR_NOT_ORACLE, when=not self.assets.has_role(Role.ORACLE, caller))
        digest = root.root if isinstance(root, Tree) else root
        fits = (
            len(digest) == 32 and 1 <= leaves <= MAX_LEAVES and total_wh <= leaves * MAX_DAY_WH and from_day <= to_day
        )
        objections.add(ProductionError.ERR_INVALID_ROOT, when=not fits)
        objections.decide()
        root_id = len(self.roots) + 1
        if isinstance(root, Tree):
            self.trees[root_id] = root
        self.roots[root_id] = Root(caller, digest, leaves, total_wh, from_day, to_day)
        return root_id

    def claim_leaf(self, caller: str, root_id: int, leaf: Mapping[str, Any], path: Proof) -> bool:
        """As the oracle that anchored its root, record a leaf, under the conditions of ``record_production``."""
        objections = Objections()
        objections.add(ProductionError.ERR_NOT_ORACLE, when=not self.assets.has_role(Role.ORACLE, caller))
        root = self.roots.get(root_id)
        if root is None:
            objections.refuse(ProductionError.ERR_ROOT_NOT_FOUND)
        objections.add(ProductionError.ERR_NOT_ANCHORING_ORACLE, when=caller != root.oracle)
        leads = (path.leaf, path.tree.root) == (frozen(leaf), root.root)
        among = root.from_day <= leaf["day"] <= root.to_day
        objections.add(ProductionError.ERR_LEAF_NOT_IN_ROOT, when=not (leads and among))
        objections.decide()
        return self.record_production(caller, leaf["asset_id"], leaf["day"], leaf["mask"], leaf["wh"])

    def _record(self, objections: Objections, asset_id: int, asset: Asset, day: int, mask: int, wh: int) -> None:
        """Record slots of a day unless there are objections."""
        row = self.days.get((asset_id, day), Day())
        fits = 0 < mask < 1 << asset.slots
        objections.add(ProductionError.ERR_NOT_RECORDABLE, when=not asset.is_recordable(day))
        objections.add(ProductionError.ERR_INVALID_SLOTS, when=not fits)
        end_of_last_slot = start_of(day) + mask.bit_length() * asset.slot_seconds
        objections.add(ProductionError.ERR_SLOT_NOT_OVER, when=self.clock.now < end_of_last_slot)
        closed = self.clock.now >= start_of(day + 1 + RECORDING_DAYS)
        objections.add(ProductionError.ERR_RECORDING_CLOSED, when=closed)
        objections.add(ProductionError.ERR_SLOT_ALREADY_RECORDED, when=bool(row.mask & mask))
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        plausible = is_plausible(asset, day, row.mask | mask, row.wh + wh)
        objections.add(ProductionError.ERR_IMPLAUSIBLE_ENERGY, when=not plausible)
        objections.decide()
        state = DayState.RECORDED if row.state is DayState.OPEN else row.state
        self.days[asset_id, day] = Day(row.mask | mask, state, row.wh + wh)

    # Review

    def verify_day(self, caller: str, asset_id: int, day: int, mask: int, wh: int) -> bool:
        """As a verifier (an arbiter if disputed), verify a day within the window, repeating slots and energy."""
        objections = self._for_reviewers(caller)
        row = self.days.get((asset_id, day)) or objections.refuse(ProductionError.ERR_DAY_NOT_RECORDED)
        self._for_decider(caller, row, objections)
        objections.add(ProductionError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        objections.add(ProductionError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        objections.add(ProductionError.ERR_REVIEW_MISMATCH, when=(mask, wh) != (row.mask, row.wh))
        objections.decide()
        row.state = DayState.VERIFIED
        return True

    def verify_days(self, caller: str, items: Sequence[Mapping[str, int]]) -> tuple[bool | Refused, ...]:
        """As a verifier or arbiter, verify several days, with one result each."""
        self._for_reviewers(caller).decide()
        return each(items, lambda item: self.verify_day(caller, **item))

    def reject_day(self, caller: str, asset_id: int, day: int, mask: int, wh: int, reason: str) -> bool:
        """As a verifier (an arbiter if disputed), reject a day that is over and is recorded or can no longer be."""
        objections = self._for_reviewers(caller)
        asset = self._existing(asset_id, objections)
        row = self.days.get((asset_id, day), Day())
        self._for_decider(caller, row, objections)
        objections.add(ProductionError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        closed = asset.is_lost(day) or self.clock.now >= start_of(day + 1 + RECORDING_DAYS)
        still_open = row.state is DayState.OPEN and not closed
        objections.add(ProductionError.ERR_DAY_STILL_OPEN, when=still_open)
        objections.add(ProductionError.ERR_REVIEW_MISMATCH, when=(mask, wh) != (row.mask, row.wh))
        objections.decide()
        self.days[asset_id, day] = Day(row.mask, DayState.REJECTED, row.wh)
        return True

    def dispute_day(self, caller: str, asset_id: int, day: int, reason: str) -> bool:
        """As a verifier or arbiter, dispute a recorded day."""
        objections = self._for_reviewers(caller)
        row = self.days.get((asset_id, day)) or objections.refuse(ProductionError.ERR_DAY_NOT_RECORDED)
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        objections.add(ProductionError.ERR_DAY_DISPUTED, when=row.state is DayState.DISPUTED)
        objections.decide()
        row.state = DayState.DISPUTED
        return True

    def adjust_day(self, caller: str, asset_id: int, day: int, wh_before: int, wh_after: int) -> int:
        """As a verifier (an arbiter if disputed), adjust a day within its window and what its slots can yield."""
        objections = self._for_reviewers(caller)
        row = self.days.get((asset_id, day)) or objections.refuse(ProductionError.ERR_DAY_NOT_RECORDED)
        asset = self._existing(asset_id, objections)
        self._for_decider(caller, row, objections)
        objections.add(ProductionError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        objections.add(ProductionError.ERR_REVIEW_MISMATCH, when=wh_before != row.wh)
        objections.add(ProductionError.ERR_INVALID_ADJUSTMENT, when=wh_after == wh_before)
        plausible = is_plausible(asset, day, row.mask, wh_after)
        objections.add(ProductionError.ERR_IMPLAUSIBLE_ENERGY, when=not plausible)
        objections.decide()
        row.wh = wh_after
        return wh_after

    # Helpers

    def _existing(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(ProductionError.ERR_ASSET_NOT_FOUND)

    def _for_reviewers(self, caller: str) -> Objections:
        objections = Objections()
        may = any(self.assets.has_role(role, caller) for role in (Role.VERIFIER, Role.ARBITER))
        objections.add(ProductionError.ERR_NOT_VERIFIER_OR_ARBITER, when=not may)
        return objections

    def _for_decider(self, caller: str, row: Day, objections: Objections) -> None:
        """Check who decides: an arbiter on a disputed day, a verifier on any other, no one on a final day."""
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        if row.state is DayState.DISPUTED:
            may = self.assets.has_role(Role.ARBITER, caller)
            objections.add(ProductionError.ERR_NOT_ARBITER, when=not may)
        else:
            may = self.assets.has_role(Role.VERIFIER, caller)
            objections.add(ProductionError.ERR_NOT_VERIFIER, when=not may)


def is_plausible(asset: Asset, day: int, mask: int, wh: int) -> bool:
    """Return whether the slots could yield this energy: at most 110 % of the capacity, without rounding."""
    return wh * 3600 * 100 <= mask.bit_count() * asset.capacity_on(day) * asset.slot_seconds * 110
