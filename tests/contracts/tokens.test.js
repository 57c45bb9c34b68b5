// Payments in tokens: credits and withdrawals, and attacks by tokens that do not work as specified.
import { beforeEach, describe, expect, test } from "vitest";

import { BUYER, BUYER_2, DEPLOYER, OPERATOR, OWNER, STRANGER } from "./accounts.js";
import { errorsOf } from "./errors.js";
import {
  NO_LIMIT,
  OFFER,
  PAYMENT,
  addPlant,
  fund,
  must,
  offer,
  produce,
  record,
  reject,
  startSystem,
} from "./scenario.js";

const ERR = errorsOf("settlement");
const MARKET_ERR = errorsOf("market-participation");
const SETTLEMENT = `${DEPLOYER}.settlement`;
const ODD = ["pausing-token", "blacklisting-token", "lying-token", "reentering-token", "fee-token"];
const STAND_INS = ["sbtc-token", "usdcx", ...ODD];
// The protocol role by which a test marks the parties that a misbehaving stand-in mistreats.
const MARKED = "03";

let chain;
beforeEach(async () => {
  chain = await startSystem();
});

const idOf = (token) => `${DEPLOYER}.${token}`;
const call = (sender, name, ...values) => chain.call(sender, `settlement.${name}`, ...values);
const read = (name, ...values) => chain.read(`settlement.${name}`, ...values);
const paymentOf = (payment) => read("get-payment", payment);
const creditOf = (who, token) => read("get-credit", who, idOf(token));
const ledgerOf = (token) => read("get-ledger", token && idOf(token));
const balanceOf = (token, who) => chain.read(`${token}.get-balance`, who).ok;

/** Deploys a stand-in, lists it as a token, and mints some of it for the buyers. */
function bring(token, amount = 10n ** 12n) {
  chain.deployStandIn(token);
  must(call(DEPLOYER, "set-token", idOf(token), true));
  for (const who of [BUYER, BUYER_2]) {
    const flag = token === "sbtc-token" ? ["01"] : [];
    must(chain.call(DEPLOYER, `${token}.protocol-mint`, amount, who, ...flag));
  }
}

const mark = (token, who, on = true) =>
  must(chain.call(DEPLOYER, `${token}.set-active-protocol-caller`, who, MARKED, on));

const funding = (token, offerId, wh, { by = BUYER, minWh = wh, maxPrice = NO_LIMIT, maxBefore = NO_LIMIT } = {}) =>
  call(by, "accept-and-fund-with", idOf(token), offerId, wh, minWh, maxPrice, maxBefore);

/** Creates an offer for tomorrow in a token, or in STX if `token` is null. */
function offerTomorrow(token, { wh = 100_000, price = 100_000 } = {}) {
  const asset = addPlant(chain);
  const day = chain.today + 1n;
  return { asset, day, id: offer(chain, asset, { day, wh, price, token: token && idOf(token) }) };
}

/** Creates a spot offer for a verified day in a token. */
function offerSpot(token, { wh = 100_000, price = 100_000 } = {}) {
  const asset = addPlant(chain);
  const day = chain.today;
  chain.advanceToDay(day + 1n);
  produce(chain, asset, day, wh);
  return { asset, day, id: offer(chain, asset, { day, wh, price, token: idOf(token) }) };
}

/** Checks for each currency that the ledger is the sum of its parts, and that the contract's balance covers it. */
function expectSolvent(...tokens) {
  const count = Number(read("get-payment-count"));
  const payments = Array.from({ length: count }, (_, index) => paymentOf(index + 1));
  for (const token of [null, ...tokens]) {
    const own = payments.filter((payment) => payment.token === (token && idOf(token)));
    const locked = own.filter(({ state }) => state === PAYMENT.LOCKED).reduce((sum, { cost }) => sum + cost, 0n);
    const { escrow, fees, credits } = ledgerOf(token);
    expect(escrow).toBe(locked);
    if (token) {
      const parties = new Set(own.flatMap(({ buyer, payee }) => [buyer, payee]).concat(BUYER, BUYER_2, OWNER));
      expect(credits).toBe([...parties].reduce((sum, who) => sum + creditOf(who, token), 0n));
    } else expect(credits).toBe(0n);
    const held = token ? balanceOf(token, SETTLEMENT) : chain.balance(SETTLEMENT);
    expect(held).toBeGreaterThanOrEqual(escrow + fees + credits);
  }
}

