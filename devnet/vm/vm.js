/**
 * Clarinet's VM as the devnet uses it: blocks of operations, read-only calls, time, and copies of its state.
 *
 * Everything here is synchronous and independent of transactions, nonces and post-conditions.
 */
import { BOOT_ADDRESS, begin } from "./boot.js";
import { Budget, OF_ONE, OF_PROFILED, OF_SEVERAL } from "./budget.js";
import { ADDED, BURN_SECONDS } from "./instrument.js";
import { BaseImage } from "./memory.js";
import { adopt, loadVmModule, referencesOf } from "./module.js";

/** The addresses the VM's boot contracts have on test networks. */

/** Their mainnet address, where a test network's node has no contracts, and the address that replaces it. */
const MAINNET_BOOT = "SP000000000000000000002Q6VF78.";
const NO_ADDRESS = "SP000000000000000000002XXXXXX.";

/** Setting the epoch mines one burn block, which adds this to the clock (seconds). */
const EPOCH_START_SECONDS = 610;
/** Time between burn blocks, unless another is given. */
export const BURN_BLOCK_SECONDS = 600;

/** The address in the VM's memory where its constants end. */
const HEAP = 2_700_000;

/** The VM's allocator cannot use growth after a restore; headroom added before the first copy prevents such growth. */
const HEADROOM_BYTES = 64 * 1024 * 1024;
const HEADROOM_REFERENCES = 4096;
/** How much memory may be lost by growth and restores before a new instance of the module is created. */
const MAX_LOST_BYTES = 64 * 1024 * 1024;

/** @typedef {{line: number, column: number, endLine: number, endColumn: number}} Span a range in a source, counted from 1 */

/** A runtime error or a refusal of the VM: the request has no effect. `message` is the VM's own text. */
export class VmError extends Error {
  /** The location of the failed expression, if the VM knows it. @type {Span | null} */
  place = null;
}

/** The VM itself crashed (a Rust panic). Its memory must be restored before it is used again. */
export class VmPanic extends Error {}

/** The request exceeded the VM's limits: it ran too long, or needed too much memory. Its memory must be restored. */
export class VmExhausted extends VmPanic {
  /** The status code of the response. */
  statusCode = 503;
}

const EXHAUSTED = {
  time: "it takes longer than any transaction may",
  memory: "it takes more memory than any transaction may",
};

/**
 * @typedef {{transferSTX: {amount: number, recipient: string, sender: string}}} TransferOperation
 * @typedef {{callPublicFn: {contract: string, method: string, args: [], args_maps: Uint8Array[], sender: string}}} CallOperation
 * @typedef {{deployContract: {name: string, content: string, options: {clarityVersion: number}, sender: string}}} DeployOperation
 * @typedef {TransferOperation | CallOperation | DeployOperation} Operation
 *
 * @typedef {object} OperationResult
 * @property {string} result Clarity value, hex with 0x
 * @property {string} events JSON: a list of texts that are JSON each
 * @property {string} costs JSON, or "null"
 * @property {string} [performance] while the VM profiles: stacks with their costs (see tracing/folded.js), added up with
 *   those of the block's earlier operations
 *
 * @typedef {{restore(memory: Buffer): void, memoryLength: number}} Restorable
 *
 * @typedef {import("@stacks/clarinet-sdk-wasm").SDK & {__wbg_ptr: number}} Sdk with its address in the VM's memory
 */

export class Vm {
  /**
   * @param {import("./module.js").VmModule} module
   * @param {Sdk} sdk
   * @param {() => number} clock
   */
  constructor(module, sdk, clock) {
    this.module = module;
    this.sdk = sdk;
    this.clock = clock;
    this.lostBytes = 0;
    this.instances = 1;
    this.costsEnabled = true;
    this.costsFlag = -1;
  }

