"""Checks of a deployment before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.address import check_network
from der_client.stacks.clarity import PrincipalValue, principals
from der_client.stacks.errors import DeploymentError, InvalidValueError
from der_client.stacks.network import MAINNET
from der_client.stacks.plan import CallStep, PublishStep, TransferStep
from der_client.stacks.transactions import TokenTransfer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.account import Account
    from der_client.stacks.network import Network
    from der_client.stacks.outbox import Outbox
    from der_client.stacks.plan import DeploymentPlan
    from der_client.stacks.transactions import ContractPublish


def fits_network(plan: DeploymentPlan, network: Network) -> bool:
    """Return whether a plan may be carried out on a network: a plan for mainnet only there, others elsewhere.

    Args:
        plan: The plan.
        network: The network.
    """
    return (plan.network == MAINNET.name) == (network.chain_id == MAINNET.chain_id)


def check_network_of_plan(plan: DeploymentPlan, account: Account) -> None:
    """Refuse a plan for another network than the account's."""
    if not fits_network(plan, account.network):
        raise DeploymentError(
            f"{plan.file} is a plan for {plan.network}, but the account is on {account.network.name}; generate a plan "
            "for that network, or confirm with other_network=True"
        )


def transfer_of(plan: DeploymentPlan, step: TransferStep, account: Account) -> TokenTransfer:
    """Return the payload of a plan's STX transfer; refuse one to the account itself, or to another network."""
    where = f"{plan.where(step)}: STX transfer"
    if step.recipient == account.address:
        raise DeploymentError(f"{where}: sender and recipient are the same, {step.recipient}")
    try:
        check_network(step.recipient, account.network, "recipient")
        return TokenTransfer(PrincipalValue(step.recipient), step.amount_ustx, step.memo)
    except InvalidValueError as error:
        raise DeploymentError(f"{where}: {error}") from error


def check_senders(plan: DeploymentPlan, accounts: Mapping[str, Account], address: str, *, own_address: bool) -> None:
    """Refuse steps whose sender is missing, and a contract's name that one sender has twice."""
    lines: dict[str, int] = {}
    for step in plan.steps:
        if step.sender not in accounts and not own_address:
            raise DeploymentError(
                f"{plan.where(step)}: the plan expects {step.sender} to send this, but the account is "
                f"{address}; use that account, pass it in other_accounts=, or publish under this one with "
                "own_address=True"
            )
        if isinstance(step, PublishStep):
            contract_id = f"{address if own_address else step.sender}.{step.contract_name}"
            if contract_id in lines:
                raise DeploymentError(
                    f"{plan.where(step)}: contract {step.contract_name} is in the plan twice (first in line "
                    f"{lines[contract_id]}); one account publishes a name only once"
                )
            lines[contract_id] = step.line


def check_requirements(plan: DeploymentPlan, account: Account) -> None:
    """Refuse to publish on mainnet what already exists there."""
    if account.network.chain_id != MAINNET.chain_id:
        return
    for step in plan.steps:
        if isinstance(step, PublishStep) and step.requirement:
            raise DeploymentError(
                f"{plan.where(step)}: the requirement {step.requirement} is already on mainnet, so it is not "
                "published there again; generate a plan for mainnet: clarinet deployments generate --mainnet"
            )


def check_repeated(plan: DeploymentPlan, *, run_transfers: bool, run_calls: bool) -> None:
    """Refuse steps that each run would repeat, unless they are requested."""
    for step in plan.steps:
        if isinstance(step, TransferStep) and not run_transfers:
            allow = "run_transfers=True"
        elif isinstance(step, CallStep) and not run_calls:
            allow = "run_calls=True"
        else:
            continue
        raise DeploymentError(
            f"{plan.where(step)}: the plan {step}, and would do so again with each run; allow it with {allow}"
        )


def senders_of(plan: DeploymentPlan) -> set[str]:
    """Return the addresses that a plan expects to send its steps."""
    return {step.sender for step in plan.steps}


def check_own_references(plan: DeploymentPlan, payloads: dict[PublishStep, ContractPublish], address: str) -> None:
    """Refuse sources and parameters that name a sender whom the account replaces."""
    replaced = sorted(senders_of(plan) - {address})
    for step in plan.steps:
        if isinstance(step, PublishStep):
            text, what = payloads[step].code, f"the source of {step.contract_name}"
            instead = "refer to sibling contracts as .name"
        elif isinstance(step, CallStep):
            text, what = (
                " ".join(name.text for name in principals(step.arguments)),
                f"a parameter of {step.function_name}",
            )
            instead = f"write {address} there"
        else:
            continue
        if named := next((sender for sender in replaced if sender in text), None):
            raise DeploymentError(f"{plan.where(step)}: {what} names {named}, which {address} replaces here; {instead}")


def finish_earlier_run(outbox: Outbox, timeout_s: float) -> None:
    """Wait until the mempool has no transactions of an outbox's accounts, which could be from an interrupted run.

    Args:
        outbox: The outbox of this run.
        timeout_s: The longest wait, in seconds.

    Raises:
        DeploymentError: If an account still has transactions then; the text names them.
    """
    for address, nonces in outbox.finish_earlier(timeout_s=timeout_s).items():
        if not nonces:
            raise DeploymentError(
                f"another process uses {address} with this journal; run again when it has ended (half a minute "
                "after it was killed)"
            )
        raise DeploymentError(
            f"{address} still has a transaction in the mempool (nonce {nonces[-1]}) after {timeout_s:g} s; it "
            "may be from an earlier run: run again when it is mined"
        )
