// The API's WebSocket: responses to subscriptions, and notifications.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { Devnet } from "../../devnet/devnet.js";
import { createServer } from "../../devnet/http/server.js";
import { addressOf } from "../../devnet/project/wallet.js";
import { buildPublish, buildTransfer } from "../../devnet/wire/builder.js";

const KEY = Buffer.alloc(32, 7);
const SENDER = addressOf(KEY);
const RECIPIENT = addressOf(Buffer.alloc(32, 8));
const TOKEN = `(define-non-fungible-token ticket uint)
(nft-mint? ticket u1 tx-sender)
(define-public (f) (ok u1))`;

let devnet;
let server;
let socket;
let url;

beforeAll(async () => {
  devnet = await Devnet.start({
    accounts: [{ name: "deployer", address: SENDER, privateKey: KEY, mnemonic: "", balance: 10n ** 12n }],
   
    startTime: 1_800_000_000,
    mining: { kind: "manual" },
    stateFile: null,
  });
  server = createServer(devnet, { control: true, host: "127.0.0.1" });
  url = await server.listen({ host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await server.close();
  await devnet.close();
});

beforeEach(async () => {
  await devnet.reset();
  socket = await connect(url);
});

afterEach(() => socket.socket.terminate());

/** Connects a socket whose messages can be awaited one after the other. */
function connect(base, path = "/extended/v1/ws") {
  const messages = [];
  const waiting = [];
  const socket = new WebSocket(base.replace("http", "ws") + path);
  socket.on("message", (data) => {
    const message = JSON.parse(String(data));
    if (waiting.length > 0) waiting.shift()(message);
    else messages.push(message);
  });
  const next = () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((resolve) => waiting.push(resolve)));
  const ask = async (request) => {
    socket.send(typeof request === "string" || Buffer.isBuffer(request) ? request : JSON.stringify(request));
    return await next();
  };
  const change = (method, event, params = {}) => ask({ jsonrpc: "2.0", id: 1, method, params: { event, ...params } });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve({ socket, next, ask, change, messages }));
    socket.on("error", reject);
  });
}

function transfer(nonce, fee = 1_000n) {
  return buildTransfer({ recipient: RECIPIENT, amount: 5n, privateKey: KEY, nonce, fee });
}

describe("responses", () => {
  const txid = "AB".repeat(32);
  test.each([
    ["block", {}, {}],
    ["microblock", {}, {}],
    ["mempool", {}, {}],
    ["nft_event", {}, {}],
    ["tx_update", { tx_id: txid }, { tx_id: `0x${txid.toLowerCase()}` }],
    ["address_tx_update", { address: SENDER }, { address: SENDER }],
    ["address_balance_update", { address: `${SENDER}.c` }, { address: `${SENDER}.c` }],
    ["nft_asset_event", { asset_identifier: "a::b", value: "0x01" }, { asset_identifier: "a::b", value: "0x01" }],
    ["nft_collection_event", { asset_identifier: "a::b" }, { asset_identifier: "a::b" }],
  ])("to subscribe and unsubscribe: %s", async (event, params, result) => {
    for (const method of ["subscribe", "unsubscribe"]) {
      expect(await socket.change(method, event, params)).toEqual({ jsonrpc: "2.0", id: 1, result });
    }
  });

  test.each([
    ["no JSON", "{", null, -32700],
    ["bytes", Buffer.from("{}"), null, -32700],
    ["no request", { id: 1 }, null, -32600],
    ["JSON that is null", "null", null, -32600],
    ["another method", { jsonrpc: "2.0", id: "x", method: "hello" }, "x", -32601],
    ["no event", { jsonrpc: "2.0", id: 2, method: "subscribe" }, 2, -32602],
    ["unknown event", { jsonrpc: "2.0", id: 2, method: "subscribe", params: { event: "toString" } }, 2, -32602],
    ["bad txid", { jsonrpc: "2.0", id: 2, method: "subscribe", params: { event: "tx_update", tx_id: "1" } }, 2, -32602],
    ["bad address", { jsonrpc: "2.0", id: 2, method: "subscribe", params: { event: "address_tx_update" } }, 2, -32602],
  ])("are an error for %s", async (_name, request, id, code) => {
    expect(await socket.ask(request)).toMatchObject({ jsonrpc: "2.0", id, error: { code } });
  });

  test("a batch gets a batch of responses, and a notification gets none", async () => {
    const subscribe = { jsonrpc: "2.0", method: "subscribe", params: { event: "block" } };
    const answer = await socket.ask([{ ...subscribe, id: 1 }, subscribe, { ...subscribe, id: 2, method: "x" }]);
    expect(answer.map(({ id }) => id)).toEqual([1, 2]);
  });

  test("other paths do not accept sockets", async () => {
    await expect(connect(url, "/v2/info")).rejects.toThrow("404");
    const { socket: other } = await connect(url, "/extended/v1/ws/?x=1");
    other.terminate();
  });
});