describe("a payment in a token", () => {
  test.each(["usdcx", "sbtc-token"])("in %s is locked, settled as credits, and withdrawn by each party", (token) => {
    bring(token);
    const { asset, day, id } = offerTomorrow(token);
    const before = balanceOf(token, BUYER);
    const { ok, events, transfers, tokenTransfers } = funding(token, id, 100_000);
    expect(events.at(-1)).toMatchObject({
      topic: "payment-funded",
      token: idOf(token),
      cost: 10_000_000n,
      state: PAYMENT.LOCKED,
    });
    expect(transfers).toEqual([]);
    expect(tokenTransfers).toEqual([{ from: BUYER, to: SETTLEMENT, amount: 10_000_000n }]);
    expect(before - balanceOf(token, BUYER)).toBe(10_000_000n);
    expect(ledgerOf(token)).toEqual({ escrow: 10_000_000n, fees: 0n, credits: 0n });
    expect(read("get-escrow-total", idOf(token))).toBe(10_000_000n);
    expectSolvent(token);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 60_000);
    const settled = call(STRANGER, "settle", ok);
    expect(settled.events[0]).toMatchObject({
      topic: "payment-settled",
      token: idOf(token),
      payout: 5_940_000n,
      fee: 60_000n,
      refund: 4_000_000n,
    });
    expect([settled.transfers, settled.tokenTransfers]).toEqual([[], []]);
    expect([creditOf(OWNER, token), creditOf(BUYER, token)]).toEqual([5_940_000n, 4_000_000n]);
    expect(ledgerOf(token)).toEqual({ escrow: 0n, fees: 60_000n, credits: 9_940_000n });
    expectSolvent(token);
    expect(call(OWNER, "withdraw", idOf(token))).toMatchObject({
      ok: 5_940_000n,
      events: [{ topic: "credit-withdrawn", version: 1n, actor: OWNER, token: idOf(token), amount: 5_940_000n }],
      tokenTransfers: [{ from: SETTLEMENT, to: OWNER, amount: 5_940_000n }],
    });
    expect(call(OWNER, "withdraw", idOf(token)).err).toBe(ERR.ERR_NO_CREDIT);
    expect(call(STRANGER, "withdraw", idOf(token)).err).toBe(ERR.ERR_NO_CREDIT);
    expect(call(BUYER, "withdraw", idOf(token)).ok).toBe(4_000_000n);
    expect(balanceOf(token, SETTLEMENT)).toBe(60_000n);
    expectSolvent(token);
  });

  test("is credited at once for a spot fill", () => {
    bring("usdcx");
    const { id } = offerSpot("usdcx", { price: 100_001 });
    const { ok, events } = funding("usdcx", id, 1_001);
    expect(events.map(({ topic }) => topic)).toEqual(["offer-accepted", "payment-funded", "payment-settled"]);
    expect(paymentOf(ok)).toMatchObject({ state: PAYMENT.SETTLED, "delivered-wh": 1_001n });
    expect([creditOf(OWNER, "usdcx"), creditOf(BUYER, "usdcx")]).toEqual([99_100n, 1n]);
    expectSolvent("usdcx");
  });

  test("is refunded, released and assigned like any other", () => {
    bring("usdcx");
    const { asset, day, id } = offerTomorrow("usdcx");
    const payments = [1, 2, 3].map(() => must(funding("usdcx", id, 10_000)));
    must(call(OWNER, "release", payments[0]));
    expect(creditOf(BUYER, "usdcx")).toBe(1_000_000n);
    must(call(BUYER, "assign-payment", payments[1], STRANGER));
    chain.advanceToDay(day + 1n);
    record(chain, asset, day, 5);
    reject(chain, asset, day);
    must(call(STRANGER, "refund-batch", payments.slice(1)));
    expect([creditOf(BUYER, "usdcx"), creditOf(STRANGER, "usdcx")]).toEqual([2_000_000n, 1_000_000n]);
    expect(chain.read("market-participation.get-offer", id).state).toBe(OFFER.ACCEPTED);
  });

  test("is locked only within the buyer's limits", () => {
    bring("usdcx");
    const { id } = offerTomorrow("usdcx");
    expect(funding("usdcx", id, 10_000, { maxPrice: 99_999 }).err).toBe(ERR.ERR_PRICE_ABOVE_MAX);
    must(funding("usdcx", id, 10_000));
    expect(funding("usdcx", id, 10_000, { maxBefore: 9_999 }).err).toBe(ERR.ERR_BEFORE_ABOVE_MAX);
    expect(funding("usdcx", id, 200_000, { minWh: 90_001 }).err).toBe(MARKET_ERR.ERR_INVALID_FILL);
    expect(funding("usdcx", id, 200_000, { minWh: 90_000 }).ok).toBe(2n);
    expect(funding("usdcx", id, 1_000, { by: STRANGER }).err).toBe(MARKET_ERR.ERR_OFFER_CLOSED);
    const poor = offerTomorrow("usdcx");
    expect(funding("usdcx", poor.id, 10_000, { by: STRANGER }).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expectSolvent("usdcx");
  });

  test("must be in the currency of the offer", () => {
    bring("usdcx");
    bring("sbtc-token");
    const { id } = offerTomorrow("usdcx");
    const inStx = offerTomorrow(null).id;
    expect(funding("sbtc-token", id, 10_000).err).toBe(ERR.ERR_WRONG_TOKEN);
    expect(funding("usdcx", inStx, 10_000).err).toBe(ERR.ERR_WRONG_TOKEN);
    expect(call(BUYER, "accept-and-fund", id, 10_000, 1, NO_LIMIT, NO_LIMIT).err).toBe(ERR.ERR_WRONG_TOKEN);
    const item = { "offer-id": id, wh: 10_000, "min-wh": 1 };
    expect(call(BUYER, "accept-offers", [item], NO_LIMIT, NO_LIMIT).ok).toEqual([{ err: ERR.ERR_WRONG_TOKEN }]);
    expect(chain.read("market-participation.get-offer", id)["open-wh"]).toBe(100_000n);
  });

  test("is counted separately for each currency", () => {
    bring("usdcx");
    bring("sbtc-token");
    const [first, second, third] = [offerTomorrow("usdcx"), offerTomorrow("sbtc-token"), offerTomorrow(null)];
    must(funding("usdcx", first.id, 10_000));
    must(funding("sbtc-token", second.id, 20_000));
    fund(chain, third.id, 30_000);
    expect([ledgerOf("usdcx"), ledgerOf("sbtc-token"), ledgerOf(null)].map(({ escrow }) => escrow)).toEqual([
      1_000_000n,
      2_000_000n,
      3_000_000n,
    ]);
    chain.advanceToDay(first.day + 1n);
    produce(chain, first.asset, first.day, 10_000);
    must(call(STRANGER, "settle", 1));
    expect(call(OWNER, "withdraw", idOf("sbtc-token")).err).toBe(ERR.ERR_NO_CREDIT);
    expect(call(DEPLOYER, "withdraw-fees-with", idOf("sbtc-token"), 1, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    expect(call(DEPLOYER, "withdraw-fees", 1, DEPLOYER).err).toBe(ERR.ERR_INVALID_AMOUNT);
    expectSolvent("usdcx", "sbtc-token");
  });

  test("can still be funded, settled and withdrawn after the token was delisted", () => {
    bring("usdcx");
    const { asset, day, id } = offerTomorrow("usdcx");
    expect(call(OWNER, "set-token", idOf("usdcx"), false).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    expect(call(DEPLOYER, "set-token", idOf("usdcx"), false).events).toEqual([
      { topic: "token-set", version: 1n, actor: DEPLOYER, token: idOf("usdcx"), listed: false },
    ]);
    const payment = must(funding("usdcx", id, 10_000));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 10_000);
    must(call(STRANGER, "settle", payment));
    expect(call(OWNER, "withdraw", idOf("usdcx")).ok).toBe(990_000n);
  });

  test("bears fees that only the contract owner can withdraw", () => {
    bring("usdcx");
    const { id } = offerSpot("usdcx");
    must(funding("usdcx", id, 10_000));
    expect(read("get-fees", idOf("usdcx"))).toBe(10_000n);
    const withdrawing = (by, amount, to = by) => call(by, "withdraw-fees-with", idOf("usdcx"), amount, to);
    expect(withdrawing(OWNER, 1).err).toBe(ERR.ERR_NOT_CONTRACT_OWNER);
    for (const amount of [0, 10_001, 2n ** 128n - 1n]) {
      expect(withdrawing(DEPLOYER, amount).err).toBe(ERR.ERR_INVALID_AMOUNT);
    }
    expect(withdrawing(DEPLOYER, 1, SETTLEMENT).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expect(withdrawing(DEPLOYER, 9_999, OPERATOR).events).toEqual([
      {
        topic: "fees-withdrawn",
        version: 1n,
        actor: DEPLOYER,
        token: idOf("usdcx"),
        recipient: OPERATOR,
        amount: 9_999n,
        fees: 1n,
      },
    ]);
    expect(balanceOf("usdcx", OPERATOR)).toBe(9_999n);
    expectSolvent("usdcx");
  });

  test("can be made by a contract for itself, but not for its caller", () => {
    bring("usdcx");
    const { id } = offerTomorrow("usdcx");
    chain.deploy(
      "trader",
      `(define-public (buy-for-caller)
         (contract-call? .settlement accept-and-fund-with .usdcx u${id} u1000 u1 u1000000000 u0))
       (define-public (buy-for-itself)
         (as-contract? ((with-ft .usdcx "usdcx-token" u100000))
           (unwrap! (contract-call? .settlement accept-and-fund-with .usdcx u${id} u1000 u1 u1000000000 u0) (err u1))))
       (define-public (withdraw)
         (as-contract? () (unwrap! (contract-call? .settlement withdraw .usdcx) (err u1))))`,
    );
    expect(chain.call(BUYER, "trader.buy-for-caller").err).toBe(ERR.ERR_NOT_DIRECT_CALLER);
    must(chain.call(DEPLOYER, "usdcx.protocol-mint", 10n ** 6n, idOf("trader")));
    const payment = must(chain.call(STRANGER, "trader.buy-for-itself"));
    must(call(OWNER, "release", payment));
    expect(chain.call(STRANGER, "trader.withdraw").ok).toBe(100_000n);
    expect(balanceOf("usdcx", idOf("trader"))).toBe(10n ** 6n);
  });
});

describe("attacks by a token", () => {
  test("a token that pauses delays its withdrawals, but neither settling nor other currencies", () => {
    bring("pausing-token");
    bring("usdcx");
    must(chain.call(DEPLOYER, "pausing-token.protocol-mint", 1, SETTLEMENT));
    const { asset, day, id } = offerTomorrow("pausing-token");
    const other = offerTomorrow("usdcx");
    const payment = must(funding("pausing-token", id, 10_000));
    must(funding("usdcx", other.id, 10_000));
    must(chain.call(DEPLOYER, "pausing-token.pause"));
    expect(funding("pausing-token", id, 10_000).err).toBe(ERR.ERR_TRANSFER_FAILED);
    chain.advanceToDay(day + 1n);
    for (const plant of [asset, other.asset]) produce(chain, plant, day, 10_000);
    expect(call(STRANGER, "settle-batch", [payment, payment + 1n]).ok).toEqual([{ ok: true }, { ok: true }]);
    expect(call(OWNER, "withdraw", idOf("pausing-token")).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expect(creditOf(OWNER, "pausing-token")).toBe(990_000n);
    expect(call(OWNER, "withdraw", idOf("usdcx")).ok).toBe(990_000n);
    must(chain.call(DEPLOYER, "pausing-token.unpause"));
    expect(call(OWNER, "withdraw", idOf("pausing-token")).ok).toBe(990_000n);
    expectSolvent("pausing-token", "usdcx");
  });

  test("a token that blacklists a party delays that party's withdrawal and nothing else", () => {
    bring("blacklisting-token");
    const { asset, day, id } = offerTomorrow("blacklisting-token");
    const payments = [BUYER, BUYER_2].map((by) => must(funding("blacklisting-token", id, 10_000, { by })));
    mark("blacklisting-token", BUYER);
    mark("blacklisting-token", OWNER);
    expect(funding("blacklisting-token", id, 10_000).err).toBe(ERR.ERR_TRANSFER_FAILED);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 5_000);
    for (const payment of payments) must(call(STRANGER, "settle", payment));
    expect(call(OWNER, "withdraw", idOf("blacklisting-token")).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expect(call(BUYER, "withdraw", idOf("blacklisting-token")).err).toBe(ERR.ERR_TRANSFER_FAILED);
    expect(call(BUYER_2, "withdraw", idOf("blacklisting-token")).ok).toBe(1_000_000n);
    expect(creditOf(BUYER, "blacklisting-token")).toBe(500_000n);
    mark("blacklisting-token", BUYER, false);
    expect(call(BUYER, "withdraw", idOf("blacklisting-token")).ok).toBe(500_000n);
    expectSolvent("blacklisting-token");
  });

  test("a token that lies about transfers can neither fake a payment nor make a credit vanish", () => {
    bring("lying-token");
    const { asset, day, id } = offerTomorrow("lying-token");
    const payment = must(funding("lying-token", id, 10_000));
    mark("lying-token", BUYER);
    expect(funding("lying-token", id, 10_000).err).toBe(ERR.ERR_TOKEN_NOT_MOVED);
    expect(read("get-payment-count")).toBe(1n);
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 10_000);
    must(call(STRANGER, "settle", payment));
    mark("lying-token", SETTLEMENT);
    expect(call(OWNER, "withdraw", idOf("lying-token")).err).toBe(ERR.ERR_TOKEN_NOT_MOVED);
    expect(creditOf(OWNER, "lying-token")).toBe(990_000n);
    expect(call(DEPLOYER, "withdraw-fees-with", idOf("lying-token"), 1, DEPLOYER).err).toBe(ERR.ERR_TOKEN_NOT_MOVED);
    expect(read("get-fees", idOf("lying-token"))).toBe(10_000n);
    mark("lying-token", SETTLEMENT, false);
    expect(call(OWNER, "withdraw", idOf("lying-token")).ok).toBe(990_000n);
    expectSolvent("lying-token");
  });

  test("a token that takes a fee on transfer cannot be used to pay, since less comes in", () => {
    bring("fee-token");
    const { id } = offerTomorrow("fee-token");
    expect(funding("fee-token", id, 10_000).err).toBe(ERR.ERR_TOKEN_NOT_MOVED);
    expect(chain.read("market-participation.get-offer", id)["open-wh"]).toBe(100_000n);
    expect(ledgerOf("fee-token")).toEqual({ escrow: 0n, fees: 0n, credits: 0n });
  });

  test("a token that calls back during a transfer is not paid twice, forward or spot", () => {
    bring("reentering-token");
    const forward = offerTomorrow("reentering-token");
    const payment = must(funding("reentering-token", forward.id, 10_000));
    expect(paymentOf(payment)).toMatchObject({ state: PAYMENT.LOCKED, buyer: BUYER });
    expectSolvent("reentering-token");
    const spot = offerSpot("reentering-token");
    const { ok, events } = funding("reentering-token", spot.id, 10_000);
    expect(events.filter(({ topic }) => topic === "payment-settled")).toHaveLength(1);
    expect(paymentOf(ok)).toMatchObject({ state: PAYMENT.SETTLED, buyer: BUYER, "claimed-wh": 0n });
    expect(creditOf(OWNER, "reentering-token")).toBe(990_000n);
    expectSolvent("reentering-token");
    expect(call(OWNER, "withdraw", idOf("reentering-token")).ok).toBe(990_000n);
    expect(balanceOf("reentering-token", OWNER)).toBe(990_000n);
    expectSolvent("reentering-token");
  });

  test("a token that settles another payment during a transfer cannot falsify the accounts", () => {
    bring("reentering-token");
    const { asset, day, id } = offerTomorrow("reentering-token");
    const [first, newest] = [1, 2].map(() => must(funding("reentering-token", id, 10_000)));
    chain.advanceToDay(day + 1n);
    produce(chain, asset, day, 20_000);
    must(call(STRANGER, "settle", first));
    expect(call(OWNER, "withdraw", idOf("reentering-token")).ok).toBe(990_000n);
    expect(paymentOf(newest).state).toBe(PAYMENT.SETTLED);
    expect(creditOf(OWNER, "reentering-token")).toBe(990_000n);
    expect(ledgerOf("reentering-token")).toEqual({ escrow: 0n, fees: 20_000n, credits: 990_000n });
    expectSolvent("reentering-token");
  });

  test("a token that takes other assets from the contract during a transfer is stopped by the allowance", () => {
    bring("usdcx");
    const paid = offerTomorrow("usdcx");
    must(funding("usdcx", paid.id, 10_000));
    fund(chain, offerTomorrow(null).id, 10_000);
    const thief = (name, theft) => {
      chain.deploy(
        name,
        `(define-fungible-token loot)
         (define-data-var armed bool false)
         (ft-mint? loot u10000000 '${BUYER})
         (define-public (arm) (ok (var-set armed true)))
         (define-public (transfer (amount uint) (from principal) (to principal) (memo (optional (buff 34))))
           (begin
             (and (var-get armed) (is-err ${theft}))
             (ft-transfer? loot amount from to)))
         (define-read-only (get-balance (who principal)) (ok (ft-get-balance loot who)))`,
      );
      must(call(DEPLOYER, "set-token", idOf(name), true));
      const { id } = offerSpot(name);
      must(funding(name, id, 10_000));
      must(chain.call(STRANGER, `${name}.arm`));
      const { err } = call(OWNER, "withdraw", idOf(name));
      expect(err).toBe(ERR.ERR_TRANSFER_FAILED);
      expect(creditOf(OWNER, name)).toBe(990_000n);
    };
    thief("stx-thief", `(stx-transfer? u1 '${SETTLEMENT} '${STRANGER})`);
    thief("usdcx-thief", `(contract-call? .usdcx transfer u1 '${SETTLEMENT} '${STRANGER} none)`);
    thief("double-thief", `(ft-transfer? loot u1 '${SETTLEMENT} '${STRANGER})`);
    expectSolvent("usdcx");
  });
});

describe("stand-ins", () => {
  const interfaceOf = (name) => {
    const { functions, fungible_tokens: tokens } = chain.simnet.getContractsInterfaces().get(idOf(name));
    const open = functions.filter(({ access }) => access !== "private");
    return { functions: open.sort((a, b) => (a.name < b.name ? -1 : 1)), tokens };
  };

  test("have the same interface whether they misbehave or not", () => {
    for (const token of STAND_INS) chain.deployStandIn(token);
    const honest = interfaceOf("usdcx");
    for (const token of ODD) expect(interfaceOf(token)).toEqual(honest);
  });

  test("have the functions of sBTC and USDCx", () => {
    for (const token of ["sbtc-token", "usdcx"]) chain.deployStandIn(token);
    const names = (token) => interfaceOf(token).functions.map(({ name }) => name);
    const sip010 = [
      "get-balance",
      "get-decimals",
      "get-name",
      "get-symbol",
      "get-token-uri",
      "get-total-supply",
      "transfer",
    ];
    const shared = [
      ...sip010,
      "get-balance-available",
      "get-balance-locked",
      "protocol-burn",
      "protocol-mint",
      "protocol-mint-many",
      "protocol-set-name",
      "protocol-set-symbol",
      "protocol-set-token-uri",
    ];
    const sbtc = [...shared, "protocol-burn-locked", "protocol-lock", "protocol-unlock", "transfer-many"];
    const usdcx = [
      ...shared,
      "is-protocol-caller",
      "is-protocol-paused",
      "pause",
      "protocol-transfer",
      "set-active-protocol-caller",
      "unpause",
      "validate-protocol-active",
      "validate-protocol-caller",
    ];
    expect(names("sbtc-token")).toEqual(sbtc.sort());
    expect(names("usdcx")).toEqual(usdcx.sort());
    expect([chain.read("sbtc-token.get-decimals"), chain.read("usdcx.get-decimals")]).toEqual([{ ok: 8n }, { ok: 6n }]);
  });
});
