/** Values as a node writes them in type errors: with the names from its code. */
import { listSignature, tupleSignature } from "./type-text.js";
import { typeOf } from "./types.js";
import { valueText } from "./value.js";

/** @typedef {import("./abi.js").AbiType} AbiType */
/** @typedef {import("./value.js").ClarityValue} ClarityValue */

const MAX_LENGTH = 512;

/** @param {ClarityValue} value one that has a type @returns {string} its text, no longer than a node shows it */
export function debugText(value) {
  let text = "";
  for (const part of parts(value)) {
    text += part;
    if (text.length > MAX_LENGTH) return `${text.slice(0, MAX_LENGTH)}...`;
  }
  return text;
}

/** @param {ClarityValue} value @returns {Generator<string>} its text in pieces: the whole can be forty times as long as the bytes */
function* parts(value) {
  switch (value.kind) {
    case "int":
      return yield `Int(${value.value})`;
    case "uint":
      return yield `UInt(${value.value})`;
    case "bool":
      return yield `Bool(${value.value})`;
    case "buffer":
      return yield `Sequence(Buffer(${value.value.toString("hex")}))`;
    case "ascii":
    case "utf8":
      return yield `Sequence(String(${valueText(value, "node")}))`;
    case "principal":
      return yield `Principal(${principalText(value.value)})`;
    case "none":
      return yield "Optional(OptionalData { data: None })";
    case "some":
      yield "Optional(OptionalData { data: Some(";
      yield* parts(value.value);
      return yield ") })";
    case "ok":
    case "err":
      yield `Response(ResponseData { committed: ${value.kind === "ok"}, data: `;
      yield* parts(value.value);
      return yield " })";
    case "list":
      return yield* listParts(value);
    case "tuple":
      return yield* tupleParts(value);
  }
}

/** @param {import("./value.js").ListValue} value @returns {Generator<string>} */
function* listParts(value) {
  yield "Sequence(List(ListData { data: [";
  for (const [index, item] of value.items.entries()) {
    if (index > 0) yield ", ";
    yield* parts(item);
  }
  const { list } = /** @type {Extract<AbiType, {list: unknown}>} */ (typeOf(value));
  yield `], type_signature: ${listSignature(list)} }))`;
}

/** @param {import("./value.js").TupleValue} value @returns {Generator<string>} */
function* tupleParts(value) {
  const { tuple } = /** @type {Extract<AbiType, {tuple: unknown}>} */ (typeOf(value));
  yield `Tuple(TupleData { type_signature: ${tupleSignature(tuple)}, data_map: {`;
  for (const [index, [name, item]] of value.fields.entries()) {
    yield `${index > 0 ? ", " : ""}ClarityName("${name}"): `;
    yield* parts(item);
  }
  yield "} })";
}

/** @param {string} principal */
function principalText(principal) {
  const [address, name] = principal.split(".");
  const standard = `StandardPrincipalData(${address})`;
  if (name === undefined) return `Standard(${standard})`;
  return `Contract(QualifiedContractIdentifier { issuer: ${standard}, name: ContractName("${name}") })`;
}
