"""Shows what a transaction will move, asks for confirmation, and sends it."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from der_client.cli.output import print_fields
from der_client.cli.quantities import stx
from der_client.stacks.errors import InvalidValueError, SimulationUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from der_client.cli.options import Sending
    from der_client.stacks.contract.call import Call, Receipt
    from der_client.stacks.rpc.responses import TransactionReceipt
    from der_client.stacks.transactions import Transaction

R = TypeVar("R")
P = TypeVar("P")
_INTERRUPTED = 130  # as shells report a program that Ctrl-C ended


@dataclass(frozen=True)
class Preview:
    """What a transaction does, for the user to confirm.

    Attributes:
        what: What it does, in a few words.
        lines: What moves and what else matters, by name: ``from``, ``to``, ``amount``.
    """

    what: str
    lines: Sequence[tuple[str, str]] = field(default=())


def send_call(on: Sending, call: Call[R], preview: Preview) -> Receipt[R]:
    """Try a call where that is possible, show what it moves, ask, send it, and wait for it.

    Args:
        on: The options: who signs, whether to ask, how long to wait.
        call: The call.
        preview: What to show.

    Raises:
        InvalidValueError: If there is nobody to ask; nothing was sent.
        DerClientError: If it would fail, or failed.
    """
    transaction = call.transaction()
    with suppress(SimulationUnavailableError):  # only an embedded devnet can try a call without sending it
        call.simulate()
    confirm(on, transaction, preview)
    return send_and_wait(on.account.sign(transaction), call.send, lambda pending: pending.wait(on.timeout))


def send_and_wait(signed: Transaction, send: Callable[[Transaction], P], wait: Callable[[P], R]) -> R:
    """Send a transaction and wait for it; if Ctrl-C ends that, say on stderr which transaction may be on its way.

    Args:
        signed: The transaction.
        send: Sends it.
        wait: Waits for what `send` returned.

    Raises:
        Exit: If Ctrl-C was pressed.
        DerClientError: As the functions raise.
    """
    what = "may have been sent"
    try:
        pending = send(signed)
        what = "was sent"
        return wait(pending)
    except KeyboardInterrupt:
        typer.echo(
            f"\ninterrupted: transaction {signed.txid} {what} and its outcome is unknown; look at it with "
            f"'der tx {signed.txid}' before you send again",
            err=True,
        )
        raise typer.Exit(_INTERRUPTED) from None


def confirm(on: Sending, transaction: Transaction, preview: Preview) -> None:
    """Show on stderr what a transaction moves, and its fee; ask unless ``--yes`` was given.

    Raises:
        InvalidValueError: If there is nobody to ask.
        Exit: If the answer is no, or Ctrl-C.
    """
    show_preview(on, transaction, preview)
    if on.yes:
        return
    if not _has_terminal():
        raise InvalidValueError("nothing was sent: there is no terminal to ask on; send without asking with --yes")
    if not _agrees():
        typer.echo("nothing was sent", err=True)
        raise typer.Exit(1)


def _agrees() -> bool:
    try:
        return typer.confirm("Send it?", err=True)
    except typer.Abort:  # Ctrl-C, or the end of the input
        typer.echo(err=True)
        return False


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def show_preview(on: Sending, transaction: Transaction, preview: Preview) -> None:
    """Show on stderr what a transaction moves, and its fee."""
    lines = [
        *preview.lines,
        ("signed by", on.book.full(on.account.address)),
        ("fee", f"{stx(transaction.fee)} STX"),
        ("network", f"{on.client.network.name}, {on.client.url}"),
    ]
    print_fields(preview.what, lines, err=True)


def sent(receipt: Receipt[Any] | TransactionReceipt) -> dict[str, Any]:
    """Return a transaction that was mined as values for JSON."""
    return {"txid": receipt.txid, "block_height": receipt.block_height, "fee_ustx": receipt.fee_ustx}
