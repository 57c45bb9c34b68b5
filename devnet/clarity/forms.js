/** The outermost forms of a Clarity source, without its comments. */

const TOKEN = /;[^\n]*|"(?:\\.|[^"\\])*"|[()]/gs;

/** @param {string} source @returns {string[]} those that are lists, in order; of a source that is not balanced, some */
export function topLevelForms(source) {
  const forms = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (token === "(" && depth++ === 0) start = index;
    else if (token === ")" && --depth === 0) forms.push(source.slice(start, index + 1));
  }
  return forms;
}
