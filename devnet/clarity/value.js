/**
 * Serialized Clarity values: a decoder, and the text forms that are in use.
 *
 * In transactions it accepts exactly what the node's serializer could have written (SIP-005): no trailing bytes, tuple
 * keys in byte order, valid text. A transaction with anything else cannot have a valid signature, since the node hashes
 * its own serialization. Where nothing is signed, a node reads tuples in any order and ignores bytes after a value.
 */
import { addressText } from "../address.js";
import { encodeValue } from "./encode.js";
import { typeOf } from "./types.js";

const MAX_NESTING = 15;
const MAX_VALUE_BYTES = 1024 * 1024;
export const CLARITY_NAME = /^(?:[a-zA-Z][a-zA-Z0-9\-_!?+<>=/*]*|[-+=/*]|[<>]=?)$/;
const CONTRACT_NAME = /^(?:[a-zA-Z][a-zA-Z0-9_-]{0,127}|__transient)$/;
const ASCII_TEXT = /^[\x20-\x7e\t\n\x0c\r]*$/;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * @typedef {{kind: "int" | "uint", value: bigint}} IntegerValue
 * @typedef {{kind: "bool", value: boolean}} BoolValue
 * @typedef {{kind: "buffer", value: Buffer}} BufferValue
 * @typedef {{kind: "ascii" | "utf8", value: string}} TextValue
 * @typedef {{kind: "principal", value: string, version: number}} PrincipalValue `ADDRESS` or `ADDRESS.name`
 * @typedef {{kind: "ok" | "err" | "some", value: ClarityValue}} WrappedValue
 * @typedef {{kind: "none"}} NoneValue
 * @typedef {{kind: "list", items: ClarityValue[]}} ListValue
 * @typedef {{kind: "tuple", fields: [string, ClarityValue][]}} TupleValue
 * @typedef {IntegerValue | BoolValue | BufferValue | TextValue | PrincipalValue | WrappedValue | NoneValue | ListValue | TupleValue} ClarityValue
 */

/** Bytes that are not a canonical encoding. */
export class DecodeError extends Error {}

/** Reads big-endian fields in sequence, and never past the end. */
export class ByteReader {
  /**
   * @param {Buffer} bytes
   * @param {{anyOrder?: boolean, trusted?: boolean}} [options] anyOrder: the fields of tuples may be in any order; trusted:
   *   values are the VM's own, which may be nested more deeply and be larger than those in requests
   */
  constructor(bytes, { anyOrder = false, trusted = false } = {}) {
    this.bytes = bytes;
    this.trusted = trusted;
    this.offset = 0;
    this.anyOrder = anyOrder;
    /** Whether a tuple was not in a node's order. */
    this.sawDisorder = false;
  }

  /** @param {number} length @returns {Buffer} a view, not a copy */
  take(length) {
    const end = this.offset + length;
    if (end > this.bytes.length) throw new DecodeError(`unexpected end at byte ${this.bytes.length}`);
    const part = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  u8() {
    return this.take(1)[0];
  }

  u16() {
    return this.take(2).readUInt16BE();
  }

  u32() {
    return this.take(4).readUInt32BE();
  }

  u64() {
    return this.take(8).readBigUInt64BE();
  }

  /** @param {string} what @returns {string} */
  clarityName(what) {
    return this.#name(what, CLARITY_NAME, 128);
  }

  /** @param {number} limit @returns {string} */
  contractName(limit) {
    return this.#name("contract name", CONTRACT_NAME, limit);
  }

  /** @param {string} what @param {RegExp} pattern @param {number} limit */
  #name(what, pattern, limit) {
    const start = this.offset;
    const text = this.take(this.u8()).toString("latin1");
    if (text.length > limit || !pattern.test(text)) throw new DecodeError(`invalid ${what} at byte ${start}`);
    return text;
  }
}

/**
 * @param {Buffer} bytes the bytes of a value that the VM returned or accepted
 * @returns {ClarityValue}
 * @throws {DecodeError}
 */
export function decodeValue(bytes) {
  return decodeWhole(new ByteReader(bytes, { trusted: true }), readValue);
}

/**
 * @param {Buffer} bytes the bytes of an argument in a transaction
 * @returns {ClarityValue}
 * @throws {DecodeError}
 */
export function decodeArgument(bytes) {
  return decodeWhole(new ByteReader(bytes), readArgument);
}

/** @param {ByteReader} reader @param {(reader: ByteReader) => ClarityValue} read */
function decodeWhole(reader, read) {
  const value = read(reader);
  const left = reader.bytes.length - reader.offset;
  if (left > 0) throw new DecodeError(`${left} bytes after the value`);
  return value;
}

/**
 * Reads a value as a node does where nothing is signed.
 *
 * @param {Buffer} bytes
 * @returns {{value: ClarityValue, bytes: Buffer}} the value, and its bytes as a node writes them
 * @throws {DecodeError}
 */
export function decodeLoosely(bytes) {
  const reader = new ByteReader(bytes.subarray(0, MAX_VALUE_BYTES), { anyOrder: true });
  const value = readArgument(reader);
  return { value, bytes: reader.sawDisorder ? encodeValue(value) : bytes.subarray(0, reader.offset) };
}

/**
 * @param {ByteReader} reader
 * @returns {ClarityValue} a value of unknown type, which must be determinable from the value
 * @throws {DecodeError}
 */
export function readArgument(reader) {
  const start = reader.offset;
  const value = readValue(reader);
  if (!typeOf(value))
    throw new DecodeError(`value at byte ${start} has no type: its lists have items of several types, or it is too large`);
  return value;
}

/**
 * @param {ByteReader} reader
 * @param {number} [nesting]
 * @returns {ClarityValue}
 */
export function readValue(reader, nesting = 0) {
  const start = reader.offset;
  const value = readTagged(reader, nesting);
  if (reader.offset - start > MAX_VALUE_BYTES && !reader.trusted) throw new DecodeError(`value at byte ${start} is larger than 1 MiB`);
  return value;
}

/**
 * @param {ByteReader} reader
 * @param {number} nesting
 * @returns {ClarityValue}
 */
function readTagged(reader, nesting) {
  const start = reader.offset;
  const tag = reader.u8();
  if (tag === 7 || tag === 8 || tag === 10 || tag === 12) checkNesting(reader, start, nesting);
  switch (tag) {
    case 0:
      return { kind: "int", value: BigInt.asIntN(128, readU128(reader)) };
    case 1:
      return { kind: "uint", value: readU128(reader) };
    case 2:
      return { kind: "buffer", value: reader.take(reader.u32()) };
    case 3:
      return { kind: "bool", value: true };
    case 4:
      return { kind: "bool", value: false };
    case 5:
      return readPrincipal(reader, false);
    case 6:
      return readPrincipal(reader, true);
    case 7:
      return { kind: "ok", value: readTagged(reader, nesting + 1) };
    case 8:
      return { kind: "err", value: readTagged(reader, nesting + 1) };
    case 9:
      return { kind: "none" };
    case 10:
      return { kind: "some", value: readTagged(reader, nesting + 1) };
    case 11:
      return readList(reader, nesting);
    case 12:
      return readTuple(reader, nesting);
    case 13:
      return readAscii(reader);
    case 14:
      return readUtf8(reader);
    default:
      throw new DecodeError(`bad type prefix ${tag} at byte ${start}`);
  }
}

/** @param {ByteReader} reader @param {number} start @param {number} nesting */
function checkNesting(reader, start, nesting) {
  if (nesting >= MAX_NESTING && !reader.trusted) throw new DecodeError(`value at byte ${start} is nested more than ${MAX_NESTING} deep`);
}

/** @param {ByteReader} reader */
function readU128(reader) {
  return (reader.u64() << 64n) | reader.u64();
}

/** @param {ByteReader} reader @param {boolean} withName @returns {PrincipalValue} */
function readPrincipal(reader, withName) {
  const start = reader.offset;
  const version = reader.u8();
  if (version >= 32) throw new DecodeError(`address version ${version} at byte ${start} is not below 32`);
  const address = addressText(version, reader.take(20));
  return { kind: "principal", value: withName ? `${address}.${reader.contractName(128)}` : address, version };
}

/** @param {ByteReader} reader @param {number} nesting @returns {ListValue} */
function readList(reader, nesting) {
  const start = reader.offset;
  const count = reader.u32();
  if (count > 0) checkNesting(reader, start, nesting); // an empty list counts like a number, also for a node
  if (count > reader.bytes.length - reader.offset) throw new DecodeError(`list of ${count} items is longer than its bytes`);
  const items = [];
  for (let i = 0; i < count; i++) items.push(readTagged(reader, nesting + 1));
  return { kind: "list", items };
}

/** @param {ByteReader} reader @param {number} nesting @returns {TupleValue} */
function readTuple(reader, nesting) {
  const count = reader.u32();
  if (count === 0) throw new DecodeError("a tuple without fields");
  if (count > reader.bytes.length - reader.offset) throw new DecodeError(`tuple of ${count} fields is longer than its bytes`);
  /** @type {[string, ClarityValue][]} */
  const fields = [];
  let ordered = true;
  for (let i = 0; i < count; i++) {
    const start = reader.offset;
    const name = reader.clarityName("tuple key");
    // Names are ASCII, so comparing UTF-16 units compares bytes.
    if (i > 0 && name <= fields[i - 1][0]) {
      if (!reader.anyOrder) throw new DecodeError(`tuple key ${name} at byte ${start} is out of order`);
      ordered = false;
    }
    fields.push([name, readTagged(reader, nesting + 1)]);
  }
  if (!ordered) {
    reader.sawDisorder = true;
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    if (fields.some(([name], i) => i > 0 && name === fields[i - 1][0])) throw new DecodeError("a tuple with the same key twice");
  }
  return { kind: "tuple", fields };
}

/** @param {ByteReader} reader @returns {TextValue} */
function readAscii(reader) {
  const start = reader.offset;
  const value = reader.take(reader.u32()).toString("latin1");
  if (!ASCII_TEXT.test(value)) throw new DecodeError(`string-ascii at byte ${start} has other characters`);
  return { kind: "ascii", value };
}

/** @param {ByteReader} reader @returns {TextValue} */
function readUtf8(reader) {
  const start = reader.offset;
  const bytes = reader.take(reader.u32());
  try {
    return { kind: "utf8", value: utf8.decode(bytes) };
  } catch {
    throw new DecodeError(`string-utf8 at byte ${start} is not valid UTF-8`);
  }
}

/**
 * The text of a value.
 *
 * @param {ClarityValue} value
 * @param {"api" | "node" | "literal"} style the API writes `(list u1)`, `'ST…` and `u"é"`; the node `(u1)`, `ST…` and
 *   `u"\u{c3a9}"`; a literal is Clarity syntax, like the API's except for `u"\u{e9}"`
 * @returns {string}
 */
export function valueText(value, style = "api") {
  switch (value.kind) {
    case "int":
      return value.value.toString();
    case "uint":
      return `u${value.value}`;
    case "bool":
      return String(value.value);
    case "buffer":
      return `0x${value.value.toString("hex")}`;
    case "ascii":
      return `"${escapeText(value.value)}"`;
    case "utf8":
      return `u"${UTF8_TEXT[style](value.value)}"`;
    case "principal":
      return style === "node" ? value.value : `'${value.value}`;
    case "none":
      return "none";
    case "ok":
    case "err":
    case "some":
      return `(${value.kind} ${valueText(value.value, style)})`;
    case "list": {
      const items = value.items.map((item) => valueText(item, style));
      return style === "node" ? `(${items.join(" ")})` : `(${["list", ...items].join(" ")})`;
    }
    case "tuple":
      return `(tuple ${value.fields.map(([name, item]) => `(${name} ${valueText(item, style)})`).join(" ")})`;
  }
}

/** @param {string} text */
function escapeText(text) {
  const named = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return text.replace(/[\\"\n\r\t]/g, (character) => named[/** @type {"\n"} */ (character)]);
}

/** @param {string} text @param {(character: string) => string} digits returns the digits of a character beyond ASCII */
function escapeWide(text, digits) {
  return [...text].map((c) => (c.charCodeAt(0) < 0x80 ? escapeText(c) : `\\u{${digits(c)}}`)).join("");
}

const UTF8_TEXT = {
  api: escapeText,
  node: (/** @type {string} */ text) => escapeWide(text, (c) => Buffer.from(c, "utf8").toString("hex")),
  literal: (/** @type {string} */ text) => escapeWide(text, (c) => /** @type {number} */ (c.codePointAt(0)).toString(16)),
};

/** @param {string} hex with or without 0x @returns {{hex: string, repr: string}} the value as the API shows it */
export function valueJson(hex) {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  return { hex: `0x${digits}`, repr: valueText(decodeValue(Buffer.from(digits, "hex"))) };
}
