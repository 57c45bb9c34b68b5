// Attacks and traps: each title states what could be tried, and that it fails. docs/contracts.md quotes the titles.
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
  CURVE,
  meter,
  otherS,
} from "./accounts.js";
import { breathe } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  NO_LIMIT,
  OFFER,
  PAYMENT,
  WHOLE_DAY,
  addPlant,
  change,
  connect,
  feed,
  fund,
  must,
  newMetadataHash,
  offer,
  offerOf,
  produce,
  record,
  register,
  registerVerified,
  reject,
  signedDay,
  startSystem,
  verify,
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
  test("retiring energy that was sold forward is rejected", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day, wh: 400_000 }), 400_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500_000);
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 100_001, OWNER, "own use").err).toBe(
      MARKET.ERR_OVERSOLD,
    );
    must(chain.call(OWNER, "market-participation.retire-energy", asset, day, 100_000, OWNER, "own use"));
    must(settle(payment));
    expect(deliveredOf(payment)).toBe(400_000n);
    // It also fails after the settlement: funded energy stays reserved.
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 1, OWNER, "own use").err).toBe(
      MARKET.ERR_OVERSOLD,
    );
  });

  test("energy sold forward cannot be sold again on the spot, before or after it is settled", () => {
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
    // The open part of the forward offer was never sold.
    expect(selling(50_000)).toBeUndefined();
    expect(selling(1_000)).toBe(MARKET.ERR_OVERSOLD);
  });

  test("energy whose buyer was refunded cannot be sold again", () => {
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

  test("a day cannot be oversold by mixing forward sales, spot sales, retirement and two owners", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    fund(chain, offer(chain, asset, { day, wh: 600_000 }), 200_000);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER_2));
    must(chain.call(BUYER_2, "asset-verification.accept-transfer", asset, 1));
    fund(chain, offer(chain, asset, { day, wh: 600_000, by: BUYER_2 }), 300_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 700_000);
    must(chain.call(BUYER_2, "market-participation.retire-energy", asset, day, 50_000, BUYER_2, "own use"));
    const spot = offer(chain, asset, { day, wh: 150_000, by: BUYER_2 });
    expect(chain.call(BUYER_2, "market-participation.retire-energy", asset, day, 1, BUYER_2, "own use").err).toBe(
      MARKET.ERR_OVERSOLD,
    );
    fund(chain, spot, 150_000);
    must(settle(1));
    must(settle(2));
    const sold = [1, 2, 3].reduce((sum, payment) => sum + deliveredOf(payment), 0n);
    expect(sold + 50_000n).toBe(700_000n);
  });

  test("energy produced before the connection's approval can be neither retired nor sold, metered or not", () => {
    for (const metered of [true, false]) {
      const asset = registerVerified(chain);
      const day = chain.today;
      chain.advanceToDay(day + 1n);
      produce(chain, asset, day, 10_000);
      const retiring = () => chain.call(OWNER, "market-participation.retire-energy", asset, day, 1, OWNER, "x").err;
      // Nothing was fed in, so nothing can be sold or claimed, and no later connection changes that.
      expect(chain.read("grid-integration.get-deliverable", asset, day)).toBe(0n);
      expect(retiring()).toBe(MARKET.ERR_OVERSOLD);
      connect(chain, asset, { metered });
      expect(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 1_000, 0).err).toBe(
        GRID.ERR_DAY_BEFORE_CONNECTION,
      );
      const selling = (of) =>
        chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, { day: of, wh: 10_000 })).err;
      expect(selling(day)).toBe(MARKET.ERR_DAY_BEFORE_CONNECTION);
      expect(retiring()).toBe(MARKET.ERR_OVERSOLD);
      expect(chain.read("grid-integration.get-deliverable", asset, day)).toBe(0n);
      // From the day of the connection on, it can be sold.
      chain.advanceToDay(day + 2n);
      produce(chain, asset, day + 1n, 10_000);
      if (metered) feed(chain, asset, day + 1n, 10_000);
      expect(selling(day + 1n)).toBeUndefined();
    }
  });

  test("later, cheaper fills do not dilute an earlier buyer's share", () => {
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

  test("a front-run purchase is rejected by the buyer's limit on the energy ahead of it", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 400_000 });
    const { "before-wh": seen } = chain.read("market-participation.quote", id, 100_000);
    fund(chain, id, 300_000, { by: BUYER_2 });
    expect(chain.call(BUYER, "settlement.accept-and-fund", id, 100_000, 100_000, NO_LIMIT, seen).err).toBe(
      MONEY.ERR_BEFORE_ABOVE_MAX,
    );
  });
});

