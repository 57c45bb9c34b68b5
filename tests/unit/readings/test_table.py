"""Tables: every option of a format is applied exactly, and anything uncertain is an error that names the row."""

import io
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.readings import IntervalSeries, MeterDataError, TableFormat, csv_table, interval_builder, read_table

HEAD = "t,Wh\n"
BEGIN = datetime(2025, 6, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def read(rows: str, **options: Any) -> IntervalSeries:
    return read_table(io.StringIO(HEAD + rows), **options)


def refused(rows: str, **options: Any) -> MeterDataError:
    with pytest.raises(MeterDataError) as caught:
        read(rows, **options)
    return caught.value


def energies(series: IntervalSeries) -> list[Any]:
    return [interval.wh for interval in series]


def rows_of(*values: object, begin: datetime = BEGIN, step: timedelta = QUARTER) -> str:
    return "".join(f"{(begin + step * index).isoformat()},{value}\n" for index, value in enumerate(values))


# Reading


def test_a_plain_file_is_read_from_a_path_bytes_a_stream_or_lines(tmp_path: Path) -> None:
    text = HEAD + "2025-06-01T00:00:00+00:00,28.6010\n2025-06-01T00:15:00Z,5426.4\n\n,\n"
    path = tmp_path / "meter data.csv"
    path.write_text("\ufeff" + text, encoding="utf-8")
    sources: list[Any] = [
        path,
        str(path),
        text.encode(),
        io.StringIO(text),
        io.BytesIO(text.encode()),
        text.splitlines(),
    ]
    for source in sources:
        series = read_table(source)
        assert energies(series) == [Fraction("28.6010"), Fraction("5426.4")]
        assert (series.start, series.end) == (BEGIN, BEGIN + 2 * QUARTER)


@settings(deadline=None)
@given(st.lists(st.decimals(0, 10**9, allow_nan=False, places=6), min_size=5, max_size=50))
def test_any_decimals_are_read_exactly(values: list[Decimal]) -> None:
    begin = datetime(2025, 6, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    series = read(rows_of(*(f"{value:f}" for value in values), begin=begin), allow_rising=True)
    assert energies(series) == [Fraction(value) for value in values]
    assert series.utc_offset_seconds == 19800


@pytest.mark.parametrize(
    ("unit", "text", "wh"),
    [
        ("W", "100", 25),
        ("kW", "0.1", 25),
        ("MW", "0.0001", 25),
        ("Wh", "25", 25),
        ("kWh", ".025", 25),
        ("MWh", "0.000025", 25),
        ("Ws", "90000", 25),
        ("kWh", "2.5e-2", 25),
        ("kWh", "+25E-3", 25),
        ("Wh", "0.1", Fraction(1, 10)),
    ],
)
def test_units_are_exact(unit: str, text: str, wh: Fraction) -> None:
    series = read(rows_of(text, text), unit=unit, unit_check=False)
    assert energies(series) == [wh, wh]


@pytest.mark.parametrize(
    ("options", "stamp"),
    [
        ({"time_format": "%d.%m.%Y %H:%M"}, "%d.%m.%Y %H:%M"),
        ({"time_format": "%m/%d/%Y %I:%M:%S %p"}, "%m/%d/%Y %I:%M:%S %p"),
        ({"time_format": "%d-%b-%y %H:%M"}, "%d-%b-%y %H:%M"),
        ({"time_format": "%Y%m%d%H%M%S"}, "%Y%m%d%H%M%S"),
        ({}, "%Y-%m-%d %H:%M"),
        ({}, "%Y-%m-%dT%H:%M:%S.000000"),
        ({}, " %Y-%m-%d %H:%M:%S "),
    ],
)
def test_many_time_formats_are_read(options: dict[str, Any], stamp: str) -> None:
    rows = "".join(f"{BEGIN + QUARTER * number:{stamp}},1\n" for number in range(5))
    series = read(rows, time_zone="UTC", **options)
    assert (series.start, series.wh) == (BEGIN, Fraction(5))


def test_epochs_and_offsets_need_no_zone() -> None:
    second = int(BEGIN.timestamp())
    assert read(f"{second},1\n{second + 900},1\n", time_format="epoch-s").start == BEGIN
    assert read(f"{second * 1000},1\n{second * 1000 + 900_000},1\n", time_format="epoch-ms").start == BEGIN
    mixed = "2025-06-01T02:00:00+02:00,1\n2025-06-01T00:15:00Z,1\n2025-05-31T19:30:00-05,1\n"
    assert read(mixed).start == BEGIN


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("stamped", ["start", "end"])
def test_a_year_of_local_time_is_converted_as_by_python(zone: str, stamped: str) -> None:
    info = ZoneInfo(zone)
    hours = [BEGIN + timedelta(minutes=30 * number) for number in range(366 * 48)]
    rows = "".join(f"{hour.astimezone(info):%Y-%m-%d %H:%M},1\n" for hour in hours)
    series = read(rows, time_zone=zone, ambiguous="order", stamped=stamped)
    shift = timedelta(minutes=0 if stamped == "start" else 30)
    assert [interval.start for interval in series] == [hour - shift for hour in hours]


def test_the_repeated_hour_can_be_left_unknown() -> None:
    info = ZoneInfo("Europe/Berlin")
    begin = datetime(2025, 10, 25, 22, tzinfo=UTC)
    stamps = [(begin + QUARTER * number).astimezone(info) for number in range(24)]
    rows = "".join(f"{stamp:%Y-%m-%d %H:%M},1\n" for stamp in stamps)
    series = read(rows, time_zone="Europe/Berlin", ambiguous="unknown")
    assert series.wh == 24 - 8
    once = "".join(row + "\n" for number, row in enumerate(rows.splitlines()) if not 12 <= number < 16)
    error = refused(once, time_zone="Europe/Berlin", ambiguous="order", interval_seconds=900)
    assert "only once" in str(error)
    assert error.line == 2 + 8


def test_another_order_of_rows_needs_an_option() -> None:
    lines = rows_of(1, 2, 3, 2).splitlines()
    down = "\n".join(reversed(lines)) + "\n"
    assert 'order="descending"' in str(refused(down))
    assert energies(read(down, order="descending")) == [1, 2, 3, 2]
    mixed = "\n".join([lines[2], lines[0], lines[3], lines[1]]) + "\n"
    assert 'order="any"' in str(refused(mixed))
    assert energies(read(mixed, order="any")) == [1, 2, 3, 2]


def test_the_number_of_unsorted_rows_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interval_builder, "MOST_UNSORTED_ROWS", 3)
    assert "more than 3 rows" in str(refused(rows_of(1, 2, 3, 2), order="any"))
    assert energies(read(rows_of(1, 2, 1), order="any")) == [1, 2, 1]


@pytest.mark.parametrize("size", [40, 64, 1000])
@pytest.mark.parametrize("options", [{}, {"until_next": True, "last_row": "as-before"}, {"kind": "register"}])
def test_descending_rows_have_the_same_result(
    monkeypatch: pytest.MonkeyPatch, size: int, options: dict[str, Any]
) -> None:
    lines = rows_of(*[(index * 7919) % 1000 / 8 for index in range(300)], step=timedelta(minutes=5)).splitlines()
    expected = read("\n".join(lines) + "\n", **options)
    monkeypatch.setattr(csv_table, "PIECE_BYTES", size)
    assert read("\n".join(reversed(lines)) + "\n", order="descending", **options) == expected


def test_the_repeated_hour_is_resolved_in_descending_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "PIECE_BYTES", 50)
    hours = ("01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00")
    lines = [f"2025-10-26T{hour},{index}" for index, hour in enumerate(hours, 1)]
    rows = "\n".join(reversed(lines)) + "\n"
    series = read(rows, order="descending", time_zone="Europe/Berlin", ambiguous="order", allow_rising=True)
    assert [each.start.hour for each in series] == [23, 23, 0, 0, 1, 1, 2]
    assert energies(series) == [1, 2, 3, 4, 5, 6, 7]


