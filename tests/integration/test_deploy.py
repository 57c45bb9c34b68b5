"""Deployment of the project's own plan on a devnet without contracts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.deploy import deploy
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


def test_by_the_deployer_and_again(bare_devnet: Devnet, client: Client) -> None:
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


def test_by_another_account(bare_devnet: Devnet, client: Client) -> None:
    account = Account(bare_devnet.accounts["wallet_3"].key, client)
    with pytest.raises(DeploymentError, match="own_address=True"):
        deploy(PLAN, account)
    report = deploy(PLAN, account, own_address=True)
    assert report.deployer == account.address
    assert all(contract_id.startswith(f"{account.address}.") for contract_id in report.deployed)


def test_a_contract_that_does_not_compile(bare_devnet: Devnet, client: Client, tmp_path: Path) -> None:
    account = Account(bare_devnet.accounts["deployer"].key, client)
    (tmp_path / "deployments").mkdir()
    (tmp_path / "bad.clar").write_text("(define-public (f) (ok (no-such-function)))")
    plan = tmp_path / "deployments" / "plan.yaml"
    plan.write_text(
        "name: bad\nnetwork: devnet\nplan:\n  batches:\n    - id: 0\n      transactions:\n"
        "        - transaction-type: contract-publish\n          contract-name: bad\n"
        f"          expected-sender: {account.address}\n          path: bad.clar\n          clarity-version: 4\n"
    )
    with pytest.raises(DeploymentError, match=rf"line 7: {account.address}\.bad: "):
        deploy(plan, account)
