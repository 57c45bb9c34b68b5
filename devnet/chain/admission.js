/** What a transaction must be to enter the mempool: the node's checks, in the node's order. */
import { isTestnetVersion } from "../address.js";
import { argumentProblem } from "../clarity/abi.js";
import { TESTNET_CHAIN_ID } from "../wire/transaction.js";
import { hexAmount, Rejection } from "./rejection.js";
import { hasTrait, traitProblem } from "./traits.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("../wire/transaction.js").Payload} Payload */

const MIN_FEE_PER_BYTE = 1n;
/** A nonce may lie this far ahead of the account's: a chain of 25 pending transactions, and one. */
const MAX_NONCE_AHEAD = 26n;
const MAINNET_BIT = 0x80;

/**
 * @typedef {object} State what admission looks at
 * @property {import("./ledger.js").Ledger} ledger
 * @property {(contractId: string) => import("./history.js").Contract | undefined} contract
 * @property {import("./executor.js").Executor} executor
 */

/**
 * What a node checks first, before any signature and without looking at its state.
 *
 * @param {Transaction} transaction
 * @throws {Rejection}
 */
export function checkMeaning({ version, payload, origin }) {
  if ((version & MAINNET_BIT) === 0) throw new Rejection("BadTransactionVersion");
  if (payload.type === "token_transfer") {
    if (payload.recipient === origin.address) {
      throw new Rejection("TransferRecipientCannotEqualSender", { recipient: payload.recipient });
    }
    if (payload.amount === 0n) throw new Rejection("TransferAmountMustBePositive");
    if (!isTestnetVersion(payload.recipientVersion)) throw new Rejection("BadAddressVersionByte");
  }
  if (payload.type === "poison_microblock") {
    throw new Rejection("ServerFailureOther", { message: "PoisonMicroblock transactions not accepted via mempool" });
  }
}

/**
 * All that is checked after `checkMeaning` and the signatures.
 *
 * @param {Transaction} transaction
 * @param {State} state
 * @throws {Rejection}
 */
export function checkAdmission(transaction, state) {
  checkOurs(transaction);
  checkFee(transaction);
  checkNonces(transaction, state.ledger);
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
 * Whether fee and amount can be paid, and what is called exists.
 *
 * @param {Transaction} transaction
 * @param {State} state
 * @throws {Rejection}
 */
export function checkPayload(transaction, state) {
  const { payload, payer } = transaction;
  if (payload.type === "token_transfer") return checkTransfer(transaction, payload, state);
  checkFunds(state.ledger, payer.address, payer.fee);
  switch (payload.type) {
    case "contract_call":
      return checkCall(payload, state);
    case "smart_contract":
      return checkPublish(transaction, payload, state);
    case "coinbase":
      throw new Rejection("NoCoinbaseViaMempool");
    case "tenure_change":
      throw new Rejection("NoTenureChangeViaMempool");
  }
}

/**
 * @param {Transaction} transaction
 * @param {import("../wire/transaction.js").TransferPayload} payload
 * @param {State} state
 */
function checkTransfer({ origin, payer }, payload, { ledger }) {
  checkFunds(ledger, origin.address, payload.amount + (payer === origin ? payer.fee : 0n));
  if (payer !== origin) checkFunds(ledger, payer.address, payer.fee);
}

/** @param {import("../wire/transaction.js").CallPayload} payload @param {State} state */
function checkCall(payload, state) {
  if (!isTestnetVersion(payload.addressVersion)) throw new Rejection("BadAddressVersionByte");
  const contract = state.contract(payload.contractId);
  if (!contract) throw new Rejection("NoSuchContract");
  const definition = contract.abi.functions.find((f) => f.name === payload.functionName && f.access === "public");
  if (!definition) throw new Rejection("NoSuchPublicFunction");
  const problem = argumentProblem(definition, payload.args);
  if (problem) throw new Rejection("BadFunctionArgument", { message: problem });
  if (!definition.args.some(({ type }) => hasTrait(type))) return;
  const unfit = traitProblem(state.executor, payload);
  if (unfit) throw new Rejection("BadFunctionArgument", { message: unfit });
}

/**
 * @param {Transaction} transaction
 * @param {import("../wire/transaction.js").PublishPayload} payload
 * @param {State} state
 */
function checkPublish({ origin }, payload, state) {
  const contractId = `${origin.address}.${payload.name}`;
  if (state.contract(contractId)) {
    throw new Rejection("ContractAlreadyExists", { contract_identifier: contractId });
  }
}
