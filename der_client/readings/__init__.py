"""Readings: from what a plant measured to what its meter signs.

Import of meter data, conversion of power into energy slot by slot, days and masks, signing by the meter. Nothing here
talks to a node, so all of it runs on a meter or a gateway; ``der_client.recorder`` brings readings to the chain.
"""

from der_client.readings.days import DayReadings, MeteredDay, plausible_limit_wh
from der_client.readings.energy import metered_days
from der_client.readings.masks import describe_slots, full_mask, mask_runs, mask_slots, run_mask, slots_mask
from der_client.readings.meter_csv import MeterDataError, Unit, read_power_csv
from der_client.readings.meter_keys import Curve, MeterKey, raw_signature
from der_client.readings.power import PowerSeries
from der_client.readings.sample_data import NREL_SERF_EAST_CAPACITY_W, nrel_serf_east
from der_client.readings.signing import DayMessage, prove_key, sign_day
from der_client.readings.slots import (
    day_at,
    day_end,
    day_start,
    slot_at,
    slot_end,
    slot_start,
    slots_per_day,
    unix_seconds,
)

__all__ = [
    "NREL_SERF_EAST_CAPACITY_W",
    "Curve",
    "DayMessage",
    "DayReadings",
    "MeterDataError",
    "MeterKey",
    "MeteredDay",
    "PowerSeries",
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
    "prove_key",
    "raw_signature",
    "read_power_csv",
    "run_mask",
    "sign_day",
    "slot_at",
    "slot_end",
    "slot_start",
    "slots_mask",
    "slots_per_day",
    "unix_seconds",
]
