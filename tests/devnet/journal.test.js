// The state file: what it keeps after a kill or on a full disk, damage that it detects, and its lock.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Journal } from "../../devnet/journal.js";
import { StorageError } from "../../devnet/storage-error.js";

const GENESIS = { startTime: 1_800_000_000, balances: new Map([["ST1", 5n]]) };

let folder;
let path;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "der-journal-"));
  path = join(folder, "state");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a header that was cut off by a kill is written again", () => {
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

test("entries of any length are read one by one, and an entry that was cut off by a kill is dropped", () => {
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
  ["hello", "not a state file"],
  ["[]\n{}\n", "not a state file"],
  ['{"format":"other"}\n', "not a state file"],
])("a file of another kind is not changed: %j", (text, words) => {
  writeFileSync(path, text);
  expect(() => Journal.open(path, GENESIS)).toThrow(words);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("a damaged line is reported with its number", () => {
  Journal.open(path, GENESIS).journal.close();
  appendFileSync(path, '{"do":"reset"}\n{"do":"re\n');
  const { entries } = Journal.open(path, GENESIS);
  expect(() => [...entries]).toThrow(`${path} is not a state file of this devnet: line 2 does not match its checksum`);
  const old = '{"format":"der-client-devnet-1","start_time":1,"balances":{}}\n';
  writeFileSync(path, `${old}{"do":"reset"}\n{"do":"re\n`);
  rmSync(`${path}.lock`);
  const second = Journal.open(path, GENESIS);
  expect(() => [...second.entries]).toThrow(`${path} is not a state file of this devnet: line 3 is damaged`);
});

test("flipped bits are detected", () => {
  const { journal } = Journal.open(path, GENESIS);
  for (const entry of [
    { do: "submit", raw: "80ff" },
    { do: "mine", each: false },
    { do: "advance", to: 1_900_000_000 },
  ])
    journal.append([entry]);
  journal.close();
  const whole = readFileSync(path);
  for (let bit = 0; bit < 8 * whole.length; bit += 3) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    writeFileSync(path, flipped);
    expect(() => {
      const opened = Journal.open(path, GENESIS);
      opened.journal.close();
      return [...opened.entries];
    }, `bit ${bit}`).toThrow(/not a state file|bad file descriptor/);
    expect(readFileSync(path).equals(flipped)).toBe(true);
  }
});

test("a file of the earlier version is read without checksums, and its new lines have them", () => {
  const header = { format: "der-client-devnet-1", start_time: 5, balances: { ST1: "7" } };
  writeFileSync(path, `${JSON.stringify(header)}\n{"do":"mine","each":true}\n`);
  const { journal, genesis, entries } = Journal.open(path, GENESIS);
  expect(genesis).toEqual({ startTime: 5, balances: new Map([["ST1", 7n]]) });
  expect([...entries]).toEqual([{ do: "mine", each: true }]);
  journal.append([{ do: "reset" }]);
  journal.close();
  const again = Journal.open(path, GENESIS);
  expect([...again.entries]).toEqual([{ do: "mine", each: true }, { do: "reset" }]);
  again.journal.close();
});

describe("a full disk", () => {
  test("a failed write leaves no entry, and writing continues when there is room", () => {
    const { journal } = Journal.open(path, GENESIS);
    journal.append([{ do: "snapshot" }]);
    const before = readFileSync(path);
    const { file } = journal;
    journal.file = openSync("/dev/full", "r+");
    expect(() => journal.append([{ do: "reset" }])).toThrow(StorageError);
    closeSync(journal.file);
    journal.file = file;
    appendFileSync(path, '{"do":"re'); // the rest of a write that failed halfway and could not be cut off
    journal.append([{ do: "reset" }]);
    journal.close();
    expect(readFileSync(path).subarray(0, before.length).equals(before)).toBe(true);
    const again = Journal.open(path, GENESIS);
    expect([...again.entries]).toEqual([{ do: "snapshot" }, { do: "reset" }]);
    again.journal.close();
  });
});

test("only its owner can read the state file", () => {
  Journal.open(path, GENESIS).journal.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

describe("the lock", () => {
  const PLACE_ELSEWHERE = { pid: 1, started: "5", place: "another-container 1 2", token: "x" };
  const open = () => Journal.open(path, GENESIS).journal;

  test("is taken over if a killed devnet had this process's id, as happens in containers", () => {
    writeFileSync(`${path}.lock`, String(process.pid));
    open().close();
    expect(readdirSync(folder)).toEqual(["state"]);
  });

  test("is taken over if its process id now belongs to another process", () => {
    const journal = open();
    const owner = JSON.parse(readFileSync(`${path}.lock`, "utf8"));
    journal.close();
    writeFileSync(`${path}.lock`, JSON.stringify({ ...owner, pid: process.ppid, started: "1" }));
    open().close();
  });

  test("also applies within one process and through links", () => {
    const journal = open();
    symlinkSync(path, join(folder, "link"));
    for (const name of ["state", "link", "../" + basename(folder) + "/state"]) {
      expect(() => Journal.open(join(folder, name), GENESIS)).toThrow(`in use by the devnet with process id ${process.pid}`);
    }
    journal.close();
    const through = Journal.open(join(folder, "link"), GENESIS).journal;
    expect(existsSync(`${path}.lock`)).toBe(true);
    through.close();
  });

  test("belongs to the file that a link leads to, even if that does not exist yet", () => {
    symlinkSync("state", join(folder, "link"));
    const journal = Journal.open(join(folder, "link"), GENESIS).journal;
    expect(existsSync(`${path}.lock`)).toBe(true);
    journal.close();
  });

  test("is respected while a devnet in another container touches it", () => {
    writeFileSync(`${path}.lock`, JSON.stringify(PLACE_ELSEWHERE));
    const touch = `setInterval(() => require("fs").utimesSync(${JSON.stringify(`${path}.lock`)}, new Date(), new Date()), 500)`;
    const owner = spawn(process.execPath, ["-e", touch]);
    try {
      expect(open).toThrow("in use by the devnet with process id 1");
    } finally {
      owner.kill();
    }
  });

  test("is taken over if no devnet in another container touches it any more", { timeout: 30_000 }, () => {
    writeFileSync(`${path}.lock`, JSON.stringify(PLACE_ELSEWHERE));
    open().close();
  });

  test("goes to only one of many devnets that start at once", { timeout: 60_000 }, async () => {
    const program = `
      import { Journal } from ${JSON.stringify(new URL("../../devnet/journal.js", import.meta.url))};
      process.stdout.write("ready\\n");
      process.stdin.once("data", () => {
        try {
          Journal.open(${JSON.stringify(path)}, { startTime: 1, balances: new Map() });
          process.stdout.write("got it\\n");
        } catch (error) {
          process.stdout.write(error.message.includes("use") || error.message.includes("taken over") ? "refused\\n" : error.stack);
        }
      });`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    const lineOf = async (child) => String((await once(child.stdout, "data"))[0]).trim();
    expect(await Promise.all(children.map(lineOf))).toEqual(Array(6).fill("ready"));
    const answers = Promise.all(children.map(lineOf));
    for (const child of children) child.stdin.write("go\n");
    expect((await answers).sort()).toEqual(["got it", ...Array(5).fill("refused")]);
    for (const child of children) child.kill("SIGKILL");
  });

  test("prevents further writes once it was lost", () => {
    const journal = open();
    rmSync(`${path}.lock`);
    const other = open();
    expect(() => journal.append([{ do: "reset" }])).toThrow("belongs to another devnet, or was deleted");
    other.append([{ do: "snapshot" }]);
    journal.close();
    expect(existsSync(`${path}.lock`)).toBe(true);
    other.close();
  });
});

test("a path that cannot be a file is rejected with the reason", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => Journal.open(folder, GENESIS)).toThrow(`the state file ${folder} cannot be opened: it is a folder`);
  expect(() => Journal.open(join(folder, "no", "x"), GENESIS)).toThrow("cannot be opened: its folder does not exist");
  expect(() => Journal.open(join(folder, "file", "x"), GENESIS)).toThrow("cannot be opened: its folder is a file");
});

test("a file with several hard links is rejected", () => {
  openAndClose();
  linkSync(path, join(folder, "other"));
  expect(() => Journal.open(path, GENESIS)).toThrow("several names");
});

function openAndClose() {
  Journal.open(path, GENESIS).journal.close();
}

test("the lock of a running devnet is respected", () => {
  writeFileSync(`${path}.lock`, String(process.ppid));
  expect(() => Journal.open(path, GENESIS)).toThrow(`in use by the devnet with process id ${process.ppid}`);
  expect(existsSync(path)).toBe(false);
});
