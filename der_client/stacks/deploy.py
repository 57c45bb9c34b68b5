"""Carries out a Clarinet deployment plan with signed transactions. Safe to repeat: what exists is not sent again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import split_principal
from der_client.stacks.deployment_checks import (
    check_network_of_plan,
    check_own_references,
    check_repeated,
    check_requirements,
    check_senders,
    finish_earlier_run,
    senders_of,
    transfer_of,
)
from der_client.stacks.deployment_epochs import DeploymentEpochs
from der_client.stacks.errors import (
    AddressError,
    DeploymentError,
    DerClientError,
    EncodeError,
    NotFoundError,
    PostConditionAbortedError,
    TransactionDroppedError,
    TransactionFailedError,
)
from der_client.stacks.network import TESTNET
from der_client.stacks.outbox import Job, JobState, Outbox
from der_client.stacks.plan import CallStep, DeploymentPlan, PublishStep, TransferStep
from der_client.stacks.sources import PlanSources
from der_client.stacks.transactions import ContractCall, PostConditionMode, TokenTransfer
from der_client.stacks.transactions.sendable import check_principals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from der_client.stacks.account import Account
    from der_client.stacks.outbox import Entry, Journal
    from der_client.stacks.plan import Step
    from der_client.stacks.sources import Fetch
    from der_client.stacks.transactions import ContractPublish

_LOG: Final = logging.getLogger(__name__)
_DEFAULT_TIMEOUT_S: Final = 600.0


class Outcome(StrEnum):
    """The outcome of a step."""

    DEPLOYED = "deployed"
    SKIPPED = "skipped"
    TRANSFERRED = "transferred"
    CALLED = "called"


_OUTCOMES: Final[dict[type[Step], Outcome]] = {
    PublishStep: Outcome.DEPLOYED,
    TransferStep: Outcome.TRANSFERRED,
    CallStep: Outcome.CALLED,
}


@dataclass(frozen=True, slots=True)
class StepReport:
    """A step that was carried out, or had been done before.

    Attributes:
        outcome: Whether it was carried out now, or the same contract already existed.
        contract_id: The contract that was published or called; empty for a transfer.
        txid: The transaction; ``None`` if skipped.
        block_height: The transaction's block; ``None`` if skipped.
        fee_ustx: What it cost; 0 if skipped.
        function_name: The function that was called; empty for everything else.
    """

    outcome: Outcome
    contract_id: str
    txid: str | None = None
    block_height: int | None = None
    fee_ustx: int = 0
    function_name: str = ""

    @property
    def subject(self) -> str:
        """The subject of the step: a contract, a function of it as ``ADDRESS.name::function``, or ``STX``."""
        return "::".join(filter(None, (self.contract_id, self.function_name))) or "STX"


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """The result of a deployment.

    Attributes:
        deployer: The address that deployed the contracts.
        steps: Its steps, in the order of the plan.
    """

    deployer: str
    steps: tuple[StepReport, ...]

    @property
    def deployed(self) -> tuple[str, ...]:
        """Ids of the contracts that were published now."""
        return tuple(step.contract_id for step in self.steps if step.outcome is Outcome.DEPLOYED)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Ids of the contracts that already existed with the same source."""
        return tuple(step.contract_id for step in self.steps if step.outcome is Outcome.SKIPPED)

    @property
    def txids(self) -> tuple[str, ...]:
        """All transactions, in order."""
        return tuple(step.txid for step in self.steps if step.txid is not None)


