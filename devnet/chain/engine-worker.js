/** The other end of `VmThread`: the thread with the VM, which processes one request after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { VmError, VmExhausted, VmPanic } from "../vm/vm.js";
import { Engine } from "./engine.js";
import { BlockTooLarge } from "./executor.js";
import { ReadFailure } from "./reads.js";

/** Errors that are passed to the other thread by name, and become the same class there. */
const ERRORS = { VmError, VmExhausted, VmPanic, ReadFailure, BlockTooLarge };

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

const engine = await Engine.boot(workerData);
port.on("message", (/** @type {import("./vm-thread.js").Asked} */ { operation, args }) => {
  port.postMessage({ ...answer(operation, args), weight: engine.weight() });
});
port.postMessage({ value: engine.place(), weight: engine.weight() });

/** @param {import("./vm-thread.js").Operation} operation @param {unknown[]} args */
function answer(operation, args) {
  const ask = /** @type {(...args: unknown[]) => unknown} */ (engine[operation]);
  try {
    return { value: ask.apply(engine, args) };
  } catch (error) {
    const { message, stack } = /** @type {Error} */ (error);
    const kind = Object.entries(ERRORS).find(([, type]) => error instanceof type)?.[0] ?? null;
    return { error: { kind, message, stack } };
  }
}
