// Attacks and traps, each by name: what somebody could try, and that it does not work.
import { beforeEach, describe, expect, test } from "vitest";

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
  highS,
  meter,
} from "./accounts.js";
import { CONTRACTS, DAY, breathe } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  METADATA_HASH,
  NO_LIMIT,
  OFFER,
  PAYMENT,
  WHOLE_DAY,
  addPlant,
  feed,
  fund,
  must,
  offer,
  offerOf,
  produce,
  record,
  register,
  registerVerified,
  signedDay,
  startSystem,
} from "./scenario.js";

const ASSET = errorsOf("asset-verification");
const PRODUCTION = errorsOf("production-tracking");
const GRID = errorsOf("grid-integration");
const MARKET = errorsOf("market-participation");
const MONEY = errorsOf("settlement");
const SETTLEMENT = `${DEPLOYER}.settlement`;
const METER = meter("first");

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const settle = (payment) => chain.call(STRANGER, "settlement.settle", payment);
const deliveredOf = (payment) => chain.read("settlement.get-payment", payment)["delivered-wh"];

describe("energy is sold once", () => {
  test("retiring energy that was sold forward", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day, wh: 400_000 }), 400_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500_000);
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 100_001, OWNER).err).toBe(
      MARKET.ERR_OVERSOLD,
    );
    must(chain.call(OWNER, "market-participation.retire-energy", asset, day, 100_000, OWNER));
    must(settle(payment));
    expect(deliveredOf(payment)).toBe(400_000n);
    // Nor after the settlement: what was funded stays reserved.
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 1, OWNER).err).toBe(MARKET.ERR_OVERSOLD);
  });

  test("selling forward energy again on the spot, before and after it is settled", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day, wh: 400_000 }), 300_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 350_000);
    const selling = (wh) =>
      chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, { day, wh })).err;
    expect(selling(50_001)).toBe(MARKET.ERR_OVERSOLD);
    must(settle(payment));
    expect(selling(50_001)).toBe(MARKET.ERR_OVERSOLD);
    // What stayed open of the forward offer was never sold.
    expect(selling(50_000)).toBeUndefined();
    expect(selling(1_000)).toBe(MARKET.ERR_OVERSOLD);
  });

  test("selling what a refunded buyer did not get", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today + 1n;
    fund(chain, offer(chain, asset, { day, wh: 400_000 }), 400_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 400_000);
    chain.advanceToDay(day + 46n);
    must(chain.call(STRANGER, "settlement.refund", 1));
    expect(chain.read("market-participation.get-available", asset, day)).toBe(0n);
    expect(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 1, 0).err).toBe(
      GRID.ERR_WINDOW_CLOSED,
    );
  });

  test("overselling a day across forward, spot, retirement and two owners", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    fund(chain, offer(chain, asset, { day, wh: 600_000 }), 200_000);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER_2));
    must(chain.call(BUYER_2, "asset-verification.accept-transfer", asset));
    fund(chain, offer(chain, asset, { day, wh: 600_000, by: BUYER_2 }), 300_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 700_000);
    must(chain.call(BUYER_2, "market-participation.retire-energy", asset, day, 50_000, BUYER_2));
    const spot = offer(chain, asset, { day, wh: 150_000, by: BUYER_2 });
    expect(chain.call(BUYER_2, "market-participation.retire-energy", asset, day, 1, BUYER_2).err).toBe(
      MARKET.ERR_OVERSOLD,
    );
    fund(chain, spot, 150_000);
    must(settle(1));
    must(settle(2));
    const sold = [1, 2, 3].reduce((sum, payment) => sum + deliveredOf(payment), 0n);
    expect(sold + 50_000n).toBe(700_000n);
  });

  test("diluting an earlier buyer by later, cheaper fills", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const early = fund(chain, offer(chain, asset, { day, wh: 400_000, price: 200_000 }), 400_000);
    const late = fund(chain, offer(chain, asset, { day, wh: 1_000_000, price: 1_000, minFill: 1 }), 1_000_000, {
      by: BUYER_2,
    });
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 400_000);
    must(settle(late));
    must(settle(early));
    expect([deliveredOf(early), deliveredOf(late)]).toEqual([400_000n, 0n]);
  });

  test("a friend who slips in ahead of a buyer", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 400_000 });
    const { "before-wh": seen } = chain.read("market-participation.quote", id, 100_000);
    fund(chain, id, 300_000, { by: BUYER_2 });
    expect(chain.call(BUYER, "settlement.accept-and-fund", id, 100_000, NO_LIMIT, seen).err).toBe(
      MONEY.ERR_BEFORE_ABOVE_MAX,
    );
  });
});

