"""``der plants``: which plants there are."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import plain, print_table

PlantArgument = Annotated[int, typer.Argument(metavar="PLANT", min=1, help="The plant's number; see 'der plants'.")]
Mine = Annotated[bool, typer.Option("--mine", help="Only plants that --key owns or operates.")]
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
    on: OnIndex,
    mine: Mine = False,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="Only plants of a region.", show_default=False)
    ] = None,
    shape: Shape,
) -> None:
    """List plants: what they are, where, whether they may sell, and what they recorded in the last seven days."""
    from der_client.cli.plant_lists import day_range, is_owned  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_sources import plant_source  # noqa: PLC0415
    from der_client.cli.quantities import fixed, kwh  # noqa: PLC0415

    owner = on.address if mine else None
    today = on.der.now().date()
    days = day_range(today - timedelta(days=WEEK_DAYS), today - timedelta(days=1))
    with plant_source(on) as source:
        found = [
            each
            for each in source.plants()
            if (owner is None or is_owned(each, owner)) and (region is None or each.region == region)
        ]
        numbers = [each.asset_id for each in found]
        grid = source.grid(numbers)
        produced = source.days(numbers, days)
    rows: list[dict[str, Any]] = [
        {
            **asdict(each),
            "grid_state": grid[each.asset_id].state if each.asset_id in grid else None,
            "export_limit_w": grid[each.asset_id].export_limit_w if each.asset_id in grid else None,
            "last_7_days_wh": sum(produced[each.asset_id, day].wh for day in days if (each.asset_id, day) in produced),
        }
        for each in found
    ]

    def table() -> None:
        if not rows:
            typer.echo(_nothing(None if owner is None else on.book.short(owner), region))
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


def _nothing(owner: str | None, region: str | None) -> str:
    """Say why no plant is listed."""
    if owner is None and region is None:
        return "no plants yet"
    of_owner, in_region = f" of {owner}" if owner else "", f" in region {region}" if region else ""
    given = " and ".join(name for name, value in (("--mine", owner), ("--region", region)) if value is not None)
    return f"no plants{of_owner}{in_region}; leave out {given} to see all"
