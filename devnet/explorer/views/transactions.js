/** Transactions: their list, and one with all its effects. */
import { card, copyButton, facts, h, table } from "../dom.js";
import { count, stx, time } from "../format.js";
import { actionOf, cursorList, growingList, transactionTable } from "../lists.js";
import { badge, blockLink, identifier, principalLink, sourceLink } from "../links.js";
import { sourceView } from "../source-view.js";
import { valueView } from "../value-view.js";
import { eventView } from "./events.js";
import { conditionText } from "./post-conditions.js";
import { traceCard } from "./trace.js";

/** @typedef {import("../chain.js").Chain} Chain */
/** @typedef {import("../answers.js").Transaction} Transaction */
/** @typedef {import("../answers.js").Event} Event */

const EVENTS_AT_ONCE = 50;
const DIMENSIONS = /** @type {const} */ (["runtime", "read_count", "read_length", "write_count", "write_length"]);

/** @typedef {typeof DIMENSIONS[number]} Dimension */

/** @param {Chain} chain @returns {Promise<import("../main.js").View>} */
export async function transactionsView(chain) {
  const waiting = h("div", {});
  const list = await cursorList(chain, "/extended/v3/transactions", (items) => transactionTable(chain, items));

  async function refreshWaiting() {
    const { total, results } = await chain.api.get("/extended/v3/mempool/transactions?limit=20");
    waiting.replaceChildren(...(total > 0 ? [card("Waiting", [transactionTable(chain, results)], { aside: String(total) })] : []));
  }

  await refreshWaiting();
  return {
    title: "Transactions",
    refresh: () => Promise.all([refreshWaiting(), list.refresh()]),
    content: [h("h1", {}, "Transactions"), waiting, card("Newest first", [list.node])],
  };
}

/** @param {import("../answers.js").ListedTransaction} tx @returns {import("../answers.js").Action} */
export function summaryOf(tx) {
  const { token_transfer: transfer } = tx;
  return { ...tx, type: tx.tx_type, token_transfer: transfer && { amount: transfer.amount, recipient: transfer.recipient_address } };
}

/** @param {Chain} chain @param {string} txid @returns {Promise<import("../main.js").View>} */
export async function transactionView(chain, txid) {
  const path = `/extended/v1/tx/${encodeURIComponent(txid)}`;
  /** @type {Transaction} */
  let tx = await chain.api.get(`${path}?event_limit=${EVENTS_AT_ONCE}`);
  const place = h("div", { class: "stack" });

  async function render() {
    place.replaceChildren(...(await contentOf(chain, tx, path)));
  }

  await render();
  return {
    title: `Transaction ${tx.tx_id}`,
    content: [place],
    refresh: async () => {
      if (tx.tx_status !== "pending") return;
      /** @type {Transaction} */
      const fresh = await chain.api.get(`${path}?event_limit=${EVENTS_AT_ONCE}`);
      if (fresh.tx_status === tx.tx_status) return;
      tx = fresh;
      await render();
    },
  };
}

/** @param {Chain} chain @param {Transaction} tx @param {string} path its path in the API */
async function contentOf(chain, tx, path) {
  const isMined = tx.block_height !== undefined;
  const content = [
    h("div", { class: "heading" }, h("h1", {}, ...actionOf(chain, summaryOf(tx))), badge(tx.tx_status)),
    identifier(tx.tx_id),
    card("Outcome", [outcomeFacts(chain, tx)]),
    argumentsCard(chain, tx),
    conditionsCard(chain, tx),
    isMined && tx.event_count ? await eventsCard(chain, tx, path) : null,
    // A devnet has no costs for a transaction with a runtime error.
    isMined && tx.execution_cost_runtime ? costCard(tx, await limitsOf(chain)) : null,
    isMined && tx.tx_type === "contract_call" && chain.traces ? traceCard(chain, tx.tx_id) : null,
    tx.smart_contract
      ? card("Source", [sourceView(tx.smart_contract.source_code)], { aside: copyButton(tx.smart_contract.source_code) })
      : null,
  ];
  return content.filter((part) => part !== null);
}

