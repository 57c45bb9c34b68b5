// Tests of offers, the day book and retired energy through the public functions.
import { beforeEach, describe, expect, test } from "vitest";

import {
  BUYER,
  BUYER_2,
  DEPLOYER,
  GRID_OPERATOR,
  OPERATOR,
  OWNER,
  PAUSER,
  REGISTRAR,
  STRANGER,
  VERIFIER,
} from "./accounts.js";
import { DAY, errorsProvoked } from "./chain.js";
import { errorsOf } from "./errors.js";
import {
  CAPACITY_W,
  NO_LIMIT,
  OFFER,
  WHOLE_DAY,
  addPlant,
  connect,
  feed,
  fund,
  must,
  offer,
  offerOf,
  produce,
  record,
  register,
  registerVerified,
  reject,
  startSystem,
  verify,
} from "./scenario.js";

const ERR = errorsOf("market-participation");
// The energy of 100 kW for a day.
const FORWARD_LIMIT_WH = CAPACITY_W * 24;

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `market-participation.${name}`, ...values);
const read = (name, ...values) => chain.read(`market-participation.${name}`, ...values);
const creating = (asset, options = {}) => call(options.by ?? OWNER, "create-offer", ...offerOf(chain, asset, options));
const accepting = (offerId, wh, by = BUYER, minWh = wh) =>
  chain.call(by, "settlement.accept-and-fund", offerId, wh, minWh, NO_LIMIT, NO_LIMIT);
const listing = (token, listed = true) => must(chain.call(DEPLOYER, "settlement.set-token", token, listed));
const TOKEN = `${DEPLOYER}.some-token`;
const bookOf = (asset, day) => read("get-day-book", asset, day);

/** Creates a plant with a verified day of `wh`. */
function plantAndVerifiedDay({ wh = 1_000, ...options } = {}) {
  const asset = addPlant(chain, options);
  const day = chain.today;
  chain.advanceToDay(day + 1n);
  produce(chain, asset, day, wh);
  return { asset, day };
}

