/**
 * The chain: VM, ledger, history and mempool as one object that accepts transactions, mines blocks, and can go back.
 *
 * The VM works asynchronously in its own thread. Its result changes everything else in one synchronous step, so no
 * request ever sees a half-done change. If the result cannot be saved, because a disk is full, the VM undoes it.
 * Blocks, advances and similar operations are requested one at a time (see Devnet).
 */
import { emptyInterface } from "../clarity/abi.js";
import { BootContracts } from "./boot-contracts.js";
import { BlockTooLarge, CLARITY_OF_EPOCH, FEE_SINK, orderOf } from "./executor.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { Ledger } from "./ledger.js";
import { Mempool } from "./mempool.js";
import { VmThread } from "./vm-thread.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("./executor.js").Outcome} Outcome */
/** @typedef {import("./executor.js").Undone} Undone */
/** @typedef {import("./history.js").Contract} Contract */
/** @typedef {(undone: Undone, only: string[] | undefined) => void} Keep saves that a block was mined; throws if it cannot */

const MAX_TRANSACTIONS_PER_BLOCK = 200;
const MAX_DROPPED = 1000;

/**
 * @typedef {object} Snapshot
 * @property {number} id
 * @property {Promise<number>} image id of the VM's copy
 * @property {Ledger} ledger
 * @property {Mempool} mempool
 * @property {import("./history.js").Mark} mark
 * @property {string} epoch
 * @property {number} epochChanges how many changes of epoch there were
 *
 * @typedef {{transaction: Transaction, status: string}} Dropped
 */

export class Chain {
  /**
   * @param {VmThread} vm
   * @param {import("./engine.js").Place} place the place of the first block
   * @param {import("../journal.js").Genesis} origin
   * @param {boolean} [coverage]
   */
  constructor(vm, place, origin, coverage = false) {
    this.vm = vm;
    this.origin = origin;
    this.coverage = coverage;
    this.bootContracts = new BootContracts();
    this.ledger = new Ledger();
    for (const [address, amount] of origin.balances) this.ledger.stx.set(address, amount);
    this.history = new History();
    this.mempool = new Mempool();
    this.feed = new Feed();
    /** @type {Map<string, string>} the project's file of a contract, by contract id */
    this.files = new Map();
    /** @type {Map<string, Dropped>} transactions that left the mempool unmined, by txid */
    this.dropped = new Map();
    /** @type {Set<string>} txids of the transactions that the VM is executing */
    this.inBlock = new Set();
    /** @type {Snapshot[]} */
    this.snapshots = [];
    this.nextSnapshotId = 1;
    /** @type {Snapshot | null} the state that a reset restores */
    this.genesis = null;
    /** How often the chain was set back, so that clients can distinguish this from a node that lags behind. */
    this.rewinds = 0;
    /** The epoch that the next block is in. */
    this.epoch = "4.0";
    /** The changes of epoch. @type {{after: number, epoch: string}[]} after: the height at which it was changed */
    this.epochChanges = [];
    this.history.addBlock(place, []);
  }

  /**
   * @param {import("../journal.js").Genesis} genesis
   * @param {{coverage?: boolean}} [options] whether to record what all calls reach
   * @returns {Promise<Chain>}
   */
  static async start(genesis, { coverage = false } = {}) {
    const { vm, place } = await VmThread.start({ ...genesis, coverage });
    return new Chain(vm, place, genesis, coverage);
  }

  get tip() {
    return this.history.tip;
  }

  /** @param {string} contractId @returns {Contract | undefined} a published contract, or a boot contract that was loaded */
  contract(contractId) {
    return this.history.contracts.get(contractId) ?? this.bootContracts.get(contractId);
  }

  /**
   * @param {string} contractId
   * @param {{patience?: number}} [options] how long to wait for the VM, if it is needed
   * @returns {Promise<Contract | undefined>} a published contract, or a boot contract
   */
  async loadContract(contractId, options = {}) {
    await this.bootContracts.load(this.vm, contractId, options);
    return this.contract(contractId);
  }

