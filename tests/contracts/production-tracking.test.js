// Recording and review of production, through the public functions.
import { beforeEach, describe, expect, test } from "vitest";

import {
  ARBITER,
  DEPLOYER,
  GRID_OPERATOR,
  ORACLE,
  OWNER,
  REGISTRAR,
  STRANGER,
  VERIFIER,
  meter,
  readingHash,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  DAY_STATE,
  WHOLE_DAY,
  must,
  record,
  register,
  registerVerified,
  signedDay,
  startSystem,
} from "./scenario.js";

const ERR = errorsOf("production-tracking");
const METER = meter("first");
// 100 kW for a quarter of an hour, 10 % more.
const SLOT_LIMIT_WH = 27_500;

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `production-tracking.${name}`, ...values);
const read = (name, ...values) => chain.read(`production-tracking.${name}`, ...values);

/** A verified asset, and its first day, which is just over. */
function assetAndDay(options) {
  const asset = registerVerified(chain, options);
  const day = chain.today;
  chain.advanceToDay(day + 1n);
  return { asset, day };
}

describe("record-production", () => {
  test("adds slots and energy to the day", () => {
    const { asset, day } = assetAndDay();
    const { ok, events } = call(ORACLE, "record-production", asset, day, 0b101, 30_000);
    expect(ok).toBe(true);
    const event = { topic: "production-recorded", version: 1n, "asset-id": asset, day, actor: ORACLE, signed: false };
    expect(events).toEqual([
      { ...event, mask: 0b101n, wh: 30_000n, "day-mask": 0b101n, "day-wh": 30_000n, state: DAY_STATE.RECORDED },
    ]);
    expect(call(ORACLE, "record-production", asset, day, 0b010, 4).events).toEqual([
      { ...event, mask: 0b010n, wh: 4n, "day-mask": 0b111n, "day-wh": 30_004n, state: DAY_STATE.RECORDED },
    ]);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: 0b111n, wh: 30_004n });
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 30_004n, "verified-wh": 0n });
    expect([0, 2, 3, 95, 96, 200].map((slot) => read("is-slot-recorded", asset, day, slot))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(read("is-slot-recorded", asset, day + 1n, 0)).toBe(false);
    expect(
      read("get-days", [
        { "asset-id": asset, day },
        { "asset-id": asset, day: 1 },
      ]),
    ).toEqual([{ state: DAY_STATE.RECORDED, mask: 0b111n, wh: 30_004n }, null]);
  });

  test("takes slots without energy: the night", () => {
    const { asset, day } = assetAndDay();
    expect(call(ORACLE, "record-production", asset, day, WHOLE_DAY, 0).ok).toBe(true);
  });

  test("is for oracles", () => {
    const { asset, day } = assetAndDay();
    for (const sender of [OWNER, VERIFIER, REGISTRAR, DEPLOYER]) {
      expect(call(sender, "record-production", asset, day, 1, 1).err).toBe(ERR.ERR_NOT_ORACLE);
    }
  });

  test("needs an asset, verified, on a day since its verification", () => {
    expect(call(ORACLE, "record-production", 99, chain.today, 1, 1).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    const pending = register(chain);
    const { asset, day } = assetAndDay();
    expect(call(ORACLE, "record-production", pending, day, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
    expect(call(ORACLE, "record-production", asset, day - 1n, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    expect(call(ORACLE, "record-production", asset, day, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
    must(chain.call(REGISTRAR, "asset-verification.reinstate-asset", asset));
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
  });

  test("of a retired asset goes on for the days until it was retired", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 2n);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    chain.advanceToDay(day + 4n);
    expect(call(ORACLE, "record-production", asset, day + 2n, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day + 3n, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
  });

  test("needs slots of the day", () => {
    const { asset, day } = assetAndDay();
    const { asset: hourly, day: hourlyDay } = assetAndDay({ slotSeconds: 3600 });
    expect(call(ORACLE, "record-production", asset, day, 0, 0).err).toBe(ERR.ERR_INVALID_SLOTS);
    expect(call(ORACLE, "record-production", asset, day, 2n ** 96n, 1).err).toBe(ERR.ERR_INVALID_SLOTS);
    expect(call(ORACLE, "record-production", asset, day, 2n ** 128n - 1n, 1).err).toBe(ERR.ERR_INVALID_SLOTS);
    expect(call(ORACLE, "record-production", asset, day, 2n ** 95n, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", hourly, hourlyDay, 2n ** 24n, 1).err).toBe(ERR.ERR_INVALID_SLOTS);
    expect(call(ORACLE, "record-production", hourly, hourlyDay, 2n ** 23n, 1).ok).toBe(true);
  });

  test("waits for the end of the slot", () => {
    const { asset, day } = assetAndDay();
    const today = day + 1n;
    expect(call(ORACLE, "record-production", asset, today, 1, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    chain.advanceTo(today * DAY + 890n);
    expect(call(ORACLE, "record-production", asset, today, 1, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    expect(chain.now).toBe(today * DAY + 900n);
    expect(call(ORACLE, "record-production", asset, today, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, today, 2, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    expect(call(ORACLE, "record-production", asset, today + 1n, 1, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    expect(call(ORACLE, "record-production", asset, 2n ** 128n - 1n, 1, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    // The last slot of a day is over when the day is.
    chain.advanceTo((today + 1n) * DAY - 10n);
    expect(call(ORACLE, "record-production", asset, today, 2n ** 95n, 1).err).toBe(ERR.ERR_SLOT_NOT_OVER);
    expect(call(ORACLE, "record-production", asset, today, 2n ** 95n, 1).ok).toBe(true);
  });

  test("ends thirty days after the day", () => {
    const { asset, day } = assetAndDay();
    chain.advanceTo((day + 31n) * DAY - 10n);
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day, 2, 1).err).toBe(ERR.ERR_RECORDING_CLOSED);
  });

  test("counts a slot once", () => {
    const { asset, day } = assetAndDay();
    must(call(ORACLE, "record-production", asset, day, 0b0110, 1));
    for (const mask of [0b0110, 0b0010, 0b1100, WHOLE_DAY]) {
      expect(call(ORACLE, "record-production", asset, day, mask, 1).err).toBe(ERR.ERR_SLOT_ALREADY_RECORDED);
    }
    expect(call(ORACLE, "record-production", asset, day, 0b1001, 1).ok).toBe(true);
  });

  test.each([900, 1800, 3600])("takes no more than capacity and a tenth, in slots of %i s", (slotSeconds) => {
    const { asset, day } = assetAndDay({ slotSeconds });
    const limit = (SLOT_LIMIT_WH * slotSeconds) / 900;
    expect(call(ORACLE, "record-production", asset, day, 0b1, limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 0b1, limit).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day, 0b110, 2 * limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 0b110, 2 * limit).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day, 0b1000, 2n ** 128n - 1n).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
  });

  test("counts every slot of any mask for what is plausible", () => {
    const { asset, day } = assetAndDay();
    const masks = [WHOLE_DAY, 2n ** 95n + 1n, 0x5555_5555_5555_5555_5555_5555n, 0xf0f0_0000_ffff_0001_8000_7fffn];
    masks.forEach((mask, index) => {
      const other = day + BigInt(index);
      chain.advanceToDay(other + 1n);
      const limit = mask.toString(2).replaceAll("0", "").length * SLOT_LIMIT_WH;
      expect(call(ORACLE, "record-production", asset, other, mask, limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
      expect(call(ORACLE, "record-production", asset, other, mask, limit).ok).toBe(true);
    });
  });

  test("takes the capacity of the day for what is plausible", () => {
    const { asset, day } = assetAndDay();
    must(chain.call(OWNER, "asset-verification.request-change", asset, 2 * CAPACITY_W, null));
    must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, 2 * CAPACITY_W, null));
    chain.advanceToDay(day + 2n);
    expect(call(ORACLE, "record-production", asset, day, 1, SLOT_LIMIT_WH + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 1, SLOT_LIMIT_WH).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day + 1n, 1, 2 * SLOT_LIMIT_WH).ok).toBe(true);
  });

  test("takes the larger capacity on the day of a change, so that what is recorded leaves room for the rest", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceTo(day * DAY + DAY / 2n);
    must(call(ORACLE, "record-production", asset, day, 1, SLOT_LIMIT_WH));
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W / 2, null));
    must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, CAPACITY_W / 2, null));
    chain.advanceToDay(day + 2n);
    expect(call(ORACLE, "record-production", asset, day, 2, SLOT_LIMIT_WH + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 2, SLOT_LIMIT_WH).ok).toBe(true);
    expect(call(VERIFIER, "adjust-day", asset, day, 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(VERIFIER, "adjust-day", asset, day, -1).ok).toBe(BigInt(2 * SLOT_LIMIT_WH - 1));
    expect(call(ORACLE, "record-production", asset, day + 1n, 1, SLOT_LIMIT_WH / 2 + 1).err).toBe(
      ERR.ERR_IMPLAUSIBLE_ENERGY,
    );
    expect(call(ORACLE, "record-production", asset, day + 1n, 1, SLOT_LIMIT_WH / 2).ok).toBe(true);
  });

  test("leaves a bound device key to sign, from the day of its binding on", () => {
    const { asset, day } = assetAndDay();
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, METER.key));
    must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, CAPACITY_W, METER.key));
    chain.advanceToDay(day + 2n);
    expect(call(ORACLE, "record-production", asset, day + 1n, 1, 1).err).toBe(ERR.ERR_DEVICE_MUST_SIGN);
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
    expect(call(STRANGER, "record-day", ...signedDay(METER, { asset, day, start: 1, whs: [1], keyEpoch: 2 })).err).toBe(
      ERR.ERR_NO_DEVICE_KEY,
    );
    expect(call(STRANGER, "record-day", ...signedDay(METER, { asset, day: day + 1n, whs: [1], keyEpoch: 2 })).ok).toBe(
      true,
    );
  });

  test("goes on while there is a pause", () => {
    const { asset, day } = assetAndDay();
    must(chain.call(ARBITER, "asset-verification.set-paused", true));
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
  });

  test("keeps a disputed day disputed", () => {
    const { asset, day } = assetAndDay();
    must(call(ORACLE, "record-production", asset, day, 1, 1));
    must(call(VERIFIER, "dispute-day", asset, day, "odd"));
    expect(call(ORACLE, "record-production", asset, day, 2, 1).ok).toBe(true);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.DISPUTED, mask: 3n, wh: 2n });
  });
});

describe("record-batch", () => {
  const item = (asset, day, mask = 1, wh = 1) => ({ "asset-id": asset, day, mask, wh });

  test("records every item, and prints each", () => {
    const { asset, day } = assetAndDay();
    const other = registerVerified(chain, { slotSeconds: 3600 });
    chain.advanceToDay(day + 2n);
    const { ok, events } = call(ORACLE, "record-batch", [
      item(asset, day, WHOLE_DAY, 9),
      item(other, day + 1n, 0b11, 8),
      item(asset, day + 1n, 0b100, 7),
    ]);
    expect(ok).toBe(true);
    expect(events.map(({ topic, "asset-id": id, day: on, wh }) => [topic, id, on, wh])).toEqual([
      ["production-recorded", asset, day, 9n],
      ["production-recorded", other, day + 1n, 8n],
      ["production-recorded", asset, day + 1n, 7n],
    ]);
    expect(read("get-day", other, day + 1n)).toEqual({ state: DAY_STATE.RECORDED, mask: 3n, wh: 8n });
    expect(read("get-total-production", asset)["recorded-wh"]).toBe(16n);
  });

  test("of nothing does nothing", () => {
    expect(call(ORACLE, "record-batch", [])).toMatchObject({ ok: true, events: [] });
  });

  test("is for oracles", () => {
    const { asset, day } = assetAndDay();
    expect(call(OWNER, "record-batch", [item(asset, day)]).err).toBe(ERR.ERR_NOT_ORACLE);
  });

  test("is all or nothing, and names the item that fails", () => {
    const { asset, day } = assetAndDay();
    const failing = (bad) =>
      call(ORACLE, "record-batch", [item(asset, day, 1), item(asset, day, 2), bad, item(99, day)]).err;
    expect(failing(item(asset, day, 2))).toBe(ERR.ERR_SLOT_ALREADY_RECORDED * 1000n + 2n);
    expect(failing(item(asset, day, 0))).toBe(ERR.ERR_INVALID_SLOTS * 1000n + 2n);
    expect(failing(item(77, day))).toBe(ERR.ERR_ASSET_NOT_FOUND * 1000n + 2n);
    expect(failing(item(asset, day, 4))).toBe(ERR.ERR_ASSET_NOT_FOUND * 1000n + 3n);
    expect(read("get-day", asset, day)).toBeNull();
  });

  test("of 200 items fails at the last, too", () => {
    const { asset, day } = assetAndDay();
    const items = Array.from({ length: 200 }, (_, index) => item(asset, day, 2n ** BigInt(index % 96), 1));
    expect(call(ORACLE, "record-batch", items).err).toBe(ERR.ERR_SLOT_ALREADY_RECORDED * 1000n + 96n);
    const keyed = registerVerified(chain, { deviceKey: METER.key });
    chain.advanceToDay(day + 2n);
    const days = Array.from({ length: 199 }, (_, index) =>
      item(asset, index < 96 ? day : day + 1n, 2n ** BigInt(index % 96), 1),
    );
    expect(call(ORACLE, "record-batch", [...days.slice(0, 192), item(keyed, day + 1n)]).err).toBe(
      ERR.ERR_DEVICE_MUST_SIGN * 1000n + 192n,
    );
    expect(call(ORACLE, "record-batch", days.slice(0, 192)).ok).toBe(true);
  });
});

describe("record-day", () => {
  const WHS = Array.from({ length: 96 }, (_, slot) => (slot > 24 && slot < 72 ? 20_000 : 0));
  const TOTAL = 47n * 20_000n;

  test("records what the meter signed, whoever relays it", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    const { ok, events } = call(STRANGER, "record-day", ...signedDay(METER, { asset, day, whs: WHS }));
    expect(ok).toBe(true);
    expect(events).toEqual([
      {
        topic: "production-recorded",
        version: 1n,
        "asset-id": asset,
        day,
        actor: STRANGER,
        signed: true,
        mask: WHOLE_DAY,
        wh: TOTAL,
        "day-mask": WHOLE_DAY,
        "day-wh": TOTAL,
        state: DAY_STATE.RECORDED,
      },
    ]);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: WHOLE_DAY, wh: TOTAL });
  });

  test("signs the SIP-018 hash of the standard", () => {
    const message = { assetId: 7, day: 20_000, keyEpoch: 3, start: 5, whs: [1, 2, 3] };
    expect(read("get-reading-hash", 7, 20_000, 3, 5, [1, 2, 3])).toBe(readingHash(message).toString("hex"));
    expect(read("get-reading-hash", 7, 20_000, 3, 5, WHS)).toBe(readingHash({ ...message, whs: WHS }).toString("hex"));
  });

  test("records a part of the day from any slot on", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 40, whs: [1, 2, 3] })));
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 95, whs: [5] })));
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 0, whs: [6] })));
    expect(read("get-day", asset, day)).toEqual({
      state: DAY_STATE.RECORDED,
      mask: 1n + (7n << 40n) + (1n << 95n),
      wh: 17n,
    });
  });

  test("needs an asset with a key", () => {
    const { asset, day } = assetAndDay();
    expect(call(OWNER, "record-day", ...signedDay(METER, { asset, day, whs: WHS })).err).toBe(ERR.ERR_NO_DEVICE_KEY);
    expect(call(OWNER, "record-day", ...signedDay(METER, { asset: 99, day, whs: WHS })).err).toBe(
      ERR.ERR_ASSET_NOT_FOUND,
    );
  });

  test("needs slots within the day", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    const recording = (start, whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, start, whs })).err;
    expect(recording(0, [])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(96, [])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(95, [1, 1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(1, WHS)).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(128, [1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(2n ** 128n - 1n, [1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(95, [1])).toBeUndefined();
  });

  test("of an hourly meter ends at slot 23", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key, slotSeconds: 3600 });
    const recording = (start, whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, start, whs })).err;
    expect(recording(20, [1, 1, 1, 1, 1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(20, [1, 1, 1, 1])).toBeUndefined();
  });

  test("refuses readings that cannot be, without overflowing", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    const recording = (whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, whs })).err;
    expect(recording([SLOT_LIMIT_WH + 1])).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording(Array(96).fill(2n ** 128n - 1n))).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording([2n ** 127n])).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording([SLOT_LIMIT_WH])).toBeUndefined();
  });

  test("refuses a signature over anything else, and anything that is none", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    chain.advanceToDay(day + 2n);
    const other = registerVerified(chain, { deviceKey: meter("second").key });
    chain.advanceToDay(day + 4n);
    const signature = (changes) => signedDay(METER, { asset, day, start: 2, whs: [1, 2], ...changes }).at(-1);
    const recording = (sig) => call(OWNER, "record-day", asset, day, 2, [1, 2], sig).err;
    for (const changes of [
      { asset: other },
      { day: day + 1n },
      { start: 3 },
      { whs: [2, 1] },
      { whs: [1, 2, 0] },
      { keyEpoch: 2 },
      { chainId: 1 },
      { contract: `${DEPLOYER}.production-tracking-2` },
    ]) {
      expect(
        recording(signature(changes)),
        JSON.stringify(changes, (_, value) => String(value)),
      ).toBe(ERR.ERR_INVALID_SIGNATURE);
    }
    expect(recording(signedDay(meter("second"), { asset, day, start: 2, whs: [1, 2] }).at(-1))).toBe(
      ERR.ERR_INVALID_SIGNATURE,
    );
    expect(recording("")).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording("00".repeat(65))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording("ff".repeat(65))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(signature({}).slice(0, 128))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(signature({}))).toBeUndefined();
  });

  test("takes only the key of the present epoch", () => {
    const { asset, day } = assetAndDay({ deviceKey: METER.key });
    const next = meter("second");
    must(chain.call(OWNER, "asset-verification.request-change", asset, CAPACITY_W, next.key));
    must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, CAPACITY_W, next.key));
    chain.advanceToDay(day + 2n);
    const recording = (signer, keyEpoch) =>
      call(OWNER, "record-day", ...signedDay(signer, { asset, day: day + 1n, whs: WHS, keyEpoch })).err;
    expect(recording(METER, 1)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(METER, 2)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(next, 1)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(next, 2)).toBeUndefined();
    // Days before the new key was bound have nobody who could sign them: the oracle stands in.
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
  });
});

