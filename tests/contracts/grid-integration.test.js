// Tests of connections, feeds and region alerts through the public functions.
import { beforeEach, describe, expect, test } from "vitest";

import {
  BUYER,
  DEPLOYER,
  GRID_OPERATOR,
  OPERATOR,
  OWNER,
  PAUSER,
  REGION,
  REGISTRAR,
  ROLE,
  STRANGER,
  VERIFIER,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  CONNECTION,
  WHOLE_DAY,
  addPlant,
  connect,
  feed,
  must,
  produce,
  record,
  register,
  registerVerified,
  reject,
  startSystem,
  verify,
} from "./scenario.js";

const ERR = errorsOf("grid-integration");
const LIMIT_W = 60_000;

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `grid-integration.${name}`, ...values);
const read = (name, ...values) => chain.read(`grid-integration.${name}`, ...values);

describe("request-connection", () => {
  test("requests a connection from the region's grid operator", () => {
    const asset = registerVerified(chain);
    expect(call(OWNER, "request-connection", asset, LIMIT_W).events).toEqual([
      {
        topic: "connection-requested",
        version: 1n,
        "asset-id": asset,
        actor: OWNER,
        region: REGION,
        "export-limit-w": BigInt(LIMIT_W),
        state: CONNECTION.REQUESTED,
      },
    ]);
    expect(read("get-connection", asset)).toEqual({
      state: CONNECTION.REQUESTED,
      region: REGION,
      "export-limit-w": BigInt(LIMIT_W),
      "feed-metered": false,
      "approved-day": 0n,
    });
    expect(read("is-connected", asset)).toBe(false);
    expect(read("get-export-cap", asset)).toBeNull();
    expect(read("get-connections", [asset, 99]).map((connection) => connection?.state)).toEqual([
      CONNECTION.REQUESTED,
      undefined,
    ]);
  });

  test("is only for the owner of a verified asset, with a valid limit", () => {
    const pending = register(chain);
    const asset = registerVerified(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    expect(call(OWNER, "request-connection", 99, LIMIT_W).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "request-connection", pending, LIMIT_W).err).toBe(ERR.ERR_ASSET_NOT_VERIFIED);
    for (const sender of [STRANGER, OPERATOR, GRID_OPERATOR]) {
      expect(call(sender, "request-connection", asset, LIMIT_W).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    }
    for (const limit of [0, 10n ** 12n + 1n]) {
      expect(call(OWNER, "request-connection", asset, limit).err).toBe(ERR.ERR_INVALID_EXPORT_LIMIT);
    }
    expect(call(OWNER, "request-connection", asset, 10n ** 12n).ok).toBe(true);
  });

  test("replaces a request that is not decided yet", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    must(call(OWNER, "request-connection", asset, 5));
    expect(read("get-connection", asset)).toMatchObject({ state: CONNECTION.REQUESTED, "export-limit-w": 5n });
    expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, false).err).toBe(ERR.ERR_REVIEW_MISMATCH);
  });
});

describe("withdraw-request", () => {
  test("withdraws an undecided request", () => {
    const asset = registerVerified(chain);
    expect(call(OWNER, "withdraw-request", asset).err).toBe(ERR.ERR_CONNECTION_NOT_FOUND);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(STRANGER, "withdraw-request", asset).err).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(call(OWNER, "withdraw-request", 99).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(call(OWNER, "withdraw-request", asset).events).toEqual([
      { topic: "connection-withdrawn", version: 1n, "asset-id": asset, actor: OWNER },
    ]);
    expect(read("get-connection", asset)).toBeNull();
    expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, false).err).toBe(ERR.ERR_CONNECTION_NOT_FOUND);
  });
});

