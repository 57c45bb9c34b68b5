/**
 * The devnet as its users see it: a chain with named accounts and contracts on it, that mines by itself or when told,
 * and, with a journal, survives its process.
 *
 * Whatever a method changes, it changes and journals in one go, so no request ever sees it half-done.
 */
import { checkAdmission, checkMeaning, invalid } from "./chain/admission.js";
import { Chain } from "./chain/chain.js";
import { Rejection } from "./chain/rejection.js";
import { Journal } from "./journal.js";
import { buildPublish, buildTransfer } from "./wire/builder.js";
import { SignatureError } from "./wire/signatures.js";
import { parseTransaction } from "./wire/transaction.js";
import { ending, SignatureVerifier } from "./wire/verifier.js";

/** @typedef {import("./project/project.js").Account} Account */
/** @typedef {import("./project/project.js").PlannedContract} PlannedContract */
/** @typedef {import("./journal.js").Entry} Entry */
/** @typedef {import("./wire/transaction.js").Transaction} Transaction */

/** How blocks come: one for each transaction at once, on a timer, or only when asked. */
/** @typedef {{kind: "auto"} | {kind: "interval", milliseconds: number} | {kind: "manual"}} Mining */

const IDLE_MILLISECONDS = 50;
const PROGRESS_MILLISECONDS = 5_000;

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
    /** How often the chain was set back, so that clients can tell it from a node that is behind. */
    this.rewinds = 0;
    /** @type {NodeJS.Timeout | undefined} */
    this.idleTimer = undefined;
    /** @type {NodeJS.Timeout | undefined} */
    this.blockTimer = undefined;
  }

  /**
   * @param {object} options
   * @param {Account[]} options.accounts
   * @param {PlannedContract[]} options.contracts to publish at the start of a new chain
   * @param {number} options.startTime unix seconds of a new chain's first block
   * @param {Mining} options.mining
   * @param {string | null} options.stateFile
   * @param {(chain: Chain) => void} [options.follow] called before anything new happens to the chain
   * @param {boolean} [options.costs] whether execution costs are tracked, in what is replayed, too
   * @returns {Promise<Devnet>}
   */
  static async start({ accounts, contracts, startTime, mining, stateFile, follow, costs = true }) {
    const balances = new Map(accounts.map(({ address, balance }) => [address, balance]));
    const opened = stateFile ? Journal.open(stateFile, { startTime, balances }) : null;
    const genesis = opened?.genesis ?? { startTime, balances };
    const verifier = new SignatureVerifier(); // first, so that its thread starts beside the VM
    const chain = await Chain.start(genesis);
    if (!costs) chain.vm.setCosts(false);
    const devnet = new Devnet(chain, accounts, mining, opened?.journal ?? null, verifier);
    if (opened) devnet.#replayAll(opened.entries);
    follow?.(chain);
    if (chain.history.blocks.count === 1) devnet.#tellFirstBlock();
    // A killed start may have left a transaction whose block was not written any more.
    if (mining.kind === "auto" && chain.mempool.ready(chain.ledger, 1).length > 0) devnet.#do({ do: "mine", each: true });
    if (!chain.genesis) devnet.#publish(contracts);
    if (opened) devnet.#tellChanges(contracts);
    if (mining.kind === "interval") devnet.blockTimer = setInterval(() => devnet.mine(1), mining.milliseconds);
    devnet.#touch();
    return devnet;
  }

  /** Followers came too late to hear of it. */
  #tellFirstBlock() {
    const { feed, tip } = this.chain;
    feed.note("block", () => ({ block: tip, parent: undefined, mined: [] }));
    feed.flush();
  }

  /** @param {Iterable<Entry>} entries */
  #replayAll(entries) {
    let told = Date.now();
    let line = 1; // the header
    for (const entry of entries) {
      this.#replay(entry, ++line);
      // Whoever waits for a long history sees that it goes on.
      if (Date.now() - told < PROGRESS_MILLISECONDS) continue;
      told = Date.now();
      process.stderr.write(`devnet: ${line} lines of the state file are done again\n`);
    }
  }

  /** @param {Entry} entry @param {number} line */
  #replay(entry, line) {
    try {
      this.#apply(entry);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      throw new Error(`line ${line} of the state file cannot be carried out again: ${message}`);
    }
  }

  /** @param {PlannedContract[]} contracts those that an earlier, killed start has published are left alone */
  #publish(contracts) {
    for (const { name, sender, source, clarityVersion, feeUstx } of contracts) {
      if (this.chain.history.contracts.has(`${sender}.${name}`)) continue;
      const { privateKey } = this.#signer(sender, `publish ${name}`);
      const nonce = this.chain.ledger.nonce(sender);
      const raw = buildPublish({ name, code: source, clarityVersion, privateKey, nonce, fee: feeUstx });
      checkAdmission(parseTransaction(raw), this.chain);
      this.#do({ do: "submit", raw: raw.toString("hex") }, { do: "mine", each: true });
      const { status, vmError, result } = this.chain.history.transaction(this.chain.history.transactionCount - 1).outcome;
      if (status !== "success") throw new Error(`contract ${name} cannot be published: ${vmError ?? result}`);
    }
    this.#do({ do: "genesis" });
  }

  /** @param {PlannedContract[]} contracts which the state file may have as they were before somebody changed them */
  #tellChanges(contracts) {
    for (const { name, sender, path, source } of contracts) {
      const contractId = `${sender}.${name}`;
      const published = this.chain.history.contracts.get(contractId);
      if (published?.source === source) continue;
      const difference = published
        ? `${contractId} in the state file has another source than ${path}: the chain keeps the old one`
        : `${contractId} (${path}) is not in the state file: the chain goes on without it`;
      process.stderr.write(`devnet: ${difference}; begin a new state file to use the new one\n`);
    }
  }

  /** @param {string} address @param {string} purpose @returns {Account} */
  #signer(address, purpose) {
    const account = this.accounts.find((candidate) => candidate.address === address);
    if (!account) throw new Error(`no account of settings/Devnet.toml has the address ${address}, needed to ${purpose}`);
    return account;
  }

  /**
   * Does and then journals: what was answered is in the journal, and what was not may not be.
   *
   * @param {...Entry} entries
   * @returns {any} what the last one gives
   */
  #do(...entries) {
    let result;
    try {
      for (const entry of entries) result = this.#apply(entry);
      this.journal?.append(entries);
    } catch (error) {
      this.chain.feed.discard();
      throw error;
    }
    this.chain.feed.flush();
    this.#touch();
    return result;
  }

  /** @param {Entry} entry @returns {any} */
  #apply(entry) {
    switch (entry.do) {
      case "submit":
        return this.chain.take(parseTransaction(Buffer.from(entry.raw, "hex")));
      case "mine":
        return this.#mine(entry);
      case "advance":
        return this.chain.advanceTo(entry.to);
      case "snapshot":
        return this.chain.snapshot();
      case "revert":
        this.rewinds += 1;
        return this.chain.revert(entry.id);
      case "reset":
        this.rewinds += 1;
        return this.chain.reset();
      case "genesis":
        return this.chain.markGenesis();
    }
  }

  /** @param {import("./journal.js").MineEntry} entry gets what a replay need not find out again, the slowest part of it */
  #mine(entry) {
    const undone = entry.each ? this.chain.mineEachReady(entry.undone) : this.chain.mine(entry.undone);
    if (Object.keys(undone).length > 0) entry.undone = undone;
  }

  /** A checkpoint taken while nobody waits makes a later undo short. */
  #touch() {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.chain.executor.capture(), IDLE_MILLISECONDS).unref();
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
    this.#accept(transaction);
    return transaction;
  }

  /** @param {Transaction} transaction whose signatures are verified */
  #accept(transaction) {
    // While its signatures were being verified, the same bytes may have come in again, or the end of this process.
    if (this.closed) throw ending();
    if (this.chain.knows(transaction.txid)) return;
    /** @type {Entry[]} */
    const entries = [{ do: "submit", raw: transaction.raw.toString("hex") }];
    if (this.mining.kind === "auto") entries.push({ do: "mine", each: true });
    try {
      checkAdmission(transaction, this.chain);
      this.#do(...entries);
    } catch (error) {
      throw error instanceof Rejection ? error.of(transaction) : error;
    }
  }

  /** @param {number} blocks */
  mine(blocks) {
    for (let i = 0; i < blocks; i++) this.#do({ do: "mine", each: false });
  }

  /** @param {number} to unix seconds */
  advanceTo(to) {
    this.#do({ do: "advance", to });
  }

  /** @returns {number} id */
  snapshot() {
    return this.#do({ do: "snapshot" });
  }

  /** @param {number} id @returns {boolean} false if there is no such snapshot */
  revert(id) {
    return this.#do({ do: "revert", id });
  }

  reset() {
    this.#do({ do: "reset" });
  }

  /**
   * Sends STX from the faucet's account, by a transaction like any other.
   *
   * @param {string} recipient
   * @param {bigint} amount µSTX
   * @returns {Transaction}
   * @throws {Rejection}
   */
  fund(recipient, amount) {
    const faucet = this.accounts.find(({ name }) => name === "faucet");
    if (!faucet) throw new Error("settings/Devnet.toml has no account named faucet");
    const pending = this.chain.mempool.noncesOf(faucet.address);
    const nonce = pending.length > 0 ? pending[pending.length - 1] + 1n : this.chain.ledger.nonce(faucet.address);
    const raw = buildTransfer({ recipient, amount, privateKey: faucet.privateKey, nonce, fee: 0n });
    const transaction = parseTransaction(raw);
    this.#accept(transaction);
    return transaction;
  }

  async close() {
    this.closed = true;
    clearTimeout(this.idleTimer);
    clearInterval(this.blockTimer);
    this.journal?.close();
    this.chain.history.close();
    await this.verifier.close();
  }
}
