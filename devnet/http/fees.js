/** Fee estimates (POST /v2/fees/transaction): the devnet is never full, so the least that is accepted is enough. */
import { parsePayload } from "../wire/transaction.js";

/** What surrounds the payload of a single-signature transaction without post-conditions (bytes). */
const ENVELOPE_BYTES = 1 + 4 + 1 + 103 + 1 + 1 + 4;
const FEE_RATES = [1, 1.25, 2];
const COST_SCALAR_PER_BYTE = 0.00476837158203125;
const NO_COST = { read_count: 0, read_length: 0, runtime: 0, write_count: 0, write_length: 0 };

/**
 * @param {import("../chain/chain.js").Chain} chain
 * @param {{payload: Buffer, length: number}} request
 */
export function estimateFee(chain, { payload, length: given }) {
  const length = Math.max(given, payload.length + ENVELOPE_BYTES);
  return {
    estimated_cost: lastCost(chain, payload),
    estimated_cost_scalar: length,
    cost_scalar_change_by_byte: COST_SCALAR_PER_BYTE,
    estimations: FEE_RATES.map((rate) => ({ fee: Math.ceil(length * rate), fee_rate: rate })),
  };
}

/**
 * @param {import("../chain/chain.js").Chain} chain
 * @param {Buffer} bytes of a payload
 * @returns {import("../chain/executor.js").Cost} what the same function cost when it last ran, or zeros
 */
function lastCost(chain, bytes) {
  const payload = parsePayload(bytes);
  if (payload.type !== "contract_call") return NO_COST;
  return chain.history.lastCosts.get(`${payload.contractId} ${payload.functionName}`) ?? NO_COST;
}