// What each review function makes of a day in each state, by whom.
describe("day states", () => {
  const reach = {
    OPEN: () => assetAndDay(),
    RECORDED: () => {
      const place = assetAndDay();
      record(chain, place.asset, place.day, 500);
      return place;
    },
    DISPUTED: () => {
      const place = reach.RECORDED();
      must(call(VERIFIER, "dispute-day", place.asset, place.day, "odd"));
      return place;
    },
    VERIFIED: () => {
      const place = reach.RECORDED();
      must(call(VERIFIER, "verify-day", place.asset, place.day, 500));
      return place;
    },
    REJECTED: () => {
      const place = reach.RECORDED();
      must(call(VERIFIER, "reject-day", place.asset, place.day, "no"));
      return place;
    },
  };
  const outcomes = {
    "verify-day": {
      values: [500],
      OPEN: { [VERIFIER]: "ERR_DAY_NOT_RECORDED", [ARBITER]: "ERR_DAY_NOT_RECORDED" },
      RECORDED: { [VERIFIER]: "VERIFIED", [ARBITER]: "ERR_NOT_VERIFIER" },
      DISPUTED: { [VERIFIER]: "ERR_NOT_ARBITER", [ARBITER]: "VERIFIED" },
      VERIFIED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
      REJECTED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
    },
    "reject-day": {
      values: ["implausible"],
      OPEN: { [VERIFIER]: "REJECTED", [ARBITER]: "ERR_NOT_VERIFIER" },
      RECORDED: { [VERIFIER]: "REJECTED", [ARBITER]: "ERR_NOT_VERIFIER" },
      DISPUTED: { [VERIFIER]: "ERR_NOT_ARBITER", [ARBITER]: "REJECTED" },
      VERIFIED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
      REJECTED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
    },
    "dispute-day": {
      values: ["two meters disagree"],
      OPEN: { [VERIFIER]: "ERR_DAY_NOT_RECORDED", [ARBITER]: "ERR_DAY_NOT_RECORDED" },
      RECORDED: { [VERIFIER]: "DISPUTED", [ARBITER]: "DISPUTED", [STRANGER]: "ERR_NOT_VERIFIER_OR_ARBITER" },
      DISPUTED: { [VERIFIER]: "ERR_DAY_DISPUTED", [ARBITER]: "ERR_DAY_DISPUTED" },
      VERIFIED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
      REJECTED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
    },
    "adjust-day": {
      values: [-100],
      OPEN: { [VERIFIER]: "ERR_DAY_NOT_RECORDED", [ARBITER]: "ERR_DAY_NOT_RECORDED" },
      RECORDED: { [VERIFIER]: "RECORDED", [ARBITER]: "ERR_NOT_VERIFIER" },
      DISPUTED: { [VERIFIER]: "ERR_NOT_ARBITER", [ARBITER]: "DISPUTED" },
      VERIFIED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
      REJECTED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
    },
  };
  const cases = Object.entries(outcomes).flatMap(([name, { values, ...states }]) =>
    Object.entries(states).flatMap(([state, byWhom]) =>
      Object.entries(byWhom).map(([sender, outcome]) => [
        name,
        state,
        { [VERIFIER]: "verifier", [ARBITER]: "arbiter" }[sender] ?? "stranger",
        { sender, values, outcome },
      ]),
    ),
  );

  test.each(cases)("%s of a day that is %s, by the %s", (name, state, _, { sender, values, outcome }) => {
    const { asset, day } = reach[state]();
    const { err } = call(sender, name, asset, day, ...values);
    if (outcome.startsWith("ERR_")) {
      expect(err).toBe(ERR[outcome]);
      expect(read("get-day", asset, day)?.state ?? 0n).toBe(state === "OPEN" ? 0n : DAY_STATE[state]);
    } else {
      expect(err).toBeUndefined();
      expect(read("get-day", asset, day).state).toBe(DAY_STATE[outcome]);
    }
  });

  test.each(["verify-day", "reject-day", "adjust-day"])(
    "%s is not for the owner, the oracle or the grid operator",
    (name) => {
      const { asset, day } = reach.RECORDED();
      for (const sender of [OWNER, ORACLE, GRID_OPERATOR, DEPLOYER]) {
        expect(call(sender, name, asset, day, ...outcomes[name].values).err).toBe(ERR.ERR_NOT_VERIFIER);
      }
    },
  );

  test.each(["VERIFIED", "REJECTED"])("nothing is recorded on a day that is %s", (state) => {
    const { asset, day } = state === "REJECTED" ? assetAndDay() : reach[state]();
    if (state === "REJECTED") must(call(VERIFIER, "reject-day", asset, day, "no data"));
    expect(call(ORACLE, "record-production", asset, day, 1, 0).err).toBe(ERR.ERR_DAY_FINAL);
  });
});

