/**
 * Changes of the chain, passed to its followers: sockets, event observers, the log.
 *
 * The chain notes each change once it can no longer fail. Followers hear of it when the change is complete.
 */
import { EventEmitter } from "node:events";

/**
 * @typedef {import("../wire/transaction.js").Transaction} Transaction
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {import("./history.js").MinedTransaction} MinedTransaction
 *
 * @typedef {object} Notes what followers can hear of
 * @property {[import("./mempool.js").Pending]} pending a transaction came into the mempool
 * @property {[{transaction: Transaction, status: string, replacedBy: string | null}]} dropped one left it unmined;
 *   replacedBy is a txid
 * @property {[{block: Block, parent: Block | undefined, mined: MinedTransaction[]}]} block
 * @property {[{block: Block}]} reverted the chain went back to this block
 */

/** Notes that wait to be handed on, at most: an advance over years mines many blocks in one go. */
const MAX_WAITING = 10_000;

/** @extends {EventEmitter<Notes>} */
export class Feed extends EventEmitter {
  /** @type {(() => void)[]} */
  #waiting = [];
  /** Whether what happens is nothing new to those who follow. */
  isMuted = false;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /**
   * @template {keyof Notes} K
   * @param {K} kind
   * @param {() => Notes[K][0]} make only called if somebody listens
   */
  note(kind, make) {
    if (this.isMuted || this.listenerCount(kind) === 0) return;
    const what = make();
    this.#waiting.push(() => /** @type {EventEmitter} */ (this).emit(kind, what));
    if (this.#waiting.length >= MAX_WAITING) this.flush();
  }

  /** Hands on what was noted, in order. */
  flush() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) {
      try {
        tell();
      } catch (error) {
        // What has happened has happened: its request must not fail because of somebody who looks on.
        process.stderr.write(`a follower of the chain failed: ${/** @type {Error} */ (error).stack}\n`);
      }
    }
  }
}
