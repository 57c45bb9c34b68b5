/** The accounts of a devnet, with their balances. */
import { card, h, table } from "../dom.js";
import { count, stxInColumn } from "../format.js";
import { identifier, principalLink } from "../links.js";

/** @param {import("../chain.js").Chain} chain @returns {Promise<import("../main.js").View>} */
export async function accountsView(chain) {
  const accounts = Object.values(chain.about?.accounts ?? {});
  const place = h("div", { class: "list" });

  async function refresh() {
    const held = await Promise.all(accounts.map((address) => chain.api.get(`/v2/accounts/${address}?proof=0`)));
    const rows = accounts.map((address, index) => [
      principalLink(chain, address),
      h("span", { class: "amount" }, stxInColumn(BigInt(held[index].balance))),
      count(held[index].nonce),
      identifier(address),
    ]);
    place.replaceChildren(table(["Account", "Balance", "Nonce", "Address"], rows, { empty: "", numbers: [1, 2] }));
  }

  if (accounts.length === 0) {
    const text = "Only a devnet lists its accounts. Search for an address to see its balances.";
    return { title: "Accounts", content: [h("h1", {}, "Accounts"), h("section", { class: "card notice" }, h("p", {}, text))] };
  }
  await refresh();
  return {
    title: "Accounts",
    refresh,
    content: [h("h1", {}, "Accounts"), card("Test accounts", [place], { aside: "public keys, test money only" })],
  };
}