  /**
   * Starts the VM in epoch 4.0 with the given balances.
   *
   * @param {object} options
   * @param {number} options.startTime unix seconds of the first block of epoch 4.0
   * @param {Map<string, bigint>} options.balances µSTX by address
   * @param {boolean} [options.canProfile] whether `profiles` may be set
   * @param {string} [options.folder] where images of the VM are kept (boot.js)
   * @returns {Promise<Vm>}
   */
  static async boot({ startTime, balances, canProfile = false, folder }) {
    const clock = () => (startTime - EPOCH_START_SECONDS) * 1000;
    const { module, sdk, costsFlag, known } = await begin({ clock, canProfile, folder });
    const vm = new Vm(module, sdk, clock);
    sdk.setEpoch("4.0");
    vm.overwrite(MAINNET_BOOT, NO_ADDRESS);
    for (const [address, amount] of balances) if (amount > 0n) sdk.mintSTX(address, amount);
    vm.costsFlag = costsFlag;
    vm.#makeHeadroom();
    vm.base = new BaseImage(vm.memory, known);
    return vm;
  }

  /** Whether to record where blocks and calls spend their costs, which makes them about eight times slower. */
  profiles = false;
  /** Whether to record nested calls, for `lastTrace`. */
  traces = false;

  /** The state right after boot. @type {BaseImage} */
  base = /** @type {never} */ (undefined);

  get memory() {
    return Buffer.from(this.module.exports.memory.buffer);
  }

  get height() {
    return this.sdk.stacksBlockHeight;
  }

  get burnHeight() {
    return this.sdk.burnBlockHeight;
  }

  /** @returns {string} the epoch that the next block is in, such as "4.0" */
  get epoch() {
    return this.sdk.currentEpoch;
  }

  /** Unix seconds of the tip: what `stacks-block-time` was in the last block, and is in read-only calls. */
  get time() {
    return Number(this.sdk.getBlockTime());
  }

  /**
   * Mines one block of operations, one after the other.
   *
   * @param {Operation[]} operations
   * @returns {OperationResult[]}
   * @throws {VmError} if one of them has a runtime error: the block is mined, the operations before it keep their
   *   effects, it and those after it have none, and no result is known
   * @throws {VmPanic} the memory must be restored
   */
  mineBlock(operations) {
    this.#beginProfile();
    // A separate operation pays each transaction's fee.
    const allowance = operations.length > 2 ? OF_SEVERAL : OF_ONE;
    return this.#guard(() => this.sdk.mineBlock(operations), this.profiles ? OF_PROFILED : allowance);
  }

  /** @param {number} count */
  mineEmptyBlocks(count) {
    // Before epoch 3.0 each burn block has one Stacks block.
    if (Number(this.epoch) < 3) this.#guard(() => this.sdk.mineEmptyBurnBlocks(count));
    else this.#guard(() => this.sdk.mineEmptyStacksBlocks(count));
  }

  /**
   * Mines the next blocks in another epoch, earlier or later. The VM may mine a block for this, and its clock may go
   * back.
   *
   * @param {string} epoch an existing one, such as "2.4"
   */
  setEpoch(epoch) {
    this.#guard(() => this.sdk.setEpoch(/** @type {import("@stacks/clarinet-sdk-wasm").EpochString} */ (epoch)));
    this.overwrite(MAINNET_BOOT, NO_ADDRESS);
  }

  /**
   * Mines one empty block: a burn block if the distance is long enough, otherwise a Stacks block (10 s).
   *
   * @param {number} target unix seconds
   * @param {number} [burnSeconds] between burn blocks, at least 600
   */
  mineTowards(target, burnSeconds = BURN_BLOCK_SECONDS) {
    // A burn block adds less if Stacks blocks have already used part of its time, so it never overshoots.
    if (target - this.time >= burnSeconds) this.mineBurnBlock(burnSeconds);
    else this.mineEmptyBlocks(1);
  }

