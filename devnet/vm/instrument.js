/**
 * Changes the code of Clarinet's VM in a few places before it is compiled, so that its work can be limited:
 *
 * - Its allocator counts. All work of the VM allocates, so after a number of allocations it asks the host whether to
 * continue.
 * - Its memory grows only up to a limit. Beyond it, allocations fail, and so does the VM.
 * - The hooks that record every expression of a call (1.5 KB each, for a trace in memory) run only on request.
 *   Otherwise, only the location of the expression that failed first is kept.
 *
 * Two more changes match a node: a contract, which is stored as JSON, can be read however deep its expressions are
 * nested; and the time between burn blocks is not always ten minutes.
 *
 * The places to change are found by their code if that is unique, otherwise by number, with a checksum.
 */
import { createHash } from "node:crypto";

const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 };
const I32 = 0x7f;
const I64 = 0x7e;
const KIND = { function: 0, global: 3 };
const OP = {
  if: 0x04,
  end: 0x0b,
  else: 0x05,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  load: 0x28, // loads an i32
  memorySize: 0x3f,
  memoryGrow: 0x40,
  constant: 0x41,
  wideConstant: 0x42,
  isZero: 0x45,
  less: 0x48,
  greaterUnsigned: 0x4b,
  and: 0x71,
  add: 0x6a,
  subtract: 0x6b,
  wideAdd: 0x7c,
};
const NO_RESULT = 0x40;
/** The import that is called when the allocation count runs out: the VM itself needs it only for web requests. */
const TICK = /^__wbg_new_c518c60af666645b$/;
/** The hooks of the call tracer before and after an expression, and at the end of a call. */
const HOOKS = {
  before: { number: 245, checksum: "b5939dc778450d02" },
  after: { number: 184, checksum: "e12967f4d2a26d29" },
  end: { number: 752, checksum: "0691e4f7e78cb354" },
};
/** Parameters of the hooks, and the offset of the location in an expression. */
const EXPRESSION = 4;
const RESULT = 5;
const PLACE_AT = 112;

/** Seconds between burn blocks; a BigInt. */
export const BURN_SECONDS = "devnet_burn_seconds";

/** Export names of the other additions. */
export const ADDED = {
  /** Allocations until the next check; the VM calls `TICK` when it falls below 0. */
  fuel: "devnet_fuel",
  /** Pages of 64 KiB that the memory may have. */
  maxPages: "devnet_max_pages",
  /** 1 once the memory has hit this limit. */
  refused: "devnet_refused",
  /** Whether calls are traced. */
  tracing: "devnet_tracing",
  /** Lines and columns of the failed expression; 0 if none failed. */
  line: "devnet_line",
  column: "devnet_column",
  endLine: "devnet_end_line",
  endColumn: "devnet_end_column",
  /** Whether the last expression to end failed: then the surrounding expressions end with its error. */
  failing: "devnet_failing",
};

const PLACE = /** @type {const} */ (["line", "column", "endLine", "endColumn"]);

/** The VM's code is not the expected version. */
export class InstrumentError extends Error {}

/** Reads the parts of a module. */
class Reader {
  /** @param {Buffer} bytes @param {number} [offset] @param {number} [end] */
  constructor(bytes, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  u8() {
    return this.bytes[this.offset++];
  }

  /** @returns {number} */
  unsigned() {
    for (let value = 0, weight = 1; ; weight *= 128) {
      const byte = this.u8();
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
  }

  /** @param {number} length @returns {Buffer} */
  take(length) {
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, this.offset);
  }

  /** @returns {string} */
  name() {
    return this.take(this.unsigned()).toString("utf8");
  }

  /** @returns {Buffer} the remaining bytes */
  rest() {
    return this.take(this.end - this.offset);
  }
}

/** @param {number} value @returns {Buffer} */
function unsigned(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** @param {number} value from -64 to 63 @returns {Buffer} */
function small(value) {
  return Buffer.of(value & 127);
}

/** @param {string} name @returns {Buffer} */
function text(name) {
  return Buffer.concat([unsigned(Buffer.byteLength(name)), Buffer.from(name)]);
}

/** @param {...(number | Buffer)} parts opcodes and what follows them @returns {Buffer} */
function code(...parts) {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : part)));
}

