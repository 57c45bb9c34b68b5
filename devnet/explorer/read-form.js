/** Forms that read from a contract: a read-only function, a variable, a constant, an entry of a map. */
import { encode, hexOf } from "./clarity.js";
import { h } from "./dom.js";
import { typeText } from "./format.js";
import { control, InputError } from "./type-controls.js";
import { valueView } from "./value-view.js";

/** @typedef {import("./chain.js").Chain} Chain */
/** @typedef {import("./answers.js").AbiType} AbiType */
/** @typedef {{name: string, type: AbiType}} Argument */
/**
 * @typedef {{kind: "function", name: string, args: Argument[], outputs: {type: AbiType}}
 *   | {kind: "map", name: string, key: AbiType, value: AbiType} | {kind: "variable" | "constant", name: string, type: AbiType}} Readable
 */

/** @param {Chain} chain @param {string} contractId @param {Readable} what @returns {HTMLElement} */
export function readForm(chain, contractId, what) {
  const fields = argumentsOf(what).map(({ name, type }) => ({ name, type, ...control(type, name) }));
  const result = h("output", { class: "result" });
  const form = h(
    "form",
    { class: "read", onsubmit: submit },
    ...fields.map(({ name, type, node }) =>
      h("div", { class: "field" }, h("div", { class: "label" }, name, " ", h("code", { class: "muted" }, typeText(type))), node),
    ),
    h(
      "div",
      { class: "run" },
      h("button", { type: "submit" }, "Read"),
      h("span", { class: "muted" }, "→ ", h("code", {}, typeText(outputOf(what)))),
    ),
    result,
  );

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    result.replaceChildren("…");
    try {
      const given = fields.map(({ read }) => hexOf(encode(read())));
      result.replaceChildren(valueView(chain, { hex: await ask(chain, contractId, what, given) }));
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      result.replaceChildren(h("span", { class: "error", role: "alert" }, message));
      if (!(error instanceof InputError)) console.info(error);
    }
  }

  return h("details", { class: "readable", "data-name": what.name }, h("summary", {}, h("strong", {}, what.name), summaryText(what)), form);
}

/** @param {Readable} what @returns {HTMLElement | null} its description before it is opened */
function summaryText(what) {
  if (what.kind !== "function" || what.args.length === 0) return null;
  return h("span", { class: "muted" }, ` ${what.args.map(({ name }) => name).join(", ")}`);
}

/** @param {Readable} what @returns {Argument[]} */
function argumentsOf(what) {
  if (what.kind === "function") return what.args;
  return what.kind === "map" ? [{ name: "key", type: what.key }] : [];
}

/** @param {Readable} what */
function outputOf(what) {
  if (what.kind === "function") return what.outputs.type;
  return what.kind === "map" ? { optional: what.value } : what.type;
}

/**
 * @param {Chain} chain
 * @param {string} contractId
 * @param {Readable} what
 * @param {string[]} given the arguments in hex
 * @returns {Promise<string>} hex
 */
async function ask({ api }, contractId, what, given) {
  const path = `${contractId.replace(".", "/")}/${encodeURIComponent(what.name)}`;
  switch (what.kind) {
    case "function": {
      const answer = await api.post(`/v2/contracts/call-read/${path}`, { sender: contractId.split(".")[0], arguments: given });
      if (!answer.okay) throw new Error(answer.cause);
      return answer.result;
    }
    case "map":
      return (await api.post(`/v2/map_entry/${path}?proof=0`, given[0])).data;
    case "variable":
      return (await api.get(`/v2/data_var/${path}?proof=0`)).data;
    case "constant":
      return (await api.get(`/v2/constant_val/${path}`)).data;
  }
}