def test_errors_in_descending_rows_name_lines_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "PIECE_BYTES", 70)
    rows = '2025-06-01T01:00Z,2\n2025-06-01T00:45Z,"2\n"\n2025-06-01T00:30Z,x\n2025-06-01T00:15Z,2\n'
    assert refused(rows, order="descending").line == 5
    assert refused(rows.replace("x", "2\n2025-06-01T00:29Z,2"), order="descending").line == 5


def test_encodings_delimiters_and_decimal_commas_are_read(tmp_path: Path) -> None:
    text = "Zeit;Einspeisung für kWh\r\n01.06.2025 02:00;1.000,5\r\n01.06.2025 02:15;0,25\r\n"
    form = TableFormat(
        delimiter=";", decimal=",", thousands=".", time_format="%d.%m.%Y %H:%M", time_zone="Europe/Berlin"
    )
    path = tmp_path / "export.csv"
    for encoding in ("cp1252", "utf-16", "utf-8"):
        path.write_bytes(text.encode(encoding))
        told = form if encoding == "utf-16" else form.with_options(encoding=encoding)  # UTF-16 has a byte order mark
        series = read_table(path, told)
        assert (series.start, energies(series)) == (BEGIN, [1_000_500, 250])
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(MeterDataError, match=r'not text in utf-8 .*`encoding="cp1252"`'):
        read_table(path, form)
    grouped = text.replace("1.000,5", "1.00,5").encode()
    with pytest.raises(MeterDataError, match=r"line 2, column 'Einspeisung für kWh', value '1.00,5'"):
        read_table(grouped, form)


