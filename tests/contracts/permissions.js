// Lists every public function that checks its caller, with an allowed caller and arguments for which the call works.
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
  hashOf,
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
const TOKEN = `${DEPLOYER}.usdcx`;
const leafOf = (asset, day) => ({ "asset-id": asset, day, mask: 4, wh: 1, "whs-hash": hashOf("leaf") });

/** [function, allowed caller, its arguments after `prepareCalls`, error for any other caller]. */
export const CALLS = [
  ["asset-verification.set-role", DEPLOYER, () => [1, STRANGER, "", true], "ERR_NOT_CONTRACT_OWNER"],
  ["asset-verification.propose-owner", DEPLOYER, () => [STRANGER], "ERR_NOT_CONTRACT_OWNER"],
  ["asset-verification.accept-owner", OPERATOR, () => [], "ERR_NOT_PROPOSED_CONTRACT_OWNER"],
  ["asset-verification.set-paused", PAUSER, () => [true], "ERR_NOT_PAUSER"],
  ["asset-verification.verify-asset", REGISTRAR, ({ pending }) => [pending, CAPACITY_W, null], "ERR_NOT_REGISTRAR"],
  [
    "asset-verification.verify-assets",
    REGISTRAR,
    ({ pending }) => [[{ "asset-id": pending, "capacity-w": CAPACITY_W, "device-key": null }]],
    "ERR_NOT_REGISTRAR",
  ],
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
  ["production-tracking.anchor-root", ORACLE, ({ day }) => [hashOf("root"), 1, 1, day, day], "ERR_NOT_ORACLE"],
  [
    "production-tracking.claim-leaf",
    ORACLE,
    ({ plant, day, root }) => [root, leafOf(plant, day), []],
    "ERR_NOT_ORACLE",
  ],
  ["production-tracking.verify-day", VERIFIER, ({ plant, day }) => [plant, day, 3, 5], "ERR_NOT_VERIFIER_OR_ARBITER"],
  [
    "production-tracking.verify-days",
    VERIFIER,
    ({ plant, day }) => [[{ "asset-id": plant, day, mask: 3, wh: 5 }]],
    "ERR_NOT_VERIFIER_OR_ARBITER",
  ],
  [
    "production-tracking.reject-day",
    VERIFIER,
    ({ plant, day }) => [plant, day, 3, 5, "x"],
    "ERR_NOT_VERIFIER_OR_ARBITER",
  ],
  ["production-tracking.adjust-day", VERIFIER, ({ plant, day }) => [plant, day, 5, 6], "ERR_NOT_VERIFIER_OR_ARBITER"],
  ["production-tracking.dispute-day", ARBITER, ({ plant, day }) => [plant, day, "x"], "ERR_NOT_VERIFIER_OR_ARBITER"],
  ["grid-integration.request-connection", OWNER, ({ unconnected }) => [unconnected, 5], "ERR_NOT_ASSET_OWNER"],
  ["grid-integration.withdraw-request", OWNER, ({ requested }) => [requested], "ERR_NOT_ASSET_OWNER"],
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
  [
    "grid-integration.record-feeds",
    GRID_OPERATOR,
    ({ plant, day }) => [[{ "asset-id": plant, day, "exported-wh": 1, "imported-wh": 1 }]],
    "ERR_NOT_GRID_OPERATOR",
  ],
  ["grid-integration.verify-feed", VERIFIER, ({ plant, sold }) => [plant, sold, 7, 0], "ERR_NOT_VERIFIER"],
  [
    "grid-integration.verify-feeds",
    VERIFIER,
    ({ plant, sold }) => [[{ "asset-id": plant, day: sold, "exported-wh": 7, "imported-wh": 0 }]],
    "ERR_NOT_VERIFIER",
  ],
  ["grid-integration.set-region-alert", GRID_OPERATOR, () => [REGION, 1, 1], "ERR_NOT_GRID_OPERATOR"],
  ["market-participation.create-offer", OWNER, ({ plant }, chain) => offerOf(chain, plant), "ERR_NOT_SELLER"],
  [
    "market-participation.create-offers",
    OWNER,
    ({ plant }, chain) => {
      const [asset, day, wh, price, minFill, expiresAt, taker, token] = offerOf(chain, plant);
      return [asset, price, minFill, taker, token, [{ day, wh, "expires-at": expiresAt }]];
    },
    "ERR_NOT_SELLER",
  ],
  ["market-participation.cancel-offers", OWNER, ({ toBuyer }) => [[toBuyer]], "ERR_NOT_SELLER"],
  ["market-participation.cancel-offer", OWNER, ({ toBuyer }) => [toBuyer], "ERR_NOT_SELLER"],
  ["market-participation.reject-offer", BUYER, ({ toBuyer }) => [toBuyer], "ERR_NOT_TAKER"],
  [
    "market-participation.retire-energy",
    OWNER,
    ({ plant, sold }) => [plant, sold, 1, STRANGER, "own use"],
    "ERR_NOT_ASSET_OWNER",
  ],
  ["settlement.accept-and-fund", BUYER, ({ toAll }) => [toAll, 1_000, 1_000, ANY, ANY], "ERR_NOT_DIRECT_CALLER"],
  [
    "settlement.accept-and-fund-with",
    BUYER,
    ({ inToken }) => [TOKEN, inToken, 1_000, 1_000, ANY, ANY],
    "ERR_NOT_DIRECT_CALLER",
  ],
  [
    "settlement.accept-offers",
    BUYER,
    ({ toAll }) => [[{ "offer-id": toAll, wh: 1_000, "min-wh": 1_000 }], ANY, ANY],
    "ERR_NOT_DIRECT_CALLER",
  ],
  ["settlement.release", OWNER, ({ locked }) => [locked], "ERR_NOT_PAYEE"],
  ["settlement.claim", BUYER, ({ settled }) => [settled, 1, STRANGER, "x"], "ERR_NOT_BUYER"],
  ["settlement.assign-payment", BUYER, ({ settled }) => [settled, STRANGER], "ERR_NOT_BUYER"],
  ["settlement.withdraw", OWNER, () => [TOKEN], "ERR_NO_CREDIT"],
  ["settlement.set-token", DEPLOYER, () => [STRANGER, true], "ERR_NOT_CONTRACT_OWNER"],
  ["settlement.set-fee-bps", DEPLOYER, () => [500], "ERR_NOT_CONTRACT_OWNER"],
  ["settlement.withdraw-fees", DEPLOYER, () => [1, STRANGER], "ERR_NOT_CONTRACT_OWNER"],
  ["settlement.withdraw-fees-with", DEPLOYER, () => [TOKEN, 1, STRANGER], "ERR_NOT_CONTRACT_OWNER"],
  ["settlement.withdraw-surplus", DEPLOYER, () => [1, STRANGER], "ERR_NOT_CONTRACT_OWNER"],
];

