/**
 * The chain: VM, ledger, history and mempool as one thing that accepts transactions, mines blocks, and can go back.
 * All of it is synchronous, so no request ever sees a half-done change.
 */
import { emptyInterface } from "../clarity/abi.js";
import { Vm } from "../vm/vm.js";
import { BootContracts } from "./boot-contracts.js";
import { Executor, FEE_SINK, LATEST_CLARITY_VERSION } from "./executor.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { Ledger } from "./ledger.js";
import { Mempool } from "./mempool.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("./executor.js").Outcome} Outcome */

const MAX_TRANSACTIONS_PER_BLOCK = 200;
const MAX_DROPPED = 1000;

/**
 * @typedef {object} Snapshot
 * @property {number} id
 * @property {import("../vm/memory.js").MemoryImage} image
 * @property {Ledger} ledger
 * @property {Mempool} mempool
 * @property {import("./history.js").Mark} mark
 *
 * @typedef {{transaction: Transaction, status: string}} Dropped
 */

export class Chain {
  /** @param {Executor} executor @param {Map<string, bigint>} balances */
  constructor(executor, balances) {
    this.executor = executor;
    this.bootContracts = new BootContracts(executor);
    this.ledger = new Ledger();
    for (const [address, amount] of balances) this.ledger.stx.set(address, amount);
    this.history = new History();
    this.mempool = new Mempool();
    this.feed = new Feed();
    /** @type {Map<string, Dropped>} transactions that left the mempool unmined, by txid */
    this.dropped = new Map();
    /** @type {Snapshot[]} */
    this.snapshots = [];
    this.nextSnapshotId = 1;
    /** @type {Snapshot | null} where a reset leads to */
    this.genesis = null;
    this.#addBlock([]);
  }

  /**
   * @param {object} options
   * @param {number} options.startTime unix seconds of the first block
   * @param {Map<string, bigint>} options.balances µSTX by address
   * @returns {Promise<Chain>}
   */
  static async start({ startTime, balances }) {
    const vm = await Vm.boot({ startTime, balances });
    return new Chain(new Executor(vm), balances);
  }

  get vm() {
    return this.executor.vm;
  }

  get tip() {
    return this.history.tip;
  }

  /** @param {string} contractId @returns {import("./history.js").Contract | undefined} published, or a boot contract */
  contract(contractId) {
    return this.history.contracts.get(contractId) ?? this.bootContracts.get(contractId);
  }

  /** @param {string} txid @returns {boolean} whether it is mined or in the mempool */
  knows(txid) {
    return this.history.has(txid) || this.mempool.find(txid) !== undefined;
  }

  /**
   * Takes a transaction into the mempool that was found good, now or in an earlier life, when the rules may have been
   * others.
   *
   * @param {Transaction} transaction
   * @throws {import("./rejection.js").Rejection} if another one is in its place
   */
  take(transaction) {
    const { txid } = transaction;
    for (const replaced of this.mempool.add(transaction, this.tip)) this.#drop(replaced, "dropped_replace_by_fee", txid);
    this.dropped.delete(txid);
    this.feed.note("pending", () => /** @type {import("./mempool.js").Pending} */ (this.mempool.find(txid)));
  }

  /**
   * Mines one block with what is ready, be it nothing.
   *
   * @param {import("./executor.js").Undone} [known] of an earlier life
   * @param {number} [limit] most transactions in it
   * @returns {import("./executor.js").Undone}
   */
  mine(known = {}, limit = MAX_TRANSACTIONS_PER_BLOCK) {
    const transactions = this.mempool.ready(this.ledger, limit);
    if (transactions.length === 0) {
      this.executor.record(() => this.vm.mineEmptyBlocks(1));
      this.#addBlock([]);
      return {};
    }
    const { outcomes, undone } = this.executor.runBlock(transactions, known);
    const entries = transactions.map((transaction, index) => ({ transaction, outcome: outcomes[index] }));
    for (const { transaction, outcome } of entries) {
      this.mempool.remove(transaction);
      if (outcome.status === "dropped_too_expensive") this.#drop(transaction, outcome.status);
    }
    const mined = entries.filter(({ outcome }) => outcome.status !== "dropped_too_expensive");
    for (const { transaction, outcome } of mined) this.#settle(transaction, outcome);
    this.#addBlock(mined);
    for (const { transaction, outcome } of mined) if (outcome.status === "success") this.#noteContract(transaction);
    return undone;
  }

