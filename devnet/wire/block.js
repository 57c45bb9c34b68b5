/**
 * The wire format of Nakamoto blocks (SIP-021, and SIP-044 for epoch 4.0): header, hash, id, and the Merkle tree over
 * transactions. Parts that the devnet does not have are zero: signatures, Bitcoin spent, the state root.
 */
import { sha512_256 } from "./hash.js";

const EPOCH_4_VERSION = 1;
const NO_HASH = Buffer.alloc(32);
const NO_SIGNATURE = Buffer.alloc(65);
const NO_SIGNATURES = Buffer.alloc(4);
/** One reward slot, whose holder is paid. */
const ONE_PAID_SLOT = Buffer.from("00010000000101", "hex");
const NO_PROBLEMATIC = Buffer.alloc(4);
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/**
 * @typedef {object} Header
 * @property {number} height
 * @property {number} burnHeight
 * @property {number} time unix seconds
 * @property {Buffer} parentId its parent's id; zeros for the first block
 * @property {string[]} txids
 */

/** There is no Bitcoin behind the devnet. @param {number} burnHeight @returns {Buffer} 20 bytes, the same for each height */
export function consensusHash(burnHeight) {
  return sha512_256(Buffer.from(`consensus ${burnHeight}`)).subarray(0, 20);
}

/** @param {Header} header @returns {{hash: Buffer, id: Buffer}} */
export function identityOf(header) {
  const hash = sha512_256(beforeSigners(header), ONE_PAID_SLOT, NO_PROBLEMATIC);
  return { hash, id: sha512_256(hash, consensusHash(header.burnHeight)) };
}

/** @param {Header} header @param {Buffer[]} transactions their bytes @returns {Buffer} */
export function blockBytes(header, transactions) {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(transactions.length);
  return Buffer.concat([beforeSigners(header), NO_SIGNATURES, ONE_PAID_SLOT, NO_PROBLEMATIC, count, ...transactions]);
}

/** @param {Header} header */
function beforeSigners({ height, burnHeight, time, parentId, txids }) {
  const start = Buffer.alloc(17);
  start[0] = EPOCH_4_VERSION;
  start.writeBigUInt64BE(BigInt(height), 1);
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(time));
  return Buffer.concat([start, consensusHash(burnHeight), parentId, merkleRoot(txids), NO_HASH, timestamp, NO_SIGNATURE]);
}

/**
 * @param {string[]} txids hex
 * @returns {Buffer} the root; a level with an odd number of nodes repeats the last one, also that of the leaves
 */
export function merkleRoot(txids) {
  if (txids.length === 0) return NO_HASH;
  let level = txids.map((txid) => sha512_256(LEAF, Buffer.from(txid, "hex")));
  do {
    if (level.length % 2 === 1) level.push(level[level.length - 1]);
    level = Array.from({ length: level.length / 2 }, (_, pair) => sha512_256(NODE, level[2 * pair], level[2 * pair + 1]));
  } while (level.length > 1);
  return level[0];
}
