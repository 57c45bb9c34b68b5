/** Types as text: in Clarity's syntax, and as in a node's errors. */

/** @typedef {import("./abi.js").AbiType} AbiType */

const SIMPLE_TEXTS = { int128: "int", uint128: "uint" };

/**
 * @param {AbiType} type
 * @param {string} [nothing] the text for the type of a missing value
 * @returns {string} the type as Clarity writes it, such as `(list 3 (optional (buff 20)))`
 */
export function typeText(type, nothing = "none") {
  if (typeof type === "string") return SIMPLE_TEXTS[/** @type {"int128"} */ (type)] ?? (type === "none" ? nothing : type);
  const text = (/** @type {AbiType} */ inner) => typeText(inner, nothing);
  if ("buffer" in type) return `(buff ${type.buffer.length})`;
  if ("string-ascii" in type) return `(string-ascii ${type["string-ascii"].length})`;
  if ("string-utf8" in type) return `(string-utf8 ${type["string-utf8"].length})`;
  if ("optional" in type) return `(optional ${text(type.optional)})`;
  if ("response" in type) return `(response ${text(type.response.ok)} ${text(type.response.error)})`;
  if ("list" in type) return `(list ${type.list.length} ${text(type.list.type)})`;
  return `(tuple ${type.tuple.map(({ name, type: item }) => `(${name} ${text(item)})`).join(" ")})`;
}

const SIMPLE_SIGNATURES = {
  none: "NoType",
  int128: "IntType",
  uint128: "UIntType",
  bool: "BoolType",
  principal: "PrincipalType",
  trait_reference: "CallableType(Trait)",
};

/** @param {AbiType} type @returns {string} the type as a node writes it in full */
export function signature(type) {
  if (typeof type === "string") return SIMPLE_SIGNATURES[type];
  if ("buffer" in type) return `SequenceType(BufferType(BufferLength(${type.buffer.length})))`;
  if ("string-ascii" in type) return `SequenceType(StringType(ASCII(BufferLength(${type["string-ascii"].length}))))`;
  if ("string-utf8" in type) return `SequenceType(StringType(UTF8(StringUTF8Length(${type["string-utf8"].length}))))`;
  if ("optional" in type) return `OptionalType(${signature(type.optional)})`;
  if ("response" in type) return `ResponseType((${signature(type.response.ok)}, ${signature(type.response.error)}))`;
  if ("list" in type) return `SequenceType(ListType(${listSignature(type.list)}))`;
  return `TupleType(${tupleSignature(type.tuple)})`;
}

/** @param {{type: AbiType, length: number}} list @returns {string} */
export function listSignature({ type, length }) {
  return `ListTypeData { max_len: ${length}, entry_type: ${signature(type)} }`;
}

/** @param {{name: string, type: AbiType}[]} fields @returns {string} */
export function tupleSignature(fields) {
  return `TupleTypeSignature {${fields.map(({ name, type }) => ` "${name}": ${typeText(type, "UnknownType")},`).join("")}}`;
}
