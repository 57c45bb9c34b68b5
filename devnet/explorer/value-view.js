/** Clarity values as elements: nested values are indented, and principals are links. */
import { decode, hexOf, principalText } from "./clarity.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { principalLink } from "./links.js";

/** @typedef {import("./clarity.js").Value} Value */

const MAX_ITEMS = 200;
const MAX_BUFFER_CHARACTERS = 400;

/**
 * @param {import("./chain.js").Chain} chain
 * @param {{hex: string, repr?: string}} given a value as the API returns it
 * @returns {HTMLElement}
 */
export function valueView(chain, { hex, repr }) {
  try {
    return h("div", { class: "value" }, viewOf(chain, decode(hex)));
  } catch {
    // No value on a chain looks like this; show the API's text instead.
    return h("code", { class: "value" }, repr ?? hex);
  }
}

/** @param {import("./chain.js").Chain} chain @param {Value} value @returns {HTMLElement} */
function viewOf(chain, value) {
  switch (value.kind) {
    case "int":
    case "uint":
      return h("span", { class: "v-number", title: value.kind }, value.kind === "uint" ? `u${count(value.number)}` : count(value.number));
    case "bool":
      return h("span", { class: "v-word" }, String(value.truth));
    case "none":
      return h("span", { class: "v-word" }, "none");
    case "buffer":
      return bufferView(value.bytes);
    case "ascii":
    case "utf8":
      return h("span", { class: "v-text" }, `${value.kind === "utf8" ? "u" : ""}"${value.text}"`);
    case "principal":
      return principalLink(chain, principalText(value));
    case "some":
    case "ok":
    case "err":
      return h("span", { class: "v-wrapped" }, h("span", { class: `v-word ${value.kind}` }, value.kind), " ", viewOf(chain, value.inner));
    case "list":
      return listView(chain, value.items);
    case "tuple":
      return h(
        "dl",
        { class: "v-tuple" },
        ...value.fields.flatMap(([name, field]) => [h("dt", {}, name), h("dd", {}, viewOf(chain, field))]),
      );
  }
}

/** @param {Uint8Array} bytes */
function bufferView(bytes) {
  const hex = hexOf(bytes);
  const shown = hex.length > MAX_BUFFER_CHARACTERS ? `${hex.slice(0, MAX_BUFFER_CHARACTERS)}…` : hex;
  return h("span", { class: "v-buffer", title: `${bytes.length} bytes` }, shown);
}

/** @param {import("./chain.js").Chain} chain @param {Value[]} items */
function listView(chain, items) {
  if (items.length === 0) return h("span", { class: "v-word" }, "empty list");
  const shown = items.slice(0, MAX_ITEMS).map((item) => h("li", {}, viewOf(chain, item)));
  const rest = items.length > MAX_ITEMS ? h("li", { class: "muted" }, `and ${items.length - MAX_ITEMS} more`) : null;
  const isPlain = items.every(({ kind }) => ["int", "uint", "bool", "none"].includes(kind));
  return h("ol", { class: isPlain ? "v-list plain" : "v-list", start: 0 }, ...shown, rest);
}
