"""Plant maps: an error in a map names the plant and the field."""

from pathlib import Path

import pytest

from der_client.cli.plant_map import key_files, read_map, read_plants
from der_client.readings import MeterDataError

ROWS = "time,meter,kWh\n2026-06-01T10:00Z,a,1\n2026-06-01T10:00Z,b,2\n2026-06-01T11:00Z,a,3\n2026-06-01T11:00Z,b,4\n"
SHARED = {"form": None, "power_of_ten": None, "time": "time", "values": "kWh"}


def written(folder: Path, text: str) -> Path:
    path = folder / "plants.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[plant]]\nasset = ", "is not TOML"),
        ("", r"expected one \[\[plant\]\] for each plant$"),
        ("[[plants]]\nasset = 1\n", "for each plant, not 'plants'"),
        ("plant = [1]\n", r"plant 1: expected a \[\[plant\]\] with its fields, got 1"),
        ("[[plant]]\n", "plant 1: asset is None: expected the number of an asset"),
        ("[[plant]]\nasset = true\n", "plant 1: asset is True"),
        ("[[plant]]\nasset = 1\n[[plant]]\nasset = 1\n", "plant 2: asset 1 is named twice"),
        ("[[plant]]\nasset = 1\nchannel = 5\n", "plant 1: channel is 5: expected the name of a channel"),
        ("[[plant]]\nasset = 1\nmeter_key_file = 5\n", "plant 1: meter_key_file is 5: expected the name of a file"),
        ("[[plant]]\nasset = 1\npower_of_ten = '3'\n", "plant 1: power_of_ten is '3': expected an integer"),
        ("[[plant]]\nasset = 1\nformat = 3\n", "plant 1: format is 3: expected the name of a format"),
    ],
)
def test_an_invalid_map_is_rejected(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(MeterDataError, match=problem):
        read_map(written(tmp_path, text))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("where = 5", "asset 7: `where` is 5"),
        ("colour = 'red'", "asset 7: 'colour' is not an option of a format"),
        ("where = { meter = 'c' }", "asset 7: column 'meter': no row has 'c' there; there are: 'a', 'b'"),
    ],
)
def test_an_error_names_the_asset(tmp_path: Path, fields: str, problem: str) -> None:
    file = tmp_path / "export.csv"
    file.write_text(ROWS)
    entries = read_map(written(tmp_path, f"[[plant]]\nasset = 7\n{fields}\n"))
    with pytest.raises(MeterDataError, match=problem):
        list(read_plants(file, SHARED, entries, None))


def test_each_plant_has_its_own_rows_and_key(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(ROWS)
    entries = read_map(
        written(
            tmp_path,
            '[[plant]]\nasset = 7\nwhere = { meter = "b" }\n'
            '[[plant]]\nasset = 9\nwhere = { meter = "a" }\nmeter_key_file = "own.json"\n',
        )
    )
    default = Path("default.json")
    plants = list(read_plants(file, SHARED, entries, default))
    assert [(plant.asset, int(plant.series.wh), plant.meter_key_file) for plant in plants] == [
        (7, 6000, default),
        (9, 4000, Path("own.json")),
    ]
    assert key_files(entries, default) == {default, Path("own.json")}
    assert key_files(entries, None) == {Path("own.json")}