describe("notifications", () => {
  test("report each block with its transactions", async () => {
    await socket.change("subscribe", "block");
    const { txid } = await devnet.submit(transfer(0n));
    await devnet.mine(1);
    const { method, params } = await socket.next();
    expect(method).toBe("block");
    const { tip } = devnet.chain;
    expect(params).toMatchObject({ canonical: true, height: tip.height, hash: `0x${tip.hash}`, txs: [`0x${txid}`], tx_count: 1 });
    expect(params.parent_block_hash).toBe(`0x${devnet.chain.history.blocks.atHeight(tip.height - 1).hash}`);
    await devnet.mine(1);
    expect((await socket.next()).params).toMatchObject({ height: tip.height + 1, txs: [], parent_block_hash: params.hash });
  });

  test("report a transaction in the mempool and in its block", async () => {
    await socket.change("subscribe", "mempool");
    const sent = await devnet.submit(transfer(0n));
    expect(await socket.next()).toMatchObject({ method: "mempool", params: { tx_id: `0x${sent.txid}`, tx_status: "pending" } });
    await socket.change("unsubscribe", "mempool");
    await socket.change("subscribe", "tx_update", { tx_id: sent.txid });
    await devnet.mine(1);
    const update = await socket.next();
    expect(update).toMatchObject({ method: "tx_update", params: { tx_id: `0x${sent.txid}`, tx_status: "success" } });
    const response = await fetch(`${url}/extended/v1/tx/${sent.txid}`);
    expect(update.params).toEqual(await response.json());
    const other = await devnet.submit(transfer(1n));
    expect(other.txid).not.toBe(sent.txid);
    await devnet.mine(1);
    await socket.change("unsubscribe", "tx_update", { tx_id: sent.txid });
    expect(socket.messages).toEqual([]);
  });

  test("report a replaced transaction as dropped", async () => {
    const first = await devnet.submit(transfer(0n));
    await socket.change("subscribe", "tx_update", { tx_id: first.txid });
    await devnet.submit(transfer(0n, 2_000n));
    expect(await socket.next()).toMatchObject({ params: { tx_id: `0x${first.txid}`, tx_status: "dropped_replace_by_fee" } });
  });

  test("report the transactions and the balance of an address", async () => {
    await socket.change("subscribe", "address_tx_update", { address: SENDER });
    await socket.change("subscribe", "address_balance_update", { address: RECIPIENT });
    const { txid } = await devnet.submit(transfer(0n));
    await devnet.mine(1);
    expect(await socket.next()).toMatchObject({
      method: "address_tx_update",
      params: {
        address: SENDER,
        tx_id: `0x${txid}`,
        tx_status: "success",
        tx_type: "token_transfer",
        tx: { tx_id: `0x${txid}` },
        stx_sent: "1005",
        stx_received: "0",
        stx_transfers: [{ amount: "5", sender: SENDER, recipient: RECIPIENT }],
      },
    });
    expect(await socket.next()).toMatchObject({
      method: "address_balance_update",
      params: { address: RECIPIENT, balance: "5", total_received: "5" },
    });
  });

  test("report events of all tokens, of one collection and of one token", async () => {
    const asset = `${SENDER}.tickets::ticket`;
    const value = `0x01${"0".repeat(31)}1`;
    await socket.change("subscribe", "nft_event");
    await socket.change("subscribe", "nft_collection_event", { asset_identifier: asset });
    await socket.change("subscribe", "nft_asset_event", { asset_identifier: asset, value });
    await socket.change("subscribe", "nft_asset_event", { asset_identifier: asset, value: `0x01${"0".repeat(31)}2` });
    const publication = buildPublish({ name: "tickets", code: TOKEN, clarityVersion: 4, privateKey: KEY, nonce: 0n, fee: 1_000n });
    const { txid } = await devnet.submit(publication);
    await devnet.mine(1);
    const notes = [await socket.next(), await socket.next(), await socket.next()];
    expect(notes.map(({ method }) => method)).toEqual(["nft_event", "nft_asset_event", "nft_collection_event"]);
    for (const { params } of notes) {
      expect(params).toMatchObject({
        asset_identifier: asset,
        asset_event_type: "mint",
        value: { hex: value, repr: "u1" },
        tx_id: `0x${txid}`,
        tx_index: 0,
        block_height: devnet.chain.tip.height,
        event_index: 0,
      });
      expect(params).not.toHaveProperty("sender");
    }
  });

  test("end after unsubscribing, and nothing is recorded without subscribers", async () => {
    await socket.change("subscribe", "block");
    expect(devnet.chain.feed.listenerCount("block")).toBe(1);
    await socket.change("unsubscribe", "block");
    expect(devnet.chain.feed.listenerCount("block")).toBe(0);
    await devnet.mine(1);
    await socket.change("subscribe", "block");
    expect(socket.messages).toEqual([]);
    socket.socket.close();
    await expect.poll(() => devnet.chain.feed.listenerCount("block")).toBe(0);
  });
});

test("a change that cannot be written to the state file is not announced", async () => {
  await socket.change("subscribe", "block");
  devnet.journal = {
    append() {
      throw new Error("disk full");
    },
    close() {},
  };
  await expect(devnet.mine(1)).rejects.toThrow("disk full");
  devnet.journal = null;
  await devnet.mine(1);
  const { params } = await socket.next();
  expect(params.height).toBe(devnet.chain.tip.height);
});
