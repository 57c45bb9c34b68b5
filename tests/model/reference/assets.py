"""``asset-verification``: roles, the pause, and the register of plants."""

# ruff: noqa: ARG002  # every function has its caller and all arguments as parameters, as in the contract

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from der_client.contracts.asset_verification import AssetError, AssetKind, AssetState, DeviceKey, Role
from tests.model.reference.clock import RECORDING_DAYS, Clock
from tests.model.reference.refusal import Objections, Refused, each

MAX_CAPACITY_W = 10**12
MAX_PRICE = 10**15
SLOT_SECONDS = (900, 1800, 3600)
DAYS_BETWEEN_CHANGES = 46
GEOHASH = frozenset("0123456789bcdefghjkmnpqrstuvwxyz")


@dataclass(frozen=True)
class Claim:
    """A key that an owner claims, and the meter that signed the proof: as much of a proof as the rules need.

    Attributes:
        key: The key.
        signer: The meter that signed the proof; ``None`` if nothing was signed.
        owner: The owner that the signature names.
    """

    key: DeviceKey
    signer: DeviceKey | None
    owner: str


@dataclass(slots=True)
class Asset:
    """A plant, with the fields that the contract returns."""

    owner: str
    kind: AssetKind
    capacity_w: int
    location: str
    region: str
    metadata_hash: bytes
    slot_seconds: int
    device_key: DeviceKey | None
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
    previous_device_key: DeviceKey | None = None
    previous_key_from_day: int = 0
    verified_day: int = 0
    last_day: int | None = None

    @property
    def slots(self) -> int:
        """The number of slots of a day."""
        return 86_400 // self.slot_seconds

    @property
    def is_final(self) -> bool:
        """Whether its state can never change again."""
        return self.state in (AssetState.REJECTED, AssetState.RETIRED)

    def capacity_on(self, day: int) -> int:
        """Return its power on a day in W: a change does not affect the days before it."""
        return self.capacity_w if day >= self.capacity_from_day else self.previous_capacity_w

    def is_recordable(self, day: int) -> bool:
        """Return whether production of a day may be recorded: from the first verification to the last day."""
        return 0 < self.verified_day <= day and not self._is_after_last(day)

    def is_lost(self, day: int) -> bool:
        """Return whether a day can never be recorded because the asset is retired."""
        return self.state is AssetState.RETIRED and (self.verified_day == 0 or self._is_after_last(day))

    def _is_after_last(self, day: int) -> bool:
        return self.last_day is not None and day > self.last_day

    def key_on(self, day: int) -> tuple[DeviceKey, int] | None:
        """Return the key that signs a day, and its epoch; ``None`` where an oracle records.

        A key that was claimed but never bound is returned, too: nothing of such an asset can be recorded anyway.
        """
        if day >= self.key_from_day:
            return None if self.device_key is None else (self.device_key, self.key_epoch)
        if self.previous_device_key is not None and day >= self.previous_key_from_day:
            return self.previous_device_key, self.key_epoch - 1
        return None

    def may_trade(self, who: str) -> bool:
        """Return whether a principal is its owner or operator."""
        return who in (self.owner, self.operator)


@dataclass(slots=True)
class Change:
    """A change that an owner requested."""

    capacity_w: int
    device_key: DeviceKey | None


