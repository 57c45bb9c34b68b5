// Contracts in every part: they run the system, own, operate, relay, buy and settle, as people do.
import { expect, test } from "vitest";

import { DEPLOYER, REGION, ROLE, STRANGER, meter } from "./accounts.js";
import { DAY } from "./chain.js";
import {
  CAPACITY_W,
  METADATA_HASH,
  NO_LIMIT,
  OFFER,
  PAYMENT,
  WHOLE_DAY,
  must,
  signedDay,
  startSystem,
} from "./scenario.js";
import { publicFunctions } from "./stage.js";

const METER = meter("first");
const contract = (name) => `${DEPLOYER}.${name}`;
const [COOPERATIVE, HEIR, AGENT, CROWD, OFFICE, FOUNDATION] = [
  "cooperative",
  "heir",
  "agent",
  "crowd",
  "office",
  "foundation",
].map(contract);

// What each does, in this order; a number alone is the day that begins. The ids of assets, offers and payments follow.
function storyFrom(today) {
  const [first, second, third] = [today, today + 1n, today + 2n];
  const [plant, given, unfit, keyed] = [1, 2, 3, 4];
  const register = (deviceKey) => [1, CAPACITY_W, "9q8yy", REGION, METADATA_HASH, 900, deviceKey];
  const offerOf = (day, taker, expiresAt = day * DAY) => [plant, day, 100_000, 100_000, 1_000, expiresAt, taker];
  const item = (day, mask, wh) => ({ "asset-id": plant, day, mask, wh });
  return [
    [FOUNDATION, "asset-verification.accept-owner"],
    ...Object.values(ROLE).map((role) => [
      FOUNDATION,
      "asset-verification.set-role",
      ...[role, OFFICE, role === ROLE.GRID_OPERATOR ? REGION : "", true],
    ]),
    [FOUNDATION, "asset-verification.propose-owner", HEIR],
    [FOUNDATION, "settlement.set-fee-bps", 200],
    [OFFICE, "asset-verification.set-paused", true],
    [OFFICE, "asset-verification.set-paused", false],
    ...[null, null, null, METER.key].map((key) => [COOPERATIVE, "asset-verification.register-asset", ...register(key)]),
    ...[plant, given].map((asset) => [OFFICE, "asset-verification.verify-asset", asset, CAPACITY_W, null]),
    [OFFICE, "asset-verification.reject-asset", unfit, "x"],
    [OFFICE, "asset-verification.verify-asset", keyed, CAPACITY_W, METER.key],
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
    [OFFICE, "grid-integration.reject-connection", plant, "x"],
    [COOPERATIVE, "grid-integration.request-connection", plant, CAPACITY_W],
    [OFFICE, "grid-integration.approve-connection", plant, CAPACITY_W, true],
    [OFFICE, "grid-integration.set-status", plant, 4],
    [OFFICE, "grid-integration.set-export-limit", plant, 2 * CAPACITY_W],
    [OFFICE, "grid-integration.set-region-alert", REGION, 1, third * DAY],
    [COOPERATIVE, "asset-verification.set-operator", plant, AGENT, 100_000],
    [AGENT, "market-participation.create-offer", ...offerOf(second, null)],
    [AGENT, "market-participation.cancel-offer", 1],
    [AGENT, "market-participation.create-offer", ...offerOf(second, CROWD)],
    [CROWD, "market-participation.reject-offer", 2],
    [AGENT, "market-participation.create-offer", ...offerOf(second, CROWD)],
    [COOPERATIVE, "market-participation.create-offer", ...offerOf(third, null)],
    [CROWD, "settlement.accept-and-fund", 3, 60_000, NO_LIMIT, NO_LIMIT],
    [CROWD, "settlement.accept-and-fund", 3, 40_000, NO_LIMIT, NO_LIMIT],
    [CROWD, "settlement.accept-and-fund", 4, 10_000, NO_LIMIT, NO_LIMIT],
    third,
    [CROWD, "market-participation.expire-offer", 4],
    [CROWD, "production-tracking.record-day", ...signedDay(METER, { asset: keyed, day: second, whs: [7] })],
    [OFFICE, "production-tracking.record-batch", [item(first, WHOLE_DAY, 5_000)]],
    [OFFICE, "production-tracking.verify-days", [{ "asset-id": plant, day: first, wh: 5_000 }]],
    [OFFICE, "grid-integration.record-feed", plant, first, 5_000, 0],
    [COOPERATIVE, "market-participation.retire-energy", plant, first, 1_000, CROWD],
    [OFFICE, "production-tracking.record-production", plant, second, WHOLE_DAY, 90_000],
    [OFFICE, "production-tracking.dispute-day", plant, second, "x"],
    [OFFICE, "production-tracking.adjust-day", plant, second, -10_000],
    [OFFICE, "production-tracking.verify-day", plant, second, 80_000],
    [OFFICE, "grid-integration.record-feed", plant, second, 80_000, 0],
    [HEIR, "settlement.settle", 1],
    [HEIR, "settlement.settle-batch", [2]],
    third + 1n,
    [OFFICE, "production-tracking.reject-day", plant, third, "x"],
    [HEIR, "settlement.refund", 3],
    [FOUNDATION, "settlement.withdraw-fees", 160_000, FOUNDATION],
  ];
}

