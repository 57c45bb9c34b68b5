// The costs of calls in the VM. Reads are the scarcest: 15,000 per tenure. The counts are exact, so tests compare them.
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
  hashOf,
  meter,
} from "./accounts.js";
import { CONTRACTS, breathe } from "./chain.js";
import {
  CAPACITY_W,
  CONNECTION,
  NO_LIMIT,
  WHOLE_DAY,
  addPlant,
  connect,
  fund,
  must,
  offer,
  offerOf,
  plantOf,
  registerVerified,
  signedDay,
  startSystem,
} from "./scenario.js";

const TENURE_READS = 15_000;
const METER = meter("first");
const OLD_METER = meter("old");
const NEW_METER = meter("new");
// They run inside calls of settlement, such as accept-and-fund and settle.
const ONLY_CALLED_BY_SETTLEMENT = ["mark-accepted", "mark-completed", "mark-token"];
const TOKEN = `${DEPLOYER}.usdcx`;
const PATH = Array.from({ length: 20 }, (_, index) => ({ left: index % 2 === 1, hash: hashOf(`sibling ${index}`) }));

let chain;

/** Runs every public function on a chain on which `ballast` plants sold energy; returns reads and writes by name. */
async function measure(ballast) {
  chain = await startSystem({ trackCosts: true });
  for (let index = 0; index < ballast; index += 1) fund(chain, offer(chain, addPlant(chain)), 1_000);
  await breathe();
  const plants = Array.from({ length: 200 }, () => registerVerified(chain));
  for (const plant of plants.slice(0, 100)) connect(chain, plant);
  await breathe();
  const single = registerVerified(chain);
  const metered = addPlant(chain, { device: METER, metered: true });
  const signed = Array.from({ length: 20 }, (_, index) => {
    const device = meter(`of many ${index}`, { curve: 1 + (index % 2) });
    return { device, asset: registerVerified(chain, { device }) };
  });
  const costs = {};
  const counted = (name, ...call) => {
    const answer = chain.call(...call);
    costs[name] = { reads: Number(answer.cost.readCount), writes: Number(answer.cost.writeCount) };
    return must(answer);
  };
  const all = (name, ...call) => counted(name, ...call).map(must);
  measureRegister(counted);
  measureConnections(counted);
  const day = chain.today + 1n;
  const market = measureMarket(counted, all, metered, day);
  await breathe();
  chain.advanceToDay(day + 1n);
  measureProduction(counted, all, { day, plants, single, metered, signed });
  await breathe();
  measureFeeds(counted, all, { day, plants, metered });
  measureSettlement(counted, all, { day, plants, metered, ...market });
  return costs;
}

function measureRegister(counted) {
  const call = (name, by, ...values) => counted(name, by, `asset-verification.${name.split(" of ")[0]}`, ...values);
  call("set-role", DEPLOYER, ROLE.VERIFIER, VERIFIER, "", true);
  call("propose-owner", DEPLOYER, DEPLOYER);
  call("accept-owner", DEPLOYER);
  call("set-paused", PAUSER, true);
  call("set-paused", PAUSER, false);
  const NAMES = ["kind", "capacity-w", "location", "region", "metadata-hash", "slot-seconds", "device-key"];
  const items = Array.from({ length: 20 }, () => plantOf()).map((values) =>
    Object.fromEntries(values.map((value, index) => [NAMES[index], value])),
  );
  const many = call("register-assets of 20", OWNER, items).map(must);
  const review = (asset) => ({ "asset-id": asset, "capacity-w": CAPACITY_W, "device-key": null });
  call("verify-assets of 20", REGISTRAR, many.map(review)).map(must);
  call("reject-asset", REGISTRAR, call("register-asset", OWNER, ...plantOf()), "no such plant");
  const plant = call("register-asset", OWNER, ...plantOf({ device: OLD_METER }));
  call("verify-asset", REGISTRAR, plant, CAPACITY_W, OLD_METER.deviceKey);
  call("suspend-asset", REGISTRAR, plant, "inspection");
  call("reinstate-asset", REGISTRAR, plant);
  const change = [plant, CAPACITY_W + 1];
  call("request-change", OWNER, ...change, NEW_METER.claimBy(OWNER));
  call("refuse-change", REGISTRAR, plant, "not yet");
  call("request-change", OWNER, ...change, NEW_METER.claimBy(OWNER));
  call("approve-change", REGISTRAR, ...change, NEW_METER.deviceKey);
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
  call("withdraw-request", OWNER, plant);
  call("request-connection", OWNER, plant, CAPACITY_W);
  call("approve-connection", GRID_OPERATOR, plant, CAPACITY_W, false);
  call("set-status", GRID_OPERATOR, plant, CONNECTION.CURTAILED);
  call("set-export-limit", GRID_OPERATOR, plant, 1_000);
  call("request-connection", OWNER, refused, CAPACITY_W);
  call("reject-connection", GRID_OPERATOR, refused, "no room");
  call("set-region-alert", GRID_OPERATOR, REGION, 2, chain.now + 3_600n);
}