describe("while a transfer is proposed", () => {
  test("no connection can be requested, approved or given another limit", () => {
    const [fresh, requested, connected] = [registerVerified(chain), registerVerified(chain), addPlant(chain)];
    must(call(OWNER, "request-connection", requested, LIMIT_W));
    const propose = (asset) => must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    [fresh, requested, connected].forEach(propose);
    expect(call(OWNER, "request-connection", fresh, LIMIT_W).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    expect(call(GRID_OPERATOR, "approve-connection", requested, LIMIT_W, false).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    expect(call(GRID_OPERATOR, "set-export-limit", connected, 5).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    // Actions for safety remain possible.
    expect(call(GRID_OPERATOR, "set-status", connected, CONNECTION.DISCONNECTED).ok).toBe(true);
  });
});

describe("approve-connection", () => {
  test("connects the asset, with the lesser of capacity and limit as its cap", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, true).events).toEqual([
      {
        topic: "connection-approved",
        version: 1n,
        "asset-id": asset,
        actor: GRID_OPERATOR,
        "export-limit-w": BigInt(LIMIT_W),
        "feed-metered": true,
        "approved-day": chain.today,
        "export-schedule": [{ "from-day": chain.today, "cap-w": BigInt(LIMIT_W) }],
        state: CONNECTION.CONNECTED,
      },
    ]);
    expect(read("get-export-schedule", asset)).toEqual([{ "from-day": chain.today, "cap-w": BigInt(LIMIT_W) }]);
    expect(read("is-connected", asset)).toBe(true);
    expect(read("get-connection", asset)).toMatchObject({ "feed-metered": true, "approved-day": chain.today });
    expect(read("get-export-cap", asset)).toBe(BigInt(LIMIT_W));
    must(call(GRID_OPERATOR, "set-export-limit", asset, 10n ** 12n));
    expect(read("get-export-cap", asset)).toBe(BigInt(CAPACITY_W));
    expect(read("get-export-cap", 99)).toBeNull();
    expect(read("is-connected", 99)).toBe(false);
  });

  test("requires the reviewed values to match", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W + 1, true).err).toBe(ERR.ERR_REVIEW_MISMATCH);
  });

  test("is not possible for the asset's owner or operator", () => {
    const own = registerVerified(chain, { owner: GRID_OPERATOR });
    must(call(GRID_OPERATOR, "request-connection", own, LIMIT_W));
    const operated = registerVerified(chain);
    must(call(OWNER, "request-connection", operated, LIMIT_W));
    must(chain.call(OWNER, "asset-verification.set-operator", operated, GRID_OPERATOR, 0));
    for (const asset of [own, operated]) {
      expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, false).err).toBe(ERR.ERR_OWN_ASSET);
    }
  });
});

describe("connection states", () => {
  const reach = {
    NONE: () => registerVerified(chain),
    REQUESTED: () => {
      const asset = registerVerified(chain);
      must(call(OWNER, "request-connection", asset, LIMIT_W));
      return asset;
    },
    REJECTED: () => {
      const asset = reach.REQUESTED();
      must(call(GRID_OPERATOR, "reject-connection", asset, "line full"));
      return asset;
    },
    CONNECTED: () => {
      const asset = reach.REQUESTED();
      must(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, false));
      return asset;
    },
    ...Object.fromEntries(
      ["CURTAILED", "ISLANDED", "DISCONNECTED"].map((state) => [
        state,
        () => {
          const asset = reach.CONNECTED();
          must(call(GRID_OPERATOR, "set-status", asset, CONNECTION[state]));
          return asset;
        },
      ]),
    ),
  };
  const OTHERS = { NONE: "ERR_CONNECTION_NOT_FOUND" };
  const outcomes = [
    ["request-connection", OWNER, [LIMIT_W], { NONE: "REQUESTED", REJECTED: "REQUESTED", REQUESTED: "REQUESTED" }, {}],
    ["withdraw-request", OWNER, [], { REQUESTED: "NONE" }, OTHERS],
    ["approve-connection", GRID_OPERATOR, [LIMIT_W, true], { REQUESTED: "CONNECTED" }, OTHERS],
    ["reject-connection", GRID_OPERATOR, ["no"], { REQUESTED: "REJECTED" }, OTHERS],
    [
      "set-status",
      GRID_OPERATOR,
      [3],
      { CURTAILED: "CONNECTED", ISLANDED: "CONNECTED", DISCONNECTED: "CONNECTED" },
      OTHERS,
    ],
    ["set-status", GRID_OPERATOR, [4], { CONNECTED: "CURTAILED" }, OTHERS],
    ["set-status", GRID_OPERATOR, [5], { CONNECTED: "ISLANDED" }, OTHERS],
    ["set-status", GRID_OPERATOR, [6], { CONNECTED: "DISCONNECTED" }, OTHERS],
  ];

  for (const [name, sender, values, allowed, errors] of outcomes) {
    test.each(Object.keys(reach))(`${name} ${values} of a connection that is %s`, (state) => {
      const asset = reach[state]();
      const { err } = call(sender, name, asset, ...values);
      if (allowed[state]) {
        expect(err).toBeUndefined();
        expect(read("get-connection", asset)?.state).toBe(CONNECTION[allowed[state]]);
      } else {
        expect(err).toBe(ERR[errors[state] ?? "ERR_WRONG_CONNECTION_STATE"]);
        expect(read("get-connection", asset)?.state).toBe(CONNECTION[state]);
      }
    });
  }

  test.each(Object.keys(reach))("is-connected of an asset that is %s", (state) => {
    expect(read("is-connected", reach[state]())).toBe(["CONNECTED", "CURTAILED"].includes(state));
  });

  test("a suspended asset is not connected", () => {
    const asset = reach.CONNECTED();
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    expect(read("is-connected", asset)).toBe(false);
  });

  test.each(Object.keys(reach))("set-export-limit and record-feed of a connection that is %s", (state) => {
    const asset = reach[state]();
    const error = {
      NONE: "ERR_CONNECTION_NOT_FOUND",
      REQUESTED: "ERR_WRONG_CONNECTION_STATE",
      REJECTED: "ERR_WRONG_CONNECTION_STATE",
    }[state];
    const expected = error && ERR[error];
    expect(call(GRID_OPERATOR, "set-export-limit", asset, 5).err).toBe(expected);
    chain.advanceToDay(chain.today + 1n);
    expect(call(GRID_OPERATOR, "record-feed", asset, chain.today - 1n, 5, 0).err).toBe(expected);
  });

  test("set-status rejects unknown statuses", () => {
    const asset = reach.CONNECTED();
    for (const status of [0, 1, 2, 7]) {
      expect(call(GRID_OPERATOR, "set-status", asset, status).err).toBe(ERR.ERR_UNKNOWN_STATUS);
    }
  });
});

