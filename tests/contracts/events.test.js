// An indexer can rebuild the state of all five contracts from the printed events alone.
import { expect, test } from "vitest";

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
  CURVE,
  hashOf,
  meter,
} from "./accounts.js";
import { CONTRACTS } from "./chain.js";
import { sourceOf } from "./errors.js";
import { CAPACITY_W, NO_LIMIT, WHOLE_DAY, newMetadataHash, offerOf, signedDay, startSystem } from "./scenario.js";

/** The state that an indexer derives from the events, in the same rows as the contracts' maps. */
class Index {
  constructor() {
    this.roles = new Set();
    this.assets = {};
    this.changes = {};
    this.days = {};
    this.connections = {};
    this.feeds = {};
    this.offers = {};
    this.books = {};
    this.payments = {};
    this.schedules = {};
    this.roots = {};
    this.tokens = {};
    this.fundedUntil = {};
    this.ledgers = {};
    this.credits = {};
    this.retirements = 0n;
    this.claims = 0n;
  }

  ledger(token) {
    return (this.ledgers[token] ??= { escrow: 0n, fees: 0n, credits: 0n });
  }

  // Amounts in tokens become credits; STX are paid out at once.
  give(token, who, amount) {
    if (token === null || amount === 0n) return;
    this.credits[`${who} ${token}`] = (this.credits[`${who} ${token}`] ?? 0n) + amount;
    this.ledger(token).credits += amount;
  }

