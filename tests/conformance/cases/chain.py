"""GET /v2/info, /v2/pox, /v3/health and the endpoints for fees."""

from __future__ import annotations

from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer
from tests.conformance.case import JSON, PLAIN, Answer, Case, get, ok, post, post_raw, text
from tests.conformance.shapes import HASH, SHORT_HASH, AtLeast, ListOf, Nullable, NumberFrom, Text

BOOT = "ST000000000000000000002AMW42H"
COUNT = NumberFrom(0)

INFO = AtLeast(
    {
        "peer_version": int,
        "pox_consensus": SHORT_HASH,
        "burn_block_height": NumberFrom(1),
        "stable_pox_consensus": SHORT_HASH,
        "stable_burn_block_height": COUNT,
        "server_version": str,
        "network_id": 0x80000000,
        "parent_network_id": int,
        "stacks_tip_height": NumberFrom(1),
        "stacks_tip": HASH,
        "stacks_tip_consensus_hash": SHORT_HASH,
        "genesis_chainstate_hash": HASH,
        "unanchored_tip": Nullable(HASH),
        "unanchored_seq": Nullable(int),
        "tenure_height": COUNT,
        "exit_at_block_height": Nullable(int),
        "is_fully_synced": bool,
        "node_public_key": Text("0[23][0-9a-f]{64}"),
        "node_public_key_hash": SHORT_HASH,
        "last_pox_anchor": {"anchor_block_hash": HASH, "anchor_block_txid": HASH},
        "stackerdbs": Nullable(ListOf(str)),
    }
)
COST = {"read_count": COUNT, "read_length": COUNT, "runtime": COUNT, "write_count": COUNT, "write_length": COUNT}
POX = AtLeast(
    {
        "contract_id": Text(BOOT + r"\.pox(-\d)?"),
        "current_epoch": Text(r"Epoch\d\d"),
        "pox_activation_threshold_ustx": COUNT,
        "first_burnchain_block_height": COUNT,
        "current_burnchain_block_height": NumberFrom(1),
        "prepare_phase_block_length": COUNT,
        "reward_phase_block_length": COUNT,
        "reward_slots": COUNT,
        "rejection_fraction": Nullable(int),
        "total_liquid_supply_ustx": NumberFrom(1),
        "current_cycle": AtLeast(
            {"id": COUNT, "min_threshold_ustx": COUNT, "stacked_ustx": COUNT, "is_pox_active": bool}
        ),
        "next_cycle": AtLeast(
            {
                "id": COUNT,
                "min_threshold_ustx": COUNT,
                "min_increment_ustx": COUNT,
                "stacked_ustx": COUNT,
                "prepare_phase_start_block_height": COUNT,
                "blocks_until_prepare_phase": int,
                "reward_phase_start_block_height": COUNT,
                "blocks_until_reward_phase": COUNT,
                "ustx_until_pox_rejection": Nullable(int),
            }
        ),
        "min_amount_ustx": COUNT,
        "prepare_cycle_length": COUNT,
        "reward_cycle_id": COUNT,
        "reward_cycle_length": COUNT,
        "rejection_votes_left_required": Nullable(int),
        "next_reward_cycle_in": COUNT,
        "contract_versions": ListOf(
            {
                "contract_id": Text(BOOT + r"\.pox(-\d)?"),
                "activation_burnchain_block_height": COUNT,
                "first_reward_cycle_id": COUNT,
            },
            minimum=1,
        ),
        "epochs": ListOf(
            AtLeast(
                {
                    "epoch_id": Text(r"Epoch\d\d"),
                    "start_height": COUNT,
                    "end_height": COUNT,
                    "block_limit": COST,
                    "network_epoch": COUNT,
                }
            ),
            minimum=1,
        ),
    }
)
HEALTH = {
    "difference_from_max_peer": COUNT,
    "max_stacks_height_of_neighbors": COUNT,
    "max_stacks_neighbor_address": Nullable(str),
    "node_stacks_tip_height": NumberFrom(1),
}

