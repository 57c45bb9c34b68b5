/** Stacks addresses: c32check text from and to version and hash160 (SIP-005). */
import { createHash } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Characters that people mistype, and what the alphabet's designer reads them as. */
const ALIASES = { O: "0", L: "1", I: "1" };

/** Address versions of the test networks: single-signature (ST) and multi-signature (SN). */
export const TESTNET_VERSIONS = { singleSig: 26, multiSig: 21 };

/** @type {Map<string, string>} */
const textCache = new Map();
const CACHE_SIZE = 10_000;

/** @param {Uint8Array} bytes */
function checksum(bytes) {
  const once = createHash("sha256").update(bytes).digest();
  return createHash("sha256").update(once).digest().subarray(0, 4);
}

/**
 * @param {number} version 0 to 31
 * @param {Buffer} hash160 20 bytes
 * @returns {string}
 */
export function addressText(version, hash160) {
  const key = version + hash160.toString("latin1");
  const cached = textCache.get(key);
  if (cached) return cached;
  const payload = Buffer.concat([hash160, checksum(Buffer.concat([Buffer.of(version), hash160]))]);
  let digits = "";
  for (let number = BigInt(`0x${payload.toString("hex")}`); number > 0n; number /= 32n) {
    digits = ALPHABET[Number(number % 32n)] + digits;
  }
  const leadingZeros = payload.findIndex((byte) => byte !== 0);
  const text = `S${ALPHABET[version]}${"0".repeat(leadingZeros < 0 ? payload.length : leadingZeros)}${digits}`;
  if (textCache.size >= CACHE_SIZE) textCache.clear();
  textCache.set(key, text);
  return text;
}

/**
 * @param {string} text
 * @returns {{version: number, hash160: Buffer} | null} null if it is not an address
 */
export function parseAddress(text) {
  if (typeof text !== "string" || text.length < 3 || text.length > 50 || text[0] !== "S") return null;
  const digits = [...text.slice(1).toUpperCase()].map((c) => ALPHABET.indexOf(ALIASES[/** @type {"O"} */ (c)] ?? c));
  if (digits.includes(-1)) return null;
  const number = digits.slice(1).reduce((sum, digit) => sum * 32n + BigInt(digit), 0n);
  const hex = number.toString(16);
  if (hex.length > 48) return null;
  const payload = Buffer.from(hex.padStart(48, "0"), "hex");
  const [version, hash160] = [digits[0], payload.subarray(0, 20)];
  if (!checksum(Buffer.concat([Buffer.of(version), hash160])).equals(payload.subarray(20))) return null;
  return addressText(version, hash160) === canonical(text) ? { version, hash160 } : null;
}

/** @param {string} text */
function canonical(text) {
  return "S" + [...text.slice(1).toUpperCase()].map((c) => ALIASES[/** @type {"O"} */ (c)] ?? c).join("");
}

const CONTRACT_NAME = /^(?:[a-zA-Z][a-zA-Z0-9_-]{0,127}|__transient)$/;

/** @typedef {{address: string, version: number, hash160: Buffer, name: string | null}} Principal */

/**
 * @param {string} text `ADDRESS` or `ADDRESS.name`
 * @returns {Principal | null}
 */
export function parsePrincipal(text) {
  if (typeof text !== "string") return null;
  const dot = text.indexOf(".");
  const parsed = parseAddress(dot < 0 ? text : text.slice(0, dot));
  const name = dot < 0 ? null : text.slice(dot + 1);
  if (!parsed || (name !== null && !CONTRACT_NAME.test(name))) return null;
  return { ...parsed, address: addressText(parsed.version, parsed.hash160), name };
}

/** @param {number} version @returns {boolean} */
export function isTestnetVersion(version) {
  return version === TESTNET_VERSIONS.singleSig || version === TESTNET_VERSIONS.multiSig;
}
