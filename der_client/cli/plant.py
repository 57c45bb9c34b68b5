"""``der plant``: all about one plant."""

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnIndex
from der_client.cli.output import plain, print_fields, print_json, printable
from der_client.cli.plants import WEEK_DAYS, PlantArgument

if TYPE_CHECKING:
    from datetime import date

    from der_client.contracts.asset_verification import Asset
    from der_client.contracts.grid_integration import Connection

_NOT_IN_JSON = frozenset({"asset_id", "previous_device_key"})


@grouped
def plant(plant: PlantArgument, *, on: OnIndex, as_json: Json = False) -> None:
    """Show all about a plant: who, what and where, its meter and grid, its last week, what is left to sell."""
    from der_client.cli.bars import draw  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_lists import day_range  # noqa: PLC0415
    from der_client.cli.plant_sources import plant_source  # noqa: PLC0415
    from der_client.cli.production import day_bar  # noqa: PLC0415
    from der_client.readings.slots import slots_per_day  # noqa: PLC0415

    today = on.der.now().date()
    tomorrow = today + timedelta(days=1)
    days = day_range(today - timedelta(days=WEEK_DAYS), today - timedelta(days=1))
    with plant_source(on) as source:
        asset, connection, recorded_wh, verified_wh, left_wh = source.account(plant, tomorrow)
        produced = {day: made for (_, day), made in source.days([plant], days).items()}
    if as_json:
        print_json(
            {
                "asset_id": plant,
                **{name: plain(value) for name, value in asset.model_dump(exclude=set(_NOT_IN_JSON)).items()},
                "grid": None
                if connection is None
                else {name: plain(value) for name, value in connection.model_dump(exclude={"asset_id"}).items()},
                "recorded_wh": recorded_wh,
                "verified_wh": verified_wh,
                "left_tomorrow_wh": left_wh,
                "last_7_days": [
                    {"day": plain(day), "wh": made.wh, "state": plain(made.state)} for day, made in produced.items()
                ],
            }
        )
        return
    fields = _asset_fields(on, asset)
    fields += [
        ("grid", _grid_text(connection)),
        *_energy_fields(recorded_wh, verified_wh, left_wh, tomorrow),
    ]
    print_fields(f"Plant {plant}", fields)
    typer.echo("Last 7 days, kWh")
    for line in draw([day_bar(day, produced.get(day), slots_per_day(asset.slot_seconds)) for day in days]):
        typer.echo(printable(line))


def _asset_fields(on: OnIndex, asset: "Asset") -> list[tuple[str, object]]:
    from der_client.cli.quantities import power, stx  # noqa: PLC0415 -- `der --help` stays fast

    who = on.book.full
    fields: list[tuple[str, object]] = [
        ("state", plain(asset.state)),
        ("kind", f"{plain(asset.kind)}, {power(asset.capacity_w)}"),
        ("where", f"region {asset.region}, geohash {asset.location}"),
        ("owner", who(asset.owner)),
    ]
    if asset.operator is not None:
        fields.append(("operator", who(asset.operator)))
        fields.append(("", f"sells at {stx(asset.min_price_ustx_per_kwh)} STX per kWh or more"))
    if asset.proposed_owner is not None:
        fields.append(("new owner", f"{who(asset.proposed_owner)}, who has not taken it over yet"))
    return [
        *fields,
        ("meter", f"every {asset.slot_seconds // 60} minutes; {_meter_text(asset)}"),
        ("verified", asset.verified_day),
        ("last day", asset.last_day),
    ]


def _meter_text(asset: "Asset") -> str:
    key = asset.device_key
    if key is None:
        return "an oracle records"
    return f"signs with 0x{key.key.hex()[:12]}… ({plain(key.curve)})"


def _grid_text(connection: "Connection | None") -> str:
    from der_client.cli.quantities import power  # noqa: PLC0415 -- `der --help` stays fast

    if connection is None:
        return "not connected"
    metered = ", feed metered" if connection.feed_metered else ""
    return f"{plain(connection.state)}, exports up to {power(connection.export_limit_w)}{metered}"


def _energy_fields(recorded_wh: int, verified_wh: int, left_wh: int, tomorrow: "date") -> list[tuple[str, object]]:
    from der_client.cli.quantities import energy  # noqa: PLC0415 -- `der --help` stays fast

    return [
        ("produced", f"{energy(recorded_wh)} in total; {energy(verified_wh)} verified"),
        ("left to sell", f"{energy(left_wh)} of {tomorrow}"),
    ]
