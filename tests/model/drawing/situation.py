"""What draws are based on: randomness and the contents of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeVar

from der_client.contracts.asset_verification import AssetState, Role
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.people import CONTRACT_OWNER, PEOPLE
from tests.model.reference import System
from tests.model.reference.assets import Asset
from tests.model.step import Action

T = TypeVar("T")
Maker = Callable[[], Action | None]
"""Draws an action; returns ``None`` if nothing in the model fits."""

FOR_NOBODY: Final = "sam"
"""The actor where no person can act with success."""


class Situation:
    """The model's current state, and randomness.

    Args:
        random: The source of all randomness.
        system: The model in its current state.
        names: Names by principal.
    """

    def __init__(self, random: Random, system: System, names: dict[str, str]) -> None:
        self.random = random
        self.system = system
        self.names = names
        self.today = system.clock.today

    def chance(self, probability: float) -> bool:
        """Return ``True`` with the given probability."""
        return self.random.random() < probability

    def pick(self, things: Sequence[T]) -> T:
        """Pick one of the things."""
        return things[self.random.randrange(len(things))]

    def one(self, things: Sequence[T], otherwise: Sequence[T] = ()) -> T | None:
        """Pick one of the things that fit; if there are none, return ``None`` or, now and then, one of the others."""
        if things:
            return self.pick(things)
        return self.pick(otherwise) if otherwise and self.chance(0.1) else None

    def mostly(self, value: T, *others: T, but: float = 0.05) -> T:
        """Return a value; with a small probability, one of the others."""
        return self.pick(others) if self.chance(but) else value

    def anybody(self) -> str:
        """Pick anyone, whatever they may do."""
        return self.pick((CONTRACT_OWNER, *PEOPLE))

    def holder(self, role: Role, region: str = "") -> str:
        """Pick a holder of a role; a stranger if it has no holder or the holder is a contract."""
        found = [who for of, who, where in sorted(self.system.assets.roles) if (of, where) == (role, region)]
        return self.actor(self.pick(found)) if found else FOR_NOBODY

    def amount(self, upper: int) -> int:
        """Pick an amount from 1 to an upper bound, often the bound itself."""
        return upper if upper <= 1 or self.chance(0.3) else self.random.randint(1, upper)

    def actor(self, principal: str) -> str:
        """Return the name of a principal that can act; a stranger's name for a contract."""
        name = self.names[principal]
        return name if name in (CONTRACT_OWNER, *PEOPLE) else FOR_NOBODY

    def assets(self, *states: AssetState) -> list[int]:
        """Return the ids of assets in one of these states."""
        return [number for number, asset in self.system.assets.assets.items() if asset.state in states]

    def all_assets(self) -> list[int]:
        """Return the ids of all assets."""
        return list(self.system.assets.assets)

    def asset(self, asset_id: int) -> Asset:
        """Return an asset."""
        return self.system.assets.assets[asset_id]

    def owner(self, asset_id: int) -> str:
        """Return the name of an asset's owner."""
        return self.names[self.asset(asset_id).owner]

    def days(self, *states: DayState) -> list[tuple[int, int]]:
        """Return the days in one of these states."""
        return [key for key, row in self.system.production.days.items() if row.state in states]

    def awaited_days(self) -> list[tuple[int, int]]:
        """Return the days up to today that have locked payments and are not decided."""
        payments = self.system.settlement.payments.values()
        locked = {(item.asset_id, item.day) for item in payments if item.state is PaymentState.LOCKED}
        return sorted(key for key in locked if key[1] <= self.today and not self.system.production.state(*key).is_final)

    def known_wh(self, key: tuple[int, int]) -> int:
        """Return the energy recorded for a day."""
        row = self.system.production.days.get(key)
        return 0 if row is None else row.wh

    def is_since_connection(self, asset_id: int, day: int) -> bool:
        """Return whether an asset's connection was approved on or before a day."""
        connection = self.system.grid.connections.get(asset_id)
        return connection is not None and day >= connection.approved_day

    def open_offers(self) -> list[int]:
        """Return the offers with energy left."""
        return [number for number, offer in self.system.market.offers.items() if offer.open_wh]

    def all_offers(self) -> list[int]:
        """Return all offers."""
        return list(self.system.market.offers)

    def is_over(self, offer_id: int) -> bool:
        """Return whether an offer has expired or its epoch is over."""
        offer = self.system.market.offers[offer_id]
        return self.system.clock.now >= offer.expires_at or offer.epoch < self.asset(offer.asset_id).epoch
