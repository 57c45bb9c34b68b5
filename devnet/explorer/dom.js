/** Elements of the page. Text is always inserted as text: nothing from the chain is interpreted as HTML. */

/** @typedef {Node | string | number | null | undefined | false} Child missing children are left out */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] functions listen to events (`onclick`); `true` is an attribute without a value
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
export function nodes(children) {
  return children.flat().flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [child instanceof Node ? child : String(child)];
  });
}

/** @param {string} title @param {Child[]} content @param {{aside?: Child, id?: string}} [options] @returns {HTMLElement} */
export function card(title, content, { aside, id } = {}) {
  return h("section", { class: "card", id }, h("header", {}, h("h2", {}, title), aside), ...content);
}

/** @param {[string, Child | Child[]][]} rows rows without a value are left out @returns {HTMLElement} */
export function facts(rows) {
  const present = rows.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return h("dl", { class: "facts" }, ...present.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/**
 * @param {string[]} heads
 * @param {Child[][]} rows
 * @param {{empty: string, numbers?: number[], compact?: boolean}} options numbers: the columns that are aligned to the right;
 *   compact: on a narrow screen a row is a few lines, without the columns' names
 * @returns {HTMLElement}
 */
export function table(heads, rows, { empty, numbers = [], compact = false }) {
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  const kind = (/** @type {number} */ column) => (numbers.includes(column) ? "number" : undefined);
  // On a narrow screen, each cell shows its column's name.
  const cell = (/** @type {Child} */ child, /** @type {number} */ column) =>
    h("td", { class: kind(column), "data-head": heads[column] || undefined }, child);
  return h(
    "table",
    { class: compact ? "compact" : null },
    h("thead", {}, h("tr", {}, ...heads.map((head, column) => h("th", { class: kind(column), scope: "col" }, head)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
}

/** @param {string} text the text that the button copies @returns {HTMLElement | null} null if the page may not copy */
export function copyButton(text) {
  const { clipboard } = navigator;
  if (!clipboard) return null;
  const button = h("button", { type: "button", class: "copy", title: "Copy", "aria-label": `Copy ${text}`, onclick: copy }, "Copy");
  async function copy() {
    await clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  }
  return button;
}
