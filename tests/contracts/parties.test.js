// Contracts can take every role: they administer the system, own and operate plants, relay readings, buy and settle.
import { expect, test } from "vitest";

import { CURVE, DEPLOYER, REGION, ROLE, STRANGER, hashOf, meter } from "./accounts.js";
import { DAY } from "./chain.js";
import {
  CAPACITY_W,
  NO_LIMIT,
  OFFER,
  PAYMENT,
  WHOLE_DAY,
  must,
  newMetadataHash,
  signedDay,
  startSystem,
} from "./scenario.js";
import { publicFunctions } from "./permissions.js";

const METER = meter("first", { curve: CURVE.P256 });
const contract = (name) => `${DEPLOYER}.${name}`;
const PARTIES = ["cooperative", "heir", "agent", "crowd", "office", "control-room", "foundation"];
const [COOPERATIVE, HEIR, AGENT, CROWD, OFFICE, CONTROL_ROOM, FOUNDATION] = PARTIES.map(contract);
const TOKEN = contract("usdcx");

// Returns the actions in order; a day alone advances the clock. The ids of assets, offers and payments depend on it.
function storyFrom(today) {
  const [first, second, third, fourth] = [today, today + 1n, today + 2n, today + 3n];
  const [plant, given, unfit, keyed, other] = [1, 2, 3, 4, 5];
  const register = (device) => [1, CAPACITY_W, "9q8yy", REGION, newMetadataHash(), 900, device];
  const NAMES = ["kind", "capacity-w", "location", "region", "metadata-hash", "slot-seconds", "device-key"];
  const plantItem = () => Object.fromEntries(register(null).map((value, index) => [NAMES[index], value]));
  const offerOf = (day, taker, { expiresAt = day * DAY, token = null } = {}) => [
    ...[plant, day, 100_000, 100_000, 1_000, expiresAt, taker, token],
  ];
  const item = (day, mask, wh) => ({ "asset-id": plant, day, mask, wh });
  const feedItem = (day, wh) => ({ "asset-id": plant, day, "exported-wh": wh, "imported-wh": 0 });
  const signedItem = (slot) => {
    const [asset, day, start, whs, signature] = signedDay(METER, { asset: keyed, day: second, start: slot, whs: [7] });
    return { "asset-id": asset, day, start, whs, signature };
  };
  const leaf = { ...item(first, 2n ** 95n, 1_000), "whs-hash": hashOf("readings") };
  const taken = (id, wh) => ({ "offer-id": id, wh, "min-wh": wh });
  return [
    [FOUNDATION, "asset-verification.accept-owner"],
    ...Object.values(ROLE).map((role) => [
      FOUNDATION,
      "asset-verification.set-role",
      ...[role, role === ROLE.GRID_OPERATOR ? CONTROL_ROOM : OFFICE, role === ROLE.GRID_OPERATOR ? REGION : "", true],
    ]),
    [FOUNDATION, "asset-verification.propose-owner", HEIR],
    [FOUNDATION, "settlement.set-fee-bps", 50],
    [FOUNDATION, "settlement.set-token", TOKEN, true],
    [OFFICE, "asset-verification.set-paused", true],
    [OFFICE, "asset-verification.set-paused", false],
    ...[null, null, null, METER.claimBy(COOPERATIVE)].map((claim) => [
      COOPERATIVE,
      "asset-verification.register-asset",
      ...register(claim),
    ]),
    [COOPERATIVE, "asset-verification.register-assets", [plantItem()]],
    ...[plant, given].map((asset) => [OFFICE, "asset-verification.verify-asset", asset, CAPACITY_W, null]),
    [OFFICE, "asset-verification.verify-assets", [{ "asset-id": other, "capacity-w": CAPACITY_W, "device-key": null }]],
    [OFFICE, "asset-verification.reject-asset", unfit, "x"],
    [OFFICE, "asset-verification.verify-asset", keyed, CAPACITY_W, METER.deviceKey],
    [OFFICE, "asset-verification.suspend-asset", plant, "x"],
    [OFFICE, "asset-verification.reinstate-asset", plant],
    [COOPERATIVE, "asset-verification.request-change", plant, 1, null],
    [OFFICE, "asset-verification.refuse-change", plant, "x"],
    [COOPERATIVE, "asset-verification.request-change", plant, 2 * CAPACITY_W, null],
    [OFFICE, "asset-verification.approve-change", plant, 2 * CAPACITY_W, null],
    [COOPERATIVE, "asset-verification.propose-transfer", given, HEIR],
    [COOPERATIVE, "asset-verification.cancel-transfer", given],
    [COOPERATIVE, "asset-verification.propose-transfer", given, HEIR],
    [HEIR, "asset-verification.accept-transfer", given, 2],
    [HEIR, "asset-verification.retire-asset", given],
    [COOPERATIVE, "grid-integration.request-connection", plant, CAPACITY_W],
    [CONTROL_ROOM, "grid-integration.reject-connection", plant, "x"],
    [COOPERATIVE, "grid-integration.request-connection", plant, CAPACITY_W],
    [COOPERATIVE, "grid-integration.withdraw-request", plant],
    [COOPERATIVE, "grid-integration.request-connection", plant, CAPACITY_W],
    [CONTROL_ROOM, "grid-integration.approve-connection", plant, CAPACITY_W, true],
    [CONTROL_ROOM, "grid-integration.set-status", plant, 4],
    [CONTROL_ROOM, "grid-integration.set-export-limit", plant, 2 * CAPACITY_W],
    [CONTROL_ROOM, "grid-integration.set-region-alert", REGION, 1, third * DAY],
    [COOPERATIVE, "asset-verification.set-operator", plant, AGENT, 100_000],
    [AGENT, "market-participation.create-offer", ...offerOf(second, null)],
    [AGENT, "market-participation.cancel-offer", 1],
    [AGENT, "market-participation.create-offer", ...offerOf(second, CROWD)],
    [CROWD, "market-participation.reject-offer", 2],
    [AGENT, "market-participation.create-offer", ...offerOf(second, CROWD)],
    [COOPERATIVE, "market-participation.create-offer", ...offerOf(third, null)],
    [COOPERATIVE, "market-participation.create-offer", ...offerOf(second, null, { token: TOKEN })],
    [
      COOPERATIVE,
      "market-participation.create-offers",
      ...[plant, 100_000, 1_000, null, null, [{ day: fourth, wh: 10_000, "expires-at": fourth * DAY }]],
    ],
    [AGENT, "market-participation.cancel-offers", [6]],
    [CROWD, "settlement.accept-and-fund", 3, 60_000, 60_000, NO_LIMIT, NO_LIMIT],
    [CROWD, "settlement.accept-offers", [taken(3, 40_000), taken(4, 10_000), taken(4, 1_000)], NO_LIMIT, NO_LIMIT],
    [CROWD, "settlement.accept-and-fund-with", TOKEN, 5, 20_000, 20_000, NO_LIMIT, NO_LIMIT],
    [CROWD, "settlement.assign-payment", 5, HEIR],
    [COOPERATIVE, "settlement.release", 4],
    third,
    [CROWD, "market-participation.expire-offer", 4],
    [CROWD, "production-tracking.record-day", ...signedDay(METER, { asset: keyed, day: second, whs: [7] })],
    [CROWD, "production-tracking.record-days", [signedItem(1)]],
    [OFFICE, "production-tracking.record-batch", [item(first, WHOLE_DAY - 2n ** 95n, 4_000)]],
    [OFFICE, "production-tracking.anchor-root", "root of the leaf", 1, 1_000, first, first],
    [OFFICE, "production-tracking.claim-leaf", 1, leaf, []],
    [OFFICE, "production-tracking.verify-days", [item(first, WHOLE_DAY, 5_000)]],
    [CONTROL_ROOM, "grid-integration.record-feed", plant, first, 5_000, 0],
    [OFFICE, "grid-integration.verify-feed", plant, first, 5_000, 0],
    [COOPERATIVE, "market-participation.retire-energy", plant, first, 1_000, CROWD, "own use"],
    [OFFICE, "production-tracking.record-production", plant, second, WHOLE_DAY, 120_000],
    [OFFICE, "production-tracking.dispute-day", plant, second, "x"],
    [OFFICE, "production-tracking.adjust-day", plant, second, 120_000, 110_000],
    [OFFICE, "production-tracking.verify-day", plant, second, WHOLE_DAY, 110_000],
    [CONTROL_ROOM, "grid-integration.record-feeds", [feedItem(second, 110_000)]],
    [OFFICE, "grid-integration.verify-feeds", [feedItem(second, 110_000)]],
    [HEIR, "settlement.settle", 1],
    [HEIR, "settlement.settle-batch", [2, 5]],
    [CROWD, "settlement.claim", 1, 60_000, HEIR, "Scope 2"],
    [COOPERATIVE, "settlement.withdraw", TOKEN],
    [HEIR, "settlement.withdraw", TOKEN],
    fourth,
    [OFFICE, "production-tracking.record-production", plant, third, 1, 1],
    [OFFICE, "production-tracking.reject-day", plant, third, 1, 1, "x"],
    [HEIR, "settlement.refund", 3],
    [COOPERATIVE, "market-participation.create-offer", ...offerOf(fourth + 2n, null)],
    [CROWD, "settlement.accept-offers", [taken(7, 1_000)], NO_LIMIT, NO_LIMIT],
    [COOPERATIVE, "asset-verification.retire-asset", plant],
    [HEIR, "settlement.refund-batch", [6]],
    [FOUNDATION, "settlement.withdraw-fees", 50_000, FOUNDATION],
    [FOUNDATION, "settlement.withdraw-fees-with", TOKEN, 5_000, FOUNDATION],
    [FOUNDATION, "settlement.withdraw-surplus", 3, FOUNDATION],
  ];
}

