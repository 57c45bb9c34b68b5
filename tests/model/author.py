"""Makes up what happens next: mostly what makes sense in the model's present state, often a little wrong.

All chance comes from one ``random.Random``: seeded for long runs, or hypothesis' own, which can be shrunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

from der_client.contracts.asset_verification import AssetKind, AssetState, DeviceKey, Role
from der_client.contracts.grid_integration import AlertLevel, ConnectionState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.cast import (
    BUYERS,
    CONTRACT_OWNER,
    DEVICE_KEYS,
    OPERATOR,
    OWNERS,
    PEOPLE,
    REGIONS,
    ROLES,
    TOKEN,
)
from tests.model.merkle import Proof, Tree, frozen
from tests.model.odd import Oddities
from tests.model.reference import System
from tests.model.reference.assets import Asset, Claim
from tests.model.reference.clock import DAY_S, end_of, end_of_window, start_of
from tests.model.reference.production import Signature
from tests.model.start import claim, metadata
from tests.model.step import Action, Step, Wait, step

T = TypeVar("T")
Maker = Callable[[], Action | None]

_FOR_NOBODY: Final = "sam"
_ATTEMPTS: Final = 8
_WRONG_CALLER: Final = 0.07
_ODD_ARGUMENT: Final = 0.14


class Author:
    """Makes up steps.

    Args:
        random: Where all chance comes from.
        system: The model, as it is when a step is made up.
        names: People by their principal.
    """

    def __init__(self, random: Random, system: System, names: dict[str, str]) -> None:
        self.random = random
        self.system = system
        self.names = names
        self.today = system.clock.today
        self.odd = Oddities(random, system)
        self.makers = self._makers()

    def next(self, kind: str | None = None) -> Action:
        """What happens next.

        Args:
            kind: What shall be called (``assets``, ``production``, ``grid``, ``market``, ``settlement``), or ``time``;
                anything if not given. Where nothing of the kind can happen, time passes.
        """
        groups = [self.makers[kind]] if kind is not None else list(self.makers.values())
        weights = {maker: weight for group in groups for maker, weight in group.items()}
        for _ in range(_ATTEMPTS):
            (maker,) = self.random.choices(list(weights), weights=list(weights.values()))
            made = maker()
            if isinstance(made, Wait):
                return made
            if made is not None:
                return self._a_little_wrong(made)
        return self.wait()

    def _a_little_wrong(self, made: Step) -> Step:
        """Now and then, another caller or an odd argument."""
        if made.contract == "stx":
            return made
        actor = self.anybody() if self.chance(_WRONG_CALLER) else made.actor
        arguments = made.arguments
        if arguments and self.chance(_ODD_ARGUMENT):
            name = self.pick(list(arguments))
            arguments = arguments | {name: self.odd.instead_of(name, arguments[name], arguments)}
        return Step(actor, made.contract, made.function, arguments)

    def _makers(self) -> dict[str, dict[Maker, int]]:
        """How often what happens, in parts of about 430."""
        return {
            "time": {self.wait: 16},
            "assets": {
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
            },
            "production": {
                self.record_production: 10,
                self.record_batch: 8,
                self.record_day: 12,
                self.record_days: 8,
                self.anchor_root: 4,
                self.claim_leaf: 8,
                self.verify_day: 8,
                self.verify_days: 6,
                self.reject_day: 4,
                self.dispute_day: 4,
                self.adjust_day: 6,
            },
            "grid": {
                self.request_connection: 6,
                self.withdraw_request: 3,
                self.approve_connection: 8,
                self.reject_connection: 3,
                self.set_status: 5,
                self.set_export_limit: 4,
                self.record_feed: 8,
                self.record_feeds: 6,
                self.verify_feed: 8,
                self.verify_feeds: 6,
                self.set_region_alert: 3,
            },
            "market": {
                self.create_offer: 16,
                self.create_offers: 8,
                self.cancel_offer: 3,
                self.cancel_offers: 3,
                self.reject_offer: 4,
                self.expire_offer: 4,
                self.mark_accepted: 1,
                self.mark_completed: 1,
                self.mark_token: 1,
                self.retire_energy: 8,
            },
            "settlement": {
                self.accept_and_fund: 24,
                self.accept_offers: 8,
                self.settle: 8,
                self.settle_batch: 6,
                self.refund: 6,
                self.refund_batch: 4,
                self.release: 5,
                self.withdraw: 8,
                self.claim: 10,
                self.assign_payment: 4,
                self.set_token: 3,
                self.set_fee_bps: 3,
                self.withdraw_fees: 6,
                self.withdraw_surplus: 3,
                self.send_unasked: 2,
            },
        }

    # Chance

    def chance(self, probability: float) -> bool:
        """Whether something happens that is so probable."""
        return self.random.random() < probability

    def pick(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[self.random.randrange(len(things))]

    def one(self, things: Sequence[T], otherwise: Sequence[T] = ()) -> T | None:
        """One of those that fit; now and then, one of all the others, or nothing if there are none."""
        if things:
            return self.pick(things)
        return self.pick(otherwise) if otherwise and self.chance(0.1) else None

    def anybody(self) -> str:
        """Anybody, whatever they may do."""
        return self.pick((CONTRACT_OWNER, *PEOPLE))

    def holder(self, role: Role, region: str = "") -> str:
        """Somebody who has a role; a stranger if nobody has it, or a contract."""
        found = [who for of, who, where in sorted(self.system.assets.roles) if (of, where) == (role, region)]
        return self.actor(self.pick(found)) if found else _FOR_NOBODY

    def amount(self, upper: int) -> int:
        """Something from 1 to an upper bound, often just that."""
        return upper if upper <= 1 or self.chance(0.3) else self.random.randint(1, upper)

    # Things

    def assets(self, *states: AssetState) -> list[int]:
        """Ids of assets in one of these states."""
        return [number for number, asset in self.system.assets.assets.items() if asset.state in states]

    def all_assets(self) -> list[int]:
        """Ids of all assets."""
        return list(self.system.assets.assets)

    def asset(self, asset_id: int) -> Asset:
        """An asset."""
        return self.system.assets.assets[asset_id]

    def owner(self, asset_id: int) -> str:
        """The name of its owner."""
        return self.names[self.asset(asset_id).owner]

    def days(self, *states: DayState) -> list[tuple[int, int]]:
        """Days in one of these states."""
        return [key for key, row in self.system.production.days.items() if row.state in states]

    # Time

    def wait(self) -> Wait:
        """To the end of a slot, a day, a window; or just past it, or just before."""
        now = self.system.clock.now
        kind = self.random.random()
        if kind < 0.35:
            target = (now // 900 + self.pick((1, 1, 2, 4, 8))) * 900
        elif kind < 0.85:
            target = start_of(self.today + 1)
        elif kind < 0.93:
            target = start_of(self.today + self.pick((2, 3, 7)))
        else:
            target = self.end_of_something(now)
        return Wait(max(now, target + self.pick((-20, -10, -10, 0, 0, 10))))

    def end_of_something(self, now: int) -> int:
        """When a day can no longer be recorded, or verified; an offer expires; a capacity can change; a key is free."""
        days = [*self.days(DayState.RECORDED, DayState.DISPUTED)]
        payments = self.system.settlement.payments.values()
        days += [(item.asset_id, item.day) for item in payments if item.state is PaymentState.LOCKED]
        ends = [end_of_window(day) for _, day in days] + [start_of(day + 31) for _, day in days]
        ends += [offer.expires_at for offer in self.system.market.offers.values() if offer.open_wh]
        assets = self.system.assets.assets.values()
        ends += [start_of(day + 45) for asset in assets for day in (asset.capacity_from_day, asset.key_from_day)]
        ends += [start_of(asset.key_from_day + 30) for asset in assets]
        ends += [start_of(asset.last_day + 31) for asset in assets if asset.last_day is not None]
        ends.append(self.system.settlement.fees_set[-1][0])
        coming = sorted({end for end in ends if now < end < now + 60 * DAY_S})
        return self.pick(coming) if coming else start_of(self.today + self.pick((30, 31, 45, 46, 47)))

    # The register

    def registrant(self) -> str:
        """Mostly an owner; now and then somebody who would decide on the plant of their own."""
        if self.chance(0.8):
            return self.pick(OWNERS)
        return self.pick((self.holder(Role.REGISTRAR), self.holder(Role.GRID_OPERATOR, self.pick(REGIONS))))

    def register_asset(self) -> Step:
        """Another plant."""
        owner = self.registrant()
        return step(owner, "assets.register_asset", **self.plant(owner))

    def register_assets(self) -> Step:
        """Some plants at once."""
        owner = self.registrant()
        items = [self.plant(owner) for _ in range(self.random.randint(0, 3))]
        return step(owner, "assets.register_assets", items=items)

    def plant(self, owner: str) -> dict[str, Any]:
        """What is said of a plant; now and then, one that is there already."""
        old = self.chance(0.05)
        return {
            "kind": self.pick(list(AssetKind)),
            "capacity_w": self.pick((1, 997, 4_000, 10_000, 123_457, 10**12)),
            "location": "9xj3ud",
            "region": self.pick(REGIONS),
            "metadata_hash": metadata(self.random.randint(1, 9) if old else self.random.randint(10, 10**9)),
            "slot_seconds": self.pick((900, 1800, 3600)),
            "device_key": self.claim_of(owner, self.key()),
        }

    def key(self) -> DeviceKey | None:
        """The key of a meter, or none."""
        return self.pick((None, *DEVICE_KEYS))

    def claim_of(self, owner: str, device_key: DeviceKey | None) -> Claim | None:
        """A key with its proof; now and then, with that of another meter or for another owner."""
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
        """A pending plant."""
        asset_id = self.one(self.assets(AssetState.PENDING), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), "assets.verify_asset", **self.reviewed(asset_id))

    def verify_assets(self) -> Step | None:
        """Pending plants, and some others."""
        pending = self.assets(AssetState.PENDING)
        if not pending and self.chance(0.8):
            return None
        chosen = pending[:3] + [self.pick(self.all_assets()) for _ in range(self.random.randint(0, 1))]
        items = [self.reviewed(asset_id) for asset_id in chosen]
        return step(self.holder(Role.REGISTRAR), "assets.verify_assets", items=items)

    def reviewed(self, asset_id: int) -> dict[str, Any]:
        """What a registrar reviewed of a plant."""
        asset = self.asset(asset_id)
        return {"asset_id": asset_id, "capacity_w": asset.capacity_w, "device_key": asset.device_key}

    def reject_asset(self) -> Step | None:
        """A pending plant."""
        return self.by_registrar("reject_asset", AssetState.PENDING, reason="unclear")

    def suspend_asset(self) -> Step | None:
        """A verified plant."""
        return self.by_registrar("suspend_asset", AssetState.VERIFIED, reason="odd")

    def reinstate_asset(self) -> Step | None:
        """A suspended plant."""
        return self.by_registrar("reinstate_asset", AssetState.SUSPENDED)

    def by_registrar(self, function: str, state: AssetState, **arguments: str) -> Step | None:
        """What a registrar does to a plant in some state."""
        asset_id = self.one(self.assets(state), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), f"assets.{function}", asset_id=asset_id, **arguments)

    def retire_asset(self) -> Step | None:
        """Any plant that is left."""
        asset_id = self.one(self.all_assets() if self.chance(0.5) else [])
        if asset_id is None:
            return None
        actor = self.pick((self.owner(asset_id), self.holder(Role.REGISTRAR)))
        return step(actor, "assets.retire_asset", asset_id=asset_id)

    def request_change(self) -> Step | None:
        """Another capacity or key."""
        asset_id = self.one(self.assets(AssetState.VERIFIED, AssetState.SUSPENDED), self.all_assets())
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
        """A requested change."""
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
        """A requested change."""
        asset_id = self.one(list(self.system.assets.changes), self.all_assets())
        if asset_id is None:
            return None
        return step(self.holder(Role.REGISTRAR), "assets.refuse_change", asset_id=asset_id, reason="no")

    def propose_transfer(self) -> Step | None:
        """A plant to somebody else."""
        asset_id = self.one(self.all_assets())
        if asset_id is None:
            return None
        new_owner = self.pick((*OWNERS, *OWNERS, OPERATOR, "dave", "observer"))
        return step(self.owner(asset_id), "assets.propose_transfer", asset_id=asset_id, new_owner=new_owner)

    def changing_hands(self) -> list[int]:
        """Assets that are proposed to somebody."""
        return [number for number, asset in self.system.assets.assets.items() if asset.proposed_owner is not None]

    def accept_transfer(self) -> Step | None:
        """What was proposed."""
        asset_id = self.one(self.changing_hands(), self.all_assets())
        if asset_id is None:
            return None
        proposed = self.asset(asset_id).proposed_owner
        actor = self.anybody() if proposed is None else self.actor(proposed)
        proposal = self.asset(asset_id).proposal - (1 if self.chance(0.15) else 0)
        return step(actor, "assets.accept_transfer", asset_id=asset_id, proposal=max(0, proposal))

    def actor(self, principal: str) -> str:
        """The name of a principal that can act; that of a stranger for a contract."""
        name = self.names[principal]
        return name if name in (CONTRACT_OWNER, *PEOPLE) else _FOR_NOBODY

    def cancel_transfer(self) -> Step | None:
        """What was proposed."""
        asset_id = self.one(self.changing_hands(), self.all_assets())
        return None if asset_id is None else step(self.owner(asset_id), "assets.cancel_transfer", asset_id=asset_id)

    def set_operator(self) -> Step | None:
        """Somebody who trades, or nobody."""
        asset_id = self.one(self.all_assets())
        if asset_id is None:
            return None
        return step(
            self.owner(asset_id),
            "assets.set_operator",
            asset_id=asset_id,
            operator=self.pick((OPERATOR, OPERATOR, OPERATOR, None, "dave", *OWNERS, self.holder(Role.REGISTRAR))),
            min_price_ustx_per_kwh=self.pick((0, 500, 50_000, 10**15)),
        )

    # The system

    def set_role(self) -> Step:
        """Mostly the roles of the start; sometimes another, or one is taken away."""
        owner = self.actor(self.system.assets.contract_owner)
        if self.chance(0.6):
            who = self.pick(list(ROLES))
            role, region = ROLES[who]
            return step(owner, "assets.set_role", role=role, who=who, region=region, granted=self.chance(0.85))
        if self.chance(0.3):
            # Who meters feeds may verify those of others.
            who = self.holder(Role.GRID_OPERATOR, self.pick(REGIONS))
            return step(owner, "assets.set_role", role=Role.VERIFIER, who=who, region="", granted=True)
        role = self.pick(list(Role))
        region = self.pick(REGIONS) if role is Role.GRID_OPERATOR else ""
        return step(owner, "assets.set_role", role=role, who=self.anybody(), region=region, granted=self.chance(0.5))

    def propose_owner(self) -> Step:
        """Anybody."""
        new_owner = self.pick((CONTRACT_OWNER, _FOR_NOBODY, "paul", "observer"))
        return step(self.actor(self.system.assets.contract_owner), "assets.propose_owner", new_owner=new_owner)

    def accept_owner(self) -> Step:
        """Who is proposed."""
        proposed = self.system.assets.proposed_contract_owner
        return step(self.anybody() if proposed is None else self.actor(proposed), "assets.accept_owner")

    def set_paused(self) -> Step | None:
        """Mostly for a short time only."""
        paused = self.system.assets.paused
        if not paused and self.chance(0.85):
            return None
        return step(self.holder(Role.PAUSER), "assets.set_paused", on=not paused or self.chance(0.1))

    # Production

    def awaited_days(self) -> list[tuple[int, int]]:
        """Days that somebody paid for and that are not decided, from today back."""
        payments = self.system.settlement.payments.values()
        locked = {(item.asset_id, item.day) for item in payments if item.state is PaymentState.LOCKED}
        return sorted(key for key in locked if key[1] <= self.today and not self.system.production.state(*key).is_final)

    def day_to_record(self, *, signed: bool) -> tuple[int, int] | None:
        """A day of which something may be missing: one that was sold, or one of the last."""
        awaited = [key for key in self.awaited_days() if self.signs(*key) is signed]
        if awaited and self.chance(0.6):
            return self.pick(awaited)
        day = self.today - self.pick((0, 0, 1, 1, 1, 2, 3, 29, 30, 31))
        fitting = [number for number in self.all_assets() if self.signs(number, day) is signed]
        recordable = [number for number in fitting if self.asset(number).is_recordable(day)]
        asset_id = self.one(recordable if self.chance(0.9) else fitting, self.all_assets())
        return None if asset_id is None else (asset_id, day)

    def signs(self, asset_id: int, day: int) -> bool:
        """Whether a meter signs a day."""
        return self.asset(asset_id).key_on(day) is not None

    def free_slots(self, asset_id: int, day: int) -> list[int]:
        """Slots of a day that are over and not recorded."""
        asset = self.asset(asset_id)
        over = min(asset.slots, max(0, self.system.clock.now - start_of(day)) // asset.slot_seconds)
        row = self.system.production.days.get((asset_id, day))
        return [slot for slot in range(over) if row is None or not row.mask >> slot & 1]

    def slot_wh(self, asset_id: int, day: int) -> int:
        """The most that one slot yields, rounded down."""
        asset = self.asset(asset_id)
        return asset.capacity_on(day) * asset.slot_seconds * 110 // 360_000

    def record_production(self) -> Step | None:
        """What an oracle knows of a day."""
        record = self.record()
        return None if record is None else step(self.holder(Role.ORACLE), "production.record_production", **record)

    def record(self) -> dict[str, int] | None:
        """A record of some free slots of a day."""
        key = self.day_to_record(signed=False)
        if key is None:
            return None
        slots = self.free_slots(*key)
        if self.chance(0.3) and slots:
            slots = slots[: self.random.randint(1, len(slots))]
        mask = sum(1 << slot for slot in slots)
        most = self.most_wh(*key, mask)
        wh = self.pick((most, self.random.randint(0, most)))
        return {"asset_id": key[0], "day": key[1], "mask": mask, "wh": wh}

    def most_wh(self, asset_id: int, day: int, mask: int) -> int:
        """How much these slots may add to a day."""
        asset = self.asset(asset_id)
        row = self.system.production.days.get((asset_id, day))
        both, wh = (mask, 0) if row is None else (mask | row.mask, row.wh)
        return max(0, both.bit_count() * asset.capacity_on(day) * asset.slot_seconds * 110 // 360_000 - wh)

    def record_batch(self) -> Step | None:
        """Several days of several plants."""
        made = [self.record() for _ in range(self.random.randint(0, 5))]
        items = [item for item in made if item is not None]
        unique = list({(item["asset_id"], item["day"]): item for item in items}.values())
        return step(self.holder(Role.ORACLE), "production.record_batch", items=unique)

    def record_day(self) -> Step | None:
        """What a meter signed, relayed by anybody."""
        reading = self.reading()
        return None if reading is None else step(self.anybody(), "production.record_day", **reading)

    def record_days(self) -> Step:
        """What some meters signed."""
        made = [self.reading() for _ in range(self.random.randint(0, 3))]
        return step(self.anybody(), "production.record_days", items=[item for item in made if item is not None])

    def reading(self) -> dict[str, Any] | None:
        """Free slots of a day, signed."""
        chosen = self.day_to_record(signed=True)
        if chosen is None:
            return None
        asset_id, day = chosen
        slots = self.free_slots(asset_id, day) or [0]
        start = self.pick(slots) if self.chance(0.2) else slots[0]
        run = next((n for n in range(1, 97) if start + n not in slots), 1)
        n = run if self.chance(0.7) else self.random.randint(1, run)
        wh = self.random.randint(0, self.slot_wh(asset_id, day))
        whs = (wh,) * n
        key, key_epoch = self.asset(asset_id).key_on(day) or (DEVICE_KEYS[0], 1)
        signature = Signature(
            key=key if key in DEVICE_KEYS else DEVICE_KEYS[0],
            asset_id=asset_id,
            day=day,
            key_epoch=key_epoch,
            start=start,
            whs=whs,
            has_high_s=self.chance(0.1),
        )
        return {"asset_id": asset_id, "day": day, "start": start, "whs": whs, "signature": signature}

    def anchor_root(self) -> Step | None:
        """Over some days that an oracle knows."""
        tree = self.tree()
        if tree is None:
            return None
        days = [dict(leaf)["day"] for leaf in tree.leaves]
        return step(
            self.holder(Role.ORACLE),
            "production.anchor_root",
            root=tree,
            leaves=len(tree.leaves),
            total_wh=sum(dict(leaf)["wh"] for leaf in tree.leaves),
            from_day=min(days),
            to_day=max(days),
        )

    def tree(self) -> Tree | None:
        """A tree over records of free slots."""
        made = [self.record() for _ in range(self.random.randint(1, 5))]
        leaves = tuple(frozen(item | {"whs_hash": bytes(32)}) for item in made if item is not None)
        return Tree(leaves) if leaves else None

    def claim_leaf(self) -> Step | None:
        """Mostly a leaf of a tree that was anchored."""
        production = self.system.production
        root_id = self.one(list(production.trees), list(production.roots))
        if root_id is None:
            return None
        tree = production.trees.get(root_id) if self.chance(0.95) else self.tree()
        if tree is None:
            return None
        number = self.random.randrange(len(tree.leaves))
        leaf = dict(tree.leaves[number])
        anchoring = self.actor(production.roots[root_id].oracle)
        oracle = self.holder(Role.ORACLE) if self.chance(0.1) else anchoring
        return step(oracle, "production.claim_leaf", root_id=root_id, leaf=leaf, path=Proof(tree, number))

    def reviewer(self, key: tuple[int, int]) -> str:
        """Who decides on a day; now and then, who would if it was not disputed, or was."""
        disputed = (self.system.production.state(*key) is DayState.DISPUTED) is not self.chance(0.06)
        return self.holder(Role.ARBITER if disputed else Role.VERIFIER)

    def recorded_day(self) -> tuple[int, int] | None:
        """A day to decide on, mostly one that is over."""
        days = self.days(DayState.RECORDED, DayState.DISPUTED)
        over = [key for key in days if end_of(key[1]) <= self.system.clock.now]
        awaited = [key for key in over if key in self.awaited_days()]
        if awaited and self.chance(0.6):
            return self.pick(awaited)
        return self.one(over if over and self.chance(0.95) else days, list(self.system.production.days))

    def verify_day(self) -> Step | None:
        """A recorded day."""
        key = self.recorded_day()
        if key is None:
            return None
        return step(self.reviewer(key), "production.verify_day", **self.reviewed_day(key))

    def reviewed_day(self, key: tuple[int, int]) -> dict[str, int]:
        """What a verifier reviewed of a day."""
        row = self.system.production.days.get(key)
        mask, wh = (0, 0) if row is None else (row.mask, row.wh)
        return {"asset_id": key[0], "day": key[1], "mask": mask, "wh": wh}

    def verify_days(self) -> Step | None:
        """All that wait, or some of them."""
        days = self.days(DayState.RECORDED, DayState.DISPUTED)
        days = [key for key in days if end_of(key[1]) <= self.system.clock.now < end_of_window(key[1])]
        days = days[: self.random.randint(0, 6)]
        if self.chance(0.1):
            days += [self.pick(list(self.system.production.days) or [(1, self.today)])]
        items = [self.reviewed_day(key) for key in days]
        return step(self.holder(self.pick((Role.VERIFIER, Role.ARBITER))), "production.verify_days", items=items)

    def known_wh(self, key: tuple[int, int]) -> int:
        """What is recorded of a day."""
        row = self.system.production.days.get(key)
        return 0 if row is None else row.wh

    def reject_day(self) -> Step | None:
        """A day with or without a record."""
        locked = [
            (item.asset_id, item.day)
            for item in self.system.settlement.payments.values()
            if item.state is PaymentState.LOCKED and item.day < self.today
        ]
        key = self.pick(locked) if locked and self.chance(0.3) else self.recorded_day()
        if key is None:
            return None
        return step(self.reviewer(key), "production.reject_day", **self.reviewed_day(key), reason="no")

    def dispute_day(self) -> Step | None:
        """A recorded day; now and then, one that is disputed already."""
        disputed = self.days(DayState.DISPUTED) if self.chance(0.15) else []
        key = self.one(disputed or self.days(DayState.RECORDED), list(self.system.production.days))
        if key is None:
            return None
        actor = self.holder(self.pick((Role.VERIFIER, Role.ARBITER)))
        return step(actor, "production.dispute_day", asset_id=key[0], day=key[1], reason="odd")

    def adjust_day(self) -> Step | None:
        """A recorded or disputed day, up or down, to the very end."""
        key = self.recorded_day()
        if key is None:
            return None
        row = self.system.production.days[key]
        room = self.most_wh(*key, row.mask)
        after = self.pick((0, row.wh - row.wh // 3, row.wh + 1, row.wh + room, row.wh + room // 2))
        return step(
            self.reviewer(key),
            "production.adjust_day",
            asset_id=key[0],
            day=key[1],
            wh_before=row.wh,
            wh_after=after,
        )

    # The grid

    def request_connection(self) -> Step | None:
        """For a verified plant without one."""
        connections = self.system.grid.connections
        new = [number for number in self.assets(AssetState.VERIFIED) if number not in connections]
        new += [number for number, item in connections.items() if item.state is ConnectionState.REJECTED]
        asset_id = self.one(new, self.all_assets())
        if asset_id is None:
            return None
        limit_w = self.pick((1, 3_000, self.asset(asset_id).capacity_w, 10**12))
        return step(self.owner(asset_id), "grid.request_connection", asset_id=asset_id, export_limit_w=limit_w)

    def withdraw_request(self) -> Step | None:
        """One that is not decided."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), self.all_assets())
        return None if asset_id is None else step(self.owner(asset_id), "grid.withdraw_request", asset_id=asset_id)

    def connections(self, *states: ConnectionState) -> list[int]:
        """Assets with a connection in one of these states."""
        return [number for number, item in self.system.grid.connections.items() if item.state in states]

    def grid_operator(self, asset_id: int) -> str:
        """Of the asset's region."""
        return self.holder(Role.GRID_OPERATOR, self.asset(asset_id).region)

    def approve_connection(self) -> Step | None:
        """One that is requested."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), list(self.system.grid.connections))
        if asset_id is None:
            return None
        return step(
            self.grid_operator(asset_id),
            "grid.approve_connection",
            asset_id=asset_id,
            export_limit_w=self.system.grid.connections[asset_id].export_limit_w,
            feed_metered=self.chance(0.5),
        )

    def reject_connection(self) -> Step | None:
        """One that is requested."""
        asset_id = self.one(self.connections(ConnectionState.REQUESTED), list(self.system.grid.connections))
        if asset_id is None:
            return None
        return step(self.grid_operator(asset_id), "grid.reject_connection", asset_id=asset_id, reason="no room")

    def set_status(self) -> Step | None:
        """Mostly back to connected."""
        asset_id = self.one(list(self.system.grid.connections))
        if asset_id is None:
            return None
        status = ConnectionState.CONNECTED if self.chance(0.6) else self.pick(list(ConnectionState)[2:])
        return step(self.grid_operator(asset_id), "grid.set_status", asset_id=asset_id, status=status)

    def set_export_limit(self) -> Step | None:
        """More or less."""
        asset_id = self.one(list(self.system.grid.connections))
        if asset_id is None:
            return None
        limit_w = self.pick((1, 1_000, self.asset(asset_id).capacity_w, 10**12))
        return step(self.grid_operator(asset_id), "grid.set_export_limit", asset_id=asset_id, export_limit_w=limit_w)

    def is_since_connection(self, asset_id: int, day: int) -> bool:
        """Whether an asset was connected on a day."""
        connection = self.system.grid.connections.get(asset_id)
        return connection is not None and day >= connection.approved_day

    def record_feed(self) -> Step | None:
        """Of a metered day that is over."""
        feed = self.feed()
        return None if feed is None else step(self.grid_operator(feed["asset_id"]), "grid.record_feed", **feed)

    def record_feeds(self) -> Step | None:
        """Of some metered days."""
        made = [feed for feed in (self.feed() for _ in range(self.random.randint(0, 4))) if feed is not None]
        if not made:
            return None
        return step(self.grid_operator(made[0]["asset_id"]), "grid.record_feeds", items=made)

    def feed(self) -> dict[str, int] | None:
        """What passed the meter of a plant, mostly on a day that waits for it."""
        metered = [number for number, item in self.system.grid.connections.items() if item.feed_metered]
        asset_id = self.one(metered or list(self.system.grid.connections))
        if asset_id is None:
            return None
        waiting = [key[1] for key in self.days(DayState.RECORDED, DayState.VERIFIED) if key[0] == asset_id]
        waiting = [day for day in waiting if (asset_id, day) not in self.system.grid.feeds]
        waiting = [day for day in waiting if self.is_since_connection(asset_id, day) or self.chance(0.05)]
        day = self.pick(waiting) if waiting and self.chance(0.8) else self.today - self.pick((0, 1, 1, 2, 45, 46))
        recorded = self.known_wh((asset_id, day))
        return {
            "asset_id": asset_id,
            "day": day,
            "exported_wh": self.pick((recorded, recorded // 2, recorded + 1, 0)),
            "imported_wh": self.pick((0, 17)),
        }

    def verify_feed(self) -> Step | None:
        """Mostly one that waits for it."""
        key = self.one(self.feeds_to_verify(), list(self.system.grid.feeds))
        return None if key is None else step(self.feed_verifier(key), "grid.verify_feed", **self.reviewed_feed(key))

    def verify_feeds(self) -> Step | None:
        """Some that wait, and perhaps another."""
        keys = self.feeds_to_verify()[: self.random.randint(0, 4)]
        if self.system.grid.feeds and self.chance(0.2):
            keys.append(self.pick(list(self.system.grid.feeds)))
        if not keys:
            return None
        items = [self.reviewed_feed(key) for key in keys]
        return step(self.feed_verifier(keys[0]), "grid.verify_feeds", items=items)

    def feeds_to_verify(self) -> list[tuple[int, int]]:
        """Feeds that are not verified."""
        return [key for key, feed in self.system.grid.feeds.items() if not feed.verified]

    def feed_verifier(self, key: tuple[int, int]) -> str:
        """A verifier; now and then, who recorded the feed."""
        recorder = self.system.grid.feeds[key].recorder
        verifies = self.system.assets.has_role(Role.VERIFIER, recorder)
        return self.actor(recorder) if self.chance(0.3 if verifies else 0.03) else self.holder(Role.VERIFIER)

    def reviewed_feed(self, key: tuple[int, int]) -> dict[str, int]:
        """What a verifier reviewed of a feed."""
        feed = self.system.grid.feeds[key]
        energies = {"exported_wh": feed.exported_wh, "imported_wh": feed.imported_wh}
        return {"asset_id": key[0], "day": key[1], **energies}

    def set_region_alert(self) -> Step:
        """To a region."""
        region = self.pick(REGIONS)
        return step(
            self.holder(Role.GRID_OPERATOR, region),
            "grid.set_region_alert",
            region=region,
            level=self.pick(list(AlertLevel)),
            until=self.system.clock.now + 3600,
        )

    # The market

    def sellable(self) -> list[int]:
        """Assets that can sell now."""
        return [
            number
            for number in self.assets(AssetState.VERIFIED)
            if self.system.grid.is_connected(number) and self.asset(number).proposed_owner is None
        ]

    def create_offer(self) -> Step | None:
        """Forward or spot, mostly within what is left."""
        asset_id = self.one(self.sellable(), self.all_assets())
        if asset_id is None:
            return None
        spot, day = self.day_to_offer(asset_id)
        wh = self.wh_to_offer(asset_id, day)
        actor, terms = self.terms_of_offer(asset_id, wh)
        return step(
            actor,
            "market.create_offer",
            **terms,
            day=day,
            wh=max(wh, terms["min_fill_wh"]),
            expires_at=self.expiry(day, spot=spot),
        )

    def create_offers(self) -> Step | None:
        """Some days at one price."""
        asset_id = self.one(self.sellable(), self.all_assets())
        if asset_id is None:
            return None
        chosen = [self.day_to_offer(asset_id) for _ in range(self.random.randint(0, 4))]
        whs = [self.wh_to_offer(asset_id, day) for _, day in chosen]
        actor, terms = self.terms_of_offer(asset_id, min(whs, default=1))
        days = [
            {"day": day, "wh": wh, "expires_at": self.expiry(day, spot=spot)}
            for (spot, day), wh in zip(chosen, whs, strict=True)
        ]
        return step(actor, "market.create_offers", **terms, days=days)

    def day_to_offer(self, asset_id: int) -> tuple[bool, int]:
        """A day of an asset to sell, and whether on the spot: one with something left, or one to come."""
        verified = [key[1] for key in self.days(DayState.VERIFIED) if key[0] == asset_id]
        verified = [day for day in verified if self.is_since_connection(asset_id, day) or self.chance(0.05)]
        with_room = [day for day in verified if self.system.market.available_wh(asset_id, day)]
        spot = bool(with_room or verified) and self.chance(0.5)
        return spot, self.pick(with_room or verified) if spot else self.today + self.pick((1, 1, 1, 1, 2, 2, 3, 366))

    def wh_to_offer(self, asset_id: int, day: int) -> int:
        """All that is left of a day, or less."""
        wh = self.amount(max(1, self.system.market.available_wh(asset_id, day)))
        return max(1, wh // 4) if self.chance(0.5) else wh

    def expiry(self, day: int, *, spot: bool) -> int:
        """Soon, or when the day begins."""
        soon = self.system.clock.now + self.pick((60, 900, 3600, 40_000, 10**7))
        return soon if spot else min(soon, start_of(day)) if self.chance(0.3) else start_of(day)

    def terms_of_offer(self, asset_id: int, wh: int) -> tuple[str, dict[str, Any]]:
        """Who offers so much of an asset, on which terms."""
        asset = self.asset(asset_id)
        price = self.pick((1, 333, 5_000, 83_333, 83_333, 10**6, 10**9))
        token = TOKEN if self.chance(0.35) else None
        seller = asset.operator if asset.operator is not None and self.chance(0.4) else asset.owner
        if seller == asset.operator and self.chance(0.9):
            price = max(price, asset.min_price)
            token = token if asset.min_price == 0 else None
        least = -(-1000 // price)
        min_fill_wh = least if self.chance(0.5) else self.random.randint(least, max(least, wh // 3))
        return self.actor(seller), {
            "asset_id": asset_id,
            "price_per_kwh": price,
            "min_fill_wh": min_fill_wh,
            "taker": self.pick((None, None, None, *BUYERS)),
            "token": token,
        }

    def open_offers(self) -> list[int]:
        """Offers of which something is open."""
        return [number for number, offer in self.system.market.offers.items() if offer.open_wh]

    def all_offers(self) -> list[int]:
        """All offers."""
        return list(self.system.market.offers)

    def cancel_offer(self) -> Step | None:
        """By owner or operator."""
        offer_id = self.one(self.open_offers(), self.all_offers())
        if offer_id is None:
            return None
        offer = self.system.market.offers[offer_id]
        asset = self.asset(offer.asset_id)
        actor = self.actor(self.pick((asset.owner, asset.operator or asset.owner, offer.seller)))
        return step(actor, "market.cancel_offer", offer_id=offer_id)

    def cancel_offers(self) -> Step | None:
        """Some of one asset."""
        offer_ids = self.all_offers()[-self.random.randint(1, 3) :]
        if not offer_ids:
            return None
        owner = self.owner(self.system.market.offers[offer_ids[0]].asset_id)
        return step(owner, "market.cancel_offers", offer_ids=offer_ids)

    def reject_offer(self) -> Step | None:
        """By the taker it names."""
        named = [number for number in self.open_offers() if self.system.market.offers[number].taker is not None]
        offer_id = self.one(named, self.all_offers())
        if offer_id is None:
            return None
        taker = self.system.market.offers[offer_id].taker
        return step(self.anybody() if taker is None else self.actor(taker), "market.reject_offer", offer_id=offer_id)

    def is_over(self, offer_id: int) -> bool:
        """Whether an offer has expired, or its epoch is over."""
        offer = self.system.market.offers[offer_id]
        return self.system.clock.now >= offer.expires_at or offer.epoch < self.asset(offer.asset_id).epoch

    def expire_offer(self) -> Step | None:
        """By anybody."""
        over = [number for number in self.open_offers() if self.is_over(number) or self.chance(0.05)]
        offer_id = self.one(over, self.all_offers())
        return None if offer_id is None else step(self.anybody(), "market.expire_offer", offer_id=offer_id)

    def mark_accepted(self) -> Step | None:
        """What only the settlement contract may."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_accepted", offer_id=1, wh=1, min_wh=1, buyer=self.anybody())

    def mark_completed(self) -> Step | None:
        """What only the settlement contract may."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_completed", offer_id=1, closer=self.anybody())

    def mark_token(self) -> Step | None:
        """What only the settlement contract may."""
        if self.chance(0.8):
            return None
        return step(self.anybody(), "market.mark_token", token=TOKEN, listed=True, setter=self.anybody())

    def retire_energy(self) -> Step | None:
        """What is left of a verified day."""
        key = self.one(self.days(DayState.VERIFIED), list(self.system.production.days))
        if key is None:
            return None
        return step(
            self.actor(self.asset(key[0]).owner),
            "market.retire_energy",
            asset_id=key[0],
            day=key[1],
            wh=max(1, self.amount(self.system.market.available_wh(*key)) // self.pick((1, 2, 5))),
            beneficiary=self.pick((*BUYERS, "observer", "settlement")),
            purpose="own use",
        )

    # The money

    def accept_and_fund(self) -> Step | None:
        """A buyer, mostly the named one, of what is open, in the offer's currency."""
        offer_id = self.offer_to_take()
        if offer_id is None:
            return None
        offer = self.system.market.offers[offer_id]
        wh, min_wh = self.wh_to_take(offer_id)
        arguments = {"offer_id": offer_id, "wh": wh, "min_wh": min_wh, **self.limits([offer_id])}
        in_token = (offer.token is not None) is not self.chance(0.04)
        if in_token:
            return step(self.buyer(offer_id), "settlement.accept_and_fund_with", token=TOKEN, **arguments)
        return step(self.buyer(offer_id), "settlement.accept_and_fund", **arguments)

    def accept_offers(self) -> Step | None:
        """Some offers at once, mostly in STX."""
        chosen = [self.offer_to_take() for _ in range(self.random.randint(1, 4))]
        offers = [offer_id for offer_id in chosen if offer_id is not None]
        offers = [number for number in offers if self.system.market.offers[number].token is None or self.chance(0.1)]
        if not offers:
            return None
        items = []
        for offer_id in offers:
            wh, min_wh = self.wh_to_take(offer_id)
            items.append({"offer_id": offer_id, "wh": wh, "min_wh": min_wh})
        return step(self.buyer(offers[0]), "settlement.accept_offers", items=items, **self.limits(offers))

    def offer_to_take(self) -> int | None:
        """Mostly one that can be taken."""
        alive = [number for number in self.open_offers() if not self.is_over(number)]
        return self.one(alive or (self.open_offers() if self.chance(0.1) else []), self.all_offers())

    def wh_to_take(self, offer_id: int) -> tuple[int, int]:
        """How much of an offer, and at least: sometimes more than is open."""
        offer = self.system.market.offers[offer_id]
        least = min(offer.min_fill_wh, offer.open_wh)
        wh = self.pick((offer.open_wh, least, self.random.randint(least, max(least, offer.open_wh)), offer.wh + 1))
        return wh, self.pick((wh, least, 0, offer.open_wh, offer.open_wh + 1))

    def limits(self, offers: Sequence[int]) -> dict[str, int]:
        """What a buyer of some offers allows."""
        market = self.system.market
        price = max(market.offers[number].price for number in offers)
        before_wh = max(market.terms(market.offers[number], 0).before_wh for number in offers)
        return {
            "max_price_per_kwh": max(0, price + self.pick((0, 0, 0, 1, 10**15, -1))),
            "max_before_wh": before_wh + self.pick((0, 0, 1, 10**9, 10**15)),
        }

    def buyer(self, offer_id: int) -> str:
        """Who may take an offer."""
        taker = self.system.market.offers[offer_id].taker
        return self.pick((*BUYERS, *BUYERS, *BUYERS, OPERATOR, *OWNERS)) if taker is None else self.actor(taker)

    def payments(self, *, settling: bool) -> list[int]:
        """Locked payments that can be settled, or refunded."""
        money = self.system.settlement
        return [
            number
            for number, payment in money.payments.items()
            if payment.state is PaymentState.LOCKED
            and (money.shares(payment) is not None if settling else money.is_refundable(payment))
        ]

    def settle(self) -> Step | None:
        """By anybody."""
        payment_id = self.one(self.payments(settling=True), list(self.system.settlement.payments))
        return None if payment_id is None else step(self.anybody(), "settlement.settle", payment_id=payment_id)

    def settle_batch(self) -> Step | None:
        """Those that can be settled, and some that cannot."""
        payments = self.payments(settling=True)[: self.random.randint(1, 6)]
        others = list(self.system.settlement.payments)
        if not payments and (not others or self.chance(0.8)):
            return None
        mixed = payments + [self.pick(others) for _ in range(self.random.randint(0, 2))]
        self.random.shuffle(mixed)
        return step(self.anybody(), "settlement.settle_batch", payment_ids=mixed)

    def refund(self) -> Step | None:
        """By anybody."""
        payment_id = self.one(self.payments(settling=False), list(self.system.settlement.payments))
        return None if payment_id is None else step(self.anybody(), "settlement.refund", payment_id=payment_id)

    def refund_batch(self) -> Step | None:
        """Those that can be refunded, and perhaps another."""
        payments = self.payments(settling=False)[: self.random.randint(1, 6)]
        others = list(self.system.settlement.payments)
        if not payments and (not others or self.chance(0.9)):
            return None
        mixed = payments + [self.pick(others) for _ in range(self.random.randint(0, 2))]
        return step(self.anybody(), "settlement.refund_batch", payment_ids=mixed)

    def release(self) -> Step | None:
        """By the payee."""
        items = self.system.settlement.payments
        locked = [number for number, item in items.items() if item.state is PaymentState.LOCKED]
        payment_id = self.one(locked if self.chance(0.4) else [], list(items))
        if payment_id is None:
            return None
        payment = items[payment_id]
        who = payment.buyer if self.chance(0.15) else payment.payee
        return step(self.actor(who), "settlement.release", payment_id=payment_id)

    def withdraw(self) -> Step | None:
        """Whoever has a credit."""
        money = self.system.settlement
        (token,) = money.tokens
        owed = [who for who in sorted(self.names) if money.credit(who, token)]
        if not owed and self.chance(0.9):
            return None
        return step(self.actor(self.pick(owed)) if owed else self.anybody(), "settlement.withdraw", token=TOKEN)

    def claim(self) -> Step | None:
        """What was delivered to somebody."""
        items = self.system.settlement.payments
        left = {number: item.delivered_wh - item.claimed_wh for number, item in items.items()}
        delivered = [number for number, wh in left.items() if wh]
        of_storages = [number for number in delivered if not items[number].claimable]
        fitting = of_storages if self.chance(0.1) else [number for number in delivered if number not in of_storages]
        payment_id = self.one(fitting, list(items))
        if payment_id is None:
            return None
        return step(
            self.actor(items[payment_id].buyer),
            "settlement.claim",
            payment_id=payment_id,
            wh=self.amount(left[payment_id]),
            beneficiary=self.pick((*BUYERS, "observer", "settlement")),
            purpose="scope 2",
        )

    def assign_payment(self) -> Step | None:
        """To somebody else."""
        items = self.system.settlement.payments
        if not items:
            return None
        payment_id = self.pick(list(items))
        to = self.pick((*BUYERS, "observer", OPERATOR, "settlement" if self.chance(0.2) else "dave"))
        return step(self.actor(items[payment_id].buyer), "settlement.assign_payment", payment_id=payment_id, to=to)

    def set_token(self) -> Step:
        """By the contract owner, mostly to list it."""
        owner = self.actor(self.system.assets.contract_owner)
        return step(owner, "settlement.set_token", token=TOKEN, listed=self.chance(0.8))

    def set_fee_bps(self) -> Step:
        """By the contract owner."""
        owner = self.actor(self.system.assets.contract_owner)
        return step(owner, "settlement.set_fee_bps", fee_bps=self.pick((0, 1, 99, 100, 333, 500, 501)))

    def withdraw_fees(self) -> Step | None:
        """Some, or all, of STX or the token."""
        money = self.system.settlement
        (token,) = money.tokens
        owner = self.actor(self.system.assets.contract_owner)
        recipient = self.pick((*OWNERS, CONTRACT_OWNER, "paul", "settlement", "observer"))
        in_token = self.chance(0.5)
        fees = money.fees(token if in_token else None)
        if not fees and self.chance(0.9):
            return None
        if in_token:
            arguments = {"token": TOKEN, "amount": self.amount(fees), "recipient": recipient}
            return step(owner, "settlement.withdraw_fees_with", **arguments)
        return step(owner, "settlement.withdraw_fees", amount_ustx=self.amount(fees), recipient=recipient)

    def withdraw_surplus(self) -> Step:
        """What somebody sent to the contract; often there is nothing."""
        owner = self.actor(self.system.assets.contract_owner)
        amount_ustx = self.amount(max(1, self.system.settlement.surplus_ustx))
        return step(owner, "settlement.withdraw_surplus", amount_ustx=amount_ustx, recipient="paul")

    def send_unasked(self) -> Step:
        """STX that the settlement contract did not ask for."""
        return step(self.pick(OWNERS), "stx.transfer", recipient="settlement", amount_ustx=self.amount(10**6))
