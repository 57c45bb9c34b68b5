/**
 * Validates requests to a node, in a node's order and with a node's errors (stacks-core, stackslib/src/net/http
 * and net/api). A node checks lengths and types of bodies itself, so bodies come here as bytes.
 */
import { CLARITY_NAME } from "../clarity/value.js";
import { principalOf } from "./arguments.js";
import { RequestError } from "./errors.js";

/** @typedef {import("fastify").FastifyRequest<{Params: Record<string, string>, Querystring: Record<string, unknown>, Body: Buffer}>} Request with an unparsed body */

/** The largest transaction that a node reads (MAX_PAYLOAD_LEN). A node would read 80 MiB of arguments; the devnet does not. */
export const MAX_BODY_BYTES = 1 + 16 * 1024 * 1024;
const MAX_KEY_BYTES = 4 * 1024 * 1024;
const MAX_ARGUMENTS = 262_144;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const OCTETS = /^application\/octet-stream$/i;
const JSON_TYPE = /^application\/json(?:;|$)/i;

/** @param {string} text @returns {RequestError} */
export function undecodable(text) {
  return new RequestError(400, `Failed to decode: ${text}`);
}

/** @param {Request} request @returns {number} the length in its header; without one, a node sees no body */
function bodyLength({ headers }) {
  return Number(headers["content-length"] ?? 0);
}

/**
 * The first checks, before a body is read.
 *
 * @param {Request} request
 */
export function checkNoBody(request) {
  if (bodyLength(request) !== 0) throw undecodable("Invalid Http request: expected 0-length body");
}

/** @param {Request} request */
export function checkTransactionBody(request) {
  const length = bodyLength(request);
  if (length === 0) throw undecodable("Invalid Http request: expected non-zero-length body for PostTransaction");
  if (length > MAX_BODY_BYTES) throw undecodable("Invalid Http request: PostTransaction body is too big");
  const type = request.headers["content-type"];
  if (type === undefined) throw undecodable("Missing Content-Type for transaction");
  if (!OCTETS.test(type) && !JSON_TYPE.test(type)) {
    throw undecodable("Wrong Content-Type for transaction; expected application/json or application/octet-stream");
  }
}

export const checkCallBody = jsonCheck("CallReadOnly", MAX_BODY_BYTES);
export const checkKeyBody = jsonCheck("GetMapEntry", MAX_KEY_BYTES);
export const checkFeeBody = jsonCheck("FeeRateEstimate", MAX_BODY_BYTES);

/** @param {string} what the node's name for the body @param {number} limit @returns {(request: Request) => void} */
function jsonCheck(what, limit) {
  return (request) => {
    const length = bodyLength(request);
    if (!(length > 0 && length < limit)) throw undecodable(`Invalid Http request: invalid body length for ${what} (${length})`);
    const type = request.headers["content-type"] ?? "";
    if (!JSON_TYPE.test(type)) throw undecodable("Invalid content-type: expected application/json");
  };
}

/** @param {string} text a part of a path @returns {string} the address or contract id in its usual form */
export function accountArgument(text) {
  const principal = principalOf(text);
  if (principal === null) throw undecodable("Failed to parse `principal` field");
  return principal;
}

/** @param {Record<string, string>} params the parameters of a path: address and name @returns {string} contract id */
export function contractArgument({ address, name }) {
  const contractId = principalOf(`${address}.${name}`);
  if (contractId === null) throw new RequestError(400, "Failed to decode `address`");
  return contractId;
}

/** @param {Record<string, string>} params the parameters of a path @param {string} field @returns {string} */
export function nameArgument(params, field) {
  if (!CLARITY_NAME.test(params[field])) throw new RequestError(400, `Failed to decode \`${field}\``);
  return params[field];
}

/**
 * @param {Request} request
 * @returns {Buffer} the transaction in its body: octets, or JSON with its hex and perhaps an attachment, which is dropped
 */
export function transactionBody(request) {
  if (OCTETS.test(request.headers["content-type"] ?? "")) return request.body;
  const { tx, attachment } = parseObject(request.body, "Failed to parse body");
  if (typeof tx !== "string" || !isTextOrAbsent(attachment)) throw undecodable("Failed to parse body");
  const raw = hexBytes(tx, "Failed to parse tx");
  if (!isAbsent(attachment)) hexBytes(attachment, "Failed to parse attachment");
  return raw;
}

/**
 * @param {Request} request
 * @returns {{sender: string, args: Buffer[]}} args serialized. The sponsor is validated, but ignored by the VM:
 *   tx-sponsor? is always none
 */
export function callBody(request) {
  const { sender, sponsor, arguments: args } = parseObject(request.body, "Failed to parse JSON body");
  if (typeof sender !== "string" || !isTextOrAbsent(sponsor) || !isListOfTexts(args)) {
    throw undecodable("Failed to parse JSON body: a call has a sender and arguments");
  }
  if (args.length > MAX_ARGUMENTS) {
    throw undecodable(`Failed to parse JSON body: Too many argument values: ${args.length} > ${MAX_ARGUMENTS}`);
  }
  const from = principalOf(sender);
  if (from === null) throw undecodable("Failed to parse sender principal");
  if (!isAbsent(sponsor) && principalOf(sponsor) === null) throw undecodable("Failed to parse sponsor principal");
  return { sender: from, args: args.map((/** @type {string} */ hex) => valueBytes(hex, "Failed to deserialize argument value")) };
}

/** @param {Request} request @returns {Buffer} the serialized key */
export function keyBody(request) {
  const key = parseJson(request.body, "Failed to parse JSON body");
  if (typeof key !== "string") throw undecodable("Failed to parse JSON body: a key is a text");
  return valueBytes(key, "Failed to deserialize key value");
}

/** @param {Request} request @returns {{payload: Buffer, length: number}} length: the estimated one, or the payload's */
export function feeBody(request) {
  const { transaction_payload: hex, estimated_len: given } = parseObject(request.body, "Failed to parse JSON body");
  if (typeof hex !== "string") throw undecodable("Failed to parse JSON body: missing field `transaction_payload`");
  if (!isAbsent(given) && !(typeof given === "number" && Number.isSafeInteger(given) && given >= 0)) {
    throw undecodable("Failed to parse JSON body: `estimated_len` is a number of bytes");
  }
  const payload = valueBytes(hex, "Bad hex string supplied for transaction payload");
  return { payload, length: Math.max(Number(given ?? 0), payload.length) };
}

/** @param {Buffer} body @param {string} problem @returns {unknown} */
function parseJson(body, problem) {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw undecodable(problem);
  }
}

/** @param {Buffer} body @param {string} problem @returns {Record<string, unknown>} */
function parseObject(body, problem) {
  const value = parseJson(body, problem);
  if (typeof value !== "object" || value === null) throw undecodable(problem);
  return /** @type {Record<string, unknown>} */ (value);
}

/** @param {unknown} value */
function isAbsent(value) {
  return value === undefined || value === null;
}

/** @param {unknown} value */
function isTextOrAbsent(value) {
  return isAbsent(value) || typeof value === "string";
}

/** @param {unknown} value */
function isListOfTexts(value) {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** @param {string} text @param {string} problem @returns {Buffer} the bytes of hex, which in transactions has no 0x */
function hexBytes(text, problem) {
  if (!HEX.test(text)) throw undecodable(problem);
  return Buffer.from(text, "hex");
}

/** @param {string} text @param {string} problem @returns {Buffer} the bytes of hex, with or without 0x */
function valueBytes(text, problem) {
  return hexBytes(text.startsWith("0x") ? text.slice(2) : text, problem);
}
