/**
 * Contracts of code that runs once, when they are published, and defines neither a function nor a trait.
 *
 * The VM takes such a source for a line of its console: it runs it as another sender, and keeps nothing. With a function
 * at its end it is a contract like any other.
 */
import { topLevelForms } from "../clarity/forms.js";

const NAME = "kept-by-the-devnet";
const KEEPS = /^\(\s*define-(?:public|private|read-only|trait)\s/;

/** @param {string} code @returns {string} what the VM takes for a contract */
export function asContract(code) {
  if (topLevelForms(code).some((form) => KEEPS.test(form))) return code;
  return `${code}\n(define-private (${NAME}) true)`;
}

/** @param {import("../clarity/abi.js").Abi} abi of a contract, as the VM tells it @returns {import("../clarity/abi.js").Abi} without what was added */
export function withoutAddition(abi) {
  return abi && { ...abi, functions: abi.functions.filter(({ name }) => name !== NAME) };
}
