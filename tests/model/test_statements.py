"""The sums of statements equal the contracts' payments and ledgers, whatever happened before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import pytest

from der_client import Der
from der_client.contracts.settlement import CreditWithdrawn, FeesWithdrawn, Payment, PaymentState
from der_client.index import Follower, Index
from der_client.index.answers import Statement
from tests.model.people import CONTRACT_OWNER
from tests.model.scenarios import story
from tests.model.step import Action
from tests.model.twin import Twin

PARTS: Final = 11
STEPS_PER_PART: Final = 30
AMOUNTS: Final = ("wh", "delivered_wh", "cost", "payout", "fee", "refund")
"""The fields that a statement copies from a payment."""

Sums = dict[tuple[str, str | None, str | None], Counter[str]]
"""Sums by side, token and counterparty; with ``None`` as the counterparty, the total of all."""


def test_statements_equal_the_contracts_payments_and_ledgers(twin: Twin, tmp_path: Path) -> None:
    random = Random("statements")  # noqa: S311  # must be repeatable
    place = tmp_path / "index.sqlite"
    der: Der = twin.chain.views[CONTRACT_OWNER]  # type: ignore[attr-defined]  # the chain is a real one
    earlier: list[Statement] = []
    actions = history(twin, random)
    with twin.anchor(), Follower(der, place) as follower, Index(place) as index:
        for _ in range(PARTS):
            for action in islice(actions, STEPS_PER_PART):
                twin.do(action)
            follower.run_once()
            earlier += compare(der, index)
        for statement in earlier:
            past = index.statement(statement.party, statement.month, as_of=statement.height)
            assert (past.lines, past.totals) == (statement.lines, statement.totals)
        kinds = {(line.state, line.token is None) for statement in earlier for line in statement.lines}
        assert len(kinds) == 2 * len(PaymentState)

        with follower._database.transaction("be written") as connection:
            connection.exec_driver_sql("UPDATE payment_history SET fee = fee + 1 WHERE to_height IS NULL")
        with pytest.raises(AssertionError, match=r"sums of S.* in 20"):
            compare(der, index)


def history(twin: Twin, random: Random) -> Iterator[Action]:
    """Yield a scenario in which payments in STX and in a token end in every way, then random actions."""
    yield from story()
    while True:
        yield twin.draws(random).next()


def compare(der: Der, index: Index) -> list[Statement]:
    """Compare the statements of all parties and months with the contracts, and return them."""
    payments = der.list_payments()
    parties = {who for payment in payments.values() for who in (payment.buyer, payment.payee)}
    months = {payment.day.replace(day=1) for payment in payments.values()}
    statements = [index.statement(party, month) for party in parties for month in months]
    everything: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for statement in statements:
        sums = sums_of_lines(statement)
        assert sums == sums_of(payments, statement.party, statement.month), (
            f"sums of {statement.party} in {statement.month}"
        )
        for (side, token, counterparty), own in sums.items():
            if counterparty is None:
                everything[token].update({f"{side} {name}": amount for name, amount in own.items()})
    compare_with_ledgers(der, everything)
    return statements


def sums_of_lines(statement: Statement) -> Sums:
    """Return the sums in a statement."""
    names = (*AMOUNTS, "payments", "locked", "amount")
    return {
        (total.side, total.token, total.counterparty): Counter({name: getattr(total, name) for name in names})
        for total in statement.totals
    }


def sums_of(payments: Mapping[int, Payment], party: str, month: date) -> Sums:
    """Return the sums of a statement, computed from the contracts' payments."""
    sums: Sums = defaultdict(Counter)
    for payment in payments.values():
        if payment.day.replace(day=1) != month:
            continue
        bought = ("bought", payment.buyer, payment.payee, payment.refund - payment.cost)
        sold = ("sold", payment.payee, payment.buyer, payment.payout)
        locked = payment.cost if payment.state is PaymentState.LOCKED else 0
        for side, who, other, amount in (bought, sold):
            if who == party:
                for counterparty in (None, other):
                    own = sums[side, payment.token, counterparty]
                    own.update({name: getattr(payment, name) for name in AMOUNTS})
                    own.update(payments=1, locked=locked, amount=amount)
    return sums


def compare_with_ledgers(der: Der, everything: Mapping[str | None, Counter[str]]) -> None:
    """Compare the sums of all statements with what the contract owes and what was withdrawn from it."""
    withdrawn: Counter[tuple[type, str | None]] = Counter()
    for record in der.settlement.events():
        if isinstance(record.event, FeesWithdrawn | CreditWithdrawn):
            withdrawn[type(record.event), record.event.token] += record.event.amount
    for token, sums in everything.items():
        ledger = der.settlement.get_ledger(token)
        assert sums["bought locked"] == sums["sold locked"] == ledger.escrow
        assert sums["bought fee"] == sums["sold fee"] == ledger.fees + withdrawn[FeesWithdrawn, token]
        if token is not None:
            given = sums["sold payout"] + sums["bought refund"]
            assert given == ledger.credits + withdrawn[CreditWithdrawn, token]
        # What buyers paid and did not get back equals what sellers received, what is locked, and the fees.
        assert -sums["bought amount"] == sums["sold amount"] + ledger.escrow + sums["sold fee"]
