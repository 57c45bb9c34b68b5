/**
 * Starts a session of the VM, from the image of an earlier session if there is one.
 *
 * A new VM first publishes the boot contracts of Stacks, which takes about a third of the start. Its memory
 * afterwards is always the same, except for the time of the first block. So an image of the memory is kept in a file in
 * `node_modules/.cache`. If that file is missing or damaged, the session starts without it.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { usedLength } from "./memory.js";
import { adopt, loadVmModule, referencesOf } from "./module.js";

export const BOOT_ADDRESS = "ST000000000000000000002AMW42H";

/**
 * @typedef {object} Session
 * @property {import("./module.js").VmModule} module
 * @property {import("./vm.js").Sdk} sdk
 * @property {number} costsFlag the offset of the cost tracking flag in the SDK's object; -1 if it was not found
 * @property {Buffer} [known] what most of the memory contains, if it comes from an image
 */

/**
 * The data of an image, besides the memory.
 *
 * @typedef {object} Header
 * @property {number} pointer the address of the SDK's object
 * @property {number} costsFlag
 * @property {number} memoryLength
 * @property {number} length of the part of the memory that the image contains; the rest is zero
 * @property {(Reference | null)[]} references to JavaScript values
 * @property {[number, number][]} times the address of a time, and its distance from the first block in seconds
 *
 * @typedef {"global" | "files" | {value: string | boolean | null}} Reference
 */

/** The time between the first and the second block, in seconds. */
const SECOND_BLOCK = 10;
const NEW_LINE = "\n".charCodeAt(0);
/** The bytes at the start of the file that say how long the image is, so that it is decompressed into one buffer. */
const LENGTH_BYTES = 4;
/** Room in the image for what is added to the memory until the VM has its accounts. */
const MARGIN = 2 * 1024 * 1024;
/** What an image depends on, besides the VM itself. */
const SOURCES = ["boot.js", "instrument.js", "memory.js", "module.js"];

const noFiles = () => {
  throw new Error("the devnet's VM reads no files");
};

/**
 * @param {object} options
 * @param {() => number} options.clock milliseconds since 1970, in whole seconds: the time of the first block
 * @param {boolean} options.canProfile whether costs can be recorded by function
 * @param {string} [options.folder] folder of the images; if empty, none are used
 * @returns {Promise<Session>}
 */
export async function begin({ clock, canProfile, folder = imageFolder() }) {
  const file = folder && "zstdCompressSync" in zlib && join(folder, imageName(canProfile));
  const reading = file && readImage(file); // meanwhile, the module is compiled
  const module = loadVmModule(clock);
  const time = clock() / 1000;
  const image = reading && (await reading);
  if (image) return resume(module, image, time);
  const sdk = newSdk(module, [true, false, canProfile]);
  const candidates = costsFlagCandidates(module, sdk);
  await sdk.initEmptySession({ enabled: false });
  const session = { module, sdk, costsFlag: candidates.find((offset) => controlsCosts({ module, sdk }, offset)) ?? -1 };
  if (file) keepImage(file, session, time);
  return session;
}

/**
 * @param {import("./module.js").VmModule} module
 * @param {[boolean, boolean, boolean]} options whether it tracks costs, records coverage, can profile
 * @returns {import("./vm.js").Sdk}
 */
function newSdk({ glue }, options) {
  return /** @type {import("./vm.js").Sdk} */ (new glue.SDK(noFiles, new glue.SDKOptions(...options)));
}

/**
 * Possible offsets of the cost tracking flag in the SDK's object: bytes that are 1 here, and 0 in an object created
 * without tracking.
 *
 * @param {import("./module.js").VmModule} module
 * @param {import("./vm.js").Sdk} sdk
 * @returns {number[]}
 */
function costsFlagCandidates(module, sdk) {
  const other = newSdk(module, [false, false, false]);
  const [start, otherStart] = [sdk.__wbg_ptr, other.__wbg_ptr];
  const memory = memoryOf(module);
  const size = Math.min(Math.abs(otherStart - start), 8192);
  const offsets = Array.from({ length: size }, (_, offset) => offset);
  const candidates = offsets.filter((offset) => memory[start + offset] === 1 && memory[otherStart + offset] === 0);
  other.free();
  return candidates;
}

/**
 * @param {{module: import("./module.js").VmModule, sdk: import("./vm.js").Sdk}} session
 * @param {number} offset
 * @returns {boolean} whether this byte really switches cost tracking, tested with calls
 */
function controlsCosts({ module, sdk }, offset) {
  const address = sdk.__wbg_ptr + offset;
  const countsCosts = () => {
    const call = new module.glue.CallFnArgs(`${BOOT_ADDRESS}.pox-5`, "get-pox-info", [], BOOT_ADDRESS);
    const response = sdk.callReadOnlyFn(call);
    const { costs } = response;
    response.free();
    call.free();
    return costs !== "null";
  };
  memoryOf(module)[address] = 0;
  const silent = !countsCosts();
  memoryOf(module)[address] = 1;
  return silent && countsCosts();
}

/** @param {import("./module.js").VmModule} module @returns {Buffer} */
function memoryOf({ exports }) {
  return Buffer.from(exports.memory.buffer);
}

