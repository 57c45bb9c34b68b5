// Tests of funding, settling, refunding and fees through the public functions.
import { beforeEach, describe, expect, test } from "vitest";

import {
  ARBITER,
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
  NO_LIMIT,
  OFFER,
  PAYMENT,
  addPlant,
  feed,
  fund,
  must,
  offer,
  produce,
  record,
  reject,
  startSystem,
  verify,
} from "./scenario.js";

const ERR = errorsOf("settlement");
const MARKET_ERR = errorsOf("market-participation");
const SETTLEMENT = `${DEPLOYER}.settlement`;

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const call = (sender, name, ...values) => chain.call(sender, `settlement.${name}`, ...values);
const read = (name, ...values) => chain.read(`settlement.${name}`, ...values);
const paymentOf = (payment) => read("get-payment", payment);

/** Creates a plant with an offer for tomorrow, and payments that fund parts of it, in order. */
function fundTomorrow(whs, { price = 100_000, minFill = 1_000, ...options } = {}) {
  const asset = addPlant(chain, options);
  const day = chain.today + 1n;
  const total = whs.reduce((sum, wh) => sum + wh, 0);
  const offerId = offer(chain, asset, { day, wh: total, price, minFill });
  const payments = whs.map((wh, index) => fund(chain, offerId, wh, { by: index % 2 === 0 ? BUYER : BUYER_2 }));
  return { asset, day, offerId, payments };
}

/** Checks what must hold after every step: the escrow is the sum of the locked costs, and the contract can pay it. */
function expectSolvent() {
  const count = Number(read("get-payment-count"));
  const payments = Array.from({ length: count }, (_, index) => paymentOf(index + 1));
  const locked = payments.filter(({ state }) => state === PAYMENT.LOCKED).reduce((sum, row) => sum + row.cost, 0n);
  expect(read("get-escrow-total", null)).toBe(locked);
  expect(chain.balance(SETTLEMENT)).toBe(locked + read("get-fees", null));
  expect(read("is-solvent")).toBe(true);
  for (const row of payments.filter(({ state }) => state !== PAYMENT.LOCKED)) {
    expect(row.payout + row.fee + row.refund).toBe(row.cost);
  }
}