describe("a day is counted once", () => {
  test("a slot cannot be recorded again by another path", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today;
    change(chain, asset, CAPACITY_W);
    chain.advanceToDay(day + 3n);
    // The oracle records the days before and after the meter's.
    record(chain, asset, day, 1, 0b11);
    const relaying = (values) => chain.call(STRANGER, "production-tracking.record-day", ...values).err;
    const batching = (on, mask) =>
      chain.call(ORACLE, "production-tracking.record-batch", [{ "asset-id": asset, day: on, mask, wh: 1 }]).ok[0].err;
    expect(batching(day, 0b10)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
    expect(relaying(signedDay(METER, { asset, day, start: 1, whs: [1] }))).toBe(PRODUCTION.ERR_NO_DEVICE_KEY);
    expect(batching(day + 2n, 0b1)).toBeUndefined();
    expect(relaying(signedDay(METER, { asset, day: day + 2n, start: 1, whs: [1] }))).toBe(PRODUCTION.ERR_NO_DEVICE_KEY);
    expect(batching(day + 2n, 0b1)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
  });

  test("a slot that is twice in one batch is recorded once", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const item = { "asset-id": asset, day, mask: 1, wh: 1 };
    expect(chain.call(ORACLE, "production-tracking.record-batch", [item, item]).ok).toEqual([
      { ok: true },
      { err: PRODUCTION.ERR_SLOT_ALREADY_RECORDED },
    ]);
  });

  test("replaying a signed reading is rejected, unchanged and with the other S", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 2n);
    const relaying = (values) => chain.call(STRANGER, "production-tracking.record-day", ...values).err;
    const low = signedDay(METER, { asset, day, whs: [7, 8] });
    const high = [...low.slice(0, -1), otherS(low.at(-1))];
    expect(relaying(low)).toBeUndefined();
    for (const again of [low, high]) expect(relaying(again)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
    // The signature with the other S is also valid, but the reading is still counted once.
    const next = signedDay(METER, { asset, day: day + 1n, whs: [7, 8] });
    expect(relaying([...next.slice(0, -1), otherS(next.at(-1))])).toBeUndefined();
    expect(relaying(next)).toBe(PRODUCTION.ERR_SLOT_ALREADY_RECORDED);
    expect(chain.read("production-tracking.get-total-production", asset)["recorded-wh"]).toBe(30n);
  });

  test("a reading signed for another chain or contract is rejected", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    for (const other of [{ chainId: 1 }, { contract: `${OWNER}.production-tracking` }]) {
      const values = signedDay(METER, { asset, day, whs: [7], ...other });
      expect(chain.call(STRANGER, "production-tracking.record-day", ...values).err).toBe(
        PRODUCTION.ERR_INVALID_SIGNATURE,
      );
    }
  });

  test("readings whose slots are shifted out of the mask are rejected", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    for (const start of [96, 127, 128, 129, 256]) {
      const values = signedDay(METER, { asset, day, start, whs: [7] });
      expect(chain.call(STRANGER, "production-tracking.record-day", ...values).err).toBe(PRODUCTION.ERR_INVALID_SLOTS);
    }
  });

  test("a day cannot be changed after a payment was settled on it", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 200_000, WHOLE_DAY - 1n);
    verify(chain, asset, day);
    feed(chain, asset, day, 50_000);
    must(settle(payment));
    expect(chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 1).err).toBe(
      PRODUCTION.ERR_DAY_FINAL,
    );
    for (const by of [VERIFIER, ARBITER]) {
      expect(chain.call(by, "production-tracking.adjust-day", asset, day, 200_000, 1).err).toBe(
        PRODUCTION.ERR_DAY_FINAL,
      );
      expect(chain.call(by, "production-tracking.dispute-day", asset, day, "x").err).toBe(PRODUCTION.ERR_DAY_FINAL);
      expect(chain.call(by, "production-tracking.reject-day", asset, day, 0, 0, "x").err).toBe(
        PRODUCTION.ERR_DAY_FINAL,
      );
    }
    expect(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 60_000, 0).err).toBe(
      GRID.ERR_FEED_FINAL,
    );
  });

  test("a decision on a day fails if slots were added during the review", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 100, 0b1);
    record(chain, asset, day, 900, 0b10);
    for (const decision of [["verify-day"], ["reject-day", "x"]]) {
      const [name, ...reason] = decision;
      const deciding = (mask, wh) =>
        chain.call(VERIFIER, `production-tracking.${name}`, asset, day, mask, wh, ...reason);
      for (const [mask, wh] of [
        [1, 100],
        [3, 100],
        [1, 1_000],
      ]) {
        expect(deciding(mask, wh).err).toBe(PRODUCTION.ERR_REVIEW_MISMATCH);
      }
    }
    expect(chain.call(VERIFIER, "production-tracking.adjust-day", asset, day, 100, 50).err).toBe(
      PRODUCTION.ERR_REVIEW_MISMATCH,
    );
    // A slot without energy changes only the mask, which also counts as a change.
    record(chain, asset, day, 0, 0b100);
    expect(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 3, 1_000).err).toBe(
      PRODUCTION.ERR_REVIEW_MISMATCH,
    );
  });
});

