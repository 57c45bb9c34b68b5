/** Stacks addresses: c32check, with its own SHA-256, since browsers offer theirs to https pages only. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HASH_BYTES = 20;
const CHECKSUM_BYTES = 4;
const NAME = /^[a-zA-Z][a-zA-Z0-9_-]{0,127}$/;

/** @typedef {{version: number, hash: Uint8Array, name: string | null}} Principal */

/** @param {string} text an address or a contract id @returns {Principal | null} null if it is neither */
export function parsePrincipal(text) {
  const [address, name = null, ...rest] = text.split(".");
  if (rest.length > 0 || (name !== null && !NAME.test(name))) return null;
  const parsed = parseAddress(address.toUpperCase());
  return parsed && { ...parsed, name };
}

/** @param {string} address @returns {{version: number, hash: Uint8Array} | null} */
function parseAddress(address) {
  const digits = [...address.slice(1)].map((digit) => ALPHABET.indexOf(digit));
  if (address[0] !== "S" || digits.length < 2 || digits.length > 41 || digits.includes(-1)) return null;
  const [version, ...rest] = digits;
  let number = rest.reduce((sum, digit) => sum * 32n + BigInt(digit), 0n);
  const bytes = new Uint8Array(HASH_BYTES + CHECKSUM_BYTES);
  for (let index = bytes.length - 1; index >= 0; index--, number >>= 8n) bytes[index] = Number(number & 0xffn);
  const hash = bytes.slice(0, HASH_BYTES);
  return addressText(version, hash) === address ? { version, hash } : null;
}

/** @param {number} version @param {Uint8Array} hash 20 bytes @returns {string} */
export function addressText(version, hash) {
  const checksum = sha256(sha256(Uint8Array.of(version, ...hash))).slice(0, CHECKSUM_BYTES);
  const bytes = [...hash, ...checksum];
  const zeros = bytes.findIndex((byte) => byte !== 0);
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let digits = "";
  for (; number > 0n; number /= 32n) digits = ALPHABET[Number(number % 32n)] + digits;
  return `S${ALPHABET[version]}${"0".repeat(Math.max(0, zeros))}${digits}`;
}

/** @param {number} power @param {number} count @returns {number[]} the first 32 bits of the fractions of roots of primes */
function rootsOfPrimes(power, count) {
  const roots = [];
  for (let candidate = 2; roots.length < count; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) isPrime = false;
    if (isPrime) roots.push(((candidate ** (1 / power) % 1) * 2 ** 32) | 0);
  }
  return roots;
}

const ROUNDS = rootsOfPrimes(3, 64);
const START = rootsOfPrimes(2, 8);

/** @param {number} word @param {number} by */
function rotate(word, by) {
  return (word >>> by) | (word << (32 - by));
}

/** @param {Uint8Array} message @returns {Uint8Array} FIPS 180-4 */
export function sha256(message) {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length * 8);
  const state = Int32Array.from(START);
  const words = new Int32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    for (let index = 0; index < 16; index++) words[index] = view.getInt32(block + 4 * index);
    for (let index = 16; index < 64; index++) {
      const [early, late] = [words[index - 15], words[index - 2]];
      const first = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
      const second = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
      words[index] = words[index - 16] + first + words[index - 7] + second;
    }
    let [a, b, c, d, e, f, g, last] = state;
    for (let index = 0; index < 64; index++) {
      const mixed = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const sum = (last + mixed + ((e & f) ^ (~e & g)) + ROUNDS[index] + words[index]) | 0;
      const other = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [last, g, f, e, d, c, b, a] = [g, f, e, (d + sum) | 0, c, b, a, (sum + other) | 0];
    }
    [a, b, c, d, e, f, g, last].forEach((word, index) => (state[index] += word));
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setInt32(4 * index, word));
  return new Uint8Array(digest.buffer);
}
