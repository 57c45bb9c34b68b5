"""The bundled real data, compared with values computed here from the file's text alone."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files

from der_client.readings import NREL_SERF_EAST_CAPACITY_W, full_mask, metered_days, nrel_serf_east

FIRST_DAY = date(2026, 12, 1)
CSV = files("der_client.readings") / "data" / "nrel_serf_east_15min_ac_power.csv"


def quarter_watts_by_date() -> dict[str, list[Decimal]]:
    days: dict[str, list[Decimal]] = defaultdict(list)
    for row in list(csv.reader(CSV.read_text().splitlines()))[1:]:
        if row:
            days[row[0][:10]].append(max(Decimal(row[1]), Decimal(0)))
    return days


def test_the_file_is_the_published_file_with_its_licence() -> None:
    assert sha256(CSV.read_bytes()).hexdigest() == "b7e28c4a1004fd4a3fdb838241f178e6cbe10dc4a9d4ea054a076dd503836bee"
    readme = (files("der_client.readings") / "data" / "README.md").read_text()
    assert "Alliance for Sustainable Energy" in readme
    assert "WITHOUT WARRANTY OF ANY KIND" in readme


def test_every_day_has_the_energy_of_its_rows() -> None:
    expected = [int(sum(watts) / 4) for watts in quarter_watts_by_date().values()]
    days = list(metered_days(nrel_serf_east().starting_on_day(FIRST_DAY), slot_seconds=900))
    assert [day.wh for day in days] == expected
    assert [day.day for day in days] == [FIRST_DAY + timedelta(days=count) for count in range(105)]


def test_the_totals_are_known() -> None:
    series = nrel_serf_east()
    assert len(series) == 10_000
    assert series.ends_us[:-1] == series.starts_us[1:]
    days = list(metered_days(series.starting_on_day(FIRST_DAY), slot_seconds=900))
    assert [day.wh for day in days[:3]] == [16_400, 20_255, 27_725]
    assert sum(day.wh for day in days) == 2_941_851
    assert all(day.is_complete for day in days[:-1])
    assert days[-1].mask == 0xFFFF
    for day in days:
        day.check_plausible(NREL_SERF_EAST_CAPACITY_W)


def test_without_shifting_the_days_are_utc_days() -> None:
    days = list(metered_days(nrel_serf_east(), slot_seconds=900))
    assert days[0].missing_mask == full_mask(900) >> 68  # local midnight is 07:00 UTC, slot 28
    assert sum(day.wh for day in days) <= 2_941_851 + 105


def test_energy_is_scaled_in_proportion_to_the_capacity() -> None:
    series = nrel_serf_east().starting_on_day(FIRST_DAY)
    scaled = series.scaled(from_capacity_w=6000, to_capacity_w=250_000)
    first = next(metered_days(scaled, slot_seconds=900))
    watts = next(iter(quarter_watts_by_date().values()))
    assert first.wh == int(sum(watts) / 4 * 250_000 / 6000)
    first.check_plausible(250_000)
