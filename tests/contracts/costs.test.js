// What calls cost on the VM: reads are the scarcest, 15,000 a tenure. The counts are exact, so they are compared.
import { beforeAll, describe, expect, test } from "vitest";

import { BUYER, GRID_OPERATOR, ORACLE, OWNER, STRANGER, VERIFIER, meter } from "./accounts.js";
import { breathe } from "./chain.js";
import {
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

/** Runs every costly function once on a system that already holds `ballast` of everything; its reads and writes by name. */
async function measure(ballast) {
  const chain = await startSystem({ trackCosts: true });
  for (let index = 0; index < ballast; index += 1) fund(chain, offer(chain, addPlant(chain)), 1_000);
  await breathe();
  const plants = Array.from({ length: 200 }, () => registerVerified(chain));
  await breathe();
  const metered = addPlant(chain, { deviceKey: METER.key, metered: true });
  const costs = {};
  const counted = (name, ...call) => {
    const answer = chain.call(...call);
    costs[name] = { reads: Number(answer.cost.readCount), writes: Number(answer.cost.writeCount) };
    return must(answer);
  };
  const day = chain.today + 1n;
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
  connect(chain, plants[0]);
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
  return costs;
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

test("the counts do not grow with what exists", async () => {
  expect(await measure(40)).toEqual(costs);
});
