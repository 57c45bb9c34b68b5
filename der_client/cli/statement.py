"""``der statement``: what a party bought and sold in a month, for the books."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import complete_key
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import csv_text, plain, print_table
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from der_client.index.answers import Statement, StatementLine, StatementTotal

_LINE_KEYS = (
    "month",
    "party",
    "counterparty",
    "counterparty_name",
    "side",
    "payment_id",
    "asset_id",
    "day",
    "token",
    "state",
    "wh",
    "delivered_wh",
    "price_per_kwh",
    "cost",
    "payout",
    "fee",
    "refund",
    "amount",
    "funded_at",
    "funded_txid",
    "closed_at",
    "closed_txid",
)
_SUM_KEYS = (
    "month",
    "party",
    "counterparty",
    "counterparty_name",
    "side",
    "token",
    "payments",
    "wh",
    "delivered_wh",
    "cost",
    "locked",
    "payout",
    "fee",
    "refund",
    "amount",
)


@grouped
def statement(
    party: Annotated[
        str | None,
        typer.Argument(
            metavar="WHO",
            help="The party: an address, or the name of a key. Default: that of --key.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    *,
    on: OnIndex,
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="MONTH", help="2026-07, this or last. Default: this.", show_default=False),
    ] = None,
    counterparty: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="WHO",
            help="Only with this buyer or seller.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    sums: Annotated[bool, typer.Option("--sums", help="Only the sums, for each buyer and seller.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="Write a CSV file for each buyer and seller into this folder.",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    shape: Shape,
) -> None:
    """Show what a party bought and sold in a month: each payment, and sums for each buyer, checked against the chain.

    A payment counts for the month of the day that it is for. Amounts are exact, in STX or in the payment's token; in
    JSON and CSV in the smallest unit (µSTX). The exit code is 1 if the statement differs from the chain.
    """
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import parse_month  # noqa: PLC0415
    from der_client.cli.statement_check import check_statement  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if folder is not None and (sums or not shape.is_table):
        raise InvalidValueError("--folder: --sums, --json and --csv do not apply; the files are CSV, without sums")
    who = on.address_for("whose? give WHO, or --key NAME") if party is None else on.book.address(party, "WHO")
    other = None if counterparty is None else on.book.address(counterparty, "--with")
    first = parse_month(month, "--month", on.der.now().date())
    with opened_index(on) as index:
        found = index.statement(who, first)
    problems = check_statement(on.der, found)
    lines = [line for line in found.lines if other in (None, line.counterparty)]
    lines.sort(key=lambda line: (line.side, line.token or "", line.counterparty, line.day, line.payment_id))
    totals = [total for total in found.totals if other in (None, total.counterparty)]
    line_rows = [_row(on, found, line, _LINE_KEYS) for line in lines]
    # A table has the sum of all at the bottom; in a file, everything would be counted twice.
    sum_rows = [_row(on, found, total, _SUM_KEYS) for total in totals if total.counterparty is not None]
    if folder is not None:
        _write_files(folder, first, line_rows)
    elif sums:
        shape.show("sums", sum_rows, _SUM_KEYS, lambda: _print_sums(on, found, totals), also=_also(found, problems))
    else:
        also = {"sums": sum_rows, **_also(found, problems)}
        shape.show("lines", line_rows, _LINE_KEYS, lambda: _print(on, found, lines, totals), also=also)
    for problem in problems:
        typer.echo(f"differs from the chain: {problem}", err=True)
    if problems:
        raise typer.Exit(1)
    if shape.is_table:
        typer.echo(
            f"checked against the chain, block {found.height:,}: {counted(len(found.lines), 'payment')} agree", err=True
        )


def _also(found: "Statement", problems: "Sequence[str]") -> dict[str, Any]:
    return {
        "party": found.party,
        "month": f"{found.month:%Y-%m}",
        "block_height": found.height,
        "problems": list(problems),
    }


def _row(
    on: OnIndex, found: "Statement", row: "StatementLine | StatementTotal", keys: "Sequence[str]"
) -> dict[str, Any]:
    values: dict[str, Any] = {each.name: getattr(row, each.name) for each in fields(row)}
    values |= {
        "month": f"{found.month:%Y-%m}",
        "party": found.party,
        "counterparty_name": on.book.name(row.counterparty) if row.counterparty else None,
    }
    return {key: values.get(key) for key in keys}


def _print(
    on: OnIndex, found: "Statement", lines: "Sequence[StatementLine]", totals: "Sequence[StatementTotal]"
) -> None:
    from der_client.cli.quantities import kwh  # noqa: PLC0415 -- `der --help` stays fast

    if not lines:
        typer.echo(f"{on.book.short(found.party)} neither bought nor sold energy of {found.month:%Y-%m}")
        return
    for side, token in dict.fromkeys((line.side, line.token) for line in lines):
        currency = on.currencies.of(token)
        print_table(
            f"{_title(on, found)}: {side}, in {currency.symbol}",
            (
                "payment",
                "day",
                "plant",
                "buyer" if side == "sold" else "seller",
                "delivered kWh",
                "price",
                "fee",
                "amount",
                "",
            ),
            [
                (
                    str(line.payment_id),
                    f"{line.day:%m-%d}",
                    str(line.asset_id),
                    on.book.short(line.counterparty),
                    kwh(line.delivered_wh),
                    currency.number(line.price_per_kwh),
                    currency.number(line.fee),
                    currency.number(line.amount),
                    "" if plain(line.state) == "settled" else plain(line.state),
                )
                for line in lines
                if (line.side, line.token) == (side, token)
            ],
            left=("buyer", "seller", ""),
        )
    _print_sums(on, found, totals)


def _print_sums(on: OnIndex, found: "Statement", totals: "Sequence[StatementTotal]") -> None:
    from der_client.cli.quantities import kwh  # noqa: PLC0415 -- `der --help` stays fast

    rows = sorted(totals, key=lambda total: (total.side, total.token or "", total.counterparty is None))
    print_table(
        f"{_title(on, found)}: sums",
        ("with", "", "payments", "delivered kWh", "locked", "fees", "amount", "in"),
        [
            (
                "all" if total.counterparty is None else on.book.short(total.counterparty),
                total.side,
                str(total.payments),
                kwh(total.delivered_wh),
                *(on.currencies.of(total.token).number(each) for each in (total.locked, total.fee, total.amount)),
                on.currencies.of(total.token).symbol,
            )
            for total in rows
        ],
        left=("", "in"),
    )


def _title(on: OnIndex, found: "Statement") -> str:
    return f"{on.book.short(found.party)}, {found.month:%Y-%m}"


def _write_files(folder: Path, month: "date", rows: "Sequence[Mapping[str, Any]]") -> None:
    """Write one file for each buyer and seller; an old one of the same name is replaced."""
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415 -- `der --help` stays fast

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for counterparty in dict.fromkeys(row["counterparty"] for row in rows):
            own = [row for row in rows if row["counterparty"] == counterparty]
            file = folder / f"statement-{month:%Y-%m}-{own[0]['counterparty_name'] or counterparty}.csv"
            file.write_text(csv_text(_LINE_KEYS, own), encoding="utf-8")
            typer.echo(f"wrote {file}: {counted(len(own), 'payment')}")
    except OSError as error:
        raise InvalidValueError(f"--folder {folder}: cannot be written: {error.strerror}") from None
    if not rows:
        typer.echo("nothing was bought or sold in this month; no file was written")
