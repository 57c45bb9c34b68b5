/** Reads of the current state: contracts' functions, variables, maps and constants. */
import { fits, readArgumentProblem } from "../clarity/abi.js";
import { topLevelForms } from "../clarity/forms.js";
import { decodeLoosely } from "../clarity/value.js";
import { VmError, VmPanic } from "../vm/vm.js";
import { ReadFailure } from "./reads.js";

/** @typedef {import("./chain.js").Chain} Chain */

const NONE = "0x09";
/** How long a read waits for its turn at the VM, in milliseconds. */
export const PATIENCE = { patience: 5_000 };

/**
 * @typedef {object} ReadCall
 * @property {string} contractId
 * @property {string} functionName
 * @property {Buffer[]} args serialized, tuples in any order
 * @property {string} sender an address or a contract
 */

/**
 * Calls a function that does not write, at the tip.
 *
 * @param {Chain} chain
 * @param {ReadCall} call
 * @returns {Promise<string>} hex with 0x
 * @throws {ReadFailure | import("../clarity/value.js").DecodeError | VmPanic}
 */
export async function callRead(chain, { contractId, functionName, args, sender }) {
  const decoded = args.map(decodeLoosely);
  const contract = await chain.loadContract(contractId, PATIENCE);
  if (!contract) throw new ReadFailure(`RuntimeCheck(NoSuchContract("${contractId}"))`);
  const definition = readableFunction(contract, functionName);
  // The VM cannot check this itself: some arguments crash it, and it does not check the contents of lists and tuples.
  const problem = readArgumentProblem(
    definition,
    decoded.map(({ value }) => value),
  );
  if (problem) throw new ReadFailure(`RuntimeCheck(${problem})`);
  // The VM takes no Buffers: they are converted to something else on the way.
  const bytes = decoded.map((argument) => new Uint8Array(argument.bytes));
  const access = /** @type {"public" | "read_only"} */ (definition.access);
  return chain.vm.ask("callFunction", [{ contractId, functionName, access, args: bytes, sender }], PATIENCE);
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

/** @param {Chain} chain @param {string} contractId @param {string} name @returns {Promise<string | null>} hex with 0x */
export async function dataVar(chain, contractId, name) {
  const variables = (await chain.loadContract(contractId, PATIENCE))?.abi.variables ?? [];
  if (!variables.some((variable) => variable.name === name && variable.access === "variable")) return null;
  return chain.vm.ask("dataVar", [contractId, name], PATIENCE);
}

/**
 * @param {Chain} chain
 * @param {string} contractId
 * @param {string} map
 * @param {Buffer} key serialized, tuples in any order
 * @returns {Promise<string>} hex with 0x; `none` if there is no such entry
 * @throws {DecodeError}
 */
export async function mapEntry(chain, contractId, map, key) {
  const { value, bytes } = decodeLoosely(key);
  const definition = (await chain.loadContract(contractId, PATIENCE))?.abi.maps.find(({ name }) => name === map);
  if (!definition) return NONE;
  if (!fits(definition.key, value)) return NONE;
  return chain.vm.ask("mapEntry", [contractId, map, new Uint8Array(bytes)], PATIENCE);
}

/** @type {WeakMap<import("./history.js").Contract, Map<string, string>>} */
const constantsOf = new WeakMap();

/**
 * Returns the value of a constant. The VM has no function for this, but the constant's definition can be evaluated
 * again.
 *
 * @param {Chain} chain
 * @param {string} contractId
 * @param {string} name
 * @returns {Promise<string | null>} hex with 0x
 * @throws {ReadFailure} if a function of its contract computes it
 */
export async function constantValue(chain, contractId, name) {
  const contract = await chain.loadContract(contractId, PATIENCE);
  if (!contract?.abi.variables.some((variable) => variable.name === name && variable.access === "constant")) return null;
  const known = constantsOf.get(contract) ?? new Map();
  constantsOf.set(contract, known);
  if (!known.has(name)) {
    const definitions = constantDefinitions(contract.source).join("\n");
    const deployer = contractId.split(".")[0];
    known.set(name, await evaluate(chain, `${definitions}\n${name}`, deployer));
  }
  return /** @type {string} */ (known.get(name));
}

/** @param {Chain} chain @param {string} expression @param {string} sender */
async function evaluate(chain, expression, sender) {
  try {
    return await chain.vm.ask("evaluate", [expression, sender], PATIENCE);
  } catch (error) {
    if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
    const why = error instanceof VmError ? error.message : "it crashed the VM";
    throw new ReadFailure(`the devnet cannot evaluate this constant again: ${why}`);
  }
}

/** @param {string} source @returns {string[]} its top-level forms that define constants, in order */
function constantDefinitions(source) {
  return topLevelForms(source).filter((form) => /^\(\s*define-constant\s/.test(form));
}
