"""Small files in the form of public exports: each has exactly the right energy, or an error with the right advice."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from der_client.readings import MeterDataError, metered_days, read_file
from der_client.readings.table import ready_made_formats

SAMPLES = Path(__file__).parent / "samples"

PREAMBLE_NEGATIVE = {
    "time": ["Date", "Start Time"],
    "time_format": "%m/%d/%Y %I:%M:%S %p",
    "values": "Consumed",
    "unit": "kWh",
    "time_zone": "America/Los_Angeles",
}
GERMAN = {"time": "Zeit", "values": "Einspeisung kWh", "delimiter": ";", "decimal": ","}
REGISTER = {"time": "time", "values": "Export kWh", "kind": "register", "time_zone": "Europe/Amsterdam"}


def known(name: str, form: str | None, slot_seconds: int, options: Mapping[str, Any]) -> dict[date, dict[int, int]]:
    series = read_file(SAMPLES / name, form, **options)
    days = metered_days(series, slot_seconds=slot_seconds, estimates=True)
    return {day.day: {slot: wh for slot, wh in enumerate(day.wh_by_slot) if wh is not None} for day in days if day.mask}


@pytest.mark.parametrize(
    ("name", "form", "options", "slot_seconds", "right"),
    [
        (
            "step_changes_30_to_15_min.csv",
            None,
            {"unit": "kWh", "until_next": True},
            900,
            {date(2026, 6, 1): {46: 500, 47: 500}},
        ),
        (
            "step_changes_30_to_15_min.csv",
            None,
            {"unit": "kWh", "until_next": True, "last_row": "as-before"},
            900,
            {date(2026, 6, 1): {46: 500, 47: 500, 48: 500}},
        ),
        (
            "step_changes_30_to_15_min.csv",
            None,
            {"unit": "kWh", "until_next": True},
            1800,
            {date(2026, 6, 1): {20: 1000, 21: 1000, 22: 1000, 23: 1000}},
        ),
        (
            "step_changes_10_to_1_min.csv",
            None,
            {"time_zone": "UTC", "until_next": True},
            1800,
            {date(2025, 5, 18): {47: 30}},
        ),
        ("step_changes_10_to_1_min.csv", None, {"time_zone": "UTC", "until_next": True}, 900, {}),
        ("register.csv", None, REGISTER, 900, {date(2025, 6, 24): {74: 11, 75: 1, 76: 0, 77: 32, 78: 60, 79: 107}}),
        ("register_hourly.csv", "home-assistant-history", {}, 3600, {date(2025, 6, 1): {10: 110}}),
        ("register_irregular.csv", "home-assistant-history", {}, 900, {}),
        (
            "dual_tariff.csv",
            None,
            {"time": "Hour", "values": ["T1 kWh", "T2 kWh"]},
            3600,
            {date(2024, 6, 28): {20: 250, 21: 100}},
        ),
        (
            "at_clock_back.csv",
            "apg-smart-meter",
            {"end_time": ()},
            900,
            {
                date(2022, 10, 29): {95: 20},
                date(2022, 10, 30): {0: 10, 1: 10, 2: 10, 3: 10, 4: 20, 5: 30, 6: 30, 7: 30, 8: 30, 9: 20},
            },
        ),
        (
            "at_clock_back.csv",
            "apg-smart-meter",
            {},
            900,
            {
                date(2022, 10, 29): {95: 20},
                date(2022, 10, 30): {0: 10, 1: 10, 2: 10, 3: 10, 4: 20, 5: 30, 6: 30, 7: 30, 8: 30, 9: 20},
            },
        ),
        (
            "at_clock_forward_end_stamped.csv",
            "apg-smart-meter",
            {"time": "Datum bis", "end_time": (), "stamped": "end"},
            900,
            {date(2022, 3, 27): {2: 10, 3: 20, 4: 30}},
        ),
        ("at_clock_forward_end_stamped.csv", "apg-smart-meter", {}, 900, {date(2022, 3, 27): {2: 10, 3: 20, 4: 30}}),
        (
            "au_wide_half_hours.csv",
            "ausgrid-solar-home",
            {},
            1800,
            {
                date(2012, 6, 30): dict.fromkeys(range(28, 48), 0),
                date(2012, 7, 1): dict.fromkeys(range(28), 0) | {3: 500, 4: 600},
            },
        ),
        ("us_channels_as_rows.csv", "smart-meter-texas", {}, 900, {date(2025, 7, 1): {68: 700, 69: 1250}}),
        ("us_preamble_import_export.csv", "pge-interval", {}, 900, {date(2026, 7, 6): {76: 310, 77: 0, 78: 280}}),
        (
            "us_negative_is_export.csv",
            None,
            PREAMBLE_NEGATIVE | {"sign": "negative"},
            3600,
            {date(2024, 9, 4): {14: 0, 15: 221, 16: 572}},
        ),
        ("uk_null_row.csv", "london-smart-meters", {}, 1800, {date(2012, 12, 18): {29: 250, 30: 260, 31: 270}}),
        (
            "uk_settlement_periods.csv",
            "elexon-settlement-periods",
            {},
            1800,
            {date(2025, 10, 26): {46: 12_500_000, 47: 12_000_000}},
        ),
        (
            "us_hour_ending_repeated_hour.csv",
            "ercot-settlement",
            {},
            900,
            {date(2023, 11, 5): {24: 400_000, 25: 400_000, 28: 500_000}},
        ),
        (
            "eu_time_ranges.csv",
            "entsoe-generation",
            {"values": "Solar - Actual Aggregated [MW]", "time_zone": "Europe/Berlin"},
            900,
            {date(2025, 6, 1): {40: 10_000_000}},
        ),
        (
            "de_dates.csv",
            None,
            {"delimiter": ";", "time_format": "%d.%m.%Y %H:%M:%S", "time_zone": "Europe/Berlin"},
            3600,
            {date(2024, 1, 1): {11: 45, 12: 43}},
        ),
        (
            "five_minute_power.csv",
            None,
            {"time": "timestamp", "values": "solar_power", "unit": "W", "time_zone": "America/Los_Angeles"},
            900,
            {date(2023, 5, 23): {76: 800}},
        ),
        ("watt_seconds.csv", None, {}, 900, {date(2026, 6, 1): {40: 250}}),
        ("octopus_export.json", "octopus-energy", {}, 1800, {date(2026, 6, 1): {20: 0, 21: 125, 22: 250}}),
        ("octopus_export.csv", "octopus-energy-csv", {}, 1800, {date(2025, 10, 26): {1: 108, 2: 127, 4: 300}}),
        ("tibber_production.json", "tibber-production", {}, 3600, {date(2026, 6, 1): {10: 1500, 12: 750}}),
        ("enphase_telemetry.json", "enphase-telemetry", {}, 900, {date(2026, 6, 1): {40: 780, 41: 835}}),
        ("tesla_energy_history.json", "tesla-energy-history", {}, 900, {date(2026, 6, 1): {40: 312, 41: 210}}),
        ("solaredge_v2.json", "solaredge", {}, 900, {date(2026, 6, 1): {40: 327, 42: 12}}),
        ("enedis_load_curve.csv", "enedis-load-curve", {}, 1800, {date(2026, 6, 1): {20: 600, 22: 300}}),
        ("datadis.csv", "datadis", {}, 3600, {date(2025, 1, 1): {10: 1500, 11: 2500}}),
        (
            "e_distribucion.csv",
            "e-distribucion",
            {},
            3600,
            {date(2025, 10, 25): {23: 20}, date(2025, 10, 26): {0: 30, 1: 40, 22: 250}},
        ),
        (
            "sums_below.csv",
            None,
            GERMAN | {"skip_rows": ["Summe", "Anzahl"], "time_format": "%d.%m.%Y %H:%M", "time_zone": "Europe/Berlin"},
            900,
            {date(2026, 6, 1): {40: 500, 41: 250}},
        ),
        ("quoted_as_formulas.csv", None, GERMAN, 900, {date(2026, 6, 1): {40: 500, 41: 250}}),
        (
            "midnight_24.csv",
            None,
            {"unit": "W", "delimiter": ";"},
            900,
            {date(2026, 6, 1): {95: 25}, date(2026, 6, 2): {0: 25}},
        ),
        (
            "duplicate_row.csv",
            None,
            {"unit": "W", "duplicates": "equal-once"},
            900,
            {date(2026, 6, 1): {40: 1, 41: 1, 42: 2}},
        ),
    ],
)
def test_each_sample_has_its_right_energy(
    name: str, form: str | None, options: dict[str, Any], slot_seconds: int, right: dict[date, dict[int, int]]
) -> None:
    assert known(name, form, slot_seconds, options) == right


@pytest.mark.parametrize(
    ("name", "form", "options", "told"),
    [
        ("step_changes_30_to_15_min.csv", None, {"unit": "kWh"}, ["line 6", "900 s after line 5", "--until-next"]),
        ("step_changes_10_to_1_min.csv", None, {"time_zone": "UTC"}, ["line 6", "60 s after line 5", "--until-next"]),
        ("step_changes_10_to_1_min.csv", None, {}, ["line 2", "--time-zone"]),
        ("register.csv", None, REGISTER | {"kind": "energy"}, ["only grow", "--kind register"]),
        ("register.csv", None, {"time": "time", "time_zone": "UTC"}, ["name --values", "'Import kWh', 'Export kWh'"]),
        (
            "register_irregular.csv",
            "home-assistant-history",
            {"null_words": "", "kind": "energy"},
            ["line 3", "'unavailable'", "--null-words"],
        ),
        ("dual_tariff.csv", None, {"time": "Hour", "values": "T3 kWh"}, ["'T3 kWh'", "'T1 kWh', 'T2 kWh'"]),
        (
            "at_clock_back.csv",
            "apg-smart-meter",
            {"ambiguous": "error"},
            ["line 3", "'30.10.2022 02:00'", "is repeated", "--ambiguous order"],
        ),
        ("at_clock_back.csv", "apg-smart-meter", {"time_format": "iso"}, ["line 2", "--time-format"]),
        ("at_clock_back.csv", "apg-smart-meter", {"decimal": "."}, ["line 2", "'0,020'", "--decimal ,"]),
        ("at_clock_back.csv", "apg-smart-meter", {"delimiter": "\t"}, ["'Datum von'", "--delimiter"]),
        (
            "at_clock_forward_end_stamped.csv",
            "apg-smart-meter",
            {"time": "Datum bis", "end_time": ()},
            ["line 3", "'27.03.2022 02:00'", "does not exist", "--stamped end", "as +01:00"],
        ),
        ("au_wide_half_hours.csv", "ausgrid-solar-home", {"time_format": "%m/%d/%y"}, ["line 3", "--time-format"]),
        (
            "us_channels_as_rows.csv",
            "smart-meter-texas",
            {"where": {}},
            ["line 4", "line 3", "'Consumption', 'Surplus Generation'", "--where CONSUMPTION_SURPLUSGENERATION="],
        ),
        (
            "us_channels_as_rows.csv",
            "smart-meter-texas",
            {"where": {"CONSUMPTION_SURPLUSGENERATION": "Export"}},
            ["'Consumption', 'Surplus Generation'", "--where"],
        ),
        ("us_preamble_import_export.csv", "pge-interval", {"values": "EXPORT"}, ["'EXPORT'", "'EXPORT (kWh)'"]),
        ("us_negative_is_export.csv", None, PREAMBLE_NEGATIVE, ["negative", "--sign negative", "--sign positive"]),
        (
            "us_negative_is_export.csv",
            None,
            PREAMBLE_NEGATIVE | {"time_format": "%m/%d/%Y %H:%M:%S"},
            ["line 4", "'09/04/2024 07:00:00 AM'", "--time-format"],
        ),
        ("uk_null_row.csv", "london-smart-meters", {"nulls": "error"}, ["line 4", "'Null'", "--nulls skip"]),
        ("uk_null_row.csv", "london-smart-meters", {"nulls": "unknown"}, ["line 4", "821 s", "--nulls skip"]),
        (
            "uk_settlement_periods.csv",
            "elexon-settlement-periods",
            {"time_zone": "UTC"},
            ["line 2", "'49'", "--period-minutes"],
        ),
        (
            "us_hour_ending_repeated_hour.csv",
            "ercot-settlement",
            {"ambiguous": "error"},
            ["line 2", "is repeated", "--ambiguous flag"],
        ),
        ("eu_time_ranges.csv", "entsoe-generation", {}, ["name --values", "'Solar - Actual Aggregated [MW]'"]),
        (
            "eu_time_ranges.csv",
            "entsoe-generation",
            {"values": "Solar - Actual Aggregated [MW]", "range_separator": " to "},
            ["line 2", "--range-separator"],
        ),
        ("de_dates.csv", None, {"delimiter": ";", "time_zone": "Europe/Berlin"}, ["line 2", "--time-format"]),
        ("de_dates.csv", None, {"delimiter": ";", "time_format": "%d.%m.%Y %H:%M:%S"}, ["line 2", "--time-zone"]),
        ("five_minute_power.csv", None, {"unit": "W"}, ["name --time and --values", "'solar_power'"]),
        ("watt_seconds.csv", None, {"unit": "Wh"}, ["'Energy [Ws]'", "--unit Ws", "--no-unit-check"]),
        ("midnight_24.csv", None, {"delimiter": ";"}, ["--unit"]),
        ("midnight_24.csv", None, {"unit": "W"}, ["--delimiter"]),
        ("duplicate_row.csv", None, {"unit": "W"}, ["line 4", "line 3", "--duplicates equal-once"]),
    ],
)
def test_the_error_for_an_obviously_wrong_option_names_the_right_one(
    name: str, form: str | None, options: dict[str, Any], told: list[str]
) -> None:
    with pytest.raises(MeterDataError) as caught:
        known(name, form, 900, options)
    message = caught.value.for_command()
    for words in told:
        assert words in message
    assert "\n" not in message


def test_every_ready_made_format_has_a_sample() -> None:
    marks = test_each_sample_has_its_right_energy.pytestmark
    tried = {row[1] for mark in marks for row in mark.args[1]}
    assert set(ready_made_formats()) - tried == set()
