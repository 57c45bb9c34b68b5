// Decodes bytes with stacks.js and with the Rust codec: one JSON request per line in, one JSON response per line out.
//
// Both decoders' results have the form that transcript.py also produces, so that they can be compared as a whole:
// numbers are decimal text, bytes hexadecimal text without 0x.

import { createInterface } from "node:readline";
import codec from "@hirosystems/stacks-encoding-native-js";
import sjs from "@stacks/transactions";

const hexOf = (bytes) => Buffer.from(bytes).toString("hex");
const plainHex = (text) => text.replace(/^0x/, "");

// --- stacks.js: values -------------------------------------------------------------------------------------------

const SJS_VALUES = {
  int: (v) => ["int", String(v.value)],
  uint: (v) => ["uint", String(v.value)],
  true: () => ["bool", true],
  false: () => ["bool", false],
  none: () => ["none"],
  buffer: (v) => ["buffer", v.value],
  ascii: (v) => ["ascii", v.value],
  utf8: (v) => ["utf8", v.value],
  address: (v) => ["principal", v.value],
  contract: (v) => ["principal", v.value],
  some: (v) => ["some", sjsValue(v.value)],
  ok: (v) => ["ok", sjsValue(v.value)],
  err: (v) => ["err", sjsValue(v.value)],
  list: (v) => ["list", v.value.map(sjsValue)],
  tuple: (v) => ["tuple", Object.fromEntries(Object.entries(v.value).map(([name, item]) => [name, sjsValue(item)]))],
};

const sjsValue = (value) => SJS_VALUES[value.type](value);

/** Returns whether stacks.js, which sorts tuple names by locale, sorts those in a value as a node does, by bytes. */
function inNodeOrder(value) {
  if (Array.isArray(value.value)) return value.value.every(inNodeOrder);
  if (value.type === "tuple") {
    const names = Object.keys(value.value);
    const byLocale = [...names].sort((a, b) => a.localeCompare(b));
    const byBytes = [...names].sort((a, b) => (a < b ? -1 : 1));
    return byLocale.every((name, place) => name === byBytes[place]) && Object.values(value.value).every(inNodeOrder);
  }
  return typeof value.value !== "object" || inNodeOrder(value.value);
}

// --- stacks.js: transactions -------------------------------------------------------------------------------------

const addressText = (address) => sjs.addressToString(address);

function sjsPrincipal(principal) {
  if (principal.prefix === 1) return "origin";
  const address = addressText(principal.address);
  return principal.prefix === 3 ? `${address}.${principal.contractName.content}` : address;
}

const sjsAsset = (asset) => `${addressText(asset.address)}.${asset.contractName.content}::${asset.assetName.content}`;

function sjsPostCondition(condition) {
  const principal = sjsPrincipal(condition.principal);
  const code = condition.conditionCode;
  switch (condition.conditionType) {
    case 0:
      return ["stx", principal, code, String(condition.amount)];
    case 1:
      return ["ft", principal, sjsAsset(condition.asset), code, String(condition.amount)];
    case 2:
      return ["nft", principal, sjsAsset(condition.asset), sjsValue(condition.assetName), code];
    case 3:
      return ["staking", principal, code, String(condition.amount)];
    default:
      return ["pox", principal, code];
  }
}

function sjsPayload(payload) {
  const name = payload.contractName?.content;
  switch (payload.payloadType) {
    case 0:
      // The memo is left out: stacks.js keeps it as text, and zero bytes at its end do not count.
      return ["transfer", payload.recipient.value, String(payload.amount)];
    case 1:
      return ["publish", null, name, payload.codeBody.content];
    case 2:
      return [
        "call",
        `${addressText(payload.contractAddress)}.${name}`,
        payload.functionName.content,
        payload.functionArgs.map(sjsValue),
      ];
    case 4:
      return ["coinbase", hexOf(payload.coinbaseBytes), null, null];
    case 5:
      return ["coinbase", hexOf(payload.coinbaseBytes), payload.recipient.value, null];
    case 6:
      return ["publish", payload.clarityVersion, name, payload.codeBody.content];
    case 7:
      return [
        "tenure change",
        payload.tenureHash,
        payload.previousTenureHash,
        payload.burnViewHash,
        payload.previousTenureEnd,
        payload.previousTenureBlocks,
        payload.cause,
        payload.publicKeyHash,
      ];
    case 8:
      return [
        "coinbase",
        hexOf(payload.coinbaseBytes),
        payload.recipient?.value ?? null,
        hexOf(payload.vrfProof),
      ];
    default:
      return ["unknown", payload.payloadType];
  }
}

