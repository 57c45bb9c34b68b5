/**
 * The type of a value by itself, as a node determines it when it decodes a value of unknown type.
 *
 * A list has the smallest type that fits all its items; if there is none, a node refuses the value. Sizes are the
 * node's own measure: the largest size of a value of the type (stacks-core, clarity-types/src/types/signatures.rs:
 * `least_supertype`, `inner_size`).
 */

/** @typedef {import("./abi.js").AbiType} AbiType */
/** @typedef {import("./value.js").ClarityValue} ClarityValue */

const MAX_SIZE = 1024 * 1024;

/**
 * @param {ClarityValue} value
 * @returns {AbiType | null} null if it has no type, or one that is too large. The type of a missing value is "none"
 */
export function typeOf(value) {
  switch (value.kind) {
    case "int":
      return "int128";
    case "uint":
      return "uint128";
    case "bool":
      return "bool";
    case "principal":
      return "principal";
    case "buffer":
      return { buffer: { length: value.value.length } };
    case "ascii":
      return { "string-ascii": { length: value.value.length } };
    case "utf8":
      return { "string-utf8": { length: [...value.value].length } };
    case "none":
      return { optional: "none" };
    case "some":
      return around(value.value, (inner) => ({ optional: inner }));
    case "ok":
      return around(value.value, (inner) => ({ response: { ok: inner, error: "none" } }));
    case "err":
      return around(value.value, (inner) => ({ response: { ok: "none", error: inner } }));
    case "list":
      return typeOfList(value.items);
    case "tuple":
      return typeOfTuple(value.fields);
  }
}

/** @param {ClarityValue} value @param {(inner: AbiType) => AbiType} wrap */
function around(value, wrap) {
  const inner = typeOf(value);
  return inner && unlessTooLarge(wrap(inner));
}

/** @param {ClarityValue[]} items @returns {AbiType | null} */
function typeOfList(items) {
  /** @type {AbiType} */
  let type = "none";
  for (const item of items) {
    const next = typeOf(item);
    /** @type {AbiType | null} */
    const both = next && leastSupertype(type, next);
    if (!both) return null;
    type = both;
  }
  return unlessTooLarge({ list: { type, length: items.length } });
}

/** @param {[string, ClarityValue][]} fields @returns {AbiType | null} */
function typeOfTuple(fields) {
  const tuple = [];
  for (const [name, value] of fields) {
    const type = typeOf(value);
    if (!type) return null;
    tuple.push({ name, type });
  }
  return unlessTooLarge({ tuple });
}

/** @param {AbiType} type @returns {AbiType | null} */
function unlessTooLarge(type) {
  return sizesOf(type).value > MAX_SIZE ? null : type;
}

/**
 * @param {AbiType} a the type of the earlier items
 * @param {AbiType} b the type of the next item; if both are tuples, it may have more fields, which are ignored
 * @returns {AbiType | null} the smallest type that fits the values of both, or null
 */
function leastSupertype(a, b) {
  if (b === "none") return a;
  if (a === "none") return b;
  if (typeof a === "string" || typeof b === "string") return a === b ? a : null;
  if ("buffer" in a && "buffer" in b) return a.buffer.length >= b.buffer.length ? a : b;
  if ("string-ascii" in a && "string-ascii" in b) return a["string-ascii"].length >= b["string-ascii"].length ? a : b;
  if ("string-utf8" in a && "string-utf8" in b) return a["string-utf8"].length >= b["string-utf8"].length ? a : b;
  if ("optional" in a && "optional" in b) {
    const optional = leastSupertype(a.optional, b.optional);
    return optional && { optional };
  }
  if ("response" in a && "response" in b) {
    const ok = leastSupertype(a.response.ok, b.response.ok);
    const error = leastSupertype(a.response.error, b.response.error);
    return ok && error && { response: { ok, error } };
  }
  if ("list" in a && "list" in b) {
    const type = leastSupertype(a.list.type, b.list.type);
    return type && { list: { type, length: Math.max(a.list.length, b.list.length) } };
  }
  return "tuple" in a && "tuple" in b ? leastSupertuple(a.tuple, b.tuple) : null;
}

/** @param {{name: string, type: AbiType}[]} a @param {{name: string, type: AbiType}[]} b @returns {AbiType | null} */
function leastSupertuple(a, b) {
  const others = new Map(b.map(({ name, type }) => [name, type]));
  const tuple = [];
  for (const { name, type } of a) {
    const other = others.get(name);
    const both = other && leastSupertype(type, other);
    if (!both) return null;
    tuple.push({ name, type: both });
  }
  return { tuple };
}

const SCALAR_BYTES = { none: 1, int128: 16, uint128: 16, bool: 1, principal: 148, trait_reference: 148 };

/** @param {AbiType} type @returns {{value: number, type: number}} the size of a value, and of the type itself */
function sizesOf(type) {
  if (typeof type === "string") return { value: SCALAR_BYTES[type], type: 1 };
  if ("buffer" in type) return { value: 4 + type.buffer.length, type: 5 };
  if ("string-ascii" in type) return { value: 4 + type["string-ascii"].length, type: 5 };
  if ("string-utf8" in type) return { value: 4 + 4 * type["string-utf8"].length, type: 5 };
  if ("optional" in type) {
    const inner = sizesOf(type.optional);
    return { value: inner.value + 1, type: inner.type + 1 };
  }
  if ("response" in type) {
    const [ok, error] = [sizesOf(type.response.ok), sizesOf(type.response.error)];
    return { value: Math.max(ok.value, error.value) + 1, type: ok.type + error.type + 1 };
  }
  if ("list" in type) {
    const item = sizesOf(type.list.type);
    return { value: item.value * type.list.length + item.type + 5, type: item.type + 5 };
  }
  const names = type.tuple.reduce((sum, { name }) => sum + 2 + name.length, 0);
  const fields = type.tuple.map((field) => sizesOf(field.type));
  const ownSize = fields.reduce((sum, field) => sum + field.type, names);
  return { value: fields.reduce((sum, field) => sum + field.value, names + ownSize), type: ownSize };
}
