/** POST /devnet/reorg: a fork replaces the last blocks with others. */
import { HANDLINGS } from "../chain/reorg.js";
import { integerArgument } from "./arguments.js";
import { RequestError } from "./errors.js";

/** @typedef {import("./arguments.js").Request} Request */
/** @typedef {import("fastify").FastifyInstance} FastifyInstance */

/** The most blocks that a fork may replace; their replay takes only a moment. */
const MAX_DEPTH = 1000;

/**
 * @param {FastifyInstance} server
 * @param {{devnet: import("../devnet.js").Devnet}} options
 */
export async function reorgRoute(server, { devnet }) {
  server.post("/devnet/reorg", async (/** @type {Request} */ request) => {
    const { transactions = "again" } = request.body ?? {};
    const handling = HANDLINGS.find((known) => known === transactions);
    if (!handling) {
      throw new RequestError(400, `\`transactions\` must be one of ${HANDLINGS.join(", ")}, not ${JSON.stringify(transactions)}`);
    }
    const blocks = integerArgument(request.body?.blocks, "blocks", { min: 1, max: MAX_DEPTH });
    const most = devnet.chain.mostToTakeAway;
    if (blocks > most) throw new RequestError(400, `\`blocks\` must be at most ${most}: no more were mined since the start`);
    const gone = await devnet.reorg(blocks, handling);
    const { tip } = devnet.chain;
    return {
      taken_away: gone,
      block_height: tip.height,
      burn_block_height: tip.burnHeight,
      block_time: tip.time,
    };
  });
}
