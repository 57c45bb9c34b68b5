/** Fee estimates (POST /v2/fees/transaction): the devnet is never full, so the least that is accepted is enough. */
import { TextError } from "./errors.js";
import { hexArgument } from "./arguments.js";

/** What surrounds the payload of a single-signature transaction without post-conditions (bytes). */
const ENVELOPE_BYTES = 1 + 4 + 1 + 103 + 1 + 1 + 4;
const FEE_RATES = [1, 1.25, 2];
const COST_SCALAR_PER_BYTE = 0.00476837158203125;
const NO_COST = { read_count: 0, read_length: 0, runtime: 0, write_count: 0, write_length: 0 };

/**
 * @param {import("../chain/chain.js").Chain} chain
 * @param {any} body
 */
export function estimateFee(chain, body) {
  const payload = hexArgument(body?.transaction_payload, "transaction_payload");
  const given = body.estimated_len ?? 0;
  if (!Number.isInteger(given) || given < 0) throw new TextError(400, "estimated_len must be a number of bytes");
  if (payload.length === 0) throw new TextError(400, "Failed to parse transaction_payload");
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
 * @param {Buffer} payload
 * @returns {import("../chain/executor.js").Cost} what the same call cost when it last ran, or zeros
 */
function lastCost(chain, payload) {
  const isCall = payload[0] === 2;
  if (!isCall) return NO_COST;
  const nameEnd = 23 + payload[22];
  const end = nameEnd + 1 + payload[nameEnd];
  const { transactions } = chain.history;
  for (let index = transactions.length - 1; index >= Math.max(0, transactions.length - 100); index--) {
    const { transaction, outcome } = transactions[index];
    const { raw } = transaction;
    if (transaction.payload.type === "contract_call" && raw.includes(payload.subarray(0, end))) return outcome.cost;
  }
  return NO_COST;
}