const stepSource = (index, allowed, call) =>
  `(define-public (step-${index}) (as-contract? (${allowed}) (unwrap! ${call} (err u0))))`;

test("contracts play every part, with every public function, and each is paid what it is due", async () => {
  const chain = await startSystem();
  const story = storyFrom(chain.today);
  const calls = story.filter((step) => Array.isArray(step));
  for (const party of [COOPERATIVE, HEIR, AGENT, CROWD, OFFICE, FOUNDATION]) {
    const allowed = party === CROWD ? "(with-stx u11000000)" : "";
    const functions = calls
      .map(([by, ...call], index) => by === party && stepSource(index, allowed, chain.source(...call)))
      .filter(Boolean);
    chain.deploy(party.split(".")[1], functions.join("\n"));
  }
  must(chain.call(DEPLOYER, "asset-verification.propose-owner", FOUNDATION));
  chain.transfer(STRANGER, CROWD, 11_000_000n);

  for (const step of story) {
    if (!Array.isArray(step)) chain.advanceToDay(step);
    else must(chain.call(STRANGER, `${step[0].split(".")[1]}.step-${calls.indexOf(step)}`));
  }

  const called = new Set(calls.map(([, functionId]) => functionId));
  const missing = publicFunctions(chain).filter((functionId) => !called.has(functionId));
  expect(missing).toEqual(["market-participation.mark-accepted", "market-participation.mark-completed"]);
  // Of 100,000 Wh for 10 STX, 80,000 were delivered; 10,000 Wh for 1 STX never were.
  const holders = [COOPERATIVE, CROWD, FOUNDATION, contract("settlement")];
  const held = Object.fromEntries(holders.map((who) => [who, chain.balance(who)]));
  expect(held).toEqual({
    [COOPERATIVE]: 7_840_000n,
    [CROWD]: 3_000_000n,
    [FOUNDATION]: 160_000n,
    [contract("settlement")]: 0n,
  });
  const payments = chain.read("settlement.get-payments", [1, 2, 3]);
  expect(payments.map(({ state }) => state)).toEqual([PAYMENT.SETTLED, PAYMENT.SETTLED, PAYMENT.REFUNDED]);
  for (const payment of payments) expect(payment).toMatchObject({ buyer: CROWD, payee: COOPERATIVE });
  const offers = chain.read("market-participation.get-offers", [1, 2, 3, 4]);
  expect(offers.map(({ state }) => state)).toEqual([OFFER.CANCELLED, OFFER.REJECTED, OFFER.COMPLETED, OFFER.COMPLETED]);
});