describe("the grid operator of the region", () => {
  test("is the only one who decides on connections, sets status and limit, and records feeds", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    must(chain.call(DEPLOYER, "asset-verification.set-role", ROLE.GRID_OPERATOR, STRANGER, "DE-BY", true));
    const refused = (name, ...values) => {
      for (const sender of [OWNER, DEPLOYER, VERIFIER, STRANGER]) {
        expect(call(sender, name, asset, ...values).err).toBe(ERR.ERR_NOT_GRID_OPERATOR);
      }
    };
    refused("approve-connection", LIMIT_W, false);
    refused("reject-connection", "no");
    must(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W, false));
    refused("set-status", 4);
    refused("set-export-limit", 1);
    refused("record-feed", chain.today - 1n, 1, 1);
  });
});

describe("reject-connection, set-status, set-export-limit", () => {
  test("print the change", () => {
    const asset = registerVerified(chain);
    const event = (topic, rest) => [{ topic, version: 1n, "asset-id": asset, actor: GRID_OPERATOR, ...rest }];
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(GRID_OPERATOR, "reject-connection", asset, "line full").events).toEqual(
      event("connection-rejected", { reason: "line full", state: CONNECTION.REJECTED }),
    );
    connect(chain, asset);
    expect(call(GRID_OPERATOR, "set-status", asset, 4).events).toEqual(
      event("connection-status-set", {
        state: CONNECTION.CURTAILED,
        "export-schedule": [{ "from-day": chain.today, "cap-w": BigInt(CAPACITY_W) }],
      }),
    );
    expect(call(GRID_OPERATOR, "set-export-limit", asset, 7).events).toEqual(
      event("export-limit-set", {
        "export-limit-w": 7n,
        "export-schedule": [
          { "from-day": chain.today, "cap-w": BigInt(CAPACITY_W) },
          { "from-day": chain.today + 1n, "cap-w": 7n },
        ],
      }),
    );
    expect(read("get-connection", asset)).toMatchObject({ "export-limit-w": 7n, state: CONNECTION.CURTAILED });
  });

  test("set-export-limit rejects limits that are out of bounds", () => {
    const asset = addPlant(chain);
    for (const limit of [0, 10n ** 12n + 1n]) {
      expect(call(GRID_OPERATOR, "set-export-limit", asset, limit).err).toBe(ERR.ERR_INVALID_EXPORT_LIMIT);
    }
  });
});