describe("a day is counted once", () => {
  test("a second report of a slot, by another path", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, METER.key));
    record(chain, asset, day, 1, 0b11);
    must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, CAPACITY_W, METER.key));
    chain.advanceToDay(day + 2n);
    const relaying = (values) => chain.call(STRANGER, "production-tracking.record-day", ...values).err;
    const batching = (on, mask) =>
      chain.call(ORACLE, "production-tracking.record-batch", [{ "asset-id": asset, day: on, mask, wh: 1 }]).err;
    expect(batching(day, 0b10)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED * 1000n);
    expect(relaying(signedDay(METER, { asset, day, start: 1, whs: [1], keyEpoch: 2 }))).toBe(
      PRODUCTION.ERR_NO_DEVICE_KEY,
    );
    must(
      chain.call(
        STRANGER,
        "production-tracking.record-day",
        ...signedDay(METER, { asset, day: day + 1n, whs: [1], keyEpoch: 2 }),
      ),
    );
    expect(batching(day + 1n, 0b1)).toBe(PRODUCTION.ERR_DEVICE_MUST_SIGN * 1000n);
  });

  test("one slot twice in one batch", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const item = { "asset-id": asset, day, mask: 1, wh: 1 };
    expect(chain.call(ORACLE, "production-tracking.record-batch", [item, item]).err).toBe(
      PRODUCTION.ERR_SLOT_ALREADY_RECORDED * 1000n + 1n,
    );
  });

  test("replaying a signed reading, as it was and with the other S", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const day = chain.today;
    chain.advanceToDay(day + 2n);
    const relaying = (values) => chain.call(STRANGER, "production-tracking.record-day", ...values).err;
    const low = signedDay(METER, { asset, day, whs: [7, 8] });
    const high = [...low.slice(0, -1), highS(low.at(-1))];
    expect(relaying(low)).toBeUndefined();
    for (const again of [low, high]) expect(relaying(again)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
    // The other S alone is a signature of the meter's as well: one reading, counted once.
    const next = signedDay(METER, { asset, day: day + 1n, whs: [7, 8] });
    expect(relaying([...next.slice(0, -1), highS(next.at(-1))])).toBeUndefined();
    expect(relaying(next)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
    expect(chain.read("production-tracking.get-total-production", asset)["recorded-wh"]).toBe(30n);
  });

  test("a reading of one chain or contract, replayed in another", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    for (const other of [{ chainId: 1 }, { contract: `${OWNER}.production-tracking` }]) {
      const values = signedDay(METER, { asset, day, whs: [7], ...other });
      expect(chain.call(STRANGER, "production-tracking.record-day", ...values).err).toBe(
        PRODUCTION.ERR_INVALID_SIGNATURE,
      );
    }
  });

  test("shifting slots out of the mask", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    for (const start of [96, 127, 128, 129, 256]) {
      const values = signedDay(METER, { asset, day, start, whs: [7] });
      expect(chain.call(STRANGER, "production-tracking.record-day", ...values).err).toBe(PRODUCTION.ERR_INVALID_SLOTS);
    }
  });

  test("changing a day after someone settled on it", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 200_000, WHOLE_DAY - 1n);
    must(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 200_000));
    feed(chain, asset, day, 50_000);
    must(settle(payment));
    expect(chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 1).err).toBe(
      PRODUCTION.ERR_DAY_FINAL,
    );
    for (const by of [VERIFIER, ARBITER]) {
      expect(chain.call(by, "production-tracking.adjust-day", asset, day, -1).err).toBe(PRODUCTION.ERR_DAY_FINAL);
      expect(chain.call(by, "production-tracking.dispute-day", asset, day, "x").err).toBe(PRODUCTION.ERR_DAY_FINAL);
      expect(chain.call(by, "production-tracking.reject-day", asset, day, "x").err).toBe(PRODUCTION.ERR_DAY_FINAL);
    }
    expect(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 60_000, 0).err).toBe(
      GRID.ERR_FEED_FINAL,
    );
  });

  test("slots added while the verifier reviews the day", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 100, 0b1);
    record(chain, asset, day, 900, 0b10);
    expect(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 100).err).toBe(
      PRODUCTION.ERR_REVIEW_MISMATCH,
    );
  });
});

