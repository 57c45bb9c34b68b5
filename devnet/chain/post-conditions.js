/**
 * Checks whether a transaction's post-conditions and their mode allow what it moved (SIP-005, SIP-040, SIP-044).
 * Violations are reported as by a node (stacks-core, check_transaction_postconditions).
 */
import { addressText } from "../address.js";
import { DecodeError, decodeValue, valueText } from "../clarity/value.js";
import { MODE } from "../wire/post-conditions.js";

/** @typedef {import("./ledger.js").ChainEvent} ChainEvent */
/** @typedef {import("./executor.js").Order} Order */

/** @type {Record<number, (moved: bigint, limit: bigint) => boolean>} */
const COMPARE = {
  1: (moved, limit) => moved === limit,
  2: (moved, limit) => moved > limit,
  3: (moved, limit) => moved >= limit,
  4: (moved, limit) => moved < limit,
  5: (moved, limit) => moved <= limit,
};
const NFT_SENT = 0x10;
const NFT_NOT_SENT = 0x11;
const POX_PERFORMED = 0x32;
const STX = "STX";
/** The name of STX in a node's list of assets. */
const STX_ASSET = `${addressText(1, Buffer.alloc(20, 1))}.__transient::STX`;
const FAILURE = "Post-condition check failure";
/** A node's names of the codes. @type {Record<number, string>} */
const CODES = {
  1: "SentEq",
  2: "SentGt",
  3: "SentGe",
  4: "SentLt",
  5: "SentLe",
  0x10: "Sent",
  0x11: "NotSent",
  0x12: "MaybeSent",
  0x30: "NotPerformed",
  0x31: "MaybePerformed",
  0x32: "Performed",
};

/** What left each principal: amounts and token values, both by `principal asset`. */
class Movements {
  /** @param {ChainEvent[]} events */
  constructor(events) {
    /** @type {Map<string, bigint>} */
    this.amounts = new Map();
    /** @type {Map<string, Set<string>>} */
    this.tokens = new Map();
    for (const event of events) this.#count(event);
  }

  /** @param {ChainEvent} event */
  #count(event) {
    if (event.kind === "print" || event.sender === null) return;
    const key = `${event.sender} ${"asset" in event ? event.asset : STX}`;
    if ("valueHex" in event) this.tokens.set(key, (this.tokens.get(key) ?? new Set()).add(event.valueHex));
    else this.amounts.set(key, (this.amounts.get(key) ?? 0n) + event.amount);
  }
}

/** @param {import("../wire/post-conditions.js").Asset} asset */
function assetId(asset) {
  return `${asset.address}.${asset.contractName}::${asset.assetName}`;
}

/**
 * @param {Order} order
 * @param {ChainEvent[]} events what its execution emitted, without the fee
 * @returns {string | null} what is violated, or null
 */
export function violatedPostCondition(order, events) {
  const movements = new Movements(events);
  /** @type {Set<string>} */
  const coveredAmounts = new Set();
  /** @type {Set<string>} */
  const coveredTokens = new Set();
  for (const condition of order.postConditions) {
    const principal = condition.principal ?? order.sender;
    const code = CODES[condition.code];
    switch (condition.type) {
      case "stx":
      case "fungible": {
        const key = `${principal} ${"asset" in condition ? assetId(condition.asset) : STX}`;
        const moved = movements.amounts.get(key) ?? 0n;
        if (!COMPARE[condition.code](moved, condition.amount)) {
          const what = "asset" in condition ? `fungible asset ${assetId(condition.asset)}` : STX;
          return `${FAILURE} on ${what} owned by ${principal}: ${condition.amount} ${code} ${moved}`;
        }
        coveredAmounts.add(key);
        break;
      }
      case "non_fungible": {
        const key = `${principal} ${assetId(condition.asset)}`;
        const moved = movements.tokens.get(key);
        const sent = moved?.has(condition.valueHex) ?? false;
        if ((condition.code === NFT_SENT && !sent) || (condition.code === NFT_NOT_SENT && sent)) {
          const what = `non-fungible asset ${assetId(condition.asset)} owned by ${principal}`;
          return `${FAILURE} on ${what}: ${tokenText(condition.valueHex)} ${code} (sent ${moved?.size ?? 0} value(s))`;
        }
        coveredTokens.add(`${key} ${condition.valueHex}`);
        break;
      }
      case "staking":
        // The devnet has no proof of transfer: nothing is ever staked.
        if (!COMPARE[condition.code](0n, condition.amount)) {
          return `${FAILURE} on STX staked by ${principal}: ${condition.amount} ${code} 0`;
        }
        break;
      case "pox":
        if (condition.code === POX_PERFORMED) return `${FAILURE} on PoX action by ${principal}: ${code} performed=false`;
        break;
    }
  }
  return uncovered(order, movements, coveredAmounts, coveredTokens);
}

/**
 * @param {Order} order
 * @param {Movements} movements
 * @param {Set<string>} coveredAmounts
 * @param {Set<string>} coveredTokens
 * @returns {string | null}
 */
function uncovered({ postConditionMode, sender }, movements, coveredAmounts, coveredTokens) {
  if (postConditionMode === MODE.allow) return null;
  const concerns = (/** @type {string} */ key) => postConditionMode === MODE.deny || key.startsWith(`${sender} `);
  for (const key of movements.amounts.keys()) {
    if (!concerns(key) || coveredAmounts.has(key)) continue;
    const [principal, asset] = key.split(" ");
    return `${FAILURE}: Fungible asset ${asset === STX ? STX_ASSET : asset} was moved by ${principal} but not checked`;
  }
  for (const [key, values] of movements.tokens) {
    const value = concerns(key) ? [...values].find((hex) => !coveredTokens.has(`${key} ${hex}`)) : undefined;
    if (value === undefined) continue;
    const [principal, asset] = key.split(" ");
    return `${FAILURE}: Non-fungible asset ${asset} value ${tokenText(value)} was moved by ${principal} but not checked`;
  }
  return null;
}

/** @param {string} hex @returns {string} the value as text, unless it is nested too deeply to be decoded without its type */
function tokenText(hex) {
  try {
    return valueText(decodeValue(Buffer.from(hex, "hex")), "node");
  } catch (error) {
    if (error instanceof DecodeError) return `0x${hex}`;
    throw error;
  }
}
