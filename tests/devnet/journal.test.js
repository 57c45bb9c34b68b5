// The state file, where a kill has left something half-done.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    expect(entries).toEqual([]);
    expect(readFileSync(path, "utf8")).toBe(header);
  }
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
