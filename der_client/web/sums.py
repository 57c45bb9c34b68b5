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

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

    from der_client.index import Index
    from der_client.index.answers import Attention

_PAYMENTS: Final = HISTORY_TABLES["payment"]
_NOW: Final = _PAYMENTS.c.to_height.is_(None)
_SUMMED: Final = ("cost", "payout", "fee", "refund")
_LOW_BITS: Final = 32
_LARGEST_NUMBER: Final = 2**63 - 1


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
    """A party that bought or sold.

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

    SQLite sums have up to 63 bits, which is not enough for every token: they are made of high and low halves. Amounts
    that have more bits themselves are text, and are added here. No part of a payment is larger than its cost.
    """
    grouped = [_PAYMENTS.c.state, _PAYMENTS.c.token]
    amounts = [_PAYMENTS.c[name] for name in _SUMMED]
    if connection.dialect.name != "sqlite":
        sums = select(*grouped, func.count(), *map(func.sum, amounts)).where(_NOW).group_by(*grouped)
        for state, token, number, *own in connection.execute(sums):
            yield token, state, number, dict(zip(_SUMMED, map(int, own), strict=True))
        return
    halves = [half for column in amounts for half in _halves(column)]
    largest = func.max(_PAYMENTS.c.cost)  # text, if there is any, comes after all numbers
    sums = select(*grouped, func.count(), largest, *halves).where(_NOW).group_by(*grouped)
    for state, token, number, most, *parts in connection.execute(sums).all():
        if most > _LARGEST_NUMBER:
            own = [sum(column) for column in zip(*connection.execute(_amounts_of(state, token)), strict=True)]
        else:
            own = [(high << _LOW_BITS) + low for high, low in zip(parts[::2], parts[1::2], strict=True)]
        yield token, state, number, dict(zip(_SUMMED, own, strict=True))


def _amounts_of(state: PaymentState, token: str | None) -> Select[Any]:
    """Return a query of the amounts of each payment in a state and a token."""
    these = (_PAYMENTS.c.state == state, _PAYMENTS.c.token == token)
    return select(*(_PAYMENTS.c[name] for name in _SUMMED)).where(_NOW, *these)


def _halves(column: Any) -> tuple[Any, Any]:
    return func.sum(column.op(">>")(_LOW_BITS)), func.sum(column.op("&")((1 << _LOW_BITS) - 1))
