/** What the VM says went wrong, in a node's words: Clarinet puts its own around the error, and writes it out in full. */

const ERROR = /Runtime error while interpreting [^:]*: (.*)$/s;
const DEPLOYMENT = /^Contract deployment runtime error: \S+ -> (?:Runtime Error: )?(.*)$/s;
const RUNTIME = /^Runtime\((.*), (?:None|Some\(\[(.*)\]\))\)$/s;
const FRAME = /FunctionIdentifier \{ identifier: "([^"]*)" \}/g;

/**
 * @param {string} message
 * @returns {string} as a node shows it (`cause` of call-read, `vm_error` of a transaction): a runtime error is its name
 *   and a line for each function it went through (stacks-core, clarity-types/src/errors)
 */
export function errorText(message) {
  const error = ERROR.exec(message)?.[1] ?? DEPLOYMENT.exec(message)?.[1] ?? message;
  const runtime = RUNTIME.exec(error);
  if (!runtime) return error;
  const [, name, frames] = runtime;
  if (frames === undefined) return name;
  return `${name}\n Stack Trace: \n${[...frames.matchAll(FRAME)].map(([, identifier]) => `${identifier}\n`).join("")}`;
}

/** What a node's cost tracker says when a transaction is more than a block may hold. */
const TOO_MUCH =
  /^(?:RuntimeCheck\((?:CostBalanceExceeded|CostOverflow|MemoryBalanceExceeded|ExecutionTimeExpired)\b|contract execution cost exceeded budget)/;

/** @param {string} text as `errorText` gives it @returns {boolean} whether a node would never mine the transaction */
export function isTooMuch(text) {
  return TOO_MUCH.test(text);
}
