"""``der keeper``: settle, refund and expire whatever has become due, once or until it is interrupted."""

import logging
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContractsAsAccount, read_ustx
from der_client.cli.output import print_json
from der_client.cli.patience import until_reachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from der_client.contracts.settlement import PaymentClosed
    from der_client.keeper import Keeper, KeeperReport


@grouped
def keeper(
    *,
    on: OnContractsAsAccount,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and exit.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="Pause between two rounds.")
    ] = 10.0,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="How long a round waits for its transactions."),
    ] = 180.0,
    min_value: Annotated[
        int,
        typer.Option(
            "--min-value",
            parser=read_ustx,
            metavar="AMOUNT",
            help="Skip payments that lock less than this, such as 0.01STX, since each costs a fee; µSTX where no unit "
            "is given.",
        ),
    ] = 0,
    journal: JournalPlace = None,
    as_json: Json = False,
) -> None:
    """Settle, refund and expire whatever has become due, until Ctrl-C.

    Anybody may run it, and any number can run at once; it pays the transaction fees and earns nothing. It reads what is
    due from the chain, and what it sends is in its journal first ('der outbox' shows it), so it can be killed at any
    time. With --json, every round that did something prints an object on one line.
    """
    from der_client.keeper import Keeper  # noqa: PLC0415 -- `der --help` stays fast

    if not once:
        # Ask for a passphrase now, not when the node is up; an account of a devnet is known only when it is up.
        until_reachable(lambda: on.private_key)

    def connect() -> Keeper:
        place = journal or default_journal("keeper", on.account, on.der.deployer)
        return Keeper(on.der, confirm_timeout_s=timeout, min_value_ustx=min_value, journal=place)

    if once:
        running = connect()
        _stop_on_signals(running)
        try:
            _run_once(running, as_json=as_json)
        finally:
            running.close()
        return
    _log_to_stderr()
    running = until_reachable(connect)
    _stop_on_signals(running)
    typer.echo(f"keeping {running.contract_id} as {running.address} (Ctrl-C ends it)", err=True)
    try:
        running.run(interval_s=interval, on_report=lambda report: _show(report, as_json=as_json))
    finally:
        running.close()


def _run_once(running: "Keeper", *, as_json: bool) -> None:
    """Run rounds until nothing more can be done now; show what was done and paid even if the node fails."""
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    report: KeeperReport | None = None
    try:
        report = running.run_once()
        while report.has_more:
            report = report.then(running.run_once())
    except DerClientError:
        rest = running.unreported()
        report = rest if report is None or rest is None else report.then(rest)
        if report is not None and (report.pending_txids or not report.did_nothing):
            _show(report, as_json=as_json)
        raise
    _show(report, as_json=as_json)
    if not as_json and report.is_waiting:
        typer.echo("transactions of this account are not mined yet; run this again when they are")
    elif not as_json and report.did_nothing:
        typer.echo(f"nothing is due: {running.open_payments} payments locked, {running.open_offers} offers open")
    if report.failures or report.is_waiting:
        raise typer.Exit(1)


def _stop_on_signals(running: "Keeper") -> None:
    """Let the keeper finish its current step on the first signal; a second one interrupts it."""

    def stop(_number: int, _frame: "FrameType | None") -> None:
        running.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s: %(message)s"))
    logging.getLogger("der_client").addHandler(handler)


def _show(report: "KeeperReport", *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
        return
    for line in _lines(report):
        typer.echo(line)


def _lines(report: "KeeperReport") -> "Iterator[str]":
    for settled in report.settled:
        yield f"settled  {_amounts(settled)}"
    for refunded in report.refunded:
        yield f"refunded {_amounts(refunded)}"
    for expired in report.expired:
        yield (
            f"expired  offer {expired.offer_id} (asset {expired.asset_id}, {expired.day}): "
            f"{expired.closed_wh:,} Wh closed"
        )
    for skipped in report.skipped:
        yield f"{'left' if skipped.done_by_other else 'FAILED':<8} {skipped.action} {skipped.id}: {skipped.reason}"
    if report.txids:
        yield f"{len(report.txids)} transactions, {report.fees_ustx:,} µSTX fees"
    for txid in report.pending_txids:
        yield f"pending  {txid}"


def _amounts(closed: "PaymentClosed") -> str:
    return (
        f"payment {closed.payment_id} (asset {closed.asset_id}, {closed.day}): {closed.delivered_wh:,} Wh delivered, "
        f"{closed.payout:,} µSTX paid, {closed.fee:,} fee, {closed.refund:,} refunded"
    )
