"""Meter data that once led to silent errors: each file is recorded by ``der record`` and read back from the chain.

Ambiguous data must be an error that leaves the chain unchanged; unambiguous data must be recorded exactly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from der_client.devnet import Devnet
from tests.integration.commands import run
from tests.integration.conftest import Parties, ReadyPlant, register, start_of

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Stand:
    """A plant whose meter cannot sign, one of its past days, and the oracle that records it."""

    parties: Parties
    devnet: Devnet
    asset_id: int
    day: date
    folder: Path

    def write(self, text: str, name: str = "export.csv") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def record(self, file: Path, *options: str, asset_id: int | None = None) -> Result:
        plant = () if "--plants" in options else ("--asset", asset_id or self.asset_id)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DER_KEY", self.devnet.accounts["wallet_3"].key.to_hex())
            return run("record", file, "--url", self.devnet.url, *plant, *options)

    def recorded(self, asset_id: int | None = None) -> tuple[int, int] | None:
        """Return the slots and the energy of the day on the chain."""
        row = self.parties.anyone.production.get_day(asset_id or self.asset_id, self.day)
        return None if row is None else (row.mask, row.wh)

    def at(self, slot: int, *, step: timedelta = QUARTER) -> str:
        return f"{start_of(self.day) + slot * step:%Y-%m-%dT%H:%MZ}"

    def rows(self, *values: object, step: timedelta = QUARTER) -> str:
        return "".join(f"{self.at(slot, step=step)},{value}\n" for slot, value in enumerate(values))


@pytest.fixture
def stand(parties: Parties, devnet: Devnet, plant: ReadyPlant, tmp_path: Path) -> Stand:
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    day = parties.anyone.now().date() + timedelta(days=1)
    devnet.advance(to=start_of(day + timedelta(days=1)) + timedelta(hours=1))
    return Stand(parties, devnet, asset_id, day, tmp_path)


def refused(done: Result, *told: str) -> None:
    """Check for exit code 1, one error line with these words on stderr, and nothing on stdout."""
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for words in told:
        assert words in line


def test_a_changing_interval_is_refused_without_an_option(stand: Stand) -> None:
    half = timedelta(minutes=30)
    rows = stand.rows(1, 1, 1, step=half) + "".join(f"{stand.at(slot)},0.5\n" for slot in (6, 7, 8))
    file = stand.write("t,kWh\n" + rows)
    refused(stand.record(file), "line 6", "--until-next", "--interval-seconds 900")
    assert stand.recorded() is None
    assert stand.record(file, "--until-next").exit_code == 0
    assert stand.recorded() == (0b11000000, 1000)  # the half-hours are longer than a slot, the last row has no end


def test_a_register_is_refused_without_an_option(stand: Stand) -> None:
    file = stand.write("t,Export kWh\n" + stand.rows("0.150", "0.161", "0.162", "0.162", "0.194", "0.254"))
    refused(stand.record(file), "only grow", "--kind register")
    assert stand.recorded() is None
    assert stand.record(file, "--kind", "register").exit_code == 0
    assert stand.recorded() == (0b11111, 104)


def test_a_register_reset_leaves_its_interval_unknown(stand: Stand) -> None:
    file = stand.write("t,kWh\n" + stand.rows("5", "5.1", "0.2", "0.25"))
    done = stand.record(file, "--kind", "register")
    assert done.exit_code == 0
    assert "showed less than before once" in done.stdout
    assert "left out: 1 slot" in done.stdout
    assert stand.recorded() == (0b101, 150)


def test_two_tariff_columns_are_added_up_if_both_are_named(stand: Stand) -> None:
    rows = "".join(f"{stand.at(slot)},{first},{second}\n" for slot, (first, second) in enumerate(((0, 0.25), (0.1, 0))))
    file = stand.write("t,T1 kWh,T2 kWh\n" + rows)
    refused(stand.record(file, "--time", "t"), "--values", "'T1 kWh', 'T2 kWh'")
    assert stand.recorded() is None
    assert stand.record(file, "--time", "t", "--values", "T1 kWh", "--values", "T2 kWh").exit_code == 0
    assert stand.recorded() == (0b11, 350)


def test_two_meters_are_listed_and_recorded_for_their_plants(stand: Stand) -> None:
    other = register(stand.parties, None)
    stand.parties.registrar.assets.verify_asset(other, 6000, None).send().wait()
    stand.devnet.advance(to=start_of(stand.day + timedelta(days=2)) + timedelta(hours=1))
    later = Stand(stand.parties, stand.devnet, stand.asset_id, stand.day + timedelta(days=1), stand.folder)
    rows = "".join(f"{meter},{row}\n" for meter in "AB" for row in later.rows(ord(meter), 5, 7).splitlines())
    file = later.write("Meter,t,Wh\n" + rows)
    columns = ["--time", "t", "--values", "Wh"]
    refused(later.record(file, *columns), "'A', 'B'", "--where Meter=A")
    assert later.recorded() is None
    plants = later.write(
        f'[[plant]]\nasset = {stand.asset_id}\nwhere = {{ Meter = "A" }}\n\n'
        f'[[plant]]\nasset = {other}\nwhere = {{ Meter = "B" }}\n',
        "plants.toml",
    )
    done = later.record(file, *columns, "--plants", str(plants), "--json")
    assert done.exit_code == 0, done.stderr + done.stdout
    assert [plant["known_slots"] for plant in json.loads(done.stdout)["plants"]] == [3, 3]
    assert later.recorded() == (0b111, 65 + 12)
    assert later.recorded(other) == (0b111, 66 + 12)


def test_a_file_without_a_complete_slot_has_its_own_exit_code(stand: Stand) -> None:
    hours = stand.write("t,Wh\n" + stand.rows(10, 20, 10, step=timedelta(hours=1)))
    done = stand.record(hours)
    assert done.exit_code == 4
    assert "nothing to record: no slot of 900 s is known: the shortest interval is 3,600 s long" in done.stdout
    assert stand.recorded() is None
    mixed = stand.write("t,Wh\n" + stand.rows(10, "", 10))
    done = stand.record(mixed, "--nulls", "unknown")
    assert done.exit_code == 0
    assert "left out: 1 slot incomplete in the file" in done.stdout
    assert stand.recorded() == (0b101, 20)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--stamped", "middle"], "'middle' is not one of 'start', 'end'"),
        (["--unit", "kilowatts"], "'kilowatts' is not one of"),
        (["--time-zone", "Europe/Berlim"], "Europe/Berlim"),
        (["--format", "nem13"], "nem13"),
        (["--time-format", "DD.MM.YYYY"], "DD.MM.YYYY"),
    ],
)
def test_an_unknown_option_value_records_nothing(stand: Stand, options: list[str], told: str) -> None:
    done = stand.record(stand.write("t,Wh\n" + stand.rows(10, 20)), *options)
    assert done.exit_code in {1, 2}
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert stand.recorded() is None


def test_a_mistyped_year_is_an_error_or_can_be_left_out(stand: Stand) -> None:
    file = stand.write("t,Wh\n" + stand.rows(10, 20) + f"{datetime(2926, 1, 1):%Y-%m-%dT%H:%MZ},5\n")  # noqa: DTZ001
    refused(stand.record(file, "--interval-seconds", "900"), "line 4", "a year must be mistyped", "--to")
    assert stand.recorded() is None
    done = stand.record(file, "--interval-seconds", "900", "--to", stand.day.isoformat())
    assert done.exit_code == 0
    assert stand.recorded() == (0b11, 30)


def test_readings_later_than_the_chain_time_are_an_error(stand: Stand) -> None:
    ahead = stand.day + timedelta(days=400)
    rows = "".join(f"{start_of(ahead) + slot * QUARTER:%Y-%m-%dT%H:%MZ},10\n" for slot in range(4))
    refused(stand.record(stand.write("t,Wh\n" + rows)), f"until {ahead} 00:59", "but the chain is at", "--to")
    file = stand.write("t,Wh\n" + stand.rows(10, 20) + rows)
    done = stand.record(file, "--interval-seconds", "900", "--to", stand.day.isoformat())
    assert done.exit_code == 0
    assert stand.recorded() == (0b11, 30)


def test_estimates_are_recorded_only_with_an_option(stand: Stand) -> None:
    rows = "".join(
        f"{stand.at(slot)},{wh},{word}\n" for slot, (wh, word) in enumerate(((10, "A"), (20, "E"), (30, "A")))
    )
    file = stand.write("t,Wh,Quality\n" + rows)
    options = ["--time", "t", "--values", "Wh", "--quality-column", "Quality"]
    done = stand.record(file, *options)
    assert done.exit_code == 0
    assert "estimates: 1 slot, left out; --estimates records them" in done.stdout
    assert stand.recorded() == (0b101, 40)
    assert stand.record(file, *options, "--estimates").exit_code == 0
    assert stand.recorded() == (0b111, 60)


def test_a_mixed_column_is_split_by_its_sign(stand: Stand) -> None:
    file = stand.write("t,kWh\n" + stand.rows("0.25", "-0.221", "-0.572"))
    refused(stand.record(file), "--sign negative", "--sign positive")
    assert stand.recorded() is None
    assert stand.record(file, "--sign", "negative").exit_code == 0
    assert stand.recorded() == (0b111, 793)


def test_the_summary_of_a_month_fits_80_columns(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    begin = stand.day - timedelta(days=1)
    text = "".join(f"{start_of(begin) + slot * QUARTER:%Y-%m-%dT%H:%MZ},{slot % 7}\n" for slot in range(96 * 3))
    done = stand.record(stand.write("t,Wh\n" + text))
    assert done.exit_code == 3  # the last day is not over
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "refused: slot 95 of" in done.stdout
    assert done.stdout.count("\n") < 15
