"""Carries out a Clarinet deployment plan with signed transactions. Safe to repeat: what is there is not sent again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import (
    DeploymentError,
    NotFoundError,
    TransactionDroppedError,
    TransactionFailedError,
    TransactionRejectedError,
)
from der_client.stacks.plan import DeploymentPlan, PublishStep, TransferStep
from der_client.stacks.transactions import TokenTransfer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from der_client.stacks.account import Account, PendingTransaction
    from der_client.stacks.plan import Step
    from der_client.stacks.transactions import ContractPublish

_LOG: Final = logging.getLogger(__name__)
_DEFAULT_TIMEOUT_S: Final = 600.0
# A node lets 25 transactions of one account wait; the rest is left for others of the same account.
_IN_FLIGHT_LIMIT: Final = 20
_POLL_S: Final = 1.0


class Outcome(StrEnum):
    """What became of a step."""

    DEPLOYED = "deployed"
    SKIPPED = "skipped"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True)
class StepReport:
    """A step that was carried out, or found done.

    Attributes:
        outcome: Whether it was carried out now, or the same contract was there already.
        contract_id: The contract; empty for a transfer.
        txid: The transaction; ``None`` if skipped.
        block_height: Of the transaction; ``None`` if skipped.
        fee_ustx: What it cost; 0 if skipped.
    """

    outcome: Outcome
    contract_id: str
    txid: str | None = None
    block_height: int | None = None
    fee_ustx: int = 0


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """What a deployment did.

    Attributes:
        deployer: The address the contracts are under.
        steps: In the order of the plan.
    """

    deployer: str
    steps: tuple[StepReport, ...]

    @property
    def deployed(self) -> tuple[str, ...]:
        """Ids of the contracts that were published now."""
        return tuple(step.contract_id for step in self.steps if step.outcome is Outcome.DEPLOYED)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Ids of the contracts that were there with the same source."""
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
    outside_root: bool = False,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
    on_step: Callable[[StepReport], None] | None = None,
) -> DeploymentReport:
    """Publish the contracts of a plan that are not there yet, in order, batch after batch.

    Everything is checked before the first transaction is sent: all sources, and that whatever is there already has the
    same source. Fees follow the account's fee policy, not the plan's ``cost``, which may be old.

    Args:
        plan: The plan, or its file.
        account: Signs and pays.
        own_address: Whether the contracts shall be published by ``account`` although the plan expects another sender.
        run_transfers: Whether the plan's STX transfers shall be made; unlike contracts, each run makes them again.
        outside_root: Whether sources may lie outside the project's folder.
        timeout_s: The longest wait for one batch, in seconds.
        on_step: Called for each step that is done or skipped.

    Raises:
        DeploymentError: If the plan cannot be carried out as written, a contract of that name has another source, or a
            transaction failed. What was published before stays, and a repeated run goes on from there.
        ConfirmationTimeoutError: If a batch was not mined in time; run again.
        NodeError: If the node is down or answers something else.
    """
    if not isinstance(plan, DeploymentPlan):
        plan = DeploymentPlan.read(plan)
    _check_senders(plan, account.address, own_address=own_address)
    _check_transfers(plan, allowed=run_transfers)
    payloads = {
        step.contract_name: plan.payload(step, outside_root=outside_root)
        for step in plan.steps
        if isinstance(step, PublishStep)
    }
    if own_address:
        _check_own_references(plan, payloads, account.address)
    run = _Run(plan, account, payloads, timeout_s, on_step)
    run.wait_for_earlier_transactions()
    run.find_published()
    for batch in plan.batches:
        run.carry_out(batch)
    return DeploymentReport(account.address, tuple(run.reports))


