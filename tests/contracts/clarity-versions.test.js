// The same source runs as Clarity 5 and 6.
import { describe, expect, test } from "vitest";

import { BUYER, CURVE, OWNER, STRANGER, meter } from "./accounts.js";
import { CONTRACTS } from "./chain.js";
import { addPlant, feed, fund, must, offer, signedDay, startSystem, verify } from "./scenario.js";

describe.each([5, 6])("as Clarity %i", (clarityVersion) => {
  test("a signed day is sold, delivered and paid", async () => {
    const chain = await startSystem({ clarityVersion });
    for (const contract of CONTRACTS) expect(chain.clarityVersionOf(contract)).toBe(`Clarity${clarityVersion}`);
    const device = meter("first", { curve: CURVE.P256 });
    const asset = addPlant(chain, { device, metered: true });
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day, wh: 300_000 }), 300_000);
    chain.advanceToDay(day + 1n);
    const whs = Array.from({ length: 96 }, (_, slot) => (slot > 30 && slot < 70 ? 7_000 : 0));
    must(chain.call(STRANGER, "production-tracking.record-day", ...signedDay(device, { asset, day, whs })));
    verify(chain, asset, day);
    feed(chain, asset, day, 270_000);
    const balances = [OWNER, BUYER].map((who) => chain.balance(who));
    must(chain.call(STRANGER, "settlement.settle", payment));
    expect([OWNER, BUYER].map((who, index) => chain.balance(who) - balances[index])).toEqual([26_730_000n, 3_000_000n]);
  });
});
