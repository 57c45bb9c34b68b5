/** Transactions and events as the Stacks API's version 3 shows them (stacks-blockchain-api v9, `/extended/v3`). */
import { valueJson, valueText } from "../clarity/value.js";
import { failureJson, MODES, postConditionJson } from "./present.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */

/** Fields of a transaction that are shown only on request. */
export const INCLUDABLE = ["function_args", "source_code", "post_conditions", "result"];

/** @param {MinedTransaction} mined @param {import("../chain/chain.js").Chain} chain @param {string[]} include */
export function minedTransactionV3(mined, chain, include) {
  const { transaction, outcome, block } = mined;
  const parent = chain.history.blocks.atHeight(block.height - 1);
  return {
    ...commonJson(transaction, include),
    ...positionJson(mined),
    parent_block: {
      hash: `0x${parent?.hash ?? "0".repeat(64)}`,
      index_hash: `0x${parent?.indexHash ?? "0".repeat(64)}`,
    },
    event_count: outcome.events.length,
    execution_cost: outcome.cost,
    vm_error: outcome.vmError,
    ...failureJson(outcome, chain),
    ...(include.includes("result") ? { result: valueJson(outcome.result) } : {}),
  };
}

/** @param {MinedTransaction} mined */
function positionJson({ outcome, block, indexInBlock }) {
  return {
    block: {
      height: block.height,
      hash: `0x${block.hash}`,
      index_hash: `0x${block.indexHash}`,
      time: block.time,
      tx_index: indexInBlock,
    },
    bitcoin_block: { height: block.burnHeight, time: block.time },
    status: outcome.status,
  };
}

/** @param {import("../chain/mempool.js").Pending} pending @param {string[]} include */
export function pendingTransactionV3(pending, include) {
  return { ...receiptJson(pending, include), replaced_by_tx_id: null };
}

/** @param {import("../chain/mempool.js").Pending} pending @param {string[]} include */
function receiptJson({ transaction, receiptTime, receiptHeight }, include) {
  return {
    ...commonJson(transaction, include),
    receipt_time: receiptTime,
    receipt_block_height: receiptHeight,
    status: "pending",
  };
}

/** @param {MinedTransaction} mined @returns {object} the transaction as in lists */
export function summaryV3(mined) {
  return { ...commonJson(mined.transaction, []), ...positionJson(mined) };
}

/** @param {import("../chain/mempool.js").Pending} pending @returns {object} the transaction as in lists */
export function pendingSummaryV3(pending) {
  return receiptJson(pending, []);
}

/**
 * @param {MinedTransaction} mined
 * @param {string} principal one that it concerns
 * @returns {object} the transaction as in lists, and what it moved for this principal
 */
export function principalSummaryV3(mined, principal) {
  const { origin, sponsor, payer } = mined.transaction;
  const events = mined.outcome.events.flatMap((event) => (event.kind === "print" ? [] : [event]));
  const own = events.filter(({ sender, recipient }) => sender === principal || recipient === principal);
  let [sent, received] = [payer.address === principal ? payer.fee : 0n, 0n];
  for (const event of own) {
    if ("asset" in event) continue;
    if (event.sender === principal) sent += event.amount;
    if (event.recipient === principal) received += event.amount;
  }
  return {
    transaction: summaryV3(mined),
    involvement: origin.address === principal ? "sender" : sponsor?.address === principal ? "sponsor" : "affected",
    balance_changes: { stx: { sent: String(sent), received: String(received), net: String(received - sent) } },
    affected_balances: {
      stx: payer.address === principal || own.some(({ kind }) => kind.startsWith("stx_")),
      ft: own.some(({ kind }) => kind.startsWith("ft_")),
      nft: own.some(({ kind }) => kind.startsWith("nft_")),
    },
  };
}

/** @param {Transaction} transaction @param {string[]} include */
function commonJson({ txid, origin, sponsor, payer, payload, postConditions, postConditionMode }, include) {
  const conditions = {
    post_condition_mode: MODES[/** @type {1} */ (postConditionMode)],
    post_conditions: postConditions.map(postConditionJson),
  };
  return {
    tx_id: `0x${txid}`,
    sender: senderJson(origin),
    sponsor: sponsor && senderJson(sponsor),
    fee_rate: String(payer.fee),
    type: payload.type,
    ...payloadJson(payload, origin.address, include),
    ...(include.includes("post_conditions") ? conditions : {}),
  };
}

/** @param {{address: string, nonce: bigint}} condition */
function senderJson({ address, nonce }) {
  return { address, nonce: Number(nonce) };
}

/** @param {Transaction["payload"]} payload @param {string} origin @param {string[]} include */
function payloadJson(payload, origin, include) {
  switch (payload.type) {
    case "token_transfer":
      return {
        token_transfer: { recipient: payload.recipient, amount: String(payload.amount), memo: memoJson(payload.memo) },
      };
    case "smart_contract":
      return {
        smart_contract: {
          contract_id: `${origin}.${payload.name}`,
          clarity_version: payload.clarityVersion,
          ...(include.includes("source_code") ? { source_code: payload.code } : {}),
        },
      };
    case "contract_call": {
      const args = payload.args.map((value, index) => ({
        hex: `0x${payload.argBytes[index].toString("hex")}`,
        repr: valueText(value),
      }));
      return {
        contract_call: {
          contract_id: payload.contractId,
          function_name: payload.functionName,
          ...(include.includes("function_args") ? { function_args: args } : {}),
        },
      };
    }
    default:
      return {};
  }
}

/** @param {Buffer} memo @returns {{hex: string, repr: string}} */
function memoJson(memo) {
  return { hex: `0x${memo.toString("hex")}`, repr: memoText(memo) };
}

/** @param {Buffer} memo @returns {string} its readable characters; any others become spaces */
export function memoText(memo) {
  return memo
    .toString("utf8")
    .replace(/[\p{C}\p{Z}\uFFFD]+/gu, " ")
    .trim();
}

/** @param {import("../chain/ledger.js").ChainEvent} event @param {number} index @param {Transaction} transaction */
export function eventV3(event, index, { payload }) {
  if (event.kind === "print") {
    const log = { contract_id: event.contractId, topic: event.topic, value: valueJson(event.valueHex) };
    return { event_index: index, type: "contract_log", contract_log: log };
  }
  const [asset, action] = event.kind.split("_");
  const moved = {
    type: action,
    ...("asset" in event ? { asset_identifier: event.asset } : {}),
    ...(event.sender ? { sender: event.sender } : {}),
    ...(event.recipient ? { recipient: event.recipient } : {}),
    ...("valueHex" in event ? { value: valueJson(event.valueHex) } : { amount: String(event.amount) }),
  };
  const type = `${asset}_asset`;
  if (event.kind !== "stx_transfer") return { event_index: index, type, [type]: moved };
  // The VM's own transfers carry no memo; the transaction does.
  const memo = payload.type === "token_transfer" ? payload.memo : Buffer.from(event.memo, "hex");
  return { event_index: index, type, [type]: { ...moved, memo: memo.length > 0 ? memoJson(memo) : null } };
}
