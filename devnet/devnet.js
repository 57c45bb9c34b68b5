/**
 * The devnet as its users see it: a chain with named accounts and contracts, which mines by itself or on request and,
 * with a journal, survives its process.
 *
 * Operations that change the chain run one after the other, in turns; only transactions come in at any time. A turn
 * makes and journals its changes in one synchronous step, so no request ever sees a half-done change.
 */
import { checkAdmission, checkMeaning, invalid } from "./chain/admission.js";
import { Chain } from "./chain/chain.js";
import { Rejection } from "./chain/rejection.js";
import { otherFork } from "./chain/reorg.js";
import { Journal } from "./journal.js";
import { emptyPlan } from "./project/plan.js";
import { buildTransfer, buildUnsigned } from "./wire/builder.js";
import { SignatureError } from "./wire/signatures.js";
import { parseTransaction } from "./wire/transaction.js";
import { ending, SignatureVerifier } from "./wire/verifier.js";

/** @typedef {import("./project/project.js").Account} Account */
/** @typedef {import("./project/plan.js").Plan} Plan */
/** @typedef {import("./journal.js").Entry} Entry */
/** @typedef {import("./wire/transaction.js").Transaction} Transaction */

/** When blocks are mined: at once for each transaction, on a timer, or only on request. */
/** @typedef {{kind: "auto"} | {kind: "interval", milliseconds: number} | {kind: "manual"}} Mining */

/** @param {Transaction} transaction @returns {string | undefined} the id of the contract that it publishes */
const contractIdOf = ({ origin, payload }) => (payload.type === "smart_contract" ? `${origin.address}.${payload.name}` : undefined);

const PROGRESS_MILLISECONDS = 5_000;
/** With auto mining, how long the sender of a transaction waits for its block. After that it is pending, as on a node. */
const PATIENCE_MILLISECONDS = 5_000;
/** How soon mining is retried after a block that could not be stored. */
const RETRY_MILLISECONDS = 1_000;

export class Devnet {
  /**
   * @param {Chain} chain
   * @param {Account[]} accounts
   * @param {Mining} mining
   * @param {Journal | null} journal
   * @param {SignatureVerifier} verifier
   */
  constructor(chain, accounts, mining, journal, verifier) {
    this.chain = chain;
    this.accounts = accounts;
    this.mining = mining;
    this.journal = journal;
    this.verifier = verifier;
    this.closed = false;
    /** @type {Promise<unknown>} the last turn in the queue */
    this.lastTurn = Promise.resolve();
    /** @type {Promise<void> | null} set while a fork replaces blocks: other requests must not see the chain meanwhile */
    this.forking = null;
    /** @type {Promise<void> | null} */
    this.miningReady = null;
    /** @type {Map<string, () => void>} by txid: the function that wakes the request waiting for its block */
    this.waiting = new Map();
    /** @type {Error | null} why the last block could not be stored */
    this.storageError = null;
    /** @type {NodeJS.Timeout | undefined} */
    this.retryTimer = undefined;
    /** @type {NodeJS.Timeout | undefined} */
    this.blockTimer = undefined;
  }

  /**
   * @param {object} options
   * @param {Account[]} options.accounts
   * @param {Plan} [options.plan] a plan to execute at the start of a new chain
   * @param {number} options.startTime unix seconds of a new chain's first block
   * @param {Mining} options.mining
   * @param {string | null} options.stateFile
   * @param {(chain: Chain) => void} [options.follow] called before anything new happens to the chain
   * @param {boolean} [options.coverage] whether to record what all calls reach
   * @param {boolean} [options.costs] whether execution costs are tracked, also during replay
   * @returns {Promise<Devnet>}
   */
  static async start({ accounts, plan = emptyPlan(), startTime, mining, stateFile, follow, coverage = false, costs = true }) {
    const balances = new Map(accounts.map(({ address, balance }) => [address, balance]));
    const opened = stateFile ? Journal.open(stateFile, { startTime, balances }) : null;
    const genesis = opened?.genesis ?? { startTime, balances };
    const verifier = new SignatureVerifier(); // first, so that its thread starts in parallel with the VM
    const chain = await Chain.start(genesis, { coverage });
    for (const { raw, from } of plan.steps) {
      const contractId = contractIdOf(parseTransaction(raw));
      if (contractId && from) chain.files.set(contractId, from);
    }
    if (!costs) await chain.vm.setCosts(false);
    const devnet = new Devnet(chain, accounts, mining, opened?.journal ?? null, verifier);
    if (opened) await devnet.#replayAll(opened.entries);
    follow?.(chain);
    if (chain.history.blocks.count === 1) devnet.#tellFirstBlock();
    // An earlier process may have been killed after it wrote a transaction and before it wrote its block.
    if (mining.kind === "auto") await devnet.#mineReady();
    if (!chain.genesis) await devnet.#carryOut(plan);
    if (opened) devnet.#tellChanges(plan);
    if (mining.kind === "interval") devnet.blockTimer = setInterval(() => devnet.#mineOnTime(), mining.milliseconds);
    return devnet;
  }

  /** Announces the first block, since followers were added after it was mined. */
  #tellFirstBlock() {
    const { feed, tip } = this.chain;
    feed.note("block", () => ({ block: tip, parent: undefined, mined: [] }));
    feed.flush();
  }

