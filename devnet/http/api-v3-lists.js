/** Lists of transactions, newest first, as the Stacks API's version 3 returns them (stacks-blockchain-api v9). */
import { integerArgument, principalArgument } from "./arguments.js";
import { RequestError } from "./errors.js";
import { pendingSummaryV3, principalSummaryV3, summaryV3 } from "./present-v3.js";

/** @typedef {import("./arguments.js").Request} Request */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */
/** @typedef {import("../chain/mempool.js").Pending} Pending */

const LIMITS = { min: 1, max: 50, fallback: 20 };
/** The microblock part of a cursor: microblocks no longer exist. */
const MICROBLOCK = 0x7fffffff;
const CURSOR = /^(\d{1,15}):\d{1,15}:(\d{1,15})$/;

/** @param {import("fastify").FastifyInstance} server @param {{devnet: import("../devnet.js").Devnet}} options */
export async function apiV3Lists(server, { devnet }) {
  const { chain } = devnet;
  const { history } = chain;

  server.get("/extended/v3/transactions", (/** @type {Request} */ { query }) =>
    page(query, {
      total: history.transactionCount,
      at: (position) => history.transaction(position),
      cursorOf: cursorOfMined,
      find: numberOf,
      show: summaryV3,
    }),
  );

  server.get("/extended/v3/principals/:principal/transactions", (/** @type {Request} */ { query, params }) => {
    const principal = principalArgument(params.principal);
    const numbers = history.concerning(principal);
    return page(query, {
      total: numbers.length,
      at: (position) => history.transaction(numbers[position]),
      cursorOf: cursorOfMined,
      find: (cursor) => numbers.indexOf(numberOf(cursor)),
      show: (mined) => principalSummaryV3(mined, principal),
    });
  });

  server.get("/extended/v3/mempool/transactions", (/** @type {Request} */ { query }) => {
    const pending = [...chain.mempool.entries.values()];
    return page(query, {
      total: pending.length,
      at: (position) => pending[position],
      cursorOf: cursorOfPending,
      find: (cursor) => pending.findIndex((one) => cursorOfPending(one) === cursor),
      show: pendingSummaryV3,
    });
  });

  /** @param {string} cursor @returns {number} the position of the transaction that it names, or -1 */
  function numberOf(cursor) {
    const [, height, indexInBlock] = CURSOR.exec(cursor) ?? [];
    const block = height === undefined ? undefined : history.blocks.atHeight(Number(height));
    return block && Number(indexInBlock) < block.transactionCount ? block.firstTransaction + Number(indexInBlock) : -1;
  }
}

/** @param {MinedTransaction} mined @returns {string} */
function cursorOfMined({ block, indexInBlock }) {
  return `${block.height}:${MICROBLOCK}:${indexInBlock}`;
}

/** @param {Pending} pending @returns {string} */
function cursorOfPending({ receiptTime, transaction }) {
  return `${receiptTime}:0x${transaction.txid}`;
}

/**
 * Returns one page of a list that is stored oldest first; a cursor names the first item of a page.
 *
 * @template T
 * @param {Request["query"]} query
 * @param {object} list
 * @param {number} list.total
 * @param {(position: number) => T} list.at returns the item at a position; the oldest is at 0
 * @param {(item: T) => string} list.cursorOf
 * @param {(cursor: string) => number} list.find the position of the item that it names, or -1
 * @param {(item: T) => object} list.show
 */
function page(query, { total, at, cursorOf, find, show }) {
  const limit = integerArgument(query.limit, "limit", LIMITS);
  const newest = query.cursor === undefined ? total - 1 : find(String(query.cursor));
  if (query.cursor !== undefined && newest < 0) throw new RequestError(400, `unknown cursor ${String(query.cursor).slice(0, 300)}`);
  const cursorAt = (/** @type {number} */ position) => (position >= 0 ? cursorOf(at(position)) : null);
  const positions = Array.from({ length: Math.min(limit, newest + 1) }, (_, index) => newest - index);
  return {
    total,
    limit,
    cursor: {
      next: cursorAt(newest - limit),
      previous: newest < total - 1 ? cursorAt(Math.min(total - 1, newest + limit)) : null,
      current: cursorAt(newest),
    },
    results: positions.map((position) => show(at(position))),
  };
}
