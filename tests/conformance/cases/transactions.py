"""GET /v3/transaction and /v2/transactions/unconfirmed, and bodies that POST /v2/transactions cannot decode."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import JSON, OCTETS, PLAIN, Answer, Case, get, ok, post, post_raw, text
from tests.conformance.shapes import HASH, NumberFrom

NOBODY = "0" * 64
WITHOUT_INDEX = text(501)
POST = "/v2/transactions"
# The beginning of a signed transaction, with arbitrary bytes where its format allows them.
BEGINNING = bytes.fromhex("8080000000" + "04" + "00" + "11" * 20 + "00" * 16 + "00" + "22" * 65)


def mined(name: str, result: str) -> Answer:
    body: dict[str, Any] = {
        "index_block_hash": HASH,
        "tx": f"${name}_raw",
        "result": result,
        "block_height": NumberFrom(1),
        "is_canonical": True,
    }
    return ok(body)


CASES = (
    Case(
        "node transaction: transfer",
        get("/v3/transaction/$transfer_txid"),
        mined("transfer", "(ok true)"),
        WITHOUT_INDEX,
    ),
    Case(
        "node transaction: publication",
        get("/v3/transaction/$publish_txid"),
        mined("publish", "(ok true)"),
        WITHOUT_INDEX,
    ),
    Case("node transaction: call", get("/v3/transaction/$call_txid"), mined("call", "(ok true)"), WITHOUT_INDEX),
    Case("node transaction: refused", get("/v3/transaction/$refuse_txid"), mined("refuse", "(err u77)"), WITHOUT_INDEX),
    Case("node transaction: failed", get("/v3/transaction/$fail_txid"), mined("fail", "(err none)"), WITHOUT_INDEX),
    # The result is the value that the call would have returned: it looks like a success here.
    Case(
        "node transaction: moved too much",
        get("/v3/transaction/$uncovered_txid"),
        mined("uncovered", "(ok true)"),
        WITHOUT_INDEX,
    ),
    Case(
        "node transaction: refused, and sent too little",
        get("/v3/transaction/$unsent_txid"),
        mined("unsent", "(err u77)"),
        WITHOUT_INDEX,
    ),
    Case(
        "node transaction: sponsored", get("/v3/transaction/$sponsor_txid"), mined("sponsor", "(ok u7)"), WITHOUT_INDEX
    ),
    Case("node transaction: pending", get("/v3/transaction/$pending_txid"), text(404), WITHOUT_INDEX),
    Case(
        "node transaction: unknown",
        get(f"/v3/transaction/{NOBODY}"),
        text(404, f"No such transaction {NOBODY}\n"),
        WITHOUT_INDEX,
    ),
    Case("node transaction: id with 0x", get("/v3/transaction/0x$call_txid"), text(404)),
    Case("node transaction: id that is none", get("/v3/transaction/abc"), text(404)),
    Case(
        "unconfirmed: pending",
        get("/v2/transactions/unconfirmed/$pending_txid"),
        ok({"tx": "$pending_raw", "status": "Mempool"}),
    ),
    # A node keeps mined transactions in its mempool for days.
    Case(
        "unconfirmed: in a block",
        get("/v2/transactions/unconfirmed/$call_txid"),
        ok({"tx": "$call_raw", "status": "Mempool"}),
    ),
    Case(
        "unconfirmed: unknown",
        get(f"/v2/transactions/unconfirmed/{NOBODY}"),
        text(404, f"Transaction {NOBODY} not found in mempool or unconfirmed microblock stream"),
    ),
    Case("unconfirmed: id with 0x", get("/v2/transactions/unconfirmed/0x$pending_txid"), text(404)),
    Case("unconfirmed: id that is none", get("/v2/transactions/unconfirmed/abc"), text(404)),
    Case(
        "submission: empty",
        post_raw(POST, b"", OCTETS),
        text(400, "Failed to decode: Invalid Http request: expected non-zero-length body for PostTransaction"),
    ),
    Case("submission: one byte", post_raw(POST, b"\x80", OCTETS), text(400)),
    Case("submission: cut off", post_raw(POST, BEGINNING, OCTETS), text(400)),
    Case("submission: unknown anchor mode", post_raw(POST, BEGINNING + b"\x09" * 80, OCTETS), text(400)),
    Case(
        "submission: unknown authorization", post_raw(POST, BEGINNING[:5] + b"\x06" + BEGINNING[6:], OCTETS), text(400)
    ),
    Case("submission: unknown hash mode", post_raw(POST, BEGINNING[:6] + b"\x09" + BEGINNING[7:], OCTETS), text(400)),
    Case("submission: over 2 MiB", post_raw(POST, BEGINNING + bytes(3 << 20), OCTETS), text(400)),
    Case("submission: over 16 MiB", post_raw(POST, BEGINNING + bytes(17 << 20), OCTETS), text(400)),
    Case(
        "submission: text",
        post_raw(POST, BEGINNING.hex().encode(), PLAIN),
        text(
            400,
            "Failed to decode: Wrong Content-Type for transaction; "
            "expected application/json or application/octet-stream",
        ),
    ),
    Case(
        "submission: no content type",
        post_raw(POST, BEGINNING, None),
        text(400, "Failed to decode: Missing Content-Type for transaction"),
    ),
    Case("submission: JSON without a transaction", post(POST, {"attachment": "00"}), text(400)),
    Case("submission: JSON with no hex", post(POST, {"tx": "zz"}), text(400)),
    Case(
        "submission: JSON with 0x",
        post(POST, {"tx": "0x$transfer_raw"}),
        text(400, "Failed to decode: Failed to parse tx"),
    ),
    Case("submission: JSON with half of one", post(POST, {"tx": BEGINNING.hex()}), text(400)),
    Case(
        "submission: JSON with an attachment that is no hex",
        post(POST, {"tx": "$transfer_raw", "attachment": "zz"}),
        text(400, "Failed to decode: Failed to parse attachment"),
    ),
    Case(
        "submission: JSON with an attachment with 0x",
        post(POST, {"tx": "$transfer_raw", "attachment": "0x00"}),
        text(400, "Failed to decode: Failed to parse attachment"),
    ),
    Case("submission: malformed JSON", post_raw(POST, b'{"tx": "80', JSON), text(400)),
)
