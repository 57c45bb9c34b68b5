// Tests of recording and reviewing production through the public functions.
import { createHash } from "node:crypto";

import { Cl, serializeCV } from "@stacks/transactions";
import { beforeEach, describe, expect, test } from "vitest";

import {
  ARBITER,
  CURVE,
  DEPLOYER,
  GRID_OPERATOR,
  ORACLE,
  OWNER,
  REGISTRAR,
  STRANGER,
  VERIFIER,
  hashOf,
  meter,
  otherS,
  readingMessage,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  DAY_STATE,
  WHOLE_DAY,
  change,
  must,
  record,
  register,
  registerVerified,
  reject,
  signedDay,
  startSystem,
  verify,
} from "./scenario.js";

const ERR = errorsOf("production-tracking");
const METER = meter("first");
// The energy of 100 kW for a quarter of an hour, and 10 % more.
const SLOT_LIMIT_WH = 27_500;

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `production-tracking.${name}`, ...values);
const read = (name, ...values) => chain.read(`production-tracking.${name}`, ...values);

/** Creates a verified asset; returns it and its first day, or the first that its device signs, which is just over. */
function assetAndDay(options = {}) {
  const asset = registerVerified(chain, options);
  const day = options.device ? chain.today + 1n : chain.today;
  chain.advanceToDay(day + 1n);
  return { asset, day };
}

