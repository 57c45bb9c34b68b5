/**
 * Executes blocks of transactions on the VM as a node does: the fee is always paid; everything else is undone after a
 * runtime error or a violated post-condition.
 *
 * The VM cannot undo that. So its memory is copied regularly (a checkpoint), and what ran since is logged. To undo a
 * transaction, the checkpoint is restored, the log replayed, and only the transaction's fee payment run again.
 */
import { addressText, TESTNET_VERSIONS } from "../address.js";
import { Checkpoint, MemoryImage } from "../vm/memory.js";
import { asContract } from "../vm/top-level-code.js";
import { VmError, VmExhausted, VmPanic } from "../vm/vm.js";
import { parseEvents } from "./ledger.js";
import { violatedPostCondition } from "./post-conditions.js";
import { errorText, isAnalysisFinding, isTooMuch } from "./vm-error.js";

/** @typedef {import("../vm/vm.js").Operation} Operation */
/** @typedef {import("../vm/vm.js").OperationResult} OperationResult */

/** The address that receives fees instead of miners. Nobody has its key: its hash is a text, padded with zeros. */
export const FEE_SINK = addressText(TESTNET_VERSIONS.singleSig, Buffer.from("devnet fee sink".padEnd(20, "\0")));

const CHECKPOINT_EVERY = 128;
const OK_TRUE = "0x0703";
const ERR_NONE = "0x0809";
/** The newest version of Clarity of each epoch. @type {Record<string, number>} */
export const CLARITY_OF_EPOCH = {
  "2.0": 1,
  2.05: 1,
  2.1: 2,
  2.2: 2,
  2.3: 2,
  2.4: 2,
  2.5: 2,
  "3.0": 3,
  3.1: 3,
  3.2: 3,
  3.3: 4,
  3.4: 5,
  "4.0": 6,
};
const ZERO_COST = { read_count: 0, read_length: 0, runtime: 0, write_count: 0, write_length: 0 };

/**
 * @typedef {object} Order the part of a transaction that is executed, as plain data
 * @property {string} txid hex
 * @property {string} sender address of the origin
 * @property {{address: string, fee: bigint}} payer
 * @property {import("../wire/transaction.js").Payload} payload
 * @property {import("../wire/post-conditions.js").PostCondition[]} postConditions
 * @property {number} postConditionMode
 *
 * @typedef {{read_count: number, read_length: number, runtime: number, write_count: number, write_length: number}} Cost
 *
 * @typedef {object} Outcome
 * @property {"success" | "abort_by_response" | "abort_by_post_condition" | "dropped_too_expensive"} status
 * @property {string} result hex with 0x
 * @property {import("./ledger.js").ChainEvent[]} events empty unless the status is success
 * @property {import("./ledger.js").ChainEvent[]} [undoneEvents] the events of a call whose post-conditions do not hold
 * @property {Cost} cost
 * @property {string | null} vmError
 * @property {FailedAt | null} [failedAt] the location of a runtime error
 *
 * @typedef {import("../vm/vm.js").Span & {contractId: string, functionName: string}} FailedAt
 *
 * @typedef {{order: Order, operation: Operation | null, outcome: Outcome | null}} Form
 *   operation: null to pay only the fee; outcome: set when it is already known
 * @typedef {Record<string, Outcome>} Undone the outcomes of transactions whose operation was undone or never ran, by txid
 */

/** The transactions for a block are more than the VM can execute in one. None of them was executed. */
export class BlockTooLarge extends Error {}

/** @param {import("../wire/transaction.js").Transaction} transaction @returns {Order} */
export function orderOf({ txid, origin, payer, payload, postConditions, postConditionMode }) {
  // The VM takes arguments as bytes; their values, which may be large, stay here.
  const lean = payload.type === "contract_call" ? { ...payload, args: [] } : payload;
  return {
    txid,
    sender: origin.address,
    payer: { address: payer.address, fee: payer.fee },
    payload: lean,
    postConditions,
    postConditionMode,
  };
}

export class Executor {
  /** @param {import("../vm/vm.js").Vm} vm */
  constructor(vm) {
    this.vm = vm;
    this.rolling = new Checkpoint();
    /** @type {import("../vm/vm.js").Restorable} the state from which `log` leads to the current one */
    this.checkpoint = vm.base;
    /** @type {(() => void)[]} */
    this.log = [];
    /** Receives what calls have executed, if wanted. @type {((folded: string) => void) | null} */
    this.onProfile = null;
  }

