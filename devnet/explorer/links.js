/** Links to the explorer's pages. */
import { copyButton, h } from "./dom.js";
import { count, short, shortContract, statusKind, statusText } from "./format.js";
import { placeOf } from "./location.js";

/** @typedef {import("./chain.js").Chain} Chain */

/** @param {string[]} path @param {import("./dom.js").Child} text @param {{title?: string, class?: string}} [options] */
export function link(path, text, options = {}) {
  return h("a", { href: placeOf(path), ...options }, text);
}

/** @param {string} txid with 0x @param {import("./dom.js").Child} [text] */
export function transactionLink(txid, text = short(txid)) {
  return link(["tx", txid], text, { class: "mono", title: txid });
}

/** @param {number} height */
export function blockLink(height) {
  return link(["block", String(height)], count(height));
}

/** @param {Chain} chain @param {string} principal an address or a contract id @param {{whole?: boolean}} [options] whole: not shortened */
export function principalLink(chain, principal, { whole = false } = {}) {
  const isContract = principal.includes(".");
  const name = chain.nameOf(principal.split(".")[0]);
  const shown = isContract ? (name ? `${name}.${principal.split(".")[1]}` : shortContract(principal)) : (name ?? short(principal));
  return link([isContract ? "contract" : "account", principal], whole ? principal : shown, {
    title: principal,
    class: name && !whole ? "name" : "mono",
  });
}

/** @param {string} contractId @param {number} line */
export function sourceLink(contractId, line) {
  return link(["contract", contractId, "source", String(line)], `line ${line}`);
}

/** @param {string} id one that can be copied */
export function identifier(id) {
  return h("span", { class: "identifier" }, h("code", {}, id), copyButton(id));
}

/** @param {string} status the status of a transaction */
export function badge(status) {
  return h("span", { class: `badge ${statusKind(status)}` }, statusText(status));
}
