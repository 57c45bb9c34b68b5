"""Fills a chain with plants, days and offers, to check whether costs grow with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.costs.calls import BATCH, DAY_WH, WHOLE_DAY
from benchmarks.costs.measured_chain import CAPACITY_W, PRICE_PER_KWH, MeasuredChain, start_of
from der_client.contracts.production_tracking import DayRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.devnet import DevnetControl

DAYS_OF_EACH: Final = 10
# One plant in ten is connected and has ten offers.
OFFERS_OF_CONNECTED: Final = 10
OFFERED_WH: Final = 1_000
DAYS_AHEAD: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Filling:
    """The size of the state to create.

    Attributes:
        assets: The number of verified plants, a multiple of 200.
    """

    assets: int

    def __post_init__(self) -> None:
        """Reject numbers that do not fill whole batches."""
        if self.assets < BATCH or self.assets % BATCH:
            raise ValueError(f"{self.assets} assets do not fill whole batches; take a multiple of {BATCH}")

    @property
    def plants(self) -> range:
        """The ids of the plants."""
        return range(1, self.assets + 1)

    @property
    def asset_days(self) -> int:
        """The number of recorded days of all plants."""
        return self.assets * DAYS_OF_EACH

    @property
    def offers(self) -> int:
        """The number of open offers."""
        return self.assets

    def __str__(self) -> str:
        """Return the size in words."""
        return f"{self.assets:,} assets, {self.asset_days:,} asset-days and {self.offers:,} offers"


def fill(devnet: DevnetControl, filling: Filling, report: Callable[[str], None]) -> None:
    """Fill a fresh devnet; the chain's time advances by some weeks.

    Args:
        devnet: A chain with nothing but the contracts. The changes made to it remain.
        filling: The size of the state to create.
        report: Called with a line about each step.

    Raises:
        TransactionFailedError: If a call that is waited for fails.
        RuntimeError: If there are fewer items at the end than there should be.
    """
    devnet.track_costs(False)
    try:
        chain = MeasuredChain.open(devnet)
        chain.grant_roles()
        _register(chain, filling, report)
        _record(chain, filling, report)
        for done in range(0, filling.assets, BATCH):
            _offer(chain, filling.plants[done : done + BATCH : OFFERS_OF_CONNECTED])
            report(f"{done + BATCH:,} of {filling.offers:,} offers")
        _check(chain, filling)
    finally:
        devnet.track_costs(True)


def _register(chain: MeasuredChain, filling: Filling, report: Callable[[str], None]) -> None:
    for done in range(0, filling.assets, BATCH):
        chain.add_many_verified(BATCH)
        report(f"{done + BATCH:,} of {filling.assets:,} assets")


def _record(chain: MeasuredChain, filling: Filling, report: Callable[[str], None]) -> None:
    # Each transaction has its own block, so days may have passed; this is the first day with all plants verified.
    first_day = chain.anyone.now().date()
    chain.devnet.advance(to=start_of(first_day + timedelta(days=DAYS_OF_EACH)))
    for number in range(DAYS_OF_EACH):
        day = first_day + timedelta(days=number)
        for done in range(0, filling.assets, BATCH):
            items = [
                DayRecord(asset_id=plant, day=day, mask=WHOLE_DAY, wh=DAY_WH)
                for plant in filling.plants[done : done + BATCH]
            ]
            chain.run(chain.official.production.record_batch(items))
        report(f"{(number + 1) * filling.assets:,} of {filling.asset_days:,} asset-days")


def _offer(chain: MeasuredChain, plants: range) -> None:
    """Connect plants, and offer energy of each."""
    seller, operator = chain.seller, chain.grid_operator.grid
    chain.run_all(seller.grid.request_connection(plant, CAPACITY_W) for plant in plants)
    chain.run_all(operator.approve_connection(plant, CAPACITY_W, False) for plant in plants)
    day = seller.now().date() + DAYS_AHEAD
    chain.run_all(
        seller.market.create_offer(plant, day, OFFERED_WH, PRICE_PER_KWH, OFFERED_WH, start_of(day))
        for plant in plants
        for _ in range(OFFERS_OF_CONNECTED)
    )


def _check(chain: MeasuredChain, filling: Filling) -> None:
    """Check the numbers, because most calls were sent without waiting for their outcome."""
    found = chain.anyone.assets.get_asset_count(), chain.anyone.market.get_offer_count()
    if found != (filling.assets, filling.offers):
        raise RuntimeError(f"there are {found[0]} assets and {found[1]} offers, where there should be {filling}")