  /** @param {string} txid @returns {boolean} whether it is mined or in the mempool */
  knows(txid) {
    return this.history.has(txid) || this.mempool.find(txid) !== undefined;
  }

  /**
   * Adds a transaction that has passed the checks to the mempool. It may have passed them in an earlier run, under
   * other rules.
   *
   * @param {Transaction} transaction
   * @throws {import("./rejection.js").Rejection} if another transaction occupies its place
   */
  take(transaction) {
    const { txid } = transaction;
    for (const replaced of this.mempool.add(transaction, this.tip)) this.#drop(replaced, "dropped_replace_by_fee", txid);
    this.dropped.delete(txid);
    this.feed.note("pending", () => /** @type {import("./mempool.js").Pending} */ (this.mempool.find(txid)));
  }

  /**
   * Mines one block with the transactions that are ready, even if there are none.
   *
   * @param {object} [options]
   * @param {Undone} [options.known] outcomes that are known from an earlier run
   * @param {number} [options.most] the most transactions in the block
   * @param {string[]} [options.only] txids of exactly the transactions to put in the block
   * @param {Keep} [options.keep] gets the txids if other transactions came in meanwhile
   * @returns {Promise<void>}
   */
  async mine({ known = {}, most = MAX_TRANSACTIONS_PER_BLOCK, only, keep } = {}) {
    let transactions = only ? this.#pending(only) : this.mempool.ready(this.ledger, most);
    const { additions } = this.mempool;
    const all = transactions.length;
    for (;;) {
      this.inBlock = new Set(transactions.map(({ txid }) => txid));
      try {
        await this.vm.change("runBlock", [transactions.map(orderOf), known], (result) => {
          const asReady = transactions.length === all && this.mempool.additions === additions;
          this.#settleBlock(transactions, result, () => keep?.(result.undone, asReady ? undefined : [...this.inBlock]));
        });
        return;
      } catch (error) {
        if (!(error instanceof BlockTooLarge)) throw error;
        transactions = transactions.slice(0, transactions.length >> 1);
      } finally {
        this.inBlock = new Set();
      }
    }
  }

