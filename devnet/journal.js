/**
 * The state file: one JSON line per accepted transaction or control action, in order. Replayed from the start, they
 * lead to the same state and the same txids, since nothing in the chain depends on anything else.
 *
 * A line is written before the request that caused it is answered, so a killed process loses nothing it has answered.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";

const FORMAT = "der-client-devnet-1";
const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 0x0a;

/**
 * @typedef {{do: "mine", each: boolean, most?: number, only?: string[], undone?: import("./chain/executor.js").Undone}} MineEntry
 *   each: a block for each that is ready, as earlier versions wrote it; most: transactions in the block; only: their txids
 * @typedef {{do: "submit", raw: string} | MineEntry | {do: "advance", to: number} | {do: "epoch", epoch: string} | {do: "snapshot"}
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
   * @returns {{journal: Journal, genesis: Genesis, entries: Iterable<Entry>}} the genesis that is in the file, and its
   *   entries, read one by one, all before anything is appended: a long file fits neither into a string nor in memory
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
    const file = openSync(path, existsSync(path) ? "r+" : "w+");
    try {
      // What follows the last line feed was being written when the process was killed, and was never answered.
      const end = endOfLines(file);
      const lines = readLines(file, end, path);
      const first = lines.next();
      if (first.done ? !isStartOfHeader(file) : first.value?.format !== FORMAT) throw notOurs(path);
      ftruncateSync(file, end);
      const journal = new Journal(path, file, end);
      if (!first.done) return { journal, genesis: genesisOf(first.value), entries: lines };
      journal.#write([headerOf(genesis)]);
      return { journal, genesis, entries: [] };
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** @param {Entry[]} entries written together */
  append(entries) {
    this.#write(entries);
  }

  /** @param {object[]} lines */
  #write(lines) {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (let written = 0; written < bytes.length;) {
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

/** @param {number} file @returns {number} where its last whole line ends */
function endOfLines(file) {
  for (let end = fstatSync(file).size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const found = readBytes(file, start, end).lastIndexOf(LINE_FEED);
    if (found >= 0) return start + found + 1;
  }
  return 0;
}

/**
 * @param {number} file
 * @param {number} end of the last line
 * @param {string} path for the error
 * @returns {Generator<any, void, void>} what the lines hold
 */
function* readLines(file, end, path) {
  /** @type {Buffer[]} */
  let begun = [];
  let number = 0;
  for (let start = 0; start < end; start += CHUNK_BYTES) {
    const chunk = readBytes(file, start, Math.min(end, start + CHUNK_BYTES));
    let place = 0;
    for (let feed = chunk.indexOf(LINE_FEED); feed >= 0; feed = chunk.indexOf(LINE_FEED, place)) {
      yield parseLine(Buffer.concat([...begun, chunk.subarray(place, feed)]), ++number, path);
      begun = [];
      place = feed + 1;
    }
    begun.push(chunk.subarray(place));
  }
}

/** @param {number} file @param {number} start @param {number} end @returns {Buffer} */
function readBytes(file, start, end) {
  const bytes = Buffer.alloc(end - start);
  for (let read = 0; read < bytes.length;) {
    const count = readSync(file, bytes, read, bytes.length - read, start + read);
    if (count === 0) throw new Error("the state file was cut short while it was being read");
    read += count;
  }
  return bytes;
}

/** @param {Buffer} line @param {number} number @param {string} path both for the error */
function parseLine(line, number, path) {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    throw notOurs(path, `: line ${number} is damaged`);
  }
}

/** @param {string} path @param {string} [why] */
function notOurs(path, why = "") {
  return new Error(`${path} is no state file of this devnet${why}`);
}

/** @param {number} file without a line feed @returns {boolean} whether it is empty, or a header that a kill cut off */
function isStartOfHeader(file) {
  const start = `{"format":"${FORMAT}"`;
  const text = readBytes(file, 0, Math.min(fstatSync(file).size, start.length)).toString("utf8");
  return start.startsWith(text);
}

/** @param {any} header @returns {Genesis} */
function genesisOf(header) {
  const balances = Object.entries(header.balances).map(([address, amount]) => /** @type {const} */ ([address, BigInt(String(amount))]));
  return { startTime: header.start_time, balances: new Map(balances) };
}

/** @param {Genesis} genesis */
function headerOf({ startTime, balances }) {
  const amounts = Object.fromEntries([...balances].map(([address, amount]) => [address, String(amount)]));
  return { format: FORMAT, start_time: startTime, balances: amounts };
}
