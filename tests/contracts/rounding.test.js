// Draining money by rounding: 1,500 of the worst fills (10,000 in `make fuzz`), with every microSTX accounted for.
import { expect, test } from "vitest";

import { BUYER, BUYER_2, DEPLOYER, OWNER, STRANGER } from "./accounts.js";
import { breathe } from "./chain.js";
import { NO_LIMIT, OFFER, PAYMENT, addPlant, must, offer, produce, startSystem } from "./scenario.js";

const FEE_BPS = 500n; // the highest possible fee
const SETTLEMENT = `${DEPLOYER}.settlement`;
const CROWD = `${DEPLOYER}.crowd`;

// Long enough for a busy machine.
const TIMEOUT_MS = 1_800_000;

// Price and Wh of fills with the worst rounding. A fill of 1.001 microSTX locks 2, of 1.999 earns 1, of 19 has no fee.
const WORST = [
  [1_001n, 1n],
  [1_999n, 1n],
  [19_000n, 1n],
  [19_999n, 1n],
  [39_999n, 1n],
  [999n, 2n],
  [333n, 6n],
  [7n, 143n],
  [3n, 6_666n],
  [1n, 1_999n],
];
// The energy of one round: one fill at each price.
const ROUND_WH = WORST.reduce((sum, [, wh]) => sum + wh, 0n);
const ROUNDS = BigInt(process.env.ROUNDING_ROUNDS ?? 150);
const FORWARD_ROUNDS = 50n;
const SPOT_ROUNDS = ROUNDS - FORWARD_ROUNDS;
// The forward day yields too little: its energy ends in the middle of a round, within the fill of 6,666 Wh.
const FORWARD_WH = 30n * ROUND_WH + 155n + 3_333n;

test(
  "draining by rounding fails: the worst fills lose less than a microSTX each, and only fees remain",
  async () => {
    const chain = await startSystem();
    must(chain.call(DEPLOYER, "settlement.set-fee-bps", FEE_BPS));
    chain.advanceToDay(chain.today + 8n);
    const asset = addPlant(chain, { capacityW: 1_000_000, limitW: 1_000_000 });
    deployCrowd(chain);
    const spotDay = chain.today;
    const forwardDay = spotDay + 2n;
    chain.advanceToDay(spotDay + 1n);
    produce(chain, asset, spotDay, SPOT_ROUNDS * ROUND_WH);
    const before = balances(chain);

    const offers = { spot: offerWorst(chain, asset, spotDay, SPOT_ROUNDS) };
    await takeRounds(chain, offers.spot, SPOT_ROUNDS);
    expect(chain.read("settlement.get-escrow-total", null)).toBe(0n);
    offers.forward = offerWorst(chain, asset, forwardDay, FORWARD_ROUNDS);
    await takeRounds(chain, offers.forward, FORWARD_ROUNDS);
    expect(chain.read("settlement.get-escrow-total", null)).toBeGreaterThan(0n);

    chain.advanceToDay(forwardDay + 1n);
    produce(chain, asset, forwardDay, FORWARD_WH);
    await settleForward(chain);

    const payments = await readPayments(chain);
    expect(payments).toHaveLength(Number(10n * ROUNDS));
    for (const payment of payments) expectShares(payment);
    const delivered = payments.filter(({ spot }) => !spot).map((payment) => payment["delivered-wh"]);
    expect(sum(delivered)).toBe(FORWARD_WH);

    // Nothing is left in escrow, and each party has received and paid exactly what the payments say.
    const fees = sum(payments.map((payment) => payment.fee));
    expect(chain.read("settlement.get-escrow-total", null)).toBe(0n);
    expect(chain.read("settlement.get-fees", null)).toBe(fees);
    expect(chain.balance(SETTLEMENT)).toBe(fees);
    const after = balances(chain);
    expect(after[OWNER] - before[OWNER]).toBe(sum(payments.map((payment) => payment.payout)));
    for (const buyer of [BUYER, BUYER_2, CROWD]) {
      const own = payments.filter((payment) => payment.buyer === buyer);
      expect(own.length).toBeGreaterThan(Number(3n * ROUNDS));
      expect(before[buyer] - after[buyer]).toBe(sum(own.map(paidBy)));
    }
    for (const id of [...offers.spot, ...offers.forward]) {
      expect(chain.read("market-participation.get-offer", id).state).toBe(OFFER.COMPLETED);
      expectNothingGainedBySplitting(payments.filter((payment) => payment["offer-id"] === id));
    }
    must(chain.call(DEPLOYER, "settlement.withdraw-fees", fees, DEPLOYER));
    expect(chain.balance(SETTLEMENT)).toBe(0n);
  },
  TIMEOUT_MS,
);

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);
const paidBy = (payment) => payment.cost - payment.refund;
const balances = (chain) => Object.fromEntries([OWNER, BUYER, BUYER_2, CROWD].map((who) => [who, chain.balance(who)]));

