"""``der record``: bring meter data from a file to the chain."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import DEFAULT_TIMEOUT_S, Json, OnContractsAsAccount, TimeoutS
from der_client.cli.output import counted, print_json, print_table, progress_console
from der_client.cli.table_options import (
    Channels,
    Estimates,
    FormatOption,
    PowerOfTen,
    format_of,
    with_table_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from der_client.der import Der
    from der_client.readings import IntervalSeries
    from der_client.readings.coverage import Coverage
    from der_client.readings.signers import Signer
    from der_client.recorder import Recorder, RecorderReport, Recording

NOT_AS_GIVEN = 3
"""Exit code: something of the file is not on the chain as it is in the file."""
NOTHING_KNOWN = 4
"""Exit code: the file has readings, but no complete slot of a plant."""
OUTCOME_UNKNOWN = 5
"""Exit code: transactions were sent, and what came of them is not known yet."""
_MOST_REASONS = 5


@dataclass(frozen=True)
class _Plant:
    """Whose readings of the file are recorded for which asset."""

    asset: int
    series: "IntervalSeries"
    meter_key_file: Path | None


@dataclass(frozen=True)
class _Result:
    plant: _Plant
    coverage: "Coverage"
    report: "RecorderReport"

    @property
    def exit_code(self) -> int:
        statuses = {str(recording.status) for recording in self.report.problems}
        if not self.coverage.known_slots:
            return NOTHING_KNOWN
        if not statuses:
            return 0
        return OUTCOME_UNKNOWN if statuses == {"pending"} else NOT_AS_GIVEN


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
        typer.Option("--asset", metavar="ID", min=1, help="The asset that the meter belongs to.", show_default=False),
    ] = None,
    plants: Annotated[
        Path | None,
        typer.Option(
            "--plants",
            metavar="FILE.toml",
            exists=True,
            dir_okay=False,
            help="Several plants: [[plant]] with asset, and channel, values, where … of its readings.",
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
            "'der keys'. Without one, they are recorded as an oracle's.",
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

    Safe to repeat, also with a file that has grown, and to kill: what is recorded already is left out, what is on its
    way is in the journal ('der outbox' shows it), what contradicts is reported.

    Exit codes: 0 all that the file says is on the chain; 1 an error, and nothing was recorded; 2 wrong usage;
    3 something is not on the chain as it is in the file; 4 the file has no complete slot; 5 the outcome is not
    known yet.
    """
    from der_client.cli.meter_keys import read_meter_key  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.recorder import Recorder  # noqa: PLC0415

    if (asset is None) == (plants is None):
        raise typer.BadParameter("give --asset for one plant, or --plants for several")
    shared = {"form": format_of(format_name), "power_of_ten": power_of_ten} | table_options
    if plants is None:
        found = [_plant(file, shared, {"asset": asset, "channel": channel or []}, meter_key_file)]
    else:
        found = [_plant(file, shared, entry, meter_key_file) for entry in _entries(plants)]
    _ = on.private_key  # its passphrase is asked for before those of meters
    meter_keys = {path: read_meter_key(path) for path in {plant.meter_key_file for plant in found} if path is not None}
    der = on.der
    coverages = [_coverage(der, plant, estimates=estimates) for plant in found]
    recorder = Recorder(
        der, confirm_timeout_s=timeout, journal=journal or default_journal("record", on.account, der.deployer)
    )
    days = sum(sum(1 for day in coverage.days if day.mask) for coverage in coverages)
    with progress_console().status(f"recording {days} days of {counted(len(found), 'plant')} …"):
        results = [
            _Result(plant, coverage, report)
            for plant, coverage, report in zip(
                found, coverages, _recorded(recorder, found, coverages, meter_keys), strict=True
            )
        ]
    recorder.close()
    if as_json:
        print_json(_fields(results))
    else:
        _print(results, all_days=all_days, estimates=estimates)
    if code := max(result.exit_code for result in results):
        raise typer.Exit(code)


# What is to be recorded


def _entries(path: Path) -> "list[dict[str, Any]]":
    """Return the plants of a file in TOML."""
    import tomllib  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.readings import MeterDataError  # noqa: PLC0415

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MeterDataError(f"{path} is not TOML: {error}") from error
    entries = content.pop("plant", None)
    if content or not isinstance(entries, list) or not entries:
        other = f", not {next(iter(content))!r}" if content else ""
        raise MeterDataError(f"{path}: expected one [[plant]] for each plant{other}")
    seen: set[int] = set()
    for number, entry in enumerate(entries, 1):
        asset = entry.get("asset")
        if isinstance(asset, bool) or not isinstance(asset, int) or asset < 1:
            raise MeterDataError(f"{path}, plant {number}: asset is {asset!r}: expected the number of an asset")
        if asset in seen:
            raise MeterDataError(
                f"{path}, plant {number}: asset {asset} is there twice: name all its channels or columns "
                "in one [[plant]], and they are added up"
            )
        seen.add(asset)
    return entries


