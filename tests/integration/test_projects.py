"""Third-party Clarinet projects: plans with everything that Clarinet executes, and projects without a plan."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet, DevnetError
from der_client.stacks.account import Account
from der_client.stacks.clarinet import ClarinetProject
from der_client.stacks.clarity import BoolValue, OkValue, PrincipalValue, UIntValue
from der_client.stacks.deploy import deploy
from der_client.stacks.errors import DeploymentError
from der_client.stacks.plan import PublishStep
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, ContractPublish

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
WALLET_1 = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
ISSUER = "SP3FBR2AGK5H9QBDH3EEN6DF8EK8JY7RX8QJ5SVTE"
BOOT = "SP000000000000000000002Q6VF78"

SOURCES = {
    f".cache/requirements/{ISSUER}.traits.clar": "(define-trait giver ((give (uint) (response bool uint))))",
    f".cache/requirements/{ISSUER}.registry.clar": (
        f"(use-trait giver '{ISSUER}.traits.giver)\n(define-data-var owner principal '{ISSUER})\n"
        "(define-public (note (who <giver>)) (contract-call? who give u1))\n"
        "(define-read-only (get-owner) (var-get owner))"
    ),
    "contracts/old.clar": (
        "(define-read-only (height-at (h uint))\n"
        "  (at-block (unwrap-panic (get-block-info? id-header-hash h)) block-height))\n"
        "(define-public (touch) (ok block-height))"
    ),
    "contracts/shop.clar": (
        f"(impl-trait '{ISSUER}.traits.giver)\n(define-data-var given uint u0)\n"
        "(define-public (give (amount uint)) (begin (var-set given (+ (var-get given) amount)) (ok true)))\n"
        "(define-read-only (get-given) (var-get given))\n"
        f"(define-read-only (burnt) (is-some (contract-call? '{BOOT}.pox-4 get-delegation-info tx-sender)))"
    ),
    "contracts/caller.clar": (
        f"(define-public (run) (contract-call? '{ISSUER}.registry note .shop))\n(define-constant self .caller)"
    ),
}

PLAN = f"""---
id: 0
name: Devnet deployment
network: devnet
plan:
  batches:
    - id: 0
      transactions:
        - requirement-publish:
            contract-id: {ISSUER}.traits
            remap-sender: {DEPLOYER}
            remap-principals:
              {ISSUER}: {DEPLOYER}
            cost: 1
            path: ./.cache/requirements/{ISSUER}.traits.clar
            clarity-version: 1
        - transaction-type: requirement-publish
          contract-id: {ISSUER}.registry
          remap-sender: {WALLET_1}
          remap-principals:
            {ISSUER}: {WALLET_1}
          cost: 1
          path: ./.cache/requirements/{ISSUER}.registry.clar
      epoch: "2.1"
    - id: 1
      transactions:
        - transaction-type: contract-publish
          contract-name: old
          expected-sender: {DEPLOYER}
          cost: 1
          path: contracts/old.clar
          anchor-block-only: true
      epoch: 2.4
    - id: 2
      transactions:
        - transaction-type: contract-publish
          contract-name: shop
          expected-sender: {DEPLOYER}
          cost: 1
          url: URL/shop.clar
          anchor-block-only: true
          clarity-version: 2
        - transaction-type: contract-publish
          contract-name: caller
          expected-sender: {DEPLOYER}
          cost: 1
          path: contracts/caller.clar
          anchor-block-only: true
        - transaction-type: contract-call
          contract-id: {DEPLOYER}.caller
          expected-sender: {WALLET_1}
          method: run
          parameters: []
          cost: 1
      epoch: "2.4"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    contracts = "".join(
        f'[contracts.{name}]\npath = "contracts/{name}.clar"\nclarity_version = 2\nepoch = {epoch}\n'
        for name, epoch in (("caller", '"2.4"'), ("old", "2.4"), ("shop", '"2.4"'))
    )
    (tmp_path / "Clarinet.toml").write_text(
        f'[project]\nname = "others"\nrequirements = [{{contract_id = "{ISSUER}.registry"}}]\n{contracts}'
    )
    return tmp_path


