"""Version 3 of the API: /extended/v3. Errors are JSON."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Answer, Case, api_error, get, ok
from tests.conformance.cases.chain import COST
from tests.conformance.cases.extended_transactions import NOBODY, NOTED, OK_TRUE
from tests.conformance.shapes import NUMERAL, PREFIXED_HASH, AtLeast, Including, Nullable, NumberFrom, Text

COUNT = NumberFrom(0)
IN_A_BLOCK = {
    "block": {
        "height": NumberFrom(1),
        "hash": PREFIXED_HASH,
        "index_hash": PREFIXED_HASH,
        "time": NumberFrom(1),
        "tx_index": COUNT,
    },
    "bitcoin_block": AtLeast({"height": NumberFrom(1), "time": NumberFrom(1)}),
    "parent_block": {"hash": PREFIXED_HASH, "index_hash": PREFIXED_HASH},
    "execution_cost": COST,
    "event_count": 0,
    "vm_error": None,
}


def transaction(name: str, kind: str, sender: str, status: str, **more: Any) -> Answer:
    common = {
        "tx_id": f"0x${name}_txid",
        "type": kind,
        "sender": {"address": f"${sender}", "nonce": 0},
        "sponsor": None,
        "fee_rate": "$fee",
        "status": status,
    }
    return ok(AtLeast(common | IN_A_BLOCK | more))


def called(function: str) -> dict[str, Any]:
    return {"contract_id": "$contract", "function_name": function}


def page(*results: Any) -> Answer:
    cursor = {"next": None, "previous": None, "current": Nullable(str)}
    return ok(AtLeast({"total": len(results), "limit": NumberFrom(1), "cursor": cursor, "results": list(results)}))


def nonces(confirmed: int | None, following: int, last: int | None = None) -> Answer:
    mempool: dict[str, Any] = {"last_nonce": last, "pending_nonces": [], "missing_nonces": []}
    return ok({"next_nonce": following, "last_confirmed_nonce": confirmed, "mempool": mempool})


def stx(balance: str) -> Answer:
    return ok({"balance": balance, "available": balance, "locked": None, "mempool": None})


def concerning(involvement: str, stx_moved: tuple[str, str, str], **transaction: Any) -> Any:
    """Return one of a principal's transactions that moved only STX."""
    sent, received, net = stx_moved
    return AtLeast(
        {
            "transaction": AtLeast({"status": "success", "block": IN_A_BLOCK["block"], **transaction}),
            "involvement": involvement,
            "balance_changes": {"stx": {"sent": sent, "received": received, "net": net}},
            "affected_balances": {"stx": True, "ft": False, "nft": False},
        }
    )


