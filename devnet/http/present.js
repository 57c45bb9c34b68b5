/** Transactions, events and blocks as the Stacks API shows them (stacks-blockchain-api v9, `/extended`). */
import { signatureText } from "../clarity/abi.js";
import { typeText } from "../clarity/type-text.js";
import { decodeValue, valueJson, valueText } from "../clarity/value.js";
import { sha512_256 } from "../wire/hash.js";
import { AMOUNT_CODES, NFT_CODES, POX_CODES } from "../wire/post-conditions.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */
/** @typedef {import("../chain/blocks.js").Block} Block */
/** @typedef {import("../chain/chain.js").Chain} Chain */

const ANCHOR_MODES = { 1: "on_chain_only", 2: "off_chain_only", 3: "any" };
export const MODES = { 1: "allow", 2: "deny", 3: "originator" };
const NO_HASH = "0".repeat(64);
/** Constant fields of every transaction, since microblocks no longer exist. */
const NO_MICROBLOCK = { microblock_hash: "", microblock_sequence: 0x7fffffff, microblock_canonical: true };

/** @param {number} seconds */
function iso(seconds) {
  return new Date(seconds * 1000).toISOString();
}

/** The most events of a transaction in one response, unless the request has another limit. */
export const FIRST_EVENTS = { offset: 0, limit: 96 };
const NO_EVENTS = { offset: 0, limit: 0 };
/** The largest size of the values in a page of events, in bytes: as text, they are four times as large. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/**
 * @template {import("../chain/ledger.js").ChainEvent | {event: import("../chain/ledger.js").ChainEvent}} E
 * @param {E[]} events
 * @param {{offset: number, limit: number}} page
 * @returns {E[]} the events of the page that fit into one response, at least one
 */
export function pageOfEvents(events, { offset, limit }) {
  let bytes = 0;
  const wanted = events.slice(offset, offset + limit);
  const end = wanted.findIndex((item) => {
    const event = "event" in item ? item.event : item;
    bytes += "valueHex" in event ? event.valueHex.length / 2 : 0;
    return bytes > MAX_PAGE_BYTES;
  });
  return end < 0 ? wanted : wanted.slice(0, Math.max(1, end));
}

/** @param {MinedTransaction} mined @param {Chain} chain @returns {object} the transaction as in a list, where the API shows no events */
export function listedTransactionJson(mined, chain) {
  return minedTransactionJson(mined, chain, NO_EVENTS);
}

/** @param {MinedTransaction} mined @param {Chain} chain @param {{offset: number, limit: number}} [eventPage] */
export function minedTransactionJson(mined, chain, eventPage = FIRST_EVENTS) {
  const { transaction, outcome, block, indexInBlock } = mined;
  return {
    ...commonJson(transaction),
    ...payloadJson(transaction, chain),
    tx_status: outcome.status,
    tx_result: valueJson(outcome.result),
    vm_error: outcome.vmError,
    ...failureJson(outcome, chain),
    canonical: true,
    is_unanchored: false,
    tx_index: indexInBlock,
    ...placeJson(block),
    ...parentJson(chain.history.blocks.atHeight(block.height - 1)),
    ...NO_MICROBLOCK,
    event_count: outcome.events.length,
    events: eventsJson(mined, eventPage),
    execution_cost_read_count: outcome.cost.read_count,
    execution_cost_read_length: outcome.cost.read_length,
    execution_cost_runtime: outcome.cost.runtime,
    execution_cost_write_count: outcome.cost.write_count,
    execution_cost_write_length: outcome.cost.write_length,
  };
}

/** @param {Block} block */
function placeJson(block) {
  return {
    block_hash: `0x${block.hash}`,
    index_block_hash: `0x${block.indexHash}`,
    block_height: block.height,
    block_time: block.time,
    block_time_iso: iso(block.time),
    burn_block_height: block.burnHeight,
    burn_block_time: block.time,
    burn_block_time_iso: iso(block.time),
  };
}

