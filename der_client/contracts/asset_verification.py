"""``asset-verification``: who runs the system, and which plants exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from der_client.contracts.units import (
    AssetDay,
    DayOrNever,
    Geohash,
    Hash32,
    Ids,
    Key33,
    Model,
    Page,
    Reason,
    Region,
    Signature,
    VersionedEvent,
)
from der_client.stacks.clarity import BufferType
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import ClarityName, Day, FromCall, MaxLength, Principal, Response, UInt
from der_client.stacks.contract.errors import Code, ErrorCode


class Role(Code):
    """Roles that the owner of the contracts grants."""

    REGISTRAR = 1
    """Verifies assets and binds device keys."""
    VERIFIER = 2
    """Verifies production."""
    ARBITER = 3
    """Decides disputed days."""
    ORACLE = 4
    """Records production of meters that cannot sign."""
    GRID_OPERATOR = 5
    """Connects, curtails and meters the feed of its region."""
    PAUSER = 6
    """Stops new exposure."""


class AssetState(Code):
    """State of an asset."""

    PENDING = 1
    VERIFIED = 2
    REJECTED = 3
    SUSPENDED = 4
    RETIRED = 5


class AssetKind(Code):
    """Kind of an asset."""

    SOLAR = 1
    WIND = 2
    HYDRO = 3
    BIOENERGY = 4
    COMBINED_HEAT_AND_POWER = 5
    BATTERY = 6
    VEHICLE = 7
    OTHER = 8

    @property
    def is_storage(self) -> bool:
        """Whether it only returns energy that was counted when produced, so that none is ever retired or claimed."""
        return self in (AssetKind.BATTERY, AssetKind.VEHICLE)


class KeyCurve(Code):
    """The curve of a meter's key."""

    SECP256K1 = 1
    P256 = 2


class DeviceKey(Model):
    """A meter's public key.

    Attributes:
        curve: Its curve.
        key: The compressed public key, 33 bytes.
    """

    curve: KeyCurve
    key: Key33


class KeyClaim(Model):
    """A meter's public key, with a proof that whoever claims it has the meter.

    Attributes:
        curve: Its curve.
        key: The compressed public key, 33 bytes.
        proof: The meter's signature (r ‖ s, 64 bytes) over ``AssetVerification.get_key_proof_hash`` of the owner.
    """

    curve: KeyCurve
    key: Key33
    proof: Signature


MinPrice = Annotated[UInt, ClarityName("min-price")]


class Asset(Model):
    """A plant.

    Attributes:
        asset_id: Its id; 0 if it was not read by its id.
        owner: Who owns it and sells its energy.
        operator: Who else may trade for it, never below ``min_price_ustx_per_kwh``.
        min_price_ustx_per_kwh: The operator's lower limit, µSTX per kWh.
        epoch: A number that goes up when owner or operator change; offers of an older epoch are void.
        proposed_owner: The new owner, if a transfer is proposed.
        proposal: Number of the last proposed transfer, to be repeated when accepting it; 0 if there was none.
        state: Its state.
        kind: Its kind.
        capacity_w: Rated power, W, from ``capacity_from_day`` on.
        capacity_from_day: First day of the current capacity; ``None`` if it never changed.
        previous_capacity_w: Rated power on the days before that, W.
        location: Geohash.
        region: The grid operator's region.
        metadata_hash: SHA-256 of documents kept elsewhere.
        slot_seconds: Length of a metering interval: 900, 1800 or 3600 s.
        device_key: The meter's public key; bound from ``key_from_day`` on.
        key_epoch: Which of the asset's keys it is; part of what the meter signs.
        key_from_day: First day that only this key records; ``None`` until verified.
        previous_device_key: The previous key, which records the days before ``key_from_day``.
        previous_key_from_day: First day of the previous key; ``None`` if there was none.
        verified_day: The day it was first verified; ``None`` until then.
        last_day: Last recordable day of a suspended or retired asset; ``None`` while there is none.
    """

    asset_id: Annotated[int, FromCall("asset_id")] = 0
    owner: Principal
    operator: Principal | None
    min_price_ustx_per_kwh: MinPrice
    epoch: UInt
    proposed_owner: Principal | None
    proposal: UInt
    state: AssetState
    kind: AssetKind
    capacity_w: UInt
    capacity_from_day: DayOrNever
    previous_capacity_w: UInt
    location: Geohash
    region: Region
    metadata_hash: Hash32
    slot_seconds: UInt
    device_key: DeviceKey | None
    key_epoch: UInt
    key_from_day: DayOrNever
    previous_device_key: DeviceKey | None
    previous_key_from_day: DayOrNever
    verified_day: DayOrNever
    last_day: Day | None


