/** The node's information about itself and proof of transfer (GET /v2/info, /v2/pox). */
import { publicKey } from "../project/wallet.js";
import { consensusHash } from "../wire/block.js";
import { hash160 } from "../wire/hash.js";
import { TESTNET_CHAIN_ID } from "../wire/transaction.js";
import { BOOT_ADDRESS } from "../vm/boot.js";

/** @typedef {import("../chain/chain.js").Chain} Chain */

const TESTNET_PEER_VERSION = 4207599116;
const REGTEST_NETWORK_ID = 3669344250;
const REWARD_CYCLE_LENGTH = 1050;
const PREPARE_LENGTH = 50;
/** The VM's limits for a block. */
const BLOCK_LIMIT = { read_count: 15_000, read_length: 100_000_000, runtime: 5_000_000_000, write_count: 15_000, write_length: 15_000_000 };
/** Nodes identify themselves to each other with this key. The devnet has no peers, so it belongs to a private key of ones. */
const NODE_KEY = publicKey(Buffer.alloc(32, 1));
const NODE_KEY_HASH = hash160(NODE_KEY).toString("hex");
const NO_ANCHOR = { anchor_block_hash: "0".repeat(64), anchor_block_txid: "0".repeat(64) };
const UNREACHED_HEIGHT = 2 ** 63;

/** @param {Chain} chain */
export function chainInfo({ tip }) {
  const consensus = consensusHash(tip.burnHeight).toString("hex");
  return {
    peer_version: TESTNET_PEER_VERSION,
    pox_consensus: consensus,
    burn_block_height: tip.burnHeight,
    stable_pox_consensus: consensus,
    stable_burn_block_height: Math.max(0, tip.burnHeight - 1),
    server_version: "der-client devnet (Clarinet VM 3.21.0)",
    network_id: TESTNET_CHAIN_ID,
    parent_network_id: REGTEST_NETWORK_ID,
    stacks_tip_height: tip.height,
    stacks_tip: tip.hash,
    stacks_tip_consensus_hash: consensus,
    genesis_chainstate_hash: "0".repeat(64),
    unanchored_tip: null,
    unanchored_seq: null,
    tenure_height: tip.burnHeight,
    exit_at_block_height: null,
    is_fully_synced: true,
    node_public_key: NODE_KEY.toString("hex"),
    node_public_key_hash: NODE_KEY_HASH,
    last_pox_anchor: NO_ANCHOR,
    stackerdbs: [],
  };
}

/** @param {Chain} chain */
export function poxInfo({ tip, ledger }) {
  const height = tip.burnHeight;
  const cycle = Math.floor(height / REWARD_CYCLE_LENGTH);
  const nextCycleStart = (cycle + 1) * REWARD_CYCLE_LENGTH;
  const supply = Number([...ledger.stx.values()].reduce((sum, amount) => sum + amount, 0n));
  const contract = `${BOOT_ADDRESS}.pox-5`;
  return {
    contract_id: contract,
    current_epoch: "Epoch40",
    pox_activation_threshold_ustx: 0,
    first_burnchain_block_height: 0,
    current_burnchain_block_height: height,
    prepare_phase_block_length: PREPARE_LENGTH,
    reward_phase_block_length: REWARD_CYCLE_LENGTH - PREPARE_LENGTH,
    reward_slots: 2 * (REWARD_CYCLE_LENGTH - PREPARE_LENGTH),
    rejection_fraction: null,
    total_liquid_supply_ustx: supply,
    current_cycle: { id: cycle, min_threshold_ustx: 0, stacked_ustx: 0, is_pox_active: false },
    next_cycle: {
      id: cycle + 1,
      min_threshold_ustx: 0,
      min_increment_ustx: 0,
      stacked_ustx: 0,
      prepare_phase_start_block_height: nextCycleStart - PREPARE_LENGTH,
      blocks_until_prepare_phase: nextCycleStart - PREPARE_LENGTH - height,
      reward_phase_start_block_height: nextCycleStart,
      blocks_until_reward_phase: nextCycleStart - height,
      ustx_until_pox_rejection: null,
    },
    min_amount_ustx: 0,
    prepare_cycle_length: PREPARE_LENGTH,
    reward_cycle_id: cycle,
    reward_cycle_length: REWARD_CYCLE_LENGTH,
    rejection_votes_left_required: null,
    next_reward_cycle_in: nextCycleStart - height,
    contract_versions: [{ contract_id: contract, activation_burnchain_block_height: 0, first_reward_cycle_id: 0 }],
    epochs: [{ epoch_id: "Epoch40", start_height: 0, end_height: UNREACHED_HEIGHT, block_limit: BLOCK_LIMIT, network_epoch: 15 }],
    pox_5_sbtc_contract: null,
    pox_5_sbtc_registry_contract: null,
  };
}
