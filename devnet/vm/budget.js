/**
 * What one thing that is asked of the VM may take: as on a node, where a transaction that is too much for a block is
 * never mined. The count of allocations is the same wherever it runs; the processor's time is the last resort, for what
 * takes long without allocating.
 */
import { ADDED } from "./instrument.js";

const PAGE = 65_536;
/** Allocations between two looks at what was used. */
const STEP = 1_000_000;
/** All the memory that the VM ever gets. It can have no more than 4 GiB, and copies of it take as much again. */
export const MAX_MEMORY_BYTES = 3 * 1024 ** 3;

/**
 * @typedef {object} Allowance
 * @property {number} allocations a million take some 75 ms
 * @property {number} cpuSeconds
 * @property {number} bytes by which the memory may grow
 */

/** Of one transaction, or one question. @type {Allowance} */
export const OF_ONE = { allocations: 60_000_000, cpuSeconds: 10, bytes: 256 * 1024 * 1024 };
/** Of a block of several: what is too much for it is tried again in smaller ones. @type {Allowance} */
export const OF_SEVERAL = { ...OF_ONE, allocations: 30_000_000, cpuSeconds: 5 };

/** Where it is noted what it costs, which takes long. @type {Allowance} */
export const OF_PROFILED = { ...OF_ONE, allocations: 8 * OF_ONE.allocations, cpuSeconds: 60 };

/** @returns {number} seconds that this thread has used */
const cpuSeconds = () => {
  const usage = /** @type {{threadCpuUsage?: () => {user: number, system: number}}} */ (process).threadCpuUsage?.(); // Node.js 24 has it
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

  /** @returns {"time" | "memory" | null} what was used up, once the VM has broken */
  get cause() {
    return this.exceeded ?? (this.exports[ADDED.refused].value === 1 ? "memory" : null);
  }
}
