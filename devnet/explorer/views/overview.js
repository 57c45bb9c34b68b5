/** The first page: the state of the chain, and the latest events. */
import { card, h } from "../dom.js";
import { count, time } from "../format.js";
import { blockTable, transactionTable } from "../lists.js";
import { link } from "../links.js";

const LATEST = 10;

/** @param {import("../chain.js").Chain} chain @returns {Promise<import("../main.js").View>} */
export async function overviewView(chain) {
  const { api, about } = chain;
  const tiles = h("div", { class: "tiles" });
  const pending = h("div", {});
  const transactions = h("div", { class: "list" });
  const blocks = h("div", { class: "list" });

  async function refresh() {
    const [latestBlocks, latest, waiting] = await Promise.all([
      api.get(`/extended/v2/blocks?limit=${LATEST}`),
      api.get(`/extended/v3/transactions?limit=${LATEST}`),
      api.get(`/extended/v3/mempool/transactions?limit=${LATEST}`),
    ]);
    const [tip] = latestBlocks.results;
    tiles.replaceChildren(
      tile("Latest block", count(tip.height), `Bitcoin block ${count(tip.burn_block_height)}`),
      tile("Chain time", time(tip.block_time).slice(11), time(tip.block_time).slice(0, 10)),
      tile("Transactions", count(latest.total), "mined so far"),
      tile("Mempool", count(waiting.total), waiting.total === 1 ? "transaction waits" : "transactions wait"),
    );
    pending.replaceChildren(
      ...(waiting.total > 0 ? [card("Waiting", [transactionTable(chain, waiting.results)], { aside: String(waiting.total) })] : []),
    );
    transactions.replaceChildren(transactionTable(chain, latest.results, { brief: true }));
    blocks.replaceChildren(blockTable(latestBlocks.results, { brief: true }));
  }

  await refresh();
  const title = about ? `Devnet, epoch ${about.epoch}` : new URL(api.url).host;
  return {
    title: "Overview",
    refresh,
    content: [
      h("h1", {}, title),
      tiles,
      pending,
      h(
        "div",
        { class: "columns" },
        card("Latest transactions", [transactions], { aside: link(["txs"], "All") }),
        card("Latest blocks", [blocks], { aside: link(["blocks"], "All") }),
      ),
    ],
  };
}

/** @param {string} name @param {string} value @param {string} note */
function tile(name, value, note) {
  return h("div", { class: "tile" }, h("span", { class: "name" }, name), h("strong", {}, value), h("span", { class: "muted" }, note));
}