def test_quoted_cells_may_contain_any_text() -> None:
    rows = '"2025-06-01T00:00Z","1"\n"2025-06-01T00:15Z","2"\n"2025-06-01T00:30Z","1"\n'
    assert energies(read(rows)) == [1, 2, 1]
    text = 'note,t,Wh\n"two\nlines, ""and"" more",2025-06-01T00:00Z,1\n,2025-06-01T00:15Z,x\n'
    with pytest.raises(MeterDataError) as caught:
        read_table(text.encode(), time="t", values="Wh")
    assert caught.value.line == 4, "the first row has two lines"


def test_columns_without_a_header_row_are_numbers() -> None:
    series = read_table(
        b"x,2025-06-01T00:00Z,1\nx,2025-06-01T00:15Z,2\n", header=False, time="2", values="3", unit="Wh"
    )
    assert series.wh == 3


def test_the_rollover_of_a_register_needs_an_option() -> None:
    rows = rows_of(98, 99, 1, 2)
    assert energies(read(rows, kind="register")) == [1, None, 1]
    assert "showed less than before once" in read(rows, kind="register").notes[0]
    assert energies(read(rows, kind="register", register_size=100)) == [1, 2, 1]
    assert energies(read(rows, kind="register", register_reset="zero")) == [1, 1, 1]
    assert energies(read(rows_of(1, "", 5), kind="register", nulls="unknown")) == [4]


def test_short_intervals_are_joined_to_complete_quarter_hours() -> None:
    minutes = rows_of(*[1] * 45, step=timedelta(minutes=1)).splitlines()
    series = read("\n".join(minutes) + "\n")
    assert (len(series), energies(series)) == (3, [15, 15, 15])
    del minutes[20]
    gap = read("\n".join(minutes) + "\n", interval_seconds=60)
    assert energies(gap) == [15, 5, 9, 15]
    assert [each.start.minute for each in gap] == [0, 15, 21, 30]


@pytest.mark.parametrize("size", [40, 64, 1000])
@pytest.mark.parametrize("options", [{}, {"until_next": True}, {"kind": "register"}, {"stamped": "end"}])
def test_a_file_read_in_pieces_has_the_same_result(
    monkeypatch: pytest.MonkeyPatch, size: int, options: dict[str, Any]
) -> None:
    values = [(index * 7919) % 1000 / 8 for index in range(300)]
    rows = rows_of(*values, step=timedelta(minutes=5))
    whole = read(rows, **options)
    monkeypatch.setattr(csv_table, "PIECE_BYTES", size)
    pieces = read(rows, **options)

    def by_quarter(series: IntervalSeries) -> dict[datetime, Fraction | None]:
        found: dict[datetime, Fraction | None] = {}
        for each in series:
            key = each.start - (each.start - BEGIN) % QUARTER
            before = found.get(key, Fraction(0))
            found[key] = None if before is None or each.wh is None else before + each.wh
        return found

    assert by_quarter(pieces) == by_quarter(whole)


def test_a_column_name_may_begin_like_another_file_format() -> None:
    for name in ("Una hora", "UNBekannt", "100 NEM"):
        rows = f"{name},kWh\n2026-06-01T10:00Z,1\n".encode()
        assert energies(read_table(rows, time=name, values="kWh", interval_seconds=900)) == [1000]


