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
 * @returns {string | null} what is wrong with the arguments, as a node says it, or null
 */
export function argumentProblem(definition, values) {
  const { args } = definition;
  if (values.length !== args.length) return `IncorrectArgumentCount(${args.length}, ${values.length})`;
  const index = args.findIndex(({ type }, i) => !fits(type, values[i]));
  return index < 0 ? null : typeError(args[index].type, values[index]);
}

/**
 * @param {AbiType} type
 * @param {ClarityValue} value that does not fit it
 * @returns {string} a node's error of the innermost types that differ
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
  return `TypeError(${signature(type)}, ${signature(typeOf(value))})`;
}

/** @param {ClarityValue} value @returns {AbiType} of an empty list, or of what is not there, the type is none */
function typeOf(value) {
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
      return { optional: typeOf(value.value) };
    case "ok":
      return { response: { ok: typeOf(value.value), error: "none" } };
    case "err":
      return { response: { ok: "none", error: typeOf(value.value) } };
    case "list":
      return { list: { type: value.items.length > 0 ? typeOf(value.items[0]) : "none", length: value.items.length } };
    case "tuple":
      return { tuple: value.fields.map(([name, item]) => ({ name, type: typeOf(item) })) };
  }
}

const SIMPLE_SIGNATURES = {
  none: "NoType",
  int128: "IntType",
  uint128: "UIntType",
  bool: "BoolType",
  principal: "PrincipalType",
  trait_reference: "CallableType(Trait)",
};

/** @param {AbiType} type @returns {string} as a node writes it where it writes types in full */
function signature(type) {
  if (typeof type === "string") return SIMPLE_SIGNATURES[type];
  if ("buffer" in type) return `SequenceType(BufferType(BufferLength(${type.buffer.length})))`;
  if ("string-ascii" in type) return `SequenceType(StringType(ASCII(BufferLength(${type["string-ascii"].length}))))`;
  if ("string-utf8" in type) return `SequenceType(StringType(UTF8(StringUTF8Length(${type["string-utf8"].length}))))`;
  if ("optional" in type) return `OptionalType(${signature(type.optional)})`;
  if ("response" in type) return `ResponseType((${signature(type.response.ok)}, ${signature(type.response.error)}))`;
  if ("list" in type) {
    return `SequenceType(ListType(ListTypeData { max_len: ${type.list.length}, entry_type: ${signature(type.list.type)} }))`;
  }
  return `TupleType(TupleTypeSignature {${type.tuple.map((field) => ` "${field.name}": ${typeText(field.type)},`).join("")}})`;
}
