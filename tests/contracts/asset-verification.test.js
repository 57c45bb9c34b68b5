// The register of assets, the roles and the pause switch, through the public functions.
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
  meter,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import { ASSET, CAPACITY_W, METADATA_HASH, must, register, registerVerified, startSystem } from "./scenario.js";

const ERR = errorsOf("asset-verification");
const KEY = meter("first").key;
const KEY_2 = meter("second").key;

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
    hash: METADATA_HASH,
    seconds: 900,
    key: null,
  };
  const registering = (changes) => call(OWNER, "register-asset", ...Object.values({ ...arguments_, ...changes }));

  test("stores a pending asset of the caller, and prints it", () => {
    const { ok, events } = registering({ kind: 2, key: KEY });
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
        "metadata-hash": METADATA_HASH,
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
      "metadata-hash": METADATA_HASH,
      "slot-seconds": 900n,
      "device-key": KEY,
      "key-epoch": 1n,
      "key-from-day": 0n,
      "verified-day": 0n,
      "retired-day": 0n,
    });
    expect(read("get-asset-count")).toBe(1n);
    expect(read("get-assets", [1, 2]).map((asset) => asset?.owner)).toEqual([OWNER, undefined]);
  });

  test("numbers the assets", () => {
    expect([register(chain), register(chain, { owner: BUYER })]).toEqual([1n, 2n]);
  });

  test.each([
    ["every kind", { kind: 8 }],
    ["the least capacity", { capacity: 1 }],
    ["the greatest capacity", { capacity: 10n ** 12n }],
    ["half hours", { seconds: 1800 }],
    ["hours", { seconds: 3600 }],
  ])("takes %s", (_, changes) => {
    expect(registering(changes).ok).toBe(1n);
  });

  test.each([
    ["kind 0", { kind: 0 }, ERR.ERR_INVALID_KIND],
    ["kind 9", { kind: 9 }, ERR.ERR_INVALID_KIND],
    ["no capacity", { capacity: 0 }, ERR.ERR_INVALID_CAPACITY],
    ["too much capacity", { capacity: 10n ** 12n + 1n }, ERR.ERR_INVALID_CAPACITY],
    ["no location", { location: "" }, ERR.ERR_INVALID_LOCATION],
    ["no region", { region: "" }, ERR.ERR_INVALID_REGION],
    ["a short hash", { hash: "ab".repeat(31) }, ERR.ERR_INVALID_METADATA_HASH],
    ["slots of a minute", { seconds: 60 }, ERR.ERR_INVALID_SLOT_SECONDS],
    ["a short key", { key: "02".repeat(32) }, ERR.ERR_INVALID_DEVICE_KEY],
  ])("refuses %s", (_, changes, error) => {
    expect(registering(changes).err).toBe(error);
  });

  test("is stopped by a pause", () => {
    must(call(PAUSER, "set-paused", true));
    expect(registering({}).err).toBe(ERR.ERR_PAUSED);
    must(call(PAUSER, "set-paused", false));
    expect(registering({}).ok).toBe(1n);
  });
});

describe("verify-asset", () => {
  test("makes a pending asset verified and binds its key", () => {
    const asset = register(chain, { deviceKey: KEY });
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
        "key-from-day": today,
        state: ASSET.VERIFIED,
      },
    ]);
    expect(read("is-verified", asset)).toBe(true);
    expect(read("get-asset-by-device-key", KEY)).toBe(asset);
    expect(read("get-asset", asset)).toMatchObject({ "verified-day": today, "key-from-day": today });
  });

  test("is for registrars", () => {
    const asset = register(chain);
    for (const sender of [OWNER, DEPLOYER, VERIFIER, STRANGER]) {
      expect(call(sender, "verify-asset", asset, CAPACITY_W, null).err).toBe(ERR.ERR_NOT_REGISTRAR);
    }
  });

  test("needs an asset", () => {
    expect(call(REGISTRAR, "verify-asset", 1, CAPACITY_W, null).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
  });

  test("repeats what was reviewed", () => {
    const asset = register(chain, { deviceKey: KEY });
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W + 1, KEY).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W, KEY_2).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(REGISTRAR, "verify-asset", asset, CAPACITY_W, null).err).toBe(ERR.ERR_REVIEW_MISMATCH);
  });
});

