/** The endpoints of a Stacks node: /v2 and /v3, with a node's responses and status codes; errors are plain text. */
import { hexAmount, Rejection } from "../chain/rejection.js";
import { callRead, constantValue, dataVar, mapEntry, PATIENCE } from "../chain/reader.js";
import { ReadFailure } from "../chain/reads.js";
import { DecodeError } from "../clarity/value.js";
import { VmPanic } from "../vm/vm.js";
import { RequestError } from "./errors.js";
import { estimateFee, NO_ESTIMATE } from "./fees.js";
import { chainInfo, poxInfo } from "./node-info.js";
import {
  accountArgument,
  callBody,
  checkCallBody,
  checkFeeBody,
  checkKeyBody,
  checkNoBody,
  checkTransactionBody,
  contractArgument,
  feeBody,
  keyBody,
  MAX_BODY_BYTES,
  nameArgument,
  transactionBody,
  undecodable,
} from "./node-requests.js";
import { nodeText } from "./present.js";

/** @typedef {import("fastify").FastifyInstance} FastifyInstance */
/** @typedef {import("./node-requests.js").Request} Request */
/** @typedef {import("../devnet.js").Devnet} Devnet */

const MIN_FEE_RATE = 1;

const ADDRESS = "[0-9A-HJKMNP-TV-Z]{28,41}";
const CONTRACT_NAME = "[a-zA-Z][a-zA-Z0-9_-]{0,127}";
const CLARITY_NAME = /^[\w!?+<>=/*-]{1,128}$/;
/** For any other characters in a path, a node has no endpoint; checksums and the first letters of names are checked later. */
const PATH_PARAMETERS = {
  principal: new RegExp(`^${ADDRESS}(?:\\.${CONTRACT_NAME})?$`),
  address: new RegExp(`^${ADDRESS}$`),
  name: new RegExp(`^${CONTRACT_NAME}$`),
  function: CLARITY_NAME,
  map: CLARITY_NAME,
  varname: CLARITY_NAME,
  constname: CLARITY_NAME,
  txid: /^[0-9a-f]{64}$/,
  blockId: /^[0-9a-f]{64}$/,
  blockHeight: /^[0-9]{1,20}$/,
};

const BLOCK_ID = /^[0-9a-f]{64}$/i;
const JSON_WITH_CHARSET = "application/json; charset=utf-8";

/** @param {FastifyInstance} server @param {{devnet: Devnet}} options */
export async function nodeRoutes(server, { devnet }) {
  const { chain } = devnet;

  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.addHook("onRoute", (route) => {
    route.bodyLimit = MAX_BODY_BYTES;
    route.config = { checkBody: checkNoBody, ...route.config };
  });
  server.addHook("onRequest", (request, reply, done) => {
    const parameters = /** @type {[keyof PATH_PARAMETERS, string][]} */ (Object.entries(/** @type {object} */ (request.params)));
    // Fastify serves HEAD for every GET; a node does not.
    if (request.method === "HEAD" || !parameters.every(([name, text]) => PATH_PARAMETERS[name].test(text))) {
      reply.callNotFound();
      return;
    }
    /** @type {{checkBody(request: unknown): void}} */ (/** @type {unknown} */ (request.routeOptions.config)).checkBody(request);
    done();
  });
  server.addHook("onSend", (_request, reply, payload, done) => {
    // A node's content type does not name a charset.
    if (reply.getHeader("content-type") === JSON_WITH_CHARSET) reply.header("content-type", "application/json");
    done(null, payload);
  });

  server.get("/v2/info", () => chainInfo(chain));
  server.get("/v2/pox", () => poxInfo(chain));
  server.get("/v3/health", () => ({
    difference_from_max_peer: 0,
    max_stacks_height_of_neighbors: 0,
    max_stacks_neighbor_address: null,
    node_stacks_tip_height: chain.tip.height,
  }));

  server.get("/v2/accounts/:principal", (/** @type {Request} */ request) => {
    const principal = accountArgument(request.params.principal);
    checkTip(request, chain, (tip) => `Chain tip '${tip}' not found`);
    const proofs = wantsProof(request) ? { balance_proof: "", nonce_proof: "" } : {};
    return {
      balance: hexAmount(chain.ledger.balance(principal)),
      locked: hexAmount(0n),
      unlock_height: 0,
      nonce: Number(chain.ledger.nonce(principal)),
      ...proofs,
    };
  });

  server.post("/v2/transactions", { config: { checkBody: checkTransactionBody } }, async (/** @type {Request} */ request, reply) => {
    try {
      const { txid } = await devnet.submit(transactionBody(request));
      return reply.type("application/json").send(JSON.stringify(txid));
    } catch (error) {
      if (error instanceof DecodeError) throw undecodable(`Failed to deserialize posted transaction: ${error.message}`);
      if (error instanceof Rejection) return reply.code(400).send(error.toJson());
      throw error;
    }
  });

  server.get("/v2/transactions/unconfirmed/:txid", (/** @type {Request} */ request) => {
    const { txid } = request.params;
    // Mined transactions stay in a node's mempool until its garbage collection, for days.
    const known = chain.mempool.find(txid) ?? chain.history.find(txid);
    if (!known) throw new RequestError(404, `Transaction ${txid} not found in mempool or unconfirmed microblock stream`);
    return { tx: known.transaction.raw.toString("hex"), status: "Mempool" };
  });

  server.get("/v2/fees/transfer", (_request, reply) => reply.type("application/json").send(String(MIN_FEE_RATE)));
  server.post("/v2/fees/transaction", { config: { checkBody: checkFeeBody } }, (/** @type {Request} */ request, reply) => {
    try {
      return estimateFee(chain, feeBody(request)) ?? reply.code(400).send(NO_ESTIMATE);
    } catch (error) {
      if (error instanceof DecodeError) {
        throw new RequestError(400, `Failed to decode due to SIP-003 codec error: DeserializeError("${error.message}")`);
      }
      throw error;
    }
  });

  server.get("/v2/contracts/interface/:address/:name", async (/** @type {Request} */ request) => {
    return (await contractOf(request, "No contract interface data found")).abi;
  });
  server.get("/v2/contracts/source/:address/:name", async (/** @type {Request} */ request) => {
    const { source, height } = await contractOf(request, "No contract source data found");
    return { source, publish_height: height, ...(wantsProof(request) ? { proof: "" } : {}) };
  });

  const callPath = "/v2/contracts/call-read/:address/:name/:function";
  server.post(callPath, { config: { checkBody: checkCallBody } }, async (/** @type {Request} */ request) => {
    const contractId = contractArgument(request.params);
    const functionName = nameArgument(request.params, "function");
    const call = { contractId, functionName, ...callBody(request) };
    checkTip(request, chain);
    try {
      return { okay: true, result: await callRead(chain, call) };
    } catch (error) {
      if (error instanceof ReadFailure) return { okay: false, cause: error.message };
      if (error instanceof DecodeError) throw undecodable("Failed to deserialize argument value");
      if (error instanceof VmPanic) {
        process.stderr.write(`${request.url}: ${error.message}\n`);
        throw new RequestError(400, "This call crashed the VM. Its previous state was restored.");
      }
      throw error;
    }
  });

  server.post("/v2/map_entry/:address/:name/:map", { config: { checkBody: checkKeyBody } }, async (/** @type {Request} */ request) => {
    const contractId = contractArgument(request.params);
    const map = nameArgument(request.params, "map");
    const key = keyBody(request);
    checkTip(request, chain);
    try {
      const data = await mapEntry(chain, contractId, map, key);
      return { data, ...(wantsProof(request) ? { proof: "" } : {}) };
    } catch (error) {
      if (error instanceof DecodeError) throw undecodable("Failed to deserialize key value");
      throw error;
    }
  });

  server.get("/v2/data_var/:address/:name/:varname", async (/** @type {Request} */ request) => {
    const contractId = contractArgument(request.params);
    const name = nameArgument(request.params, "varname");
    checkTip(request, chain);
    const data = await dataVar(chain, contractId, name);
    if (data === null) throw new RequestError(404, "Data var not found");
    return { data, ...(wantsProof(request) ? { proof: "" } : {}) };
  });

  server.get("/v2/constant_val/:address/:name/:constname", async (/** @type {Request} */ request) => {
    const contractId = contractArgument(request.params);
    const name = nameArgument(request.params, "constname");
    checkTip(request, chain);
    try {
      const data = await constantValue(chain, contractId, name);
      if (data === null) throw new RequestError(404, "Constant not found");
      return { data };
    } catch (error) {
      if (error instanceof ReadFailure) throw new RequestError(501, error.message);
      throw error;
    }
  });

  server.get("/v3/transaction/:txid", (/** @type {Request} */ request) => {
    const mined = chain.history.find(request.params.txid);
    if (!mined) throw new RequestError(404, `No such transaction ${request.params.txid}\n`);
    return {
      index_block_hash: mined.block.indexHash,
      tx: mined.transaction.raw.toString("hex"),
      result: nodeText(mined.outcome.result),
      block_height: mined.block.height,
      is_canonical: true,
    };
  });

  server.get("/v3/blocks/:blockId", (/** @type {Request} */ { params: { blockId } }, reply) => {
    const block = chain.history.blocks.withHash(blockId);
    if (block?.indexHash !== blockId) throw new RequestError(404, `No such block ${blockId}\n`);
    return reply.type("application/octet-stream").send(chain.history.bytesOf(block));
  });

  server.get("/v3/blocks/height/:blockHeight", (/** @type {Request} */ request, reply) => {
    const { blockHeight } = request.params;
    checkTip(request, chain);
    const block = chain.history.blocks.atHeight(Number(blockHeight));
    if (!block) throw new RequestError(404, `No such block #${BigInt(blockHeight)}\n`);
    return reply.type("application/octet-stream").send(chain.history.bytesOf(block));
  });

  /** @param {Request} request @param {string} missing */
  async function contractOf(request, missing) {
    const contractId = contractArgument(request.params);
    checkTip(request, chain);
    const contract = await chain.loadContract(contractId, PATIENCE);
    if (!contract) throw new RequestError(404, missing);
    return contract;
  }
}

/**
 * Only the state of the latest block exists. A request for an earlier block gets the latest state; a request for a
 * block that never existed is refused.
 *
 * @param {Request} request
 * @param {import("../chain/chain.js").Chain} chain
 * @param {(tip: string) => string} refusal
 */
function checkTip({ query: { tip } }, { history }, refusal = () => "Chain tip not found") {
  // A node ignores a value that is not a block id.
  if (typeof tip !== "string" || !BLOCK_ID.test(tip)) return;
  const id = tip.toLowerCase();
  if (id !== history.tip.indexHash && history.blocks.withHash(id)?.indexHash !== id) throw new RequestError(404, refusal(id));
}

/** @param {Request} request @returns {boolean} whether the response needs a proof, which is the default on a node */
function wantsProof(request) {
  return request.query.proof === undefined || request.query.proof === "1";
}
