/**
 * Blocks and mined transactions, in order, with their indexes. It only grows at its end, or is cut there.
 *
 * Transactions are kept as bytes outside this process's memory, and parsed again when requested: otherwise, a devnet
 * that runs for days would grow by some kilobytes with each transaction.
 */
import { blockBytes } from "../wire/block.js";
import { parseTransaction } from "../wire/transaction.js";
import { Archive } from "./archive.js";
import { Blocks } from "./blocks.js";
import { keptOf } from "./executor.js";
import { principalsOf } from "./principals.js";
import { TransactionIndex } from "./transaction-index.js";

/**
 * @typedef {import("../wire/transaction.js").Transaction} Transaction
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {import("./executor.js").Outcome} Outcome
 *
 * @typedef {object} MinedTransaction
 * @property {Transaction} transaction
 * @property {Outcome} outcome
 * @property {Block} block
 * @property {number} indexInBlock
 *
 * @typedef {{contractId: string, source: string, clarityVersion: number, height: number, txid: string, abi: import("../clarity/abi.js").Abi}} Contract
 * @typedef {{transaction: number, eventIndex: number}} LogPlace transaction: an index into the history's transactions
 * @typedef {{mined: MinedTransaction, eventIndex: number, event: import("./ledger.js").PrintEvent}} Log
 * @typedef {{blocks: number, transactions: number, contracts: number}} Mark
 */

/** The place of a log is stored as one number: transaction · MAX_EVENTS + event. */
const MAX_EVENTS = 2 ** 22;

export class History {
  blocks = new Blocks();
  #archive = new Archive();
  #index = new TransactionIndex();
  /** @type {Contract[]} */
  #contractList = [];
  /** @type {Map<string, Contract>} */
  contracts = new Map();
  /** @type {Map<string, number[]>} places of logs by contract, oldest first */
  #logs = new Map();
  /** @type {Map<string, number[]>} numbers of transactions by the principals they concern, oldest first */
  #concerning = new Map();
  /** @type {Map<string, import("./executor.js").Cost>} the costs of the last transaction, by `costKey`, even if it was reverted */
  lastCosts = new Map();

  /** @returns {Block} */
  get tip() {
    return this.blocks.tip;
  }

  /** @returns {number} */
  get transactionCount() {
    return this.#index.count;
  }

  /**
   * Adds a block, or nothing at all if the temporary folder has no room for it.
   *
   * @param {{height: number, burnHeight: number, time: number}} place
   * @param {{transaction: Transaction, outcome: Outcome}[]} entries
   */
  addBlock(place, entries) {
    const mark = this.mark();
    try {
      this.blocks.add(
        place,
        this.transactionCount,
        entries.map(({ transaction }) => transaction.txid),
      );
      for (const entry of entries) this.#addTransaction(entry, place.height);
    } catch (error) {
      if (mark.blocks > 0) this.cut(mark);
      throw error;
    }
  }

