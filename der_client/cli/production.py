"""``der production``: what plants produced, as bars: days of a week, or the hours of a day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import plain, printable
from der_client.cli.plants import WEEK_DAYS
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.cli.bars import Bar
    from der_client.cli.plant_sources import MadeDay, PlantLine, PlantSource

_DAY_KEYS = ("asset_id", "day", "wh", "state", "slots_recorded", "slots_of_day")
_SLOT_KEYS = ("asset_id", "day", "slot", "start", "end", "wh", "recorded", "source", "txid")
_HOURS = 24
_MOST_DAYS = 366


@grouped
def production(
    plant: Annotated[
        int | None,
        typer.Argument(metavar="PLANT", min=1, help="The plant's number. Default: the sum of all.", show_default=False),
    ] = None,
    *,
    on: OnIndex,
    mine: Annotated[bool, typer.Option("--mine", help="Only plants that --key owns or operates.")] = False,
    day: Annotated[
        str | None,
        typer.Option(
            "--day", metavar="DAY", help="The hours of one day: 2026-07-01, yesterday, -2.", show_default=False
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=_MOST_DAYS, help="How many days. Default: 7.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="The last of them. Default: yesterday.", show_default=False),
    ] = None,
    shape: Shape,
) -> None:
    """Show what plants produced: a bar for each day of the last week, or with --day for each hour of a day.

    Days are UTC, as on the chain. With --json and --csv each day of each plant is a row, or each slot.
    """
    from der_client.cli.plant_sources import plant_source  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import parse_day  # noqa: PLC0415

    _check_options(plant, day, days, until, mine=mine)
    today = on.der.now().date()
    wanted = None if day is None else parse_day(day, "--day", today)
    last = today - timedelta(days=1) if until is None else parse_day(until, "--until", today)
    with plant_source(on) as source:
        lines = _wanted(on, source, plant, mine=mine)
        if wanted is None:
            _show_days(source, lines, last - timedelta(days=(days or WEEK_DAYS) - 1), last, shape)
    if wanted is not None:
        _show_day(on, [line.asset_id for line in lines], wanted, shape)


def _check_options(plant: int | None, day: str | None, days: int | None, until: str | None, *, mine: bool) -> None:
    """Refuse options that would have no effect.

    Raises:
        InvalidValueError: If there are some.
    """
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415 -- `der --help` stays fast

    if day is not None and (days is not None or until is not None):
        raise InvalidValueError("--day: --days and --until do not apply; leave them out, or --day")
    if plant is not None and mine:
        raise InvalidValueError("PLANT: --mine does not apply; leave out one of them")


def _wanted(on: OnIndex, source: "PlantSource", plant: int | None, *, mine: bool) -> "Sequence[PlantLine]":
    from der_client.cli.plant_lists import is_owned  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if plant is not None:
        return [source.plant(plant)]
    owner = on.address if mine else None
    lines = [line for line in source.plants() if owner is None or is_owned(line, owner)]
    if not lines:
        raise InvalidValueError("no plants" + (" of this key; leave out --mine to see all" if mine else " yet"))
    return lines


def _show_days(source: "PlantSource", plants: "Sequence[PlantLine]", first: date, last: date, shape: Shape) -> None:
    from der_client.cli.bars import Bar, draw  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_lists import day_range  # noqa: PLC0415
    from der_client.cli.quantities import energy, kwh  # noqa: PLC0415

    days = day_range(first, last)
    slots_of_day = {plant.asset_id: plant.slots_of_day for plant in plants}
    found = source.days(list(slots_of_day), days)
    rows: list[dict[str, Any]] = [
        {"asset_id": number, "day": each, **made._asdict(), "slots_of_day": slots_of_day[number]}
        for (number, each), made in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    ]

    def table() -> None:
        one = next(iter(slots_of_day)) if len(slots_of_day) == 1 else None
        typer.echo(f"{_whose(list(slots_of_day))}, {first} to {last}, kWh")
        bars = []
        for each in days:
            made = [(number, found[number, each]) for number in slots_of_day if (number, each) in found]
            if one is not None:
                bars.append(day_bar(each, found.get((one, each)), slots_of_day[one]))
                continue
            wh = sum(day.wh for _, day in made) if made else None
            bars.append(Bar(f"{each:%a %m-%d}", wh, "-" if wh is None else kwh(wh), _notes(made, slots_of_day)))
        for line in draw(bars):
            typer.echo(printable(line))
        typer.echo(f"in total {energy(sum(row['wh'] for row in rows))}")

    shape.show("production", rows, _DAY_KEYS, table)


def _whose(asset_ids: "Sequence[int]") -> str:
    return f"Plant {asset_ids[0]}" if len(asset_ids) == 1 else f"{len(asset_ids)} plants"


def _notes(made: "Sequence[tuple[int, MadeDay]]", slots_of_day: dict[int, int]) -> str:
    """Return what is missing from a day of several plants."""
    open_days = sum(1 for _, day in made if not day.state.is_final)
    missing = sum(slots_of_day[number] - day.slots_recorded for number, day in made)
    silent = len(slots_of_day) - len(made)
    notes = [f"{open_days} not verified"] * bool(open_days)
    notes += [f"{counted(missing, 'slot')} missing"] * bool(missing)
    notes += [f"{counted(silent, 'plant')} without data"] * bool(silent)
    return ", ".join(notes)


def day_bar(day: date, made: "MadeDay | None", slots_of_day: int) -> "Bar":
    """Return the bar of a plant's day, with what is missing from it."""
    from der_client.cli.bars import Bar  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import kwh  # noqa: PLC0415
    from der_client.contracts.production_tracking import DayState  # noqa: PLC0415

    label = f"{day:%a %m-%d}"
    if made is None:
        return Bar(label, None, "-", "nothing recorded")
    notes = [] if made.state is DayState.VERIFIED else [str(plain(made.state))]
    notes += [f"{made.slots_recorded} of {slots_of_day} slots"] * (made.slots_recorded < slots_of_day)
    return Bar(label, made.wh, kwh(made.wh), ", ".join(notes))