describe("verify-day", () => {
  test("makes the energy count", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 0b11);
    expect(call(VERIFIER, "verify-day", asset, day, 500).events).toEqual([
      {
        topic: "day-verified",
        version: 1n,
        "asset-id": asset,
        day,
        actor: VERIFIER,
        mask: 0b11n,
        wh: 500n,
        state: DAY_STATE.VERIFIED,
      },
    ]);
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 500n, "verified-wh": 500n });
  });

  test("repeats what was reviewed", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 1);
    record(chain, asset, day, 1, 2);
    expect(call(VERIFIER, "verify-day", asset, day, 500).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(VERIFIER, "verify-day", asset, day, 501).ok).toBe(true);
  });

  test("begins when the day is over and ends 45 days later", () => {
    const { asset, day } = assetAndDay();
    const today = day + 1n;
    chain.advanceTo(today * DAY + 1800n);
    record(chain, asset, today, 5, 1);
    chain.advanceTo((today + 1n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, today, 5).err).toBe(ERR.ERR_DAY_NOT_OVER);
    record(chain, asset, day, 6, 1);
    chain.advanceTo((today + 46n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, day, 6).err).toBe(ERR.ERR_WINDOW_CLOSED);
    expect(call(VERIFIER, "verify-day", asset, today, 5).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });

  test("succeeds in the last block of the window", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 6, 1);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, day, 6).ok).toBe(true);
  });
});