// What each function makes of an asset in each state: the new state, or the error.
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
    "changes and transfers of an asset that is %s",
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
  test("print what they did and why", () => {
    const rejected = register(chain);
    const event = (topic, asset, rest) => [{ topic, version: 1n, "asset-id": asset, actor: REGISTRAR, ...rest }];
    expect(call(REGISTRAR, "reject-asset", rejected, "no meter").events).toEqual(
      event("asset-rejected", rejected, { reason: "no meter", state: ASSET.REJECTED }),
    );
    const asset = registerVerified(chain);
    expect(call(REGISTRAR, "suspend-asset", asset, "fraud").events).toEqual(
      event("asset-suspended", asset, { reason: "fraud", state: ASSET.SUSPENDED }),
    );
    expect(read("is-verified", asset)).toBe(false);
    expect(call(REGISTRAR, "reinstate-asset", asset).events).toEqual(
      event("asset-reinstated", asset, { state: ASSET.VERIFIED }),
    );
    expect(read("is-verified", asset)).toBe(true);
    expect(read("is-verified", 99)).toBe(false);
  });

  test("are for registrars, and need an asset", () => {
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
        "retired-day": today,
        state: ASSET.RETIRED,
      },
    ]);
    expect(read("get-recording-right", asset)).toMatchObject({ "first-day": today, "last-day": today });
  });

  test("is for the owner and registrars", () => {
    const asset = registerVerified(chain);
    for (const sender of [STRANGER, VERIFIER, DEPLOYER]) {
      expect(call(sender, "retire-asset", asset).err).toBe(ERR.ERR_NOT_OWNER_OR_REGISTRAR);
    }
    expect(call(OWNER, "retire-asset", 99).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(REGISTRAR, "retire-asset", asset).ok).toBe(true);
  });

  test("leaves nothing recordable of an asset that was suspended, or never verified", () => {
    const suspended = registerVerified(chain);
    must(call(REGISTRAR, "suspend-asset", suspended, "meter tampered"));
    for (const asset of [suspended, register(chain)]) {
      expect(call(OWNER, "retire-asset", asset).events).toMatchObject([{ "retired-day": 0n }]);
      expect(read("get-recording-right", asset)["last-day"]).toBe(0n);
    }
  });

  test("ends a proposed transfer and a requested change", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-change", asset, 1, null));
    must(call(OWNER, "propose-transfer", asset, BUYER));
    must(call(OWNER, "retire-asset", asset));
    expect(call(BUYER, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    expect(read("get-change", asset)).toBeNull();
  });
});