describe("meters and their keys", () => {
  test("swapping the key or the capacity under the registrar's pen", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const own = meter("owner's").key;
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, meter("second").key));
    must(chain.call(OWNER, "asset-verification.request-change", asset, 10 * CAPACITY_W, own));
    for (const reviewed of [
      [CAPACITY_W, meter("second").key],
      [CAPACITY_W, own],
      [10 * CAPACITY_W, meter("second").key],
    ]) {
      expect(chain.call(REGISTRAR, "asset-verification.approve-change", asset, ...reviewed).err).toBe(
        ASSET.ERR_REVIEW_MISMATCH,
      );
    }
  });

  test("squatting on a victim's key", () => {
    register(chain, { owner: STRANGER, deviceKey: METER.key });
    const victim = registerVerified(chain, { deviceKey: METER.key });
    expect(chain.read("asset-verification.get-asset-by-device-key", METER.key)).toBe(victim);
  });

  test("an owner who signs for his own meter", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const own = meter("owner's");
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, own.key));
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    for (const keyEpoch of [1, 2]) {
      const values = signedDay(own, { asset, day, whs: [9], keyEpoch });
      expect(chain.call(OWNER, "production-tracking.record-day", ...values).err).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    }
    expect(chain.call(OWNER, "production-tracking.record-production", asset, day, 1, 9).err).toBe(
      PRODUCTION.ERR_NOT_ORACLE,
    );
  });

  test("a partial reading that blocks the full day: nobody can cut one out of it, nor the oracle", () => {
    const asset = registerVerified(chain, { deviceKey: METER.key });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const whole = signedDay(METER, { asset, day, whs: Array(96).fill(5) });
    const part = [...whole.slice(0, 3), Array(10).fill(5), whole.at(-1)];
    expect(chain.call(STRANGER, "production-tracking.record-day", ...part).err).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    expect(chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 5).err).toBe(
      PRODUCTION.ERR_DEVICE_MUST_SIGN,
    );
    must(chain.call(STRANGER, "production-tracking.record-day", ...whole));
  });

  test("lifting a suspension by retiring", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "meter tampered"));
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    expect(chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 1).err).toBe(
      PRODUCTION.ERR_NOT_RECORDABLE,
    );
  });
});