/** @returns {string | undefined} next to the VM's package, so a new installation of the package removes it */
function imageFolder() {
  const packages = `${sep}node_modules${sep}`;
  const place = sdkPath().lastIndexOf(packages);
  return place < 0 ? undefined : join(sdkPath().slice(0, place + packages.length), ".cache", "der-client");
}

function sdkPath() {
  const require = createRequire(import.meta.url);
  return createRequire(require.resolve("@stacks/clarinet-sdk")).resolve("@stacks/clarinet-sdk-wasm");
}

/** @param {boolean} canProfile @returns {string} a name that changes with the VM and with the code that prepares it */
function imageName(canProfile) {
  const digest = createHash("sha256").update(String(canProfile));
  const here = dirname(fileURLToPath(import.meta.url));
  const files = [...SOURCES.map((name) => join(here, name)), join(dirname(sdkPath()), "clarinet_sdk_bg.wasm")];
  for (const file of files) digest.update(readFileSync(file));
  return `${digest.digest("hex").slice(0, 32)}.image`;
}

/**
 * @param {string} file
 * @returns {Promise<{header: Header, memory: Buffer} | undefined>}
 */
async function readImage(file) {
  try {
    const kept = readFileSync(file);
    const chunkSize = kept.readUInt32LE() + 1;
    const body = await promisify(zlib.zstdDecompress)(kept.subarray(LENGTH_BYTES), { chunkSize });
    const end = body.indexOf(NEW_LINE);
    /** @type {Header} */
    const header = JSON.parse(body.toString("utf8", 0, end));
    const memory = body.subarray(end + 1);
    return memory.length === header.length ? { header, memory } : undefined; // a file cut off is no error for zstd
  } catch {
    return undefined;
  }
}

/**
 * Keeps the image of a session that has just begun. It is a matter of speed only, so a failure has no consequence.
 *
 * @param {string} file
 * @param {Session} session
 * @param {number} time of the first block, unix seconds
 */
function keepImage(file, { module, sdk, costsFlag }, time) {
  const memory = memoryOf(module);
  const times = [0, SECOND_BLOCK].flatMap((added) => timesIn(memory, time, added));
  // A small number occurs in many places, not all of which are times.
  if (times.length !== 2) return;
  const content = memory.subarray(0, Math.min(usedLength(memory) + MARGIN, memory.length));
  /** @type {Header} */
  const header = {
    pointer: sdk.__wbg_ptr,
    costsFlag,
    memoryLength: memory.length,
    length: content.length,
    references: referencesOf(module).map(kept),
    times,
  };
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), content]);
  // The checksum reveals damage when the image is read.
  const params = { [zlib.constants.ZSTD_c_checksumFlag]: 1, [zlib.constants.ZSTD_c_compressionLevel]: 1 };
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(body.length);
  const unfinished = `${file}.${randomUUID()}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    try {
      writeFileSync(unfinished, Buffer.concat([length, zlib.zstdCompressSync(body, { params })]));
      renameSync(unfinished, file);
      removeOthers(dirname(file));
    } finally {
      rmSync(unfinished, { force: true });
    }
  } catch {
    // The next session starts without an image, too.
  }
}

/** Removes images of earlier versions, and unfinished ones of processes that were killed. @param {string} folder */
function removeOthers(folder) {
  const current = [true, false].map(imageName);
  const others = readdirSync(folder).filter((name) => !current.includes(name));
  for (const name of others) rmSync(join(folder, name), { force: true });
}

/**
 * @param {Buffer} memory
 * @param {number} first the time of the first block
 * @param {number} added how many seconds later than that
 * @returns {[number, number][]} the addresses where this time is stored in 64 bits, each with `added`
 */
function timesIn(memory, first, added) {
  const wanted = Buffer.alloc(8);
  wanted.writeBigUInt64LE(BigInt(first + added));
  /** @type {[number, number][]} */
  const found = [];
  for (let at = memory.indexOf(wanted); at >= 0; at = memory.indexOf(wanted, at + 1)) {
    if (at % wanted.length === 0) found.push([at, added]);
  }
  return found;
}

/**
 * @param {unknown} value
 * @returns {Reference | null} null for a value that only asynchronous calls need, since there are none later
 */
function kept(value) {
  if (value === globalThis) return "global";
  if (value === noFiles) return "files";
  return value === null || typeof value === "string" || typeof value === "boolean" ? { value } : null;
}

/**
 * @param {import("./module.js").VmModule} module a new module
 * @param {{header: Header, memory: Buffer}} image
 * @param {number} time of the first block, unix seconds
 * @returns {Session}
 */
function resume(module, { header, memory }, time) {
  const sdk = adopt(module, { ...header, references: header.references.map(valueOf) });
  const bytes = memoryOf(module);
  memory.copy(bytes);
  for (const [at, added] of header.times) bytes.writeBigUInt64LE(BigInt(time + added), at);
  return { module, sdk, costsFlag: header.costsFlag, known: memory };
}

/** @param {Reference | null} reference @returns {unknown} */
function valueOf(reference) {
  if (reference === "global") return globalThis;
  return reference === "files" ? noFiles : reference?.value;
}
