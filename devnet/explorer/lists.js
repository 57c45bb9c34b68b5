/** Lists of transactions and blocks, used by several pages, and lists with several pages. */
import { h, table } from "./dom.js";
import { count, short, stx, time } from "./format.js";
import { badge, blockLink, link, principalLink, transactionLink } from "./links.js";

/** @typedef {import("./chain.js").Chain} Chain */
/** @typedef {import("./answers.js").Action} Action */
/** @typedef {import("./answers.js").Block} Block */

/**
 * @param {Chain} chain
 * @param {Action} tx a transaction as version 3 of the API returns it, in full or as a summary
 * @param {{linked?: boolean}} [options] linked: whether the text links to the transaction
 * @returns {(Node | string)[]} a description of what the transaction does
 */
export function actionOf(chain, tx, { linked = false } = {}) {
  const strong = (/** @type {string} */ text) => {
    const node = h("strong", {}, text);
    return linked ? link(["tx", tx.tx_id], node, { class: "plain" }) : node;
  };
  switch (tx.type) {
    case "contract_call": {
      const { contract_id, function_name } = /** @type {Required<Action>} */ (tx).contract_call;
      return [strong(function_name), h("span", { class: "muted" }, " of "), principalLink(chain, contract_id)];
    }
    case "smart_contract":
      return [strong("Publish"), " ", principalLink(chain, /** @type {Required<Action>} */ (tx).smart_contract.contract_id)];
    case "token_transfer": {
      const { amount, recipient } = /** @type {Required<Action>} */ (tx).token_transfer;
      return [strong(stx(amount)), h("span", { class: "muted" }, " to "), principalLink(chain, recipient)];
    }
    default:
      return [strong(tx.type.replaceAll("_", " "))];
  }
}

/**
 * @param {Chain} chain
 * @param {import("./answers.js").Summary[]} transactions summaries of version 3; pending ones have no block
 * @param {{brief?: boolean}} [options] brief: without their ids
 * @returns {HTMLElement}
 */
export function transactionTable(chain, transactions, { brief = false } = {}) {
  const rows = transactions.map((tx) => [
    h("span", { class: "action" }, ...actionOf(chain, tx, { linked: true })),
    principalLink(chain, tx.sender.address),
    badge(tx.status),
    tx.block ? h("span", { "data-before": "block" }, blockLink(tx.block.height)) : "–",
    h("span", { class: "time" }, time(tx.block?.time ?? /** @type {number} */ (tx.receipt_time))),
    ...(brief ? [] : [transactionLink(tx.tx_id)]),
  ]);
  const heads = ["What", "From", "Result", "Block", "Time", ...(brief ? [] : ["Transaction"])];
  return table(heads, rows, { empty: "No transactions yet.", numbers: [3], compact: true });
}

/**
 * @param {Block[]} blocks blocks as version 2 of the API returns them
 * @param {{brief?: boolean}} [options] brief: without their Bitcoin blocks and hashes
 * @returns {HTMLElement}
 */
export function blockTable(blocks, { brief = false } = {}) {
  const more = (/** @type {Block} */ block) => [
    h("span", { "data-unit": "Bitcoin block", class: "optional" }, count(block.burn_block_height)),
    link(["block", block.hash], short(block.hash), { class: "mono", title: block.hash }),
  ];
  const rows = blocks.map((block) => [
    blockLink(block.height),
    h("span", { class: "time" }, time(block.block_time)),
    h("span", { "data-unit": block.tx_count === 1 ? "transaction" : "transactions" }, count(block.tx_count)),
    ...(brief ? [] : more(block)),
  ]);
  const heads = ["Block", "Time", "Transactions", ...(brief ? [] : ["Bitcoin block", "Hash"])];
  return table(heads, rows, { empty: "No blocks yet.", numbers: [2, 3], compact: true });
}

/**
 * A list with more pages: a button loads the next one. A refresh loads as many items as were shown.
 *
 * @template T
 * @template N
 * @param {(offset: {items: T[], next: N | null | undefined}) => Promise<{items: T[], next: N | null, total?: number}>}
 *   fetchPage next: the last page's reference to the next one; null if there is none, undefined before the first
 * @param {(items: T[]) => HTMLElement} show
 * @returns {Promise<{node: HTMLElement, total: () => number | undefined, refresh: () => Promise<void>}>}
 */
export async function growingList(fetchPage, show) {
  let state = await fetchPage({ items: [], next: undefined });
  const more = h("button", { type: "button", class: "more", onclick: extend }, "Show more");
  const place = h("div", { class: "list" });
  render();

  function render() {
    place.replaceChildren(show(state.items), ...(state.next === null ? [] : [more]));
  }

  async function extend() {
    more.setAttribute("disabled", "");
    try {
      const page = await fetchPage(state);
      state = { ...page, items: [...state.items, ...page.items] };
    } finally {
      more.removeAttribute("disabled");
    }
    render();
  }

  async function refresh() {
    const wanted = state.items.length;
    let fresh = await fetchPage({ items: [], next: undefined });
    while (fresh.items.length < wanted && fresh.next !== null) {
      const page = await fetchPage(fresh);
      fresh = { ...page, items: [...fresh.items, ...page.items] };
    }
    state = fresh;
    render();
  }

  return { node: place, total: () => state.total, refresh };
}

/**
 * @template T
 * @param {Chain} chain
 * @param {string} path the path of a list in version 3 of the API, which is paged by cursors
 * @param {(items: T[]) => HTMLElement} show
 * @param {number} [limit]
 */
export function cursorList({ api }, path, show, limit = 20) {
  return growingList(async ({ next }) => {
    /** @type {import("./answers.js").CursorPage<T>} */
    const page = await api.get(`${path}?limit=${limit}${next ? `&cursor=${encodeURIComponent(next)}` : ""}`);
    return { items: page.results, next: page.cursor.next, total: page.total };
  }, show);
}

/**
 * @template T
 * @param {Chain} chain
 * @param {string} path the path of a list in version 1 or 2 of the API, which is paged by offsets
 * @param {(items: T[]) => HTMLElement} show
 * @param {number} [limit]
 */
export function offsetList({ api }, path, show, limit = 20) {
  return growingList(async ({ items }) => {
    /** @type {import("./answers.js").Page<T>} */
    const page = await api.get(`${path}?limit=${limit}&offset=${items.length}`);
    const isLast = page.total === undefined ? page.results.length < limit : items.length + page.results.length >= page.total;
    return { items: page.results, next: isLast || page.results.length === 0 ? null : true, total: page.total };
  }, show);
}