def _show_day(on: OnIndex, asset_ids: "Sequence[int]", day: date, shape: Shape) -> None:
    """Show a day slot by slot; the index has the slots, from the calls that recorded them."""
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast

    with opened_index(on) as index:
        only = asset_ids[0] if len(asset_ids) == 1 else None
        slots = [each for each in index.production(only, day, day, by="slot") if each.asset_id in asset_ids]
        total = sum(each.wh for each in index.production(only, day, day) if each.asset_id in asset_ids)
    rows: list[dict[str, Any]] = [{key: getattr(each, key) for key in _SLOT_KEYS} for each in slots]
    shape.show("slots", rows, _SLOT_KEYS, lambda: _draw_day(asset_ids, day, slots, total))


def _draw_day(asset_ids: "Sequence[int]", day: date, slots: "Sequence[Any]", total: int) -> None:
    from der_client.cli.bars import Bar, draw  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import energy, kwh  # noqa: PLC0415

    whose = _whose(asset_ids)
    if not slots:
        typer.echo(f"{whose}, {day}: nothing is recorded")
        return
    typer.echo(f"{whose}, {day}, kWh in each hour (UTC)")
    bars = []
    for hour in range(_HOURS):
        begins = datetime.combine(day, time(hour), UTC)
        within = [each for each in slots if begins <= each.start < begins + timedelta(hours=1)]
        known = [each.wh for each in within if each.wh is not None]
        missing = sum(1 for each in within if not each.recorded)
        only_sum = sum(1 for each in within if each.recorded and each.wh is None)
        notes = [f"{missing} slots missing"] * bool(missing)
        notes += [f"{only_sum} slots known only as a sum"] * bool(only_sum)
        wh = sum(known) if known else None
        bars.append(Bar(f"{hour:02}:00", wh, "-" if wh is None else kwh(wh), ", ".join(notes)))
    for line in draw(bars):
        typer.echo(printable(line))
    summed = total - sum(each.wh for each in slots if each.wh is not None)
    note = f", of which {energy(summed)} are known only as a sum of slots" if summed else ""
    typer.echo(f"in total {energy(total)}{note}")
