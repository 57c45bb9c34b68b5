/**
 * Fee estimates (POST /v2/fees/transaction): blocks are never full, so the lowest accepted fee is enough. As on a node,
 * estimates come from mined transactions: there is none for a function that was never called.
 */
import { costKey } from "../chain/history.js";
import { parsePayload } from "../wire/transaction.js";

const FEE_RATES = [1, 1.25, 2];
const COST_SCALAR_PER_BYTE = 0.00476837158203125;
/** A node's response in this case, with status 400. */
export const NO_ESTIMATE = {
  error: "Estimation could not be performed",
  reason: "NoEstimateAvailable",
  reason_data: { message: "No estimate available for the provided payload." },
};

/**
 * @param {import("../chain/chain.js").Chain} chain
 * @param {{payload: Buffer, length: number}} request length of the whole transaction, if known
 * @returns null if no similar transaction was ever mined
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
