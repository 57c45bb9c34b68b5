"""Reads plants and days from the chain, in pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from der_client.contracts.asset_verification import Asset
    from der_client.contracts.grid_integration import Connection
    from der_client.contracts.production_tracking import ProductionDay
    from der_client.der import Der

T = TypeVar("T")
K = TypeVar("K")
_PAGE = 30


class Owned(Protocol):
    """A plant with its owner."""

    @property
    def owner(self) -> str:
        """Who owns it."""

    @property
    def operator(self) -> str | None:
        """Who else may trade for it."""


def in_pages(keys: Sequence[K], read: Callable[[Sequence[K]], Sequence[T | None]]) -> dict[K, T]:
    """Read the values of keys, a page at a time; keys without a value are left out."""
    found: dict[K, T] = {}
    for first in range(0, len(keys), _PAGE):
        page = keys[first : first + _PAGE]
        found.update((key, value) for key, value in zip(page, read(page), strict=True) if value is not None)
    return found


def require_plant(der: Der, asset_id: int) -> Asset:
    """Return a plant.

    Raises:
        InvalidValueError: If no plant has this id.
    """
    asset = der.assets.get_asset(asset_id)
    if asset is None:
        raise not_found(asset_id, der.assets.get_asset_count())
    return asset


def not_found(asset_id: int, count: int) -> InvalidValueError:
    """Return the error for an id without a plant.

    Args:
        asset_id: The id.
        count: How many plants there are.
    """
    known = f"there are plants 1 to {count} ('der plants' lists them)" if count else "no plant is registered yet"
    return InvalidValueError(f"plant {asset_id} not found; {known}")


def is_owned(plant: Owned, who: str) -> bool:
    """Return whether an address owns or operates a plant."""
    return who in (plant.owner, plant.operator)


def connections(der: Der, asset_ids: Sequence[int]) -> Mapping[int, Connection]:
    """Read grid connections by plant."""
    return in_pages(asset_ids, der.grid.get_connections)


def production_days(der: Der, asset_ids: Sequence[int], days: Sequence[date]) -> dict[tuple[int, date], ProductionDay]:
    """Read what plants produced on each day; days without any record are left out."""
    from der_client.contracts.units import AssetDay  # noqa: PLC0415 -- `der --help` stays fast

    keys = [AssetDay(asset_id=asset_id, day=day) for asset_id in asset_ids for day in days]
    return {(key.asset_id, key.day): made for key, made in in_pages(keys, der.production.get_days).items()}


def day_range(first: date, last: date) -> list[date]:
    """List the days from first to last."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