PUBLICATION = ContractPublish("never-published", "(define-public (f) (ok u1))", 3).encode().hex()
TRANSFER = TokenTransfer(PrincipalValue(BOOT), 1).encode().hex()
NEVER_CALLED = ContractCall(f"{BOOT}.pox", "reject-pox", (UIntValue(1),)).encode().hex()
ESTIMATE_FOR_500_BYTES = {
    "estimated_cost": COST,
    "estimated_cost_scalar": COUNT,
    "cost_scalar_change_by_byte": float,
    "estimations": [{"fee": NumberFrom(500), "fee_rate": float}] * 3,
}
# The response of a node that has seen too few transactions, or whose settings disable estimates.
NO_ESTIMATE = Answer(
    400, JSON, AtLeast({"error": str, "reason": Text("NoEstimateAvailable|DatabaseError|CostEstimationDisabled")})
)
NEVER_MINED = Answer(
    400,
    JSON,
    {
        "error": "Estimation could not be performed",
        "reason": "NoEstimateAvailable",
        "reason_data": {"message": str},
    },
)
NO_ESTIMATES = Answer(400, JSON, str)

CASES = (
    Case("info: all fields", get("/v2/info"), ok(INFO)),
    Case("pox: all fields", get("/v2/pox"), ok(POX)),
    Case("pox: latest tip", get("/v2/pox?tip=latest"), ok(POX)),
    Case("pox: malformed tip is ignored", get("/v2/pox?tip=x"), ok(POX)),
    Case("health: all fields", get("/v3/health"), ok(HEALTH)),
    Case("fees: of a transfer", get("/v2/fees/transfer"), ok(NumberFrom(1))),
    Case(
        "fees: estimate for a transfer",
        post("/v2/fees/transaction", {"transaction_payload": TRANSFER, "estimated_len": 500}),
        ok(ESTIMATE_FOR_500_BYTES),
        NO_ESTIMATE,
    ),
    Case(
        "fees: estimate for a call",
        post("/v2/fees/transaction", {"transaction_payload": "$call_payload", "estimated_len": 500}),
        ok(ESTIMATE_FOR_500_BYTES),
        NO_ESTIMATE,
    ),
    Case(
        "fees: estimate for a publication",
        post("/v2/fees/transaction", {"transaction_payload": PUBLICATION, "estimated_len": 500}),
        ok(ESTIMATE_FOR_500_BYTES),
        NO_ESTIMATE,
    ),
    Case(
        "fees: no estimate for what was never called",
        post("/v2/fees/transaction", {"transaction_payload": NEVER_CALLED, "estimated_len": 500}),
        NEVER_MINED,
        NO_ESTIMATES,
    ),
    Case(
        "fees: payload with 0x",
        post("/v2/fees/transaction", {"transaction_payload": "0x" + TRANSFER, "estimated_len": 500}),
        ok(ESTIMATE_FOR_500_BYTES),
        NO_ESTIMATE,
    ),
    Case(
        "fees: more bytes than the payload's",
        post("/v2/fees/transaction", {"transaction_payload": TRANSFER + "00", "estimated_len": 500}),
        ok(ESTIMATE_FOR_500_BYTES),
        NO_ESTIMATE,
    ),
    Case("fees: payload that is no hex", post("/v2/fees/transaction", {"transaction_payload": "zz"}), text(400)),
    Case("fees: payload that is none", post("/v2/fees/transaction", {"transaction_payload": "ff"}), text(400)),
    Case("fees: truncated payload", post("/v2/fees/transaction", {"transaction_payload": TRANSFER[:-2]}), text(400)),
    Case("fees: no payload", post("/v2/fees/transaction", {"estimated_len": 500}), text(400)),
    Case(
        "fees: length that is no number",
        post("/v2/fees/transaction", {"transaction_payload": TRANSFER, "estimated_len": "500"}),
        text(400),
    ),
    Case("fees: malformed JSON", post_raw("/v2/fees/transaction", b"{", JSON), text(400)),
    Case("fees: not as JSON", post_raw("/v2/fees/transaction", TRANSFER.encode(), PLAIN), text(400)),
    Case("paths: nothing there", get("/v2/nothing"), text(404)),
    Case("paths: nothing there either", get("/v4/info"), text(404)),
)
