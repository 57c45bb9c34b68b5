/** Builds and signs the two kinds of transactions the devnet itself sends: publishing contracts, and the faucet's transfers. */
import { signRecoverable } from "tiny-secp256k1";
import { parsePrincipal } from "../address.js";
import { publicKey } from "../project/wallet.js";
import { hash160, sha512_256 } from "./hash.js";
import { parseTransaction, TESTNET_CHAIN_ID } from "./transaction.js";
import { blanked } from "./signatures.js";

const NONCE_AT = 27;
const SIGNATURE_AT = 44;
const DENY_MODE = 2;
const ALLOW_MODE = 1;

/**
 * @typedef {{privateKey: Buffer, nonce: bigint, fee: bigint}} Terms fee 0 means the lowest that the mempool accepts
 */

/**
 * @param {Terms & {name: string, code: string, clarityVersion: number}} publish
 * @returns {Buffer}
 */
export function buildPublish({ name, code, clarityVersion, ...terms }) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(code));
  const head = Buffer.of(6, clarityVersion, name.length);
  // Contracts may do anything while they are published.
  return sign(terms, ALLOW_MODE, Buffer.concat([head, Buffer.from(name), length, Buffer.from(code)]));
}

/**
 * @param {Terms & {recipient: string, amount: bigint}} transfer
 * @returns {Buffer}
 */
export function buildTransfer({ recipient, amount, ...terms }) {
  const parsed = parsePrincipal(recipient);
  if (!parsed) throw new Error(`${recipient} is not a principal`);
  const { version, hash160: hash, name } = parsed;
  const suffix = name === null ? Buffer.alloc(0) : Buffer.from(`${String.fromCharCode(name.length)}${name}`, "latin1");
  const amountBytes = Buffer.alloc(8);
  amountBytes.writeBigUInt64BE(amount);
  const kind = Buffer.of(0, name === null ? 5 : 6, version);
  return sign(terms, DENY_MODE, Buffer.concat([kind, hash, suffix, amountBytes, Buffer.alloc(34)]));
}

/**
 * Builds a transaction from an address whose key is not available: without a signature, which the chain does not
 * require in this case, and with the lowest fee.
 *
 * @param {{sender: import("../address.js").Principal, nonce: bigint, payload: Buffer}} unsigned
 * @returns {Buffer}
 */
export function buildUnsigned({ sender, nonce, payload }) {
  const head = Buffer.alloc(SIGNATURE_AT + 65);
  head[0] = 0x80;
  head.writeUInt32BE(TESTNET_CHAIN_ID, 1);
  head[5] = 4;
  sender.hash160.copy(head, 7);
  const raw = Buffer.concat([head, Buffer.of(3, ALLOW_MODE, 0, 0, 0, 0), payload]);
  raw.writeBigUInt64BE(nonce, NONCE_AT);
  raw.writeBigUInt64BE(BigInt(raw.length), NONCE_AT + 8);
  return raw;
}

/** @param {Terms} terms @param {number} mode @param {Buffer} payload @returns {Buffer} */
function sign({ privateKey, nonce, fee }, mode, payload) {
  const head = Buffer.alloc(SIGNATURE_AT + 65);
  head[0] = 0x80;
  head.writeUInt32BE(TESTNET_CHAIN_ID, 1);
  head[5] = 4;
  hash160(publicKey(privateKey)).copy(head, 7);
  const raw = Buffer.concat([head, Buffer.of(3, mode, 0, 0, 0, 0), payload]);
  raw.writeBigUInt64BE(nonce, NONCE_AT);
  raw.writeBigUInt64BE(fee > 0n ? fee : BigInt(raw.length), NONCE_AT + 8);
  const terms = Buffer.concat([Buffer.of(4), raw.subarray(NONCE_AT + 8, NONCE_AT + 16), raw.subarray(NONCE_AT, NONCE_AT + 8)]);
  const digest = sha512_256(sha512_256(...blanked(parseTransaction(raw))), terms);
  const { signature, recoveryId } = signRecoverable(digest, privateKey);
  raw[SIGNATURE_AT] = recoveryId;
  Buffer.from(signature).copy(raw, SIGNATURE_AT + 1);
  return raw;
}