/** @param {Block | undefined} parent the parent of the block that contains a transaction */
function parentJson(parent) {
  return {
    parent_block_hash: `0x${parent?.hash ?? NO_HASH}`,
    parent_burn_block_time: parent?.time ?? 0,
    parent_burn_block_time_iso: iso(parent?.time ?? 0),
  };
}

/** @param {Transaction} transaction @param {string} status @param {number} receiptTime @param {Chain} chain */
export function unminedTransactionJson(transaction, status, receiptTime, chain) {
  return {
    ...commonJson(transaction),
    ...payloadJson(transaction, chain),
    tx_status: status,
    receipt_time: receiptTime,
    receipt_time_iso: iso(receiptTime),
  };
}

/** @param {Transaction} transaction */
function commonJson({ txid, origin, sponsor, payer, anchorMode, postConditionMode, postConditions, payload }) {
  return {
    tx_id: `0x${txid}`,
    tx_type: payload.type,
    nonce: Number(origin.nonce),
    fee_rate: String(payer.fee),
    sender_address: origin.address,
    sponsored: sponsor !== null,
    ...(sponsor ? { sponsor_address: sponsor.address, sponsor_nonce: Number(sponsor.nonce) } : {}),
    post_condition_mode: MODES[/** @type {1} */ (postConditionMode)],
    post_conditions: postConditions.map(postConditionJson),
    anchor_mode: ANCHOR_MODES[/** @type {1} */ (anchorMode)],
  };
}

/** @param {Transaction} transaction @param {Chain} chain */
function payloadJson({ payload, origin }, chain) {
  switch (payload.type) {
    case "token_transfer":
      return {
        token_transfer: {
          recipient_address: payload.recipient,
          amount: String(payload.amount),
          memo: `0x${payload.memo.toString("hex")}`,
        },
      };
    case "smart_contract":
      return {
        smart_contract: {
          contract_id: `${origin.address}.${payload.name}`,
          clarity_version: payload.clarityVersion,
          source_code: payload.code,
        },
      };
    case "contract_call":
      return { contract_call: callJson(payload, chain) };
    default:
      return {};
  }
}

/** @param {import("../wire/transaction.js").CallPayload} payload @param {Chain} chain */
function callJson(payload, chain) {
  const abi = chain.contract(payload.contractId)?.abi;
  const definition = abi?.functions.find(({ name }) => name === payload.functionName);
  return {
    contract_id: payload.contractId,
    function_name: payload.functionName,
    function_signature: definition ? signatureText(definition) : "",
    function_args: payload.args.map((value, index) => ({
      hex: `0x${payload.argBytes[index].toString("hex")}`,
      repr: valueText(value),
      name: definition?.args[index].name ?? "",
      type: definition ? typeText(definition.args[index].type) : "",
    })),
  };
}

/** @param {import("../wire/post-conditions.js").PostCondition} condition */
export function postConditionJson(condition) {
  const principal = principalJson(condition.principal);
  switch (condition.type) {
    case "stx":
    case "staking":
      return {
        type: condition.type,
        condition_code: AMOUNT_CODES[/** @type {1} */ (condition.code)],
        amount: String(condition.amount),
        principal,
      };
    case "fungible":
      return {
        type: "fungible",
        condition_code: AMOUNT_CODES[/** @type {1} */ (condition.code)],
        amount: String(condition.amount),
        principal,
        asset: assetJson(condition.asset),
      };
    case "non_fungible":
      return {
        type: "non_fungible",
        condition_code: NFT_CODES[/** @type {16} */ (condition.code)],
        principal,
        asset: assetJson(condition.asset),
        asset_value: valueJson(condition.valueHex),
      };
    case "pox":
      return { type: "pox", condition_code: POX_CODES[/** @type {48} */ (condition.code)], principal };
  }
}

/** @param {string | null} principal null for the origin */
function principalJson(principal) {
  if (principal === null) return { type_id: "principal_origin" };
  const [address, name] = principal.split(".");
  if (name === undefined) return { type_id: "principal_standard", address };
  return { type_id: "principal_contract", address, contract_name: name };
}

