"""What draws are made from: chance, and the things that the model holds."""

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
"""Draws an action; ``None`` if there is nothing now that it could be about."""

FOR_NOBODY: Final = "sam"
"""Who acts where nobody could with success."""


class Situation:
    """The model's present state, and chance.

    Args:
        random: Where all chance comes from.
        system: The model, as it is when a step is drawn.
        names: People by their principal.
    """

    def __init__(self, random: Random, system: System, names: dict[str, str]) -> None:
        self.random = random
        self.system = system
        self.names = names
        self.today = system.clock.today

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

    def mostly(self, value: T, *others: T, but: float = 0.05) -> T:
        """A value; with a small probability, one of the others."""
        return self.pick(others) if self.chance(but) else value

    def anybody(self) -> str:
        """Anybody, whatever they may do."""
        return self.pick((CONTRACT_OWNER, *PEOPLE))

    def holder(self, role: Role, region: str = "") -> str:
        """Somebody who has a role; a stranger if nobody has it, or a contract."""
        found = [who for of, who, where in sorted(self.system.assets.roles) if (of, where) == (role, region)]
        return self.actor(self.pick(found)) if found else FOR_NOBODY

    def amount(self, upper: int) -> int:
        """Something from 1 to an upper bound, often just that."""
        return upper if upper <= 1 or self.chance(0.3) else self.random.randint(1, upper)

    def actor(self, principal: str) -> str:
        """The name of a principal that can act; that of a stranger for a contract."""
        name = self.names[principal]
        return name if name in (CONTRACT_OWNER, *PEOPLE) else FOR_NOBODY

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

    def awaited_days(self) -> list[tuple[int, int]]:
        """Days that somebody paid for and that are not decided, from today back."""
        payments = self.system.settlement.payments.values()
        locked = {(item.asset_id, item.day) for item in payments if item.state is PaymentState.LOCKED}
        return sorted(key for key in locked if key[1] <= self.today and not self.system.production.state(*key).is_final)

    def known_wh(self, key: tuple[int, int]) -> int:
        """What is recorded of a day."""
        row = self.system.production.days.get(key)
        return 0 if row is None else row.wh

    def is_since_connection(self, asset_id: int, day: int) -> bool:
        """Whether an asset was connected on a day."""
        connection = self.system.grid.connections.get(asset_id)
        return connection is not None and day >= connection.approved_day

    def open_offers(self) -> list[int]:
        """Offers of which something is open."""
        return [number for number, offer in self.system.market.offers.items() if offer.open_wh]

    def all_offers(self) -> list[int]:
        """All offers."""
        return list(self.system.market.offers)

    def is_over(self, offer_id: int) -> bool:
        """Whether an offer has expired, or its epoch is over."""
        offer = self.system.market.offers[offer_id]
        return self.system.clock.now >= offer.expires_at or offer.epoch < self.asset(offer.asset_id).epoch
