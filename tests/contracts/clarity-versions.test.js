// The same source runs as Clarity 4, 5 and 6.
import { describe, expect, test } from "vitest";

import { BUYER, OWNER, STRANGER, VERIFIER, meter } from "./accounts.js";
import { CONTRACTS } from "./chain.js";
import { addPlant, feed, fund, must, offer, signedDay, startSystem } from "./scenario.js";

describe.each([4, 5, 6])("as Clarity %i", (clarityVersion) => {
  test("a signed day is sold, delivered and paid", async () => {
    const chain = await startSystem({ clarityVersion });
    for (const contract of CONTRACTS) expect(chain.clarityVersionOf(contract)).toBe(`Clarity${clarityVersion}`);
    const device = meter("first");
    const asset = addPlant(chain, { deviceKey: device.key, metered: true });
    const day = chain.today + 1n;
    const payment = fund(chain, offer(chain, asset, { day, wh: 300_000 }), 300_000);
    chain.advanceToDay(day + 1n);
    const whs = Array.from({ length: 96 }, (_, slot) => (slot > 30 && slot < 70 ? 7_000 : 0));
    must(chain.call(STRANGER, "production-tracking.record-day", ...signedDay(device, { asset, day, whs })));
    must(chain.call(VERIFIER, "production-tracking.verify-day", asset, day, 273_000));
    feed(chain, asset, day, 270_000);
    const balances = [OWNER, BUYER].map((who) => chain.balance(who));
    must(chain.call(STRANGER, "settlement.settle", payment));
    expect([OWNER, BUYER].map((who, index) => chain.balance(who) - balances[index])).toEqual([26_730_000n, 3_000_000n]);
  });
});
