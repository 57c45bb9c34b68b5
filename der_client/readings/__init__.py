"""Readings: from what a plant measured to what its meter signs.

Files and frames of meter data become series of intervals, those become days of slots, and a meter signs these. Nothing
here talks to a node, so all of it runs on a meter or a gateway; ``der_client.recorder`` brings readings to the chain.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from der_client.readings.days import DayReadings, MeteredDay
from der_client.readings.energy import metered_days
from der_client.readings.errors import MeterDataError
from der_client.readings.intervals import Interval, IntervalSeries, Quality
from der_client.readings.merkle import Leaf, MerkleTree, root_of
from der_client.readings.quantities import Unit
from der_client.readings.sample_data import NREL_SERF_EAST_CAPACITY_W, nrel_serf_east
from der_client.readings.signers import Curve
from der_client.readings.signing import DayMessage, sign_day, sign_key_proof
from der_client.readings.slots import (
    day_at,
    day_end,
    day_start,
    describe_slots,
    full_mask,
    mask_runs,
    mask_slots,
    plausible_limit_wh,
    run_mask,
    slot_at,
    slot_end,
    slot_start,
    slots_mask,
    slots_per_day,
    unix_seconds,
)

if TYPE_CHECKING:
    from der_client.readings.channel_sums import sum_channels
    from der_client.readings.csv_reader import read_table
    from der_client.readings.files import read_channels, read_file
    from der_client.readings.frame import read_frame
    from der_client.readings.table import TableFormat

__all__ = [
    "NREL_SERF_EAST_CAPACITY_W",
    "Curve",
    "DayMessage",
    "DayReadings",
    "Interval",
    "IntervalSeries",
    "Leaf",
    "MerkleTree",
    "MeterDataError",
    "MeteredDay",
    "Quality",
    "TableFormat",
    "Unit",
    "day_at",
    "day_end",
    "day_start",
    "describe_slots",
    "full_mask",
    "mask_runs",
    "mask_slots",
    "metered_days",
    "nrel_serf_east",
    "plausible_limit_wh",
    "read_channels",
    "read_file",
    "read_frame",
    "read_table",
    "root_of",
    "run_mask",
    "sign_day",
    "sign_key_proof",
    "slot_at",
    "slot_end",
    "slot_start",
    "slots_mask",
    "slots_per_day",
    "sum_channels",
    "unix_seconds",
]

_READERS: Final = {
    "TableFormat": "table",
    "read_channels": "files",
    "read_file": "files",
    "read_frame": "frame",
    "read_table": "csv_reader",
    "sum_channels": "channel_sums",
}


def __getattr__(name: str) -> object:
    """Load the readers of files and frames when one is asked for: most programs need only the rules of slots."""
    if name not in _READERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_READERS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return all names, those that are not loaded yet included."""
    return sorted({*globals(), *__all__})
