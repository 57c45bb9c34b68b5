"""Sums of money over all payments, exact, by token; and who took part in them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from der_client.contracts.settlement import PaymentState
from der_client.index.schema import HISTORY_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.engine import Connection

    from der_client.index import Index
    from der_client.index.answers import Attention

_PAYMENTS: Final = HISTORY_TABLES["payment"]
_NOW: Final = _PAYMENTS.c.to_height.is_(None)
_SUMMED: Final = ("cost", "payout", "fee", "refund")
_LOW_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class MoneySums:
    """The money of all payments in one token, in its smallest unit.

    Attributes:
        token: The token's contract; ``None`` for STX, in µSTX.
        payments: How many payments.
        locked: What is locked now.
        due: The part of that which can be paid or refunded now.
        due_payments: The number of these payments.
        paid: What payees got.
        fees: The fees.
        refunded: What buyers got back.
        credits: What is credited but not withdrawn.
    """

    token: str | None
    payments: int = 0
    locked: int = 0
    due: int = 0
    due_payments: int = 0
    paid: int = 0
    fees: int = 0
    refunded: int = 0
    credits: int = 0


def money_sums(index: Index, attention: Iterable[Attention]) -> list[MoneySums]:
    """Return the sums of each token; STX come first, even without any payment.

    Args:
        index: The index.
        attention: What needs doing, including payments that are due.
    """
    sums: defaultdict[str | None, MoneySums] = defaultdict(lambda: MoneySums(None))
    sums[None] = MoneySums(None)
    with index.connection() as connection:
        for token, state, number, amounts in _totals(connection):
            old = replace(sums[token], token=token)
            is_locked = state is PaymentState.LOCKED
            sums[token] = replace(
                old,
                payments=old.payments + number,
                locked=old.locked + (amounts["cost"] if is_locked else 0),
                paid=old.paid + amounts["payout"],
                fees=old.fees + amounts["fee"],
                refunded=old.refunded + amounts["refund"],
            )
    for row in index.ledger():
        sums[row.token] = replace(sums[row.token], token=row.token, credits=row.credits)
    for each in attention:
        if each.payment_id is not None and str(each.kind) == "payment-due":
            old = replace(sums[each.token], token=each.token)
            sums[each.token] = replace(old, due=old.due + (each.amount or 0), due_payments=old.due_payments + 1)
    return [sums[token] for token in sorted(sums, key=lambda token: token or "")]


@dataclass(frozen=True, slots=True)
class PartyCount:
    """Somebody who bought or sold.

    Attributes:
        principal: The party.
        bought: The number of payments with them as buyer.
        sold: The number of payments with them as payee.
    """

    principal: str
    bought: int
    sold: int


def busiest_parties(index: Index, limit: int) -> list[PartyCount]:
    """Return who has the most payments.

    Args:
        index: The index.
        limit: How many parties at most.
    """
    counts: dict[str, dict[str, int]] = {}
    with index.connection() as connection:
        for side in ("buyer", "payee"):
            column = _PAYMENTS.c[side]
            for principal, number in connection.execute(select(column, func.count()).where(_NOW).group_by(column)):
                counts.setdefault(principal, {})[side] = number
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return [PartyCount(who, each.get("buyer", 0), each.get("payee", 0)) for who, each in ordered[:limit]]


def months_of_payments(index: Index, party: str | None = None) -> list[date]:
    """Return the months of delivery of payments, each as its first day, the newest first.

    Args:
        index: The index.
        party: The party whose payments count; ``None`` for all.
    """
    days = select(_PAYMENTS.c.day).where(_NOW).distinct()
    if party is not None:
        days = days.where((_PAYMENTS.c.buyer == party) | (_PAYMENTS.c.payee == party))
    with index.connection() as connection:
        return sorted({day.replace(day=1) for (day,) in connection.execute(days)}, reverse=True)


def _totals(connection: Connection) -> Iterable[tuple[str | None, PaymentState, int, dict[str, int]]]:
    """Return number and sums of payments by token and state, each part of a token's sums by itself.

    SQLite sums have up to 63 bits, which is enough for all existing STX, but not for every token: tokens' sums are made
    of high and low halves, and larger amounts, which are text, are added here. No part of a payment is larger than its
    cost.
    """
    grouped = [_PAYMENTS.c.token, _PAYMENTS.c.state]
    amounts = [_PAYMENTS.c[name] for name in _SUMMED]
    sums = select(*grouped, func.count(), *map(func.sum, amounts)).where(_NOW).group_by(*grouped)
    is_stx = _PAYMENTS.c.token.is_(None)
    is_sqlite = connection.dialect.name == "sqlite"
    for token, state, number, *own in connection.execute(sums.where(is_stx) if is_sqlite else sums):
        yield token, state, number, dict(zip(_SUMMED, map(int, own), strict=True))
    if not is_sqlite:
        return
    is_number = func.typeof(_PAYMENTS.c.cost) == "integer"
    halves = select(*grouped, func.count(), *(half for column in amounts for half in _halves(column)))
    for token, state, number, *parts in connection.execute(halves.where(_NOW, ~is_stx, is_number).group_by(*grouped)):
        own = [(high << _LOW_BITS) + low for high, low in zip(parts[::2], parts[1::2], strict=True)]
        yield token, state, number, dict(zip(_SUMMED, own, strict=True))
    for token, state, *own in connection.execute(select(*grouped, *amounts).where(_NOW, ~is_stx, ~is_number)):
        yield token, state, 1, dict(zip(_SUMMED, own, strict=True))


def _halves(column: Any) -> tuple[Any, Any]:
    return func.sum(column.op(">>")(_LOW_BITS)), func.sum(column.op("&")((1 << _LOW_BITS) - 1))
