"""Certificates of the demo's chain: issued from an index, verified with and without a node, forged in every field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from der_client import Der, Devnet
from der_client.certificates import (
    CertificateFile,
    Check,
    Outcome,
    block_headers,
    check_offline,
    check_online,
    issue,
)
from der_client.certificates.bundles import BlockProof
from der_client.cli.app import app
from der_client.demo import run_demo
from der_client.index import Follower, Index
from der_client.project import deployment_plan
from der_client.stacks.blocks import BlockHeader, NakamotoBlock, ProblematicTransaction
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
    """An index of the demo's chain, on which a second buyer also claims energy of the plant whose meter signs."""
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


def blocks_of(file: CertificateFile, der: Der) -> list[NakamotoBlock]:
    """Return the blocks of a certificate, as a verifier could have saved them."""
    heights = {der.client.node_transaction(txid).block_height for txid in file.txids}
    return [der.client.node_block(height) for height in heights if height is not None]


def test_bundles_add_up_to_the_claimed_energy(files: list[CertificateFile]) -> None:
    assert files
    for file in files:
        assert sum(bundle.bundle_quantity for bundle in file.bundles) == file.certificate.wh
        for bundle in file.bundles:
            numbers = bundle.certificate_bundle_id_range_end - bundle.certificate_bundle_id_range_start + 1
            assert numbers == bundle.bundle_quantity
            length = bundle.production_ending_interval - bundle.production_starting_interval
            assert length.total_seconds() == file.slot_seconds
            assert bundle.energy_source == "solar_pv"


def test_all_checks_of_issued_certificates_succeed(files: list[CertificateFile], der: Der, place: Path) -> None:
    with Index(place) as index:
        for file in files:
            checks = (*check_offline(file, blocks_of(file, der)), *check_online(file, der, index))
            assert {check.outcome for check in checks} == {Outcome.RIGHT}, checks


def test_a_certificate_file_survives_a_round_trip(files: list[CertificateFile]) -> None:
    for file in files:
        assert CertificateFile.from_json(file.to_json()) == file


def forged(file: CertificateFile) -> list[tuple[str, dict[str, Any]]]:
    """Return variants of the file, each with one change that a forger could profit from."""
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
    checks = by_name(check_offline(CertificateFile.from_json(json.dumps(fields))))
    assert checks["meter"].outcome is Outcome.WRONG


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_blocks_are_proven_without_a_node(files: list[CertificateFile], der: Der) -> None:
    file = files[0]
    saved = blocks_of(file, der)
    checks = by_name(check_offline(file))
    assert checks["blocks"].outcome is Outcome.RIGHT
    for block in saved:
        header = block.header
        assert f"{header.height} of {header.time:%Y-%m-%d %H:%M:%S} UTC ({header.block_id})" in checks["blocks"].text
    # The file itself does not prove that its blocks are on the chain; blocks that the verifier has saved do.
    assert checks["chain"].outcome is Outcome.NOT_CHECKED
    assert by_name(check_offline(file, saved))["chain"].outcome is Outcome.RIGHT
    some = by_name(check_offline(file, saved[1:]))["chain"]
    assert (some.outcome, some.text) == (
        Outcome.NOT_CHECKED,
        f"{len(saved) - 1} of {len(saved)} blocks are saved; missing: {saved[0].header.height}",
    )


def test_blocks_of_another_chain_are_detected(files: list[CertificateFile], der: Der) -> None:
    """A forged block with the same transactions makes the file consistent, but it does not match the chain."""
    file = files[0]
    saved = blocks_of(file, der)

    def remade(proof: BlockProof) -> BlockProof:
        header = BlockHeader.decode(bytes.fromhex(proof.header))
        other = replace(header, state_root="11" * 32)
        return proof.model_copy(update={"header": other.encode().hex()})

    forgery = file.model_copy(update={"blocks": tuple(remade(proof) for proof in file.blocks)})
    assert by_name(check_offline(forgery))["blocks"].outcome is Outcome.RIGHT
    kept = by_name(check_offline(forgery, saved))["chain"]
    assert kept.outcome is Outcome.WRONG
    assert saved[0].header.block_id in kept.text
    assert by_name(check_online(forgery, der))["chain"].outcome is Outcome.WRONG


