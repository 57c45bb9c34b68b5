/**
 * The part of the Stacks API (stacks-blockchain-api v9) that clients of a node rely on: /extended/v1 and /v2. Some of
 * it is deprecated; api-v3-routes.js has the replacements. Errors are JSON.
 */
import { Rejection } from "../chain/rejection.js";
import { contractIdArgument, principalArgument, integerArgument, txidArgument } from "./arguments.js";
import { RequestError } from "./errors.js";
import {
  blockJson,
  eventJson,
  FIRST_EVENTS,
  listedTransactionJson,
  logJson,
  minedTransactionJson,
  noncesOf,
  pageOfEvents,
  stxBalanceJson,
  unminedTransactionJson,
} from "./present.js";

/** @typedef {import("./arguments.js").Request} Request */
/** @typedef {import("fastify").FastifyInstance} FastifyInstance */
/** @typedef {import("../devnet.js").Devnet} Devnet */

const MAX_LIMIT = 200;
const MAX_EVENTS = 100;
const FAUCET_USTX = 500_000_000n;
const BLOCK_REFERENCE = /^(?:latest|\d{1,15}|(?:0x)?[0-9a-fA-F]{64})$/;

/** @param {FastifyInstance} server @param {{devnet: Devnet}} options */
export async function apiRoutes(server, { devnet }) {
  const { chain } = devnet;

  server.get("/extended", () => ({ server_version: "der-client devnet", status: "ready", chain_tip: tipJson() }));
  server.get("/extended/v1/status", () => ({ server_version: "der-client devnet", status: "ready", chain_tip: tipJson() }));

  function tipJson() {
    const { height, hash, indexHash, burnHeight } = chain.tip;
    return { block_height: height, block_hash: `0x${hash}`, index_block_hash: `0x${indexHash}`, burn_block_height: burnHeight };
  }

  server.get("/extended/v1/tx/:txid", (/** @type {Request} */ request) => {
    const txid = txidArgument(request.params.txid);
    const mined = chain.history.find(txid);
    if (mined) {
      const offset = integerArgument(request.query.event_offset, "event_offset", { min: 0, max: 2 ** 31, fallback: FIRST_EVENTS.offset });
      const limit = integerArgument(request.query.event_limit, "event_limit", { min: 0, max: MAX_EVENTS, fallback: FIRST_EVENTS.limit });
      return minedTransactionJson(mined, chain, { offset, limit });
    }
    const pending = chain.mempool.find(txid);
    if (pending) return unminedTransactionJson(pending.transaction, "pending", pending.receiptTime, chain);
    const dropped = chain.dropped.get(txid);
    if (dropped) return unminedTransactionJson(dropped.transaction, dropped.status, chain.tip.time, chain);
    throw new RequestError(404, "could not find transaction by ID");
  });

  server.get("/extended/v1/tx/:txid/raw", (/** @type {Request} */ request) => {
    const txid = txidArgument(request.params.txid);
    const known = chain.history.find(txid) ?? chain.mempool.find(txid) ?? chain.dropped.get(txid);
    if (!known) throw new RequestError(404, "could not find raw transaction by ID");
    return { raw_tx: `0x${known.transaction.raw.toString("hex")}` };
  });

  server.get("/extended/v1/address/:principal/nonces", (/** @type {Request} */ request) => {
    const principal = principalArgument(request.params.principal);
    const { next, executed, last, missing, pending } = noncesOf(chain, principal);
    return {
      last_executed_tx_nonce: executed,
      last_mempool_tx_nonce: last,
      possible_next_nonce: next,
      detected_missing_nonces: missing,
      detected_mempool_nonces: pending,
    };
  });

  server.get("/extended/v1/address/:principal/stx", (/** @type {Request} */ request) =>
    stxBalanceJson(chain.ledger, principalArgument(request.params.principal)),
  );
  server.get("/extended/v1/address/:principal/balances", (/** @type {Request} */ request) => {
    const principal = principalArgument(request.params.principal);
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { asset } of chain.ledger.tokensOf(principal)) counts.set(asset, (counts.get(asset) ?? 0) + 1);
    return {
      stx: stxBalanceJson(chain.ledger, principal),
      fungible_tokens: Object.fromEntries(
        chain.ledger.fungiblesOf(principal).map(({ asset, amount }) => [asset, { balance: String(amount) }]),
      ),
      non_fungible_tokens: Object.fromEntries([...counts].map(([asset, count]) => [asset, { count: String(count) }])),
    };
  });

  server.get("/extended/v2/smart-contracts/:contractId/logs", (/** @type {Request} */ request) => {
    const contractId = contractIdArgument(request.params.contractId);
    const { history } = chain;
    const total = history.logCount(contractId);
    const limit = integerArgument(request.query.limit, "limit", { min: 1, max: MAX_LIMIT, fallback: 100 });
    const offset = logOffset(request.query, history, contractId);
    const cursorAt = (/** @type {number} */ first) => {
      const [log] = history.newestLogs(contractId, first, 1);
      return log ? cursorOf(log) : null;
    };
    const logs = pageOfEvents(history.newestLogs(contractId, offset, limit), { offset: 0, limit });
    return {
      limit,
      offset,
      total,
      next_cursor: cursorAt(offset + logs.length),
      prev_cursor: offset > 0 ? cursorAt(Math.max(0, offset - limit)) : null,
      cursor: cursorAt(offset),
      results: logs.map(logJson),
    };
  });

  server.get("/extended/v1/contract/:contractId/events", (/** @type {Request} */ request) => {
    const contractId = contractIdArgument(request.params.contractId);
    const limit = integerArgument(request.query.limit, "limit", { min: 1, max: 50, fallback: 20 });
    const offset = integerArgument(request.query.offset, "offset", { min: 0, max: 2 ** 31, fallback: 0 });
    const logs = pageOfEvents(chain.history.newestLogs(contractId, offset, limit), { offset: 0, limit });
    return { limit, offset, results: logs.map(({ event, eventIndex, mined }) => eventJson(event, eventIndex, mined.transaction)) };
  });

  server.get("/extended/v1/contract/:contractId", (/** @type {Request} */ request) => {
    const contractId = contractIdArgument(request.params.contractId);
    const contract = chain.history.contracts.get(contractId);
    if (!contract) throw new RequestError(404, "cannot find contract by ID");
    return {
      tx_id: `0x${contract.txid}`,
      canonical: true,
      contract_id: contractId,
      block_height: contract.height,
      clarity_version: contract.clarityVersion,
      source_code: contract.source,
      abi: JSON.stringify(contract.abi),
    };
  });

  server.get("/extended/v2/blocks", (/** @type {Request} */ request) => {
    const limit = integerArgument(request.query.limit, "limit", { min: 1, max: 30, fallback: 20 });
    const offset = integerArgument(request.query.offset, "offset", { min: 0, max: 2 ** 31, fallback: 0 });
    const { blocks } = chain.history;
    const end = Math.max(0, blocks.count - offset);
    const indexes = Array.from({ length: Math.min(limit, end) }, (_, position) => end - 1 - position);
    return { limit, offset, total: blocks.count, results: indexes.map((index) => showBlock(blocks.at(index))) };
  });
  server.get("/extended/v2/blocks/:reference", (/** @type {Request} */ request) => showBlock(blockArgument(request)));
  server.get("/extended/v2/blocks/:reference/transactions", (/** @type {Request} */ request) => {
    const transactions = chain.history.transactionsOf(blockArgument(request));
    const limit = integerArgument(request.query.limit, "limit", { min: 1, max: MAX_LIMIT, fallback: 20 });
    const offset = integerArgument(request.query.offset, "offset", { min: 0, max: 2 ** 31, fallback: 0 });
    const results = transactions.slice(offset, offset + limit).map((mined) => listedTransactionJson(mined, chain));
    return { limit, offset, total: transactions.length, results };
  });

  /** @param {Request} request */
  function blockArgument(request) {
    const { reference } = request.params;
    if (!BLOCK_REFERENCE.test(reference)) throw new RequestError(400, `${reference} is neither a height nor a hash nor "latest"`);
    const block = chain.history.findBlock(reference);
    if (!block) throw new RequestError(404, `Block not found: ${reference}`);
    return block;
  }

  /** @param {import("../chain/blocks.js").Block} block */
  function showBlock(block) {
    return blockJson(block, chain.history.blocks.atHeight(block.height - 1));
  }

  server.post("/extended/v1/faucets/stx", async (/** @type {Request} */ request) => {
    const address = request.query.address ?? request.body?.address;
    try {
      const { txid, raw } = await devnet.fund(principalArgument(String(address)), FAUCET_USTX);
      return { success: true, txId: `0x${txid}`, txRaw: raw.toString("hex") };
    } catch (error) {
      if (error instanceof Rejection) throw new RequestError(400, `the faucet cannot send: ${error.reason}`);
      throw error;
    }
  });
}

/** @param {import("../chain/history.js").Log} log @returns {string} height:transaction:event */
function cursorOf({ mined, eventIndex }) {
  return `${mined.block.height}:${mined.indexInBlock}:${eventIndex}`;
}

/**
 * @param {Request["query"]} query
 * @param {import("../chain/history.js").History} history
 * @param {string} contractId
 * @returns {number} how many newer logs precede the page
 */
function logOffset(query, history, contractId) {
  if (query.cursor === undefined) return integerArgument(query.offset, "offset", { min: 0, max: 2 ** 31, fallback: 0 });
  const [height, indexInBlock, eventIndex] = String(query.cursor).split(":").map(Number);
  const position = history.logPosition(contractId, { height, indexInBlock, eventIndex });
  if (position < 0) throw new RequestError(400, `unknown cursor ${query.cursor}`);
  return history.logCount(contractId) - 1 - position;
}
