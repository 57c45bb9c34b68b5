/** Clarity values as bytes (SIP-005): reads them into a tree, and writes a tree. */
import { addressText } from "./c32.js";

/**
 * @typedef {{kind: "int" | "uint", number: bigint}} NumberValue
 * @typedef {{kind: "bool", truth: boolean}} BoolValue
 * @typedef {{kind: "buffer", bytes: Uint8Array}} BufferValue
 * @typedef {{kind: "ascii" | "utf8", text: string}} TextValue
 * @typedef {{kind: "principal", version: number, hash: Uint8Array, name: string | null}} PrincipalValue
 * @typedef {{kind: "none"}} NoneValue
 * @typedef {{kind: "some" | "ok" | "err", inner: Value}} WrappedValue
 * @typedef {{kind: "list", items: Value[]}} ListValue
 * @typedef {{kind: "tuple", fields: [string, Value][]}} TupleValue
 * @typedef {NumberValue | BoolValue | BufferValue | TextValue | PrincipalValue | NoneValue | WrappedValue | ListValue | TupleValue} Value
 */

const TAG = {
  int: 0,
  uint: 1,
  buffer: 2,
  true: 3,
  false: 4,
  address: 5,
  contract: 6,
  ok: 7,
  err: 8,
  none: 9,
  some: 10,
  list: 11,
  tuple: 12,
  ascii: 13,
  utf8: 14,
};
const MAX_DEPTH = 64;
const NUMBER_BYTES = 16;

/** @param {string} hex with 0x or without @returns {Uint8Array} */
export function bytesOf(hex) {
  const digits = hex.replace(/^0x/, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new Error("expected hex digits in pairs");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes @returns {string} hex with 0x */
export function hexOf(bytes) {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** @param {PrincipalValue} principal @returns {string} an address or a contract id */
export function principalText({ version, hash, name }) {
  const address = addressText(version, hash);
  return name === null ? address : `${address}.${name}`;
}

/** @param {string} hex @returns {Value} @throws {Error} if it is not exactly one value */
export function decode(hex) {
  const reader = new Reader(bytesOf(hex));
  const value = reader.value(0);
  if (reader.left > 0) throw new Error(`${reader.left} bytes follow the value`);
  return value;
}

class Reader {
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left() {
    return this.bytes.length - this.#at;
  }

  /** @param {number} length @returns {Uint8Array} */
  take(length) {
    if (length > this.left) throw new Error(`the value ends ${length - this.left} bytes too early`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  length() {
    this.take(4);
    return this.view.getUint32(this.#at - 4);
  }

  name() {
    return textOf(this.take(this.take(1)[0]));
  }

  /** @param {number} depth @returns {Value} */
  value(depth) {
    if (depth > MAX_DEPTH) throw new Error("the value is nested too deeply");
    const [tag] = this.take(1);
    switch (tag) {
      case TAG.int:
      case TAG.uint: {
        const number = BigInt(hexOf(this.take(NUMBER_BYTES)));
        return tag === TAG.uint ? { kind: "uint", number } : { kind: "int", number: BigInt.asIntN(128, number) };
      }
      case TAG.buffer:
        return { kind: "buffer", bytes: this.take(this.length()) };
      case TAG.true:
      case TAG.false:
        return { kind: "bool", truth: tag === TAG.true };
      case TAG.address:
      case TAG.contract: {
        const [version] = this.take(1);
        return { kind: "principal", version, hash: this.take(20), name: tag === TAG.contract ? this.name() : null };
      }
      case TAG.ok:
        return { kind: "ok", inner: this.value(depth + 1) };
      case TAG.err:
        return { kind: "err", inner: this.value(depth + 1) };
      case TAG.none:
        return { kind: "none" };
      case TAG.some:
        return { kind: "some", inner: this.value(depth + 1) };
      case TAG.list: {
        const count = this.length();
        /** @type {Value[]} */
        const items = [];
        while (items.length < count) items.push(this.value(depth + 1));
        return { kind: "list", items };
      }
      case TAG.tuple: {
        const count = this.length();
        /** @type {[string, Value][]} */
        const fields = [];
        while (fields.length < count) fields.push([this.name(), this.value(depth + 1)]);
        return { kind: "tuple", fields };
      }
      case TAG.ascii:
        return { kind: "ascii", text: textOf(this.take(this.length())) };
      case TAG.utf8:
        return { kind: "utf8", text: textOf(this.take(this.length())) };
      default:
        throw new Error(`no value begins with the byte ${tag}`);
    }
  }
}

/** @param {Uint8Array} bytes @returns {string} */
function textOf(bytes) {
  return new TextDecoder().decode(bytes);
}

/** @param {Value} value @returns {Uint8Array} */
export function encode(value) {
  return Uint8Array.from(parts(value));
}

/** @param {Value} value @returns {number[]} */
function parts(value) {
  switch (value.kind) {
    case "int":
    case "uint": {
      const digits = BigInt.asUintN(128, value.number).toString(16).padStart(32, "0");
      return [TAG[value.kind], ...bytesOf(digits)];
    }
    case "bool":
      return [value.truth ? TAG.true : TAG.false];
    case "buffer":
      return [TAG.buffer, ...lengthOf(value.bytes), ...value.bytes];
    case "ascii":
    case "utf8": {
      const bytes = new TextEncoder().encode(value.text);
      return [TAG[value.kind], ...lengthOf(bytes), ...bytes];
    }
    case "principal": {
      const own = [value.name === null ? TAG.address : TAG.contract, value.version, ...value.hash];
      return value.name === null ? own : [...own, ...named(value.name)];
    }
    case "none":
      return [TAG.none];
    case "some":
    case "ok":
    case "err":
      return [TAG[value.kind], ...parts(value.inner)];
    case "list":
      return [TAG.list, ...lengthOf(value.items), ...value.items.flatMap(parts)];
    case "tuple": {
      // Fields are in the order of their names' bytes.
      const fields = [...value.fields].sort(([a], [b]) => (a < b ? -1 : 1));
      return [TAG.tuple, ...lengthOf(fields), ...fields.flatMap(([name, field]) => [...named(name), ...parts(field)])];
    }
  }
}

/** @param {string} name @returns {number[]} */
function named(name) {
  return [name.length, ...new TextEncoder().encode(name)];
}

/** @param {{length: number}} list @returns {number[]} four bytes */
function lengthOf({ length }) {
  return [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
}
