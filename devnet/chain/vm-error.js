/** The VM's errors in a node's form: Clarinet adds its own text around the error, and writes the error in full. */

const ERROR = /Runtime error while interpreting [^:]*: (.*)$/s;
const DEPLOYMENT = /^Contract deployment runtime error: \S+ -> (?:Runtime Error: )?(.*)$/s;
const RUNTIME = /^Runtime\((.*), (?:None|Some\(\[(.*)\]\))\)$/s;
const FRAME = /FunctionIdentifier \{ identifier: "([^"]*)" \}/g;

/**
 * @param {string} message
 * @returns {string} the error as a node shows it (`cause` of call-read, `vm_error` of a transaction): for a runtime error,
 *   its name and a line for each function that it went through (stacks-core, clarity-types/src/errors)
 */
export function errorText(message) {
  const error = ERROR.exec(message)?.[1] ?? DEPLOYMENT.exec(message)?.[1] ?? message;
  const runtime = RUNTIME.exec(error);
  if (!runtime) return error;
  const [, name, frames] = runtime;
  if (frames === undefined) return name;
  return `${name}\n Stack Trace: \n${[...frames.matchAll(FRAME)].map(([, identifier]) => `${identifier}\n`).join("")}`;
}

/** The texts of a node's cost tracker when a transaction exceeds a block's limits. */
const TOO_MUCH =
  /^(?:RuntimeCheck\((?:CostBalanceExceeded|CostOverflow|MemoryBalanceExceeded|ExecutionTimeExpired)\b|contract execution cost exceeded budget)/;

/** @param {string} text a text that `errorText` returned @returns {boolean} whether a node would never mine the transaction */
export function isTooMuch(text) {
  return TOO_MUCH.test(text);
}

/**
 * @param {string} message a message of the VM
 * @returns {boolean} whether the contract's source was the reason that it could not be published
 */
export function isAnalysisFinding(message) {
  return /^Contract deployment runtime error: \S+ -> (?!Runtime Error: )/.test(message);
}