describe("record-feed", () => {
  test("stores what was exported and imported, and replaces it until it is verified", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const event = { topic: "feed-recorded", version: 1n, "asset-id": asset, day, actor: GRID_OPERATOR };
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 100, 7).events).toEqual([
      { ...event, "exported-wh": 100n, "imported-wh": 7n, replaced: false },
    ]);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 90, 9).events).toEqual([
      { ...event, "exported-wh": 90n, "imported-wh": 9n, replaced: true },
    ]);
    const row = { "exported-wh": 90n, "imported-wh": 9n, recorder: GRID_OPERATOR, verified: false };
    expect(read("get-feed", asset, day)).toEqual(row);
    expect(
      read("get-feeds", [
        { "asset-id": asset, day },
        { "asset-id": 99, day },
      ]),
    ).toEqual([row, null]);
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 90n, "imported-wh": 9n });
    produce(chain, asset, day, 500);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 91, 9).ok).toBe(true);
    must(call(VERIFIER, "verify-feed", asset, day, 91, 9));
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 92, 9).err).toBe(ERR.ERR_FEED_FINAL);
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 91n, "imported-wh": 9n });
    chain.advanceToDay(day + 2n);
    feed(chain, asset, day + 1n, 10, 1);
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 101n, "imported-wh": 10n });
  });

  test("is possible from the end of the day until 45 days later", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).err).toBe(ERR.ERR_DAY_NOT_OVER);
    expect(call(GRID_OPERATOR, "record-feed", asset, 2n ** 128n - 1n, 1, 1).err).toBe(ERR.ERR_DAY_NOT_OVER);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).ok).toBe(true);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });

  test("rejects energies that are out of bounds", () => {
    const asset = addPlant(chain);
    chain.advanceToDay(chain.today + 1n);
    const feeding = (exported, imported) =>
      call(GRID_OPERATOR, "record-feed", asset, chain.today - 1n, exported, imported).err;
    expect(feeding(10n ** 15n + 1n, 0)).toBe(ERR.ERR_IMPLAUSIBLE_FEED);
    expect(feeding(0, 2n ** 128n - 1n)).toBe(ERR.ERR_IMPLAUSIBLE_FEED);
    expect(feeding(10n ** 15n, 10n ** 15n)).toBeUndefined();
    expect(feeding(0, 0)).toBeUndefined();
  });

  test.each([
    ["metered", true],
    ["not metered", false],
  ])("of a connection that is %s is possible from the day of its approval", (_, metered) => {
    const asset = registerVerified(chain);
    const day = chain.today + 1n;
    chain.advanceToDay(day);
    connect(chain, asset, { metered });
    chain.advanceToDay(day + 1n);
    expect(call(GRID_OPERATOR, "record-feed", asset, day - 1n, 1, 1).err).toBe(ERR.ERR_DAY_BEFORE_CONNECTION);
    // A day after the approval counts, whatever the connection's later state.
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.DISCONNECTED));
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.CONNECTED));
    expect(read("get-connection", asset)["approved-day"]).toBe(day);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).ok).toBe(true);
  });

  test("works during a pause", () => {
    const asset = addPlant(chain);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    chain.advanceToDay(chain.today + 1n);
    expect(call(GRID_OPERATOR, "record-feed", asset, chain.today - 1n, 1, 1).ok).toBe(true);
  });
});

