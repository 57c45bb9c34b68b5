// Connections, feed and region alerts, through the public functions.
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
  addPlant,
  connect,
  feed,
  must,
  produce,
  record,
  register,
  registerVerified,
  startSystem,
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
  test("asks the region's operator", () => {
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

  test("is for the owner of a verified asset, with a limit", () => {
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
});

describe("approve-connection", () => {
  test("connects the asset, up to the lesser of capacity and limit", () => {
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
        state: CONNECTION.CONNECTED,
      },
    ]);
    expect(read("is-connected", asset)).toBe(true);
    expect(read("get-connection", asset)).toMatchObject({ "feed-metered": true, "approved-day": chain.today });
    expect(read("get-export-cap", asset)).toBe(BigInt(LIMIT_W));
    must(call(GRID_OPERATOR, "set-export-limit", asset, 10n ** 12n));
    expect(read("get-export-cap", asset)).toBe(BigInt(CAPACITY_W));
    expect(read("get-export-cap", 99)).toBeNull();
    expect(read("is-connected", 99)).toBe(false);
  });

  test("repeats what was reviewed", () => {
    const asset = registerVerified(chain);
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(GRID_OPERATOR, "approve-connection", asset, LIMIT_W + 1, true).err).toBe(ERR.ERR_REVIEW_MISMATCH);
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
    ["request-connection", OWNER, [LIMIT_W], { NONE: "REQUESTED", REJECTED: "REQUESTED" }, {}],
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
        expect(read("get-connection", asset).state).toBe(CONNECTION[allowed[state]]);
      } else {
        expect(err).toBe(ERR[errors[state] ?? "ERR_WRONG_CONNECTION_STATE"]);
        expect(read("get-connection", asset)?.state).toBe(CONNECTION[state]);
      }
    });
  }

  test.each(Object.keys(reach))("an asset that is %s feeds in, or not", (state) => {
    expect(read("is-connected", reach[state]())).toBe(["CONNECTED", "CURTAILED"].includes(state));
  });

  test.each(Object.keys(reach))("limit and feed of a connection that is %s", (state) => {
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

  test("no other status is known", () => {
    const asset = reach.CONNECTED();
    for (const status of [0, 1, 2, 7]) {
      expect(call(GRID_OPERATOR, "set-status", asset, status).err).toBe(ERR.ERR_UNKNOWN_STATUS);
    }
  });
});

