"""``der keeper`` in a separate process, against the real devnet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.devnet import Devnet
from der_client.keeper import Keeper
from der_client.keeper.duties import Action
from der_client.stacks.errors import NodeUnreachableError
from tests.integration.conftest import Parties, start_of
from tests.integration.test_keeper import LONG_S, connect, fund, offer, verify


@pytest.fixture
def due(parties: Parties, devnet: Devnet) -> list[int]:
    """Two payments whose day is verified, and an offer that has expired."""
    plant = connect(parties, feed_metered=False)
    offer_id = offer(parties, plant, 3000)
    payments = [fund(parties.buyer, offer_id, 1000) for _ in range(2)]
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    verify(parties, plant, 3000)
    return payments


def test_once_settles_payments_and_expires_offers(devnet: Devnet, due: list[int]) -> None:
    done = der_keeper(devnet, "--once", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert sorted(entry["payment_id"] for entry in report["settled"]) == due
    assert [entry["closed_wh"] for entry in report["expired"]] == [1000]
    assert (len(report["txids"]), report["skipped"]) == (2, [])
    again = der_keeper(devnet, "--once")
    assert (again.returncode, again.stdout) == (0, "nothing is due: 0 payments locked, 0 offers open\n")


def test_once_reports_failures(devnet: Devnet, due: list[int]) -> None:
    done = der_keeper(devnet, "--once", "--max-fee", "5")
    assert done.returncode == 1
    assert f"FAILED   settle {due[0]}: the fee would be" in done.stdout
    key = devnet.accounts["wallet_7"].key.to_hex()
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("json_option", [["--json"], []])
def test_once_reports_paid_actions_before_a_node_failure(
    devnet: Devnet, due: list[int], monkeypatch: pytest.MonkeyPatch, json_option: list[str]
) -> None:
    still_due = Keeper._still_due

    def fail_after_settling(keeper: Keeper, action: Action, numbers: list[int]) -> list[int]:
        if action is Action.EXPIRE:
            keeper._wait_until(lambda: not keeper._open())
            raise NodeUnreachableError("gone", devnet.url)
        return still_due(keeper, action, numbers)

    monkeypatch.setattr("der_client.cli.keeper._stop_on_signals", lambda _keeper: None)  # keep pytest's handlers
    monkeypatch.setattr(Keeper, "_still_due", fail_after_settling)
    done = CliRunner().invoke(app, ["keeper", "--url", devnet.url, "--once", *json_option], env=environment(devnet))
    assert done.exit_code == 1
    assert "error: gone" in done.stderr
    if json_option:
        report = json.loads(done.stdout)
        assert sorted(entry["payment_id"] for entry in report["settled"]) == due
        assert (len(report["txids"]), report["expired"]) == (1, [])
        assert report["fees_ustx"] > 0
    else:
        assert done.stdout.count("settled ") == len(due)
        assert "1 transactions, " in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_a_signal(devnet: Devnet, due: list[int], number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603 -- our own command
        command(devnet, "--interval", "0.1", "--json"),
        env=environment(devnet),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        report = json.loads(process.stdout.readline())
        assert sorted(entry["payment_id"] for entry in report["settled"]) == due
        process.send_signal(number)
        rest, errors = process.communicate(timeout=LONG_S)
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors


@pytest.mark.parametrize("once", [["--once"], []])
def test_contracts_of_another_deployer(devnet: Devnet, once: list[str]) -> None:
    somebody = devnet.accounts["wallet_2"].address
    done = der_keeper(devnet, *once, "--deployer", somebody)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {somebody}.asset-verification is not deployed" in done.stderr
    assert "Traceback" not in done.stderr


def command(devnet: Devnet, *options: str) -> list[str]:
    return [sys.executable, "-m", "der_client.cli", "keeper", "--url", devnet.url, *options]


def environment(devnet: Devnet) -> dict[str, str]:
    return {**os.environ, "DER_KEY": devnet.accounts["wallet_7"].key.to_hex()}


def der_keeper(devnet: Devnet, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own command
        command(devnet, *options),
        env=environment(devnet),
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )


def test_it_waits_for_the_node_that_knows_the_account() -> None:
    arguments = ["keeper", "--url", "http://127.0.0.1:1", "--key", "wallet_7"]
    with subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "der_client.cli", *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "the node cannot be reached, trying again in 1 s" in process.stderr.readline()
        process.terminate()
