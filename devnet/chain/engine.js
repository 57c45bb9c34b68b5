/**
 * All requests to the VM, by name. The VM runs in its own thread (engine-worker.js), and the rest of the devnet reaches
 * it only through `VmThread` (vm-thread.js). Arguments and results are plain data.
 *
 * To add a request, add a method here and call it with `chain.vm.ask("method", …)`.
 */
import { withoutAddition } from "../vm/top-level-code.js";
import { MAX_MEMORY_BYTES } from "../vm/budget.js";
import { BURN_BLOCK_SECONDS, Vm, VmExhausted } from "../vm/vm.js";
import { Coverage } from "../tracing/coverage.js";
import { loadBootContract } from "./boot-contracts.js";
import { Executor } from "./executor.js";
import { callFunction } from "./reads.js";
import { traitProblem } from "./traits.js";

/** @typedef {import("./executor.js").Order} Order */
/** @typedef {import("./executor.js").Outcome} Outcome */
/** @typedef {import("./executor.js").Undone} Undone */

/** @typedef {{height: number, burnHeight: number, time: number}} Place the place of a block; time: in unix seconds */
/** @typedef {{outcomes: Outcome[], undone: Undone, place: Place, interfaces: Interfaces}} BlockResult interfaces: of what was published */
/** @typedef {Record<string, import("../clarity/abi.js").Abi>} Interfaces interfaces by contract id */

/** The longest trace, and the longest list of where its cost was spent, in characters. */
const MAX_TRACE_TEXT = 4 * 1024 * 1024;
/** The most burn blocks in one advance: one year's. In a longer advance, the time between them is longer. */
const MAX_BURN_BLOCKS = 52_560;
/** The VM's memory that an empty block needs, with a margin. */
const BLOCK_BYTES = 2_048;

export class Engine {
  /** @type {Map<number, import("../vm/memory.js").MemoryImage>} */
  #images = new Map();
  #nextImage = 1;
  #burnSeconds = BURN_BLOCK_SECONDS;

  /** @param {Executor} executor @param {Coverage | null} coverage */
  constructor(executor, coverage) {
    this.executor = executor;
    this.coverage = coverage;
  }

  /**
   * @param {object} options
   * @param {number} options.startTime unix seconds of the first block
   * @param {Map<string, bigint>} options.balances µSTX by address
   * @param {boolean} [options.canProfile] whether `trace` can be called
   * @param {boolean} [options.coverage] whether to record what all calls reach
   * @returns {Promise<Engine>}
   */
  static async boot({ canProfile = false, coverage = false, ...genesis }) {
    const vm = await Vm.boot({ ...genesis, canProfile: canProfile || coverage });
    if (!coverage) return new Engine(new Executor(vm), null);
    vm.profiles = true;
    const executor = new Executor(vm);
    const reached = new Coverage((contractId) => vm.contractSource(contractId));
    executor.onProfile = (folded) => reached.add(folded);
    return new Engine(executor, reached);
  }

  get vm() {
    return this.executor.vm;
  }

  /** @returns {Place} the place of the latest block */
  place() {
    const { height, burnHeight, time } = this.vm;
    return { height, burnHeight, time };
  }

