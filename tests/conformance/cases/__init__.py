"""The cases, by endpoint."""

from __future__ import annotations

from tests.conformance.cases import (
    accounts,
    call_read,
    chain,
    contracts,
    extended_accounts,
    extended_chain,
    extended_transactions,
    extended_v3,
    reads,
    transactions,
)

CASES = (
    *chain.CASES,
    *accounts.CASES,
    *contracts.CASES,
    *call_read.CASES,
    *reads.CASES,
    *transactions.CASES,
    *extended_transactions.CASES,
    *extended_accounts.CASES,
    *extended_chain.CASES,
    *extended_v3.CASES,
)
