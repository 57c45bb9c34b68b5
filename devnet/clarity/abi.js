/** Contract interfaces: whether a value fits a type, and types as text. */

/**
 * @typedef {import("./value.js").ClarityValue} ClarityValue
 * @typedef {"none" | "int128" | "uint128" | "bool" | "principal" | "trait_reference"
 *   | {buffer: {length: number}} | {"string-ascii": {length: number}} | {"string-utf8": {length: number}}
 *   | {tuple: {name: string, type: AbiType}[]} | {optional: AbiType} | {response: {ok: AbiType, error: AbiType}}
 *   | {list: {type: AbiType, length: number}}} AbiType
 * @typedef {{name: string, access: "private" | "public" | "read_only", args: {name: string, type: AbiType}[], outputs: {type: AbiType}}} AbiFunction
 * @typedef {{functions: AbiFunction[], variables: {name: string, type: AbiType, access: "constant" | "variable"}[], maps: {name: string, key: AbiType, value: AbiType}[], fungible_tokens: {name: string}[], non_fungible_tokens: {name: string, type: AbiType}[], epoch: string, clarity_version: string}} Abi
 */

/** @param {number} clarityVersion @returns {Abi} of a contract without functions, traits and anything else */
export function emptyInterface(clarityVersion) {
  const nothing = { functions: [], variables: [], maps: [], fungible_tokens: [], non_fungible_tokens: [] };
  return { ...nothing, epoch: "Epoch40", clarity_version: `Clarity${clarityVersion}` };
}

const SIMPLE_KINDS = { int128: "int", uint128: "uint", bool: "bool", principal: "principal" };

/**
 * @param {AbiType} type
 * @param {ClarityValue} value
 * @returns {boolean} whether the VM would take the value for the type
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

/** @param {AbiType} type @returns {string} as Clarity writes it, e.g. `(list 3 (optional (buff 20)))` */
export function typeText(type) {
  if (typeof type === "string") {
    return { int128: "int", uint128: "uint", trait_reference: "trait_reference" }[/** @type {"int128"} */ (type)] ?? type;
  }
  if ("buffer" in type) return `(buff ${type.buffer.length})`;
  if ("string-ascii" in type) return `(string-ascii ${type["string-ascii"].length})`;
  if ("string-utf8" in type) return `(string-utf8 ${type["string-utf8"].length})`;
  if ("optional" in type) return `(optional ${typeText(type.optional)})`;
  if ("response" in type) return `(response ${typeText(type.response.ok)} ${typeText(type.response.error)})`;
  if ("list" in type) return `(list ${type.list.length} ${typeText(type.list.type)})`;
  return `(tuple ${type.tuple.map(({ name, type: item }) => `(${name} ${typeText(item)})`).join(" ")})`;
}

/** @param {AbiFunction} definition @returns {string} its head, as the API shows it */
export function signatureText(definition) {
  const args = definition.args.map(({ name, type }) => ` (${name} ${typeText(type)})`).join("");
  const access = definition.access === "read_only" ? "read-only" : definition.access;
  return `(define-${access} (${definition.name}${args}))`;
}

/**
 * @param {AbiFunction} definition
 * @param {ClarityValue[]} values
 * @returns {string | null} what is wrong with the arguments, or null
 */
export function argumentProblem(definition, values) {
  if (values.length !== definition.args.length) {
    return `${definition.name} takes ${definition.args.length} arguments, got ${values.length}`;
  }
  const index = definition.args.findIndex((argument, i) => !fits(argument.type, values[i]));
  if (index < 0) return null;
  const { name, type } = definition.args[index];
  return `argument ${name} of ${definition.name} does not fit ${typeText(type)}`;
}
