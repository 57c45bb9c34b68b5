"""Certificates of the demo's chain: issued from an index, examined with and without a node, forged in every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from der_client import Der, Devnet
from der_client.certificates import CertificateFile, Outcome, check_offline, check_online, issue
from der_client.cli.app import app
from der_client.demo import run_demo
from der_client.index import Follower, Index
from der_client.project import deployment_plan
from der_client.stacks.errors import InvalidValueError
from tests.integration.conftest import NOON


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, start_time=NOON) as devnet:
        run_demo(devnet, deployment_plan())
        yield devnet


@pytest.fixture(scope="module")
def der(chain: Devnet) -> Der:
    return Der.connect(chain.url)


@pytest.fixture(scope="module")
def place(der: Der, chain: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the chain: the demo claims energy of a plant whose meter signs, and here another buyer does, too."""
    accounts = {account.address: account for account in chain.accounts.values()}
    payments = list(der.list_payments().values())
    claimed = next(payment for payment in payments if payment.claimed_wh)
    other = next(
        payment
        for payment in payments
        if (payment.asset_id, payment.day) == (claimed.asset_id, claimed.day)
        and payment.payment_id != claimed.payment_id
        and payment.delivered_wh
    )
    buyer = der.with_account(accounts[other.buyer])
    buyer.settlement.claim(other.payment_id, other.delivered_wh, other.buyer, "a second claim").send().wait()
    place = tmp_path_factory.mktemp("index") / "chain.sqlite"
    with Follower(der, place) as follower:
        follower.run_once()
    return place


@pytest.fixture(scope="module")
def files(place: Path, der: Der) -> list[CertificateFile]:
    with Index(place) as index:
        return [issue(index, certificate, der.client) for certificate in index.certificates()]


def test_bundles_sum_up_to_what_was_claimed(files: list[CertificateFile]) -> None:
    assert files
    for file in files:
        assert sum(bundle.bundle_quantity for bundle in file.bundles) == file.certificate.wh
        for bundle in file.bundles:
            numbers = bundle.certificate_bundle_id_range_end - bundle.certificate_bundle_id_range_start + 1
            assert numbers == bundle.bundle_quantity
            length = bundle.production_ending_interval - bundle.production_starting_interval
            assert length.total_seconds() == file.slot_seconds
            assert bundle.energy_source == "solar_pv"


def test_everything_is_proven(files: list[CertificateFile], der: Der, place: Path) -> None:
    with Index(place) as index:
        for file in files:
            checks = (*check_offline(file), *check_online(file, der, index))
            assert {check.outcome for check in checks} == {Outcome.RIGHT}, checks


def test_a_file_survives_being_written(files: list[CertificateFile]) -> None:
    for file in files:
        assert CertificateFile.from_json(file.to_json()) == file


def forged(file: CertificateFile) -> list[tuple[str, dict[str, Any]]]:
    """The file with one thing changed, for each thing that somebody could gain by."""
    plain = json.loads(file.to_json())

    def changed(change: Any) -> dict[str, Any]:
        copy: dict[str, Any] = json.loads(json.dumps(plain))
        change(copy)
        return copy

    def more(fields: dict[str, Any]) -> None:
        fields["certificate"]["wh"] += 1

    def moved(fields: dict[str, Any]) -> None:
        whs = fields["recordings"][0]["whs"]
        whs[0], whs[len(whs) // 2] = whs[len(whs) // 2], whs[0]

    return [
        ("a larger claim", changed(more)),
        ("another beneficiary", changed(lambda fields: fields["certificate"].update(beneficiary=file.deployer))),
        ("another purpose", changed(lambda fields: fields["certificate"].update(purpose="something else"))),
        ("another claim's number", changed(lambda fields: fields["certificate"].update(id=99))),
        ("energy moved to another hour", changed(moved)),
        ("another day's energy", changed(lambda fields: fields.update(day_wh=fields["day_wh"] + 1))),
        ("another verifier", changed(lambda fields: fields.update(verifier=file.deployer))),
        ("a cleaner plant", changed(lambda fields: fields["plant_facts"].update(kind="WIND"))),
        ("another place", changed(lambda fields: fields["plant_facts"].update(location="u4pruydqqvj"))),
        ("another plant", changed(lambda fields: fields.update(asset_id=fields["asset_id"] % 3 + 1))),
        ("a bundle left out", changed(lambda fields: fields["bundles"].pop())),
        ("a transaction's bytes", changed(lambda fields: fields["transactions"].update({file.verified_txid: "00"}))),
        ("another meter", changed(lambda fields: fields["meter"].update(key="02" + "11" * 32))),
    ]


def test_no_field_can_be_forged(files: list[CertificateFile], der: Der) -> None:
    file = next(file for file in files if file.meter)
    for name, fields in forged(file):
        forgery = CertificateFile.from_json(json.dumps(fields))
        checks = (*check_offline(forgery), *check_online(forgery, der))
        assert Outcome.WRONG in {check.outcome for check in checks}, name


def test_readings_cannot_be_forged_without_a_node(files: list[CertificateFile]) -> None:
    file = next(file for file in files if file.meter)
    fields = dict(forged(file))["energy moved to another hour"]
    by_name = {check.name: check for check in check_offline(CertificateFile.from_json(json.dumps(fields)))}
    assert by_name["meter"].outcome is Outcome.WRONG


def test_an_earlier_certificate_cannot_be_left_out(files: list[CertificateFile], der: Der, place: Path) -> None:
    file = next(file for file in files if file.earlier)
    fields = json.loads(file.to_json()) | {"earlier": []}
    forgery = CertificateFile.from_json(json.dumps(fields))
    with Index(place) as index:
        by_name = {check.name: check for check in check_online(forgery, der, index)}
    assert by_name["earlier certificates"].outcome is Outcome.WRONG


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"format": "der-certificate", "version": 2}', "\x00"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a certificate file of version 1"):
        CertificateFile.from_json(text)


def test_the_commands(place: Path, chain: Devnet, tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "claim.json"
    options = ["--database", str(place), "--url", chain.url]
    made = runner.invoke(app, ["certificate", "claim", "1", "--output", str(out), *options])
    assert made.exit_code == 0, made.output
    right = runner.invoke(app, ["verify-certificate", str(out), *options])
    assert right.exit_code == 0, right.output
    assert "wrong" not in right.output
    offline = runner.invoke(app, ["verify-certificate", str(out), "--offline", "--json"])
    assert offline.exit_code == 0, offline.output
    assert {check["outcome"] for check in json.loads(offline.output)["checks"]} == {"right"}
    out.write_text(out.read_text().replace('"purpose": "', '"purpose": "more '))
    wrong = runner.invoke(app, ["verify-certificate", str(out), *options])
    assert wrong.exit_code == 1
    assert "purpose" in wrong.output
    missing = runner.invoke(app, ["certificate", "claim", "77", *options])
    assert missing.exit_code == 1
