"""Plants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from der_client.contracts.asset_verification import Asset, AssetChange, AssetKind, AssetState
from der_client.contracts.grid_integration import Connection, ConnectionState, ExportCap


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant, with its connection and what it produced.

    Attributes:
        asset_id: Its id.
        kind: Its kind.
        state: Its state.
        owner: Who owns it.
        operator: Who else may trade for it.
        region: The grid operator's region.
        location: Its geohash.
        capacity_w: Rated power, W.
        slot_seconds: Length of a metering interval, s.
        has_device_key: Whether a meter signs its readings.
        connection: The state of its grid connection; ``None`` if none was requested.
        export_limit_w: The most power that may be exported, W.
        feed_metered: Whether the exported energy is metered.
        recorded_wh: Energy recorded over all days, Wh.
        verified_wh: The part of it on verified days, Wh.
        first_day: The first day with something recorded.
        last_day: The last day with something recorded.
        registered_at: When it was registered.
        asset_epoch: A number that goes up when owner or operator change.
    """

    asset_id: int
    kind: AssetKind
    state: AssetState
    owner: str
    operator: str | None
    region: str
    location: str
    capacity_w: int
    slot_seconds: int
    has_device_key: bool
    connection: ConnectionState | None
    export_limit_w: int | None
    feed_metered: bool
    recorded_wh: int
    verified_wh: int
    first_day: date | None
    last_day: date | None
    registered_at: datetime
    asset_epoch: int


@dataclass(frozen=True, slots=True)
class Held:
    """A value of a plant, and the time during which it was valid.

    Attributes:
        value: The value as text; ``None`` where there was none.
        from_height: The block from which it was valid.
        from_time: That block's time.
        to_height: The block from which it was no longer valid; ``None`` while it is.
        to_time: That block's time.
        txid: The transaction that set it.
    """

    value: str | None
    from_height: int
    from_time: datetime
    to_height: int | None
    to_time: datetime | None
    txid: str


@dataclass(frozen=True, slots=True)
class PlantDetail:
    """All about one plant.

    Attributes:
        plant: The plant.
        asset: The asset, as in the contract.
        connection: The connection, as in the contract.
        change: The change of capacity or key that waits for a registrar.
        export_schedule: The export caps, oldest first.
        owners: Who owned it, oldest first, as in all the following.
        operators: Who traded for its owner.
        keys: Its meter's keys, as ``p256:02ab…``.
        states: Its states.
        capacities: Its rated power, W.
    """

    plant: Plant
    asset: Asset
    connection: Connection | None
    change: AssetChange | None
    export_schedule: tuple[ExportCap, ...]
    owners: tuple[Held, ...]
    operators: tuple[Held, ...]
    keys: tuple[Held, ...]
    states: tuple[Held, ...]
    capacities: tuple[Held, ...]