CURSOR = Text("[0-9]+:[0-9]+:[0-9]+")
SUMMARY = AtLeast(
    {
        "tx_id": PREFIXED_HASH,
        "type": str,
        "sender": {"address": str, "nonce": COUNT},
        "fee_rate": NUMERAL,
        "status": str,
        "block": IN_A_BLOCK["block"],
        "bitcoin_block": IN_A_BLOCK["bitcoin_block"],
    }
)
TRANSACTIONS = "/extended/v3/transactions"
PRINCIPALS = "/extended/v3/principals"
NO_MEMO = {"hex": "0x" + "00" * 34, "repr": ""}
CASES = (
    Case(
        "extended v3 tx: success",
        get(f"{TRANSACTIONS}/0x$call_txid"),
        transaction("call", "contract_call", "caller", "success", contract_call=called("note"), event_count=1),
    ),
    Case(
        "extended v3 tx: with arguments and result",
        get(f"{TRANSACTIONS}/0x$call_txid?include=function_args,result"),
        transaction(
            "call",
            "contract_call",
            "caller",
            "success",
            contract_call={
                **called("note"),
                "function_args": [AtLeast({"repr": "u2"}), AtLeast({"repr": '"second"'})],
            },
            event_count=1,
            result=OK_TRUE,
        ),
    ),
    Case(
        "extended v3 tx: transfer",
        get(f"{TRANSACTIONS}/0x$transfer_txid"),
        transaction(
            "transfer",
            "token_transfer",
            "transferrer",
            "success",
            token_transfer={"recipient": "$payee", "amount": "5", "memo": Nullable(NO_MEMO)},
            event_count=1,
        ),
    ),
    Case(
        "extended v3 tx: publication with its source",
        get(f"{TRANSACTIONS}/0x$publish_txid?include=source_code"),
        transaction(
            "publish",
            "smart_contract",
            "publisher",
            "success",
            smart_contract={"contract_id": "$contract", "clarity_version": 3, "source_code": "$source"},
            event_count=1,
        ),
    ),
    Case(
        "extended v3 tx: abort_by_response",
        get(f"{TRANSACTIONS}/0x$refuse_txid"),
        transaction("refuse", "contract_call", "refused", "abort_by_response"),
    ),
    Case(
        "extended v3 tx: abort_by_response of a runtime error",
        get(f"{TRANSACTIONS}/0x$fail_txid"),
        transaction("fail", "contract_call", "failed", "abort_by_response", vm_error=Text("(?s)DivisionByZero.*")),
    ),
    Case(
        "extended v3 tx: abort_by_post_condition",
        get(f"{TRANSACTIONS}/0x$uncovered_txid?include=post_conditions"),
        transaction(
            "uncovered",
            "contract_call",
            "uncovered",
            "abort_by_post_condition",
            vm_error=Nullable(Text("Post-condition check failure.*")),
            post_condition_mode="deny",
            post_conditions=[],
        ),
    ),
    Case(
        "extended v3 tx: sponsored",
        get(f"{TRANSACTIONS}/0x$sponsor_txid"),
        transaction("sponsor", "contract_call", "sponsored", "success", sponsor={"address": "$sponsor", "nonce": 0}),
    ),
    Case(
        "extended v3 tx: pending",
        get(f"{TRANSACTIONS}/0x$pending_txid"),
        ok(
            AtLeast(
                {
                    "tx_id": "0x$pending_txid",
                    "type": "token_transfer",
                    "sender": {"address": "$waiting", "nonce": 1},
                    "sponsor": None,
                    "fee_rate": "$fee",
                    "status": "pending",
                    "receipt_time": NumberFrom(1),
                    "replaced_by_tx_id": None,
                }
            )
        ),
    ),
    Case("extended v3 tx: unknown", get(f"{TRANSACTIONS}/0x{NOBODY}"), api_error(404)),
    Case("extended v3 tx: id that is none", get(f"{TRANSACTIONS}/0x12"), api_error(400)),
    Case("extended v3 tx: unknown field", get(f"{TRANSACTIONS}/0x$call_txid?include=everything"), api_error(400)),
    Case(
        "extended v3 events: of a print",
        get(f"{TRANSACTIONS}/0x$call_txid/events"),
        page({"event_index": 0, "type": "contract_log", "contract_log": NOTED}),
    ),
    Case(
        "extended v3 events: of a transfer",
        get(f"{TRANSACTIONS}/0x$transfer_txid/events"),
        page(
            {
                "event_index": 0,
                "type": "stx_asset",
                "stx_asset": {
                    "type": "transfer",
                    "sender": "$transferrer",
                    "recipient": "$payee",
                    "amount": "5",
                    "memo": Nullable(NO_MEMO),
                },
            }
        ),
    ),
    Case("extended v3 events: none", get(f"{TRANSACTIONS}/0x$refuse_txid/events"), page()),
    Case(
        "extended v3 txs: newest first",
        get(f"{TRANSACTIONS}?limit=2"),
        ok(
            {
                "total": NumberFrom(2),
                "limit": 2,
                "cursor": {"next": CURSOR, "previous": None, "current": CURSOR},
                "results": [SUMMARY, SUMMARY],
            }
        ),
    ),
    Case("extended v3 txs: limit that is too large", get(f"{TRANSACTIONS}?limit=51"), api_error(400)),
    Case(
        "extended v3 principal txs: who sent and received",
        get(f"{PRINCIPALS}/$caller/transactions"),
        page(
            concerning(
                "sender",
                ("$fee", "0", "-$fee"),
                tx_id="0x$call_txid",
                type="contract_call",
                contract_call=called("note"),
                sender={"address": "$caller", "nonce": 0},
            ),
            concerning("affected", ("0", "$funds", "$funds"), type="token_transfer"),
        ),
    ),
    Case(
        "extended v3 principal txs: who paid for another one",
        get(f"{PRINCIPALS}/$sponsor/transactions?limit=1"),
        ok(
            AtLeast(
                {
                    "total": 2,
                    "results": [
                        concerning(
                            "sponsor",
                            ("$fee", "0", "-$fee"),
                            tx_id="0x$sponsor_txid",
                            sponsor={"address": "$sponsor", "nonce": 0},
                        )
                    ],
                }
            )
        ),
    ),
    Case(
        "extended v3 principal txs: tokens",
        get(f"{PRINCIPALS}/$minter/transactions?limit=1"),
        ok(AtLeast({"results": [AtLeast({"affected_balances": {"stx": True, "ft": True, "nft": True}})], "total": 2})),
    ),
    Case("extended v3 principal txs: of nobody", get(f"{PRINCIPALS}/$stranger/transactions"), page()),
    Case("extended v3 principal txs: no address", get(f"{PRINCIPALS}/hello/transactions"), api_error(400)),
    Case(
        "extended v3 mempool: what waits",
        get("/extended/v3/mempool/transactions?limit=50"),
        ok(
            AtLeast(
                {
                    "total": NumberFrom(1),
                    "results": Including(
                        AtLeast(
                            {
                                "tx_id": "0x$pending_txid",
                                "type": "token_transfer",
                                "sender": {"address": "$waiting", "nonce": 1},
                                "status": "pending",
                                "receipt_time": NumberFrom(1),
                                "receipt_block_height": NumberFrom(0),
                                "token_transfer": AtLeast({"recipient": "$payee"}),
                            }
                        )
                    ),
                }
            )
        ),
    ),
    Case("extended v3 nonces: none yet", get(f"{PRINCIPALS}/$newcomer/nonces"), nonces(None, 0)),
    Case("extended v3 nonces: after a call", get(f"{PRINCIPALS}/$caller/nonces"), nonces(0, 1)),
    Case("extended v3 nonces: no address", get(f"{PRINCIPALS}/hello/nonces"), api_error(400)),
    Case("extended v3 stx: funded", get(f"{PRINCIPALS}/$newcomer/balances/stx"), stx("$funds")),
    Case("extended v3 stx: after a call", get(f"{PRINCIPALS}/$caller/balances/stx"), stx("$left_after_a_fee")),
    Case("extended v3 stx: unknown account", get(f"{PRINCIPALS}/$stranger/balances/stx"), stx("0")),
    Case(
        "extended v3 ft: minted",
        get(f"{PRINCIPALS}/$minter/balances/ft"),
        page({"asset_identifier": "$contract::watt", "balance": "5"}),
    ),
    Case("extended v3 ft: none", get(f"{PRINCIPALS}/$newcomer/balances/ft"), page()),
    Case(
        "extended v3 nft: minted",
        get(f"{PRINCIPALS}/$minter/balances/nft"),
        page(
            {
                "asset_identifier": "$contract::plant",
                "value": {"hex": "0x0100000000000000000000000000000005", "repr": "u5"},
            }
        ),
    ),
    Case("extended v3 nft: none", get(f"{PRINCIPALS}/$newcomer/balances/nft"), page()),
    Case("extended v3 balances: no address", get(f"{PRINCIPALS}/hello/balances/stx"), api_error(400)),
)
