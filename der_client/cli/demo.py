"""``der demo``: the main job on the embedded devnet, shown as tables."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.table import Table

    from der_client.demo import DemoResult
    from der_client.devnet import DevnetControl

SHOWN_PAYMENTS = 20


def demo(
    days: Annotated[int, typer.Option(help="How many days to run, 1 to 40.")] = 1,
    url: Annotated[str, typer.Option(help="An embedded devnet that is up already; by default a new one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then keep the devnet up, and show its plants in a browser, until Ctrl-C.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where the pages of --serve listen; 0 takes any free port.")
    ] = 8200,
) -> None:
    """Run the main job on the embedded devnet: three plants, real meter data, sales, settlement."""
    from der_client.demo import run_demo  # noqa: PLC0415 - heavy, and only this command needs it
    from der_client.devnet import Devnet, DevnetControl  # noqa: PLC0415
    from der_client.project import deployment_plan  # noqa: PLC0415

    with ExitStack() as running:
        with _progress(shown=not as_json) as on_progress:
            on_progress("starting a devnet", 0, 1)
            devnet = running.enter_context(DevnetControl(url) if url else Devnet(deploy_contracts=False))
            result = run_demo(devnet, deployment_plan(), days=days, on_progress=on_progress)
        if as_json:
            typer.echo(result.model_dump_json(indent=2))
        else:
            _show(result)
        if serve:
            _serve(devnet, port)


def _serve(devnet: DevnetControl, port: int) -> None:
    """Show the devnet's plants in a browser, from an index of their own."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from der_client.cli.serve import interrupted, serve_index  # noqa: PLC0415
    from der_client.der import Der  # noqa: PLC0415

    with TemporaryDirectory(prefix="der-demo-") as folder, interrupted() as stop:
        der = Der.connect(devnet.url, deployer=devnet.deployer.address)
        serve_index(f"{folder}/index.sqlite", stop=stop, port=port, der=der)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True) as progress:
        task = progress.add_task("", total=1)

        def update(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield update


def _show(result: DemoResult) -> None:
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    last = "" if result.days == 1 else f" and {result.days - 1} more"
    console.print(f"\n[bold]{len(result.plants)} plants, {result.first_day}{last}, {len(result.txids)} transactions[/]")
    for table in (
        _plants(result),
        _payments(result),
        _token_sale(result),
        _ahead(result),
        _claim(result),
        _money(result),
        _balances(result),
    ):
        console.print(table)
    console.print(
        "Every account changed by exactly what the receipts say, and locked = paid + fees + refunded.",
        style="green",
    )


def _table(title: str, *columns: str) -> Table:
    """A table that fits into 80 columns: one space between columns, no lines but under the header."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _plants(result: DemoResult) -> Table:
    table = _table("Energy, Wh", "plant", "capacity W", "produced", "verified", "sold", "delivered")
    for plant in result.plants:
        amounts = (plant.capacity_w, plant.produced_wh, plant.verified_wh, plant.sold_wh, plant.delivered_wh)
        table.add_row(f"{plant.asset_id} {plant.name}", *(f"{number:,}" for number in amounts))
    table.add_section()
    verified_wh = sum(plant.verified_wh for plant in result.plants)
    totals = (result.produced_wh, verified_wh, result.sold_wh, result.delivered_wh)
    table.add_row("all", "", *(f"{number:,}" for number in totals))
    return table


def _payments(result: DemoResult) -> Table:
    table = _table("Payments, STX", "#", "day", "plant", "sale", "Wh", "delivered", "locked", "paid", "refunded")
    payments = [each for each in zip(result.payment_ids, result.payments, strict=True) if each[1].token is None]
    if len(payments) > SHOWN_PAYMENTS:
        table.title = f"The last {SHOWN_PAYMENTS} of {len(payments)} payments, STX"
    for number, payment in payments[-SHOWN_PAYMENTS:]:
        table.add_row(
            str(number),
            f"{payment.day:%m-%d}",
            str(payment.asset_id),
            "spot" if payment.spot else "forward",
            f"{payment.wh:,}",
            f"{payment.delivered_wh:,}",
            *map(_stx, (payment.cost, payment.payout, payment.refund)),
        )
    return table


def _token_sale(result: DemoResult) -> Table:
    sale = result.token_sale
    columns = ("#", "day", "plant", "Wh", "delivered", "locked", "paid", "refunded", "withdrawn")
    table = _table(f"A payment in {sale.symbol}, credited and withdrawn", *columns)
    table.add_row(
        str(sale.payment_id),
        f"{sale.day:%m-%d}",
        str(sale.asset_id),
        f"{sale.wh:,}",
        f"{sale.delivered_wh:,}",
        *(_whole(amount, sale.decimals) for amount in (sale.locked, sale.paid, sale.refunded, sale.withdrawn)),
    )
    return table


def _ahead(result: DemoResult) -> Table:
    ahead = result.month_ahead
    table = _table("A month offered ahead", "days", "plant", "offers", "Wh", "calls", "fees, STX", "taken Wh")
    table.add_row(
        f"{ahead.first_day:%m-%d} to {ahead.last_day:%m-%d}",
        str(ahead.asset_id),
        str(len(ahead.offer_ids)),
        f"{ahead.wh:,}",
        str(ahead.calls),
        _stx(ahead.fees_ustx),
        f"{ahead.taken_wh:,}",
    )
    return table


def _claim(result: DemoResult) -> Table:
    claim = result.claim
    table = _table("Energy claimed by its buyer", "certificate", "payment", "plant", "day", "Wh", "for")
    numbers = (str(claim.payment_id), str(claim.asset_id), f"{claim.day:%m-%d}", f"{claim.wh:,}")
    table.add_row(str(claim.claim_id), *numbers, claim.purpose)
    return table


def _money(result: DemoResult) -> Table:
    table = _table("Money, STX", "locked", "paid", "refunded", "fees", "transaction fees")
    amounts = (
        result.locked_ustx,
        result.paid_ustx,
        result.refunded_ustx,
        result.fees_ustx,
        result.network_fees_ustx,
    )
    table.add_row(*map(_stx, amounts))
    return table


def _balances(result: DemoResult) -> Table:
    table = _table("Balances, STX", "account", "before", "after", "change", "by receipts")
    for balance in result.balances:
        table.add_row(
            balance.name,
            *map(_stx, (balance.before_ustx, balance.after_ustx, balance.change_ustx, balance.expected_change_ustx)),
        )
    return table


def _stx(ustx: int) -> str:
    """µSTX as STX, exactly."""
    return _whole(ustx, 6)


def _whole(amount: int, decimals: int) -> str:
    """An amount in the smallest unit as one in the whole unit, exactly."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**decimals)
    return f"{sign}{whole:,}.{fraction:0{decimals}}"
