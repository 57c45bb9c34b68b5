// Restoring the VM's memory, on which the devnet relies when it undoes changes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { beforeAll, beforeEach, describe, expect, test } from "vitest";

import { Vm, VmError, VmPanic } from "../../devnet/vm/vm.js";
import { Checkpoint } from "../../devnet/vm/memory.js";
import { Executor } from "../../devnet/chain/executor.js";

const OWNER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
const CONTRACT = `${OWNER}.counter`;
const SOURCE = `
(define-data-var count uint u0)
(define-read-only (get-count) (var-get count))
(define-public (add (n uint)) (begin (var-set count (+ (var-get count) n)) (ok stacks-block-time)))
(define-public (fail) (ok (/ u1 u0)))`;
const START = 1_800_000_000;

const uint = (value) => new Uint8Array(Buffer.from(`01${value.toString(16).padStart(32, "0")}`, "hex"));
const call = (method, ...args) => ({ callPublicFn: { contract: CONTRACT, method, args: [], args_maps: args, sender: OWNER } });
const GARBAGE = Uint8Array.of(255);

let vm;
let fresh;

beforeAll(async () => {
  vm = await Vm.boot({ startTime: START, balances: new Map([[OWNER, 1_000_000n]]) });
  vm.mineBlock([{ deployContract: { name: "counter", content: SOURCE, options: { clarityVersion: 4 }, sender: OWNER } }]);
  fresh = new Checkpoint();
  fresh.capture(vm.memory);
});

beforeEach(() => vm.restore(fresh));

const count = () => BigInt(`0x${vm.dataVar(CONTRACT, "count").slice(4)}`);
const state = () => [count(), vm.height, vm.burnHeight, vm.time];

test("the VM starts at the given time", () => {
  vm.restore(vm.base);
  expect(vm.time).toBe(START);
});

test("an image restores state, height and time any number of times", () => {
  vm.mineBlock([call("add", uint(3))]);
  const image = vm.base.difference(vm.memory);
  const before = state();
  for (let round = 0; round < 5; round++) {
    vm.mineBlock([call("add", uint(4))]);
    vm.mineTowards(vm.time + 86_400);
    expect(state()).not.toEqual(before);
    vm.restore(image);
    expect(state()).toEqual(before);
  }
  expect(image.pages.length).toBeLessThan(64 * 1024 * 1024);
});

test("a replay after a restore has the same results", () => {
  const run = () => Array.from({ length: 20 }, (_, n) => vm.mineBlock([call("add", uint(n))])[0].result);
  const first = run();
  const after = state();
  vm.restore(fresh);
  expect(run()).toEqual(first);
  expect(state()).toEqual(after);
});

test("after a runtime error, the block is mined with the operations before it", () => {
  const { height } = vm;
  expect(() => vm.mineBlock([call("add", uint(5)), call("fail"), call("add", uint(7))])).toThrow(VmError);
  expect([count(), vm.height]).toEqual([5n, height + 1]);
});

describe("after a panic", () => {
  test("a restore repairs the VM", () => {
    vm.mineBlock([call("add", uint(5))]);
    const image = vm.base.difference(vm.memory);
    for (let round = 0; round < 3; round++) {
      expect(() => vm.mineBlock([call("add", GARBAGE)])).toThrow(VmPanic);
      vm.restore(image, { broken: true });
      expect(count()).toBe(5n);
      vm.mineBlock([call("add", uint(1))]);
      expect(count()).toBe(6n);
      vm.restore(image);
    }
  });

  test("an executor continues with its previous state", () => {
    const executor = new Executor(vm);
    executor.restore(fresh);
    executor.record(() => vm.mineBlock([call("add", uint(5))]));
    const before = state();
    const read = () => executor.read(() => vm.callReadOnly(CONTRACT, "get-count", [GARBAGE], OWNER));
    expect(read).toThrow(VmPanic);
    expect(state()).toEqual(before);
    expect(executor.read(() => vm.callReadOnly(CONTRACT, "get-count", [], OWNER)).result).toMatch(/05$/);
  });
});

test("instances that crashed are freed", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const broken = [];
  for (let round = 0; round < 5; round++) {
    broken.push(new WeakRef(vm.module.exports.memory));
    expect(() => vm.mineBlock([call("add", GARBAGE)])).toThrow(VmPanic);
    vm.restore(fresh, { broken: true });
    await new Promise((resolve) => setTimeout(resolve, 10)); // a WeakRef target that was read stays alive until then
    collect();
  }
  expect(broken.filter((memory) => memory.deref() !== undefined).length).toBeLessThanOrEqual(1);
  expect(count()).toBe(0n);
});

test("many restores lose only a limited amount of memory", () => {
  vm.mineBlock([call("add", uint(5))]);
  const image = vm.base.difference(vm.memory);
  const before = vm.memory.length;
  for (let round = 0; round < 100; round++) {
    for (let n = 0; n < 5; n++) vm.mineBlock([call("add", uint(n))]);
    vm.restore(image);
  }
  expect(vm.memory.length - before).toBeLessThan(64 * 1024 * 1024);
  expect(count()).toBe(5n);
});

test("cost tracking is on or off, also after a restore", () => {
  const costs = () => vm.mineBlock([call("add", uint(1))])[0].costs;
  vm.setCosts(false);
  expect(costs()).toBe("null");
  vm.restore(fresh);
  expect(costs()).toBe("null");
  vm.setCosts(true);
  vm.restore(fresh);
  expect(JSON.parse(costs()).total.runtime).toBeGreaterThan(0);
});
