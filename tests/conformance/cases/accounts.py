"""GET /v2/accounts: a response for every valid address, and never 404 for an unknown one."""

from __future__ import annotations

from tests.conformance.case import Case, get, ok, text
from tests.conformance.shapes import HEX

ZERO = f"0x{0:032x}"
UNKNOWN = {"balance": ZERO, "locked": ZERO, "unlock_height": 0, "nonce": 0}
NEWCOMER = {"balance": "$funds_hex", "locked": ZERO, "unlock_height": 0, "nonce": 0}
CALLER = {**NEWCOMER, "balance": "$left_after_a_fee_hex", "nonce": 1}
UNKNOWN_BLOCK = "ab" * 32

CASES = (
    Case("accounts: unknown", get("/v2/accounts/$stranger?proof=0"), ok(UNKNOWN)),
    Case("accounts: unknown contract", get("/v2/accounts/$stranger.nothing?proof=0"), ok(UNKNOWN)),
    Case("accounts: boot address", get("/v2/accounts/ST000000000000000000002AMW42H?proof=0"), ok(UNKNOWN)),
    Case("accounts: funded", get("/v2/accounts/$newcomer?proof=0"), ok(NEWCOMER)),
    Case("accounts: after a call", get("/v2/accounts/$caller?proof=0"), ok(CALLER)),
    Case("accounts: after a call that was refused", get("/v2/accounts/$refused?proof=0"), ok(CALLER)),
    Case("accounts: after a call that failed", get("/v2/accounts/$failed?proof=0"), ok(CALLER)),
    Case("accounts: after a call that moved too much", get("/v2/accounts/$uncovered?proof=0"), ok(CALLER)),
    Case("accounts: after a call that sent too little", get("/v2/accounts/$unsent?proof=0"), ok(CALLER)),
    Case(
        "accounts: after a call for which another paid",
        get("/v2/accounts/$sponsored?proof=0"),
        ok({**UNKNOWN, "nonce": 1}),
    ),
    Case("accounts: who paid for it", get("/v2/accounts/$sponsor?proof=0"), ok(CALLER)),
    Case("accounts: of a contract", get("/v2/accounts/$contract?proof=0"), ok(UNKNOWN)),
    Case(
        "accounts: empty proofs of what is not there",
        get("/v2/accounts/$stranger"),
        ok({**UNKNOWN, "balance_proof": "", "nonce_proof": ""}),
    ),
    Case(
        "accounts: proofs by default",
        get("/v2/accounts/$caller"),
        ok({**CALLER, "balance_proof": HEX, "nonce_proof": HEX}),
    ),
    Case(
        "accounts: proofs on demand",
        get("/v2/accounts/$caller?proof=1"),
        ok({**CALLER, "balance_proof": HEX, "nonce_proof": HEX}),
    ),
    Case("accounts: latest tip", get("/v2/accounts/$newcomer?proof=0&tip=latest"), ok(NEWCOMER)),
    Case("accounts: malformed tip is ignored", get("/v2/accounts/$newcomer?proof=0&tip=17"), ok(NEWCOMER)),
    Case(
        "accounts: unknown tip",
        get(f"/v2/accounts/$newcomer?proof=0&tip={UNKNOWN_BLOCK}"),
        text(404, f"Chain tip '{UNKNOWN_BLOCK}' not found"),
    ),
    Case("accounts: no proof unless asked for by 1", get("/v2/accounts/$newcomer?proof=true"), ok(NEWCOMER)),
    Case(
        "accounts: wrong checksum",
        get("/v2/accounts/ST000000000000000000002AMW42J"),
        text(400, "Failed to decode: Failed to parse `principal` field"),
    ),
    Case("accounts: too short for an address", get("/v2/accounts/ST000"), text(404)),
    Case("accounts: no address", get("/v2/accounts/hello"), text(404)),
    Case("accounts: address with a dot and no name", get("/v2/accounts/ST000000000000000000002AMW42H."), text(404)),
)
