"""``asset-verification``: roles, the pause, and the register of plants."""

# ruff: noqa: ARG002  # every function takes its caller and all arguments, as the contract does

from __future__ import annotations

from dataclasses import dataclass

from der_client.contracts.asset_verification import AssetError, AssetKind, AssetState, Role
from tests.model.reference.clock import RECORDING_DAYS, Clock, start_of
from tests.model.reference.refusal import Objections

MAX_CAPACITY_W = 10**12
MAX_PRICE = 10**15
SLOT_SECONDS = (900, 1800, 3600)
DAYS_BETWEEN_CAPACITY_CHANGES = 46
NEVER_ENDS = 2**128 - 1


@dataclass(slots=True)
class Asset:
    """A plant, with the fields that the contract tells of it."""

    owner: str
    kind: AssetKind
    capacity_w: int
    location: str
    region: str
    metadata_hash: bytes
    slot_seconds: int
    device_key: bytes | None
    state: AssetState = AssetState.PENDING
    epoch: int = 1
    operator: str | None = None
    min_price: int = 0
    proposed_owner: str | None = None
    proposal: int = 0
    capacity_from_day: int = 0
    previous_capacity_w: int = 0
    key_epoch: int = 1
    key_from_day: int = 0
    verified_day: int = 0
    retired_day: int = 0

    @property
    def slots(self) -> int:
        """How many slots a day has."""
        return 86_400 // self.slot_seconds

    @property
    def is_final(self) -> bool:
        """Whether nothing will ever be made of it again."""
        return self.state in (AssetState.REJECTED, AssetState.RETIRED)

    def capacity_on(self, day: int) -> int:
        """Its power on a day, W: days before a change keep the old one, the day itself has the larger."""
        if day == self.capacity_from_day:
            return max(self.capacity_w, self.previous_capacity_w)
        return self.capacity_w if day > self.capacity_from_day else self.previous_capacity_w

    def recordable_days(self) -> tuple[int, int] | None:
        """First and last day that may be recorded: verified, or retired on or after that day."""
        if self.state is AssetState.VERIFIED:
            return self.verified_day, NEVER_ENDS
        if self.state is AssetState.RETIRED and self.retired_day >= self.verified_day > 0:
            return self.verified_day, self.retired_day
        return None

    def is_recordable(self, day: int) -> bool:
        """Whether production of a day may be recorded."""
        days = self.recordable_days()
        return days is not None and days[0] <= day <= days[1]

    def signs(self, day: int) -> bool:
        """Whether only the meter's signature records a day.

        A key that was claimed and never bound counts, too: nothing of such an asset is recorded anyway.
        """
        return self.device_key is not None and day >= self.key_from_day

    def may_trade(self, who: str) -> bool:
        """Whether somebody is its owner or operator."""
        return who in (self.owner, self.operator)


@dataclass(slots=True)
class Change:
    """What an owner asked for."""

    capacity_w: int
    device_key: bytes | None


