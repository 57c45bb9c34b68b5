"""``der record``: bring meter data from a file to the chain."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import DEFAULT_TIMEOUT_S, Json, OnContractsAsAccount, TimeoutS
from der_client.cli.output import print_json, progress_console
from der_client.cli.plant_map import key_files, read_map, read_plants
from der_client.cli.record_reports import Details, Summary
from der_client.cli.recording import record_plants
from der_client.cli.table_options import (
    Channels,
    Estimates,
    FormatOption,
    PowerOfTen,
    format_of,
    with_table_options,
)
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from rich.progress import Progress

_MOST_TABLES = 20
"""Above this number of plants, one table covers all of them, unless details are requested."""


@with_table_options
@grouped
def record(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV, .xlsx, .parquet, XML, JSON or NEM12."
        ),
    ],
    *,
    on: OnContractsAsAccount,
    asset: Annotated[
        int | None,
        typer.Option(
            "--asset", "--plant", metavar="ID", min=1, help="The plant that the meter belongs to.", show_default=False
        ),
    ] = None,
    plants: Annotated[
        Path | None,
        typer.Option(
            "--plants",
            metavar="FILE.toml",
            exists=True,
            dir_okay=False,
            help="TOML file of several plants: a [\\[plant]] with the asset, and the channel, values, where … of "
            "its readings.",
            show_default=False,
        ),
    ] = None,
    format_name: FormatOption = None,
    channel: Channels = None,
    power_of_ten: PowerOfTen = None,
    estimates: Estimates = False,
    meter_key_file: Annotated[
        Path | None,
        typer.Option(
            "--meter-key-file",
            metavar="FILE",
            help="The meter's own key, which signs the readings: PEM on P-256 or secp256k1, or a file of "
            "'der keys'. Without one, --key records them as an oracle.",
            show_default=False,
        ),
    ] = None,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    journal: JournalPlace = None,
    all_days: Annotated[bool, typer.Option("--all-days", help="Print a line for each day, not a summary.")] = False,
    as_json: Json = False,
    table_options: dict[str, Any],
) -> None:
    """Record meter data from a file: what is missing on the chain, slot by slot.

    Safe to repeat, also with a file that has grown, and safe to kill: readings that are recorded are left out,
    transactions in flight are in the journal ('der outbox' shows it), and contradictions are reported.

    Exit codes: 0 everything in the file is on the chain; 1 an error, and nothing was recorded, or of a fleet only the
    plants before it; 2 wrong usage; 3 something is not on the chain as it is in the file; 4 the file has no complete
    slot; 5 the outcome is not known yet.
    """
    from der_client.cli.meter_keys import read_meter_key  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.recorder import Recorder  # noqa: PLC0415

    if (asset is None) == (plants is None):
        raise typer.BadParameter("give --asset for one plant, or --plants for several")
    shared = {"form": format_of(format_name), "power_of_ten": power_of_ten} | table_options
    entries = [{"asset": asset, "channel": channel or []}] if plants is None else read_map(plants)
    _ = on.private_key  # ask for its passphrase before those of meters
    meter_keys = {path: read_meter_key(path) for path in key_files(entries, meter_key_file)}
    der = on.der
    recorder = Recorder(
        der, confirm_timeout_s=timeout, journal=journal or default_journal("record", on.account, der.deployer)
    )
    report = Summary() if len(entries) > _MOST_TABLES and not (as_json or all_days) else Details(estimates=estimates)
    stream = read_plants(file, shared, entries, meter_key_file)
    with closing(recorder), _bar() as bar:
        task = bar.add_task(f"recording {counted(len(entries), 'plant')}", total=len(entries))
        for results, done in record_plants(der, recorder, stream, meter_keys, estimates=estimates):
            report.add(results, done)
            bar.advance(task, len(results))
    if as_json:
        print_json(report.fields())
    else:
        report.print(all_days=all_days)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _bar() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=progress_console(), transient=True)