/** Prepares a chain on which each of the calls works; returns its assets, days, offers and payments. */
export function prepareCalls(chain) {
  chain.deployStandIn("usdcx");
  must(chain.call(DEPLOYER, "settlement.set-token", TOKEN, true));
  must(chain.call(DEPLOYER, "usdcx.protocol-mint", ANY, BUYER));
  chain.transfer(STRANGER, `${DEPLOYER}.settlement`, 10n);
  const plant = addPlant(chain);
  const pending = register(chain);
  const [proposed, suspended, requested, unconnected] = [1, 2, 3, 4].map(() => registerVerified(chain));
  must(chain.call(OWNER, "asset-verification.request-change", plant, 5, null));
  must(chain.call(OWNER, "asset-verification.propose-transfer", proposed, BUYER_2));
  must(chain.call(REGISTRAR, "asset-verification.suspend-asset", suspended, "x"));
  must(chain.call(OWNER, "grid-integration.request-connection", requested, 5));
  must(chain.call(DEPLOYER, "asset-verification.propose-owner", OPERATOR));
  const sold = chain.today;
  const locked = fund(chain, offer(chain, plant, { day: sold + 9n }), 1_000);
  chain.advanceToDay(sold + 1n);
  produce(chain, plant, sold, 500_000);
  must(chain.call(GRID_OPERATOR, "grid-integration.record-feed", plant, sold, 7, 0));
  const settled = fund(chain, offer(chain, plant, { day: sold, wh: 100_000 }), 100_000);
  chain.advanceToDay(sold + 2n);
  const day = sold + 1n;
  record(chain, plant, day, 5, 0b11);
  const root = must(chain.call(ORACLE, "production-tracking.anchor-root", leafRoot(chain, plant, day), 1, 1, day, day));
  const toBuyer = offer(chain, plant, { taker: BUYER });
  const toAll = offer(chain, plant);
  const inToken = offer(chain, plant, { day: sold, wh: 50_000, token: TOKEN });
  must(chain.call(BUYER, "settlement.accept-and-fund-with", TOKEN, inToken, 5_000, 5_000, ANY, ANY));
  return {
    ...{ plant, pending, proposed, suspended, requested, unconnected, sold, day, root },
    ...{ toBuyer, toAll, inToken, locked, settled },
  };
}

// The root of a tree with one leaf is the leaf's hash.
const leafRoot = (chain, asset, day) => chain.read("production-tracking.get-leaf-hash", leafOf(asset, day));

/** Returns all public functions of the five contracts, as "contract.name". */
export function publicFunctions(chain) {
  return CONTRACTS.flatMap((contract) => chain.functionsOf(contract, "public").map((name) => `${contract}.${name}`));
}
