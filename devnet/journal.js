/**
 * The state file: one JSON line per accepted transaction or control action, in order. Replaying them leads to the same
 * state and the same txids, since the chain depends on nothing else.
 *
 * A line is written before the response to the request that caused it, so a killed process loses nothing that it has
 * confirmed.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fchmodSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { Lock, realPath } from "./lock.js";
import { StorageError } from "./storage-error.js";

/** Each line ends with a tab and a checksum of the text before it. In the earlier format, lines have no checksum. */
const FORMAT = "der-client-devnet-2";
const WITHOUT_CHECKSUMS = "der-client-devnet-1";
const FORMATS = [FORMAT, WITHOUT_CHECKSUMS];
const CHECKED = /^(.*)\t([0-9a-f]{8})$/s;
const CHECKED_AND_MORE = /^(.*?)\t([0-9a-f]{8})./s;
const MODE = 0o600;
const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 0x0a;

/**
 * @typedef {{do: "mine", each: boolean, most?: number, only?: string[], undone?: import("./chain/executor.js").Undone}} MineEntry
 *   each: a block for each transaction that is ready, as earlier versions wrote it; most: transactions in the block; only: their txids
 * @typedef {{do: "submit", raw: string} | MineEntry | {do: "advance", to: number} | {do: "epoch", epoch: string} | {do: "snapshot"}
 *   | {do: "revert", id: number} | {do: "reorg", blocks: number, transactions: import("./chain/reorg.js").Handling} | {do: "reset"} | {do: "genesis"}} Entry
 * @typedef {{startTime: number, balances: Map<string, bigint>}} Genesis
 * @typedef {{format: string, start_time: number, balances: Record<string, string | number>}} Header
 * @typedef {Header | Entry} Line the first is the header, if this library wrote the file
 */

export class Journal {
  /** @param {string} path @param {Lock} lock @param {number} file descriptor @param {number} position the position after the last complete line */
  constructor(path, lock, file, position) {
    this.path = path;
    this.lock = lock;
    this.file = file;
    this.position = position;
  }

  /**
   * Opens a state file, or begins one.
   *
   * @param {string} path
   * @param {Genesis} genesis the genesis of a new file
   * @returns {{journal: Journal, genesis: Genesis, entries: Iterable<Entry>}} the genesis in the file, and its entries.
   *   Read all entries, one by one, before anything is appended: a long file fits neither into a string nor into memory
   */
  static open(path, genesis) {
    /** @type {Lock | undefined} */
    let lock;
    try {
      const real = realPath(path);
      lock = Lock.take(real);
      return Journal.#openLocked(real, lock, genesis);
    } catch (error) {
      lock?.release();
      throw openingError(path, /** @type {NodeJS.ErrnoException} */ (error));
    }
  }

  /** @param {string} path @param {Lock} lock @param {Genesis} genesis */
  static #openLocked(path, lock, genesis) {
    const file = openSync(path, existsSync(path) ? "r+" : "wx+", MODE);
    try {
      if (fstatSync(file).nlink > 1) throw new Error(`${path} has several names (hard links), through which several devnets could use it`);
      const end = endOfLines(file, path);
      const lines = readLines(file, end, path);
      const first = lines.next();
      if (first.done ? !isStartOfHeader(file) : !FORMATS.includes(formatOf(first.value))) throw notOurs(path);
      fchmodSync(file, MODE);
      // Text after the last line was being written when the process was killed, and was never confirmed.
      ftruncateSync(file, end);
      const journal = new Journal(path, lock, file, end);
      if (!first.done)
        return { journal, genesis: genesisOf(/** @type {Header} */ (first.value)), entries: /** @type {Generator<Entry>} */ (lines) };
      journal.append([headerOf(genesis)]);
      return { journal, genesis, entries: [] };
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /**
   * @param {object[]} lines written together, or not at all
   * @throws {StorageError}
   */
  append(lines) {
    const bytes = Buffer.from(lines.map((line) => `${checkedLine(JSON.stringify(line))}\n`).join(""));
    try {
      if (!this.lock.isHeld) throw new Error(`${this.lock.path} belongs to another devnet, or was deleted`);
      // Cuts off text that could not be cut off after an earlier failure.
      if (fstatSync(this.file).size > this.position) ftruncateSync(this.file, this.position);
      for (let written = 0; written < bytes.length;) {
        written += writeSync(this.file, bytes, written, bytes.length - written, this.position + written);
      }
    } catch (error) {
      this.#cutBack();
      throw new StorageError(`the state file ${this.path}`, /** @type {Error} */ (error));
    }
    this.position += bytes.length;
  }

  /** Cuts the file after the last complete line. */
  #cutBack() {
    try {
      ftruncateSync(this.file, this.position);
    } catch {
      // Retried before the next line is written; a start also drops an incomplete line.
    }
  }

