/** Blocks and mined transactions, in order, with the ways to find them. Only ever grows at its end, or is cut there. */
import { sha512_256 } from "../wire/hash.js";

/**
 * @typedef {object} Block
 * @property {number} height
 * @property {number} burnHeight
 * @property {number} time unix seconds
 * @property {string} hash hex
 * @property {string} indexHash hex
 * @property {number} firstTransaction index into the history's transactions
 * @property {number} transactionCount
 *
 * @typedef {object} MinedTransaction
 * @property {import("../wire/transaction.js").Transaction} transaction
 * @property {import("./executor.js").Outcome} outcome
 * @property {Block} block
 * @property {number} indexInBlock
 *
 * @typedef {{contractId: string, source: string, clarityVersion: number, height: number, txid: string, abi: import("../clarity/abi.js").Abi}} Contract
 * @typedef {{mined: MinedTransaction, eventIndex: number, event: import("./ledger.js").PrintEvent}} Log
 * @typedef {{blocks: number, transactions: number, contracts: number}} Mark
 */

export class History {
  /** @type {Block[]} */
  blocks = [];
  /** @type {MinedTransaction[]} */
  transactions = [];
  /** @type {Contract[]} */
  #contractList = [];
  /** @type {Map<string, Contract>} */
  contracts = new Map();
  /** @type {Map<string, MinedTransaction>} by txid */
  #byTxid = new Map();
  /** @type {Map<string, number>} index of the block by its height */
  #byHeight = new Map();
  /** @type {Map<string, Log[]>} by contract, oldest first */
  #logs = new Map();

  /** @returns {Block} */
  get tip() {
    return this.blocks[this.blocks.length - 1];
  }

  /**
   * @param {{height: number, burnHeight: number, time: number}} place
   * @param {{transaction: import("../wire/transaction.js").Transaction, outcome: import("./executor.js").Outcome}[]} entries
   * @returns {Block}
   */
  addBlock({ height, burnHeight, time }, entries) {
    const parent = this.blocks.length > 0 ? this.tip.hash : "";
    const identity = [parent, height, burnHeight, time, ...entries.map(({ transaction }) => transaction.txid)].join(" ");
    const hash = sha512_256(Buffer.from(`block ${identity}`)).toString("hex");
    const indexHash = sha512_256(Buffer.from(`index ${hash}`)).toString("hex");
    const firstTransaction = this.transactions.length;
    const block = { height, burnHeight, time, hash, indexHash, firstTransaction, transactionCount: entries.length };
    this.#byHeight.set(String(height), this.blocks.length);
    this.blocks.push(block);
    entries.forEach(({ transaction, outcome }, indexInBlock) =>
      this.#addTransaction({ transaction, outcome, block, indexInBlock }),
    );
    return block;
  }

  /** @param {MinedTransaction} mined */
  #addTransaction(mined) {
    this.transactions.push(mined);
    this.#byTxid.set(mined.transaction.txid, mined);
    mined.outcome.events.forEach((event, eventIndex) => {
      if (event.kind !== "print") return;
      const logs = this.#logs.get(event.contractId) ?? [];
      if (logs.length === 0) this.#logs.set(event.contractId, logs);
      logs.push({ mined, eventIndex, event });
    });
  }

  /** @param {Contract} contract */
  addContract(contract) {
    this.#contractList.push(contract);
    this.contracts.set(contract.contractId, contract);
  }

  /** @param {string} txid hex without 0x */
  find(txid) {
    return this.#byTxid.get(txid);
  }

  /** @param {string} contractId @returns {Log[]} oldest first */
  logs(contractId) {
    return this.#logs.get(contractId) ?? [];
  }

  /** @param {string} reference height, hash or index hash (0x or not), or "latest" @returns {Block | undefined} */
  findBlock(reference) {
    if (reference === "latest") return this.tip;
    const index = this.#byHeight.get(reference);
    if (index !== undefined) return this.blocks[index];
    const hash = reference.replace(/^0x/, "").toLowerCase();
    return this.blocks.find((block) => block.hash === hash || block.indexHash === hash);
  }

  /** @param {Block} block @returns {Block | undefined} */
  parentOf(block) {
    const index = this.#byHeight.get(String(block.height));
    return index === undefined ? undefined : this.blocks[index - 1];
  }

  /** @param {Block} block @returns {MinedTransaction[]} */
  transactionsOf(block) {
    return this.transactions.slice(block.firstTransaction, block.firstTransaction + block.transactionCount);
  }

  /** @returns {Mark} where the history ends now */
  mark() {
    return { blocks: this.blocks.length, transactions: this.transactions.length, contracts: this.#contractList.length };
  }

  /** Forgets all that came after a mark. @param {Mark} mark */
  cut(mark) {
    for (const block of this.blocks.splice(mark.blocks)) this.#byHeight.delete(String(block.height));
    for (const { transaction } of this.transactions.splice(mark.transactions)) this.#byTxid.delete(transaction.txid);
    for (const { contractId } of this.#contractList.splice(mark.contracts)) this.contracts.delete(contractId);
    const kept = this.blocks.length > 0 ? this.tip.height : -1;
    for (const [contractId, logs] of this.#logs) {
      while (logs.length > 0 && logs[logs.length - 1].mined.block.height > kept) logs.pop();
      if (logs.length === 0) this.#logs.delete(contractId);
    }
  }
}
