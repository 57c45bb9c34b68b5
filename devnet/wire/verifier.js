/** Verifies signatures in its own thread, in parallel with the VM: it takes a third of the VM's time. */
import { Worker } from "node:worker_threads";
import { SignatureError } from "./signatures.js";

/** @typedef {{resolve: () => void, reject: (error: Error) => void}} Waiting */

/** @returns {Error} the error for requests that wait or arrive while the process ends */
export const ending = () => Object.assign(new Error("the devnet is ending"), { statusCode: 503 });

export class SignatureVerifier {
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #nextId = 0;
  #worker = this.#start();

  #start() {
    const worker = new Worker(new URL("./verifier-worker.js", import.meta.url));
    worker.unref();
    worker.on("message", ({ id, problem }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (problem === null) waiting?.resolve();
      else waiting?.reject(new SignatureError(problem));
    });
    worker.on("error", (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#worker = this.#start();
    });
    return worker;
  }

  /**
   * @param {Buffer} raw a transaction that can be parsed
   * @returns {Promise<void>}
   * @throws {SignatureError}
   */
  verify(raw) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, raw });
    });
  }

  async close() {
    for (const { reject } of this.#waiting.values()) reject(ending());
    this.#waiting.clear();
    await this.#worker.terminate();
  }
}
