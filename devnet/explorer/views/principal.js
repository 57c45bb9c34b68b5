/** An account or a contract: its balances, tokens and transactions. */
import { card, facts, h, table } from "../dom.js";
import { count, stx, stxInColumn, time } from "../format.js";
import { actionOf, cursorList } from "../lists.js";
import { badge, blockLink, identifier, principalLink, transactionLink } from "../links.js";
import { valueView } from "../value-view.js";

/** @typedef {import("../chain.js").Chain} Chain */
/** @typedef {import("../answers.js").FungibleBalance} FungibleBalance */
/** @typedef {import("../answers.js").OwnedToken} OwnedToken */
/** @typedef {import("../answers.js").StxBalance} StxBalance */
/** @template T @typedef {import("../answers.js").Page<T>} Page */

/** @param {Chain} chain @param {string} address @returns {Promise<import("../main.js").View>} */
export async function principalView(chain, address) {
  const name = chain.nameOf(address);
  const holdings = await holdingsOf(chain, address);
  return {
    title: name ?? address,
    refresh: holdings.refresh,
    content: [h("div", { class: "heading" }, h("h1", {}, name ?? "Account"), identifier(address)), ...holdings.content],
  };
}

/** @param {Chain} chain @param {string} principal an address or a contract id */
export async function holdingsOf(chain, principal) {
  const { api } = chain;
  const base = `/extended/v3/principals/${principal}`;
  const balance = h("div", {});
  const tokens = h("div", {});
  const list = await cursorList(chain, `${base}/transactions`, (items) => changesTable(chain, items));

  async function refreshBalances() {
    /** @type {[StxBalance, {nonce: number}, Page<FungibleBalance>, Page<OwnedToken>]} */
    const [held, account, fungible, unique] = await Promise.all([
      api.get(`${base}/balances/stx`),
      api.get(`/v2/accounts/${principal}?proof=0`),
      api.get(`${base}/balances/ft`),
      api.get(`${base}/balances/nft`),
    ]);
    balance.replaceChildren(
      facts([
        ["Balance", h("strong", { class: "amount" }, stx(held.balance))],
        ["Locked", held.locked ? stx(typeof held.locked === "string" ? held.locked : held.locked.amount) : null],
        ["Pending", held.mempool ? onItsWay(held.mempool) : null],
        ["Next nonce", principal.includes(".") ? null : count(account.nonce)],
      ]),
    );
    const rows = [
      ...fungible.results.map((one) => [
        assetName(chain, one.asset_identifier),
        h("span", { class: "amount" }, `${count(one.balance)} units`),
      ]),
      ...unique.results.map((one) => [assetName(chain, one.asset_identifier), valueView(chain, one.value)]),
    ];
    tokens.replaceChildren(
      ...(rows.length > 0 ? [card("Tokens", [table(["Token", "Held"], rows, { empty: "" })], { aside: String(rows.length) })] : []),
    );
  }

  await refreshBalances();
  return {
    refresh: () => Promise.all([refreshBalances(), list.refresh()]),
    content: [card("Balance", [balance]), tokens, card("Transactions", [list.node], { aside: String(list.total() ?? "") })],
  };
}

/** @param {{inbound: string, outbound: string}} mempool */
function onItsWay({ inbound, outbound }) {
  return `${stx(inbound)} in, ${stx(outbound)} out`;
}

/** @param {Chain} chain @param {string} asset `ADDRESS.contract::name` */
function assetName(chain, asset) {
  const [contract, name] = asset.split("::");
  return h("span", {}, h("strong", {}, name), h("span", { class: "muted" }, " of "), principalLink(chain, contract));
}

/** @param {Chain} chain @param {import("../answers.js").Change[]} items the items of a principal's list */
function changesTable(chain, items) {
  const rows = items.map(({ transaction: tx, balance_changes }) => {
    const net = BigInt(balance_changes.stx.net);
    return [
      h("span", { class: "action" }, ...actionOf(chain, tx, { linked: true })),
      principalLink(chain, tx.sender.address),
      badge(tx.status),
      h("span", { class: `amount ${net > 0n ? "plus" : ""}` }, net === 0n ? "–" : `${net > 0n ? "+" : ""}${stxInColumn(net)}`),
      h("span", { "data-before": "block" }, blockLink(tx.block.height)),
      h("span", { class: "time" }, time(tx.block.time)),
      transactionLink(tx.tx_id),
    ];
  });
  const heads = ["What", "From", "Result", "Change", "Block", "Time", "Transaction"];
  return table(heads, rows, { empty: "No transactions yet.", numbers: [3, 4], compact: true });
}
