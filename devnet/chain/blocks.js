/** The blocks of the chain, at 88 bytes each. Their heights follow each other without a gap. */
import { sha512_256 } from "../wire/hash.js";

const RECORD = 88;
const HASH_AT = 24;
const INDEX_HASH_AT = 56;

/**
 * @typedef {object} Block
 * @property {number} height
 * @property {number} burnHeight
 * @property {number} time unix seconds
 * @property {string} hash hex
 * @property {string} indexHash hex
 * @property {number} firstTransaction index into the history's transactions
 * @property {number} transactionCount
 */

export class Blocks {
  #records = Buffer.alloc(1024 * RECORD);
  #count = 0;
  #firstHeight = 0;
  /** The newest one, which everybody asks for. @type {Block} */
  tip = /** @type {any} */ (undefined);

  get count() {
    return this.#count;
  }

  /**
   * @param {{height: number, burnHeight: number, time: number}} place
   * @param {number} firstTransaction
   * @param {string[]} txids
   * @returns {Block}
   */
  add({ height, burnHeight, time }, firstTransaction, txids) {
    if (this.#count === 0) this.#firstHeight = height;
    if (height !== this.#firstHeight + this.#count) throw new Error(`block ${height} does not follow ${this.tip.height}`);
    const identity = [this.#count > 0 ? this.tip.hash : "", height, burnHeight, time, ...txids].join(" ");
    const hash = sha512_256(Buffer.from(`block ${identity}`));
    const indexHash = sha512_256(Buffer.from(`index ${hash.toString("hex")}`));
    const start = this.#count * RECORD;
    if (start === this.#records.length) this.#records = Buffer.concat([this.#records, Buffer.alloc(start)]);
    this.#records.writeDoubleLE(time, start);
    this.#records.writeUInt32LE(burnHeight, start + 8);
    this.#records.writeUInt32LE(firstTransaction, start + 12);
    this.#records.writeUInt32LE(txids.length, start + 16);
    hash.copy(this.#records, start + HASH_AT);
    indexHash.copy(this.#records, start + INDEX_HASH_AT);
    this.#count += 1;
    this.tip = this.at(this.#count - 1);
    return this.tip;
  }

  /** @param {number} index counted from the first one @returns {Block} */
  at(index) {
    const record = this.#records.subarray(index * RECORD, (index + 1) * RECORD);
    return {
      height: this.#firstHeight + index,
      time: record.readDoubleLE(0),
      burnHeight: record.readUInt32LE(8),
      firstTransaction: record.readUInt32LE(12),
      transactionCount: record.readUInt32LE(16),
      hash: record.toString("hex", HASH_AT, INDEX_HASH_AT),
      indexHash: record.toString("hex", INDEX_HASH_AT, RECORD),
    };
  }

  /** @param {number} height @returns {Block | undefined} */
  atHeight(height) {
    const index = height - this.#firstHeight;
    return Number.isInteger(index) && index >= 0 && index < this.#count ? this.at(index) : undefined;
  }

  /** @param {string} hex hash or index hash @returns {Block | undefined} */
  withHash(hex) {
    const hash = Buffer.from(hex, "hex");
    if (hash.length !== 32) return undefined;
    const used = this.#records.subarray(0, this.#count * RECORD);
    for (let found = used.indexOf(hash); found >= 0; found = used.indexOf(hash, found + 1)) {
      const within = found % RECORD;
      if (within === HASH_AT || within === INDEX_HASH_AT) return this.at((found - within) / RECORD);
    }
    return undefined;
  }

  /** Forgets all but the first ones. @param {number} count at least 1 */
  cut(count) {
    this.#count = count;
    this.tip = this.at(count - 1);
  }
}