def _plant(file: Path, shared: dict[str, Any], entry: dict[str, Any], meter_key_file: Path | None) -> _Plant:
    from der_client.readings import MeterDataError, read_file  # noqa: PLC0415 -- `der --help` stays fast

    own = dict(entry)
    asset, channels, key_file = own.pop("asset"), own.pop("channel", []), own.pop("meter_key_file", None)
    options = shared | own
    form, power_of_ten = options.pop("form"), options.pop("power_of_ten")
    if "format" in options:
        form = format_of(str(options.pop("format")))
    try:
        series = read_file(
            file,
            form,
            channels=[channels] if isinstance(channels, str) else channels,
            power_of_ten=power_of_ten,
            **options,
        )
    except MeterDataError as error:
        if "asset" in entry and "channel" in entry and not own and not channels:
            raise
        raise MeterDataError(f"asset {asset}: {error}") from error
    return _Plant(asset, series, meter_key_file if key_file is None else Path(key_file))


def _coverage(der: "Der", plant: _Plant, *, estimates: bool) -> "Coverage":
    from der_client.readings import MeterDataError, day_at  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.readings.coverage import Coverage  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    found = der.assets.get_asset(plant.asset)
    if found is None:
        raise InvalidValueError(f"{der.assets.contract_id} has no asset {plant.asset}; 'register-asset' gives the id")
    today, last = day_at(der.now()), plant.series.end - timedelta(microseconds=1)
    if last.date() > today:
        raise MeterDataError(
            f"the file has readings until {last:%Y-%m-%d %H:%M} UTC, and it is {today} on the chain: a year, the time "
            "format or the time zone must be wrong; correct it, or leave them out with `to`"
        )
    return Coverage.of(plant.series, found.slot_seconds, estimates=estimates)


def _recorded(
    recorder: "Recorder",
    plants: "Sequence[_Plant]",
    coverages: "Sequence[Coverage]",
    meter_keys: "dict[Path, Signer]",
) -> "Iterable[RecorderReport]":
    for plant, coverage in zip(plants, coverages, strict=True):
        days = [day for day in coverage.days if day.mask]
        if plant.meter_key_file is None:
            yield recorder.record((plant.asset, day) for day in days)
        else:
            yield recorder.sign_and_relay(plant.asset, days, meter_keys[plant.meter_key_file])


# What is said of it


def _fields(results: "Sequence[_Result]") -> dict[str, Any]:
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
            for result in results
            for recording in result.report.recordings
        ],
        "plants": [
            {
                "asset_id": result.plant.asset,
                "known_slots": result.coverage.known_slots,
                "unknown_slots": result.coverage.unknown_slots,
                "estimated_slots": result.coverage.estimated_slots,
                "days_without_a_slot": result.coverage.empty_days,
                "reason": _for_command(result.coverage.reason) or None,
                "notes": list(result.plant.series.notes),
            }
            for result in results
        ],
        "txids": [txid for result in results for txid in result.report.txids],
        "fees_ustx": sum(result.report.fees_ustx for result in results),
    }


def _print(results: "Sequence[_Result]", *, all_days: bool, estimates: bool) -> None:
    for result in results:
        recordings = result.report.recordings
        title = f"Production of asset {result.plant.asset}"
        if all_days:
            print_table(title, ("day", "slots", "Wh", "status", "recorded now"), [_day(each) for each in recordings])
        elif recordings:
            print_table(title, ("status", "days", "slots", "Wh", "first day", "last day"), _groups(recordings))
        else:
            typer.echo(title)
        for line in _remarks(result, estimates=estimates):
            typer.echo(line)
    txids = sum(len(result.report.txids) for result in results)
    fees = sum(result.report.fees_ustx for result in results)
    typer.echo(f"{counted(txids, 'transaction')}, {fees:,} µSTX fees")


def _day(recording: "Recording") -> tuple[object, ...]:
    recorded = recording.recorded_mask.bit_count()
    return (recording.day, recording.mask.bit_count(), recording.wh, recording.status, recorded)


def _groups(recordings: "Iterable[Recording]") -> list[tuple[object, ...]]:
    by_status: defaultdict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        by_status[str(recording.status)].append(recording)
    return [
        (
            status,
            len(group),
            sum(each.mask.bit_count() for each in group),
            sum(each.wh for each in group),
            min(each.day for each in group),
            max(each.day for each in group),
        )
        for status, group in by_status.items()
    ]


def _remarks(result: _Result, *, estimates: bool) -> "Iterable[str]":
    """Yield why some days are not on the chain, and what of the file was left out."""
    reasons = [recording for recording in result.report.problems if recording.reason]
    for recording in reasons[:_MOST_REASONS]:
        yield f"{recording.day} {recording.status}: {recording.reason}"
    if len(reasons) > _MOST_REASONS:
        yield f"… and {counted(len(reasons) - _MOST_REASONS, 'more day')}: --all-days or --json lists them"
    coverage = result.coverage
    left_out = []
    if coverage.unknown_slots:
        left_out.append(f"{counted(coverage.unknown_slots, 'slot')} of which the file does not know all")
    if coverage.empty_days:
        left_out.append(f"{counted(coverage.empty_days, 'day')} without a complete slot")
    if left_out:
        yield f"left out: {', '.join(left_out)}"
    if coverage.estimated_slots:
        what = "recorded as well" if estimates else "left out; --estimates records them"
        yield f"estimates: {counted(coverage.estimated_slots, 'slot')}, {what}"
    for note in result.plant.series.notes:
        yield f"note: {note}"
    if coverage.reason:
        yield f"nothing to record: {_for_command(coverage.reason)}"


def _for_command(reason: str) -> str:
    from der_client.readings import MeterDataError  # noqa: PLC0415 -- `der --help` stays fast

    return MeterDataError(reason).for_command()