describe("changes", () => {
  test("change nothing before they are approved", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    const before = read("get-asset", asset);
    expect(call(OWNER, "request-change", asset, 5, KEY_2).events).toEqual([
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
    expect(read("get-asset-by-device-key", KEY_2)).toBeNull();
  });

  test("hold from the day of their approval on", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    chain.advanceToDay(chain.today + 3n);
    must(call(OWNER, "request-change", asset, 5, KEY_2));
    const { today } = chain;
    expect(call(REGISTRAR, "approve-change", asset, 5, KEY_2).events).toEqual([
      {
        topic: "change-approved",
        version: 1n,
        "asset-id": asset,
        actor: REGISTRAR,
        "capacity-w": 5n,
        "capacity-from-day": today,
        "previous-capacity-w": BigInt(CAPACITY_W),
        "device-key": KEY_2,
        "key-epoch": 2n,
        "key-from-day": today,
      },
    ]);
    expect(read("get-recording-right", asset)).toMatchObject({
      "capacity-w": 5n,
      "capacity-from-day": today,
      "previous-capacity-w": BigInt(CAPACITY_W),
      "device-key": KEY_2,
      "key-epoch": 2n,
      "key-from-day": today,
    });
    expect(read("get-change", asset)).toBeNull();
    expect(read("get-asset-by-device-key", KEY)).toBeNull();
    expect(read("get-asset-by-device-key", KEY_2)).toBe(asset);
  });

  test("of the capacity alone leave the key, of the key alone the capacity", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    const verifiedDay = chain.today;
    chain.advanceToDay(verifiedDay + 3n);
    must(call(OWNER, "request-change", asset, 5, KEY));
    must(call(REGISTRAR, "approve-change", asset, 5, KEY));
    expect(read("get-asset", asset)).toMatchObject({ "key-epoch": 1n, "key-from-day": verifiedDay });
    const capacity = {
      "capacity-from-day": verifiedDay + 3n,
      "previous-capacity-w": BigInt(CAPACITY_W),
      "capacity-w": 5n,
    };
    chain.advanceToDay(verifiedDay + 5n);
    must(call(OWNER, "request-change", asset, 5, null));
    must(call(REGISTRAR, "approve-change", asset, 5, null));
    expect(read("get-asset", asset)).toMatchObject({
      ...capacity,
      "key-epoch": 2n,
      "key-from-day": verifiedDay + 5n,
      "device-key": null,
    });
    expect(read("get-asset-by-device-key", KEY)).toBeNull();
  });

  test("of a capacity wait until no day before the last one can be touched", () => {
    const asset = registerVerified(chain);
    const change = (capacity) => {
      must(call(OWNER, "request-change", asset, capacity, null));
      return call(REGISTRAR, "approve-change", asset, capacity, null);
    };
    const { today } = chain;
    expect(change(10).ok).toBe(true);
    // A mistake is corrected on the same day, and the former capacity stays that of the days before.
    expect(change(11).ok).toBe(true);
    expect(read("get-asset", asset)).toMatchObject({
      "capacity-w": 11n,
      "previous-capacity-w": BigInt(CAPACITY_W),
      "capacity-from-day": today,
    });
    chain.advanceToDay(today + 45n);
    expect(change(12).err).toBe(ERR.ERR_CHANGE_TOO_SOON);
    chain.advanceToDay(today + 46n);
    expect(change(12).ok).toBe(true);
    expect(read("get-asset", asset)).toMatchObject({
      "capacity-w": 12n,
      "previous-capacity-w": 11n,
      "capacity-from-day": today + 46n,
    });
  });

  test("are requested by the owner, with valid values", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    expect(call(STRANGER, "request-change", asset, 5, KEY).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "request-change", 99, 5, KEY).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "request-change", asset, 0, KEY).err).toBe(ERR.ERR_INVALID_CAPACITY);
    expect(call(OWNER, "request-change", asset, 5, "02").err).toBe(ERR.ERR_INVALID_DEVICE_KEY);
    expect(call(OWNER, "request-change", asset, CAPACITY_W, KEY).err).toBe(ERR.ERR_NOTHING_TO_CHANGE);
  });

  test("are approved by a registrar who repeats them", () => {
    const asset = registerVerified(chain);
    expect(call(REGISTRAR, "approve-change", 99, 5, KEY).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(REGISTRAR, "approve-change", asset, 5, KEY).err).toBe(ERR.ERR_NO_CHANGE_REQUESTED);
    must(call(OWNER, "request-change", asset, 5, KEY));
    expect(call(OWNER, "approve-change", asset, 5, KEY).err).toBe(ERR.ERR_NOT_REGISTRAR);
    expect(call(REGISTRAR, "approve-change", asset, 6, KEY).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    expect(call(REGISTRAR, "approve-change", asset, 5, KEY_2).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    must(call(REGISTRAR, "suspend-asset", asset, "x"));
    expect(call(REGISTRAR, "approve-change", asset, 5, KEY).ok).toBe(true);
  });

  test("are refused by a registrar", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-change", asset, 5, null));
    expect(call(OWNER, "refuse-change", asset, "no").err).toBe(ERR.ERR_NOT_REGISTRAR);
    expect(call(REGISTRAR, "refuse-change", asset, "no").events).toEqual([
      { topic: "change-refused", version: 1n, "asset-id": asset, actor: REGISTRAR, reason: "no" },
    ]);
    expect(read("get-change", asset)).toBeNull();
    expect(call(REGISTRAR, "refuse-change", asset, "no").err).toBe(ERR.ERR_NO_CHANGE_REQUESTED);
    expect(read("get-asset", asset)["capacity-w"]).toBe(BigInt(CAPACITY_W));
  });
});

