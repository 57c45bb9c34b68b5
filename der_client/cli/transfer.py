"""``der transfer``: send STX or a token."""

from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.completion import complete_key
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContractsSending
from der_client.cli.output import print_json

if TYPE_CHECKING:
    from der_client.cli.money import Currency
    from der_client.stacks.rpc.responses import TransactionReceipt


@grouped
def transfer(
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="How much, with its unit: 1.5STX, 200uSTX; 1.5 with --token.")
    ],
    recipient: Annotated[
        str,
        typer.Argument(metavar="RECIPIENT", help="An address, or the name of a key.", autocompletion=complete_key),
    ],
    *,
    on: OnContractsSending,
    memo: Annotated[str, typer.Option("--memo", help="Up to 34 bytes, which everybody can read.")] = "",
    token: Annotated[
        str | None,
        typer.Option(
            "--token", metavar="CONTRACT", help="Send this SIP-010 token, ADDRESS.name, instead.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send STX, or a token, after showing what will move."""
    from der_client.cli.quantities import parse_amount, parse_stx  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.sending import Preview, send_call, sent  # noqa: PLC0415

    to = on.book.address(recipient, "RECIPIENT")
    if token is None:
        ustx = parse_stx(amount, "AMOUNT")
        found = sent(_send_stx(on, to, ustx, memo))
        moved = on.currencies.text(None, ustx)
    else:
        from der_client.stacks.standards import Sip010  # noqa: PLC0415

        contract = Sip010.at(on.client, token_id(on, token), on.account)
        currency = on.currencies.of(contract.contract_id)
        units = parse_amount(amount, "AMOUNT", currency.symbol, currency.decimals)
        moved = currency.text(units)
        _require_balance(on, contract.get_balance(on.account.address), units, currency)
        call = contract.transfer(units, on.account.address, to, memo.encode() or None)
        preview = Preview(
            "This sends a token:",
            [("amount", moved), ("token", contract.contract_id), ("to", on.book.full(to))],
        )
        found = sent(send_call(on, call, preview))
    if as_json:
        print_json({**found, "amount": moved, "recipient": to})
    else:
        typer.echo(f"sent {moved} to {on.book.full(to)}: txid {found['txid']}")


def token_id(on: OnContractsSending, text: str) -> str:
    """Return the contract of ``--token``.

    Raises:
        InvalidValueError: If it is not deployed, or not a SIP-010 token.
    """
    from der_client.cli.contract_ids import contract_id, interface_of  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    try:
        found = contract_id(on, text)
        functions = interface_of(on, found).functions
    except InvalidValueError as error:
        raise InvalidValueError(f"--token: {error}") from None
    if not {"transfer", "get-balance", "get-decimals"} <= functions.keys():
        raise InvalidValueError(f"--token: {found} is not a SIP-010 token")
    return found


def _require_balance(on: OnContractsSending, has: int, units: int, currency: "Currency") -> None:
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415 -- `der --help` stays fast

    if has < units:
        raise InvalidValueError(
            f"{on.book.full(on.account.address)} has {currency.text(has)}, which is less than {currency.text(units)}"
        )


def _send_stx(on: OnContractsSending, to: str, ustx: int, memo: str) -> "TransactionReceipt":
    from der_client.cli.quantities import stx  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.sending import Preview, confirm, send_and_wait  # noqa: PLC0415
    from der_client.stacks.clarity import PrincipalValue  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.transactions import TokenTransfer  # noqa: PLC0415

    account = on.account
    transaction = account.build(TokenTransfer(PrincipalValue(to), ustx, memo.encode()))
    has = account.balance_ustx()
    if has < ustx + transaction.fee:
        raise InvalidValueError(
            f"{on.book.full(account.address)} has {stx(has)} STX, which is less than {stx(ustx)} STX and a fee of "
            f"{stx(transaction.fee)} STX"
        )
    lines = [("amount", f"{stx(ustx)} STX"), ("to", on.book.full(to))]
    if memo:
        lines.append(("memo", memo))
    confirm(on, transaction, Preview("This sends STX:", lines))
    receipt: TransactionReceipt = send_and_wait(
        account.sign(transaction), account.send, lambda pending: pending.wait(on.timeout)
    )
    return receipt
