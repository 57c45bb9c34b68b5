/**
 * All that is asked of the VM, by name: it runs in a thread of its own (engine-worker.js), and the rest of the devnet
 * reaches it through `VmThread` (vm-thread.js) only. Whatever goes in or comes out is plain data.
 *
 * A new question is a method here, and `chain.vm.ask("method", …)` there.
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

/** @typedef {{height: number, burnHeight: number, time: number}} Place of a block; time in unix seconds */
/** @typedef {{outcomes: Outcome[], undone: Undone, place: Place, interfaces: Interfaces}} BlockResult interfaces: of what was published */
/** @typedef {Record<string, import("../clarity/abi.js").Abi>} Interfaces by contract id */

/** Of a trace, and of where its cost was spent: characters. */
const MAX_TRACE_TEXT = 4 * 1024 * 1024;
/** The most burn blocks in one advance: a year of them. On longer ways each takes longer. */
const MAX_BURN_BLOCKS = 52_560;
/** What an empty block takes of the VM's memory, with some air. */
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
   * @param {boolean} [options.canProfile] whether `trace` can be asked for
   * @param {boolean} [options.coverage] whether it is noted what all calls reach
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

  /** @returns {Place} of the latest block */
  place() {
    const { height, burnHeight, time } = this.vm;
    return { height, burnHeight, time };
  }

  /**
   * @returns {{memoryBytes: number, copiesBytes: number, instances: number}} of the VM; of the copies of it, for undoing,
   *   for a reset, for snapshots; and how often it was begun anew
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
   * Mines one block; `undoLast` takes it back as long as nothing else was asked.
   *
   * @param {Order[]} orders
   * @param {Undone} known of an earlier life
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
   * Mines empty blocks until the tip's time is at least `target`; `undoLast` takes them back together.
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
        // The last stretch is shorter than the others, and its burn blocks are as usual.
        const left = target - this.vm.time;
        this.vm.mineTowards(target, left < burnSeconds ? BURN_BLOCK_SECONDS : burnSeconds);
        places.push(this.place());
      }
      return places;
    });
  }

  /**
   * Has the next blocks in another epoch, with a clock that is not behind; `undoLast` takes it back.
   *
   * @param {string} epoch one that there is
   * @returns {Place[]} of the empty blocks that this takes
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
   * @param {number} time unix seconds of an empty block with a burn block, which was mined once
   * @returns {Place} of it
   */
  burnBlock(time) {
    const mine = (/** @type {number} */ seconds) => this.executor.record(() => this.vm.mineBurnBlock(seconds));
    mine(this.#burnSeconds);
    if (this.vm.time !== time) {
      // After a long advance they are as far from each other as before it.
      this.#burnSeconds = Math.max(BURN_BLOCK_SECONDS, this.#burnSeconds + time - this.vm.time);
      this.undoLast();
      mine(this.#burnSeconds);
    }
    return this.place();
  }

  undoLast() {
    this.executor.undoLast();
  }

  /** @returns {number} the id of a copy of the present state, for `restore` */
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

  /** @param {number[]} ids of images that nobody needs any more */
  forget(ids) {
    for (const id of ids) this.#images.delete(id);
  }

  /** A copy taken while nobody waits makes a later undo short. */
  capture() {
    this.executor.capture();
  }

  /**
   * @param {Order[]} orders of a block, up to the one of interest
   * @param {Undone} known of those before it
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

  /** @returns {Record<string, import("../tracing/coverage.js").ContractProfile>} what was reached so far, by contract */
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

  /** @param {string} contractId @param {string} name of a variable that exists @returns {string} hex with 0x */
  dataVar(contractId, name) {
    return this.executor.read((vm) => vm.dataVar(contractId, name));
  }

  /** @param {string} contractId @param {string} map @param {Uint8Array} key that fits @returns {string} hex with 0x */
  mapEntry(contractId, map, key) {
    return this.executor.read((vm) => vm.mapEntry(contractId, map, key));
  }

  /** @param {string} expression that writes nothing @param {string} sender @returns {string} hex with 0x */
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
