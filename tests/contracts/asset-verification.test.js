// Tests of the asset register, the roles and the pause switch through the public functions.
import { beforeEach, describe, expect, test } from "vitest";

import {
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
  CURVE,
  hashOf,
  meter,
  otherS,
  proofMessage,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  ASSET,
  CAPACITY_W,
  change,
  must,
  newMetadataHash,
  plantOf,
  register,
  registerVerified,
  startSystem,
} from "./scenario.js";

const ERR = errorsOf("asset-verification");
const DEVICE = meter("first");
const DEVICE_2 = meter("second", { curve: CURVE.P256 });
const typed = ({ curve, key }) => ({ curve: BigInt(curve), key });
const KEY = typed(DEVICE.deviceKey);
const KEY_2 = typed(DEVICE_2.deviceKey);

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `asset-verification.${name}`, ...values);
const read = (name, ...values) => chain.read(`asset-verification.${name}`, ...values);
const stateOf = (asset) => read("get-asset", asset).state;

describe("register-asset", () => {
  const arguments_ = {
    kind: 1,
    capacity: CAPACITY_W,
    location: "9q8yy",
    region: REGION,
    hash: null,
    seconds: 900,
    device: null,
  };
  const registering = (changes) =>
    call(OWNER, "register-asset", ...Object.values({ ...arguments_, hash: newMetadataHash(), ...changes }));

  test("stores a pending asset of the caller, and prints it", () => {
    const hash = newMetadataHash();
    const { ok, events } = registering({ kind: 2, hash, device: DEVICE.claimBy(OWNER) });
    expect(ok).toBe(1n);
    expect(events).toEqual([
      {
        topic: "asset-registered",
        version: 1n,
        "asset-id": 1n,
        actor: OWNER,
        kind: 2n,
        "capacity-w": BigInt(CAPACITY_W),
        location: "9q8yy",
        region: REGION,
        "metadata-hash": hash,
        "slot-seconds": 900n,
        "device-key": KEY,
        epoch: 1n,
        "key-epoch": 1n,
        state: ASSET.PENDING,
      },
    ]);
    expect(read("get-asset", 1)).toEqual({
      owner: OWNER,
      operator: null,
      "min-price": 0n,
      epoch: 1n,
      "proposed-owner": null,
      proposal: 0n,
      state: ASSET.PENDING,
      kind: 2n,
      "capacity-w": BigInt(CAPACITY_W),
      "capacity-from-day": 0n,
      "previous-capacity-w": BigInt(CAPACITY_W),
      location: "9q8yy",
      region: REGION,
      "metadata-hash": hash,
      "slot-seconds": 900n,
      "device-key": KEY,
      "key-epoch": 1n,
      "key-from-day": 0n,
      "previous-device-key": null,
      "previous-key-from-day": 0n,
      "verified-day": 0n,
      "last-day": null,
    });
    expect(read("get-asset-by-metadata-hash", hash)).toBe(1n);
    expect(read("get-asset-count")).toBe(1n);
    expect(read("get-assets", [1, 2]).map((asset) => asset?.owner)).toEqual([OWNER, undefined]);
  });

  test("numbers the assets consecutively", () => {
    expect([register(chain), register(chain, { owner: BUYER })]).toEqual([1n, 2n]);
  });

  test.each([
    ["every kind", { kind: 8 }],
    ["the least capacity", { capacity: 1 }],
    ["the greatest capacity", { capacity: 10n ** 12n }],
    ["half hours", { seconds: 1800 }],
    ["hours", { seconds: 3600 }],
    ["a whole geohash", { location: "0123456789bc" }],
    ["a key on secp256k1", { device: DEVICE.claimBy(OWNER) }],
    ["a key on P-256", { device: DEVICE_2.claimBy(OWNER) }],
  ])("accepts %s", (_, changes) => {
    expect(registering(changes).ok).toBe(1n);
  });

  test.each([
    ["kind 0", { kind: 0 }, ERR.ERR_INVALID_KIND],
    ["kind 9", { kind: 9 }, ERR.ERR_INVALID_KIND],
    ["no capacity", { capacity: 0 }, ERR.ERR_INVALID_CAPACITY],
    ["too much capacity", { capacity: 10n ** 12n + 1n }, ERR.ERR_INVALID_CAPACITY],
    ["no location", { location: "" }, ERR.ERR_INVALID_LOCATION],
    ["a location that is not a geohash", { location: "9q8ay" }, ERR.ERR_INVALID_LOCATION],
    ["a location in capitals", { location: "9Q8YY" }, ERR.ERR_INVALID_LOCATION],
    ["no region", { region: "" }, ERR.ERR_INVALID_REGION],
    ["a short hash", { hash: "ab".repeat(31) }, ERR.ERR_INVALID_METADATA_HASH],
    ["slots of a minute", { seconds: 60 }, ERR.ERR_INVALID_SLOT_SECONDS],
    ["a short key", { device: { ...DEVICE.claimBy(OWNER), key: "02".repeat(32) } }, ERR.ERR_INVALID_DEVICE_KEY],
    ["curve 0", { device: { ...DEVICE.claimBy(OWNER), curve: 0 } }, ERR.ERR_INVALID_DEVICE_KEY],
    ["curve 3", { device: { ...DEVICE.claimBy(OWNER), curve: 3 } }, ERR.ERR_INVALID_DEVICE_KEY],
    ["an invalid key", { device: { ...DEVICE.claimBy(OWNER), key: "05".repeat(33) } }, ERR.ERR_INVALID_PROOF],
  ])("rejects %s", (_, changes, error) => {
    expect(registering(changes).err).toBe(error);
  });

  test("also accepts the proof with the other S", () => {
    for (const device of [DEVICE, DEVICE_2]) {
      const claim = device.claimBy(OWNER);
      expect(registering({ device: { ...claim, proof: otherS(claim.proof, claim.curve) } }).err).toBeUndefined();
    }
  });

  test("requires a proof that the caller holds the key", () => {
    expect(read("get-key-proof-hash", OWNER)).toBe(hashOf(proofMessage({ owner: OWNER })));
    const claim = DEVICE.claimBy(OWNER);
    for (const device of [
      DEVICE.claimBy(STRANGER),
      DEVICE.claimBy(OWNER, { chainId: 1 }),
      DEVICE.claimBy(OWNER, { contract: `${DEPLOYER}.production-tracking` }),
      { ...claim, proof: DEVICE_2.claimBy(OWNER).proof },
      { ...claim, proof: "" },
      { ...claim, curve: CURVE.P256 },
    ]) {
      expect(registering({ device }).err).toBe(ERR.ERR_INVALID_PROOF);
    }
    expect(registering({ device: claim }).err).toBeUndefined();
  });

  test("rejects the metadata hash of an asset that is neither rejected nor past its last day", () => {
    const hash = newMetadataHash();
    const first = must(registering({ hash }));
    expect(registering({ hash }).err).toBe(ERR.ERR_METADATA_IN_USE);
    must(call(REGISTRAR, "reject-asset", first, "typing error"));
    const second = must(registering({ hash }));
    must(call(REGISTRAR, "verify-asset", second, CAPACITY_W, null));
    expect(registering({ hash }).err).toBe(ERR.ERR_METADATA_IN_USE);
    must(call(REGISTRAR, "suspend-asset", second, "x"));
    expect(registering({ hash }).err).toBe(ERR.ERR_METADATA_IN_USE);
    must(call(OWNER, "retire-asset", second));
    // Its last day is not over, and only one of the two assets may count that day.
    expect(registering({ hash }).err).toBe(ERR.ERR_METADATA_IN_USE);
    chain.advanceToDay(chain.today + 1n);
    expect(registering({ hash }).ok).toBe(3n);
    must(call(OWNER, "retire-asset", 3));
    expect(registering({ hash }).ok).toBe(4n);
  });

  test("is stopped by a pause", () => {
    must(call(PAUSER, "set-paused", true));
    expect(registering({}).err).toBe(ERR.ERR_PAUSED);
    must(call(PAUSER, "set-paused", false));
    expect(registering({}).ok).toBe(1n);
  });
});