function sjsCondition(condition) {
  if (!condition) return null;
  const common = [condition.hashMode, condition.signer, String(condition.nonce), String(condition.fee)];
  if (condition.signature) return [...common, condition.keyEncoding, condition.signature.data];
  const fields = condition.fields.map((field) => {
    const isKey = typeof field.contents.data !== "string";
    const data = isKey ? sjs.compressPublicKey(hexOf(field.contents.data)) : field.contents.data;
    return [isKey ? "key" : "signature", field.pubKeyEncoding, data];
  });
  return [...common, fields, condition.signaturesRequired];
}

function sjsTransaction(transaction) {
  return {
    version: transaction.transactionVersion,
    chain: transaction.chainId,
    origin: sjsCondition(transaction.auth.spendingCondition),
    sponsor: sjsCondition(transaction.auth.sponsorSpendingCondition),
    anchor: transaction.anchorMode,
    mode: transaction.postConditionMode,
    conditions: transaction.postConditions.values.map(sjsPostCondition),
    payload: sjsPayload(transaction.payload),
  };
}

// --- the Rust codec ----------------------------------------------------------------------------------------------

const RUST_VALUES = [
  (v) => ["int", v.value],
  (v) => ["uint", v.value],
  (v) => ["buffer", plainHex(v.buffer)],
  () => ["bool", true],
  () => ["bool", false],
  (v) => ["principal", v.address],
  (v) => ["principal", `${v.address}.${v.contract_name}`],
  (v) => ["ok", rustValue(v.value)],
  (v) => ["err", rustValue(v.value)],
  () => ["none"],
  (v) => ["some", rustValue(v.value)],
  (v) => ["list", v.list.map(rustValue)],
  (v) => ["tuple", Object.fromEntries(Object.entries(v.data).map(([name, item]) => [name, rustValue(item)]))],
  (v) => ["ascii", v.data],
  (v) => ["utf8", v.data],
];

const rustValue = (value) => RUST_VALUES[value.type_id](value);

/** Decodes a value within a transaction, of which the codec returns the bytes, but not the contents. */
const rustInnerValue = (value) => rustValue(codec.decodeClarityValue(value.hex));

const rustContract = (part) => (part.contract_name ? `${part.address}.${part.contract_name}` : part.address);

function rustPostCondition(condition) {
  const principal = condition.principal.type_id === 1 ? "origin" : rustContract(condition.principal);
  const code = condition.condition_code;
  if (condition.asset_info_id === 0) return ["stx", principal, code, condition.amount];
  const { contract_address: address, contract_name: contract, asset_name: name } = condition.asset;
  const asset = `${address}.${contract}::${name}`;
  if (condition.asset_info_id === 1) return ["ft", principal, asset, code, condition.amount];
  return ["nft", principal, asset, rustInnerValue(condition.asset_value), code];
}

