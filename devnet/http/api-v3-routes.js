/** The Stacks API's version 3 (stacks-blockchain-api v9), as far as clients of a node rely on it. Errors are JSON. */
import { parsePrincipal } from "../address.js";
import { valueJson } from "../clarity/value.js";
import { principalArgument, integerArgument, txidArgument } from "./arguments.js";
import { RequestError } from "./errors.js";
import { eventV3, INCLUDABLE, minedTransactionV3, pendingTransactionV3 } from "./present-v3.js";
import { noncesOf, pageOfEvents } from "./present.js";

/** @typedef {import("./arguments.js").Request} Request */
/** @typedef {import("fastify").FastifyInstance} FastifyInstance */
/** @typedef {import("../chain/chain.js").Chain} Chain */

const EVENT_LIMITS = { fallback: 20, max: 100 };
const BALANCE_LIMITS = { fallback: 100, max: 200 };

/** @param {FastifyInstance} server @param {{devnet: import("../devnet.js").Devnet}} options */
export async function apiV3Routes(server, { devnet }) {
  const { chain } = devnet;

  server.get("/extended/v3/transactions/:txid", (/** @type {Request} */ request) => {
    const txid = txidArgument(request.params.txid);
    const include = includeArgument(request.query.include);
    const mined = chain.history.find(txid);
    if (mined) return minedTransactionV3(mined, chain, include);
    const pending = chain.mempool.find(txid);
    if (pending) return pendingTransactionV3(pending, include);
    throw new RequestError(404, "Transaction not found");
  });

  server.get("/extended/v3/transactions/:txid/events", (/** @type {Request} */ request) => {
    const mined = chain.history.find(txidArgument(request.params.txid));
    if (!mined) throw new RequestError(400, "Transaction not found");
    const events = mined.outcome.events.map((event, index) => ({ event, index }));
    const page = pageOf(events, request.query, EVENT_LIMITS, ({ index }) => String(index));
    const fitting = pageOfEvents(page.results, { offset: 0, limit: page.limit });
    if (fitting.length < page.results.length) page.cursor.next = String(page.results[fitting.length].index);
    return { ...page, results: fitting.map(({ event, index }) => eventV3(event, index, mined.transaction)) };
  });

  server.get("/extended/v3/principals/:principal/nonces", (/** @type {Request} */ request) => {
    const principal = principalArgument(request.params.principal);
    if (parsePrincipal(principal)?.name !== null) throw new RequestError(400, `${principal} is a contract, which has no nonces`);
    const { next, executed, last, pending, missing } = noncesOf(chain, principal);
    return {
      next_nonce: next,
      last_confirmed_nonce: executed,
      mempool: { last_nonce: last, pending_nonces: pending, missing_nonces: missing },
    };
  });

  server.get("/extended/v3/principals/:principal/balances/stx", (/** @type {Request} */ request) => {
    const principal = principalArgument(request.params.principal);
    const balance = chain.ledger.balance(principal);
    return {
      balance: String(balance),
      available: String(balance),
      locked: null,
      mempool: mempoolBalance(chain, principal, balance),
    };
  });

  server.get("/extended/v3/principals/:principal/balances/ft", (/** @type {Request} */ request) => {
    const held = chain.ledger.fungiblesOf(principalArgument(request.params.principal));
    const balances = held.map(({ asset, amount }) => ({ asset_identifier: asset, balance: String(amount) }));
    return pageOf(balances, request.query, BALANCE_LIMITS, ({ asset_identifier, balance }) => `${balance}:${asset_identifier}`);
  });

  server.get("/extended/v3/principals/:principal/balances/ft/:asset", (/** @type {Request} */ request) => {
    const { asset } = request.params;
    const [contract, name = ""] = asset.split("::");
    if (!parsePrincipal(contract)?.name || name === "") throw new RequestError(400, `${asset.slice(0, 300)} is not an asset identifier`);
    const held = chain.ledger.fungiblesOf(principalArgument(request.params.principal)).find((holding) => holding.asset === asset);
    return { asset_identifier: asset, balance: String(held?.amount ?? 0n) };
  });

  server.get("/extended/v3/principals/:principal/balances/nft", (/** @type {Request} */ request) => {
    const owned = chain.ledger.tokensOf(principalArgument(request.params.principal));
    const tokens = owned.map(({ asset, valueHex }) => ({ asset_identifier: asset, value: valueJson(valueHex) }));
    return pageOf(tokens, request.query, BALANCE_LIMITS, ({ asset_identifier, value }) => `${value.hex}:${asset_identifier}`);
  });
}

/** @param {unknown} given once or several times, each with one or several names @returns {string[]} */
function includeArgument(given) {
  const names = given === undefined ? [] : [given].flat().flatMap((text) => String(text).split(","));
  const unknown = names.find((name) => !INCLUDABLE.includes(name));
  if (unknown !== undefined) throw new RequestError(400, `include takes ${INCLUDABLE.join(", ")}, not ${unknown.slice(0, 100)}`);
  return names;
}

/**
 * A principal's STX in pending transactions: transfers, and the fees it pays.
 *
 * @param {Chain} chain
 * @param {string} principal
 * @param {bigint} balance
 */
function mempoolBalance(chain, principal, balance) {
  let [inbound, outbound] = [0n, 0n];
  for (const { transaction } of chain.mempool.entries.values()) {
    const { payload, origin, payer } = transaction;
    if (payer.address === principal) outbound += payer.fee;
    if (payload.type !== "token_transfer") continue;
    if (origin.address === principal) outbound += payload.amount;
    if (payload.recipient === principal) inbound += payload.amount;
  }
  if (inbound === 0n && outbound === 0n) return null;
  return { estimated_balance: String(balance + inbound - outbound), inbound: String(inbound), outbound: String(outbound) };
}

/**
 * Returns one page of a list; a cursor names the first item of a page.
 *
 * @template T
 * @param {T[]} items
 * @param {Request["query"]} query
 * @param {{fallback: number, max: number}} limits
 * @param {(item: T) => string} cursorOf
 */
function pageOf(items, query, limits, cursorOf) {
  const limit = integerArgument(query.limit, "limit", { min: 1, ...limits });
  const start = query.cursor === undefined ? 0 : items.findIndex((item) => cursorOf(item) === query.cursor);
  if (start < 0) throw new RequestError(400, `unknown cursor ${String(query.cursor).slice(0, 300)}`);
  const cursorAt = (/** @type {number} */ index) => (items[index] === undefined ? null : cursorOf(items[index]));
  return {
    total: items.length,
    limit,
    cursor: {
      next: cursorAt(start + limit),
      previous: start > 0 ? cursorAt(Math.max(0, start - limit)) : null,
      current: cursorAt(start),
    },
    results: items.slice(start, start + limit),
  };
}
