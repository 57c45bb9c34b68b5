"""``der readings``: the proposed format reads the file correctly, and the output names what the user must decide."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.readings import MeterDataError, TableFormat, read_table
from der_client.readings.sniffing import propose_format

SAMPLES = Path(__file__).parents[1] / "readings" / "samples"
RUN = CliRunner()


@pytest.mark.parametrize(
    ("name", "said", "options"),
    [
        ("at_clock_back.csv", "--format apg-smart-meter", []),
        ("au_wide_half_hours.csv", "--format ausgrid-solar-home", []),
        ("us_hour_ending_repeated_hour.csv", "--format ercot-settlement", []),
        ("us_preamble_import_export.csv", "--format pge-interval", []),
        ("us_channels_as_rows.csv", "--format smart-meter-texas", []),
        ("uk_settlement_periods.csv", "--format elexon-settlement-periods", ["--slot-seconds", "1800"]),
        ("register_hourly.csv", "--format home-assistant-history", ["--slot-seconds", "3600"]),
        ("de_dates.csv", 'time_format = "%d.%m.%Y %H:%M:%S"', ["--slot-seconds", "3600", "--time-zone", "+01:00"]),
        ("octopus_export.json", "--format octopus-energy", []),
        ("octopus_export.csv", "--format octopus-energy-csv", []),
        ("tibber_production.json", "--format tibber-production", []),
        ("enphase_telemetry.json", "--format enphase-telemetry", []),
        ("tesla_energy_history.json", "--format tesla-energy-history", []),
        ("solaredge_v2.json", "--format solaredge", []),
        ("enedis_load_curve.csv", "--format enedis-load-curve", []),
        ("datadis.csv", "--format datadis", []),
        ("e_distribucion.csv", "--format e-distribucion", ["--estimates"]),
        ("eu_time_ranges.csv", 'values = "Solar - Actual Aggregated [MW]"', []),
        ("sums_below.csv", 'skip_rows = ["Anzahl", "Summe"]', ["--time-zone", "Europe/Berlin"]),
        ("quoted_as_formulas.csv", 'values = "Einspeisung kWh"', []),
        ("step_changes_10_to_1_min.csv", 'time_zone = "UTC"', ["--until-next"]),
        ("register.csv", 'kind = "register"', ["--time-zone", "Europe/Amsterdam"]),
        ("watt_seconds.csv", 'values = "Energy [Ws]"', []),
        ("dual_tariff.csv", "other columns that may be meant: 'T2 kWh'; check --values", ["--slot-seconds", "3600"]),
        ("five_minute_power.csv", 'values = "solar_power"', ["--time-zone", "-07:00", "--unit", "W"]),
        (
            "step_changes_30_to_15_min.csv",
            "until_next = true",
            ["--unit", "kWh", "--until-next"],
        ),
        (
            "us_negative_is_export.csv",
            "many readings are negative: check --sign",
            ["--unit", "kWh", "--time-zone", "-07:00", "--slot-seconds", "3600"],
        ),
    ],
)
def test_the_proposed_format_reads_the_file(name: str, said: str, options: list[str]) -> None:
    done = RUN.invoke(app, ["readings", "inspect", str(SAMPLES / name), *options])
    assert done.exit_code == 0, done.output
    assert said in done.output
    assert " Wh" in done.output
    assert "slots of " in done.output
    assert max(map(len, done.output.splitlines())) <= 160


def test_bars_show_a_day_with_unknown_slots(tmp_path: Path) -> None:
    rows = "".join(f"2026-06-01T{hour:02d}:00Z,{hour * 100 if hour != 5 else ''}\n" for hour in range(24))
    path = tmp_path / "day.csv"
    path.write_text("t,solar Wh\n" + rows)
    done = RUN.invoke(
        app, ["readings", "inspect", str(path), "--slot-seconds", "3600", "--allow-rising", "--kind", "energy"]
    )
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("2026-06-01 ")]
    assert line.split()[1] == "▁▁▁▂▂·▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███"
    assert line.endswith("27,100 Wh")
    assert "slots of 3600 s: 23 known, 1 unknown" in done.output
    assert 'nulls = "unknown"' in done.output


def test_a_format_is_proposed_for_an_unknown_json_layout(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(
        '{"other": [{"a": 1}], "data": {"rows": [{"at": "2026-06-01T10:00Z", "pv": {"kWh": 1}},'
        '{"at": "2026-06-01T10:15Z", "pv": {"kWh": 2}}]}}'
    )
    done = RUN.invoke(app, ["readings", "inspect", str(path)])
    assert done.exit_code == 0, done.output
    assert 'time = "at"\nvalues = "pv.kWh"\nrecords = "data.rows"\n' in done.output
    assert "other lists of records: other; check --records" in done.output
    assert "2 intervals" in done.output


def test_a_file_without_recordable_intervals_exits_with_4(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["readings", "inspect", str(SAMPLES / "register_irregular.csv")])
    assert done.exit_code == 4
    assert "no interval begins or ends with a slot" in done.output


def test_channels_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    half_hours = ",".join(["0.5"] * 48)
    record = f"300,20260701,{half_hours},A,,,20260702000000,20260702000000\n"
    channels = "".join(f"200,6123456789,E1B1,{name},{name},N1,M,KWH,30,\n{record}" for name in ("B1", "E1"))
    path.write_text(f"100,NEM12,202607010000,A,B\n{channels}900\n")
    done = RUN.invoke(app, ["readings", "inspect", str(path)])
    assert "--format nem12" in done.output
    assert "channel '6123456789 B1': 48 intervals, 2026-06-30 to 2026-07-01, 24,000 Wh" in done.output
    assert "Pick one with --channel" in done.output
    one = RUN.invoke(app, ["readings", "inspect", str(path), "--channel", "6123456789 B1", "--slot-seconds", "1800"])
    assert "slots of 1800 s: 48 known, 0 unknown" in one.output


def test_a_proposed_format_can_be_saved_and_used(tmp_path: Path) -> None:
    sample = SAMPLES / "de_dates.csv"
    proposal = propose_format(sample)
    assert isinstance(proposal.form, TableFormat)
    path = tmp_path / "own.toml"
    path.write_text(proposal.form.to_toml() + 'time_zone = "Europe/Berlin"\n')
    assert read_table(sample, TableFormat.from_toml(path)).wh == 88


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "the file is empty"),
        (b"\x1f\x8b\x08\0\0\0", "compressed with gzip"),
        (b"just some words\nand more of them\n", "does not look like a table"),
        (b"a,b\nx,y\nz,w\n", "no header row was found"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "no column of times was found; there are: 'a', 'b', 'c'"),
        (b"time,what\n2026-06-01T10:00Z,on\n2026-06-01T10:15Z,off\n", "no header row|no column of readings"),
    ],
)
def test_files_that_do_not_look_like_readings_are_rejected(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(data)
    with pytest.raises(MeterDataError, match=told):
        propose_format(path)


def test_the_known_formats_are_listed() -> None:
    done = RUN.invoke(app, ["readings", "formats"])
    assert done.exit_code == 0
    for name in ("green-button", "nem12", "ercot-settlement", "home-assistant-history"):
        assert name in done.output


def _day(cells: dict[int, str] | None = None, head: str = "time,kWh") -> str:
    rows = [f"2026-06-01T{slot // 4:02}:{slot % 4 * 15:02}Z,0.1" for slot in range(96)]
    for slot, row in (cells or {}).items():
        rows[slot] = row
    return "\n".join([head, *rows]) + "\n"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (_day({40: "2026-06-01T10:00Z,abc"}), [], "line 42, column 'kWh', value 'abc'"),
        (_day({40: "2026-06-01T1000Z,0.1"}), [], "line 42, column 'time', value '2026-06-01T1000Z'"),
        (_day({95: "2026-06-01T23:4"}), [], "the row is short: it has 1 cell,"),
        ("time,kWh\n2026-06-01T00:00Z,0,25\n2026-06-01T00:15Z,0,25\n", [], "the rows have 3 cells, the header row 2"),
        ("time,kWh\n", [], "the file has a header row and no readings"),
        (_day(), ["--from", "2026-06-05"], "no reading is between --from and --to; the file has 2026-06-01 to"),
        (_day(), ["--to", "2026-05-31"], "no reading is between --from and --to; the file has 2026-06-01 to"),
        (_day(), ["--from", "01.06.2026"], "--from is '01.06.2026': expected a day such as 2026-06-01"),
        (_day(), ["--format", "nope.toml"], "error: --format: nope.toml cannot be read: No such file or directory"),
    ],
)
def test_mistakes_are_named_where_they_are(tmp_path: Path, text: str, options: list[str], words: str) -> None:
    path = tmp_path / "day.csv"
    path.write_text(text)
    done = RUN.invoke(app, ["readings", "inspect", str(path), *options])
    assert done.exit_code == 1, done.output
    assert words in done.output


def test_advice_to_give_an_option_that_was_given_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text(_day().replace("Z,", ","))
    assert "give --time-zone" in RUN.invoke(app, ["readings", "inspect", str(path)]).output
    done = RUN.invoke(app, ["readings", "inspect", str(path), "--time-zone", "UTC", "--unit", "KWH"])
    assert "#" not in done.output
    assert "96 intervals, 2026-06-01, 9,600 Wh" in done.output


def test_daily_readings_are_not_advised_to_use_longer_slots(tmp_path: Path) -> None:
    path = tmp_path / "month.csv"
    path.write_text("time,kWh\n" + "".join(f"2026-06-{day:02}T00:00Z,{day % 3}\n" for day in range(1, 20)))
    done = RUN.invoke(app, ["readings", "inspect", str(path)])
    assert done.exit_code == 4
    assert "export finer data" in done.output
    assert "longer slots" not in done.output


def test_help_shows_the_options_in_full_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in (["readings", "inspect"], ["record"]):
        shown = RUN.invoke(app, [*command, "-h"]).output
        for option in ("--ambiguous-column", "--interval-seconds", "--no-allow-rising"):
            assert f"{option} " in shown
    assert "[[plant]]" in shown