describe("record-production", () => {
  test("adds slots and energy to the day", () => {
    const { asset, day } = assetAndDay();
    const { ok, events } = call(ORACLE, "record-production", asset, day, 0b101, 30_000);
    expect(ok).toBe(true);
    const event = {
      topic: "production-recorded",
      version: 1n,
      "asset-id": asset,
      day,
      actor: ORACLE,
      signed: false,
      "root-id": null,
    };
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

  test("accepts slots without energy, as at night", () => {
    const { asset, day } = assetAndDay();
    expect(call(ORACLE, "record-production", asset, day, WHOLE_DAY, 0).ok).toBe(true);
  });

  test("is only for oracles", () => {
    const { asset, day } = assetAndDay();
    for (const sender of [OWNER, VERIFIER, REGISTRAR, DEPLOYER]) {
      expect(call(sender, "record-production", asset, day, 1, 1).err).toBe(ERR.ERR_NOT_ORACLE);
    }
  });

  test("requires a verified asset, and a day since its verification", () => {
    expect(call(ORACLE, "record-production", 99, chain.today, 1, 1).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    const pending = register(chain);
    const { asset, day } = assetAndDay();
    expect(call(ORACLE, "record-production", pending, day, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
    expect(call(ORACLE, "record-production", asset, day - 1n, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
  });

  test("is possible for a suspended asset up to the day of its suspension", () => {
    const { asset, day } = assetAndDay();
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    chain.advanceToDay(day + 3n);
    expect(call(ORACLE, "record-production", asset, day, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day + 1n, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day + 2n, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
    must(chain.call(REGISTRAR, "asset-verification.reinstate-asset", asset));
    expect(call(ORACLE, "record-production", asset, day + 2n, 1, 1).ok).toBe(true);
  });

  test("is possible for a retired asset up to the day of its retirement", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 2n);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    chain.advanceToDay(day + 4n);
    expect(call(ORACLE, "record-production", asset, day + 2n, 1, 1).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day + 3n, 1, 1).err).toBe(ERR.ERR_NOT_RECORDABLE);
  });

  test("requires slots within the day", () => {
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

  test("is possible until thirty days after the day", () => {
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

  test.each([900, 1800, 3600])("accepts at most 110 % of the capacity, in slots of %i s", (slotSeconds) => {
    const { asset, day } = assetAndDay({ slotSeconds });
    const limit = (SLOT_LIMIT_WH * slotSeconds) / 900;
    expect(call(ORACLE, "record-production", asset, day, 0b1, limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 0b1, limit).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day, 0b110, 2 * limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(call(ORACLE, "record-production", asset, day, 0b110, 2 * limit).ok).toBe(true);
    expect(call(ORACLE, "record-production", asset, day, 0b1000, 2n ** 128n - 1n).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
  });

  test("limits the energy by the number of slots in the mask", () => {
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

  test("limits the energy by the capacity of that day, and so does adjust-day", () => {
    const { asset, day } = assetAndDay();
    change(chain, asset, CAPACITY_W / 2);
    const lastOfFormer = day + 1n;
    chain.advanceToDay(day + 3n);
    const limits = [
      [day, SLOT_LIMIT_WH],
      [lastOfFormer, SLOT_LIMIT_WH],
      [lastOfFormer + 1n, SLOT_LIMIT_WH / 2],
    ];
    for (const [on, limit] of limits) {
      expect(call(ORACLE, "record-production", asset, on, 1, limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
      expect(call(ORACLE, "record-production", asset, on, 1, limit).ok).toBe(true);
      expect(call(VERIFIER, "adjust-day", asset, on, limit, limit + 1).err).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
      expect(call(VERIFIER, "adjust-day", asset, on, limit, limit - 1).ok).toBe(BigInt(limit - 1));
    }
  });

  test("requires the device's signature from the day after its key was bound", () => {
    const { asset, day } = assetAndDay();
    change(chain, asset, CAPACITY_W, METER);
    chain.advanceToDay(day + 3n);
    expect(call(ORACLE, "record-production", asset, day + 2n, 1, 1).err).toBe(ERR.ERR_DEVICE_MUST_SIGN);
    for (const on of [day, day + 1n]) {
      expect(call(ORACLE, "record-production", asset, on, 1, 1).ok).toBe(true);
      for (const keyEpoch of [1, 2]) {
        const values = signedDay(METER, { asset, day: on, start: 1, whs: [1], keyEpoch });
        expect(call(STRANGER, "record-day", ...values).err).toBe(ERR.ERR_NO_DEVICE_KEY);
      }
    }
    const values = signedDay(METER, { asset, day: day + 2n, whs: [1], keyEpoch: 2 });
    expect(call(STRANGER, "record-day", ...values).ok).toBe(true);
  });

  test("works during a pause", () => {
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
    expect(ok).toEqual(Array(3).fill({ ok: true }));
    expect(events.map(({ topic, "asset-id": id, day: on, wh }) => [topic, id, on, wh])).toEqual([
      ["production-recorded", asset, day, 9n],
      ["production-recorded", other, day + 1n, 8n],
      ["production-recorded", asset, day + 1n, 7n],
    ]);
    expect(read("get-day", other, day + 1n)).toEqual({ state: DAY_STATE.RECORDED, mask: 3n, wh: 8n });
    expect(read("get-total-production", asset)["recorded-wh"]).toBe(16n);
  });

  test("does nothing with an empty list", () => {
    expect(call(ORACLE, "record-batch", [])).toMatchObject({ ok: [], events: [] });
  });

  test("is only for oracles", () => {
    const { asset, day } = assetAndDay();
    expect(call(OWNER, "record-batch", [item(asset, day)]).err).toBe(ERR.ERR_NOT_ORACLE);
  });

  test("returns one response per item; one that fails changes nothing and does not affect the others", () => {
    const { asset, day } = assetAndDay();
    const keyed = registerVerified(chain, { device: METER });
    chain.advanceToDay(day + 3n);
    const { ok, events } = call(ORACLE, "record-batch", [
      item(asset, day, 1),
      item(asset, day, 1),
      item(99, day),
      item(asset, day, 0),
      item(keyed, day + 2n),
      item(asset, day, 4, SLOT_LIMIT_WH * 3),
      item(asset, day, 2),
    ]);
    expect(ok).toEqual([
      { ok: true },
      { err: ERR.ERR_SLOT_ALREADY_RECORDED },
      { err: ERR.ERR_ASSET_NOT_FOUND },
      { err: ERR.ERR_INVALID_SLOTS },
      { err: ERR.ERR_DEVICE_MUST_SIGN },
      { err: ERR.ERR_IMPLAUSIBLE_ENERGY },
      { ok: true },
    ]);
    expect(events).toHaveLength(2);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: 3n, wh: 2n });
    expect(read("get-total-production", asset)["recorded-wh"]).toBe(2n);
  });

  test("accepts 200 items", () => {
    const { asset, day } = assetAndDay();
    const items = Array.from({ length: 200 }, (_, index) => item(asset, day, 2n ** BigInt(index % 96), 1));
    const { ok } = call(ORACLE, "record-batch", items);
    expect(ok.map(({ err }) => err)).toEqual(
      items.map((_, index) => (index < 96 ? undefined : ERR.ERR_SLOT_ALREADY_RECORDED)),
    );
  });
});

describe("record-day", () => {
  const WHS = Array.from({ length: 96 }, (_, slot) => (slot > 24 && slot < 72 ? 20_000 : 0));
  const TOTAL = 47n * 20_000n;

  test("records what the meter signed, whoever relays it", () => {
    const { asset, day } = assetAndDay({ device: METER });
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
        "root-id": null,
        mask: WHOLE_DAY,
        wh: TOTAL,
        "day-mask": WHOLE_DAY,
        "day-wh": TOTAL,
        state: DAY_STATE.RECORDED,
      },
    ]);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: WHOLE_DAY, wh: TOTAL });
  });

  test("verifies the hash that SIP-018 defines", () => {
    const message = { assetId: 7, day: 20_000, keyEpoch: 3, start: 5, whs: [1, 2, 3] };
    expect(read("get-reading-hash", 7, 20_000, 3, 5, [1, 2, 3])).toBe(hashOf(readingMessage(message)));
    expect(read("get-reading-hash", 7, 20_000, 3, 5, WHS)).toBe(hashOf(readingMessage({ ...message, whs: WHS })));
  });

  test.each(Object.entries(CURVE))("accepts a key on %s, with either S", (_, curve) => {
    const device = meter("any", { curve });
    const { asset, day } = assetAndDay({ device });
    const low = signedDay(device, { asset, day, whs: [1] });
    const high = signedDay(device, { asset, day, start: 1, whs: [2] });
    must(call(STRANGER, "record-day", ...low));
    must(call(STRANGER, "record-day", ...high.slice(0, -1), otherS(high.at(-1), curve)));
    expect(read("get-day", asset, day).wh).toBe(3n);
    const other = meter("any", { curve: curve === CURVE.P256 ? CURVE.SECP256K1 : CURVE.P256 });
    expect(call(STRANGER, "record-day", ...signedDay(other, { asset, day, start: 2, whs: [1] })).err).toBe(
      ERR.ERR_INVALID_SIGNATURE,
    );
  });

  test("records a part of the day, beginning at any slot", () => {
    const { asset, day } = assetAndDay({ device: METER });
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 40, whs: [1, 2, 3] })));
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 95, whs: [5] })));
    must(call(OWNER, "record-day", ...signedDay(METER, { asset, day, start: 0, whs: [6] })));
    expect(read("get-day", asset, day)).toEqual({
      state: DAY_STATE.RECORDED,
      mask: 1n + (7n << 40n) + (1n << 95n),
      wh: 17n,
    });
  });

  test("requires an asset with a device key", () => {
    const { asset, day } = assetAndDay();
    expect(call(OWNER, "record-day", ...signedDay(METER, { asset, day, whs: WHS })).err).toBe(ERR.ERR_NO_DEVICE_KEY);
    expect(call(OWNER, "record-day", ...signedDay(METER, { asset: 99, day, whs: WHS })).err).toBe(
      ERR.ERR_ASSET_NOT_FOUND,
    );
  });

  test("requires slots within the day", () => {
    const { asset, day } = assetAndDay({ device: METER });
    const recording = (start, whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, start, whs })).err;
    expect(recording(0, [])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(96, [])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(95, [1, 1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(1, WHS)).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(128, [1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(2n ** 128n - 1n, [1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(95, [1])).toBeUndefined();
  });

  test("accepts slots up to 23 from an hourly meter", () => {
    const { asset, day } = assetAndDay({ device: METER, slotSeconds: 3600 });
    const recording = (start, whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, start, whs })).err;
    expect(recording(20, [1, 1, 1, 1, 1])).toBe(ERR.ERR_INVALID_SLOTS);
    expect(recording(20, [1, 1, 1, 1])).toBeUndefined();
  });

  test("rejects implausible readings without overflowing", () => {
    const { asset, day } = assetAndDay({ device: METER });
    const recording = (whs) => call(OWNER, "record-day", ...signedDay(METER, { asset, day, whs })).err;
    expect(recording([SLOT_LIMIT_WH + 1])).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording(Array(96).fill(2n ** 128n - 1n))).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording([2n ** 127n])).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    expect(recording([SLOT_LIMIT_WH])).toBeUndefined();
  });

  test("rejects signatures of other values or keys, and invalid ones", () => {
    const { asset, day } = assetAndDay({ device: METER });
    chain.advanceToDay(day + 2n);
    const other = registerVerified(chain, { device: meter("second") });
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
    expect(recording("00".repeat(64))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording("ff".repeat(64))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(signature({}).slice(0, 126))).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(signature({}))).toBeUndefined();
  });

  test("requires the key and the key epoch of that day", () => {
    const { asset, day } = assetAndDay({ device: METER });
    const next = meter("second", { curve: CURVE.P256 });
    change(chain, asset, CAPACITY_W, next);
    chain.advanceToDay(day + 3n);
    const recording = (signer, on, keyEpoch) =>
      call(OWNER, "record-day", ...signedDay(signer, { asset, day: on, whs: WHS, keyEpoch })).err;
    for (const on of [day, day + 1n]) {
      expect(recording(METER, on, 2)).toBe(ERR.ERR_INVALID_SIGNATURE);
      expect(recording(next, on, 1)).toBe(ERR.ERR_INVALID_SIGNATURE);
      expect(recording(next, on, 2)).toBe(ERR.ERR_INVALID_SIGNATURE);
      expect(recording(METER, on, 1)).toBeUndefined();
    }
    expect(recording(METER, day + 2n, 1)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(METER, day + 2n, 2)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(next, day + 2n, 1)).toBe(ERR.ERR_INVALID_SIGNATURE);
    expect(recording(next, day + 2n, 2)).toBeUndefined();
    // The oracle cannot record any of these days.
    expect(call(ORACLE, "record-production", asset, day, 1, 1).err).toBe(ERR.ERR_DEVICE_MUST_SIGN);
  });

  test("accepts the asset's last day, but no later one", () => {
    const { asset, day } = assetAndDay({ device: METER });
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    chain.advanceToDay(day + 3n);
    const recording = (on) => call(OWNER, "record-day", ...signedDay(METER, { asset, day: on, whs: [1] })).err;
    expect(recording(day + 1n)).toBeUndefined();
    expect(recording(day + 2n)).toBe(ERR.ERR_NOT_RECORDABLE);
  });
});