describe("register-assets", () => {
  const NAMES = ["kind", "capacity-w", "location", "region", "metadata-hash", "slot-seconds", "device-key"];
  const itemOf = (options) => Object.fromEntries(plantOf(options).map((value, index) => [NAMES[index], value]));

  test("registers all valid plants, and returns one response per item", () => {
    const first = itemOf({ device: DEVICE });
    const items = [first, { ...itemOf(), kind: 9 }, { ...itemOf(), "metadata-hash": first["metadata-hash"] }, itemOf()];
    const { ok, events } = call(OWNER, "register-assets", items);
    expect(ok).toEqual([{ ok: 1n }, { err: ERR.ERR_INVALID_KIND }, { err: ERR.ERR_METADATA_IN_USE }, { ok: 2n }]);
    expect(events.map(({ topic, "asset-id": id }) => [topic, id])).toEqual([
      ["asset-registered", 1n],
      ["asset-registered", 2n],
    ]);
    expect(read("get-asset-count")).toBe(2n);
    expect(read("get-asset", 2)["metadata-hash"]).toBe(items[3]["metadata-hash"]);
  });

  test("accepts up to 20 plants, does nothing with an empty list, and is stopped by a pause", () => {
    const items = Array.from({ length: 20 }, () => itemOf());
    expect(call(OWNER, "register-assets", items).ok.map(({ ok }) => ok)).toEqual(
      items.map((_, index) => BigInt(index + 1)),
    );
    expect(call(OWNER, "register-assets", []).ok).toEqual([]);
    must(call(PAUSER, "set-paused", true));
    expect(call(OWNER, "register-assets", items).err).toBe(ERR.ERR_PAUSED);
  });
});

