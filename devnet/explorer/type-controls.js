/** Fields to enter Clarity values, by their type. */
import { bytesOf } from "./clarity.js";
import { parsePrincipal } from "./c32.js";
import { h } from "./dom.js";

/** @typedef {import("./clarity.js").Value} Value */
/** @typedef {import("./answers.js").AbiType} AbiType */
/** @typedef {{node: HTMLElement, read: () => Value}} Control read throws an InputError if the input does not fit */

/** The input does not fit the type. */
export class InputError extends Error {}

/** @param {AbiType} type a type in an interface @param {string} name the name in messages and labels @returns {Control} */
export function control(type, name) {
  if (typeof type === "string") return simpleControl(type, name);
  if ("buffer" in type) {
    const { length } = type.buffer;
    return textControl(name, "0x…", (text) => ({ kind: "buffer", bytes: withinLength(bufferOf(text, name), length, name, "bytes") }));
  }
  if ("string-ascii" in type) {
    const { length } = type["string-ascii"];
    return textControl(name, `up to ${length} characters`, (text) => {
      if (!/^[\x20-\x7e\t\n\r]*$/.test(text)) throw new InputError(`${name}: only ASCII characters fit`);
      return { kind: "ascii", text: withinLength(text, length, name, "characters") };
    });
  }
  if ("string-utf8" in type) {
    const { length } = type["string-utf8"];
    return textControl(name, `up to ${length} characters`, (text) => {
      withinLength([...text], length, name, "characters");
      return { kind: "utf8", text };
    });
  }
  if ("optional" in type) {
    return choiceControl(name, [
      { label: "none", read: () => ({ kind: "none" }) },
      { label: "some", ...wrapped("some", control(type.optional, name)) },
    ]);
  }
  if ("response" in type) {
    return choiceControl(name, [
      { label: "ok", ...wrapped("ok", control(type.response.ok, name)) },
      { label: "err", ...wrapped("err", control(type.response.error, name)) },
    ]);
  }
  if ("list" in type) return listControl(type.list, name);
  return "tuple" in type ? tupleControl(type.tuple, name) : simpleControl("unknown", name);
}

/** @param {string} type @param {string} name @returns {Control} */
function simpleControl(type, name) {
  switch (type) {
    case "uint128":
      return textControl(name, "0", (text) => ({ kind: "uint", number: integerOf(text, name, 0n, 2n ** 128n - 1n) }), "numeric");
    case "int128":
      return textControl(name, "0", (text) => ({ kind: "int", number: integerOf(text, name, -(2n ** 127n), 2n ** 127n - 1n) }));
    case "bool": {
      const node = /** @type {HTMLSelectElement} */ (
        h("select", { "aria-label": name }, h("option", {}, "true"), h("option", {}, "false"))
      );
      return { node, read: () => ({ kind: "bool", truth: node.value === "true" }) };
    }
    case "principal":
      return textControl(name, "ST… or ST….contract", (text) => principalOf(text, name));
    case "trait_reference":
      return textControl(name, "ST….contract", (text) => {
        const principal = principalOf(text, name);
        if (principal.name === null) throw new InputError(`${name}: expected a contract id, got an address`);
        return principal;
      });
    default:
      return { node: h("span", { class: "muted" }, "nothing can be entered here"), read: () => ({ kind: "none" }) };
  }
}

/** @param {string} name @param {string} hint @param {(text: string) => Value} read @param {string} [mode] @returns {Control} */
function textControl(name, hint, read, mode) {
  const node = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "text",
      "aria-label": name,
      placeholder: hint,
      inputmode: mode,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
    })
  );
  return { node, read: () => read(node.value) };
}

/** @param {"some" | "ok" | "err"} kind @param {Control} inner @returns {{node: HTMLElement, read: () => Value}} */
function wrapped(kind, inner) {
  return { node: inner.node, read: () => ({ kind, inner: inner.read() }) };
}

/** @param {string} name @param {{label: string, node?: HTMLElement, read: () => Value}[]} choices @returns {Control} */
function choiceControl(name, choices) {
  const select = /** @type {HTMLSelectElement} */ (
    h(
      "select",
      { "aria-label": `${name}: which`, onchange: choose },
      ...choices.map(({ label }, index) => h("option", { value: index }, label)),
    )
  );
  const place = h("div", { class: "inner" });
  function choose() {
    const { node } = choices[Number(select.value)];
    place.replaceChildren(...(node ? [node] : []));
  }
  choose();
  return { node: h("div", { class: "choice" }, select, place), read: () => choices[Number(select.value)].read() };
}

/** @param {{type: AbiType, length: number}} type @param {string} name @returns {Control} */
function listControl({ type, length }, name) {
  /** @type {Control[]} */
  let items = [];
  const place = h("div", { class: "items" });
  const add = h("button", { type: "button", onclick: append }, "Add an item");
  function append() {
    if (items.length >= length) return;
    const item = control(type, `${name} ${items.length + 1}`);
    items.push(item);
    const remove = h("button", { type: "button", "aria-label": "Remove", onclick: take }, "×");
    const row = h("div", { class: "item" }, item.node, remove);
    function take() {
      items = items.filter((other) => other !== item);
      row.remove();
      add.removeAttribute("disabled");
    }
    place.append(row);
    if (items.length >= length) add.setAttribute("disabled", "");
  }
  return { node: h("div", {}, place, add), read: () => ({ kind: "list", items: items.map(({ read }) => read()) }) };
}

/** @param {{name: string, type: AbiType}[]} fields @param {string} name @returns {Control} */
function tupleControl(fields, name) {
  const controls = fields.map((field) => ({ field: field.name, ...control(field.type, `${name}, ${field.name}`) }));
  const node = h(
    "div",
    { class: "tuple" },
    ...controls.map(({ field, node: inner }) => h("div", { class: "field" }, h("div", { class: "label" }, field), inner)),
  );
  return { node, read: () => ({ kind: "tuple", fields: controls.map(({ field, read }) => [field, read()]) }) };
}

/** @param {string} text @param {string} name @param {bigint} min @param {bigint} max @returns {bigint} */
function integerOf(text, name, min, max) {
  const digits = text
    .trim()
    .replace(/^u/, "")
    .replace(/[\s_\u202f]/g, "");
  if (!/^-?\d+$/.test(digits)) throw new InputError(`${name}: expected a whole number, got ${text.trim() === "" ? "nothing" : text}`);
  const number = BigInt(digits);
  if (number < min || number > max) throw new InputError(`${name}: expected a number from ${min} to ${max}`);
  return number;
}

/** @param {string} text @param {string} name */
function principalOf(text, name) {
  const parsed = parsePrincipal(text.trim().replace(/^'/, ""));
  if (!parsed) throw new InputError(`${name}: expected an address or a contract id; ${text.trim() || "nothing"} is neither, or has a typo`);
  return /** @type {const} */ ({ kind: "principal", ...parsed });
}

/** @param {string} text @param {string} name @returns {Uint8Array} */
function bufferOf(text, name) {
  try {
    return bytesOf(text.trim());
  } catch (error) {
    throw new InputError(`${name}: ${/** @type {Error} */ (error).message}`);
  }
}

/** @template {{length: number}} T @param {T} what @param {number} length @param {string} name @param {string} unit @returns {T} */
function withinLength(what, length, name, unit) {
  if (what.length > length) throw new InputError(`${name}: at most ${length} ${unit} fit, got ${what.length}`);
  return what;
}
