"""``der plants``: which plants there are."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsWithKey, Shape
from der_client.cli.output import plain, print_table

PlantArgument = Annotated[int, typer.Argument(metavar="PLANT", min=1, help="The plant's number; see 'der plants'.")]
Mine = Annotated[bool, typer.Option("--mine", help="Only those that --key owns or operates.")]
WEEK_DAYS = 7

_KEYS = (
    "asset_id",
    "kind",
    "state",
    "owner",
    "operator",
    "region",
    "location",
    "capacity_w",
    "slot_seconds",
    "has_meter_key",
    "grid_state",
    "export_limit_w",
    "last_7_days_wh",
)


@grouped
def plants(
    *,
    on: OnContractsWithKey,
    mine: Mine = False,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="Only those of a region.", show_default=False)
    ] = None,
    shape: Shape,
) -> None:
    """List plants: what they are, where, whether they may sell, and what they recorded in the last seven days."""
    from der_client.cli.plant_lists import connections, day_range, is_owned, production_days  # noqa: PLC0415 -- fast help
    from der_client.cli.quantities import fixed, kwh  # noqa: PLC0415

    der = on.der
    owner = on.address if mine else None
    assets = {
        number: asset
        for number, asset in der.list_assets().items()
        if (owner is None or is_owned(asset, owner)) and (region is None or asset.region == region)
    }
    today = der.now().date()
    days = day_range(today - timedelta(days=WEEK_DAYS), today - timedelta(days=1))
    connected = connections(der, list(assets))
    produced = production_days(der, list(assets), days)
    rows: list[dict[str, Any]] = [
        {
            "asset_id": number,
            "kind": asset.kind,
            "state": asset.state,
            "owner": asset.owner,
            "operator": asset.operator,
            "region": asset.region,
            "location": asset.location,
            "capacity_w": asset.capacity_w,
            "slot_seconds": asset.slot_seconds,
            "has_meter_key": asset.device_key is not None,
            "grid_state": connected[number].state if number in connected else None,
            "export_limit_w": connected[number].export_limit_w if number in connected else None,
            "last_7_days_wh": sum(produced[number, day].wh for day in days if (number, day) in produced),
        }
        for number, asset in assets.items()
    ]

    def table() -> None:
        if not rows:
            typer.echo("no plants" + (f" of {on.book.short(owner)}; leave out --mine to see all" if owner else " yet"))
            return
        print_table(
            f"Plants ({days[0]:%m-%d} to {days[-1]:%m-%d} in the last column)",
            ("plant", "kind", "kW", "region", "state", "grid", "owner", "7 days kWh"),
            [
                (
                    str(row["asset_id"]),
                    plain(row["kind"]),
                    fixed(row["capacity_w"], 3),
                    row["region"],
                    plain(row["state"]),
                    plain(row["grid_state"]) or "none",
                    on.book.short(row["owner"]),
                    kwh(row["last_7_days_wh"]),
                )
                for row in rows
            ],
            left=("kind", "region", "state", "grid", "owner"),
        )

    shape.show("plants", rows, _KEYS, table)
