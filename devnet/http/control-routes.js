/** Endpoints that only the devnet has, under /devnet: time, blocks, snapshots, simulation, and a description of its limits. */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { checkMeaning, checkPayload, checkTraits, invalid } from "../chain/admission.js";
import { CLARITY_OF_EPOCH, orderOf } from "../chain/executor.js";
import { PATIENCE } from "../chain/reader.js";
import { Rejection } from "../chain/rejection.js";
import { decodeArgument } from "../clarity/value.js";
import { isTestnetVersion, parsePrincipal, TESTNET_VERSIONS } from "../address.js";
import { SignatureError, verifySignatures } from "../wire/signatures.js";
import { Tracer } from "../tracing/tracer.js";
import { parseTransaction } from "../wire/transaction.js";
import { contractIdArgument, hexArgument, integerArgument } from "./arguments.js";
import { RequestError } from "./errors.js";
import { simulationJson } from "./present.js";
import { reorgRoute } from "./reorg-route.js";
import { TRACE, tracingRoutes } from "./tracing-routes.js";

/** @typedef {import("./arguments.js").Request} Request */
/** @typedef {import("fastify").FastifyInstance} FastifyInstance */
/** @typedef {import("../devnet.js").Devnet} Devnet */

const MAX_BLOCKS = 1000;
const BLOCK_SECONDS = 10;
const MAX_ADVANCE_SECONDS = 100 * 366 * 86_400;

/** How this devnet differs from a node; programs must not rely on these points. */
const DIFFERENCES = [
  "proof of transfer: nothing is staked or locked, no signers, no rewards; staking and PoX post-conditions see no stacked STX",
  "spontaneous forks, Bitcoin and burn block contents; burn blocks are mined only when time is advanced",
  "fees go to a sink account, not to miners",
  "tx-sponsor? is none even in sponsored transactions",
  "boot contracts can be read and called, but staking locks nothing; the Clarity version in their interfaces may differ from a node's",
  "call-read with a contract as its sender sees the height and time of the next block; a sponsor is ignored",
  "call-read of a public function that writes and then has a runtime error fails with that error, not with NotReadOnly",
  "call-read checks all types within lists and tuples; its errors about arguments do not name a trait",
  "the sender of a simulated call must be an address, not a contract",
  "constant_val does not return constants whose value a function of the contract computes",
  "contracts see the VM's block hashes, which differ from those in responses",
  "a transfer with post-conditions is refused; a node accepts it, but never mines it",
  "contract-hash? is wrong for a contract that defines neither a function nor a trait",
  "the location of a runtime error in code outside functions",
  "impersonate sends only from addresses, not from contracts: only addresses have nonces and pay fees",
  "a transaction may take about 5 s (60 million allocations) and 256 MiB; a block has half the limits of a node's",
  "an advance over more than a year uses at most 52,560 burn blocks, so they are more than 600 s apart",
  "a transaction that ends in a runtime error shows no execution cost",
  "each block adds 10 seconds to the chain's clock; it does not follow the wall clock",
  "Merkle proofs (?proof=1) are empty",
  "reads return the latest state, even if ?tip= names an earlier block",
  "a node's endpoints for traits, clarity metadata, headers, neighbors, attachments, StackerDB, tenures, blocks, signers",
  "request bodies above 16 MiB",
  "one account as the origin of one pending transaction and the sponsor of another with the same nonce",
  "total_sent and total_received of tokens, and execution costs of blocks",
];

/**
 * @param {FastifyInstance} server
 * @param {{devnet: Devnet, control: boolean, controlToken: string | null, host: string, paths: Map<string, string>}} options
 *   paths: the files of the project's contracts, by contract id
 */