describe("record-days", () => {
  const NAMES = ["asset-id", "day", "start", "whs", "signature"];
  const itemOf = (values) => Object.fromEntries(values.map((value, index) => [NAMES[index], value]));

  test("records days of many meters, and returns one response per item", () => {
    const other = meter("second", { curve: CURVE.P256 });
    const plain = registerVerified(chain);
    const second = registerVerified(chain, { device: other });
    const { asset, day } = assetAndDay({ device: METER });
    const { ok, events } = call(STRANGER, "record-days", [
      itemOf(signedDay(METER, { asset, day, whs: [1, 2] })),
      itemOf(signedDay(other, { asset: second, day, start: 3, whs: [4] })),
      itemOf(signedDay(METER, { asset, day, start: 1, whs: [2] })),
      itemOf(signedDay(METER, { asset: second, day, start: 4, whs: [1] })),
      itemOf(signedDay(METER, { asset: plain, day, whs: [1] })),
      itemOf(signedDay(METER, { asset: 99, day, whs: [1] })),
      itemOf(signedDay(METER, { asset, day, start: 96, whs: [1] })),
      itemOf(signedDay(METER, { asset, day, start: 2, whs: [3] })),
    ]);
    expect(ok).toEqual([
      { ok: true },
      { ok: true },
      { err: ERR.ERR_SLOT_ALREADY_RECORDED },
      { err: ERR.ERR_INVALID_SIGNATURE },
      { err: ERR.ERR_NO_DEVICE_KEY },
      { err: ERR.ERR_ASSET_NOT_FOUND },
      { err: ERR.ERR_INVALID_SLOTS },
      { ok: true },
    ]);
    expect(events.map((event) => [event["asset-id"], event.wh, event.signed])).toEqual([
      [asset, 3n, true],
      [second, 4n, true],
      [asset, 3n, true],
    ]);
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: 7n, wh: 6n });
  });

  test("accepts 20 days of 96 slots", () => {
    const { asset, day } = assetAndDay({ device: METER });
    chain.advanceToDay(day + 20n);
    const whs = Array(96).fill(5);
    const items = Array.from({ length: 20 }, (_, index) =>
      itemOf(signedDay(METER, { asset, day: day + BigInt(index), whs })),
    );
    expect(call(STRANGER, "record-days", items).ok).toEqual(Array(20).fill({ ok: true }));
    expect(read("get-total-production", asset)["recorded-wh"]).toBe(20n * 96n * 5n);
  });
});

