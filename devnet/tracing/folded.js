/**
 * Where Clarinet's VM spent the cost of a call: a line for each stack of expressions, as for flame graphs, with the
 * innermost one's own cost:
 *
 *   ADDRESS.contract:function:expression:line:column;…;ADDRESS.contract:function:line:column COST
 *
 * The function is always the public one that was called, even within private functions that it calls.
 */

/**
 * @typedef {object} Frame an expression that was evaluated
 * @property {string} contract id
 * @property {number} line
 * @property {number} column
 *
 * @typedef {{frames: Frame[], cost: number}} Stack
 */

const FRAME = /^([^:]+):(?:[^:]+:){0,2}(\d+):(\d+)$/;

/** @param {string} text @returns {Generator<Stack>} the stacks, without frames outside contracts */
export function* parseFolded(text) {
  for (const line of text.split("\n")) {
    const end = line.lastIndexOf(" ");
    if (end < 0) continue;
    const frames = line.slice(0, end).split(";").flatMap(parseFrame);
    if (frames.length > 0) yield { frames, cost: Number(line.slice(end + 1)) };
  }
}

/** @param {string} text @returns {Frame[]} one frame, or none */
function parseFrame(text) {
  const match = FRAME.exec(text);
  return match ? [{ contract: match[1], line: Number(match[2]), column: Number(match[3]) }] : [];
}
