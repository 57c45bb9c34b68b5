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
import zlib from "node:zlib";
import { BaseImage, PAGE } from "./memory.js";
import { adopt, loadVmModule, referencesOf } from "./module.js";

/**
 * @typedef {object} Session
 * @property {import("./module.js").VmModule} module
 * @property {import("./vm.js").Sdk} sdk
 * @property {number[]} costsFlags possible offsets of the cost tracking flag in the SDK's object
 */

/**
 * The data of an image, besides the pages of memory.
 *
 * @typedef {object} Header
 * @property {number} pointer the address of the SDK's object
 * @property {number[]} costsFlags
 * @property {number} memoryLength
 * @property {number[]} offsets the offsets of the pages
 * @property {(Reference | null)[]} references to JavaScript values
 * @property {[number, number][]} times the address of a time, and its distance from the first block in seconds
 *
 * @typedef {"global" | "files" | {value: string | boolean | null}} Reference
 */

/** The time between the first and the second block, in seconds. */
const SECOND_BLOCK = 10;
const NEW_LINE = "\n".charCodeAt(0);
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
  const module = loadVmModule(clock);
  const time = clock() / 1000;
  const file = folder && "zstdCompressSync" in zlib && join(folder, imageName(canProfile));
  const image = file && readImage(file);
  if (image) return resume(module, image, time);
  const empty = new BaseImage(memoryOf(module));
  const sdk = newSdk(module, [true, false, canProfile]);
  const costsFlags = costsFlagCandidates(module, sdk);
  await sdk.initEmptySession({ enabled: false });
  if (file) keepImage(file, { module, sdk, costsFlags }, empty, time);
  return { module, sdk, costsFlags };
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
 * @returns {{header: Header, pages: Buffer} | undefined}
 */
function readImage(file) {
  try {
    const body = zlib.zstdDecompressSync(readFileSync(file));
    const end = body.indexOf(NEW_LINE);
    /** @type {Header} */
    const header = JSON.parse(body.toString("utf8", 0, end));
    const pages = body.subarray(end + 1);
    return pages.length === header.offsets.length * PAGE ? { header, pages } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Saves the image of a session that has just started. The image only saves time, so a failure is ignored.
 *
 * @param {string} file
 * @param {Session} session
 * @param {BaseImage} empty the memory before it
 * @param {number} time the time of the first block, unix seconds
 */
function keepImage(file, { module, sdk, costsFlags }, empty, time) {
  const memory = memoryOf(module);
  const times = [0, SECOND_BLOCK].flatMap((added) => timesIn(memory, time, added));
  // A small number occurs in many places, not all of which are times.
  if (times.length !== 2) return;
  const { offsets, pages } = empty.difference(memory);
  /** @type {Header} */
  const header = {
    pointer: sdk.__wbg_ptr,
    costsFlags,
    memoryLength: memory.length,
    offsets,
    references: referencesOf(module).map(kept),
    times,
  };
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), pages]);
  // The checksum reveals damage when the image is read.
  const params = { [zlib.constants.ZSTD_c_checksumFlag]: 1, [zlib.constants.ZSTD_c_compressionLevel]: 1 };
  const unfinished = `${file}.${randomUUID()}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    try {
      writeFileSync(unfinished, zlib.zstdCompressSync(body, { params }));
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
 * @param {{header: Header, pages: Buffer}} image
 * @param {number} time the time of the first block, unix seconds
 * @returns {Session}
 */
function resume(module, { header, pages }, time) {
  const sdk = adopt(module, { ...header, references: header.references.map(valueOf) });
  const bytes = memoryOf(module);
  header.offsets.forEach((offset, index) => pages.copy(bytes, offset, index * PAGE, (index + 1) * PAGE));
  for (const [at, added] of header.times) bytes.writeBigUInt64LE(BigInt(time + added), at);
  return { module, sdk, costsFlags: header.costsFlags };
}

/** @param {Reference | null} reference @returns {unknown} */
function valueOf(reference) {
  if (reference === "global") return globalThis;
  return reference === "files" ? noFiles : reference?.value;
}