describe("create-offer", () => {
  test("creates a forward offer for a day that has not begun", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const values = offerOf(chain, asset, { day, wh: 500_000, price: 120_000, minFill: 1_000, taker: BUYER });
    const { ok, events } = call(OWNER, "create-offer", ...values);
    expect(ok).toBe(1n);
    const shared = {
      "asset-id": asset,
      day,
      spot: false,
      seller: OWNER,
      wh: 500_000n,
      "open-wh": 500_000n,
      price: 120_000n,
      "min-fill-wh": 1_000n,
      "expires-at": day * DAY,
      taker: BUYER,
      token: null,
      epoch: 1n,
      state: OFFER.PENDING,
    };
    expect(events).toEqual([{ topic: "offer-created", version: 1n, "offer-id": 1n, actor: OWNER, ...shared }]);
    expect(read("get-offer", 1)).toEqual({ ...shared, maker: OWNER, fills: 0n, "unsettled-fills": 0n });
    expect(read("get-offer-count")).toBe(1n);
    expect(read("get-offers", [2, 1]).map((row) => row?.wh)).toEqual([undefined, 500_000n]);
    expect(bookOf(asset, day)).toEqual({
      epoch: 1n,
      "forward-open-wh": 500_000n,
      "forward-funded-wh": 0n,
      "spot-open-wh": 0n,
      "spot-sold-wh": 0n,
      "retired-wh": 0n,
    });
    expect(read("get-available", asset, day)).toBe(BigInt(FORWARD_LIMIT_WH - 500_000));
  });

  test("creates a spot offer for a verified day", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000 });
    expect(read("get-available", asset, day)).toBe(1_000n);
    const { events } = creating(asset, { day, wh: 600, minFill: 10 });
    expect(events).toMatchObject([{ topic: "offer-created", spot: true, wh: 600n }]);
    expect(bookOf(asset, day)).toMatchObject({ "spot-open-wh": 600n, "forward-open-wh": 0n });
    expect(read("get-available", asset, day)).toBe(400n);
  });

  test("is only for the owner, and for the operator at or above the owner's lowest price", () => {
    const asset = addPlant(chain);
    expect(creating(asset, { by: OPERATOR }).err).toBe(ERR.ERR_NOT_SELLER);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 90_000));
    expect(creating(asset, { by: OPERATOR, price: 89_999 }).err).toBe(ERR.ERR_BELOW_MIN_PRICE);
    expect(creating(asset, { by: OPERATOR, price: 90_000 }).ok).toBe(1n);
    expect(read("get-offer", 1)).toMatchObject({ seller: OWNER, maker: OPERATOR });
    expect(creating(asset, { by: OWNER, price: 1_000 }).ok).toBe(2n);
    for (const by of [STRANGER, DEPLOYER, REGISTRAR]) expect(creating(asset, { by }).err).toBe(ERR.ERR_NOT_SELLER);
  });

  test("requires a verified, connected asset without a proposed transfer, and no pause", () => {
    const pending = register(chain);
    const unconnected = registerVerified(chain);
    const asset = addPlant(chain);
    expect(creating(99).err).toBe(ERR.ERR_ASSET_NOT_FOUND);
    expect(creating(pending).err).toBe(ERR.ERR_ASSET_NOT_VERIFIED);
    expect(creating(unconnected).err).toBe(ERR.ERR_NOT_CONNECTED);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 5));
    expect(creating(asset).err).toBe(ERR.ERR_NOT_CONNECTED);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 3));
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 4));
    expect(creating(asset, { wh: 1_000 }).ok).toBe(1n);
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    expect(creating(asset).err).toBe(ERR.ERR_ASSET_NOT_VERIFIED);
    must(chain.call(REGISTRAR, "asset-verification.reinstate-asset", asset));
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    expect(creating(asset).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    must(chain.call(OWNER, "asset-verification.cancel-transfer", asset));
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(creating(asset).err).toBe(ERR.ERR_PAUSED);
    must(chain.call(PAUSER, "asset-verification.set-paused", false));
    expect(creating(asset, { wh: 1_000 }).ok).toBe(2n);
  });

  const BOUNDS = [
    ["no energy", { wh: 0 }, "ERR_INVALID_ENERGY"],
    ["too much energy", { wh: 10n ** 15n + 1n }, "ERR_INVALID_ENERGY"],
    ["no price", { price: 0 }, "ERR_INVALID_PRICE"],
    ["too high a price", { price: 10n ** 15n + 1n }, "ERR_INVALID_PRICE"],
    ["no smallest fill", { minFill: 0 }, "ERR_INVALID_MIN_FILL"],
    ["a smallest fill above the offer", { wh: 100, minFill: 101 }, "ERR_INVALID_MIN_FILL"],
    ["a smallest fill worth less than a microSTX", { price: 999, minFill: 1 }, "ERR_INVALID_MIN_FILL"],
    ["a smallest fill that no offer can have", { minFill: 2n ** 128n - 1n }, "ERR_INVALID_MIN_FILL"],
    ["more than capacity", { wh: FORWARD_LIMIT_WH + 1 }, "ERR_OVERSOLD"],
    ["a token that is not listed", { token: `${DEPLOYER}.some-token` }, "ERR_TOKEN_NOT_LISTED"],
  ];
  test.each(BOUNDS)("rejects %s", (_, options, error) => {
    const asset = addPlant(chain);
    expect(creating(asset, options).err).toBe(ERR[error]);
  });

  test.each([
    ["the whole day", { wh: FORWARD_LIMIT_WH }],
    ["the highest price", { price: 10n ** 15n }],
    ["a smallest fill of the whole", { wh: 100, minFill: 100 }],
    ["a smallest fill worth a microSTX", { price: 1_000, minFill: 1 }],
  ])("accepts %s", (_, options) => {
    const asset = addPlant(chain);
    expect(creating(asset, options).ok).toBe(1n);
  });

  test("requires an expiry in the future, for a forward offer no later than the beginning of the day", () => {
    const asset = addPlant(chain);
    const { asset: other, day: verified } = plantAndVerifiedDay();
    const day = chain.today + 1n;
    expect(creating(asset, { day, expiresAt: chain.now }).err).toBe(ERR.ERR_INVALID_EXPIRY);
    expect(creating(asset, { day, expiresAt: day * DAY + 1n }).err).toBe(ERR.ERR_INVALID_EXPIRY);
    expect(creating(asset, { day, wh: 1_000, expiresAt: chain.now + 1n }).ok).toBe(1n);
    expect(creating(other, { day: verified, wh: 10, minFill: 10, expiresAt: 0 }).err).toBe(ERR.ERR_INVALID_EXPIRY);
    expect(creating(other, { day: verified, wh: 10, minFill: 10, expiresAt: 2n ** 128n - 1n }).ok).toBe(2n);
  });

  test("is possible up to 366 days ahead", () => {
    const asset = addPlant(chain);
    expect(creating(asset, { day: chain.today + 367n }).err).toBe(ERR.ERR_DAY_TOO_FAR);
    expect(creating(asset, { day: 2n ** 128n - 1n, expiresAt: chain.now + 100n }).err).toBe(ERR.ERR_DAY_TOO_FAR);
    expect(creating(asset, { day: chain.today + 366n }).ok).toBe(1n);
  });

  test("waits for the verification of a day that has begun, and of its feed if metered", () => {
    const asset = addPlant(chain, { metered: true });
    const day = chain.today;
    const spot = { day, wh: 100, minFill: 10, expiresAt: chain.now + 90n * DAY };
    expect(creating(asset, spot).err).toBe(ERR.ERR_DAY_NOT_DELIVERABLE);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 500);
    expect(creating(asset, spot).err).toBe(ERR.ERR_DAY_NOT_DELIVERABLE);
    verify(chain, asset, day);
    expect(creating(asset, spot).err).toBe(ERR.ERR_DAY_NOT_DELIVERABLE);
    must(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 98, 0));
    expect(creating(asset, spot).err).toBe(ERR.ERR_DAY_NOT_DELIVERABLE);
    expect(read("get-available", asset, day)).toBe(0n);
    feed(chain, asset, day, 99);
    expect(creating(asset, spot).err).toBe(ERR.ERR_OVERSOLD);
    expect(creating(asset, { ...spot, wh: 99 }).ok).toBe(1n);
  });

  test("rejects days before the connection's approval", () => {
    const asset = registerVerified(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 500);
    connect(chain, asset);
    const spot = { wh: 100, minFill: 10 };
    expect(creating(asset, { ...spot, day }).err).toBe(ERR.ERR_DAY_BEFORE_CONNECTION);
    expect(read("get-available", asset, day)).toBe(0n);
    chain.advanceToDay(day + 2n);
    produce(chain, asset, day + 1n, 500);
    expect(creating(asset, { ...spot, day: day + 1n }).ok).toBe(1n);
  });

  test("is possible up to the lesser of capacity and export limit", () => {
    const asset = addPlant(chain, { limitW: 40_000 });
    expect(creating(asset, { wh: 40_000 * 24 + 1 }).err).toBe(ERR.ERR_OVERSOLD);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 10n ** 12n));
    expect(creating(asset, { wh: FORWARD_LIMIT_WH + 1 }).err).toBe(ERR.ERR_OVERSOLD);
    expect(creating(asset, { wh: FORWARD_LIMIT_WH }).ok).toBe(1n);
    // If the limit falls below what is sold, no room is left, and nothing underflows.
    must(chain.call(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 1));
    expect(creating(asset, { wh: 10, minFill: 10 }).err).toBe(ERR.ERR_OVERSOLD);
    expect(read("get-available", asset, chain.today + 1n)).toBe(0n);
  });

  test("counts both open and funded energy", () => {
    const asset = addPlant(chain);
    const first = offer(chain, asset, { wh: FORWARD_LIMIT_WH - 1_000_000 });
    fund(chain, first, 400_000);
    expect(creating(asset, { wh: 1_000_001 }).err).toBe(ERR.ERR_OVERSOLD);
    expect(creating(asset, { wh: 1_000_000 }).ok).toBe(2n);
    must(call(OWNER, "cancel-offer", first));
    expect(creating(asset, { wh: FORWARD_LIMIT_WH - 1_400_000 + 1 }).err).toBe(ERR.ERR_OVERSOLD);
    expect(creating(asset, { wh: FORWARD_LIMIT_WH - 1_400_000 }).ok).toBe(3n);
  });
});