describe("accept-and-fund", () => {
  test("locks the cost of a forward fill", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const id = offer(chain, asset, { day, wh: 500_000, price: 120_001 });
    const before = chain.balance(BUYER);
    const { ok, events, transfers } = call(BUYER, "accept-and-fund", id, 300_001, 1, NO_LIMIT, 0);
    expect(ok).toBe(1n);
    // 300.001 kWh at 0.120001 STX, rounded up.
    const cost = 36_000_421n;
    const shared = {
      "offer-id": id,
      "asset-id": asset,
      day,
      spot: false,
      payee: OWNER,
      token: null,
      claimable: true,
      wh: 300_001n,
      "before-wh": 0n,
      price: 120_001n,
      "fee-bps": 100n,
      cost: cost,
      state: PAYMENT.LOCKED,
    };
    expect(events.map(({ topic }) => topic)).toEqual(["offer-accepted", "payment-funded"]);
    expect(events[1]).toEqual({ topic: "payment-funded", version: 1n, "payment-id": 1n, actor: BUYER, ...shared });
    expect(transfers).toEqual([{ from: BUYER, to: SETTLEMENT, ustx: cost }]);
    expect(before - chain.balance(BUYER)).toBe(cost);
    expect(paymentOf(1)).toEqual({
      ...shared,
      buyer: BUYER,
      "delivered-wh": 0n,
      payout: 0n,
      fee: 0n,
      refund: 0n,
      "claimed-wh": 0n,
    });
    expect(read("get-payment-count")).toBe(1n);
    expect(read("get-payments", [1, 2]).map((row) => row?.buyer)).toEqual([BUYER, undefined]);
    expectSolvent();
  });

  test("delivers and pays a spot fill at once", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_000);
    const id = offer(chain, asset, { day, wh: 1_000, price: 100_001, minFill: 10 });
    const balances = [BUYER, OWNER].map((who) => chain.balance(who));
    const { ok, events, transfers } = call(BUYER, "accept-and-fund", id, 333, 333, NO_LIMIT, 0);
    // 333 Wh at 0.100001 STX are 33,300.333 µSTX: 33,301 are locked and 33,300 earned, with a fee of 1 %.
    expect(events.map(({ topic }) => topic)).toEqual(["offer-accepted", "payment-funded", "payment-settled"]);
    expect(transfers).toEqual([
      { from: BUYER, to: SETTLEMENT, ustx: 33_301n },
      { from: SETTLEMENT, to: OWNER, ustx: 32_967n },
      { from: SETTLEMENT, to: BUYER, ustx: 1n },
    ]);
    expect([chain.balance(BUYER) - balances[0], chain.balance(OWNER) - balances[1]]).toEqual([-33_300n, 32_967n]);
    expect(paymentOf(ok)).toMatchObject({ state: PAYMENT.SETTLED, spot: true, "delivered-wh": 333n, fee: 333n });
    expect(call(STRANGER, "settle", ok).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    expect(call(STRANGER, "refund", ok).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    expectSolvent();
  });

  test("respects the buyer's limits", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 500_000, price: 100_000 });
    const funding = (wh, maxPrice, maxBefore) => call(BUYER, "accept-and-fund", id, wh, wh, maxPrice, maxBefore).err;
    expect(funding(10_000, 99_999, 0)).toBe(ERR.ERR_PRICE_ABOVE_MAX);
    expect(funding(10_000, 100_000, 0)).toBeUndefined();
    expect(funding(10_000, 100_000, 9_999)).toBe(ERR.ERR_BEFORE_ABOVE_MAX);
    expect(funding(10_000, 100_000, 10_000)).toBeUndefined();
  });

  test("fills the open part if that is less, and locks its cost", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 10_000, price: 100_000 });
    must(call(BUYER_2, "accept-and-fund", id, 7_000, 1, NO_LIMIT, NO_LIMIT));
    const { ok } = call(BUYER, "accept-and-fund", id, 10_000, 2_000, NO_LIMIT, NO_LIMIT);
    expect(paymentOf(ok)).toMatchObject({ wh: 3_000n, cost: 300_000n });
    expectSolvent();
  });

  test("fails if the buyer does not have the STX", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset, { wh: 500_000, price: 10n ** 15n });
    expect(call(BUYER, "accept-and-fund", id, 500_000, 1, NO_LIMIT, 0).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expect(read("get-payment-count")).toBe(0n);
    expect(chain.read("market-participation.get-offer", id)).toMatchObject({
      state: OFFER.PENDING,
      "open-wh": 500_000n,
    });
  });

  test("returns errors of market-participation unchanged", () => {
    expect(call(BUYER, "accept-and-fund", 99, 1, 1, NO_LIMIT, NO_LIMIT).err).toBe(MARKET_ERR.ERR_OFFER_NOT_FOUND);
  });

  test("lets a contract buy for itself, but not for its caller", () => {
    const asset = addPlant(chain);
    const id = offer(chain, asset);
    chain.deploy(
      "trader",
      `(define-public (buy-for-caller (id uint)) (contract-call? .settlement accept-and-fund id u1000 u1000 u1000000000 u0))
       (define-public (buy-for-itself (id uint))
         (as-contract? ((with-stx u1000000000)) (unwrap! (contract-call? .settlement accept-and-fund id u1000 u1000 u1000000000 u0) (err u1))))`,
    );
    expect(chain.call(BUYER, "trader.buy-for-caller", id).err).toBe(ERR.ERR_NOT_DIRECT_CALLER);
    chain.transfer(STRANGER, `${DEPLOYER}.trader`, 10n ** 9n);
    expect(chain.call(STRANGER, "trader.buy-for-itself", id).ok).toBe(1n);
    expect(paymentOf(1)).toMatchObject({ buyer: `${DEPLOYER}.trader`, cost: 100_000n });
    // The contract is refunded like any other buyer.
    chain.advanceToDay(chain.today + 50n);
    expect(call(STRANGER, "refund", 1).transfers).toEqual([
      { from: SETTLEMENT, to: `${DEPLOYER}.trader`, ustx: 100_000n },
    ]);
  });
});

describe("accept-offers", () => {
  const taking = (items, { by = BUYER, maxPrice = NO_LIMIT, maxBefore = NO_LIMIT } = {}) =>
    call(
      by,
      "accept-offers",
      items.map(([id, wh, minWh = wh]) => ({ "offer-id": id, wh, "min-wh": minWh })),
      maxPrice,
      maxBefore,
    );

  test("accepts a month of offers in one call", () => {
    const asset = addPlant(chain);
    const ids = Array.from({ length: 31 }, (_, index) =>
      offer(chain, asset, { day: chain.today + 1n + BigInt(index) }),
    );
    const before = chain.balance(BUYER);
    const { ok, transfers } = taking(ids.map((id) => [id, 1_000]));
    expect(ok).toEqual(ids.map((_, index) => ({ ok: BigInt(index + 1) })));
    expect(transfers).toHaveLength(31);
    expect(before - chain.balance(BUYER)).toBe(31n * 100_000n);
    expectSolvent();
  });

  test("undoes only the fills that fail, in both settlement and market-participation", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const cheap = offer(chain, asset, { day, wh: 10_000, price: 50_000 });
    const dear = offer(chain, asset, { day, wh: 10_000, price: 200_000 });
    const precious = offer(chain, asset, { day, wh: 10_000, price: 10n ** 15n });
    const { ok } = taking(
      [
        [cheap, 5_000],
        [dear, 5_000],
        [99, 5_000],
        [cheap, 9_000, 6_000],
        [cheap, 9_000, 5_000],
      ],
      { maxPrice: 100_000 },
    );
    expect(ok).toEqual([
      { ok: 1n },
      { err: ERR.ERR_PRICE_ABOVE_MAX },
      { err: MARKET_ERR.ERR_OFFER_NOT_FOUND },
      { err: MARKET_ERR.ERR_INVALID_FILL },
      { ok: 2n },
    ]);
    expect(
      taking([
        [precious, 10_000],
        [dear, 1_000],
      ]).ok,
    ).toEqual([{ err: ERR.ERR_TRANSFER_FAILED }, { ok: 3n }]);
    expect(taking([[dear, 1_000]], { maxBefore: 10_999 }).ok).toEqual([{ err: ERR.ERR_BEFORE_ABOVE_MAX }]);
    for (const id of [precious, dear]) {
      expect(chain.read("market-participation.get-offer", id)["open-wh"]).toBe(id === dear ? 9_000n : 10_000n);
    }
    expect(chain.read("market-participation.get-day-book", asset, day)["forward-funded-wh"]).toBe(11_000n);
    expectSolvent();
  });

  test("does not let a contract buy for its caller", () => {
    const id = offer(chain, addPlant(chain));
    const item = `(list { offer-id: u${id}, wh: u1000, min-wh: u1000 })`;
    chain.deploy("trader", `(define-public (buy) (contract-call? .settlement accept-offers ${item} u1000000 u0))`);
    expect(chain.call(BUYER, "trader.buy").ok).toEqual([{ err: ERR.ERR_NOT_DIRECT_CALLER }]);
  });
});