  /**
   * @returns {{memoryBytes: number, copiesBytes: number, instances: number}} memory of the VM; of its copies, for
   *   undoing, resets and snapshots; and how many instances were created
   */
  weight() {
    const { vm, rolling } = this.executor;
    const images = [...this.#images.values()].reduce((sum, { pages }) => sum + pages.length, 0);
    return { memoryBytes: vm.memory.length, copiesBytes: vm.base.bytes.length + rolling.buffer.length + images, instances: vm.instances };
  }

  /** @param {boolean} enabled */
  setCosts(enabled) {
    this.vm.setCosts(enabled);
  }

  /**
   * Mines one block; `undoLast` undoes it if no other request came in between.
   *
   * @param {Order[]} orders
   * @param {Undone} known outcomes that are known from an earlier run
   * @returns {BlockResult}
   */
  runBlock(orders, known) {
    if (orders.length === 0) {
      this.executor.record(() => this.vm.mineEmptyBlocks(1));
      return { outcomes: [], undone: {}, place: this.place(), interfaces: {} };
    }
    const { outcomes, undone } = this.executor.runBlock(orders, known);
    const interfaces = Object.fromEntries(
      orders.flatMap(({ payload, sender }, index) => {
        if (payload.type !== "smart_contract" || outcomes[index].status !== "success") return [];
        const contractId = `${sender}.${payload.name}`;
        const abi = /** @type {import("../clarity/abi.js").Abi} */ (this.executor.read((vm) => vm.contractInterface(contractId)));
        return [[contractId, withoutAddition(abi)]];
      }),
    );
    return { outcomes, undone, place: this.place(), interfaces };
  }

  /**
   * Mines empty blocks until the tip's time is at least `target`; `undoLast` undoes all of them.
   *
   * @param {number} target unix seconds
   * @returns {Place[]}
   */
  advance(target) {
    const span = Math.max(0, target - this.vm.time);
    const burnSeconds = Math.max(BURN_BLOCK_SECONDS, Math.ceil(span / MAX_BURN_BLOCKS));
    const room = MAX_MEMORY_BYTES - this.vm.memory.length;
    if ((span / burnSeconds) * BLOCK_BYTES > room) {
      throw new VmExhausted("the VM's memory has no room for so many blocks: reset the chain, or begin a new one");
    }
    return this.executor.record(() => {
      /** @type {Place[]} */
      const places = [];
      while (this.vm.time < target) {
        // The last part is shorter than the others, and its burn blocks are at the usual distance.
        const left = target - this.vm.time;
        this.vm.mineTowards(target, left < burnSeconds ? BURN_BLOCK_SECONDS : burnSeconds);
        places.push(this.place());
      }
      return places;
    });
  }

  /**
   * Mines the next blocks in another epoch, without setting the clock back; `undoLast` undoes it.
   *
   * @param {string} epoch an existing one
   * @returns {Place[]} the places of the empty blocks mined for this
   */
  enterEpoch(epoch) {
    return this.executor.record(() => {
      const { height, time } = this.vm;
      this.vm.setEpoch(epoch);
      const places = this.vm.height > height ? [this.place()] : [];
      while (this.vm.time < time) {
        this.vm.mineEmptyBlocks(1);
        places.push(this.place());
      }
      return places;
    });
  }

  /**
   * Mines an empty block with a burn block once more, at the same time as before.
   *
   * @param {number} time the time at which it was mined before, in unix seconds
   * @returns {Place} the place of the new block
   */
  burnBlock(time) {
    const mine = (/** @type {number} */ seconds) => this.executor.record(() => this.vm.mineBurnBlock(seconds));
    mine(this.#burnSeconds);
    if (this.vm.time !== time) {
      // After a long advance, burn blocks are again at the usual distance.
      this.#burnSeconds = Math.max(BURN_BLOCK_SECONDS, this.#burnSeconds + time - this.vm.time);
      this.undoLast();
      mine(this.#burnSeconds);
    }
    return this.place();
  }

  undoLast() {
    this.executor.undoLast();
  }

  /** @returns {number} the id of a copy of the current state, for `restore` */
  image() {
    const id = this.#nextImage++;
    this.#images.set(id, this.executor.image());
    return id;
  }

  /** @param {number} id */
  restore(id) {
    const image = this.#images.get(id);
    if (!image) throw new Error(`the VM has no image ${id}`);
    this.executor.restore(image);
  }

  /** @param {number[]} ids the ids of images that are no longer needed */
  forget(ids) {
    for (const id of ids) this.#images.delete(id);
  }

  /** A copy taken while idle makes a later undo faster. */
  capture() {
    this.executor.capture();
  }

  /**
   * @param {Order[]} orders the orders of a block, up to the one to trace
   * @param {Undone} known the known outcomes of those before it
   */
  trace(orders, known) {
    const { outcome, trace, folded } = this.executor.trace(orders, known);
    return {
      outcome,
      trace: trace.slice(0, MAX_TRACE_TEXT),
      folded: folded.slice(0, MAX_TRACE_TEXT),
      isWhole: trace.length <= MAX_TRACE_TEXT,
    };
  }

  /** @returns {Record<string, import("../tracing/coverage.js").ContractProfile>} what was executed so far, by contract */
  profile() {
    return this.coverage?.toJson() ?? {};
  }

  /** @param {Order} order @param {{withFee: boolean}} options @returns {Outcome} */
  simulate(order, options) {
    return this.executor.simulate(order, options);
  }

  /** @param {import("./reads.js").FunctionCall} call @returns {string} hex with 0x */
  callFunction(call) {
    return callFunction(this.executor, call);
  }

  /** @param {string} contractId @param {string} name the name of an existing variable @returns {string} hex with 0x */
  dataVar(contractId, name) {
    return this.executor.read((vm) => vm.dataVar(contractId, name));
  }

  /** @param {string} contractId @param {string} map @param {Uint8Array} key a key of the right type @returns {string} hex with 0x */
  mapEntry(contractId, map, key) {
    return this.executor.read((vm) => vm.mapEntry(contractId, map, key));
  }

  /** @param {string} expression one that writes nothing @param {string} sender @returns {string} hex with 0x */
  evaluate(expression, sender) {
    return this.executor.read((vm) => vm.evaluate(expression, sender));
  }

  /** @param {string} contractId @param {string} functionName @param {import("../clarity/value.js").ClarityValue[]} args */
  traitProblem(contractId, functionName, args) {
    return traitProblem(this.executor, { contractId, functionName, args });
  }

  /** @param {string} contractId @returns {import("./history.js").Contract | undefined} */
  bootContract(contractId) {
    return loadBootContract(this.executor, contractId);
  }
}
