"""Adding up the channels or meters of one plant."""

from __future__ import annotations

from dataclasses import replace
from math import lcm
from typing import TYPE_CHECKING

from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import IntervalSeries
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence


def sum_channels(series: Sequence[IntervalSeries]) -> IntervalSeries:
    """Add up the channels or meters of one plant.

    Args:
        series: At least one.

    Returns:
        The intervals that all of them have. The energy of an interval is unknown if it is unknown in any of them. If no
        two channels count at the same time, as with registers of two tariffs, all intervals of all of them.

    Raises:
        InvalidValueError: If there is none.
    """
    if not series:
        raise InvalidValueError("no series to add up: give at least one")
    first, *others = series
    if not others:
        return first
    bounds = [
        dict(zip(zip(each.starts_us, each.ends_us, strict=True), range(len(each.starts_us)), strict=True))
        for each in series
    ]
    common = sorted(bounds[0].keys() & set.intersection(*(set(each) for each in bounds[1:])))
    if not common:
        return _one_after_another(series)
    denominator = lcm(*(each.denominator for each in series))
    energies: list[int | None] = []
    estimated = set()
    for number, interval in enumerate(common):
        parts = [(each, index[interval]) for each, index in zip(series, bounds, strict=True)]
        values = [each.energies[at] for each, at in parts]
        energies.append(
            None
            if None in values
            else sum(
                (value or 0) * (denominator // each.denominator) for value, each in zip(values, series, strict=True)
            )
        )
        if any(at in each.estimated for each, at in parts):
            estimated.add(number)
    left_out = sum(len(each.starts_us) - len(common) for each in series)
    notes = tuple(dict.fromkeys(note for each in series for note in each.notes))
    if left_out:
        notes += (f"{left_out} intervals are not in all of the channels that are added up, so their energy is unknown",)
    return IntervalSeries(
        tuple(start for start, _ in common),
        tuple(end for _, end in common),
        tuple(energies),
        denominator,
        frozenset(estimated),
        first.utc_offset_seconds,
        notes,
    )


def _one_after_another(series: Sequence[IntervalSeries]) -> IntervalSeries:
    """Combine channels of which only one counts at a time."""
    try:
        found = IntervalSeries.from_intervals(interval for each in series for interval in each)
    except MeterDataError as error:
        raise MeterDataError(
            "the channels overlap, but have no interval in common: record each as a plant of its own"
        ) from error
    notes = tuple(dict.fromkeys(note for each in series for note in each.notes))
    own = "the channels never count at the same time: each interval comes from one of them"
    return replace(found, utc_offset_seconds=series[0].utc_offset_seconds, notes=(*notes, own))
