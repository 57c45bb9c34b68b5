// The state file, where a kill has left something half-done.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Journal } from "../../devnet/journal.js";

const GENESIS = { startTime: 1_800_000_000, balances: new Map([["ST1", 5n]]) };

let folder;
let path;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "der-journal-"));
  path = join(folder, "state");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a header that was being written when the process was killed is written again", () => {
  Journal.open(path, GENESIS).journal.close();
  const header = readFileSync(path, "utf8");
  for (let length = 0; length < header.length; length++) {
    writeFileSync(path, header.slice(0, length));
    const { journal, entries } = Journal.open(path, GENESIS);
    journal.close();
    expect([...entries]).toEqual([]);
    expect(readFileSync(path, "utf8")).toBe(header);
  }
});

test("entries come one by one, whatever their length, and what a kill cut off is dropped", () => {
  const first = Journal.open(path, GENESIS).journal;
  const entries = [1, 1 << 20, (1 << 20) - 40, 3 << 20, 5].map((length) => ({ do: "submit", raw: "ü".repeat(length) }));
  for (const entry of entries) first.append([entry]);
  first.close();
  const length = statSync(path).size;
  appendFileSync(path, `{"do":"submit","raw":"${"ü".repeat(2 << 20)}`);
  const { journal, genesis, entries: read } = Journal.open(path, { startTime: 1, balances: new Map() });
  expect(genesis).toEqual(GENESIS);
  expect([...read]).toEqual(entries);
  expect(statSync(path).size).toBe(length);
  journal.append([{ do: "reset" }]);
  journal.close();
  expect([...Journal.open(path, GENESIS).entries]).toEqual([...entries, { do: "reset" }]);
});

test.each([
  ["hello\n", "line 1 is damaged"],
  ["hello", "no state file"],
  ["[]\n{}\n", "no state file"],
  ['{"format":"other"}\n', "no state file"],
])("another file is left as it is: %j", (text, words) => {
  writeFileSync(path, text);
  expect(() => Journal.open(path, GENESIS)).toThrow(words);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("a damaged line is named", () => {
  Journal.open(path, GENESIS).journal.close();
  appendFileSync(path, '{"do":"reset"}\n{"do":"re\n');
  const { entries } = Journal.open(path, GENESIS);
  expect(() => [...entries]).toThrow(`${path} is no state file of this devnet: line 3 is damaged`);
});

test("the lock of a killed devnet that had this process's id is taken over, as happens in containers", () => {
  writeFileSync(`${path}.lock`, String(process.pid));
  Journal.open(path, GENESIS).journal.close();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("the lock of a devnet that runs is respected", () => {
  writeFileSync(`${path}.lock`, String(process.ppid));
  expect(() => Journal.open(path, GENESIS)).toThrow(`in use by the devnet with process id ${process.ppid}`);
  expect(existsSync(path)).toBe(false);
});
