"""A short soak of the outbox; missing and repeated payments are detected."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import requests

from der_client import PrivateKey
from der_client.stacks.network import DEVNET
from tests.postgres import find_programs
from tests.soak import outbox
from tests.soak.outbox import Outcome, Plan, soak


def test_each_payment_is_made_exactly_once(tmp_path: Path) -> None:
    plan = Plan(seconds=8, jobs=60, life_s=4, uses_postgres=find_programs() is not None)
    outcome = soak(plan, tmp_path)
    assert outcome.problems == []
    assert outcome.payments == plan.jobs * (3 if plan.uses_postgres else 2)
    assert outcome.kills > 0
    assert outcome.faults > 0


def test_missing_repeated_and_unknown_payments_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    key = PrivateKey.generate()
    crew = outbox.Crew("journal", [key], "ST000000000000000000002AMW42H", 1)
    amounts = Counter({1: 1, 2: 2, 4: 1})

    class Answer:
        def __init__(self, body: object) -> None:
            self.body = body

        def json(self) -> object:
            return self.body

    def get(url: str, timeout: float) -> Answer:
        if url.endswith("latest"):
            return Answer({"height": 1})
        payments = [
            {
                "sender_address": key.address(DEVNET),
                "tx_status": "success" if amount != 4 else "abort_by_response",
                "token_transfer": {"recipient_address": crew.payee, "amount": str(amount)},
            }
            for amount in amounts.elements()
        ]
        return Answer({"results": payments})

    monkeypatch.setattr(requests, "get", get)
    outcome = Outcome()
    outbox._count(Plan(seconds=1, jobs=3, life_s=1), "url", [crew], outcome)
    assert outcome.problems == [
        "journal: 1 payments are missing: [3]",
        "journal: 1 payments were made more than once: [2]",
        "1 transactions are not payments that were asked for",
    ]
