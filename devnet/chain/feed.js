/**
 * Changes of the chain, passed to its followers: sockets, event observers, the log.
 *
 * The chain records each change once it can no longer fail. Followers are notified when the change is complete.
 */
import { EventEmitter } from "node:events";

/**
 * @typedef {import("../wire/transaction.js").Transaction} Transaction
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {import("./history.js").MinedTransaction} MinedTransaction
 *
 * @typedef {object} Notes what followers are notified of
 * @property {[import("./mempool.js").Pending]} pending a transaction entered the mempool
 * @property {[{transaction: Transaction, status: string, replacedBy: string | null}]} dropped a transaction left it
 *   unmined; replacedBy is a txid
 * @property {[{block: Block, parent: Block | undefined, mined: MinedTransaction[]}]} block
 * @property {[{block: Block}]} reverted the chain went back to this block
 */

/** The most notes that wait for delivery: an advance over years mines many blocks at once. */
const MAX_WAITING = 10_000;

/** @extends {EventEmitter<Notes>} */
export class Feed extends EventEmitter {
  /** @type {(() => void)[]} */
  #waiting = [];
  /** Whether followers already know what happens now. */
  isMuted = false;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /**
   * @template {keyof Notes} K
   * @param {K} kind
   * @param {() => Notes[K][0]} make called only if there is a listener
   */
  note(kind, make) {
    if (this.isMuted || this.listenerCount(kind) === 0) return;
    const what = make();
    this.#waiting.push(() => /** @type {EventEmitter} */ (this).emit(kind, what));
    if (this.#waiting.length >= MAX_WAITING) this.flush();
  }

  /** Delivers the notes, in order. */
  flush() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) {
      try {
        tell();
      } catch (error) {
        // The change is already made: its request must not fail because of a follower.
        process.stderr.write(`a follower of the chain failed: ${/** @type {Error} */ (error).stack}\n`);
      }
    }
  }
}
