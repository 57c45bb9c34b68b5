"""Measured data included in this package; ``data/README.md`` names the source."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from importlib.resources import files

from der_client.readings.intervals import IntervalSeries

NREL_SERF_EAST_CAPACITY_W = 6000
"""Nominal capacity of the plant of ``nrel_serf_east``, W."""


def nrel_serf_east() -> IntervalSeries:
    """Read 104 days of measured AC power of a roof-top plant of about 6 kW.

    Returns:
        SERF East at NREL in Golden, Colorado, every 15 minutes from 2016-07-01 to 2016-10-13 03:45, local time UTC-7,
        without a gap.
    """
    path = files("der_client.readings") / "data" / "nrel_serf_east_15min_ac_power.csv"
    with path.open(encoding="utf-8") as file:  # works without extras, since the demo uses it
        rows = csv.DictReader(file)
        return IntervalSeries.from_power(
            ((datetime.fromisoformat(row["measured_on"]), Decimal(row["ac_power"])) for row in rows),
            interval_seconds=900,
        )