class AssetChange(Model):
    """A change of capacity or device key that an owner requested."""

    capacity_w: UInt
    device_key: DeviceKey | None


class RecordingRight(Model):
    """The facts needed to record the production of one day of an asset.

    Attributes:
        recordable: Whether the day is between the asset's verification and its last day.
        lost: Whether nothing can ever be recorded for it: the asset is retired, and the day is after its last one.
        slot_seconds: Length of a metering interval, s.
        capacity_w: Rated power on that day, W.
        device_key: The meter's key that records the day, if one does.
        key_epoch: Which of the asset's keys it is.
    """

    recordable: bool
    lost: bool
    slot_seconds: UInt
    capacity_w: UInt
    device_key: DeviceKey | None
    key_epoch: UInt


class ReviewRoles(Model):
    """The roles that an account has for reviewing production."""

    verifier: bool
    arbiter: bool


class Registration(Model):
    """One of several assets to register for the same owner; the fields are those of ``register_asset``."""

    kind: AssetKind
    capacity_w: UInt
    location: Geohash
    region: Region
    metadata_hash: Hash32
    slot_seconds: UInt
    device_key: KeyClaim | None = None


class ReviewedAsset(Model):
    """An asset to verify, with the capacity (W) and the key that were reviewed."""

    asset_id: UInt
    capacity_w: UInt
    device_key: DeviceKey | None = None


class TradingTerms(Model):
    """The facts needed to make or take an offer of an asset's energy.

    Attributes:
        owner: Who owns the asset and is paid.
        operator: Who else may trade for it.
        min_price_ustx_per_kwh: The operator's lower limit, µSTX per kWh.
        epoch: The current epoch; offers of an older one are void.
        capacity_w: Rated power, W.
        storage: Whether it is a battery or a vehicle, whose energy is never retired or claimed.
        verified: Whether the asset is verified now.
        transfer_proposed: Whether a transfer is under way, which stops trading.
        paused: Whether the contracts are paused.
    """

    owner: Principal
    operator: Principal | None
    min_price_ustx_per_kwh: MinPrice
    epoch: UInt
    capacity_w: UInt
    storage: bool
    verified: bool
    transfer_proposed: bool
    paused: bool


class AssetError(ErrorCode):
    """Errors of ``asset-verification``."""

    ERR_NOT_CONTRACT_OWNER = 1001, "only the owner of the contracts may do this"
    ERR_NOT_PROPOSED_CONTRACT_OWNER = 1002, "the caller was not proposed as owner of the contracts"
    ERR_UNKNOWN_ROLE = 1003, "there is no such role"
    ERR_INVALID_REGION = 1004, "an asset and a grid operator need a region; no other role takes one"
    ERR_NOT_REGISTRAR = 1005, "only a registrar may do this"
    ERR_NOT_PAUSER = 1006, "only a pauser may do this"
    ERR_PAUSED = 1007, "nothing new is registered while the contracts are paused"
    ERR_ASSET_NOT_FOUND = 1008, "no asset has this id"
    ERR_NOT_ASSET_OWNER = 1009, "only the owner of the asset may do this"
    ERR_NOT_OWNER_OR_REGISTRAR = 1010, "only the owner of the asset or a registrar may do this"
    ERR_WRONG_ASSET_STATE = 1011, "the asset's state does not allow this"
    ERR_INVALID_KIND = 1012, "there is no such kind of asset"
    ERR_INVALID_CAPACITY = 1013, "the capacity must be 1 to 10^12 W"
    ERR_INVALID_LOCATION = 1014, "the location is not a geohash of 1 to 12 characters"
    ERR_INVALID_METADATA_HASH = 1015, "the metadata hash must have 32 bytes"
    ERR_INVALID_SLOT_SECONDS = 1016, "slots last 900, 1800 or 3600 s"
    ERR_INVALID_DEVICE_KEY = 1017, "a device key must have 33 bytes and be of curve 1 (secp256k1) or 2 (P-256)"
    ERR_DEVICE_KEY_IN_USE = 1018, "the device key serves another asset, or one that was retired less than 31 days ago"
    ERR_REVIEW_MISMATCH = 1019, "what is stored differs from what was reviewed; read it again"
    ERR_NO_CHANGE_REQUESTED = 1020, "no change of this asset is requested"
    ERR_NOTHING_TO_CHANGE = 1021, "the asset already has these values"
    ERR_CHANGE_TOO_SOON = 1022, "capacity or key can change again 46 days after its last change came into force"
    ERR_TRANSFER_PROPOSED = 1023, "a transfer of this asset is proposed; accept or cancel it first"
    ERR_NO_TRANSFER_PROPOSED = 1024, "no transfer of this asset is proposed"
    ERR_NOT_PROPOSED_OWNER = 1025, "the asset was offered to somebody else"
    ERR_INVALID_NEW_OWNER = 1026, "the asset already belongs to this owner"
    ERR_INVALID_MIN_PRICE = 1027, "the lowest price must be at most 10^15 microSTX per kWh"
    ERR_OWN_ASSET = 1028, "a registrar cannot approve an asset that they own or operate"
    ERR_INVALID_PROOF = 1029, "the device key did not sign the proof for this owner"
    ERR_METADATA_IN_USE = 1030, "another asset, neither rejected nor retired before today, has this metadata hash"


