"""``production-tracking``: what was produced, slot by slot, and whether it is verified."""

# ruff: noqa: ARG002  # every function takes its caller and all arguments, as the contract does

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from der_client.contracts.asset_verification import Role
from der_client.contracts.production_tracking import DayState, ProductionError
from tests.model.reference.assets import Asset, Assets
from tests.model.reference.clock import RECORDING_DAYS, Clock, end_of, end_of_window, start_of
from tests.model.reference.refusal import Objections, Refused

MAX_ADJUSTMENT_WH = 10**15


@dataclass(frozen=True)
class Signature:
    """A meter's signature as the rules see it: who signed what. Its form is for the wire alone.

    Attributes:
        key: The public key of the meter that signed.
        asset_id: What it signed, as all that follow.
        day: The day.
        key_epoch: Which of the asset's keys the meter believes to be.
        start: The first slot.
        whs: The readings.
        is_whole: Whether all 65 bytes of it are sent.
        has_high_s: Whether it is the other of the two signatures that verify; the contract takes both.
    """

    key: bytes
    asset_id: int
    day: int
    key_epoch: int
    start: int
    whs: tuple[int, ...]
    is_whole: bool = True
    has_high_s: bool = False

    def vouches(self, key: bytes, asset_id: int, day: int, key_epoch: int, start: int, whs: Sequence[int]) -> bool:
        """Whether just this was signed with this key."""
        signed = (self.key, self.asset_id, self.day, self.key_epoch, self.start, self.whs)
        return self.is_whole and signed == (key, asset_id, day, key_epoch, start, tuple(whs))