describe("settle", () => {
  test("pays what was delivered and refunds the rest", () => {
    const { asset, day, offerId, payments } = fundTomorrow([300_000]);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 200_000);
    const preview = {
      "delivered-wh": 200_000n,
      payout: 19_800_000n,
      fee: 200_000n,
      refund: 10_000_000n,
    };
    expect(read("preview-settlement", payments[0])).toEqual(preview);
    const { ok, events, transfers } = call(STRANGER, "settle", payments[0]);
    expect(ok).toBe(true);
    expect(events[0]).toEqual({
      topic: "payment-settled",
      version: 1n,
      "payment-id": payments[0],
      "offer-id": offerId,
      "asset-id": asset,
      day,
      actor: STRANGER,
      buyer: BUYER,
      payee: OWNER,
      token: null,
      cost: 30_000_000n,
      ...preview,
      state: PAYMENT.SETTLED,
    });
    expect(transfers).toEqual([
      { from: SETTLEMENT, to: OWNER, ustx: 19_800_000n },
      { from: SETTLEMENT, to: BUYER, ustx: 10_000_000n },
    ]);
    expect(paymentOf(payments[0])).toMatchObject({ ...preview, state: PAYMENT.SETTLED });
    expect(read("preview-settlement", payments[0])).toBeNull();
    expect(chain.read("market-participation.get-offer", offerId).state).toBe(OFFER.COMPLETED);
    expect(call(STRANGER, "settle", payments[0]).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    expectSolvent();
  });

  test("waits for the verification of the day, and of its feed if metered", () => {
    const { asset, day, payments } = fundTomorrow([300_000], { metered: true });
    const settling = () => call(STRANGER, "settle", payments[0]).err;
    expect(call(STRANGER, "settle", 99).err).toBe(ERR.ERR_PAYMENT_NOT_FOUND);
    expect(settling()).toBe(ERR.ERR_NOT_DELIVERABLE);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 300_000);
    expect(settling()).toBe(ERR.ERR_NOT_DELIVERABLE);
    verify(chain, asset, day);
    expect(read("preview-settlement", payments[0])).toBeNull();
    expect(read("preview-settlement", 99)).toBeNull();
    expect(settling()).toBe(ERR.ERR_NOT_DELIVERABLE);
    feed(chain, asset, day, 250_000);
    expect(settling()).toBeUndefined();
    expect(paymentOf(payments[0])["delivered-wh"]).toBe(250_000n);
  });

  test("makes no transfers of zero", () => {
    const { asset, day, payments } = fundTomorrow([100_000, 100_000]);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    expect(call(STRANGER, "settle", payments[0]).transfers).toEqual([
      { from: SETTLEMENT, to: OWNER, ustx: 9_900_000n },
    ]);
    expect(call(STRANGER, "settle", payments[1]).transfers).toEqual([
      { from: SETTLEMENT, to: BUYER_2, ustx: 10_000_000n },
    ]);
    expectSolvent();
  });

  test("refunds everything for a day without energy", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 0);
    must(call(STRANGER, "settle", payments[0]));
    expect(paymentOf(payments[0])).toMatchObject({ "delivered-wh": 0n, payout: 0n, refund: 10_000_000n });
  });

  test("cannot be stopped once the day is verified", () => {
    const { asset, day, payments } = fundTomorrow([1_000, 1_000, 1_000, 1_000]);
    must(chain.call(OWNER, "asset-verification.request-change", asset, 1, null));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 4_000);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    must(call(STRANGER, "settle", payments[0]));
    must(chain.call(GRID_OPERATOR, "grid-integration.set-status", asset, 6));
    must(call(STRANGER, "settle", payments[1]));
    must(chain.call(REGISTRAR, "asset-verification.suspend-asset", asset, "x"));
    must(call(STRANGER, "settle", payments[2]));
    must(chain.call(OWNER, "asset-verification.propose-transfer", asset, BUYER_2));
    must(chain.call(BUYER_2, "asset-verification.accept-transfer", asset, 1));
    must(chain.call(BUYER_2, "asset-verification.retire-asset", asset));
    must(call(DEPLOYER, "set-fee-bps", 500));
    chain.advanceToDay(day + 400n);
    must(call(STRANGER, "settle", payments[3]));
    for (const payment of payments) expect(paymentOf(payment)).toMatchObject({ payee: OWNER, payout: 99_000n });
    expectSolvent();
  });
});