  /** Mines one empty block with a burn block. @param {number} [seconds] after the last burn block, at least 600 */
  mineBurnBlock(seconds = BURN_BLOCK_SECONDS) {
    const added = this.module.exports[BURN_SECONDS];
    added.value = BigInt(seconds);
    try {
      this.#guard(() => this.sdk.mineEmptyBurnBlocks(1));
    } finally {
      added.value = BigInt(BURN_BLOCK_SECONDS);
    }
  }

  /**
   * @param {string} recipient
   * @param {bigint} amount µSTX
   */
  mint(recipient, amount) {
    this.#guard(() => this.sdk.mintSTX(recipient, amount));
  }

  /**
   * @param {string} contract
   * @param {string} method
   * @param {Uint8Array[]} args serialized values that fit the function's types
   * @param {string} sender
   * @returns {OperationResult}
   */
  callReadOnly(contract, method, args, sender) {
    this.#beginProfile();
    return this.#callReadOnly(contract, method, args, sender);
  }

  /** @param {string} contract @param {string} method @param {Uint8Array[]} args @param {string} sender @returns {OperationResult} */
  #callReadOnly(contract, method, args, sender) {
    return this.#guard(() => {
      const call = new this.module.glue.CallFnArgs(contract, method, args, sender);
      try {
        const response = this.sdk.callReadOnlyFn(call);
        const { result, events, costs, performance } = response;
        response.free();
        return { result, events, costs, performance };
      } finally {
        call.free();
      }
    });
  }

  /**
   * @param {string} contract
   * @param {string} name
   * @returns {string} hex with 0x
   */
  dataVar(contract, name) {
    return this.#guard(() => this.sdk.getDataVar(contract, name));
  }

  /**
   * @param {string} contract
   * @param {string} map
   * @param {Uint8Array} key a serialized value that fits the map's key type
   * @returns {string} hex with 0x: `(some …)` or `none`
   */
  mapEntry(contract, map, key) {
    try {
      return this.#guard(() => this.sdk.getMapEntry(contract, map, key));
    } catch (error) {
      if (error instanceof VmError && error.message === "value not found") return "0x09";
      throw error;
    }
  }

  /**
   * Evaluates an expression that does not write.
   *
   * @param {string} expression
   * @param {string} [sender] its tx-sender, an address
   * @returns {string} hex with 0x
   * @throws {VmError} with the VM's text
   */
  evaluate(expression, sender = BOOT_ADDRESS) {
    return this.#guard(() => {
      this.sdk.executeCommand(`::set_tx_sender ${sender}`);
      const result = this.sdk.runSnippet(expression);
      if (!result.startsWith("0x")) throw result;
      return result;
    });
  }

  /**
   * @param {string} contract
   * @returns {import("../clarity/abi.js").Abi | undefined} the interface
   */
  contractInterface(contract) {
    const abi = this.#guard(() => plain(this.sdk.getContractsInterfaces().get(contract)));
    return /** @type {import("../clarity/abi.js").Abi | undefined} */ (abi);
  }

  /**
   * @param {string} contract
   * @returns {string | undefined}
   */
  contractSource(contract) {
    return this.#guard(() => this.sdk.getContractSource(contract));
  }

  /**
   * Replaces a text everywhere in the VM's memory except its constants.
   *
   * @param {string} text ASCII
   * @param {string} other the replacement, of the same length
   */
  overwrite(text, other) {
    const { memory } = this;
    for (let at = memory.indexOf(text, HEAP, "latin1"); at >= 0; at = memory.indexOf(text, at + 1, "latin1")) {
      memory.write(other, at, "latin1");
    }
  }

  /** The VM's recordings accumulate until they are restarted. */
  #beginProfile() {
    this.module.exports[ADDED.tracing].value = this.traces ? 1 : 0;
    if (this.profiles) this.#guard(() => this.sdk.enablePerformance("runtime"));
  }

  /** @returns {string} the VM's recording of a failed block, which has no results */
  restOfProfile() {
    const contract = `${BOOT_ADDRESS}.pox-5`;
    const { performance = "" } = this.#callReadOnly(contract, "get-pox-info", [], BOOT_ADDRESS);
    return performance
      .split("\n")
      .filter((line) => !line.includes(`${contract}:`))
      .join("\n");
  }

  /** @returns {string} while the VM traces, the tree of the calls within the latest call of a public function (see tracing/trace-text.js) */
  lastTrace() {
    return this.#guard(() => this.sdk.getLastContractCallTrace()) ?? "";
  }

  /** @param {boolean} enabled */
  setCosts(enabled) {
    if (this.costsFlag < 0) throw new VmError("this build of the VM cannot switch cost tracking while it runs");
    this.costsEnabled = enabled;
    this.memory[this.sdk.__wbg_ptr + this.costsFlag] = enabled ? 1 : 0;
  }

  /**
   * @template T
   * @param {() => T} run
   * @returns {T} its result with cost tracking on, even if tracking is switched off
   */
  withCosts(run) {
    const enabled = this.costsEnabled;
    if (!enabled) this.setCosts(true);
    try {
      return run();
    } finally {
      if (!enabled) this.setCosts(false);
    }
  }

  /**
   * Restores a copied state; also repairs the VM after a panic.
   *
   * @param {Restorable} image
   * @param {{broken?: boolean}} [state] broken: the VM panicked, and only its memory can be trusted, not its stack
   */
  restore(image, { broken = false } = {}) {
    this.lostBytes += Math.max(0, this.module.exports.memory.buffer.byteLength - image.memoryLength);
    if (broken || this.lostBytes > MAX_LOST_BYTES) this.#newInstance(image.memoryLength);
    image.restore(this.memory);
    if (this.costsFlag >= 0) this.setCosts(this.costsEnabled);
  }

  /**
   * Creates a new instance of the same code, with an empty stack and as much memory as needed. The state outside the
   * memory, the table of references to JavaScript values, is carried over.
   *
   * @param {number} memoryLength
   */
  #newInstance(memoryLength) {
    const old = this.module;
    this.module = loadVmModule(this.clock);
    this.sdk = adopt(this.module, { memoryLength, references: referencesOf(old), pointer: this.sdk.__wbg_ptr });
    this.lostBytes = 0;
    this.instances += 1;
  }

  #makeHeadroom() {
    const { exports } = this.module;
    const references = Array.from({ length: HEADROOM_REFERENCES }, () => exports.__externref_table_alloc());
    for (const reference of references.reverse()) exports.__externref_table_dealloc(reference);
    const pointer = exports.__wbindgen_malloc(HEADROOM_BYTES, 8);
    exports.__wbindgen_free(pointer, HEADROOM_BYTES, 8);
  }

  /**
   * @template T
   * @param {() => T} run
   * @param {import("./budget.js").Allowance} [allowance]
   * @returns {T}
   */
  #guard(run, allowance = OF_ONE) {
    const budget = new Budget(this.module, allowance);
    const { exports } = this.module;
    exports[ADDED.line].value = 0;
    this.module.log.panic = "";
    try {
      return run();
    } catch (error) {
      if (typeof error === "string") throw Object.assign(new VmError(error), { place: this.#failedPlace() });
      if (budget.cause) throw new VmExhausted(EXHAUSTED[budget.cause]);
      const panic = this.module.log.panic.split("\n\nStack:")[0].trim();
      throw new VmPanic(panic || String(error));
    }
  }

  /** @returns {Span | null} */
  #failedPlace() {
    const { exports } = this.module;
    const line = exports[ADDED.line].value;
    if (line === 0) return null;
    const [column, endLine, endColumn] = [ADDED.column, ADDED.endLine, ADDED.endColumn].map((name) => exports[name].value);
    return { line, column, endLine, endColumn };
  }
}

/**
 * @param {unknown} value a value from the VM's serializer: nested Maps
 * @returns {unknown} the same as plain objects
 */
function plain(value) {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}