def test_cells_quoted_as_formulas_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        '="Zeit";="Erzeugung kWh";Meter\n="2026-06-01T10:00Z";="0,5";="0815"\n'
        '"=""2026-06-01T10:15Z""";0,25;="0815"\n"2026-06-01T10:30Z";"0,75";="08=""15"\n'
    )
    options: dict[str, Any] = {"time": "Zeit", "values": "Erzeugung kWh", "delimiter": ";", "decimal": ","}
    for size in (1 << 20, 40):
        monkeypatch.setattr(csv_table, "PIECE_BYTES", size)
        assert energies(read_table(text.encode(), where={"Meter": "0815"}, **options)) == [500, 250]


SUMS = "Zwischensumme,3\n", "total\n", "Total of all,5,kWh,\n", ",5\n"


def test_rows_with_sums_and_remarks_are_skipped_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third, fourth = rows_of(1, 2, 3, 2).splitlines(keepends=True)
    rows = first + second + SUMS[0] + third + fourth + "".join(SUMS[1:])
    words = ["zwischensumme", "Total", ""]
    for size in (1 << 20, 40):
        monkeypatch.setattr(csv_table, "PIECE_BYTES", size)
        series = read(rows, skip_rows=words)
        assert energies(series) == [1, 2, 3, 2]
        assert series.notes == ("left out: 4 rows beginning with 'zwischensumme', 'Total', ''",)
    down = "".join(reversed(rows.splitlines(keepends=True)))
    assert energies(read(down, skip_rows=words, order="descending")) == [1, 2, 3, 2]
    for number, advice in enumerate(("Zwischensumme", "total", "Total of all", "")):
        error = refused(first + second + SUMS[number])
        assert error.line == 4
        assert f'`skip_rows="{advice}"`' in str(error)
    assert '--skip-rows ""' in refused(first + SUMS[3]).for_command()


@pytest.mark.parametrize(
    ("text", "options", "advice"),
    [
        ("t;kWh\n2026-06-01T10:00Z;1\n", {"time": "t", "values": "kWh"}, '`delimiter=";"`'),
        ("t;kWh\n2026-06-01T10:00Z;1\n", {}, '`delimiter=";"`'),
        ("time,Einspeisung kWh\n", {"time": "time", "values": "Einspeisung kwh"}, "do you mean 'Einspeisung kWh'?"),
        ("t,kWh\n1780308900,1\n", {}, '`time_format="epoch-s"`'),
        ("t,kWh\n1780308900000,1\n", {"time_format": "epoch-s"}, '`time_format="epoch-ms"`'),
        ("t,kWh\n2026-06-01T10:00Z,1\n", {"time_format": "%d.%m.%Y"}, "leave `time_format` out"),
        ("t,kWh\n2026-06-01 10:00 - 2026-06-01 10:15,1\n", {}, '`range_separator=" - "`'),
        (
            "t,kWh\n2026-06-01T10:00Z,1\n2026-06-01T10:15Z,1\n",
            {"order": "descending"},
            'leave `order="descending"` out',
        ),
        ("t,kWh\n2026-06-01T10:15Z,1\n2026-06-01T10:00Z,1\n", {}, 'give `order="descending"`'),
        ("t,kWh\n", {"decimal": ","}, '`delimiter=";"`'),
        ("t,kWh\n", {"kind": "register", "end_time": "t"}, "leave `end_time`"),
        ("t,kWh\n", {"kind": "register", "hour": "t"}, "give only `time`"),
    ],
)
def test_the_error_for_an_obviously_wrong_option_names_the_right_one(
    text: str, options: dict[str, Any], advice: str
) -> None:
    with pytest.raises(MeterDataError) as caught:
        read_table(text.encode(), **options)
    assert advice in str(caught.value)


def test_a_format_survives_the_round_trip_through_a_file(tmp_path: Path) -> None:
    form = TableFormat(
        delimiter="tab", decimal=",", time=["Day", "Clock"], values=["A kWh", "B kWh"], time_zone="+01:00", unit="kWh",
        where={"Meter": ["1", "2"], 'Kind of "row"': "x"}, until_next=True, **{"from": "2026-06-01"},
    )  # fmt: skip
    path = tmp_path / "own.toml"
    path.write_text(form.to_toml(), encoding="utf-8")
    assert TableFormat.from_toml(path) == form
    path.write_text("tiem = 'x'")
    with pytest.raises(MeterDataError, match=r"'tiem' is not an option of a format; there are: .*, encoding, "):
        TableFormat.from_toml(path)
    path.write_text("time = ")
    with pytest.raises(MeterDataError, match="not a format in TOML"):
        TableFormat.from_toml(path)