/**
 * @param {Buffer} source the original module
 * @returns {{bytes: Buffer, tick: string}} the changed module, and the name of the import that asks whether to continue
 * @throws {InstrumentError}
 */
export function instrument(source) {
  const sections = readSections(source);
  const section = (/** @type {keyof SECTION} */ name) => {
    const found = sections.find(({ id }) => id === SECTION[name]);
    if (!found) throw new InstrumentError(`the VM's module has no section of kind ${name}`);
    return found;
  };
  const imports = importedFunctions(section("import").content);
  const tick = imports.findIndex((name) => TICK.test(name));
  if (tick < 0) throw new InstrumentError("the VM's module does not have the expected import");

  const globals = new Reader(section("global").content);
  const globalCount = globals.unsigned();
  const names = /** @type {(keyof ADDED)[]} */ (Object.keys(ADDED));
  const globalOf = (/** @type {keyof ADDED} */ name) => unsigned(globalCount + names.indexOf(name));
  const added = names.map(() => code(I32, 1, OP.constant, small(0), OP.end));
  const burnSeconds = unsigned(globalCount + added.length);
  added.push(code(I64, 1, OP.wideConstant, TEN_MINUTES, OP.end));
  section("global").content = Buffer.concat([unsigned(globalCount + added.length), globals.rest(), ...added]);

  const exports = new Reader(section("export").content);
  const exportCount = exports.unsigned();
  const exported = names.map((name) => Buffer.concat([text(ADDED[name]), Buffer.of(KIND.global), globalOf(name)]));
  exported.push(Buffer.concat([text(BURN_SECONDS), Buffer.of(KIND.global), burnSeconds]));
  section("export").content = Buffer.concat([unsigned(exportCount + exported.length), exports.rest(), ...exported]);

  const functions = new Reader(section("function").content);
  const functionCount = functions.unsigned();
  const growType = typeOfGrow(section("type").content);
  section("function").content = Buffer.concat([unsigned(functionCount + 1), functions.rest(), unsigned(growType)]);
  const grow = imports.length + functionCount;

  const bodies = new Bodies(section("code").content);
  const prologues = hookPrologues(globalOf);
  for (const [hook, { number, checksum }] of Object.entries(HOOKS)) {
    const body = bodies.get(number - imports.length);
    const found = createHash("sha256").update(body).digest("hex").slice(0, 16);
    if (found !== checksum) throw new InstrumentError(`function ${number} of the VM's module is not its hook (${found})`);
    bodies.set(number - imports.length, withPrologue(body, prologues[/** @type {keyof HOOKS} */ (hook)]));
  }
  liftDepthLimit(bodies);
  varyBurnBlocks(bodies, burnSeconds);
  const [allocator, at] = growthOf(bodies);
  bodies.set(allocator, withPrologue(growingBy(bodies.get(allocator), at, grow), fuelPrologue(globalOf, tick)));
  section("code").content = bodies.withAnother(growBody(globalOf));

  const parts = sections.flatMap(({ id, content }) => [Buffer.of(id), unsigned(content.length), content]);
  return { bytes: Buffer.concat([source.subarray(0, 8), ...parts]), tick: imports[tick] };
}

/** @param {Buffer} source @returns {{id: number, content: Buffer}[]} */
function readSections(source) {
  const reader = new Reader(source, 8);
  const sections = [];
  while (reader.offset < source.length) {
    const id = reader.u8();
    sections.push({ id, content: reader.take(reader.unsigned()) });
  }
  return sections;
}

/** @param {Buffer} content @returns {string[]} their names, by number */
function importedFunctions(content) {
  const reader = new Reader(content);
  return Array.from({ length: reader.unsigned() }, () => {
    reader.name();
    const name = reader.name();
    if (reader.u8() !== KIND.function) throw new InstrumentError("the VM's module imports more than functions");
    reader.unsigned();
    return name;
  });
}

