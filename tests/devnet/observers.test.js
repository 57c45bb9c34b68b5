// Event observers: what is posted to which observer, and that nothing is lost while one does not respond.
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { serdeText } from "../../devnet/clarity/serde-text.js";
import { decodeValue } from "../../devnet/clarity/value.js";
import { Devnet } from "../../devnet/devnet.js";
import { Observers } from "../../devnet/observers/observers.js";
import { ObserverError, parseObserver } from "../../devnet/observers/settings.js";
import { addressOf } from "../../devnet/project/wallet.js";
import { buildPublish, buildTransfer } from "../../devnet/wire/builder.js";

const KEY = Buffer.alloc(32, 7);
const SENDER = addressOf(KEY);
const RECIPIENT = addressOf(Buffer.alloc(32, 8));
const CONTRACT = `${SENDER}.things`;
const SOURCE = `(define-non-fungible-token ticket uint)
(define-fungible-token coin)
(print { topic: "made", count: u340282366920938463463374607431768211455 })
(nft-mint? ticket u1 tx-sender)
(ft-mint? coin u5 tx-sender)
(stx-burn? u3 tx-sender)
(define-public (f) (ok u1))`;

/** An observer that records its requests, except the first `refusals`, to which it responds with 503. */
class Listener {
  posts = [];
  refusals = 0;