  take({ topic, version, actor, "asset-id": asset, "offer-id": offer, "payment-id": payment, ...event }) {
    const book = (epoch) => {
      const key = `${asset}/${event.day}`;
      const row = (this.books[key] ??= { epoch, ...book.empty, ...book.open });
      if (epoch > row.epoch) Object.assign(row, { epoch, ...book.open });
      return row;
    };
    book.empty = { "forward-funded-wh": 0n, "spot-sold-wh": 0n, "retired-wh": 0n };
    book.open = { "forward-open-wh": 0n, "spot-open-wh": 0n };
    const changeAsset = (changes) => Object.assign(this.assets[asset], changes);
    const day = (changes) =>
      (this.days[`${asset}/${event.day}`] = { ...this.days[`${asset}/${event.day}`], ...changes });
    const connection = ({ "export-schedule": schedule, ...changes }) => {
      Object.assign(this.connections[asset], changes);
      this.schedules[asset] = schedule;
    };
    const handlers = {
      "role-set": () => this.roles[event.granted ? "add" : "delete"](`${event.role} ${event.who} ${event.region}`),
      "paused-set": () => (this.paused = event.paused),
      "contract-owner-proposed": () => (this.proposed = event["new-owner"]),
      "contract-owner-accepted": () => Object.assign(this, { contractOwner: event["new-owner"], proposed: null }),
      "fee-bps-set": () => (this.feeSchedule = event),
      "fees-withdrawn": () => (this.ledger(event.token).fees = event.fees),
      "surplus-withdrawn": () => {},
      "token-set": () => (this.tokens[event.token] = event.listed),
      "credit-withdrawn": () => {
        delete this.credits[`${actor} ${event.token}`];
        this.ledger(event.token).credits -= event.amount;
      },
      "asset-registered": () =>
        (this.assets[asset] = {
          ...event,
          owner: actor,
          operator: null,
          "min-price": 0n,
          "proposed-owner": null,
          proposal: 0n,
          "capacity-from-day": 0n,
          "previous-capacity-w": event["capacity-w"],
          "key-from-day": 0n,
          "previous-device-key": null,
          "previous-key-from-day": 0n,
          "verified-day": 0n,
          "last-day": null,
        }),
      "asset-verified": () => changeAsset(event),
      "asset-rejected": () => changeAsset({ state: event.state, "proposed-owner": null }),
      "asset-suspended": () => changeAsset({ state: event.state, "last-day": event["last-day"] }),
      "asset-reinstated": () => changeAsset({ state: event.state, "last-day": null }),
      "asset-retired": () => (changeAsset({ ...event, "proposed-owner": null }), delete this.changes[asset]),
      "change-requested": () => (this.changes[asset] = event),
      "change-approved": () => (changeAsset(event), delete this.changes[asset]),
      "change-refused": () => delete this.changes[asset],
      "transfer-proposed": () => changeAsset({ "proposed-owner": event["new-owner"], proposal: event.proposal }),
      "transfer-cancelled": () => changeAsset({ "proposed-owner": null }),
      "transfer-accepted": () => {
        changeAsset({
          owner: event["new-owner"],
          operator: null,
          "min-price": 0n,
          "proposed-owner": null,
          epoch: event.epoch,
        });
        delete this.changes[asset];
      },
      "operator-set": () => changeAsset(event),
      "production-recorded": () => day({ state: event.state, mask: event["day-mask"], wh: event["day-wh"] }),
      "day-adjusted": () => day({ wh: event["day-wh"], state: event.state }),
      "day-disputed": () => day({ state: event.state }),
      "day-verified": () => day({ state: event.state }),
      "day-rejected": () => day({ mask: event.mask, wh: event.wh, state: event.state }),
      "root-anchored": () => (this.roots[event["root-id"]] = event),
      "connection-requested": () => (this.connections[asset] = { ...event, "feed-metered": false, "approved-day": 0n }),
      "connection-withdrawn": () => delete this.connections[asset],
      "connection-approved": () => connection(event),
      "connection-rejected": () => Object.assign(this.connections[asset], { state: event.state }),
      "connection-status-set": () => connection(event),
      "export-limit-set": () => connection(event),
      "feed-recorded": () =>
        (this.feeds[`${asset}/${event.day}`] = {
          "exported-wh": event["exported-wh"],
          "imported-wh": event["imported-wh"],
          recorder: actor,
          verified: false,
        }),
      "feed-verified": () => (this.feeds[`${asset}/${event.day}`].verified = true),
      "region-alert-set": () => (this.alert = event),
      "offer-created": () => {
        this.offers[offer] = { ...event, "asset-id": asset, maker: actor, fills: 0n, "unsettled-fills": 0n };
        book(event.epoch)[event.spot ? "spot-open-wh" : "forward-open-wh"] += event.wh;
      },
      "offer-accepted": () => {
        const row = this.offers[offer];
        const { "open-wh": open, fills, "unsettled-fills": unsettled, state } = event;
        Object.assign(row, { "open-wh": open, fills, "unsettled-fills": unsettled, state });
        book(row.epoch)[row.spot ? "spot-open-wh" : "forward-open-wh"] -= event.wh;
        book(row.epoch)[row.spot ? "spot-sold-wh" : "forward-funded-wh"] += event.wh;
        if (!row.spot && event.day > (this.fundedUntil[asset] ?? 0n)) this.fundedUntil[asset] = event.day;
      },
      "offer-fill-closed": () =>
        Object.assign(this.offers[offer], { "unsettled-fills": event["unsettled-fills"], state: event.state }),
      "energy-retired": () => {
        book(this.assets[asset].epoch)["retired-wh"] = event["day-retired-wh"];
        this.retirements = event["retirement-id"];
      },
      "payment-funded": () => {
        const shares = { "delivered-wh": 0n, payout: 0n, fee: 0n, refund: 0n, "claimed-wh": 0n };
        this.payments[payment] = { ...event, ...shares, "asset-id": asset, "offer-id": offer, buyer: actor };
        this.ledger(event.token).escrow += event.cost;
      },
      "payment-settled": () => {
        Object.assign(this.payments[payment], event);
        this.ledger(event.token).escrow -= event.cost;
        this.ledger(event.token).fees += event.fee;
        this.give(event.token, event.payee, event.payout);
        this.give(event.token, event.buyer, event.refund);
      },
      "payment-assigned": () => (this.payments[payment].buyer = event.to),
      "energy-claimed": () => {
        this.payments[payment]["claimed-wh"] = event["claimed-wh"];
        this.claims = event["claim-id"];
      },
    };
    handlers["payment-released"] = handlers["payment-settled"];
    handlers["payment-refunded"] = handlers["payment-settled"];
    for (const closing of ["offer-cancelled", "offer-rejected", "offer-expired"]) {
      handlers[closing] = () => {
        const row = this.offers[offer];
        Object.assign(row, { "open-wh": 0n, state: event.state });
        const kept = this.books[`${asset}/${event.day}`];
        if (kept.epoch === row.epoch) kept[row.spot ? "spot-open-wh" : "forward-open-wh"] -= event["closed-wh"];
      };
    }
    expect(version).toBe(1n);
    expect(Object.keys(handlers), "the topics that the index in this file handles").toContain(topic);
    handlers[topic]();
    return topic;
  }
}

const only = (row, names) => Object.fromEntries(names.map((name) => [name, row[name]]));

