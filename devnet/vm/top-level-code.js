/**
 * Contracts whose code only runs once, when they are published, and defines neither a function nor a trait.
 *
 * The VM treats such a source like console input: it runs it as another sender, and does not keep it. With a function
 * added at its end, it is an ordinary contract.
 */
import { topLevelForms } from "../clarity/forms.js";

const NAME = "kept-by-the-devnet";
const KEEPS = /^\(\s*define-(?:public|private|read-only|trait)\s/;

/** @param {string} code @returns {string} source that the VM treats as a contract */
export function asContract(code) {
  if (topLevelForms(code).some((form) => KEEPS.test(form))) return code;
  return `${code}\n(define-private (${NAME}) true)`;
}

/**
 * @param {import("../clarity/abi.js").Abi} abi an interface that the VM returned
 * @returns {import("../clarity/abi.js").Abi} the interface without the added function
 */
export function withoutAddition(abi) {
  return abi && { ...abi, functions: abi.functions.filter(({ name }) => name !== NAME) };
}
