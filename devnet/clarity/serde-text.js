/** Values as a node writes them to event observers: the JSON of its own data structures. */
import { parsePrincipal } from "../address.js";
import { typeOf } from "./types.js";

/** @typedef {import("./abi.js").AbiType} AbiType */
/** @typedef {import("./value.js").ClarityValue} ClarityValue */

/**
 * @param {ClarityValue} value
 * @returns {string} JSON, as text: numbers in it may be larger than those of JavaScript
 */
export function serdeText(value) {
  switch (value.kind) {
    case "int":
      return `{"Int":${value.value}}`;
    case "uint":
      return `{"UInt":${value.value}}`;
    case "bool":
      return `{"Bool":${value.value}}`;
    case "buffer":
      return `{"Sequence":{"Buffer":{"data":[${[...value.value].join()}]}}}`;
    case "ascii":
      return `{"Sequence":{"String":{"ASCII":{"data":[${[...Buffer.from(value.value, "latin1")].join()}]}}}}`;
    case "utf8":
      return `{"Sequence":{"String":{"UTF8":{"data":[${[...value.value].map((c) => `[${[...Buffer.from(c)].join()}]`).join()}]}}}}`;
    case "principal":
      return `{"Principal":${principalText(value.value)}}`;
    case "none":
      return '{"Optional":{"data":null}}';
    case "some":
      return `{"Optional":{"data":${serdeText(value.value)}}}`;
    case "ok":
    case "err":
      return `{"Response":{"committed":${value.kind === "ok"},"data":${serdeText(value.value)}}}`;
    case "list": {
      const type = /** @type {Extract<AbiType, {list: unknown}>} */ (typeOf(value));
      return `{"Sequence":{"List":{"data":[${value.items.map(serdeText).join()}],"type_signature":${listText(type.list)}}}}`;
    }
    case "tuple": {
      const type = /** @type {Extract<AbiType, {tuple: unknown}>} */ (typeOf(value));
      const fields = value.fields.map(([name, item]) => `${JSON.stringify(name)}:${serdeText(item)}`).join();
      return `{"Tuple":{"type_signature":${tupleText(type.tuple)},"data_map":{${fields}}}}`;
    }
  }
}

/** @param {string} principal */
function principalText(principal) {
  const { version, hash160, name } = /** @type {NonNullable<ReturnType<typeof parsePrincipal>>} */ (parsePrincipal(principal));
  const standard = `[${version},[${[...hash160].join()}]]`;
  if (name === null) return `{"Standard":${standard}}`;
  return `{"Contract":{"issuer":${standard},"name":${JSON.stringify(name)}}}`;
}

/** @param {AbiType} type @returns {string} */
function typeText(type) {
  if (type === "int128") return '"IntType"';
  if (type === "uint128") return '"UIntType"';
  if (type === "bool") return '"BoolType"';
  if (type === "principal") return '"PrincipalType"';
  if (typeof type === "string") return '"NoType"';
  if ("buffer" in type) return `{"SequenceType":{"BufferType":${type.buffer.length}}}`;
  if ("string-ascii" in type) return `{"SequenceType":{"StringType":{"ASCII":${type["string-ascii"].length}}}}`;
  if ("string-utf8" in type) return `{"SequenceType":{"StringType":{"UTF8":${type["string-utf8"].length}}}}`;
  if ("optional" in type) return `{"OptionalType":${typeText(type.optional)}}`;
  if ("response" in type) return `{"ResponseType":[${typeText(type.response.ok)},${typeText(type.response.error)}]}`;
  if ("list" in type) return `{"SequenceType":{"ListType":${listText(type.list)}}}`;
  return `{"TupleType":${tupleText(type.tuple)}}`;
}

/** @param {{type: AbiType, length: number}} list */
function listText({ type, length }) {
  return `{"max_len":${length},"entry_type":${typeText(type)}}`;
}

/** @param {{name: string, type: AbiType}[]} fields */
function tupleText(fields) {
  return `{"type_map":{${fields.map(({ name, type }) => `${JSON.stringify(name)}:${typeText(type)}`).join()}}}`;
}