/** Creates offers for tomorrow and later, buys in STX and in a token; returns what `measureSettlement` closes later. */
function measureMarket(counted, all, plant, day) {
  const creating = (name, options) =>
    counted(name, OWNER, "market-participation.create-offer", ...offerOf(chain, plant, { day, ...options }));
  chain.deployStandIn("usdcx");
  counted("set-token", DEPLOYER, "settlement.set-token", TOKEN, true);
  must(chain.call(DEPLOYER, "usdcx.protocol-mint", 10n ** 9n, BUYER));
  counted(
    "reject-offer",
    BUYER,
    "market-participation.reject-offer",
    creating("create-offer, named", { wh: 1_000, taker: BUYER }),
  );
  const late = creating("create-offer, late", { wh: 1_000 });
  const forward = creating("create-offer, forward", {});
  const inToken = creating("create-offer, in a token", { wh: 10_000, token: TOKEN });
  const funding = (name, id) =>
    counted(name, BUYER, "settlement.accept-and-fund", id, 1_000, 1_000, NO_LIMIT, NO_LIMIT);
  const payment = funding("accept-and-fund, forward", forward);
  const inTokens = [1, 2].map(() =>
    counted(
      "accept-and-fund-with, forward",
      ...[BUYER, "settlement.accept-and-fund-with", TOKEN, inToken, 1_000, 1_000, NO_LIMIT, NO_LIMIT],
    ),
  );
  const batch = Array.from({ length: 25 }, () => fund(chain, forward, 1_000));
  const days = Array.from({ length: 31 }, (_, index) => day + 1n + BigInt(index));
  const terms = [plant, 100_000, 1_000, null, null];
  const items = days.map((of) => ({ day: of, wh: 5_000, "expires-at": of * 86_400n }));
  const month = all("create-offers of 31", OWNER, "market-participation.create-offers", ...terms, items);
  const fills = month.map((id) => ({ "offer-id": id, wh: 1_000, "min-wh": 1_000 }));
  const monthly = all("accept-offers of 31", BUYER, "settlement.accept-offers", fills, NO_LIMIT, NO_LIMIT);
  all("cancel-offers of 31", OWNER, "market-participation.cancel-offers", month);
  return { late, payment, inTokens, batch, monthly };
}

function measureProduction(counted, all, { day, plants, single, metered, signed }) {
  const call = (name, by, ...values) => counted(name, by, `production-tracking.${name.split(/, | of /)[0]}`, ...values);
  const whs = Array(96).fill(200);
  call("record-day", STRANGER, ...signedDay(METER, { asset: metered, day, whs }));
  const NAMES = ["asset-id", "day", "start", "whs", "signature"];
  const readings = signed
    .map(({ device, asset }) => signedDay(device, { asset, day, whs }))
    .map((values) => Object.fromEntries(values.map((value, index) => [NAMES[index], value])));
  all("record-days of 20", STRANGER, "production-tracking.record-days", readings);
  call("verify-day", VERIFIER, metered, day, WHOLE_DAY, 19_200);
  const items = plants.map((asset) => ({ "asset-id": asset, day, mask: WHOLE_DAY, wh: 5_000 }));
  all("record-batch of 200", ORACLE, "production-tracking.record-batch", items);
  all("verify-days of 100", VERIFIER, "production-tracking.verify-days", items.slice(0, 100));
  const disputed = plants.at(-1);
  call("dispute-day", VERIFIER, disputed, day, "odd");
  call("adjust-day", ARBITER, disputed, day, 5_000, 4_999);
  const leaf = { "asset-id": single, day, mask: 1, wh: 5, "whs-hash": hashOf("readings") };
  call("anchor-root", ORACLE, rootOf(leaf), 2 ** 20, 5, day, day);
  call("claim-leaf", ORACLE, chain.read("production-tracking.get-root-count"), leaf, PATH);
  call("record-production", ORACLE, single, day, WHOLE_DAY - 1n, 5_000);
  call("reject-day", VERIFIER, single, day, WHOLE_DAY, 5_005, "meter broken");
}

/** Returns the root to which the path of 20 steps leads from the leaf. */
function rootOf(leaf) {
  const bytes = (hex) => Buffer.from(hex, "hex");
  return PATH.reduce(
    (node, { left, hash }) => hashOf(Buffer.concat([bytes("01"), ...(left ? [hash, node] : [node, hash]).map(bytes)])),
    chain.read("production-tracking.get-leaf-hash", leaf),
  );
}

function measureFeeds(counted, all, { day, plants, metered }) {
  const item = (asset) => ({ "asset-id": asset, day, "exported-wh": 4_000, "imported-wh": 0 });
  const items = plants.slice(0, 100).map(item);
  all("record-feeds of 100", GRID_OPERATOR, "grid-integration.record-feeds", items);
  all("verify-feeds of 100", VERIFIER, "grid-integration.verify-feeds", items);
  counted("record-feed", GRID_OPERATOR, "grid-integration.record-feed", metered, day, 19_100, 0);
  counted("verify-feed", VERIFIER, "grid-integration.verify-feed", metered, day, 19_100, 0);
}