// First funded, first delivered: each share depends only on the order of funding.
describe("a shortfall", () => {
  const FILLS = [100_000, 50_000, 30_000];
  const ORDERS = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const PRODUCED = {
    nothing: [0, [0n, 0n, 0n]],
    "part of the first": [99_999, [99_999n, 0n, 0n]],
    "the first": [100_000, [100_000n, 0n, 0n]],
    "part of the second": [120_001, [100_000n, 20_001n, 0n]],
    "part of the last": [179_999, [100_000n, 50_000n, 29_999n]],
    all: [180_000, [100_000n, 50_000n, 30_000n]],
    "more than all": [900_000, [100_000n, 50_000n, 30_000n]],
  };

  const cases = Object.entries(PRODUCED).flatMap(([name, [wh, delivered]]) =>
    ORDERS.map((order) => [name, order, wh, delivered]),
  );
  test.each(cases)("if %s was produced, settled in the order %j", (_, order, wh, delivered) => {
    const { asset, day, payments } = fundTomorrow(FILLS);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, wh);
    for (const index of order) must(call(STRANGER, "settle", payments[index]));
    expect(payments.map((payment) => paymentOf(payment)["delivered-wh"])).toEqual(delivered);
    expectSolvent();
  });

  test("is shared among several offers of the day in the order of funding", () => {
    const asset = addPlant(chain);
    const day = chain.today + 1n;
    const cheap = offer(chain, asset, { day, wh: 100_000, price: 50_000 });
    const dear = offer(chain, asset, { day, wh: 100_000, price: 200_000 });
    const payments = [fund(chain, dear, 60_000), fund(chain, cheap, 100_000), fund(chain, dear, 40_000)];
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 150_000);
    for (const payment of [payments[2], payments[0], payments[1]]) must(call(STRANGER, "settle", payment));
    expect(payments.map((payment) => paymentOf(payment)["delivered-wh"])).toEqual([60_000n, 90_000n, 0n]);
    expectSolvent();
  });
});

describe("escrow arithmetic", () => {
  // Calculates the amounts by the documented rules, independently of the contract.
  const expected = (wh, price, delivered, bps) => {
    const cost = (wh * price + 999n) / 1000n;
    const gross = (delivered * price) / 1000n;
    const fee = (gross * bps) / 10_000n;
    return { cost: cost, payout: gross - fee, fee: fee, refund: cost - gross };
  };
  const CASES = [
    [1_000n, 1n, 1_000n, 500n],
    [1_001n, 1n, 1_001n, 500n],
    [1_999n, 1n, 1_000n, 500n],
    [1_001n, 999n, 1_000n, 1n],
    [1_001n, 999n, 999n, 499n],
    [333_333n, 333_333n, 111_111n, 100n],
    [7_777n, 123_457n, 7_776n, 0n],
    [12_345n, 99_999n, 12_345n, 333n],
    [2_000_000n, 1_000_003n, 1_999_999n, 250n],
  ];

  test.each(CASES)("%d Wh at a price of %d, %d Wh delivered, a fee of %d basis points", (wh, price, delivered, bps) => {
    must(call(DEPLOYER, "set-fee-bps", bps));
    chain.advanceToDay(chain.today + 8n);
    const { asset, day, payments } = fundTomorrow([Number(wh)], { price, minFill: 1_000 });
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, delivered);
    const sum = () => [BUYER, OWNER, SETTLEMENT].reduce((total, who) => total + chain.balance(who), 0n);
    const before = sum();
    must(call(STRANGER, "settle", payments[0]));
    expect(paymentOf(payments[0])).toMatchObject({ ...expected(wh, price, delivered, bps), "delivered-wh": delivered });
    expect(sum()).toBe(before);
    expectSolvent();
  });
});