describe("record-feeds", () => {
  const item = (asset, day, exported, imported = 0) => ({
    "asset-id": asset,
    day,
    "exported-wh": exported,
    "imported-wh": imported,
  });

  test("records all valid feeds, and returns one response per item", () => {
    const [asset, other] = [addPlant(chain), addPlant(chain, { metered: true })];
    const unconnected = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    const items = [
      item(asset, day, 5),
      item(99, day, 5),
      item(unconnected, day, 5),
      item(asset, day + 1n, 5),
      item(other, day, 6, 2),
      item(asset, day, 7),
    ];
    expect(call(GRID_OPERATOR, "record-feeds", items).ok).toEqual([
      { ok: true },
      { err: ERR.ERR_CONNECTION_NOT_FOUND },
      { err: ERR.ERR_CONNECTION_NOT_FOUND },
      { err: ERR.ERR_DAY_NOT_OVER },
      { ok: true },
      { ok: true },
    ]);
    expect(read("get-feed", asset, day)["exported-wh"]).toBe(7n);
    expect(read("get-total-feed", asset)["exported-wh"]).toBe(7n);
    expect(call(STRANGER, "record-feeds", items.slice(0, 2)).ok).toEqual([
      { err: ERR.ERR_NOT_GRID_OPERATOR },
      { err: ERR.ERR_CONNECTION_NOT_FOUND },
    ]);
    expect(call(GRID_OPERATOR, "record-feeds", []).ok).toEqual([]);
  });

  test("accepts 100 items, and so does verify-feeds", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 40n);
    const items = Array.from({ length: 100 }, (_, index) => item(asset, day + BigInt(index % 40), index));
    expect(call(GRID_OPERATOR, "record-feeds", items).ok).toEqual(Array(100).fill({ ok: true }));
    const verified = call(VERIFIER, "verify-feeds", items).ok;
    expect(verified.filter(({ ok }) => ok)).toHaveLength(40);
  });
});

describe("verify-feed", () => {
  const recorded = () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    must(call(GRID_OPERATOR, "record-feed", asset, day, 100, 7));
    return { asset, day };
  };

  test("makes a feed final", () => {
    const { asset, day } = recorded();
    expect(call(VERIFIER, "verify-feed", asset, day, 100, 7).events).toEqual([
      {
        topic: "feed-verified",
        version: 1n,
        "asset-id": asset,
        day,
        actor: VERIFIER,
        "exported-wh": 100n,
        "imported-wh": 7n,
      },
    ]);
    expect(read("get-feed", asset, day).verified).toBe(true);
    expect(call(VERIFIER, "verify-feed", asset, day, 100, 7).err).toBe(ERR.ERR_FEED_FINAL);
  });

  test("requires the reviewed values to match", () => {
    const { asset, day } = recorded();
    for (const reviewed of [
      [101, 7],
      [100, 8],
    ]) {
      expect(call(VERIFIER, "verify-feed", asset, day, ...reviewed).err).toBe(ERR.ERR_REVIEW_MISMATCH);
    }
    expect(call(VERIFIER, "verify-feed", asset, day + 1n, 100, 7).err).toBe(ERR.ERR_FEED_NOT_FOUND);
  });

  test("is only for verifiers who did not record the feed themselves", () => {
    const { asset, day } = recorded();
    const item = { "asset-id": asset, day, "exported-wh": 100, "imported-wh": 7 };
    for (const by of [OWNER, GRID_OPERATOR, STRANGER]) {
      expect(call(by, "verify-feed", asset, day, 100, 7).err).toBe(ERR.ERR_NOT_VERIFIER);
      expect(call(by, "verify-feeds", [item]).err).toBe(ERR.ERR_NOT_VERIFIER);
    }
    must(chain.call(DEPLOYER, "asset-verification.set-role", ROLE.VERIFIER, GRID_OPERATOR, "", true));
    expect(call(GRID_OPERATOR, "verify-feed", asset, day, 100, 7).err).toBe(ERR.ERR_OWN_FEED);
    expect(call(GRID_OPERATOR, "verify-feeds", [item]).ok).toEqual([{ err: ERR.ERR_OWN_FEED }]);
    expect(call(VERIFIER, "verify-feeds", [item, item]).ok).toEqual([{ ok: true }, { err: ERR.ERR_FEED_FINAL }]);
  });

  test("is possible until the window closes", () => {
    const { asset, day } = recorded();
    chain.advanceTo((day + 46n) * DAY - 10n);
    must(call(VERIFIER, "verify-feed", asset, day, 100, 7));
    const late = recorded();
    chain.advanceToDay(late.day + 46n);
    expect(call(VERIFIER, "verify-feed", late.asset, late.day, 100, 7).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });
});