describe("sellers", () => {
  test("a request for another capacity as a stop button", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day });
    must(chain.call(OWNER, "asset-verification.request-change", asset, 1, null));
    const payment = fund(chain, id, 100_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(settle(payment));
    expect(deliveredOf(payment)).toBe(100_000n);
  });

  test("selling next year to a friend just before a transfer", () => {
    const asset = addPlant(chain);
    const day = chain.today + 300n;
    const id = offer(chain, asset, { day, price: 1_000, minFill: 1, taker: STRANGER });
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    const taking = () => chain.call(STRANGER, "settlement.accept-and-fund", id, 500_000, NO_LIMIT, NO_LIMIT).err;
    expect(taking()).toBe(MARKET.ERR_TRANSFER_PROPOSED);
    expect(chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, { day })).err).toBe(
      MARKET.ERR_TRANSFER_PROPOSED,
    );
    must(chain.call(BUYER, "asset-verification.accept-transfer", asset));
    expect(taking()).toBe(MARKET.ERR_EPOCH_OVER);
    expect(chain.read("market-participation.get-available", asset, day)).toBe(BigInt(CAPACITY_W * 24));
  });

  test("retiring a buyer's energy just before a transfer", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_000);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 1_000, OWNER).err).toBe(
      MARKET.ERR_TRANSFER_PROPOSED,
    );
  });

  test("an operator who sells to himself, or below the owner's price", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 80_000));
    expect(
      chain.call(OPERATOR, "market-participation.create-offer", ...offerOf(chain, asset, { price: 79_999 })).err,
    ).toBe(MARKET.ERR_BELOW_MIN_PRICE);
    const id = offer(chain, asset, { by: OPERATOR, price: 80_000, taker: OPERATOR });
    expect(chain.call(OPERATOR, "settlement.accept-and-fund", id, 1_000, NO_LIMIT, NO_LIMIT).err).toBe(
      MARKET.ERR_SELF_TRADE,
    );
  });

  test("an operator who was dismissed", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    const id = offer(chain, asset, { by: OPERATOR, price: 1_000, minFill: 1 });
    must(chain.call(OWNER, "asset-verification.set-operator", asset, null, 0));
    expect(chain.call(STRANGER, "settlement.accept-and-fund", id, 500_000, NO_LIMIT, NO_LIMIT).err).toBe(
      MARKET.ERR_EPOCH_OVER,
    );
    expect(chain.call(OPERATOR, "market-participation.cancel-offer", id).err).toBe(MARKET.ERR_NOT_SELLER);
    expect(chain.call(OPERATOR, "market-participation.create-offer", ...offerOf(chain, asset)).err).toBe(
      MARKET.ERR_NOT_SELLER,
    );
  });

  test("flipping between metered and unmetered feed", () => {
    const asset = addPlant(chain, { metered: true });
    expect(chain.call(OWNER, "grid-integration.request-connection", asset, 1).err).toBe(
      GRID.ERR_WRONG_CONNECTION_STATE,
    );
    expect(chain.call(GRID_OPERATOR, "grid-integration.approve-connection", asset, CAPACITY_W, false).err).toBe(
      GRID.ERR_WRONG_CONNECTION_STATE,
    );
    expect(chain.call(GRID_OPERATOR, "grid-integration.reject-connection", asset, "x").err).toBe(
      GRID.ERR_WRONG_CONNECTION_STATE,
    );
    for (const status of [4, 3, 5, 3, 6, 3])
      must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, status));
    expect(chain.read("grid-integration.get-connection", asset)["feed-metered"]).toBe(true);
  });
});