describe("an offer in a token", () => {
  test("can be created while the token is listed, and remains valid afterwards", () => {
    const asset = addPlant(chain);
    expect(read("is-token-listed", TOKEN)).toBe(false);
    listing(TOKEN);
    expect(read("is-token-listed", TOKEN)).toBe(true);
    const { ok, events } = creating(asset, { token: TOKEN, wh: 1_000 });
    expect(events).toMatchObject([{ topic: "offer-created", token: TOKEN }]);
    expect(read("get-offer", ok).token).toBe(TOKEN);
    listing(TOKEN, false);
    expect(creating(asset, { token: TOKEN, wh: 1_000 }).err).toBe(ERR.ERR_TOKEN_NOT_LISTED);
    expect(read("quote", ok, 1_000)).toMatchObject({ cost: 100_000n });
  });

  test("can be created by an operator only if the owner has set no lowest price, which is in microSTX", () => {
    const asset = addPlant(chain);
    listing(TOKEN);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 1));
    expect(creating(asset, { by: OPERATOR, token: TOKEN }).err).toBe(ERR.ERR_BELOW_MIN_PRICE);
    expect(creating(asset, { by: OPERATOR, wh: 1_000 }).ok).toBe(1n);
    expect(creating(asset, { by: OWNER, token: TOKEN, wh: 1_000 }).ok).toBe(2n);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    expect(creating(asset, { by: OPERATOR, token: TOKEN, wh: 1_000 }).ok).toBe(3n);
  });
});

describe("create-offers", () => {
  const days = (first, count, wh = 1_000) =>
    Array.from({ length: count }, (_, index) => {
      const day = first + BigInt(index);
      return { day, wh, "expires-at": day * DAY };
    });
  const offering = (asset, items, { by = OWNER, price = 100_000, minFill = 1_000, taker = null, token = null } = {}) =>
    call(by, "create-offers", asset, price, minFill, taker, token, items);

  test("offers a month of days at one price, and returns one response per day", () => {
    const asset = addPlant(chain);
    const first = chain.today + 1n;
    const { ok, events } = offering(asset, days(first, 31), { taker: BUYER, minFill: 10 });
    expect(ok).toEqual(Array.from({ length: 31 }, (_, index) => ({ ok: BigInt(index + 1) })));
    expect(events.map((event) => [event.topic, event["offer-id"], event.day])).toEqual(
      Array.from({ length: 31 }, (_, index) => ["offer-created", BigInt(index + 1), first + BigInt(index)]),
    );
    expect(read("get-offer-count")).toBe(31n);
    expect(read("get-offer", 31)).toMatchObject({
      day: first + 30n,
      taker: BUYER,
      "min-fill-wh": 10n,
      price: 100_000n,
    });
    const keys = days(first, 30).map(({ day }) => ({ "asset-id": asset, day }));
    expect(read("get-day-books", keys).map((row) => row["forward-open-wh"])).toEqual(Array(30).fill(1_000n));
  });

  test("continues after a day that cannot be offered", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_500 });
    const tomorrow = chain.today + 1n;
    const item = (of, wh, end = of * DAY) => ({ day: of, wh, "expires-at": end });
    const items = [
      item(tomorrow, 2_000),
      item(tomorrow, FORWARD_LIMIT_WH - 1_999),
      item(tomorrow, 0),
      item(tomorrow, 999),
      item(tomorrow + 366n, 1_000),
      item(tomorrow, 1_000, chain.now),
      item(tomorrow, 1_000, tomorrow * DAY + 1n),
      item(chain.today, 1_000, chain.now + DAY),
      item(day, 1_000, chain.now + DAY),
      item(day, 1_000, chain.now + DAY),
      item(tomorrow, FORWARD_LIMIT_WH - 2_000),
    ];
    expect(offering(asset, items).ok).toEqual([
      { ok: 1n },
      { err: ERR.ERR_OVERSOLD },
      { err: ERR.ERR_INVALID_ENERGY },
      { err: ERR.ERR_INVALID_MIN_FILL },
      { err: ERR.ERR_DAY_TOO_FAR },
      { err: ERR.ERR_INVALID_EXPIRY },
      { err: ERR.ERR_INVALID_EXPIRY },
      { err: ERR.ERR_DAY_NOT_DELIVERABLE },
      { ok: 2n },
      { err: ERR.ERR_OVERSOLD },
      { ok: 3n },
    ]);
    expect(read("get-offer-count")).toBe(3n);
    expect(creating(asset, { wh: 1_000, day: tomorrow + 1n }).ok).toBe(4n);
    expect(offering(asset, []).ok).toEqual([]);
  });

  test("fails as a whole if each of its offers would fail for the same reason", () => {
    const asset = addPlant(chain);
    const items = days(chain.today + 1n, 2);
    expect(offering(asset, items, { by: STRANGER }).err).toBe(ERR.ERR_NOT_SELLER);
    expect(offering(asset, items, { price: 0 }).err).toBe(ERR.ERR_INVALID_PRICE);
    expect(offering(asset, items, { minFill: 0 }).err).toBe(ERR.ERR_INVALID_MIN_FILL);
    expect(offering(asset, items, { token: TOKEN }).err).toBe(ERR.ERR_TOKEN_NOT_LISTED);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(offering(asset, items).err).toBe(ERR.ERR_PAUSED);
  });
});