describe("the export schedule", () => {
  const capOn = (asset, day) => read("get-cap-on", asset, day);
  const setLimit = (asset, limit) => must(call(GRID_OPERATOR, "set-export-limit", asset, limit));
  const setStatus = (asset, status) => must(call(GRID_OPERATOR, "set-status", asset, status));
  const caps = (asset, from, count) => Array.from({ length: count }, (_, index) => capOn(asset, from + BigInt(index)));

  test("keeps for each day the largest cap that applied on it", () => {
    const asset = registerVerified(chain);
    const day = chain.today + 1n;
    chain.advanceToDay(day);
    connect(chain, asset, { limitW: 100 });
    expect(caps(asset, day - 1n, 3)).toEqual([0n, 100n, 100n]);
    setLimit(asset, 24);
    expect(caps(asset, day, 2)).toEqual([100n, 24n]);
    setLimit(asset, 60);
    expect(caps(asset, day, 2)).toEqual([100n, 60n]);
    chain.advanceToDay(day + 1n);
    setLimit(asset, 200);
    expect(caps(asset, day, 3)).toEqual([100n, 200n, 200n]);
    setLimit(asset, 50);
    setLimit(asset, 150);
    expect(caps(asset, day, 3)).toEqual([100n, 200n, 150n]);
    setLimit(asset, 200);
    expect(caps(asset, day, 3)).toEqual([100n, 200n, 200n]);
    chain.advanceToDay(day + 5n);
    expect(caps(asset, day, 6)).toEqual([100n, 200n, 200n, 200n, 200n, 200n]);
    expect(capOn(asset, 2n ** 128n - 1n)).toBe(200n);
    expect(capOn(99, day)).toBe(0n);
    expect(read("get-export-schedule", 99)).toEqual([]);
  });

  test.each([
    ["islanded", CONNECTION.ISLANDED],
    ["disconnected", CONNECTION.DISCONNECTED],
  ])("is zero from the day after an asset was %s until the day of its reconnection", (_, status) => {
    const asset = addPlant(chain, { limitW: 100 });
    const day = chain.today;
    setStatus(asset, status);
    expect(caps(asset, day, 2)).toEqual([100n, 0n]);
    chain.advanceToDay(day + 3n);
    // A limit that is set in between applies from the reconnection.
    setLimit(asset, 70);
    expect(caps(asset, day, 5)).toEqual([100n, 0n, 0n, 0n, 0n]);
    setStatus(asset, CONNECTION.CONNECTED);
    expect(caps(asset, day, 5)).toEqual([100n, 0n, 0n, 70n, 70n]);
  });

  test("does not change if an asset is reconnected on the same day, or only curtailed", () => {
    const asset = addPlant(chain, { limitW: 100 });
    const day = chain.today;
    const before = read("get-export-schedule", asset);
    setStatus(asset, CONNECTION.DISCONNECTED);
    setStatus(asset, CONNECTION.CONNECTED);
    expect(read("get-export-schedule", asset)).toEqual(before);
    chain.advanceToDay(day + 2n);
    setStatus(asset, CONNECTION.CURTAILED);
    setStatus(asset, CONNECTION.CONNECTED);
    expect(read("get-export-schedule", asset)).toEqual(before);
  });

  test("shows the sixteen newest entries, and the cap of a day that is over never changes", () => {
    const asset = addPlant(chain, { limitW: 1_000 });
    const start = chain.today;
    let changes = [[start, 1_000n]];
    // The limit rises and falls in turn, after one day, a few days, some months or eleven years.
    const few = Array(12).fill(2);
    const pauses = [1, 2, 1, 3, 70, 1, ...few, 64, 9, ...few, 4_100, 1, ...few, 200, ...few];
    let day = start;
    for (const [index, pause] of pauses.entries()) {
      day += BigInt(pause);
      chain.advanceToDay(day);
      const limit = 1_000n + ((-1n) ** BigInt(index)) * BigInt(index + 1);
      setLimit(asset, limit);
      const from = limit > changes.at(-1)[1] ? day : day + 1n;
      changes = [...changes.filter((change) => change[0] < from), [from, limit]];
    }
    const expected = (at) => changes.filter(([from]) => from <= at).at(-1)?.[1] ?? 0n;
    expect(read("get-export-schedule", asset)).toEqual(
      changes.slice(-16).map(([from, cap]) => ({ "from-day": from, "cap-w": cap })),
    );
    const near = changes.flatMap(([from]) => [from - 1n, from, from + 1n, from + 33n, from + 65n, from + 1_000n]);
    for (const at of near) expect([at, capOn(asset, at)]).toEqual([at, expected(at)]);
    expect(capOn(asset, 0n)).toBe(0n);
  });

  test("keeps what a day delivers, even after many later limit changes", () => {
    const asset = addPlant(chain, { limitW: 1 });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    setLimit(asset, 1_000);
    produce(chain, asset, day, 24_000);
    expect(read("get-deliverable", asset, day)).toBe(24n);
    for (let index = 1n; index <= 20n; index += 1n) {
      chain.advanceToDay(day + 1n + index);
      setLimit(asset, 1_000n + index);
    }
    expect(read("get-deliverable", asset, day)).toBe(24n);
  });
});

