/** Accepted transactions that are not mined yet, by the accounts and nonces that they use. */
import { Rejection } from "./rejection.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {{transaction: Transaction, receiptTime: number, receiptHeight: number}} Pending with the unix time and block height of its arrival */

/** @param {Transaction} transaction @returns {string[]} the places it occupies: origin's and sponsor's nonces */
function places({ origin, sponsor }) {
  const own = [`${origin.address} ${origin.nonce}`];
  return sponsor ? [...own, `${sponsor.address} ${sponsor.nonce}`] : own;
}

export class Mempool {
  /** @type {Map<string, Pending>} transactions by txid, oldest first */
  entries = new Map();
  /** @type {Map<string, string>} txid by `address nonce` */
  #byPlace = new Map();
  /** How many transactions have come in so far; compare it with an earlier value to see whether others came. */
  additions = 0;

  /** @returns {Mempool} */
  copy() {
    const copy = new Mempool();
    copy.additions = this.additions;
    copy.entries = new Map(this.entries);
    copy.#byPlace = new Map(this.#byPlace);
    return copy;
  }

  get size() {
    return this.entries.size;
  }

  /** @param {string} txid */
  find(txid) {
    return this.entries.get(txid);
  }

  /**
   * @param {Transaction} transaction
   * @returns {Transaction[]} the transactions whose places it would occupy
   */
  conflicting(transaction) {
    const taken = [...new Set(places(transaction).map((place) => this.#byPlace.get(place)))];
    return taken.flatMap((txid) => (txid ? [/** @type {Pending} */ (this.entries.get(txid)).transaction] : []));
  }

  /**
   * @param {Transaction} transaction
   * @returns {Transaction[]} the transactions that it would replace, since its fee is higher
   * @throws {Rejection}
   */
  replaced(transaction) {
    const others = this.conflicting(transaction);
    if (others.some((other) => other.payer.fee >= transaction.payer.fee)) throw new Rejection("ConflictingNonceInMempool");
    return others;
  }

  /**
   * @param {Transaction} transaction
   * @param {{time: number, height: number}} tip
   * @returns {Transaction[]} the transactions that it replaced, since its fee is higher
   * @throws {Rejection}
   */
  add(transaction, { time, height }) {
    const replaced = this.replaced(transaction);
    for (const other of replaced) this.remove(other);
    this.additions += 1;
    this.entries.set(transaction.txid, { transaction, receiptTime: time, receiptHeight: height });
    for (const place of places(transaction)) this.#byPlace.set(place, transaction.txid);
    return replaced;
  }

  /** @param {Transaction} transaction */
  remove(transaction) {
    this.entries.delete(transaction.txid);
    for (const place of places(transaction)) {
      if (this.#byPlace.get(place) === transaction.txid) this.#byPlace.delete(place);
    }
  }

  /**
   * Returns the transactions that can be mined now, each account's in the order of their nonces.
   *
   * @param {import("./ledger.js").Ledger} ledger
   * @param {number} limit
   * @returns {Transaction[]}
   */
  ready(ledger, limit) {
    /** @type {Map<string, bigint>} */
    const next = new Map();
    const nonceOf = (/** @type {string} */ address) => next.get(address) ?? ledger.nonce(address);
    /** @type {Transaction[]} */
    const chosen = [];
    let waiting = [...this.entries.values()].map(({ transaction }) => transaction);
    for (let found = true; found && chosen.length < limit;) {
      found = false;
      waiting = waiting.filter((transaction) => {
        const { origin, sponsor } = transaction;
        const fits = nonceOf(origin.address) === origin.nonce && (!sponsor || nonceOf(sponsor.address) === sponsor.nonce);
        if (!fits || chosen.length >= limit) return true;
        next.set(origin.address, origin.nonce + 1n);
        if (sponsor) next.set(sponsor.address, sponsor.nonce + 1n);
        chosen.push(transaction);
        found = true;
        return false;
      });
    }
    return chosen;
  }

  /** @param {string} address @returns {bigint[]} the nonces of its pending transactions, ascending */
  noncesOf(address) {
    const prefix = `${address} `;
    return [...this.#byPlace.keys()]
      .filter((place) => place.startsWith(prefix))
      .map((place) => BigInt(place.slice(prefix.length)))
      .sort((a, b) => (a < b ? -1 : 1));
  }
}
