"""Statements: what a party bought and sold in a month, and the outcome. All sums are exact."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from der_client.contracts.settlement import PaymentState
from der_client.index.answers import PaymentRow, Statement, StatementLine, StatementTotal
from der_client.index.table import Table
from der_client.index.trade import payments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from der_client.index.reading import Reader


def statement(reader: Reader, party: str, month: date) -> Statement:
    """Return a party's statement; see ``Index.statement``."""
    first = month.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    rows = payments(reader, party=party, day_from=first, day_to=last)
    lines = sorted(
        (line for row in rows for line in _lines(row, party)), key=lambda line: (line.day, line.payment_id, line.side)
    )
    return Statement(
        party=party,
        month=first,
        lines=Table(StatementLine, lines),
        totals=Table(StatementTotal, _totals(lines)),
        height=-1 if reader.tip is None else reader.tip.height,
    )


def _lines(row: PaymentRow, party: str) -> Iterator[StatementLine]:
    """Yield a line for each side that the party is on: both, if a payment was assigned to its own payee."""
    if row.payee == party:
        yield _line(row, "sold", row.buyer, row.payout)
    if row.buyer == party:
        yield _line(row, "bought", row.payee, row.refund - row.cost)


def _line(row: PaymentRow, side: str, counterparty: str, amount: int) -> StatementLine:
    return StatementLine(
        payment_id=row.payment_id,
        side=side,
        counterparty=counterparty,
        asset_id=row.asset_id,
        day=row.day,
        token=row.token,
        state=row.state,
        wh=row.wh,
        delivered_wh=row.delivered_wh,
        price_per_kwh=row.price_per_kwh,
        cost=row.cost,
        payout=row.payout,
        fee=row.fee,
        refund=row.refund,
        amount=amount,
        funded_at=row.funded_at,
        funded_txid=row.funded_txid,
        closed_at=row.closed_at,
        closed_txid=row.closed_txid,
    )


def _totals(lines: Iterable[StatementLine]) -> Iterator[StatementTotal]:
    groups: defaultdict[tuple[str, str | None, str | None], list[StatementLine]] = defaultdict(list)
    for line in lines:
        groups[line.side, line.token, None].append(line)
        groups[line.side, line.token, line.counterparty].append(line)
    for key in sorted(groups, key=lambda key: tuple(part or "" for part in key)):
        side, token, counterparty = key
        of_group = groups[key]
        yield StatementTotal(
            side=side,
            counterparty=counterparty,
            token=token,
            payments=len(of_group),
            wh=sum(line.wh for line in of_group),
            delivered_wh=sum(line.delivered_wh for line in of_group),
            cost=sum(line.cost for line in of_group),
            locked=sum(line.cost for line in of_group if line.state is PaymentState.LOCKED),
            payout=sum(line.payout for line in of_group),
            fee=sum(line.fee for line in of_group),
            refund=sum(line.refund for line in of_group),
            amount=sum(line.amount for line in of_group),
        )
