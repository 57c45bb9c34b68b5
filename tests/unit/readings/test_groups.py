"""Parquet files with many plants: read once, one part in memory at a time, with the same series as plant by plant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from der_client.readings import MeterDataError, groups, read_file
from der_client.readings.groups import read_groups

START = datetime(2026, 6, 1, tzinfo=UTC)
OPTIONS: dict[str, Any] = {"time": ["at"], "values": ["Wh"], "interval_seconds": 900}


def write(folder: Path, plants: int, slots: int, *, is_sorted: bool) -> Path:
    """Write a file of ``plants`` plants with ``slots`` rows each, sorted by plant or interleaved; return its path."""
    rows = [(f"M{plant}", slot) for plant in range(plants) for slot in range(slots)]
    if not is_sorted:
        rows.sort(key=lambda row: row[1])
    file = folder / "fleet.parquet"
    pl.DataFrame(
        {
            "meter": [meter for meter, _ in rows],
            "at": [START + timedelta(minutes=15 * slot) for _, slot in rows],
            "Wh": [Random(f"{meter} {slot}").randrange(1000) for meter, slot in rows],  # noqa: S311
        }
    ).write_parquet(file, row_group_size=97)
    return file


@pytest.mark.parametrize("is_sorted", [True, False])
@pytest.mark.parametrize("rows_per_part", [50_000, 20])
def test_the_series_are_the_same_as_plant_by_plant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sorted: bool, rows_per_part: int
) -> None:
    monkeypatch.setattr(groups, "_ROWS_PER_PART", rows_per_part)
    file = write(tmp_path, 40, 12, is_sorted=is_sorted)
    wanted = [f"M{plant}" for plant in range(39, 4, -1)]
    read = dict(read_groups(file, "meter", wanted, **OPTIONS))
    assert sorted(read) == sorted(wanted)
    if rows_per_part == 50_000:
        assert list(read) == wanted
    for text in ("M5", "M17", "M39"):
        assert read[text] == read_file(file, where={"meter": [text]}, **OPTIONS)


def test_one_part_at_a_time_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_ROWS_PER_PART", 20)
    sizes: list[int] = []
    shown = pl.read_parquet

    def read(files: list[Path]) -> pl.DataFrame:
        frame = shown(files)
        sizes.append(frame.height)
        return frame

    monkeypatch.setattr(pl, "read_parquet", read)
    file = write(tmp_path, 40, 12, is_sorted=False)
    series = read_groups(file, "meter", [f"M{plant}" for plant in range(40)], **OPTIONS)
    next(series)
    assert len(sizes) == 1
    assert len(list(series)) == 39
    assert (sum(sizes), max(sizes) <= 10 * 12) == (480, True)


def test_missing_plants_and_columns_are_reported_before_reading(tmp_path: Path) -> None:
    file = write(tmp_path, 3, 4, is_sorted=True)
    with pytest.raises(MeterDataError, match=r"column 'meter', value 'M7': no row has this text; 2 of 3 are missing"):
        next(read_groups(file, "meter", ["M1", "M7", "M8"], **OPTIONS))
    with pytest.raises(MeterDataError, match=r"column 'plant': the column is not found; there are: 'meter', 'at'"):
        next(read_groups(file, "plant", ["M1"], **OPTIONS))
    file.write_text("not Parquet")
    with pytest.raises(MeterDataError, match="not a Parquet file"):
        next(read_groups(file, "meter", ["M1"], **OPTIONS))


def test_an_error_names_the_plant(tmp_path: Path) -> None:
    file = write(tmp_path, 3, 4, is_sorted=True)
    with pytest.raises(MeterDataError, match=r"meter M1: .*'kW'"):
        list(read_groups(file, "meter", ["M1"], **{**OPTIONS, "values": ["kW"]}))