class Assets:
    """The register of plants, and the roles.

    Args:
        clock: Chain time.
        contract_owner: The principal that deployed the contracts.
    """

    def __init__(self, clock: Clock, contract_owner: str) -> None:
        self.clock = clock
        self.contract_owner = contract_owner
        self.proposed_contract_owner: str | None = None
        self.paused = False
        self.roles: set[tuple[Role, str, str]] = set()
        self.assets: dict[int, Asset] = {}
        self.changes: dict[int, Change] = {}
        self.key_holders: dict[bytes, int] = {}

    def has_role(self, role: Role, who: str, region: str = "") -> bool:
        """Return whether a principal has a role."""
        return (role, who, region) in self.roles

    def key_is_taken(self, device_key: DeviceKey | None, asset_id: int) -> bool:
        """Return whether a key belongs to another asset and that asset can still record a day that the key signs."""
        if device_key is None or self.key_holders.get(device_key.key, asset_id) == asset_id:
            return False
        holder = self.assets[self.key_holders[device_key.key]]
        last_day = holder.verified_day if holder.last_day is None else holder.last_day
        if holder.state is AssetState.RETIRED and self.clock.today > last_day + RECORDING_DAYS:
            return False
        replaced = holder.device_key is None or holder.device_key.key != device_key.key
        return not (replaced and self.clock.today >= holder.key_from_day + RECORDING_DAYS)

    def metadata_is_taken(self, metadata_hash: bytes) -> bool:
        """Return whether an asset has this metadata that is neither rejected nor retired with its last day over."""
        today = self.clock.today
        return any(
            asset.metadata_hash == metadata_hash
            and (not asset.is_final or (asset.last_day is not None and asset.last_day >= today))
            for asset in self.assets.values()
        )

    def _judge_claim(self, objections: Objections, caller: str, claim: Claim | None, present: DeviceKey | None) -> None:
        """Note the objections to a key that a caller claims; only the asset's current key needs no proof."""
        if claim is None:
            return
        objections.add(AssetError.ERR_INVALID_DEVICE_KEY, when=len(claim.key.key) != 33)
        shown = (claim.signer, claim.owner) == (claim.key, caller)
        objections.add(AssetError.ERR_INVALID_PROOF, when=claim.key != present and not shown)

    # Assets

    def register_asset(self, caller: str, **plant: Any) -> int:
        """Register an asset. Anyone may, unless paused; a claimed key needs a proof that is signed with it."""
        objections = Objections()
        objections.add(AssetError.ERR_PAUSED, when=self.paused)
        return self._register(objections, caller, **plant)

    def register_assets(self, caller: str, items: Sequence[Mapping[str, Any]]) -> tuple[int | Refused, ...]:
        """Register several assets, with one result each. Anyone may, unless paused."""
        objections = Objections()
        objections.add(AssetError.ERR_PAUSED, when=self.paused)
        objections.decide()
        return each(items, lambda item: self._register(Objections(), caller, **item))

    def _register(
        self,
        objections: Objections,
        caller: str,
        kind: AssetKind,
        capacity_w: int,
        location: str,
        region: str,
        metadata_hash: bytes,
        slot_seconds: int,
        device_key: Claim | None,
    ) -> int:
        objections.add(AssetError.ERR_INVALID_CAPACITY, when=not 1 <= capacity_w <= MAX_CAPACITY_W)
        objections.add(AssetError.ERR_INVALID_LOCATION, when=not location or not GEOHASH.issuperset(location))
        objections.add(AssetError.ERR_INVALID_REGION, when=not region)
        objections.add(AssetError.ERR_INVALID_METADATA_HASH, when=len(metadata_hash) != 32)
        objections.add(AssetError.ERR_INVALID_SLOT_SECONDS, when=slot_seconds not in SLOT_SECONDS)
        objections.add(AssetError.ERR_METADATA_IN_USE, when=self.metadata_is_taken(metadata_hash))
        self._judge_claim(objections, caller, device_key, None)
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
            None if device_key is None else device_key.key,
            previous_capacity_w=capacity_w,
        )
        return asset_id

    def verify_asset(self, caller: str, asset_id: int, capacity_w: int, device_key: DeviceKey | None) -> bool:
        """As a registrar, verify another's pending asset, repeating capacity and key; bind the key from tomorrow."""
        objections, asset = self._for_approval(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.state is not AssetState.PENDING)
        objections.add(
            AssetError.ERR_REVIEW_MISMATCH, when=(capacity_w, device_key) != (asset.capacity_w, asset.device_key)
        )
        objections.add(AssetError.ERR_DEVICE_KEY_IN_USE, when=self.key_is_taken(device_key, asset_id))
        objections.decide()
        asset.state = AssetState.VERIFIED
        asset.verified_day = self.clock.today
        if device_key is not None:
            asset.key_from_day = self.clock.today + 1
            self.key_holders[device_key.key] = asset_id
        return True

    def verify_assets(self, caller: str, items: Sequence[Mapping[str, Any]]) -> tuple[bool | Refused, ...]:
        """As a registrar, verify several assets, with one result each."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_REGISTRAR, when=not self.has_role(Role.REGISTRAR, caller))
        objections.decide()
        return each(items, lambda item: self.verify_asset(caller, **item))

    def reject_asset(self, caller: str, asset_id: int, reason: str) -> bool:
        """As a registrar, reject a pending asset, and drop a proposed transfer."""
        self._move(caller, asset_id, AssetState.PENDING, AssetState.REJECTED)
        self.assets[asset_id].proposed_owner = None
        return True

    def suspend_asset(self, caller: str, asset_id: int, reason: str) -> bool:
        """As a registrar, suspend a verified asset, with today as its last day."""
        self._move(caller, asset_id, AssetState.VERIFIED, AssetState.SUSPENDED)
        self.assets[asset_id].last_day = self.clock.today
        return True

    def reinstate_asset(self, caller: str, asset_id: int) -> bool:
        """As a registrar, reinstate a suspended asset."""
        self._move(caller, asset_id, AssetState.SUSPENDED, AssetState.VERIFIED)
        self.assets[asset_id].last_day = None
        return True

    def retire_asset(self, caller: str, asset_id: int) -> bool:
        """As the owner or a registrar, retire an asset for good; its last day is today or the day of its suspension."""
        objections = Objections()
        asset = self._existing(asset_id, objections)
        may = caller == asset.owner or self.has_role(Role.REGISTRAR, caller)
        objections.add(AssetError.ERR_NOT_OWNER_OR_REGISTRAR, when=not may)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.decide()
        if asset.state is AssetState.VERIFIED:
            asset.last_day = self.clock.today
        asset.state = AssetState.RETIRED
        asset.proposed_owner = None
        self.changes.pop(asset_id, None)
        return True

    # Changes of capacity and key

    def request_change(self, caller: str, asset_id: int, capacity_w: int, device_key: Claim | None) -> bool:
        """As the owner, request a change of a verified or suspended asset; it replaces an earlier request.

        A new key needs a proof.
        """
        objections, asset = self._for_owner(caller, asset_id)
        served = asset.state in (AssetState.VERIFIED, AssetState.SUSPENDED)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=not served)
        objections.add(AssetError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(AssetError.ERR_INVALID_CAPACITY, when=not 1 <= capacity_w <= MAX_CAPACITY_W)
        self._judge_claim(objections, caller, device_key, asset.device_key)
        key = None if device_key is None else device_key.key
        same = (capacity_w, key) == (asset.capacity_w, asset.device_key)
        objections.add(AssetError.ERR_NOTHING_TO_CHANGE, when=same)
        objections.decide()
        self.changes[asset_id] = Change(capacity_w, key)
        return True

    def approve_change(self, caller: str, asset_id: int, capacity_w: int, device_key: DeviceKey | None) -> bool:
        """As a registrar, approve another's change from tomorrow; earlier days keep the old capacity and key."""
        objections, asset = self._for_approval(caller, asset_id)
        change = self.changes.get(asset_id)
        if change is None:
            objections.refuse(AssetError.ERR_NO_CHANGE_REQUESTED)
        tomorrow = self.clock.today + 1
        objections.add(AssetError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        reviewed = (capacity_w, device_key) == (change.capacity_w, change.device_key)
        objections.add(AssetError.ERR_REVIEW_MISMATCH, when=not reviewed)
        changes_capacity = capacity_w != asset.capacity_w
        early = tomorrow < asset.capacity_from_day + DAYS_BETWEEN_CHANGES
        objections.add(AssetError.ERR_CHANGE_TOO_SOON, when=changes_capacity and early)
        changes_key = device_key != asset.device_key
        early = asset.key_epoch > 1 and tomorrow < asset.key_from_day + DAYS_BETWEEN_CHANGES
        objections.add(AssetError.ERR_CHANGE_TOO_SOON, when=changes_key and early)
        objections.add(AssetError.ERR_DEVICE_KEY_IN_USE, when=self.key_is_taken(device_key, asset_id))
        objections.decide()
        if changes_capacity:
            asset.previous_capacity_w = asset.capacity_w
            asset.capacity_w, asset.capacity_from_day = capacity_w, tomorrow
        if changes_key:
            asset.previous_device_key, asset.previous_key_from_day = asset.device_key, asset.key_from_day
            asset.device_key, asset.key_from_day = device_key, tomorrow
            asset.key_epoch += 1
        if device_key is not None:
            self.key_holders[device_key.key] = asset_id
        del self.changes[asset_id]
        return True

    def refuse_change(self, caller: str, asset_id: int, reason: str) -> bool:
        """As a registrar, refuse a change; the asset keeps its values."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_REGISTRAR, when=not self.has_role(Role.REGISTRAR, caller))
        objections.add(AssetError.ERR_NO_CHANGE_REQUESTED, when=asset_id not in self.changes)
        objections.decide()
        del self.changes[asset_id]
        return True

    # Ownership

    def propose_transfer(self, caller: str, asset_id: int, new_owner: str) -> int:
        """As the owner, propose a transfer, which the new owner has to accept, and return its number."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.add(AssetError.ERR_TRANSFER_PROPOSED, when=asset.proposed_owner is not None)
        objections.add(AssetError.ERR_INVALID_NEW_OWNER, when=new_owner == asset.owner)
        objections.decide()
        asset.proposed_owner = new_owner
        asset.proposal += 1
        return asset.proposal

    def accept_transfer(self, caller: str, asset_id: int, proposal: int) -> bool:
        """As the proposed owner, accept the reviewed proposal; operator and change are dropped, open offers void."""
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
        """As the owner, withdraw the proposal."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_NO_TRANSFER_PROPOSED, when=asset.proposed_owner is None)
        objections.decide()
        asset.proposed_owner = None
        return True

    def set_operator(self, caller: str, asset_id: int, operator: str | None, min_price_ustx_per_kwh: int) -> bool:
        """As the owner, set or remove the operator, and the lowest price they may sell at; open offers are void."""
        objections, asset = self._for_owner(caller, asset_id)
        objections.add(AssetError.ERR_WRONG_ASSET_STATE, when=asset.is_final)
        objections.add(AssetError.ERR_INVALID_MIN_PRICE, when=min_price_ustx_per_kwh > MAX_PRICE)
        objections.decide()
        asset.operator, asset.min_price = operator, min_price_ustx_per_kwh
        asset.epoch += 1
        return True

    # Administration

    def set_role(self, caller: str, role: Role, who: str, region: str, granted: bool) -> bool:
        """As the contract owner, grant or revoke a role; only grid operators have a region."""
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
        """As the contract owner, propose a new contract owner, replacing an earlier proposal."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_CONTRACT_OWNER, when=caller != self.contract_owner)
        objections.decide()
        self.proposed_contract_owner = new_owner
        return True

    def accept_owner(self, caller: str) -> bool:
        """As the proposed contract owner, accept the ownership of the contracts."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_PROPOSED_CONTRACT_OWNER, when=caller != self.proposed_contract_owner)
        objections.decide()
        self.contract_owner, self.proposed_contract_owner = caller, None
        return True

    def set_paused(self, caller: str, on: bool) -> bool:
        """As a pauser, pause or resume."""
        objections = Objections()
        objections.add(AssetError.ERR_NOT_PAUSER, when=not self.has_role(Role.PAUSER, caller))
        objections.decide()
        self.paused = on
        return True

    # Helpers

    def _existing(self, asset_id: int, objections: Objections) -> Asset:
        asset = self.assets.get(asset_id)
        return asset if asset is not None else objections.refuse(AssetError.ERR_ASSET_NOT_FOUND)

    def _for_registrar(self, caller: str, asset_id: int) -> tuple[Objections, Asset]:
        objections = Objections()
        objections.add(AssetError.ERR_NOT_REGISTRAR, when=not self.has_role(Role.REGISTRAR, caller))
        return objections, self._existing(asset_id, objections)

    def _for_approval(self, caller: str, asset_id: int) -> tuple[Objections, Asset]:
        objections, asset = self._for_registrar(caller, asset_id)
        objections.add(AssetError.ERR_OWN_ASSET, when=asset.may_trade(caller))
        return objections, asset

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