describe("cancel-offers", () => {
  test("cancels each offer that the caller may cancel, and returns one response per item", () => {
    const asset = addPlant(chain);
    const other = addPlant(chain, { owner: BUYER });
    const ids = [offer(chain, asset), offer(chain, other, { by: BUYER }), offer(chain, asset)];
    expect(call(OWNER, "cancel-offers", [...ids, 99, ids[0]]).ok).toEqual([
      { ok: true },
      { err: ERR.ERR_NOT_SELLER },
      { ok: true },
      { err: ERR.ERR_OFFER_NOT_FOUND },
      { err: ERR.ERR_OFFER_CLOSED },
    ]);
    expect(read("get-offers", ids).map(({ state }) => state)).toEqual([
      OFFER.CANCELLED,
      OFFER.PENDING,
      OFFER.CANCELLED,
    ]);
  });

  test("accepts 31 offers", () => {
    const asset = addPlant(chain);
    const ids = Array.from({ length: 31 }, (_, index) =>
      offer(chain, asset, { day: chain.today + 1n + BigInt(index) }),
    );
    expect(call(OWNER, "cancel-offers", ids).ok).toEqual(Array(31).fill({ ok: true }));
  });
});

describe("get-funded-until", () => {
  test("is the last day for which energy is funded", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    expect(read("get-funded-until", asset)).toBeNull();
    fund(chain, offer(chain, asset, { day: day + 5n }), 1_000);
    expect(read("get-funded-until", asset)).toBe(day + 5n);
    fund(chain, offer(chain, asset, { day: day + 2n }), 1_000);
    expect(read("get-funded-until", asset)).toBe(day + 5n);
    fund(chain, offer(chain, asset, { day: day + 9n }), 1_000);
    expect(read("get-funded-until", asset)).toBe(day + 9n);
  });
});

describe("get-available", () => {
  test.each([
    ["less than was sold forward", 300_000, 0n],
    ["more than was sold forward", 450_000, 50_000n],
  ])("is what the forward buyers leave of a day that yields %s", (_, produced, left) => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    fund(chain, offer(chain, asset, { day, wh: 500_000 }), 400_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, produced);
    expect(read("get-available", asset, day)).toBe(left);
    expect(creating(asset, { day, wh: left + 1n, minFill: 1 }).err).toBe(ERR.ERR_OVERSOLD);
  });

  test("is zero if nothing can be offered", () => {
    const asset = registerVerified(chain);
    expect(read("get-available", 99, chain.today + 1n)).toBe(0n);
    expect(read("get-available", asset, chain.today + 1n)).toBe(0n);
    expect(read("get-available", asset, chain.today)).toBe(0n);
  });

  test("reaches as far ahead as offers do", () => {
    const asset = addPlant(chain);
    expect(read("get-available", asset, chain.today + 366n)).toBe(BigInt(FORWARD_LIMIT_WH));
    expect(read("get-available", asset, chain.today + 367n)).toBe(0n);
    expect(read("get-available", asset, 2n ** 128n - 1n)).toBe(0n);
  });

  test("is the unsold rest, even if nobody may offer it at the moment", () => {
    const asset = addPlant(chain);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 5));
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(read("get-available", asset, chain.today + 1n)).toBe(BigInt(FORWARD_LIMIT_WH));
  });
});

describe("quote", () => {
  test("returns the cost of a fill, rounded up, and the energy that is ahead of it", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 10_000, price: 1_001, minFill: 1 });
    expect(read("quote", id, 1)).toEqual({ cost: 2n, "before-wh": 0n, "open-wh": 10_000n });
    expect(read("quote", id, 1_000)).toMatchObject({ cost: 1_001n });
    fund(chain, id, 4_000);
    expect(read("quote", id, 6_000)).toEqual({ cost: 6_006n, "before-wh": 4_000n, "open-wh": 6_000n });
    expect(read("quote", id, 6_001)).toBeNull();
    expect(read("quote", 99, 1)).toBeNull();
  });

  test("has no energy ahead for a spot offer", () => {
    const { asset, day } = plantAndVerifiedDay();
    const id = offer(chain, asset, { day, wh: 100, minFill: 10 });
    expect(read("quote", id, 100)).toEqual({ cost: 10_000n, "before-wh": 0n, "open-wh": 100n });
  });

  test("does not exist for energy that nobody can buy", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day, wh: 10_000, minFill: 1_000, expiresAt: day * DAY - 100n });
    const quoted = (wh = 1_000) => read("quote", id, wh) !== null;
    const without = (contract, by, [name, ...values], [back, ...backValues]) => {
      must(chain.call(by, `${contract}.${name}`, asset, ...values));
      expect(quoted()).toBe(false);
      must(chain.call(by, `${contract}.${back}`, asset, ...backValues));
      expect(quoted()).toBe(true);
    };
    expect([0, 999, 1_000, 10_000, 10_001].map(quoted)).toEqual([false, false, true, true, false]);
    without("asset-verification", REGISTRAR, ["suspend-asset", "x"], ["reinstate-asset"]);
    without("asset-verification", OWNER, ["propose-transfer", BUYER], ["cancel-transfer"]);
    without("grid-integration", GRID_OPERATOR, ["set-status", 6], ["set-status", 3]);
    without("grid-integration", GRID_OPERATOR, ["set-export-limit", 1], ["set-export-limit", CAPACITY_W]);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(quoted()).toBe(false);
    must(chain.call(PAUSER, "asset-verification.set-paused", false));
    chain.advanceTo(day * DAY - 110n);
    expect(quoted()).toBe(true);
    chain.advanceTo(day * DAY - 90n);
    expect(quoted()).toBe(false);
    const next = offer(chain, asset, { day: day + 1n });
    must(chain.call(OWNER, "asset-verification.set-operator", asset, null, 0));
    expect(read("quote", next, 1_000)).toBeNull();
  });
});

