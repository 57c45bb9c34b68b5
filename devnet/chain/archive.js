/**
 * Bytes that are written once and rarely read: kept in an unlinked temporary file, with the newest megabyte in memory.
 * The end can be cut off. An append that does not fit writes nothing.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageError } from "../storage-error.js";

const TAIL_BYTES = 1024 * 1024;

/** @returns {number} the descriptor of an unlinked open file, which disappears with this process */
function openNameless() {
  const folder = mkdtempSync(join(tmpdir(), "der-devnet-"));
  try {
    return openSync(join(folder, "history"), "wx+", 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export class Archive {
  #file = openNameless();
  /** The bytes that are not in the file yet. */
  #tail = Buffer.alloc(TAIL_BYTES);
  #tailLength = 0;
  #fileLength = 0;

  /** @returns {number} the offset of the next bytes */
  get length() {
    return this.#fileLength + this.#tailLength;
  }

  /** @param {Buffer} bytes @returns {number} the offset of the bytes */
  append(bytes) {
    const offset = this.length;
    if (this.#tailLength + bytes.length > TAIL_BYTES) this.#flush();
    if (bytes.length > TAIL_BYTES) this.#write(bytes);
    else this.#tailLength += bytes.copy(this.#tail, this.#tailLength);
    return offset;
  }

  #flush() {
    this.#write(this.#tail.subarray(0, this.#tailLength));
    this.#tailLength = 0;
  }

  /** @param {Buffer} bytes @throws {StorageError} if they cannot be written; then nothing has changed */
  #write(bytes) {
    try {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(this.#file, bytes, written, bytes.length - written, this.#fileLength + written);
      }
    } catch (error) {
      throw new StorageError(`the history in ${tmpdir()}`, /** @type {Error} */ (error));
    }
    this.#fileLength += bytes.length;
  }

  /** @param {number} offset @param {number} length @returns {Buffer} a copy */
  read(offset, length) {
    const bytes = Buffer.alloc(length);
    const inFile = Math.min(Math.max(0, this.#fileLength - offset), length);
    for (let read = 0; read < inFile;) read += readSync(this.#file, bytes, read, inFile - read, offset + read);
    const start = offset + inFile - this.#fileLength;
    if (inFile < length) this.#tail.copy(bytes, inFile, start, start + length - inFile);
    return bytes;
  }

  /** Drops all bytes from an offset on. @param {number} length */
  cut(length) {
    this.#tailLength = Math.max(0, length - this.#fileLength);
    this.#fileLength = Math.min(this.#fileLength, length);
  }

  close() {
    closeSync(this.#file);
  }
}
