/**
 * Calls of functions that do not write, executed by the VM at the tip. Read-only functions called by an address have a
 * faster path.
 */
import { decodeValue, valueText } from "../clarity/value.js";
import { evaluateAsContract, withoutStandIn } from "../vm/contract-sender.js";
import { VmError, VmExhausted } from "../vm/vm.js";
import { errorText } from "./vm-error.js";

/** @typedef {import("./executor.js").Executor} Executor */

/** A node's limits for a read-only call. */
const READ_LIMITS = { read_count: 100, read_length: 200_000, runtime: 1_000_000_000, write_count: 0, write_length: 0 };
const LIMIT_ORDER = /** @type {const} */ (["write_length", "write_count", "read_length", "read_count", "runtime"]);

/** A read-only call that cannot be carried out; `message` is the node's cause. */
export class ReadFailure extends Error {}

/**
 * @typedef {object} FunctionCall a call of an existing function, with valid arguments
 * @property {string} contractId
 * @property {string} functionName
 * @property {"public" | "read_only"} access
 * @property {Uint8Array[]} args serialized, canonical
 * @property {string} sender an address or a contract
 */

/**
 * @param {Executor} executor
 * @param {FunctionCall} call
 * @returns {string} hex with 0x
 * @throws {ReadFailure | import("../vm/vm.js").VmPanic}
 */
export function callFunction(executor, call) {
  try {
    if (call.sender.includes(".")) return readAsContract(executor, call);
    if (call.access === "public") return readByPublicFunction(executor, call);
    return readByReadOnlyFunction(executor, call);
  } catch (error) {
    if (error instanceof VmExhausted) throw new ReadFailure(`RuntimeCheck(ExecutionTimeExpired): ${error.message}`);
    if (error instanceof VmError) throw new ReadFailure(withoutStandIn(errorText(error.message)));
    throw error;
  }
}

/** @param {Executor} executor @param {FunctionCall} call */
function readByReadOnlyFunction(executor, { contractId, functionName, args, sender }) {
  const call = executor.read((vm) => vm.callReadOnly(contractId, functionName, args, sender));
  executor.note([call]);
  const { result, costs } = call;
  checkCost(costs);
  return result;
}

/**
 * The VM runs a public function only in a new block. Its costs there show whether it writes; an expression returns its
 * result at the tip. Both are undone.
 *
 * @param {Executor} executor
 * @param {FunctionCall} call
 */
function readByPublicFunction(executor, call) {
  const { contractId, functionName, args, sender } = call;
  /** @type {import("../vm/vm.js").CallOperation["callPublicFn"]} */
  const operation = { contract: contractId, method: functionName, args: [], args_maps: args, sender };
  checkCost(executor.undone((vm) => vm.withCosts(() => vm.mineBlock([{ callPublicFn: operation }])[0].costs)));
  return executor.undone((vm) => vm.evaluate(callExpression(call), sender));
}

/**
 * @param {Executor} executor
 * @param {FunctionCall} call
 */
function readAsContract(executor, call) {
  return executor.undone((vm) => {
    const { result, costs } = vm.withCosts(() => evaluateAsContract(vm, callExpression(call), call.sender));
    checkCost(costs);
    return result;
  });
}

/** @param {FunctionCall} call */
function callExpression({ contractId, functionName, args }) {
  const values = args.map((bytes) => decodeValue(Buffer.from(bytes)));
  return `(${["contract-call?", `'${contractId}`, functionName, ...values.map((value) => valueText(value, "literal"))].join(" ")})`;
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
