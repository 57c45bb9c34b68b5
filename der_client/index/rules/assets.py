"""What the events of ``asset-verification`` change: settings, roles, plants, and pending changes."""

from __future__ import annotations

from der_client.contracts import asset_verification as assets
from der_client.index.state import SYSTEM, State, change, fields_of, on


@on(assets.ContractDeployed)
def _deployed(state: State, event: assets.ContractDeployed) -> None:
    settings = {"contract_owner": event.contract_owner, "proposed_contract_owner": None, "paused": event.paused}
    state.put("system", SYSTEM, settings | dict.fromkeys(("fee_bps", "next_fee_bps", "next_from")))


@on(assets.ContractOwnerProposed)
def _owner_proposed(state: State, event: assets.ContractOwnerProposed) -> None:
    change(state, "system", SYSTEM, {"proposed_contract_owner": event.new_owner})


@on(assets.ContractOwnerAccepted)
def _owner_accepted(state: State, event: assets.ContractOwnerAccepted) -> None:
    change(state, "system", SYSTEM, {"contract_owner": event.new_owner, "proposed_contract_owner": None})


@on(assets.PausedSet)
def _paused_set(state: State, event: assets.PausedSet) -> None:
    change(state, "system", SYSTEM, {"paused": event.paused})


@on(assets.RoleSet)
def _role_set(state: State, event: assets.RoleSet) -> None:
    key = (event.role, event.who, event.region)
    if not event.granted:
        state.drop("role", key)
    elif state.get("role", key) is None:
        state.put("role", key, {})


@on(assets.AssetRegistered)
def _asset_registered(state: State, event: assets.AssetRegistered) -> None:
    nothing = ("operator", "proposed_owner", "capacity_from_day", "key_from_day", "previous_device_key")
    later = dict.fromkeys((*nothing, "previous_key_from_day", "verified_day", "last_day"))
    zero = dict.fromkeys(("min_price_ustx_per_kwh", "proposal"), 0)
    own = {"owner": event.actor, "previous_capacity_w": event.capacity_w}
    state.put("asset", (event.asset_id,), fields_of(event, "asset_id", "actor") | later | zero | own)


@on(assets.AssetVerified, assets.AssetSuspended, assets.OperatorSet, reads=("asset",))
def _asset_changed(state: State, event: assets.AssetVerified) -> None:
    change(state, "asset", (event.asset_id,), vars(event))


@on(assets.AssetReinstated, reads=("asset",))
def _asset_reinstated(state: State, event: assets.AssetReinstated) -> None:
    change(state, "asset", (event.asset_id,), {"state": event.state, "last_day": None})


@on(assets.AssetRejected, reads=("asset",))
def _asset_rejected(state: State, event: assets.AssetRejected) -> None:
    change(state, "asset", (event.asset_id,), {"state": event.state, "proposed_owner": None})


@on(assets.AssetRetired, reads=("asset", "asset_change"))
def _asset_retired(state: State, event: assets.AssetRetired) -> None:
    changes = {"state": event.state, "last_day": event.last_day, "proposed_owner": None}
    change(state, "asset", (event.asset_id,), changes)
    state.drop("asset_change", (event.asset_id,))


@on(assets.ChangeRequested, reads=("asset_change",))
def _change_requested(state: State, event: assets.ChangeRequested) -> None:
    state.put("asset_change", (event.asset_id,), fields_of(event, "asset_id", "actor"))


@on(assets.ChangeApproved, reads=("asset", "asset_change"))
def _change_approved(state: State, event: assets.ChangeApproved) -> None:
    change(state, "asset", (event.asset_id,), vars(event))
    state.drop("asset_change", (event.asset_id,))


@on(assets.ChangeRefused, reads=("asset_change",))
def _change_refused(state: State, event: assets.ChangeRefused) -> None:
    state.drop("asset_change", (event.asset_id,))


@on(assets.TransferProposed, reads=("asset",))
def _transfer_proposed(state: State, event: assets.TransferProposed) -> None:
    change(state, "asset", (event.asset_id,), {"proposed_owner": event.new_owner, "proposal": event.proposal})


@on(assets.TransferCancelled, reads=("asset",))
def _transfer_cancelled(state: State, event: assets.TransferCancelled) -> None:
    change(state, "asset", (event.asset_id,), {"proposed_owner": None})


@on(assets.TransferAccepted, reads=("asset", "asset_change"))
def _transfer_accepted(state: State, event: assets.TransferAccepted) -> None:
    nobody = {"operator": None, "min_price_ustx_per_kwh": 0, "proposed_owner": None}
    changes = {"owner": event.new_owner, "proposal": event.proposal, "epoch": event.epoch}
    change(state, "asset", (event.asset_id,), nobody | changes)
    state.drop("asset_change", (event.asset_id,))
