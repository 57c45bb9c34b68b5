/** Validates request parameters: each function returns the value or throws the error of a node or the API. */
import { parsePrincipal } from "../address.js";
import { RequestError } from "./errors.js";

/**
 * A request as the routes of the API and the devnet get it: path parameters are text; those in the query and the body
 * are not validated yet.
 *
 * @typedef {import("fastify").FastifyRequest<{Params: Record<string, string>, Querystring: Record<string, unknown>, Body: Record<string, unknown>}>} Request
 */

const HEX = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/;
const TXID = /^(?:0x)?([0-9a-fA-F]{64})$/;

/** @param {unknown} text @returns {string | null} the address or contract id in its usual form; null if it is neither */
export function principalOf(text) {
  const parsed = typeof text === "string" ? parsePrincipal(text) : null;
  if (!parsed) return null;
  return parsed.name === null ? parsed.address : `${parsed.address}.${parsed.name}`;
}

/** @param {string} text @returns {string} the address or contract id in its usual form */
export function principalArgument(text) {
  const principal = principalOf(text);
  if (principal === null) throw new RequestError(400, `Failed to parse principal: ${text.slice(0, 200)}`);
  return principal;
}

/** @param {string} text `ADDRESS.name` @returns {string} contract id */
export function contractIdArgument(text) {
  const contractId = text.includes(".") ? principalOf(text) : null;
  if (contractId === null) throw new RequestError(400, `Failed to parse contract: ${text}`.slice(0, 300));
  return contractId;
}

/** @param {unknown} value @param {string} what @returns {Buffer} */
export function hexArgument(value, what) {
  const match = typeof value === "string" ? HEX.exec(value) : null;
  if (!match) throw new RequestError(400, `${what} must be hex`);
  return Buffer.from(match[1], "hex");
}

/** @param {string} text @returns {string} lower case, without 0x */
export function txidArgument(text) {
  const match = TXID.exec(text);
  if (!match) throw new RequestError(400, `${text.slice(0, 100)} is not a transaction id: expected 64 hex digits, with or without 0x`);
  return match[1].toLowerCase();
}

/**
 * @param {unknown} value a value in a query or body
 * @param {string} name
 * @param {{min: number, max: number, fallback?: number}} range
 * @returns {number}
 */
export function integerArgument(value, name, { min, max, fallback }) {
  if (value === undefined && fallback !== undefined) return fallback;
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new RequestError(400, `${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(value)}`);
}