def deploy(
    plan: DeploymentPlan | Path | str,
    account: Account,
    *,
    own_address: bool = False,
    run_transfers: bool = False,
    run_calls: bool = False,
    allow_moves: bool = False,
    outside_root: bool = False,
    other_network: bool = False,
    other_accounts: Sequence[Account] = (),
    fetch: Fetch | None = None,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
    on_step: Callable[[StepReport], None] | None = None,
    journal: Journal | Path | str | None = None,
) -> DeploymentReport:
    """Publish the contracts of a plan that do not exist yet, in order, batch by batch.

    Everything is checked before the first transaction is sent: all sources, that existing contracts have the same
    source, and that calls match the contracts they call (those that the plan publishes, when it is their turn). Fees
    follow the account's fee policy, not the plan's ``cost``, which may be outdated.

    Args:
        plan: The plan, or its file.
        account: The account that signs and pays.
        own_address: Whether ``account`` publishes the contracts although the plan expects another sender; calls to that
            sender's contracts then go to those of ``account``.
        run_transfers: Whether to make the plan's STX transfers; unlike contracts, each run makes them again, except one
            that continues an interrupted run from its journal.
        run_calls: Whether to make the plan's contract calls, again with each run. A plan has no post-conditions,
            so they may move whatever the contract moves, as when Clarinet carries it out.
        allow_moves: Whether a contract may move assets of its publisher when it is published, by code outside of its
            functions.
        outside_root: Whether sources may be outside the project's folder.
        other_network: Whether a plan for another network may be carried out on mainnet, or one for mainnet elsewhere.
        other_accounts: Further accounts, for steps with their addresses as senders.
        fetch: A function that returns a requirement whose file is missing, by its id, ``ADDRESS.name``; for instance
            ``stacks.clarinet.fetcher``.
        timeout_s: The longest wait for transactions that are sent together, at most a batch, in seconds.
        on_step: Called for each step that was done or skipped.
        journal: The outbox's journal: a path (SQLite), a URL (Postgres), or ``None`` for one in memory. With a
            persistent one, a run continues one that was killed, including transfers and calls.

    Raises:
        DeploymentError: If the plan cannot be carried out as written, a contract of that name has another source, or a
            transaction failed. What was published before stays, and a repeated run continues from there.
        ConfirmationTimeoutError: If a batch was not mined in time; run again.
        JournalError: If the journal cannot be used.
        NodeError: If the node is down or responds with something else.
    """
    if not isinstance(plan, DeploymentPlan):
        plan = DeploymentPlan.read(plan)
    if not other_network:
        check_network_of_plan(plan, account)
    accounts = {each.address: each for each in (account, *other_accounts)}
    check_senders(plan, accounts, account.address, own_address=own_address)
    check_requirements(plan, account)
    check_repeated(plan, run_transfers=run_transfers, run_calls=run_calls)
    sender = account.address if own_address else None
    payloads = dict(PlanSources(plan, sender=sender, outside_root=outside_root, fetch=fetch).payloads())
    transfers = {step: transfer_of(plan, step, account) for step in plan.steps if isinstance(step, TransferStep)}
    if own_address:
        check_own_references(plan, payloads, account.address)
        accounts = dict.fromkeys(senders_of(plan), account)
    with Outbox([*dict.fromkeys(accounts.values())], journal, purpose=f"deployments by {account.address}") as outbox:
        finish_earlier_run(outbox, timeout_s)  # it may have sent a contract of the plan
        mode = PostConditionMode.ALLOW if allow_moves else PostConditionMode.DENY
        run = _Run(plan, account, accounts, payloads, transfers, outbox, timeout_s, on_step, mode)
        run.find_published()
        run.check_calls()
        for batch in plan.batches:
            run.carry_out(batch)
    return DeploymentReport(account.address, tuple(run.reports))


