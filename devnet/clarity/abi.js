/** Contract interfaces: whether a value fits a type, and types as text. */
import { debugText } from "./debug-text.js";
import { signature, typeText } from "./type-text.js";
import { typeOf } from "./types.js";

/**
 * @typedef {import("./value.js").ClarityValue} ClarityValue
 * @typedef {"none" | "int128" | "uint128" | "bool" | "principal" | "trait_reference"
 *   | {buffer: {length: number}} | {"string-ascii": {length: number}} | {"string-utf8": {length: number}}
 *   | {tuple: {name: string, type: AbiType}[]} | {optional: AbiType} | {response: {ok: AbiType, error: AbiType}}
 *   | {list: {type: AbiType, length: number}}} AbiType
 * @typedef {{name: string, access: "private" | "public" | "read_only", args: {name: string, type: AbiType}[], outputs: {type: AbiType}}} AbiFunction
 * @typedef {{functions: AbiFunction[], variables: {name: string, type: AbiType, access: "constant" | "variable"}[], maps: {name: string, key: AbiType, value: AbiType}[], fungible_tokens: {name: string}[], non_fungible_tokens: {name: string, type: AbiType}[], epoch: string, clarity_version: string}} Abi
 */

/** @param {number} clarityVersion @returns {Abi} the interface of an empty contract */
export function emptyInterface(clarityVersion) {
  const nothing = { functions: [], variables: [], maps: [], fungible_tokens: [], non_fungible_tokens: [] };
  return { ...nothing, epoch: "Epoch40", clarity_version: `Clarity${clarityVersion}` };
}

const SIMPLE_KINDS = { int128: "int", uint128: "uint", bool: "bool", principal: "principal" };

/**
 * @param {AbiType} type
 * @param {ClarityValue} value
 * @returns {boolean} whether the VM would accept the value for the type
 */
export function fits(type, value) {
  if (typeof type === "string") {
    if (type === "trait_reference") return value.kind === "principal" && value.value.includes(".");
    return SIMPLE_KINDS[/** @type {"bool"} */ (type)] === value.kind;
  }
  if ("buffer" in type) return value.kind === "buffer" && value.value.length <= type.buffer.length;
  if ("string-ascii" in type) return value.kind === "ascii" && value.value.length <= type["string-ascii"].length;
  if ("string-utf8" in type) return value.kind === "utf8" && [...value.value].length <= type["string-utf8"].length;
  if ("optional" in type) return value.kind === "none" || (value.kind === "some" && fits(type.optional, value.value));
  if ("response" in type) {
    if (value.kind === "ok") return fits(type.response.ok, value.value);
    return value.kind === "err" && fits(type.response.error, value.value);
  }
  if ("list" in type) {
    if (value.kind !== "list" || value.items.length > type.list.length) return false;
    return value.items.every((item) => fits(type.list.type, item));
  }
  if (value.kind !== "tuple" || value.fields.length !== type.tuple.length) return false;
  const types = new Map(type.tuple.map((field) => [field.name, field.type]));
  return value.fields.every(([name, item]) => {
    const fieldType = types.get(name);
    return fieldType !== undefined && fits(fieldType, item);
  });
}

/** @param {AbiFunction} definition @returns {string} its signature, as the API shows it */
export function signatureText(definition) {
  const args = definition.args.map(({ name, type }) => ` (${name} ${typeText(type)})`).join("");
  const access = definition.access === "read_only" ? "read-only" : definition.access;
  return `(define-${access} (${definition.name}${args}))`;
}

/**
 * @param {AbiFunction} definition
 * @param {ClarityValue[]} values
 * @returns {string | null} the error in a transaction's arguments in a node's form, or null
 */
export function argumentProblem(definition, values) {
  return problemOf(definition, values, typeError);
}

/**
 * @param {AbiFunction} definition
 * @param {ClarityValue[]} values
 * @returns {string | null} the error in a read's arguments in a node's form, or null. A node's VM does not check
 *   everything in lists and tuples, and it names the trait for which it expects a contract
 */
export function readArgumentProblem(definition, values) {
  return problemOf(definition, values, (type, value) => {
    const text = debugText(value).replace(/[\\"]/g, "\\$&");
    return `TypeValueError(${signature(type)}, "${text}")`;
  });
}

/**
 * @param {AbiFunction} definition
 * @param {ClarityValue[]} values
 * @param {(type: AbiType, value: ClarityValue) => string} unfit
 * @returns {string | null}
 */
function problemOf({ args }, values, unfit) {
  if (values.length !== args.length) return `IncorrectArgumentCount(${args.length}, ${values.length})`;
  const index = args.findIndex(({ type }, i) => !fits(type, values[i]));
  return index < 0 ? null : unfit(args[index].type, values[index]);
}

/**
 * @param {AbiType} type
 * @param {ClarityValue} value one that does not fit the type
 * @returns {string} a node's error about the innermost types that differ
 */
function typeError(type, value) {
  if (typeof type !== "string") {
    if ("optional" in type && value.kind === "some") return typeError(type.optional, value.value);
    if ("response" in type && value.kind === "ok") return typeError(type.response.ok, value.value);
    if ("response" in type && value.kind === "err") return typeError(type.response.error, value.value);
    if ("list" in type && value.kind === "list" && value.items.length <= type.list.length) {
      return typeError(type.list.type, /** @type {ClarityValue} */ (value.items.find((item) => !fits(type.list.type, item))));
    }
    if ("tuple" in type && value.kind === "tuple") {
      const items = new Map(value.fields);
      const unfit = type.tuple.find((field) => {
        const item = items.get(field.name);
        return item !== undefined && !fits(field.type, item);
      });
      if (unfit && type.tuple.every(({ name }) => items.has(name))) {
        return typeError(unfit.type, /** @type {ClarityValue} */ (items.get(unfit.name)));
      }
    }
  }
  return `TypeError(${signature(type)}, ${signature(/** @type {AbiType} */ (typeOf(value)))})`;
}