export async function controlRoutes(server, { devnet, control, controlToken, host, paths }) {
  const { chain } = devnet;
  server.addHook("onRoute", (route) => {
    route.config = { ...route.config, cors: false };
  });
  for (const path of ["/devnet", "/devnet/*"]) server.options(path, (_request, reply) => reply.callNotFound());
  const deployer = devnet.accounts.find(({ name }) => name === "deployer");

  function tipJson() {
    return { block_height: chain.tip.height, burn_block_height: chain.tip.burnHeight, block_time: chain.tip.time };
  }

  server.get("/devnet", () => ({
    name: "der-client devnet",
    vm: `Clarinet simnet 3.21.0, epoch ${chain.epoch}`,
    epoch: chain.epoch,
    pid: process.pid,
    control,
    needs_token: control && controlToken !== null,
    mining: devnet.mining,
    costs: chain.vm.costsEnabled,
    deployer: deployer?.address ?? null,
    accounts: Object.fromEntries(devnet.accounts.map(({ name, address }) => [name, address])),
    contracts: [...chain.history.contracts.keys()],
    snapshots: chain.snapshots.map(({ id }) => id),
    rewinds: chain.rewinds,
    mempool_size: chain.mempool.size,
    transactions: chain.history.transactionCount,
    vm_memory_bytes: chain.vm.memoryBytes,
    vm_copies_bytes: chain.vm.copiesBytes,
    does_not_do: DIFFERENCES,
    ...tipJson(),
  }));

  if (!control) return;

  server.addHook("onRequest", refuseWebPages);
  server.addHook("onRequest", refuseOtherHosts(host));
  if (controlToken !== null) server.addHook("onRequest", refuseWithoutToken(controlToken));

  const tracer = new Tracer(chain);
  server.addHook("onClose", () => tracer.close());
  server.register(tracingRoutes, { devnet, tracer, paths });
  server.register(reorgRoute, { devnet });

  server.get("/devnet/accounts", () =>
    devnet.accounts.map(({ name, address, privateKey, mnemonic }) => ({
      name,
      address,
      private_key: `${privateKey.toString("hex")}01`,
      mnemonic,
      balance: String(chain.ledger.balance(address)),
    })),
  );

  server.post("/devnet/mine", async (/** @type {Request} */ request) => {
    await devnet.mine(integerArgument(request.body?.blocks, "blocks", { min: 1, max: MAX_BLOCKS, fallback: 1 }));
    return tipJson();
  });

  server.post("/devnet/advance", async (/** @type {Request} */ request) => {
    const { to, seconds } = request.body ?? {};
    if ((to === undefined) === (seconds === undefined)) throw new RequestError(400, "give either `to` (unix seconds) or `seconds`");
    const { time } = chain.tip;
    const range = { min: 0, max: MAX_ADVANCE_SECONDS };
    if (seconds !== undefined) await devnet.advanceTo(time + integerArgument(seconds, "seconds", range));
    else await devnet.advanceTo(futureArgument(to, time));
    return tipJson();
  });

  server.post("/devnet/epoch", async (/** @type {Request} */ request) => {
    const { epoch } = request.body ?? {};
    if (typeof epoch !== "string" || !Object.hasOwn(CLARITY_OF_EPOCH, epoch)) {
      const known = Object.keys(CLARITY_OF_EPOCH).sort((a, b) => Number(a) - Number(b));
      throw new RequestError(400, `\`epoch\` must be one of ${known.join(", ")}, not ${JSON.stringify(epoch)}`);
    }
    const before = chain.epoch;
    await devnet.enterEpoch(epoch);
    return { before, epoch, ...tipJson() };
  });

  server.post("/devnet/snapshot", async () => ({ id: await devnet.snapshot() }));
  server.post("/devnet/revert", async (/** @type {Request} */ request) => {
    const id = integerArgument(request.body?.id, "id", { min: 1, max: 2 ** 31 });
    if (!(await devnet.revert(id)))
      throw new RequestError(404, `there is no snapshot ${id}; a revert uses up its snapshot and all later ones`);
    return tipJson();
  });
  server.post("/devnet/reset", async () => {
    await devnet.reset();
    return tipJson();
  });

  server.post("/devnet/costs", async (/** @type {Request} */ request) => {
    const { enabled } = request.body ?? {};
    if (typeof enabled !== "boolean") throw new RequestError(400, "`enabled` must be true or false");
    await chain.vm.setCosts(enabled);
    return { enabled };
  });

  server.post("/devnet/impersonate", async (/** @type {Request} */ request) => {
    const { sender, payload } = request.body ?? {};
    const from = parsePrincipal(String(sender));
    const shown = String(sender).slice(0, 200);
    if (from?.name) {
      throw new RequestError(
        400,
        `sender ${shown} is a contract: only addresses send transactions; use an address that the contract accepts`,
      );
    }
    if (from?.version !== TESTNET_VERSIONS.singleSig)
      throw new RequestError(400, `sender ${shown} must be an address of the test networks (ST…)`);
    try {
      const { txid } = await devnet.impersonate(from, hexArgument(payload, "payload"));
      return { tx_id: `0x${txid}` };
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      const json = error.toJson();
      throw new RequestError(400, error.reason, { ...json, error: `${json.error}: ${error.reason}` });
    }
  });

  server.post("/devnet/simulate", async (/** @type {Request} */ request) => {
    const body = request.body ?? {};
    const signed = body.transaction !== undefined;
    const transaction = signed
      ? parseTransaction(hexArgument(body.transaction, "transaction"), { maybeUnsigned: true })
      : unsignedCall(body);
    try {
      checkMeaning(transaction);
      // An unsigned transaction is executed as if its sender had signed it.
      if (signed && !isUnsigned(transaction)) verifySignatures(transaction);
      if (transaction.payload.type === "contract_call") await chain.loadContract(transaction.payload.contractId, PATIENCE);
      checkPayload(transaction, chain);
      await checkTraits(transaction, chain);
    } catch (error) {
      const rejection = error instanceof SignatureError ? invalid(error.message) : error;
      if (!(rejection instanceof Rejection)) throw rejection;
      throw new RequestError(400, rejection.reason, rejection.of(transaction).toJson());
    }
    const outcome = await chain.vm.ask("simulate", [orderOf(transaction), { withFee: signed }], PATIENCE);
    return simulationJson(outcome, transaction, chain);
  });
}

