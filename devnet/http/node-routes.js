/** What a Stacks node itself serves: /v2 and /v3. Shapes and status codes are the node's; errors are plain text. */
import { hexAmount, Rejection } from "../chain/rejection.js";
import { callRead, constantValue, dataVar, mapEntry, ReadFailure } from "../chain/reader.js";
import { DecodeError } from "../clarity/value.js";
import { contractArgument, hexArgument, principalArgument, txidArgument } from "./arguments.js";
import { RequestError } from "./errors.js";
import { estimateFee } from "./fees.js";
import { chainInfo, poxInfo } from "./node-info.js";
import { nodeText } from "./present.js";

/** @typedef {import("fastify").FastifyInstance} FastifyInstance */
/** @typedef {import("../devnet.js").Devnet} Devnet */

const MIN_FEE_RATE = 1;

const ADDRESS = "[0-9A-HJKMNP-TV-Z]{28,41}";
const CONTRACT_NAME = "[a-zA-Z][a-zA-Z0-9_-]{0,127}";
const CLARITY_NAME = /^(?:[a-zA-Z][a-zA-Z0-9_!?+<>=/*-]*|[-+=/*]|[<>]=?)$/;
/** A node has no endpoint where a path holds anything else; checksums are looked at later. */
const PATH_PARAMETERS = {
  principal: new RegExp(`^${ADDRESS}(?:\\.${CONTRACT_NAME})?$`),
  address: new RegExp(`^${ADDRESS}$`),
  name: new RegExp(`^${CONTRACT_NAME}$`),
  function: CLARITY_NAME,
  map: CLARITY_NAME,
  variable: CLARITY_NAME,
  constant: CLARITY_NAME,
  txid: /^[0-9a-f]{64}$/,
};

/** @param {FastifyInstance} server @param {{devnet: Devnet}} options */
export async function nodeRoutes(server, { devnet }) {
  const { chain } = devnet;

  server.addHook("onRequest", (request, reply, done) => {
    const parameters = /** @type {[keyof PATH_PARAMETERS, string][]} */ (Object.entries(/** @type {object} */ (request.params)));
    if (parameters.every(([name, text]) => PATH_PARAMETERS[name].test(text))) done();
    else reply.callNotFound();
  });

  server.get("/v2/info", () => chainInfo(chain));
  server.get("/v2/pox", () => poxInfo(chain));
  server.get("/v3/health", () => ({
    difference_from_max_peer: 0,
    max_stacks_height_of_neighbors: 0,
    max_stacks_neighbor_address: null,
    node_stacks_tip_height: chain.tip.height,
  }));

  server.get("/v2/accounts/:principal", (/** @type {any} */ request) => {
    const principal = principalArgument(request.params.principal);
    const proofs = wantsProof(request) ? { balance_proof: "", nonce_proof: "" } : {};
    return {
      balance: hexAmount(chain.ledger.balance(principal)),
      locked: hexAmount(0n),
      unlock_height: 0,
      nonce: Number(chain.ledger.nonce(principal)),
      ...proofs,
    };
  });

  server.post("/v2/transactions", async (request, reply) => {
    try {
      const { txid } = await devnet.submit(transactionBody(request.body));
      return reply.type("application/json").send(JSON.stringify(txid));
    } catch (error) {
      if (error instanceof DecodeError) throw new RequestError(400, `Failed to deserialize posted transaction: ${error.message}`);
      if (error instanceof Rejection) return reply.code(400).send(error.toJson());
      throw error;
    }
  });

  server.get("/v2/transactions/unconfirmed/:txid", (/** @type {any} */ request) => {
    const pending = chain.mempool.find(txidArgument(request.params.txid));
    if (!pending) throw new RequestError(404, `No such unconfirmed transaction ${request.params.txid}`);
    return { tx: pending.transaction.raw.toString("hex"), status: "Mempool" };
  });

  server.get("/v2/fees/transfer", (_request, reply) => reply.type("application/json").send(String(MIN_FEE_RATE)));
  server.post("/v2/fees/transaction", (/** @type {any} */ request) => estimateFee(chain, request.body));

  server.get("/v2/contracts/interface/:address/:name", (/** @type {any} */ request) => contractOf(request).abi);
  server.get("/v2/contracts/source/:address/:name", (/** @type {any} */ request) => {
    const { source, height } = contractOf(request);
    return { source, publish_height: height, ...(wantsProof(request) ? { proof: "" } : {}) };
  });

  server.post("/v2/contracts/call-read/:address/:name/:function", (/** @type {any} */ request) => {
    const { sender, sponsor, arguments: args } = request.body ?? {};
    if (!Array.isArray(args)) throw new RequestError(400, "Failed to decode body: `arguments` must be a list of hex strings");
    // The VM knows no sponsors: tx-sponsor? is none whoever is named here.
    if (sponsor !== undefined && sponsor !== null) principalArgument(String(sponsor));
    try {
      const result = callRead(chain, {
        contractId: contractArgument(request.params),
        functionName: request.params.function,
        args: args.map((argument) => hexArgument(argument, "an argument")),
        sender: principalArgument(String(sender)),
      });
      return { okay: true, result };
    } catch (error) {
      if (error instanceof ReadFailure) return { okay: false, cause: error.message };
      throw error;
    }
  });

  server.post("/v2/map_entry/:address/:name/:map", (/** @type {any} */ request) => {
    const key = hexArgument(request.body, "the key");
    const data = mapEntry(chain, contractArgument(request.params), request.params.map, key);
    return { data, ...(wantsProof(request) ? { proof: "" } : {}) };
  });

  server.get("/v2/data_var/:address/:name/:variable", (/** @type {any} */ request) => {
    const data = dataVar(chain, contractArgument(request.params), request.params.variable);
    if (data === null) throw new RequestError(404, "Data var not found");
    return { data, ...(wantsProof(request) ? { proof: "" } : {}) };
  });

  server.get("/v2/constant_val/:address/:name/:constant", (/** @type {any} */ request) => {
    try {
      const data = constantValue(chain, contractArgument(request.params), request.params.constant);
      if (data === null) throw new RequestError(404, "Constant not found");
      return { data };
    } catch (error) {
      if (error instanceof ReadFailure) throw new RequestError(501, error.message);
      throw error;
    }
  });

  server.get("/v3/transaction/:txid", (/** @type {any} */ request) => {
    const mined = chain.history.find(txidArgument(request.params.txid));
    if (!mined) throw new RequestError(404, `Transaction ${request.params.txid} not found`);
    return {
      index_block_hash: mined.block.indexHash,
      tx: mined.transaction.raw.toString("hex"),
      result: nodeText(mined.outcome.result),
      block_height: mined.block.height,
      is_canonical: true,
    };
  });

  /** @param {any} request */
  function contractOf(request) {
    const contractId = contractArgument(request.params);
    const contract = chain.contract(contractId);
    if (!contract) throw new RequestError(404, `No contract interface data found: ${contractId}`);
    return contract;
  }
}

/** @param {any} request @returns {boolean} the node's default is to prove */
function wantsProof(request) {
  return request.query.proof !== "0";
}

/** @param {unknown} body octets, or JSON with the hex and perhaps an attachment, which is kept by nobody @returns {Buffer} */
function transactionBody(body) {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined || body === null) throw new RequestError(400, "Invalid Http request: expected non-zero-length body");
  const { tx, attachment } = /** @type {any} */ (body);
  if (attachment !== undefined && attachment !== null) hexArgument(attachment, "attachment");
  return hexArgument(tx, "tx");
}