describe("verify-days", () => {
  const item = (asset, day, wh) => ({ "asset-id": asset, day, wh });

  test("verifies every day, and prints each", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 2n);
    record(chain, asset, day, 5);
    record(chain, asset, day + 1n, 6);
    const { ok, events } = call(VERIFIER, "verify-days", [item(asset, day, 5), item(asset, day + 1n, 6)]);
    expect(ok).toBe(true);
    expect(events.map(({ topic, day: on, wh }) => [topic, on, wh])).toEqual([
      ["day-verified", day, 5n],
      ["day-verified", day + 1n, 6n],
    ]);
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 11n, "verified-wh": 11n });
  });

  test("is all or nothing, and names the day that fails", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 3n);
    for (const offset of [0n, 1n, 2n]) record(chain, asset, day + offset, 5);
    const failing = (...items) => call(VERIFIER, "verify-days", [item(asset, day, 5), ...items, item(99, 1, 1)]).err;
    expect(failing(item(asset, day + 1n, 6))).toBe(ERR.ERR_REVIEW_MISMATCH * 1000n + 1n);
    expect(failing(item(asset, day + 1n, 5), item(asset, day, 5))).toBe(ERR.ERR_DAY_FINAL * 1000n + 2n);
    expect(failing(item(asset, day + 1n, 5))).toBe(ERR.ERR_DAY_NOT_RECORDED * 1000n + 2n);
    must(call(VERIFIER, "dispute-day", asset, day + 2n, "odd"));
    expect(failing(item(asset, day + 2n, 5))).toBe(ERR.ERR_DAY_DISPUTED * 1000n + 1n);
    expect(read("get-day", asset, day).state).toBe(DAY_STATE.RECORDED);
  });

  test("is for verifiers", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 5);
    for (const sender of [ARBITER, OWNER]) {
      expect(call(sender, "verify-days", [item(asset, day, 5)]).err).toBe(ERR.ERR_NOT_VERIFIER);
    }
  });
});