describe("money", () => {
  test("dust fills that round to nothing", () => {
    const asset = addPlant(chain);
    const dust = { wh: 500_000, price: 1, minFill: 1 };
    expect(chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, dust)).err).toBe(
      MARKET.ERR_INVALID_MIN_FILL,
    );
    const id = offer(chain, asset, { ...dust, minFill: 1_000 });
    for (const wh of [1, 999]) {
      expect(chain.call(BUYER, "settlement.accept-and-fund", id, wh, NO_LIMIT, NO_LIMIT).err).toBe(
        MARKET.ERR_INVALID_FILL,
      );
    }
  });

  test("draining by rounding: hundreds of the worst fills cost a seller less than a microSTX each, and nobody else anything", async () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const fills = 300n;
    produce(chain, asset, day, fills * 3n);
    // 3 Wh at 999 are 2.997 microSTX: 3 to lock, 2 earned.
    const id = offer(chain, asset, { day, wh: fills * 3n, price: 999, minFill: 3 });
    const owner = chain.balance(OWNER);
    const buyer = chain.balance(BUYER);
    for (let fill = 0n; fill < fills; fill += 1n) {
      fund(chain, id, 3);
      if (fill % 50n === 0n) await breathe();
    }
    expect(buyer - chain.balance(BUYER)).toBe(2n * fills);
    expect(chain.balance(OWNER) - owner).toBe(2n * fills);
    expect(chain.balance(SETTLEMENT)).toBe(0n);
    expect(chain.read("market-participation.get-offer", id)).toMatchObject({ state: OFFER.COMPLETED, fills });
  });

  test("raising the fee after funding", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 500));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(settle(payment));
    expect(chain.read("settlement.get-payment", payment)).toMatchObject({ "fee-bps": 100n, "fee-ustx": 100_000n });
  });

  test("a sweep of the fees that takes escrow", () => {
    const asset = addPlant(chain);
    fund(chain, offer(chain, asset), 500_000);
    expect(chain.balance(SETTLEMENT)).toBe(50_000_000n);
    expect(chain.call(DEPLOYER, "settlement.withdraw-fees", 1, DEPLOYER).err).toBe(MONEY.ERR_INVALID_AMOUNT);
  });

  test("freezing a seller's energy without paying for it", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    expect(chain.call(BUYER, "market-participation.mark-accepted", id, 500_000, BUYER).err).toBe(
      MARKET.ERR_NOT_SETTLEMENT,
    );
    expect(chain.read("market-participation.get-offer", id)["open-wh"]).toBe(500_000n);
  });

  test("settling and refunding one payment", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 0);
    chain.advanceToDay(day + 100n);
    expect(chain.call(BUYER, "settlement.refund", payment).err).toBe(MONEY.ERR_NOT_REFUNDABLE);
    must(settle(payment));
    expect(chain.call(BUYER, "settlement.refund", payment).err).toBe(MONEY.ERR_PAYMENT_CLOSED);
  });
});

describe("roles", () => {
  test("a hand-over that locks everybody out", () => {
    // Proposed to a principal that can never accept: the owner stays, and thinks again.
    must(chain.call(DEPLOYER, "asset-verification.propose-owner", SETTLEMENT));
    expect(chain.read("asset-verification.get-contract-owner")).toBe(DEPLOYER);
    must(chain.call(DEPLOYER, "asset-verification.propose-owner", OPERATOR));
    must(chain.call(OPERATOR, "asset-verification.accept-owner"));
    expect(chain.read("asset-verification.get-contract-owner")).toBe(OPERATOR);
  });

  test("a pause that traps money or energy", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payments = [
      fund(chain, offer(chain, asset, { day }), 100_000),
      fund(chain, offer(chain, asset, { day: day + 1n }), 100_000),
    ];
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(settle(payments[0]));
    chain.advanceToDay(day + 47n);
    must(chain.call(STRANGER, "settlement.refund", payments[1]));
    expect(chain.balance(SETTLEMENT)).toBe(100_000n);
  });
});