describe("verify-assets", () => {
  const review = (asset, capacity = CAPACITY_W, device = null) => ({
    "asset-id": asset,
    "capacity-w": capacity,
    "device-key": device && device.deviceKey,
  });

  test("verifies all assets that match the review, and returns one response per item", () => {
    const assets = [register(chain, { device: DEVICE }), register(chain), register(chain, { device: DEVICE })];
    const { ok } = call(REGISTRAR, "verify-assets", [
      review(assets[0], CAPACITY_W, DEVICE),
      review(assets[1], CAPACITY_W + 1),
      review(assets[2], CAPACITY_W, DEVICE),
      review(99),
      review(assets[1]),
    ]);
    expect(ok).toEqual([
      { ok: true },
      { err: ERR.ERR_REVIEW_MISMATCH },
      { err: ERR.ERR_DEVICE_KEY_IN_USE },
      { err: ERR.ERR_ASSET_NOT_FOUND },
      { ok: true },
    ]);
    expect(assets.map(stateOf)).toEqual([ASSET.VERIFIED, ASSET.VERIFIED, ASSET.PENDING]);
  });

  test("is only for registrars", () => {
    expect(call(OWNER, "verify-assets", [review(register(chain))]).err).toBe(ERR.ERR_NOT_REGISTRAR);
  });
});

describe("registrars cannot approve their own assets", () => {
  test("neither as the owner nor as the operator", () => {
    const own = register(chain, { owner: REGISTRAR });
    expect(call(REGISTRAR, "verify-asset", own, CAPACITY_W, null).err).toBe(ERR.ERR_OWN_ASSET);
    const operated = register(chain);
    must(call(OWNER, "set-operator", operated, REGISTRAR, 0));
    expect(call(REGISTRAR, "verify-asset", operated, CAPACITY_W, null).err).toBe(ERR.ERR_OWN_ASSET);
    const asset = registerVerified(chain);
    must(call(OWNER, "request-change", asset, 5, null));
    must(call(OWNER, "set-operator", asset, REGISTRAR, 0));
    expect(call(REGISTRAR, "approve-change", asset, 5, null).err).toBe(ERR.ERR_OWN_ASSET);
    must(call(OWNER, "set-operator", asset, null, 0));
    must(call(REGISTRAR, "approve-change", asset, 5, null));
  });
});

describe("verify-asset", () => {
  test("verifies a pending asset and binds its key", () => {
    const asset = register(chain, { device: DEVICE });
    const { today } = chain;
    const { ok, events } = call(REGISTRAR, "verify-asset", asset, CAPACITY_W, KEY);
    expect(ok).toBe(true);
    expect(events).toEqual([
      {
        topic: "asset-verified",
        version: 1n,
        "asset-id": asset,
        actor: REGISTRAR,
        "capacity-w": BigInt(CAPACITY_W),
        "device-key": KEY,
        "verified-day": today,
        "key-from-day": today + 1n,
        state: ASSET.VERIFIED,
      },
    ]);
    expect(read("is-verified", asset)).toBe(true);
    expect(read("get-asset-by-device-key", KEY.key)).toBe(asset);
    expect(read("get-asset", asset)).toMatchObject({ "verified-day": today, "key-from-day": today + 1n });
  });

  test("is only for registrars", () => {
    const asset = register(chain);
    for (const sender of [OWNER, DEPLOYER, VERIFIER, STRANGER]) {
      expect(call(sender, "verify-asset", asset, CAPACITY_W, null).err).toBe(ERR.ERR_NOT_REGISTRAR);
    }
  });

  test("rejects an unknown asset", () => {
    expect(call(REGISTRAR, "verify-asset", 1, CAPACITY_W, null).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
  });

  test("requires the reviewed values to match", () => {
    const asset = register(chain, { device: DEVICE });
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W + 1, KEY).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W, KEY_2).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W, null).err).toBe(ERR.ERR_REVIEW_MISMATCH);
  });
});

// The result of each function for an asset in each state: the new state, or the error.
describe("asset states", () => {
  const reach = {
    PENDING: () => register(chain),
    VERIFIED: () => registerVerified(chain),
    REJECTED: () => {
      const asset = register(chain);
      must(call(REGISTRAR, "reject-asset", asset, "no such plant"));
      return asset;
    },
    SUSPENDED: () => {
      const asset = registerVerified(chain);
      must(call(REGISTRAR, "suspend-asset", asset, "meter tampered"));
      return asset;
    },
    RETIRED: () => {
      const asset = registerVerified(chain);
      must(call(OWNER, "retire-asset", asset));
      return asset;
    },
  };
  const transitions = {
    "verify-asset": { by: REGISTRAR, values: [CAPACITY_W, null], from: { PENDING: "VERIFIED" } },
    "reject-asset": { by: REGISTRAR, values: ["no"], from: { PENDING: "REJECTED" } },
    "suspend-asset": { by: REGISTRAR, values: ["why"], from: { VERIFIED: "SUSPENDED" } },
    "reinstate-asset": { by: REGISTRAR, values: [], from: { SUSPENDED: "VERIFIED" } },
    "retire-asset": { by: OWNER, values: [], from: { PENDING: "RETIRED", VERIFIED: "RETIRED", SUSPENDED: "RETIRED" } },
  };

  for (const [name, { by, values, from }] of Object.entries(transitions)) {
    test.each(Object.keys(reach))(`${name} of an asset that is %s`, (state) => {
      const asset = reach[state]();
      const { ok, err } = call(by, name, asset, ...values);
      if (from[state]) {
        expect(ok).toBe(true);
        expect(stateOf(asset)).toBe(ASSET[from[state]]);
      } else {
        expect(err).toBe(ERR.ERR_WRONG_ASSET_STATE);
        expect(stateOf(asset)).toBe(ASSET[state]);
      }
    });
  }

  test.each(["PENDING", "VERIFIED", "REJECTED", "SUSPENDED", "RETIRED"])(
    "request-change, set-operator and propose-transfer of an asset that is %s",
    (state) => {
      const asset = reach[state]();
      const error = (allowed) => (allowed.includes(state) ? undefined : ERR.ERR_WRONG_ASSET_STATE);
      expect(call(OWNER, "request-change", asset, CAPACITY_W + 1, null).err).toBe(error(["VERIFIED", "SUSPENDED"]));
      expect(call(OWNER, "set-operator", asset, OPERATOR, 0).err).toBe(error(["PENDING", "VERIFIED", "SUSPENDED"]));
      expect(call(OWNER, "propose-transfer", asset, BUYER).err).toBe(error(["PENDING", "VERIFIED", "SUSPENDED"]));
    },
  );
});