// The tests build the tree themselves: leaves and nodes are hashed as documented, and an odd node moves up a level.
describe("Merkle roots", () => {
  const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const leafOf = (asset, day, mask, wh) => ({
    "asset-id": asset,
    day,
    mask,
    wh,
    "whs-hash": hashOf(`${asset} ${day}`),
  });
  const leafHash = (leaf) =>
    sha256(
      Buffer.from([0]),
      Buffer.from(
        serializeCV(
          Cl.tuple({
            "asset-id": Cl.uint(leaf["asset-id"]),
            day: Cl.uint(leaf.day),
            mask: Cl.uint(leaf.mask),
            wh: Cl.uint(leaf.wh),
            "whs-hash": Cl.bufferFromHex(leaf["whs-hash"]),
          }),
        ),
        "hex",
      ),
    );

  /** Returns the root of the leaves, and the path of each leaf. */
  function treeOf(leaves) {
    const paths = leaves.map(() => []);
    let level = leaves.map((leaf, index) => ({ hash: leafHash(leaf), members: [index] }));
    while (level.length > 1) {
      level = level.flatMap((node, index) => {
        const right = level[index + 1];
        if (index % 2 === 1) return [];
        if (!right) return [node];
        for (const member of node.members) paths[member].push({ left: false, hash: right.hash.toString("hex") });
        for (const member of right.members) paths[member].push({ left: true, hash: node.hash.toString("hex") });
        const hash = sha256(Buffer.from([1]), node.hash, right.hash);
        return [{ hash, members: [...node.members, ...right.members] }];
      });
    }
    return { root: level[0].hash.toString("hex"), paths };
  }

  function anchored(leaves) {
    const { root, paths } = treeOf(leaves);
    const days = leaves.map(({ day }) => day);
    const total = leaves.reduce((sum, { wh }) => sum + BigInt(wh), 0n);
    const answer = call(ORACLE, "anchor-root", root, leaves.length, total, days[0], days.at(-1));
    return { id: must(answer), root, paths, total, events: answer.events };
  }

  test("are anchored by an oracle, and do not count as production", () => {
    const { asset, day } = assetAndDay();
    const { id, root, total, events } = anchored([leafOf(asset, day, 1, 5), leafOf(asset, day, 2, 6)]);
    const stored = { oracle: ORACLE, root, leaves: 2n, "total-wh": total, "from-day": day, "to-day": day };
    expect(events).toEqual([{ topic: "root-anchored", version: 1n, "root-id": id, actor: ORACLE, ...stored }]);
    expect(read("get-root", id)).toEqual(stored);
    expect(read("get-root", 2)).toBeNull();
    expect(read("get-root-count")).toBe(1n);
    expect(read("get-day", asset, day)).toBeNull();
  });

  test("are rejected if a value is out of bounds", () => {
    const root = "ab".repeat(32);
    const anchoring = (...values) => call(ORACLE, "anchor-root", ...values).err;
    for (const values of [
      ["ab".repeat(31), 1, 0, 5, 5],
      [root, 0, 0, 5, 5],
      [root, 2 ** 24 + 1, 0, 5, 5],
      [root, 1, 10n ** 15n + 1n, 5, 5],
      [root, 1, 0, 6, 5],
    ]) {
      expect(anchoring(...values)).toBe(ERR.ERR_INVALID_ROOT);
    }
    expect(call(OWNER, "anchor-root", root, 1, 0, 5, 5).err).toBe(ERR.ERR_NOT_ORACLE);
    expect(anchoring(root, 2 ** 24, 10n ** 15n, 5, 5)).toBeUndefined();
  });

  test.each([1, 2, 3, 5, 8, 11])("of %i leaves prove each leaf, and nothing else", (count) => {
    const { asset, day } = assetAndDay();
    const leaves = Array.from({ length: count }, (_, index) => leafOf(asset, day, 2n ** BigInt(index), index));
    const { id, paths } = anchored(leaves);
    for (const [index, leaf] of leaves.entries()) {
      expect(read("get-leaf-hash", leaf)).toBe(leafHash(leaf).toString("hex"));
      expect(read("verify-leaf", id, leaf, paths[index])).toBe(true);
      expect(read("verify-leaf", id, { ...leaf, wh: leaf.wh + 1 }, paths[index])).toBe(false);
      expect(read("verify-leaf", id + 1n, leaf, paths[index])).toBe(false);
      if (count > 1) {
        const [step, ...rest] = paths[index];
        expect(read("verify-leaf", id, leaf, [{ ...step, left: !step.left }, ...rest])).toBe(false);
        expect(read("verify-leaf", id, leaf, rest)).toBe(false);
      }
    }
  });

  test("let the oracle claim a leaf once, as if it recorded the day", () => {
    const { asset, day } = assetAndDay();
    const leaves = [leafOf(asset, day, 1, 5), leafOf(asset, day, 2, 6), leafOf(asset, day, 2, 7)];
    const { id, paths } = anchored(leaves);
    expect(call(ORACLE, "claim-leaf", id, leaves[1], paths[1]).events).toEqual([
      {
        topic: "production-recorded",
        version: 1n,
        "asset-id": asset,
        day,
        actor: ORACLE,
        signed: false,
        "root-id": id,
        mask: 2n,
        wh: 6n,
        "day-mask": 2n,
        "day-wh": 6n,
        state: DAY_STATE.RECORDED,
      },
    ]);
    for (const index of [1, 2]) {
      expect(call(ORACLE, "claim-leaf", id, leaves[index], paths[index]).err).toBe(ERR.ERR_SLOT_ALREADY_RECORDED);
    }
    must(call(ORACLE, "claim-leaf", id, leaves[0], paths[0]));
    verify(chain, asset, day);
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 11n, "verified-wh": 11n });
  });

  test("apply the rules of record-production to a claim", () => {
    const { asset, day } = assetAndDay();
    const keyed = registerVerified(chain, { device: METER });
    chain.advanceToDay(day + 3n);
    const leaves = [
      leafOf(asset, day, 1, SLOT_LIMIT_WH + 1),
      leafOf(keyed, day + 2n, 1, 5),
      leafOf(99, day, 1, 5),
      leafOf(asset, day - 1n, 1, 5),
      leafOf(asset, day + 3n, 2n ** 95n, 5),
    ];
    const { root, paths } = treeOf(leaves);
    const id = must(call(ORACLE, "anchor-root", root, 5, 0, day - 1n, day + 3n));
    const errors = leaves.map((leaf, index) => call(ORACLE, "claim-leaf", id, leaf, paths[index]).err);
    expect(errors).toEqual([
      ERR.ERR_IMPLAUSIBLE_ENERGY,
      ERR.ERR_DEVICE_MUST_SIGN,
      ERR.ERR_ASSET_NOT_FOUND,
      ERR.ERR_NOT_RECORDABLE,
      ERR.ERR_SLOT_NOT_OVER,
    ]);
  });

  test("can be claimed only by the oracle that anchored them, for the named days", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 2n);
    const leaves = [leafOf(asset, day, 1, 5), leafOf(asset, day + 1n, 1, 5)];
    const { root, paths } = treeOf(leaves);
    const id = must(call(ORACLE, "anchor-root", root, 2, 10, day, day));
    const claiming = (by, root_, index, leaf = leaves[index]) => call(by, "claim-leaf", root_, leaf, paths[index]).err;
    expect(claiming(OWNER, id, 0)).toBe(ERR.ERR_NOT_ORACLE);
    must(chain.call(DEPLOYER, "asset-verification.set-role", 4, STRANGER, "", true));
    expect(claiming(STRANGER, id, 0)).toBe(ERR.ERR_NOT_ANCHORING_ORACLE);
    expect(claiming(ORACLE, 99, 0)).toBe(ERR.ERR_ROOT_NOT_FOUND);
    expect(claiming(ORACLE, id, 1)).toBe(ERR.ERR_LEAF_NOT_IN_ROOT);
    const below = must(call(ORACLE, "anchor-root", root, 2, 10, day + 1n, day + 1n));
    expect(claiming(ORACLE, below, 0)).toBe(ERR.ERR_LEAF_NOT_IN_ROOT);
    expect(claiming(ORACLE, id, 0, { ...leaves[0], mask: 3n })).toBe(ERR.ERR_LEAF_NOT_IN_ROOT);
    expect(claiming(ORACLE, id, 0)).toBeUndefined();
    must(chain.call(DEPLOYER, "asset-verification.set-role", 4, ORACLE, "", false));
    expect(claiming(ORACLE, below, 1)).toBe(ERR.ERR_NOT_ORACLE);
  });

  test("accept a path of 24 steps", () => {
    const { asset, day } = assetAndDay();
    const leaf = leafOf(asset, day, 1, 5);
    const path = Array.from({ length: 24 }, (_, index) => ({ left: index % 3 === 0, hash: hashOf(`${index}`) }));
    const root = path.reduce((node, { left, hash }) => {
      const sibling = Buffer.from(hash, "hex");
      return left ? sha256(Buffer.from([1]), sibling, node) : sha256(Buffer.from([1]), node, sibling);
    }, leafHash(leaf));
    const id = must(call(ORACLE, "anchor-root", root.toString("hex"), 2 ** 24, 5, day, day));
    expect(call(ORACLE, "claim-leaf", id, leaf, path).ok).toBe(true);
  });
});

