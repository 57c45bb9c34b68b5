/** Post-conditions in words. */
import { h } from "../dom.js";
import { count, stx } from "../format.js";
import { principalLink } from "../links.js";
import { valueView } from "../value-view.js";

/** @typedef {import("../chain.js").Chain} Chain */
/** @typedef {import("../answers.js").PostCondition} PostCondition */

/** @type {Record<string, string>} */
const WORDS = {
  sent_equal_to: "sends exactly",
  sent_greater_than: "sends more than",
  sent_greater_than_or_equal_to: "sends at least",
  sent_less_than: "sends less than",
  sent_less_than_or_equal_to: "sends at most",
  sent: "sends",
  not_sent: "does not send",
  maybe_sent: "may send",
};

/** @param {Chain} chain @param {PostCondition} condition one as the API returns it @returns {(Node | string)[]} a sentence */
export function conditionText(chain, condition) {
  const verb = WORDS[condition.condition_code] ?? condition.condition_code.replaceAll("_", " ");
  return [whoOf(chain, condition.principal), ` ${verb} `, ...whatOf(chain, condition)];
}

/** @param {Chain} chain @param {PostCondition["principal"]} principal */
function whoOf(chain, principal) {
  if (principal.type_id === "principal_origin") return "The sender";
  return principalLink(chain, [principal.address, principal.contract_name].filter(Boolean).join("."));
}

/** @param {Chain} chain @param {PostCondition} condition @returns {(Node | string)[]} */
function whatOf(chain, { type, amount, asset, asset_value }) {
  if (type === "stx" && amount) return [h("span", { class: "amount" }, stx(amount))];
  if (!asset) return [amount === undefined ? type : `${type} ${stx(amount)}`];
  const contract = principalLink(chain, `${asset.contract_address}.${asset.contract_name}`);
  const token = [h("span", { class: "token" }, asset.asset_name), h("span", { class: "muted" }, " of "), contract];
  if (amount) return [h("span", { class: "amount" }, count(amount)), " ", ...token];
  return asset_value ? [...token, " ", valueView(chain, asset_value)] : token;
}