describe("accepting", () => {
  test("moves energy from open to funded, and remembers what was funded before", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day, wh: 1_000_000 });
    const { events } = accepting(id, 300_000);
    const event = {
      topic: "offer-accepted",
      version: 1n,
      "offer-id": id,
      "asset-id": asset,
      day,
      state: OFFER.ACCEPTED,
    };
    expect(events[0]).toEqual({
      ...event,
      actor: BUYER,
      wh: 300_000n,
      "before-wh": 0n,
      "open-wh": 700_000n,
      fills: 1n,
      "unsettled-fills": 1n,
    });
    expect(accepting(id, 700_000, BUYER_2).events[0]).toEqual({
      ...event,
      actor: BUYER_2,
      wh: 700_000n,
      "before-wh": 300_000n,
      "open-wh": 0n,
      fills: 2n,
      "unsettled-fills": 2n,
    });
    expect(bookOf(asset, day)).toMatchObject({ "forward-open-wh": 0n, "forward-funded-wh": 1_000_000n });
    expect(read("get-offer", id)).toMatchObject({
      state: OFFER.ACCEPTED,
      fills: 2n,
      "unsettled-fills": 2n,
      "open-wh": 0n,
    });
  });

  test("sells the energy of a spot offer at once, and completes the offer with the last fill", () => {
    const { asset, day } = plantAndVerifiedDay();
    const id = offer(chain, asset, { day, wh: 1_000, minFill: 10 });
    expect(accepting(id, 400).events[0]).toMatchObject({
      "open-wh": 600n,
      "unsettled-fills": 0n,
      state: OFFER.ACCEPTED,
    });
    expect(accepting(id, 600).events[0]).toMatchObject({
      "open-wh": 0n,
      "unsettled-fills": 0n,
      state: OFFER.COMPLETED,
    });
    expect(bookOf(asset, day)).toMatchObject({ "spot-open-wh": 0n, "spot-sold-wh": 1_000n });
    expect(accepting(id, 1).err).toBe(ERR.ERR_OFFER_CLOSED);
  });

  test("requires at least the smallest fill, or all that remains", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 2_500, minFill: 1_000 });
    expect(accepting(99, 1).err).toBe(ERR.ERR_OFFER_NOT_FOUND);
    for (const wh of [0, 999, 2_501, 2n ** 128n - 1n]) expect(accepting(id, wh).err).toBe(ERR.ERR_INVALID_FILL);
    expect(accepting(id, 0, BUYER, 0).err).toBe(ERR.ERR_INVALID_FILL);
    expect(accepting(id, 1_000).ok).toBe(1n);
    expect(accepting(id, 1_000).ok).toBe(2n);
    expect(accepting(id, 499).err).toBe(ERR.ERR_INVALID_FILL);
    expect(accepting(id, 500).ok).toBe(3n);
  });

  test("fills the open part if that is less, but no less than the buyer's minimum", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 2_500, minFill: 1_000 });
    expect(accepting(id, 3_000, BUYER, 2_501).err).toBe(ERR.ERR_INVALID_FILL);
    must(accepting(id, 1_000, BUYER_2));
    expect(accepting(id, 2_500, BUYER, 1_501).err).toBe(ERR.ERR_INVALID_FILL);
    expect(accepting(id, 2_500, BUYER, 1_500).events[0]).toMatchObject({ wh: 1_500n, "open-wh": 0n });
  });

  test("respects an export limit that was lowered since", () => {
    const asset = addPlant(chain);
    const day = chain.today + 2n;
    const id = offer(chain, asset, { day, wh: FORWARD_LIMIT_WH });
    must(accepting(id, 24_000));
    must(chain.call(GRID_OPERATOR, "grid-integration.set-export-limit", asset, 2_000));
    expect(accepting(id, 24_001).err).toBe(ERR.ERR_OVERSOLD);
    expect(accepting(id, 12_000).ok).toBe(2n);
    expect(accepting(id, 12_001).err).toBe(ERR.ERR_OVERSOLD);
    expect(accepting(id, 12_000).ok).toBe(3n);
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_OVERSOLD);
  });

  test("is only for the taker that the offer names", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { taker: BUYER_2 });
    expect(accepting(id, 1_000, BUYER).err).toBe(ERR.ERR_NOT_TAKER);
    expect(accepting(id, 1_000, BUYER_2).ok).toBe(1n);
  });

  test("is not possible for the seller or maker, so no offer can be reserved for them", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    const create = (by, taker) =>
      chain.call(by, "market-participation.create-offer", ...offerOf(chain, asset, { taker }));
    expect(create(OWNER, OWNER).err).toBe(ERR.ERR_SELF_TRADE);
    expect(create(OPERATOR, OWNER).err).toBe(ERR.ERR_SELF_TRADE);
    expect(create(OPERATOR, OPERATOR).err).toBe(ERR.ERR_SELF_TRADE);
    const forOperator = must(create(OWNER, OPERATOR));
    expect(accepting(forOperator, 1_000, OPERATOR).ok).toBe(1n);
  });

  test("is not possible for the seller or the maker of the offer", () => {
    const asset = addPlant(chain);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    const byOperator = offer(chain, asset, { by: OPERATOR });
    const byOwner = offer(chain, asset, { by: OWNER });
    expect(accepting(byOperator, 1_000, OPERATOR).err).toBe(ERR.ERR_SELF_TRADE);
    expect(accepting(byOperator, 1_000, OWNER).err).toBe(ERR.ERR_SELF_TRADE);
    expect(accepting(byOwner, 1_000, OWNER).err).toBe(ERR.ERR_SELF_TRADE);
    // At the owner's price, the operator may buy like any other buyer.
    expect(accepting(byOwner, 1_000, OPERATOR).ok).toBe(1n);
  });

  test("ends when the offer expires", () => {
    const asset = addPlant(chain);
    const expiresAt = chain.now + 1_000n;
    const id = offer(chain, asset, { expiresAt });
    chain.advanceTo(expiresAt - 10n);
    expect(accepting(id, 1_000).ok).toBe(1n);
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_OFFER_EXPIRED);
  });

  test("ends when the day begins", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day, expiresAt: day * DAY });
    chain.advanceToDay(day);
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_OFFER_EXPIRED);
  });

  test("requires a verified, connected asset without a proposed transfer, its epoch, and no pause", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 6));
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_NOT_CONNECTED);
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 3));
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_ASSET_NOT_VERIFIED);
    must(chain.call(REGISTRAR, "asset-verification.reinstate-asset", asset));
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_TRANSFER_PROPOSED);
    must(chain.call(OWNER, "asset-verification.cancel-transfer", asset));
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_PAUSED);
    must(chain.call(PAUSER, "asset-verification.set-paused", false));
    expect(accepting(id, 1_000).ok).toBe(1n);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, null, 0));
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_EPOCH_OVER);
  });
});