# Errors


@pytest.mark.parametrize(
    ("rows", "options", "line", "told"),
    [
        (rows_of(1, "n/b"), {}, 3, "`null_words`"),
        (rows_of(1, ""), {}, 3, '`nulls="unknown"`'),
        (rows_of(1, "NaN"), {}, 3, '`nulls="skip"`'),
        (rows_of(1, "1,5").replace("1,5", '"1,5"'), {}, 3, '`decimal=","`'),
        (rows_of(1, "0x10"), {}, 3, "expected a number"),
        (rows_of(1, "1e999"), {}, 3, "expected a number"),
        (rows_of(1, "9" * 31), {}, 3, "check `unit`"),
        (rows_of(1, "9" * 61), {}, 3, "expected a number"),
        (rows_of(1, "0." + "1" * 31), {}, 3, "expected a number"),
        (rows_of(1, "1" + "0" * 14), {}, 3, "check `unit`"),
        ("2025-06-01T00:00Z,1\nyesterday,1\n", {}, 3, "ISO 8601"),
        ("2025-06-01T00:00Z,1\n2025-02-30T00:15Z,1\n", {}, 3, "ISO 8601"),
        ("2025-06-01T00:00,1\n2025-06-01T00:15,1\n", {}, 2, "`time_zone`"),
        (rows_of(1, 1) + "2025-06-01T00:45Z,1\n", {}, 4, "`interval_seconds=900`"),
        (rows_of(1, 1) + "2025-06-01T00:40Z,1\n", {}, 4, "`until_next=True`"),
        (rows_of(1, 1) + "2025-06-01T00:40Z,1\n", {"interval_seconds": 900}, 4, "not a multiple"),
        (rows_of(1, 1) + "2025-06-01T00:15Z,2\n", {}, 4, "line 3, with another reading"),
        (rows_of(1, 1) + "2925-06-01T00:30Z,2\n", {"interval_seconds": 900}, 4, "a year must be mistyped"),
        ("2025-06-01T00:00Z,1\n2025-06-01T00:15Z\n", {}, 3, "the row is short"),
        ("0025-06-01T00:00Z,1\n0025-06-01T00:15Z,2\n", {}, 2, "before 1970"),
        ("2025-06-01T00:00Z,1\n2025-06-01T00:15Z,1,2\n", {}, 3, "3 cells"),
        ('2025-06-01T00:00Z,1\n2025-06-01T00:15Z,"1\n', {}, 3, "not valid CSV"),
    ],
)
def test_the_error_for_an_invalid_row_names_its_line(
    rows: str, options: dict[str, Any], line: int | None, told: str
) -> None:
    with pytest.raises(MeterDataError) as caught:
        read_table((HEAD + rows).encode(), **options)
    assert told in str(caught.value)
    if line is not None:
        assert caught.value.line == line


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        ("", {}, "no row of readings"),
        (rows_of(1), {}, "`interval_seconds`"),
        (rows_of(1), {"kind": "register"}, "fewer than two readings"),
        (rows_of(1, 1, 1), {"interval_seconds": 300}, "`interval_seconds=900`"),
        (rows_of(1, 2, 3, 4, 5), {}, '`kind="register"`'),
        (rows_of(-1, -2, -1), {}, '`sign="negative"`'),
        (rows_of(1, 2, 1), {"unit": "kWh"}, '`unit="Wh"`'),
        (rows_of(1, 2, 1), {"unit": "W", "unit_check": False, "kind": "energy"}, "does not go with the unit W"),
        (rows_of(1, 2, 1), {"values": "x"}, "'x'"),
        (rows_of(1, 2, 1), {"from": "2026-01-01"}, "no reading"),
    ],
)
def test_an_invalid_file_as_a_whole_is_an_error(rows: str, options: dict[str, Any], told: str) -> None:
    assert told in str(refused(rows, **options))


