// Misuse of every public function: through an intermediate contract, repeated, with extreme and with random arguments.
import { beforeEach, describe, expect, test } from "vitest";

import { ARBITER, BUYER, DEPLOYER, ORACLE, OWNER, REGISTRAR, STRANGER, VERIFIER, meter } from "./accounts.js";
import { CONTRACTS, breathe } from "./chain.js";
import { errorsOf } from "./errors.js";
import { addPlant, fund, must, offer, record, registerVerified, startSystem } from "./scenario.js";
import { CALLS, publicFunctions, prepareCalls } from "./permissions.js";

const SETTLEMENT = `${DEPLOYER}.settlement`;
const METER = meter("first");

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const ownCodes = new Set(CONTRACTS.flatMap((contract) => Object.values(errorsOf(contract))));

const EDGES = {
  uint128: { zero: 0n, most: 2n ** 128n - 1n },
  int128: { zero: 0n, least: -(2n ** 127n), most: 2n ** 127n - 1n },
};

// Calls that can be repeated: those that set a value at any time, and those that use up only a part.
const REPEATABLE = [
  "asset-verification.set-role",
  "asset-verification.propose-owner",
  "asset-verification.set-paused",
  "asset-verification.request-change",
  "asset-verification.set-operator",
  "production-tracking.anchor-root",
  "grid-integration.request-connection",
  "grid-integration.set-export-limit",
  "grid-integration.record-feed",
  "grid-integration.record-feeds",
  "grid-integration.set-region-alert",
  "market-participation.create-offer",
  "market-participation.create-offers",
  "market-participation.retire-energy",
  "settlement.accept-and-fund",
  "settlement.accept-and-fund-with",
  "settlement.accept-offers",
  "settlement.claim",
  "settlement.set-token",
  "settlement.set-fee-bps",
  "settlement.withdraw-fees",
  "settlement.withdraw-fees-with",
  "settlement.withdraw-surplus",
];

/** Returns the error of a call, or of the first item of a batch that failed. */
const errorOf = ({ ok, err }) =>
  err ?? (Array.isArray(ok) ? ok.find((answer) => answer.err !== undefined)?.err : undefined);

// A contract that is called by a user acts as itself, never as the user who signed.
describe("phishing through an intermediate contract fails", () => {
  test.each(CALLS)("%s, and a second direct call", (functionId, victim, valuesIn, error) => {
    const values = valuesIn(prepareCalls(chain), chain);
    chain.deploy("phisher", `(define-public (trick) ${chain.source(functionId, ...values)})`);
    expect(errorOf(chain.call(victim, "phisher.trick"))).toBe(errorsOf(functionId.split(".")[0])[error]);
    expect(errorOf(chain.call(victim, functionId, ...values))).toBeUndefined();
    expect(errorOf(chain.call(victim, functionId, ...values)) === undefined).toBe(REPEATABLE.includes(functionId));
  });

  test("every public function that checks its caller is covered", () => {
    const free = [
      "asset-verification.register-asset", // a contract that calls it becomes the owner itself
      "asset-verification.register-assets",
      "production-tracking.record-day",
      "production-tracking.record-days",
      "market-participation.expire-offer",
      "market-participation.mark-accepted",
      "market-participation.mark-completed",
      "market-participation.mark-token",
      "settlement.settle",
      "settlement.settle-batch",
      "settlement.refund",
      "settlement.refund-batch",
    ];
    const tried = CALLS.map(([functionId]) => functionId);
    expect([...tried, ...free].sort()).toEqual(publicFunctions(chain).sort());
  });
});

describe("extreme numbers in calls by allowed callers", () => {
  // The test replaces each number of a valid call, one at a time. Only these replacements are accepted.
  const TAKEN = [
    "asset-verification.set-operator min-price zero",
    "production-tracking.record-production wh zero",
    "production-tracking.anchor-root total-wh zero",
    "production-tracking.anchor-root from-day zero",
    "production-tracking.anchor-root to-day most",
    "production-tracking.adjust-day wh-after zero",
    "grid-integration.record-feed exported-wh zero",
    "grid-integration.record-feed imported-wh zero",
    "grid-integration.verify-feed imported-wh zero",
    "grid-integration.set-region-alert level zero",
    "grid-integration.set-region-alert until zero",
    "grid-integration.set-region-alert until most",
    ...["accept-and-fund", "accept-and-fund-with"].flatMap((name) =>
      ["wh most", "min-wh zero", "max-price most", "max-before zero", "max-before most"].map(
        (edge) => `settlement.${name} ${edge}`,
      ),
    ),
    "settlement.accept-offers max-price most",
    "settlement.accept-offers max-before zero",
    "settlement.accept-offers max-before most",
    "settlement.set-fee-bps bps zero",
  ];

  test("extreme numbers are accepted or rejected with an error code of the contracts", async () => {
    let prepared = prepareCalls(chain);
    const taken = [];
    for (const [functionId, caller, valuesIn] of CALLS) {
      for (const [index, { name, type }] of chain.argumentsOf(functionId).entries()) {
        for (const [which, edge] of Object.entries(EDGES[type] ?? {})) {
          const err = errorOf(chain.call(caller, functionId, ...valuesIn(prepared, chain).with(index, edge)));
          if (err !== undefined) expect(ownCodes).toContain(err);
          else {
            taken.push(`${functionId} ${name} ${which}`);
            chain = await startSystem();
            prepared = prepareCalls(chain);
          }
        }
      }
    }
    expect(taken).toEqual(TAKEN);
  });
});

