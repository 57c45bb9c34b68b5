// A session of the VM that starts from an image is the same as one that starts from scratch.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { referencesOf } from "../../devnet/vm/module.js";
import { Vm } from "../../devnet/vm/vm.js";

const OWNER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
const BALANCES = new Map([[OWNER, 1_000_000n]]);
const [FIRST, LATER] = [1_700_000_000, 1_800_000_123];

let folder;
let fresh;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "images "));
  writeFileSync(join(folder, "of an earlier version.image"), "");
  writeFileSync(join(folder, "unfinished.image.1"), "");
  fresh = await Vm.boot({ startTime: LATER, balances: BALANCES, folder: "" });
  await Vm.boot({ startTime: FIRST, balances: BALANCES, folder });
});

afterAll(() => rmSync(folder, { recursive: true }));

const bootLater = (where = folder) => Vm.boot({ startTime: LATER, balances: BALANCES, folder: where });
const image = () => join(folder, readdirSync(folder)[0]);

const references = ({ module }) => referencesOf(module);

// Matches references that only asynchronous calls use; the VM makes such calls only when it starts from scratch.
const isOfCalls = (value) => value instanceof Promise || value?._wbg_cb_unref !== undefined;
const beganFromNothing = (vm) => references(vm).some(isOfCalls);

function expectSame(vm) {
  expect(vm.memory.equals(fresh.memory)).toBe(true);
  expect(references(vm).map((value) => (isOfCalls(value) ? undefined : value))).toEqual(
    references(fresh).map((value) => (isOfCalls(value) ? undefined : value)),
  );
  expect([vm.time, vm.height, vm.costsFlag]).toEqual([LATER, fresh.height, fresh.costsFlag]);
}

test("memory and references are the same, even with another start time", async () => {
  const vm = await bootLater();
  expect([beganFromNothing(fresh), beganFromNothing(vm)]).toEqual([true, false]);
  expectSame(vm);
});

test("images of an earlier version and unfinished images are deleted", () => {
  expect(readdirSync(folder)).toHaveLength(1);
});

test("a damaged image is not used, and is created again", async () => {
  const whole = readFileSync(image());
  const damaged = Buffer.from(whole);
  damaged[Math.floor(whole.length / 2)] ^= 1;
  for (const content of [damaged, whole.subarray(0, whole.length / 2), Buffer.alloc(0)]) {
    writeFileSync(image(), content);
    const vm = await bootLater();
    expect(beganFromNothing(vm)).toBe(true);
    expectSame(vm);
    expect(readFileSync(image()).length).toBeGreaterThan(1_000_000);
  }
  expect(beganFromNothing(await bootLater())).toBe(false);
});

test("no image is kept if the start time is a small number, which occurs in many places of the memory", async () => {
  const empty = join(folder, "small");
  await Vm.boot({ startTime: 700, balances: BALANCES, folder: empty });
  expect(existsSync(empty)).toBe(false);
});

test("a session starts from scratch if its folder cannot be written", async () => {
  const vm = await bootLater(join(image(), "no folder"));
  expect(beganFromNothing(vm)).toBe(true);
  expectSame(vm);
});
