"""Deployment plans: valid and invalid plans, and deploying them on a node that fails halfway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from der_client.stacks.account import Account
from der_client.stacks.clarity import AsciiValue, BoolValue, BufferValue, IntValue, PrincipalValue, UIntValue
from der_client.stacks.deploy import Outcome, StepReport, deploy
from der_client.stacks.errors import ConfirmationTimeoutError, DeploymentError, InvalidValueError, JournalError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.outbox import Journal
from der_client.stacks.plan import CallStep, DeploymentPlan, PublishStep, TransferStep
from der_client.stacks.transactions import ContractPublish, TokenTransfer, Transaction

from .fake_node import FakeNode

KEY = PrivateKey.from_hex("11" * 32 + "01")
DEPLOYER = KEY.address(DEVNET)
OTHER = PrivateKey.from_hex("22" * 32 + "01").address(DEVNET)
THIRD = PrivateKey.from_hex("33" * 32 + "01").address(DEVNET)


def publish(name: str, sender: str = DEPLOYER, path: str | None = None) -> str:
    return f"""
        - transaction-type: contract-publish
          contract-name: {name}
          expected-sender: {sender}
          cost: 5000
          path: {path or f"contracts/{name}.clar"}
          anchor-block-only: true
          clarity-version: 4"""


def transfer(memo: str = '"0x6869"') -> str:
    return f"""
        - transaction-type: stx-transfer
          expected-sender: {DEPLOYER}
          recipient: {OTHER}
          mstx-amount: 12
          memo: {memo}
          cost: 500"""


def call(parameters: str, contract: str = f"{DEPLOYER}.first") -> str:
    return f"""
        - transaction-type: contract-call
          contract-id: {contract}
          expected-sender: {DEPLOYER}
          method: set-name!
          parameters: {parameters}
          cost: 500"""


def plan_text(*batches: str) -> str:
    listed = "".join(f"\n    - id: {index}\n      transactions:{batch}" for index, batch in enumerate(batches))
    return f"---\nid: 0\nname: A plan\nnetwork: devnet\nplan:\n  batches:{listed}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    for name in ("deployments", "contracts"):
        (folder / name).mkdir(parents=True)
    (folder / "Clarinet.toml").touch()
    for name in ("first", "second", "third"):
        (folder / "contracts" / f"{name}.clar").write_text(f"(define-constant NAME u{len(name)})\n")
    return folder


def write(project: Path, text: str) -> Path:
    file = project / "deployments" / "plan.yaml"
    file.write_text(text)
    return file


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def account(node: FakeNode) -> Iterator[Account]:
    with node.running() as client:
        yield Account(KEY, client)


def published(node: FakeNode) -> list[str]:
    payloads = [Transaction.decode(raw).payload for raw in node.posts]
    return [payload.name for payload in payloads if isinstance(payload, ContractPublish)]


class TestReading:
    def test_the_steps_of_a_plan_are_read(self, project: Path) -> None:
        plan = DeploymentPlan.read(write(project, plan_text(publish("first") + publish("second"), transfer())))
        assert (plan.name, plan.network, plan.root) == ("A plan", "devnet", project)
        assert plan.batches == (
            (
                PublishStep("first", DEPLOYER, "contracts/first.clar", 4, 9),
                PublishStep("second", DEPLOYER, "contracts/second.clar", 4, 16),
            ),
            (TransferStep(DEPLOYER, OTHER, 12, b"hi", 25),),
        )

    def test_the_format_of_older_plans_is_read(self, project: Path) -> None:
        lines = (publish("first") + transfer()).replace("        - transaction-type: ", "        - ").splitlines()
        older = "\n".join(
            f"{line}:" if line.startswith("        - ") else line.replace(" " * 10, " " * 14) for line in lines
        )
        assert DeploymentPlan.read(write(project, plan_text(older))).steps == (
            PublishStep("first", DEPLOYER, "contracts/first.clar", 4, 9),
            TransferStep(DEPLOYER, OTHER, 12, b"hi", 16),
        )
        with pytest.raises(DeploymentError, match=r"line 10: field 'contract-publish' lacks the field 'path'"):
            DeploymentPlan.read(write(project, plan_text(older.replace("path:", "file:"))))

    def test_parameters_are_read_as_clarity_literals_not_as_yaml(self, project: Path) -> None:
        text = call(f"""[u1, -5, 0x01, true, '"a"', "'{OTHER}"]""")
        (step,) = DeploymentPlan.read(write(project, plan_text(text))).steps
        values = (
            UIntValue(1),
            IntValue(-5),
            BufferValue(b"\1"),
            BoolValue(True),
            AsciiValue("a"),
            PrincipalValue(OTHER),
        )
        assert step == CallStep(f"{DEPLOYER}.first", DEPLOYER, "set-name!", values, 9)

    def test_a_call_without_parameters_has_no_arguments(self, project: Path) -> None:
        text = call("[]").replace("          parameters: []\n", "")
        (step,) = DeploymentPlan.read(write(project, plan_text(text))).steps
        assert isinstance(step, CallStep)
        assert step.arguments == ()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (call("[u1, Token Name]"), r"line 13: field 'parameters'\[1\] is not a Clarity literal: .*quotes of its"),
            (call("[{ id: u4 }]"), r"line 13: field 'parameters'\[0\] must be a Clarity literal; put it into quotes"),
            (call("u1"), "field 'parameters' must be a list"),
            (call("[]", DEPLOYER), f"line 10: field 'contract-id' is an address, not a contract: {DEPLOYER}"),
            (call("[]").replace("set-name!", "set name"), "line 12: field 'method' is not a function name"),
        ],
    )
    def test_invalid_calls_are_rejected(self, project: Path, text: str, words: str) -> None:
        with pytest.raises(DeploymentError, match=words):
            DeploymentPlan.read(write(project, plan_text(text)))

    def test_the_root_is_found_without_a_manifest(self, project: Path) -> None:
        (project / "Clarinet.toml").unlink()
        assert DeploymentPlan.read(write(project, plan_text(publish("first")))).root == project

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("contract-publish", "emulated-contract-publish", r"line 9: .*emulated-contract-publish.*not supported"),
            (
                "contract-publish",
                "btc-transfer",
                r"line 9: .*btc-transfer.*not supported: contract-publish, requirement-publish.*Bitcoin wallet",
            ),
            ("transaction-type: contract-publish", "emulated: 3", r"line 9: .*lacks the field 'transaction-type'"),
            ("contract-name: first", "contract-name: 1st", r"line 10: field 'contract-name'"),
            ("contract-name: first", "contract-name: [a]", r"line 10: field 'contract-name' must be text"),
            ("contract-name: first", "name: first", r"line 9: .*lacks the field 'contract-name'"),
            (DEPLOYER, "ST123", r"line 11: field 'expected-sender' is not a principal"),
            (DEPLOYER, f"{DEPLOYER}.first", r"line 11: field 'expected-sender' must be an address, not the contract"),
            (
                "- transaction-type",
                "&a [*a, *a]\n        - transaction-type",
                r"not valid YAML: aliases \(\*\) are not allowed",
            ),
            ("clarity-version: 4", "clarity-version: 7", r"line 15: field 'clarity-version' .* 1 to 6, not '7'"),
            ("clarity-version: 4", "clarity-version: four", r"line 15: field 'clarity-version'"),
            ("cost: 5000", "path: x", r"line 13: field 'path' is a duplicate"),
            ("  batches:", "  batch:", r"lacks the field 'batches'"),
            ("plan:", "plan: 3\nrest:", r"line 5: field 'plan' must be a mapping"),
            ("network: devnet", "network: 5", r"line 4: field 'network' must be text"),
            ("---", "--- {", r"not valid YAML"),
            ("---", "--- !!python/object/apply:os.system ['x']\n---", r"not valid YAML"),
        ],
    )
    def test_errors_name_line_and_field(self, project: Path, old: str, new: str, words: str) -> None:
        file = write(project, plan_text(publish("first")).replace(old, new, 1))
        with pytest.raises(DeploymentError, match=words) as caught:
            DeploymentPlan.read(file)
        assert str(file) in str(caught.value)

    def test_yaml_tags_do_not_create_objects(self, project: Path) -> None:
        file = write(project, plan_text(publish("first")).replace("A plan", "!!python/name:os.system"))
        with pytest.raises(DeploymentError, match="field 'name' must be text"):
            DeploymentPlan.read(file)

    @pytest.mark.parametrize("memo", ['"hello"', '"0x1"', f'"0x{"00" * 35}"'])
    def test_invalid_memos_are_rejected(self, project: Path, memo: str) -> None:
        with pytest.raises(DeploymentError, match="field 'memo'"):
            DeploymentPlan.read(write(project, plan_text(transfer(memo))))

    def test_files_that_are_not_plans_are_rejected(self, project: Path) -> None:
        for text in ("", "[]", "a: [", "[" * 5000):
            with pytest.raises(DeploymentError):
                DeploymentPlan.read(write(project, text))
        with pytest.raises(DeploymentError, match="cannot be read"):
            DeploymentPlan.read(project / "nowhere.yaml")


def test_addresses_are_spelt_canonically(project: Path) -> None:
    (step,) = DeploymentPlan.read(write(project, plan_text(publish("first", DEPLOYER.lower())))).steps
    assert step.sender == DEPLOYER


class TestSources:
    def refuse(self, project: Path, account: Account, words: str, path: str | None = None) -> None:
        with pytest.raises(DeploymentError, match=words):
            deploy(write(project, plan_text(publish("second") + publish("first", path=path))), account)

    def test_nothing_is_sent_if_one_source_is_invalid(self, project: Path, account: Account, node: FakeNode) -> None:
        source = project / "contracts" / "first.clar"
        source.write_bytes(b"(ok true)\r\n")
        self.refuse(project, account, r"contract first, path 'contracts/first\.clar'.*\\r")
        source.write_bytes("; ü\n".encode())
        self.refuse(project, account, "byte 2 is not ASCII")
        source.write_bytes(bytes(2 << 20) + b"x")
        self.refuse(project, account, "longer than")
        source.unlink()
        self.refuse(project, account, "first.clar does not exist")
        assert node.posts == []

    @pytest.mark.parametrize("path", ["../secret.clar", "contracts/../../secret.clar", "{tmp}/secret.clar"])
    def test_a_source_outside_the_project_is_rejected(self, project: Path, account: Account, path: str) -> None:
        (project.parent / "secret.clar").write_text("(ok true)")
        self.refuse(project, account, "is outside the project", path.format(tmp=project.parent))

    def test_a_link_out_of_the_project_needs_permission(self, project: Path, account: Account, node: FakeNode) -> None:
        (project.parent / "secret.clar").write_text("(ok true)")
        (project / "contracts" / "link.clar").symlink_to(project.parent / "secret.clar")
        self.refuse(project, account, "is outside the project", "contracts/link.clar")
        plan = write(project, plan_text(publish("first", path="contracts/link.clar")))
        assert deploy(plan, account, outside_root=True).deployed == (f"{DEPLOYER}.first",)
        assert node.sources[f"{DEPLOYER}.first"] == "(ok true)"


class TestDeploying:
    def test_contracts_are_published_in_order_and_skipped_later(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        plan = write(project, plan_text(publish("first") + publish("second"), publish("third")))
        steps: list[StepReport] = []
        report = deploy(plan, account, on_step=steps.append)
        assert published(node) == ["first", "second", "third"]
        assert [Transaction.decode(raw).nonce for raw in node.posts] == [0, 1, 2]
        assert report.deployed == tuple(f"{DEPLOYER}.{name}" for name in ("first", "second", "third"))
        assert report.txids == tuple(node.mined)
        assert report.steps == tuple(steps)
        payload = Transaction.decode(node.posts[0]).payload
        assert payload == ContractPublish("first", "(define-constant NAME u5)\n", 4)

        again = deploy(plan, account)
        assert again.skipped == report.deployed
        assert (again.deployed, again.txids) == ((), ())
        assert len(node.posts) == 3

    def test_a_second_run_continues_after_a_failure(self, project: Path, account: Account, node: FakeNode) -> None:
        plan = write(project, plan_text(publish("first") + publish("second")))
        node.refusals = [None, ("NotEnoughFunds", {"expected": "0x02", "actual": "0x01"})]
        with pytest.raises(DeploymentError, match=rf"line 16: {DEPLOYER}\.second: .*fund the account"):
            deploy(plan, account)
        report = deploy(plan, account)
        assert [step.outcome for step in report.steps] == [Outcome.SKIPPED, Outcome.DEPLOYED]
        assert published(node) == ["first", "second", "second"]

    def test_a_published_contract_with_another_source_is_an_error(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        node.sources[f"{DEPLOYER}.second"] = "(define-constant NAME u0)\n"
        with pytest.raises(DeploymentError, match=rf"{DEPLOYER}\.second is already published \(at height 7\)"):
            deploy(write(project, plan_text(publish("first") + publish("second"))), account)
        assert node.posts == []

    def test_a_contract_published_by_another_program_meanwhile_is_skipped(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        plan = DeploymentPlan.read(write(project, plan_text(publish("first"))))
        refusal = ("ContractAlreadyExists", {"contract_identifier": f"{DEPLOYER}.first"})
        node.refusals = [refusal]
        with pytest.raises(DeploymentError, match="already exists"):
            deploy(plan, account)
        node.refusals = [refusal]
        node.on_refusal = lambda: node.sources.update({f"{DEPLOYER}.first": "(define-constant NAME u5)\n"})
        assert deploy(plan, account).skipped == (f"{DEPLOYER}.first",)

    def test_a_contract_that_does_not_compile_is_reported(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        node.outcome = {"tx_status": "abort_by_response", "vm_error": "unresolved function 'foo'"}
        with pytest.raises(DeploymentError, match=rf"{DEPLOYER}\.first: .*unresolved function 'foo'"):
            deploy(write(project, plan_text(publish("first"))), account)

    def test_after_a_timeout_no_contract_is_published_twice(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        node.mines_at_once = False
        plan = write(project, plan_text(publish("first"), publish("second")))
        with pytest.raises(ConfirmationTimeoutError):
            deploy(plan, account, timeout_s=0.02)
        assert published(node) == ["first"]
        # A second run must not publish it again while the first transaction is in the mempool.
        with pytest.raises(DeploymentError, match="still has a transaction in the mempool"):
            deploy(plan, account, timeout_s=0.0)
        node.mine()
        node.mines_at_once = True
        assert deploy(plan, account).skipped == (f"{DEPLOYER}.first",)
        assert published(node) == ["first", "second"]

    def test_after_a_lost_response_no_contract_is_published_twice(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        node.refusals = [requests.ReadTimeout("slow"), None]
        deploy(write(project, plan_text(publish("first"))), account)
        assert node.posts[0] == node.posts[1]
        assert len(node.mined) == 1

    def test_a_large_batch_stays_within_the_mempool_limit(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        node.mines_at_once, node.mines_when_looked_at = False, True
        names = [f"contract-{index}" for index in range(45)]
        for name in names:
            (project / "contracts" / f"{name}.clar").write_text("(ok true)")
        deploy(write(project, plan_text("".join(map(publish, names)))), account)
        assert published(node) == names

    def test_a_node_without_the_api_is_rejected(self, project: Path, account: Account, node: FakeNode) -> None:
        node.has_api = False
        with pytest.raises(InvalidValueError, match="has no API"):
            deploy(write(project, plan_text(publish("first"))), account, timeout_s=0.02)
        assert node.posts == []


class TestJournal:
    def test_a_killed_run_is_continued(self, project: Path, account: Account, node: FakeNode) -> None:
        """The continued run does not repeat transfers; a run after a completed one does."""
        plan = write(project, plan_text(transfer() + transfer(), publish("first")))
        journal = project / "deploy.db"

        def killed(_step: StepReport) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deploy(plan, account, run_transfers=True, journal=journal, on_step=killed)
        assert len(node.mined) == 2
        report = deploy(plan, account, run_transfers=True, journal=journal)
        assert [step.outcome for step in report.steps] == [Outcome.TRANSFERRED, Outcome.TRANSFERRED, Outcome.DEPLOYED]
        assert report.txids == tuple(node.mined)
        assert len(node.posts) == 3
        deploy(plan, account, run_transfers=True, journal=journal)
        assert len(node.posts) == 3 + 2, "the next run"

    def test_a_failed_step_is_retried(self, project: Path, account: Account, node: FakeNode) -> None:
        plan = write(project, plan_text(transfer() + transfer(), publish("first")))
        journal = project / "deploy.db"
        node.refusals = [None, ("NotEnoughFunds", {"expected": "0x02", "actual": "0x01"})]
        with pytest.raises(DeploymentError, match="fund the account"):
            deploy(plan, account, run_transfers=True, journal=journal)
        report = deploy(plan, account, run_transfers=True, journal=journal)
        assert report.txids == tuple(node.mined)
        assert len(node.mined) == 3

    def test_a_journal_in_use_by_another_process_is_rejected(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        plan = write(project, plan_text(publish("first")))
        journal = Journal(project / "deploy.db")
        journal.lease(account.address, "another", 60)
        with pytest.raises(DeploymentError, match=r"another process uses ST.* with this journal"):
            deploy(plan, account, journal=journal, timeout_s=0.02)
        assert node.posts == []
        journal.close()

    def test_a_journal_of_another_account_is_rejected(self, project: Path, account: Account) -> None:
        plan = write(project, plan_text(publish("first")))
        journal = project / "deploy.db"
        deploy(plan, account, journal=journal)
        other = Account(PrivateKey.generate(), account.client)
        with pytest.raises(JournalError, match="belongs to another purpose"):
            deploy(plan, other, own_address=True, journal=journal)


class TestSenders:
    def test_the_sender_must_be_the_account(self, project: Path, account: Account, node: FakeNode) -> None:
        with pytest.raises(DeploymentError, match=rf"line 9: .*{OTHER}.*{DEPLOYER}.*own_address=True"):
            deploy(write(project, plan_text(publish("first", OTHER))), account)
        assert node.posts == []

    def test_the_account_replaces_the_sender_on_request(self, project: Path, account: Account) -> None:
        report = deploy(write(project, plan_text(publish("first", OTHER))), account, own_address=True)
        assert report.deployer == DEPLOYER
        assert report.deployed == (f"{DEPLOYER}.first",)

    def test_a_source_that_names_the_old_sender_is_rejected(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        (project / "contracts" / "first.clar").write_text(f"(contract-call? '{OTHER}.second f)")
        with pytest.raises(
            DeploymentError, match=rf"the source of first names {OTHER}, which {DEPLOYER} replaces here"
        ):
            deploy(write(project, plan_text(publish("first", OTHER))), account, own_address=True)
        assert node.posts == []

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (publish("second", DEPLOYER), f"the source of second names {OTHER}, which "),
            (
                call(f"""["'{OTHER}"]""", f"{DEPLOYER}.first").replace(DEPLOYER, THIRD),
                f"a parameter of set-name! names {OTHER}",
            ),
        ],
    )
    def test_a_step_that_names_another_steps_old_sender_is_rejected(
        self, project: Path, account: Account, text: str, words: str
    ) -> None:
        (project / "contracts" / "second.clar").write_text(f"(contract-call? '{OTHER}.first f)")
        with pytest.raises(DeploymentError, match=words):
            deploy(write(project, plan_text(publish("first", OTHER) + text)), account, own_address=True, run_calls=True)

    def test_a_duplicate_contract_name_is_rejected(self, project: Path, account: Account) -> None:
        with pytest.raises(DeploymentError, match=r"first is in the plan twice \(first in line 9\)"):
            deploy(write(project, plan_text(publish("first") + publish("first", OTHER))), account, own_address=True)


class TestCalls:
    def test_calls_need_permission(self, project: Path, account: Account, node: FakeNode) -> None:
        with pytest.raises(
            DeploymentError, match=rf"line 9: the plan calls {DEPLOYER}\.first::set-name!.*run_calls=True"
        ):
            deploy(write(project, plan_text(call("[]"))), account, run_transfers=True)
        assert node.posts == []

    def test_a_call_to_an_unpublished_contract_is_rejected(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        plan = write(project, plan_text(publish("second"), call("[]")))
        with pytest.raises(DeploymentError, match=rf"line 18: {DEPLOYER}\.first::set-name!: there is no such contract"):
            deploy(plan, account, run_calls=True)
        assert node.posts == []

    def test_a_parameter_that_names_the_old_sender_is_rejected(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        text = call(f"""["(some '{OTHER}.second)"]""", f"{OTHER}.first").replace(
            f"sender: {DEPLOYER}", f"sender: {OTHER}"
        )
        with pytest.raises(DeploymentError, match=rf"a parameter of set-name! names {OTHER}.*write {DEPLOYER}"):
            deploy(write(project, plan_text(text)), account, own_address=True, run_calls=True)
        assert node.posts == []


class TestTransfers:
    def test_transfers_need_permission(self, project: Path, account: Account, node: FakeNode) -> None:
        plan = write(project, plan_text(transfer()))
        with pytest.raises(DeploymentError, match=rf"sends 12 µSTX to {OTHER}.*run_transfers=True"):
            deploy(plan, account)
        assert node.posts == []
        report = deploy(plan, account, run_transfers=True)
        assert report.steps[0].outcome is Outcome.TRANSFERRED
        payload = Transaction.decode(node.posts[0]).payload
        assert isinstance(payload, TokenTransfer)
        assert (payload.amount, payload.memo) == (12, b"hi")

    @pytest.mark.parametrize(
        ("recipient", "words"),
        [
            (KEY.address(MAINNET), "line 18: STX transfer: recipient: .* is an address of mainnet"),
            (DEPLOYER, "line 18: STX transfer: sender and recipient are the same"),
            (f"{OTHER}.{'a' * 50}", "line 18: STX transfer: .*contract"),
        ],
    )
    def test_invalid_transfers_are_rejected_before_anything_is_sent(
        self, project: Path, account: Account, node: FakeNode, recipient: str, words: str
    ) -> None:
        plan = write(project, plan_text(publish("first"), transfer().replace(OTHER, recipient)))
        with pytest.raises(DeploymentError, match=words):
            deploy(plan, account, run_transfers=True)
        assert node.posts == []

    def test_sent_steps_are_reported_if_a_later_one_is_rejected(
        self, project: Path, account: Account, node: FakeNode
    ) -> None:
        plan = write(project, plan_text(transfer() + transfer() + transfer()))
        node.refusals = [None, ("NotEnoughFunds", {"expected": "0x02", "actual": "0x01"})]
        steps: list[StepReport] = []
        with pytest.raises(DeploymentError, match=r"line 15: STX transfer: .*fund the account"):
            deploy(plan, account, run_transfers=True, on_step=steps.append)
        assert [step.txid for step in steps] == list(node.mined)
        assert len(steps) == 1


@pytest.mark.parametrize("planned", ["mainnet", "devnet"])
def test_a_plan_for_another_network_needs_permission(project: Path, node: FakeNode, planned: str) -> None:
    plan = write(project, plan_text(publish("first", OTHER)).replace("network: devnet", f"network: {planned}"))
    node.network_id = DEVNET.chain_id if planned == "mainnet" else MAINNET.chain_id
    with (
        node.running() as client,
        pytest.raises(DeploymentError, match=f"is a plan for {planned}, but the account is on"),
    ):
        deploy(plan, Account(KEY, client), own_address=True)
    assert node.posts == []
    if planned == "devnet":
        with node.running() as client:
            report = deploy(plan, Account(KEY, client), own_address=True, other_network=True)
        assert report.deployed == (f"{KEY.address(MAINNET)}.first",)