  async start() {
    this.server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        if (this.refusals-- > 0) return response.writeHead(503).end();
        this.posts.push([request.url, JSON.parse(body)]);
        response.end();
      });
    });
    await new Promise((resolve) => this.server.listen(this.port ?? 0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return this;
  }

  at(path) {
    return this.posts.filter(([url]) => url === path).map(([, body]) => body);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let listener;
let devnet;
let observers;

beforeEach(async () => {
  listener = await new Listener().start();
});

afterEach(async () => {
  await devnet?.close();
  await observers?.close();
  [devnet, observers] = [undefined, undefined];
  await listener.stop();
});

async function start(mining, ...keys) {
  const settings = keys.length > 0 ? keys : [""];
  devnet = await Devnet.start({
    accounts: [{ name: "deployer", address: SENDER, privateKey: KEY, mnemonic: "", balance: 10n ** 12n }],
   
    startTime: 1_800_000_000,
    mining,
    stateFile: null,
    follow: (chain) => {
      observers = new Observers(chain, settings.map((text) => parseObserver(`127.0.0.1:${listener.port}${text}`)));
    },
  });
}

function publication(nonce = 0n) {
  return buildPublish({ name: "things", code: SOURCE, clarityVersion: 4, privateKey: KEY, nonce, fee: 1_000n });
}

function transfer(nonce, fee = 1_000n) {
  return buildTransfer({ recipient: RECIPIENT, amount: 5n, privateKey: KEY, nonce, fee });
}

async function posts(count, path) {
  await expect.poll(() => (path ? listener.at(path) : listener.posts).length, { timeout: 120_000 }).toBe(count);
}

test("an observer gets everything from the first block on, in order", async () => {
  await start({ kind: "auto" });
  const { raw, txid } = await devnet.submit(transfer(0n));
  await posts(4);
  expect(listener.posts.map(([path]) => path)).toEqual(["/new_burn_block", "/new_block", "/new_mempool_tx", "/new_block"]);
  expect(listener.at("/new_mempool_tx")).toEqual([[`0x${raw.toString("hex")}`]]);
  const [first, second] = listener.at("/new_block");
  const { tip } = devnet.chain;
  expect(second).toMatchObject({
    block_hash: `0x${tip.hash}`,
    index_block_hash: `0x${tip.indexHash}`,
    block_height: tip.height,
    block_time: tip.time,
    parent_block_hash: first.block_hash,
    parent_index_block_hash: first.index_block_hash,
    burn_block_height: tip.burnHeight,
    burn_block_hash: listener.at("/new_burn_block")[0].burn_block_hash,
  });
  expect(second.transactions).toEqual([
    {
      txid: `0x${txid}`,
      tx_index: 0,
      status: "success",
      raw_result: "0x0703",
      raw_tx: `0x${raw.toString("hex")}`,
      contract_interface: null,
      burnchain_op: null,
      execution_cost: expect.objectContaining({ runtime: expect.any(Number) }),
      microblock_sequence: null,
      microblock_hash: null,
      microblock_parent_hash: null,
      vm_error: null,
    },
  ]);
  expect(second.events).toEqual([
    {
      txid: `0x${txid}`,
      event_index: 0,
      committed: true,
      type: "stx_transfer_event",
      stx_transfer_event: { sender: SENDER, recipient: RECIPIENT, amount: "5", memo: expect.any(String) },
    },
  ]);
});

describe("events of each kind", () => {
  const kinds = { print: "contract_event", nft: "nft_mint_event", ft: "ft_mint_event", stx: "stx_burn_event" };
  test.each([
    ["*", Object.values(kinds)],
    ["stx", [kinds.stx]],
    [`${CONTRACT}::print`, [kinds.print]],
    [`${CONTRACT}::other`, []],
    [`${CONTRACT}.ticket`, [kinds.nft]],
    [`${CONTRACT}.coin,stx`, [kinds.ft, kinds.stx]],
    ["burn_blocks", []],
  ])("are posted to an observer with the keys %s", async (keys, types) => {
    await start({ kind: "auto" }, `=${keys}`);
    await devnet.submit(publication());
    await posts(2, "/new_block");
    const { events, transactions } = listener.at("/new_block")[1];
    expect(events.map(({ type }) => type)).toEqual(types);
    // If some events are left out, the others keep their index within the block.
    for (const { type, event_index } of events) expect(event_index).toBe(Object.values(kinds).indexOf(type));
    expect(transactions[0].contract_interface.functions).toHaveLength(1);
    expect(listener.at("/new_mempool_tx")).toHaveLength(keys === "*" ? 1 : 0);
    expect(listener.at("/new_burn_block").length > 0).toBe(["*", "burn_blocks"].includes(keys));
  });

  test("have the fields of a node's events", async () => {
    await start({ kind: "auto" });
    await devnet.submit(publication());
    await posts(2, "/new_block");
    const [print, nft, ft, stx] = listener.at("/new_block")[1].events;
    expect(print.contract_event).toMatchObject({ contract_identifier: CONTRACT, topic: "print" });
    expect(print.contract_event.value.Tuple.data_map.topic).toEqual({
      Sequence: { String: { ASCII: { data: [...Buffer.from("made")] } } },
    });
    expect(nft.nft_mint_event).toEqual({
      asset_identifier: `${CONTRACT}::ticket`,
      recipient: SENDER,
      raw_value: `0x01${"0".repeat(31)}1`,
      value: { UInt: 1 },
    });
    expect(ft.ft_mint_event).toEqual({ asset_identifier: `${CONTRACT}::coin`, recipient: SENDER, amount: "5" });
    expect(stx.stx_burn_event).toEqual({ sender: SENDER, amount: "3" });
  });
});

test("a replaced transaction is reported as dropped", async () => {
  await start({ kind: "manual" }, "=memtx");
  const first = await devnet.submit(transfer(0n));
  const second = await devnet.submit(transfer(0n, 2_000n));
  await posts(1, "/drop_mempool_tx");
  expect(listener.at("/drop_mempool_tx")).toEqual([
    { dropped_txids: [`0x${first.txid}`], reason: "ReplaceByFee", new_txid: `0x${second.txid}` },
  ]);
});

test("an observer that rejects requests, goes offline and returns gets everything, once and in order", async () => {
  listener.refusals = 2;
  await start({ kind: "manual" });
  await posts(1, "/new_block");
  await listener.stop();
  for (let block = 0; block < 20; block++) await devnet.mine(1);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await listener.start();
  await posts(21, "/new_block");
  const heights = listener.at("/new_block").map(({ block_height }) => block_height);
  expect(heights).toEqual(heights.map((_, index) => heights[0] + index));
});

test("closing waits for an observer that responds, but not for ever for one that never did", async () => {
  await start({ kind: "manual" });
  await posts(1, "/new_block");
  await devnet.mine(1);
  await observers.close();
  expect(listener.at("/new_block")).toHaveLength(2);
  observers = new Observers(devnet.chain, [parseObserver("127.0.0.1:1")]);
  await devnet.mine(1);
  await observers.close();
  observers = undefined;
});

describe("settings", () => {
  test.each([
    ["localhost:3700", "http://localhost:3700", ["*"]],
    ["http://127.0.0.1:1/api/", "http://127.0.0.1:1/api", ["*"]],
    ["host.docker.internal:8002", "http://127.0.0.1:8002", ["*"]],
    [`a:1=stx,${CONTRACT}::print`, "http://a:1", ["stx", `${CONTRACT}::print`]],
  ])("%s", (text, url, keys) => expect(parseObserver(text)).toEqual({ url, keys }));

  test.each(["", "=stx", "localhost", "localhost:port", "localhost:1?a=1", "localhost:1=", "localhost:1=stx,nothing", "localhost:1=ST1.a::b", `localhost:1=${CONTRACT}`])(
    "%s is rejected",
    (text) => expect(() => parseObserver(text)).toThrow(ObserverError),
  );
});

describe("values as a node serializes them", () => {
  test.each([
    ["00ffffffffffffffffffffffffffffffff", '{"Int":-1}'],
    ["01ffffffffffffffffffffffffffffffff", '{"UInt":340282366920938463463374607431768211455}'],
    ["0a03", '{"Optional":{"data":{"Bool":true}}}'],
    ["09", '{"Optional":{"data":null}}'],
    ["0809", '{"Response":{"committed":false,"data":{"Optional":{"data":null}}}}'],
    ["020000000201ff", '{"Sequence":{"Buffer":{"data":[1,255]}}}'],
    ["0e00000003c3a461", '{"Sequence":{"String":{"UTF8":{"data":[[195,164],[97]]}}}}'],
    ["0b00000000", '{"Sequence":{"List":{"data":[],"type_signature":{"max_len":0,"entry_type":"NoType"}}}}'],
    [
      "0c00000001016104",
      '{"Tuple":{"type_signature":{"type_map":{"a":"BoolType"}},"data_map":{"a":{"Bool":false}}}}',
    ],
    [
      "061a6d78de7b0625dfbfc16c3a8a5735f6dc3dc3f2ce0163",
      '{"Principal":{"Contract":{"issuer":[26,[109,120,222,123,6,37,223,191,193,108,58,138,87,53,246,220,61,195,242,206]],"name":"c"}}}',
    ],
  ])("%s", (hex, text) => expect(serdeText(decodeValue(Buffer.from(hex, "hex")))).toBe(text));
});