def test_a_counter_that_restarts_each_day_is_recognised_as_a_register() -> None:
    day = [0] * 24 + [number * 100 for number in range(1, 49)] + [4800] * 24
    assert '`kind="register"`' in str(refused(rows_of(*day, *day)))
    energy_of_two_days = [max(0, 48 - abs(48 - number)) ** 2 for number in range(96)] * 2
    assert read(rows_of(*energy_of_two_days)).wh == sum(energy_of_two_days)


def test_small_negative_values_are_standby_and_count_as_zero() -> None:
    series = read(rows_of(-1, 500, 200, -2))
    assert energies(series) == [0, 500, 200, 0]
    assert series.notes == ("below 0, and counted as 0: 2 readings",)
    assert energies(read(rows_of(-100, 50), sign="positive")) == [0, 50]
    assert energies(read(rows_of(-100, 50), sign="negative")) == [100, 0]


def test_several_meters_are_listed_and_the_named_ones_are_summed() -> None:
    head = "Meter,t,Wh\n"
    rows = "".join(f"{meter},{row}\n" for meter in ("A", "B", "C") for row in rows_of(1, 2, 1).splitlines())
    data = (head + rows).encode()
    with pytest.raises(
        MeterDataError, match="column 'Meter': the file has several: 'A', 'B', 'C'; pick one with `where=Meter=A`"
    ):
        read_table(data, time="t", values="Wh")
    assert energies(read_table(data, time="t", values="Wh", where={"Meter": "B"})) == [1, 2, 1]
    assert energies(read_table(data, time="t", values="Wh", where={"Meter": ["A", "C"]})) == [2, 4, 2]
    with pytest.raises(MeterDataError, match="no row has 'D' there; there are: 'A', 'B', 'C'"):
        read_table(data, time="t", values="Wh", where={"Meter": "D"})


def test_unknown_quality_words_are_rejected() -> None:
    data = b"t,Wh,q\n2025-06-01T00:00Z,1,A\n2025-06-01T00:15Z,2,e\n2025-06-01T00:30Z,1,?\n"
    with pytest.raises(
        MeterDataError, match=r"line 4, column 'q', value '\?': it is not known whether this word means an estimate"
    ):
        read_table(data, time="t", values="Wh", quality_column="q")
    series = read_table(data, time="t", values="Wh", quality_column="q", measured_words=["A", "?"])
    assert series.estimated == {1}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stamped": "END"}, "`stamped` is 'END': expected 'start' or 'end'"),
        ({"unit": "kwh"}, "`unit` is 'kwh': expected 'W', 'kW', 'MW', 'Wh', 'kWh', 'MWh' or 'Ws'"),
        ({"time_zone": "Middle/Earth"}, "Middle/Earth"),
        ({"time_zone": "+25:99"}, "+25:99"),
        ({"time_format": "DD.MM.YYYY"}, "`time_format` is 'DD.MM.YYYY'"),
        ({"time_format": "%Q"}, "unknown %Q"),
        ({"encoding": "utf-9"}, "`encoding` is 'utf-9'"),
        ({"encoding": "zlib"}, "`encoding` is 'zlib'"),
        ({"delimiter": ";;"}, "`delimiter` is ';;'"),
        ({"delimiter": '"'}, "`delimiter`"),
        ({"nulls": "gap"}, "'error', 'unknown' or 'skip'"),
        ({"ambiguous": "flag"}, "`ambiguous_column`"),
        ({"decimal": ","}, "`delimiter`"),
        ({"kind": "register", "interval_seconds": 900}, "leave it out"),
        ({"quarter": "q"}, "`quarter` needs `hour`"),
        ({"stampt": "end"}, "'stampt' is not an option of a format; there are: "),
        ({"interval_seconds": 0}, "`interval_seconds` is 0"),
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any], told: str) -> None:
    with pytest.raises(MeterDataError) as caught:
        TableFormat(**options)
    assert told in str(caught.value)


def test_a_format_in_toml_has_no_control_characters() -> None:
    form = TableFormat(
        time="\x9b31m\x7f\u202e\U000e0001",
        values="Größe 😀",
        thousands="\N{NO-BREAK SPACE}",
        decimal=",",
        delimiter=";",
    )
    text = form.to_toml()
    assert all(line.isprintable() for line in text.splitlines())
    assert "Größe 😀" in text
    assert TableFormat(**tomllib.loads(text)) == form
