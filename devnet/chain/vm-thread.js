/**
 * The VM, in its own thread. So even while it is busy, the process answers requests, reacts to signals, and ends when
 * it should.
 *
 * It processes one request after the other. A waiting request can be cancelled, a running one cannot.
 */
import { Worker } from "node:worker_threads";
import { VmError, VmExhausted, VmPanic } from "../vm/vm.js";
import { ending } from "../wire/verifier.js";
import { BlockTooLarge } from "./executor.js";
import { ReadFailure } from "./reads.js";

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {{[K in keyof Engine]: Engine[K] extends (...args: never[]) => unknown ? K : never}[keyof Engine]} Operation */
/** @typedef {{operation: Operation, args: unknown[]}} Asked the message to the other thread */

/** @type {Record<string, new (message: string) => Error>} */
const ERRORS = { VmError, VmExhausted, VmPanic, ReadFailure, BlockTooLarge };
/** The most requests that may wait: each may have arguments of megabytes. */
const MAX_WAITING = 1_000;
const IDLE_MILLISECONDS = 50;
/** Contracts may be nested deeply, and the VM processes them recursively. */
const STACK_MEBIBYTES = 32;
/**
 * A request. Its operation determines the types of its arguments and its result, which do not matter in the queue.
 *
 * @typedef {object} Question
 * @property {Operation | "boot"} operation boot: the first one, which no caller sends
 * @property {unknown[]} args
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((value: any) => unknown) | undefined} commit
 * @property {NodeJS.Timeout | undefined} timer
 */

/** @param {string} why @returns {Error} the error for a request that has waited too long */
export function busy(why) {
  return Object.assign(new Error(`the devnet is busy: ${why}; try again later`), { statusCode: 503, retryAfterSeconds: 1 });
}

export class VmThread {
  /** @type {Question[]} */
  #waiting = [];
  /** @type {Question | null} */
  #asked = null;
  #askedAt = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #idle;
  /** @type {Error | null} why no request is possible any more */
  #ended = null;
  memoryBytes = 0;
  copiesBytes = 0;
  instances = 0;
  /** Called if the VM fails, except at the start. @type {(error: Error) => void} */
  onFailure = () => undefined;
  costsEnabled = true;

  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
  }

  /**
   * @param {import("../journal.js").Genesis & {canProfile?: boolean, coverage?: boolean}} genesis
   * @returns {Promise<{vm: VmThread, place: import("./engine.js").Place}>} the thread, and the place of the first block
   */
  static async start(genesis) {
    const worker = new Worker(new URL("./engine-worker.js", import.meta.url), {
      workerData: genesis,
      resourceLimits: { stackSizeMb: STACK_MEBIBYTES },
    });
    const vm = new VmThread(worker);
    const place = await new Promise((resolve, reject) => {
      vm.#asked = { operation: "boot", args: [], resolve, reject, commit: undefined, timer: undefined };
      vm.#askedAt = performance.now();
      worker.on("message", (answer) => vm.#settle(answer));
      worker.on("error", (error) => vm.#fail(error));
      worker.on("exit", () => vm.#fail(new Error("its thread ended")));
    });
    return { vm, place };
  }

  /** @returns {number} how long the VM has been working on its current request */
  get busyMilliseconds() {
    return this.#asked ? performance.now() - this.#askedAt : 0;
  }

  /**
   * @template {Operation} O
   * @param {O} operation
   * @param {Parameters<Engine[O]>} args plain data
   * @param {{patience?: number}} [options] the longest wait in the queue, in milliseconds; no limit if omitted
   * @returns {Promise<ReturnType<Engine[O]>>}
   */
  ask(operation, args, { patience } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      /** @type {Question} */
      const question = { operation, args, resolve, reject, commit: undefined, timer: undefined };
      if (patience !== undefined && this.#asked) {
        if (this.#waiting.length >= MAX_WAITING) return reject(busy(`${MAX_WAITING} requests wait for its VM`));
        question.timer = setTimeout(() => this.#giveUp(question), patience);
      }
      this.#ask(question);
    });
  }

  /**
   * Lets the VM change its state. `commit` gets the outcome at once, before any other request; if it throws, the VM
   * undoes the change.
   *
   * @template {"runBlock" | "advance" | "enterEpoch"} O
   * @template T
   * @param {O} operation
   * @param {Parameters<Engine[O]>} args
   * @param {(value: ReturnType<Engine[O]>) => T} commit
   * @returns {Promise<T>}
   */
  change(operation, args, commit) {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      this.#ask({ operation, args, resolve, reject, commit, timer: undefined });
    });
  }

  /** @param {Question} question */
  #ask(question) {
    this.#waiting.push(question);
    if (!this.#asked) this.#next();
  }

  /** @param {boolean} enabled */
  async setCosts(enabled) {
    await this.ask("setCosts", [enabled]);
    this.costsEnabled = enabled;
  }

  #next() {
    const question = this.#waiting.shift();
    const last = this.#asked?.operation;
    this.#asked = question ?? null;
    if (!question) {
      // A copy taken while idle makes a later undo faster.
      if (last !== "capture") this.#idle = setTimeout(() => this.ask("capture", []).catch(() => undefined), IDLE_MILLISECONDS).unref();
      return;
    }
    clearTimeout(this.#idle);
    clearTimeout(question.timer);
    this.#askedAt = performance.now();
    this.worker.postMessage({ operation: question.operation, args: question.args });
  }

  /** @param {Question} question */
  #giveUp(question) {
    const index = this.#waiting.indexOf(question);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    question.reject(busy(`its VM has been working on one transaction for ${Math.round(this.busyMilliseconds / 1000)} s`));
  }

  /** @param {{value?: unknown, error?: {kind: string | null, message: string, stack: string}, weight: object}} answer */
  #settle({ value, error, weight }) {
    if (this.#ended) return; // a result that arrived after the end
    Object.assign(this, weight);
    const question = /** @type {Question} */ (this.#asked);
    const { resolve, reject, commit } = question;
    if (error) {
      this.#next();
      return reject(revived(error));
    }
    try {
      const result = commit ? commit(value) : value;
      this.#next();
      resolve(result);
    } catch (refusal) {
      const undone = () => reject(/** @type {Error} */ (refusal));
      this.#waiting.unshift({ operation: "undoLast", args: [], resolve: undone, reject, commit: undefined, timer: undefined });
      this.#next();
    }
  }

  /** @param {Error} error */
  #fail(error) {
    if (this.#ended) return;
    this.#end(error);
    this.onFailure(error);
  }

  /** @param {Error} error */
  #end(error) {
    this.#ended ??= error;
    clearTimeout(this.#idle);
    const questions = this.#asked ? [this.#asked, ...this.#waiting] : this.#waiting;
    this.#asked = null;
    this.#waiting = [];
    for (const { reject, timer } of questions) {
      clearTimeout(timer);
      reject(error);
    }
  }

  async close() {
    this.#end(ending());
    await this.worker.terminate();
  }
}

/** @param {{kind: string | null, message: string, stack: string}} told @returns {Error} */
function revived({ kind, message, stack }) {
  const error = new (ERRORS[kind ?? ""] ?? Error)(message);
  error.stack = stack;
  return error;
}
