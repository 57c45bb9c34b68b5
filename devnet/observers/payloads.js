/** The bodies that a node posts to event observers (stacks-core, docs/event-dispatcher.md). */
import { serdeText } from "../clarity/serde-text.js";
import { typeOf } from "../clarity/types.js";
import { DecodeError, decodeValue } from "../clarity/value.js";
import { consensusHash } from "../wire/block.js";
import { burnBlockHash, totalCost } from "../http/present.js";
import { wantsEvent } from "./settings.js";

/** @typedef {import("../chain/chain.js").Chain} Chain */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */
/** @typedef {import("../chain/ledger.js").ChainEvent} ChainEvent */
/** @typedef {import("../chain/feed.js").Notes} Notes */

const NO_HASH = `0x${"0".repeat(64)}`;
const NO_COST = { read_count: 0, read_length: 0, runtime: 0, write_count: 0, write_length: 0 };
/** @type {Record<string, string>} */
const DROP_REASONS = { dropped_replace_by_fee: "ReplaceByFee", dropped_too_expensive: "TooExpensive" };

/** @param {import("../wire/transaction.js").Transaction} transaction @returns {string} JSON */
export function mempoolPayload({ raw }) {
  return JSON.stringify([`0x${raw.toString("hex")}`]);
}

/** @param {Notes["dropped"][0]} dropped @returns {string} JSON */
export function droppedPayload({ transaction, status, replacedBy }) {
  return JSON.stringify({
    dropped_txids: [`0x${transaction.txid}`],
    reason: DROP_REASONS[status] ?? "StaleGarbageCollect",
    new_txid: replacedBy === null ? null : `0x${replacedBy}`,
  });
}

/** @param {number} height @returns {string} JSON; there is no Bitcoin, so nothing is burned or received */
export function burnBlockPayload(height) {
  return JSON.stringify({
    burn_block_hash: `0x${burnBlockHash(height)}`,
    burn_block_height: height,
    reward_recipients: [],
    reward_slot_holders: [],
    burn_amount: 0,
    consensus_hash: `0x${consensusHash(height).toString("hex")}`,
    parent_burn_block_hash: `0x${burnBlockHash(height - 1)}`,
  });
}

/**
 * @param {Notes["block"][0]} noted
 * @param {Chain} chain
 * @param {import("./settings.js").Observer} observer
 * @returns {string} JSON, with the events that the observer asked for
 */
export function blockPayload({ block, parent, mined }, chain, observer) {
  const parentBurnHeight = parent?.burnHeight ?? block.burnHeight;
  const head = {
    block_hash: `0x${block.hash}`,
    block_height: block.height,
    block_time: block.time,
    burn_block_hash: `0x${burnBlockHash(block.burnHeight)}`,
    burn_block_height: block.burnHeight,
    burn_block_time: block.time,
    miner_txid: NO_HASH,
    index_block_hash: `0x${block.indexHash}`,
    parent_block_hash: parent ? `0x${parent.hash}` : NO_HASH,
    parent_index_block_hash: parent ? `0x${parent.indexHash}` : NO_HASH,
    parent_microblock: NO_HASH,
    parent_microblock_sequence: 0,
    matured_miner_rewards: [],
    transactions: mined.map((one) => transactionJson(one, chain)),
    parent_burn_block_hash: `0x${burnBlockHash(parentBurnHeight)}`,
    parent_burn_block_height: parentBurnHeight,
    parent_burn_block_timestamp: parent?.time ?? block.time,
    anchored_cost: totalCost(mined),
    confirmed_microblocks_cost: NO_COST,
    pox_v1_unlock_height: 0,
    pox_v2_unlock_height: 0,
    pox_v3_unlock_height: 0,
    pox_v4_unlock_height: 0,
    signer_bitvec: null,
    reward_set: null,
    cycle_number: null,
    tenure_height: block.burnHeight,
    consensus_hash: `0x${consensusHash(block.burnHeight).toString("hex")}`,
    signer_signature_hash: `0x${block.hash}`,
    miner_signature: `0x${"0".repeat(130)}`,
    signer_signature: [],
  };
  return `${JSON.stringify(head).slice(0, -1)},"events":[${eventTexts(mined, observer).join()}]}`;
}

/** @param {MinedTransaction} mined @param {Chain} chain */
function transactionJson({ transaction, outcome, indexInBlock }, chain) {
  const { payload, origin } = transaction;
  const published = payload.type === "smart_contract" && outcome.status === "success";
  return {
    txid: `0x${transaction.txid}`,
    tx_index: indexInBlock,
    status: outcome.status,
    raw_result: outcome.result,
    raw_tx: `0x${transaction.raw.toString("hex")}`,
    contract_interface: published ? (chain.history.contracts.get(`${origin.address}.${payload.name}`)?.abi ?? null) : null,
    burnchain_op: null,
    execution_cost: outcome.cost,
    microblock_sequence: null,
    microblock_hash: null,
    microblock_parent_hash: null,
    vm_error: outcome.vmError,
  };
}

/** @param {MinedTransaction[]} mined @param {import("./settings.js").Observer} observer @returns {string[]} JSON */
function eventTexts(mined, observer) {
  const all = mined.flatMap(({ transaction: { txid }, outcome: { events, undoneEvents = [] } }) => [
    ...events.map((event) => ({ txid, event, committed: true })),
    ...undoneEvents.map((event) => ({ txid, event, committed: false })),
  ]);
  return all.flatMap((one, index) => (wantsEvent(observer, one.event) ? [eventText(one, index)] : []));
}

/** @param {{txid: string, event: ChainEvent, committed: boolean}} happened @param {number} index within its block @returns {string} JSON */
function eventText({ txid, event, committed }, index) {
  const type = event.kind === "print" ? "contract_event" : `${event.kind}_event`;
  const head = JSON.stringify({ txid: `0x${txid}`, event_index: index, committed, type });
  return `${head.slice(0, -1)},"${type}":${detailText(event)}}`;
}

/** @param {ChainEvent} event @returns {string} JSON */
function detailText(event) {
  if (event.kind === "print") {
    return withValue({ contract_identifier: event.contractId, topic: event.topic }, event.valueHex);
  }
  const parties = {
    ...(event.sender ? { sender: event.sender } : {}),
    ...(event.recipient ? { recipient: event.recipient } : {}),
  };
  if ("valueHex" in event) return withValue({ asset_identifier: event.asset, ...parties }, event.valueHex);
  const amount = String(event.amount);
  if ("asset" in event) return JSON.stringify({ asset_identifier: event.asset, ...parties, amount });
  return JSON.stringify({ ...parties, amount, ...(event.kind === "stx_transfer" ? { memo: event.memo } : {}) });
}

/** @param {object} head @param {string} valueHex */
function withValue(head, valueHex) {
  const text = JSON.stringify({ ...head, raw_value: `0x${valueHex}` });
  return `${text.slice(0, -1)},"value":${serdeOf(valueHex)}}`;
}

/** @param {string} hex @returns {string} JSON; null for a value that is nested too deeply to be read without its type */
function serdeOf(hex) {
  try {
    const value = decodeValue(Buffer.from(hex, "hex"));
    return typeOf(value) ? serdeText(value) : "null";
  } catch (error) {
    if (error instanceof DecodeError) return "null";
    throw error;
  }
}
