"""Compares a statement with the same payments in the settlement contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.cli.plant_lists import in_pages
from der_client.contracts.settlement import PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.contracts.settlement import Payment
    from der_client.der import Der
    from der_client.index.answers import Statement, StatementLine

_COMPARED = (
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
)
_MOST_READ = 3_000


def check_statement(der: Der, statement: Statement) -> list[str]:
    """Return where a statement differs from the chain.

    Each payment of the statement is read from the chain again, and its sums are computed again from the payments. Where
    the contract has few enough payments, all are read, so that one that is missing is found.

    Args:
        der: The contracts.
        statement: The statement.

    Returns:
        A sentence for each difference; none if all agree.
    """
    lines = {line.payment_id: line for line in statement.lines}
    count = der.settlement.get_payment_count()
    payments = der.list_payments() if count <= _MOST_READ else in_pages(sorted(lines), der.settlement.get_payments)
    return [*_payments(statement, lines, payments), *_sums(statement)]


def _payments(statement: Statement, lines: dict[int, StatementLine], payments: dict[int, Payment]) -> Iterator[str]:
    party, month = statement.party, statement.month
    for number, payment in payments.items():
        line = lines.get(number)
        is_in = party in (payment.buyer, payment.payee) and payment.day.replace(day=1) == month
        if is_in and line is None:
            yield f"payment {number} is missing; the index may be behind"
        if line is None:
            continue
        if not is_in:
            yield f"payment {number} is not of this party and month"
        for name in _COMPARED:
            said, is_so = getattr(line, name), getattr(payment, name)
            if said != is_so:
                yield f"{name} of payment {number} is {is_so}, not {said}; the index may be behind"
        given = payment.payout + payment.fee + payment.refund
        if payment.state is not PaymentState.LOCKED and given != payment.cost:
            yield f"payment {number} locked {payment.cost}, but {given} was paid, kept and paid back"
    for number in lines.keys() - payments.keys():
        yield f"payment {number} is not on the chain"


def _sums(statement: Statement) -> Iterator[str]:
    for total in statement.totals:
        own = [
            line
            for line in statement.lines
            if (line.side, line.token) == (total.side, total.token) and total.counterparty in (None, line.counterparty)
        ]
        for name in ("wh", "delivered_wh", "cost", "payout", "fee", "refund", "amount"):
            adds_up_to = sum(getattr(line, name) for line in own)
            if adds_up_to != getattr(total, name):
                yield f"{name} of the payments adds up to {adds_up_to}, not {getattr(total, name)}"