/** @param {Buffer} content @returns {number} the number of the type of functions from an i32 to an i32 */
function typeOfGrow(content) {
  const reader = new Reader(content);
  const count = reader.unsigned();
  for (let type = 0; type < count; type++) {
    reader.u8();
    const parameters = reader.take(reader.unsigned());
    const results = reader.take(reader.unsigned());
    if (parameters.equals(Buffer.of(I32)) && results.equals(Buffer.of(I32))) return type;
  }
  throw new InstrumentError("the VM's module has no function from i32 to i32");
}

/** The bodies of a module's functions. The few that change are kept apart, so that the rest is copied as a whole. */
class Bodies {
  /** @type {Map<number, Buffer>} */
  #changed = new Map();

  /** @param {Buffer} content of the code section */
  constructor(content) {
    const reader = new Reader(content);
    this.content = content;
    /** Where each body starts and ends, and where its length is. @type {{at: number, start: number, end: number}[]} */
    this.spans = Array.from({ length: reader.unsigned() }, () => {
      const at = reader.offset;
      const length = reader.unsigned();
      const start = reader.offset;
      reader.offset += length;
      return { at, start, end: reader.offset };
    });
  }

  /** @param {number} index @returns {Buffer} */
  get(index) {
    const { start, end } = this.spans[index];
    return this.#changed.get(index) ?? this.content.subarray(start, end);
  }

  /** @param {number} index @param {Buffer} body */
  set(index, body) {
    this.#changed.set(index, body);
  }

  /**
   * Finds bytes in the original bodies.
   *
   * @param {Buffer} bytes
   * @returns {[number, number][]} for each place, the index of the body and the offset in it
   */
  find(bytes) {
    /** @type {[number, number][]} */
    const found = [];
    let index = 0;
    for (let place = this.content.indexOf(bytes); place >= 0; place = this.content.indexOf(bytes, place + 1)) {
      while (this.spans[index].end <= place) index++;
      if (place >= this.spans[index].start) found.push([index, place - this.spans[index].start]);
    }
    return found;
  }