  /**
   * Mines a block for each transaction that is ready, as a node does whose blocks come faster than its transactions.
   *
   * @param {import("./executor.js").Undone} [known] of an earlier life
   * @returns {import("./executor.js").Undone} those of all the blocks
   */
  mineEachReady(known = {}) {
    const undone = {};
    while (this.mempool.size > 0 && this.mempool.ready(this.ledger, 1).length > 0) {
      Object.assign(undone, this.mine(known, 1));
    }
    return undone;
  }

  /** @param {Transaction} transaction @param {Outcome} outcome */
  #settle({ origin, sponsor, payer }, outcome) {
    this.ledger.payFee(payer.address, FEE_SINK, payer.fee);
    this.ledger.useNonce(origin.address, origin.nonce);
    if (sponsor) this.ledger.useNonce(sponsor.address, sponsor.nonce);
    for (const event of outcome.events) this.ledger.apply(event);
  }

  /** @param {{transaction: Transaction, outcome: Outcome}[]} entries */
  #addBlock(entries) {
    const { height, burnHeight, time } = this.vm;
    this.history.addBlock({ height, burnHeight, time }, entries);
    this.feed.note("block", () => {
      const block = this.tip;
      const mined = entries.map((entry, indexInBlock) => ({ ...entry, block, indexInBlock }));
      return { block, parent: this.history.blocks.atHeight(height - 1), mined };
    });
  }

  /** @param {Transaction} transaction */
  #noteContract({ txid, payload, origin }) {
    if (payload.type !== "smart_contract") return;
    const contractId = `${origin.address}.${payload.name}`;
    const clarityVersion = payload.clarityVersion ?? LATEST_CLARITY_VERSION;
    // The VM keeps no contract that defines neither a function nor a trait.
    const abi = this.executor.read((vm) => vm.contractInterface(contractId)) ?? emptyInterface(clarityVersion);
    this.history.addContract({ contractId, source: payload.code, clarityVersion, height: this.tip.height, txid, abi });
  }

  /** @param {Transaction} transaction @param {string} status @param {string | null} [replacedBy] txid */
  #drop(transaction, status, replacedBy = null) {
    if (this.dropped.size >= MAX_DROPPED) this.dropped.delete(this.dropped.keys().next().value ?? "");
    this.dropped.set(transaction.txid, { transaction, status });
    this.feed.note("dropped", () => ({ transaction, status, replacedBy }));
  }

  /**
   * Mines empty blocks until the tip's time is at least `target`.
   *
   * @param {number} target unix seconds
   */
  advanceTo(target) {
    while (this.tip.time < target) {
      this.executor.record(() => this.vm.mineTowards(target));
      this.#addBlock([]);
    }
  }

  /** @returns {number} what copies of the VM's memory take: for undoing, for a reset, for snapshots */
  get vmCopiesBytes() {
    const { vm, rolling } = this.executor;
    const kept = this.genesis ? [this.genesis, ...this.snapshots] : this.snapshots;
    return kept.reduce((sum, { image }) => sum + image.pages.length, vm.base.bytes.length + rolling.buffer.length);
  }

  /** @returns {number} the id to revert to */
  snapshot() {
    const snapshot = this.#capture();
    this.snapshots.push(snapshot);
    return snapshot.id;
  }

  /** From now on, a reset leads here. */
  markGenesis() {
    this.genesis = this.#capture();
  }

  /** @returns {Snapshot} */
  #capture() {
    return {
      id: this.nextSnapshotId++,
      image: this.executor.image(),
      ledger: this.ledger.copy(),
      mempool: this.mempool.copy(),
      mark: this.history.mark(),
    };
  }

  /**
   * Goes back to a snapshot, which is gone then, like all taken after it.
   *
   * @param {number} id
   * @returns {boolean} false if there is no such snapshot
   */
  revert(id) {
    const index = this.snapshots.findIndex((snapshot) => snapshot.id === id);
    if (index < 0) return false;
    this.#restore(this.snapshots[index]);
    this.snapshots.length = index;
    return true;
  }

  /** Goes back to the start. All snapshots are gone then. */
  reset() {
    if (!this.genesis) throw new Error("there is no genesis to reset to");
    this.#restore(this.genesis);
    this.snapshots = [];
  }

  /** @param {Snapshot} snapshot */
  #restore({ image, ledger, mempool, mark }) {
    this.executor.restore(image);
    this.ledger = ledger.copy();
    this.mempool = mempool.copy();
    this.history.cut(mark);
    this.dropped.clear();
    this.feed.note("reverted", () => ({ block: this.tip }));
  }
}