describe("meters and their keys", () => {
  test("an approval fails if the key or the capacity was swapped during the registrar's review", () => {
    const asset = registerVerified(chain, { device: METER });
    const [second, own] = [meter("second"), meter("owner's")];
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, second.claimBy(OWNER)));
    must(chain.call(OWNER, "asset-verification.request-change", asset, 10 * CAPACITY_W, own.claimBy(OWNER)));
    for (const [capacity, device] of [
      [CAPACITY_W, second],
      [CAPACITY_W, own],
      [10 * CAPACITY_W, second],
    ]) {
      expect(chain.call(REGISTRAR, "asset-verification.approve-change", asset, capacity, device.deviceKey).err).toBe(
        ASSET.ERR_REVIEW_MISMATCH,
      );
    }
  });

  test("squatting on another's meter key is rejected: a stranger cannot prove that they hold it", () => {
    for (const device of [METER, meter("victim's", { curve: CURVE.P256 })]) {
      const stolen = { ...device.deviceKey, proof: device.claimBy(OWNER).proof };
      const values = [1, CAPACITY_W, "9q8yy", REGION];
      const registering = (by) =>
        chain.call(by, "asset-verification.register-asset", ...values, newMetadataHash(), 900, stolen).err;
      expect(registering(STRANGER)).toBe(ASSET.ERR_INVALID_PROOF);
      expect(registering(OWNER)).toBeUndefined();
      const asset = registerVerified(chain, { owner: STRANGER });
      expect(chain.call(STRANGER, "asset-verification.request-change", asset, CAPACITY_W, stolen).err).toBe(
        ASSET.ERR_INVALID_PROOF,
      );
    }
  });

  test("an owner cannot record production with their own, unapproved key", () => {
    const asset = registerVerified(chain, { device: METER });
    const own = meter("owner's");
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, own.claimBy(OWNER)));
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    for (const keyEpoch of [1, 2]) {
      const values = signedDay(own, { asset, day, whs: [9], keyEpoch });
      expect(chain.call(OWNER, "production-tracking.record-day", ...values).err).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    }
    expect(chain.call(OWNER, "production-tracking.record-production", asset, day, 1, 9).err).toBe(
      PRODUCTION.ERR_NOT_ORACLE,
    );
  });

  test("the day on which a new key is bound is not lost: the former key signs all of it", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 3n;
    // The new key is bound at noon: the former key signs that whole day, the new key the next one.
    chain.advanceTo(day * 86_400n + 43_200n);
    const next = meter("second", { curve: CURVE.P256 });
    change(chain, asset, CAPACITY_W, next);
    chain.advanceToDay(day + 2n);
    const relaying = (device, values) =>
      chain.call(STRANGER, "production-tracking.record-day", ...signedDay(device, { asset, ...values })).err;
    const whs = Array(96).fill(5);
    expect(relaying(next, { day, whs, keyEpoch: 2 })).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    expect(relaying(METER, { day: day + 1n, whs })).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    expect(relaying(METER, { day, whs })).toBeUndefined();
    expect(relaying(next, { day: day + 1n, whs, keyEpoch: 2 })).toBeUndefined();
  });

  test("days up to a suspension can still be recorded", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "inspection"));
    chain.advanceToDay(day + 4n);
    const relaying = (on) =>
      chain.call(STRANGER, "production-tracking.record-day", ...signedDay(METER, { asset, day: on, whs: [5] })).err;
    expect([day, day + 1n, day + 2n].map(relaying)).toEqual([undefined, undefined, PRODUCTION.ERR_NOT_RECORDABLE]);
    verify(chain, asset, day);
  });

  test("a day cannot be rejected a minute after midnight, before its signed readings arrive", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceTo((day + 1n) * 86_400n + 60n);
    for (const by of [VERIFIER, ARBITER]) {
      expect(chain.call(by, "production-tracking.reject-day", asset, day, 0, 0, "no data").err).toBe(
        by === VERIFIER ? PRODUCTION.ERR_DAY_STILL_OPEN : PRODUCTION.ERR_NOT_VERIFIER,
      );
    }
    // It also fails after the relayer's transaction: the day is no longer as reviewed.
    must(
      chain.call(
        STRANGER,
        "production-tracking.record-day",
        ...signedDay(METER, { asset, day, whs: Array(96).fill(5) }),
      ),
    );
    expect(chain.call(VERIFIER, "production-tracking.reject-day", asset, day, 0, 0, "no data").err).toBe(
      PRODUCTION.ERR_REVIEW_MISMATCH,
    );
    verify(chain, asset, day);
  });

  test("readings that a meter signed for its former plant are rejected for its new one", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    const old = signedDay(METER, { asset, day, whs: Array(96).fill(5) });
    chain.advanceToDay(day + 32n);
    const next = registerVerified(chain, { device: METER });
    chain.advanceToDay(day + 34n);
    const relaying = (values) => chain.call(STRANGER, "production-tracking.record-day", ...values).err;
    expect(relaying(old)).toBe(PRODUCTION.ERR_RECORDING_CLOSED);
    expect(relaying([next, ...old.slice(1)])).toBe(PRODUCTION.ERR_NO_DEVICE_KEY);
    // This also holds for a day that the new plant can record: the signed message names the asset.
    const late = signedDay(METER, { asset, day: day + 33n, whs: [5] });
    expect(relaying([next, ...late.slice(1)])).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    expect(relaying(late)).toBe(PRODUCTION.ERR_NOT_RECORDABLE);
    expect(relaying(signedDay(METER, { asset: next, day: day + 33n, whs: [5] }))).toBeUndefined();
  });

  test("nobody can block a signed day by recording a part of it, not even the oracle", () => {
    const asset = registerVerified(chain, { device: METER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    const whole = signedDay(METER, { asset, day, whs: Array(96).fill(5) });
    const part = [...whole.slice(0, 3), Array(10).fill(5), whole.at(-1)];
    expect(chain.call(STRANGER, "production-tracking.record-day", ...part).err).toBe(PRODUCTION.ERR_INVALID_SIGNATURE);
    expect(chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 5).err).toBe(
      PRODUCTION.ERR_DEVICE_MUST_SIGN,
    );
    must(chain.call(STRANGER, "production-tracking.record-day", ...whole));
  });

  test("retiring does not lift a suspension: no later day can be recorded", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 2n);
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "meter tampered"));
    chain.advanceToDay(day + 4n);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    const recording = (on) => chain.call(ORACLE, "production-tracking.record-production", asset, on, 1, 1).err;
    expect([day + 2n, day + 3n].map(recording)).toEqual([undefined, PRODUCTION.ERR_NOT_RECORDABLE]);
  });
});