describe("get-deliverable", () => {
  const deliverable = (asset, day) => read("get-deliverable", asset, day);

  test("is no more than the cap of the day allows", () => {
    const asset = addPlant(chain, { limitW: 1_000 });
    const day = chain.today;
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.DISCONNECTED));
    chain.advanceToDay(day + 2n);
    for (const on of [day, day + 1n]) produce(chain, asset, on, 30_000);
    expect([day, day + 1n].map((on) => deliverable(asset, on))).toEqual([24_000n, 0n]);
    // Nothing that happens after a day changes what it delivers.
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.CONNECTED));
    must(call(GRID_OPERATOR, "set-export-limit", asset, 50_000));
    expect([day, day + 1n].map((on) => deliverable(asset, on))).toEqual([24_000n, 0n]);
  });

  test("is the verified energy if the connection is not metered", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(deliverable(asset, day)).toBeNull();
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500);
    feed(chain, asset, day, 400);
    expect(deliverable(asset, day)).toBeNull();
    verify(chain, asset, day);
    expect(deliverable(asset, day)).toBe(500n);
  });

  test.each([
    ["less than verified", 400, 400n],
    ["more than verified", 600, 500n],
    ["nothing", 0, 0n],
  ])("with a metered feed of %s is the lesser of both, once both are verified", (_, exported, expected) => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    expect(deliverable(asset, day)).toBeNull();
    must(call(GRID_OPERATOR, "record-feed", asset, day, exported, 0));
    expect(deliverable(asset, day)).toBeNull();
    must(call(VERIFIER, "verify-feed", asset, day, exported, 0));
    expect(deliverable(asset, day)).toBe(expected);
    expect(read("get-delivered", asset, day, 500, 0)).toBe(expected);
    expect(read("get-delivered", asset, day, 100, 350)).toBe({ 400: 50n, 500: 100n, 0: 0n }[expected]);
  });

  test("is never known for a rejected day", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500);
    reject(chain, asset, day);
    expect(deliverable(asset, day)).toBeNull();
    expect(read("get-delivery", asset, day)).toBeNull();
    expect(read("get-delivered", asset, day, 1, 0)).toBeNull();
  });

  test("is zero for days before the connection's approval, whenever that is", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 2n);
    produce(chain, asset, day, 500);
    expect(deliverable(asset, day)).toBe(0n);
    must(call(OWNER, "request-connection", asset, CAPACITY_W));
    expect(deliverable(asset, day)).toBe(0n);
    must(call(GRID_OPERATOR, "reject-connection", asset, "no room"));
    connect(chain, asset, { metered: true });
    produce(chain, asset, day + 1n, 600);
    expect([day, day + 1n].map((on) => deliverable(asset, on))).toEqual([0n, 0n]);
    chain.advanceToDay(day + 3n);
    produce(chain, asset, day + 2n, 700);
    expect(deliverable(asset, day + 2n)).toBeNull();
    feed(chain, asset, day + 2n, 650);
    expect(deliverable(asset, day + 2n)).toBe(650n);
  });
});

describe("get-delivery", () => {
  const delivery = (asset, day) => read("get-delivery", asset, day);

  test("includes what can be retired: once the feed is verified, at most the export minus the import", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(delivery(asset, day)).toBeNull();
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500, 0b11);
    expect(delivery(asset, day)).toBeNull();
    verify(chain, asset, day);
    const known = { "deliverable-wh": 500n, mask: 3n };
    expect(delivery(asset, day)).toEqual({ ...known, "retirable-wh": 500n });
    must(call(GRID_OPERATOR, "record-feed", asset, day, 450, 100));
    expect(delivery(asset, day)).toEqual({ ...known, "retirable-wh": 500n });
    must(call(VERIFIER, "verify-feed", asset, day, 450, 100));
    expect(delivery(asset, day)).toEqual({ ...known, "retirable-wh": 350n });
  });

  test.each([
    [900, 100, 500n],
    [100, 900, 0n],
  ])("if %i Wh were exported and %i Wh imported", (exported, imported, retirable) => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    feed(chain, asset, day, exported, imported);
    expect(delivery(asset, day)["retirable-wh"]).toBe(retirable);
  });

  test("is not known for a metered day before its feed is verified", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    expect(delivery(asset, day)).toBeNull();
    feed(chain, asset, day, 450, 100);
    expect(delivery(asset, day)).toEqual({ "deliverable-wh": 450n, "retirable-wh": 350n, mask: WHOLE_DAY });
  });
});