/**
 * Before most requests of a page to another server, a browser asks for permission, and is refused. It sends some
 * requests directly, but these have the page's origin, or a header saying that they come from a page.
 *
 * @param {import("fastify").FastifyRequest} request
 * @param {import("fastify").FastifyReply} _reply
 * @param {(error?: Error) => void} done
 */
function refuseWebPages({ headers, routeOptions }, _reply, done) {
  const site = headers["sec-fetch-site"];
  // The explorer, the only page served here, shows traces. A page with another name for this machine is refused below.
  if (site === "same-origin" && headers.origin === undefined && routeOptions.url === TRACE) return done();
  const isOfPage = headers.origin !== undefined || (site !== undefined && site !== "none");
  // The devnet's description is not secret, and CORS keeps the page from reading it.
  if (!isOfPage || routeOptions.url === "/devnet") return done();
  done(new RequestError(403, "web pages cannot control the devnet; send the request from a program"));
}

/** @param {string} token @returns {import("fastify").onRequestHookHandler} */
function refuseWithoutToken(token) {
  const wanted = digestOf(`Bearer ${token}`);
  return ({ headers, routeOptions }, reply, done) => {
    if (routeOptions.url === "/devnet" || timingSafeEqual(digestOf(headers.authorization ?? ""), wanted)) return done();
    reply.header("www-authenticate", "Bearer");
    done(new RequestError(401, "this request needs the devnet's token: send it as `authorization: Bearer TOKEN`"));
  };
}

/** @param {string} text @returns {Buffer} */
function digestOf(text) {
  return createHash("sha256").update(text).digest();
}

/**
 * A page's server can make its own name resolve to this machine. The page's requests then have the same origin, so the
 * browser sends no origin; but the Host header has the name.
 *
 * @param {string} ownHost
 * @returns {import("fastify").onRequestHookHandler}
 */
function refuseOtherHosts(ownHost) {
  const names = ["localhost", ownHost.toLowerCase()];
  return ({ headers, routeOptions }, _reply, done) => {
    if (headers.host === undefined || routeOptions.url === "/devnet") return done();
    const name = headers.host.replace(/:\d*$/, "").toLowerCase();
    if (isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 || names.includes(name)) return done();
    done(
      new RequestError(
        403,
        `control is refused under the name ${name.slice(0, 100)}: use an IP address, localhost, or the name given as --host`,
      ),
    );
  };
}

/** @param {unknown} to the requested time in unix seconds @param {number} now chain time */
function futureArgument(to, now) {
  const moment = integerArgument(to, "to", { min: 0, max: now + MAX_ADVANCE_SECONDS });
  // An advance may overshoot by one block, so repeating the same request is not an error.
  if (moment > now - BLOCK_SECONDS) return moment;
  const [asked, present] = [moment, now].map((seconds) => new Date(seconds * 1000).toISOString());
  throw new RequestError(400, `to (${asked}) is before chain time (${present}), which only goes forward`);
}

/** @param {import("../wire/transaction.js").Transaction} transaction */
function isUnsigned({ origin }) {
  return origin.signature ? origin.signature.every((byte) => byte === 0) : origin.fields.every((field) => field.signature === null);
}

/**
 * Builds a contract call as if `sender` had sent it, without fee and post-conditions.
 *
 * @param {Request["body"]} body
 * @returns {import("../wire/transaction.js").Transaction}
 */
function unsignedCall({ sender, contract, function: functionName, arguments: args = [] }) {
  const from = parsePrincipal(String(sender));
  if (from?.name !== null || !isTestnetVersion(from.version))
    throw new RequestError(400, `sender ${sender} is not an address of a test network`);
  const contractId = contractIdArgument(String(contract));
  if (!Array.isArray(args)) throw new RequestError(400, "`arguments` must be a list of hex strings");
  const argBytes = args.map((argument) => hexArgument(argument, "an argument"));
  const { address, version } = /** @type {{address: string, version: number}} */ (parsePrincipal(contractId));
  const origin = /** @type {import("../wire/transaction.js").SpendingCondition} */ ({ address: from.address, nonce: 0n, fee: 0n });
  return {
    raw: Buffer.alloc(0),
    txid: "0".repeat(64),
    version: 0x80,
    chainId: 0x80000000,
    origin,
    sponsor: null,
    payer: origin,
    anchorMode: 3,
    postConditionMode: 1,
    postConditions: [],
    payload: {
      type: "contract_call",
      address,
      addressVersion: version,
      contractId,
      functionName: String(functionName),
      args: argBytes.map(decodeArgument),
      argBytes,
    },
  };
}
