"""Plants: a list of them, and all about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, func, select

from der_client.contracts.asset_verification import Asset, AssetChange
from der_client.contracts.grid_integration import Connection
from der_client.contracts.production_tracking import DayState
from der_client.index.answers import Held, Plant, PlantDetail
from der_client.index.errors import NotIndexedError
from der_client.index.reading import same, table, where, within
from der_client.index.schema import blocks, events, fields_of_state
from der_client.index.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Row, Select

    from der_client.index.reading import Reader

_HISTORIES: Final = ("owner", "operator", "device_key", "state", "capacity_w")


def plants(reader: Reader, *, owner: str | None = None, region: str | None = None) -> Table[Plant]:
    """List plants by their ids; see ``Index.plants``."""
    asset = table("asset")
    rows = reader.rows("asset", same(asset.c.owner, owner), same(asset.c.region, region))
    connections = reader.by_asset("connection")
    produced = _production(reader)
    registered = _registered(reader)
    return Table(
        Plant,
        (
            _plant(row, connections.get(row.asset_id), produced.get(row.asset_id), registered[row.asset_id])
            for row in rows
        ),
    )


def _plant(row: Row[Any], connection: Row[Any] | None, produced: Row[Any] | None, registered_at: datetime) -> Plant:
    return Plant(
        asset_id=row.asset_id,
        kind=row.kind,
        state=row.state,
        owner=row.owner,
        operator=row.operator,
        region=row.region,
        location=row.location,
        capacity_w=row.capacity_w,
        slot_seconds=row.slot_seconds,
        has_device_key=row.device_key is not None,
        connection=None if connection is None else connection.state,
        export_limit_w=None if connection is None else connection.export_limit_w,
        feed_metered=connection is not None and connection.feed_metered,
        recorded_wh=0 if produced is None else int(produced.recorded_wh),
        verified_wh=0 if produced is None else int(produced.verified_wh),
        first_day=None if produced is None else produced.first_day,
        last_day=None if produced is None else produced.last_day,
        registered_at=registered_at,
        asset_epoch=row.epoch,
    )


def _production(reader: Reader, asset_id: int | None = None) -> dict[int, Row[Any]]:
    """Return the sums of the days of each plant."""
    day = table("day")
    verified = case((day.c.state == DayState.VERIFIED, day.c.wh), else_=0)
    sums = select(
        day.c.asset_id,
        func.sum(day.c.wh).label("recorded_wh"),
        func.sum(verified).label("verified_wh"),
        func.min(day.c.day).label("first_day"),
        func.max(day.c.day).label("last_day"),
    )
    query = where(sums, reader.holds("day"), same(day.c.asset_id, asset_id)).group_by(day.c.asset_id)
    return {row.asset_id: row for row in reader.all(query)}


def _registered(reader: Reader, asset_id: int | None = None) -> Mapping[int, datetime]:
    query = where(
        select(events.c.asset_id, blocks.c.time).join(blocks, blocks.c.height == events.c.height),
        events.c.topic == "asset-registered",
        same(events.c.asset_id, asset_id),
    )
    if asset_id is not None:  # it is the plant's first event, so no others need to be read
        query = query.order_by(events.c.id).limit(1)
    return {row.asset_id: row.time for row in reader.all(query)}


def plant(reader: Reader, asset_id: int) -> PlantDetail:
    """Return all about one plant; see ``Index.plant``."""
    row = reader.by_asset("asset", asset_id).get(asset_id)
    if row is None:
        raise NotIndexedError(f"plant {asset_id} is not found in the index")
    connection = reader.by_asset("connection", asset_id).get(asset_id)
    change = reader.by_asset("asset_change", asset_id).get(asset_id)
    schedule = reader.by_asset("export_schedule", asset_id).get(asset_id)
    produced = _production(reader, asset_id).get(asset_id)
    registered_at = _registered(reader, asset_id)[asset_id]
    histories = _histories(reader, asset_id)
    return PlantDetail(
        plant=_plant(row, connection, produced, registered_at),
        asset=Asset(asset_id=asset_id, **_fields(row, "asset")),
        connection=None if connection is None else Connection(asset_id=asset_id, **_fields(connection, "connection")),
        change=None if change is None else AssetChange(**_fields(change, "asset_change")),
        export_schedule=() if schedule is None else schedule.export_schedule,
        owners=histories["owner"],
        operators=histories["operator"],
        keys=histories["device_key"],
        states=histories["state"],
        capacities=histories["capacity_w"],
    )


def _fields(row: Row[Any], name: str) -> dict[str, Any]:
    return {field: row._mapping[field] for field in fields_of_state(name)}  # noqa: SLF001 - SQLAlchemy's public name


def _histories(reader: Reader, asset_id: int) -> dict[str, tuple[Held, ...]]:
    """Return the values of some fields over time; consecutive versions with the same value are merged."""
    asset = table("asset")
    of_plant: Select[Any] = select(asset).where(asset.c.asset_id == asset_id).order_by(asset.c.from_height)
    versions = reader.all(where(of_plant, within(asset.c.from_height, None, reader.as_of)))
    heights = [row.from_height for row in versions]
    query = select(blocks.c.height, blocks.c.time).where(blocks.c.height.in_(heights))
    times: dict[int, datetime] = {row.height: row.time for row in reader.all(query)}
    txids = _changed_by(reader, asset_id)
    result: dict[str, tuple[Held, ...]] = {}
    for name in _HISTORIES:
        kept = [
            row
            for number, row in enumerate(versions)
            if number == 0 or getattr(row, name) != getattr(versions[number - 1], name)
        ]
        ends = [row.from_height for row in kept[1:]] + [None]
        result[name] = tuple(
            Held(
                value=_text(getattr(row, name)),
                from_height=row.from_height,
                from_time=times[row.from_height],
                to_height=end,
                to_time=None if end is None else times[end],
                txid=txids.get(row.from_height, ""),
            )
            for row, end in zip(kept, ends, strict=True)
        )
    return result


def _changed_by(reader: Reader, asset_id: int) -> dict[int, str]:
    """Return the last transaction in each block that changed the plant itself."""
    query = (
        select(events.c.height, events.c.txid)
        .where(events.c.asset_id == asset_id, events.c.contract == "asset-verification")
        .order_by(events.c.id)
    )
    return {row.height: row.txid for row in reader.all(query)}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if hasattr(value, "curve"):
        return f"{value.curve.name.lower()}:{value.key.hex()}"
    return str(value.name.lower() if hasattr(value, "name") else value)