function measureSettlement(counted, all, { day, plants, metered, late, payment, inTokens, batch, monthly }) {
  const call = (name, by, ...values) => counted(name, by, `settlement.${name.split(/, | of /)[0]}`, ...values);
  counted("expire-offer", STRANGER, "market-participation.expire-offer", late);
  call("settle", STRANGER, payment);
  call("settle, with a shortfall", STRANGER, batch[16]);
  call("settle, in a token", STRANGER, inTokens[0]);
  all(
    "settle-batch of 24",
    STRANGER,
    "settlement.settle-batch",
    batch.filter((_, index) => index !== 16),
  );
  call("claim", BUYER, payment, 1, STRANGER, "Scope 2");
  call("assign-payment", BUYER, payment, STRANGER);
  call("release", OWNER, inTokens[1]);
  call("withdraw", OWNER, TOKEN);
  const spot = counted(
    "create-offer, spot",
    OWNER,
    "market-participation.create-offer",
    ...offerOf(chain, plants[0], { day, wh: 4_000 }),
  );
  call("accept-and-fund, spot", BUYER, spot, 1_000, 1_000, NO_LIMIT, NO_LIMIT);
  counted("cancel-offer", OWNER, "market-participation.cancel-offer", spot);
  const inToken = offer(chain, plants[0], { day, wh: 1_000, token: TOKEN });
  call("accept-and-fund-with, spot", BUYER, TOKEN, inToken, 1_000, 1_000, NO_LIMIT, NO_LIMIT);
  counted("retire-energy", OWNER, "market-participation.retire-energy", plants[0], day, 100, BUYER, "own use");
  must(chain.call(OWNER, "asset-verification.retire-asset", metered));
  call("refund, at once", STRANGER, monthly[5]);
  all("refund-batch of 25", STRANGER, "settlement.refund-batch", monthly.slice(6));
  chain.advanceToDay(day + 50n);
  call("refund", STRANGER, monthly[0]);
  measureFormerCaps(counted, plants[1], day);
  call("set-fee-bps", DEPLOYER, 100);
  call("withdraw-fees", DEPLOYER, 1, DEPLOYER);
  call("withdraw-fees-with", DEPLOYER, TOKEN, 1, DEPLOYER);
  chain.transfer(STRANGER, `${DEPLOYER}.settlement`, 1n);
  call("withdraw-surplus", DEPLOYER, 1, DEPLOYER);
}

/** Measures calls after so many changes that the schedule no longer contains the cap of a verified day. */
function measureFormerCaps(counted, plant, day) {
  for (let index = 1n; index <= 17n; index += 1n) {
    chain.advanceToDay(day + 50n + index);
    counted(
      "set-export-limit, with a full schedule",
      ...[GRID_OPERATOR, "grid-integration.set-export-limit", plant, BigInt(CAPACITY_W) + index],
    );
  }
  const offered = offerOf(chain, plant, { day, wh: 4_000 });
  counted("create-offer, spot, by a former cap", OWNER, "market-participation.create-offer", ...offered);
}

let costs;
beforeAll(async () => {
  costs = await measure(1);
});

describe("reads of a call", () => {
  test.each([
    ["record-day", 16],
    ["record-days of 20", 20 * 7],
    ["record-batch of 200", 1_100],
    ["verify-days of 100", 100 * 5],
    ["claim-leaf", 18],
    ["create-offer, forward", 30],
    ["create-offer, spot", 30],
    ["create-offer, spot, by a former cap", 30],
    ["create-offer, in a token", 30],
    ["create-offers of 31", 31 * 12],
    ["accept-and-fund, forward", 36],
    ["accept-and-fund, spot", 36],
    ["accept-and-fund-with, forward", 48],
    ["accept-and-fund-with, spot", 48],
    ["accept-offers of 31", 31 * 36],
    ["settle", 30],
    ["settle, with a shortfall", 30],
    ["settle, in a token", 30],
    ["refund", 36],
  ])("%s: at most %i", (name, most) => {
    expect(costs[name].reads).toBeLessThanOrEqual(most);
  });
});

test("one transaction uses less than a tenth of a tenure's reads", () => {
  for (const { reads } of Object.values(costs)) expect(reads).toBeLessThan(TENURE_READS / 10);
});

test("oracle batches can record 200,000 readings in one tenure", () => {
  const batches = Math.floor(TENURE_READS / costs["record-batch of 200"].reads);
  expect(batches * 200 * 96).toBeGreaterThanOrEqual(200_000);
});

test("every public function is measured", () => {
  const all = CONTRACTS.flatMap((contract) => chain.functionsOf(contract, "public"));
  const measured = new Set(Object.keys(costs).map((name) => name.split(/, | of /)[0]));
  expect([...measured, ...ONLY_CALLED_BY_SETTLEMENT].sort()).toEqual(all.sort());
});

test("the counts do not grow with the amount of existing data", async () => {
  expect(await measure(40)).toEqual(costs);
});
