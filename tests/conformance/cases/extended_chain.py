"""The API's contracts, their print events, and the blocks. Errors are JSON."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case, api_error, get, ok
from tests.conformance.cases.extended_transactions import COUNT, LOG, NOBODY, OK_TRUE
from tests.conformance.shapes import (
    ISO_TIME,
    PREFIXED_HASH,
    AtLeast,
    Including,
    ListOf,
    Named,
    NumberFrom,
    Text,
)


def page(results: Any, total: Any, limit: int, offset: int = 0) -> AtLeast:
    return AtLeast({"limit": limit, "offset": offset, "total": total, "results": results})


LOGS = "/extended/v2/smart-contracts/$contract/logs"
PUBLISHED_LOG = AtLeast({"event_type": "smart_contract_log", "tx_id": "0x$publish_txid"})
CONTRACTS = (
    Case("extended logs: newest first", get(f"{LOGS}?limit=20"), ok(page([LOG, PUBLISHED_LOG], 2, 20))),
    Case("extended logs: limit", get(f"{LOGS}?limit=1"), ok(page([LOG], 2, 1))),
    Case("extended logs: offset", get(f"{LOGS}?limit=1&offset=1"), ok(page([PUBLISHED_LOG], 2, 1, 1))),
    Case("extended logs: offset behind the end", get(f"{LOGS}?limit=1&offset=9"), ok(page([], 2, 1, 9))),
    Case("extended logs: limit of 0", get(f"{LOGS}?limit=0"), api_error(400)),
    Case("extended logs: offset below 0", get(f"{LOGS}?offset=-1"), api_error(400)),
    Case(
        "extended logs: unknown contract",
        get("/extended/v2/smart-contracts/$publisher.nothing/logs?limit=20"),
        ok(page([], 0, 20)),
    ),
    Case(
        "extended contract: published",
        get("/extended/v1/contract/$contract"),
        ok(
            AtLeast(
                {
                    "tx_id": "0x$publish_txid",
                    "canonical": True,
                    "contract_id": "$contract",
                    "block_height": NumberFrom(1),
                    "clarity_version": 3,
                    "source_code": "$source",
                    "abi": Text(r"\{.*\}"),
                }
            )
        ),
    ),
    Case(
        "extended contract: unknown",
        get("/extended/v1/contract/$publisher.nothing"),
        api_error(404, "cannot find contract by ID"),
    ),
)

BLOCK = {
    "canonical": True,
    "height": NumberFrom(1),
    "hash": PREFIXED_HASH,
    "block_time": NumberFrom(1),
    "block_time_iso": ISO_TIME,
    "index_block_hash": PREFIXED_HASH,
    "parent_block_hash": PREFIXED_HASH,
    "parent_index_block_hash": PREFIXED_HASH,
    "burn_block_time": NumberFrom(1),
    "burn_block_time_iso": ISO_TIME,
    "burn_block_height": NumberFrom(1),
    "tx_count": COUNT,
}
OF_BITCOIN_AND_COSTS = AtLeast(
    {
        "burn_block_hash": PREFIXED_HASH,
        "miner_txid": PREFIXED_HASH,
        "execution_cost_read_count": COUNT,
        "execution_cost_read_length": COUNT,
        "execution_cost_runtime": COUNT,
        "execution_cost_write_count": COUNT,
        "execution_cost_write_length": COUNT,
    }
)
OF_THE_CALL = AtLeast({**BLOCK, "height": Named("call_height"), "hash": "$call_block_hash", "tx_count": NumberFrom(1)})
BLOCKS = (
    Case(
        "extended status: ready",
        get("/extended"),
        ok(
            AtLeast(
                {
                    "server_version": str,
                    "status": "ready",
                    "chain_tip": AtLeast(
                        {
                            "block_height": NumberFrom(1),
                            "block_hash": PREFIXED_HASH,
                            "index_block_hash": PREFIXED_HASH,
                            "burn_block_height": NumberFrom(1),
                        }
                    ),
                }
            )
        ),
    ),
    Case("extended blocks: latest", get("/extended/v2/blocks/latest"), ok(AtLeast(BLOCK))),
    Case("extended blocks: by height", get("/extended/v2/blocks/$call_height"), ok(OF_THE_CALL)),
    Case("extended blocks: by hash", get("/extended/v2/blocks/$call_block_hash"), ok(OF_THE_CALL)),
    Case(
        "extended blocks: Bitcoin's side, and costs", get("/extended/v2/blocks/$call_height"), ok(OF_BITCOIN_AND_COSTS)
    ),
    Case(
        "extended blocks: newest", get("/extended/v2/blocks?limit=2"), ok(page([AtLeast(BLOCK)] * 2, NumberFrom(2), 2))
    ),
    Case(
        "extended blocks: default limit",
        get("/extended/v2/blocks"),
        ok(page(ListOf(AtLeast(BLOCK), 1), NumberFrom(2), 20)),
    ),
    Case("extended blocks: limit of 0", get("/extended/v2/blocks?limit=0"), api_error(400)),
    Case("extended blocks: unknown height", get("/extended/v2/blocks/999999999"), api_error(404)),
    Case("extended blocks: unknown hash", get(f"/extended/v2/blocks/0x{NOBODY}"), api_error(404)),
    Case("extended blocks: neither height nor hash", get("/extended/v2/blocks/hello"), api_error(400)),
    Case(
        "extended blocks: transactions",
        get("/extended/v2/blocks/$call_height/transactions"),
        ok(
            page(
                Including(AtLeast({"tx_id": "0x$call_txid", "tx_status": "success", "tx_result": OK_TRUE})),
                NumberFrom(1),
                20,
            )
        ),
    ),
    Case(
        "extended blocks: transactions of an unknown one",
        get("/extended/v2/blocks/999999999/transactions"),
        api_error(404),
    ),
    Case("extended: nothing there", get("/extended/v1/nothing"), api_error(404)),
)

CASES = (*CONTRACTS, *BLOCKS)