describe("is-undeliverable", () => {
  const undeliverable = (asset, day) => read("is-undeliverable", asset, day);

  test("is true for a day that was rejected or lost, or whose window closed before its delivery is known", () => {
    const [asset, metered, retired] = [addPlant(chain), addPlant(chain, { metered: true }), addPlant(chain)];
    const day = chain.today;
    must(chain.call(OWNER, "asset-verification.retire-asset", retired));
    expect(undeliverable(retired, day)).toBe(false);
    expect(undeliverable(retired, day + 1n)).toBe(true);
    chain.advanceToDay(day + 4n);
    record(chain, asset, day, 5);
    reject(chain, asset, day);
    produce(chain, asset, day + 1n, 5);
    record(chain, asset, day + 2n, 5);
    produce(chain, metered, day + 1n, 5);
    const days = [day, day + 1n, day + 2n, day + 3n];
    expect(days.map((on) => undeliverable(asset, on))).toEqual([true, false, false, false]);
    expect(undeliverable(metered, day + 1n)).toBe(false);
    chain.advanceToDay(day + 50n);
    expect(days.map((on) => undeliverable(asset, on))).toEqual([true, false, true, true]);
    expect(undeliverable(metered, day + 1n)).toBe(true);
    expect(undeliverable(asset, 2n ** 128n - 1n)).toBe(false);
  });
});

describe("get-market-terms", () => {
  test("returns the trading terms, and whether and how much the asset may feed in", () => {
    const asset = registerVerified(chain, { kind: 6 });
    const terms = {
      owner: OWNER,
      operator: null,
      "min-price": 0n,
      epoch: 1n,
      "capacity-w": BigInt(CAPACITY_W),
      storage: true,
      verified: true,
      "transfer-proposed": false,
      paused: false,
    };
    expect(chain.read("asset-verification.get-trading-terms", asset)).toEqual(terms);
    expect(chain.read("asset-verification.get-trading-terms", 99)).toBeNull();
    expect(read("get-market-terms", asset)).toEqual({
      ...terms,
      approved: false,
      connected: false,
      "approved-day": 0n,
      "cap-w": 0n,
    });
    expect(read("get-market-terms", 99)).toBeNull();
    connect(chain, asset, { limitW: LIMIT_W });
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.ISLANDED));
    expect(read("get-market-terms", asset)).toEqual({
      ...terms,
      approved: true,
      connected: false,
      "approved-day": chain.today,
      "cap-w": BigInt(LIMIT_W),
    });
  });
});

describe("set-region-alert", () => {
  test("announces an alert level in the operator's region", () => {
    expect(read("get-region-alert", REGION)).toBeNull();
    expect(call(GRID_OPERATOR, "set-region-alert", REGION, 3, 2_000_000_000).events).toEqual([
      {
        topic: "region-alert-set",
        version: 1n,
        actor: GRID_OPERATOR,
        region: REGION,
        level: 3n,
        until: 2_000_000_000n,
      },
    ]);
    expect(read("get-region-alert", REGION)).toEqual({ level: 3n, until: 2_000_000_000n });
    expect(call(GRID_OPERATOR, "set-region-alert", REGION, 4, 0).err).toBe(ERR.ERR_UNKNOWN_ALERT_LEVEL);
    expect(call(GRID_OPERATOR, "set-region-alert", "DE-BY", 1, 0).err).toBe(ERR.ERR_NOT_GRID_OPERATOR);
    for (const sender of [BUYER, REGISTRAR, DEPLOYER]) {
      expect(call(sender, "set-region-alert", REGION, 1, 0).err).toBe(ERR.ERR_NOT_GRID_OPERATOR);
    }
  });
});

test("every error of the contract was provoked above", () => {
  expect(Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]))).toEqual([]);
});
