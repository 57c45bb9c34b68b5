/** Requests that arrive while the devnet shuts down. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Devnet } from "../../devnet/devnet.js";
import { readAccounts } from "../../devnet/project/project.js";
import { buildTransfer } from "../../devnet/wire/builder.js";

test("a transaction that is still being verified is neither accepted nor written to the state file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "der-ending-"));
  const stateFile = join(folder, "state");
  const accounts = readAccounts(process.cwd());
  const devnet = await Devnet.start({ accounts, startTime: 1_800_000_000, mining: { kind: "auto" }, stateFile });
  const [sender, recipient] = accounts;
  const transfer = { recipient: recipient.address, amount: 5n, privateKey: sender.privateKey, fee: 1_000n };
  await devnet.submit(buildTransfer({ ...transfer, nonce: 0n }));
  const before = readFileSync(stateFile, "utf8");
  const late = devnet.submit(buildTransfer({ ...transfer, nonce: 1n }));
  const closed = devnet.close();
  await expect(late).rejects.toMatchObject({ statusCode: 503 });
  await closed;
  expect(readFileSync(stateFile, "utf8")).toBe(before);
  rmSync(folder, { recursive: true });
});