/** @param {import("../wire/post-conditions.js").Asset} asset */
function assetJson({ address, contractName, assetName }) {
  return { contract_address: address, contract_name: contractName, asset_name: assetName };
}

/** @param {MinedTransaction} mined @param {{offset: number, limit: number}} page */
function eventsJson({ transaction, outcome }, page) {
  return pageOfEvents(outcome.events, page).map((event, index) => eventJson(event, page.offset + index, transaction));
}

/**
 * The location of a runtime error. Nodes do not report it, so it is an additional field.
 *
 * @param {import("../chain/executor.js").Outcome} outcome
 * @param {Chain} chain
 */
export function failureJson({ failedAt }, chain) {
  if (!failedAt) return {};
  const { contractId, functionName, line, column, endLine, endColumn } = failedAt;
  const source = chain.contract(contractId)?.source ?? "";
  const expression = textBetween(source.split("\n").slice(line - 1, endLine), column, endColumn);
  const file = chain.files.get(contractId) ?? null;
  return { vm_error_at: { contract_id: contractId, function_name: functionName, file, line, column, expression } };
}

const MAX_EXPRESSION = 500;

/**
 * @param {string[]} lines
 * @param {number} column where the text begins in the first line
 * @param {number} endColumn where it ends in the last line, inclusive
 */
function textBetween(lines, column, endColumn) {
  const last = lines.length - 1;
  return lines
    .map((text, index) => text.slice(index === 0 ? column - 1 : 0, index === last ? endColumn : undefined))
    .join("\n")
    .slice(0, MAX_EXPRESSION);
}

/** @param {import("../chain/ledger.js").ChainEvent} event @param {number} index @param {Transaction} transaction */
export function eventJson(event, index, { txid, payload }) {
  const head = { event_index: index, tx_id: `0x${txid}` };
  if (event.kind === "print") {
    const log = { contract_id: event.contractId, topic: event.topic, value: valueJson(event.valueHex) };
    return { ...head, event_type: "smart_contract_log", contract_log: log };
  }
  const [type, assetEventType] = event.kind.split("_");
  const asset = { asset_event_type: assetEventType, sender: event.sender ?? "", recipient: event.recipient ?? "" };
  if ("valueHex" in event) {
    const token = { ...asset, asset_id: event.asset, value: valueJson(event.valueHex) };
    return { ...head, event_type: "non_fungible_token_asset", asset: token };
  }
  const amount = String(event.amount);
  if ("asset" in event) {
    return { ...head, event_type: "fungible_token_asset", asset: { ...asset, asset_id: event.asset, amount } };
  }
  // The VM's own transfers carry no memo; the transaction does.
  const memo = payload.type === "token_transfer" ? payload.memo.toString("hex") : event.memo;
  return { ...head, event_type: `${type}_asset`, asset: { ...asset, amount, ...(memo ? { memo: `0x${memo}` } : {}) } };
}

/** @param {import("../chain/history.js").Log} log @returns {object} an event, with its location */
export function logJson({ mined, eventIndex, event }) {
  const { block, transaction } = mined;
  return { ...eventJson(event, eventIndex, transaction), block_height: block.height, block_time: block.time };
}

/**
 * The nonces of an address as the API counts them: missing ones are listed only if the address has a mined transaction.
 *
 * @param {Chain} chain
 * @param {string} address
 * @returns {{next: number, executed: number | null, last: number | null, missing: number[], pending: number[]}}
 *   missing and pending: those between the executed and the last one
 */
export function noncesOf({ ledger, mempool }, address) {
  const next = Number(ledger.nonce(address));
  const executed = next > 0 ? next - 1 : null;
  const inMempool = mempool.noncesOf(address).map(Number);
  const last = inMempool.at(-1) ?? null;
  const between = executed === null || last === null ? [] : range(executed + 1, last);
  return {
    next: Math.max(next, (last ?? -1) + 1),
    executed,
    last,
    missing: between.filter((nonce) => !inMempool.includes(nonce)).reverse(),
    pending: between.filter((nonce) => inMempool.includes(nonce)),
  };
}

