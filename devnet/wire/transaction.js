/**
 * Transactions as bytes (SIP-005, SIP-027, SIP-040, SIP-044): a strict reader that also records the positions of the
 * fields that the signature hash blanks.
 */
import { addressText, TESTNET_VERSIONS } from "../address.js";
import { ByteReader, DecodeError, readArgument, readValue } from "../clarity/value.js";
import { sha512_256 } from "./hash.js";
import { readPostConditions } from "./post-conditions.js";

export const MAX_TRANSACTION_BYTES = 2 * 1024 * 1024;
export const TESTNET_CHAIN_ID = 0x80000000;
const CODE_BODY = /^[\x20-\x7e\t\n]*$/;
const MEMO_BYTES = 34;

/** Hash modes of spending conditions. */
export const HASH_MODE = { p2pkh: 0, p2sh: 1, p2wpkh: 2, p2wsh: 3, p2shNonSequential: 5, p2wshNonSequential: 7 };
const SINGLE_SIG_MODES = [HASH_MODE.p2pkh, HASH_MODE.p2wpkh];
const SEGWIT_MODES = [HASH_MODE.p2wpkh, HASH_MODE.p2wsh, HASH_MODE.p2wshNonSequential];
const HASH_MODES = Object.values(HASH_MODE);

/**
 * @typedef {object} AuthField one public key or signature of a multi-signature condition
 * @property {boolean} compressed
 * @property {Buffer | null} publicKey 33 bytes
 * @property {Buffer | null} signature 65 bytes: recovery id, r, s
 *
 * @typedef {object} SpendingCondition
 * @property {number} hashMode
 * @property {Buffer} hash160
 * @property {string} address its address on test networks
 * @property {bigint} nonce
 * @property {bigint} fee µSTX
 * @property {Buffer | null} signature single-signature: 65 bytes
 * @property {boolean} compressed single-signature: form of the public key
 * @property {AuthField[]} fields multi-signature
 * @property {number} signaturesRequired
 * @property {number} start offset of the condition
 * @property {number} end offset after it
 * @property {[number, number]} proof offsets of the signature, or of the counted list of fields
 *
 * @typedef {{type: "token_transfer", recipient: string, recipientVersion: number, amount: bigint, memo: Buffer}} TransferPayload
 * @typedef {{type: "contract_call", address: string, addressVersion: number, contractId: string, functionName: string, args: import("../clarity/value.js").ClarityValue[], argBytes: Buffer[]}} CallPayload
 * @typedef {{type: "smart_contract", name: string, code: string, clarityVersion: number | null}} PublishPayload
 * @typedef {{type: "poison_microblock" | "coinbase" | "tenure_change"}} RefusedPayload
 * @typedef {TransferPayload | CallPayload | PublishPayload | RefusedPayload} Payload
 *
 * @typedef {object} Transaction
 * @property {Buffer} raw
 * @property {string} txid hex
 * @property {number} version
 * @property {number} chainId
 * @property {SpendingCondition} origin
 * @property {SpendingCondition | null} sponsor
 * @property {SpendingCondition} payer
 * @property {number} anchorMode
 * @property {number} postConditionMode
 * @property {import("./post-conditions.js").PostCondition[]} postConditions
 * @property {Payload} payload
 */

/**
 * @param {Buffer} raw
 * @param {{ maybeUnsigned?: boolean }} [options] Whether an account with several keys may not have signed yet.
 * @returns {Transaction}
 * @throws {DecodeError}
 */
export function parseTransaction(raw, { maybeUnsigned = false } = {}) {
  if (raw.length > MAX_TRANSACTION_BYTES) throw new DecodeError(`${raw.length} bytes are more than 2 MiB`);
  const reader = new ByteReader(raw);
  const version = reader.u8();
  const chainId = reader.u32();
  const authType = oneOf(reader.u8(), [4, 5], "auth type", reader);
  const origin = readCondition(reader, maybeUnsigned);
  const sponsor = authType === 5 ? readCondition(reader, maybeUnsigned) : null;
  const anchorMode = oneOf(reader.u8(), [1, 2, 3], "anchor mode", reader);
  const postConditionMode = oneOf(reader.u8(), [1, 2, 3], "post-condition mode", reader);
  const postConditions = readPostConditions(reader);
  const payload = readPayload(reader);
  if (reader.offset !== raw.length) throw new DecodeError(`${raw.length - reader.offset} bytes after the transaction`);
  const txid = sha512_256(raw).toString("hex");
  const payer = sponsor ?? origin;
  return { raw, txid, version, chainId, origin, sponsor, payer, anchorMode, postConditionMode, postConditions, payload };
}

/**
 * A payload by itself, without signatures: tuples may be in any order, and bytes after it are ignored.
 *
 * @param {Buffer} bytes
 * @returns {Payload}
 * @throws {DecodeError}
 */
export function parsePayload(bytes) {
  return readPayload(new ByteReader(bytes, { anyOrder: true }));
}

/**
 * @param {number} value
 * @param {number[]} allowed
 * @param {string} what
 * @param {ByteReader} reader
 */
function oneOf(value, allowed, what, reader) {
  if (!allowed.includes(value)) throw new DecodeError(`${what} ${value} at byte ${reader.offset - 1} is unknown`);
  return value;
}