describe("the grid operator of the region", () => {
  test("and nobody else decides, sets and meters", () => {
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
  test("print what they did", () => {
    const asset = registerVerified(chain);
    const event = (topic, rest) => [{ topic, version: 1n, "asset-id": asset, actor: GRID_OPERATOR, ...rest }];
    must(call(OWNER, "request-connection", asset, LIMIT_W));
    expect(call(GRID_OPERATOR, "reject-connection", asset, "line full").events).toEqual(
      event("connection-rejected", { reason: "line full", state: CONNECTION.REJECTED }),
    );
    connect(chain, asset);
    expect(call(GRID_OPERATOR, "set-status", asset, 4).events).toEqual(
      event("connection-status-set", { state: CONNECTION.CURTAILED }),
    );
    expect(call(GRID_OPERATOR, "set-export-limit", asset, 7).events).toEqual(
      event("export-limit-set", { "export-limit-w": 7n }),
    );
    expect(read("get-connection", asset)).toMatchObject({ "export-limit-w": 7n, state: CONNECTION.CURTAILED });
  });

  test("an export limit has bounds", () => {
    const asset = addPlant(chain);
    for (const limit of [0, 10n ** 12n + 1n]) {
      expect(call(GRID_OPERATOR, "set-export-limit", asset, limit).err).toBe(ERR.ERR_INVALID_EXPORT_LIMIT);
    }
  });
});

describe("record-feed", () => {
  test("stores what passed the meter, and replaces it until the day is verified", () => {
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
    expect(read("get-feed", asset, day)).toEqual({ "exported-wh": 90n, "imported-wh": 9n });
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 90n, "imported-wh": 9n });
    record(chain, asset, day, 500);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 91, 9).ok).toBe(true);
    must(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 500));
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 92, 9).err).toBe(ERR.ERR_FEED_FINAL);
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 91n, "imported-wh": 9n });
    chain.advanceToDay(day + 2n);
    feed(chain, asset, day + 1n, 10, 1);
    expect(read("get-total-feed", asset)).toEqual({ "exported-wh": 101n, "imported-wh": 10n });
  });

  test("after the verification is final at once", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 100, 7).ok).toBe(true);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 100, 7).err).toBe(ERR.ERR_FEED_FINAL);
  });

  test("begins when the day is over and ends 45 days later", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).err).toBe(ERR.ERR_DAY_NOT_OVER);
    expect(call(GRID_OPERATOR, "record-feed", asset, 2n ** 128n - 1n, 1, 1).err).toBe(ERR.ERR_DAY_NOT_OVER);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).ok).toBe(true);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).err).toBe(ERR.ERR_WINDOW_CLOSED);
  });

  test("has bounds", () => {
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
  ])("is of a day since the connection, %s, was approved", (_, metered) => {
    const asset = registerVerified(chain);
    const day = chain.today + 1n;
    chain.advanceToDay(day);
    connect(chain, asset, { metered });
    chain.advanceToDay(day + 1n);
    expect(call(GRID_OPERATOR, "record-feed", asset, day - 1n, 1, 1).err).toBe(ERR.ERR_DAY_BEFORE_CONNECTION);
    // A day later than the approval is one since, whatever became of the connection.
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.DISCONNECTED));
    must(call(GRID_OPERATOR, "set-status", asset, CONNECTION.CONNECTED));
    expect(read("get-connection", asset)["approved-day"]).toBe(day);
    expect(call(GRID_OPERATOR, "record-feed", asset, day, 1, 1).ok).toBe(true);
  });

  test("goes on while there is a pause", () => {
    const asset = addPlant(chain);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    chain.advanceToDay(chain.today + 1n);
    expect(call(GRID_OPERATOR, "record-feed", asset, chain.today - 1n, 1, 1).ok).toBe(true);
  });
});

describe("get-deliverable", () => {
  const deliverable = (asset, day) => read("get-deliverable", asset, day);

  test("without a metered feed is what was verified", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(deliverable(asset, day)).toBeNull();
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500);
    feed(chain, asset, day, 400);
    expect(deliverable(asset, day)).toBeNull();
    must(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 500));
    expect(deliverable(asset, day)).toBe(500n);
  });

  test.each([
    ["less than verified", 400, 400n],
    ["more than verified", 600, 500n],
    ["nothing", 0, 0n],
  ])("with a metered feed of %s is the lesser of both, once both are known", (_, exported, expected) => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    expect(deliverable(asset, day)).toBeNull();
    feed(chain, asset, day, exported);
    expect(deliverable(asset, day)).toBe(expected);
  });

  test("of a rejected day is unknown for good", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500);
    must(chain.call(VERIFIER, "production-tracking.reject-day", asset, day, "no"));
    expect(deliverable(asset, day)).toBeNull();
  });

  test("of an asset without connection is what was verified", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    expect(deliverable(asset, day)).toBe(500n);
  });

  test("of a day before the approval is what was verified, whenever that was; of that day and later ones, metered", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 2n);
    produce(chain, asset, day, 500);
    must(call(OWNER, "request-connection", asset, CAPACITY_W));
    expect(deliverable(asset, day)).toBe(500n);
    must(call(GRID_OPERATOR, "reject-connection", asset, "no room"));
    expect(deliverable(asset, day)).toBe(500n);
    connect(chain, asset, { metered: true });
    produce(chain, asset, day + 1n, 600);
    expect(deliverable(asset, day)).toBe(500n);
    expect(deliverable(asset, day + 1n)).toBe(600n);
    chain.advanceToDay(day + 3n);
    produce(chain, asset, day + 2n, 700);
    expect(deliverable(asset, day + 2n)).toBeNull();
    feed(chain, asset, day + 2n, 650);
    expect(deliverable(asset, day + 2n)).toBe(650n);
  });
});

describe("set-region-alert", () => {
  test("announces a level in the operator's region", () => {
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
