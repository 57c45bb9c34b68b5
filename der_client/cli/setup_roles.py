"""``der setup-roles``: grant the roles of a TOML file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import DEFAULT_TIMEOUT_S, Json, OnContractsAsAccount, TimeoutS
from der_client.cli.output import print_json, print_table, print_transactions, progress_console

if TYPE_CHECKING:
    from der_client.roles import GrantReport


@grouped
def setup_roles(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML file of roles; see examples/roles.toml.")],
    *,
    on: OnContractsAsAccount,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    journal: JournalPlace = None,
    as_json: Json = False,
) -> None:
    """Grant the roles of a TOML file, signed by the owner of the contracts.

    Safe to repeat: roles that are already held are not granted again. No role is ever revoked.
    """
    from der_client.roles import read_roles  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.roles import setup_roles as grant_all  # noqa: PLC0415

    grants = read_roles(file)
    der = on.der
    steps: list[GrantReport] = []
    try:
        with progress_console().status(f"granting roles of {der.assets.contract_id} …"):
            place = journal or default_journal("setup-roles", on.account, der.deployer)
            grant_all(der, grants, timeout_s=timeout, on_step=steps.append, journal=place)
    finally:
        # Also after a failure: what was granted stays granted.
        if steps and not as_json:
            _print(steps, der.assets.contract_id)
    if as_json:
        print_json(
            {
                "url": der.client.url,
                "network": der.client.network.name,
                "contract_id": der.assets.contract_id,
                "granted": [_fields(step) for step in steps if step.outcome == "granted"],
                "held": [_fields(step) for step in steps if step.outcome == "held"],
                "txids": [step.txid for step in steps if step.txid],
                "fees_ustx": sum(step.fee_ustx for step in steps),
            }
        )


def _fields(step: "GrantReport") -> dict[str, Any]:
    return {
        "role": step.grant.role_name,
        "who": step.grant.who,
        "region": step.grant.region or None,
        "txid": step.txid,
        "block_height": step.block_height,
        "fee_ustx": step.fee_ustx,
    }


def _print(steps: "list[GrantReport]", contract_id: str) -> None:
    print_table(
        f"Roles of {contract_id}",
        ("role", "region", "who", "outcome", "block"),
        [(step.grant.role_name, step.grant.region, step.grant.who, step.outcome, step.block_height) for step in steps],
        left=("region", "who", "outcome"),
    )
    print_transactions((step.txid, f"{step.grant.role_name} {step.grant.region}".rstrip()) for step in steps)
    typer.echo(f"fees: {sum(step.fee_ustx for step in steps):,} µSTX")