  /** @param {Buffer} body @returns {Buffer} the code section with the changes and one more body */
  withAnother(body) {
    const parts = [unsigned(this.spans.length + 1)];
    let copied = this.spans[0].at;
    for (const [index, changed] of [...this.#changed].sort(([one], [other]) => one - other)) {
      const { at, end } = this.spans[index];
      parts.push(this.content.subarray(copied, at), unsigned(changed.length), changed);
      copied = end;
    }
    parts.push(this.content.subarray(copied), unsigned(body.length), body);
    return Buffer.concat(parts);
  }
}

/** @param {Buffer} body @param {Buffer} prologue @returns {Buffer} the function, starting with the prologue */
function withPrologue(body, prologue) {
  const reader = new Reader(body);
  for (let groups = reader.unsigned(); groups > 0; groups--) {
    reader.unsigned();
    reader.u8();
  }
  return Buffer.concat([body.subarray(0, reader.offset), prologue, reader.rest()]);
}

const GROW = Buffer.of(OP.memoryGrow, 0);
const TEE = 0x22;

/** @param {Bodies} bodies @returns {[number, number]} the index of the allocator, and the offset where it grows the memory */
function growthOf(bodies) {
  // The same bytes may be part of a number elsewhere, but not after a local.tee, as the allocator has them.
  const found = bodies.find(Buffer.concat([GROW, Buffer.of(TEE)])).filter(([index, at]) => bodies.get(index)[at - 2] === TEE);
  if (found.length !== 1) throw new InstrumentError(`${found.length} functions of the VM's module look like its allocator`);
  return found[0];
}

/** @param {Buffer} body @param {number} at @param {number} grow @returns {Buffer} the body, which calls that function */
function growingBy(body, at, grow) {
  return Buffer.concat([body.subarray(0, at), code(OP.call, unsigned(grow)), body.subarray(at + GROW.length)]);
}

/**
 * The JSON reader counts down from 128 in a byte at its offset 25, and fails at 0. On a node, it continues. `byte &
 * 255` becomes `byte | 255`, which is never 0; nothing else changes, not even the length.
 */
const DEPTH_CHECK = /^\x2d\x00\x19\x41\x01\x6b\x22.\x3a\x00\x19\x20.\x41\xff\x01\x71$/s;
const DEPTH_CHECK_START = Buffer.of(0x2d, 0x00, 0x19, 0x41, 0x01, 0x6b, 0x22);
const DEPTH_CHECK_LENGTH = 17;
const DEPTH_CHECKS = 313;
const OR = 0x72;

/** @param {Bodies} bodies they are changed */
function liftDepthLimit(bodies) {
  let count = 0;
  for (const [index, at] of bodies.find(DEPTH_CHECK_START)) {
    const body = bodies.get(index);
    if (!DEPTH_CHECK.test(body.toString("latin1", at, at + DEPTH_CHECK_LENGTH))) continue;
    const changed = Buffer.from(body);
    changed[at + DEPTH_CHECK_LENGTH - 1] = OR;
    bodies.set(index, changed);
    count++;
  }
  if (count !== DEPTH_CHECKS) throw new InstrumentError(`the VM's module checks the depth of JSON in ${count} places`);
}

/** The encoding of 600 in the code. */
const TEN_MINUTES = Buffer.of(0xd8, 0x04);

/** @param {Bodies} bodies they are changed @param {Buffer} burnSeconds the global to add instead of 600 */
function varyBurnBlocks(bodies, burnSeconds) {
  const found = bodies.find(Buffer.concat([Buffer.of(OP.wideConstant), TEN_MINUTES, Buffer.of(OP.wideAdd)]));
  if (found.length !== 1) throw new InstrumentError(`the VM's module adds 600 in ${found.length} places`);
  const [[index, at]] = found;
  const body = bodies.get(index);
  bodies.set(index, Buffer.concat([body.subarray(0, at), code(OP.globalGet, burnSeconds), body.subarray(at + 3)]));
}

/** @typedef {(name: keyof ADDED) => Buffer} GlobalOf */

/** @param {GlobalOf} globalOf @param {number} tick @returns {Buffer} code that counts down, and calls the host at 0 */
function fuelPrologue(globalOf, tick) {
  const fuel = globalOf("fuel");
  return code(
    ...[OP.globalGet, fuel, OP.constant, small(1), OP.subtract, OP.globalSet, fuel],
    ...[OP.globalGet, fuel, OP.constant, small(0), OP.less, OP.if, NO_RESULT, OP.call, unsigned(tick), OP.drop, OP.end],
  );
}

/** @param {GlobalOf} globalOf @returns {Buffer} the body of a function that grows the memory up to its limit */
function growBody(globalOf) {
  return code(
    0,
    ...[OP.memorySize, 0, OP.localGet, unsigned(0), OP.add, OP.globalGet, globalOf("maxPages"), OP.greaterUnsigned],
    ...[OP.if, I32, OP.constant, small(1), OP.globalSet, globalOf("refused"), OP.constant, small(-1)],
    ...[OP.else, OP.localGet, unsigned(0), GROW, OP.end, OP.end],
  );
}

/** @param {GlobalOf} globalOf @returns {Record<keyof HOOKS, Buffer>} */
function hookPrologues(globalOf) {
  const set = (/** @type {keyof ADDED} */ name, /** @type {Buffer} */ value) => code(value, OP.globalSet, globalOf(name));
  const get = (/** @type {keyof ADDED} */ name) => code(OP.globalGet, globalOf(name));
  const constant = (/** @type {number} */ value) => code(OP.constant, small(value));
  const load = (/** @type {number} */ local, /** @type {number} */ offset) =>
    code(OP.localGet, unsigned(local), OP.load, unsigned(2), unsigned(offset));
  const unlessTracing = code(get("tracing"), OP.isZero, OP.if, NO_RESULT, OP.return, OP.end);
  const failed = code(
    ...[get("failing"), OP.isZero, OP.if, NO_RESULT],
    ...PLACE.map((name, index) => set(name, load(EXPRESSION, PLACE_AT + 4 * index))),
    ...[set("failing", constant(1)), OP.end],
  );
  const note = code(...[load(RESULT, 0), constant(1), OP.and, OP.if, NO_RESULT, failed], ...[OP.else, set("failing", constant(0)), OP.end]);
  return {
    before: code(set("failing", constant(0)), unlessTracing),
    after: code(note, unlessTracing),
    end: unlessTracing,
  };
}
