// Every public function that asks who calls, by who may call it, in a situation in which the call works.
import {
  ARBITER,
  BUYER,
  BUYER_2,
  DEPLOYER,
  GRID_OPERATOR,
  OPERATOR,
  ORACLE,
  OWNER,
  PAUSER,
  REGION,
  REGISTRAR,
  STRANGER,
  VERIFIER,
} from "./accounts.js";
import { CONTRACTS } from "./chain.js";
import {
  CAPACITY_W,
  addPlant,
  fund,
  must,
  offer,
  offerOf,
  produce,
  record,
  register,
  registerVerified,
} from "./scenario.js";

const ANY = 10n ** 9n;

/** [function, caller, its arguments in the situation of `setTheStage`, error of anybody else]. */
export const CALLS = [
  ["asset-verification.set-role", DEPLOYER, () => [1, STRANGER, "", true], "ERR_NOT_CONTRACT_OWNER"],
  ["asset-verification.propose-owner", DEPLOYER, () => [STRANGER], "ERR_NOT_CONTRACT_OWNER"],
  ["asset-verification.accept-owner", OPERATOR, () => [], "ERR_NOT_PROPOSED_CONTRACT_OWNER"],
  ["asset-verification.set-paused", PAUSER, () => [true], "ERR_NOT_PAUSER"],
  ["asset-verification.verify-asset", REGISTRAR, ({ pending }) => [pending, CAPACITY_W, null], "ERR_NOT_REGISTRAR"],
  ["asset-verification.reject-asset", REGISTRAR, ({ pending }) => [pending, "x"], "ERR_NOT_REGISTRAR"],
  ["asset-verification.suspend-asset", REGISTRAR, ({ plant }) => [plant, "x"], "ERR_NOT_REGISTRAR"],
  ["asset-verification.reinstate-asset", REGISTRAR, ({ suspended }) => [suspended], "ERR_NOT_REGISTRAR"],
  ["asset-verification.approve-change", REGISTRAR, ({ plant }) => [plant, 5, null], "ERR_NOT_REGISTRAR"],
  ["asset-verification.refuse-change", REGISTRAR, ({ plant }) => [plant, "x"], "ERR_NOT_REGISTRAR"],
  ["asset-verification.retire-asset", OWNER, ({ plant }) => [plant], "ERR_NOT_OWNER_OR_REGISTRAR"],
  ["asset-verification.request-change", OWNER, ({ plant }) => [plant, 6, null], "ERR_NOT_ASSET_OWNER"],
  ["asset-verification.propose-transfer", OWNER, ({ plant }) => [plant, STRANGER], "ERR_NOT_ASSET_OWNER"],
  ["asset-verification.accept-transfer", BUYER_2, ({ proposed }) => [proposed, 1], "ERR_NOT_PROPOSED_OWNER"],
  ["asset-verification.cancel-transfer", OWNER, ({ proposed }) => [proposed], "ERR_NOT_ASSET_OWNER"],
  ["asset-verification.set-operator", OWNER, ({ plant }) => [plant, STRANGER, 0], "ERR_NOT_ASSET_OWNER"],
  ["production-tracking.record-production", ORACLE, ({ plant, day }) => [plant, day, 4, 1], "ERR_NOT_ORACLE"],
  [
    "production-tracking.record-batch",
    ORACLE,
    ({ plant, day }) => [[{ "asset-id": plant, day, mask: 4, wh: 1 }]],
    "ERR_NOT_ORACLE",
  ],
  ["production-tracking.verify-day", VERIFIER, ({ plant, day }) => [plant, day, 5], "ERR_NOT_VERIFIER"],
  [
    "production-tracking.verify-days",
    VERIFIER,
    ({ plant, day }) => [[{ "asset-id": plant, day, wh: 5 }]],
    "ERR_NOT_VERIFIER",
  ],
  ["production-tracking.reject-day", VERIFIER, ({ plant, day }) => [plant, day, "x"], "ERR_NOT_VERIFIER"],
  ["production-tracking.adjust-day", VERIFIER, ({ plant, day }) => [plant, day, 1], "ERR_NOT_VERIFIER"],
  ["production-tracking.dispute-day", ARBITER, ({ plant, day }) => [plant, day, "x"], "ERR_NOT_VERIFIER_OR_ARBITER"],
  ["grid-integration.request-connection", OWNER, ({ proposed }) => [proposed, 5], "ERR_NOT_ASSET_OWNER"],
  [
    "grid-integration.approve-connection",
    GRID_OPERATOR,
    ({ requested }) => [requested, 5, false],
    "ERR_NOT_GRID_OPERATOR",
  ],
  ["grid-integration.reject-connection", GRID_OPERATOR, ({ requested }) => [requested, "x"], "ERR_NOT_GRID_OPERATOR"],
  ["grid-integration.set-status", GRID_OPERATOR, ({ plant }) => [plant, 6], "ERR_NOT_GRID_OPERATOR"],
  ["grid-integration.set-export-limit", GRID_OPERATOR, ({ plant }) => [plant, 1], "ERR_NOT_GRID_OPERATOR"],
  ["grid-integration.record-feed", GRID_OPERATOR, ({ plant, day }) => [plant, day, 1, 1], "ERR_NOT_GRID_OPERATOR"],
  ["grid-integration.set-region-alert", GRID_OPERATOR, () => [REGION, 1, 1], "ERR_NOT_GRID_OPERATOR"],
  ["market-participation.create-offer", OWNER, ({ plant }, chain) => offerOf(chain, plant), "ERR_NOT_SELLER"],
  ["market-participation.cancel-offer", OWNER, ({ toBuyer }) => [toBuyer], "ERR_NOT_SELLER"],
  ["market-participation.reject-offer", BUYER, ({ toBuyer }) => [toBuyer], "ERR_NOT_TAKER"],
  [
    "market-participation.retire-energy",
    OWNER,
    ({ plant, sold }) => [plant, sold, 1, STRANGER],
    "ERR_NOT_ASSET_OWNER",
  ],
  ["settlement.accept-and-fund", BUYER, ({ toAll }) => [toAll, 1_000, ANY, ANY], "ERR_NOT_DIRECT_CALLER"],
  ["settlement.set-fee-bps", DEPLOYER, () => [500], "ERR_NOT_CONTRACT_OWNER"],
  ["settlement.withdraw-fees", DEPLOYER, () => [1, STRANGER], "ERR_NOT_CONTRACT_OWNER"],
];