describe("changes that race a review", () => {
  test("a feed that is replaced during the verifier's review is not verified", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 100_000);
    const feeding = (exported) =>
      chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, exported, 0).err;
    const verifying = (exported) => chain.call(VERIFIER, "grid-integration.verify-feed", asset, day, exported, 0).err;
    expect(feeding(100_000)).toBeUndefined();
    // The verifier has reviewed 100 kWh, but the other feed is recorded before the decision.
    expect(feeding(0)).toBeUndefined();
    verify(chain, asset, day);
    expect(settle(payment).err).toBe(MONEY.ERR_NOT_DELIVERABLE);
    expect(verifying(100_000)).toBe(GRID.ERR_REVIEW_MISMATCH);
    expect(feeding(100_000)).toBeUndefined();
    expect(verifying(100_000)).toBeUndefined();
    expect(feeding(0)).toBe(GRID.ERR_FEED_FINAL);
    must(settle(payment));
    expect(deliveredOf(payment)).toBe(100_000n);
  });

  test("one withheld slot cannot make a whole batch of verifications fail", () => {
    const plants = Array.from({ length: 5 }, () => registerVerified(chain));
    const hostile = registerVerified(chain, { device: METER, owner: STRANGER });
    const day = chain.today + 1n;
    chain.advanceToDay(day + 1n);
    for (const asset of plants) record(chain, asset, day, 5);
    const relaying = (start, whs) =>
      must(
        chain.call(
          STRANGER,
          "production-tracking.record-day",
          ...signedDay(METER, { asset: hostile, day, start, whs }),
        ),
      );
    relaying(0, Array(95).fill(1));
    const item = (asset, mask, wh) => ({ "asset-id": asset, day, mask, wh });
    const batch = [item(hostile, 2n ** 95n - 1n, 95), ...plants.map((asset) => item(asset, WHOLE_DAY, 5))];
    relaying(95, [1]);
    const { ok } = chain.call(VERIFIER, "production-tracking.verify-days", batch);
    expect(ok[0]).toEqual({ err: PRODUCTION.ERR_REVIEW_MISMATCH });
    expect(ok.slice(1)).toEqual(plants.map(() => ({ ok: true })));
  });

  test("capacity, key and metering cannot change between a transfer's review and its acceptance", () => {
    const [asset, unconnected] = [addPlant(chain), registerVerified(chain)];
    for (const id of [asset, unconnected]) {
      must(chain.call(OWNER, "asset-verification.request-change", id, 1, METER.claimBy(OWNER)));
    }
    must(chain.call(OWNER, "grid-integration.request-connection", unconnected, 5));
    for (const id of [asset, unconnected]) {
      must(chain.call(OWNER, "asset-verification.propose-transfer", id, BUYER));
    }
    const approving = chain.call(REGISTRAR, "asset-verification.approve-change", asset, 1, METER.deviceKey).err;
    expect(approving).toBe(ASSET.ERR_TRANSFER_PROPOSED);
    expect(chain.call(OWNER, "asset-verification.request-change", asset, 2, null).err).toBe(
      ASSET.ERR_TRANSFER_PROPOSED,
    );
    for (const metered of [true, false]) {
      expect(chain.call(GRID_OPERATOR, "grid-integration.approve-connection", unconnected, 5, metered).err).toBe(
        GRID.ERR_TRANSFER_PROPOSED,
      );
    }
    expect(chain.call(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 1).err).toBe(
      GRID.ERR_TRANSFER_PROPOSED,
    );
    // The old owner's request is dropped with the transfer.
    must(chain.call(BUYER, "asset-verification.accept-transfer", asset, 1));
    expect(chain.call(REGISTRAR, "asset-verification.approve-change", asset, 1, METER.deviceKey).err).toBe(
      ASSET.ERR_NO_CHANGE_REQUESTED,
    );
  });

  test("a registrar, grid operator or verifier cannot approve their own plant or feed", () => {
    must(chain.call(DEPLOYER, "asset-verification.set-role", 1, OWNER, "", true));
    must(chain.call(DEPLOYER, "asset-verification.set-role", 2, OWNER, "", true));
    must(chain.call(DEPLOYER, "asset-verification.set-role", 5, OWNER, REGION, true));
    const own = register(chain);
    expect(chain.call(OWNER, "asset-verification.verify-asset", own, CAPACITY_W, null).err).toBe(ASSET.ERR_OWN_ASSET);
    must(chain.call(REGISTRAR, "asset-verification.verify-asset", own, CAPACITY_W, null));
    must(chain.call(OWNER, "asset-verification.request-change", own, 2 * CAPACITY_W, null));
    expect(chain.call(OWNER, "asset-verification.approve-change", own, 2 * CAPACITY_W, null).err).toBe(
      ASSET.ERR_OWN_ASSET,
    );
    must(chain.call(OWNER, "grid-integration.request-connection", own, 5));
    expect(chain.call(OWNER, "grid-integration.approve-connection", own, 5, true).err).toBe(GRID.ERR_OWN_ASSET);
    must(chain.call(GRID_OPERATOR, "grid-integration.approve-connection", own, 5, true));
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    must(chain.call(OWNER, "grid-integration.record-feed", own, day, 10, 0));
    expect(chain.call(OWNER, "grid-integration.verify-feed", own, day, 10, 0).err).toBe(GRID.ERR_OWN_FEED);
  });
});