class Assets:
    """The register.

    Args:
        clock: Chain time.
        contract_owner: Who deployed the contracts.
    """

    def __init__(self, clock: Clock, contract_owner: str) -> None:
        self.clock = clock
        self.contract_owner = contract_owner
        self.proposed_contract_owner: str | None = None
        self.paused = False
        self.roles: set[tuple[Role, str, str]] = set()
        self.assets: dict[int, Asset] = {}
        self.capacities: dict[int, list[tuple[int, int]]] = {}  # from which day on, and how much
        self.changes: dict[int, Change] = {}
        self.key_holders: dict[bytes, int] = {}

    def has_role(self, role: Role, who: str, region: str = "") -> bool:
        """Whether somebody has a role."""
        return (role, who, region) in self.roles

    def capacities_on(self, asset_id: int, day: int) -> list[int]:
        """All that an asset's capacity was at some time of a day, W."""
        capacities = self.capacities[asset_id]
        at_first = [capacity_w for since, capacity_w in capacities if since < day][-1:]
        return at_first + [capacity_w for since, capacity_w in capacities if since == day]

    def key_is_taken(self, device_key: bytes | None, asset_id: int) -> bool:
        """Whether a key serves another asset, of which something can still be recorded."""
        if device_key is None or self.key_holders.get(device_key, asset_id) == asset_id:
            return False
        holder = self.assets[self.key_holders[device_key]]
        if holder.state is not AssetState.RETIRED:
            return True
        days = holder.recordable_days()
        return days is not None and self.clock.now < start_of(days[1] + 1 + RECORDING_DAYS)

    # Assets

    def register_asset(
        self,
        caller: str,
        kind: AssetKind,
        capacity_w: int,
        location: str,
        region: str,
        metadata_hash: bytes,
        slot_seconds: int,
        device_key: bytes | None,
    ) -> int:
        """Anyone, unless paused."""
        objections = Objections()
        objections.add(AssetError.ERR_PAUSED, when=self.paused)
        objections.add(AssetError.ERR_INVALID_CAPACITY, when=not 1 <= capacity_w <= MAX_CAPACITY_W)
        objections.add(AssetError.ERR_INVALID_LOCATION, when=not location)
        objections.add(AssetError.ERR_INVALID_REGION, when=not region)
        objections.add(AssetError.ERR_INVALID_METADATA_HASH, when=len(metadata_hash) != 32)
        objections.add(AssetError.ERR_INVALID_SLOT_SECONDS, when=slot_seconds not in SLOT_SECONDS)
        objections.add(AssetError.ERR_INVALID_DEVICE_KEY, when=device_key is not None and len(device_key) != 33)
        objections.decide()
        asset_id = len(self.assets) + 1
        self.assets[asset_id] = Asset(
            caller,
            kind,
            capacity_w,
            location,
            region,
            metadata_hash,
            slot_seconds,
            device_key,
            previous_capacity_w=capacity_w,
        )
        self.capacities[asset_id] = [(0, capacity_w)]
        return asset_id

    def verify_asset(self, caller: str, asset_id: int, capacity_w: int, device_key: bytes | None) -> bool:
        """Registrar, a pending asset: binds the key; capacity and key repeat what was reviewed."""
        objections, asset = self._for_registrar(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.state is not AssetState.PENDING)
        objections.add(
            AssetError.ERR_REVIEW_MISMATCH, when=(capacity_w, device_key) != (asset.capacity_w, asset.device_key)
        )
        objections.add(AssetError.ERR_DEVICE_KEY_IN_USE, when=self.key_is_taken(asset.device_key, asset_id))
        objections.decide()
        asset.state = AssetState.VERIFIED
        asset.verified_day = asset.key_from_day = self.clock.today
        if device_key is not None:
            self.key_holders[device_key] = asset_id
        return True

    def reject_asset(self, caller: str, asset_id: int, reason: str) -> bool:
        """Registrar: pending to rejected. A proposed transfer falls away."""
        self._move(caller, asset_id, AssetState.PENDING, AssetState.REJECTED)
        self.assets[asset_id].proposed_owner = None
        return True

    def suspend_asset(self, caller: str, asset_id: int, reason: str) -> bool:
        """Registrar: verified to suspended."""
        self._move(caller, asset_id, AssetState.VERIFIED, AssetState.SUSPENDED)
        return True

    def reinstate_asset(self, caller: str, asset_id: int) -> bool:
        """Registrar: suspended to verified."""
        self._move(caller, asset_id, AssetState.SUSPENDED, AssetState.VERIFIED)
        return True

    def retire_asset(self, caller: str, asset_id: int) -> bool:
        """Owner or registrar: for good. Only an asset that was verified can still record up to today."""
        objections = Objections()
        asset = self._existing(asset_id, objections)
        may = caller == asset.owner or self.has_role(Role.REGISTRAR, caller)
        objections.add(AssetError.ERR_NOT_OWNER_OR_REGISTRAR, when=not may)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.decide()
        asset.retired_day = self.clock.today if asset.state is AssetState.VERIFIED else 0
        asset.state = AssetState.RETIRED
        asset.proposed_owner = None
        self.changes.pop(asset_id, None)
        return True

    # Changes of capacity and key

    def request_change(self, caller: str, asset_id: int, capacity_w: int, device_key: bytes | None) -> bool:
        """Owner of a verified or suspended asset; replaces an earlier request."""
        objections, asset = self._for_owner(caller, asset_id)
        served = asset.state in (AssetState.VERIFIED, AssetState.SUSPENDED)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=not served)
        objections.add(AssetError.ERR_INVALID_CAPACITY, when=not 1 <= capacity_w <= MAX_CAPACITY_W)
        objections.add(AssetError.ERR_INVALID_DEVICE_KEY, when=device_key is not None and len(device_key) != 33)
        same = (capacity_w, device_key) == (asset.capacity_w, asset.device_key)
        objections.add(AssetError.ERR_NOTHING_TO_CHANGE, when=same)
        objections.decide()
        self.changes[asset_id] = Change(capacity_w, device_key)
        return True

    def approve_change(self, caller: str, asset_id: int, capacity_w: int, device_key: bytes | None) -> bool:
        """Registrar: in force from today on; days before keep the old capacity; a new key starts a new key epoch."""
        objections, asset = self._for_registrar(caller, asset_id)
        change = self.changes.get(asset_id)
        if change is None:
            objections.refuse(AssetError.ERR_NO_CHANGE_REQUESTED)
        reviewed = (capacity_w, device_key) == (change.capacity_w, change.device_key)
        objections.add(AssetError.ERR_REVIEW_MISMATCH, when=not reviewed)
        changes_capacity = change.capacity_w != asset.capacity_w
        days = self.clock.today - asset.capacity_from_day
        too_soon = changes_capacity and 0 < days < DAYS_BETWEEN_CAPACITY_CHANGES
        objections.add(AssetError.ERR_CHANGE_TOO_SOON, when=too_soon)
        objections.add(AssetError.ERR_DEVICE_KEY_IN_USE, when=self.key_is_taken(change.device_key, asset_id))
        objections.decide()
        if changes_capacity:
            if days > 0:  # a second change on one day corrects the first; the days before keep what they had
                asset.previous_capacity_w = asset.capacity_w
            asset.capacity_w, asset.capacity_from_day = capacity_w, self.clock.today
            self.capacities[asset_id].append((self.clock.today, capacity_w))
        if device_key != asset.device_key:
            if asset.device_key is not None:
                del self.key_holders[asset.device_key]
            if device_key is not None:
                self.key_holders[device_key] = asset_id
            asset.device_key = device_key
            asset.key_epoch += 1
            asset.key_from_day = self.clock.today
        del self.changes[asset_id]
        return True

    def refuse_change(self, caller: str, asset_id: int, reason: str) -> bool:
        """Registrar: the asset keeps its values."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_REGISTRAR, when=not self.has_role(Role.REGISTRAR, caller))
        objections.add(AssetError.ERR_NO_CHANGE_REQUESTED, when=asset_id not in self.changes)
        objections.decide()
        del self.changes[asset_id]
        return True

    # Ownership

    def propose_transfer(self, caller: str, asset_id: int, new_owner: str) -> int:
        """Owner: who gets it has to accept; gives the proposal's number."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.add(AssetError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(AssetError.ERR_INVALID_NEW_OWNER, when=new_owner == asset.owner)
        objections.decide()
        asset.proposed_owner = new_owner
        asset.proposal += 1
        return asset.proposal

    def accept_transfer(self, caller: str, asset_id: int, proposal: int) -> bool:
        """The new owner, of the proposal he reviewed: operator and change fall away, the open offers are void."""
        objections = Objections()
        asset = self._existing(asset_id, objections)
        if asset.proposed_owner is None:
            objections.refuse(AssetError.ERR_NO_TRANSFER_PROPOSED)
        objections.add(AssetError.ERR_NOT_PROPOSED_OWNER, when=caller != asset.proposed_owner)
        objections.add(AssetError.ERR_REVIEW_MISMATCH, when=proposal != asset.proposal)
        objections.decide()
        asset.owner, asset.proposed_owner, asset.operator, asset.min_price = caller, None, None, 0
        asset.epoch += 1
        self.changes.pop(asset_id, None)
        return True

    def cancel_transfer(self, caller: str, asset_id: int) -> bool:
        """Owner: takes the proposal back."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_NO_TRANSFER_PROPOSED, when=asset.proposed_owner is None)
        objections.decide()
        asset.proposed_owner = None
        return True

    def set_operator(self, caller: str, asset_id: int, operator: str | None, min_price_ustx_per_kwh: int) -> bool:
        """Owner: who else may trade, and not below which price; voids the open offers."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.add(AssetError.ERR_INVALID_MIN_PRICE, when=min_price_ustx_per_kwh > MAX_PRICE)
        objections.decide()
        asset.operator, asset.min_price = operator, min_price_ustx_per_kwh
        asset.epoch += 1
        return True

    # The system

    def set_role(self, caller: str, role: Role, who: str, region: str, granted: bool) -> bool:
        """Contract owner: only grid operators have a region."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_CONTRACT_OWNER, when=caller != self.contract_owner)
        objections.add(AssetError.ERR_INVALID_REGION, when=bool(region) is not (role is Role.GRID_OPERATOR))
        objections.decide()
        if granted:
            self.roles.add((role, who, region))
        else:
            self.roles.discard((role, who, region))
        return True

    def propose_owner(self, caller: str, new_owner: str) -> bool:
        """Contract owner: replaces an earlier proposal."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_CONTRACT_OWNER, when=caller != self.contract_owner)
        objections.decide()
        self.proposed_contract_owner = new_owner
        return True

    def accept_owner(self, caller: str) -> bool:
        """The proposed contract owner."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_PROPOSED_CONTRACT_OWNER, when=caller != self.proposed_contract_owner)
        objections.decide()
        self.contract_owner, self.proposed_contract_owner = caller, None
        return True

    def set_paused(self, caller: str, on: bool) -> bool:
        """Pauser."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_PAUSER, when=not self.has_role(Role.PAUSER, caller))
        objections.decide()
        self.paused = on
        return True

    # Parts

    def _existing(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(AssetError.ERR_ASSET_NOT_FOUND)

    def _for_registrar(self, caller: str, asset_id: int) -> tuple[Objections, Asset]:
        objections = Objections()
        objections.add(AssetError.ERR_NOT_REGISTRAR, when=not self.has_role(Role.REGISTRAR, caller))
        return objections, self._existing(asset_id, objections)

    def _for_owner(self, caller: str, asset_id: int) -> tuple[Objections, Asset]:
        objections = Objections()
        asset = self._existing(asset_id, objections)
        objections.add(AssetError.ERR_NOT_ASSET_OWNER, when=caller != asset.owner)
        return objections, asset

    def _move(self, caller: str, asset_id: int, old: AssetState, new: AssetState) -> None:
        objections, asset = self._for_registrar(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.state is not old)
        objections.decide()
        asset.state = new
