/** One event of a transaction. */
import { decode } from "../clarity.js";
import { h } from "../dom.js";
import { count, stx } from "../format.js";
import { principalLink } from "../links.js";
import { valueView } from "../value-view.js";

/** @typedef {import("../chain.js").Chain} Chain */
/** @typedef {import("../answers.js").Asset} Asset */

/** @param {Chain} chain @param {import("../answers.js").Event} event one as version 1 of the API returns it @returns {HTMLElement} */
export function eventView(chain, event) {
  const { contract_log: log, asset } = event;
  if (log) {
    return h(
      "li",
      { class: "event" },
      h("div", { class: "event-head" }, h("strong", {}, "Print"), " ", ...topicOf(log.value), principalLink(chain, log.contract_id)),
      valueView(chain, log.value),
    );
  }
  if (!asset) return h("li", { class: "event" }, event.event_type.replaceAll("_", " "));
  return h("li", { class: "event" }, h("div", { class: "event-head" }, ...assetText(chain, event.event_type, asset)));
}

/** @param {{hex: string}} value the printed value @returns {(Node | string)[]} the event's name in it, if there is one */
function topicOf({ hex }) {
  const topic = fieldOf(hex, "topic") ?? fieldOf(hex, "event");
  return topic ? [h("span", { class: "token" }, topic), h("span", { class: "muted" }, " of ")] : [];
}

/** @param {string} hex a value @param {string} name @returns {string | undefined} the text in this field of a tuple */
function fieldOf(hex, name) {
  try {
    const value = decode(hex);
    const field = value.kind === "tuple" ? value.fields.find(([own]) => own === name)?.[1] : undefined;
    return field?.kind === "ascii" || field?.kind === "utf8" ? field.text : undefined;
  } catch {
    return undefined;
  }
}

/** @param {Chain} chain @param {string} type @param {Asset} asset */
function assetText(chain, type, asset) {
  const { sender, recipient } = asset;
  const verb = /** @type {Record<string, string>} */ ({ transfer: "Transfer", mint: "Mint", burn: "Burn", lock: "Lock" });
  return [
    h("strong", {}, verb[asset.asset_event_type] ?? asset.asset_event_type),
    " ",
    ...whatOf(chain, type, /** @type {Required<Asset>} */ (asset)),
    ...(sender ? [h("span", { class: "muted" }, " from "), principalLink(chain, sender)] : []),
    ...(recipient ? [h("span", { class: "muted" }, " to "), principalLink(chain, recipient)] : []),
  ];
}

/** @param {Chain} chain @param {string} type @param {Required<Asset>} asset one with the fields of its type */
function whatOf(chain, type, asset) {
  if (type.startsWith("stx")) return [h("span", { class: "amount" }, stx(asset.amount))];
  const [contract, name] = asset.asset_id.split("::");
  const token = [h("span", { class: "token" }, name), h("span", { class: "muted" }, " of "), principalLink(chain, contract)];
  if (type === "non_fungible_token_asset") return [...token, " ", valueView(chain, asset.value)];
  return [h("span", { class: "amount" }, count(asset.amount)), " ", ...token];
}
