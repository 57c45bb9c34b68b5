/** The blocks of the chain, 88 bytes each, in an archive. Their heights have no gaps. */
import { identityOf } from "../wire/block.js";
import { Archive } from "./archive.js";

const RECORD = 88;
/** How many blocks are read at once in a search. */
const RECORDS_AT_ONCE = 4096;
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
  #archive = new Archive();
  #count = 0;
  #firstHeight = 0;
  /** The newest block, cached because most requests need it. @type {Block} */
  tip = /** @type {never} */ (undefined);

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
    const { hash, id } = identityOf({ height, burnHeight, time, parentId: this.#idOf(this.tip), txids });
    const record = Buffer.alloc(HASH_AT);
    record.writeDoubleLE(time);
    record.writeUInt32LE(burnHeight, 8);
    record.writeUInt32LE(firstTransaction, 12);
    record.writeUInt32LE(txids.length, 16);
    this.#archive.append(Buffer.concat([record, hash, id]));
    this.#count += 1;
    this.tip = this.at(this.#count - 1);
    return this.tip;
  }

  /** @param {Block} block @returns {Buffer} its parent's id */
  parentIdOf({ height }) {
    return this.#idOf(this.atHeight(height - 1));
  }

  /** @param {Block | undefined} block */
  #idOf(block) {
    return block ? Buffer.from(block.indexHash, "hex") : Buffer.alloc(INDEX_HASH_AT - HASH_AT);
  }

  /** @param {number} index counted from the first block @returns {Block} */
  at(index) {
    const record = this.#archive.read(index * RECORD, RECORD);
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
    for (let first = 0; first < this.#count; first += RECORDS_AT_ONCE) {
      const records = this.#archive.read(first * RECORD, Math.min(RECORDS_AT_ONCE, this.#count - first) * RECORD);
      for (let found = records.indexOf(hash); found >= 0; found = records.indexOf(hash, found + 1)) {
        const within = found % RECORD;
        if (within === HASH_AT || within === INDEX_HASH_AT) return this.at(first + (found - within) / RECORD);
      }
    }
    return undefined;
  }

  /** Drops all but the first blocks. @param {number} count how many to keep, at least 1 */
  cut(count) {
    this.#archive.cut(count * RECORD);
    this.#count = count;
    this.tip = this.at(count - 1);
  }

  close() {
    this.#archive.close();
  }
}
