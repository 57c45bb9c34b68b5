// Limits: how much of the VM's memory one request may use, and how far it may advance the time.
import { describe, expect, test } from "vitest";

import { Engine } from "../../devnet/chain/engine.js";
import { Budget, MAX_MEMORY_BYTES, OF_ONE } from "../../devnet/vm/budget.js";
import { ADDED } from "../../devnet/vm/instrument.js";
import { Vm, VmExhausted } from "../../devnet/vm/vm.js";

const OWNER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
const START = 1_800_000_000;
const PAGE = 65_536;
const YEAR = 366 * 86_400;

describe("the limit of the VM's pages", () => {
  const pagesWith = (bytes) => {
    const globals = [ADDED.maxPages, ADDED.refused, ADDED.fuel].map((name) => [name, { value: 0 }]);
    const exports = { memory: { buffer: { byteLength: bytes } }, ...Object.fromEntries(globals) };
    new Budget({ exports, hooks: {} }, OF_ONE);
    return exports[ADDED.maxPages].value;
  };

  test("is the current number and what one transaction may add", () => {
    expect(pagesWith(100 * PAGE)).toBe(100 + OF_ONE.bytes / PAGE);
  });

  test("is never above the overall limit", () => {
    expect(pagesWith(MAX_MEMORY_BYTES - PAGE)).toBe(MAX_MEMORY_BYTES / PAGE);
    expect(pagesWith(MAX_MEMORY_BYTES)).toBe(MAX_MEMORY_BYTES / PAGE);
  });
});

test("a call that needs too much memory is stopped, each time, and the memory is as large as before", async () => {
  // Each of 15 nested calls holds 25 buffers of 1 MiB.
  const doublings = Array.from({ length: 16 }, (_, n) => `(b${n + 1} (concat b${n} b${n}))`).join(" ");
  const names = Array.from({ length: 25 }, (_, n) => `a${n}`);
  const bindings = names.map((name) => `(${name} (big))`).join(" ");
  const lengths = names.map((name) => `(len ${name})`).join(" ");
  const levels = Array.from({ length: 15 }, (_, n) => `(define-private (f${n + 1}) (let (${bindings}) (+ (f${n}) ${lengths})))`);
  const content = `(define-private (big) (let ((b0 0x${"00".repeat(16)}) ${doublings}) b16))
    (define-private (f0) u0) ${levels.join("\n")}
    (define-public (go) (ok (f15))) (define-public (little) (ok u1))`;
  const vm = await Vm.boot({ startTime: START, balances: new Map([[OWNER, 1_000_000n]]) });
  vm.mineBlock([{ deployContract: { name: "c", content, options: { clarityVersion: 4 }, sender: OWNER } }]);
  vm.setCosts(false);
  const image = vm.base.difference(vm.memory);
  const before = vm.memory.length;
  const call = (method) => vm.mineBlock([{ callPublicFn: { contract: `${OWNER}.c`, method, args: [], args_maps: [], sender: OWNER } }]);
  for (let round = 0; round < 2; round++) {
    expect(() => call("go")).toThrow(new VmExhausted("it takes more memory than any transaction may"));
    expect(vm.memory.length).toBeLessThanOrEqual(before + OF_ONE.bytes);
    vm.restore(image, { broken: true });
    expect(vm.memory.length).toBe(before);
    expect(call("little")[0].result).toBe(`0x0701${"0".repeat(31)}1`);
    vm.restore(image);
  }
});

describe("an advance", () => {
  /** Returns an engine with a substitute for the VM that has this much memory, and only counts blocks and time. */
  const engineWith = (memoryBytes) => {
    const vm = { time: START, height: 1, burnHeight: 1, memory: { length: memoryBytes } };
    vm.mineTowards = (target, seconds) => {
      vm.time = target - vm.time >= seconds ? vm.time + seconds : vm.time + 10;
      vm.height += 1;
    };
    return new Engine({ vm, record: (change) => change() }, null);
  };

  test("uses a limited number of blocks, however far it goes", () => {
    const places = engineWith(500 * 2 ** 20).advance(START + 100 * YEAR);
    expect(places.length).toBeLessThan(52_560 + 70);
    expect(places.at(-1).time).toBeGreaterThanOrEqual(START + 100 * YEAR);
    expect(places.at(-1).time).toBeLessThan(START + 100 * YEAR + 10);
  });

  test("is rejected before its first block if there is no room for all blocks", () => {
    const engine = engineWith(MAX_MEMORY_BYTES - 50 * 2 ** 20);
    expect(() => engine.advance(START + YEAR)).toThrow(/no room for so many blocks: reset the chain, or begin a new one/);
    expect(engine.vm.height).toBe(1);
    expect(engine.advance(START + 86_400).length).toBeGreaterThan(100); // there is room for a day
  });
});