  /** @param {OperationResult[]} results the results of all requests, also undone ones, but not of replays */
  note(results) {
    if (!this.onProfile || results.length === 0) return;
    // The VM reports it with the result of a call, or for a publication with the result of the next call.
    this.onProfile(results[results.length - 1].performance ?? this.vm.restOfProfile());
  }

  /**
   * Returns the effects of a transaction of a block in detail, without changing the state.
   *
   * @param {Order[]} orders the block's orders up to and including this one
   * @param {Undone} known the known outcomes of those before it
   * @returns {{outcome: Outcome, trace: string, folded: string}}
   */
  trace(orders, known) {
    const last = orders[orders.length - 1];
    const before = orders.slice(0, -1).map((order) => formOf(order, known[order.txid], this.vm.epoch));
    const operations = [...before, formOf(last, undefined, this.vm.epoch)].flatMap(formOperations);
    return this.undone((vm) => {
      vm.profiles = vm.traces = true;
      let outcome, folded, trace;
      try {
        const result = vm.mineBlock(operations).at(-1);
        trace = vm.lastTrace();
        outcome = outcomeOf(last, /** @type {OperationResult} */ (result));
        folded = result?.performance ?? "";
      } catch (error) {
        if (!(error instanceof VmError)) throw error;
        trace = vm.lastTrace();
        outcome = failureOutcome(error);
        folded = vm.restOfProfile();
      } finally {
        vm.profiles = vm.traces = false;
      }
      return { outcome, trace, folded };
    });
  }

  /**
   * Runs something that changes the VM's state, and logs it for replays. If it fails, the state is unchanged.
   *
   * @template T
   * @param {() => T} change
   * @returns {T}
   */
  record(change) {
    let result;
    try {
      result = change();
    } catch (error) {
      this.rewind(error instanceof VmPanic);
      throw error;
    }
    this.log.push(change);
    return result;
  }

  /** Undoes what was logged last. Nothing else must have happened since. */
  undoLast() {
    this.log.pop();
    this.rewind();
  }

  /** Takes a checkpoint if the state has changed since the last one. */
  capture() {
    if (this.log.length === 0) return;
    this.rolling.capture(this.vm.memory);
    this.#restorePoint(this.rolling);
  }

  /** @returns {MemoryImage} an image of the current state, to keep */
  image() {
    if (this.log.length > 0 || !(this.checkpoint instanceof MemoryImage)) {
      this.#restorePoint(this.vm.base.difference(this.vm.memory));
    }
    return /** @type {MemoryImage} */ (this.checkpoint);
  }