class ContractDeployed(VersionedEvent, topic="asset-verification-deployed"):
    """The contract was deployed, with these settings."""

    contract_owner: Principal
    paused: bool
    seconds_per_day: UInt
    max_capacity_w: UInt
    max_price_ustx_per_kwh: Annotated[UInt, ClarityName("max-price")]
    days_between_changes: UInt
    recording_days: UInt


class AssetRegistered(VersionedEvent, topic="asset-registered"):
    """An asset waits for a registrar."""

    asset_id: UInt
    actor: Principal
    kind: AssetKind
    capacity_w: UInt
    location: Geohash
    region: Region
    metadata_hash: Hash32
    slot_seconds: UInt
    device_key: DeviceKey | None
    epoch: UInt
    key_epoch: UInt
    state: AssetState


class AssetVerified(VersionedEvent, topic="asset-verified"):
    """A registrar verified an asset and bound its key."""

    asset_id: UInt
    actor: Principal
    capacity_w: UInt
    device_key: DeviceKey | None
    verified_day: Day
    key_from_day: DayOrNever
    state: AssetState


class AssetRejected(VersionedEvent, topic="asset-rejected"):
    """A registrar rejected an asset for good."""

    asset_id: UInt
    actor: Principal
    reason: Reason
    state: AssetState


class AssetSuspended(VersionedEvent, topic="asset-suspended"):
    """A registrar suspended an asset; ``last_day`` is the last that can be recorded while it is."""

    asset_id: UInt
    actor: Principal
    reason: Reason
    last_day: Day
    state: AssetState


class AssetReinstated(VersionedEvent, topic="asset-reinstated"):
    """A registrar verified a suspended asset again."""

    asset_id: UInt
    actor: Principal
    state: AssetState


class AssetRetired(VersionedEvent, topic="asset-retired"):
    """An asset was retired for good."""

    asset_id: UInt
    actor: Principal
    last_day: Day | None
    state: AssetState


class ChangeRequested(VersionedEvent, topic="change-requested"):
    """An owner asked for another capacity or key."""

    asset_id: UInt
    actor: Principal
    capacity_w: UInt
    device_key: DeviceKey | None


class ChangeApproved(VersionedEvent, topic="change-approved"):
    """A registrar put a change into force."""

    asset_id: UInt
    actor: Principal
    capacity_w: UInt
    capacity_from_day: DayOrNever
    previous_capacity_w: UInt
    device_key: DeviceKey | None
    key_epoch: UInt
    key_from_day: DayOrNever
    previous_device_key: DeviceKey | None
    previous_key_from_day: DayOrNever


class ChangeRefused(VersionedEvent, topic="change-refused"):
    """A registrar refused a change."""

    asset_id: UInt
    actor: Principal
    reason: Reason


class TransferProposed(VersionedEvent, topic="transfer-proposed"):
    """An owner offered an asset to a new owner."""

    asset_id: UInt
    actor: Principal
    new_owner: Principal
    proposal: UInt


class TransferAccepted(VersionedEvent, topic="transfer-accepted"):
    """An asset has a new owner; its open offers are void."""

    asset_id: UInt
    actor: Principal
    old_owner: Principal
    new_owner: Principal
    proposal: UInt
    epoch: UInt


class TransferCancelled(VersionedEvent, topic="transfer-cancelled"):
    """An owner cancelled a proposed transfer."""

    asset_id: UInt
    actor: Principal
    proposal: UInt


class OperatorSet(VersionedEvent, topic="operator-set"):
    """An owner named an operator who trades for them, or none; the open offers are void."""

    asset_id: UInt
    actor: Principal
    operator: Principal | None
    min_price_ustx_per_kwh: MinPrice
    epoch: UInt


