/**
 * Loads Clarinet's VM (a WebAssembly module with generated glue) so that its whole state can be copied and restored.
 *
 * The glue does not offer this, so it is changed from outside while it loads:
 * - `WebAssembly.Instance` is wrapped, to access the linear memory, which holds all of the VM's state;
 * - `FinalizationRegistry` is hidden, because finalizers free VM objects by address: after a restore those addresses
 *   belong to something else, and the process crashes. The code that creates a VM object also frees it;
 * - the imports that print are silenced (panic messages are kept for the error), and the one that reads the clock
 *   returns the given genesis time, since the VM reads the clock only at genesis;
 * - the code is changed so that its work can be limited (instrument.js).
 */
import { createRequire } from "node:module";
import { ADDED, instrument } from "./instrument.js";

const require = createRequire(import.meta.url);
const gluePath = createRequire(require.resolve("@stacks/clarinet-sdk")).resolve("@stacks/clarinet-sdk-wasm");

/** The largest memory with 32-bit addresses. */
const MAX_PAGES = 65_536;
const FULL = 2 ** 31 - 1;

/** Compiled once; all instances share the code and its optimisations. @type {{module: WebAssembly.Module, tick: string} | undefined} */
let compiled;

/**
 * The exports of the WebAssembly instance that are used: those of wasm-bindgen, and the globals that `ADDED` names.
 *
 * @typedef {{
 *   memory: WebAssembly.Memory,
 *   __wbindgen_externrefs: WebAssembly.Table,
 *   __externref_table_alloc: () => number,
 *   __externref_table_dealloc: (reference: number) => void,
 *   __wbindgen_malloc: (bytes: number, alignment: number) => number,
 *   __wbindgen_free: (pointer: number, bytes: number, alignment: number) => void,
 * } & {[K in typeof ADDED[keyof typeof ADDED]]: WebAssembly.Global}} Exports
 */

/**
 * @typedef {object} VmModule
 * @property {typeof import("@stacks/clarinet-sdk-wasm")} glue the generated module: SDK, SDKOptions, CallFnArgs, …
 * @property {Exports} exports the exports of the WebAssembly instance
 * @property {{panic: string}} log the last panic message
 * @property {{tick: () => void}} hooks called each time the allocation count runs out
 */

/**
 * Creates a new, empty instance of the VM's module.
 *
 * @param {() => number} clock milliseconds since 1970; the VM's current time
 * @returns {VmModule}
 */
export function loadVmModule(clock) {
  const hidden = {
    instance: WebAssembly.Instance,
    module: WebAssembly.Module,
    registry: globalThis.FinalizationRegistry,
  };
  const log = { panic: "" };
  const hooks = { tick: () => undefined };
  /** @type {WebAssembly.Instance | undefined} */
  let instance;
  const changeable = /** @type {{Module: unknown, Instance: unknown}} */ (WebAssembly);
  changeable.Module = function cachedModule(/** @type {BufferSource} */ bytes) {
    if (!compiled) {
      const changed = instrument(Buffer.from(/** @type {Uint8Array} */ (bytes)));
      compiled = { module: new hidden.module(/** @type {Buffer<ArrayBuffer>} */ (changed.bytes)), tick: changed.tick };
    }
    return compiled.module;
  };
  changeable.Instance = function capturedInstance(
    /** @type {WebAssembly.Module} */ module,
    /** @type {Record<string, Record<string, Function>>} */ imports,
  ) {
    for (const namespace of Object.values(imports)) {
      replaceImports(namespace, clock, log);
      const { tick } = /** @type {{tick: string}} */ (compiled);
      if (tick in namespace) namespace[tick] = () => hooks.tick();
    }
    instance = new hidden.instance(module, imports);
    const exports = exportsOf(instance);
    // Without limits until they are set.
    exports[ADDED.maxPages].value = MAX_PAGES;
    exports[ADDED.fuel].value = FULL;
    return instance;
  };
  /** @type {{FinalizationRegistry: unknown}} */ (globalThis).FinalizationRegistry = undefined;
  try {
    delete require.cache[gluePath];
    // A `require` keeps everything that it has loaded, so each instance has its own; otherwise, none would ever be
    // freed.
    const glue = createRequire(import.meta.url)(gluePath);
    if (!instance) throw new Error("Clarinet's VM did not load as expected; is @stacks/clarinet-sdk 3.21.0 installed?");
    return { glue, exports: exportsOf(instance), log, hooks };
  } finally {
    WebAssembly.Instance = hidden.instance;
    WebAssembly.Module = hidden.module;
    globalThis.FinalizationRegistry = hidden.registry;
  }
}

/**
 * Prepares a new instance for the memory of another one.
 *
 * @param {VmModule} module the new instance
 * @param {object} other
 * @param {number} other.memoryLength
 * @param {unknown[]} other.references the table of references to JavaScript values, which is outside of the memory
 * @param {number} other.pointer the address of the SDK's object
 * @returns {import("./vm.js").Sdk} the SDK's object, which is valid as soon as the memory is copied
 */
export function adopt({ exports, glue }, { memoryLength, references, pointer }) {
  const { memory, __wbindgen_externrefs: table } = exports;
  memory.grow((memoryLength - memory.buffer.byteLength) / 65536);
  table.grow(references.length - table.length);
  references.forEach((reference, index) => table.set(index, reference));
  const sdk = Object.create(glue.SDK.prototype);
  sdk.__wbg_ptr = pointer;
  return sdk;
}

/** @param {VmModule} module @returns {unknown[]} its references to JavaScript values */
export function referencesOf({ exports }) {
  const table = exports.__wbindgen_externrefs;
  return Array.from({ length: table.length }, (_, index) => table.get(index));
}

/** @param {WebAssembly.Instance} instance @returns {Exports} */
function exportsOf(instance) {
  return /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
}

/**
 * @param {Record<string, Function>} namespace the glue's imports, named `__wbg_<what>_<hash>`
 * @param {() => number} clock
 * @param {{panic: string}} log
 */
function replaceImports(namespace, clock, log) {
  for (const name of Object.keys(namespace)) {
    const original = namespace[name];
    if (name.startsWith("__wbg_log_")) {
      namespace[name] = () => undefined;
    } else if (name.startsWith("__wbg_error_")) {
      namespace[name] = (/** @type {unknown[]} */ ...args) => {
        log.panic = captureConsoleError(() => original(...args)) || log.panic;
      };
    } else if (name.startsWith("__wbg_new_0_")) {
      namespace[name] = () => new Date(clock());
    }
  }
}

/**
 * The glue decodes the message from VM memory and hands it to `console.error`; it can be read only there.
 *
 * @param {() => void} run
 * @returns {string}
 */
function captureConsoleError(run) {
  const original = console.error;
  let text = "";
  console.error = (...parts) => {
    text += parts.join(" ");
  };
  try {
    run();
  } finally {
    console.error = original;
  }
  return text;
}
