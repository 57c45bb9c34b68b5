/**
 * Evaluates expressions with a contract as tx-sender and contract-caller.
 *
 * The VM accepts only addresses as senders, and a contract acts as itself only in its own code, which is fixed. So this
 * publishes a contract of the same publisher, with a name of the same length, that evaluates the expression as itself,
 * and then overwrites its name in the VM's memory: it then acts as the other contract. The caller undoes this
 * afterwards.
 */
import { parsePrincipal } from "../address.js";
import { VmError } from "./vm.js";

/** @typedef {import("./vm.js").Vm} Vm */

const METHOD = "evaluate";
/** Serialized `(ok {it: …})`, up to the value. */
const WRAPPING = "0x070c00000001026974";
const CLARITY_VERSION = 6;
const STAND_IN_FRAMES = new RegExp(
  `(?<=\n)\\S*\\.(.)\\1*:${METHOD}\n_native_:special_as_contract\n_native_:special_tuple\n_native_:special_contract-call\n`,
);

/**
 * Evaluates the expression one block after the tip, since the stand-in needs a block.
 *
 * @param {Vm} vm
 * @param {string} expression
 * @param {string} sender a contract id
 * @returns {{result: string, costs: string}} hex with 0x, and JSON that includes the cost of acting as the contract
 * @throws {VmError}
 */
export function evaluateAsContract(vm, expression, sender) {
  const principal = parsePrincipal(sender);
  if (!principal?.name) throw new VmError(`${sender} is not a contract`);
  const { address, hash160, version, name } = principal;
  const standIn = standInFor(vm, address, name);
  // A tuple, since the body of as-contract? must not be a response, and any function may return one.
  const content = `(define-public (${METHOD}) (begin
    (asserts! (is-eq (as-contract? () tx-sender) (ok '${sender})) (err u0))
    (as-contract? () {it: ${expression}})))`;
  vm.mineBlock([{ deployContract: { name: standIn, content, options: { clarityVersion: CLARITY_VERSION }, sender: address } }]);
  // The VM stores a contract's context as JSON.
  const issuer = `"contract_identifier":{"issuer":[${version},[${hash160.join(",")}]],"name":"`;
  vm.overwrite(`${issuer}${standIn}"`, `${issuer}${name}"`);
  const contract = `${address}.${standIn}`;
  const result = vm.evaluate(`(contract-call? '${contract} ${METHOD})`, address);
  const [{ costs }] = vm.mineBlock([{ callPublicFn: { contract, method: METHOD, args: [], args_maps: [], sender: address } }]);
  if (!result.startsWith(WRAPPING)) throw new VmError(`this build of the VM cannot act as the contract ${sender}`);
  return { result: `0x${result.slice(WRAPPING.length)}`, costs };
}

/** @param {string} text an error's text, with a stack trace or not @returns {string} the text without the parts that belong to the stand-in */
export function withoutStandIn(text) {
  return text.replace(STAND_IN_FRAMES, "");
}

/** @param {Vm} vm @param {string} address @param {string} name @returns {string} a free name of the same length */
function standInFor(vm, address, name) {
  for (const letter of "qxzjvkwy") {
    const candidate = letter.repeat(name.length);
    if (candidate !== name && vm.contractSource(`${address}.${candidate}`) === undefined) return candidate;
  }
  throw new VmError(`there is no free name of ${name.length} letters beside ${address}.${name}`);
}
