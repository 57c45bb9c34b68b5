// The error constants of the contracts, read from their source.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { project } from "./chain.js";

export const sourceOf = (contract) => readFileSync(join(project, "contracts", `${contract}.clar`), "utf8");

/** The codes of the contract's error constants, by name; reading an unknown name throws. */
export function errorsOf(contract) {
  const constants = [...sourceOf(contract).matchAll(/\(define-constant (ERR_\w+) \(err u(\d+)\)\)/g)];
  return new Proxy(Object.fromEntries(constants.map(([, name, code]) => [name, BigInt(code)])), {
    get(errors, name) {
      if (typeof name === "string" && name.startsWith("ERR_") && !(name in errors)) {
        throw new Error(`${contract} has no ${name}`);
      }
      return errors[name];
    },
  });
}