def block_forgeries(file: CertificateFile) -> dict[str, dict[str, Any]]:
    """Return variants of the file, each with one change in its blocks."""
    plain: dict[str, Any] = json.loads(file.to_json())
    verified = next(
        number for number, proof in enumerate(plain["blocks"]) if file.verified_txid in proof["transactions"]
    )

    def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        copy: dict[str, Any] = json.loads(json.dumps(plain))
        change(copy)
        return copy

    def header(fields: dict[str, Any], **changes: Any) -> None:
        proof = fields["blocks"][verified]
        known = BlockHeader.decode(bytes.fromhex(proof["header"]))
        proof["header"] = replace(known, **changes).encode().hex()

    def place(fields: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = fields["blocks"][verified]["transactions"][file.verified_txid]
        return found

    position = place(plain)["position"]
    marker = (ProblematicTransaction(position, 1),)
    return {
        "another Merkle root": changed(lambda fields: header(fields, transactions_root="11" * 32)),
        "another time": changed(lambda fields: header(fields, timestamp=1)),
        "another time of the day's verification": changed(
            lambda fields: fields.update(verified_at="2026-01-01T00:00:00Z", bundles=[])
        ),
        "not run": changed(lambda fields: header(fields, problematic=marker)),
        "a height above the claim's": changed(lambda fields: header(fields, height=2**64 - 1)),
        "another position": changed(lambda fields: place(fields).update(position=position ^ 1)),
        "no such position": changed(lambda fields: place(fields).update(position=2**31)),
        "another sibling": changed(lambda fields: place(fields).update(siblings=["11" * 32])),
        "a short sibling": changed(lambda fields: place(fields).update(siblings=["11"])),
        "a sibling that is no number": changed(lambda fields: place(fields).update(siblings=["zz" * 32])),
        "a cut header": changed(lambda f: f["blocks"][verified].update(header=f["blocks"][verified]["header"][:-2])),
        "a header that is no number": changed(lambda fields: fields["blocks"][verified].update(header="zz")),
        "a huge count of signers": changed(
            lambda fields: fields["blocks"][verified].update(header="01" + "00" * 205 + "ff" * 4)
        ),
        "a block left out": changed(lambda fields: fields["blocks"].pop()),
        "a block twice": changed(lambda fields: fields["blocks"].append(fields["blocks"][-1])),
        "blocks in another order": changed(lambda fields: fields["blocks"].reverse()),
        "no recordings": changed(lambda fields: fields.update(recordings=[])),
    }


def test_no_block_can_be_forged(files: list[CertificateFile]) -> None:
    file = files[0]
    for name, fields in block_forgeries(file).items():
        checks = by_name(check_offline(CertificateFile.from_json(json.dumps(fields))))
        outcomes = {checks[check].outcome for check in ("blocks", "bundles")}
        assert Outcome.WRONG in outcomes, name
        if name != "no recordings":
            assert checks["blocks"].outcome is Outcome.WRONG, name


def test_a_file_without_blocks_is_not_checked_against_the_chain(files: list[CertificateFile], der: Der) -> None:
    bare = files[0].model_copy(update={"blocks": ()})
    for checks in (by_name(check_offline(bare)), by_name(check_online(bare, der))):
        assert checks["chain"].outcome is Outcome.NOT_CHECKED
        assert "the file has no blocks" in checks["chain"].text


@pytest.mark.parametrize(
    "blocks",
    [
        [{"header": "00", "transactions": {}}],
        [{"header": "00", "transactions": {"00": {"position": 1 << 200, "siblings": ["00"]}}}],
        [{"header": "00", "transactions": {"00": {"position": 0, "siblings": []}}}],
        [{"header": "00", "transactions": {"00": {"position": 0, "siblings": ["00"] * 33}}}],
        [{"header": "00", "transactions": {"00": {"position": 0, "siblings": ["00"]}}}] * 1003,
    ],
)
def test_malformed_blocks_are_rejected(files: list[CertificateFile], blocks: list[Any]) -> None:
    fields = json.loads(files[0].to_json()) | {"blocks": blocks}
    with pytest.raises(InvalidValueError, match="not a certificate file of version 1 at blocks"):
        CertificateFile.from_json(json.dumps(fields))


def test_an_earlier_certificate_cannot_be_left_out(files: list[CertificateFile], der: Der, place: Path) -> None:
    file = next(file for file in files if file.earlier)
    fields = json.loads(file.to_json()) | {"earlier": []}
    forgery = CertificateFile.from_json(json.dumps(fields))
    with Index(place) as index:
        checks = by_name(check_online(forgery, der, index))
    assert checks["earlier certificates"].outcome is Outcome.WRONG


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"format": "der-certificate", "version": 2}', "\x00"])
def test_other_files_are_rejected(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not a certificate file of version 1"):
        CertificateFile.from_json(text)


def test_the_certificate_commands(place: Path, chain: Devnet, tmp_path: Path) -> None:
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
    told = json.loads(offline.output)
    file = CertificateFile.from_json(out.read_bytes())
    assert [block["id"] for block in told["blocks"]] == [header.block_id for header in block_headers(file)]
    outcomes = {check["name"]: check["outcome"] for check in told["checks"]}
    assert {name for name, outcome in outcomes.items() if outcome != "right"} == {"chain"}
    assert "not checked" not in right.output  # the node proves that the blocks are on the chain
    saved: list[str] = []
    for block in blocks_of(file, Der.connect(chain.url)):
        (tmp_path / f"{block.header.height}.block").write_bytes(block.encode())
        saved += ["--block", str(tmp_path / f"{block.header.height}.block")]
    proven = runner.invoke(app, ["verify-certificate", str(out), "--offline", *saved])
    assert proven.exit_code == 0, proven.output
    assert "not checked" not in proven.output
    Path(saved[1]).write_bytes(b"no block")
    refused = runner.invoke(app, ["verify-certificate", str(out), "--offline", *saved])
    assert refused.exit_code == 1
    assert saved[1] in refused.output
    out.write_text(out.read_text().replace('"purpose": "', '"purpose": "more '))
    wrong = runner.invoke(app, ["verify-certificate", str(out), *options])
    assert wrong.exit_code == 1
    assert "purpose" in wrong.output
    out.write_text(out.read_text().replace('"purpose": "more ', '"purpose": "\\u001b[2J'))
    assert "\x1b" not in runner.invoke(app, ["verify-certificate", str(out), *options]).output
    missing = runner.invoke(app, ["certificate", "claim", "77", *options])
    assert missing.exit_code == 1