function rustPayload(payload) {
  switch (payload.type_id) {
    case 0:
      return ["transfer", rustContract(payload.recipient), payload.amount, plainHex(payload.memo_hex)];
    case 1:
      return ["publish", null, payload.contract_name, payload.code_body];
    case 2:
      return ["call", rustContract(payload), payload.function_name, payload.function_args.map(rustInnerValue)];
    case 3:
      return ["poison", ...[payload.microblock_header_1, payload.microblock_header_2].map((h) => plainHex(h.buffer))];
    case 6:
      return ["publish", payload.clarity_version, payload.contract_name, payload.code_body];
    case 7:
      return [
        "tenure change",
        plainHex(payload.tenure_consensus_hash),
        plainHex(payload.prev_tenure_consensus_hash),
        plainHex(payload.burn_view_consensus_hash),
        plainHex(payload.previous_tenure_end),
        payload.previous_tenure_blocks,
        payload.cause,
        plainHex(payload.pubkey_hash),
      ];
    default: {
      const recipient = payload.recipient ? rustContract(payload.recipient) : null;
      const proof = payload.vrf_proof ? plainHex(payload.vrf_proof) : null;
      return ["coinbase", plainHex(payload.payload_buffer), recipient, proof];
    }
  }
}

function rustCondition(condition) {
  if (!condition) return null;
  const common = [
    condition.hash_mode,
    plainHex(condition.signer.address_hash_bytes),
    condition.nonce,
    condition.tx_fee,
  ];
  if (condition.fields === undefined) return [...common, condition.key_encoding, plainHex(condition.signature)];
  const fields = condition.fields.map((field) => {
    const isKey = field.public_key !== undefined;
    const data = plainHex(isKey ? field.public_key : field.signature);
    return [isKey ? "key" : "signature", field.type_id % 2, isKey ? sjs.compressPublicKey(data) : data];
  });
  return [...common, fields, condition.signatures_required];
}

function rustTransaction(decoded) {
  return {
    version: decoded.version,
    chain: decoded.chain_id,
    origin: rustCondition(decoded.auth.origin_condition),
    sponsor: rustCondition(decoded.auth.sponsor_condition),
    anchor: decoded.anchor_mode,
    mode: decoded.post_condition_mode,
    conditions: decoded.post_conditions.map(rustPostCondition),
    payload: rustPayload(decoded.payload),
  };
}

// --- requests ----------------------------------------------------------------------------------------------------

/** Returns a function's result or, if it fails, {error}. */
async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
}

const requests = {
  "value by stacks.js": ({ hex }) => {
    const value = sjs.deserializeCV(hex);
    return { decoded: sjsValue(value), encoded: sjs.serializeCV(value), ordered: inNodeOrder(value) };
  },
  "value by codec": ({ hex }) => {
    const value = codec.decodeClarityValue(hex);
    return { decoded: rustValue(value), encoded: plainHex(value.hex), text: value.repr };
  },
  "transaction by stacks.js": ({ hex }) => {
    const transaction = sjs.deserializeTransaction(hex);
    return { decoded: sjsTransaction(transaction), encoded: transaction.serialize(), txid: transaction.txid() };
  },
  "transaction by codec": ({ hex }) => {
    const decoded = codec.decodeTransaction(hex);
    return { decoded: rustTransaction(decoded), txid: plainHex(decoded.tx_id) };
  },

  // stacks.js appends the fields of new signers to the existing ones, so only those that are final may be kept.
  "signed by stacks.js": ({ hex, keep, steps }) => {
    const transaction = sjs.deserializeTransaction(hex);
    const condition = transaction.auth.spendingCondition;
    if (condition.fields) condition.fields = condition.fields.slice(0, keep);
    const signer = new sjs.TransactionSigner(transaction);
    for (const [step, key] of steps) {
      if (step === "sign") signer.signOrigin(key);
      else signer.appendOrigin(key);
    }
    return { encoded: signer.transaction.serialize() };
  },
  "sponsored by stacks.js": async ({ hex, key, fee, nonce }) => {
    const transaction = sjs.deserializeTransaction(hex);
    const sponsored = await sjs.sponsorTransaction({ transaction, sponsorPrivateKey: key, fee, sponsorNonce: nonce });
    return { encoded: sponsored.serialize() };
  },
  "verified by stacks.js": ({ hex }) => {
    sjs.deserializeTransaction(hex).verifyOrigin();
    return { verified: true };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await attempt(() => requests[request.do](request)))}\n`);
}
