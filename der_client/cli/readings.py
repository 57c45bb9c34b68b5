"""``der readings``: examine files of meter data before anything in them is recorded."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.table_options import (
    Channels,
    Estimates,
    FormatOption,
    PowerOfTen,
    format_of,
    with_table_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from der_client.readings import IntervalSeries, MeteredDay
    from der_client.readings.coverage import Coverage
    from der_client.readings.table import TableFormat

app = typer.Typer(help="Examine files of meter data before recording them.", no_args_is_help=True)

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.:-=+*#"
_WIDTH = 48
_SHOWN_DAYS = 3


@app.command("formats")
def formats() -> None:
    """List the formats that --format knows by name."""
    from der_client.cli.output import print_table  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.readings.file_formats import FORMATS  # noqa: PLC0415
    from der_client.readings.table import ready_made_formats  # noqa: PLC0415

    rows: list[Sequence[object]] = [(name, kind.description) for name, kind in FORMATS.items()]
    print_table("Kinds of files", ("format", "what"), rows, left=("what",))
    typer.echo()
    print_table("Ready-made formats of tables", ("format", "what"), list(ready_made_formats().items()), left=("what",))


@app.command("inspect")
@with_table_options
def inspect(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The file to examine."),
    ],
    *,
    format_name: FormatOption = None,
    channel: Channels = None,
    power_of_ten: PowerOfTen = None,
    estimates: Estimates = False,
    slot_seconds: Annotated[
        int | None,
        typer.Option(
            "--slot-seconds",
            metavar="SECONDS",
            help="The asset's slots: 900, 1800 or 3600 s. Default: the shortest that the file fills.",
            show_default=False,
        ),
    ] = None,
    table_options: dict[str, Any],
) -> None:
    """Show what is in a file, the format to read it with, and what would be recorded from it.

    Nothing is recorded. Check the proposed format yourself: save it in a file, correct it, and give that file to 'der
    record' with --format.
    """
    from der_client.readings import MeterDataError, TableFormat  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.readings.coverage import Coverage  # noqa: PLC0415
    from der_client.readings.files import read_channels, read_file  # noqa: PLC0415
    from der_client.readings.slots import SLOT_SECONDS  # noqa: PLC0415
    from der_client.readings.sniffing import propose_format  # noqa: PLC0415

    form = format_of(format_name)
    remarks: tuple[str, ...] = ()
    if form is None:
        try:
            proposal = propose_format(file)
            form, remarks = proposal.form, proposal.remarks
        except MeterDataError as error:
            if not table_options:
                raise
            remarks = (str(error),)
    typer.echo(_describe(form, table_options))
    for remark in _undecided(remarks, table_options):
        typer.echo(f"# {MeterDataError(remark).for_command()}")
    if channel:
        series = read_file(file, form, channels=channel, power_of_ten=power_of_ten, **table_options)
    else:
        channels = read_channels(file, form, power_of_ten=power_of_ten, **table_options)
        if len(channels) > 1:
            typer.echo("")
            for name, each in channels.items():
                typer.echo(f"channel {name!r}: {_summary(each)}")
            typer.echo("\nPick one with --channel; several are added up.")
            return
        series = next(iter(channels.values()))
    if isinstance(form, TableFormat):
        form = form.with_options(**table_options)
    lengths = SLOT_SECONDS if slot_seconds is None else (slot_seconds,)
    found = [Coverage.of(series, length, estimates=estimates) for length in lengths]
    _show(series, next((coverage for coverage in found if coverage.known_slots), found[0]), estimates=estimates)


def _undecided(remarks: "Iterable[str]", options: dict[str, Any]) -> "Iterator[str]":
    """Yield the remarks that advise to give something that was not given."""
    for remark in remarks:
        if not any(f"`{name}" in remark for name in options):
            yield remark


def _describe(form: "str | TableFormat | None", options: dict[str, Any]) -> str:
    """Return the format as text, to be kept in a file."""
    from der_client.readings.table import TableFormat  # noqa: PLC0415 -- `der --help` stays fast

    if isinstance(form, str):
        return f"--format {form}"
    merged = TableFormat(**options) if form is None else form.with_options(**options)
    return merged.to_toml().rstrip() or "# this table can be read without options"


def _summary(series: "IntervalSeries") -> str:
    from der_client.stacks.errors import counted  # noqa: PLC0415 -- `der --help` stays fast

    first, last = series.start.date(), (series.end - timedelta.resolution).date()
    days = f"{first} to {last}" if first < last else f"{first}"
    return f"{counted(len(series), 'interval')}, {days}, {float(series.wh):,.0f} Wh"


def _show(series: "IntervalSeries", coverage: "Coverage", *, estimates: bool) -> None:
    from der_client.readings import MeterDataError  # noqa: PLC0415
    from der_client.stacks.errors import counted  # noqa: PLC0415 -- `der --help` stays fast

    typer.echo(f"\n{_summary(series)}")
    known = [day for day in coverage.days if day.mask]
    for line in _bars(known):
        typer.echo(line)
    typer.echo(
        f"slots of {coverage.slot_seconds} s: {coverage.known_slots:,} known, {coverage.unknown_slots:,} unknown; "
        f"days: {len(known):,} with a known slot, {coverage.empty_days:,} without"
    )
    if coverage.estimated_slots:
        what = "counted" if estimates else "unknown without --estimates"
        typer.echo(f"estimates: {counted(coverage.estimated_slots, 'slot')}, {what}")
    for note in series.notes:
        typer.echo(f"note: {note}")
    if coverage.reason:
        typer.echo(f"nothing could be recorded: {MeterDataError(coverage.reason).for_command()}")
        raise typer.Exit(4)


def _bars(days: "Sequence[MeteredDay]") -> "Iterator[str]":
    """Yield the first and the last days, with a bar for each part of a day; a dot means unknown."""
    from der_client.cli.output import can_show  # noqa: PLC0415 -- `der --help` stays fast

    bars = _BARS if can_show(_BARS) else _PLAIN_BARS
    shown = list(days) if len(days) <= 2 * _SHOWN_DAYS else [*days[:_SHOWN_DAYS], *days[-_SHOWN_DAYS:]]
    parts = [[*_parts(day)] for day in shown]
    most = max((wh for row in parts for wh in row if wh is not None), default=0) or 1
    for number, (day, row) in enumerate(zip(shown, parts, strict=True)):
        if number == _SHOWN_DAYS and len(days) > len(shown):
            yield f"{'…':>10}"
        text = "".join("·" if wh is None else bars[min(wh * len(bars) // most, len(bars) - 1)] for wh in row)
        yield f"{day.day} {text} {day.wh:>12,} Wh"


def _parts(day: "MeteredDay") -> "Iterator[int | None]":
    slots = day.wh_by_slot
    per_part = max(1, len(slots) // _WIDTH)
    for first in range(0, len(slots), per_part):
        some = slots[first : first + per_part]
        known = [wh for wh in some if wh is not None]
        yield sum(known) if known else None