/** Brings about a situation in which each of the calls works; answers its assets, days and offers. */
export function setTheStage(chain) {
  const plant = addPlant(chain);
  const pending = register(chain);
  const [proposed, suspended, requested] = [1, 2, 3].map(() => registerVerified(chain));
  must(chain.call(OWNER, "asset-verification.request-change", plant, 5, null));
  must(chain.call(OWNER, "asset-verification.propose-transfer", proposed, BUYER_2));
  must(chain.call(REGISTRAR, "asset-verification.suspend-asset", suspended, "x"));
  must(chain.call(OWNER, "grid-integration.request-connection", requested, 5));
  must(chain.call(DEPLOYER, "asset-verification.propose-owner", OPERATOR));
  const sold = chain.today;
  chain.advanceToDay(sold + 1n);
  produce(chain, plant, sold, 500_000);
  fund(chain, offer(chain, plant, { day: sold, wh: 100_000 }), 100_000);
  chain.advanceToDay(sold + 2n);
  record(chain, plant, sold + 1n, 5, 0b11);
  const toBuyer = offer(chain, plant, { taker: BUYER });
  const toAll = offer(chain, plant);
  return { plant, pending, proposed, suspended, requested, sold, day: sold + 1n, toBuyer, toAll };
}

/** All public functions of the five contracts, as "contract.name". */
export function publicFunctions(chain) {
  return CONTRACTS.flatMap((contract) => chain.functionsOf(contract, "public").map((name) => `${contract}.${name}`));
}
