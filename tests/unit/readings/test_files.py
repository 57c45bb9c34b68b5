"""File formats other than CSV, and the choice of a reader: energy is exact, and hostile input is rejected."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from der_client.readings import (
    IntervalSeries,
    MeterDataError,
    Quality,
    TableFormat,
    metered_days,
    read_channels,
    read_file,
    read_frame,
    read_table,
)
from der_client.readings.file_formats import FORMATS
from der_client.readings.files import format_named
from der_client.readings.green_button import read_green_button
from der_client.readings.mscons import read_mscons
from der_client.readings.nem12 import read_nem12
from der_client.readings.solaredge import read_solaredge
from der_client.readings.table import ready_made_formats

BEGIN = datetime(2026, 6, 1, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def energies(series: IntervalSeries) -> list[Any]:
    return [interval.wh for interval in series]


# Green Button


def green_button(
    *, values: str = "", direction: int = 19, power: int = 0, behaviour: int = 4, uom: int = 72, extra: str = ""
) -> bytes:
    point = "RetailCustomer/1/UsagePoint/01"
    kind = (
        f"<ReadingType xmlns='http://naesb.org/espi'><accumulationBehaviour>{behaviour}</accumulationBehaviour>"
        f"<flowDirection>{direction}</flowDirection><powerOfTenMultiplier>{power}</powerOfTenMultiplier>"
        f"<uom>{uom}</uom></ReadingType>"
    )
    block = f"<IntervalBlock xmlns='http://naesb.org/espi'>{values}</IntervalBlock>"

    def entry(own: str, content: str, links: str = "") -> str:
        return f"<entry><link rel='self' href='{own}'/>{links}<content>{content}</content></entry>"

    up = f"<link rel='up' href='{point}/MeterReading/1/IntervalBlock'/>"
    related = "<link rel='related' href='ReadingType/1'/>"
    entries = [
        entry(point, "<UsagePoint xmlns='http://naesb.org/espi'/>"),
        entry(f"{point}/MeterReading/1/IntervalBlock/1", block, up),
        entry(f"{point}/MeterReading/1", "<MeterReading xmlns='http://naesb.org/espi'/>", related),
        entry("ReadingType/1", kind),
    ]
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{''.join(entries)}{extra}</feed>".encode()


def reading(number: int, value: str, quality: int | None = None) -> str:
    start = int((BEGIN + number * QUARTER).timestamp())
    told = "" if quality is None else f"<ReadingQuality><quality>{quality}</quality></ReadingQuality>"
    return (
        f"<IntervalReading>{told}<timePeriod><duration>900</duration><start>{start}</start></timePeriod>"
        f"<value>{value}</value></IntervalReading>"
    )


def test_green_button_direction_power_of_ten_and_quality_are_read() -> None:
    values = reading(0, "312") + reading(1, "40", 0) + reading(2, "7", 8)
    (name,) = found = read_green_button(green_button(values=values, power=-1))
    assert name == "01 export"
    assert energies(found[name]) == [Fraction(312, 10), 4, Fraction(7, 10)]
    assert [each.quality for each in found[name]] == [Quality.MEASURED, Quality.MEASURED, Quality.ESTIMATED]
    (corrected,) = read_green_button(green_button(values=values, power=-1), power_of_ten=0).values()
    assert energies(corrected) == [312, 40, 7]
    assert list(read_green_button(green_button(values=values, direction=1))) == ["01 import"]


def test_green_button_power_and_registers_are_read() -> None:
    (power,) = read_green_button(green_button(values=reading(0, "400"), uom=38)).values()
    assert energies(power) == [100]
    shown = reading(0, "1000") + reading(1, "1010") + reading(2, "5")
    (register,) = read_green_button(green_button(values=shown, behaviour=3)).values()
    assert energies(register) == [10, None]


def test_duplicate_green_button_readings_count_once_or_are_rejected() -> None:
    same = reading(0, "5") + reading(0, "5")
    assert energies(read_green_button(green_button(values=same))["01 export"]) == [5]
    with pytest.raises(MeterDataError, match="appears twice, with 5 and 6"):
        read_green_button(green_button(values=reading(0, "5") + reading(0, "6")))


BOMB = (
    b"<!DOCTYPE feed [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>&b;</entry></feed>"
)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (BOMB, "document type"),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><feed/>", "document type"),
        (b"<feed><entry>", "not valid XML"),
        (b"<a>" * 100_000, "nested too deeply"),
        (b"<feed/>", "no interval block"),
        (green_button(values=reading(0, "1e999999")), "expected a number"),
        (green_button(values=reading(0, "NaN")), "expected a number"),
        (green_button(values=reading(0, "1"), power=10**9), "from -12 to 12"),
        (green_button(values=reading(0, "1"), uom=80), "no readings of energy or power"),
        (green_button(values="<IntervalReading><value>1</value></IntervalReading>"), "no time period"),
        (green_button(values="<IntervalReading><timePeriod><start>99999999999999999999999</start></timePeriod>"
                             "</IntervalReading>"), "expected an integer"),
    ],
)  # fmt: skip
def test_hostile_or_broken_green_button_files_are_rejected(data: bytes, told: str) -> None:
    with pytest.raises(MeterDataError, match=told):
        read_green_button(data)


# NEM12


def nem12(*records: str, end: str = "900\n") -> bytes:
    return ("100,NEM12,202607010000,MDP1,Retailer\n" + "".join(f"{each}\n" for each in records) + end).encode()


CHANNEL = "200,6123456789,B1E1,B1,B1,N1,METER1,KWH,30,"
HALF_HOURS = ["0"] * 20 + ["0.5", "0.6"] + ["0"] * 26


def day_record(values: list[str], quality: str = "A", day: str = "20260701") -> str:
    return f"300,{day},{','.join(values)},{quality},,,20260702000000,20260702000000"


def test_nem12_is_in_market_time_with_a_quality_per_interval() -> None:
    data = nem12(
        CHANNEL,
        day_record(HALF_HOURS),
        day_record(HALF_HOURS, "V", "20260702"),
        "400,1,20,A,,",
        "400,21,21,S14,,",
        "400,22,48,N,,",
        CHANNEL.replace(",B1,N1", ",E1,N1"),
        day_record(["1"] * 48, "F16"),
    )
    found = read_nem12(data)
    assert list(found) == ["6123456789 B1", "6123456789 E1"]
    exported = list(found["6123456789 B1"])
    assert exported[20].start == datetime(2026, 7, 1, 0, 0, tzinfo=UTC)  # 10:00 at UTC+10
    assert [each.wh for each in exported[19:23]] == [0, 500, 600, 0]
    assert [each.wh for each in exported[48 + 19 : 48 + 22]] == [0, 500, None]
    assert exported[48 + 20].quality is Quality.ESTIMATED
    assert {each.quality for each in found["6123456789 E1"]} == {Quality.ESTIMATED}


def test_nem12_channels_are_selected_by_name(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    other = CHANNEL.replace(",B1,N1", ",B2,N2")
    path.write_bytes(nem12(CHANNEL, day_record(HALF_HOURS), other, day_record(HALF_HOURS)))
    with pytest.raises(MeterDataError, match=r'NEM12, .*: give `format="nem12"`'):
        read_file(path, time="a", values="b")
    with pytest.raises(MeterDataError, match=r"several channels: '6123456789 B1', '6123456789 B2'; name the plant's"):
        read_file(path, "nem12")
    with pytest.raises(MeterDataError, match="no channel 'B3'"):
        read_file(path, "nem12", channels=["B3"])
    with pytest.raises(MeterDataError, match="names a channel twice"):
        read_file(path, "nem12", channels=["6123456789 B1", "6123456789 B1"])
    both = read_file(path, "nem12", channels=["6123456789 B1", "6123456789 B2"])
    assert both.wh == 2200
    with pytest.raises(MeterDataError, match="`unit` is for tables"):
        read_file(path, "nem12", unit="kWh")
    with pytest.raises(MeterDataError, match="no reading is in these days"):
        read_channels(path, "nem12", power_of_ten=None, **{"from": date(2027, 1, 1)})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (nem12(CHANNEL, day_record(HALF_HOURS), end=""), "cut off"),
        (nem12(CHANNEL, "300,20260701,1,2,3"), "line 3: the record 300 is short"),
        (nem12(CHANNEL, day_record(["1E9999"] * 48)), "line 3, value '1E9999': expected a number"),
        (nem12(CHANNEL, day_record(["inf"] * 48)), "line 3, value 'inf'"),
        (nem12(CHANNEL, day_record(HALF_HOURS, "X")), "expected a quality"),
        (nem12(CHANNEL, day_record(HALF_HOURS, day="20260230")), "expected a date"),
        (nem12(day_record(HALF_HOURS)), "before the record 200"),
        (nem12(CHANNEL, day_record(HALF_HOURS), day_record(["1"] * 48)), "line 4: the day 20260701 .* also in line 3"),
        (nem12(CHANNEL.replace(",30,", ",7,"), day_record(HALF_HOURS)), "1, 5, 15 or 30 minutes"),
        (nem12(CHANNEL.replace("KWH", "KVARH"), day_record(HALF_HOURS)), "no channel of energy or power"),
        (nem12("777,1"), "expected a record 200"),
        (b"100,NEM13,1,2,3\n900\n", "NEM13, which has monthly readings"),
        (b"time,value\n1,2\n", "not NEM12"),
        (b"", "empty"),
        (nem12(CHANNEL, day_record(HALF_HOURS), "400,40,60,A,,"), "intervals from 1 to 48"),
    ],
)
def test_broken_nem12_files_are_rejected(data: bytes, told: str) -> None:
    with pytest.raises(MeterDataError, match=told):
        read_nem12(data)


def test_an_empty_cell_in_nem12_is_unknown_and_not_zero() -> None:
    (found,) = read_nem12(nem12(CHANNEL, day_record(["", *HALF_HOURS[1:]]))).values()
    assert energies(found)[:2] == [None, 0]


# MSCONS


def mscons(*values: str, una: str = "UNA:+.? '", end: str = "UNZ+1+1'") -> bytes:
    """Return a message as in the guide of BDEW, with invented locations and senders."""
    head = (
        "UNB+UNOC:3+9900000000001:500+9900000000002:500+260602:0806+R1++TL'\nUNH+1+MSCONS:D:04B:UN:2.4c'\n"
        "BGM+7+D1+9'\nDTM+137:202606020607?+00:303'\nUNS+D'\nNAD+DP'\nLOC+172+DE0001O?'G'\nLIN+1'\n"
    )
    return f"{una}{head}{''.join(values)}UNT+9+1'\n{end}".encode("latin-1")


def quantity(number: int, text: str, *, kind: str = "220") -> str:
    start, end = (f"{BEGIN + each * QUARTER + timedelta(hours=2):%Y%m%d%H%M}?+02:303" for each in (number, number + 1))
    return f"QTY+{kind}:{text}'\nDTM+163:{start}'\nDTM+164:{end}'\n"


def test_mscons_locations_quantities_and_qualities_are_read() -> None:
    profile = (
        "PIA+5+1-1?:2.29.0:SRW'" + quantity(0, "0.5:KWH") + quantity(1, "0.25", kind="67") + quantity(2, "1", kind="20")
    )
    taken = "LIN+2'PIA+5+1-1?:1.29.0:SRW'" + quantity(0, "2:KWT")
    register = "LIN+3'PIA+5+1-1?:2.8.0:SRW'QTY+220:12345.678:KWH'DTM+9:202606010000?+00:303'"
    found = read_mscons(mscons(profile, taken, register))
    assert list(found) == ["DE0001O'G 1-1:2.29.0", "DE0001O'G 1-1:1.29.0"]
    series = found["DE0001O'G 1-1:2.29.0"]
    assert series.start == BEGIN
    assert energies(series) == [500, 250, None]
    assert [each.quality for each in series] == [Quality.MEASURED, Quality.ESTIMATED, Quality.MEASURED]
    assert energies(found["DE0001O'G 1-1:1.29.0"]) == [500]
    comma = mscons("PIA+5+1-1?:2.29.0:SRW'", quantity(0, "0,5"), una="UNA:+,? '")
    assert energies(read_mscons(comma)["DE0001O'G 1-1:2.29.0"]) == [500]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"t,v", "not EDIFACT"),
        (b"UNA", "not EDIFACT"),
        (mscons().replace(b"MSCONS", b"UTILMD"), "no MSCONS message"),
        (mscons(), "no load profile"),
        (mscons(quantity(0, "1"), end=""), "no segment UNZ"),
        (mscons(quantity(0, "1"))[:-1], "last segment does not end"),
        (mscons(quantity(0, "x")), "segment 9: expected a number"),
        (mscons(quantity(0, "1e999999")), "expected a number"),
        (mscons(quantity(0, "1:KVR")), "expected a unit"),
        (mscons(quantity(0, "1", kind="Z99")), "not known whether this kind of value is an estimate"),
        (mscons(quantity(0, "1").replace("?+02", "")), "time with its offset"),
        (mscons(quantity(0, "1").replace("202606", "202699")), "time with its offset"),
        (mscons(quantity(0, "1"), quantity(0, "2")), "before the one before it ends"),
    ],
)
def test_broken_mscons_files_or_other_messages_are_rejected(data: bytes, told: str) -> None:
    with pytest.raises(MeterDataError, match=told):
        read_mscons(data)


# SolarEdge


def solaredge(values: list[tuple[str, Any]], *, unit: str = "Wh", step: str = "QUARTER_OF_AN_HOUR") -> bytes:
    listed = [{"date": day} | ({} if value is None else {"value": value}) for day, value in values]
    meter = {"type": "Production", "values": listed}
    return json.dumps({"energyDetails": {"timeUnit": step, "unit": unit, "meters": [meter]}}).encode()


def test_solaredge_local_times_and_meters_are_read() -> None:
    data = solaredge([("2026-06-01 12:00:00", 100.5), ("2026-06-01 12:15:00", None), ("2026-06-01 12:30:00", 7)])
    (series,) = read_solaredge(data, TableFormat(time_zone="Europe/Rome")).values()
    assert series.start == BEGIN
    assert energies(series) == [Fraction(201, 2), None, 7]
    plain = json.dumps({"power": {"timeUnit": "QUARTER_OF_AN_HOUR", "unit": "W", "values": [
        {"date": "2026-06-01 12:00:00", "value": 400}]}}).encode()  # fmt: skip
    assert energies(read_solaredge(plain, TableFormat(time_zone="Europe/Rome"))["Production"]) == [100]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[" * 100_000, "not JSON"),
        (b"{}", "not a response of SolarEdge"),
        (solaredge([("2026-06-01 12:00:00", 1)], step="DAY"), "QUARTER_OF_AN_HOUR or HOUR"),
        (solaredge([("2026-06-01 12:00:00", 1)], unit="VA"), "`unit` is 'VA'"),
        (solaredge([("2026-06-01 12:00:00", "much")]), "expected a number"),
        (solaredge([("yesterday", 1)]), "ISO 8601"),
        (b'{"energy": {"timeUnit": "HOUR", "unit": "Wh", "values": [{"date": "2026-06-01 12:00:00", "value": NaN}]}}',
         "got NaN"),
        ((b'{"energy": {"timeUnit": "HOUR", "unit": "Wh", "values": [{"date": "2026-06-01 12:00:00", '
         b'"value": 1e999999}]}}'),
         "expected a number|digits"),
        (b'{"energy": {"timeUnit": "HOUR", "unit": "Wh", "values": 5}}', "list of values"),
    ],
)  # fmt: skip
def test_hostile_or_broken_solaredge_files_are_rejected(data: bytes, told: str) -> None:
    with pytest.raises(MeterDataError, match=told):
        read_solaredge(data, TableFormat(time_zone="Europe/Rome"))
    with pytest.raises(MeterDataError, match=r"time_zone|JSON|response|HOUR|unit|number|ISO|NaN|list"):
        read_solaredge(data, TableFormat())


SECOND_VERSION: dict[str, Any] = {
    "period": {"from": "2026-06-01T12:00:00+02:00", "to": "2026-06-01T12:30:00+02:00"},
    "unit": "WH",
    "resolution": "QUARTER_HOUR",
    "values": [
        {"timestamp": "2026-06-01T12:00:00+02:00", "value": 327.33334},
        {"timestamp": "2026-06-01T12:15:00+02:00", "value": None},
    ],
}


def test_solaredge_v2_times_with_offsets_are_read() -> None:
    (series,) = read_solaredge(json.dumps(SECOND_VERSION).encode(), TableFormat()).values()
    assert series.start == BEGIN
    assert energies(series) == [Fraction("327.33334"), None]
    hourly = SECOND_VERSION | {"resolution": "HOUR", "unit": "W", "values": SECOND_VERSION["values"][:1]}
    assert energies(read_solaredge(json.dumps(hourly).encode(), TableFormat())["Production"]) == [Fraction("327.33334")]
    with pytest.raises(MeterDataError, match="ask for resolution QUARTER_HOUR or HOUR"):
        read_solaredge(json.dumps(SECOND_VERSION | {"resolution": "DAY"}).encode(), TableFormat())


def test_solaredge_v2_has_a_channel_for_each_measurement_of_a_device() -> None:
    meter = {"exportEnergy": SECOND_VERSION, "importEnergy": SECOND_VERSION, "serialNumber": "606"}
    inverter = {"energy": SECOND_VERSION, "voltage": SECOND_VERSION | {"unit": "V"}}
    found = read_solaredge(
        json.dumps({"meters": {"606": meter}, "inverters": {"7E1": inverter}}).encode(), TableFormat()
    )
    assert sorted(found) == ["606 exportEnergy", "606 importEnergy", "7E1 energy"]
    with pytest.raises(MeterDataError, match="devices"):
        read_solaredge(b'{"meters": []}', TableFormat())
    with pytest.raises(MeterDataError, match="ask for resolution QUARTER_HOUR or HOUR"):
        read_solaredge(b'{"meters": {"606": {"energy": {"unit": "WH", "values": []}}}}', TableFormat())


# JSON with records


def read_records(tmp_path: Path, document: Any, **options: Any) -> IntervalSeries:
    path = tmp_path / "answer.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return read_file(path, **options)


def test_json_records_are_rows(tmp_path: Path) -> None:
    document = {
        "count": 2,
        "results": [
            {"consumption": 0.063, "interval": {"start": "2026-06-01T12:15:00+0200"}, "id": 1, "tags": ["x"]},
            {"consumption": None, "interval": {"start": "2026-06-01T12:00:00+0200"}, "is_estimate": True},
        ],
    }
    options = {"time": "interval.start", "values": "consumption", "unit": "kWh", "order": "descending"}
    series = read_records(tmp_path, document, **options, interval_seconds=900, nulls="unknown")
    assert series.start == BEGIN
    assert energies(series) == [None, 63]
    lists = [[1_780_308_000, "0.30000000000000004"], [1_780_308_900, "2e-1"]]
    series = read_records(tmp_path, lists, time="1", values="2", unit="Wh", time_format="epoch-s")
    assert (series.start, energies(series)) == (BEGIN, [Fraction("0.30000000000000004"), Fraction(1, 5)])


HOMES = {
    "data": {
        "homes": [
            {"nodes": [{"from": "2026-06-01T10:00Z", "kWh": 1}, {"from": "2026-06-01T11:00Z", "kWh": 2}]},
            {"nodes": [{"from": "2026-06-01T12:00Z", "kWh": 3}]},
        ]
    }
}


def test_a_list_of_records_is_selected_by_its_path(tmp_path: Path) -> None:
    options = {"time": "from", "values": "kWh"}
    assert energies(read_records(tmp_path, HOMES, records="data.homes.0.nodes", **options)) == [1000, 2000]
    assert energies(read_records(tmp_path, HOMES, records="data.homes.*.nodes", **options)) == [1000, 2000, 3000]
    with pytest.raises(MeterDataError, match=r"name one list .*'data.homes.0.nodes' \(2\), 'data.homes.1.nodes' \(1\)"):
        read_records(tmp_path, HOMES, **options)
    with pytest.raises(MeterDataError, match=r"`records` is 'data.home', .*'data.homes.0.nodes'"):
        read_records(tmp_path, HOMES, records="data.home", **options)
    with pytest.raises(MeterDataError, match="column 'until': no record has this name; there are: 'from', 'kWh'"):
        read_records(tmp_path, HOMES, records="data.homes.0.nodes", end_time="until", **options)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "no list of records"),
        ("[]", "no list of records"),
        ('{"a": [1, 2]}', "no list of records"),
        ('{"a": [{"from": "x", "kWh": 1}]}', "record 1, column 'from', value 'x': expected an ISO 8601"),
        ('{"a": [{"from": "2026-06-01T10:00Z", "kWh": Infinity}]}', "got Infinity"),
        ('{"a": [{"from": "2026-06-01T10:00Z", "kWh": 1e999999}]}', "expected a number"),
        ('{"a": [{"from": "2026-06-01T10:00Z", "kWh": [1]}]}', "no reading"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 500 + "1" + "}" * 500, "no list of records"),
        ("t,v", "not JSON"),
    ],
)
def test_hostile_or_broken_json_files_are_rejected(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MeterDataError, match=told):
        read_records(tmp_path, text, time="from", values="kWh")


# Row numbers in errors


def test_errors_count_rows_in_the_way_of_each_file_format(tmp_path: Path) -> None:
    times = ["2026-06-01T10:00Z", "2026-06-01T11:00Z", "2026-06-01T11:00Z"]
    options: dict[str, Any] = {"time": "t", "values": "kWh"}
    frame = polars_frame(t=times, kWh=[1, 2, 3])
    parquet = tmp_path / "frame.parquet"
    frame.write_parquet(parquet)
    sheet = workbook(tmp_path / "sheet.xlsx", [["a preamble"], ["t", "kWh"], *([time, 1] for time in times)])
    records = [{"t": time, "kWh": number} for number, time in enumerate(times, 1)]
    rows = "".join(f"{time},{number}\n" for number, time in enumerate(times, 1))
    meter = SECOND_VERSION | {"values": [SECOND_VERSION["values"][0]] * 2}
    stream = io.BytesIO(f"t,kWh\n{rows}".encode())
    for read, told in (
        (lambda: read_frame(frame, **options), "row 3: the time repeats that of row 2"),
        (lambda: read_file(parquet, **options), "row 3: the time repeats that of row 2"),
        (lambda: read_file(sheet, **options), "row 5: the time repeats that of row 4"),
        (lambda: read_records(tmp_path, records, **options), "record 3: the time repeats that of record 2"),
        (lambda: read_table(f"t,kWh\n{rows}".encode(), **options), "line 4: the time repeats that of line 3"),
        (lambda: read_table(stream, **options), "the time repeats that of the row before"),
        (
            lambda: read_solaredge(json.dumps(meter).encode(), TableFormat()),
            "entry 2: the time repeats that of entry 1",
        ),
    ):
        with pytest.raises(MeterDataError, match=f"^{told}, with "):
            read()


# Data frames and Parquet


def polars_frame(**columns: Any) -> Any:
    import polars as pl  # noqa: PLC0415

    return pl.DataFrame(columns)


TIMES = [BEGIN, BEGIN + QUARTER, BEGIN + 2 * QUARTER]


def test_polars_frames_are_read_exactly() -> None:
    form = TableFormat(time="t", values="kWh")
    exact = polars_frame(t=TIMES, kWh=[Decimal("0.1"), None, Decimal("0.3")])
    assert energies(read_frame(exact, form, nulls="unknown")) == [100, None, 300]
    assert energies(read_frame(polars_frame(t=TIMES, kWh=[1, 2, 3]), form)) == [1000, 2000, 3000]
    texts = polars_frame(t=[str(each) for each in TIMES], kWh=["1", "2", "3"])
    assert energies(read_frame(texts, form)) == [1000, 2000, 3000]
    floats = polars_frame(t=TIMES, kWh=[0.1, float("nan"), 0.3])
    with pytest.raises(MeterDataError, match="floats, which are not exact: give `decimals`"):
        read_frame(floats, form)
    assert energies(read_frame(floats, form, decimals=1, nulls="unknown")) == [100, None, 300]
    naive = polars_frame(t=[each.replace(tzinfo=None) for each in TIMES], kWh=[1, 2, 3])
    with pytest.raises(MeterDataError, match="time_zone"):
        read_frame(naive, form)
    assert read_frame(naive, form, time_zone="+02:00").start == BEGIN - timedelta(hours=2)
    with pytest.raises(MeterDataError, match="column 'kWh': the column is not found; there are: 't', 'v'"):
        read_frame(polars_frame(t=TIMES, v=[1, 2, 3]), form)
    with pytest.raises(MeterDataError, match="expected a data frame"):
        read_frame([1, 2], form)


def test_pandas_frames_are_read_exactly() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"t": TIMES, "kWh": [0.1, float("nan"), 0.3]})
    form = TableFormat(time="t", values="kWh", nulls="unknown", decimals=1)
    assert energies(read_frame(frame, form)) == [100, None, 300]
    assert energies(read_frame(frame.set_index("t"), form)) == [100, None, 300]
    whole = pandas.DataFrame({"t": TIMES, "Wh": pandas.array([1, None, 3], dtype="Int64")})
    assert energies(read_frame(whole, TableFormat(time="t", values="Wh", nulls="unknown"))) == [1, None, 3]


def test_parquet_files_are_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "meter.parquet"
    polars_frame(t=TIMES, kWh=[Decimal("0.1"), Decimal("0.2"), Decimal("0.4")], junk=[1, 2, 3]).write_parquet(path)
    assert energies(read_file(path, time="t", values="kWh")) == [100, 200, 400]
    path.write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(MeterDataError, match="not a Parquet file"):
        read_file(path, time="t", values="kWh")


# Excel


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"Other {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbooks_with_typed_cells_or_text_are_read(tmp_path: Path) -> None:
    naive = [each.replace(tzinfo=None) for each in TIMES]
    rows: list[list[Any]] = [["Plant", "Roof"], [], ["Time", "kWh", "note"], *([each, 0.1, None] for each in naive)]
    path = workbook(tmp_path / "export.xlsx", rows)
    series = read_file(path, time="Time", values="kWh", time_zone="UTC")
    assert (series.start, series.wh) == (BEGIN, Fraction(300))
    apart: list[list[Any]] = [
        ["Day", "Clock", "W"],
        *([naive[0].replace(hour=0), time(10, minute), 400] for minute in (0, 15)),
    ]
    series = read_file(workbook(tmp_path / "b.xlsx", apart), time=["Day", "Clock"], values="W", time_zone="UTC")
    assert (series.start, series.wh) == (BEGIN, Fraction(200))
    german = [["Zeit", "kWh"], ["01.06.2026 12:00", "0,5"], ["01.06.2026 12:15", "1.000,5"]]
    series = read_file(
        workbook(tmp_path / "c.xlsx", german), time="Zeit", values="kWh", time_format="%d.%m.%Y %H:%M",
        time_zone="Europe/Berlin", decimal=",", thousands=".", delimiter=";",
    )  # fmt: skip
    assert (series.start, series.wh) == (BEGIN, Fraction(1_001_000))
    serial: list[list[Any]] = [["t", "W"], [46174.41666666, 4], [46174.42708333, 4]]
    series = read_file(
        workbook(tmp_path / "d.xlsx", serial), time="t", values="W", time_format="excel", time_zone="UTC"
    )
    assert series.start == datetime(2026, 6, 1, 10, tzinfo=UTC)


def test_with_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["t", "W"], [TIMES[0].isoformat(), 1], [TIMES[1].isoformat(), 1]]
    path = workbook(tmp_path / "a.xlsx", [["nothing"]], rows)
    with pytest.raises(MeterDataError, match="several sheets: 'Sheet', 'Other 1'; name one with `sheet`"):
        read_file(path, time="t", values="W")
    assert len(read_file(path, time="t", values="W", sheet="Other 1")) == 2
    with pytest.raises(MeterDataError, match="no sheet 'x'"):
        read_file(path, time="t", values="W", sheet="x")
    with pytest.raises(MeterDataError, match="column 't': no row of the sheet has the column"):
        read_file(path, time="t", values="W", sheet="Sheet")


def test_zip_bombs_and_other_files_are_not_read_as_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (100 << 20))
    with pytest.raises(MeterDataError, match="unpacks to 104,857,608 bytes"):
        read_file(path, time="t", values="W")
    for data, told in ((b"PK\x03\x04", "not a workbook"), (b"\xd0\xcf\x11\xe0", "save it as .xlsx")):
        path.write_bytes(data)
        with pytest.raises(MeterDataError, match=told):
            read_file(path, time="t", values="W")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readings.csv", "t,W\n")
    with pytest.raises(MeterDataError, match="ZIP archive, but not a workbook"):
        read_file(path, time="t", values="W")


# All formats


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"\x1f\x8b\x08", "compressed with gzip: decompress it"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PAR1", "Parquet file: name it .parquet"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0", "old Excel workbook"),
        (b"<?xml version='1.0'?>", "green-button"),
        (b"UNA:+.? 'UNB+UNOC:3", "mscons"),
        (b'\xef\xbb\xbf {"a": 1}', "solaredge"),
        (b"t,v\n\0\0\0", "binary data"),
        ("t,v\n2026-06-01T10:00Z,1\n".encode("utf-16-le"), "looks like UTF-16"),
    ],
)
def test_a_file_of_another_format_is_recognised(tmp_path: Path, head: bytes, told: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(head + b"\n" * 20)
    with pytest.raises(MeterDataError, match=told):
        read_file(path, time="t", values="v")


def test_formats_are_found_by_name_or_file_name(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('time = "t"\nvalues = "v"\n')
    assert format_named(str(path)) == TableFormat(time="t", values="v")
    assert format_named("nem12") == "nem12"
    assert format_named("ercot-settlement") == TableFormat.named("ercot-settlement")
    with pytest.raises(MeterDataError, match=r"one of: csv, excel, parquet, json, .*, solaredge, .*ercot"):
        format_named("nem13")
    assert all(ready_made_formats().values()), "each has a description"
    for name, kind in FORMATS.items():
        module, function = kind.reader.split(":")
        found: Callable[..., Any] = getattr(__import__(f"der_client.readings.{module}", fromlist=[function]), function)
        assert found.__doc__, name


def test_the_range_of_days_can_be_limited() -> None:
    rows = "".join(f"{BEGIN + QUARTER * number:%Y-%m-%dT%H:%MZ},4\n" for number in range(96 * 3))
    data = ("t,W\n" + rows).encode()
    from der_client.readings import read_table  # noqa: PLC0415

    series = read_table(io.BytesIO(data), TableFormat(**{"from": date(2026, 6, 2), "to": date(2026, 6, 2)}))
    (day,) = metered_days(series, slot_seconds=900)
    assert (day.day, day.wh, day.is_complete) == (date(2026, 6, 2), 96, True)
    with pytest.raises(MeterDataError, match="`from` is after `to`"):
        TableFormat(**{"from": date(2026, 6, 2), "to": date(2026, 6, 1)})
