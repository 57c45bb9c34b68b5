"""Plants and their days, from the chain or from an index: the same from both."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from der_client.cli.plant_lists import connections, not_found, production_days, require_plant
from der_client.readings.slots import slots_per_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from der_client.cli.options import OnHistory
    from der_client.contracts.asset_verification import Asset, AssetKind, AssetState
    from der_client.contracts.grid_integration import Connection, ConnectionState
    from der_client.contracts.production_tracking import DayState
    from der_client.der import Der
    from der_client.index import Index
    from der_client.index.answers import Plant


@dataclass(frozen=True, kw_only=True, slots=True)
class PlantLine:
    """A plant in a list."""

    asset_id: int
    kind: AssetKind
    state: AssetState
    owner: str
    operator: str | None
    region: str
    location: str
    capacity_w: int
    slot_seconds: int
    has_meter_key: bool

    @property
    def slots_of_day(self) -> int:
        """How many slots a day has."""
        return slots_per_day(self.slot_seconds)


class GridLine(NamedTuple):
    """A plant's connection in a list."""

    state: ConnectionState
    export_limit_w: int


class MadeDay(NamedTuple):
    """What a plant produced on a day."""

    wh: int
    state: DayState
    slots_recorded: int


class PlantAccount(NamedTuple):
    """All about one plant."""

    asset: Asset
    connection: Connection | None
    recorded_wh: int
    verified_wh: int
    available_wh: int


class PlantSource(Protocol):
    """Where plants are read from."""

    def plants(self) -> Sequence[PlantLine]:
        """List all plants by their ids."""

    def plant(self, asset_id: int) -> PlantLine:
        """Return a plant.

        Raises:
            InvalidValueError: If there is none of this id.
        """

    def account(self, asset_id: int, day: date) -> PlantAccount:
        """Return all about a plant, and what of a day can be offered.

        Raises:
            InvalidValueError: If there is none of this id.
        """

    def grid(self, asset_ids: Sequence[int]) -> Mapping[int, GridLine]:
        """Read connections by plant."""

    def days(self, asset_ids: Sequence[int], days: Sequence[date]) -> Mapping[tuple[int, date], MadeDay]:
        """Read what plants produced on days that follow each other; those of which nothing is recorded are left out."""


@contextmanager
def plant_source(on: OnHistory) -> Iterator[PlantSource]:
    """Open the index of ``--database`` or the profile if there is one, or else read the chain.

    Args:
        on: The options.

    Yields:
        Where plants are read from.
    """
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast

    if on.settings.database is None:
        yield _Chain(on.der)
        return
    with opened_index(on) as index:
        yield _Indexed(index)


class _Chain:
    """Plants on the chain."""

    def __init__(self, der: Der) -> None:
        self._der = der

    def plants(self) -> Sequence[PlantLine]:
        return [_line(asset_id, asset) for asset_id, asset in self._der.list_assets().items()]

    def plant(self, asset_id: int) -> PlantLine:
        return _line(asset_id, require_plant(self._der, asset_id))

    def account(self, asset_id: int, day: date) -> PlantAccount:
        asset = require_plant(self._der, asset_id)
        total = self._der.production.get_total_production(asset_id)
        return PlantAccount(
            asset=asset,
            connection=self._der.grid.get_connection(asset_id),
            recorded_wh=total.recorded_wh,
            verified_wh=total.verified_wh,
            available_wh=self._der.market.get_available(asset_id, day),
        )

    def grid(self, asset_ids: Sequence[int]) -> Mapping[int, GridLine]:
        found = connections(self._der, asset_ids)
        return {asset_id: GridLine(each.state, each.export_limit_w) for asset_id, each in found.items()}

    def days(self, asset_ids: Sequence[int], days: Sequence[date]) -> Mapping[tuple[int, date], MadeDay]:
        found = production_days(self._der, asset_ids, days)
        return {key: MadeDay(made.wh, made.state, made.mask.bit_count()) for key, made in found.items()}


class _Indexed:
    """Plants in an index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._plants = {plant.asset_id: plant for plant in index.plants()}

    def plants(self) -> Sequence[PlantLine]:
        return [_line(asset_id, plant) for asset_id, plant in self._plants.items()]

    def plant(self, asset_id: int) -> PlantLine:
        if asset_id not in self._plants:
            raise not_found(asset_id, len(self._plants))
        return _line(asset_id, self._plants[asset_id])

    def account(self, asset_id: int, day: date) -> PlantAccount:
        self.plant(asset_id)
        found = self._index.plant(asset_id)
        return PlantAccount(
            asset=found.asset,
            connection=found.connection,
            recorded_wh=found.plant.recorded_wh,
            verified_wh=found.plant.verified_wh,
            available_wh=self._index.available(asset_id, day),
        )

    def grid(self, asset_ids: Sequence[int]) -> Mapping[int, GridLine]:
        wanted = (self._plants[asset_id] for asset_id in asset_ids)
        return {
            plant.asset_id: GridLine(plant.connection, plant.export_limit_w or 0)
            for plant in wanted
            if plant.connection is not None
        }

    def days(self, asset_ids: Sequence[int], days: Sequence[date]) -> Mapping[tuple[int, date], MadeDay]:
        only = asset_ids[0] if len(asset_ids) == 1 else None
        wanted = set(asset_ids)
        return {
            (made.asset_id, made.day): MadeDay(made.wh, made.state, made.slots_recorded)
            for made in self._index.production(only, days[0], days[-1])
            if made.asset_id in wanted
        }


def _line(asset_id: int, plant: Asset | Plant) -> PlantLine:
    has_meter_key = plant.has_device_key if hasattr(plant, "has_device_key") else plant.device_key is not None
    return PlantLine(
        asset_id=asset_id,
        kind=plant.kind,
        state=plant.state,
        owner=plant.owner,
        operator=plant.operator,
        region=plant.region,
        location=plant.location,
        capacity_w=plant.capacity_w,
        slot_seconds=plant.slot_seconds,
        has_meter_key=has_meter_key,
    )
