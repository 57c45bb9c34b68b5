"""Import of meter CSV: what it reads exactly, and how it refuses what it cannot."""

import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import MeterDataError, PowerSeries, Unit, metered_days, read_power_csv
from der_client.stacks.errors import InvalidValueError

HEAD = "measured_on,ac_power\n"
T = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp())


def read(rows: str, **options: Any) -> PowerSeries:
    return read_power_csv(io.StringIO(HEAD + rows), **options)


def refused(rows: str, **options: Any) -> MeterDataError:
    with pytest.raises(MeterDataError) as caught:
        read(rows, **options)
    return caught.value


def exact(series: PowerSeries) -> list[Fraction]:
    return [Fraction(power, series.denominator) for power in series.power]


def test_a_plain_file_from_path_stream_and_lines(tmp_path: Path) -> None:
    text = HEAD + "2025-06-01T00:00:00+00:00,-2.8601\n2025-06-01T00:15:00Z,5426.4\n\n\n"
    path = tmp_path / "meter data.csv"
    path.write_text("\ufeff" + text, encoding="utf-8")
    expected = PowerSeries(900, (T, T + 900), (-28601, 54264000), 10000)
    for source in (path, str(path), io.StringIO(text), text.splitlines()):
        series = read_power_csv(source)
        assert exact(series) == exact(expected)
        assert (series.interval_seconds, series.times, series.utc_offset_seconds) == (900, (T, T + 900), 0)
    assert read_power_csv(path, time_column="measured_on", value_column="ac_power").times == expected.times