describe("mark-accepted and mark-completed", () => {
  test("are only for the settlement contract, and so is mark-token", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    for (const sender of [OWNER, BUYER, DEPLOYER, STRANGER]) {
      for (const of of [id, 99]) {
        expect(call(sender, "mark-accepted", of, 1_000, 1, sender).err).toBe(ERR.ERR_NOT_SETTLEMENT);
        expect(call(sender, "mark-completed", of, sender).err).toBe(ERR.ERR_NOT_SETTLEMENT);
      }
      expect(call(sender, "mark-token", TOKEN, true, sender).err).toBe(ERR.ERR_NOT_SETTLEMENT);
    }
  });

  test("settling the last fill completes the offer", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day, wh: 2_000 });
    const payments = [fund(chain, id, 1_000), fund(chain, id, 1_000)];
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 2_000);
    const event = {
      topic: "offer-fill-closed",
      version: 1n,
      "offer-id": id,
      "asset-id": asset,
      day,
      actor: STRANGER,
      "open-wh": 0n,
    };
    const closing = (payment) => chain.call(STRANGER, "settlement.settle", payment).events.at(-1);
    expect(closing(payments[1])).toEqual({ ...event, "unsettled-fills": 1n, state: OFFER.ACCEPTED });
    expect(closing(payments[0])).toEqual({ ...event, "unsettled-fills": 0n, state: OFFER.COMPLETED });
  });

  test.each(["settle u1", "refund u1", "settle-batch (list u1)", "refund-batch (list u1)"])(
    "%s prints its caller as the actor, even if that is a contract",
    (settling) => {
      const asset = addPlant(chain);
      const day = chain.today + 1n;
      fund(chain, offer(chain, asset, { day, wh: 1_000 }), 1_000);
      chain.advanceToDay(day + 1n);
      if (settling.startsWith("settle")) produce(chain, asset, day, 1_000);
      else {
        record(chain, asset, day, 1);
        reject(chain, asset, day);
      }
      chain.deploy("keeper", `(define-public (go) (contract-call? .settlement ${settling}))`);
      const { events } = chain.call(STRANGER, "keeper.go");
      const actors = events.map((event) => [event.topic, event.actor]);
      const keeper = `${DEPLOYER}.keeper`;
      expect(actors).toEqual([
        [settling.startsWith("settle") ? "payment-settled" : "payment-refunded", keeper],
        ["offer-fill-closed", keeper],
      ]);
    },
  );
});

