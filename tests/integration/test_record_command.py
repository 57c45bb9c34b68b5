"""``der record``: a meter's CSV export is recorded on the real devnet."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import Result

from der_client.contracts.asset_verification import DeviceKey, KeyClaim, KeyCurve
from der_client.devnet import Devnet
from der_client.readings import sign_key_proof
from der_client.readings.signers import compressed
from tests.integration.commands import run
from tests.integration.conftest import Parties, ReadyPlant, register, start_of

KWH = ["0.250", "0.301", "", "0.5"]
"""The energy of the first quarter-hours of a day; one value is unknown."""


@pytest.fixture
def day(plant: ReadyPlant, devnet: Devnet) -> date:
    """A day that is over."""
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    return plant.tomorrow


def export(path: Path, day: date, cells: list[str], offset: timedelta = timedelta()) -> Path:
    """Write a meter's export, whose timestamps are ahead of UTC by ``offset`` without saying so."""
    begin = start_of(day) + offset
    stamps = [(begin + timedelta(minutes=15) * slot).strftime("%Y-%m-%d %H:%M") for slot in range(len(cells))]
    rows = [f"{stamp};0815;{cell}" for stamp, cell in zip(stamps, cells, strict=True)]
    path.write_text("\n".join(["stamp;serial;active energy", *rows]) + "\n")
    return path


@pytest.fixture
def meter_key_file(plant: ReadyPlant, tmp_path: Path) -> Path:
    path = tmp_path / "meter.key"
    path.write_text(plant.meter_key.to_hex())
    return path


def test_missing_slots_are_signed_and_relayed(
    parties: Parties, devnet: Devnet, plant: ReadyPlant, day: date, meter_key_file: Path, tmp_path: Path
) -> None:
    options = ["--meter-key-file", str(meter_key_file)]
    done = der_record(devnet, export(tmp_path / "a.csv", day, KWH), plant.asset_id, *options, "--json")
    assert done.exit_code == 0, done.stderr
    (recording,) = json.loads(done.stdout)["recordings"]
    assert (recording["day"], recording["status"], recording["wh"]) == (day.isoformat(), "recorded", 1051)
    assert len(recording["txids"]) == 1  # a run of slots before the gap and one after it, in one call
    assert mask_and_wh(parties, plant.asset_id, day) == (0b1011, 1051)

    # The file has grown: only new slots are paid for.
    grown = export(tmp_path / "b.csv", day, [*KWH, "0.7"])
    again = json.loads(der_record(devnet, grown, plant.asset_id, *options, "--json").stdout)
    assert [(entry["slots"], entry["recorded_slots"]) for entry in again["recordings"]] == [(4, 1)]
    assert mask_and_wh(parties, plant.asset_id, day) == (0b11011, 1751)
    last = der_record(devnet, grown, plant.asset_id, *options)
    assert last.exit_code == 0
    assert "repeated" in last.stdout
    assert last.stdout.endswith("0 transactions, 0 µSTX fees\n")
    assert plant.meter_key.to_hex() not in last.stdout + last.stderr + done.stdout + done.stderr