  /** @param {import("../vm/vm.js").Restorable} image an image of the current state */
  #restorePoint(image) {
    this.checkpoint = image;
    this.log = [];
  }

  /** @param {import("../vm/vm.js").Restorable} image one that the caller keeps unchanged */
  restore(image) {
    this.vm.restore(image);
    this.#restorePoint(image);
  }

  /** Restores the last recorded state. @param {boolean} [broken] the VM panicked */
  rewind(broken = false) {
    this.vm.restore(this.checkpoint, { broken });
    for (const change of this.log) change();
  }

  /**
   * Mines one block. Every transaction is in it except those `dropped_too_expensive`, whose fee cannot be paid.
   *
   * @param {Order[]} orders
   * @param {Undone} known outcomes from an earlier run, which need not be tried and undone again
   * @returns {{outcomes: Outcome[], undone: Undone}}
   */
  runBlock(orders, known) {
    if (this.log.length >= CHECKPOINT_EVERY) this.capture();
    const forms = orders.map((order) => formOf(order, known[order.txid], this.vm.epoch));
    while (!this.#attempt(forms)) {
      // Each failed attempt settles the outcome of one more transaction, so this ends.
    }
    const operations = forms.flatMap(formOperations);
    this.log.push(() => replay(this.vm, operations));
    const outcomes = forms.map((form) => /** @type {Outcome} */ (form.outcome));
    const undone = forms.flatMap(({ operation, order }, index) => (operation ? [] : [[order.txid, keptOf(outcomes[index])]]));
    return { outcomes, undone: Object.fromEntries(undone) };
  }

  /**
   * @param {Form[]} forms
   * @returns {boolean} whether the block was mined; otherwise the state is as before and a form has changed
   */
  #attempt(forms) {
    const open = forms.filter((form) => form.outcome === null);
    /** @type {OperationResult[]} */
    let results;
    try {
      results = this.vm.mineBlock(forms.flatMap(formOperations));
      this.note(results);
    } catch (error) {
      if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
      if (this.onProfile && error instanceof VmError) this.onProfile(this.vm.restOfProfile());
      const outcome = failureOutcome(error);
      const isFinding = isAnalysisFinding(error.message);
      if (forms.length === 1 && outcome.status !== "dropped_too_expensive" && error instanceof VmError && !isFinding) {
        // The fee was paid and the block mined; only the failed operation had no effect, as required.
        forms[0].outcome = outcome;
        return true;
      }
      this.rewind(error instanceof VmPanic);
      // Each of them may fit by itself, so none of them is the cause.
      if (error instanceof VmExhausted && open.length > 1) throw new BlockTooLarge(error.message);
      const culprit = open.length === 1 ? open[0] : this.#findCulprit(forms);
      culprit.operation = null;
      culprit.outcome = isFinding ? { ...outcome, vmError: this.#firstFinding(culprit.order, outcome.vmError) } : outcome;
      return false;
    }
    return this.#judge(forms, results);
  }

  /**
   * @param {Form[]} forms
   * @param {OperationResult[]} results
   * @returns {boolean} the same as for `#attempt`
   */
  #judge(forms, results) {
    let position = 0;
    for (const form of forms) {
      if (form.outcome?.status === "dropped_too_expensive") continue;
      const [fee, main] = form.operation ? results.slice(position, position + 2) : [results[position], null];
      position += form.operation ? 2 : 1;
      const outcome = fee.result === OK_TRUE ? main && outcomeOf(form.order, main) : dropped(null);
      if (!outcome || form.outcome) continue;
      if (mustBeUndone(outcome)) {
        this.rewind();
        this.capture();
        for (const other of forms) if (other.operation) other.outcome = null;
        form.operation = null;
        form.outcome = outcome;
        return false;
      }
      form.outcome = outcome;
    }
    return true;
  }

  /**
   * If a contract has several errors, the VM reports the last one; a node stops at the first.
   *
   * @param {Order} order
   * @param {string | null} last
   * @returns {string | null}
   */
  #firstFinding({ payload }, last) {
    if (payload.type !== "smart_contract") return last;
    try {
      this.undone((vm) => vm.evaluate(asContract(payload.code)));
    } catch (error) {
      if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
      const [, ...findings] = error.message.split("\n");
      // The VM's console treats the source as the newest Clarity version, and may find another error.
      if (findings.at(-1) === last) return findings[0];
    }
    return last;
  }

  /**
   * In a block of several, the VM does not report which one threw: it is the last of the shortest prefix that throws.
   *
   * @param {Form[]} forms
   * @returns {Form}
   */
  #findCulprit(forms) {
    this.capture();
    let [low, high] = [0, forms.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      let broken = false;
      try {
        this.vm.mineBlock(forms.slice(0, middle + 1).flatMap(formOperations));
        low = middle + 1;
      } catch (error) {
        if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
        broken = error instanceof VmPanic;
        high = middle;
      }
      this.rewind(broken);
    }
    return forms[low];
  }

  /**
   * Returns the effects of a transaction on the current state, without changing it.
   *
   * @param {Order} order
   * @param {{withFee: boolean}} options
   * @returns {Outcome}
   */
  simulate(order, { withFee }) {
    const operation = mainOperation(order, this.vm.epoch);
    const operations = withFee ? [feeOperation(order), operation] : [operation];
    try {
      const results = this.undone((vm) => vm.mineBlock(operations));
      this.note(results);
      return outcomeOf(order, results[results.length - 1]);
    } catch (error) {
      if (!(error instanceof VmError || error instanceof VmPanic)) throw error;
      return failureOutcome(error);
    }
  }

  /**
   * Runs something on the VM and undoes it.
   *
   * @template T
   * @param {(vm: import("../vm/vm.js").Vm) => T} run
   * @returns {T}
   */
  undone(run) {
    this.capture();
    let broken = false;
    try {
      return run(this.vm);
    } catch (error) {
      broken = error instanceof VmPanic;
      throw error;
    } finally {
      this.rewind(broken);
    }
  }

  /**
   * Reads something that a panic of the VM may interrupt.
   *
   * @template T
   * @param {(vm: import("../vm/vm.js").Vm) => T} read
   * @returns {T}
   */
  read(read) {
    try {
      return read(this.vm);
    } catch (error) {
      if (error instanceof VmPanic) this.rewind(true);
      throw error;
    }
  }
}

/** @param {import("../vm/vm.js").Vm} vm @param {Operation[]} operations */
function replay(vm, operations) {
  try {
    vm.mineBlock(operations);
  } catch (error) {
    // A block of one transaction with a runtime error always throws, and always leaves the same state.
    if (!(error instanceof VmError)) throw error;
  }
}