describe("reject-day", () => {
  test("prints why", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    expect(call(VERIFIER, "reject-day", asset, day, "meter moved").events).toEqual([
      {
        topic: "day-rejected",
        version: 1n,
        "asset-id": asset,
        day,
        actor: VERIFIER,
        wh: 500n,
        reason: "meter moved",
        state: DAY_STATE.REJECTED,
      },
    ]);
  });

  test("waits until the day is over", () => {
    const { asset, day } = assetAndDay();
    expect(call(VERIFIER, "reject-day", asset, day + 1n, "x").err).toBe(ERR.ERR_DAY_NOT_OVER);
    chain.advanceTo((day + 2n) * DAY - 10n);
    expect(call(VERIFIER, "reject-day", asset, day + 1n, "x").err).toBe(ERR.ERR_DAY_NOT_OVER);
    expect(call(VERIFIER, "reject-day", asset, day + 1n, "x").ok).toBe(true);
  });

  test("needs an asset", () => {
    expect(call(VERIFIER, "reject-day", 99, chain.today - 1n, "x").err).toBe(ERR.ERR_ASSET_NOT_FOUND);
  });
});

describe("dispute-day", () => {
  test("prints why", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    expect(call(ARBITER, "dispute-day", asset, day, "neighbour produced less").events).toEqual([
      {
        topic: "day-disputed",
        version: 1n,
        "asset-id": asset,
        day,
        actor: ARBITER,
        wh: 500n,
        reason: "neighbour produced less",
        state: DAY_STATE.DISPUTED,
      },
    ]);
  });
});

