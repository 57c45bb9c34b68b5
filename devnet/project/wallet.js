/** Private keys from Clarinet's mnemonics: BIP-39 seed, BIP-32 derivation. */
import { createHmac, pbkdf2Sync } from "node:crypto";
import { pointFromScalar, privateAdd } from "tiny-secp256k1";
import { addressText, TESTNET_VERSIONS } from "../address.js";
import { hash160 } from "../wire/hash.js";

export const DEFAULT_DERIVATION = "m/44'/5757'/0'/0/0";
const HARDENED = 0x80000000;
const SEED_ROUNDS = 2048;

/**
 * @param {string} mnemonic words, space-separated
 * @param {string} path such as m/44'/5757'/0'/0/0
 * @returns {Buffer} 32 bytes
 */
export function derivePrivateKey(mnemonic, path) {
  const words = mnemonic.normalize("NFKD").trim().split(/\s+/).join(" ");
  const seed = pbkdf2Sync(words, "mnemonic", SEED_ROUNDS, 64, "sha512");
  let node = split(createHmac("sha512", "Bitcoin seed").update(seed).digest());
  for (const step of path.split("/").slice(1)) {
    const index = Number.parseInt(step, 10) + (step.endsWith("'") ? HARDENED : 0);
    if (!Number.isInteger(index)) throw new Error(`derivation path ${path} has the invalid step ${step}`);
    node = child(node, index);
  }
  return node.key;
}

/** @typedef {{key: Buffer, chainCode: Buffer}} Node */

/** @param {Buffer} digest @returns {Node} */
function split(digest) {
  return { key: digest.subarray(0, 32), chainCode: digest.subarray(32) };
}

/** @param {Node} node @param {number} index @returns {Node} */
function child({ key, chainCode }, index) {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(index);
  const material = index >= HARDENED ? Buffer.concat([Buffer.of(0), key]) : publicKey(key);
  const { key: tweak, chainCode: next } = split(createHmac("sha512", chainCode).update(material).update(number).digest());
  const derived = privateAdd(key, tweak);
  if (!derived) throw new Error("this mnemonic and path have no valid key (a chance of 1 in 2^127)");
  return { key: Buffer.from(derived), chainCode: next };
}

/** @param {Buffer} privateKey 32 bytes @returns {Buffer} 33 bytes */
export function publicKey(privateKey) {
  return Buffer.from(/** @type {Uint8Array} */ (pointFromScalar(privateKey, true)));
}

/** @param {Buffer} privateKey @returns {string} its single-signature address on test networks */
export function addressOf(privateKey) {
  return addressText(TESTNET_VERSIONS.singleSig, hash160(publicKey(privateKey)));
}
