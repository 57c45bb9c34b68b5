/**
 * The state file: one JSON line per accepted transaction or control action, in order. Replayed from the start, they
 * lead to the same state and the same txids, since nothing in the chain depends on anything else.
 *
 * A line is written before the request that caused it is answered, so a killed process loses nothing it has answered.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";

const FORMAT = "der-client-devnet-1";

/**
 * @typedef {{do: "mine", each: boolean, undone?: import("./chain/executor.js").Undone}} MineEntry
 * @typedef {{do: "submit", raw: string} | MineEntry | {do: "advance", to: number} | {do: "snapshot"}
 *   | {do: "revert", id: number} | {do: "reset"} | {do: "genesis"}} Entry
 * @typedef {{startTime: number, balances: Map<string, bigint>}} Genesis
 */

export class Journal {
  /** @param {string} path @param {number} file descriptor @param {number} position after the last whole line */
  constructor(path, file, position) {
    this.path = path;
    this.file = file;
    this.position = position;
  }

  /**
   * Opens a state file, or begins one.
   *
   * @param {string} path
   * @param {Genesis} genesis of a new one
   * @returns {{journal: Journal, genesis: Genesis, entries: Entry[]}} the genesis and entries that are in the file
   */
  static open(path, genesis) {
    lock(path);
    try {
      return Journal.#openLocked(path, genesis);
    } catch (error) {
      rmSync(lockPath(path), { force: true });
      throw error;
    }
  }

  /** @param {string} path @param {Genesis} genesis */
  static #openLocked(path, genesis) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    // What follows the last line feed was being written when the process was killed, and was never answered.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const isNew = whole === "" && isStartOfHeader(text);
    const lines = isNew ? [] : readLines(whole, path);
    const file = openSync(path, isNew ? "w" : "r+");
    ftruncateSync(file, Buffer.byteLength(whole));
    const journal = new Journal(path, file, Buffer.byteLength(whole));
    if (lines.length === 0) {
      journal.#write([headerOf(genesis)]);
      return { journal, genesis, entries: [] };
    }
    const [header, ...entries] = lines;
    const balances = new Map(Object.entries(header.balances).map(([key, value]) => [key, BigInt(/** @type {string} */ (value))]));
    return { journal, genesis: { startTime: header.start_time, balances }, entries };
  }

  /** @param {Entry[]} entries written together */
  append(entries) {
    this.#write(entries);
  }

  /** @param {object[]} lines */
  #write(lines) {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(this.file, bytes, written, bytes.length - written, this.position);
      written += count;
      this.position += count;
    }
  }

  close() {
    closeSync(this.file);
    rmSync(lockPath(this.path), { force: true });
  }
}

/** @param {string} path */
function lockPath(path) {
  return `${path}.lock`;
}

/**
 * Two devnets that write one file would ruin it. A lock that a killed one has left is taken over.
 *
 * @param {string} path
 */
function lock(path) {
  const held = lockPath(path);
  const owner = existsSync(held) ? Number(readFileSync(held, "utf8")) : 0;
  // In a container, a restarted devnet often has the process id of the one that was killed.
  if (owner > 0 && owner !== process.pid && isRunning(owner)) {
    throw new Error(`${path} is in use by the devnet with process id ${owner}; if there is none, delete ${held}`);
  }
  writeFileSync(held, String(process.pid));
}

/** @param {number} pid @returns {boolean} */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/** @param {string} text whole lines @param {string} path for the error @returns {any[]} header and entries */
function readLines(text, path) {
  try {
    const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
    if (lines[0]?.format === FORMAT) return lines;
  } catch {
    // Told below.
  }
  throw new Error(`${path} is no state file of this devnet`);
}

/** @param {string} text without a line feed @returns {boolean} whether it is empty, or a header that a kill cut off */
function isStartOfHeader(text) {
  const start = `{"format":"${FORMAT}"`;
  return text.startsWith(start) || start.startsWith(text);
}

/** @param {Genesis} genesis */
function headerOf({ startTime, balances }) {
  const amounts = Object.fromEntries([...balances].map(([address, amount]) => [address, String(amount)]));
  return { format: FORMAT, start_time: startTime, balances: amounts };
}