  close() {
    closeSync(this.file);
    this.lock.release();
  }
}

/** @param {string} text @returns {string} the text with its checksum */
function checkedLine(text) {
  return `${text}\t${checksumOf(text)}`;
}

/** @param {string} text @returns {string} 8 hex digits */
function checksumOf(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** @param {number} file @param {string} path for the error @returns {number} the end of its last complete line */
function endOfLines(file, path) {
  const { size } = fstatSync(file);
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const found = readBytes(file, start, end).lastIndexOf(LINE_FEED);
    if (found < 0) continue;
    checkTail(file, start + found + 1, size, path);
    return start + found + 1;
  }
  checkTail(file, 0, size, path);
  return 0;
}

/**
 * An incomplete last line was being written. If it has its whole checksum, the end of the file is damaged in another way.
 *
 * @param {number} file
 * @param {number} start
 * @param {number} end
 * @param {string} path
 */
function checkTail(file, start, end, path) {
  const [, text, checksum] = CHECKED_AND_MORE.exec(readBytes(file, start, end).toString("utf8")) ?? [];
  if (text !== undefined && checksumOf(text) === checksum) throw damaged(path, "the end of its last line is wrong");
}

/**
 * @param {number} file
 * @param {number} end the end of the last line
 * @param {string} path for the error
 * @returns {Generator<Line, void, void>} the contents of the lines
 */
function* readLines(file, end, path) {
  /** @type {Buffer[]} */
  let begun = [];
  let number = 0;
  let mustBeChecked = false;
  for (let start = 0; start < end; start += CHUNK_BYTES) {
    const chunk = readBytes(file, start, Math.min(end, start + CHUNK_BYTES));
    let place = 0;
    for (let feed = chunk.indexOf(LINE_FEED); feed >= 0; feed = chunk.indexOf(LINE_FEED, place)) {
      const content = parseLine(Buffer.concat([...begun, chunk.subarray(place, feed)]), ++number, path, mustBeChecked);
      if (number === 1) mustBeChecked = formatOf(content) === FORMAT;
      yield content;
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

/** @param {Line | null} line the first line of any file @returns {string} its format; empty if it has none */
function formatOf(line) {
  return String(/** @type {Partial<Header> | null} */ (line)?.format ?? "");
}

/**
 * @param {Buffer} line
 * @param {number} number for the error
 * @param {string} path for the error
 * @param {boolean} mustBeChecked
 * @returns {Line}
 */
function parseLine(line, number, path, mustBeChecked) {
  const [, text, checksum] = CHECKED.exec(line.toString("utf8")) ?? [];
  if (text === undefined ? mustBeChecked : checksumOf(text) !== checksum) throw damaged(path, `line ${number} does not match its checksum`);
  try {
    return JSON.parse(text ?? line.toString("utf8"));
  } catch {
    throw damaged(path, `line ${number} is damaged`);
  }
}

/** @param {string} path @param {string} why */
function damaged(path, why) {
  return notOurs(path, `: ${why}; use a copy of the file, or remove everything from that line on to continue from there`);
}

/** @param {string} path @param {string} [why] */
function notOurs(path, why = "") {
  return new Error(`${path} is not a state file of this devnet${why}`);
}

/** @param {number} file a file without a line feed @returns {boolean} whether it is empty, or a header that a kill cut off */
function isStartOfHeader(file) {
  return FORMATS.some((format) => {
    const start = `{"format":"${format}"`;
    return start.startsWith(readBytes(file, 0, Math.min(fstatSync(file).size, start.length)).toString("utf8"));
  });
}

/** @param {Header} header @returns {Genesis} */
function genesisOf(header) {
  const balances = Object.entries(header.balances).map(([address, amount]) => /** @type {const} */ ([address, BigInt(String(amount))]));
  return { startTime: header.start_time, balances: new Map(balances) };
}

/** @param {Genesis} genesis */
function headerOf({ startTime, balances }) {
  const amounts = Object.fromEntries([...balances].map(([address, amount]) => [address, String(amount)]));
  return { format: FORMAT, start_time: startTime, balances: amounts };
}

/** What is wrong with a file, by the system's error code. @type {Record<string, string>} */
const FILE_PROBLEMS = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  EISDIR: "it is a folder",
  EACCES: "this user may not read and write it",
  EPERM: "this user may not read and write it",
  EROFS: "it is on a read-only disk",
};

/** @param {string} path @param {NodeJS.ErrnoException} error @returns {Error} with a reason that names the file, for errors of the system */
function openingError(path, error) {
  const problem = FILE_PROBLEMS[error.code ?? ""];
  return problem ? new Error(`the state file ${path} cannot be opened: ${problem}`, { cause: error }) : error;
}
