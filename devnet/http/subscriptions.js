/** The subscriptions of the API's WebSocket, and their notifications (stacks-blockchain-api v9). */
import { principalsOf } from "../chain/principals.js";
import { valueJson } from "../clarity/value.js";
import { principalOf } from "./arguments.js";
import { blockV1, minedTransactionJson, stxBalanceJson, unminedTransactionJson } from "./present.js";

/** @typedef {import("ws").WebSocket} Socket */
/** @typedef {Record<string, unknown>} Params not validated yet */
/** @typedef {import("../chain/chain.js").Chain} Chain */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */
/** @typedef {import("../chain/ledger.js").NftEvent} NftEvent */
/** @typedef {ReturnType<typeof minedTransactionJson>} TransactionJson */

const TXID = /^(?:0x)?([0-9a-fA-F]{64})$/;
const MAX_TOPICS_PER_SOCKET = 10_000;
/** The most events of a transaction, as in the API; `event_count` has their total number. */
const MAX_EVENTS = 100;

/** An error in JSON-RPC's form. */
export class RpcError extends Error {
  /** @param {number} code @param {string} message @param {string} [data] the exact problem */
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** @param {string} data */
export function invalidParams(data) {
  return new RpcError(-32602, "Invalid params", data);
}

/**
 * The possible subscriptions: each one's topic, and the response to a subscription.
 *
 * @type {Record<string, (params: Params) => {topic: string, result: object}>}
 */
const EVENTS = {
  block: () => ({ topic: "block", result: {} }),
  // Microblocks no longer exist, but the API still accepts the subscription.
  microblock: () => ({ topic: "microblock", result: {} }),
  mempool: () => ({ topic: "mempool", result: {} }),
  tx_update: ({ tx_id }) => {
    const match = TXID.exec(String(tx_id));
    if (!match) throw invalidParams("invalid tx_id");
    const txid = `0x${match[1].toLowerCase()}`;
    return { topic: `tx_update ${txid}`, result: { tx_id: txid } };
  },
  address_tx_update: ({ address }) => ({ topic: `address_tx_update ${principalParam(address)}`, result: { address } }),
  address_balance_update: ({ address }) => ({ topic: `address_balance_update ${principalParam(address)}`, result: { address } }),
  nft_event: () => ({ topic: "nft_event", result: {} }),
  nft_asset_event: ({ asset_identifier, value }) => ({
    topic: `nft_asset_event ${asset_identifier} ${value}`,
    result: { asset_identifier, value },
  }),
  nft_collection_event: ({ asset_identifier }) => ({
    topic: `nft_collection_event ${asset_identifier}`,
    result: { asset_identifier },
  }),
};

/** @param {unknown} address @returns {string} */
function principalParam(address) {
  const principal = principalOf(address);
  if (principal === null) throw invalidParams("invalid address");
  return principal;
}

export class Subscriptions {
  /** @type {Map<string, Set<Socket>>} sockets by topic */
  #followers = new Map();
  /** @type {Map<Socket, Set<string>>} topics by socket */
  #topics = new Map();
  #listening = false;

  /** @param {Chain} chain @param {(socket: Socket, text: string) => void} send */
  constructor(chain, send) {
    this.chain = chain;
    this.send = send;
  }

  /**
   * @param {Socket} socket
   * @param {"subscribe" | "unsubscribe"} method
   * @param {Params} params parameters with the name of an event
   * @returns {object} the response to the caller
   * @throws {RpcError}
   */
  change(socket, method, params) {
    const name = String(params.event);
    const event = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined;
    if (!event) throw invalidParams("subscription request must use a valid event name");
    const { topic, result } = event(params);
    if (method === "subscribe") this.#add(socket, topic);
    else this.#remove(socket, topic);
    return result;
  }

  /** @param {Socket} socket @param {string} topic */
  #add(socket, topic) {
    const topics = this.#topics.get(socket) ?? new Set();
    if (topics.size >= MAX_TOPICS_PER_SOCKET) throw invalidParams(`more than ${MAX_TOPICS_PER_SOCKET} subscriptions of one socket`);
    this.#topics.set(socket, topics.add(topic));
    this.#followers.set(topic, (this.#followers.get(topic) ?? new Set()).add(socket));
    this.#listen(true);
  }

  /** @param {Socket} socket @param {string} topic */
  #remove(socket, topic) {
    this.#topics.get(socket)?.delete(topic);
    const sockets = this.#followers.get(topic);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#followers.delete(topic);
    if (this.#followers.size === 0) this.#listen(false);
  }