def test_a_meter_on_p256_signs_with_its_key_in_pem(parties: Parties, devnet: Devnet, tmp_path: Path) -> None:
    meter_key = ec.generate_private_key(ec.SECP256R1())
    key, seller = compressed(meter_key.public_key()), parties.seller.account
    assert seller is not None
    chain_id, register_id = parties.anyone.client.network.chain_id, parties.seller.assets.contract_id
    proof = sign_key_proof(meter_key, contract=register_id, owner=seller.address, chain_id=chain_id)
    asset_id = register(parties, KeyClaim(curve=KeyCurve.P256, key=key, proof=proof))
    parties.registrar.assets.verify_asset(asset_id, 6000, DeviceKey(curve=KeyCurve.P256, key=key)).send().wait()
    tomorrow = parties.anyone.now().date() + timedelta(days=1)
    devnet.advance(to=start_of(tomorrow + timedelta(days=1)))
    path = tmp_path / "meter.pem"
    path.write_bytes(meter_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    done = der_record(devnet, export(tmp_path / "a.csv", tomorrow, KWH), asset_id, "--meter-key-file", str(path))
    assert done.exit_code == 0, done.stderr
    assert mask_and_wh(parties, asset_id, tomorrow) == (0b1011, 1051)


@pytest.mark.parametrize("is_signed", [True, False])
def test_a_gap_that_is_filled_later_is_recorded(
    parties: Parties,
    devnet: Devnet,
    plant: ReadyPlant,
    day: date,
    meter_key_file: Path,
    tmp_path: Path,
    is_signed: bool,
) -> None:
    """Filling the gap changes the rounding of the slot after it: first 600 and 601 Wh, then 600, 601 and 600 Wh."""
    asset_id, options, key = plant.asset_id, ["--meter-key-file", str(meter_key_file)], ""
    if not is_signed:
        asset_id, options, key = register(parties, None), [], devnet.accounts["wallet_3"].key.to_hex()
        parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
        day = parties.anyone.now().date()
        devnet.advance(to=start_of(day + timedelta(days=1)))
    gap = export(tmp_path / "a.csv", day, ["0.6006", "", "0.6006"])
    assert der_record(devnet, gap, asset_id, *options, key=key).exit_code == 0
    assert mask_and_wh(parties, asset_id, day) == (0b101, 1201)
    filled = export(tmp_path / "b.csv", day, ["0.6006"] * 3)
    for recorded_slots in (1, 0):
        done = der_record(devnet, filled, asset_id, *options, "--json", key=key)
        assert done.exit_code == 0, done.stdout
        (recording,) = json.loads(done.stdout)["recordings"]
        assert (recording["slots"], recording["recorded_slots"]) == (3, recorded_slots)
        assert mask_and_wh(parties, asset_id, day) == (0b111, 1802)


def test_a_conflict_is_reported_and_not_sent(
    parties: Parties, devnet: Devnet, plant: ReadyPlant, day: date, meter_key_file: Path, tmp_path: Path
) -> None:
    options = ["--meter-key-file", str(meter_key_file), "--interval-seconds", "900"]
    assert der_record(devnet, export(tmp_path / "a.csv", day, ["1"]), plant.asset_id, *options).exit_code == 0
    done = der_record(devnet, export(tmp_path / "b.csv", day, ["1.1"]), plant.asset_id, *options)
    assert done.exit_code == 3
    assert "conflicting" in done.stdout
    assert "0 transactions" in done.stdout
    assert mask_and_wh(parties, plant.asset_id, day) == (1, 1000)


@pytest.mark.parametrize("zone", ["+02:00", "Africa/Maputo"])
def test_an_oracle_records_for_a_meter_that_cannot_sign(
    parties: Parties, devnet: Devnet, tmp_path: Path, zone: str
) -> None:
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    today = parties.anyone.now().date()
    devnet.advance(to=start_of(today + timedelta(days=1)))
    file = export(tmp_path / "a.csv", today, KWH, timedelta(hours=2))
    oracle = devnet.accounts["wallet_3"].key.to_hex()
    done = der_record(devnet, file, asset_id, "--time-zone", zone, "--json", key=oracle)
    assert done.exit_code == 0, done.stderr
    assert mask_and_wh(parties, asset_id, today) == (0b1011, 1051)


def test_a_tab_delimiter_is_written_as_two_characters(
    devnet: Devnet, plant: ReadyPlant, day: date, tmp_path: Path
) -> None:
    file = export(tmp_path / "a.csv", day, KWH)
    file.write_text(file.read_text().replace(";", "\t"))
    done = der_record(devnet, file, plant.asset_id, "--delimiter", "\\t", "--json")
    assert [entry["slots"] for entry in json.loads(done.stdout)["recordings"]] == [3]


def test_an_account_that_is_not_an_oracle_is_refused(
    devnet: Devnet, plant: ReadyPlant, day: date, tmp_path: Path
) -> None:
    done = der_record(devnet, export(tmp_path / "a.csv", day, KWH), plant.asset_id, "--json")
    assert done.exit_code == 3
    report = json.loads(done.stdout)
    assert [(entry["status"], entry["error"]) for entry in report["recordings"]] == [("refused", "ERR_NOT_ORACLE")]
    assert report["txids"] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "has no asset 99"),
        (["--time-zone", "Middle/Earth"], "expected an offset such as +01:00, or a zone such as Europe/Berlin"),
        (["--time-zone", "+25:99"], "expected an offset such as +01:00, or a zone such as Europe/Berlin"),
        (["--value-column", "power"], "power"),
        (["--delimiter", ""], "--delimiter is '': expected one character"),
    ],
)
def test_invalid_options_are_reported_in_one_line(
    devnet: Devnet, tmp_path: Path, options: list[str], told: str
) -> None:
    done = der_record(devnet, export(tmp_path / "a.csv", date(2026, 7, 1), KWH), 99, *options)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert told in line


def mask_and_wh(parties: Parties, asset_id: int, day: date) -> tuple[int, int]:
    row = parties.anyone.production.get_day(asset_id, day)
    assert row is not None
    return row.mask, row.wh


def der_record(devnet: Devnet, file: Path, asset_id: int, *options: str, key: str = "") -> Result:
    columns = ["--time-column", "stamp", "--value-column", "active energy"]
    form = ["--unit", "kWh", "--delimiter", ";", "--nulls", "unknown", "--time-zone", "+00:00"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DER_KEY", key or devnet.accounts["wallet_8"].key.to_hex())
        return run("record", file, "--asset", asset_id, "--url", devnet.url, *columns, *form, *options)
