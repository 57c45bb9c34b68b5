"""The command line against the real devnet: deploying contracts, granting roles, running a devnet, each repeatedly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from typer.testing import CliRunner

from der_client import Der
from der_client.cli.app import app
from der_client.contracts.asset_verification import Role
from der_client.devnet import Devnet
from der_client.roles import Grant, GrantOutcome, GrantReport, setup_roles
from der_client.stacks.keystore import save_key
from der_client.stacks.rpc import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

EXAMPLE = Path(__file__).parents[2] / "examples" / "roles.toml"
CONTRACTS = [
    "asset-verification",
    "production-tracking",
    "grid-integration",
    "market-participation",
    "settlement",
]


@pytest.fixture(scope="module")
def running_bare_devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False) as devnet:
        yield devnet


@pytest.fixture
def bare_devnet(running_bare_devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devnet]:
    """A devnet without contracts; the deployer's key is in the environment."""
    monkeypatch.setenv("DER_KEY", running_bare_devnet.deployer.key.to_hex())
    with running_bare_devnet.anchor():
        yield running_bare_devnet


@pytest.fixture
def contracts_devnet(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> Devnet:
    """A devnet with the contracts; the deployer's key is in the environment."""
    monkeypatch.setenv("DER_KEY", devnet.deployer.key.to_hex())
    return devnet


def der(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: str | Path) -> Any:
    result = der(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def failure(*arguments: str | Path) -> str:
    """Run a command that must fail, and return its error: one line on stderr, with nothing on stdout."""
    result = der(*arguments, "--json")
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return str(result.stderr)


def write_project(folder: Path, sender: str, code: str) -> Path:
    (folder / "deployments").mkdir()
    (folder / "Clarinet.toml").touch()
    (folder / "asset-verification.clar").write_text(code)
    plan = folder / "deployments" / "plan.yaml"
    plan.write_text(
        f"""
        name: another
        network: devnet
        plan:
          batches:
            - id: 0
              transactions:
                - transaction-type: stx-transfer
                  expected-sender: {sender}
                  recipient: ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5
                  mstx-amount: 1000
                - transaction-type: contract-publish
                  contract-name: asset-verification
                  expected-sender: {sender}
                  path: asset-verification.clar
                  clarity-version: 4
        """
    )
    return plan


class TestDeploy:
    def test_deploying_twice_skips_existing_contracts(self, bare_devnet: Devnet) -> None:
        address = bare_devnet.deployer.address
        ids = [f"{address}.{name}" for name in CONTRACTS]
        client = Client(bare_devnet.url)
        before = client.account(address).balance_ustx
        first = answer("deploy", "--url", bare_devnet.url)
        assert (first["deployer"], first["deployed"], first["skipped"]) == (address, ids, [])
        assert len(set(first["txids"])) == 5
        assert client.account(address).balance_ustx == before - first["fees_ustx"]
        assert list(bare_devnet.contracts) == ids

        second = answer("deploy", "--url", bare_devnet.url)
        assert (second["deployed"], second["skipped"], second["txids"], second["fees_ustx"]) == ([], ids, [], 0)
        assert client.account(address).nonce == 5

    def test_the_table_shows_the_outcome_of_each_contract(self, bare_devnet: Devnet) -> None:
        first = der("deploy", "--url", bare_devnet.url)
        assert first.exit_code == 0
        table, transactions = (part.splitlines() for part in first.stdout.split("Transactions\n"))
        assert [line.split()[:2] for line in table[-6:-1]] == [[name, "deployed"] for name in CONTRACTS]
        assert [line.split()[1] for line in transactions] == CONTRACTS
        for line in transactions:
            assert Client(bare_devnet.url).transaction(line.split()[0]) is not None
        second = der("deploy", "--url", bare_devnet.url)
        assert second.stdout.count("skipped") == 5

    def test_another_source_with_the_same_name_is_rejected(self, contracts_devnet: Devnet, tmp_path: Path) -> None:
        address = contracts_devnet.deployer.address
        plan = write_project(tmp_path, address, "(define-constant X 1)")
        nonce = Client(contracts_devnet.url).account(address).nonce
        error = failure("deploy", "--url", contracts_devnet.url, "--plan", plan, "--run-transfers")
        assert f"{address}.asset-verification is already published" in error
        assert Client(contracts_devnet.url).account(address).nonce == nonce  # not even the transfer was sent

    def test_another_sender_than_the_plans_needs_an_option(
        self, bare_devnet: Devnet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = bare_devnet.accounts["wallet_1"]
        monkeypatch.setenv("DER_KEY", other.key.to_hex())
        error = failure("deploy", "--url", bare_devnet.url)
        assert bare_devnet.deployer.address in error
        assert other.address in error
        assert "--retarget" in error
        assert bare_devnet.contracts == ()
        done = answer("deploy", "--url", bare_devnet.url, "--retarget")
        assert done["deployed"] == [f"{other.address}.{name}" for name in CONTRACTS]

    def test_transfers_need_an_option(self, bare_devnet: Devnet, tmp_path: Path) -> None:
        plan = write_project(tmp_path, bare_devnet.deployer.address, "(define-constant X 1)")
        assert "allow it with --run-transfers" in failure("deploy", "--url", bare_devnet.url, "--plan", plan)
        done = answer("deploy", "--url", bare_devnet.url, "--plan", plan, "--run-transfers")
        assert [step["outcome"] for step in done["steps"]] == ["transferred", "deployed"]
        balance = Client(bare_devnet.url).account(bare_devnet.accounts["wallet_1"].address).balance_ustx
        assert balance == 100_000_000_001_000

    def test_calls_need_an_option(self, bare_devnet: Devnet, tmp_path: Path) -> None:
        address = bare_devnet.deployer.address
        plan = write_project(tmp_path, address, "(define-public (f (x uint)) (ok x))")
        contract = f"{address}.asset-verification"
        lines = (
            "contract-call",
            f"contract-id: {contract}",
            f"expected-sender: {address}",
            "method: f",
            "parameters: [u1]",
        )
        step = f"\n{' ' * 18}".join(lines)
        plan.write_text(f"{plan.read_text().rstrip()}\n{' ' * 16}- transaction-type: {step}\n")
        arguments = ("deploy", "--url", bare_devnet.url, "--plan", plan, "--run-transfers")
        assert f"the plan calls {contract}::f, and would do so again" in failure(*arguments)
        result = der(*arguments, "--run-calls")
        assert result.exit_code == 0
        assert "asset-verification::f called" in " ".join(result.stdout.split())

    def test_completed_steps_are_shown_after_a_failure(self, bare_devnet: Devnet, tmp_path: Path) -> None:
        plan = write_project(tmp_path, bare_devnet.deployer.address, "(no-such-function)")
        result = der("deploy", "--url", bare_devnet.url, "--plan", plan, "--run-transfers")
        assert result.exit_code == 1
        assert "transferred" in result.stdout
        assert "asset-verification" in result.stderr
        assert "Traceback" not in result.output

    def test_an_encrypted_key(self, bare_devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DER_KEY")
        monkeypatch.setenv("DER_PASSPHRASE", "correct horse")
        save_key(tmp_path / "owner.json", bare_devnet.deployer.key, "correct horse")
        assert len(answer("deploy", "--url", bare_devnet.url, "--key-file", tmp_path / "owner.json")["deployed"]) == 5

    def test_a_devnet_account_by_its_name(self, bare_devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DER_KEY")
        monkeypatch.setenv("DER_URL", bare_devnet.url)
        done = answer("deploy", "--key", "wallet_2", "--retarget")
        assert done["deployer"] == bare_devnet.accounts["wallet_2"].address
        error = failure("deploy", "--key", "walet_2")
        assert "key 'walet_2' not found" in error
        assert "wallet_1, wallet_2" in error

    def test_a_key_for_each_sender_of_the_plan(self, bare_devnet: Devnet, tmp_path: Path) -> None:
        deployer, other = bare_devnet.deployer.address, bare_devnet.accounts["wallet_2"].address
        plan = write_project(tmp_path, deployer, "(define-constant X 1)")
        text = plan.read_text()
        plan.write_text(text.replace(deployer, other, 1))  # the transfer
        arguments = ("deploy", "--url", bare_devnet.url, "--plan", plan, "--run-transfers")
        assert "give the other key with --other-key" in failure(*arguments)
        nonce = Client(bare_devnet.url).account(other).nonce
        done = answer(*arguments, "--other-key", "wallet_2")
        assert [step["outcome"] for step in done["steps"]] == ["transferred", "deployed"]
        assert done["deployed"] == [f"{deployer}.asset-verification"]
        assert Client(bare_devnet.url).account(other).nonce == nonce + 1

    def test_a_missing_devnet_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("der_client.cli.profiles.DEFAULT_URL", "http://127.0.0.1:1")
        monkeypatch.delenv("DER_KEY", raising=False)
        error = failure("deploy", "--key", "wallet_1")
        assert "no devnet is running on this machine: start one with 'der devnet'" in error

    def test_fees_above_the_cap_are_rejected(self, bare_devnet: Devnet) -> None:
        error = failure("deploy", "--url", bare_devnet.url, "--max-fee", "1000")
        assert "above the cap of 1000 µSTX" in error
        assert bare_devnet.contracts == ()

    def test_a_node_of_another_network_is_rejected(self, bare_devnet: Devnet) -> None:
        error = failure("deploy", "--url", bare_devnet.url, "--network", "mainnet")
        assert "network=mainnet" in error

    def test_an_unreachable_node_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_KEY", f"{1:064x}")
        assert "http://127.0.0.1:1" in failure("deploy", "--url", "http://127.0.0.1:1")


class TestSetupRoles:
    def test_granting_twice_skips_existing_roles(self, contracts_devnet: Devnet) -> None:
        contracts = Der.connect(contracts_devnet.url)
        first = answer("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        assert (len(first["granted"]), first["held"], len(set(first["txids"]))) == (7, [], 7)
        for granted in first["granted"]:
            role = Role[granted["role"].upper().replace("-", "_")]
            assert contracts.assets.has_role(role, granted["who"], granted["region"] or "")
        assert sum(granted["fee_ustx"] for granted in first["granted"]) == first["fees_ustx"] > 0
        nonce = contracts.client.account(contracts_devnet.deployer.address).nonce

        second = answer("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        assert (second["granted"], len(second["held"]), second["txids"]) == ([], 7, [])
        assert contracts.client.account(contracts_devnet.deployer.address).nonce == nonce

    def test_only_missing_roles_are_granted(self, contracts_devnet: Devnet) -> None:
        owner = Der.connect(contracts_devnet.url, contracts_devnet.deployer)
        there = Grant(Role.ORACLE, contracts_devnet.accounts["wallet_7"].address)
        owner.assets.set_role(there.role, there.who, "", granted=True).send().wait()
        done = answer("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        assert [(held["role"], held["who"]) for held in done["held"]] == [("oracle", there.who)]
        assert len(done["granted"]) == 6

    def test_the_table_shows_who_has_what(self, contracts_devnet: Devnet) -> None:
        result = der("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        assert result.exit_code == 0
        table, transactions = result.stdout.split("Transactions\n")
        [operator] = [line for line in table.splitlines() if "grid-operator" in line]
        assert operator.split()[:4] == ["grid-operator", "CO", contracts_devnet.accounts["wallet_4"].address, "granted"]
        assert len(operator) <= 80
        [sent] = [line for line in transactions.splitlines() if "grid-operator CO" in line]
        assert Client(contracts_devnet.url).transaction(sent.split()[0]) is not None

    def test_only_the_owner_can_grant_roles(self, contracts_devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
        other = contracts_devnet.accounts["wallet_1"]
        monkeypatch.setenv("DER_KEY", other.key.to_hex())
        error = failure("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        assert contracts_devnet.deployer.address in error
        assert other.address in error
        assert Client(contracts_devnet.url).account(other.address).nonce == 0

    def test_any_account_can_check_that_all_roles_exist(
        self, contracts_devnet: Devnet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer("setup-roles", EXAMPLE, "--url", contracts_devnet.url)
        monkeypatch.setenv("DER_KEY", contracts_devnet.accounts["wallet_1"].key.to_hex())
        assert len(answer("setup-roles", EXAMPLE, "--url", contracts_devnet.url)["held"]) == 7

    def test_an_address_of_another_network_is_rejected(self, contracts_devnet: Devnet, tmp_path: Path) -> None:
        file = tmp_path / "roles.toml"
        own, foreign = contracts_devnet.deployer.address, "SP1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRCBGD7R"
        file.write_text(f'[roles]\nregistrar = ["{own}"]\nverifier = ["{foreign}"]')
        nonce = Client(contracts_devnet.url).account(own).nonce
        said = failure("setup-roles", file, "--url", contracts_devnet.url)
        assert f"verifier: {foreign} is an address of mainnet" in said
        assert Client(contracts_devnet.url).account(own).nonce == nonce

    def test_roles_need_deployed_contracts(self, bare_devnet: Devnet) -> None:
        error = failure("setup-roles", EXAMPLE, "--url", bare_devnet.url)
        assert f"{bare_devnet.deployer.address}.asset-verification is not deployed; deploy the contracts first" in error

    def test_contracts_of_another_deployer(self, bare_devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
        other = bare_devnet.accounts["wallet_1"]
        monkeypatch.setenv("DER_KEY", other.key.to_hex())
        answer("deploy", "--url", bare_devnet.url, "--retarget")
        done = answer("setup-roles", EXAMPLE, "--url", bare_devnet.url, "--deployer", other.address)
        assert done["contract_id"] == f"{other.address}.asset-verification"
        assert len(done["granted"]) == 7

    def test_more_grants_than_the_mempool_accepts_at_once(self) -> None:
        with Devnet(block_interval_s=2) as slow:
            owner = Der.connect(slow.url, slow.deployer)
            grants = [Grant(Role.GRID_OPERATOR, slow.deployer.address, f"R{number}") for number in range(30)]
            seen: list[GrantReport] = []
            report = setup_roles(owner, grants, on_step=seen.append)
            assert report.granted == tuple(grants)
            assert report.held == ()
            assert len(set(report.txids)) == 30
            assert tuple(seen) == report.steps
            assert {step.outcome for step in setup_roles(owner, grants).steps} == {GrantOutcome.HELD}


class Running:
    """``der devnet`` in a separate process."""

    def __init__(self, *arguments: str, wrapper: str | None = None) -> None:
        command = [sys.executable, "-m", "der_client.cli", "devnet", "--json", *arguments]
        if wrapper is not None:
            command = [sys.executable, "-c", wrapper, *command]
        self.process = subprocess.Popen(  # noqa: S603 - this very program
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.content: dict[str, Any] = json.loads(line)
        self.url = str(self.content["url"])

    def end(self, number: signal.Signals, *, whole_group: bool = False) -> tuple[int, str, str]:
        """Send a signal, and return the exit code, the rest of stdout, and stderr."""
        send = os.killpg if whole_group else os.kill
        send(self.process.pid, number)
        try:
            stdout, stderr = self.process.communicate(timeout=300)
        finally:
            self.process.kill()  # no effect if it has already ended, as it should
        return self.process.returncode, stdout, stderr


def is_down(url: str) -> bool:
    try:
        requests.get(f"{url}/v2/info", timeout=30)
    except requests.ConnectionError:
        return True
    return False


class TestDevnet:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_cleanly(self, number: signal.Signals) -> None:
        running = Running("--port", "0", "--no-contracts")
        assert requests.get(f"{running.url}/v2/info", timeout=30).ok
        assert running.end(number) == (0, "", "")
        assert is_down(running.url)

    def test_ctrl_c_reaches_all_processes_of_a_terminal(self) -> None:
        running = Running("--port", "0", "--no-contracts")
        assert running.end(signal.SIGINT, whole_group=True) == (0, "", "")
        assert is_down(running.url)

    def test_an_interrupt_ends_it_even_if_the_shell_ignored_it(self) -> None:
        ignoring = "import os, signal, sys; signal.signal(2, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
        running = Running("--port", "0", "--no-contracts", wrapper=ignoring)
        assert running.end(signal.SIGINT) == (0, "", "")

    def test_a_killed_server_is_an_error(self) -> None:
        running = Running("--port", "0", "--no-contracts")
        found = subprocess.run(  # noqa: S603 - of this very program
            ["ps", "-o", "pid=", "--ppid", str(running.process.pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(found.stdout), signal.SIGKILL)
        stdout, stderr = running.process.communicate(timeout=300)
        assert (running.process.returncode, stdout) == (1, "")
        assert stderr.startswith("error: the devnet ended (exit status -9)")

    def test_accounts_and_contracts_are_printed(self) -> None:
        running = Running("--port", "0")
        try:
            deployer = running.content["accounts"][0]
            assert deployer["name"] == "deployer"
            assert deployer["balance_ustx"] == Client(running.url).account(deployer["address"]).balance_ustx
            assert running.content["contracts"] == [f"{deployer['address']}.{name}" for name in CONTRACTS]
        finally:
            running.end(signal.SIGINT)

    def test_a_day_as_start_time_is_its_beginning(self) -> None:
        running = Running("--port", "0", "--no-contracts", "--start-time", "2030-06-01", "--block-interval", "0")
        known = requests.get(f"{running.url}/devnet", timeout=30).json()
        assert running.end(signal.SIGTERM)[0] == 0
        assert 0 <= known["block_time"] - datetime(2030, 6, 1, tzinfo=UTC).timestamp() < 600

    def test_keeps_its_state(self, tmp_path: Path) -> None:
        arguments = ("--port", "0", "--no-contracts", "--state-file", str(tmp_path / "chain"))
        first = Running(*arguments, "--start-time", "2030-06-01T00:00Z", "--block-interval", "0")
        requests.post(f"{first.url}/devnet/mine", json={"blocks": 3}, timeout=30)
        known = requests.get(f"{first.url}/devnet", timeout=30).json()
        assert first.end(signal.SIGTERM)[0] == 0
        second = Running(*arguments)
        again = requests.get(f"{second.url}/devnet", timeout=30).json()
        assert second.end(signal.SIGTERM)[0] == 0
        assert again["block_height"] == known["block_height"]
        assert again["block_time"] == known["block_time"] > 1_900_000_000

    def test_an_occupied_port_is_reported(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            result = der("devnet", "--port", str(port))
        assert result.exit_code == 1
        assert result.stdout == ""
        expected = f"error: port {port} of 127.0.0.1 is in use; choose another with --port, or 0 for any free one\n"
        assert result.stderr == expected

    @pytest.mark.parametrize("moment", ["noon", "2030-06-01T00:00", "-5"])
    def test_invalid_start_times_are_rejected(self, moment: str) -> None:
        assert der("devnet", "--port", "0", f"--start-time={moment}").exit_code == 2

    def shown(self, *options: str) -> tuple[str, str]:
        """Return what it shows at its start, and what it shows of a block that is mined afterwards."""
        command = [sys.executable, "-m", "der_client.cli", "devnet", "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own
        assert process.stdout is not None
        start = ""
        deadline = time.monotonic() + 300
        try:
            while not re.search(r"\(Ctrl-C[^)]*\)", start) and time.monotonic() < deadline:
                start += process.stdout.readline()
            url = start.partition("Listening on ")[2].partition(",")[0].split()[0]
            requests.post(f"{url}/devnet/mine", json={}, timeout=60).raise_for_status()
            process.send_signal(signal.SIGINT)
            assert process.wait(300) == 0
            return start, process.stdout.read()
        finally:
            process.kill()  # no effect if it has already ended, as it should
            process.stdout.close()

    def test_the_table_is_readable(self) -> None:
        shown, later = self.shown()
        assert re.search(r"^block \d+, .*empty$", later, re.MULTILINE)
        assert re.search(r"wallet_8 +ST3NBRSFKX28FQ2ZJ1MAKX58HKHSDGNV5N7R21XCP +100,000,000,000,000\n", shown)
        assert "wallet_8  6a1a754ba863d7bab14adbbc3f8ebb090af9e871ace621d3e5ab634e1422885e01\n" in shown  # for copying
        assert max(map(len, shown.splitlines())) <= 80
        assert "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.settlement" in shown
        assert "Listening on http://127.0.0.1:" in shown

    def test_quiet_shows_the_table_and_no_blocks(self) -> None:
        shown, later = self.shown("--quiet")
        assert re.search(r"wallet_8 +ST3NBRSFKX28FQ2ZJ1MAKX58HKHSDGNV5N7R21XCP +100,000,000,000,000\n", shown)
        assert later == ""