// Ways to close the open part of an offer, and the resulting state.
describe("closing an offer", () => {
  const ways = {
    "cancel-offer": { by: OWNER, topic: "offer-cancelled", state: OFFER.CANCELLED },
    "reject-offer": { by: BUYER, topic: "offer-rejected", state: OFFER.REJECTED },
    "expire-offer": { by: STRANGER, topic: "offer-expired", state: OFFER.EXPIRED },
  };
  const names = Object.keys(ways);

  function openOffer() {
    const asset = addPlant(chain);
    const day = chain.today + 2n;
    const expiresAt = (day - 1n) * DAY;
    return { asset, day, expiresAt, id: offer(chain, asset, { day, wh: 2_000, taker: BUYER, expiresAt }) };
  }

  test.each(names)("%s closes an offer without fills, and frees its energy", (name) => {
    const { asset, day, expiresAt, id } = openOffer();
    chain.advanceTo(expiresAt);
    expect(call(ways[name].by, name, id).events).toEqual([
      {
        topic: ways[name].topic,
        version: 1n,
        "offer-id": id,
        "asset-id": asset,
        day,
        actor: ways[name].by,
        "closed-wh": 2_000n,
        "open-wh": 0n,
        state: ways[name].state,
      },
    ]);
    expect(read("get-offer", id)).toMatchObject({ state: ways[name].state, "open-wh": 0n, wh: 2_000n });
    expect(bookOf(asset, day)["forward-open-wh"]).toBe(0n);
    for (const again of names) {
      expect(call(ways[again].by, again, id).err).toBe(ERR.ERR_OFFER_CLOSED);
    }
    expect(accepting(id, 1_000).err).toBe(ERR.ERR_OFFER_CLOSED);
  });

  test.each(names)("%s closes the remainder of an accepted offer, which stays accepted until it is settled", (name) => {
    const { asset, day, expiresAt, id } = openOffer();
    const payment = fund(chain, id, 1_500);
    chain.advanceTo(expiresAt);
    expect(call(ways[name].by, name, id).events).toMatchObject([
      { topic: ways[name].topic, "closed-wh": 500n, state: OFFER.ACCEPTED },
    ]);
    expect(bookOf(asset, day)).toMatchObject({ "forward-open-wh": 0n, "forward-funded-wh": 1_500n });
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_500);
    must(chain.call(STRANGER, "settlement.settle", payment));
    expect(read("get-offer", id).state).toBe(OFFER.COMPLETED);
  });

  test.each(names)("%s completes an offer whose fills are all settled", (name) => {
    const { asset, day } = plantAndVerifiedDay();
    const expiresAt = chain.now + 1_000n;
    const id = offer(chain, asset, { day, wh: 1_000, minFill: 10, taker: BUYER, expiresAt });
    fund(chain, id, 400);
    chain.advanceTo(expiresAt);
    expect(call(ways[name].by, name, id).events).toMatchObject([{ "closed-wh": 600n, state: OFFER.COMPLETED }]);
    expect(bookOf(asset, day)).toMatchObject({ "spot-open-wh": 0n, "spot-sold-wh": 400n });
  });

  test.each(names)("%s rejects an unknown offer", (name) => {
    expect(call(OWNER, name, 99).err).toBe(ERR.ERR_OFFER_NOT_FOUND);
  });

  test("cancelling is only for the owner and the operator", () => {
    const { asset } = openOffer();
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    const id = offer(chain, asset);
    for (const by of [BUYER, STRANGER, DEPLOYER]) expect(call(by, "cancel-offer", id).err).toBe(ERR.ERR_NOT_SELLER);
    expect(call(OPERATOR, "cancel-offer", id).ok).toBe(true);
  });

  test("rejecting is only for the taker that the offer names", () => {
    const { asset, id } = openOffer();
    const toAll = offer(chain, asset);
    expect(call(BUYER_2, "reject-offer", id).err).toBe(ERR.ERR_NOT_TAKER);
    for (const by of [BUYER, OWNER]) expect(call(by, "reject-offer", toAll).err).toBe(ERR.ERR_NOT_TAKER);
  });

  test("expiring waits until the offer is due", () => {
    const { id, expiresAt } = openOffer();
    chain.advanceTo(expiresAt - 10n);
    expect(call(STRANGER, "expire-offer", id).err).toBe(ERR.ERR_OFFER_NOT_EXPIRED);
    expect(call(STRANGER, "expire-offer", id).ok).toBe(true);
  });

  test("cancelling works during a pause", () => {
    const { id } = openOffer();
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(call(OWNER, "cancel-offer", id).ok).toBe(true);
  });
});

describe("a new epoch", () => {
  test("begins with nothing open, and keeps what is funded", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const old = offer(chain, asset, { day, wh: FORWARD_LIMIT_WH });
    fund(chain, old, 400_000);
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    expect(read("get-available", asset, day)).toBe(BigInt(FORWARD_LIMIT_WH - 400_000));
    const next = offer(chain, asset, { day, wh: 1_000_000, by: OPERATOR });
    expect(bookOf(asset, day)).toMatchObject({
      epoch: 2n,
      "forward-open-wh": 1_000_000n,
      "forward-funded-wh": 400_000n,
    });
    // Closing the old offer does not change the open energy of the new one.
    must(call(STRANGER, "expire-offer", old));
    expect(read("get-offer", old)).toMatchObject({ state: OFFER.ACCEPTED, "open-wh": 0n });
    expect(bookOf(asset, day)["forward-open-wh"]).toBe(1_000_000n);
    expect(accepting(next, 1_000_000).ok).toBe(2n);
    expect(bookOf(asset, day)).toMatchObject({ "forward-open-wh": 0n, "forward-funded-wh": 1_400_000n });
  });

  test("lets an old offer be closed before the book is used again", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const old = offer(chain, asset, { day, wh: 1_000 });
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    must(call(OWNER, "cancel-offer", old));
    expect(bookOf(asset, day)).toMatchObject({ epoch: 1n, "forward-open-wh": 0n });
    expect(read("get-available", asset, day)).toBe(BigInt(FORWARD_LIMIT_WH));
  });

  test("belongs to the new owner after a transfer", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const open = offer(chain, asset, { day, wh: FORWARD_LIMIT_WH });
    const payment = fund(chain, open, 1_000_000);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER_2));
    must(chain.call(BUYER_2, "asset-verification.accept-transfer", asset, 1));
    expect(accepting(open, 1_000).err).toBe(ERR.ERR_EPOCH_OVER);
    expect(creating(asset, { by: OWNER }).err).toBe(ERR.ERR_NOT_SELLER);
    const own = offer(chain, asset, { by: BUYER_2, wh: 1_000_000 });
    must(call(STRANGER, "expire-offer", open));
    fund(chain, own, 1_000_000);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_500_000);
    // The seller is paid although the plant has a new owner; first funded, first delivered.
    const paid = chain.balance(OWNER);
    must(chain.call(STRANGER, "settlement.settle", payment));
    expect(chain.balance(OWNER) - paid).toBe(99_000_000n);
    must(chain.call(STRANGER, "settlement.settle", payment + 1n));
    expect(chain.read("settlement.get-payment", payment + 1n)).toMatchObject({
      payee: BUYER_2,
      "delivered-wh": 500_000n,
    });
  });

  test("keeps what was sold on the spot and retired", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000 });
    const old = offer(chain, asset, { day, wh: 500, minFill: 10 });
    fund(chain, old, 100);
    must(call(OWNER, "retire-energy", asset, day, 50, OWNER, "own use"));
    must(chain.call(OWNER, "asset-verification.set-operator", asset, null, 0));
    expect(read("get-available", asset, day)).toBe(850n);
    must(call(OWNER, "retire-energy", asset, day, 50, OWNER, "own use"));
    expect(bookOf(asset, day)).toMatchObject({
      epoch: 2n,
      "spot-open-wh": 0n,
      "spot-sold-wh": 100n,
      "retired-wh": 100n,
    });
    must(call(STRANGER, "expire-offer", old));
    expect(bookOf(asset, day)["spot-open-wh"]).toBe(0n);
  });
});