describe("reject-asset, suspend-asset, reinstate-asset", () => {
  test("print the new state and the reason", () => {
    const rejected = register(chain);
    const event = (topic, asset, rest) => [{ topic, version: 1n, "asset-id": asset, actor: REGISTRAR, ...rest }];
    expect(call(REGISTRAR, "reject-asset", rejected, "no meter").events).toEqual(
      event("asset-rejected", rejected, { reason: "no meter", state: ASSET.REJECTED }),
    );
    const asset = registerVerified(chain);
    expect(call(REGISTRAR, "suspend-asset", asset, "fraud").events).toEqual(
      event("asset-suspended", asset, { reason: "fraud", "last-day": chain.today, state: ASSET.SUSPENDED }),
    );
    expect(read("is-verified", asset)).toBe(false);
    expect(call(REGISTRAR, "reinstate-asset", asset).events).toEqual(
      event("asset-reinstated", asset, { state: ASSET.VERIFIED }),
    );
    expect(read("is-verified", asset)).toBe(true);
    expect(read("is-verified", 99)).toBe(false);
  });

  test("are only for registrars, and reject an unknown asset", () => {
    const asset = register(chain);
    for (const [name, ...values] of [["reject-asset", "x"], ["suspend-asset", "x"], ["reinstate-asset"]]) {
      expect(call(OWNER, name, asset, ...values).err).toBe(ERR.ERR_NOT_REGISTRAR);
      expect(call(REGISTRAR, name, 99, ...values).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    }
  });
});

describe("retire-asset", () => {
  test("keeps the days up to today recordable", () => {
    const asset = registerVerified(chain);
    const { today } = chain;
    expect(call(OWNER, "retire-asset", asset).events).toEqual([
      {
        topic: "asset-retired",
        version: 1n,
        "asset-id": asset,
        actor: OWNER,
        "last-day": today,
        state: ASSET.RETIRED,
      },
    ]);
    const right = (day) => read("get-recording-right", asset, day);
    expect([today - 1n, today, today + 1n].map((day) => right(day).recordable)).toEqual([false, true, false]);
    expect([today - 1n, today, today + 1n].map((day) => right(day).lost)).toEqual([false, false, true]);
    expect(read("is-day-lost", asset, today)).toBe(false);
    expect(read("is-day-lost", asset, today + 1n)).toBe(true);
    expect(read("is-day-lost", 99, today)).toBe(false);
  });

  test("is only for the owner and registrars", () => {
    const asset = registerVerified(chain);
    for (const sender of [STRANGER, VERIFIER, DEPLOYER]) {
      expect(call(sender, "retire-asset", asset).err).toBe(ERR.ERR_NOT_OWNER_OR_REGISTRAR);
    }
    expect(call(OWNER, "retire-asset", 99).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(REGISTRAR, "retire-asset", asset).ok).toBe(true);
  });

  test("keeps the day of an earlier suspension as the last day", () => {
    const asset = registerVerified(chain);
    const { today } = chain;
    must(call(REGISTRAR, "suspend-asset", asset, "meter tampered"));
    chain.advanceToDay(today + 3n);
    const right = (day) => read("get-recording-right", asset, day);
    expect([today, today + 1n].map((day) => right(day).recordable)).toEqual([true, false]);
    expect(right(today + 1n).lost).toBe(false);
    expect(call(OWNER, "retire-asset", asset).events).toMatchObject([{ "last-day": today }]);
    expect([today, today + 1n].map((day) => right(day).recordable)).toEqual([true, false]);
    expect([today, today + 1n].map((day) => right(day).lost)).toEqual([false, true]);
  });

  test("leaves no recordable day for an asset that was never verified", () => {
    const asset = register(chain);
    expect(call(OWNER, "retire-asset", asset).events).toMatchObject([{ "last-day": null }]);
    expect(read("get-recording-right", asset, chain.today)).toMatchObject({ recordable: false, lost: true });
  });

  test("does not apply to a suspension: its days are recordable after it is lifted", () => {
    const asset = registerVerified(chain);
    const { today } = chain;
    must(call(REGISTRAR, "suspend-asset", asset, "inspection"));
    chain.advanceToDay(today + 3n);
    must(call(REGISTRAR, "reinstate-asset", asset));
    expect(read("get-asset", asset)["last-day"]).toBeNull();
    expect(read("get-recording-right", asset, today + 1n).recordable).toBe(true);
  });

  test("drops a proposed transfer and a requested change", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-change", asset, 1, null));
    must(call(OWNER, "propose-transfer", asset, BUYER));
    must(call(OWNER, "retire-asset", asset));
    expect(call(BUYER, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    expect(read("get-change", asset)).toBeNull();
  });
});

describe("changes", () => {
  const requesting = (asset, capacity, device = null, by = OWNER) =>
    call(by, "request-change", asset, capacity, device && device.claimBy(by));
  const approving = (asset, capacity, device = null, by = REGISTRAR) =>
    call(by, "approve-change", asset, capacity, device && device.deviceKey);
  const right = (asset, day) => read("get-recording-right", asset, day);

  test("have no effect before they are approved", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    const before = read("get-asset", asset);
    expect(requesting(asset, 5, DEVICE_2).events).toEqual([
      {
        topic: "change-requested",
        version: 1n,
        "asset-id": asset,
        actor: OWNER,
        "capacity-w": 5n,
        "device-key": KEY_2,
      },
    ]);
    expect(read("get-asset", asset)).toEqual(before);
    expect(read("get-change", asset)).toEqual({ "capacity-w": 5n, "device-key": KEY_2 });
    expect(read("get-asset-by-device-key", KEY_2.key)).toBeNull();
  });

  test("apply from the day after their approval; earlier days keep the former capacity and key", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    const verified = chain.today;
    chain.advanceToDay(verified + 3n);
    must(requesting(asset, 5, DEVICE_2));
    const { today } = chain;
    expect(approving(asset, 5, DEVICE_2).events).toEqual([
      {
        topic: "change-approved",
        version: 1n,
        "asset-id": asset,
        actor: REGISTRAR,
        "capacity-w": 5n,
        "capacity-from-day": today + 1n,
        "previous-capacity-w": BigInt(CAPACITY_W),
        "device-key": KEY_2,
        "key-epoch": 2n,
        "key-from-day": today + 1n,
        "previous-device-key": KEY,
        "previous-key-from-day": verified + 1n,
      },
    ]);
    const shared = { recordable: true, lost: false, "slot-seconds": 900n };
    const former = { ...shared, "capacity-w": BigInt(CAPACITY_W), "device-key": KEY, "key-epoch": 1n };
    expect(right(asset, today + 1n)).toEqual({ ...shared, "capacity-w": 5n, "device-key": KEY_2, "key-epoch": 2n });
    expect(right(asset, today)).toEqual(former);
    expect(right(asset, verified + 1n)).toEqual(former);
    // The oracle records the day of the verification: no key was bound before it.
    expect(right(asset, verified)).toMatchObject({ "device-key": null });
    expect(right(99, today)).toBeNull();
    expect(read("get-change", asset)).toBeNull();
    expect([KEY.key, KEY_2.key].map((key) => read("get-asset-by-device-key", key))).toEqual([asset, asset]);
  });

  test("of only the capacity keep the key, and of only the key keep the capacity", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    const verified = chain.today;
    chain.advanceToDay(verified + 3n);
    // A key that is already bound needs no new proof.
    must(call(OWNER, "request-change", asset, 5, { ...DEVICE.deviceKey, proof: "" }));
    must(approving(asset, 5, DEVICE));
    expect(read("get-asset", asset)).toMatchObject({ "key-epoch": 1n, "key-from-day": verified + 1n });
    const capacity = {
      "capacity-from-day": verified + 4n,
      "previous-capacity-w": BigInt(CAPACITY_W),
      "capacity-w": 5n,
    };
    chain.advanceToDay(verified + 5n);
    must(requesting(asset, 5));
    must(approving(asset, 5));
    expect(read("get-asset", asset)).toMatchObject({
      ...capacity,
      "key-epoch": 2n,
      "key-from-day": verified + 6n,
      "device-key": null,
      "previous-device-key": KEY,
    });
  });

  test.each([
    ["capacity", (turn) => [CAPACITY_W + turn, null]],
    ["key", (turn) => [CAPACITY_W, meter(`turn ${turn}`)]],
  ])("of a %s are possible again once no day before the last change can be recorded or reviewed", (_, wanted) => {
    const asset = registerVerified(chain, { device: DEVICE });
    const changing = (turn) => {
      const [capacity, device] = wanted(turn);
      must(requesting(asset, capacity, device ?? DEVICE));
      return approving(asset, capacity, device ?? DEVICE).err;
    };
    // The first change is possible at any time, since only one former capacity and key are kept and there are none yet.
    const { today } = chain;
    expect(changing(1)).toBeUndefined();
    expect(changing(2)).toBe(ERR.ERR_CHANGE_TOO_SOON);
    chain.advanceTo((today + 46n) * DAY - 20n);
    expect(changing(2)).toBe(ERR.ERR_CHANGE_TOO_SOON);
    expect(chain.today).toBe(today + 46n);
    expect(changing(2)).toBeUndefined();
    expect(changing(3)).toBe(ERR.ERR_CHANGE_TOO_SOON);
  });

  test("can be requested only by the owner, with valid values", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    const claim = DEVICE_2.claimBy(OWNER);
    expect(requesting(asset, 5, DEVICE_2, STRANGER).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(requesting(99, 5).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(requesting(asset, 0).err).toBe(ERR.ERR_INVALID_CAPACITY);
    expect(call(OWNER, "request-change", asset, 5, { ...claim, key: "02" }).err).toBe(ERR.ERR_INVALID_DEVICE_KEY);
    expect(call(OWNER, "request-change", asset, 5, DEVICE_2.claimBy(STRANGER)).err).toBe(ERR.ERR_INVALID_PROOF);
    expect(requesting(asset, CAPACITY_W, DEVICE).err).toBe(ERR.ERR_NOTHING_TO_CHANGE);
  });

  test("can be approved only by a registrar, with the requested values", () => {
    const asset = registerVerified(chain);
    expect(approving(99, 5, DEVICE).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(approving(asset, 5, DEVICE).err).toBe(ERR.ERR_NO_CHANGE_REQUESTED);
    must(requesting(asset, 5, DEVICE));
    expect(approving(asset, 5, DEVICE, OWNER).err).toBe(ERR.ERR_NOT_REGISTRAR);
    expect(approving(asset, 6, DEVICE).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(approving(asset, 5, DEVICE_2).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(approving(asset, 5).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    must(call(REGISTRAR, "suspend-asset", asset, "x"));
    expect(approving(asset, 5, DEVICE).ok).toBe(true);
  });

  test("can be refused by a registrar", () => {
    const asset = registerVerified(chain);
    must(requesting(asset, 5));
    expect(call(OWNER, "refuse-change", asset, "no").err).toBe(ERR.ERR_NOT_REGISTRAR);
    expect(call(REGISTRAR, "refuse-change", asset, "no").events).toEqual([
      { topic: "change-refused", version: 1n, "asset-id": asset, actor: REGISTRAR, reason: "no" },
    ]);
    expect(read("get-change", asset)).toBeNull();
    expect(call(REGISTRAR, "refuse-change", asset, "no").err).toBe(ERR.ERR_NO_CHANGE_REQUESTED);
    expect(read("get-asset", asset)["capacity-w"]).toBe(BigInt(CAPACITY_W));
  });

  test("can be neither requested nor approved while a transfer is proposed", () => {
    const asset = registerVerified(chain);
    must(requesting(asset, 5));
    must(call(OWNER, "propose-transfer", asset, BUYER));
    expect(requesting(asset, 6).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    expect(approving(asset, 5).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    must(call(OWNER, "cancel-transfer", asset));
    expect(approving(asset, 5).ok).toBe(true);
  });
});

describe("device keys", () => {
  const holder = (device) => read("get-asset-by-device-key", device.deviceKey.key);

  test("belong to the first asset that is verified with them", () => {
    const first = register(chain, { device: DEVICE });
    const asset = registerVerified(chain, { device: DEVICE });
    expect(call(REGISTRAR, "verify-asset", first, CAPACITY_W, DEVICE.deviceKey).err).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    const other = registerVerified(chain, { device: DEVICE_2 });
    must(call(OWNER, "request-change", other, CAPACITY_W, DEVICE.claimBy(OWNER)));
    expect(call(REGISTRAR, "approve-change", other, CAPACITY_W, DEVICE.deviceKey).err).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    expect([holder(DEVICE), holder(DEVICE_2)]).toEqual([asset, other]);
  });

  test("are free after their replacement once their last day can no longer be recorded", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    change(chain, asset, CAPACITY_W, DEVICE_2);
    const lastDay = chain.today;
    const next = register(chain, { device: DEVICE });
    const verifying = () => call(REGISTRAR, "verify-asset", next, CAPACITY_W, DEVICE.deviceKey).err;
    chain.advanceTo((lastDay + 31n) * DAY - 10n);
    expect(verifying()).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    expect(verifying()).toBeUndefined();
    expect(holder(DEVICE)).toBe(next);
  });

  test("can return to the asset that they served before", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    change(chain, asset, CAPACITY_W, DEVICE_2);
    chain.advanceToDay(chain.today + 47n);
    change(chain, asset, CAPACITY_W, DEVICE);
    expect(read("get-asset", asset)).toMatchObject({
      "device-key": KEY,
      "previous-device-key": KEY_2,
      "key-epoch": 3n,
    });
  });

  test("stay bound to a retired asset as long as its last day can be recorded", () => {
    const asset = registerVerified(chain, { device: DEVICE });
    must(call(OWNER, "retire-asset", asset));
    const retired = chain.today;
    const next = register(chain, { device: DEVICE });
    const verifying = () => call(REGISTRAR, "verify-asset", next, CAPACITY_W, DEVICE.deviceKey).err;
    expect(verifying()).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    chain.advanceTo((retired + 31n) * DAY - 10n);
    expect(verifying()).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    expect(chain.today).toBe(retired + 31n);
    expect(verifying()).toBeUndefined();
    expect(holder(DEVICE)).toBe(next);
    expect(read("get-asset", asset)).toMatchObject({ state: ASSET.RETIRED, "device-key": KEY });
  });
});

describe("ownership", () => {
  test("passes in two steps, clears operator and change, and starts a new epoch", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "set-operator", asset, OPERATOR, 7));
    must(call(OWNER, "request-change", asset, 5, null));
    expect(call(OWNER, "propose-transfer", asset, BUYER).events).toEqual([
      { topic: "transfer-proposed", version: 1n, "asset-id": asset, actor: OWNER, "new-owner": BUYER, proposal: 1n },
    ]);
    expect(read("get-asset", asset)).toMatchObject({ owner: OWNER, "proposed-owner": BUYER, proposal: 1n, epoch: 2n });
    expect(call(BUYER, "accept-transfer", asset, 1).events).toEqual([
      {
        topic: "transfer-accepted",
        version: 1n,
        "asset-id": asset,
        actor: BUYER,
        "old-owner": OWNER,
        "new-owner": BUYER,
        proposal: 1n,
        epoch: 3n,
      },
    ]);
    expect(read("get-asset", asset)).toMatchObject({
      owner: BUYER,
      operator: null,
      "min-price": 0n,
      "proposed-owner": null,
      proposal: 1n,
      epoch: 3n,
      state: ASSET.VERIFIED,
    });
    expect(read("get-change", asset)).toBeNull();
    expect(call(OWNER, "set-operator", asset, null, 0).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
  });

  test("can be proposed only by the owner, to another account, and once at a time", () => {
    const asset = register(chain);
    expect(call(STRANGER, "propose-transfer", asset, STRANGER).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "propose-transfer", 99, BUYER).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "propose-transfer", asset, OWNER).err).toBe(ERR.ERR_INVALID_NEW_OWNER);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    expect(call(OWNER, "propose-transfer", asset, STRANGER).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
  });

  test("can be accepted only by the proposed owner", () => {
    const asset = register(chain);
    expect(call(BUYER, "accept-transfer", 99, 1).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(BUYER, "accept-transfer", asset, 0).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    for (const sender of [OWNER, STRANGER]) {
      expect(call(sender, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NOT_PROPOSED_OWNER);
    }
  });

  test("can be accepted only with the number of the open proposal", () => {
    const asset = register(chain);
    expect(must(call(OWNER, "propose-transfer", asset, BUYER))).toBe(1n);
    must(call(OWNER, "cancel-transfer", asset));
    expect(must(call(OWNER, "propose-transfer", asset, BUYER))).toBe(2n);
    for (const proposal of [0, 1, 3]) {
      expect(call(BUYER, "accept-transfer", asset, proposal).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    }
    must(call(BUYER, "accept-transfer", asset, 2));
    expect(must(call(BUYER, "propose-transfer", asset, OWNER))).toBe(3n);
    expect(must(call(OWNER, "propose-transfer", register(chain), BUYER))).toBe(1n);
  });

  test("does not pass if the owner cancels the proposal", () => {
    const asset = register(chain);
    expect(call(OWNER, "cancel-transfer", 99).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "cancel-transfer", asset).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    expect(call(BUYER, "cancel-transfer", asset).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "cancel-transfer", asset).events).toEqual([
      { topic: "transfer-cancelled", version: 1n, "asset-id": asset, actor: OWNER, proposal: 1n },
    ]);
    expect(call(BUYER, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    expect(read("get-asset", asset)).toMatchObject({ owner: OWNER, "proposed-owner": null, epoch: 1n });
  });

  test("does not pass if a registrar rejects the asset", () => {
    const asset = register(chain);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    must(call(REGISTRAR, "reject-asset", asset, "no"));
    expect(call(BUYER, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
  });
});

describe("set-operator", () => {
  test("sets who trades for the owner, and starts a new epoch", () => {
    const asset = registerVerified(chain);
    expect(call(OWNER, "set-operator", asset, OPERATOR, 10n ** 15n).events).toEqual([
      {
        topic: "operator-set",
        version: 1n,
        "asset-id": asset,
        actor: OWNER,
        operator: OPERATOR,
        "min-price": 10n ** 15n,
        epoch: 2n,
      },
    ]);
    const operates = (who) => read("can-operate", asset, who);
    expect([operates(OWNER), operates(OPERATOR), operates(STRANGER)]).toEqual([true, true, false]);
    expect(read("can-operate", 99, OWNER)).toBe(false);
    must(call(OWNER, "set-operator", asset, null, 0));
    expect(operates(OPERATOR)).toBe(false);
    expect(read("get-asset", asset).epoch).toBe(3n);
  });

  test("is only for the owner, with a valid lowest price", () => {
    const asset = registerVerified(chain);
    expect(call(STRANGER, "set-operator", asset, STRANGER, 0).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "set-operator", 99, OPERATOR, 0).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "set-operator", asset, OPERATOR, 10n ** 15n + 1n).err).toBe(ERR.ERR_INVALID_MIN_PRICE);
    must(call(OWNER, "set-operator", asset, OPERATOR, 0));
    expect(call(OPERATOR, "set-operator", asset, OPERATOR, 0).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
  });
});

describe("recording rights", () => {
  test("of several assets and days are returned in one call, in order", () => {
    const asset = registerVerified(chain, { device: DEVICE, slotSeconds: 1800 });
    const day = chain.today + 1n;
    const keys = [99, asset].map((id) => ({ "asset-id": id, day }));
    expect(read("get-recording-rights", keys)).toEqual([
      null,
      {
        recordable: true,
        lost: false,
        "slot-seconds": 1800n,
        "capacity-w": BigInt(CAPACITY_W),
        "device-key": KEY,
        "key-epoch": 1n,
      },
    ]);
  });
});

describe("roles", () => {
  test("are granted and revoked by the contract owner", () => {
    const has = () => read("has-role", ROLE.ORACLE, STRANGER, "");
    expect(call(DEPLOYER, "set-role", ROLE.ORACLE, STRANGER, "", true).events).toEqual([
      { topic: "role-set", version: 1n, actor: DEPLOYER, role: 4n, who: STRANGER, region: "", granted: true },
    ]);
    expect(has()).toBe(true);
    expect(call(DEPLOYER, "set-role", ROLE.ORACLE, STRANGER, "", false).events).toMatchObject([{ granted: false }]);
    expect(has()).toBe(false);
    expect(call(STRANGER, "set-role", ROLE.ORACLE, STRANGER, "", true).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
  });

  test("must be known, and have a region only for grid operators", () => {
    for (const role of [0, 7]) {
      expect(call(DEPLOYER, "set-role", role, STRANGER, "", true).err).toBe(ERR.ERR_UNKNOWN_ROLE);
    }
    expect(call(DEPLOYER, "set-role", ROLE.GRID_OPERATOR, STRANGER, "", true).err).toBe(ERR.ERR_INVALID_REGION);
    for (const role of [1, 2, 3, 4, 6]) {
      expect(call(DEPLOYER, "set-role", role, STRANGER, REGION, true).err).toBe(ERR.ERR_INVALID_REGION);
    }
    expect(read("has-role", ROLE.GRID_OPERATOR, GRID_OPERATOR, "DE-BY")).toBe(false);
  });

  test("do not include each other", () => {
    expect(read("has-role", ROLE.VERIFIER, ORACLE, "")).toBe(false);
    expect(read("get-review-roles", VERIFIER)).toEqual({ verifier: true, arbiter: false });
    expect(read("get-review-roles", PAUSER)).toEqual({ verifier: false, arbiter: true });
    expect(read("operates-regions", GRID_OPERATOR, ["DE-BY", REGION, ""])).toEqual([false, true, false]);
  });
});

describe("contract owner", () => {
  test("is handed over in two steps", () => {
    expect(read("get-contract-owner")).toBe(DEPLOYER);
    expect(call(DEPLOYER, "propose-owner", BUYER).events).toEqual([
      { topic: "contract-owner-proposed", version: 1n, actor: DEPLOYER, "new-owner": BUYER },
    ]);
    expect(read("get-proposed-contract-owner")).toBe(BUYER);
    expect(read("get-contract-owner")).toBe(DEPLOYER);
    expect(call(BUYER, "accept-owner").events).toEqual([
      { topic: "contract-owner-accepted", version: 1n, actor: BUYER, "old-owner": DEPLOYER, "new-owner": BUYER },
    ]);
    expect(read("get-contract-owner")).toBe(BUYER);
    expect(read("get-proposed-contract-owner")).toBeNull();
    expect(call(DEPLOYER, "propose-owner", DEPLOYER).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
  });

  test("can be proposed again, to another account, until the proposal is accepted", () => {
    expect(call(STRANGER, "propose-owner", STRANGER).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    expect(call(BUYER, "accept-owner").err).toBe(ERR.ERR_NOT_PROPOSED_CONTRACT_OWNER);
    must(call(DEPLOYER, "propose-owner", BUYER));
    must(call(DEPLOYER, "propose-owner", OPERATOR));
    expect(call(BUYER, "accept-owner").err).toBe(ERR.ERR_NOT_PROPOSED_CONTRACT_OWNER);
    expect(call(OPERATOR, "accept-owner").ok).toBe(true);
  });
});

describe("set-paused", () => {
  test("is only for pausers", () => {
    expect(read("is-paused")).toBe(false);
    expect(call(PAUSER, "set-paused", true).events).toEqual([
      { topic: "paused-set", version: 1n, actor: PAUSER, paused: true },
    ]);
    expect(read("is-paused")).toBe(true);
    for (const sender of [DEPLOYER, OWNER]) {
      expect(call(sender, "set-paused", false).err).toBe(ERR.ERR_NOT_PAUSER);
    }
  });
});

test("every error of the contract was provoked above", () => {
  expect(Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]))).toEqual([]);
});
