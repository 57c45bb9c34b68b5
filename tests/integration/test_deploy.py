"""Deployment of the project's own plan on a devnet without contracts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import UIntValue
from der_client.stacks.deploy import Outcome, deploy
from der_client.stacks.errors import DeploymentError
from der_client.stacks.plan import DeploymentPlan, PublishStep
from der_client.stacks.rpc import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "deployments" / "default.devnet-plan.yaml"


@pytest.fixture(scope="module")
def bare_devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False) as devnet:
        yield devnet


@pytest.fixture
def client(bare_devnet: Devnet) -> Iterator[Client]:
    with bare_devnet.anchor():
        yield Client(bare_devnet.url)


def test_deploying_twice_by_the_deployer(bare_devnet: Devnet, client: Client) -> None:
    account = Account(bare_devnet.accounts["deployer"].key, client)
    plan = DeploymentPlan.read(PLAN)
    before = account.balance_ustx()
    report = deploy(plan, account)
    names = [step.contract_name for step in plan.steps if isinstance(step, PublishStep)]
    assert len(names) == 5
    assert report.deployed == tuple(f"{account.address}.{name}" for name in names)
    assert account.balance_ustx() == before - sum(step.fee_ustx for step in report.steps)
    for name in names:
        source = client.contract_source(f"{account.address}.{name}").source
        assert source == (ROOT / "contracts" / f"{name}.clar").read_text()
    again = deploy(plan, account)
    assert again.skipped == report.deployed
    assert again.txids == ()


def test_deploying_by_another_account(bare_devnet: Devnet, client: Client) -> None:
    account = Account(bare_devnet.accounts["wallet_3"].key, client)
    with pytest.raises(DeploymentError, match="own_address=True"):
        deploy(PLAN, account)
    report = deploy(PLAN, account, own_address=True)
    assert report.deployer == account.address
    assert all(contract_id.startswith(f"{account.address}.") for contract_id in report.deployed)


def write_plan(folder: Path, *steps: str) -> Path:
    """Write a deployment plan with one batch."""
    (folder / "deployments").mkdir(exist_ok=True)
    plan = folder / "deployments" / "plan.yaml"
    listed = "".join(f"        - {step}\n".replace("; ", "\n          ") for step in steps)
    plan.write_text(f"name: small\nnetwork: devnet\nplan:\n  batches:\n    - id: 0\n      transactions:\n{listed}")
    return plan


def publish(name: str, sender: str) -> str:
    return (
        f"transaction-type: contract-publish; contract-name: {name}; expected-sender: {sender}; path: {name}.clar; "
        "clarity-version: 4"
    )


def call(contract_id: str, method: str, *parameters: str, sender: str = "") -> str:
    return (
        f"transaction-type: contract-call; contract-id: {contract_id}; method: {method}; "
        f"expected-sender: {sender or contract_id.partition('.')[0]}; parameters: [{', '.join(parameters)}]"
    )


def test_a_contract_that_pays_during_publication_needs_an_option(
    bare_devnet: Devnet, client: Client, tmp_path: Path
) -> None:
    account = Account(bare_devnet.accounts["wallet_4"].key, client)
    (tmp_path / "gift.clar").write_text("(stx-transfer? u5 tx-sender 'ST000000000000000000002AMW42H)")
    plan = write_plan(tmp_path, publish("gift", account.address))
    with pytest.raises(DeploymentError, match=r"STX was moved .*allow it with allow_moves=True"):
        deploy(plan, account)
    runner = ["deploy", "--plan", str(plan), "--key", "wallet_4", "--url", client.url]
    refused = CliRunner().invoke(app, runner)
    assert "--allow-moves" in refused.stderr + str(refused.exception or "")
    before = client.balances("ST000000000000000000002AMW42H").stx_ustx
    assert deploy(plan, account, allow_moves=True).deployed == (f"{account.address}.gift",)
    assert client.balances("ST000000000000000000002AMW42H").stx_ustx == before + 5


def test_a_contract_that_does_not_compile_is_reported(bare_devnet: Devnet, client: Client, tmp_path: Path) -> None:
    account = Account(bare_devnet.accounts["deployer"].key, client)
    (tmp_path / "bad.clar").write_text("(define-public (f) (ok (no-such-function)))")
    with pytest.raises(DeploymentError, match=rf"line 7: {account.address}\.bad: "):
        deploy(write_plan(tmp_path, publish("bad", account.address)), account)


COUNTER = """
(define-data-var count uint u0)
(define-read-only (get-count) (var-get count))
(define-public (add (by uint) (note (string-ascii 8)))
  (begin
    (asserts! (is-eq contract-caller tx-sender) (err u1))
    (asserts! (> by u0) (err u2))
    (try! (stx-transfer? by tx-sender 'ST000000000000000000002AMW42H))
    (ok (var-set count (+ (var-get count) by)))))
"""


class TestCalls:
    @pytest.fixture
    def account(self, bare_devnet: Devnet, client: Client) -> Account:
        return Account(bare_devnet.accounts["wallet_4"].key, client)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "counter.clar").write_text(COUNTER)
        return tmp_path

    def test_calls_of_a_contract_in_the_same_batch(self, account: Account, folder: Path) -> None:
        counter = f"{account.address}.counter"
        plan = write_plan(
            folder,
            publish("counter", account.address),
            call(counter, "add", "u2", """'"a"'"""),
            call(counter, "add", "u3", """'""'"""),
        )
        report = deploy(plan, account, run_calls=True)
        assert [step.outcome for step in report.steps] == [Outcome.DEPLOYED, Outcome.CALLED, Outcome.CALLED]
        assert report.steps[1].subject == f"{counter}::add"
        assert account.client.call_read(counter, "get-count") == UIntValue(5)
        again = deploy(plan, account, run_calls=True)
        assert again.skipped == (counter,)
        assert account.client.call_read(counter, "get-count") == UIntValue(10)

    def test_invalid_calls_are_found_before_anything_is_sent(self, account: Account, folder: Path) -> None:
        counter = f"{account.address}.counter"
        deploy(write_plan(folder, publish("counter", account.address)), account)
        nonce = account.next_nonce()
        good = call(counter, "add", "u1", """'"a"'""")
        for bad, words in [
            (call(counter, "add", "u1"), r"line 12: .*::add: takes 2 parameters \(by, note\), not 1"),
            (call(counter, "add", "1", """'"a"'"""), "::add: by: .*uint"),
            (call(counter, "add", "u1", """'"a long note"'"""), "::add: note: "),
            (call(counter, "get-count"), "::get-count: no public function of the contract; it has add"),
            (call(counter, "sub"), "::sub: no public function"),
            (call("ST000000000000000000002AMW42H.nothing", "f", sender=account.address), "there is no such contract"),
        ]:
            with pytest.raises(DeploymentError, match=words):
                deploy(write_plan(folder, good, bad), account, run_calls=True)
        assert account.next_nonce() == nonce

    def test_a_failing_call_ends_the_run(self, account: Account, folder: Path) -> None:
        counter = f"{account.address}.counter"
        plan = write_plan(folder, publish("counter", account.address), call(counter, "add", "u0", """'""'"""))
        with pytest.raises(DeploymentError, match=rf"line 12: {counter}::add: .*u2"):
            deploy(plan, account, run_calls=True)

    def test_calls_under_another_address(self, bare_devnet: Devnet, client: Client, folder: Path) -> None:
        account = Account(bare_devnet.accounts["wallet_5"].key, client)
        planned = bare_devnet.accounts["deployer"].address
        plan = write_plan(folder, publish("counter", planned), call(f"{planned}.counter", "add", "u2", """'"a"'"""))
        report = deploy(plan, account, own_address=True, run_calls=True)
        assert report.steps[1].contract_id == f"{account.address}.counter"
        assert client.call_read(f"{account.address}.counter", "get-count") == UIntValue(2)