describe("settle-batch", () => {
  test("returns one response per payment, and undoes only those that fail", () => {
    const { asset, day, payments } = fundTomorrow([1_000, 1_000]);
    const other = fundTomorrow([1_000]);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_500);
    const { ok, events } = call(STRANGER, "settle-batch", [
      payments[0],
      99,
      other.payments[0],
      payments[1],
      payments[0],
    ]);
    expect(ok).toEqual([
      { ok: true },
      { err: ERR.ERR_PAYMENT_NOT_FOUND },
      { err: ERR.ERR_NOT_DELIVERABLE },
      { ok: true },
      { err: ERR.ERR_PAYMENT_CLOSED },
    ]);
    expect(events.filter(({ topic }) => topic === "payment-settled").map((event) => event["payment-id"])).toEqual(
      payments,
    );
    expect(paymentOf(other.payments[0]).state).toBe(PAYMENT.LOCKED);
    expectSolvent();
  });

  test("settles 25 payments", () => {
    const { asset, day, payments } = fundTomorrow(Array(25).fill(1_000));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 25_000);
    expect(call(STRANGER, "settle-batch", payments).ok).toEqual(Array(25).fill({ ok: true }));
    expectSolvent();
  });
});

describe("refund", () => {
  const REFUNDED = {
    "delivered-wh": 0n,
    payout: 0n,
    fee: 0n,
    refund: 10_000_000n,
    state: PAYMENT.REFUNDED,
  };

  test("returns the whole cost if the day was rejected", () => {
    const { asset, day, offerId, payments } = fundTomorrow([100_000]);
    chain.advanceToDay(day + 1n);
    expect(call(BUYER, "refund", 99).err).toBe(ERR.ERR_PAYMENT_NOT_FOUND);
    expect(call(BUYER, "refund", payments[0]).err).toBe(ERR.ERR_NOT_REFUNDABLE);
    record(chain, asset, day, 5);
    reject(chain, asset, day);
    expect(call(STRANGER, "settle", payments[0]).err).toBe(ERR.ERR_NOT_DELIVERABLE);
    const { ok, events, transfers } = call(STRANGER, "refund", payments[0]);
    expect(ok).toBe(true);
    expect(events).toEqual([
      {
        topic: "payment-refunded",
        version: 1n,
        "payment-id": payments[0],
        "offer-id": offerId,
        "asset-id": asset,
        day,
        actor: STRANGER,
        buyer: BUYER,
        payee: OWNER,
        token: null,
        cost: 10_000_000n,
        ...REFUNDED,
      },
      expect.objectContaining({ topic: "offer-fill-closed", state: OFFER.COMPLETED }),
    ]);
    expect(transfers).toEqual([{ from: SETTLEMENT, to: BUYER, ustx: 10_000_000n }]);
    expect(paymentOf(payments[0])).toMatchObject(REFUNDED);
    expect(call(STRANGER, "refund", payments[0]).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    expectSolvent();
  });

  // Whatever happens to the day, exactly one of settle and refund works after the window.
  const FATES = {
    "never recorded": [() => {}, "refund"],
    recorded: [({ asset, day }) => record(chain, asset, day, 5), "refund"],
    disputed: [
      ({ asset, day }) => {
        record(chain, asset, day, 5);
        must(chain.call(ARBITER, "production-tracking.dispute-day", asset, day, "x"));
      },
      "refund",
    ],
    rejected: [
      ({ asset, day }) => {
        record(chain, asset, day, 5);
        reject(chain, asset, day);
      },
      "refund",
    ],
    verified: [({ asset, day }) => produce(chain, asset, day, 5), "settle"],
    "verified without feed": [({ asset, day }) => produce(chain, asset, day, 5), "refund", true],
    "verified, its feed not": [
      ({ asset, day }) => {
        produce(chain, asset, day, 5);
        must(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, 5, 0));
      },
      "refund",
      true,
    ],
    "verified and fed": [
      ({ asset, day }) => {
        produce(chain, asset, day, 5);
        feed(chain, asset, day, 5);
      },
      "settle",
      true,
    ],
    "fed, not verified": [({ asset, day }) => feed(chain, asset, day, 5), "refund", true],
  };

  test.each(Object.entries(FATES))("or settle works for a day that was %s", (_, [happen, works, metered = false]) => {
    const { asset, day, payments } = fundTomorrow([100_000], { metered });
    chain.advanceToDay(day + 1n);
    happen({ asset, day });
    chain.advanceTo((day + 46n) * DAY);
    const fails = works === "settle" ? "refund" : "settle";
    expect(call(STRANGER, fails, payments[0]).err).toBe(
      ERR[fails === "settle" ? "ERR_NOT_DELIVERABLE" : "ERR_NOT_REFUNDABLE"],
    );
    expect(call(STRANGER, works, payments[0]).ok).toBe(true);
    expectSolvent();
  });

  test("waits for the end of the window", () => {
    const { day, payments } = fundTomorrow([100_000]);
    chain.advanceTo((day + 46n) * DAY - 10n);
    expect(call(BUYER, "refund", payments[0]).err).toBe(ERR.ERR_NOT_REFUNDABLE);
    expect(call(BUYER, "refund", payments[0]).ok).toBe(true);
  });

  test("is possible at once if the asset was retired before the day, so that nothing can be recorded", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    expect(call(STRANGER, "settle", payments[0]).err).toBe(ERR.ERR_NOT_DELIVERABLE);
    expect(call(STRANGER, "refund", payments[0]).ok).toBe(true);
    chain.advanceToDay(day + 1n);
    expect(call(STRANGER, "settle", payments[0]).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    // A plant that is retired on the day that it sold still delivers that day.
    const other = fundTomorrow([100_000]);
    chain.advanceToDay(other.day);
    must(chain.call(OWNER, "asset-verification.retire-asset", other.asset));
    expect(call(STRANGER, "refund", other.payments[0]).err).toBe(ERR.ERR_NOT_REFUNDABLE);
    chain.advanceToDay(other.day + 1n);
    produce(chain, other.asset, other.day, 100_000);
    must(call(STRANGER, "settle", other.payments[0]));
    expectSolvent();
  });

  test("of several payments returns one response per payment, and undoes only those that fail", () => {
    const { asset, payments } = fundTomorrow([1_000, 1_000]);
    const other = fundTomorrow([1_000]);
    must(chain.call(OWNER, "asset-verification.retire-asset", asset));
    expect(call(STRANGER, "refund-batch", [payments[0], other.payments[0], 99, payments[1], payments[1]]).ok).toEqual([
      { ok: true },
      { err: ERR.ERR_NOT_REFUNDABLE },
      { err: ERR.ERR_PAYMENT_NOT_FOUND },
      { ok: true },
      { err: ERR.ERR_PAYMENT_CLOSED },
    ]);
    expectSolvent();
  });

  test("does not free the funded energy", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 5);
    reject(chain, asset, day);
    must(call(BUYER, "refund", payments[0]));
    expect(chain.read("market-participation.get-day-book", asset, day)["forward-funded-wh"]).toBe(100_000n);
  });

  test("works during a pause", () => {
    const { day, payments } = fundTomorrow([100_000]);
    chain.advanceToDay(day + 46n);
    must(chain.call(PAUSER, "asset-verification.set-paused", true));
    expect(call(BUYER, "refund", payments[0]).ok).toBe(true);
  });
});

