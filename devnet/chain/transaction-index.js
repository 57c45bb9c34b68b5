/**
 * The place of each mined transaction, by its number and by its txid: about 40 bytes each, in typed arrays, so a long
 * history needs little memory.
 */

const FIRST_CAPACITY = 1024;
const EMPTY = -1;

/** @typedef {{offset: number, height: number}} Place offset: of its record in the archive; height: of its block */

export class TransactionIndex {
  #count = 0;
  #offsets = new Float64Array(FIRST_CAPACITY);
  #heights = new Uint32Array(FIRST_CAPACITY);
  /** The first 8 bytes of each txid. */
  #keys = new BigUint64Array(FIRST_CAPACITY);
  /** Numbers by key, with open addressing: at most a quarter is in use. */
  #slots = new Int32Array(4 * FIRST_CAPACITY).fill(EMPTY);

  get count() {
    return this.#count;
  }

  /** @param {string} txid hex @param {Place} place */
  add(txid, { offset, height }) {
    if (this.#count === this.#offsets.length) this.#grow();
    const key = keyOf(txid);
    this.#offsets[this.#count] = offset;
    this.#heights[this.#count] = height;
    this.#keys[this.#count] = key;
    this.#count += 1;
    this.#file(key, this.#count - 1);
  }

  /** @param {number} number @returns {Place} */
  at(number) {
    return { offset: this.#offsets[number], height: this.#heights[number] };
  }

  /** @param {string} txid hex @returns {number[]} the numbers of transactions whose txid has the same beginning: nearly always one or none */
  candidates(txid) {
    const key = keyOf(txid);
    const found = [];
    for (let slot = this.#slotOf(key); this.#slots[slot] !== EMPTY; slot = this.#after(slot)) {
      const number = this.#slots[slot];
      if (this.#keys[number] === key) found.push(number);
    }
    return found;
  }

  /** Drops all but the first transactions. @param {number} count how many to keep */
  cut(count) {
    while (this.#count > count) {
      this.#count -= 1;
      let slot = this.#slotOf(this.#keys[this.#count]);
      while (this.#slots[slot] !== this.#count) slot = this.#after(slot);
      // The transaction that was added last has no other behind it, so its slot can simply be freed.
      this.#slots[slot] = EMPTY;
    }
  }

  /** @param {bigint} key @param {number} number */
  #file(key, number) {
    let slot = this.#slotOf(key);
    while (this.#slots[slot] !== EMPTY) slot = this.#after(slot);
    this.#slots[slot] = number;
  }

  #grow() {
    const capacity = 2 * this.#offsets.length;
    this.#offsets = grown(this.#offsets, new Float64Array(capacity));
    this.#heights = grown(this.#heights, new Uint32Array(capacity));
    this.#keys = grown(this.#keys, new BigUint64Array(capacity));
    this.#slots = new Int32Array(4 * capacity).fill(EMPTY);
    for (let number = 0; number < this.#count; number++) this.#file(this.#keys[number], number);
  }

  /** @param {bigint} key */
  #slotOf(key) {
    return Number(key & 0xffffffffn) & (this.#slots.length - 1);
  }

  /** @param {number} slot */
  #after(slot) {
    return (slot + 1) & (this.#slots.length - 1);
  }
}

/** @param {string} txid hex @returns {bigint} */
function keyOf(txid) {
  return BigInt(`0x${txid.slice(0, 16)}`);
}

/** @template {{set(from: A): void}} A @param {A} from @param {A} to @returns {A} */
function grown(from, to) {
  to.set(from);
  return to;
}