describe("retire-energy", () => {
  test("removes energy from the market for good", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000 });
    const event = {
      topic: "energy-retired",
      version: 1n,
      "asset-id": asset,
      day,
      mask: WHOLE_DAY,
      actor: OWNER,
      beneficiary: BUYER,
      purpose: "own use",
    };
    expect(call(OWNER, "retire-energy", asset, day, 300, BUYER, "own use").events).toEqual([
      { ...event, "retirement-id": 1n, wh: 300n, "day-retired-wh": 300n },
    ]);
    expect(call(OWNER, "retire-energy", asset, day, 100, BUYER, "own use").events).toEqual([
      { ...event, "retirement-id": 2n, wh: 100n, "day-retired-wh": 400n },
    ]);
    expect(read("get-retirement-count")).toBe(2n);
    expect(read("get-available", asset, day)).toBe(600n);
    expect(creating(asset, { day, wh: 601, minFill: 10 }).err).toBe(ERR.ERR_OVERSOLD);
    offer(chain, asset, { day, wh: 600, minFill: 10 });
    expect(call(OWNER, "retire-energy", asset, day, 1, BUYER, "own use").err).toBe(ERR.ERR_OVERSOLD);
  });

  test("is only for the owner, while no transfer is proposed", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000 });
    const retiring = (by = OWNER, id = asset) => call(by, "retire-energy", id, day, 1, BUYER, "own use").err;
    must(chain.call(OWNER, "asset-verification.set-operator", asset, OPERATOR, 0));
    for (const by of [OPERATOR, STRANGER]) expect(retiring(by)).toBe(ERR.ERR_NOT_ASSET_OWNER);
    expect(retiring(OWNER, 99)).toBe(ERR.ERR_ASSET_NOT_FOUND);
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER));
    expect(retiring()).toBe(ERR.ERR_TRANSFER_PROPOSED);
    must(chain.call(OWNER, "asset-verification.cancel-transfer", asset));
    expect(retiring()).toBeUndefined();
    // A verified day is final, whatever happens to the asset.
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    expect(retiring()).toBeUndefined();
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    expect(retiring()).toBeUndefined();
  });

  test("requires a verified day with enough energy", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000 });
    expect(call(OWNER, "retire-energy", asset, day + 1n, 1, BUYER, "own use").err).toBe(ERR.ERR_DAY_NOT_DELIVERABLE);
    expect(call(OWNER, "retire-energy", asset, day, 0, BUYER, "own use").err).toBe(ERR.ERR_INVALID_ENERGY);
    expect(call(OWNER, "retire-energy", asset, day, 2n ** 128n - 1n, BUYER, "own use").err).toBe(ERR.ERR_OVERSOLD);
    expect(call(OWNER, "retire-energy", asset, day, 1_001, BUYER, "own use").err).toBe(ERR.ERR_OVERSOLD);
    expect(call(OWNER, "retire-energy", asset, day, 1_000, BUYER, "own use").ok).toBe(1n);
  });

  test("is not possible for energy from storage", () => {
    for (const kind of [6, 7]) {
      const { asset, day } = plantAndVerifiedDay({ kind, wh: 1_000 });
      expect(call(OWNER, "retire-energy", asset, day, 1, BUYER, "own use").err).toBe(ERR.ERR_STORAGE_NOT_RETIRABLE);
      // It can be sold like any other energy.
      expect(creating(asset, { day, wh: 1_000 }).err).toBeUndefined();
    }
  });

  test("retires at most the export minus the import, if the feed is known", () => {
    const { asset, day } = plantAndVerifiedDay({ wh: 1_000, metered: true });
    feed(chain, asset, day, 900, 300);
    const retiring = (wh) => call(OWNER, "retire-energy", asset, day, wh, BUYER, "own use").err;
    expect(retiring(901)).toBe(ERR.ERR_OVERSOLD);
    expect(retiring(601)).toBe(ERR.ERR_ABOVE_NET_EXPORT);
    expect(retiring(400)).toBeUndefined();
    expect(retiring(201)).toBe(ERR.ERR_ABOVE_NET_EXPORT);
    expect(retiring(200)).toBeUndefined();
    expect(creating(asset, { day, wh: 300, minFill: 10 }).ok).toBe(1n);
  });
});

test("every error of the contract was provoked above", () => {
  expect(Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]))).toEqual([]);
});