describe("sellers", () => {
  test("retiring a plant after selling a day a year ahead does not lock the buyer's money", () => {
    const asset = addPlant(chain);
    const payment = fund(chain, offer(chain, asset, { day: chain.today + 366n }), 500_000);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    const before = chain.balance(BUYER);
    must(chain.call(STRANGER, "settlement.refund", payment));
    expect(chain.balance(BUYER) - before).toBe(50_000_000n);
  });

  test("a plant cannot be registered twice to sell its day twice", () => {
    const hash = newMetadataHash();
    const registering = (owner) =>
      chain.call(owner, "asset-verification.register-asset", 1, CAPACITY_W, "9q8yy", REGION, hash, 900, null);
    const asset = must(registering(OWNER));
    expect(registering(OWNER).err).toBe(ASSET.ERR_METADATA_IN_USE);
    must(chain.call(REGISTRAR, "asset-verification.verify-asset", asset, CAPACITY_W, null));
    expect(registering(STRANGER).err).toBe(ASSET.ERR_METADATA_IN_USE);
  });

  test("a plant cannot be retired and registered again on one day to count that day twice", () => {
    const hash = newMetadataHash();
    const registering = () =>
      chain.call(OWNER, "asset-verification.register-asset", 1, CAPACITY_W, "9q8yy", REGION, hash, 900, null);
    const first = must(registering());
    must(chain.call(REGISTRAR, "asset-verification.verify-asset", first, CAPACITY_W, null));
    must(chain.call(OWNER, "asset-verification.retire-asset", first));
    const day = chain.today;
    expect(registering().err).toBe(ASSET.ERR_METADATA_IN_USE);
    chain.advanceToDay(day + 1n);
    const second = must(registering());
    must(chain.call(REGISTRAR, "asset-verification.verify-asset", second, CAPACITY_W, null));
    const recording = (asset) => chain.call(ORACLE, "production-tracking.record-production", asset, day, 1, 1).err;
    expect([first, second].map(recording)).toEqual([undefined, PRODUCTION.ERR_NOT_RECORDABLE]);
  });

  test("an export limit of 24 kWh a day cannot be sold as 2,400 kWh", () => {
    const asset = addPlant(chain, { limitW: 1_000 });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 2_400_000);
    const selling = (wh) =>
      chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, { day, wh })).err;
    expect(selling(24_001)).toBe(MARKET.ERR_OVERSOLD);
    expect(selling(24_000)).toBeUndefined();
  });

  test("a plant that was disconnected the day before delivers nothing", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 6));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(settle(payment));
    expect(deliveredOf(payment)).toBe(0n);
  });

  test("an offer cannot be filled beyond an export limit that was lowered since", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { day: chain.today + 2n });
    must(chain.call(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 1_000));
    const taking = (wh) => chain.call(BUYER, "settlement.accept-and-fund", id, wh, 1, NO_LIMIT, NO_LIMIT).err;
    expect(taking(24_001)).toBe(MARKET.ERR_OVERSOLD);
    expect(chain.read("market-participation.quote", id, 24_001)).toBeNull();
    expect(taking(24_000)).toBeUndefined();
  });

  test("energy from a battery can be neither retired nor claimed, so it is not counted twice", () => {
    const battery = addPlant(chain, { kind: 6 });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, battery, day, 10_000);
    expect(chain.call(OWNER, "market-participation.retire-energy", battery, day, 1, OWNER, "x").err).toBe(
      MARKET.ERR_STORAGE_NOT_RETIRABLE,
    );
    const payment = fund(chain, offer(chain, battery, { day, wh: 10_000 }), 10_000);
    expect(chain.call(BUYER, "settlement.claim", payment, 1, BUYER, "x").err).toBe(MONEY.ERR_NOT_CLAIMABLE);
  });

  test("energy that was exported and imported again cannot be retired", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 10_000);
    feed(chain, asset, day, 10_000, 9_000);
    const retiring = (wh) => chain.call(OWNER, "market-participation.retire-energy", asset, day, wh, OWNER, "x").err;
    expect(retiring(1_001)).toBe(MARKET.ERR_ABOVE_NET_EXPORT);
    expect(retiring(1_000)).toBeUndefined();
  });

  test("an operator who is bound to a lowest price cannot sell for a worthless token", () => {
    const asset = addPlant(chain);
    const token = `${DEPLOYER}.worthless`;
    must(chain.call(DEPLOYER, "settlement.set-token", token, true));
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 80_000));
    expect(chain.call(OPERATOR, "market-participation.create-offer", ...offerOf(chain, asset, { token })).err).toBe(
      MARKET.ERR_BELOW_MIN_PRICE,
    );
  });

  test("requesting another capacity does not stop a sale", () => {
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

  test("an owner cannot sell next year's energy to a friend just before a transfer", () => {
    const asset = addPlant(chain);
    const day = chain.today + 300n;
    const id = offer(chain, asset, { day, price: 1_000, minFill: 1, taker: STRANGER });
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    const taking = () =>
      chain.call(STRANGER, "settlement.accept-and-fund", id, 500_000, 500_000, NO_LIMIT, NO_LIMIT).err;
    expect(taking()).toBe(MARKET.ERR_TRANSFER_PROPOSED);
    expect(chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, { day })).err).toBe(
      MARKET.ERR_TRANSFER_PROPOSED,
    );
    must(chain.call(BUYER, "asset-verification.accept-transfer", asset, 1));
    expect(taking()).toBe(MARKET.ERR_EPOCH_OVER);
    expect(chain.read("market-participation.get-available", asset, day)).toBe(BigInt(CAPACITY_W * 24));
  });

  test("an acceptance fails if energy was sold to a friend after the new owner's review", () => {
    const asset = addPlant(chain);
    const day = chain.today + 300n;
    const propose = () => must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    const reviewed = propose();
    // While the acceptance is pending, the owner sells to a friend.
    must(chain.call(OWNER, "asset-verification.cancel-transfer", asset));
    fund(chain, offer(chain, asset, { day, wh: CAPACITY_W * 24, price: 1, minFill: 1_000, taker: STRANGER }), 1_000, {
      by: STRANGER,
    });
    const other = propose();
    const accepting = (proposal) => chain.call(BUYER, "asset-verification.accept-transfer", asset, proposal).err;
    expect(accepting(reviewed)).toBe(ASSET.ERR_REVIEW_MISMATCH);
    // The new owner reviews again: while this proposal is open, the funded energy cannot change.
    expect(chain.read("asset-verification.get-asset", asset)).toMatchObject({ owner: OWNER, proposal: other });
    expect(chain.read("market-participation.get-day-book", asset, day)["forward-funded-wh"]).toBe(1_000n);
    expect(accepting(other)).toBeUndefined();
  });

  test("an owner cannot retire energy just before a transfer", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_000);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 1_000, OWNER, "own use").err).toBe(
      MARKET.ERR_TRANSFER_PROPOSED,
    );
  });

  test("an operator can sell neither to themselves nor below the owner's price", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 80_000));
    expect(
      chain.call(OPERATOR, "market-participation.create-offer", ...offerOf(chain, asset, { price: 79_999 })).err,
    ).toBe(MARKET.ERR_BELOW_MIN_PRICE);
    const id = offer(chain, asset, { by: OPERATOR, price: 80_000 });
    expect(chain.call(OPERATOR, "settlement.accept-and-fund", id, 1_000, 1_000, NO_LIMIT, NO_LIMIT).err).toBe(
      MARKET.ERR_SELF_TRADE,
    );
  });

  test("a dismissed operator can make no offers, and their old ones cannot be filled", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    const id = offer(chain, asset, { by: OPERATOR, price: 1_000, minFill: 1 });
    must(chain.call(OWNER, "asset-verification.set-operator", asset, null, 0));
    expect(chain.call(STRANGER, "settlement.accept-and-fund", id, 500_000, 500_000, NO_LIMIT, NO_LIMIT).err).toBe(
      MARKET.ERR_EPOCH_OVER,
    );
    expect(chain.call(OPERATOR, "market-participation.cancel-offer", id).err).toBe(MARKET.ERR_NOT_SELLER);
    expect(chain.call(OPERATOR, "market-participation.create-offer", ...offerOf(chain, asset)).err).toBe(
      MARKET.ERR_NOT_SELLER,
    );
  });

  test("a connection cannot be switched between metered and unmetered", () => {
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
  test("a tiny purchase ahead of a larger one does not make it fail: the buyer gets the open part", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 100_000 });
    fund(chain, id, 1_000, { by: STRANGER });
    const taking = (minWh) => chain.call(BUYER, "settlement.accept-and-fund", id, 100_000, minWh, NO_LIMIT, NO_LIMIT);
    expect(taking(100_000).err).toBe(MARKET.ERR_INVALID_FILL);
    must(taking(90_000));
    expect(chain.read("settlement.get-payment", 2).wh).toBe(99_000n);
  });

  test("energy that nobody can buy has no quote", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    const quote = (wh) => chain.read("market-participation.quote", id, wh);
    expect(quote(1_000)).not.toBeNull();
    expect(quote(999)).toBeNull();
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(quote(1_000)).toBeNull();
  });

  test("a payment cannot be assigned to the contract itself, which could never be paid", () => {
    const asset = addPlant(chain);
    const payment = fund(chain, offer(chain, asset), 1_000);
    expect(chain.call(BUYER, "settlement.assign-payment", payment, SETTLEMENT).err).toBe(MONEY.ERR_INVALID_RECIPIENT);
  });

  test("energy cannot be claimed twice, even after the payment was assigned", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 10_000);
    const payment = fund(chain, offer(chain, asset, { day, wh: 10_000 }), 10_000);
    const claiming = (by, wh) => chain.call(by, "settlement.claim", payment, wh, by, "x").err;
    expect(claiming(BUYER, 10_000)).toBeUndefined();
    must(chain.call(BUYER, "settlement.assign-payment", payment, BUYER_2));
    expect(claiming(BUYER_2, 1)).toBe(MONEY.ERR_INVALID_CLAIM);
    // The seller cannot retire the sold energy, either.
    expect(chain.call(OWNER, "market-participation.retire-energy", asset, day, 1, OWNER, "x").err).toBe(
      MARKET.ERR_OVERSOLD,
    );
  });

  test("dust fills that would round to nothing are rejected", () => {
    const asset = addPlant(chain);
    const dust = { wh: 500_000, price: 1, minFill: 1 };
    expect(chain.call(OWNER, "market-participation.create-offer", ...offerOf(chain, asset, dust)).err).toBe(
      MARKET.ERR_INVALID_MIN_FILL,
    );
    const id = offer(chain, asset, { ...dust, minFill: 1_000 });
    for (const wh of [1, 999]) {
      expect(chain.call(BUYER, "settlement.accept-and-fund", id, wh, wh, NO_LIMIT, NO_LIMIT).err).toBe(
        MARKET.ERR_INVALID_FILL,
      );
    }
  });

  test("raising the fee around a fill has no effect, since it needs seven days' notice", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { day: chain.today + 10n });
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 500));
    const payment = fund(chain, id, 1_000);
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 100));
    expect(chain.read("settlement.get-payment", payment)["fee-bps"]).toBe(100n);
    // Lowering the fee in between does not shorten the notice.
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 500));
    chain.advanceToDay(chain.today + 6n);
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 0));
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 500));
    chain.advanceToDay(chain.today + 2n);
    expect(chain.read("settlement.get-payment", fund(chain, id, 1_000))["fee-bps"]).toBe(0n);
  });

  test("raising the fee after funding does not change the payment's fee", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day }), 100_000);
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", 500));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(settle(payment));
    expect(chain.read("settlement.get-payment", payment)).toMatchObject({ "fee-bps": 100n, fee: 100_000n });
  });

  test("withdrawing fees cannot take locked money", () => {
    const asset = addPlant(chain);
    fund(chain, offer(chain, asset), 500_000);
    expect(chain.balance(SETTLEMENT)).toBe(50_000_000n);
    expect(chain.call(DEPLOYER, "settlement.withdraw-fees", 1, DEPLOYER).err).toBe(MONEY.ERR_INVALID_AMOUNT);
  });

  test("a buyer cannot freeze a seller's energy without paying for it", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    expect(chain.call(BUYER, "market-participation.mark-accepted", id, 500_000, 1, BUYER).err).toBe(
      MARKET.ERR_NOT_SETTLEMENT,
    );
    expect(chain.read("market-participation.get-offer", id)["open-wh"]).toBe(500_000n);
  });

  test("a payment cannot be both settled and refunded", () => {
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

// A payment is locked until its day is decided or its window closes. No action before that may keep it locked.
describe("money cannot be trapped for ever", () => {
  const act = (by, functionId, ...values) => chain.call(by, functionId, ...values);
  const recorded = (asset, day) => act(ORACLE, "production-tracking.record-production", asset, day, 3, 4_000);
  const fed = (asset, day) => {
    act(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 3_000, 0);
    act(VERIFIER, "grid-integration.verify-feed", asset, day, 3_000, 0);
  };
  const disputed = (asset, day) => {
    recorded(asset, day);
    act(VERIFIER, "production-tracking.dispute-day", asset, day, "x");
  };
  const verified = (asset, day) => {
    recorded(asset, day);
    act(VERIFIER, "production-tracking.verify-day", asset, day, 3, 4_000);
  };
  const OF_DAY = [
    () => {},
    recorded,
    disputed,
    (asset, day) => {
      recorded(asset, day);
      act(VERIFIER, "production-tracking.reject-day", asset, day, 3, 4_000, "x");
    },
    verified,
    (asset, day) => {
      disputed(asset, day);
      act(ARBITER, "production-tracking.verify-day", asset, day, 3, 4_000);
    },
    fed,
    (asset, day) => {
      verified(asset, day);
      fed(asset, day);
    },
  ];
  const OF_PLANT = [
    () => {},
    (asset) => act(REGISTRAR, "asset-verification.suspend-asset", asset, "x"),
    (asset) => act(OWNER, "asset-verification.retire-asset", asset),
    (asset) => act(OWNER, "asset-verification.propose-transfer", asset, BUYER_2),
    (asset) => {
      act(OWNER, "asset-verification.propose-transfer", asset, BUYER_2);
      act(BUYER_2, "asset-verification.accept-transfer", asset, 1);
    },
    (asset) => {
      act(OWNER, "asset-verification.request-change", asset, 1, METER.claimBy(OWNER));
      act(REGISTRAR, "asset-verification.approve-change", asset, 1, METER.deviceKey);
    },
    (asset) => act(GRID_OPERATOR, "grid-integration.set-status", asset, 6),
    (asset) => act(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 1),
    (_, id) => act(OWNER, "market-participation.cancel-offer", id),
    (_, __, payment) => act(BUYER, "settlement.assign-payment", payment, `${DEPLOYER}.market-participation`),
  ];

  test.each([
    ["before", 0],
    ["after", 1],
  ])("a stranger can settle or refund any payment, exactly once: plants changed %s the day", async (when, odd) => {
    const day = chain.today + 2n;
    const stories = OF_DAY.flatMap((ofDay, row) =>
      OF_PLANT.filter((_, column) => (row + column) % 2 === odd).map((ofPlant) => ({ ofDay, ofPlant })),
    );
    for (const [index, story] of stories.entries()) {
      story.asset = addPlant(chain, { metered: index % 2 === 0 });
      story.offer = offer(chain, story.asset, { day, wh: 10_000 });
      story.payment = fund(chain, story.offer, 5_000);
    }
    await breathe();
    const disturb = () => stories.forEach(({ ofPlant, asset, offer: id, payment }) => ofPlant(asset, id, payment));
    if (when === "before") disturb();
    chain.advanceToDay(day + 1n);
    for (const { ofDay, asset } of stories) ofDay(asset, day);
    if (when === "after") disturb();
    must(act(PAUSER, "asset-verification.set-paused", true));
    must(act(DEPLOYER, "settlement.set-fee-bps", 500));
    const endings = () =>
      stories.map(({ payment }) => ["settle", "refund"].map((way) => act(STRANGER, `settlement.${way}`, payment).ok));
    const early = endings();
    await breathe();
    chain.advanceToDay(day + 46n);
    const late = endings();
    const ways = stories.map((_, index) => [...early[index], ...late[index]].filter(Boolean).length);
    expect(ways).toEqual(stories.map(() => 1));
    // If a day was decided in time, no party has to wait for the end of the window.
    expect(early.filter(([settled]) => settled).length).toBeGreaterThan(3);
    expect(early.filter(([, refunded]) => refunded).length).toBeGreaterThan(3);
    expect(late.filter(([, refunded]) => refunded).length).toBeGreaterThan(10);
    expect(chain.read("settlement.get-escrow-total", null)).toBe(0n);
    expect(chain.balance(SETTLEMENT)).toBe(chain.read("settlement.get-fees", null));
  });
});

describe("roles", () => {
  test("proposing a wrong contract owner locks nobody out: the current owner can propose another", () => {
    // The proposed principal can never accept: the owner keeps the role, and proposes another.
    must(chain.call(DEPLOYER, "asset-verification.propose-owner", SETTLEMENT));
    expect(chain.read("asset-verification.get-contract-owner")).toBe(DEPLOYER);
    must(chain.call(DEPLOYER, "asset-verification.propose-owner", OPERATOR));
    must(chain.call(OPERATOR, "asset-verification.accept-owner"));
    expect(chain.read("asset-verification.get-contract-owner")).toBe(OPERATOR);
  });

  test("a pause traps neither money nor energy", () => {
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
