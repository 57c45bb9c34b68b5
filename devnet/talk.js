/** Tells people what happens: a line for each block, and for each transaction in it. */
import { valueText, decodeValue } from "./clarity/value.js";

/** @typedef {import("./chain/history.js").MinedTransaction} MinedTransaction */

const TXID_CHARACTERS = 8;
const MAX_TEXT = 100;

/**
 * @param {import("./chain/chain.js").Chain} chain
 * @param {import("./project/project.js").Account[]} accounts
 * @param {(line: string) => void} write
 */
export function talk(chain, accounts, write) {
  const names = new Map(accounts.map(({ name, address }) => [address, name]));
  /** Empty blocks that nobody was told of yet: an advance mines many. @type {{first: number, last: number} | null} */
  let empty = null;

  const tellEmpty = () => {
    if (!empty) return;
    const { first, last } = empty;
    empty = null;
    write(first === last ? `block ${first}, empty` : `blocks ${first} to ${last}, empty`);
  };

  chain.feed.on("block", ({ block, mined }) => {
    if (mined.length === 0) {
      if (!empty) setImmediate(tellEmpty);
      empty = { first: empty?.first ?? block.height, last: block.height };
      return;
    }
    tellEmpty();
    const time = new Date(block.time * 1000).toISOString().replace("T", " ").slice(0, 19);
    write(`block ${block.height}, ${time}, ${mined.length} transaction${mined.length === 1 ? "" : "s"}`);
    for (const one of mined) write(`  ${transactionText(one, names)}`);
  });
  chain.feed.on("dropped", ({ transaction, status }) => write(`dropped ${transaction.txid.slice(0, TXID_CHARACTERS)}…: ${status}`));
  chain.feed.on("reverted", ({ block }) => {
    tellEmpty();
    write(`went back to block ${block.height}`);
  });
}

/** @param {MinedTransaction} mined @param {Map<string, string>} names */
function transactionText({ transaction, outcome }, names) {
  const { txid, origin, payload } = transaction;
  const end = outcome.status === "success" ? "ok" : `${outcome.status}${problemText(outcome)}`;
  return `${txid.slice(0, TXID_CHARACTERS)}… ${nameOf(origin.address, names)}: ${payloadText(payload, names)}  ${end}`;
}

/** @param {MinedTransaction["outcome"]} outcome @returns {string} */
function problemText({ vmError, result }) {
  const text = vmError?.split("\n")[0] ?? valueText(decodeValue(Buffer.from(result.slice(2), "hex")));
  return ` ${text.slice(0, MAX_TEXT)}`;
}

/** @param {MinedTransaction["transaction"]["payload"]} payload @param {Map<string, string>} names @returns {string} */
function payloadText(payload, names) {
  switch (payload.type) {
    case "token_transfer":
      return `${payload.amount} µSTX to ${nameOf(payload.recipient, names)}`;
    case "contract_call": {
      const args = payload.args.map((value) => valueText(value)).join(" ");
      const shown = args.length > MAX_TEXT ? `${args.slice(0, MAX_TEXT)}…` : args;
      return `(${payload.contractId.split(".")[1]}.${payload.functionName}${shown && " "}${shown})`;
    }
    case "smart_contract":
      return `publishes ${payload.name}`;
    default:
      return payload.type;
  }
}

/** @param {string} principal @param {Map<string, string>} names @returns {string} */
function nameOf(principal, names) {
  const [address, contract] = principal.split(".");
  const name = names.get(address) ?? address;
  return contract === undefined ? name : `${name}.${contract}`;
}
