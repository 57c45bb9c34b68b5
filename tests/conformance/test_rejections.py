"""Transactions that a node rejects, and its responses; none of them reaches the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.stacks.transactions.hashing import sha512_256
from tests.conformance.case import JSON, PLAIN, Answer, get
from tests.conformance.prepared import FUNDS_USTX
from tests.conformance.rejections import REJECTIONS, signed
from tests.conformance.shapes import HASH, fill

if TYPE_CHECKING:
    from tests.conformance.prepared import Prepared
    from tests.conformance.rejections import Rejection


@pytest.mark.parametrize("rejection", REJECTIONS, ids=lambda rejection: rejection.name)
def test_rejection(prepared: Prepared, rejection: Rejection) -> None:
    body = {"txid": HASH, "error": "transaction rejected", "reason": rejection.reason}
    if rejection.data is not None:
        body["reason_data"] = fill(rejection.data, prepared.names)
    raw = rejection.build(prepared)
    response = prepared.node.submit(raw)
    problems = list(Answer(400, JSON, body).mismatches(response))
    assert not problems, "\n".join(problems)
    if "tuple" not in rejection.name:  # a node returns the txid of its own encoding
        txid = sha512_256(raw).hex()
        assert response.json()["txid"] == txid
        assert prepared.node.send(get(f"/v2/transactions/unconfirmed/{txid}")).status_code == 404
    assert prepared.node.account(prepared["newcomer"].address)["nonce"] == 0


@pytest.mark.parametrize("length", range(1, 180, 7))
def test_a_truncated_transaction_is_rejected_in_plain_text(prepared: Prepared, length: int) -> None:
    raw = signed(prepared["newcomer"], prepared.transfer())
    problems = list(Answer(400, PLAIN, str).mismatches(prepared.node.submit(raw[:length])))
    assert not problems, "\n".join(problems)


def test_rejected_transactions_cost_nothing(prepared: Prepared) -> None:
    account = prepared.node.account(prepared["newcomer"].address)
    assert (int(account["balance"], 16), account["nonce"]) == (FUNDS_USTX, 0)