@given(st.lists(st.decimals(-(10**9), 10**9, allow_nan=False, places=6), min_size=2, max_size=50))
def test_what_was_written_is_read(watts: list[Decimal]) -> None:
    begin = datetime(2025, 6, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    rows = (f"{begin + timedelta(minutes=5) * index},{power}\n" for index, power in enumerate(watts))
    series = read("".join(rows))
    assert exact(series) == [Fraction(power) for power in watts]
    assert series.interval_seconds == 300
    assert series.utc_offset_seconds == 19800


@pytest.mark.parametrize(
    ("unit", "text", "watts"),
    [
        (Unit.W, "1234.5", Fraction("1234.5")),
        (Unit.KW, "1.2345", Fraction("1234.5")),
        (Unit.WH, "7", Fraction(28)),
        (Unit.KWH, ".007", Fraction(28)),
        (Unit.W, "1.5e3", Fraction(1500)),
        (Unit.W, "1.2345678901234567e-05", Fraction("1.2345678901234567e-05")),
    ],
)
def test_units_and_number_forms(unit: Unit, text: str, watts: Fraction) -> None:
    assert exact(read(f"2025-06-01T00:00Z,{text}\n2025-06-01T00:15Z,0\n", unit=unit))[0] == watts


@given(st.lists(st.integers(0, 10**6), min_size=96, max_size=96))
def test_energy_per_slot_comes_out_as_it_went_in(whs: list[int]) -> None:
    begin = datetime(2025, 6, 1, tzinfo=UTC)
    rows = "".join(f"{begin + timedelta(minutes=15) * slot},{wh}\n" for slot, wh in enumerate(whs))
    (day,) = metered_days(read(rows, unit=Unit.WH), slot_seconds=900)
    assert day.wh_by_slot == tuple(whs)


def test_columns_are_chosen_by_name() -> None:
    text = 'id;stamp;"power, total"\n7;2025-06-01T00:00Z;5\n7;2025-06-01T01:00Z;6\n'
    series = read_power_csv(io.StringIO(text), time_column="stamp", value_column="power, total", delimiter=";")
    assert exact(series) == [5, 6]
    for columns in (dict[str, Any](), {"time_column": "stamp"}):
        with pytest.raises(MeterDataError, match="'id', 'stamp', 'power, total'"):
            read_power_csv(io.StringIO(text), delimiter=";", **columns)
    with pytest.raises(MeterDataError, match=r"'stomp'.*is not in the file") as caught:
        read_power_csv(io.StringIO(text), time_column="stomp", value_column="id", delimiter=";")
    assert (caught.value.line, caught.value.column) == (1, "stomp")
    with pytest.raises(MeterDataError, match="more than once"):
        read_power_csv(io.StringIO("a,a\n"), time_column="a", value_column="a")


def test_any_one_character_separates_columns_and_nothing_else() -> None:
    text = "time\tpower\n2025-06-01T00:00Z\t5\n2025-06-01T01:00Z\t6\n"
    assert exact(read_power_csv(io.StringIO(text), delimiter="\t")) == [5, 6]
    for delimiter in ("", "\\t", "||", '"', "\n", "\r"):
        with pytest.raises(MeterDataError, match="give one character"):
            read_power_csv(io.StringIO(text), delimiter=delimiter)


def test_stamps_at_the_end_of_the_interval() -> None:
    rows = "2025-06-01T00:15Z,1\n2025-06-01T00:30Z,2\n"
    assert read(rows, stamped="end").times == (T, T + 900)
    assert read(rows, stamped="start").times == (T + 900, T + 1800)
    midnight = read("2025-06-02T00:00+02:00,1\n", stamped="end", interval_seconds=900)
    assert midnight.starting_on_day(date(1970, 1, 11)).times == (10 * 86400 + 95 * 900,)


def test_absent_rows_are_gaps() -> None:
    series = read("2025-06-01T00:00Z,4\n2025-06-01T00:15Z,4\n2025-06-01T01:00Z,4\n")
    assert series.gap_count == 2
    (day,) = metered_days(series, slot_seconds=900)
    assert day.wh_by_slot[:6] == (1, 1, None, None, 1, None)


@pytest.mark.parametrize("cell", ["", " ", "NaN", "nan"])
def test_empty_cells_are_errors_or_gaps_as_asked(cell: str) -> None:
    rows = f"2025-06-01T00:00Z,4\n2025-06-01T00:15Z,{cell}\n2025-06-01T00:30Z,4\n"
    error = refused(rows)
    assert (error.line, error.column, error.value) == (3, "ac_power", cell.strip())
    assert read(rows, empty_cells="gap").times == (T, T + 1800)
    assert read(rows, empty_cells="gap").interval_seconds == 900


@pytest.mark.parametrize("cell", ["n/a", "1 000", "1_000", "٣", "0x10", "inf", "-", "1e9999", "--1", "1.2.3", "1e"])
def test_cells_that_are_no_number_are_refused(cell: str) -> None:
    error = refused(f"2025-06-01T00:00Z,1\n2025-06-01T00:15Z,{cell}\n")
    assert (error.line, error.column, error.value) == (3, "ac_power", cell)
    assert repr(cell) in str(error)


def test_numbers_beyond_sense_are_refused() -> None:
    assert "check the unit" in str(refused("2025-06-01T00:00Z,1e14\n", interval_seconds=900))
    assert "check the unit" in str(refused("2025-06-01T00:00Z,1e999\n", interval_seconds=900))
    assert "decimals" in str(refused("2025-06-01T00:00Z,1e-41\n", interval_seconds=900))
    assert refused(f"2025-06-01T00:00Z,{'9' * 5000}\n", interval_seconds=900).value == "9" * 60 + "…"


@pytest.mark.parametrize("stamp", ["yesterday", "2025-13-01T00:00Z", "01/06/2025 00:15", "", "2025-06-01T24:30Z"])
def test_cells_that_are_no_timestamp_are_refused(stamp: str) -> None:
    error = refused(f"2025-06-01T00:00Z,1\n{stamp},1\n")
    assert (error.line, error.column, error.value) == (3, "measured_on", stamp)


def test_fractions_of_a_second_are_refused() -> None:
    assert "fraction" in str(refused("2025-06-01T00:00:00.5Z,1\n", interval_seconds=900))


def test_timestamps_must_ascend_in_step() -> None:
    first = "2025-06-01T00:15Z,1\n2025-06-01T00:30Z,1\n"
    twice = refused(first + "2025-06-01T02:30+02:00,1\n")
    assert (twice.line, twice.column, twice.value) == (4, "measured_on", "2025-06-01T02:30+02:00")
    assert "repeats that of line 3" in str(twice)
    back = refused(first + "2025-06-01T00:00Z,1\n")
    assert back.line == 4
    assert "goes back behind line 3" in str(back)
    odd = refused(first + "2025-06-01T00:55Z,1\n")
    assert odd.line == 4
    assert "1500 s after line 3, no multiple of the interval of 900 s" in str(odd)


def test_local_times_need_a_zone() -> None:
    rows = "2025-06-01 00:00:00,1\n2025-06-01 00:15:00,1\n"
    error = refused(rows)
    assert error.line == 2
    assert "time_zone" in str(error)
    series = read(rows, time_zone=ZoneInfo("America/Denver"))
    assert series.times[0] == T + 6 * 3600
    assert series.utc_offset_seconds == -6 * 3600


def test_the_hours_that_clock_changes_repeat_or_skip_are_refused() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    twice = refused("2025-10-26 01:45,1\n2025-10-26 02:00,1\n", time_zone=berlin)
    assert (twice.line, twice.value) == (3, "2025-10-26 02:00")
    assert "happens twice" in str(twice)
    never = refused("2025-03-30 01:45,1\n2025-03-30 02:00,1\n", time_zone=berlin)
    assert "does not exist" in str(never)
    fixed = timezone(timedelta(hours=1))
    assert read("2025-10-26 01:45,1\n2025-10-26 02:00,1\n", time_zone=fixed).interval_seconds == 900


def test_offsets_that_change_with_the_clock_are_followed() -> None:
    rows = "2025-10-26T02:45+02:00,1\n2025-10-26T02:00+01:00,1\n2025-10-26T02:15+01:00,1\n"
    assert read(rows).gap_count == 0
    spring = "2025-03-30T01:45+01:00,1\n2025-03-30T03:00+02:00,1\n"
    assert read(spring).interval_seconds == 900


def test_rows_of_another_width_are_refused() -> None:
    error = refused("2025-06-01T00:00Z,1,5\n")  # a decimal comma
    assert (error.line, error.value) == (2, "2025-06-01T00:00Z,1,5")
    assert "decimal point" in str(error)
    assert refused("2025-06-01T00:00Z\n").line == 2


def test_files_without_readings_are_refused() -> None:
    for text in ("", HEAD, HEAD + "\n"):
        with pytest.raises(MeterDataError):
            read_power_csv(io.StringIO(text), interval_seconds=900)
    assert "give interval_seconds" in str(refused("2025-06-01T00:00Z,1\n"))
    assert "no reading" in str(refused("2025-06-01T00:00Z,\n", interval_seconds=900, empty_cells="gap"))
    with pytest.raises(InvalidValueError, match="interval_seconds is 0"):
        read("2025-06-01T00:00Z,1\n", interval_seconds=0)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(HEAD.encode() + b"2025-06-01T00:00Z,\xff\n")
    with pytest.raises(MeterDataError, match="UTF-8"):
        read_power_csv(path)
    with pytest.raises(MeterDataError, match="CSV") as caught:
        read('2025-06-01T00:00Z,"1\n')
    assert caught.value.line == 2
    with pytest.raises(FileNotFoundError):
        read_power_csv(tmp_path / "absent.csv")