// The result of each review function for a day in each state, by caller.
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
      verify(chain, place.asset, place.day);
      return place;
    },
    REJECTED: () => {
      const place = reach.RECORDED();
      reject(chain, place.asset, place.day);
      return place;
    },
  };
  const outcomes = {
    "verify-day": {
      values: [WHOLE_DAY, 500],
      OPEN: { [VERIFIER]: "ERR_DAY_NOT_RECORDED", [ARBITER]: "ERR_DAY_NOT_RECORDED" },
      RECORDED: { [VERIFIER]: "VERIFIED", [ARBITER]: "ERR_NOT_VERIFIER" },
      DISPUTED: { [VERIFIER]: "ERR_NOT_ARBITER", [ARBITER]: "VERIFIED" },
      VERIFIED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
      REJECTED: { [VERIFIER]: "ERR_DAY_FINAL", [ARBITER]: "ERR_DAY_FINAL" },
    },
    "reject-day": {
      values: [WHOLE_DAY, 500, "implausible"],
      OPEN: { [VERIFIER]: "ERR_DAY_STILL_OPEN", [ARBITER]: "ERR_NOT_VERIFIER" },
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
      values: [500, 400],
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
    "%s is not possible for the owner, the oracle or the grid operator",
    (name) => {
      const { asset, day } = reach.RECORDED();
      for (const sender of [OWNER, ORACLE, GRID_OPERATOR, DEPLOYER]) {
        expect(call(sender, name, asset, day, ...outcomes[name].values).err).toBe(ERR.ERR_NOT_VERIFIER_OR_ARBITER);
      }
    },
  );

  test.each(["VERIFIED", "REJECTED"])("nothing is recorded on a day that is %s", (state) => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 0b10);
    if (state === "REJECTED") reject(chain, asset, day);
    else verify(chain, asset, day);
    expect(call(ORACLE, "record-production", asset, day, 1, 0).err).toBe(ERR.ERR_DAY_FINAL);
  });
});

