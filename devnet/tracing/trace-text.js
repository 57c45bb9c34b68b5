/**
 * Parses the tree that Clarinet's VM prints for a call:
 *
 *   ├── ( contract-call? ST….d h n )  c:6:18
 *   │   │ ↳ args: u9
 *   │   ├── ( half n )  d:3:38
 *   │   │   │ ↳ args: u9
 *   │   │   └── u4
 *   │   │ ✸ print event: u4
 *   │   └── (ok u4)
 *   └── (ok u4)
 */

/**
 * @typedef {object} Call
 * @property {string} contract id of the contract that is called
 * @property {string} function
 * @property {string} expression the call in the source; empty for the outermost
 * @property {{contract: string, line: number, column: number} | null} at its location; null for the outermost
 * @property {string | null} args the arguments' values as text; null if there are none or they are unknown
 * @property {string | null} result as text; null if it did not return
 * @property {string[]} events that it caused itself, as text
 * @property {number | null} runtime cost including its callees; null if unknown, and always null here
 * @property {Call[]} calls that it made
 */

const LINE =
  /^((?:│ {3})*)(?:├── \( (?<call>.*) \) {2}[^\s:]+:(?<line>\d+):(?<column>\d+)|│ ↳ (?<what>args|callee): (?<value>.*)|│ ✸ (?<event>.*)|└── (?<result>.*))$/s;
const CONTRACT_CALL = /^contract-call\? (\S+) (\S+)/;
const CALLEE = /^\(?(\S+\.[^\s>]+) as </;

/**
 * @param {string} text
 * @param {{contract: string, function: string, args: string | null}} outermost
 * @returns {Call}
 */
export function parseTrace(text, outermost) {
  /** @type {Call} */
  const root = { ...outermost, expression: "", at: null, result: null, events: [], runtime: 0, calls: [] };
  const open = [root];
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    const depth = (match?.[1].length ?? 0) / 4;
    const groups = match?.groups;
    const current = open[depth];
    if (!groups || !current) continue;
    open.length = depth + 1;
    if (groups.call !== undefined) {
      const call = startCall(groups.call, current.contract, Number(groups.line), Number(groups.column));
      current.calls.push(call);
      open.push(call);
    } else if (groups.what === "args") current.args = groups.value;
    else if (groups.what === "callee") current.contract = CALLEE.exec(groups.value)?.[1] ?? current.contract;
    else if (groups.event !== undefined) current.events.push(groups.event);
    else current.result = groups.result;
  }
  return root;
}

/** @param {string} expression @param {string} caller contract id @param {number} line @param {number} column @returns {Call} */
function startCall(expression, caller, line, column) {
  const other = CONTRACT_CALL.exec(expression);
  return {
    contract: other && other[1].includes(".") ? other[1] : caller,
    function: other ? other[2] : expression.split(" ")[0],
    expression: `(${expression})`,
    at: { contract: caller, line, column },
    args: null,
    result: null,
    events: [],
    runtime: 0,
    calls: [],
  };
}
