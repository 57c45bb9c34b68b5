/**
 * The state file: one JSON line per accepted transaction or control action, in order. Replayed from the start, they
 * lead to the same state and the same txids, since nothing in the chain depends on anything else.
 *
 * A line is written before the request that caused it is answered, so a killed process loses nothing it has answered.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

const FORMAT = "der-client-devnet-1";

/**
 * @typedef {{do: "submit", raw: string} | {do: "mine", each: boolean} | {do: "advance", to: number} | {do: "snapshot"}
 *   | {do: "revert", id: number} | {do: "reset"} | {do: "genesis"}} Entry
 * @typedef {{startTime: number, balances: Map<string, bigint>}} Genesis
 */

export class Journal {
  /** @param {number} file descriptor, at the end of the last whole line */
  constructor(file) {
    this.file = file;
  }

  /**
   * Opens a state file, or begins one.
   *
   * @param {string} path
   * @param {Genesis} genesis of a new one
   * @returns {{journal: Journal, genesis: Genesis, entries: Entry[]}} the genesis and entries that are in the file
   */
  static open(path, genesis) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    // What follows the last line feed was being written when the process was killed, and was never answered.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const lines = text === "" ? [] : readLines(whole, path);
    const file = openSync(path, text === "" ? "w" : "r+");
    ftruncateSync(file, Buffer.byteLength(whole));
    const journal = new Journal(file);
    journal.position = Buffer.byteLength(whole);
    if (lines.length === 0) {
      journal.#write([headerOf(genesis)]);
      return { journal, genesis, entries: [] };
    }
    const [header, ...entries] = lines;
    const balances = new Map(Object.entries(header.balances).map(([key, value]) => [key, BigInt(/** @type {string} */ (value))]));
    return { journal, genesis: { startTime: header.start_time, balances }, entries };
  }

  position = 0;

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

/** @param {Genesis} genesis */
function headerOf({ startTime, balances }) {
  const amounts = Object.fromEntries([...balances].map(([address, amount]) => [address, String(amount)]));
  return { format: FORMAT, start_time: startTime, balances: amounts };
}
