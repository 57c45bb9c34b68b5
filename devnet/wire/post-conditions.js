/** Post-conditions as bytes (SIP-005; originator mode and "maybe sent" SIP-040; staking and PoX SIP-044). */
import { addressText } from "../address.js";
import { DecodeError, readValue } from "../clarity/value.js";

/** @typedef {import("../clarity/value.js").ByteReader} ByteReader */

export const MODE = { allow: 1, deny: 2, originator: 3 };

/** Codes by their number on the wire, as the API names them. */
export const AMOUNT_CODES = {
  1: "sent_equal_to",
  2: "sent_greater_than",
  3: "sent_greater_than_or_equal_to",
  4: "sent_less_than",
  5: "sent_less_than_or_equal_to",
};
export const NFT_CODES = { 0x10: "sent", 0x11: "not_sent", 0x12: "maybe_sent" };
export const POX_CODES = { 0x30: "not_performed", 0x31: "maybe_performed", 0x32: "performed" };

/**
 * @typedef {{address: string, contractName: string, assetName: string}} Asset
 * @typedef {{principal: string | null, code: number}} Head principal: null for the origin
 * @typedef {Head & {type: "stx" | "staking", amount: bigint}} StxPostCondition
 * @typedef {Head & {type: "fungible", asset: Asset, amount: bigint}} FungiblePostCondition
 * @typedef {Head & {type: "non_fungible", asset: Asset, valueHex: string}} NonFungiblePostCondition
 * @typedef {Head & {type: "pox"}} PoxPostCondition
 * @typedef {StxPostCondition | FungiblePostCondition | NonFungiblePostCondition | PoxPostCondition} PostCondition
 */

/** @param {ByteReader} reader @returns {PostCondition[]} */
export function readPostConditions(reader) {
  const count = reader.u32();
  if (count > reader.bytes.length - reader.offset) {
    throw new DecodeError(`${count} post-conditions are more than the bytes hold`);
  }
  const conditions = [];
  for (let i = 0; i < count; i++) conditions.push(readPostCondition(reader));
  return conditions;
}

/** @param {ByteReader} reader @returns {PostCondition} */
function readPostCondition(reader) {
  const start = reader.offset;
  const type = reader.u8();
  if (type > 4) throw new DecodeError(`post-condition type ${type} at byte ${start} is unknown`);
  const principal = readConditionPrincipal(reader);
  switch (type) {
    case 0:
      return { type: "stx", principal, code: readCode(reader, AMOUNT_CODES), amount: reader.u64() };
    case 1: {
      const asset = readAsset(reader);
      return { type: "fungible", principal, asset, code: readCode(reader, AMOUNT_CODES), amount: reader.u64() };
    }
    case 2: {
      const asset = readAsset(reader);
      const valueStart = reader.offset;
      readValue(reader);
      const valueHex = reader.bytes.subarray(valueStart, reader.offset).toString("hex");
      return { type: "non_fungible", principal, asset, valueHex, code: readCode(reader, NFT_CODES) };
    }
    case 3:
      return { type: "staking", principal, code: readCode(reader, AMOUNT_CODES), amount: reader.u64() };
    default:
      return { type: "pox", principal, code: readCode(reader, POX_CODES) };
  }
}

/** @param {ByteReader} reader @param {Record<number, string>} codes */
function readCode(reader, codes) {
  const code = reader.u8();
  if (!(code in codes)) throw new DecodeError(`condition code ${code} at byte ${reader.offset - 1} is unknown`);
  return code;
}

/** @param {ByteReader} reader @returns {string | null} */
function readConditionPrincipal(reader) {
  const start = reader.offset;
  const kind = reader.u8();
  if (kind === 1) return null;
  if (kind !== 2 && kind !== 3) throw new DecodeError(`principal type ${kind} at byte ${start} is unknown`);
  const address = readAddress(reader);
  return kind === 2 ? address : `${address}.${reader.contractName(128)}`;
}

/** @param {ByteReader} reader */
function readAddress(reader) {
  const version = reader.u8();
  if (version >= 32) throw new DecodeError(`address version ${version} is not below 32`);
  return addressText(version, reader.take(20));
}

/** @param {ByteReader} reader @returns {Asset} */
function readAsset(reader) {
  const address = readAddress(reader);
  return { address, contractName: reader.contractName(128), assetName: reader.clarityName("asset name") };
}
