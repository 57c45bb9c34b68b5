/**
 * Traces of mined transactions. A second VM, created when first needed, executes the chain again up to the block of a
 * transaction, and then traces the transaction. So nothing has to be recorded for transactions that nobody traces, and
 * traces cost the chain neither time nor memory.
 */
import { busy, VmThread } from "../chain/vm-thread.js";
import { orderOf } from "../chain/executor.js";
import { VmPanic } from "../vm/vm.js";
import { valueText } from "../clarity/value.js";
import { Coverage } from "./coverage.js";
import { parseFolded } from "./folded.js";
import { parseTrace } from "./trace-text.js";

/** @typedef {import("../chain/chain.js").Chain} Chain */
/** @typedef {import("../chain/history.js").MinedTransaction} MinedTransaction */
/** @typedef {import("./trace-text.js").Call} Call */

const IDLE_MILLISECONDS = 30_000;
const PATIENCE_MILLISECONDS = 60_000;

export class Tracer {
  /** @type {Promise<VmThread> | null} */
  #vm = null;
  /** How many blocks the VM has executed. */
  #blocks = 1;
  /** How many changes of the epoch the VM has made. */
  #epochs = 0;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** @type {NodeJS.Timeout | undefined} */
  #idle;

  /** @param {Chain} chain */
  constructor(chain) {
    this.chain = chain;
    // The blocks that the VM has executed are no longer in the chain.
    chain.feed.on("reverted", () => this.#stop());
  }

  /**
   * @param {MinedTransaction} mined
   * @returns {Promise<{call: Call | null, profile: ReturnType<Coverage["toJson"]>, vmError: string | null, isWhole: boolean}>}
   */
  trace(mined) {
    const turn = this.#last.then(() => this.#trace(mined));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** @param {MinedTransaction} mined */
  async #trace({ transaction, block, indexInBlock }) {
    clearTimeout(this.#idle);
    let tooLong = false;
    const timer = setTimeout(() => {
      tooLong = true;
      this.#stop();
    }, PATIENCE_MILLISECONDS);
    try {
      const vm = await this.#at(block.height);
      const before = this.chain.history.transactionsOf(block).slice(0, indexInBlock);
      const orders = [...before.map((one) => one.transaction), transaction].map(orderOf);
      const { trace, folded, outcome, isWhole } = await vm.ask("trace", [orders, knownOf(before)]);
      return { ...this.#detailOf(transaction, trace, folded), vmError: outcome.vmError, isWhole };
    } catch (error) {
      if (error instanceof VmPanic) throw Object.assign(new Error(`it cannot be traced: ${error.message}`), { statusCode: 422 });
      if (!tooLong) throw error;
      throw busy(`the trace was given up after ${PATIENCE_MILLISECONDS / 1000} s`);
    } finally {
      clearTimeout(timer);
      this.#idle = setTimeout(() => this.#stop(), IDLE_MILLISECONDS).unref();
    }
  }

  /** @param {number} height @returns {Promise<VmThread>} a VM with the state right before this block */
  async #at(height) {
    const { blocks } = this.chain.history;
    const wanted = height - blocks.at(0).height;
    if (wanted < this.#blocks) this.#stop();
    this.#vm ??= VmThread.start({ ...this.chain.origin, canProfile: true }).then(({ vm }) => vm);
    const vm = await this.#vm;
    for (;;) {
      const change = this.chain.epochChanges[this.#epochs];
      if (change?.after === blocks.at(this.#blocks - 1).height) {
        this.#blocks += (await vm.ask("enterEpoch", [change.epoch])).length;
        this.#epochs += 1;
      } else if (this.#blocks < wanted) {
        await this.#runBlock(vm, blocks.at(this.#blocks));
        this.#blocks += 1;
      } else return vm;
    }
  }

  /** @param {VmThread} vm @param {import("../chain/blocks.js").Block} block */
  async #runBlock(vm, block) {
    const { history } = this.chain;
    const mined = history.transactionsOf(block);
    const orders = mined.map(({ transaction }) => orderOf(transaction));
    const parent = history.blocks.at(this.#blocks - 1);
    const place =
      mined.length === 0 && block.burnHeight > parent.burnHeight
        ? await vm.ask("burnBlock", [block.time])
        : (await vm.ask("runBlock", [orders, knownOf(mined)])).place;
    if (place.height !== block.height || place.time !== block.time) {
      this.#stop();
      throw new Error(`block ${block.height} cannot be executed again: the result differs`);
    }
  }

  /** @param {import("../wire/transaction.js").Transaction} transaction @param {string} trace @param {string} folded */
  #detailOf({ payload }, trace, folded) {
    if (payload.type !== "contract_call") return { call: null, profile: {} };
    const coverage = new Coverage((contractId) => this.chain.contract(contractId)?.source);
    coverage.add(folded);
    const args = payload.args.map((value) => valueText(value)).join(", ");
    const call = parseTrace(trace, { contract: payload.contractId, function: payload.functionName, args: args || null });
    return { call: withCosts(call, folded), profile: coverage.toJson() };
  }

  #stop() {
    clearTimeout(this.#idle);
    const vm = this.#vm;
    this.#vm = null;
    this.#blocks = 1;
    this.#epochs = 0;
    vm?.then((thread) => thread.close()).catch(() => undefined);
  }

  async close() {
    this.#stop();
    await this.#last;
  }
}

/** @param {MinedTransaction[]} mined @returns {import("../chain/executor.js").Undone} the transactions of which only the fee remained */
function knownOf(mined) {
  const undone = mined.filter(({ outcome }) => outcome.vmError !== null);
  return Object.fromEntries(undone.map(({ transaction, outcome }) => [transaction.txid, outcome]));
}

/** @param {Call} root the call to which the costs are added @param {string} folded @returns {Call} */
function withCosts(root, folded) {
  prepare(root);
  for (const { frames, cost } of parseFolded(folded)) {
    if (frames[0].contract !== root.contract) continue; // belongs to the fee
    let current = root;
    current.runtime = (current.runtime ?? 0) + cost;
    for (const { contract, line, column } of frames) {
      const next = current.calls.find(({ at }) => at && at.contract === contract && at.line === line && at.column === column);
      if (!next) continue;
      if (next.runtime !== null) next.runtime += cost;
      current = next;
    }
  }
  return root;
}

/** @param {Call} call */
function prepare(call) {
  for (const inner of call.calls) prepare(inner);
  // The cost of an expression that was evaluated several times is the sum of all.
  for (const inner of call.calls) {
    if (call.calls.some((other) => other !== inner && samePlace(other, inner))) inner.runtime = null;
  }
}

/** @param {Call} a @param {Call} b */
function samePlace({ at: a }, { at: b }) {
  return a !== null && b !== null && a.contract === b.contract && a.line === b.line && a.column === b.column;
}