describe("verify-day", () => {
  test("adds the energy to what was verified", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 0b11);
    expect(call(VERIFIER, "verify-day", asset, day, 0b11, 500).events).toEqual([
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

  test("requires the reviewed values to match", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 1);
    record(chain, asset, day, 1, 2);
    for (const reviewed of [
      [3, 500],
      [1, 501],
      [1, 500],
    ]) {
      expect(call(VERIFIER, "verify-day", asset, day, ...reviewed).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    }
    expect(call(VERIFIER, "verify-day", asset, day, 3, 501).ok).toBe(true);
  });

  test("is possible from the end of the day until 45 days later", () => {
    const { asset, day } = assetAndDay();
    const today = day + 1n;
    chain.advanceTo(today * DAY + 1800n);
    record(chain, asset, today, 5, 1);
    chain.advanceTo((today + 1n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, today, 1, 5).err).toBe(ERR.ERR_DAY_NOT_OVER);
    record(chain, asset, day, 6, 1);
    chain.advanceTo((today + 46n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, day, 1, 6).err).toBe(ERR.ERR_WINDOW_CLOSED);
    expect(call(VERIFIER, "verify-day", asset, today, 1, 5).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });

  test("succeeds in the last block of the window", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 6, 1);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(VERIFIER, "verify-day", asset, day, 1, 6).ok).toBe(true);
  });
});

