// A foreign client, stacks.js with its own fetch functions, talks to the devnet as to any node.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import {
  broadcastTransaction,
  Cl,
  fetchAbi,
  fetchCallReadOnlyFunction,
  fetchContractMapEntry,
  fetchFeeEstimateTransaction,
  fetchFeeEstimateTransfer,
  fetchNonce,
  makeContractCall,
  makeContractDeploy,
  makeSTXTokenTransfer,
  PostConditionMode,
  serializePayload,
} from "@stacks/transactions";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Devnet } from "../../devnet/devnet.js";
import { createServer } from "../../devnet/http/server.js";
import { readAccounts } from "../../devnet/project/project.js";

const SOURCE = `
(define-map notes principal uint)
(define-read-only (get-note (who principal)) (map-get? notes who))
(define-public (set-note (n uint)) (begin (asserts! (> n u0) (err u4)) (ok (map-set notes tx-sender n))))
(define-public (pay (to principal)) (stx-transfer? u7 tx-sender to))`;

let devnet;
let server;
let options;
let wallets;

beforeAll(async () => {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const accounts = readAccounts(root);
  wallets = Object.fromEntries(accounts.map((account) => [account.name, account]));
  devnet = await Devnet.start({ accounts, contracts: [], startTime: 1_800_000_000, mining: { kind: "auto" }, stateFile: null });
  server = createServer(devnet, { control: true });
  options = { network: "testnet", client: { baseUrl: await server.listen({ host: "127.0.0.1", port: 0 }) } };
});

afterAll(async () => {
  await server.close();
  await devnet.close();
});

const key = (name) => `${wallets[name].privateKey.toString("hex")}01`;

async function receipt(txid) {
  const response = await fetch(`${options.client.baseUrl}/extended/v1/tx/${txid}`);
  return response.json();
}

test("transfer, with nonce and fee asked from the devnet", async () => {
  const transaction = await makeSTXTokenTransfer({
    recipient: wallets.wallet_2.address,
    amount: 1234n,
    senderKey: key("wallet_1"),
    memo: "hello",
    ...options,
  });
  const { txid } = await broadcastTransaction({ transaction, ...options });
  expect((await receipt(txid)).tx_status).toBe("success");
  expect(await fetchNonce({ address: wallets.wallet_1.address, ...options })).toBe(1n);
});

test("deploy, interface, call, map entry, read", async () => {
  const deploy = await makeContractDeploy({
    contractName: "notes",
    codeBody: SOURCE,
    clarityVersion: 4,
    senderKey: key("wallet_3"),
    ...options,
  });
  expect((await receipt((await broadcastTransaction({ transaction: deploy, ...options })).txid)).tx_status).toBe("success");
  const place = { contractAddress: wallets.wallet_3.address, contractName: "notes" };
  const abi = await fetchAbi({ ...place, ...options });
  expect(abi.functions.map(({ name }) => name).sort()).toEqual(["get-note", "pay", "set-note"]);
  const call = await makeContractCall({
    ...place,
    functionName: "set-note",
    functionArgs: [Cl.uint(42)],
    senderKey: key("wallet_4"),
    validateWithAbi: true,
    ...options,
  });
  const done = await receipt((await broadcastTransaction({ transaction: call, ...options })).txid);
  expect([done.tx_status, done.tx_result.repr]).toEqual(["success", "(ok true)"]);
  const who = Cl.principal(wallets.wallet_4.address);
  expect(await fetchContractMapEntry({ ...place, mapName: "notes", mapKey: who, ...options })).toEqual(Cl.some(Cl.uint(42)));
  expect(await fetchContractMapEntry({ ...place, mapName: "notes", mapKey: Cl.principal(wallets.wallet_5.address), ...options })).toEqual(
    Cl.none(),
  );
  const read = { ...place, functionName: "get-note", functionArgs: [who], senderAddress: wallets.wallet_5.address };
  expect(await fetchCallReadOnlyFunction({ ...read, ...options })).toEqual(Cl.some(Cl.uint(42)));
});

test("post-conditions in deny mode, and allowing all", async () => {
  const statuses = [];
  for (const postConditionMode of [PostConditionMode.Deny, PostConditionMode.Allow]) {
    const call = await makeContractCall({
      contractAddress: wallets.wallet_3.address,
      contractName: "notes",
      functionName: "pay",
      functionArgs: [Cl.principal(wallets.wallet_6.address)],
      senderKey: key("wallet_4"),
      postConditionMode,
      ...options,
    });
    statuses.push((await receipt((await broadcastTransaction({ transaction: call, ...options })).txid)).tx_status);
  }
  expect(statuses).toEqual(["abort_by_post_condition", "success"]);
});

test("fee estimates", async () => {
  const transaction = await makeSTXTokenTransfer({
    recipient: wallets.wallet_2.address,
    amount: 1n,
    senderKey: key("wallet_1"),
    fee: 0n,
    nonce: 0n,
    ...options,
  });
  expect(await fetchFeeEstimateTransfer({ transaction, ...options })).toBeGreaterThan(0n);
  const payload = serializePayload(transaction.payload);
  const estimates = await fetchFeeEstimateTransaction({ payload, estimatedLength: 400, ...options });
  expect(estimates.map(({ fee }) => fee >= 400)).toEqual([true, true, true]);
});

test("rejections arrive as stacks.js knows them", async () => {
  const terms = { recipient: wallets.wallet_2.address, amount: 1n, senderKey: key("wallet_1"), ...options };
  const send = async (more) => broadcastTransaction({ transaction: await makeSTXTokenTransfer({ ...terms, ...more }), ...options });
  expect(await send({ nonce: 0n, fee: 1000n })).toMatchObject({ error: "transaction rejected", reason: "BadNonce" });
  expect(await send({ nonce: 1n, fee: 1n })).toMatchObject({ reason: "FeeTooLow", reason_data: { actual: 1 } });
  expect(await send({ amount: 10n ** 17n, nonce: 1n, fee: 1000n })).toMatchObject({ reason: "NotEnoughFunds" });
});
