/**
 * The limits of one request to the VM. As on a node, a transaction that is too large for a block is never mined. The
 * count of allocations is the same on every machine; processor time is the last resort, for code that runs long without
 * allocating.
 */
import { ADDED } from "./instrument.js";

const PAGE = 65_536;
/** Allocations between two checks of the usage. */
const STEP = 1_000_000;
/** The VM's largest memory. It could have up to 4 GiB, but copies take the same amount again. */
export const MAX_MEMORY_BYTES = 3 * 1024 ** 3;

/**
 * @typedef {object} Allowance
 * @property {number} allocations a million take about 75 ms
 * @property {number} cpuSeconds
 * @property {number} bytes by which the memory may grow
 */

/** For one transaction, or one request. @type {Allowance} */
export const OF_ONE = { allocations: 60_000_000, cpuSeconds: 10, bytes: 256 * 1024 * 1024 };
/** For a block of several transactions: if they are too much, they are retried in smaller blocks. @type {Allowance} */
export const OF_SEVERAL = { ...OF_ONE, allocations: 30_000_000, cpuSeconds: 5 };

/** While costs are recorded, which is slow. @type {Allowance} */
export const OF_PROFILED = { ...OF_ONE, allocations: 8 * OF_ONE.allocations, cpuSeconds: 60 };

/** @returns {number} seconds that this thread has used */
const cpuSeconds = () => {
  const usage = /** @type {{threadCpuUsage?: () => {user: number, system: number}}} */ (process).threadCpuUsage?.(); // available from Node.js 24 on
  return usage ? (usage.user + usage.system) / 1e6 : performance.now() / 1000;
};

export class Budget {
  /** @type {"time" | "memory" | null} what was used up */
  exceeded = null;
  #steps = 0;
  #started = cpuSeconds();

  /**
   * Begins to count.
   *
   * @param {import("./module.js").VmModule} module
   * @param {Allowance} allowance
   */
  constructor({ exports, hooks }, allowance) {
    this.exports = exports;
    this.allowance = allowance;
    const pages = (exports.memory.buffer.byteLength + allowance.bytes) / PAGE;
    exports[ADDED.maxPages].value = Math.ceil(Math.min(pages, MAX_MEMORY_BYTES / PAGE));
    exports[ADDED.refused].value = 0;
    exports[ADDED.fuel].value = STEP;
    hooks.tick = () => this.#look();
  }

  #look() {
    this.#steps += 1;
    const { allocations, cpuSeconds: seconds } = this.allowance;
    if (this.#steps * STEP >= allocations || cpuSeconds() - this.#started > seconds) {
      this.exceeded = "time";
      throw new Error("the budget is used up");
    }
    this.exports[ADDED.fuel].value = STEP;
  }

  /** @returns {"time" | "memory" | null} the exhausted limit, after the VM has stopped */
  get cause() {
    return this.exceeded ?? (this.exports[ADDED.refused].value === 1 ? "memory" : null);
  }
}