  /** @param {{transaction: Transaction, outcome: Outcome}} entry @param {number} height */
  #addTransaction({ transaction, outcome }, height) {
    const index = this.transactionCount;
    this.#index.add(transaction.txid, { offset: this.#archive.append(recordOf(transaction, outcome)), height });
    const { payload } = transaction;
    this.lastCosts.set(costKey(payload), outcome.cost);
    for (const principal of principalsOf({ transaction, outcome })) append(this.#concerning, principal, index);
    outcome.events.forEach((event, eventIndex) => {
      if (event.kind === "print") append(this.#logs, event.contractId, index * MAX_EVENTS + eventIndex);
    });
  }

  /** @param {Contract} contract */
  addContract(contract) {
    this.#contractList.push(contract);
    this.contracts.set(contract.contractId, contract);
  }

  /** @param {number} index @returns {MinedTransaction} */
  transaction(index) {
    const { offset, height } = this.#index.at(index);
    const end = index + 1 < this.transactionCount ? this.#index.at(index + 1).offset : this.#archive.length;
    const record = this.#archive.read(offset, end - offset);
    const block = /** @type {Block} */ (this.blocks.atHeight(height));
    return { ...readRecord(record), block, indexInBlock: index - block.firstTransaction };
  }

  /** @param {string} txid hex without 0x @returns {MinedTransaction | undefined} */
  find(txid) {
    for (const index of this.#index.candidates(txid)) {
      const mined = this.transaction(index);
      if (mined.transaction.txid === txid) return mined;
    }
    return undefined;
  }

  /** @param {string} txid @returns {boolean} */
  has(txid) {
    return this.find(txid) !== undefined;
  }

  /** @param {string} contractId @returns {number} how often it printed */
  logCount(contractId) {
    return this.#logs.get(contractId)?.length ?? 0;
  }

  /** @param {string} contractId @param {number} offset newest is 0 @param {number} limit @returns {Log[]} newest first */
  newestLogs(contractId, offset, limit) {
    const places = this.#logs.get(contractId) ?? [];
    const end = Math.max(0, places.length - offset);
    /** @type {Map<number, MinedTransaction>} many logs may belong to one transaction, which may be large */
    const known = new Map();
    const transaction = (/** @type {number} */ index) => {
      const mined = known.get(index) ?? this.transaction(index);
      known.set(index, mined);
      return mined;
    };
    return places
      .slice(Math.max(0, end - limit), end)
      .reverse()
      .map((place) => {
        const mined = transaction(Math.floor(place / MAX_EVENTS));
        const eventIndex = place % MAX_EVENTS;
        return { mined, eventIndex, event: /** @type {import("./ledger.js").PrintEvent} */ (mined.outcome.events[eventIndex]) };
      });
  }

  /**
   * @param {string} contractId
   * @param {{height: number, indexInBlock: number, eventIndex: number}} place
   * @returns {number} the position of the log there, counted from the oldest, or -1
   */
  logPosition(contractId, { height, indexInBlock, eventIndex }) {
    const block = this.blocks.atHeight(height);
    if (!block) return -1;
    return (this.#logs.get(contractId) ?? []).indexOf((block.firstTransaction + indexInBlock) * MAX_EVENTS + eventIndex);
  }

  /** @param {string} principal @returns {readonly number[]} the numbers of the transactions that concern it, oldest first */
  concerning(principal) {
    return this.#concerning.get(principal) ?? [];
  }

  /** @param {string} reference height, hash or index hash (0x or not), or "latest" @returns {Block | undefined} */
  findBlock(reference) {
    if (reference === "latest") return this.tip;
    if (/^\d{1,15}$/.test(reference)) return this.blocks.atHeight(Number(reference));
    return this.blocks.withHash(reference.replace(/^0x/, ""));
  }

  /** @param {Block} block @returns {MinedTransaction[]} */
  transactionsOf({ firstTransaction, transactionCount }) {
    return Array.from({ length: transactionCount }, (_, index) => this.transaction(firstTransaction + index));
  }

  /** @param {Block} block @returns {Buffer} its bytes, as nodes store them */
  bytesOf(block) {
    const transactions = this.transactionsOf(block).map(({ transaction }) => transaction);
    const txids = transactions.map(({ txid }) => txid);
    const raw = transactions.map((transaction) => transaction.raw);
    return blockBytes({ ...block, parentId: this.blocks.parentIdOf(block), txids }, raw);
  }

  /** @returns {Mark} the current end of the history */
  mark() {
    return { blocks: this.blocks.count, transactions: this.transactionCount, contracts: this.#contractList.length };
  }

  /** Drops everything after a mark. @param {Mark} mark */
  cut({ blocks, transactions, contracts }) {
    this.blocks.cut(blocks);
    for (const { contractId } of this.#contractList.splice(contracts)) this.contracts.delete(contractId);
    if (transactions === this.transactionCount) return;
    cutBefore(this.#logs, transactions * MAX_EVENTS);
    cutBefore(this.#concerning, transactions);
    this.#archive.cut(this.#index.at(transactions).offset);
    this.#index.cut(transactions);
  }

  close() {
    this.blocks.close();
    this.#archive.close();
  }
}

/** @param {Map<string, number[]>} lists @param {string} key @param {number} number */
function append(lists, key, number) {
  const list = lists.get(key);
  if (list) list.push(number);
  else lists.set(key, [number]);
}

/** @param {Map<string, number[]>} lists lists of ascending numbers, from which those from `end` on are removed @param {number} end */
function cutBefore(lists, end) {
  for (const [key, list] of lists) {
    while (list.length > 0 && list[list.length - 1] >= end) list.pop();
    if (list.length === 0) lists.delete(key);
  }
}

/**
 * @param {import("../wire/transaction.js").Payload} payload
 * @returns {string} a key for transactions whose costs a node's estimator treats alike: calls of the same function, all
 *   publications, all transfers
 */
export function costKey(payload) {
  return payload.type === "contract_call" ? `${payload.contractId} ${payload.functionName}` : payload.type;
}

/** @param {Transaction} transaction @param {Outcome} outcome @returns {Buffer} */
function recordOf({ raw }, outcome) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(raw.length);
  const json = JSON.stringify(keptOf(outcome), (_key, value) => (typeof value === "bigint" ? String(value) : value));
  return Buffer.concat([length, raw, Buffer.from(json)]);
}

/** @param {Buffer} record @returns {{transaction: Transaction, outcome: Outcome}} */
function readRecord(record) {
  const end = 4 + record.readUInt32BE();
  const outcome = JSON.parse(record.toString("utf8", end), (key, value) => (key === "amount" ? BigInt(value) : value));
  return { transaction: parseTransaction(record.subarray(4, end)), outcome };
}
