/** Blocks: the list of them, and one with its transactions. */
import { card, facts, h, table } from "../dom.js";
import { count, stxInColumn, time } from "../format.js";
import { actionOf, blockTable, offsetList } from "../lists.js";
import { badge, identifier, link, principalLink, transactionLink } from "../links.js";
import { summaryOf } from "./transactions.js";

/** @typedef {import("../chain.js").Chain} Chain */

/** @param {Chain} chain @returns {Promise<import("../main.js").View>} */
export async function blocksView(chain) {
  const list = await offsetList(chain, "/extended/v2/blocks", blockTable);
  return {
    title: "Blocks",
    refresh: list.refresh,
    content: [h("h1", {}, "Blocks"), card("Newest first", [list.node])],
  };
}

/** @param {Chain} chain @param {string} reference a height or a hash @returns {Promise<import("../main.js").View>} */
export async function blockView(chain, reference) {
  const { api } = chain;
  const [block, latest] = await Promise.all([
    api.get(`/extended/v2/blocks/${encodeURIComponent(reference)}`),
    api.get("/extended/v2/blocks?limit=1"),
  ]);
  const list = await offsetList(chain, `/extended/v2/blocks/${block.height}/transactions`, (items) => blockTransactions(chain, items));
  return {
    title: `Block ${block.height}`,
    content: [
      h(
        "div",
        { class: "heading" },
        h("h1", {}, `Block ${count(block.height)}`),
        h(
          "span",
          { class: "steps" },
          block.parent_block_hash.match(/^0x0+$/) ? null : link(["block", String(block.height - 1)], "← Previous"),
          block.height < latest.results[0].height ? link(["block", String(block.height + 1)], "Next →") : null,
        ),
      ),
      card("Block", [
        facts([
          ["Time", time(block.block_time)],
          ["Transactions", count(block.tx_count)],
          ["Bitcoin block", count(block.burn_block_height)],
          ["Hash", identifier(block.hash)],
          ["Index hash", identifier(block.index_block_hash)],
          ["Parent", identifier(block.parent_block_hash)],
          ["As stored by nodes", savedAs(chain, block)],
        ]),
      ]),
      card("Transactions", [list.node], { aside: String(block.tx_count) }),
    ],
  };
}

/**
 * @param {Chain} chain
 * @param {import("../answers.js").Block} block one of version 2 of the API
 * @returns {HTMLElement} a link to save its bytes, which prove its contents
 */
function savedAs({ api }, block) {
  const href = `${api.url}/v3/blocks/${block.index_block_hash.slice(2)}`;
  return h("a", { href, download: `${block.height}.block` }, "Save the block");
}

/** @param {Chain} chain @param {import("../answers.js").ListedTransaction[]} transactions those of version 2 of the API */
function blockTransactions(chain, transactions) {
  const rows = transactions.map((tx) => [
    h("span", { class: "action" }, ...actionOf(chain, summaryOf(tx), { linked: true })),
    principalLink(chain, tx.sender_address),
    badge(tx.tx_status),
    stxInColumn(tx.fee_rate),
    transactionLink(tx.tx_id),
  ]);
  return table(["What", "From", "Result", "Fee", "Transaction"], rows, { empty: "An empty block.", numbers: [3], compact: true });
}
