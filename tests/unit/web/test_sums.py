"""Sums of money are exact, even if the amounts are too large for a database to sum."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from der_client.contracts.settlement import PaymentState
from der_client.index import Index
from der_client.index.bulk import insert_rows
from der_client.index.database import Database
from der_client.index.schema import HISTORY_TABLES
from der_client.web.sums import MoneySums, money_sums

if TYPE_CHECKING:
    from pathlib import Path

BUYER, PAYEE = "ST2REHHS5J3CERCRBEPMGH7921Q6PYKAADT7JP2VB", "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
SMALL, LARGE = f"{PAYEE}.small", f"{PAYEE}.large"


def payment(number: int, token: str | None, state: PaymentState, cost: int, **parts: int) -> dict[str, Any]:
    """Return a row of the index that is valid from block 1."""
    zero = dict.fromkeys(("before_wh", "delivered_wh", "payout", "fee", "refund", "claimed_wh"), 0)
    same = {"offer_id": 1, "asset_id": 1, "day": date(2026, 7, 1), "spot": False, "buyer": BUYER, "payee": PAYEE}
    own = {"payment_id": number, "token": token, "state": state, "cost": cost, "from_height": 1, "to_height": None}
    return zero | same | {"claimable": True, "wh": 1000, "price_per_kwh": cost, "fee_bps": 50} | own | parts


def test_sums_of_more_than_63_bits_are_exact(tmp_path: Path) -> None:
    most, beyond = 2**63 - 1, 2**100 + 1
    rows = [
        payment(1, None, PaymentState.LOCKED, 7),
        payment(2, None, PaymentState.SETTLED, 10, payout=6, fee=1, refund=3),
        payment(3, SMALL, PaymentState.LOCKED, most),
        payment(4, SMALL, PaymentState.LOCKED, most),
        payment(5, LARGE, PaymentState.REFUNDED, 5, refund=5),
        payment(6, LARGE, PaymentState.SETTLED, 9, payout=8, fee=1),
        payment(7, LARGE, PaymentState.SETTLED, 2 * beyond, payout=beyond, refund=beyond),
        payment(8, LARGE, PaymentState.LOCKED, beyond),
        payment(9, LARGE, PaymentState.LOCKED, 1) | {"to_height": 5},
    ]
    database = Database(tmp_path / "index.sqlite", writable=True)
    with database.transaction("be written") as connection:
        insert_rows(connection, HISTORY_TABLES["payment"], rows)
    database.close()
    with Index(tmp_path / "index.sqlite") as index:
        assert money_sums(index, []) == [
            MoneySums(None, payments=2, locked=7, paid=6, fees=1, refunded=3),
            MoneySums(LARGE, payments=4, locked=beyond, paid=beyond + 8, fees=1, refunded=beyond + 5),
            MoneySums(SMALL, payments=2, locked=2 * most),
        ]
