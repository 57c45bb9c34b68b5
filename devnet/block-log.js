/** Prints what happens: a line for each block, and for each transaction in it. */
import { valueText, decodeValue } from "./clarity/value.js";

/** @typedef {import("./chain/history.js").MinedTransaction} MinedTransaction */

const TXID_CHARACTERS = 8;
/** The maximum length of a line, which is the minimum width of terminals. */
const COLUMNS = 80;

/**
 * @param {import("./chain/chain.js").Chain} chain
 * @param {import("./project/project.js").Account[]} accounts
 * @param {(line: string) => void} write
 */
export function logBlocks(chain, accounts, write) {
  const names = new Map(accounts.map(({ name, address }) => [address, name]));
  /** Empty blocks that are not printed yet: an advance mines many. @type {{first: number, last: number} | null} */
  let empty = null;

  const printEmpty = () => {
    if (!empty) return;
    const { first, last } = empty;
    empty = null;
    write(first === last ? `block ${first}, empty` : `blocks ${first} to ${last}, empty`);
  };

  chain.feed.on("block", ({ block, mined }) => {
    if (mined.length === 0) {
      if (!empty) setImmediate(printEmpty);
      empty = { first: empty?.first ?? block.height, last: block.height };
      return;
    }
    printEmpty();
    const time = new Date(block.time * 1000).toISOString().replace("T", " ").slice(0, 19);
    write(`block ${block.height}, ${time}, ${mined.length} transaction${mined.length === 1 ? "" : "s"}`);
    for (const one of mined) for (const line of transactionLines(one, names)) write(line);
  });
  chain.feed.on("dropped", ({ transaction, status }) => write(`dropped ${transaction.txid.slice(0, TXID_CHARACTERS)}…: ${status}`));
  chain.feed.on("reverted", ({ block }) => {
    printEmpty();
    write(`went back to block ${block.height}`);
  });
}

/** @param {MinedTransaction} mined @param {Map<string, string>} names @returns {string[]} one line, or two if it is too long for one */
function transactionLines({ transaction, outcome }, names) {
  const { txid, origin, payload } = transaction;
  const start = `  ${txid.slice(0, TXID_CHARACTERS)}… ${nameOf(origin.address, names)}: `;
  const end = outcome.status === "success" ? "  ok" : `  ${outcome.status}${problemText(outcome)}`;
  const whole = payloadText(payload, names);
  const room = COLUMNS - start.length;
  if (whole.length + end.length <= room) return [`${start}${whole}${end}`];
  if (outcome.status === "success") return [`${start}${shortened(whole, room - end.length)}${end}`];
  return [`${start}${shortened(whole, room)}`, shortened(`   ${end}`, COLUMNS)];
}

/** @param {string} text @param {number} length */
function shortened(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** @param {MinedTransaction["outcome"]} outcome @returns {string} */
function problemText({ vmError, result }) {
  return ` ${vmError?.split("\n")[0] ?? valueText(decodeValue(Buffer.from(result.slice(2), "hex")))}`;
}

/** @param {MinedTransaction["transaction"]["payload"]} payload @param {Map<string, string>} names @returns {string} */
function payloadText(payload, names) {
  switch (payload.type) {
    case "token_transfer":
      return `${payload.amount} µSTX to ${nameOf(payload.recipient, names)}`;
    case "contract_call": {
      const args = payload.args.map((value) => valueText(value)).join(" ");
      return `(${payload.contractId.split(".")[1]}.${payload.functionName}${args && " "}${args})`;
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
  const name = names.get(address) ?? `${address.slice(0, 8)}…${address.slice(-4)}`;
  return contract === undefined ? name : `${name}.${contract}`;
}