test("every row of every map can be rebuilt from events alone", async () => {
  const chain = await startSystem();
  const index = new Index();
  const seen = new Set();
  const call = (sender, functionId, ...values) => {
    const answer = chain.call(sender, functionId, ...values);
    if (answer.err !== undefined) throw new Error(`${functionId} failed with u${answer.err}`);
    for (const event of answer.events) seen.add(index.take(event));
    return answer.ok;
  };
  const asset = (sender, name, ...values) => call(sender, `asset-verification.${name}`, ...values);
  const production = (sender, name, ...values) => call(sender, `production-tracking.${name}`, ...values);
  const grid = (sender, name, ...values) => call(sender, `grid-integration.${name}`, ...values);
  const market = (sender, name, ...values) => call(sender, `market-participation.${name}`, ...values);
  const money = (sender, name, ...values) => call(sender, `settlement.${name}`, ...values);
  const device = meter("first");
  const next = meter("second", { curve: CURVE.P256 });
  const registering = (owner, signer) =>
    asset(
      ...[owner, "register-asset", 1, CAPACITY_W, "9q8yy", REGION, newMetadataHash(), 900],
      signer && signer.claimBy(owner),
    );
  const buying = (buyer, id, wh) => money(buyer, "accept-and-fund", id, wh, wh, NO_LIMIT, NO_LIMIT);
  const token = `${DEPLOYER}.usdcx`;
  chain.deployStandIn("usdcx");
  chain.call(DEPLOYER, "usdcx.protocol-mint", 10n ** 9n, BUYER);
  chain.transfer(STRANGER, `${DEPLOYER}.settlement`, 5n);

  asset(DEPLOYER, "set-role", 4, STRANGER, "", true);
  asset(DEPLOYER, "set-role", 4, STRANGER, "", false);
  const plant = registering(OWNER, device);
  const rejected = registering(OWNER, null);
  const retired = registering(OWNER, null);
  const plain = registering(OWNER, null);
  asset(REGISTRAR, "verify-asset", plant, CAPACITY_W, device.deviceKey);
  asset(REGISTRAR, "verify-asset", plain, CAPACITY_W, null);
  asset(OWNER, "propose-transfer", rejected, BUYER);
  asset(REGISTRAR, "reject-asset", rejected, "no");
  asset(REGISTRAR, "verify-asset", retired, CAPACITY_W, null);
  asset(OWNER, "request-change", retired, 5, null);
  asset(OWNER, "propose-transfer", retired, BUYER);
  asset(OWNER, "retire-asset", retired);
  asset(OWNER, "set-operator", plant, OPERATOR, 1_000);
  for (const id of [plant, plain]) {
    grid(OWNER, "request-connection", id, 90_000);
    grid(GRID_OPERATOR, "reject-connection", id, "wait");
    grid(OWNER, "request-connection", id, 70_000);
    grid(OWNER, "withdraw-request", id);
    grid(OWNER, "request-connection", id, 80_000);
    grid(GRID_OPERATOR, "approve-connection", id, 80_000, id === plant);
  }
  grid(GRID_OPERATOR, "set-export-limit", plant, 70_000);
  grid(GRID_OPERATOR, "set-status", plant, 4);
  grid(GRID_OPERATOR, "set-region-alert", REGION, 2, 2_000_000_000);
  money(DEPLOYER, "set-fee-bps", 23);
  money(DEPLOYER, "set-fee-bps", 123);
  money(DEPLOYER, "set-token", token, true);
  money(DEPLOYER, "withdraw-surplus", 5, DEPLOYER);

  const day = chain.today + 1n;
  const offering = (seller, id, options) => market(seller, "create-offer", ...offerOf(chain, id, { day, ...options }));
  const first = offering(OPERATOR, plant, { wh: 300_000 });
  buying(BUYER, first, 100_000);
  buying(BUYER_2, first, 100_000);
  const named = offering(OWNER, plant, { wh: 5_000, taker: BUYER });
  market(BUYER, "reject-offer", named);
  const cancelled = offering(OWNER, plant, { wh: 6_000 });
  market(OPERATOR, "cancel-offer", cancelled);
  asset(OWNER, "propose-transfer", plant, BUYER_2);
  asset(OWNER, "cancel-transfer", plant);
  asset(OWNER, "request-change", plant, 5, null);
  asset(OWNER, "propose-transfer", plant, BUYER_2);
  asset(BUYER_2, "accept-transfer", plant, 2);
  const second = offering(BUYER_2, plant, { wh: 50_000 });
  market(STRANGER, "expire-offer", first);
  buying(BUYER, second, 50_000);
  const plainOffer = offering(OWNER, plain, { wh: 40_000 });
  buying(BUYER, plainOffer, 40_000);
  const inToken = offering(OWNER, plain, { wh: 30_000, token });
  for (const wh of [10_000, 20_000]) money(BUYER, "accept-and-fund-with", token, inToken, wh, wh, NO_LIMIT, NO_LIMIT);
  money(BUYER, "assign-payment", 6, STRANGER);
  money(OWNER, "release", 6);
  asset(BUYER_2, "request-change", plant, CAPACITY_W, next.claimBy(BUYER_2));
  asset(REGISTRAR, "refuse-change", plant, "no");
  asset(BUYER_2, "request-change", plant, 2 * CAPACITY_W, next.claimBy(BUYER_2));
  asset(REGISTRAR, "approve-change", plant, 2 * CAPACITY_W, next.deviceKey);

  chain.advanceToDay(day + 1n);
  const whs = Array(96).fill(2_000);
  production(STRANGER, "record-day", ...signedDay(next, { asset: plant, day, whs, keyEpoch: 2 }));
  grid(GRID_OPERATOR, "record-feed", plant, day, 1, 1);
  grid(GRID_OPERATOR, "record-feed", plant, day, 180_000, 3);
  grid(VERIFIER, "verify-feed", plant, day, 180_000, 3);
  production(VERIFIER, "adjust-day", plant, day, 192_000, 200_000);
  production(VERIFIER, "dispute-day", plant, day, "odd");
  production(ARBITER, "adjust-day", plant, day, 200_000, 199_000);
  production(ARBITER, "verify-day", plant, day, WHOLE_DAY, 199_000);
  money(STRANGER, "settle", 2);
  money(STRANGER, "settle-batch", [1, 3]);
  money(DEPLOYER, "withdraw-fees", 100, DEPLOYER);
  money(BUYER, "claim", 1, 50_000, STRANGER, "Scope 2");
  const leaf = { "asset-id": plain, day, mask: 1, wh: 5, "whs-hash": hashOf("readings") };
  const root = chain.read("production-tracking.get-leaf-hash", leaf);
  production(ORACLE, "anchor-root", root, 1, 5, day, day);
  production(ORACLE, "claim-leaf", 1, leaf, []);
  production(VERIFIER, "reject-day", plain, day, 1, 5, "meter moved");
  money(BUYER, "refund", 4);
  money(BUYER, "refund-batch", [5]);
  money(BUYER, "withdraw", token);
  production(ORACLE, "record-batch", [{ "asset-id": plain, day: day - 1n, mask: WHOLE_DAY, wh: 90_000 }]);
  production(VERIFIER, "verify-days", [{ "asset-id": plain, day: day - 1n, mask: WHOLE_DAY, wh: 90_000 }]);
  const spot = offering(OWNER, plain, { day: day - 1n, wh: 60_000 });
  buying(BUYER, spot, 20_000);
  market(OWNER, "retire-energy", plain, day - 1n, 7_000, BUYER, "own use");
  const spotDone = offering(OWNER, plain, { day: day - 1n, wh: 1_000 });
  buying(BUYER_2, spotDone, 1_000);
  const spotInToken = offering(OWNER, plain, { day: day - 1n, wh: 1_000, token });
  money(BUYER, "accept-and-fund-with", token, spotInToken, 1_000, 1, NO_LIMIT, NO_LIMIT);
  money(DEPLOYER, "withdraw-fees-with", token, 100, DEPLOYER);
  asset(REGISTRAR, "suspend-asset", plain, "x");
  asset(REGISTRAR, "reinstate-asset", plain);
  asset(PAUSER, "set-paused", true);
  asset(DEPLOYER, "propose-owner", OPERATOR);
  asset(OPERATOR, "accept-owner");

  const read = (name, ...values) => chain.read(name, ...values);
  for (const id of [plant, rejected, retired, plain]) {
    const row = read("asset-verification.get-asset", id);
    expect(only(index.assets[id], Object.keys(row))).toEqual(row);
    expect(index.changes[id] ?? null).toEqual(read("asset-verification.get-change", id));
    const connection = read("grid-integration.get-connection", id);
    expect(index.schedules[id] ?? []).toEqual(read("grid-integration.get-export-schedule", id));
    expect(index.fundedUntil[id] ?? null).toEqual(read("market-participation.get-funded-until", id));
    expect(connection && only(index.connections[id], Object.keys(connection))).toEqual(connection);
    for (const on of [day - 1n, day]) {
      const key = `${id}/${on}`;
      expect(index.days[key] ?? null).toEqual(read("production-tracking.get-day", id, on));
      expect(index.feeds[key] ?? null).toEqual(read("grid-integration.get-feed", id, on));
      expect(index.books[key] ?? null).toEqual(read("market-participation.get-day-book", id, on));
    }
  }
  for (const [reader, rows, count] of [
    ["production-tracking.get-root", index.roots, read("production-tracking.get-root-count")],
    ["market-participation.get-offer", index.offers, read("market-participation.get-offer-count")],
    ["settlement.get-payment", index.payments, read("settlement.get-payment-count")],
  ]) {
    expect(BigInt(Object.keys(rows).length)).toBe(count);
    for (const [id, indexed] of Object.entries(rows)) {
      const row = read(reader, id);
      expect(only(indexed, Object.keys(row))).toEqual(row);
    }
  }
  for (const currency of [null, token]) {
    expect(index.ledger(currency)).toEqual(read("settlement.get-ledger", currency));
  }
  for (const who of [OWNER, BUYER, BUYER_2, STRANGER]) {
    expect(index.credits[`${who} ${token}`] ?? 0n).toBe(read("settlement.get-credit", who, token));
  }
  expect(index.tokens[token]).toBe(read("market-participation.is-token-listed", token));
  expect(index.feeSchedule).toEqual(read("settlement.get-fee-schedule"));
  expect(index.retirements).toBe(read("market-participation.get-retirement-count"));
  expect(index.claims).toBe(read("settlement.get-claim-count"));
  expect(index.paused).toBe(read("asset-verification.is-paused"));
  expect(index.contractOwner).toBe(read("asset-verification.get-contract-owner"));
  expect(index.proposed).toBe(read("asset-verification.get-proposed-contract-owner"));
  expect(index.alert).toMatchObject(read("grid-integration.get-region-alert", REGION));
  expect(index.roles.size).toBe(0);

  // The history above prints every topic except those of the deployment.
  const topics = CONTRACTS.flatMap((contract) =>
    [...sourceOf(contract).matchAll(/"((?:\w+-)+\w+)"/g)].map(([, topic]) => topic),
  );
  const past = topics.filter((topic) => !/-deployed$|^der-production$/.test(topic));
  expect([...seen].sort()).toEqual([...new Set(past)].sort());
});

