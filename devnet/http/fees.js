/**
 * Fee estimates (POST /v2/fees/transaction): the devnet is never full, so the least that is accepted is enough. Like a
 * node's, they are made from what was mined: of what never was there are none.
 */
import { costKey } from "../chain/history.js";
import { parsePayload } from "../wire/transaction.js";

const FEE_RATES = [1, 1.25, 2];
const COST_SCALAR_PER_BYTE = 0.00476837158203125;
/** What a node answers then, with status 400. */
export const NO_ESTIMATE = {
  error: "Estimation could not be performed",
  reason: "NoEstimateAvailable",
  reason_data: { message: "No estimate available for the provided payload." },
};

/**
 * @param {import("../chain/chain.js").Chain} chain
 * @param {{payload: Buffer, length: number}} request length of the whole transaction, as far as it is known
 * @returns null if nothing like it was ever mined
 * @throws {import("../clarity/value.js").DecodeError}
 */
export function estimateFee(chain, { payload, length }) {
  const cost = chain.history.lastCosts.get(costKey(parsePayload(payload)));
  if (!cost) return null;
  return {
    estimated_cost: cost,
    estimated_cost_scalar: length,
    cost_scalar_change_by_byte: COST_SCALAR_PER_BYTE,
    estimations: FEE_RATES.map((rate) => ({ fee: Math.ceil(length * rate), fee_rate: rate })),
  };
}
