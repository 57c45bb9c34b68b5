"""Draws calls of ``production-tracking``: recording, Merkle roots, review."""

from __future__ import annotations

from typing import Any

from der_client.contracts.asset_verification import Role
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.drawing.situation import Maker, Situation
from tests.model.merkle import Proof, Tree, frozen
from tests.model.people import DEVICE_KEYS
from tests.model.reference.clock import end_of, end_of_window, start_of
from tests.model.reference.production import Signature
from tests.model.step import Step, step


class ProductionDraws(Situation):
    """Draws calls of ``production-tracking``: recording, Merkle roots, review."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw a call, with their weights."""
        return {
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
        }

    def day_to_record(self, *, signed: bool) -> tuple[int, int] | None:
        """Pick a day that may lack records: one that was sold, or a recent one."""
        signed = self.mostly(signed, not signed)
        awaited = [key for key in self.awaited_days() if self.signs(*key) is signed]
        if awaited and self.chance(0.6):
            return self.pick(awaited)
        day = self.today - self.pick((0, 0, 1, 1, 1, 2, 3, 29, 30, 31))
        fitting = [number for number in self.all_assets() if self.signs(number, day) is signed]
        recordable = [number for number in fitting if self.asset(number).is_recordable(day)]
        storages = [number for number in recordable if self.asset(number).kind.is_storage]
        if storages and self.chance(0.2):
            recordable = storages
        asset_id = self.one(recordable if self.chance(0.9) else fitting, self.all_assets())
        return None if asset_id is None else (asset_id, day)

    def signs(self, asset_id: int, day: int) -> bool:
        """Return whether a meter signs a day."""
        return self.asset(asset_id).key_on(day) is not None

    def free_slots(self, asset_id: int, day: int) -> list[int]:
        """Return the slots of a day that are over and not recorded."""
        asset = self.asset(asset_id)
        over = min(asset.slots, max(0, self.system.clock.now - start_of(day)) // asset.slot_seconds)
        row = self.system.production.days.get((asset_id, day))
        return [slot for slot in range(over) if row is None or not row.mask >> slot & 1]

    def slot_wh(self, asset_id: int, day: int) -> int:
        """Return the most energy that one slot can yield, rounded down."""
        asset = self.asset(asset_id)
        return asset.capacity_on(day) * asset.slot_seconds * 110 // 360_000

    def record_production(self) -> Step | None:
        """Record a day as an oracle."""
        record = self.record()
        return None if record is None else step(self.holder(Role.ORACLE), "production.record_production", **record)

    def record(self) -> dict[str, int] | None:
        """Draw an oracle's record of some free slots of a day."""
        key = self.day_to_record(signed=False)
        if key is None:
            return None
        slots = self.free_slots(*key)
        if not slots and self.chance(0.8):
            return None
        if self.chance(0.3) and slots:
            slots = slots[: self.random.randint(1, len(slots))]
        mask = sum(1 << slot for slot in slots)
        most = self.most_wh(*key, mask)
        wh = self.pick((most, self.random.randint(0, most)))
        return {"asset_id": key[0], "day": key[1], "mask": mask, "wh": wh}

    def most_wh(self, asset_id: int, day: int, mask: int) -> int:
        """Return how much energy these slots may add to a day."""
        asset = self.asset(asset_id)
        row = self.system.production.days.get((asset_id, day))
        both, wh = (mask, 0) if row is None else (mask | row.mask, row.wh)
        return max(0, both.bit_count() * asset.capacity_on(day) * asset.slot_seconds * 110 // 360_000 - wh)

    def record_batch(self) -> Step | None:
        """Record several days of several plants."""
        made = [self.record() for _ in range(self.random.randint(0, 5))]
        items = [item for item in made if item is not None]
        unique = list({(item["asset_id"], item["day"]): item for item in items}.values())
        return step(self.holder(Role.ORACLE), "production.record_batch", items=unique)

    def record_day(self) -> Step | None:
        """Record the signed readings of a meter, as anyone."""
        reading = self.reading()
        return None if reading is None else step(self.anybody(), "production.record_day", **reading)

    def record_days(self) -> Step:
        """Record the signed readings of several meters."""
        made = [self.reading() for _ in range(self.random.randint(0, 3))]
        return step(self.anybody(), "production.record_days", items=[item for item in made if item is not None])

    def reading(self) -> dict[str, Any] | None:
        """Draw signed readings for free slots of a day."""
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
        """Anchor a Merkle root over some days, as an oracle."""
        tree = self.tree()
        if tree is None:
            return None
        days = [dict(leaf)["day"] for leaf in tree.leaves]
        return step(
            self.holder(Role.ORACLE),
            "production.anchor_root",
            root=tree,
            leaves=self.mostly(len(tree.leaves), 0, 2**24 + 1, but=0.08),
            total_wh=sum(dict(leaf)["wh"] for leaf in tree.leaves),
            from_day=min(days),
            to_day=max(days),
        )

    def tree(self) -> Tree | None:
        """Draw a tree over records of free slots."""
        made = [self.record() for _ in range(self.random.randint(1, 5))]
        leaves = tuple(frozen(item | {"whs_hash": bytes(32)}) for item in made if item is not None)
        return Tree(leaves) if leaves else None

    def claim_leaf(self) -> Step | None:
        """Claim a leaf, usually of a tree that was anchored."""
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
        """Pick who decides on a day, an arbiter if it is disputed, else a verifier; now and then, the wrong one."""
        disputed = (self.system.production.state(*key) is DayState.DISPUTED) is not self.chance(0.06)
        return self.holder(Role.ARBITER if disputed else Role.VERIFIER)

    def recorded_day(self) -> tuple[int, int] | None:
        """Pick a day to decide on, usually one that is over."""
        days = self.days(DayState.RECORDED, DayState.DISPUTED)
        over = [key for key in days if end_of(key[1]) <= self.system.clock.now]
        awaited = [key for key in over if key in self.awaited_days()]
        if awaited and self.chance(0.6):
            return self.pick(awaited)
        return self.one(over if over and self.chance(0.95) else days, list(self.system.production.days))

    def verify_day(self) -> Step | None:
        """Verify a recorded day."""
        key = self.recorded_day()
        if key is None:
            return None
        return step(self.reviewer(key), "production.verify_day", **self.reviewed_day(key))

    def reviewed_day(self, key: tuple[int, int]) -> dict[str, int]:
        """Return a verifier's review of a day."""
        row = self.system.production.days.get(key)
        mask, wh = (0, 0) if row is None else (row.mask, row.wh)
        return {"asset_id": key[0], "day": key[1], "mask": mask, "wh": wh}

    def verify_days(self) -> Step | None:
        """Verify all days that are waiting for review, or some of them."""
        days = self.days(DayState.RECORDED, DayState.DISPUTED)
        days = [key for key in days if end_of(key[1]) <= self.system.clock.now < end_of_window(key[1])]
        days = days[: self.random.randint(0, 6)]
        if self.chance(0.1):
            days += [self.pick(list(self.system.production.days) or [(1, self.today)])]
        items = [self.reviewed_day(key) for key in days]
        return step(self.holder(self.pick((Role.VERIFIER, Role.ARBITER))), "production.verify_days", items=items)

    def reject_day(self) -> Step | None:
        """Reject a day with or without a record."""
        locked = [
            (item.asset_id, item.day)
            for item in self.system.settlement.payments.values()
            if item.state is PaymentState.LOCKED and item.day < self.today
        ]
        key = self.pick(locked) if locked and self.chance(0.3) else self.recorded_day()
        if self.chance(0.15):
            key = self.pick(self.all_assets()), self.today - self.pick((1, 2, 3, 31))
        if key is None:
            return None
        return step(self.reviewer(key), "production.reject_day", **self.reviewed_day(key), reason="no")

    def dispute_day(self) -> Step | None:
        """Dispute a recorded day; now and then, one that is already disputed."""
        disputed = self.days(DayState.DISPUTED) if self.chance(0.3) else []
        key = self.one(disputed or self.days(DayState.RECORDED), list(self.system.production.days))
        if key is None:
            return None
        actor = self.holder(self.pick((Role.VERIFIER, Role.ARBITER)))
        return step(actor, "production.dispute_day", asset_id=key[0], day=key[1], reason="odd")

    def adjust_day(self) -> Step | None:
        """Adjust a recorded or disputed day up or down, as far as the plausible limit."""
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