  /** @param {Iterable<Entry>} entries */
  async #replayAll(entries) {
    let told = Date.now();
    let line = 1; // the header
    for (const entry of entries) {
      await this.#replay(entry, ++line);
      // Shows progress to users who wait for a long history.
      if (Date.now() - told < PROGRESS_MILLISECONDS) continue;
      told = Date.now();
      process.stderr.write(`devnet: ${line} lines of the state file replayed\n`);
    }
  }

  /** @param {Entry} entry @param {number} line */
  async #replay(entry, line) {
    try {
      await this.#again(entry);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      throw new Error(`line ${line} of the state file cannot be replayed: ${message}`);
    }
  }

  /** @param {Plan} plan a plan, of which steps that an earlier, killed start has completed are skipped */
  async #carryOut({ steps, epoch }) {
    for (const step of steps) {
      const transaction = parseTransaction(step.raw);
      if (this.chain.knows(transaction.txid) || this.chain.history.contracts.has(contractIdOf(transaction) ?? "")) continue;
      if (step.epoch) await this.enterEpoch(step.epoch);
      await this.#accept(transaction, { patience: Infinity });
      await this.#mineReady();
      const outcome = this.chain.history.find(transaction.txid)?.outcome;
      if (!outcome) throw new Error(`${step.what}: it is too large for a block`);
      if (outcome.status !== "success") throw new Error(`${step.what}: ${outcome.vmError ?? outcome.result}`);
    }
    if (epoch) await this.enterEpoch(epoch);
    await this.#turn(async () => {
      this.#write({ do: "genesis" });
      await this.chain.markGenesis();
    });
  }

  /** @param {Plan} plan a plan whose contracts may have changed since the state file was written */
  #tellChanges({ steps }) {
    for (const { raw, from } of steps) {
      const transaction = parseTransaction(raw);
      const contractId = contractIdOf(transaction);
      if (!contractId || transaction.payload.type !== "smart_contract") continue;
      const published = this.chain.history.contracts.get(contractId);
      if (published?.source === transaction.payload.code) continue;
      const difference = published
        ? `${contractId} in the state file differs from ${from}: the chain keeps the old source`
        : `${contractId} (${from}) is not in the state file: the chain does not have it`;
      process.stderr.write(`devnet: ${difference}; start with a new state file to use the new one\n`);
    }
  }

  /** @param {Entry} entry an entry of the state file @returns {Promise<unknown>} */
  async #again(entry) {
    switch (entry.do) {
      case "submit": {
        const transaction = parseTransaction(Buffer.from(entry.raw, "hex"));
        // A caller needs the contract to show the transaction.
        if (transaction.payload.type === "contract_call") await this.chain.loadContract(transaction.payload.contractId);
        return this.chain.take(transaction);
      }
      case "mine": {
        const { each, undone: known = {}, most, only } = entry;
        if (!each) return this.chain.mine({ known, most, only });
        while (this.chain.hasReady) await this.chain.mine({ known, most: 1 });
        return undefined;
      }
      case "advance":
        return this.chain.advanceTo(entry.to);
      case "epoch":
        return this.chain.enterEpoch(entry.epoch);
      case "snapshot":
        return this.chain.snapshot();
      case "revert":
        return this.chain.revert(entry.id);
      case "reorg":
        return this.#reorg(entry.blocks, entry.transactions);
      case "reset":
        return this.chain.reset();
      case "genesis":
        return this.chain.markGenesis();
    }
  }

  /**
   * @template T
   * @param {() => Promise<T>} run the operation, which has the chain to itself
   * @returns {Promise<T>}
   */
  #turn(run) {
    const turn = this.lastTurn.then(() => {
      if (this.closed) throw ending();
      return run();
    });
    this.lastTurn = turn.catch(() => undefined);
    return turn.finally(() => this.chain.feed.flush());
  }

  /**
   * @param {Entry} entry an operation that follows and cannot fail, or one that is already done and is undone if this fails
   * @throws {import("./journal.js").StorageError}
   */
  #write(entry) {
    if (this.closed) throw ending();
    this.journal?.append([entry]);
  }

  /**
   * @param {number} [most] the most transactions in the block
   * @returns {Promise<void>}
   */
  #mineBlock(most) {
    return this.chain.mine({
      most,
      keep: (undone, only) => {
        /** @type {import("./journal.js").MineEntry} */
        const entry = { do: "mine", each: false };
        if (most !== undefined) entry.most = most;
        if (only) entry.only = only;
        // Spares a replay from finding this out again, which would be its slowest part.
        if (Object.keys(undone).length > 0) entry.undone = undone;
        this.#write(entry);
      },
    });
  }

  /** Mines a block for each transaction that is ready, like a node whose blocks come faster than its transactions. */
  #mineReady() {
    this.miningReady ??= this.#turn(async () => {
      try {
        while (this.chain.hasReady) {
          await this.#mineBlock(1);
          this.chain.feed.flush();
          this.#tellWaiting();
        }
        this.storageError = null;
      } finally {
        this.miningReady = null;
      }
    });
    return this.miningReady;
  }

  /** Like `#mineReady`, but a block that cannot be stored now is retried later. @returns {Promise<void>} */
  async #mineAtOnce() {
    try {
      await this.#mineReady();
    } catch (error) {
      if (this.closed) return;
      this.#noteFailure(/** @type {Error} */ (error));
      clearTimeout(this.retryTimer);
      this.retryTimer = setTimeout(() => this.#mineAtOnce(), RETRY_MILLISECONDS).unref();
    }
  }

  async #mineOnTime() {
    // If a block takes longer than the interval, some blocks are skipped.
    if (this.miningReady) return;
    this.miningReady = this.#turn(() => this.#mineBlock());
    try {
      await this.miningReady;
      this.storageError = null;
    } catch (error) {
      if (!this.closed) this.#noteFailure(/** @type {Error} */ (error));
    } finally {
      this.miningReady = null;
    }
  }

  /** @param {Error} error the error of a block, which is reported once */
  #noteFailure(error) {
    if (this.storageError?.message !== error.message) process.stderr.write(`devnet: no block was mined: ${error.message}\n`);
    this.storageError = error;
  }

  /**
   * @param {Buffer} raw
   * @returns {Promise<Transaction>} the transaction, accepted now or before
   * @throws {import("./clarity/value.js").DecodeError | Rejection}
   */
  async submit(raw) {
    const transaction = parseTransaction(raw);
    if (this.chain.knows(transaction.txid)) return transaction;
    try {
      checkMeaning(transaction);
      await this.verifier.verify(raw);
    } catch (error) {
      const rejection = error instanceof SignatureError ? invalid(error.message) : error;
      throw rejection instanceof Rejection ? rejection.of(transaction) : rejection;
    }
    await this.#accept(transaction);
    return transaction;
  }

  /**
   * Accepts a transaction, and with auto mining waits for its block.
   *
   * @param {Transaction} transaction one whose signatures are verified
   * @param {{patience?: number}} [options] milliseconds to wait for the block
   */
  async #accept(transaction, { patience = PATIENCE_MILLISECONDS } = {}) {
    try {
      await this.#take(transaction);
    } catch (error) {
      throw error instanceof Rejection ? error.of(transaction) : error;
    }
    this.chain.feed.flush();
    if (this.mining.kind === "auto" && this.chain.isReady(transaction)) await this.#minedWithin(transaction, patience);
  }

  /** @param {Transaction} transaction one that is ready @param {number} patience milliseconds @returns {Promise<void>} */
  #minedWithin({ txid }, patience) {
    return new Promise((resolve) => {
      const timer = patience === Infinity ? undefined : setTimeout(() => done(), patience);
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(txid);
        resolve();
      };
      this.waiting.set(txid, done);
      this.#mineAtOnce().then(done);
    });
  }

  /** Wakes requests that wait for a transaction that is no longer in the mempool. */
  #tellWaiting() {
    for (const [txid, done] of this.waiting) if (!this.chain.mempool.find(txid)) done();
  }

  /** @param {Transaction} transaction */
  async #take(transaction) {
    const { chain } = this;
    for (;;) {
      if (this.storageError && this.mining.kind === "auto") await this.#mineReady();
      await checkAdmission(transaction, chain);
      // While it was being checked, the same bytes may have come in again, or this process may be ending.
      if (this.closed) throw ending();
      if (chain.knows(transaction.txid)) return;
      // A transaction that the VM is executing cannot be replaced any more; when it is done, its nonce is used.
      if (!chain.mempool.conflicting(transaction).some(({ txid }) => chain.inBlock.has(txid))) break;
      await this.lastTurn;
    }
    chain.mempool.replaced(transaction);
    this.#write({ do: "submit", raw: transaction.raw.toString("hex") });
    chain.take(transaction);
  }

  /** @param {number} blocks @returns {Promise<void>} */
  async mine(blocks) {
    for (let i = 0; i < blocks; i++) await this.#turn(() => this.#mineBlock());
  }

  /** @param {number} to unix seconds @returns {Promise<void>} */
  advanceTo(to) {
    return this.#turn(() => this.chain.advanceTo(to, () => this.#write({ do: "advance", to })));
  }

  /** @param {string} epoch one of `CLARITY_OF_EPOCH` @returns {Promise<void>} */
  enterEpoch(epoch) {
    return this.#turn(async () => {
      if (epoch !== this.chain.epoch) await this.chain.enterEpoch(epoch, () => this.#write({ do: "epoch", epoch }));
    });
  }

  /** @returns {Promise<number>} the snapshot's id */
  snapshot() {
    return this.#turn(async () => {
      this.#write({ do: "snapshot" });
      return await this.chain.snapshot();
    });
  }

  /** @param {number} id @returns {Promise<boolean>} false if there is no such snapshot */
  revert(id) {
    return this.#turn(async () => {
      if (!this.chain.hasSnapshot(id)) return false;
      this.#write({ do: "revert", id });
      await this.chain.revert(id);
      return true;
    });
  }

  /**
   * Lets a fork replace the last blocks with others, one more than before.
   *
   * @param {number} count how many blocks; at most `chain.mostToTakeAway`
   * @param {import("./chain/reorg.js").Handling} transactions how to treat their transactions
   * @returns {Promise<number>} how many blocks were removed
   */
  reorg(count, transactions) {
    return this.#turn(async () => {
      const blocks = Math.min(count, this.chain.mostToTakeAway);
      this.#write({ do: "reorg", blocks, transactions });
      this.forking = this.#reorg(blocks, transactions).finally(() => {
        this.forking = null;
      });
      await this.forking;
      return blocks;
    });
  }

  /** @param {number} blocks @param {import("./chain/reorg.js").Handling} handling */
  async #reorg(blocks, handling) {
    for (const transactions of otherFork(await this.chain.takeAway(blocks), handling)) {
      for (const transaction of transactions) this.chain.take(transaction);
      await this.chain.mine({ only: transactions.map(({ txid }) => txid) });
    }
  }

  /** @returns {Promise<void>} */
  reset() {
    return this.#turn(async () => {
      this.#write({ do: "reset" });
      await this.chain.reset();
    });
  }

  /**
   * Sends STX from the faucet's account, with an ordinary transaction.
   *
   * @param {string} recipient
   * @param {bigint} amount µSTX
   * @returns {Promise<Transaction>}
   * @throws {Rejection}
   */
  async fund(recipient, amount) {
    const faucet = this.accounts.find(({ name }) => name === "faucet");
    if (!faucet) throw new Error("settings/Devnet.toml has no account named faucet");
    const nonce = this.#nextNonce(faucet.address);
    const raw = buildTransfer({ recipient, amount, privateKey: faucet.privateKey, nonce, fee: 0n });
    const transaction = parseTransaction(raw);
    checkMeaning(transaction);
    await this.#accept(transaction);
    return transaction;
  }

  /**
   * Sends a transaction from any address, without its signature.
   *
   * @param {import("./address.js").Principal} sender an address
   * @param {Buffer} payload
   * @returns {Promise<Transaction>}
   * @throws {import("./clarity/value.js").DecodeError | Rejection}
   */
  async impersonate(sender, payload) {
    const transaction = parseTransaction(buildUnsigned({ sender, nonce: this.#nextNonce(sender.address), payload }));
    checkMeaning(transaction);
    await this.#accept(transaction);
    return transaction;
  }

  /** @param {string} address @returns {bigint} the nonce after its pending transactions */
  #nextNonce(address) {
    const pending = this.chain.mempool.noncesOf(address);
    return pending.length > 0 ? pending[pending.length - 1] + 1n : this.chain.ledger.nonce(address);
  }

  async close() {
    this.closed = true;
    clearTimeout(this.retryTimer);
    clearInterval(this.blockTimer);
    this.journal?.close();
    await Promise.all([this.chain.vm.close(), this.verifier.close()]);
    this.chain.history.close();
  }
}
