/** Source of a contract, with line numbers and highlighted comments, strings, numbers and definitions. */
import { h } from "./dom.js";

const TOKEN = /(;[^\n]*)|(u?"(?:\\.|[^"\\])*")|(\n)|([(){}])|([^\s(){}";]+)|([^\S\n]+)/g;

/** @param {string} source @param {number} [marked] the number of a line to mark @returns {HTMLElement} */
export function sourceView(source, marked) {
  /** @type {(Node | string)[][]} */
  const lines = [[]];
  for (const [text, comment, string, newline, bracket, word] of source.matchAll(TOKEN)) {
    const kind = comment ? "s-comment" : string ? "s-text" : word ? kindOfWord(word) : bracket ? "s-bracket" : null;
    if (newline) lines.push([]);
    else
      text.split("\n").forEach((part, index) => {
        if (index > 0) lines.push([]);
        lines[lines.length - 1].push(kind ? h("span", { class: kind }, part) : part);
      });
  }
  return h(
    "div",
    { class: "source", tabindex: 0, role: "region", "aria-label": "Source" },
    h(
      "ol",
      {},
      ...lines.map((parts, index) =>
        h(
          "li",
          { id: `line-${index + 1}`, class: index + 1 === marked ? "marked" : null, "data-target": index + 1 === marked },
          ...parts,
          parts.length === 0 ? " " : null,
        ),
      ),
    ),
  );
}

/** @param {string} word @returns {string | null} */
function kindOfWord(word) {
  if (/^define-|^(?:impl|use)-trait$/.test(word)) return "s-define";
  if (/^(?:u?-?\d+|0x[0-9a-fA-F]*)$/.test(word)) return "s-number";
  return /^'/.test(word) ? "s-principal" : null;
}