@pytest.fixture
def web(project: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(project / "contracts"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def plan(project: Path, web: str) -> Path:
    file = project / "deployments" / "default.devnet-plan.yaml"
    file.parent.mkdir()
    file.write_text(PLAN.replace("URL", web))
    return file


def read(client: Client, contract: str, function: str, *arguments: UIntValue) -> object:
    return client.call_read(contract, function, arguments, sender=DEPLOYER)


def check(client: Client, registry: str, given: int) -> None:
    assert read(client, f"{DEPLOYER}.shop", "get-given") == UIntValue(given)
    assert read(client, f"{DEPLOYER}.shop", "burnt") == BoolValue(False)
    assert read(client, registry, "get-owner") == PrincipalValue(registry.partition(".")[0])
    old = client.contract_interface(f"{DEPLOYER}.old")
    assert (old.epoch, old.clarity_version) == ("Epoch24", "Clarity2")


def test_a_devnet_executes_the_plan_of_a_project(project: Path, plan: Path) -> None:
    with Devnet(project=project, track_costs=False) as devnet:
        client = Client(devnet.url)
        assert set(devnet.contracts) == {
            f"{DEPLOYER}.traits",
            f"{WALLET_1}.registry",
            *(f"{DEPLOYER}.{name}" for name in ("old", "shop", "caller")),
        }
        check(client, f"{WALLET_1}.registry", given=1)
        # The project uses at-block, so the devnet stays in an epoch that supports it; later ones do not, as on mainnet.
        assert devnet.epoch == "2.4"
        boot = client.contract_interface("ST000000000000000000002AMW42H.pox-4")  # written in a newer Clarity
        assert "stack-stx" in boot.functions
        assert read(client, f"{DEPLOYER}.old", "height-at", UIntValue(2)) == UIntValue(2)
        devnet.enter_epoch("4.0")
        account = Account(devnet.accounts["wallet_2"].key, client)
        assert account.address != DEPLOYER
        with pytest.raises(Exception, match="AtBlockUnavailable"):
            read(client, f"{DEPLOYER}.old", "height-at", UIntValue(2))
        devnet.reset()
        assert (devnet.epoch, len(devnet.contracts)) == ("2.4", 5)


def test_deploy_executes_the_plan_on_a_devnet(plan: Path) -> None:
    with Devnet(deploy_contracts=False, track_costs=False) as devnet:
        client = Client(devnet.url)
        account = Account(devnet.deployer.key, client)
        other = Account(devnet.accounts["wallet_1"].key, client)
        with pytest.raises(DeploymentError, match=f"expects {WALLET_1} to send this.*other_accounts"):
            deploy(plan, account, run_calls=True)
        report = deploy(plan, account, run_calls=True, other_accounts=[other], timeout_s=60)
        assert len(report.deployed) == 5
        check(client, f"{WALLET_1}.registry", given=1)
        assert devnet.epoch == "4.0"
        again = deploy(plan, account, run_calls=True, other_accounts=[other], timeout_s=60)
        assert (len(again.skipped), len(again.txids)) == (5, 1)


def test_a_project_without_a_plan_is_published_in_dependency_order(project: Path) -> None:
    caller = project / "contracts" / "caller.clar"
    caller.write_bytes(caller.read_bytes().replace(b"\n", b"\r\n"))  # as written by an editor on Windows
    steps = ClarinetProject.read(project).plan({"deployer": DEPLOYER}).steps
    assert [getattr(step, "contract_name", "") for step in steps] == ["traits", "registry", "old", "shop", "caller"]
    with Devnet(project=project, track_costs=False) as devnet:
        client = Client(devnet.url)
        account = Account(devnet.deployer.key, client)
        receipt = account.submit(ContractCall(f"{DEPLOYER}.caller", "run")).wait()
        assert receipt.result == OkValue(BoolValue(True))
        check(client, f"{DEPLOYER}.registry", given=1)


def test_a_contract_without_an_epoch_uses_that_of_its_dependencies(project: Path) -> None:
    manifest = project / "Clarinet.toml"
    manifest.write_text(manifest.read_text().replace("clarity_version = 2\n", "").replace('epoch = "2.4"\n', ""))
    notes = project / f".cache/requirements/{ISSUER}.traits.json"
    notes.write_text('{"epoch": "Epoch25", "clarity_version": "Clarity2"}')
    steps = ClarinetProject.read(project).plan({"deployer": DEPLOYER}).steps
    epochs = {step.contract_name: step.epoch for step in steps if isinstance(step, PublishStep)}
    # The registry and the shop need the traits, and the caller needs both; the old contract has its own epoch.
    assert epochs == {"old": "2.4", "traits": "2.5", "registry": "2.5", "shop": "2.5", "caller": "2.5"}


def test_invalid_projects_are_reported(project: Path) -> None:
    (project / f".cache/requirements/{ISSUER}.traits.clar").unlink()
    with pytest.raises(
        DevnetError, match=rf"requirement {ISSUER}\.traits is not in .*requirements.*could not be fetched"
    ):
        Devnet(project=project, requirements_url="http://127.0.0.1:9")
    (project / f".cache/requirements/{ISSUER}.traits.clar").write_text("(define-trait giver (")
    with pytest.raises(DeploymentError, match=r"traits: line 1, column 21: \( is never closed"):
        ClarinetProject.read(project).plan({"deployer": DEPLOYER})
    manifest = project / "Clarinet.toml"
    text = manifest.read_text()
    for old, new, words in (
        ("epoch = 2.4", "epoch = 2.7", r"\[contracts.old\]: epoch 2.7 is not known: 2.0, "),
        ("clarity_version = 2", "clarity_version = 9", "clarity_version must be 1 to 6, got 9"),
        ('path = "contracts/old.clar"', "path = 3", "path must be the file of its source, got 3"),
        (f"{ISSUER}.registry", "SPX.registry", "requirement 'SPX.registry'"),
        ("[project]", "[project", "not valid TOML"),
    ):
        manifest.write_text(text.replace(old, new, 1))
        with pytest.raises(DeploymentError, match=words):
            ClarinetProject.read(project)
    manifest.write_text(text)
    (project / "contracts" / "shop.clar").write_text("(define-public (give) (contract-call? .nowhere run))")
    with pytest.raises(DeploymentError, match=r"shop calls \.nowhere, which does not exist.*nowhere\.clar"):
        ClarinetProject.read(project).plan({"deployer": DEPLOYER}, only=["shop"])
    (project / "contracts" / "shop.clar").write_text("(define-public (give) (contract-call? .caller run))")
    (project / "contracts" / "caller.clar").write_text("(define-public (run) (contract-call? .shop give))")
    with pytest.raises(DeploymentError, match="shop, caller need each other"):
        ClarinetProject.read(project).plan({"deployer": DEPLOYER}, only=["shop"])


def test_the_epoch_is_kept_across_a_restart(tmp_path: Path) -> None:
    code = "(define-read-only (at (h uint)) (at-block (unwrap-panic (get-block-info? id-header-hash h)) block-height))"
    with Devnet(deploy_contracts=False, track_costs=False, state_file=tmp_path / "chain") as devnet:
        before = devnet.now()
        devnet.mine(100)
        devnet.enter_epoch("2.4")
        assert devnet.now() >= before
        account = Account(devnet.deployer.key, Client(devnet.url))
        account.submit(ContractPublish("old", code)).wait()
        tip = (devnet.block_height, devnet.now())
    with Devnet(deploy_contracts=False, track_costs=False, state_file=tmp_path / "chain") as devnet:
        assert (devnet.epoch, devnet.block_height, devnet.now()) == ("2.4", *tip)
        assert read(Client(devnet.url), f"{DEPLOYER}.old", "at", UIntValue(5)) == UIntValue(5)
        with pytest.raises(DevnetError, match=r"`epoch` must be one of 2.0, 2.05, .*4.0, not \"5.0\""):
            devnet.enter_epoch("5.0")