  /** @param {Socket} socket a closed socket */
  forget(socket) {
    for (const topic of this.#topics.get(socket) ?? []) this.#remove(socket, topic);
    this.#topics.delete(socket);
  }

  close() {
    this.#listen(false);
  }

  /** Follows the chain only while there are subscriptions, since recording notes costs time. @param {boolean} on */
  #listen(on) {
    if (on === this.#listening) return;
    this.#listening = on;
    const { feed } = this.chain;
    const change = on ? /** @type {const} */ ("on") : /** @type {const} */ ("off");
    feed[change]("pending", this.#onPending);
    feed[change]("dropped", this.#onDropped);
    feed[change]("block", this.#onBlock);
  }

  /** @param {import("../chain/mempool.js").Pending} pending */
  #onPending = ({ transaction, receiptTime }) => {
    const json = once(() => unminedTransactionJson(transaction, "pending", receiptTime, this.chain));
    this.#tell("mempool", "mempool", json);
    this.#tell(`tx_update 0x${transaction.txid}`, "tx_update", json);
  };

  /** @param {import("../chain/feed.js").Notes["dropped"][0]} dropped */
  #onDropped = ({ transaction, status }) => {
    this.#tell(`tx_update 0x${transaction.txid}`, "tx_update", () =>
      unminedTransactionJson(transaction, status, this.chain.tip.time, this.chain),
    );
  };

  /** @param {import("../chain/feed.js").Notes["block"][0]} noted */
  #onBlock = ({ block, parent, mined }) => {
    this.#tell("block", "block", () => blockV1(block, parent, mined));
    const transactionJson = new Map(mined.map((one) => [one, once(() => firstEvents(minedTransactionJson(one, this.chain)))]));
    for (const [one, json] of transactionJson) this.#tell(`tx_update 0x${one.transaction.txid}`, "tx_update", json);
    for (const one of mined) this.#tellTokens(one);
    /** @type {Set<string>} */
    const changed = new Set();
    for (const [one, json] of transactionJson) {
      for (const address of principalsOf(one)) {
        changed.add(address);
        this.#tell(`address_tx_update ${address}`, "address_tx_update", () => addressUpdate(address, one, json()));
      }
    }
    for (const address of changed) {
      this.#tell(`address_balance_update ${address}`, "address_balance_update", () => ({
        address,
        ...stxBalanceJson(this.chain.ledger, address),
      }));
    }
  };

  /** @param {MinedTransaction} mined */
  #tellTokens({ transaction, outcome, block, indexInBlock }) {
    outcome.events.forEach((event, index) => {
      if (!("asset" in event && "valueHex" in event)) return;
      const json = once(() => ({
        ...tokenEvent(event),
        tx_id: `0x${transaction.txid}`,
        tx_index: indexInBlock,
        block_height: block.height,
        event_index: index,
      }));
      this.#tell("nft_event", "nft_event", json);
      this.#tell(`nft_asset_event ${event.asset} 0x${event.valueHex}`, "nft_asset_event", json);
      this.#tell(`nft_collection_event ${event.asset}`, "nft_collection_event", json);
    });
  }

  /** @param {string} topic @param {string} method @param {() => object} params called only if there are subscribers */
  #tell(topic, method, params) {
    const sockets = this.#followers.get(topic);
    if (!sockets) return;
    const text = JSON.stringify({ jsonrpc: "2.0", method, params: params() });
    for (const socket of sockets) this.send(socket, text);
  }
}

/** @param {NftEvent} event */
function tokenEvent({ kind, asset, valueHex, sender, recipient }) {
  return {
    asset_identifier: asset,
    asset_event_type: kind.slice("nft_".length),
    value: valueJson(valueHex),
    ...(sender ? { sender } : {}),
    ...(recipient ? { recipient } : {}),
  };
}

/** @param {string} address @param {MinedTransaction} mined @param {TransactionJson} tx */
function addressUpdate(address, { transaction, outcome }, tx) {
  let [sent, received] = [transaction.payer.address === address ? transaction.payer.fee : 0n, 0n];
  const transfers = [];
  for (const event of outcome.events) {
    if (event.kind === "print" || "asset" in event) continue;
    if (event.sender !== address && event.recipient !== address) continue;
    if (event.sender === address) sent += event.amount;
    if (event.recipient === address) received += event.amount;
    transfers.push({ amount: String(event.amount), sender: event.sender ?? undefined, recipient: event.recipient ?? undefined });
  }
  return {
    address,
    tx_id: tx.tx_id,
    tx_status: tx.tx_status,
    tx_type: tx.tx_type,
    tx,
    stx_sent: String(sent),
    stx_received: String(received),
    stx_transfers: transfers,
  };
}

/** @param {TransactionJson} transaction */
function firstEvents(transaction) {
  return { ...transaction, events: transaction.events.slice(0, MAX_EVENTS) };
}

/** @template T @param {() => T} make @returns {() => T} a function that calls `make` only once */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}
