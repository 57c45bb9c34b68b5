/** Reads of the present state: contracts' functions, variables, maps and constants. */
import { fits, readArgumentProblem } from "../clarity/abi.js";
import { decodeLoosely, valueText } from "../clarity/value.js";
import { evaluateAsContract, withoutStandIn } from "../vm/contract-sender.js";
import { VmError, VmPanic } from "../vm/vm.js";
import { errorText } from "./vm-error.js";

/** @typedef {import("./chain.js").Chain} Chain */
/** @typedef {import("./executor.js").Executor} Executor */

/** The limits a node sets to a read-only call. */
const READ_LIMITS = { read_count: 100, read_length: 200_000, runtime: 1_000_000_000, write_count: 0, write_length: 0 };
const NONE = "0x09";
const LIMIT_ORDER = /** @type {const} */ (["write_length", "write_count", "read_length", "read_count", "runtime"]);

/** A read-only call that cannot be carried out; `message` is the node's cause. */
export class ReadFailure extends Error {}

/**
 * @typedef {object} ReadCall
 * @property {string} contractId
 * @property {string} functionName
 * @property {Buffer[]} args serialized, tuples in any order
 * @property {string} sender an address or a contract
 */

/**
 * Calls a function that writes nothing, at the tip. Read-only functions from an address take the VM's own short way.
 *
 * @param {Chain} chain
 * @param {ReadCall} call
 * @returns {string} hex with 0x
 * @throws {ReadFailure | import("../clarity/value.js").DecodeError | VmPanic}
 */
export function callRead(chain, call) {
  const { contractId, functionName, sender } = call;
  const decoded = call.args.map(decodeLoosely);
  const [values, args] = [decoded.map(({ value }) => value), decoded.map(({ bytes }) => bytes)];
  const contract = chain.contract(contractId);
  if (!contract) throw new ReadFailure(`RuntimeCheck(NoSuchContract("${contractId}"))`);
  const definition = readableFunction(contract, functionName);
  // Not the VM's to tell: it breaks of some, and takes lists and tuples without a look at what is in them.
  const problem = readArgumentProblem(definition, values);
  if (problem) throw new ReadFailure(`RuntimeCheck(${problem})`);
  const asked = { ...call, args };
  try {
    if (sender.includes(".")) return readAsContract(chain.executor, asked, values);
    if (definition.access === "public") return readByPublicFunction(chain.executor, asked, values);
    return readByReadOnlyFunction(chain.executor, asked);
  } catch (error) {
    if (error instanceof VmError) throw new ReadFailure(withoutStandIn(errorText(error.message)));
    throw error;
  }
}

/**
 * @param {import("./history.js").Contract} contract
 * @param {string} functionName
 * @returns {import("../clarity/abi.js").AbiFunction}
 */
function readableFunction({ contractId, abi }, functionName) {
  const definition = abi.functions.find(({ name }) => name === functionName);
  if (!definition) throw new ReadFailure(`RuntimeCheck(UndefinedFunction("${functionName}"))`);
  if (definition.access === "private") {
    throw new ReadFailure(`RuntimeCheck(NoSuchPublicFunction("${contractId}", "${functionName}"))`);
  }
  return definition;
}

/** @param {Executor} executor @param {ReadCall} call */
function readByReadOnlyFunction(executor, { contractId, functionName, args, sender }) {
  const { result, costs } = executor.read((vm) => vm.callReadOnly(contractId, functionName, plainBytes(args), sender));
  checkCost(costs);
  return result;
}

/**
 * The VM runs a public function only in a new block. There its costs tell whether it writes; what it gives at the tip
 * is asked by an expression. Both are undone.
 *
 * @param {Executor} executor
 * @param {ReadCall} call
 * @param {import("../clarity/value.js").ClarityValue[]} values
 */
function readByPublicFunction(executor, call, values) {
  const { contractId, functionName, args, sender } = call;
  const operation = { contract: contractId, method: functionName, args: [], args_maps: plainBytes(args), sender };
  checkCost(executor.undone((vm) => vm.withCosts(() => vm.mineBlock([{ callPublicFn: operation }])[0].costs)));
  return executor.undone((vm) => vm.evaluate(callExpression(call, values), sender));
}

/**
 * @param {Executor} executor
 * @param {ReadCall} call
 * @param {import("../clarity/value.js").ClarityValue[]} values
 */
