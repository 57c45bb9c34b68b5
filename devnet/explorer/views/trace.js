/** The trace of a transaction, call by call. */
import { card, h } from "../dom.js";
import { count } from "../format.js";
import { principalLink, sourceLink } from "../links.js";

/** @typedef {import("../chain.js").Chain} Chain */

/** @param {Chain} chain @param {string} txid @returns {HTMLElement} an element that requests the trace on demand */
export function traceCard(chain, txid) {
  const place = h(
    "div",
    {},
    h(
      "p",
      { class: "muted" },
      "Each call with its location in the source, arguments, result and runtime cost. The first trace takes a moment.",
    ),
  );
  const button = h("button", { type: "button", onclick: open }, "Trace this call");
  place.append(button);

  async function open() {
    button.setAttribute("disabled", "");
    button.textContent = "Tracing …";
    try {
      const { call, truncated } = await chain.api.get(`/devnet/trace/${txid}`);
      const note = truncated ? h("p", { class: "muted" }, "The trace is too long to be shown completely.") : null;
      place.replaceChildren(h("ul", { class: "trace" }, callView(chain, call)), ...(note ? [note] : []));
    } catch (error) {
      button.removeAttribute("disabled");
      button.textContent = "Trace this call";
      place.append(h("p", { class: "error", role: "alert" }, /** @type {Error} */ (error).message));
    }
  }

  return card("Trace", [place], { id: "trace" });
}

/** How many levels of calls are open at first. */
const OPEN_DEPTH = 2;

/** @param {Chain} chain @param {import("../answers.js").TracedCall} call @param {number} [depth] @returns {HTMLElement} */
function callView(chain, call, depth = 0) {
  const head = h(
    "span",
    { class: "call" },
    h("strong", {}, call.function),
    h("span", { class: "muted" }, " of "),
    principalLink(chain, call.contract),
    call.at ? h("span", { class: "muted" }, ", called in ", sourceLink(call.at.contract, call.at.line)) : null,
    call.runtime === null ? null : h("span", { class: "runtime" }, `${count(call.runtime)} runtime`),
  );
  const detail = h(
    "div",
    { class: "call-detail" },
    call.args === null ? null : h("div", {}, h("span", { class: "muted" }, "with "), h("code", {}, call.args)),
    ...call.events.map((event) => h("div", {}, h("span", { class: "muted" }, "event "), h("code", {}, event))),
    h("div", {}, h("span", { class: "muted" }, "→ "), h("code", {}, call.result ?? "did not return")),
  );
  if (call.calls.length === 0) return h("li", {}, head, detail);
  const inner = call.calls.map((one) => callView(chain, one, depth + 1));
  return h("li", {}, h("details", { open: depth < OPEN_DEPTH }, h("summary", {}, head), detail, h("ul", {}, ...inner)));
}
