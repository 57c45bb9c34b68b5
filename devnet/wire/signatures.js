/**
 * Finds out who signed a transaction (SIP-005 §transaction authorization, SIP-027): computes the signature hashes from
 * the raw bytes with the auth fields blanked, and recovers the public keys from the signatures.
 */
import { pointCompress, recover } from "tiny-secp256k1";
import { HASH_MODE } from "./transaction.js";
import { hash160, sha256, sha512_256 } from "./hash.js";

/** @typedef {import("./transaction.js").Transaction} Transaction */
/** @typedef {import("./transaction.js").SpendingCondition} SpendingCondition */

const AUTH_STANDARD = 4;
const AUTH_SPONSORED = 5;
/** The placeholder for the sponsor while the origin signs: a single-signature condition of zeros. */
const SPONSOR_SENTINEL = Buffer.alloc(103);
const HALF_ORDER = Buffer.from("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", "hex");

/** A signature that is missing, malformed, or from another key. */
export class SignatureError extends Error {}

/**
 * @param {Transaction} transaction
 * @throws {SignatureError}
 */
export function verifySignatures(transaction) {
  const initial = sha512_256(...blanked(transaction));
  const afterOrigin = verifyCondition(transaction.origin, initial, AUTH_STANDARD, "origin");
  if (transaction.sponsor) verifyCondition(transaction.sponsor, afterOrigin, AUTH_SPONSORED, "sponsor");
}

/**
 * The transaction's bytes with every nonce, fee and signature of the origin zeroed, and the sponsor replaced.
 *
 * @param {Transaction} transaction
 * @returns {Buffer[]}
 */
export function blanked({ raw, origin, sponsor }) {
  const afterHash = origin.start + 21;
  const [proofStart, proofEnd] = origin.proof;
  const emptyProof = origin.signature ? Buffer.alloc(65) : Buffer.alloc(4);
  const parts = [
    raw.subarray(0, afterHash),
    Buffer.alloc(16),
    raw.subarray(afterHash + 16, proofStart),
    emptyProof,
    raw.subarray(proofEnd, origin.end),
  ];
  if (sponsor) return [...parts, SPONSOR_SENTINEL, raw.subarray(sponsor.end)];
  return [...parts, raw.subarray(origin.end)];
}

/**
 * @param {SpendingCondition} condition
 * @param {Buffer} initial
 * @param {number} authFlag
 * @param {string} who
 * @returns {Buffer} the hash from which the next condition's signatures start
 */
function verifyCondition(condition, initial, authFlag, who) {
  const terms = Buffer.alloc(17);
  terms[0] = authFlag;
  terms.writeBigUInt64BE(condition.fee, 1);
  terms.writeBigUInt64BE(condition.nonce, 9);
  const sequential = condition.hashMode !== HASH_MODE.p2shNonSequential && condition.hashMode !== HASH_MODE.p2wshNonSequential;
  let current = initial;
  const publicKeys = authFields(condition).map((field) => {
    if (field.publicKey) return fullKey(field.publicKey, field.compressed, who);
    const signature = /** @type {Buffer} */ (field.signature);
    const digest = sha512_256(sequential ? current : initial, terms);
    const publicKey = recoverKey(digest, signature, field.compressed, who);
    if (sequential) current = sha512_256(digest, Buffer.of(field.compressed ? 0 : 1), signature);
    return publicKey;
  });
  if (!signerHash(condition, publicKeys).equals(condition.hash160)) {
    throw new SignatureError(`Signer hash does not equal hash of public key(s) of the ${who} ${condition.address}`);
  }
  return sequential ? current : initial;
}

/** @param {SpendingCondition} condition @returns {import("./transaction.js").AuthField[]} */
function authFields(condition) {
  if (!condition.signature) return condition.fields;
  return [{ compressed: condition.compressed, publicKey: null, signature: condition.signature }];
}

/**
 * @param {Buffer} digest
 * @param {Buffer} signature recovery id, r, s
 * @param {boolean} compressed
 * @param {string} who
 * @returns {Buffer}
 */
function recoverKey(digest, signature, compressed, who) {
  if (signature.compare(HALF_ORDER, 0, 32, 33, 65) > 0) throw new SignatureError(`high-S signature of the ${who}`);
  try {
    const key = recover(digest, signature.subarray(1), /** @type {0} */ (signature[0]), compressed);
    if (key) return Buffer.from(key);
  } catch {
    // Out of range; reported below, like a point that does not exist.
  }
  throw new SignatureError(`no public key can be recovered from the signature of the ${who}`);
}

/**
 * @param {Buffer} key 33 bytes, as always on the wire
 * @param {boolean} compressed the form that is hashed
 * @param {string} who
 */
function fullKey(key, compressed, who) {
  try {
    return Buffer.from(pointCompress(key, compressed));
  } catch {
    throw new SignatureError(`an auth field of the ${who} is not a public key`);
  }
}

/** @param {SpendingCondition} condition @param {Buffer[]} publicKeys */
function signerHash(condition, publicKeys) {
  switch (condition.hashMode) {
    case HASH_MODE.p2pkh:
      return hash160(publicKeys[0]);
    case HASH_MODE.p2wpkh:
      return hash160(Buffer.concat([Buffer.of(0x00, 0x14), hash160(publicKeys[0])]));
    case HASH_MODE.p2sh:
    case HASH_MODE.p2shNonSequential:
      return hash160(multiSigScript(condition.signaturesRequired, publicKeys));
    default: {
      const script = multiSigScript(condition.signaturesRequired, publicKeys);
      return hash160(Buffer.concat([Buffer.of(0x00, 0x20), sha256(script)]));
    }
  }
}

const CHECK_MULTI_SIG = 0xae;
const MAX_SMALL_NUMBER = 16;

/** @param {number} required @param {Buffer[]} publicKeys @returns {Buffer} Bitcoin's m-of-n script */
function multiSigScript(required, publicKeys) {
  const parts = publicKeys.flatMap((key) => [Buffer.of(key.length), key]);
  return Buffer.concat([scriptNumber(required), ...parts, scriptNumber(publicKeys.length), Buffer.of(CHECK_MULTI_SIG)]);
}

/** @param {number} value @returns {Buffer} */
function scriptNumber(value) {
  if (value === 0) return Buffer.of(0);
  if (value <= MAX_SMALL_NUMBER) return Buffer.of(0x50 + value);
  const bytes = value > 0x7f ? (value > 0x7fff ? [value & 255, value >> 8, 0] : [value & 255, value >> 8]) : [value];
  return Buffer.from([bytes.length, ...bytes]);
}
