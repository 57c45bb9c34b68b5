"""``der certificates``: who claimed which energy, and what for."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import complete_key
from der_client.cli.offers import PlantOption
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEYS = (
    "kind",
    "id",
    "asset_id",
    "asset_kind",
    "day",
    "wh",
    "slots",
    "slot_seconds",
    "beneficiary",
    "beneficiary_name",
    "purpose",
    "claimant",
    "payment_id",
    "height",
    "time",
    "txid",
    "region",
    "location",
)


@grouped
def certificates(
    *,
    on: OnIndex,
    beneficiary: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="WHO",
            help="Only certificates for this address, or the address of this key.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    plant: PlantOption = None,
    from_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only days from this one on.", show_default=False)
    ] = None,
    to_day: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Only days up to this one.", show_default=False)
    ] = None,
    shape: Shape,
) -> None:
    """List certificates: energy that its buyer claimed, or that the plant's owner retired, so that nobody else can."""
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415
    from der_client.cli.quantities import parse_day  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    today = on.der.now().date()
    whose = None if beneficiary is None else on.book.address(beneficiary, "--for")
    first = None if from_day is None else parse_day(from_day, "--from", today)
    last = None if to_day is None else parse_day(to_day, "--to", today)
    if first is not None and last is not None and first > last:
        raise InvalidValueError(f"--from: {first} is after --to {last}")
    with opened_index(on) as index:
        found = index.certificates(beneficiary=whose, asset_id=plant, from_day=first, to_day=last)
    if not found and plant is not None:
        require_plant(on.der, plant)
    rows: list[dict[str, Any]] = [
        {
            **{key: getattr(each, key) for key in _KEYS if key != "beneficiary_name"},
            "beneficiary_name": on.book.name(each.beneficiary),
            "slots": _ranges(each.slots),
        }
        for each in found
    ]
    shape.show("certificates", rows, _KEYS, lambda: _print(on, rows))


def _print(on: OnIndex, rows: "Sequence[dict[str, Any]]") -> None:
    from der_client.cli.quantities import energy, kwh  # noqa: PLC0415 -- `der --help` stays fast

    if not rows:
        typer.echo("no energy was claimed")
        return
    print_table(
        "Certificates",
        ("kind", "no.", "plant", "day", "kWh", "for", "purpose", "claimed (UTC)"),
        [
            (
                row["kind"],
                str(row["id"]),
                str(row["asset_id"]),
                f"{row['day']:%m-%d}",
                kwh(row["wh"]),
                on.book.short(row["beneficiary"]),
                row["purpose"],
                f"{row['time']:%m-%d %H:%M}",
            )
            for row in rows
        ],
        left=("for", "purpose"),
    )
    typer.echo(f"in total {energy(sum(row['wh'] for row in rows))}")


def _ranges(slots: "Sequence[int]") -> str:
    """Write slots as ranges: ``0-3 8``."""
    ranges: list[list[int]] = []
    for slot in slots:
        if ranges and slot == ranges[-1][1] + 1:
            ranges[-1][1] = slot
        else:
            ranges.append([slot, slot])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
