"""Draws calls of ``asset-verification``: plants, their changes and owners, and the roles."""

from __future__ import annotations

from typing import Any

from der_client.contracts.asset_verification import AssetKind, AssetState, DeviceKey, KeyCurve, Role
from tests.model.drawing.situation import FOR_NOBODY, Maker, Situation
from tests.model.people import CONTRACT_OWNER, DEVICE_KEYS, OPERATOR, OWNERS, REGIONS, ROLES
from tests.model.reference.assets import Claim
from tests.model.start import claim, metadata
from tests.model.step import Step, step


class RegisterDraws(Situation):
    """Draws calls of ``asset-verification``: plants, their changes and owners, and the roles."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw a call, with their weights."""
        return {
            self.register_asset: 4,
            self.register_assets: 4,
            self.verify_asset: 8,
            self.verify_assets: 6,
            self.reject_asset: 3,
            self.suspend_asset: 2,
            self.reinstate_asset: 5,
            self.retire_asset: 2,
            self.request_change: 5,
            self.approve_change: 5,
            self.refuse_change: 3,
            self.propose_transfer: 3,
            self.accept_transfer: 4,
            self.cancel_transfer: 4,
            self.set_operator: 3,
            self.set_role: 6,
            self.propose_owner: 3,
            self.accept_owner: 3,
            self.set_paused: 8,
        }

    def registrant(self) -> str:
        """Pick who registers a plant: usually an owner; now and then, an official who would decide on it later."""
        if self.chance(0.75):
            return self.pick(OWNERS)
        grid_operators = [self.holder(Role.GRID_OPERATOR, region) for region in REGIONS]
        return self.pick((self.holder(Role.REGISTRAR), *grid_operators))

    def register_asset(self) -> Step:
        """Register a plant."""
        owner = self.registrant()
        return step(owner, "assets.register_asset", **self.plant(owner))

    def register_assets(self) -> Step:
        """Register several plants at once."""
        owner = self.registrant()
        items = [self.plant(owner) for _ in range(self.random.randint(0, 3))]
        return step(owner, "assets.register_assets", items=items)

    def plant(self, owner: str) -> dict[str, Any]:
        """Describe a plant; now and then, with an invalid value or with metadata that is already registered."""
        described = self.possible_plant(owner)
        if self.chance(0.25):
            described |= self.pick(
                (
                    {"capacity_w": self.pick((0, 10**12 + 1))},
                    {"metadata_hash": bytes(31)},
                    {"location": self.pick(("", "9xja"))},
                    {"slot_seconds": self.pick((0, 899, 86_400))},
                    {"metadata_hash": self.asset(self.pick(self.all_assets())).metadata_hash},
                    {"device_key": Claim(DeviceKey(curve=KeyCurve.P256, key=b"\x02" * 32), None, owner)},
                )
            )
        return described

    def possible_plant(self, owner: str) -> dict[str, Any]:
        """Describe a valid plant."""
        regions = [where for of, who, where in sorted(self.system.assets.roles) if where and self.names[who] == owner]
        return {
            "kind": self.pick(list(AssetKind)),
            "capacity_w": self.pick((1, 997, 4_000, 10_000, 123_457, 10**12)),
            "location": "9xj3ud",
            "region": self.pick(regions or REGIONS),
            "metadata_hash": metadata(self.random.randint(10, 10**9)),
            "slot_seconds": self.pick((900, 1800, 3600)),
            "device_key": self.claim_of(owner, self.key()),
        }

    def key(self) -> DeviceKey | None:
        """Pick the key of a meter, or ``None``."""
        return self.pick((None, *DEVICE_KEYS))

    def claim_of(self, owner: str, device_key: DeviceKey | None) -> Claim | None:
        """Return a key with its proof; now and then, the proof is missing, by another meter or for another owner."""
        if device_key is None or not self.chance(0.06):
            return claim(owner, device_key)
        return self.pick(
            (
                Claim(device_key, None, owner),
                Claim(device_key, self.pick(DEVICE_KEYS), owner),
                Claim(device_key, device_key, self.pick(OWNERS)),
            )
        )

    def verify_asset(self) -> Step | None:
        """Verify a plant, usually a pending one."""
        asset_id = self.one(self.assets(AssetState.PENDING), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), "assets.verify_asset", **self.reviewed(asset_id))

    def verify_assets(self) -> Step | None:
        """Verify pending plants, and perhaps another."""
        pending = self.assets(AssetState.PENDING)
        if not pending and self.chance(0.8):
            return None
        chosen = pending[:3] + [self.pick(self.all_assets()) for _ in range(self.random.randint(0, 1))]
        items = [self.reviewed(asset_id) for asset_id in chosen]
        return step(self.holder(Role.REGISTRAR), "assets.verify_assets", items=items)

    def reviewed(self, asset_id: int) -> dict[str, Any]:
        """Return a registrar's review of a plant."""
        asset = self.asset(asset_id)
        return {"asset_id": asset_id, "capacity_w": asset.capacity_w, "device_key": asset.device_key}

    def reject_asset(self) -> Step | None:
        """Reject a plant, usually a pending one."""
        return self.by_registrar("reject_asset", AssetState.PENDING, reason="unclear")

    def suspend_asset(self) -> Step | None:
        """Suspend a plant, usually a verified one."""
        return self.by_registrar("suspend_asset", AssetState.VERIFIED, reason="odd")

    def reinstate_asset(self) -> Step | None:
        """Reinstate a plant, usually a suspended one."""
        return self.by_registrar("reinstate_asset", AssetState.SUSPENDED)

    def by_registrar(self, function: str, state: AssetState, **arguments: str) -> Step | None:
        """Call a function as a registrar, usually for a plant in the given state."""
        asset_id = self.one(self.assets(state), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), f"assets.{function}", asset_id=asset_id, **arguments)

    def retire_asset(self) -> Step | None:
        """Retire any plant."""
        asset_id = self.one(self.all_assets() if self.chance(0.5) else [])
        if asset_id is None:
            return None
        actor = self.mostly(self.pick((self.owner(asset_id), self.holder(Role.REGISTRAR))), self.anybody(), but=0.3)
        return step(actor, "assets.retire_asset", asset_id=asset_id)

    def request_change(self) -> Step | None:
        """Request another capacity or key."""
        served = self.assets(AssetState.VERIFIED, AssetState.SUSPENDED)
        changed = [number for number in served if self.asset(number).capacity_from_day > self.today - 40]
        asset_id = self.one(changed if changed and self.chance(0.5) else served, self.all_assets())
        if asset_id is None:
            return None
        asset = self.asset(asset_id)
        capacity_w = self.pick((asset.capacity_w, max(1, asset.capacity_w // 2), asset.capacity_w + 1, 5_000))
        device_key = asset.device_key if self.chance(0.5) else self.key()
        return step(
            self.owner(asset_id),
            "assets.request_change",
            asset_id=asset_id,
            capacity_w=capacity_w,
            device_key=self.claim_of(self.owner(asset_id), device_key),
        )

    def approve_change(self) -> Step | None:
        """Approve a change, usually a requested one."""
        asset_id = self.one(list(self.system.assets.changes), self.all_assets())
        if asset_id is None:
            return None
        change = self.system.assets.changes.get(asset_id)
        return step(
            self.holder(Role.REGISTRAR),
            "assets.approve_change",
            asset_id=asset_id,
            capacity_w=self.asset(asset_id).capacity_w if change is None else change.capacity_w,
            device_key=None if change is None else change.device_key,
        )

    def refuse_change(self) -> Step | None:
        """Refuse a change, usually a requested one."""
        asset_id = self.one(list(self.system.assets.changes), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), "assets.refuse_change", asset_id=asset_id, reason="no")

    def propose_transfer(self) -> Step | None:
        """Propose to transfer a plant."""
        asset_id = self.one(self.all_assets())
        if asset_id is None:
            return None
        new_owner = self.pick((*OWNERS, *OWNERS, OPERATOR, "dave", "observer"))
        return step(self.owner(asset_id), "assets.propose_transfer", asset_id=asset_id, new_owner=new_owner)

    def changing_hands(self) -> list[int]:
        """Return the assets with a proposed transfer."""
        return [number for number, asset in self.system.assets.assets.items() if asset.proposed_owner is not None]

    def accept_transfer(self) -> Step | None:
        """Accept a transfer, usually a proposed one."""
        asset_id = self.one(self.changing_hands(), self.all_assets())
        if asset_id is None:
            return None
        proposed = self.asset(asset_id).proposed_owner
        actor = self.anybody() if proposed is None else self.actor(proposed)
        proposal = self.asset(asset_id).proposal - (1 if self.chance(0.15) else 0)
        return step(actor, "assets.accept_transfer", asset_id=asset_id, proposal=max(0, proposal))

    def cancel_transfer(self) -> Step | None:
        """Cancel a transfer, usually a proposed one."""
        asset_id = self.one(self.changing_hands(), self.all_assets())
        return None if asset_id is None else step(self.owner(asset_id), "assets.cancel_transfer", asset_id=asset_id)

    def set_operator(self) -> Step | None:
        """Set or remove the operator of a plant."""
        asset_id = self.one(self.all_assets())
        if asset_id is None:
            return None
        return step(
            self.owner(asset_id),
            "assets.set_operator",
            asset_id=asset_id,
            operator=self.pick((OPERATOR, OPERATOR, OPERATOR, None, "dave", *OWNERS, self.approver(asset_id))),
            min_price_ustx_per_kwh=self.mostly(self.pick((0, 500, 50_000, 10**15)), 10**15 + 1),
        )

    def approver(self, asset_id: int) -> str:
        """Pick a registrar, or a grid operator of the plant's region: one of those who approve the plants of others."""
        region = self.asset(asset_id).region
        return self.pick((self.holder(Role.REGISTRAR), self.holder(Role.GRID_OPERATOR, region)))

    def set_role(self) -> Step:
        """Grant or revoke a role: usually one from the start, sometimes another."""
        owner = self.actor(self.system.assets.contract_owner)
        if self.chance(0.6):
            who = self.pick(list(ROLES))
            role, region = ROLES[who]
            return step(owner, "assets.set_role", role=role, who=who, region=region, granted=self.chance(0.85))
        if self.chance(0.3):
            # Grid operators record feeds. As verifiers, they may verify those that others recorded.
            who = self.holder(Role.GRID_OPERATOR, self.pick(REGIONS))
            return step(owner, "assets.set_role", role=Role.VERIFIER, who=who, region="", granted=True)
        role = self.pick(list(Role))
        region = self.pick(REGIONS) if role is Role.GRID_OPERATOR else ""
        return step(owner, "assets.set_role", role=role, who=self.anybody(), region=region, granted=self.chance(0.5))

    def propose_owner(self) -> Step:
        """Propose a new contract owner."""
        new_owner = self.pick((CONTRACT_OWNER, FOR_NOBODY, "paul", "observer"))
        return step(self.actor(self.system.assets.contract_owner), "assets.propose_owner", new_owner=new_owner)

    def accept_owner(self) -> Step:
        """Accept the ownership of the contracts, as the proposed owner if there is one."""
        proposed = self.system.assets.proposed_contract_owner
        return step(self.anybody() if proposed is None else self.actor(proposed), "assets.accept_owner")

    def set_paused(self) -> Step | None:
        """Pause the contracts, usually for a short time only."""
        paused = self.system.assets.paused
        if not paused and self.chance(0.85):
            return None
        return step(self.holder(Role.PAUSER), "assets.set_paused", on=not paused or self.chance(0.1))
