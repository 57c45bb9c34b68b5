/**
 * Whether contracts that are passed for a trait implement it. A node looks at that before it takes a call; the interface
 * of a function does not say which trait it wants, but the VM's analysis of a call, which then is not run, does.
 */
import { valueText } from "../clarity/value.js";
import { VmError, VmPanic } from "../vm/vm.js";

/** @typedef {import("../clarity/abi.js").AbiType} AbiType */

const MISSING = /use of unresolved contract '(.+)'/;
const UNFIT = /invalid signature for method '(.+)' regarding trait's specification <(.+)>/;

/** @param {AbiType} type @returns {boolean} whether there is a trait in it */
export function hasTrait(type) {
  if (typeof type === "string") return type === "trait_reference";
  if ("optional" in type) return hasTrait(type.optional);
  if ("response" in type) return hasTrait(type.response.ok) || hasTrait(type.response.error);
  if ("list" in type) return hasTrait(type.list.type);
  return "tuple" in type && type.tuple.some((field) => hasTrait(field.type));
}

/**
 * @param {import("./executor.js").Executor} executor
 * @param {{contractId: string, functionName: string, args: import("../clarity/value.js").ClarityValue[]}} call whose arguments fit but for this
 * @returns {string | null} the fault in a node's words, or null
 */
export function traitProblem(executor, { contractId, functionName, args }) {
  const literals = args.map((value) => valueText(value, "literal"));
  const call = ["contract-call?", `'${contractId}`, functionName, ...literals].join(" ");
  try {
    executor.read((vm) => vm.evaluate(`(if false (is-ok (${call})) false)`));
  } catch (error) {
    if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
    const [, missing] = MISSING.exec(error.message) ?? [];
    if (missing) return `NoSuchContract("${missing}")`;
    const [, method, trait] = UNFIT.exec(error.message) ?? [];
    if (method) return `BadTraitImplementation("${trait}", "${method}")`;
    // Whatever else the analysis has against it, such as the length of a literal, is no matter of traits.
  }
  return null;
}
