/** What a transaction must be to enter the mempool: the node's checks, in the node's order. */
import { isTestnetVersion } from "../address.js";
import { argumentProblem } from "../clarity/abi.js";
import { TESTNET_CHAIN_ID } from "../wire/transaction.js";
import { hexAmount, Rejection } from "./rejection.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("../wire/transaction.js").Payload} Payload */

const MIN_FEE_PER_BYTE = 1n;
/** A nonce may lie this far ahead of the account's: a chain of 25 pending transactions, and one. */
const MAX_NONCE_AHEAD = 26n;
const MAINNET_BIT = 0x80;

/**
 * @typedef {object} State what admission looks at
 * @property {import("./ledger.js").Ledger} ledger
 * @property {import("./history.js").History} history
 */

/**
 * All checks but that of the signatures, which takes long and needs no state.
 *
 * @param {Transaction} transaction
 * @param {State} state
 * @throws {Rejection}
 */
export function checkAdmission(transaction, state) {
  checkOurs(transaction);
  checkFee(transaction);
  checkNonces(transaction, state.ledger);
  checkFunds(state.ledger, transaction.payer.address, transaction.payer.fee);
  checkPayload(transaction, state);
}

/** @param {string} message @returns {Rejection} */
export function invalid(message) {
  return new Rejection("SignatureValidation", { message });
}

/** @param {Transaction} transaction */
function checkOurs(transaction) {
  if (transaction.chainId !== TESTNET_CHAIN_ID) {
    throw invalid(`invalid chain ID ${transaction.chainId}, this chain's is ${TESTNET_CHAIN_ID}`);
  }
  if ((transaction.version & MAINNET_BIT) === 0) throw invalid("on testnet; got mainnet");
  if (transaction.payload.type === "token_transfer" && transaction.postConditions.length > 0) {
    throw invalid("a token transfer cannot have post-conditions");
  }
  const { origin, sponsor } = transaction;
  if (sponsor && origin.address === sponsor.address && origin.nonce === sponsor.nonce) {
    throw invalid("origin and sponsor are the same account with the same nonce");
  }
}

/** @param {Transaction} transaction */
function checkFee({ payer, raw }) {
  const expected = BigInt(raw.length) * MIN_FEE_PER_BYTE;
  if (payer.fee < expected) throw new Rejection("FeeTooLow", { expected: Number(expected), actual: Number(payer.fee) });
}

/** @param {Transaction} transaction @param {import("./ledger.js").Ledger} ledger */
function checkNonces({ origin, sponsor }, ledger) {
  for (const condition of sponsor ? [origin, sponsor] : [origin]) {
    const expected = ledger.nonce(condition.address);
    const who = { principal: condition.address, is_origin: condition === origin };
    const actual = Number(condition.nonce);
    if (condition.nonce < expected) throw new Rejection("BadNonce", { expected: Number(expected), actual, ...who });
    const limit = expected + MAX_NONCE_AHEAD;
    if (condition.nonce > limit) {
      const message = "Nonce would exceed chaining limit in mempool";
      throw new Rejection("TooMuchChaining", { expected: Number(limit), actual, ...who, message });
    }
  }
}

/** @param {import("./ledger.js").Ledger} ledger @param {string} address @param {bigint} needed */
function checkFunds(ledger, address, needed) {
  const available = ledger.balance(address);
  if (available < needed) {
    throw new Rejection("NotEnoughFunds", { expected: hexAmount(needed), actual: hexAmount(available) });
  }
}

/**
 * @param {Transaction} transaction
 * @param {State} state
 * @throws {Rejection}
 */
export function checkPayload(transaction, state) {
  const { payload } = transaction;
  switch (payload.type) {
    case "token_transfer":
      return checkTransfer(transaction, payload, state);
    case "contract_call":
      return checkCall(payload, state);
    case "smart_contract":
      return checkPublish(transaction, payload, state);
    case "coinbase":
      throw new Rejection("NoCoinbaseViaMempool");
    case "tenure_change":
      throw new Rejection("NoTenureChangeViaMempool");
    case "poison_microblock":
      throw new Rejection("PoisonMicroblockIsInvalid");
  }
}

/**
 * @param {Transaction} transaction
 * @param {import("../wire/transaction.js").TransferPayload} payload
 * @param {State} state
 */
function checkTransfer(transaction, payload, { ledger }) {
  const { origin, payer } = transaction;
  if (payload.recipient === origin.address) {
    throw new Rejection("TransferRecipientCannotEqualSender", { recipient: payload.recipient });
  }
  if (!isTestnetVersion(payload.recipientVersion)) throw new Rejection("BadAddressVersionByte");
  if (payload.amount === 0n) throw new Rejection("TransferAmountMustBePositive");
  const spent = payload.amount + (payer === origin ? payer.fee : 0n);
  checkFunds(ledger, origin.address, spent);
}

/** @param {import("../wire/transaction.js").CallPayload} payload @param {State} state */
function checkCall(payload, { history }) {
  if (!isTestnetVersion(payload.addressVersion)) throw new Rejection("BadAddressVersionByte");
  const contract = history.contracts.get(payload.contractId);
  if (!contract) throw new Rejection("NoSuchContract");
  const definition = contract.abi.functions.find((f) => f.name === payload.functionName && f.access === "public");
  if (!definition) throw new Rejection("NoSuchPublicFunction");
  const problem = argumentProblem(definition, payload.args);
  if (problem) throw new Rejection("BadFunctionArgument", { message: problem });
}

/**
 * @param {Transaction} transaction
 * @param {import("../wire/transaction.js").PublishPayload} payload
 * @param {State} state
 */
function checkPublish({ origin }, payload, { history }) {
  const contractId = `${origin.address}.${payload.name}`;
  if (history.contracts.has(contractId)) {
    throw new Rejection("ContractAlreadyExists", { contract_identifier: contractId });
  }
}
