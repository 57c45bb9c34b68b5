/**
 * Posts to one event observer, in order, repeating each request until it succeeds, as a node does. A node waits for its
 * observers; the devnet continues, and keeps undelivered requests outside its memory.
 */
import { Archive } from "../chain/archive.js";

const TIMEOUT_MILLISECONDS = 5_000;
const FIRST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 5_000;
/** When the devnet ends, the time left to deliver waiting requests. */
const LAST_MILLISECONDS = 5_000;

/** @typedef {{path: string, offset: number, length: number}} Waiting */

export class Delivery {
  #archive = new Archive();
  /** @type {Waiting[]} */
  #waiting = [];
  #next = 0;
  #failing = false;
  /** @type {Promise<void> | null} */
  #running = null;
  #end = new AbortController();

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {string} path @param {string} body JSON */
  post(path, body) {
    const bytes = Buffer.from(body);
    this.#waiting.push({ path, offset: this.#archive.append(bytes), length: bytes.length });
    this.#running ??= this.#run();
  }

  async #run() {
    // Starts when the current request is done.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#next < this.#waiting.length) {
      const { path, offset, length } = this.#waiting[this.#next];
      await this.#deliver(path, this.#archive.read(offset, length));
      if (this.#end.signal.aborted) return;
      this.#next += 1;
      if (this.#next === this.#waiting.length) this.#forgetDelivered();
    }
    this.#running = null;
  }

  #forgetDelivered() {
    this.#waiting = [];
    this.#next = 0;
    this.#archive.cut(0);
  }

  /** @param {string} path @param {Buffer} body */
  async #deliver(path, body) {
    let pause = FIRST_PAUSE_MILLISECONDS;
    for (let attempt = 1; !this.#end.signal.aborted; attempt++) {
      const problem = await this.#attempt(path, body);
      if (problem === null) {
        if (attempt > 1) process.stderr.write(`devnet: event observer ${this.url} has responded\n`);
        this.#failing = false;
        return;
      }
      if (attempt === 1) process.stderr.write(`devnet: event observer ${this.url}${path}: ${problem}; retrying until it succeeds\n`);
      this.#failing = true;
      await this.#sleep(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS);
    }
  }

  /** @param {string} path @param {Buffer} body @returns {Promise<string | null>} the problem, or null */
  async #attempt(path, body) {
    try {
      const response = await fetch(this.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: new Uint8Array(body),
        redirect: "manual",
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MILLISECONDS), this.#end.signal]),
      });
      await response.body?.cancel();
      return response.ok ? null : `status ${response.status}`;
    } catch (error) {
      const { message, cause } = /** @type {Error} */ (error);
      return cause instanceof Error && cause.message ? cause.message : message;
    }
  }

  /** @param {number} milliseconds */
  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end.signal.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
    });
  }

  /** An observer that has not failed gets the remaining requests, if that does not take long. */
  async close() {
    if (this.#running && !this.#failing) await Promise.race([this.#running, this.#sleep(LAST_MILLISECONDS)]);
    this.#end.abort();
    await this.#running;
    this.#archive.close();
  }
}
