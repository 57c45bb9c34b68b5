"""The measured data that travel with this package; where they come from stands in ``data/README.md``."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from der_client.readings.meter_csv import read_power_csv

if TYPE_CHECKING:
    from der_client.readings.power import PowerSeries

NREL_SERF_EAST_CAPACITY_W = 6000
"""Nominal capacity of the plant of ``nrel_serf_east``, W."""


def nrel_serf_east() -> PowerSeries:
    """Reads 104 days of measured AC power of a roof-top plant of about 6 kW.

    Returns:
        SERF East at NREL in Golden, Colorado, every 15 minutes from 2016-07-01 to 2016-10-13 03:45, local time UTC-7,
        without a gap.
    """
    with as_file(files("der_client.readings") / "data" / "nrel_serf_east_15min_ac_power.csv") as path:
        return read_power_csv(path, time_column="measured_on", value_column="ac_power")