@dataclass(slots=True)
class Day:
    """What is kept of a day of an asset."""

    mask: int = 0
    state: DayState = DayState.OPEN
    wh: int = 0


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

    def recorded_wh(self, asset_id: int) -> int:
        """Energy of an asset over all days."""
        return sum(day.wh for (of, _), day in self.days.items() if of == asset_id)

    def verified_wh(self, asset_id: int) -> int:
        """Energy of an asset over all verified days."""
        return sum(day.wh for (of, _), day in self.days.items() if of == asset_id and day.state is DayState.VERIFIED)

    def state(self, asset_id: int, day: int) -> DayState:
        """How far a day is; open where nothing is known of it."""
        row = self.days.get((asset_id, day))
        return DayState.OPEN if row is None else row.state

    # Recording

    def record_production(self, caller: str, asset_id: int, day: int, mask: int, wh: int) -> bool:
        """Oracle, where no key is bound for the day."""
        objections = Objections()
        objections.add(ProductionError.ERR_NOT_ORACLE, when=not self.assets.has_role(Role.ORACLE, caller))
        asset = self._existing(asset_id, objections)
        objections.add(ProductionError.ERR_DEVICE_MUST_SIGN, when=asset.signs(day))
        self._record(objections, asset_id, asset, day, mask, wh)
        return True

    def record_batch(self, caller: str, items: Sequence[Mapping[str, int]]) -> bool:
        """Oracle: all or nothing, item by item."""
        return self._batch(Role.ORACLE, ProductionError.ERR_NOT_ORACLE, caller, items, self.record_production)

    def record_day(
        self, caller: str, asset_id: int, day: int, start: int, whs: Sequence[int], signature: Signature
    ) -> bool:
        """Anyone, with the signature of the key that is bound for the day."""
        objections = Objections()
        asset = self._existing(asset_id, objections)
        fits = len(whs) > 0 and start + len(whs) <= asset.slots
        objections.add(ProductionError.ERR_INVALID_SLOTS, when=not fits)
        if asset.device_key is None or not asset.signs(day):
            objections.add(ProductionError.ERR_NO_DEVICE_KEY, when=True)
        else:
            signed = signature.vouches(asset.device_key, asset_id, day, asset.key_epoch, start, whs)
            objections.add(ProductionError.ERR_INVALID_SIGNATURE, when=not signed)
        mask = ((1 << len(whs)) - 1) << start if fits else 0
        self._record(objections, asset_id, asset, day, mask, sum(whs))
        return True

    def _record(self, objections: Objections, asset_id: int, asset: Asset, day: int, mask: int, wh: int) -> None:
        """Write slots of a day, unless something speaks against it."""
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

    def verify_day(self, caller: str, asset_id: int, day: int, wh: int) -> bool:
        """Verifier, the arbiter where disputed: within the window, repeating the energy."""
        objections = Objections()
        row = self._recorded(caller, asset_id, day, objections)
        self._for_reviewer(caller, row, objections)
        self._verify(objections, day, row, wh)
        return True

    def verify_days(self, caller: str, items: Sequence[Mapping[str, int]]) -> bool:
        """Verifier: all or nothing, recorded days only."""
        return self._batch(Role.VERIFIER, ProductionError.ERR_NOT_VERIFIER, caller, items, self._verify_undisputed_day)

    def _verify_undisputed_day(self, caller: str, asset_id: int, day: int, wh: int) -> bool:
        objections = Objections()
        row = self._recorded(caller, asset_id, day, objections)
        objections.add(ProductionError.ERR_DAY_DISPUTED, when=row.state is DayState.DISPUTED)
        self._verify(objections, day, row, wh)
        return True

    def _verify(self, objections: Objections, day: int, row: Day, wh: int) -> None:
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        objections.add(ProductionError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        objections.add(ProductionError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        objections.add(ProductionError.ERR_REVIEW_MISMATCH, when=wh != row.wh)
        objections.decide()
        row.state = DayState.VERIFIED

    def reject_day(self, caller: str, asset_id: int, day: int, reason: str) -> bool:
        """Verifier, the arbiter where disputed: a day that is over, recorded or not."""
        objections = Objections()
        row = self.days.get((asset_id, day), Day())
        self._for_reviewer(caller, row, objections)
        self._existing(asset_id, objections)
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        objections.add(ProductionError.ERR_DAY_NOT_OVER, when=self.clock.now < end_of(day))
        objections.decide()
        self.days[asset_id, day] = Day(row.mask, DayState.REJECTED, row.wh)
        return True

    def dispute_day(self, caller: str, asset_id: int, day: int, reason: str) -> bool:
        """Verifier or arbiter: a recorded day."""
        objections = Objections()
        may = any(self.assets.has_role(role, caller) for role in (Role.VERIFIER, Role.ARBITER))
        objections.add(ProductionError.ERR_NOT_VERIFIER_OR_ARBITER, when=not may)
        row = self.days.get((asset_id, day)) or objections.refuse(ProductionError.ERR_DAY_NOT_RECORDED)
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        objections.add(ProductionError.ERR_DAY_DISPUTED, when=row.state is DayState.DISPUTED)
        objections.decide()
        row.state = DayState.DISPUTED
        return True

    def adjust_day(self, caller: str, asset_id: int, day: int, delta_wh: int) -> int:
        """Verifier, the arbiter where disputed: within what the slots can yield, until the window ends."""
        objections = Objections()
        row = self._recorded(caller, asset_id, day, objections)
        asset = self._existing(asset_id, objections)
        self._for_reviewer(caller, row, objections)
        objections.add(ProductionError.ERR_DAY_FINAL, when=row.state.is_final)
        objections.add(ProductionError.ERR_WINDOW_CLOSED, when=self.clock.now >= end_of_window(day))
        wh = row.wh + delta_wh
        invalid = delta_wh == 0 or abs(delta_wh) > MAX_ADJUSTMENT_WH or wh < 0
        objections.add(ProductionError.ERR_INVALID_ADJUSTMENT, when=invalid)
        plausible = is_plausible(asset, day, row.mask, wh)
        objections.add(ProductionError.ERR_IMPLAUSIBLE_ENERGY, when=not plausible)
        objections.decide()
        row.wh = wh
        return wh

    # Parts

    def _existing(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(ProductionError.ERR_ASSET_NOT_FOUND)

    def _recorded(self, caller: str, asset_id: int, day: int, objections: Objections) -> Day:
        row = self.days.get((asset_id, day))
        if row is None:
            self._for_reviewer(caller, Day(), objections)
            objections.refuse(ProductionError.ERR_DAY_NOT_RECORDED)
        return row

    def _for_reviewer(self, caller: str, row: Day, objections: Objections) -> None:
        if row.state is DayState.DISPUTED:
            may = self.assets.has_role(Role.ARBITER, caller)
            objections.add(ProductionError.ERR_NOT_ARBITER, when=not may)
        else:
            may = self.assets.has_role(Role.VERIFIER, caller)
            objections.add(ProductionError.ERR_NOT_VERIFIER, when=not may)

    def _batch(
        self,
        role: Role,
        error: ProductionError,
        caller: str,
        items: Sequence[Mapping[str, int]],
        apply: Callable[..., Any],
    ) -> bool:
        if not self.assets.has_role(role, caller):
            raise Refused(frozenset({error}))
        before = {key: Day(day.mask, day.state, day.wh) for key, day in self.days.items()}
        for index, item in enumerate(items):
            try:
                apply(caller, **item)
            except Refused as refused:
                self.days = before
                raise Refused(refused.errors, index) from None
        return True


def is_plausible(asset: Asset, day: int, mask: int, wh: int) -> bool:
    """Whether the slots could yield as much: 110 % of the capacity, without rounding."""
    return wh * 3600 * 100 <= mask.bit_count() * asset.capacity_on(day) * asset.slot_seconds * 110
