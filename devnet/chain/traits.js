/**
 * Checks whether contracts passed for a trait implement it. A node checks this before it accepts a call. The interface
 * of a function does not name the trait, but the VM's analysis of a call does; the call itself is not executed.
 */
import { valueText } from "../clarity/value.js";
import { VmError, VmPanic } from "../vm/vm.js";

/** @typedef {import("../clarity/abi.js").AbiType} AbiType */

const MISSING = /use of unresolved contract '(.+)'/;
const UNFIT = /invalid signature for method '(.+)' regarding trait's specification <(.+)>/;

/** @param {AbiType} type @returns {boolean} whether it contains a trait */
export function hasTrait(type) {
  if (typeof type === "string") return type === "trait_reference";
  if ("optional" in type) return hasTrait(type.optional);
  if ("response" in type) return hasTrait(type.response.ok) || hasTrait(type.response.error);
  if ("list" in type) return hasTrait(type.list.type);
  return "tuple" in type && type.tuple.some((field) => hasTrait(field.type));
}

/**
 * @param {import("./executor.js").Executor} executor
 * @param {{contractId: string, functionName: string, args: import("../clarity/value.js").ClarityValue[]}} call a call whose arguments otherwise fit
 * @returns {string | null} the error in a node's form, or null
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
    // Any other finding of the analysis, such as the length of a literal, has nothing to do with traits.
  }
  return null;
}