function readAsContract(executor, call, values) {
  return executor.undone((vm) => {
    const { result, costs } = vm.withCosts(() => evaluateAsContract(vm, callExpression(call, values), call.sender));
    checkCost(costs);
    return result;
  });
}

/** @param {ReadCall} call @param {import("../clarity/value.js").ClarityValue[]} values */
function callExpression({ contractId, functionName }, values) {
  return `(${["contract-call?", `'${contractId}`, functionName, ...values.map((value) => valueText(value, "literal"))].join(" ")})`;
}

/** @param {Buffer[]} args @returns {Uint8Array[]} the VM takes no Buffers: they turn into something else on their way */
function plainBytes(args) {
  return args.map((bytes) => new Uint8Array(bytes));
}

/** @param {string} costs JSON, or "null" if they are not tracked */
function checkCost(costs) {
  if (costs === "null") return;
  const { total } = JSON.parse(costs);
  if (total.write_count > 0) throw new ReadFailure("NotReadOnly");
  if (LIMIT_ORDER.every((name) => total[name] <= READ_LIMITS[name])) return;
  const text = (/** @type {Record<string, number>} */ cost) =>
    `ExecutionCost { ${LIMIT_ORDER.map((name) => `${name}: ${cost[name]}`).join(", ")} }`;
  throw new ReadFailure(`RuntimeCheck(CostBalanceExceeded(${text(total)}, ${text(READ_LIMITS)}))`);
}

/** @param {Chain} chain @param {string} contractId @param {string} name @returns {string | null} hex with 0x */
export function dataVar(chain, contractId, name) {
  const variables = chain.contract(contractId)?.abi.variables ?? [];
  if (!variables.some((variable) => variable.name === name && variable.access === "variable")) return null;
  return chain.executor.read((vm) => vm.dataVar(contractId, name));
}

/**
 * @param {Chain} chain
 * @param {string} contractId
 * @param {string} map
 * @param {Buffer} key serialized, tuples in any order
 * @returns {string} hex with 0x; `none` for whatever does not exist
 * @throws {DecodeError}
 */
export function mapEntry(chain, contractId, map, key) {
  const { value, bytes } = decodeLoosely(key);
  const definition = chain.contract(contractId)?.abi.maps.find(({ name }) => name === map);
  if (!definition) return NONE;
  if (!fits(definition.key, value)) return NONE;
  return chain.executor.read((vm) => vm.mapEntry(contractId, map, new Uint8Array(bytes)));
}

/** @type {WeakMap<import("./history.js").Contract, Map<string, string>>} */
const constantsOf = new WeakMap();

/**
 * The value of a constant. The VM has no way to ask for it, but a constant's definition can be evaluated again.
 *
 * @param {Chain} chain
 * @param {string} contractId
 * @param {string} name
 * @returns {string | null} hex with 0x
 * @throws {ReadFailure} if it is made by a function of its contract
 */
export function constantValue(chain, contractId, name) {
  const contract = chain.contract(contractId);
  if (!contract?.abi.variables.some((variable) => variable.name === name && variable.access === "constant")) return null;
  const known = constantsOf.get(contract) ?? new Map();
  constantsOf.set(contract, known);
  if (!known.has(name)) {
    const definitions = constantDefinitions(contract.source).join("\n");
    const deployer = contractId.split(".")[0];
    known.set(name, evaluate(chain, `${definitions}\n${name}`, deployer));
  }
  return /** @type {string} */ (known.get(name));
}

/** @param {Chain} chain @param {string} expression @param {string} sender */
function evaluate(chain, expression, sender) {
  try {
    return chain.executor.read((vm) => vm.evaluate(expression, sender));
  } catch (error) {
    if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
    const why = error instanceof VmError ? error.message : "its VM breaks of it";
    throw new ReadFailure(`the devnet cannot evaluate this constant again: ${why}`);
  }
}

/** @param {string} source @returns {string[]} its top-level forms that define constants, in order */
function constantDefinitions(source) {
  const forms = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of source.matchAll(/;[^\n]*|"(?:\\.|[^"\\])*"|[()]/gs)) {
    if (token === "(" && depth++ === 0) start = index;
    else if (token === ")" && --depth === 0) forms.push(source.slice(start, index + 1));
  }
  return forms.filter((form) => /^\(\s*define-constant\s/.test(form));
}