/** @param {number} start @param {number} end @returns {number[]} */
function range(start, end) {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}

/**
 * A principal's STX balance, and the amounts it sent and received.
 *
 * @param {import("../chain/ledger.js").Ledger} ledger
 * @param {string} principal
 */
export function stxBalanceJson(ledger, principal) {
  const { sent, received, fees } = ledger.turnoverOf(principal);
  return {
    balance: String(ledger.balance(principal)),
    estimated_balance: String(ledger.balance(principal)),
    total_sent: String(sent),
    total_received: String(received),
    total_fees_sent: String(fees),
    total_miner_rewards_received: "0",
    lock_tx_id: "",
    locked: "0",
    lock_height: 0,
    burnchain_lock_height: 0,
    burnchain_unlock_height: 0,
  };
}

/**
 * A block as version 1 of the API and its WebSocket show it.
 *
 * @param {Block} block
 * @param {Block | undefined} parent
 * @param {MinedTransaction[]} mined
 */
export function blockV1(block, parent, mined) {
  const cost = totalCost(mined);
  return {
    ...blockJson(block, parent),
    tenure_height: block.burnHeight,
    burn_block_hash: `0x${burnBlockHash(block.burnHeight)}`,
    miner_txid: `0x${NO_HASH}`,
    parent_microblock_hash: `0x${NO_HASH}`,
    parent_microblock_sequence: 0,
    txs: mined.map(({ transaction }) => `0x${transaction.txid}`),
    microblocks_accepted: [],
    microblocks_streamed: [],
    execution_cost_read_count: cost.read_count,
    execution_cost_read_length: cost.read_length,
    execution_cost_runtime: cost.runtime,
    execution_cost_write_count: cost.write_count,
    execution_cost_write_length: cost.write_length,
    microblock_tx_count: {},
  };
}

/** @param {MinedTransaction[]} mined @returns {import("../chain/executor.js").Cost} */
export function totalCost(mined) {
  const total = { read_count: 0, read_length: 0, runtime: 0, write_count: 0, write_length: 0 };
  for (const { outcome } of mined) {
    for (const key of /** @type {(keyof typeof total)[]} */ (Object.keys(total))) total[key] += outcome.cost[key];
  }
  return total;
}

/** There is no Bitcoin behind the devnet. @param {number} height @returns {string} hex, the same for each height */
export function burnBlockHash(height) {
  return sha512_256(Buffer.from(`burn block ${height}`)).toString("hex");
}

/** @param {Block} block @param {Block | undefined} parent */
export function blockJson(block, parent) {
  return {
    canonical: true,
    height: block.height,
    hash: `0x${block.hash}`,
    index_block_hash: `0x${block.indexHash}`,
    parent_block_hash: `0x${parent?.hash ?? NO_HASH}`,
    parent_index_block_hash: `0x${parent?.indexHash ?? NO_HASH}`,
    block_time: block.time,
    block_time_iso: iso(block.time),
    burn_block_height: block.burnHeight,
    burn_block_time: block.time,
    burn_block_time_iso: iso(block.time),
    tx_count: block.transactionCount,
  };
}

/** @param {import("../chain/executor.js").Outcome} outcome @param {Transaction} transaction @param {Chain} chain */
export function simulationJson(outcome, transaction, chain) {
  return {
    ok: outcome.status === "success",
    status: outcome.status,
    result: valueJson(outcome.result),
    events: outcome.events.map((event, index) => eventJson(event, index, transaction)),
    cost: outcome.cost,
    vm_error: outcome.vmError,
    ...failureJson(outcome, chain),
  };
}

/** @param {string} hex @returns {string} the node's text of a value */
export function nodeText(hex) {
  return valueText(decodeValue(Buffer.from(hex.replace(/^0x/, ""), "hex")), "node");
}