describe("release", () => {
  test("lets only the payee return a locked payment, in full", () => {
    const { asset, day, offerId, payments } = fundTomorrow([100_000, 50_000]);
    for (const by of [BUYER, DEPLOYER, STRANGER]) {
      expect(call(by, "release", payments[0]).err).toBe(ERR.ERR_NOT_PAYEE);
    }
    expect(call(OWNER, "release", 99).err).toBe(ERR.ERR_PAYMENT_NOT_FOUND);
    const { events, transfers } = call(OWNER, "release", payments[0]);
    expect(events[0]).toMatchObject({
      topic: "payment-released",
      actor: OWNER,
      "delivered-wh": 0n,
      payout: 0n,
      fee: 0n,
      refund: 10_000_000n,
      state: PAYMENT.REFUNDED,
    });
    expect(transfers).toEqual([{ from: SETTLEMENT, to: BUYER, ustx: 10_000_000n }]);
    expect(call(OWNER, "release", payments[0]).err).toBe(ERR.ERR_PAYMENT_CLOSED);
    // The day book does not change: the next buyer in line gets no more than before.
    expect(chain.read("market-participation.get-day-book", asset, day)["forward-funded-wh"]).toBe(150_000n);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 120_000);
    must(call(OWNER, "release", payments[1]));
    expect(chain.read("market-participation.get-offer", offerId).state).toBe(OFFER.COMPLETED);
    expectSolvent();
  });
});