describe("adjust-day", () => {
  test("corrects day and total", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    const event = {
      topic: "day-adjusted",
      version: 1n,
      "asset-id": asset,
      day,
      actor: VERIFIER,
      state: DAY_STATE.RECORDED,
    };
    const up = call(VERIFIER, "adjust-day", asset, day, 25);
    expect(up).toMatchObject({ ok: 525n, events: [{ ...event, "delta-wh": 25n, "day-wh": 525n }] });
    const down = call(VERIFIER, "adjust-day", asset, day, -525);
    expect(down).toMatchObject({ ok: 0n, events: [{ ...event, "delta-wh": -525n, "day-wh": 0n }] });
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 0n, "verified-wh": 0n });
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: WHOLE_DAY, wh: 0n });
  });

  test("stays within what was recorded and what is plausible", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 1);
    const adjusting = (delta) => call(VERIFIER, "adjust-day", asset, day, delta).err;
    for (const delta of [0, -501, -(2n ** 127n), 10n ** 15n + 1n, 2n ** 127n - 1n]) {
      expect(adjusting(delta)).toBe(ERR.ERR_INVALID_ADJUSTMENT);
    }
    expect(adjusting(SLOT_LIMIT_WH - 499)).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(adjusting(10n ** 15n)).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(adjusting(SLOT_LIMIT_WH - 500)).toBeUndefined();
  });

  test("ends with the window", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(VERIFIER, "adjust-day", asset, day, 1).ok).toBe(501n);
    expect(call(VERIFIER, "adjust-day", asset, day, 1).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });
});

test("every error of the contract was provoked above", () => {
  expect(Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]))).toEqual([]);
});