/** @param {ByteReader} reader @param {boolean} maybeUnsigned @returns {SpendingCondition} */
function readCondition(reader, maybeUnsigned) {
  const start = reader.offset;
  const hashMode = oneOf(reader.u8(), HASH_MODES, "hash mode", reader);
  const hash160 = reader.take(20);
  const nonce = reader.u64();
  const fee = reader.u64();
  const single = SINGLE_SIG_MODES.includes(hashMode);
  const plain = hashMode === HASH_MODE.p2pkh; // all others, p2wpkh too, hash a script
  const address = addressText(plain ? TESTNET_VERSIONS.singleSig : TESTNET_VERSIONS.multiSig, hash160);
  const head = { hashMode, hash160, address, nonce, fee, start };
  return single ? { ...head, ...readSingleSig(reader, hashMode) } : { ...head, ...readMultiSig(reader, hashMode, maybeUnsigned) };
}

/** @param {ByteReader} reader @param {number} hashMode */
function readSingleSig(reader, hashMode) {
  const compressed = oneOf(reader.u8(), [0, 1], "key encoding", reader) === 0;
  if (!compressed && hashMode === HASH_MODE.p2wpkh) throw new DecodeError("p2wpkh with an uncompressed public key");
  const proofStart = reader.offset;
  const signature = reader.take(65);
  /** @type {[number, number]} */
  const proof = [proofStart, reader.offset];
  return { signature, compressed, fields: [], signaturesRequired: 1, end: reader.offset, proof };
}

/** @param {ByteReader} reader @param {number} hashMode @param {boolean} maybeUnsigned */
function readMultiSig(reader, hashMode, maybeUnsigned) {
  const proofStart = reader.offset;
  const count = reader.u32();
  if (count > reader.bytes.length / 33) throw new DecodeError(`${count} auth fields are more than the bytes hold`);
  /** @type {AuthField[]} */
  const fields = [];
  for (let i = 0; i < count; i++) {
    const id = oneOf(reader.u8(), [0, 1, 2, 3], "auth field", reader);
    const compressed = id === 0 || id === 2;
    if (!compressed && SEGWIT_MODES.includes(hashMode)) throw new DecodeError("p2wsh with an uncompressed public key");
    const isKey = id < 2;
    const body = reader.take(isKey ? 33 : 65);
    fields.push({ compressed, publicKey: isKey ? body : null, signature: isKey ? null : body });
  }
  /** @type {[number, number]} */
  const proof = [proofStart, reader.offset];
  const signaturesRequired = reader.u16();
  const signatures = fields.filter((field) => field.signature).length;
  const sequential = hashMode === HASH_MODE.p2sh || hashMode === HASH_MODE.p2wsh;
  const isComplete = sequential ? signatures === signaturesRequired : signatures >= signaturesRequired;
  if (!isComplete && !(maybeUnsigned && signatures === 0)) {
    throw new DecodeError(`${signatures} signatures where ${signaturesRequired} are required`);
  }
  return { signature: null, compressed: true, fields, signaturesRequired, end: reader.offset, proof };
}

/** @param {ByteReader} reader @returns {Payload} */
function readPayload(reader) {
  const id = reader.u8();
  switch (id) {
    case 0:
      return readTransfer(reader);
    case 1:
      return readPublish(reader, null);
    case 6:
      return readPublish(reader, oneOf(reader.u8(), [1, 2, 3, 4, 5, 6], "Clarity version", reader));
    case 2:
      return readCall(reader);
    case 3:
      reader.take(2 * 132);
      return { type: "poison_microblock" };
    case 4:
      reader.take(32);
      return { type: "coinbase" };
    case 5:
      reader.take(32);
      readValue(reader);
      return { type: "coinbase" };
    case 8:
      reader.take(32);
      readValue(reader);
      reader.take(80);
      return { type: "coinbase" };
    case 7:
      reader.take(3 * 20 + 32 + 4 + 1 + 20);
      return { type: "tenure_change" };
    default:
      throw new DecodeError(`payload type ${id} at byte ${reader.offset - 1} is unknown`);
  }
}

/** @param {ByteReader} reader @returns {TransferPayload} */
function readTransfer(reader) {
  const start = reader.offset;
  const recipient = readValue(reader);
  if (recipient.kind !== "principal") throw new DecodeError(`recipient at byte ${start} is not a principal`);
  const amount = reader.u64();
  const memo = reader.take(MEMO_BYTES);
  return { type: "token_transfer", recipient: recipient.value, recipientVersion: recipient.version, amount, memo };
}

/** @param {ByteReader} reader @param {number | null} clarityVersion @returns {PublishPayload} */
function readPublish(reader, clarityVersion) {
  const name = reader.contractName(40);
  const start = reader.offset;
  const code = reader.take(reader.u32()).toString("latin1");
  if (!CODE_BODY.test(code)) {
    throw new DecodeError(`contract code at byte ${start} has characters other than printable ASCII, tab and line feed`);
  }
  return { type: "smart_contract", name, code, clarityVersion };
}

/** @param {ByteReader} reader @returns {CallPayload} */
function readCall(reader) {
  const addressVersion = reader.u8();
  if (addressVersion >= 32) throw new DecodeError(`address version ${addressVersion} is not below 32`);
  const address = addressText(addressVersion, reader.take(20));
  const contractId = `${address}.${reader.contractName(40)}`;
  const functionName = reader.clarityName("function name");
  const count = reader.u32();
  if (count > reader.bytes.length - reader.offset) throw new DecodeError(`${count} arguments are more than the bytes hold`);
  const args = [];
  const argBytes = [];
  for (let i = 0; i < count; i++) {
    const start = reader.offset;
    args.push(readArgument(reader));
    argBytes.push(reader.bytes.subarray(start, reader.offset));
  }
  return { type: "contract_call", address, addressVersion, contractId, functionName, args, argBytes };
}
