// What calls cost on the VM: reads are the scarcest, 15,000 a tenure. The counts are exact, so they are compared.
import { beforeAll, describe, expect, test } from "vitest";

import {
  ARBITER,
  BUYER,
  DEPLOYER,
  GRID_OPERATOR,
  OPERATOR,
  ORACLE,
  OWNER,
  PAUSER,
  REGION,
  REGISTRAR,
  ROLE,
  STRANGER,
  VERIFIER,
  meter,
} from "./accounts.js";
import { CONTRACTS, breathe } from "./chain.js";
import {
  CAPACITY_W,
  CONNECTION,
  METADATA_HASH,
  NO_LIMIT,
  WHOLE_DAY,
  addPlant,
  connect,
  fund,
  must,
  offer,
  offerOf,
  registerVerified,
  signedDay,
  startSystem,
} from "./scenario.js";

const TENURE_READS = 15_000;
const METER = meter("first");
const OLD_METER = meter("old");
const NEW_METER = meter("new");
// They run inside accept-and-fund and settle.
const ONLY_CALLED_BY_SETTLEMENT = ["mark-accepted", "mark-completed"];

let chain;

/** Runs every public function on a fresh chain that already holds `ballast` of everything; its reads and writes by name. */
async function measure(ballast) {
  chain = await startSystem({ trackCosts: true });
  for (let index = 0; index < ballast; index += 1) fund(chain, offer(chain, addPlant(chain)), 1_000);
  await breathe();
  const plants = Array.from({ length: 200 }, () => registerVerified(chain));
  connect(chain, plants[0]);
  await breathe();
  const single = registerVerified(chain);
  const metered = addPlant(chain, { deviceKey: METER.key, metered: true });
  const costs = {};
  const counted = (name, ...call) => {
    const answer = chain.call(...call);
    costs[name] = { reads: Number(answer.cost.readCount), writes: Number(answer.cost.writeCount) };
    return must(answer);
  };
  measureRegister(counted);
  measureConnections(counted);
  const day = chain.today + 1n;
  const named = offer(chain, metered, { day, wh: 1_000, taker: BUYER });
  counted("reject-offer", BUYER, "market-participation.reject-offer", named);
  const late = offer(chain, metered, { day, wh: 1_000 });
  const forward = counted(
    "create-offer, forward",
    OWNER,
    "market-participation.create-offer",
    ...offerOf(chain, metered, { day }),
  );
  const funding = (name, id) => counted(name, BUYER, "settlement.accept-and-fund", id, 1_000, NO_LIMIT, NO_LIMIT);
  const payment = funding("accept-and-fund, forward", forward);
  const batch = Array.from({ length: 25 }, () => fund(chain, forward, 1_000));
  chain.advanceToDay(day + 1n);
  counted("expire-offer", STRANGER, "market-participation.expire-offer", late);
  const whs = Array(96).fill(200);
  counted("record-day", STRANGER, "production-tracking.record-day", ...signedDay(METER, { asset: metered, day, whs }));
  counted("verify-day", VERIFIER, "production-tracking.verify-day", metered, day, 19_200);
  counted("record-feed", GRID_OPERATOR, "grid-integration.record-feed", metered, day, 19_100, 0);
  counted("settle", STRANGER, "settlement.settle", payment);
  counted("settle, with a shortfall", STRANGER, "settlement.settle", batch[18]);
  counted(
    "settle-batch of 24",
    STRANGER,
    "settlement.settle-batch",
    batch.filter((_, index) => index !== 18),
  );
  await breathe();
  const days = plants.map((asset) => ({ "asset-id": asset, day, mask: WHOLE_DAY, wh: 5_000 }));
  counted("record-batch of 200", ORACLE, "production-tracking.record-batch", days);
  const reviewed = days.slice(0, 100).map(({ mask, ...item }) => item);
  counted("verify-days of 100", VERIFIER, "production-tracking.verify-days", reviewed);
  const disputed = plants.at(-1);
  counted("dispute-day", VERIFIER, "production-tracking.dispute-day", disputed, day, "odd");
  counted("adjust-day", ARBITER, "production-tracking.adjust-day", disputed, day, -1);
  counted("record-production", ORACLE, "production-tracking.record-production", single, day, WHOLE_DAY, 5_000);
  counted("reject-day", VERIFIER, "production-tracking.reject-day", single, day, "meter broken");
  const spot = counted(
    "create-offer, spot",
    OWNER,
    "market-participation.create-offer",
    ...offerOf(chain, plants[0], { day, wh: 5_000 }),
  );
  funding("accept-and-fund, spot", spot);
  counted("cancel-offer", OWNER, "market-participation.cancel-offer", spot);
  counted("retire-energy", OWNER, "market-participation.retire-energy", plants[0], day, 100, BUYER);
  chain.advanceToDay(day + 50n);
  counted("refund", STRANGER, "settlement.refund", 1);
  counted("set-fee-bps", DEPLOYER, "settlement.set-fee-bps", 100);
  counted("withdraw-fees", DEPLOYER, "settlement.withdraw-fees", 1, DEPLOYER);
  return costs;
}