const stepSource = (index, allowed, call) =>
  `(define-public (step-${index}) (as-contract? (${allowed}) (unwrap! ${call} (err u0))))`;

// Requires a call to succeed and, if it returns a list, each item of it.
const mustAll = (answer) => [must(answer)].flat().forEach((item) => item?.err && must(item));

test("contracts act in every role, with every public function, and each is paid the right amount", async () => {
  const chain = await startSystem();
  chain.deployStandIn("usdcx");
  const story = storyFrom(chain.today);
  const calls = story.filter((step) => Array.isArray(step));
  const claim = calls.find(([, functionId]) => functionId === "production-tracking.claim-leaf");
  calls.find(([, functionId]) => functionId === "production-tracking.anchor-root")[2] = chain.read(
    "production-tracking.get-leaf-hash",
    claim[3],
  );
  for (const name of PARTIES) {
    const party = contract(name);
    const allowed = party === CROWD ? '(with-stx u11000000) (with-ft .usdcx "usdcx-token" u2000000)' : "";
    const functions = calls
      .map(([by, ...call], index) => by === party && stepSource(index, allowed, chain.source(...call)))
      .filter(Boolean);
    chain.deploy(name, functions.join("\n"));
  }
  must(chain.call(DEPLOYER, "asset-verification.propose-owner", FOUNDATION));
  chain.transfer(STRANGER, CROWD, 12_000_000n);
  chain.transfer(STRANGER, contract("settlement"), 3n);
  must(chain.call(DEPLOYER, "usdcx.protocol-mint", 2_000_000, CROWD));

  for (const step of story) {
    if (!Array.isArray(step)) chain.advanceToDay(step);
    else mustAll(chain.call(STRANGER, `${step[0].split(".")[1]}.step-${calls.indexOf(step)}`));
  }

  const called = new Set(calls.map(([, functionId]) => functionId));
  const missing = publicFunctions(chain).filter((functionId) => !called.has(functionId));
  expect(missing).toEqual(
    ["mark-accepted", "mark-completed", "mark-token"].map((name) => `market-participation.${name}`),
  );
  // Of the first 100,000 Wh, sold for 10 STX, all were delivered; of the next 20,000 Wh, half. 10,000 Wh were on a
  // rejected day, 1,000 Wh were released and 1,000 Wh refunded.
  const holders = [COOPERATIVE, CROWD, HEIR, FOUNDATION, contract("settlement")];
  const held = (token) => Object.fromEntries(holders.map((who) => [who, token(who)]));
  expect(held((who) => chain.balance(who))).toEqual({
    [COOPERATIVE]: 9_950_000n,
    [CROWD]: 2_000_000n,
    [HEIR]: 0n,
    [FOUNDATION]: 50_003n,
    [contract("settlement")]: 0n,
  });
  expect(held((who) => chain.read("usdcx.get-balance", who).ok)).toEqual({
    [COOPERATIVE]: 995_000n,
    [CROWD]: 0n,
    [HEIR]: 1_000_000n,
    [FOUNDATION]: 5_000n,
    [contract("settlement")]: 0n,
  });
  const payments = chain.read("settlement.get-payments", [1, 2, 3, 4, 5, 6]);
  const { SETTLED, REFUNDED } = PAYMENT;
  expect(payments.map(({ state }) => state)).toEqual([SETTLED, SETTLED, REFUNDED, REFUNDED, SETTLED, REFUNDED]);
  const offers = chain.read("market-participation.get-offers", [1, 2, 3, 4, 5, 6]);
  expect(offers.map(({ state }) => state)).toEqual([
    OFFER.CANCELLED,
    OFFER.REJECTED,
    OFFER.COMPLETED,
    OFFER.COMPLETED,
    OFFER.ACCEPTED,
    OFFER.CANCELLED,
  ]);
});
