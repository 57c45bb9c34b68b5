"""Records the plants of a file, some at a time, so that memory does not grow with the fleet."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from der_client.cli.plant_map import Plant
    from der_client.der import Der
    from der_client.readings.coverage import Coverage
    from der_client.readings.signers import Signer
    from der_client.recorder import Recorder, Recording

_PAGE = 30
"""How many assets are read at once."""
_DAYS_AT_ONCE = 1000
"""How many days of plants are recorded together: five transactions of an oracle."""


@dataclass(frozen=True)
class PlantResult:
    """The result of recording a plant's readings.

    Attributes:
        asset: The plant's asset.
        notes: Remarks about its readings.
        coverage: How much of them is known; without the days.
        recordings: The result for each day.
    """

    asset: int
    notes: "tuple[str, ...]"
    coverage: "Coverage"
    recordings: "tuple[Recording, ...]"

    @property
    def problems(self) -> "tuple[Recording, ...]":
        """The days that are not on the chain as given."""
        return tuple(recording for recording in self.recordings if not recording.is_on_chain)


@dataclass(frozen=True)
class Sent:
    """What was sent for some plants.

    Attributes:
        txids: The transactions.
        fees_ustx: Their fees, µSTX.
    """

    txids: tuple[str, ...] = ()
    fees_ustx: int = 0


def record_plants(
    der: "Der",
    recorder: "Recorder",
    plants: "Iterable[Plant]",
    meter_keys: "dict[Path, Signer]",
    *,
    estimates: bool,
) -> "Iterator[tuple[list[PlantResult], Sent]]":
    """Record plants, as many at a time as fill a few transactions.

    Args:
        der: The contracts.
        recorder: The recorder.
        plants: Their readings, one after the other.
        meter_keys: The meters' keys, by their files.
        estimates: Whether estimates count as known.

    Yields:
        The results of some plants, and what was sent for them.

    Raises:
        MeterDataError: If readings are ambiguous, or later than the chain's day; plants before them are recorded.
        InvalidValueError: If there is no such asset.
        NodeError: If the node is down or responds with something else.
    """
    stream = iter(plants)
    waiting: list[tuple[Plant, Coverage]] = []
    days = 0
    while page := list(islice(stream, _PAGE)):
        for plant, coverage in zip(page, _coverages(der, page, estimates=estimates), strict=True):
            waiting.append((plant, coverage))
            days += sum(1 for day in coverage.days if day.mask)
        if days >= _DAYS_AT_ONCE:
            yield _record(recorder, waiting, meter_keys)
            waiting, days = [], 0
    if waiting:
        yield _record(recorder, waiting, meter_keys)


def _coverages(der: "Der", plants: "Sequence[Plant]", *, estimates: bool) -> "Iterator[Coverage]":
    from der_client.readings import MeterDataError, day_at  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.readings.coverage import Coverage  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    assets = der.assets.get_assets([plant.asset for plant in plants])
    today = day_at(der.now())
    for plant, asset in zip(plants, assets, strict=True):
        if asset is None:
            raise InvalidValueError(f"{der.assets.contract_id} has no asset {plant.asset}; 'der plants' lists the ids")
        last = plant.series.end - timedelta(microseconds=1)
        if last.date() > today:
            raise MeterDataError(
                f"the file has readings until {last:%Y-%m-%d %H:%M} UTC, but the chain is at {today}: a year, the "
                "time format or the time zone must be wrong; correct it, or leave them out with `to`"
            )
        yield Coverage.of(plant.series, asset.slot_seconds, estimates=estimates)


def _record(
    recorder: "Recorder", plants: "Sequence[tuple[Plant, Coverage]]", meter_keys: "dict[Path, Signer]"
) -> "tuple[list[PlantResult], Sent]":
    known = [[day for day in coverage.days if day.mask] for _, coverage in plants]
    together = recorder.record(
        (plant.asset, day)
        for (plant, _), days in zip(plants, known, strict=True)
        if plant.meter_key_file is None
        for day in days
    )
    reports = [together]
    of_oracle = iter(together.recordings)
    results = []
    for (plant, coverage), days in zip(plants, known, strict=True):
        if plant.meter_key_file is None:
            recordings = tuple(islice(of_oracle, len(days)))
        else:
            reports.append(recorder.sign_and_relay(plant.asset, days, meter_keys[plant.meter_key_file]))
            recordings = reports[-1].recordings
        results.append(PlantResult(plant.asset, tuple(plant.series.notes), replace(coverage, days=()), recordings))
    txids = tuple(txid for report in reports for txid in report.txids)
    return results, Sent(txids, sum(report.fees_ustx for report in reports))
