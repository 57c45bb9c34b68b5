/** Clarity values as bytes (SIP-005), as a node's serializer writes them. */
import { parsePrincipal } from "../address.js";

/** @typedef {import("./value.js").ClarityValue} ClarityValue */

const TAG = { ok: 7, err: 8, some: 10 };

/** @param {ClarityValue} value @returns {Buffer} */
export function encodeValue(value) {
  /** @type {Buffer[]} */
  const parts = [];
  write(value, parts);
  return Buffer.concat(parts);
}

/** @param {ClarityValue} value @param {Buffer[]} parts the list to which its bytes are added */
function write(value, parts) {
  switch (value.kind) {
    case "int":
    case "uint":
      parts.push(Buffer.of(value.kind === "int" ? 0 : 1), integer(BigInt.asUintN(128, value.value)));
      return;
    case "bool":
      parts.push(Buffer.of(value.value ? 3 : 4));
      return;
    case "buffer":
      parts.push(Buffer.of(2), count(value.value.length), value.value);
      return;
    case "ascii":
      parts.push(Buffer.of(13), count(value.value.length), Buffer.from(value.value, "latin1"));
      return;
    case "utf8": {
      const bytes = Buffer.from(value.value, "utf8");
      parts.push(Buffer.of(14), count(bytes.length), bytes);
      return;
    }
    case "principal":
      parts.push(principal(value.value));
      return;
    case "none":
      parts.push(Buffer.of(9));
      return;
    case "ok":
    case "err":
    case "some":
      parts.push(Buffer.of(TAG[value.kind]));
      write(value.value, parts);
      return;
    case "list":
      parts.push(Buffer.of(11), count(value.items.length));
      for (const item of value.items) write(item, parts);
      return;
    case "tuple":
      parts.push(Buffer.of(12), count(value.fields.length));
      for (const [name, item] of value.fields) {
        parts.push(named(name));
        write(item, parts);
      }
  }
}

/** @param {bigint} value @returns {Buffer} */
function integer(value) {
  return Buffer.from(value.toString(16).padStart(32, "0"), "hex");
}

/** @param {number} value @returns {Buffer} */
function count(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param {string} name ASCII @returns {Buffer} */
function named(name) {
  return Buffer.from(`${String.fromCharCode(name.length)}${name}`, "latin1");
}

/** @param {string} text @returns {Buffer} */
function principal(text) {
  const { version, hash160, name } = /** @type {NonNullable<ReturnType<typeof parsePrincipal>>} */ (parsePrincipal(text));
  const head = Buffer.of(name === null ? 5 : 6, version);
  return Buffer.concat(name === null ? [head, hash160] : [head, hash160, named(name)]);
}