describe("claim", () => {
  const claiming = (by, payment, wh) => call(by, "claim", payment, wh, STRANGER, "Scope 2, 2026");

  test("claims delivered energy for a beneficiary, each Wh once", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    expect(claiming(BUYER, payments[0], 1).err).toBe(ERR.ERR_NOT_SETTLED);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 60_000);
    must(call(STRANGER, "settle", payments[0]));
    expect(claiming(BUYER, 99, 1).err).toBe(ERR.ERR_PAYMENT_NOT_FOUND);
    for (const by of [OWNER, STRANGER]) expect(claiming(by, payments[0], 1).err).toBe(ERR.ERR_NOT_BUYER);
    for (const wh of [0, 60_001, 2n ** 128n - 1n]) {
      expect(claiming(BUYER, payments[0], wh).err).toBe(ERR.ERR_INVALID_CLAIM);
    }
    expect(claiming(BUYER, payments[0], 40_000)).toMatchObject({
      ok: 1n,
      events: [
        {
          topic: "energy-claimed",
          version: 1n,
          "claim-id": 1n,
          "payment-id": payments[0],
          "asset-id": asset,
          day,
          mask: 2n ** 96n - 1n,
          actor: BUYER,
          wh: 40_000n,
          beneficiary: STRANGER,
          purpose: "Scope 2, 2026",
          "claimed-wh": 40_000n,
        },
      ],
    });
    expect(claiming(BUYER, payments[0], 20_001).err).toBe(ERR.ERR_INVALID_CLAIM);
    expect(claiming(BUYER, payments[0], 20_000).ok).toBe(2n);
    expect(claiming(BUYER, payments[0], 1).err).toBe(ERR.ERR_INVALID_CLAIM);
    expect(read("get-claim-count")).toBe(2n);
    expect(paymentOf(payments[0])["claimed-wh"]).toBe(60_000n);
  });

  test("is possible for spot fills, too, but not for refunded payments", () => {
    const asset = addPlant(chain);
    const day = chain.today;
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_000);
    const spot = fund(chain, offer(chain, asset, { day, wh: 1_000, minFill: 10 }), 400);
    expect(claiming(BUYER, spot, 401).err).toBe(ERR.ERR_INVALID_CLAIM);
    expect(claiming(BUYER, spot, 400).ok).toBe(1n);
    const { payments } = fundTomorrow([1_000]);
    must(call(OWNER, "release", payments[0]));
    expect(claiming(BUYER, payments[0], 1).err).toBe(ERR.ERR_NOT_SETTLED);
  });

  test("is not possible for energy from storage", () => {
    const { asset, day, payments } = fundTomorrow([1_000], { kind: 6 });
    expect(paymentOf(payments[0]).claimable).toBe(false);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 1_000);
    must(call(STRANGER, "settle", payments[0]));
    expect(claiming(BUYER, payments[0], 1).err).toBe(ERR.ERR_NOT_CLAIMABLE);
  });
});

describe("assign-payment", () => {
  test("hands over the payment, its refund and its claims", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    for (const by of [OWNER, STRANGER]) {
      expect(call(by, "assign-payment", payments[0], by).err).toBe(ERR.ERR_NOT_BUYER);
    }
    expect(call(BUYER, "assign-payment", 99, STRANGER).err).toBe(ERR.ERR_PAYMENT_NOT_FOUND);
    for (const to of [BUYER, SETTLEMENT]) {
      expect(call(BUYER, "assign-payment", payments[0], to).err).toBe(ERR.ERR_INVALID_RECIPIENT);
    }
    expect(call(BUYER, "assign-payment", payments[0], STRANGER).events).toEqual([
      { topic: "payment-assigned", version: 1n, "payment-id": payments[0], actor: BUYER, to: STRANGER },
    ]);
    expect(paymentOf(payments[0])).toMatchObject({ buyer: STRANGER, state: PAYMENT.LOCKED });
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 60_000);
    expect(call(OWNER, "settle", payments[0]).transfers.at(-1)).toEqual({
      from: SETTLEMENT,
      to: STRANGER,
      ustx: 4_000_000n,
    });
    expect(call(BUYER, "claim", payments[0], 1, BUYER, "").err).toBe(ERR.ERR_NOT_BUYER);
    must(call(STRANGER, "claim", payments[0], 1, BUYER, ""));
    // A settled payment can be assigned, too, with the energy that is left to claim.
    must(call(STRANGER, "assign-payment", payments[0], BUYER_2));
    expect(call(BUYER_2, "claim", payments[0], 60_000, BUYER, "").err).toBe(ERR.ERR_INVALID_CLAIM);
    must(call(BUYER_2, "claim", payments[0], 59_999, BUYER, ""));
  });

  test("is not possible for a refunded payment", () => {
    const { payments } = fundTomorrow([1_000]);
    must(call(OWNER, "release", payments[0]));
    expect(call(BUYER, "assign-payment", payments[0], STRANGER).err).toBe(ERR.ERR_PAYMENT_CLOSED);
  });
});