// A contract that a user calls acts as itself, never as the user: whoever signs.
describe("phishing through a contract in between", () => {
  const ANY = 10n ** 9n;
  const CASES = [
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
    ["asset-verification.accept-transfer", BUYER_2, ({ proposed }) => [proposed], "ERR_NOT_PROPOSED_OWNER"],
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
    ["market-participation.create-offer", OWNER, ({ plant }) => offerOf(chain, plant), "ERR_NOT_SELLER"],
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

  // In this situation each of the calls above works.
  function setTheStage() {
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

  test.each(CASES)("%s", (functionId, victim, valuesIn, error) => {
    const values = valuesIn(setTheStage());
    chain.deploy("phisher", `(define-public (trick) ${chain.source(functionId, ...values)})`);
    expect(chain.call(victim, "phisher.trick").err).toBe(errorsOf(functionId.split(".")[0])[error]);
    expect(chain.call(victim, functionId, ...values).err).toBeUndefined();
  });

  test("every public function that asks who calls is among them", () => {
    const free = [
      "asset-verification.register-asset", // makes the contract itself the owner
      "production-tracking.record-day",
      "market-participation.expire-offer",
      "market-participation.mark-accepted",
      "market-participation.mark-completed",
      "settlement.settle",
      "settlement.settle-batch",
      "settlement.refund",
    ];
    const tried = CASES.map(([functionId]) => functionId);
    expect([...tried, ...free].sort()).toEqual(publicFunctions(chain).sort());
  });
});

describe("contracts as parties", () => {
  test("a contract owns a plant, sells its energy, and is paid", () => {
    const asMember = (functionId, ...values) => `(as-contract? () (try! ${chain.source(functionId, ...values)}))`;
    const day = chain.today + 2n;
    const key = [1, CAPACITY_W, "9q8yy", REGION, METADATA_HASH, 900, null];
    chain.deploy(
      "cooperative",
      `(define-public (register) ${asMember("asset-verification.register-asset", ...key)})
       (define-public (connect) ${asMember("grid-integration.request-connection", 1, CAPACITY_W)})
       (define-public (sell) ${asMember("market-participation.create-offer", 1, day, 100_000, 100_000, 1_000, day * DAY, null)})`,
    );
    must(chain.call(STRANGER, "cooperative.register"));
    must(chain.call(REGISTRAR, "asset-verification.verify-asset", 1, CAPACITY_W, null));
    must(chain.call(STRANGER, "cooperative.connect"));
    must(chain.call(GRID_OPERATOR, "grid-integration.approve-connection", 1, CAPACITY_W, false));
    must(chain.call(STRANGER, "cooperative.sell"));
    const payment = fund(chain, 1, 100_000);
    chain.advanceToDay(day + 1n);
    produce(chain, 1, day, 100_000);
    must(settle(payment));
    expect(chain.balance(`${DEPLOYER}.cooperative`)).toBe(9_900_000n);
    expect(chain.read("settlement.get-payment", payment)).toMatchObject({
      state: PAYMENT.SETTLED,
      payee: `${DEPLOYER}.cooperative`,
    });
  });
});

describe("what the VM would do without an error code", () => {
  test("a list longer than its limit does not reach the contract", () => {
    const asset = registerVerified(chain);
    const item = { "asset-id": asset, day: chain.today, mask: 1, wh: 1 };
    expect(() => chain.call(ORACLE, "production-tracking.record-batch", Array(201).fill(item))).toThrow();
    expect(() => chain.call(STRANGER, "settlement.settle-batch", Array(26).fill(1))).toThrow();
  });

  // Overflow, underflow and division by zero abort a call without any code: no argument may cause them.
  test("no argument makes a public function abort", async () => {
    const asset = addPlant(chain, { metered: true });
    const keyed = registerVerified(chain, { deviceKey: METER.key });
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
      if (type === "principal") return pick([...accounts, SETTLEMENT]);
      if (type.optional !== undefined) return pick([null, valueOf(type.optional)]);
      if (type["string-ascii"]) return pick(["", "CA-N"]);
      if (type.buffer) return pick(["", "00".repeat(type.buffer.length), METER.key.slice(0, 2 * type.buffer.length)]);
      if (type.list) return Array.from({ length: random(4) }, () => valueOf(type.list.type));
      return Object.fromEntries(type.tuple.map((field) => [field.name, valueOf(field.type)]));
    };
    const codes = new Set(CONTRACTS.flatMap((contract) => Object.values(errorsOf(contract))));
    for (const functionId of publicFunctions(chain)) {
      await breathe();
      for (let round = 0; round < 60; round += 1) {
        const values = chain.argumentsOf(functionId).map(({ type }) => valueOf(type));
        const { err } = chain.call(pick(accounts), functionId, ...values);
        // Nor does any code of the VM's own come through.
        if (err !== undefined) expect(codes).toContain(err < 1_000_000n ? err : err / 1_000n);
      }
    }
    expect(chain.read("settlement.is-solvent")).toBe(true);
  });

  test("nor does any make a read-only function abort", () => {
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
      chain.read("asset-verification.get-recording-right", value);
    }
  });
});

function publicFunctions(chain) {
  return CONTRACTS.flatMap((contract) => chain.functionsOf(contract, "public").map((name) => `${contract}.${name}`));
}