/** @param {Order} order @param {Outcome | undefined} known @param {string} epoch @returns {Form} */
function formOf(order, known, epoch) {
  return { order, operation: known ? null : mainOperation(order, epoch), outcome: known ?? null };
}

/** @param {Form} form @returns {Operation[]} */
function formOperations({ order, operation, outcome }) {
  if (outcome?.status === "dropped_too_expensive") return [];
  return operation ? [feeOperation(order), operation] : [feeOperation(order)];
}

/** @param {Order} order @returns {Operation} */
function feeOperation({ payer }) {
  return { transferSTX: { amount: Number(payer.fee), recipient: FEE_SINK, sender: payer.address } };
}

/** @param {Order} order @param {string} epoch @returns {Operation} */
function mainOperation({ payload, sender }, epoch) {
  switch (payload.type) {
    case "token_transfer":
      return { transferSTX: { amount: Number(payload.amount), recipient: payload.recipient, sender } };
    case "contract_call":
      return {
        callPublicFn: {
          contract: payload.contractId,
          method: payload.functionName,
          args: [],
          // The VM takes only plain byte arrays: a Buffer is converted to something else on the way.
          args_maps: payload.argBytes.map((bytes) => new Uint8Array(bytes)),
          sender,
        },
      };
    case "smart_contract": {
      const options = { clarityVersion: payload.clarityVersion ?? CLARITY_OF_EPOCH[epoch] };
      return { deployContract: { name: payload.name, content: asContract(payload.code), options, sender } };
    }
    default:
      throw new Error(`a ${payload.type} cannot be in a block here`);
  }
}

/**
 * @param {string} message the error's text, which names the functions through which the error passed
 * @param {import("../vm/vm.js").Span} place the location in the contract of the last function that is not a built-in one
 * @returns {FailedAt | null}
 */
function placeOf(message, place) {
  const identifiers = [...message.matchAll(/identifier: "([^"]+)"/g)].map(([, identifier]) => identifier);
  const own = identifiers.filter((identifier) => !identifier.startsWith("_native_:")).at(-1);
  if (!own) return null;
  const [contractId, functionName] = own.split(":");
  return { contractId, functionName, ...place };
}

/** @param {string} result @param {string} vmError @returns {Outcome} */
function abort(result, vmError) {
  return { status: "abort_by_response", result, events: [], cost: ZERO_COST, vmError };
}

/** @param {VmError | VmPanic} error @returns {Outcome} */
function failureOutcome(error) {
  const text = errorText(error.message);
  // A node does not mine a transaction that is too large for a block, and removes it from its mempool.
  if (error instanceof VmExhausted || isTooMuch(text)) return dropped(text);
  const place = error instanceof VmError ? error.place : null;
  return { ...abort(ERR_NONE, text), failedAt: place && placeOf(error.message, place) };
}

/** @param {string | null} vmError @returns {Outcome} */
function dropped(vmError) {
  return { status: "dropped_too_expensive", result: ERR_NONE, events: [], cost: ZERO_COST, vmError };
}

/** @param {Outcome} outcome @returns {boolean} whether the VM has kept effects that must be undone */
function mustBeUndone({ status, result }) {
  return status === "dropped_too_expensive" || (status === "abort_by_post_condition" && !isError(result));
}

/** @param {Outcome} outcome @returns {Outcome} the part that is stored: undone events are not needed later */
export function keptOf({ undoneEvents, ...outcome }) {
  return outcome;
}

/** @param {string} result @returns {boolean} whether it is an (err …), after which the VM keeps no effects */
function isError(result) {
  return result.startsWith("0x08");
}

/** @param {Order} order @param {OperationResult} operation @returns {Outcome} */
function outcomeOf(order, operation) {
  const cost = operation.costs === "null" ? ZERO_COST : JSON.parse(operation.costs).total;
  const result = order.payload.type === "smart_contract" ? OK_TRUE : operation.result;
  const events = isError(result) ? [] : parseEvents(operation.events);
  // Post-conditions are checked whatever a call returns; after (err …), it has moved nothing. A token transfer names
  // the amount that it moves; post-conditions and their mode do not apply to it.
  const violation = order.payload.type === "token_transfer" ? null : violatedPostCondition(order, events);
  if (violation) return { status: "abort_by_post_condition", result, events: [], undoneEvents: events, cost, vmError: violation };
  if (isError(result)) return { status: "abort_by_response", result, events: [], cost, vmError: null };
  return { status: "success", result, events, cost, vmError: null };
}
