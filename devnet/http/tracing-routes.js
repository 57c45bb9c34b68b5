/** What contracts execute, and what it costs: /devnet/trace, /devnet/profile, /devnet/coverage. */
import { lcov } from "../tracing/coverage.js";
import { txidArgument } from "./arguments.js";
import { RequestError } from "./errors.js";

/** @typedef {import("./arguments.js").Request} Request */

/** The route of traces. */
export const TRACE = "/devnet/trace/:txid";
const NOT_NOTED = "this must be recorded from the start on: start the devnet with --coverage (Devnet(coverage=True))";

/**
 * @param {import("fastify").FastifyInstance} server
 * @param {{devnet: import("../devnet.js").Devnet, tracer: import("../tracing/tracer.js").Tracer, paths: Map<string, string>}} options
 *   paths: the files of the project's contracts, by contract id
 */
export async function tracingRoutes(server, { devnet, tracer, paths }) {
  const { chain } = devnet;

  server.get(TRACE, async (/** @type {Request} */ request) => {
    const { mined, txid } = minedOf(request.params.txid);
    const { call, vmError, isWhole } = await tracer.trace(mined);
    const { outcome, block } = mined;
    return {
      tx_id: `0x${txid}`,
      block_height: block.height,
      status: outcome.status,
      vm_error: vmError ?? outcome.vmError,
      cost: outcome.cost,
      truncated: !isWhole,
      call,
    };
  });

  server.get("/devnet/profile", async (/** @type {Request} */ request) => {
    const { txid } = request.query;
    if (txid === undefined) return { unit: "runtime", contracts: contractsOnly(await reached()) };
    const { mined } = minedOf(String(txid));
    return { unit: "runtime", contracts: contractsOnly((await tracer.trace(mined)).profile) };
  });

  server.get("/devnet/coverage", async (_request, reply) => {
    const profiles = await reached();
    const contracts = [...chain.history.contracts.values()].map(({ contractId, source }) => ({
      contractId,
      source,
      path: paths.get(contractId) ?? `${contractId}.clar`,
    }));
    return reply.type("text/plain; charset=utf-8").send(lcov(profiles, contracts));
  });

  /** @param {string} text */
  function minedOf(text) {
    const txid = txidArgument(text);
    const mined = chain.history.find(txid);
    if (mined) return { mined, txid };
    const why = chain.mempool.find(txid) ? "is not mined yet" : "is not in this chain: it was never sent, or was reverted";
    throw new RequestError(404, `transaction 0x${txid} ${why}`);
  }

  function reached() {
    if (!chain.coverage) throw new RequestError(409, NOT_NOTED);
    return chain.vm.ask("profile", []);
  }

  /** Leaves out the VM's own profiles, such as those of transfers. @param {Awaited<ReturnType<typeof reached>>} profiles */
  function contractsOnly(profiles) {
    return Object.fromEntries(Object.entries(profiles).filter(([id]) => chain.contract(id) !== undefined));
  }
}
