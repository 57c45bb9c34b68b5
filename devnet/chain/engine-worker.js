/** The other end of `VmThread`: a thread with the VM in it, which answers one question after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { VmError, VmExhausted, VmPanic } from "../vm/vm.js";
import { Engine } from "./engine.js";
import { BlockTooLarge } from "./executor.js";
import { ReadFailure } from "./reads.js";

/** What is told by name to the other thread, where it becomes the same kind of error again. */
const ERRORS = { VmError, VmExhausted, VmPanic, ReadFailure, BlockTooLarge };

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

const engine = await Engine.boot(workerData);
port.on("message", (/** @type {{operation: string, args: any[]}} */ { operation, args }) => {
  port.postMessage({ ...answer(operation, args), weight: engine.weight() });
});
port.postMessage({ value: engine.place(), weight: engine.weight() });

/** @param {string} operation @param {any[]} args */
function answer(operation, args) {
  try {
    return { value: /** @type {any} */ (engine)[operation](...args) };
  } catch (error) {
    const { message, stack } = /** @type {Error} */ (error);
    const kind = Object.entries(ERRORS).find(([, type]) => error instanceof type)?.[0] ?? null;
    return { error: { kind, message, stack } };
  }
}