function offerWorst(chain, asset, day, rounds) {
  return WORST.map(([price, wh]) => offer(chain, asset, { day, wh: wh * rounds, price, minFill: wh }));
}

// Two buyers take rounds with accept-offers; a contract takes every third round for itself, fill by fill.
async function takeRounds(chain, offers, rounds) {
  const fills = offers.map((id, index) => ({ offer: id, wh: WORST[index][1] }));
  for (let round = 0n; round < rounds; round += 1n) {
    if (round % 3n === 2n) must(chain.call(STRANGER, "crowd.take", fills));
    else {
      const items = fills.map(({ offer: id, wh }) => ({ "offer-id": id, wh, "min-wh": wh }));
      const by = round % 3n === 0n ? BUYER : BUYER_2;
      must(chain.call(by, "settlement.accept-offers", items, NO_LIMIT, NO_LIMIT)).forEach(must);
    }
    await breathe();
  }
}

function deployCrowd(chain) {
  chain.deploy(
    "crowd",
    `(define-private (take-one (fill {offer: uint, wh: uint}) (last (response uint uint)))
       (match last
         payment (contract-call? .settlement accept-and-fund (get offer fill) (get wh fill) u1 u${NO_LIMIT} u${NO_LIMIT})
         code (err code)))
     (define-public (take (fills (list 10 {offer: uint, wh: uint})))
       (as-contract? ((with-stx u10000)) (try! (fold take-one fills (ok u0)))))`,
  );
  chain.transfer(STRANGER, CROWD, 10n ** 6n);
}

// Settles the payments in an order unrelated to that of the fills. Money remains in escrow until the last batches.
async function settleForward(chain) {
  const first = 10n * SPOT_ROUNDS + 1n;
  const count = 10n * FORWARD_ROUNDS;
  for (let start = 0n; start < count; start += 25n) {
    const batch = Array.from({ length: 25 }, (_, index) => first + (((start + BigInt(index)) * 377n) % count));
    for (const answer of must(chain.call(STRANGER, "settlement.settle-batch", batch))) must(answer);
    expect(chain.read("settlement.is-solvent")).toBe(true);
    await breathe();
  }
}

async function readPayments(chain) {
  const count = Number(chain.read("settlement.get-payment-count"));
  const payments = [];
  while (payments.length < count) {
    const length = Math.min(30, count - payments.length);
    const ids = Array.from({ length }, (_, index) => payments.length + index + 1);
    payments.push(...chain.read("settlement.get-payments", ids));
    await breathe();
  }
  return payments;
}

// Checks one payment, in exact thousandths and ten-thousandths of a microSTX.
function expectShares(payment) {
  const { wh, price, "before-wh": ahead, cost, "delivered-wh": delivered } = payment;
  const { payout, fee, refund, "fee-bps": bps } = payment;
  const gross = payout + fee;
  const left = payment.spot ? wh : FORWARD_WH - ahead;
  const within = (value, limit) => value >= 0n && value < limit;
  const wrong = [
    payment.state !== PAYMENT.SETTLED && "not settled",
    payout + fee + refund !== cost && "shares that are not the cost",
    refund > cost && "more than was paid",
    bps !== FEE_BPS && "another fee",
    delivered !== (left < 0n ? 0n : left < wh ? left : wh) && "not what was due",
    !within(cost * 1_000n - wh * price, 1_000n) && "cost not rounded up",
    !within(delivered * price - gross * 1_000n, 1_000n) && "gross not rounded down",
    !within(gross * bps - fee * 10_000n, 10_000n) && "fee not rounded down",
  ].filter(Boolean);
  if (wrong.length > 0) expect.unreachable(`${wrong.join(", ")}: ${Object.entries(payment).join(" ")}`);
}

// Compared with one fill of the same energy, a buyer who splits it saves less than a microSTX per fill on the energy,
// and as little on the fee, while the smallest transaction costs more than a hundred microSTX.
function expectNothingGainedBySplitting(payments) {
  const [{ price }] = payments;
  const fills = BigInt(payments.length);
  const gross = (sum(payments.map((payment) => payment["delivered-wh"])) * price) / 1_000n;
  const fee = (gross * FEE_BPS) / 10_000n;
  const saved = gross - sum(payments.map(paidBy));
  const dodged = fee - sum(payments.map((payment) => payment.fee));
  for (const gain of [saved, dodged]) {
    expect(gain).toBeGreaterThanOrEqual(0n);
    expect(gain).toBeLessThan(fills);
  }
}
