// The error codes of all five contracts. Each contract's own tests show that each of its errors can happen.
import { expect, test } from "vitest";

import { CONTRACTS } from "./chain.js";
import { errorsOf, sourceOf } from "./errors.js";

test("no two errors of the contracts have the same code", () => {
  const codes = CONTRACTS.flatMap((contract) => Object.values(errorsOf(contract)));
  expect(codes.length).toBeGreaterThan(120);
  expect(new Set(codes).size).toBe(codes.length);
});

test.each(CONTRACTS.map((contract, index) => [contract, BigInt(index + 1)]))(
  "the error codes of %s are in its own thousand",
  (contract, thousand) => {
    for (const code of Object.values(errorsOf(contract))) expect(code / 1000n).toBe(thousand);
  },
);

test.each(CONTRACTS)("every error of %s is used, and named in the comment of a function that returns it", (contract) => {
  const source = sourceOf(contract);
  for (const [name] of Object.entries(errorsOf(contract))) {
    const uses = source.split(name).length - 1;
    // Its definition, at least one use, and at least one comment above a function.
    expect(uses, `${contract} ${name}`).toBeGreaterThanOrEqual(3);
  }
});

test.each(CONTRACTS)("%s avoids unsafe parts of the language", (contract) => {
  const code = sourceOf(contract).replaceAll(/;;.*/g, "");
  for (const banned of [
    "unwrap-panic",
    "unwrap-err-panic",
    "as-contract ",
    "at-block",
    "block-height",
    "with-all-assets-unsafe",
  ]) {
    expect(code, banned).not.toContain(banned);
  }
  // No decision depends on tx-sender alone, except for the owner at deployment and where STX leave the caller.
  const uses = code.split("\n").filter((line) => line.includes("tx-sender"));
  expect(uses.length).toBeLessThanOrEqual({ "asset-verification": 2, settlement: 1 }[contract] ?? 0);
});
