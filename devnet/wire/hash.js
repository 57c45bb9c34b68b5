/** The hashes of the Stacks wire format. */
import { createHash } from "node:crypto";

/** @param {...Uint8Array} parts @returns {Buffer} SHA-512/256 */
export function sha512_256(...parts) {
  const hash = createHash("sha512-256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** @param {Uint8Array} bytes @returns {Buffer} */
export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest();
}

/** @param {Uint8Array} bytes @returns {Buffer} RIPEMD-160 of SHA-256 */
export function hash160(bytes) {
  return createHash("ripemd160").update(sha256(bytes)).digest();
}
