"""``der balance``: what an account has: STX, tokens, and credits in the settlement contract."""

from typing import Annotated

import typer

from der_client.cli.completion import complete_key
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsWithKey, Shape

_KEYS = ("currency", "kind", "amount", "decimals", "token")


@grouped
def balance(
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="WHO",
            help="An address, or the name of a key. Default: the account that signs.",
            autocompletion=complete_key,
            show_default=False,
        ),
    ] = None,
    *,
    on: OnContractsWithKey,
    shape: Shape,
) -> None:
    """Show what an account has: STX, tokens, and credits that it can withdraw from the settlement contract."""
    from der_client.cli.contract_ids import principal  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.money import STX  # noqa: PLC0415
    from der_client.cli.output import print_table  # noqa: PLC0415
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    address = on.address_for("whose? give WHO, or --key NAME") if who is None else principal(on, who, "WHO")
    balances = on.client.balances(address)
    found = [(STX, "balance", balances.stx_ustx), (STX, "locked", balances.locked_ustx)]
    tokens = {asset.partition("::")[0]: amount for asset, amount in balances.fungible_tokens.items()}
    found += [(on.currencies.of(token), "balance", amount) for token, amount in tokens.items()]
    try:
        settlement = on.der.settlement
        found += [(on.currencies.of(token), "credit", settlement.get_credit(address, token)) for token in tokens]
    except DerClientError:
        pass  # a network without the contracts
    rows = [
        {
            "currency": currency.symbol,
            "kind": kind,
            "amount": amount,
            "decimals": currency.decimals,
            "token": currency.token,
            "shown": currency.number(amount),
        }
        for currency, kind, amount in found
        if amount or (currency is STX and kind == "balance")
    ]
    name = on.book.name(address)

    def table() -> None:
        print_table(
            f"{name} {address}" if name else address,
            ("currency", "amount", "what"),
            [(row["currency"], row["shown"], _WHAT[str(row["kind"])]) for row in rows],
            left=("what",),
        )

    shape.show("balances", rows, _KEYS, table, also={"address": address})


_WHAT = {
    "balance": "",
    "locked": "of it locked (stacking)",
    "credit": "credit in the settlement contract, to be withdrawn",
}
