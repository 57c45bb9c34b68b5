"""The API's transactions: /extended/v1/tx, in every status."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Answer, Case, api_error, get, ok
from tests.conformance.shapes import (
    ISO_TIME,
    PREFIXED_HASH,
    AtLeast,
    Nullable,
    NumberFrom,
    Text,
)

NOBODY = "0" * 64
COUNT = NumberFrom(0)
SENT = {
    "sponsored": False,
    "fee_rate": "$fee",
    "post_condition_mode": "deny",
    "post_conditions": [],
    "anchor_mode": "any",
}
IN_A_BLOCK = {
    "nonce": 0,
    "canonical": True,
    "is_unanchored": False,
    "tx_index": COUNT,
    "block_hash": PREFIXED_HASH,
    "block_height": NumberFrom(1),
    "block_time": NumberFrom(1),
    "block_time_iso": ISO_TIME,
    "burn_block_height": NumberFrom(1),
    "burn_block_time": NumberFrom(1),
    "burn_block_time_iso": ISO_TIME,
    "execution_cost_read_count": COUNT,
    "execution_cost_read_length": COUNT,
    "execution_cost_runtime": COUNT,
    "execution_cost_write_count": COUNT,
    "execution_cost_write_length": COUNT,
}
OF_ITS_PARENT = AtLeast(
    {
        "parent_block_hash": PREFIXED_HASH,
        "parent_burn_block_time": NumberFrom(1),
        "parent_burn_block_time_iso": ISO_TIME,
    }
)
OF_MICROBLOCKS = AtLeast({"microblock_hash": str, "microblock_sequence": 0x7FFFFFFF, "microblock_canonical": True})
OK_TRUE = {"hex": "0x0703", "repr": "(ok true)"}
REFUSED = {"hex": "0x08010000000000000000000000000000004d", "repr": "(err u77)"}


def transaction(name: str, kind: str, sender: str, status: str, result: Any, **more: Any) -> Answer:
    """Return a transaction in a block, with all fields that the API has for every transaction."""
    common = {
        "tx_id": f"0x${name}_txid",
        "tx_type": kind,
        "sender_address": f"${sender}",
        "tx_status": status,
        "tx_result": result,
        "vm_error": None,
        "event_count": 0,
        "events": [],
    }
    return ok(AtLeast(SENT | IN_A_BLOCK | common | more))


def called(function: str, signature: str, *arguments: tuple[str, str, str, str]) -> dict[str, Any]:
    args = [dict(zip(("name", "type", "repr", "hex"), argument, strict=True)) for argument in arguments]
    return {
        "contract_id": "$contract",
        "function_name": function,
        "function_signature": signature,
        "function_args": args,
    }


NOTED = {
    "contract_id": "$contract",
    "topic": "print",
    "value": {
        "hex": "0x0c000000020269640100000000000000000000000000000002" + "05746f706963" + "0d000000056e6f746564",
        "repr": '(tuple (id u2) (topic "noted"))',
    },
}
LOG = AtLeast({"event_index": 0, "event_type": "smart_contract_log", "tx_id": "0x$call_txid", "contract_log": NOTED})
NOTE_ARGUMENTS = (
    ("id", "uint", "u2", "0x0100000000000000000000000000000002"),
    ("text", "(string-ascii 20)", '"second"', "0x0d000000067365636f6e64"),
)

CASES = (
    Case(
        "extended tx: transfer",
        get("/extended/v1/tx/0x$transfer_txid"),
        transaction(
            "transfer",
            "token_transfer",
            "transferrer",
            "success",
            OK_TRUE,
            token_transfer={"recipient_address": "$payee", "amount": "5", "memo": "0x" + "00" * 34},
            event_count=1,
            events=[
                {
                    "event_index": 0,
                    "event_type": "stx_asset",
                    "tx_id": "0x$transfer_txid",
                    "asset": {
                        "asset_event_type": "transfer",
                        "sender": "$transferrer",
                        "recipient": "$payee",
                        "amount": "5",
                        "memo": "0x" + "00" * 34,
                    },
                }
            ],
        ),
    ),
    Case(
        "extended tx: publication",
        get("/extended/v1/tx/0x$publish_txid"),
        transaction(
            "publish",
            "smart_contract",
            "publisher",
            "success",
            OK_TRUE,
            smart_contract={"contract_id": "$contract", "clarity_version": 3, "source_code": "$source"},
            post_condition_mode="allow",
            event_count=1,
            events=[AtLeast({"event_type": "smart_contract_log"})],
        ),
    ),
    Case(
        "extended tx: success",
        get("/extended/v1/tx/0x$call_txid"),
        transaction(
            "call",
            "contract_call",
            "caller",
            "success",
            OK_TRUE,
            contract_call=AtLeast(
                called("note", "(define-public (note (id uint) (text (string-ascii 20))))", *NOTE_ARGUMENTS)
            ),
            event_count=1,
            events=[LOG],
        ),
    ),
    Case("extended tx: id without 0x", get("/extended/v1/tx/$call_txid"), ok(AtLeast({"tx_id": "0x$call_txid"}))),
    Case("extended tx: of its parent block", get("/extended/v1/tx/0x$call_txid"), ok(OF_ITS_PARENT)),
    Case("extended tx: no microblock", get("/extended/v1/tx/0x$call_txid"), ok(OF_MICROBLOCKS)),
    Case(
        "extended tx: abort_by_response",
        get("/extended/v1/tx/0x$refuse_txid"),
        transaction(
            "refuse",
            "contract_call",
            "refused",
            "abort_by_response",
            REFUSED,
        ),
    ),
    Case(
        "extended tx: abort_by_response of a runtime error",
        get("/extended/v1/tx/0x$fail_txid"),
        transaction(
            "fail",
            "contract_call",
            "failed",
            "abort_by_response",
            {"hex": "0x0809", "repr": "(err none)"},
            vm_error=Text("(?s)DivisionByZero.*"),
        ),
    ),
    Case(
        "extended tx: abort_by_post_condition",
        get("/extended/v1/tx/0x$uncovered_txid"),
        transaction(
            "uncovered",
            "contract_call",
            "uncovered",
            "abort_by_post_condition",
            OK_TRUE,
            vm_error=Nullable(Text("Post-condition check failure.*")),
        ),
    ),
    Case(
        "extended tx: abort_by_post_condition of a call that was refused",
        get("/extended/v1/tx/0x$unsent_txid"),
        transaction(
            "unsent",
            "contract_call",
            "unsent",
            "abort_by_post_condition",
            REFUSED,
            post_conditions=[
                {
                    "type": "stx",
                    "condition_code": "sent_equal_to",
                    "amount": "100",
                    "principal": {"type_id": "principal_origin"},
                }
            ],
            vm_error=Nullable(Text("Post-condition check failure.*")),
        ),
    ),
    Case(
        "extended tx: sponsored",
        get("/extended/v1/tx/0x$sponsor_txid"),
        transaction(
            "sponsor",
            "contract_call",
            "sponsored",
            "success",
            {"hex": "0x070100000000000000000000000000000007", "repr": "(ok u7)"},
            sponsored=True,
            sponsor_address="$sponsor",
            sponsor_nonce=0,
        ),
    ),
    Case(
        "extended tx: tokens",
        get("/extended/v1/tx/0x$mint_txid"),
        transaction(
            "mint",
            "contract_call",
            "minter",
            "success",
            OK_TRUE,
            event_count=2,
            events=[
                {
                    "event_index": 0,
                    "event_type": "fungible_token_asset",
                    "tx_id": "0x$mint_txid",
                    "asset": {
                        "asset_event_type": "mint",
                        "asset_id": "$contract::watt",
                        "sender": "",
                        "recipient": "$minter",
                        "amount": "5",
                    },
                },
                {
                    "event_index": 1,
                    "event_type": "non_fungible_token_asset",
                    "tx_id": "0x$mint_txid",
                    "asset": {
                        "asset_event_type": "mint",
                        "asset_id": "$contract::plant",
                        "sender": "",
                        "recipient": "$minter",
                        "value": {"hex": "0x0100000000000000000000000000000005", "repr": "u5"},
                    },
                },
            ],
        ),
    ),
    Case(
        "extended tx: pending",
        get("/extended/v1/tx/0x$pending_txid"),
        ok(
            AtLeast(
                SENT
                | {
                    "tx_id": "0x$pending_txid",
                    "tx_type": "token_transfer",
                    "tx_status": "pending",
                    "nonce": 1,
                    "sender_address": "$waiting",
                    "receipt_time": NumberFrom(1),
                    "receipt_time_iso": ISO_TIME,
                    "token_transfer": {"recipient_address": "$payee", "amount": "1", "memo": "0x" + "00" * 34},
                }
            )
        ),
    ),
    Case("extended tx: raw", get("/extended/v1/tx/0x$call_txid/raw"), ok({"raw_tx": "0x$call_raw"})),
    Case("extended tx: raw, pending", get("/extended/v1/tx/0x$pending_txid/raw"), ok({"raw_tx": "0x$pending_raw"})),
    Case(
        "extended tx: unknown", get(f"/extended/v1/tx/0x{NOBODY}"), api_error(404, "could not find transaction by ID")
    ),
    Case(
        "extended tx: raw of an unknown",
        get(f"/extended/v1/tx/0x{NOBODY}/raw"),
        api_error(404, "could not find raw transaction by ID"),
    ),
    Case("extended tx: slash at the end", get("/extended/v1/tx/0x$call_txid/"), ok(AtLeast({"tx_id": "0x$call_txid"}))),
    Case("extended tx: id that is none", get("/extended/v1/tx/0x12"), api_error(400)),
)
