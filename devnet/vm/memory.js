/**
 * Copies of the VM's linear memory.
 *
 * Two kinds: a `Checkpoint` is one full copy in a reused buffer (fast to take, one at a time); a
 * `MemoryImage` keeps only the pages that differ from the memory at boot (small, many at a time, for snapshots).
 */

export const PAGE = 4096;
const WASM_PAGE = 65536;
const ZERO_PAGE = Buffer.alloc(WASM_PAGE);

/**
 * @param {Buffer} bytes
 * @returns {number} the length without the zero pages at its end
 */
export function usedLength(bytes) {
  let end = bytes.length;
  while (end > 0 && bytes.compare(ZERO_PAGE, 0, WASM_PAGE, end - WASM_PAGE, end) === 0) end -= WASM_PAGE;
  return end;
}

/** @param {Buffer} bytes @param {Buffer} memory @returns {Buffer} the bytes, after pages that differ were copied */
function madeEqual(bytes, memory) {
  for (let start = 0; start < bytes.length; start += PAGE) {
    const end = start + PAGE;
    if (memory.compare(bytes, start, end, start, end) !== 0) memory.copy(bytes, start, start, end);
  }
  return bytes;
}

/**
 * Puts `source` at the start of the memory and zeroes the rest.
 *
 * @param {Buffer} memory
 * @param {Uint8Array} source
 */
function overwrite(memory, source) {
  const used = usedLength(memory);
  memory.set(source);
  if (used > source.length) memory.fill(0, source.length, used);
}

/** The memory right after boot, which images are compared with and a reset restores. */
export class BaseImage {
  /**
   * @param {Buffer} memory
   * @param {Buffer} [known] a buffer with mostly the same content, which is changed and kept: faster than a new one
   */
  constructor(memory, known) {
    const used = usedLength(memory);
    this.bytes = known && known.length >= used ? madeEqual(known.subarray(0, used), memory) : Buffer.from(memory.subarray(0, used));
    this.memoryLength = memory.length;
  }

  /** @param {Buffer} memory */
  restore(memory) {
    overwrite(memory, this.bytes);
  }

  /**
   * The pages in which `memory` differs from this base.
   *
   * @param {Buffer} memory
   * @returns {MemoryImage}
   */
  difference(memory) {
    const used = usedLength(memory);
    const length = Math.max(used, this.bytes.length);
    /** @type {number[]} */
    const offsets = [];
    for (let offset = 0; offset < length; offset += PAGE) {
      const inBase = offset < this.bytes.length;
      const reference = inBase ? this.bytes : ZERO_PAGE;
      const start = inBase ? offset : 0;
      if (memory.compare(reference, start, start + PAGE, offset, offset + PAGE) !== 0) offsets.push(offset);
    }
    const pages = Buffer.allocUnsafe(offsets.length * PAGE);
    offsets.forEach((offset, index) => memory.copy(pages, index * PAGE, offset, offset + PAGE));
    return new MemoryImage(this, memory.length, offsets, pages);
  }
}

/** The memory at one moment, as its difference from a base. Immutable. */
export class MemoryImage {
  /**
   * @param {BaseImage} base
   * @param {number} memoryLength bytes the memory had grown to
   * @param {number[]} offsets
   * @param {Buffer} pages
   */
  constructor(base, memoryLength, offsets, pages) {
    this.base = base;
    this.memoryLength = memoryLength;
    this.offsets = offsets;
    this.pages = pages;
  }

  /** @param {Buffer} memory */
  restore(memory) {
    this.base.restore(memory);
    this.offsets.forEach((offset, index) => this.pages.copy(memory, offset, index * PAGE, (index + 1) * PAGE));
  }
}

/** A full copy whose buffer is reused, because the first touch of fresh memory costs twenty times the copying. */
export class Checkpoint {
  constructor() {
    this.buffer = Buffer.alloc(0);
    this.length = 0;
    this.memoryLength = 0;
  }

  /** @param {Buffer} memory */
  capture(memory) {
    const used = usedLength(memory);
    if (this.buffer.length < used) this.buffer = Buffer.alloc(used + 16 * 1024 * 1024);
    memory.copy(this.buffer, 0, 0, used);
    this.length = used;
    this.memoryLength = memory.length;
  }

  /** @param {Buffer} memory */
  restore(memory) {
    overwrite(memory, this.buffer.subarray(0, this.length));
  }
}
