/** The outermost forms of a Clarity source, without its comments. */

const TOKEN = /;[^\n]*|"(?:\\.|[^"\\])*"|[()]/gs;

/** @param {string} source @returns {string[]} the forms that are lists, in order; only some of them if the source is not balanced */
export function topLevelForms(source) {
  const forms = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (token === "(" && depth++ === 0) start = index;
    else if (token === ")" && --depth === 0) forms.push(source.slice(start, index + 1));
  }
  return forms;
}
