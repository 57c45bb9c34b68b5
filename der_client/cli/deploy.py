"""``der deploy``: publish the contracts of a Clarinet deployment plan by signed transactions."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.completion import complete_key
from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import DEFAULT_TIMEOUT_S, AsAccount, Json, TimeoutS
from der_client.cli.output import print_json, print_table, print_transactions, progress_console

if TYPE_CHECKING:
    from der_client.stacks.deploy import StepReport
    from der_client.stacks.plan import DeploymentPlan


@grouped
def deploy(
    *,
    on: AsAccount,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Clarinet's deployment plan, or the folder of a project without one. Default: the five contracts.",
            show_default=False,
        ),
    ] = None,
    retarget: Annotated[
        bool, typer.Option("--retarget", help="Publish under the key's own address, whatever sender the plan expects.")
    ] = False,
    other_key: Annotated[
        list[str] | None,
        typer.Option(
            "--other-key",
            metavar="NAME|FILE",
            help="The key of another sender that the plan expects, as --key is given. Repeatable.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    run_transfers: Annotated[
        bool, typer.Option("--run-transfers", help="Make the plan's STX transfers; every run makes them again.")
    ] = False,
    run_calls: Annotated[
        bool, typer.Option("--run-calls", help="Make the plan's contract calls; every run makes them again.")
    ] = False,
    allow_moves: Annotated[
        bool,
        typer.Option("--allow-moves", help="Let contracts move assets of their publisher when published."),
    ] = False,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    journal: JournalPlace = None,
    as_json: Json = False,
) -> None:
    """Publish the contracts of a Clarinet deployment plan by signed transactions.

    Safe to repeat: a contract that exists with the same source is skipped, and one with another source is an error
    before anything is sent. If a run is killed, the next one continues from its journal.
    """
    from der_client.project import deployment_plan  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.clarinet import fetcher, project_plan  # noqa: PLC0415
    from der_client.stacks.deploy import deploy as carry_out  # noqa: PLC0415
    from der_client.stacks.deployment_checks import fits_network  # noqa: PLC0415
    from der_client.stacks.errors import DeploymentError  # noqa: PLC0415
    from der_client.stacks.plan import DeploymentPlan  # noqa: PLC0415

    account = on.account
    if plan is not None and plan.is_dir():
        planned = project_plan(plan, {"deployer": account.address}, fetch=fetcher())
    else:
        planned = DeploymentPlan.read(plan or deployment_plan())
    if on.network is None and not fits_network(planned, account.network):
        raise DeploymentError(
            f"{planned.file} is a plan for {planned.network}, but the node is on {account.network.name}; if that is "
            f"meant, say so with --network {account.network.name}"
        )
    others = [on.account_of(text) for text in other_key or ()]
    senders = [account.address, *(other.address for other in others)]
    _check(planned, senders, retarget=retarget, run_transfers=run_transfers, run_calls=run_calls)
    steps: list[StepReport] = []
    try:
        with progress_console().status(f"deploying to {account.client.url} as {account.address} …"):
            carry_out(
                planned,
                account,
                own_address=retarget,
                run_transfers=run_transfers,
                run_calls=run_calls,
                allow_moves=allow_moves,
                other_network=on.network is not None,
                other_accounts=others,
                fetch=fetcher(),
                timeout_s=timeout,
                on_step=steps.append,
                journal=journal or default_journal("deploy", account),
            )
    except DeploymentError as error:
        raise DeploymentError(str(error).replace("allow_moves=True", "--allow-moves")) from error
    finally:
        # Also after a failure: what was published stays published, and paid for.
        if steps and not as_json:
            _print(steps, account.address)
    if as_json:
        print_json(
            {
                "url": account.client.url,
                "network": account.network.name,
                "deployer": account.address,
                "deployed": [step.contract_id for step in steps if step.outcome == "deployed"],
                "skipped": [step.contract_id for step in steps if step.outcome == "skipped"],
                "txids": [step.txid for step in steps if step.txid],
                "fees_ustx": sum(step.fee_ustx for step in steps),
                "steps": [asdict(step) for step in steps],
            }
        )


def _check(
    plan: "DeploymentPlan", senders: "list[str]", *, retarget: bool, run_transfers: bool, run_calls: bool
) -> None:
    """Refuse what the library would refuse, naming options instead of arguments."""
    from der_client.stacks.errors import DeploymentError  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.plan import CallStep, TransferStep  # noqa: PLC0415

    for step in plan.steps:
        if step.sender not in senders and not retarget:
            raise DeploymentError(
                f"{plan.where(step)}: the plan expects {step.sender} as sender, but the key's address is "
                f"{', '.join(senders)}; give the other key with --other-key, or publish under this one with --retarget"
            )
        if isinstance(step, TransferStep) and not run_transfers:
            allow = "--run-transfers"
        elif isinstance(step, CallStep) and not run_calls:
            allow = "--run-calls"
        else:
            continue
        raise DeploymentError(
            f"{plan.where(step)}: the plan {step}, and would do so again with each run; allow it with {allow}"
        )


def _print(steps: "list[StepReport]", deployer: str) -> None:
    named = [(step.subject.removeprefix(f"{deployer}."), step) for step in steps]
    print_table(
        f"Contracts of {deployer}",
        ("contract", "outcome", "block", "fee µSTX"),
        [(name, step.outcome, step.block_height, step.fee_ustx) for name, step in named],
        left=("outcome",),
    )
    print_transactions((step.txid, name) for name, step in named)
