"""``der record``: bring a meter's CSV export to the chain."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from der_client.cli.options import (
    DEFAULT_MAX_FEE_USTX,
    DEFAULT_TIMEOUT_S,
    Json,
    KeyFile,
    MaxFee,
    NetworkOption,
    TimeoutS,
    Url,
    open_client,
)
from der_client.cli.output import print_json, print_table, progress_console

if TYPE_CHECKING:
    from der_client.recorder.recorder import RecorderReport, Recording


def record(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV file with one head row."),
    ],
    *,
    asset: Annotated[int, typer.Option("--asset", metavar="ID", min=1, help="The asset that the meter belongs to.")],
    url: Url,
    deployer: Annotated[
        str | None,
        typer.Option(
            "--deployer",
            metavar="ADDRESS",
            help="Who deployed the contracts. Default: the embedded devnet tells it.",
            show_default=False,
        ),
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option("--time-column", metavar="NAME", help="Default: the first of two columns.", show_default=False),
    ] = None,
    value_column: Annotated[
        str | None,
        typer.Option("--value-column", metavar="NAME", help="Default: the second of two columns.", show_default=False),
    ] = None,
    unit: Annotated[
        Literal["W", "kW", "Wh", "kWh"], typer.Option("--unit", help="Mean power, or energy, of each interval.")
    ] = "W",
    interval_seconds: Annotated[
        int | None,
        typer.Option(
            "--interval-seconds",
            metavar="SECONDS",
            min=1,
            help="Length of an interval. Default: the shortest step between two rows.",
            show_default=False,
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help="Of timestamps without offset: +01:00, or Europe/Berlin for clocks that change.",
            show_default=False,
        ),
    ] = None,
    stamped: Annotated[
        Literal["start", "end"], typer.Option("--stamped", help="Which end of its interval a timestamp tells.")
    ] = "start",
    empty_cells: Annotated[
        Literal["error", "gap"], typer.Option("--empty-cells", help="What a row without a reading is.")
    ] = "error",
    delimiter: Annotated[
        str, typer.Option("--delimiter", metavar="CHARACTER", help="What separates the columns; \\t is a tab.")
    ] = ",",
    meter_key_file: Annotated[
        Path | None,
        typer.Option(
            "--meter-key-file",
            metavar="FILE",
            help="The meter's own key, to sign the readings with. Without one, they are recorded as an oracle's.",
            show_default=False,
        ),
    ] = None,
    key_file: KeyFile = None,
    network: NetworkOption = None,
    max_fee: MaxFee = DEFAULT_MAX_FEE_USTX,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Record a meter's CSV export: what is missing on the chain, slot by slot.

    Safe to repeat, also with a file that has grown: what is recorded already is left out, what contradicts it is
    reported. The exit code is 1 if anything is not recorded as it stands in the file.
    """
    from der_client.cli.secret_input import read_signing_key  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.der import Der  # noqa: PLC0415
    from der_client.readings import Unit, metered_days, read_power_csv  # noqa: PLC0415
    from der_client.recorder.recorder import Recorder  # noqa: PLC0415
    from der_client.stacks.account import FeePolicy  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    series = read_power_csv(
        file,
        time_column=time_column,
        value_column=value_column,
        unit=Unit(unit),
        interval_seconds=interval_seconds,
        time_zone=None if time_zone is None else _zone(time_zone),
        stamped=stamped,
        empty_cells=empty_cells,
        delimiter="\t" if delimiter == "\\t" else delimiter,  # hardly a shell lets one type a tab
    )
    key = read_signing_key(key_file)
    meter_key = None if meter_key_file is None else read_signing_key(meter_key_file)
    der = Der.connect(open_client(url, network), key, deployer=deployer, fee_policy=FeePolicy(max_fee_ustx=max_fee))
    plant = der.assets.get_asset(asset)
    if plant is None:
        raise InvalidValueError(f"{der.assets.contract_id} has no asset {asset}; 'register-asset' gives the id")
    days = [day for day in metered_days(series, slot_seconds=plant.slot_seconds) if day.mask]
    recorder = Recorder(der, confirm_timeout_s=timeout)
    with progress_console().status(f"recording {len(days)} days of asset {asset} …"):
        if meter_key is None:
            report = recorder.record((asset, day) for day in days)
        else:
            report = recorder.sign_and_relay(asset, days, meter_key)
    if as_json:
        print_json(_fields(report))
    else:
        _print(report, asset)
    if report.problems:
        raise typer.Exit(1)


def _zone(text: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    try:
        if text.startswith(("+", "-")):
            return datetime.strptime(text, "%z").tzinfo or UTC
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError) as error:
        raise InvalidValueError(
            f"--time-zone {text!r} is neither an offset such as +01:00 nor a zone such as Europe/Berlin"
        ) from error


def _fields(report: "RecorderReport") -> dict[str, Any]:
    return {
        "recordings": [
            {
                "asset_id": recording.asset_id,
                "day": recording.day.isoformat(),
                "slots": recording.mask.bit_count(),
                "wh": recording.wh,
                "status": str(recording.status),
                "recorded_slots": recording.recorded_mask.bit_count(),
                "error": None if recording.error is None else recording.error.name,
                "reason": recording.reason or None,
                "txids": list(recording.txids),
            }
            for recording in report.recordings
        ],
        "txids": list(report.txids),
        "fees_ustx": report.fees_ustx,
    }


def _print(report: "RecorderReport", asset: int) -> None:
    print_table(
        f"Production of asset {asset}",
        ("day", "slots", "Wh", "status", "recorded now", "reason"),
        [_row(recording) for recording in report.recordings],
    )
    typer.echo(f"{len(report.txids)} transactions, {report.fees_ustx:,} µSTX fees")


def _row(recording: "Recording") -> tuple[object, ...]:
    return (
        recording.day,
        recording.mask.bit_count(),
        recording.wh,
        recording.status,
        recording.recorded_mask.bit_count(),
        recording.reason,
    )