class _Run:
    """One run of a plan."""

    def __init__(
        self,
        plan: DeploymentPlan,
        account: Account,
        accounts: Mapping[str, Account],
        payloads: dict[PublishStep, ContractPublish],
        transfers: dict[TransferStep, TokenTransfer],
        outbox: Outbox,
        timeout_s: float,
        on_step: Callable[[StepReport], None] | None,
        publication_mode: PostConditionMode,
    ) -> None:
        self._plan = plan
        self._publication_mode = publication_mode
        self._account = account
        self._accounts = accounts
        self._epochs = DeploymentEpochs(account.client, timeout_s)
        self._payloads = payloads
        self._transfers = transfers
        self._outbox = outbox
        self._timeout_s = timeout_s
        self._on_step = on_step
        self._published: set[str] = set()
        self._to_publish = {self._contract_id(step) for step in payloads}
        self._keys: dict[Step, str] = {}
        self.reports: list[StepReport] = []

    def _keys_of_run(self) -> dict[Step, str]:
        """Return the keys of the steps' jobs: those of the last run, unless it was finished."""
        repeated = [step for step in self._plan.steps if not isinstance(step, PublishStep)]
        number = 1
        while True:
            keys = {step: self._key(step, index, number) for index, step in enumerate(self._plan.steps)}
            entries = [self._outbox.find(keys[step]) for step in repeated]
            is_finished = self._published == self._to_publish and all(entry and entry.is_success for entry in entries)
            if not entries or not is_finished:
                return keys
            number += 1

    def _key(self, step: Step, index: int, number: int) -> str:
        job = self._job("?", step)
        what = sha256(job.account.encode() + job.body).hexdigest()[:16]
        if isinstance(step, PublishStep):
            return f"publish/{step.contract_name}/{what}"
        kind = "call" if isinstance(step, CallStep) else "transfer"
        return f"{kind}/{self._plan.file.name[:60]}/{index}/{what}/run {number}"

    def _job(self, key: str, step: Step) -> Job:
        sender = self._accounts[step.sender].address
        match step:
            case TransferStep():
                return Job(key, self._transfers[step], account=sender)
            case CallStep():
                call = ContractCall(self._called_id(step), step.function_name, step.arguments)
                return Job(key, call, mode=PostConditionMode.ALLOW, account=sender)
        return Job(key, self._payloads[step], mode=self._publication_mode, account=sender)

    def find_published(self) -> None:
        """Find out which contracts exist, and refuse to continue if one has another source."""
        self._published = {self._contract_id(step) for step in self._payloads if self._is_published(step)}
        self._keys = self._keys_of_run()

    def check_calls(self) -> None:
        """Refuse calls that do not match; calls to contracts that are not published yet are checked later."""
        for step in self._plan.steps:
            if isinstance(step, CallStep) and not self._is_to_be_published(self._called_id(step)):
                self._check_call(step)

    def carry_out(self, batch: Sequence[Step]) -> None:
        """Carry out a batch and wait until it is mined; whatever was sent is reported, even if another step fails."""
        try:
            for group in _groups(batch):
                self._carry_out_together(group)
        finally:
            self._epochs.leave()

    def _carry_out_together(self, group: Sequence[Step]) -> None:
        if epoch := next(
            (step.epoch for step in group if isinstance(step, PublishStep) and not self._is_done(step)), ""
        ):
            self._epochs.enter(epoch, self._where(group[0]))
        steps: dict[str, Step] = {}
        for step in group:
            if isinstance(step, PublishStep) and self._is_done(step):
                self._report(StepReport(Outcome.SKIPPED, self._contract_id(step)))
                continue
            if isinstance(step, CallStep) and self._is_to_be_published(self._called_id(step)):
                self._check_call(step)
            key = self._keys[step]
            if self._outbox.add(self._job(key, step)) == 0:
                self._outbox.journal.retry(key)  # from an earlier run, in which it failed or was cancelled
            steps[key] = step
        failure: DerClientError | None = None
        deadline = time.monotonic() + self._timeout_s
        for entry in self._outbox.finish([*steps], timeout_s=self._timeout_s):
            try:
                self._report(self._finish(steps[entry.key], entry, max(0.0, deadline - time.monotonic())))
            except DerClientError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _report(self, report: StepReport) -> None:
        self.reports.append(report)
        _LOG.info("%s %s", report.outcome, report.subject)
        if self._on_step is not None:
            self._on_step(report)

    def _check_call(self, step: CallStep) -> None:
        called = self._called_id(step)
        try:
            interface = self._account.client.contract_interface(called)
        except NotFoundError:
            raise DeploymentError(
                f"{self._where(step)}: there is no such contract, and no earlier step publishes it"
            ) from None
        function = interface.functions.get(step.function_name)
        if function is None or function.access != "public":
            public = ", ".join(name for name, other in interface.functions.items() if other.access == "public")
            raise DeploymentError(f"{self._where(step)}: no public function of the contract; it has {public or 'none'}")
        if len(step.arguments) != len(function.arguments):
            names = ", ".join(argument.name for argument in function.arguments)
            raise DeploymentError(
                f"{self._where(step)}: takes {len(function.arguments)} parameters ({names}), not {len(step.arguments)}"
            )
        try:
            for argument, value in zip(function.arguments, step.arguments, strict=True):
                argument.type.check(value, argument.name)
            check_principals(step.arguments, self._account.network, "parameter")
        except (EncodeError, AddressError) as error:
            raise DeploymentError(f"{self._where(step)}: {error}") from error

    def _is_to_be_published(self, contract_id: str) -> bool:
        return contract_id in self._to_publish and contract_id not in self._published

    def _is_done(self, step: PublishStep) -> bool:
        return self._contract_id(step) in self._published

    def _called_id(self, step: CallStep) -> str:
        """Return the contract that a call of the plan calls here; with ``own_address``, one of the account."""
        address, name = split_principal(step.contract_id)
        account = self._accounts.get(address)
        return f"{address if account is None else account.address}.{name}"

    def _finish(self, step: Step, entry: Entry, timeout_s: float) -> StepReport:
        contract_id = self._subject_id(step)
        if entry.state is JobState.GIVEN_UP:
            if isinstance(step, PublishStep) and self._is_published(step):
                return StepReport(Outcome.SKIPPED, contract_id)  # by somebody else in the meantime
            raise DeploymentError(f"{self._where(step)}: {entry.reason}")
        pending = self._account.pending(entry.txid)
        try:
            receipt = pending.wait(timeout_s)
        except (TransactionFailedError, TransactionDroppedError) as error:
            pays = isinstance(step, PublishStep) and isinstance(error, PostConditionAbortedError)
            advice = "; if its publisher should pay that, allow it with allow_moves=True" if pays else ""
            raise DeploymentError(f"{self._where(step)}: {error}{advice}") from error
        return StepReport(
            _OUTCOMES[type(step)],
            contract_id,
            pending.txid,
            receipt.block_height,
            receipt.fee_ustx,
            step.function_name if isinstance(step, CallStep) else "",
        )

    def _is_published(self, step: PublishStep) -> bool:
        contract_id = self._contract_id(step)
        try:
            published = self._account.client.contract_source(contract_id)
        except NotFoundError:
            return False
        # Clarinet also uses a requirement on testnet as it is there: whoever published it may have remapped it
        # differently.
        on_testnet = bool(step.requirement) and self._plan.network == TESTNET.name
        if published.source != self._payloads[step].code and not on_testnet:
            raise DeploymentError(
                f"{contract_id} is already published (at height {published.publish_height}) with another "
                f"source than in {self._plan.file}; a contract cannot be changed: publish under another name "
                "or from another account"
            )
        return True

    def _contract_id(self, step: PublishStep) -> str:
        return f"{self._accounts[step.sender].address}.{step.contract_name}"

    def _subject_id(self, step: Step) -> str:
        match step:
            case PublishStep():
                return self._contract_id(step)
            case CallStep():
                return self._called_id(step)
        return ""

    def _where(self, step: Step) -> str:
        what = self._subject_id(step) or "STX transfer"
        function = f"::{step.function_name}" if isinstance(step, CallStep) else ""
        return f"{self._plan.where(step)}: {what}{function}"


def _groups(batch: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Yield the parts of a batch that may be in the mempool together: a node accepts calls only to mined contracts."""
    start = 0
    for index, step in enumerate(batch):
        publishes = any(isinstance(earlier, PublishStep) for earlier in batch[start:index])
        if publishes and isinstance(step, CallStep):
            yield batch[start:index]
            start = index
    yield batch[start:]
