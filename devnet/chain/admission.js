/** Checks that a transaction must pass to enter the mempool: the node's checks, in the node's order. */
import { isTestnetVersion } from "../address.js";
import { argumentProblem } from "../clarity/abi.js";
import { TESTNET_CHAIN_ID } from "../wire/transaction.js";
import { hexAmount, Rejection } from "./rejection.js";
import { hasTrait } from "./traits.js";

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */
/** @typedef {import("../wire/transaction.js").SpendingCondition} SpendingCondition */
/** @typedef {import("./chain.js").Chain} Chain */

const MIN_FEE_PER_BYTE = 1n;
/** How far a nonce may be ahead of the account's: a chain of 25 pending transactions, plus one. */
const MAX_NONCE_AHEAD = 26n;
const MAINNET_BIT = 0x80;

/**
 * @typedef {object} State what the checks depend on
 * @property {import("./ledger.js").Ledger} ledger
 * @property {(contractId: string) => import("./history.js").Contract | undefined} contract
 */

/**
 * The node's first checks, before any signature, which do not depend on its state.
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
 * The checks that follow `checkMeaning` and the signatures, as far as they need only the chain's state.
 *
 * @param {Transaction} transaction
 * @param {State} state
 * @throws {Rejection}
 */
function checkKnown(transaction, state) {
  checkOurs(transaction);
  checkFee(transaction);
  checkNonces(transaction, state.ledger);
  checkPayload(transaction, state);
}

/**
 * All checks after `checkMeaning` and the signatures. When it returns, nothing has changed since the last check.
 *
 * @param {Transaction} transaction
 * @param {Chain} chain
 * @returns {Promise<void>}
 * @throws {Rejection}
 */
export async function checkAdmission(transaction, chain) {
  const { payload } = transaction;
  if (payload.type === "contract_call") await chain.loadContract(payload.contractId);
  checkKnown(transaction, chain);
  if (await checkTraits(transaction, chain)) checkKnown(transaction, chain);
  checkUnused(transaction, chain.ledger);
}

/**
 * Checks that contracts passed for traits implement them, which only the VM can do.
 *
 * @param {Transaction} transaction a transaction whose arguments otherwise fit
 * @param {Chain} chain
 * @returns {Promise<boolean>} whether the VM was asked, so that other requests may have changed the chain meanwhile
 * @throws {Rejection}
 */
export async function checkTraits({ payload }, chain) {
  if (payload.type !== "contract_call") return false;
  const { contractId, functionName, args } = payload;
  const definition = chain.contract(contractId)?.abi.functions.find(({ name }) => name === functionName);
  if (!definition?.args.some(({ type }) => hasTrait(type))) return false;
  const unfit = await chain.vm.ask("traitProblem", [contractId, functionName, args]);
  if (unfit) throw new Rejection("BadFunctionArgument", { message: unfit });
  return true;
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
}

/** @param {Transaction} transaction */
function checkFee({ payer, raw }) {
  const expected = BigInt(raw.length) * MIN_FEE_PER_BYTE;
  if (payer.fee < expected) throw new Rejection("FeeTooLow", { expected: Number(expected), actual: Number(payer.fee) });
}

/**
 * The first nonce that is not the account's next one decides; the sponsor's is checked first. If it is already used,
 * that is the error. If it is ahead, the error is how far a nonce is ahead; the origin's is checked first.
 *
 * @param {Transaction} transaction
 * @param {import("./ledger.js").Ledger} ledger
 */
function checkNonces({ origin, sponsor }, ledger) {
  const differing = (sponsor ? [sponsor, origin] : [origin]).find(({ address, nonce }) => nonce !== ledger.nonce(address));
  if (!differing) return;
  const about = (/** @type {SpendingCondition} */ condition, /** @type {bigint} */ expected) => {
    const { address: principal, nonce } = condition;
    return { expected: Number(expected), actual: Number(nonce), principal, is_origin: condition === origin };
  };
  const next = ledger.nonce(differing.address);
  if (differing.nonce < next) throw new Rejection("BadNonce", about(differing, next));
  for (const condition of sponsor ? [origin, sponsor] : [origin]) {
    const limit = ledger.nonce(condition.address) + MAX_NONCE_AHEAD;
    if (condition.nonce <= limit) continue;
    const message = "Nonce would exceed chaining limit in mempool";
    throw new Rejection("TooMuchChaining", { ...about(condition, limit), message });
  }
}

/**
 * In a node's mempool, a mined transaction still occupies its nonce, and another one with this nonce must have a higher
 * fee. It could not be mined even then, so the devnet refuses it.
 *
 * @param {Transaction} transaction
 * @param {import("./ledger.js").Ledger} ledger
 */
function checkUnused({ origin }, ledger) {
  if (origin.nonce < ledger.nonce(origin.address)) throw new Rejection("ConflictingNonceInMempool");
}

/** @param {import("./ledger.js").Ledger} ledger @param {string} address @param {bigint} needed */
function checkFunds(ledger, address, needed) {
  const available = ledger.balance(address);
  if (available < needed) {
    throw new Rejection("NotEnoughFunds", { expected: hexAmount(needed), actual: hexAmount(available) });
  }
}

/**
 * Checks that fee and amount can be paid, and that the called function exists.
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
  const paysItself = payer.address === origin.address;
  checkFunds(ledger, origin.address, payload.amount + (paysItself ? payer.fee : 0n));
  if (!paysItself) checkFunds(ledger, payer.address, payer.fee);
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