describe("calls that the VM would abort without an error code", () => {
  test("a list longer than its limit does not reach the contract", () => {
    const asset = registerVerified(chain);
    const item = { "asset-id": asset, day: chain.today, mask: 1, wh: 1 };
    expect(() => chain.call(ORACLE, "production-tracking.record-batch", Array(201).fill(item))).toThrow();
    expect(() => chain.call(STRANGER, "settlement.settle-batch", Array(26).fill(1))).toThrow();
  });

  // Overflow, underflow and division by zero abort a call without an error code: no argument may cause them.
  test("no argument makes a public function abort", async () => {
    chain.deployStandIn("usdcx");
    const asset = addPlant(chain, { metered: true });
    const keyed = registerVerified(chain, { device: METER });
    must(chain.call(OWNER, "asset-verification.request-change", asset, 5, null));
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 5, 1);
    const open = offer(chain, asset, { day: day + 3n, taker: BUYER });
    fund(chain, open, 1_000);
    const uints = [0n, 1n, asset, keyed, 96n, 128n, day, day + 1n, chain.now, 10n ** 15n, 2n ** 127n, 2n ** 128n - 1n];
    const ints = [0n, 1n, -1n, 10n ** 15n, -(10n ** 15n), 2n ** 127n - 1n, -(2n ** 127n)];
    let seed = 7;
    const random = (below) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const pick = (list) => list[random(list.length)];
    const accounts = [DEPLOYER, OWNER, BUYER, REGISTRAR, VERIFIER, ARBITER, ORACLE, STRANGER];
    const valueOf = (type) => {
      if (type === "uint128") return pick(uints);
      if (type === "int128") return pick(ints);
      if (type === "bool") return pick([true, false]);
      if (type === "trait_reference") return `${DEPLOYER}.usdcx`;
      if (type === "principal") return pick([...accounts, SETTLEMENT]);
      if (type.optional !== undefined) return pick([null, valueOf(type.optional)]);
      if (type["string-ascii"]) return pick(["", "CA-N"]);
      if (type.buffer)
        return pick(["", "00".repeat(type.buffer.length), METER.deviceKey.key.slice(0, 2 * type.buffer.length)]);
      if (type.list) return Array.from({ length: random(4) }, () => valueOf(type.list.type));
      return Object.fromEntries(type.tuple.map((field) => [field.name, valueOf(field.type)]));
    };
    for (const functionId of publicFunctions(chain)) {
      await breathe();
      for (let round = 0; round < 60; round += 1) {
        const values = chain.argumentsOf(functionId).map(({ type }) => valueOf(type));
        const { err } = chain.call(pick(accounts), functionId, ...values);
        // The VM's own error codes are not returned, either.
        if (err !== undefined) expect(ownCodes).toContain(err);
      }
    }
    expect(chain.read("settlement.is-solvent")).toBe(true);
  });

  test("no argument makes a read-only function abort", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    offer(chain, asset, { day });
    const most = 2n ** 128n - 1n;
    for (const value of [0n, 1n, asset, day, most]) {
      for (const other of [0n, 1n, day, most]) {
        for (const functionId of [
          "production-tracking.get-day",
          "grid-integration.get-feed",
          "grid-integration.get-deliverable",
          "grid-integration.get-delivery",
          "grid-integration.is-undeliverable",
          "grid-integration.get-cap-on",
          "asset-verification.get-recording-right",
          "asset-verification.is-day-lost",
          "market-participation.get-day-book",
          "market-participation.get-available",
          "market-participation.quote",
        ]) {
          chain.read(functionId, value, other);
        }
        chain.read("production-tracking.is-slot-recorded", value, other, value);
      }
      chain.read("settlement.preview-settlement", value);
      chain.read("grid-integration.get-export-cap", value);
      chain.read("grid-integration.get-market-terms", value);
    }
  });
});