class _Run:
    """One run of a plan."""

    def __init__(
        self,
        plan: DeploymentPlan,
        account: Account,
        payloads: dict[str, ContractPublish],
        timeout_s: float,
        on_step: Callable[[StepReport], None] | None,
    ) -> None:
        self._plan = plan
        self._account = account
        self._payloads = payloads
        self._timeout_s = timeout_s
        self._on_step = on_step
        self._published: set[str] = set()
        self.reports: list[StepReport] = []

    def wait_for_earlier_transactions(self) -> None:
        """Wait until nothing of the account is in the mempool: it could be a contract of a run that was broken off."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                nonces = self._account.client.nonces(self._account.address)
            except NotFoundError:  # a bare node without the API, which cannot tell
                return
            executed = -1 if nonces.last_executed is None else nonces.last_executed
            if nonces.last_in_mempool is None or nonces.last_in_mempool <= executed:
                return
            if time.monotonic() > deadline:
                raise DeploymentError(
                    f"{self._account.address} still has a transaction in the mempool (nonce {nonces.last_in_mempool}) "
                    f"after {self._timeout_s:g} s; it may be of an earlier run: run again when it is mined"
                )
            time.sleep(_POLL_S)

    def find_published(self) -> None:
        """Find out which contracts are there, and refuse to go on if one has another source."""
        self._published = {name for name in self._payloads if self._is_published(name)}

    def carry_out(self, batch: Sequence[Step]) -> None:
        """Carry out a batch and wait until it is mined."""
        for start in range(0, len(batch), _IN_FLIGHT_LIMIT):
            sent = [(step, self._send(step)) for step in batch[start : start + _IN_FLIGHT_LIMIT]]
            deadline = time.monotonic() + self._timeout_s
            for step, pending in sent:
                report = self._finish(step, pending, max(0.0, deadline - time.monotonic()))
                self.reports.append(report)
                _LOG.info("%s %s", report.outcome, report.contract_id or "STX")
                if self._on_step is not None:
                    self._on_step(report)

    def _send(self, step: Step) -> PendingTransaction | None:
        """Send a step; ``None`` if it is done already."""
        if isinstance(step, TransferStep):
            return self._account.submit(TokenTransfer(PrincipalValue(step.recipient), step.amount_ustx, step.memo))
        if step.contract_name in self._published:
            return None
        try:
            return self._account.submit(self._payloads[step.contract_name])
        except TransactionRejectedError as error:
            if error.reason == "ContractAlreadyExists" and self._is_published(step.contract_name):
                return None
            raise DeploymentError(f"{self._where(step)}: {error}") from error

    def _finish(self, step: Step, pending: PendingTransaction | None, timeout_s: float) -> StepReport:
        contract_id = self._contract_id(step.contract_name) if isinstance(step, PublishStep) else ""
        if pending is None:
            return StepReport(Outcome.SKIPPED, contract_id)
        try:
            receipt = pending.wait(timeout_s)
        except (TransactionFailedError, TransactionDroppedError) as error:
            raise DeploymentError(f"{self._where(step)}: {error}") from error
        return StepReport(
            Outcome.DEPLOYED if contract_id else Outcome.TRANSFERRED,
            contract_id,
            pending.txid,
            receipt.block_height,
            receipt.fee_ustx,
        )

    def _is_published(self, name: str) -> bool:
        contract_id = self._contract_id(name)
        try:
            published = self._account.client.contract_source(contract_id)
        except NotFoundError:
            return False
        if published.source != self._payloads[name].code:
            raise DeploymentError(
                f"{contract_id} is published already (at height {published.publish_height}) with another source than "
                f"{self._plan.file} gives; a contract cannot be changed: publish under another name or from another "
                "account"
            )
        return True

    def _contract_id(self, name: str) -> str:
        return f"{self._account.address}.{name}"

    def _where(self, step: Step) -> str:
        what = self._contract_id(step.contract_name) if isinstance(step, PublishStep) else "STX transfer"
        return f"{self._plan.file}, line {step.line}: {what}"


def _check_senders(plan: DeploymentPlan, address: str, *, own_address: bool) -> None:
    names: dict[str, int] = {}
    for step in plan.steps:
        if step.sender != address and not own_address:
            raise DeploymentError(
                f"{plan.file}, line {step.line}: the plan expects {step.sender} to send this, but the account is "
                f"{address}; use that account, or publish under this one with own_address=True"
            )
        if isinstance(step, PublishStep):
            if step.contract_name in names:
                raise DeploymentError(
                    f"{plan.file}, line {step.line}: contract {step.contract_name} stands twice in the plan "
                    f"(first in line {names[step.contract_name]}); one account publishes a name only once"
                )
            names[step.contract_name] = step.line


def _check_transfers(plan: DeploymentPlan, *, allowed: bool) -> None:
    for step in plan.steps:
        if isinstance(step, TransferStep) and not allowed:
            raise DeploymentError(
                f"{plan.file}, line {step.line}: the plan sends {step.amount_ustx} µSTX to {step.recipient}, and would "
                "do so again with each run; allow it with run_transfers=True"
            )


def _check_own_references(plan: DeploymentPlan, payloads: dict[str, ContractPublish], address: str) -> None:
    for step in plan.steps:
        if (
            isinstance(step, PublishStep)
            and step.sender != address
            and step.sender in payloads[step.contract_name].code
        ):
            raise DeploymentError(
                f"{plan.file}, line {step.line}: the source of {step.contract_name} names {step.sender}, so it would "
                f"not fit when {address} publishes it; refer to sibling contracts as .name"
            )