describe("verify-days", () => {
  const item = (asset, day, wh, mask = WHOLE_DAY) => ({ "asset-id": asset, day, mask, wh });

  test("verifies every day, and prints each", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 2n);
    record(chain, asset, day, 5);
    record(chain, asset, day + 1n, 6);
    const { ok, events } = call(VERIFIER, "verify-days", [item(asset, day, 5), item(asset, day + 1n, 6)]);
    expect(ok).toEqual([{ ok: true }, { ok: true }]);
    expect(events.map(({ topic, day: on, wh }) => [topic, on, wh])).toEqual([
      ["day-verified", day, 5n],
      ["day-verified", day + 1n, 6n],
    ]);
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 11n, "verified-wh": 11n });
  });

  test("returns one response per day; one that fails changes nothing and does not affect the others", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 4n);
    for (const offset of [0n, 1n, 2n, 3n]) record(chain, asset, day + offset, 5);
    must(call(VERIFIER, "dispute-day", asset, day + 2n, "odd"));
    const items = [
      item(asset, day, 5),
      item(asset, day, 5),
      item(asset, day + 1n, 6),
      item(asset, day + 2n, 5),
      item(99, 1, 1),
      item(asset, day + 3n, 5, 1),
      item(asset, day + 3n, 5),
    ];
    expect(call(VERIFIER, "verify-days", items).ok).toEqual([
      { ok: true },
      { err: ERR.ERR_DAY_FINAL },
      { err: ERR.ERR_REVIEW_MISMATCH },
      { err: ERR.ERR_NOT_ARBITER },
      { err: ERR.ERR_DAY_NOT_RECORDED },
      { err: ERR.ERR_REVIEW_MISMATCH },
      { ok: true },
    ]);
    expect(read("get-day", asset, day + 1n).state).toBe(DAY_STATE.RECORDED);
    // The arbiter decides only on the disputed day.
    expect(call(ARBITER, "verify-days", [item(asset, day + 1n, 5), item(asset, day + 2n, 5)]).ok).toEqual([
      { err: ERR.ERR_NOT_VERIFIER },
      { ok: true },
    ]);
  });

  test("accepts 100 days", () => {
    const { asset, day } = assetAndDay();
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 5);
    expect(call(VERIFIER, "verify-days", Array(100).fill(item(asset, day, 5))).ok.filter(({ ok }) => ok)).toHaveLength(
      1,
    );
  });

  test("is only for verifiers and arbiters", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 5);
    for (const sender of [OWNER, ORACLE]) {
      expect(call(sender, "verify-days", [item(asset, day, 5)]).err).toBe(ERR.ERR_NOT_VERIFIER_OR_ARBITER);
    }
  });
});