describe("fees", () => {
  const SEVEN_DAYS = 7n * DAY;
  const schedule = () => read("get-fee-schedule");

  test("can be set only by the contract owner, up to five percent", () => {
    expect(read("get-fee-bps")).toBe(100n);
    expect(schedule()).toEqual({ "fee-bps": 100n, "next-fee-bps": 100n, "next-from": 0n });
    expect(call(DEPLOYER, "set-fee-bps", 501).err).toBe(ERR.ERR_FEE_TOO_HIGH);
    for (const by of [OWNER, OPERATOR, STRANGER])
      expect(call(by, "set-fee-bps", 0).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    expect(call(DEPLOYER, "set-fee-bps", 500).ok).toBe(true);
    expect(call(DEPLOYER, "set-fee-bps", 0).ok).toBe(true);
  });

  test("apply at once if they are lower, and after seven days if they are higher", () => {
    const offerId = offer(chain, addPlant(chain), { day: chain.today + 20n });
    const feeOfNext = () => paymentOf(fund(chain, offerId, 1_000))["fee-bps"];
    const from = chain.now;
    const raised = { "fee-bps": 100n, "next-fee-bps": 300n, "next-from": from + SEVEN_DAYS };
    expect(call(DEPLOYER, "set-fee-bps", 300).events).toEqual([
      { topic: "fee-bps-set", version: 1n, actor: DEPLOYER, ...raised },
    ]);
    expect(schedule()).toEqual(raised);
    chain.advanceTo(from + SEVEN_DAYS - 10n);
    expect(feeOfNext()).toBe(100n);
    expect(feeOfNext()).toBe(300n);
    expect(read("get-fee-bps")).toBe(300n);
    must(call(DEPLOYER, "set-fee-bps", 200));
    expect(read("get-fee-bps")).toBe(200n);
    expect(schedule()["next-fee-bps"]).toBe(200n);
  });

  test("can be replaced before they apply, which starts a new notice period", () => {
    must(call(DEPLOYER, "set-fee-bps", 500));
    chain.advanceToDay(chain.today + 6n);
    const from = chain.now;
    must(call(DEPLOYER, "set-fee-bps", 400));
    expect(schedule()).toEqual({ "fee-bps": 100n, "next-fee-bps": 400n, "next-from": from + SEVEN_DAYS });
    must(call(DEPLOYER, "set-fee-bps", 100));
    chain.advanceToDay(chain.today + 20n);
    expect(read("get-fee-bps")).toBe(100n);
  });

  test("can be set only by the new owner once the contracts are handed over", () => {
    must(chain.call(DEPLOYER, "asset-verification.propose-owner", OPERATOR));
    expect(call(OPERATOR, "set-fee-bps", 1).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    must(chain.call(OPERATOR, "asset-verification.accept-owner"));
    expect(call(OPERATOR, "set-fee-bps", 1).ok).toBe(true);
    expect(call(DEPLOYER, "set-fee-bps", 1).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
  });

  test("of a payment do not change after it was funded", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    must(call(DEPLOYER, "set-fee-bps", 0));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(call(STRANGER, "settle", payments[0]));
    expect(paymentOf(payments[0]).fee).toBe(100_000n);
  });

  test("are the only money that the contract owner can withdraw", () => {
    const { asset, day, payments } = fundTomorrow([100_000, 100_000]);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 200_000);
    expect(call(DEPLOYER, "withdraw-fees", 1, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    must(call(STRANGER, "settle", payments[0]));
    expect(read("get-fees", null)).toBe(100_000n);
    for (const amount of [0, 100_001, 2n ** 128n - 1n]) {
      expect(call(DEPLOYER, "withdraw-fees", amount, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    }
    for (const by of [OWNER, STRANGER]) expect(call(by, "withdraw-fees", 1, by).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    expect(call(DEPLOYER, "withdraw-fees", 1, SETTLEMENT).err).toBe(ERR.ERR_TRANSFER_FAILED);
    const { events, transfers } = call(DEPLOYER, "withdraw-fees", 99_999, STRANGER);
    expect(events).toEqual([
      {
        topic: "fees-withdrawn",
        version: 1n,
        actor: DEPLOYER,
        token: null,
        recipient: STRANGER,
        amount: 99_999n,
        fees: 1n,
      },
    ]);
    expect(transfers).toEqual([{ from: SETTLEMENT, to: STRANGER, ustx: 99_999n }]);
    expectSolvent();
    must(call(STRANGER, "settle", payments[1]));
    expectSolvent();
  });
});

describe("withdraw-surplus", () => {
  test("withdraws only STX that were sent unasked, and nothing that is owed to a party", () => {
    const { asset, day, payments } = fundTomorrow([100_000]);
    expect(read("get-surplus")).toBe(0n);
    expect(call(DEPLOYER, "withdraw-surplus", 1, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    chain.transfer(STRANGER, SETTLEMENT, 700n);
    expect(read("get-surplus")).toBe(700n);
    expect(call(STRANGER, "withdraw-surplus", 1, STRANGER).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    for (const amount of [0, 701, 2n ** 128n - 1n]) {
      expect(call(DEPLOYER, "withdraw-surplus", amount, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    }
    expect(call(DEPLOYER, "withdraw-surplus", 1, SETTLEMENT).err).toBe(ERR.ERR_TRANSFER_FAILED);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 100_000);
    must(call(STRANGER, "settle", payments[0]));
    expect(read("get-surplus")).toBe(700n);
    expect(call(DEPLOYER, "withdraw-surplus", 700, STRANGER)).toMatchObject({
      ok: true,
      events: [{ topic: "surplus-withdrawn", version: 1n, actor: DEPLOYER, recipient: STRANGER, amount: 700n }],
      transfers: [{ from: SETTLEMENT, to: STRANGER, ustx: 700n }],
    });
    expect(chain.balance(SETTLEMENT)).toBe(read("get-fees", null));
  });
});

test("every error of the contract was provoked above, except those about tokens", () => {
  const missing = Object.keys(ERR).filter((name) => !errorsProvoked.has(ERR[name]));
  expect(missing).toEqual(["ERR_WRONG_TOKEN", "ERR_TOKEN_NOT_MOVED", "ERR_NO_CREDIT"]);
});
