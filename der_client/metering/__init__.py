"""Metering: from what a plant measured to what the contracts record.

Import of meter data, conversion of power into energy slot by slot, signing by the meter, masks and batches for the
oracle, and planning against what is recorded already. Nothing here talks to a node but the ``recorder``, which is
imported by its own name.
"""

from der_client.metering.batches import MAX_BATCH_ITEMS, ProductionItem, merge_items, split_batches
from der_client.metering.days import (
    day_at,
    day_end,
    day_start,
    slot_at,
    slot_end,
    slot_start,
    slots_per_day,
    unix_seconds,
)
from der_client.metering.energy import metered_days
from der_client.metering.masks import describe_slots, full_mask, mask_runs, mask_slots, run_mask, slots_mask
from der_client.metering.meter_csv import MeterDataError, Unit, read_power_csv
from der_client.metering.planning import Conflict, ConflictingReadingsError, DayPlan, RecordedPart, plan_day
from der_client.metering.power import PowerSeries
from der_client.metering.readings import DayReadings, MeteredDay, plausible_limit_wh
from der_client.metering.sample_data import NREL_SERF_EAST_CAPACITY_W, nrel_serf_east
from der_client.metering.signing import DayMessage, sign_day

__all__ = [
    "MAX_BATCH_ITEMS",
    "NREL_SERF_EAST_CAPACITY_W",
    "Conflict",
    "ConflictingReadingsError",
    "DayMessage",
    "DayPlan",
    "DayReadings",
    "MeterDataError",
    "MeteredDay",
    "PowerSeries",
    "ProductionItem",
    "RecordedPart",
    "Unit",
    "day_at",
    "day_end",
    "day_start",
    "describe_slots",
    "full_mask",
    "mask_runs",
    "mask_slots",
    "merge_items",
    "metered_days",
    "nrel_serf_east",
    "plan_day",
    "plausible_limit_wh",
    "read_power_csv",
    "run_mask",
    "sign_day",
    "slot_at",
    "slot_end",
    "slot_start",
    "slots_mask",
    "slots_per_day",
    "split_batches",
    "unix_seconds",
]