/** @param {Chain} chain @param {Transaction} tx */
function outcomeFacts(chain, tx) {
  const { vm_error_at: at } = tx;
  return facts([
    ["Result", tx.tx_result ? valueView(chain, tx.tx_result) : null],
    ["Error", tx.vm_error ? h("pre", { class: "error" }, tx.vm_error) : null],
    ["Where", at ? placeView(chain, at) : null],
    ["Block", tx.block_height === undefined ? null : blockLink(tx.block_height)],
    ["Time", time(tx.block_time ?? /** @type {number} */ (tx.receipt_time))],
    ["From", principalLink(chain, tx.sender_address, { whole: true })],
    ["Nonce", count(tx.nonce)],
    ["Sponsor", tx.sponsor_address ? principalLink(chain, tx.sponsor_address, { whole: true }) : null],
    ["Fee", stx(tx.fee_rate)],
    ["Memo", tx.token_transfer ? memoView(tx.token_transfer.memo) : null],
  ]);
}

/** @param {Chain} chain @param {import("../answers.js").Place} at the place of a runtime error */
function placeView(chain, at) {
  return h(
    "span",
    {},
    h("code", {}, at.expression),
    " in ",
    at.function_name,
    " of ",
    principalLink(chain, at.contract_id),
    ", ",
    sourceLink(at.contract_id, at.line),
  );
}

/** @param {string} hex @returns {HTMLElement | null} */
function memoView(hex) {
  const bytes = Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const text = new TextDecoder().decode(bytes).replace(/\0+$/, "");
  return text === "" ? null : h("span", { class: "v-text" }, text);
}

/** @param {Chain} chain @param {Transaction} tx */
function argumentsCard(chain, tx) {
  const given = tx.contract_call?.function_args;
  if (!given || given.length === 0) return null;
  const rows = given.map((argument, index) => [
    h("strong", {}, argument.name || `#${index + 1}`),
    valueView(chain, argument),
    h("code", { class: "muted" }, argument.type),
  ]);
  return card("Arguments", [table(["Name", "Value", "Type"], rows, { empty: "" })]);
}

/** What the post-condition mode means for assets without a condition. @type {Record<string, string>} */
const MODES = {
  deny: "Nothing else may move.",
  allow: "Anything else may move, too.",
  originator: "Nothing else of the sender's may move.",
};

/** @param {Chain} chain @param {Transaction} tx */
function conditionsCard(chain, tx) {
  if (tx.tx_type === "token_transfer") return null;
  const items = tx.post_conditions.map((condition) => h("li", {}, ...conditionText(chain, condition)));
  const rest = MODES[tx.post_condition_mode] ?? "";
  const content =
    items.length > 0
      ? [h("ul", { class: "plain" }, ...items), h("p", { class: "muted" }, rest)]
      : [h("p", { class: "empty" }, rest.replace(" else", "").replace(", too", ""))];
  return card("Post-conditions", content, { aside: `${tx.post_condition_mode} mode` });
}

/** @param {Chain} chain @param {Transaction} tx @param {string} path */
async function eventsCard(chain, tx, path) {
  const { events: first = [], event_count: total = 0 } = tx;
  const show = (/** @type {Event[]} */ events) => h("ol", { class: "events" }, ...events.map((event) => eventView(chain, event)));
  const list = await growingList(async ({ items }) => {
    /** @type {Event[]} */
    const events =
      items.length === 0 ? first : (await chain.api.get(`${path}?event_offset=${items.length}&event_limit=${EVENTS_AT_ONCE}`)).events;
    const isLast = events.length === 0 || items.length + events.length >= total;
    return { items: events, next: isLast ? null : true };
  }, show);
  return card("Events", [list.node], { aside: count(total) });
}

/** @param {Chain} chain @returns {Promise<Record<Dimension, number>>} the limits of a block */
async function limitsOf({ api }) {
  const { epochs } = await api.get("/v2/pox");
  return epochs.at(-1).block_limit;
}

/** @param {Transaction} tx @param {Record<Dimension, number>} limits */
function costCard(tx, limits) {
  const rows = DIMENSIONS.map((kind) => {
    const cost = tx[`execution_cost_${kind}`] ?? 0;
    const share = cost / limits[kind];
    return [
      kind.replace("_", " "),
      count(cost),
      h("progress", { value: Math.min(1, share), max: 1, "aria-label": `${kind}, of a block` }),
      `${(100 * share).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`,
    ];
  });
  return card("Costs", [table(["Cost", "Used", "", "Of a block"], rows, { empty: "", numbers: [1, 3], compact: true })]);
}