function measureRegister(counted) {
  const call = (name, by, ...values) => counted(name, by, `asset-verification.${name}`, ...values);
  call("set-role", DEPLOYER, ROLE.VERIFIER, VERIFIER, "", true);
  call("propose-owner", DEPLOYER, DEPLOYER);
  call("accept-owner", DEPLOYER);
  call("set-paused", PAUSER, true);
  call("set-paused", PAUSER, false);
  const newPlant = [1, CAPACITY_W, "9q8yy", REGION, METADATA_HASH, 900];
  call("reject-asset", REGISTRAR, call("register-asset", OWNER, ...newPlant, null), "no such plant");
  const plant = call("register-asset", OWNER, ...newPlant, OLD_METER.key);
  call("verify-asset", REGISTRAR, plant, CAPACITY_W, OLD_METER.key);
  call("suspend-asset", REGISTRAR, plant, "inspection");
  call("reinstate-asset", REGISTRAR, plant);
  const change = [plant, CAPACITY_W + 1, NEW_METER.key];
  call("request-change", OWNER, ...change);
  call("refuse-change", REGISTRAR, plant, "not yet");
  call("request-change", OWNER, ...change);
  call("approve-change", REGISTRAR, ...change);
  call("set-operator", OWNER, plant, OPERATOR, 1);
  call("propose-transfer", OWNER, plant, BUYER);
  call("cancel-transfer", OWNER, plant);
  call("propose-transfer", OWNER, plant, BUYER);
  call("accept-transfer", BUYER, plant, 2);
  call("retire-asset", BUYER, plant);
}

function measureConnections(counted) {
  const call = (name, by, ...values) => counted(name, by, `grid-integration.${name}`, ...values);
  const [plant, refused] = [registerVerified(chain), registerVerified(chain)];
  call("request-connection", OWNER, plant, CAPACITY_W);
  call("approve-connection", GRID_OPERATOR, plant, CAPACITY_W, false);
  call("set-status", GRID_OPERATOR, plant, CONNECTION.CURTAILED);
  call("set-export-limit", GRID_OPERATOR, plant, 1_000);
  call("request-connection", OWNER, refused, CAPACITY_W);
  call("reject-connection", GRID_OPERATOR, refused, "no room");
  call("set-region-alert", GRID_OPERATOR, REGION, 2, chain.now + 3_600n);
}

let costs;
beforeAll(async () => {
  costs = await measure(1);
});

describe("a call reads at most", () => {
  test.each([
    ["record-day", 16],
    ["create-offer, forward", 30],
    ["create-offer, spot", 30],
    ["accept-and-fund, forward", 35],
    ["accept-and-fund, spot", 35],
    ["settle", 30],
    ["settle, with a shortfall", 30],
    ["refund", 35],
  ])("%s: %i", (name, most) => {
    expect(costs[name].reads).toBeLessThanOrEqual(most);
  });
});

test("one transaction takes less than a tenth of a tenure's reads", () => {
  for (const { reads } of Object.values(costs)) expect(reads).toBeLessThan(TENURE_READS / 10);
});

test("a tenure of oracle batches records 200,000 readings", () => {
  const batches = Math.floor(TENURE_READS / costs["record-batch of 200"].reads);
  expect(batches * 200 * 96).toBeGreaterThanOrEqual(200_000);
});

test("every public function is measured", () => {
  const all = CONTRACTS.flatMap((contract) => chain.functionsOf(contract, "public"));
  const measured = new Set(Object.keys(costs).map((name) => name.split(/, | of /)[0]));
  expect([...measured, ...ONLY_CALLED_BY_SETTLEMENT].sort()).toEqual(all.sort());
});

test("the counts do not grow with what exists", async () => {
  expect(await measure(40)).toEqual(costs);
});
