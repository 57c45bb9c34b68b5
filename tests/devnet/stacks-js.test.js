// Another client, stacks.js with its own fetch functions, uses the devnet like any node.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import {
  addressFromVersionHash,
  addressToString,
  AddressVersion,
  broadcastTransaction,
  Cl,
  fetchAbi,
  fetchCallReadOnlyFunction,
  fetchContractMapEntry,
  fetchFeeEstimate,
  fetchFeeEstimateTransaction,
  fetchFeeEstimateTransfer,
  fetchNonce,
  makeContractCall,
  makeContractDeploy,
  makeSTXTokenTransfer,
  PostConditionMode,
  privateKeyToPublic,
  publicKeyToAddress,
  serializePayload,
  sponsorTransaction,
} from "@stacks/transactions";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Devnet } from "../../devnet/devnet.js";
import { createServer } from "../../devnet/http/server.js";
import { readAccounts } from "../../devnet/project/project.js";

const TESTNET = {
  chainId: 0x80000000,
  transactionVersion: 0x80,
  peerNetworkId: 0xff000000,
  magicBytes: "T2",
  bootAddress: "ST000000000000000000002AMW42H",
  addressVersion: { singleSig: 26, multiSig: 21 },
};
const SOURCE = `
(define-map notes principal uint)
(define-read-only (get-note (who principal)) (map-get? notes who))
(define-read-only (has-note? (who principal)) (if (is-some (map-get? notes who)) (ok true) (err u9)))
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
  devnet = await Devnet.start({ accounts, startTime: 1_800_000_000, mining: { kind: "auto" }, stateFile: null });
  server = createServer(devnet, { control: true, host: "127.0.0.1" });
  const baseUrl = await server.listen({ host: "127.0.0.1", port: 0 });
  // Passes the network, since stacks.js ignores a custom client when there is no fee estimate.
  options = { network: { ...TESTNET, client: { baseUrl } } };
});

afterAll(async () => {
  await server.close();
  await devnet.close();
});

const key = (name) => `${wallets[name].privateKey.toString("hex")}01`;

async function send(transaction, more = {}) {
  return broadcastTransaction({ transaction, ...options, ...more });
}

async function receipt(txid) {
  const response = await fetch(`${options.network.client.baseUrl}/extended/v1/tx/${txid}`);
  return response.json();
}

test("a transfer, with nonce and fee from the devnet", async () => {
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

test("a contract is deployed, called and read, and its interface and map entries are fetched", async () => {
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
  expect(abi.functions.map(({ name }) => name).sort()).toEqual(["get-note", "has-note?", "pay", "set-note"]);
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

test("reads that return an error or are not possible", async () => {
  const place = { contractAddress: wallets.wallet_3.address, contractName: "notes" };
  const read = (functionName, functionArgs, more = {}) =>
    fetchCallReadOnlyFunction({ ...place, functionName, functionArgs, senderAddress: wallets.wallet_5.address, ...options, ...more });
  // The name must be encoded in the path.
  expect(await read("has-note?", [Cl.principal(wallets.wallet_5.address)])).toEqual(Cl.error(Cl.uint(9)));
  await expect(read("set-note", [Cl.uint(1)])).rejects.toThrow("NotReadOnly");
  await expect(read("nothing", [])).rejects.toThrow("UndefinedFunction");
  await expect(read("nothing", [], { senderAddress: "somebody" })).rejects.toThrow("Response 400");
  await expect(fetchAbi({ ...place, contractName: "nothing", ...options })).rejects.toThrow("Response 404");
  const entry = { ...place, mapName: "nothing", mapKey: Cl.uint(1), ...options };
  expect(await fetchContractMapEntry(entry)).toEqual(Cl.none());
});

test("a nonce, from the API and from the node", async () => {
  const { address } = wallets.wallet_7;
  const paths = [];
  const client = (refused) => ({
    ...options.network.client,
    fetch: (url) => {
      paths.push(new URL(url).pathname);
      return refused.test(url) ? Promise.reject(new Error("refused")) : fetch(url);
    },
  });
  const transfer = { recipient: wallets.wallet_2.address, amount: 1n, senderKey: key("wallet_7"), fee: 1000n, ...options };
  for (const nonce of [0n, 1n, 2n]) {
    expect(await fetchNonce({ address, network: "testnet", client: client(/never/) })).toBe(nonce);
    expect(await fetchNonce({ address, network: "testnet", client: client(/extended/) })).toBe(nonce);
    await send(await makeSTXTokenTransfer(transfer)); // fetches its nonce itself
  }
  expect([...new Set(paths)]).toEqual([`/extended/v1/address/${address}/nonces`, `/v2/accounts/${address}`]);
});

test("a sponsored call of a sender without STX, with the sponsor's nonce and fee from the devnet", async () => {
  const senderKey = `${"5e".repeat(32)}01`;
  const sender = publicKeyToAddress(privateKeyToPublic(senderKey), "testnet");
  const call = await makeContractCall({
    contractAddress: wallets.wallet_3.address,
    contractName: "notes",
    functionName: "set-note",
    functionArgs: [Cl.uint(7)],
    senderKey,
    sponsored: true,
    validateWithAbi: true,
    ...options,
  });
  const transaction = await sponsorTransaction({ transaction: call, sponsorPrivateKey: key("wallet_8"), ...options });
  const done = await receipt((await send(transaction)).txid);
  expect(done).toMatchObject({
    tx_status: "success",
    sender_address: sender,
    sponsored: true,
    sponsor_address: wallets.wallet_8.address,
    fee_rate: String(transaction.auth.sponsorSpendingCondition.fee),
  });
  expect(await fetchNonce({ address: sender, ...options })).toBe(1n);
  expect(await fetchNonce({ address: wallets.wallet_8.address, ...options })).toBe(1n);
});

test("a transfer of a multi-signature account, with nonce and fee from the devnet", async () => {
  const keys = [1, 2, 3].map((number) => `${String(number).repeat(64)}01`);
  const account = { publicKeys: keys.map(privateKeyToPublic), numSignatures: 2 };
  const terms = { recipient: wallets.wallet_2.address, amount: 5n, ...options };
  const unfunded = await makeSTXTokenTransfer({ ...terms, ...account, signerKeys: keys.slice(0, 2) });
  const rejection = await send(unfunded);
  expect(rejection).toMatchObject({ reason: "NotEnoughFunds" });
  const address = addressToString(addressFromVersionHash(AddressVersion.TestnetMultiSig, unfunded.auth.spendingCondition.signer));
  const funds = await makeSTXTokenTransfer({ recipient: address, amount: 100_000n, senderKey: key("wallet_6"), ...options });
  expect((await receipt((await send(funds)).txid)).tx_status).toBe("success");
  const done = await receipt((await send(unfunded)).txid);
  expect([done.tx_status, done.sender_address]).toEqual(["success", address]);
});

test("a call with an attachment", async () => {
  const call = await makeContractCall({
    contractAddress: wallets.wallet_3.address,
    contractName: "notes",
    functionName: "set-note",
    functionArgs: [Cl.uint(3)],
    senderKey: key("wallet_4"),
    ...options,
  });
  const { txid } = await send(call, { attachment: new TextEncoder().encode("hello") });
  expect([txid, (await receipt(txid)).tx_status]).toEqual([call.txid(), "success"]);
});

test("post-conditions in deny mode and in allow mode", async () => {
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
  expect(await fetchFeeEstimate({ transaction, ...options })).toBeGreaterThanOrEqual(transaction.serializeBytes().length);
});

test("rejections have the form that stacks.js knows", async () => {
  const terms = { recipient: wallets.wallet_2.address, amount: 1n, senderKey: key("wallet_1"), ...options };
  const send = async (more) => broadcastTransaction({ transaction: await makeSTXTokenTransfer({ ...terms, ...more }), ...options });
  expect(await send({ nonce: 0n, fee: 1000n })).toMatchObject({ error: "transaction rejected", reason: "BadNonce" });
  expect(await send({ nonce: 1n, fee: 1n })).toMatchObject({ reason: "FeeTooLow", reason_data: { actual: 1 } });
  expect(await send({ amount: 10n ** 17n, nonce: 1n, fee: 1000n })).toMatchObject({ reason: "NotEnoughFunds" });
});