describe("reject-day", () => {
  test("prints the reason", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    expect(call(VERIFIER, "reject-day", asset, day, WHOLE_DAY, 500, "meter moved").events).toEqual([
      {
        topic: "day-rejected",
        version: 1n,
        "asset-id": asset,
        day,
        actor: VERIFIER,
        mask: WHOLE_DAY,
        wh: 500n,
        reason: "meter moved",
        state: DAY_STATE.REJECTED,
      },
    ]);
  });

  test("requires the reviewed values to match", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 1);
    for (const reviewed of [
      [3, 500],
      [1, 501],
      [0, 0],
    ]) {
      expect(call(VERIFIER, "reject-day", asset, day, ...reviewed, "x").err).toBe(ERR.ERR_REVIEW_MISMATCH);
    }
  });

  test("waits until the day is over", () => {
    const { asset, day } = assetAndDay();
    chain.advanceTo((day + 1n) * DAY + 1_000n);
    record(chain, asset, day + 1n, 5, 1);
    chain.advanceTo((day + 2n) * DAY - 10n);
    expect(call(VERIFIER, "reject-day", asset, day + 1n, 1, 5, "x").err).toBe(ERR.ERR_DAY_NOT_OVER);
    expect(call(VERIFIER, "reject-day", asset, day + 1n, 1, 5, "x").ok).toBe(true);
    expect(call(VERIFIER, "reject-day", asset, 2n ** 128n - 1n, 0, 0, "x").err).toBe(ERR.ERR_DAY_NOT_OVER);
  });

  test("waits, for an open day, until nothing can be recorded any more", () => {
    const { asset, day } = assetAndDay();
    const rejecting = (on) => call(VERIFIER, "reject-day", asset, on, 0, 0, "no data").err;
    chain.advanceTo((day + 31n) * DAY - 10n);
    expect(rejecting(day)).toBe(ERR.ERR_DAY_STILL_OPEN);
    expect(rejecting(day)).toBeUndefined();
    // Nothing can be recorded for days after the last day of a retired asset, either.
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    const last = chain.today;
    chain.advanceToDay(last + 3n);
    expect(rejecting(last + 1n)).toBe(ERR.ERR_DAY_STILL_OPEN);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    expect(rejecting(last)).toBe(ERR.ERR_DAY_STILL_OPEN);
    expect(rejecting(last + 1n)).toBeUndefined();
  });

  test("rejects an unknown asset", () => {
    expect(call(VERIFIER, "reject-day", 99, chain.today - 1n, 0, 0, "x").err).toBe(ERR.ERR_ASSET_NOT_FOUND);
  });
});

describe("dispute-day", () => {
  test("prints the reason", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    expect(call(ARBITER, "dispute-day", asset, day, "neighbour produced less").events).toEqual([
      {
        topic: "day-disputed",
        version: 1n,
        "asset-id": asset,
        day,
        actor: ARBITER,
        mask: WHOLE_DAY,
        wh: 500n,
        reason: "neighbour produced less",
        state: DAY_STATE.DISPUTED,
      },
    ]);
  });
});

describe("adjust-day", () => {
  test("corrects the day and the total", () => {
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
    const up = call(VERIFIER, "adjust-day", asset, day, 500, 525);
    expect(up).toMatchObject({ ok: 525n, events: [{ ...event, "before-wh": 500n, "day-wh": 525n }] });
    const down = call(VERIFIER, "adjust-day", asset, day, 525, 0);
    expect(down).toMatchObject({ ok: 0n, events: [{ ...event, "before-wh": 525n, "day-wh": 0n }] });
    expect(read("get-total-production", asset)).toEqual({ "recorded-wh": 0n, "verified-wh": 0n });
    expect(read("get-day", asset, day)).toEqual({ state: DAY_STATE.RECORDED, mask: WHOLE_DAY, wh: 0n });
  });

  test("requires the reviewed energy to match and the new one to be plausible", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500, 1);
    const adjusting = (before, after) => call(VERIFIER, "adjust-day", asset, day, before, after).err;
    for (const before of [0, 499, 501, 2n ** 128n - 1n]) expect(adjusting(before, 7)).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(adjusting(500, 500)).toBe(ERR.ERR_INVALID_ADJUSTMENT);
    for (const after of [SLOT_LIMIT_WH + 1, 10n ** 15n, 2n ** 128n - 1n]) {
      expect(adjusting(500, after)).toBe(ERR.ERR_IMPLAUSIBLE_ENERGY);
    }
    expect(adjusting(500, SLOT_LIMIT_WH)).toBeUndefined();
  });

  test("is possible until the window closes", () => {
    const { asset, day } = assetAndDay();
    record(chain, asset, day, 500);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(VERIFIER, "adjust-day", asset, day, 500, 501).ok).toBe(501n);
    expect(call(VERIFIER, "adjust-day", asset, day, 501, 502).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });
});

test("every error of the contract was provoked above", () => {
  expect(Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]))).toEqual([]);
});
