/** The position of a contract's functions in its source, and the lines with expressions that are evaluated. */

/**
 * @typedef {{line: number, end: number, text: string, items: Item[] | null}} Item a list (its text is empty) or an atom
 * @typedef {{name: string, line: number, end: number, lines: number[]}} SourceFunction end: its last line
 */

const DEFINITIONS = ["define-public", "define-private", "define-read-only"];
/** For other definitions, which part after the keyword is evaluated. @type {Record<string, number>} */
const VALUE_AT = { "define-constant": 1, "define-data-var": 2, "define-fungible-token": 1 };
const TRAITS = ["impl-trait", "use-trait"];
const TOKEN = /;[^\n]*|u?"(?:\\.|[^"\\])*"|[(){}]|[^\s(){};"]+|\n/gs;

/** @param {string} source @returns {SourceFunction[]} */
export function functionsOf(source) {
  return parse(source).flatMap(({ items, end }) => {
    if (!items || items.length < 3 || !DEFINITIONS.includes(items[0].text)) return [];
    const [, head, ...body] = items;
    const name = head.items?.[0];
    if (!name) return [];
    /** @type {Set<number>} */
    const lines = new Set();
    for (const expression of body) collect(expression, lines);
    return [{ name: name.text, line: name.line, end, lines: [...lines] }];
  });
}

/** @param {string} source @returns {number[]} the lines outside of functions with expressions that are evaluated as it is published */
export function topLevelLines(source) {
  /** @type {Set<number>} */
  const lines = new Set();
  for (const form of parse(source)) {
    const [head, ...rest] = form.items ?? [];
    if (head?.text.startsWith("define-")) {
      const valueAt = VALUE_AT[head.text];
      if (valueAt !== undefined && rest[valueAt]) collect(rest[valueAt], lines);
    } else if (head && !TRAITS.includes(head.text)) collect(form, lines);
  }
  return [...lines];
}

/**
 * @param {SourceFunction[]} functions
 * @param {number} line
 * @returns {string | undefined} the name of the function that contains the line
 */
export function functionAt(functions, line) {
  return functions.find((one) => one.line <= line && line <= one.end)?.name;
}

/** @param {Item} item an evaluated item @param {Set<number>} lines a set to which the lines of evaluated lists in it are added */
function collect({ items, line }, lines) {
  if (!items || items.length === 0) return;
  const [head, ...rest] = items;
  // In a tuple in braces, the values after the names are evaluated.
  if (head.text !== "{") lines.add(line);
  if (head.text === "let") {
    for (const binding of rest[0]?.items ?? []) for (const value of binding.items?.slice(1) ?? []) collect(value, lines);
    for (const expression of rest.slice(1)) collect(expression, lines);
  } else if (head.text === "tuple") {
    for (const field of rest) for (const value of field.items?.slice(1) ?? []) collect(value, lines);
  } else if (head.text === "from-consensus-buff?") {
    for (const expression of rest.slice(1)) collect(expression, lines);
  } else {
    for (const expression of rest) collect(expression, lines);
  }
}

/** @param {string} source @returns {Item[]} its top-level items */
function parse(source) {
  /** @type {Item[]} */
  const top = [];
  /** @type {Item[]} */
  const lists = [];
  const open = [top];
  let line = 1;
  for (const [token] of source.matchAll(TOKEN)) {
    const items = open[open.length - 1];
    if (token === "(" || token === "{") {
      /** @type {Item[]} */
      const inside = token === "{" ? [{ line, end: line, text: "{", items: null }] : [];
      const list = { line, end: line, text: "", items: inside };
      items.push(list);
      lists.push(list);
      open.push(inside);
    } else if (token === ")" || token === "}") {
      const list = lists.pop();
      if (list) list.end = line;
      if (open.length > 1) open.pop();
    } else if (token !== "\n" && !token.startsWith(";")) {
      items.push({ line, end: line, text: token, items: null });
    }
    line += token.split("\n").length - 1;
  }
  return top;
}