describe("device keys", () => {
  test("serve one asset, the first that is verified with them", () => {
    const squatter = register(chain, { owner: STRANGER, deviceKey: KEY });
    const asset = registerVerified(chain, { deviceKey: KEY });
    expect(call(REGISTRAR, "verify-asset", squatter, CAPACITY_W, KEY).err).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    const other = registerVerified(chain, { deviceKey: KEY_2 });
    must(call(OWNER, "request-change", other, CAPACITY_W, KEY));
    expect(call(REGISTRAR, "approve-change", other, CAPACITY_W, KEY).err).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    // The failed approval has not let go of the old key.
    expect(read("get-asset-by-device-key", KEY_2)).toBe(other);
    expect(read("get-asset-by-device-key", KEY)).toBe(asset);
  });

  test("are free again once replaced", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    must(call(OWNER, "request-change", asset, CAPACITY_W, KEY_2));
    must(call(REGISTRAR, "approve-change", asset, CAPACITY_W, KEY_2));
    expect(registerVerified(chain, { deviceKey: KEY })).toBe(2n);
  });

  test("stay bound when the asset is retired, as long as its last day can be recorded", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    must(call(OWNER, "retire-asset", asset));
    const retired = chain.today;
    const next = register(chain, { deviceKey: KEY });
    const verifying = () => call(REGISTRAR, "verify-asset", next, CAPACITY_W, KEY).err;
    expect(verifying()).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    chain.advanceTo((retired + 31n) * DAY - 10n);
    expect(verifying()).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    expect(chain.today).toBe(retired + 31n);
    expect(verifying()).toBeUndefined();
    expect(read("get-asset-by-device-key", KEY)).toBe(next);
    expect(read("get-asset", asset)).toMatchObject({ state: ASSET.RETIRED, "device-key": KEY });
  });

  test("are free at once when the asset was suspended before it was retired: none of its days can be recorded", () => {
    const asset = registerVerified(chain, { deviceKey: KEY });
    const next = registerVerified(chain);
    must(call(REGISTRAR, "suspend-asset", asset, "x"));
    must(call(OWNER, "request-change", next, CAPACITY_W, KEY));
    expect(call(REGISTRAR, "approve-change", next, CAPACITY_W, KEY).err).toBe(ERR.ERR_DEVICE_KEY_IN_USE);
    must(call(OWNER, "retire-asset", asset));
    must(call(REGISTRAR, "approve-change", next, CAPACITY_W, KEY));
    expect(read("get-asset-by-device-key", KEY)).toBe(next);
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

  test("is proposed by the owner, to another, once", () => {
    const asset = register(chain);
    expect(call(STRANGER, "propose-transfer", asset, STRANGER).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "propose-transfer", 99, BUYER).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "propose-transfer", asset, OWNER).err).toBe(ERR.ERR_INVALID_NEW_OWNER);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    expect(call(OWNER, "propose-transfer", asset, STRANGER).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
  });

  test("is accepted by the proposed owner alone", () => {
    const asset = register(chain);
    expect(call(BUYER, "accept-transfer", 99, 1).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(BUYER, "accept-transfer", asset, 0).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    for (const sender of [OWNER, STRANGER]) {
      expect(call(sender, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NOT_PROPOSED_OWNER);
    }
  });

  test("is accepted as it was proposed: each proposal has a number of its own", () => {
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

  test("stays where it is when the owner cancels", () => {
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

  test("falls away when a registrar rejects the asset", () => {
    const asset = register(chain);
    must(call(OWNER, "propose-transfer", asset, BUYER));
    must(call(REGISTRAR, "reject-asset", asset, "no"));
    expect(call(BUYER, "accept-transfer", asset, 1).err).toBe(ERR.ERR_NO_TRANSFER_PROPOSED);
  });
});

describe("set-operator", () => {
  test("names who trades for the owner, and starts a new epoch", () => {
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

  test("is for the owner, with a valid price", () => {
    const asset = registerVerified(chain);
    expect(call(STRANGER, "set-operator", asset, STRANGER, 0).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "set-operator", 99, OPERATOR, 0).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "set-operator", asset, OPERATOR, 10n ** 15n + 1n).err).toBe(ERR.ERR_INVALID_MIN_PRICE);
    must(call(OWNER, "set-operator", asset, OPERATOR, 0));
    expect(call(OPERATOR, "set-operator", asset, OPERATOR, 0).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
  });
});

describe("recording rights", () => {
  test("of a batch come in one call, in order", () => {
    const asset = registerVerified(chain, { deviceKey: KEY, slotSeconds: 1800 });
    const { today } = chain;
    expect(read("get-recording-rights", [99, asset])).toEqual([
      null,
      {
        "first-day": today,
        "last-day": 2n ** 128n - 1n,
        "slot-seconds": 1800n,
        "capacity-w": BigInt(CAPACITY_W),
        "capacity-from-day": 0n,
        "previous-capacity-w": BigInt(CAPACITY_W),
        "device-key": KEY,
        "key-epoch": 1n,
        "key-from-day": today,
      },
    ]);
  });
});

describe("roles", () => {
  test("are granted and taken by the contract owner", () => {
    const has = () => read("has-role", ROLE.ORACLE, STRANGER, "");
    expect(call(DEPLOYER, "set-role", ROLE.ORACLE, STRANGER, "", true).events).toEqual([
      { topic: "role-set", version: 1n, actor: DEPLOYER, role: 4n, who: STRANGER, region: "", granted: true },
    ]);
    expect(has()).toBe(true);
    expect(call(DEPLOYER, "set-role", ROLE.ORACLE, STRANGER, "", false).events).toMatchObject([{ granted: false }]);
    expect(has()).toBe(false);
    expect(call(STRANGER, "set-role", ROLE.ORACLE, STRANGER, "", true).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
  });

  test("are known ones, with a region for grid operators alone", () => {
    for (const role of [0, 7]) {
      expect(call(DEPLOYER, "set-role", role, STRANGER, "", true).err).toBe(ERR.ERR_UNKNOWN_ROLE);
    }
    expect(call(DEPLOYER, "set-role", ROLE.GRID_OPERATOR, STRANGER, "", true).err).toBe(ERR.ERR_INVALID_REGION);
    for (const role of [1, 2, 3, 4, 6]) {
      expect(call(DEPLOYER, "set-role", role, STRANGER, REGION, true).err).toBe(ERR.ERR_INVALID_REGION);
    }
    expect(read("has-role", ROLE.GRID_OPERATOR, GRID_OPERATOR, "DE-BY")).toBe(false);
  });

  test("do not stand in for each other", () => {
    expect(read("has-role", ROLE.VERIFIER, ORACLE, "")).toBe(false);
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

  test("can think again before the other accepts", () => {
    expect(call(STRANGER, "propose-owner", STRANGER).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    expect(call(BUYER, "accept-owner").err).toBe(ERR.ERR_NOT_PROPOSED_CONTRACT_OWNER);
    must(call(DEPLOYER, "propose-owner", BUYER));
    must(call(DEPLOYER, "propose-owner", OPERATOR));
    expect(call(BUYER, "accept-owner").err).toBe(ERR.ERR_NOT_PROPOSED_CONTRACT_OWNER);
    expect(call(OPERATOR, "accept-owner").ok).toBe(true);
  });
});

describe("set-paused", () => {
  test("is for pausers", () => {
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