  /** @param {string[]} txids @returns {Transaction[]} the transactions of these that are in the mempool */
  #pending(txids) {
    return txids.flatMap((txid) => this.mempool.find(txid)?.transaction ?? []);
  }

  /** @returns {boolean} whether there is anything to mine */
  get hasReady() {
    return this.mempool.size > 0 && this.mempool.ready(this.ledger, 1).length > 0;
  }

  /** @param {Transaction} transaction @returns {boolean} whether it could be in the next blocks */
  isReady(transaction) {
    return this.mempool.ready(this.ledger, Infinity).includes(transaction);
  }

  /**
   * @param {Transaction[]} transactions
   * @param {import("./engine.js").BlockResult} result
   * @param {() => void} keep
   */
  #settleBlock(transactions, { outcomes, place, interfaces }, keep) {
    const entries = transactions.map((transaction, index) => ({ transaction, outcome: outcomes[index] }));
    const mined = entries.filter(({ outcome }) => outcome.status !== "dropped_too_expensive");
    const mark = this.history.mark();
    // First the steps that may fail.
    this.history.addBlock(place, mined);
    try {
      keep();
    } catch (error) {
      this.history.cut(mark);
      throw error;
    }
    for (const { transaction, outcome } of entries) {
      this.mempool.remove(transaction);
      if (outcome.status === "dropped_too_expensive") this.#drop(transaction, outcome.status);
    }
    for (const { transaction, outcome } of mined) this.#settle(transaction, outcome);
    this.#noteBlock(place.height, mined);
    for (const { transaction, outcome } of mined) if (outcome.status === "success") this.#noteContract(transaction, interfaces);
  }

  /** @param {Transaction} transaction @param {Outcome} outcome */
  #settle({ origin, sponsor, payer }, outcome) {
    this.ledger.payFee(payer.address, FEE_SINK, payer.fee);
    this.ledger.useNonce(origin.address, origin.nonce);
    if (sponsor) this.ledger.useNonce(sponsor.address, sponsor.nonce);
    for (const event of outcome.events) this.ledger.apply(event);
  }

  /** @param {number} height @param {{transaction: Transaction, outcome: Outcome}[]} entries the contents of the block at this height */
  #noteBlock(height, entries) {
    this.feed.note("block", () => {
      const { blocks } = this.history;
      const block = /** @type {import("./blocks.js").Block} */ (blocks.atHeight(height));
      const mined = entries.map((entry, indexInBlock) => ({ ...entry, block, indexInBlock }));
      return { block, parent: blocks.atHeight(height - 1), mined };
    });
  }

  /** @param {Transaction} transaction @param {import("./engine.js").Interfaces} interfaces */
  #noteContract({ txid, payload, origin }, interfaces) {
    if (payload.type !== "smart_contract") return;
    const contractId = `${origin.address}.${payload.name}`;
    const clarityVersion = payload.clarityVersion ?? CLARITY_OF_EPOCH[this.epoch];
    // The VM does not keep a contract that defines neither a function nor a trait.
    const abi = interfaces[contractId] ?? emptyInterface(clarityVersion);
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
   * @param {() => void} [keep] saves the change; throws if it cannot
   * @returns {Promise<void>}
   */
  async advanceTo(target, keep) {
    await this.#addEmpty("advance", [target], keep);
  }

  /**
   * @template {"advance" | "enterEpoch"} O
   * @param {O} operation one that mines empty blocks
   * @param {Parameters<import("./engine.js").Engine[O]>} given
   * @param {(() => void) | undefined} keep
   */
  async #addEmpty(operation, given, keep) {
    await this.vm.change(operation, given, (places) => {
      const mark = this.history.mark();
      try {
        for (const place of places) this.history.addBlock(place, []);
        keep?.();
      } catch (error) {
        this.history.cut(mark);
        throw error;
      }
      for (const { height } of places) this.#noteBlock(height, []);
    });
  }

  /**
   * Mines the next blocks in another epoch. In an earlier epoch, contracts are published under its rules, and its
   * features work again.
   *
   * @param {string} epoch one of `CLARITY_OF_EPOCH`
   * @param {() => void} [keep] saves the change; throws if it cannot
   * @returns {Promise<void>}
   */
  async enterEpoch(epoch, keep) {
    const after = this.tip.height;
    await this.#addEmpty("enterEpoch", [epoch], keep);
    this.epoch = epoch;
    this.epochChanges.push({ after, epoch });
  }

  /** @returns {Promise<number>} the id to revert to; the snapshot has the state at this moment */
  async snapshot() {
    const snapshot = this.#capture();
    this.snapshots.push(snapshot);
    await snapshot.image;
    return snapshot.id;
  }

  /** From now on, a reset restores the current state. */
  async markGenesis() {
    this.genesis = this.#capture();
    await this.genesis.image;
  }

  /** @returns {Snapshot} */
  #capture() {
    const image = this.vm.ask("image", []);
    image.catch(() => undefined); // the error is reported to whoever awaits the id
    return {
      id: this.nextSnapshotId++,
      image,
      ledger: this.ledger.copy(),
      mempool: this.mempool.copy(),
      mark: this.history.mark(),
      epoch: this.epoch,
      epochChanges: this.epochChanges.length,
    };
  }

  /** @param {number} id @returns {boolean} */
  hasSnapshot(id) {
    return this.snapshots.some((snapshot) => snapshot.id === id);
  }

  /**
   * Goes back to a snapshot, and deletes it and all later ones.
   *
   * @param {number} id
   * @returns {Promise<void>} resolves when the VM is ready, too; everything else is ready at once
   */
  async revert(id) {
    const index = this.snapshots.findIndex((snapshot) => snapshot.id === id);
    if (index < 0) throw new Error(`there is no snapshot ${id}`);
    const gone = this.snapshots.splice(index);
    await this.#restore(gone[0], gone);
  }

  /** @returns {number} how many blocks were mined since the start */
  get mostToTakeAway() {
    return this.genesis ? this.history.blocks.count - this.genesis.mark.blocks : 0;
  }

  /**
   * Removes the last blocks: goes back to the last copy of the VM below them, and replays the blocks in between. The
   * mempool stays unchanged; snapshots of removed blocks are removed, too.
   *
   * @param {number} count how many blocks; at most `mostToTakeAway`
   * @returns {Promise<Transaction[][]>} the transactions of each of them, oldest first
   */
  async takeAway(count) {
    const { blocks } = this.history;
    const kept = blocks.count - count;
    const first = blocks.at(0).height;
    const filled = (/** @type {number} */ index) => {
      const block = blocks.at(index);
      return { block, mined: this.history.transactionsOf(block) };
    };
    const gone = Array.from({ length: count }, (_, index) => filled(kept + index).mined.map(({ transaction }) => transaction));
    const copies = [.../** @type {Snapshot[]} */ ([this.genesis]), ...this.snapshots].filter(({ mark }) => mark.blocks <= kept);
    const base = copies[copies.length - 1];
    const again = Array.from({ length: kept - base.mark.blocks }, (_, index) => filled(base.mark.blocks + index));
    const epochs = this.epochChanges.slice(base.epochChanges).filter(({ after }) => after < first + kept - 1);
    const usedUp = this.snapshots.filter(({ mark }) => mark.blocks > kept);
    this.snapshots = this.snapshots.filter(({ mark }) => mark.blocks <= kept);
    const { mempool } = this;
    this.feed.isMuted = true; // followers already know the blocks that stay
    try {
      await this.#restore(base, usedUp);
      this.mempool = mempool;
      await this.#repeat(again, epochs);
    } finally {
      this.feed.isMuted = false;
    }
    if (blocks.count !== kept) throw new Error("a change of epoch would have to be undone in part");
    this.feed.note("reverted", () => ({ block: this.tip }));
    return gone;
  }

  /**
   * @param {{block: import("./blocks.js").Block, mined: import("./history.js").MinedTransaction[]}[]} again
   * @param {{after: number, epoch: string}[]} epochs
   */
  async #repeat(again, epochs) {
    const last = again.at(-1)?.block.height ?? 0;
    for (const { block, mined } of again) {
      const change = epochs.find(({ after }) => after === this.tip.height);
      if (change) await this.enterEpoch(change.epoch);
      if (this.tip.height >= block.height) continue; // a block that the change of epoch mined
      const transactions = mined.map(({ transaction }) => transaction);
      if (mined.length === 0 && block.burnHeight > this.tip.burnHeight) {
        this.history.addBlock(await this.vm.ask("burnBlock", [block.time]), []);
      } else {
        const undone = mined.filter(({ outcome }) => outcome.vmError !== null);
        const known = Object.fromEntries(undone.map(({ transaction, outcome }) => [transaction.txid, outcome]));
        await this.vm.change("runBlock", [transactions.map(orderOf), known], (result) => {
          this.#settleBlock(transactions, result, () => undefined);
        });
      }
      if (this.tip.hash !== block.hash) throw new Error(`block ${block.height} of ${last} differs after the replay`);
    }
  }

  /** Goes back to the start, and deletes all snapshots. */
  async reset() {
    if (!this.genesis) throw new Error("there is no genesis to reset to");
    await this.#restore(this.genesis, this.snapshots.splice(0));
  }

  /** @param {Snapshot} snapshot @param {Snapshot[]} gone the snapshots that are no longer valid */
  async #restore({ image, ledger, mempool, mark, epoch, epochChanges }, gone) {
    this.ledger = ledger.copy();
    this.mempool = mempool.copy();
    this.history.cut(mark);
    this.epoch = epoch;
    this.epochChanges.length = epochChanges;
    this.dropped.clear();
    this.rewinds += 1;
    this.feed.note("reverted", () => ({ block: this.tip }));
    await this.vm.ask("restore", [await image]);
    await this.vm.ask("forget", [await Promise.all(gone.map((snapshot) => snapshot.image))]);
  }
}
