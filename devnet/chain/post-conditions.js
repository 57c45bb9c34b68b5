/** Whether what a transaction moved is what its post-conditions and their mode allow (SIP-005, SIP-040, SIP-044). */
import { MODE } from "../wire/post-conditions.js";

/** @typedef {import("./ledger.js").ChainEvent} ChainEvent */
/** @typedef {import("../wire/transaction.js").Transaction} Transaction */

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

/** What left each principal: amounts by `principal asset`, and token values by the same. */
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
 * @param {Transaction} transaction
 * @param {ChainEvent[]} events what its execution emitted, without the fee
 * @returns {string | null} what is violated, or null
 */
export function violatedPostCondition(transaction, events) {
  const movements = new Movements(events);
  /** @type {Set<string>} */
  const coveredAmounts = new Set();
  /** @type {Set<string>} */
  const coveredTokens = new Set();
  for (const condition of transaction.postConditions) {
    const principal = condition.principal ?? transaction.origin.address;
    switch (condition.type) {
      case "stx":
      case "fungible": {
        const key = `${principal} ${"asset" in condition ? assetId(condition.asset) : STX}`;
        const moved = movements.amounts.get(key) ?? 0n;
        if (!COMPARE[condition.code](moved, condition.amount)) {
          return `${principal} sent ${moved} of ${key.slice(principal.length + 1)}, against a post-condition`;
        }
        coveredAmounts.add(key);
        break;
      }
      case "non_fungible": {
        const key = `${principal} ${assetId(condition.asset)}`;
        const sent = movements.tokens.get(key)?.has(condition.valueHex) ?? false;
        if ((condition.code === NFT_SENT && !sent) || (condition.code === NFT_NOT_SENT && sent)) {
          return `${principal} ${sent ? "sent" : "did not send"} 0x${condition.valueHex} of ${assetId(condition.asset)}, against a post-condition`;
        }
        coveredTokens.add(`${key} ${condition.valueHex}`);
        break;
      }
      case "staking":
        // The devnet has no proof of transfer: nothing is ever staked.
        if (!COMPARE[condition.code](0n, condition.amount)) return `${principal} staked 0, against a post-condition`;
        break;
      case "pox":
        if (condition.code === POX_PERFORMED) return `${principal} performed no PoX action, against a post-condition`;
        break;
    }
  }
  return uncovered(transaction, movements, coveredAmounts, coveredTokens);
}

/**
 * @param {Transaction} transaction
 * @param {Movements} movements
 * @param {Set<string>} coveredAmounts
 * @param {Set<string>} coveredTokens
 * @returns {string | null}
 */
function uncovered({ postConditionMode, origin }, movements, coveredAmounts, coveredTokens) {
  if (postConditionMode === MODE.allow) return null;
  const concerns = (/** @type {string} */ key) =>
    postConditionMode === MODE.deny || key.startsWith(`${origin.address} `);
  for (const [key, amount] of movements.amounts) {
    if (concerns(key) && !coveredAmounts.has(key)) return `${key.replace(" ", ` sent ${amount} of `)}, which no post-condition covers`;
  }
  for (const [key, values] of movements.tokens) {
    for (const value of values) {
      if (concerns(key) && !coveredTokens.has(`${key} ${value}`)) {
        return `${key.replace(" ", ` sent 0x${value} of `)}, which no post-condition covers`;
      }
    }
  }
  return null;
}