test("each contract prints its settings when it is deployed", async () => {
  const chain = await startSystem();
  const settings = {
    "asset-verification": {
      "contract-owner": DEPLOYER,
      paused: false,
      "days-between-changes": 46n,
      "recording-days": 30n,
    },
    "production-tracking": {
      "recording-days": 30n,
      "window-days": 45n,
      "tolerance-percent": 110n,
      "max-leaves": 2n ** 24n,
    },
    "grid-integration": { "window-days": 45n },
    "market-participation": { "max-forward-days": 366n },
    settlement: { "fee-bps": 100n, "max-fee-bps": 500n, "fee-notice-seconds": 604_800n },
  };
  for (const contract of CONTRACTS) {
    // The copy calls the contracts of the first deployment.
    const source = sourceOf(contract);
    expect(chain.deploy(`${contract}-again`, source)).toMatchObject([
      { topic: `${contract}-deployed`, version: 1n, ...settings[contract] },
    ]);
  }
});

test("no two contracts print the same topic", () => {
  const topics = CONTRACTS.flatMap((contract) => {
    const code = sourceOf(contract).replaceAll(/;;.*/g, "");
    return [...new Set([...code.matchAll(/"((?:\w+-)+\w*(?:ed|set|withdrawn))"/g)].map(([, topic]) => topic))];
  });
  expect(topics.length).toBeGreaterThan(50);
  expect(new Set(topics).size).toBe(topics.length);
});

// Contracts repeat constants, since they cannot share them.
test("constants with the same name have the same value in all contracts", () => {
  const values = {};
  for (const contract of CONTRACTS) {
    for (const [, name, value] of sourceOf(contract).matchAll(/\(define-constant ([A-Z]\w+) (u\d+)\)/g)) {
      // Each contract has its own states.
      if (!name.startsWith("STATE_")) (values[name] ??= new Set()).add(value);
    }
  }
  expect(Object.entries(values).filter(([, found]) => found.size > 1)).toEqual([]);
});
