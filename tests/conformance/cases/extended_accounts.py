"""The API's accounts: nonces, balances and the faucet. Errors are JSON."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import JSON, Answer, Case, api_error, get, ok, post
from tests.conformance.shapes import (
    NUMERAL,
    PREFIXED_HASH,
    AtLeast,
    Text,
)


def nonces(executed: int | None, following: int) -> Answer:
    """Return an account's nonces when it has nothing in the mempool."""
    return ok(
        {
            "last_executed_tx_nonce": executed,
            "last_mempool_tx_nonce": None,
            "possible_next_nonce": following,
            "detected_missing_nonces": [],
            "detected_mempool_nonces": [],
        }
    )


def stx(balance: Any, sent: Any, received: Any) -> AtLeast:
    return AtLeast(
        {
            "balance": balance,
            "total_sent": sent,
            "total_received": received,
            "total_fees_sent": NUMERAL,
            "total_miner_rewards_received": "0",
            "lock_tx_id": "",
            "locked": "0",
            "lock_height": 0,
            "burnchain_lock_height": 0,
            "burnchain_unlock_height": 0,
        }
    )


CASES = (
    Case("extended nonces: none yet", get("/extended/v1/address/$newcomer/nonces"), nonces(None, 0)),
    Case("extended nonces: unknown account", get("/extended/v1/address/$stranger/nonces"), nonces(None, 0)),
    Case("extended nonces: after a call", get("/extended/v1/address/$caller/nonces"), nonces(0, 1)),
    Case(
        "extended nonces: nothing but pending",
        get("/extended/v1/address/$waiting/nonces"),
        ok(AtLeast({"last_executed_tx_nonce": None, "last_mempool_tx_nonce": 1, "possible_next_nonce": 2})),
    ),
    Case("extended nonces: no address", get("/extended/v1/address/hello/nonces"), api_error(400)),
    Case("extended stx: funded", get("/extended/v1/address/$newcomer/stx"), ok(stx("$funds", "0", "$funds"))),
    Case("extended stx: unknown account", get("/extended/v1/address/$stranger/stx"), ok(stx("0", "0", "0"))),
    Case("extended stx: no address", get("/extended/v1/address/hello/stx"), api_error(400)),
    Case(
        "extended stx: a fee is told apart",
        get("/extended/v1/address/$caller/stx"),
        ok(AtLeast({"balance": "$left_after_a_fee", "total_fees_sent": "$fee"})),
    ),
    Case(
        "extended balances: funded",
        get("/extended/v1/address/$newcomer/balances"),
        ok(AtLeast({"stx": stx("$funds", "0", "$funds"), "fungible_tokens": {}, "non_fungible_tokens": {}})),
    ),
    Case(
        "extended balances: tokens",
        get("/extended/v1/address/$minter/balances"),
        ok(
            AtLeast(
                {
                    "fungible_tokens": {"$contract::watt": AtLeast({"balance": "5"})},
                    "non_fungible_tokens": {"$contract::plant": AtLeast({"count": "1"})},
                }
            )
        ),
    ),
    Case(
        "extended balances: turnover of tokens",
        get("/extended/v1/address/$minter/balances"),
        ok(
            AtLeast(
                {
                    "fungible_tokens": {"$contract::watt": {"balance": "5", "total_sent": "0", "total_received": "5"}},
                    "non_fungible_tokens": {
                        "$contract::plant": {"count": "1", "total_sent": "0", "total_received": "1"}
                    },
                }
            )
        ),
    ),
    Case("extended balances: no address", get("/extended/v1/address/hello/balances"), api_error(400)),
    Case(
        "extended faucet: 500 STX",
        post("/extended/v1/faucets/stx?address=$faucet_customer", None),
        ok({"success": True, "txId": PREFIXED_HASH, "txRaw": Text("[0-9a-f]+")}),
    ),
    # The faucet has its own format for errors.
    Case(
        "extended faucet: no address",
        post("/extended/v1/faucets/stx?address=hello", None),
        Answer(400, JSON, AtLeast({"error": str})),
    ),
)
