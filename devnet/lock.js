/**
 * Allows only one devnet per state file: two that write to it would destroy it.
 *
 * The lock is a file next to it, created by the first devnet. It identifies its owner by more than a process id, since
 * each container has a process 1. An owner that runs elsewhere cannot be looked up, so each owner touches its lock
 * every other second to show that it is alive. The lock of an owner that is no longer alive is taken over.
 */
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { randomUUID } from "node:crypto";

const HEARTBEAT_MILLISECONDS = 2_000;
/** An owner elsewhere that misses this many heartbeats is gone. */
const MISSED_HEARTBEATS = 4;
const LOOK_MILLISECONDS = 100;

/** Another devnet uses the file. */
export class LockError extends Error {}

/**
 * @typedef {object} Owner
 * @property {number} pid
 * @property {string | null} started when the process started, by its kernel's clock; null if that is not known
 * @property {string} place host, start time of its kernel, and process id namespace, in which pid is valid
 * @property {string} token
 */

/**
 * @param {string} path a file that may not exist yet
 * @returns {string} its real path, with all links resolved
 */
export function realPath(path) {
  try {
    return realpathSync(path);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") throw error;
  }
  const target = linkTarget(path);
  if (target !== null) return realPath(resolve(dirname(path), target));
  return join(realpathSync(dirname(resolve(path))), basename(path));
}

/** @param {string} path @returns {string | null} the target of a dangling link */
function linkTarget(path) {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

export class Lock {
  #file;
  #inode;
  #heartbeat;

  /** @param {string} path the path of the lock, which this devnet holds */
  constructor(path) {
    this.path = path;
    // Held open, so that no other file gets its number.
    this.#file = openSync(path, "r");
    this.#inode = fstatSync(this.#file).ino;
    this.#heartbeat = setInterval(() => this.#touch(), HEARTBEAT_MILLISECONDS).unref();
  }

  /**
   * @param {string} path the real path of the state file
   * @returns {Lock}
   * @throws {LockError}
   */
  static take(path) {
    const lock = `${path}.lock`;
    if (!create(lock)) takeOver(path, lock);
    return new Lock(lock);
  }

  /** @returns {boolean} whether this devnet still holds it: it may have been deleted, or taken over while this process was suspended */
  get isHeld() {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  #touch() {
    if (!this.isHeld) return;
    const now = new Date();
    utimesSync(this.path, now, now);
  }

  release() {
    clearInterval(this.#heartbeat);
    if (this.isHeld) rmSync(this.path, { force: true });
    closeSync(this.#file);
  }
}

/** @param {string} lock @returns {boolean} false if a lock exists */
function create(lock) {
  // Created under another name first, so that no process ever sees a lock without its owner.
  const draft = `${lock}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(ourselves()), { flag: "wx", mode: 0o600 });
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

/**
 * Only one process at a time may decide whether an owner is gone; otherwise, a second one would take the lock of the
 * first.
 *
 * @param {string} path
 * @param {string} lock
 */
function takeOver(path, lock) {
  const judging = `${lock}.taking-over`;
  try {
    closeSync(openSync(judging, "wx", 0o600));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    throw new LockError(`${path} is being taken over by another devnet; if there is none, delete ${judging}`);
  }
  try {
    const owner = ownerOf(lock);
    if (owner && isAlive(owner, lock)) {
      throw new LockError(`${path} is in use by the devnet with process id ${owner.pid}; if there is none, delete ${lock}`);
    }
    rmSync(lock, { force: true });
    if (!create(lock)) throw new LockError(`${path} is in use by another devnet, which has just started`);
  } finally {
    rmSync(judging);
  }
}

/** @param {string} lock @returns {Owner | null} null if the lock no longer exists or is not readable */
function ownerOf(lock) {
  try {
    const owner = JSON.parse(readFileSync(lock, "utf8"));
    // Earlier versions wrote only their process id.
    return typeof owner === "number" ? { pid: owner, started: null, place: PLACE, token: "" } : owner;
  } catch {
    return null;
  }
}

/** @param {Owner} owner @param {string} lock @returns {boolean} */
function isAlive({ pid, started, place, token }, lock) {
  if (place !== PLACE) return isTouched(lock);
  // In a container, a restarted devnet often has the process id of the one that was killed.
  if (pid === process.pid) return tokens.has(token);
  return isRunning(pid) && (started === null || startOf(pid) === started);
}

/** @param {string} lock @returns {boolean} whether its owner shows within several heartbeats that it is alive */
function isTouched(lock) {
  const before = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < MISSED_HEARTBEATS * HEARTBEAT_MILLISECONDS; waited += LOOK_MILLISECONDS) {
    Atomics.wait(sleeper, 0, 0, LOOK_MILLISECONDS);
    if (statSync(lock, { throwIfNoEntry: false })?.mtimeMs !== before) return true;
  }
  return false;
}

/** The tokens of this process's locks. @type {Set<string>} */
const tokens = new Set();

/** @returns {Owner} */
function ourselves() {
  const token = randomUUID();
  tokens.add(token);
  return { pid: process.pid, started: startOf(process.pid), place: PLACE, token };
}

const PLACE = [hostname(), contentOf("/proc/sys/kernel/random/boot_id"), linkTarget("/proc/self/ns/pid")].join(" ");

/** @param {number} pid @returns {string | null} */
function startOf(pid) {
  // The program's name may contain spaces and brackets; the start time is the 20th field after it.
  const fields = contentOf(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[19] ?? null;
}

/** @param {string} path @returns {string | null} */
function contentOf(path) {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
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