class RoleSet(VersionedEvent, topic="role-set"):
    """A role was granted or revoked."""

    actor: Principal
    role: Role
    who: Principal
    region: Region
    granted: bool


class ContractOwnerProposed(VersionedEvent, topic="contract-owner-proposed"):
    """The owner of the contracts proposed a new one."""

    actor: Principal
    new_owner: Principal


class ContractOwnerAccepted(VersionedEvent, topic="contract-owner-accepted"):
    """The contracts have a new owner."""

    actor: Principal
    old_owner: Principal
    new_owner: Principal


class PausedSet(VersionedEvent, topic="paused-set"):
    """New exposure was stopped or allowed again."""

    actor: Principal
    paused: bool


class AssetVerification(
    Contract,
    name="asset-verification",
    errors=AssetError,
    events=(
        ContractDeployed,
        AssetRegistered,
        AssetVerified,
        AssetRejected,
        AssetSuspended,
        AssetReinstated,
        AssetRetired,
        ChangeRequested,
        ChangeApproved,
        ChangeRefused,
        TransferProposed,
        TransferAccepted,
        TransferCancelled,
        OperatorSet,
        RoleSet,
        ContractOwnerProposed,
        ContractOwnerAccepted,
        PausedSet,
    ),
):
    """Plants, their owners, operators and meters; the roles; the pause switch."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """Return the asset's state, if that is why a call is not allowed."""
        asset_id = arguments.get("asset_id")
        if error is not AssetError.ERR_WRONG_ASSET_STATE or asset_id is None:
            return ""
        asset = self.get_asset(asset_id)
        return "" if asset is None else f"asset {asset_id} is {asset.state.name.lower()}"

    @read_only
    def get_asset(self, asset_id: UInt) -> Asset | None:
        """Return an asset, or ``None``."""

    @read_only
    def get_assets(self, asset_ids: Ids) -> Page[Asset]:
        """Return up to 30 assets at once, with ``None`` for each that does not exist."""

    @read_only
    def get_asset_count(self) -> UInt:
        """Return how many assets have been registered; their ids begin at 1."""

    @read_only
    def get_change(self, asset_id: UInt) -> AssetChange | None:
        """Return the change that is requested, or ``None``."""

    @read_only
    def get_recording_right(self, asset_id: UInt, day: Day) -> RecordingRight | None:
        """Return the facts needed to record a day of an asset; ``None`` if there is no such asset."""

    @read_only
    def get_recording_rights(
        self, keys: Annotated[Sequence[AssetDay], MaxLength(200)]
    ) -> Annotated[tuple[RecordingRight | None, ...], MaxLength(200)]:
        """Return the same facts for a whole batch."""

    @read_only
    def get_trading_terms(self, asset_id: UInt) -> TradingTerms | None:
        """Return the facts needed to make or take an offer of an asset's energy."""

    @read_only
    def get_asset_by_device_key(self, key: Key33) -> UInt | None:
        """Return the asset that a bound key serves, or served last."""

    @read_only
    def get_asset_by_metadata_hash(self, metadata_hash: Hash32) -> UInt | None:
        """Return the last asset that was registered with this metadata hash."""

    @read_only
    def get_signing_prefix(self) -> Annotated[bytes, BufferType(38)]:
        """Return the beginning of everything that a device signs (SIP-018): the prefix and the domain's hash."""

    @read_only
    def get_key_proof_hash(self, owner: Principal) -> Hash32:
        """Return the hash that a device key signs (SIP-018) so that this owner may claim the key."""

    @read_only
    def is_verified(self, asset_id: UInt) -> bool:
        """Return whether the asset is verified."""

    @read_only
    def can_operate(self, asset_id: UInt, who: Principal) -> bool:
        """Return whether an account is the asset's owner or operator."""

    @read_only
    def has_role(self, role: Role, who: Principal, region: Region) -> bool:
        """Return whether an account has a role; the region is empty except for grid operators."""

    @read_only
    def get_review_roles(self, who: Principal) -> ReviewRoles:
        """Return whether an account is a verifier, an arbiter, or both."""

    @read_only
    def operates_regions(
        self, who: Principal, regions: Annotated[Sequence[Region], MaxLength(100)]
    ) -> Annotated[tuple[bool, ...], MaxLength(100)]:
        """For each of up to 100 regions, whether an account is its grid operator."""

    @read_only
    def is_day_lost(self, asset_id: UInt, day: Day) -> bool:
        """Return whether nothing can ever be recorded for a day, which is after the last one of a retired asset."""

    @read_only
    def get_contract_owner(self) -> Principal:
        """Return the owner of the contracts."""

    @read_only
    def get_proposed_contract_owner(self) -> Principal | None:
        """Return who is proposed as the next owner of the contracts."""

    @read_only
    def is_paused(self) -> bool:
        """Return whether new exposure is stopped."""

    @public
    def register_asset(
        self,
        kind: AssetKind,
        capacity_w: UInt,
        location: Geohash,
        region: Region,
        metadata_hash: Hash32,
        slot_seconds: UInt,
        device_key: KeyClaim | None = None,
    ) -> UInt:
        """Register an asset that the caller owns; return its id.

        Args:
            kind: Its kind.
            capacity_w: Rated power, 1 to 10¹² W.
            location: Geohash, 1 to 12 characters (base 32 without a, i, l, o).
            region: The grid operator's region, 1 to 8 characters.
            metadata_hash: SHA-256 of documents kept elsewhere, 32 bytes.
            slot_seconds: Length of a metering interval: 900, 1800 or 3600 s.
            device_key: The meter's key with its proof; without one, an oracle records the production.
        """

    @public
    def register_assets(
        self, items: Annotated[Sequence[Registration], MaxLength(20), ClarityName("plants")]
    ) -> Annotated[tuple[Response[UInt], ...], MaxLength(20)]:
        """Register up to 20 assets that the caller owns; one id or error for each."""

    @public
    def verify_asset(self, asset_id: UInt, capacity_w: UInt, device_key: DeviceKey | None) -> bool:
        """Registrar: verify a pending asset and bind its key; capacity (W) and key repeat what was reviewed."""

    @public
    def verify_assets(
        self, items: Annotated[Sequence[ReviewedAsset], MaxLength(50), ClarityName("reviews")]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(50)]:
        """Registrar: verify up to 50 pending assets; one result for each; if one fails, only that one is undone."""

    @public
    def reject_asset(self, asset_id: UInt, reason: Reason) -> bool:
        """Registrar: reject a pending asset for good."""

    @public
    def suspend_asset(self, asset_id: UInt, reason: Reason) -> bool:
        """Registrar: suspend a verified asset."""

    @public
    def reinstate_asset(self, asset_id: UInt) -> bool:
        """Registrar: verify a suspended asset again."""

    @public
    def retire_asset(self, asset_id: UInt) -> bool:
        """Owner or registrar: retire an asset for good; its device key is free again 31 days later."""

    @public
    def request_change(self, asset_id: UInt, capacity_w: UInt, device_key: KeyClaim | None) -> bool:
        """Owner: ask for another capacity (W) or device key; the proof is checked only for a new key."""

    @public
    def approve_change(self, asset_id: UInt, capacity_w: UInt, device_key: DeviceKey | None) -> bool:
        """Registrar: put a requested change into force from tomorrow; capacity (W) and key repeat what was reviewed."""

    @public
    def refuse_change(self, asset_id: UInt, reason: Reason) -> bool:
        """Registrar: refuse a requested change."""

    @public
    def propose_transfer(self, asset_id: UInt, new_owner: Principal) -> UInt:
        """Owner: offer the asset to a new owner, and sell nothing until they accept; return the proposal's number."""

    @public
    def accept_transfer(self, asset_id: UInt, proposal: UInt) -> bool:
        """Proposed owner: take the asset over.

        Args:
            asset_id: Which asset.
            proposal: The number of the proposal that was reviewed (``Asset.proposal``, read before looking at what is
                sold). The call fails if the owner has since cancelled it and made a new one: in between, a year ahead
                could have been sold.
        """

    @public
    def cancel_transfer(self, asset_id: UInt) -> bool:
        """Owner: cancel a proposed transfer."""

    @public
    def set_operator(self, asset_id: UInt, operator: Principal | None, min_price_ustx_per_kwh: MinPrice) -> bool:
        """Owner: name an operator who may trade, never below a price in µSTX per kWh, or none; voids the open offers.

        An operator may sell for a token only if this price is 0, since it is in µSTX.
        """

    @public
    def set_role(self, role: Role, who: Principal, region: Region, granted: bool) -> bool:
        """Contract owner: grant or revoke a role; the region is empty except for grid operators."""

    @public
    def propose_owner(self, new_owner: Principal) -> bool:
        """Contract owner: propose the next owner of the contracts."""

    @public
    def accept_owner(self) -> bool:
        """Proposed contract owner: take the contracts over."""

    @public
    def set_paused(self, on: bool) -> bool:
        """Pauser: stop or allow registering, offering and accepting, but never recording, settling or refunding."""
